/* look_seen.c - see look_private.h: what a connection has shown when it is over. */
#include "look_private.h"

#include <string.h>
#include <strings.h>

void
look_text(char *to, size_t size, const char *from, size_t len)
{
    if (len >= size)
        len = size - 1;
    memcpy(to, from, len);
    to[err_clean(to, len)] = '\0';
}

bool
look_is_http(const struct look *look)
{
    return strncmp(look->url, "http", 4) == 0;
}

/* "Subject:CN = localhost" gives the text behind "Subject:". */
static void
take_field(const char *line, const char *name, char *to, size_t size)
{
    size_t n = strlen(name);

    if (strncmp(line, name, n) == 0 && to[0] == '\0')
        look_text(to, size, line + n, strlen(line + n));
}

/* "Nov 21 17:00:00 2026 GMT"; 0: not to be read. */
static int64_t
date_of(const char *text)
{
    time_t date = curl_getdate(text, NULL);

    return date > 0 ? (int64_t)date : 0;
}

static void
take_certificate(struct sight *s)
{
    struct look *l = s->look;
    struct curl_certinfo *info = NULL;
    char begins[64] = "", expires[64] = "";

    if (curl_easy_getinfo(s->easy, CURLINFO_CERTINFO, &info) != CURLE_OK ||
        info == NULL || info->num_of_certs < 1)
        return;
    l->chain = (unsigned)info->num_of_certs;
    l->subject[0] = l->issuer[0] = l->names[0] = '\0';
    for (const struct curl_slist *i = info->certinfo[0]; i != NULL; i = i->next) {
        take_field(i->data, "Subject:", l->subject, sizeof l->subject);
        take_field(i->data, "Issuer:", l->issuer, sizeof l->issuer);
        take_field(i->data, "Start date:", begins, sizeof begins);
        take_field(i->data, "Expire date:", expires, sizeof expires);
        take_field(i->data, "X509v3 Subject Alternative Name:", l->names,
                   sizeof l->names);
    }
    l->begins = date_of(begins);
    l->expires = date_of(expires);
}

static int
milliseconds(CURL *easy, CURLINFO which)
{
    curl_off_t us = 0;

    return curl_easy_getinfo(easy, which, &us) == CURLE_OK ? (int)(us / 1000) : 0;
}

/* Does what was said last read as "no"? */
static bool
said_no(const struct look *l)
{
    const char *s = l->said;

    if (strncmp(l->url, "smtp", 4) == 0)
        return s[0] == '4' || s[0] == '5';
    if (strncmp(l->url, "pop3", 4) == 0)
        return s[0] == '-';
    return strncasecmp(s, "* BYE", 5) == 0 || strncasecmp(s, "* NO", 4) == 0;
}

static bool
is_connected(const struct sight *s)
{
    curl_off_t us = 0;

    return curl_easy_getinfo(s->easy, CURLINFO_CONNECT_TIME_T, &us) == CURLE_OK && us > 0;
}

/* An HTTP proxy that answers CONNECT with "no": libcurl has no code of its own for it. */
static bool
is_refused_by_proxy(const struct sight *s)
{
    long status = 0;

    return s->look->proxy != NULL &&
           curl_easy_getinfo(s->easy, CURLINFO_HTTP_CONNECTCODE, &status) == CURLE_OK &&
           status != 0 && status / 100 != 2;
}

static enum look_result
result_of(const struct sight *s)
{
    if (s->code != CURLE_OK && is_refused_by_proxy(s))
        return LOOK_PROXY;
    switch (s->code) {
    case CURLE_OK:
        return LOOK_OK;
    case CURLE_WRITE_ERROR: /* it talks without end: of a web page that is no matter */
        return look_is_http(s->look) ? LOOK_OK : LOOK_OTHER;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return LOOK_NO_NAME;
    case CURLE_COULDNT_CONNECT:
        return LOOK_NO_CONNECT;
    case CURLE_PROXY:
        return LOOK_PROXY;
    case CURLE_OPERATION_TIMEDOUT:
        return is_connected(s) ? LOOK_TIMEOUT : LOOK_NO_CONNECT;
    case CURLE_PEER_FAILED_VERIFICATION:
        return LOOK_UNTRUSTED;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
        return LOOK_TLS;
    case CURLE_USE_SSL_FAILED:
        return LOOK_NO_STARTTLS;
    default:
        return said_no(s->look) ? LOOK_REFUSED : LOOK_OTHER;
    }
}

void
look_seen(struct sight *s)
{
    struct look *l = s->look;
    const char *ip = NULL, *why;

    if (curl_easy_getinfo(s->easy, CURLINFO_PRIMARY_IP, &ip) == CURLE_OK && ip != NULL)
        look_text(l->ip, sizeof l->ip, ip, strlen(ip));
    take_certificate(s);
    if (!s->verify)
        return;
    l->connect_ms = milliseconds(s->easy, CURLINFO_CONNECT_TIME_T);
    l->result = result_of(s);
    why = s->detail[0] != '\0' ? s->detail : curl_easy_strerror(s->code);
    if (l->result != LOOK_OK)
        look_text(l->why, sizeof l->why, why, strlen(why));
}
