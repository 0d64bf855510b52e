/* look.c - see look.h. */
#include "look.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "../base/wallclock.h"
#include "../client/deadline.h"

#define REPLIES_MAX (256u * 1024u) /* bytes a server may say */

struct sight {
    struct look *look;
    CURL *easy;
    size_t replies;
    bool verify;
    bool done;
    CURLcode code;
    char detail[CURL_ERROR_SIZE];
};

/* --- what comes in ---------------------------------------------------------------------
 */

static void
take_text(char *to, size_t size, const char *from, size_t len)
{
    if (len >= size)
        len = size - 1;
    memcpy(to, from, len);
    to[err_clean(to, len)] = '\0';
}

static void
take_date(struct look *look, const char *line, size_t len)
{
    static const char name[] = "Date:";
    char text[64] = "";
    time_t date;

    if (len <= sizeof name || strncasecmp(line, name, sizeof name - 1) != 0)
        return;
    take_text(text, sizeof text, line + sizeof name - 1, len - (sizeof name - 1));
    if ((date = curl_getdate(text, NULL)) > 0) {
        look->date = (int64_t)date;
        look->date_at = wallclock_now();
    }
}

static size_t
on_line(char *line, size_t one, size_t n, void *arg)
{
    struct sight *s = arg;
    size_t len = n;

    (void)one; /* always 1 */
    s->replies += n;
    if (s->replies > REPLIES_MAX)
        return 0;
    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    take_date(s->look, line, len);
    if (len > 0)
        take_text(s->look->said, sizeof s->look->said, line, len);
    return n;
}

/* A page in the place of the token endpoint's reply is of no interest. */
static size_t
on_body(char *bytes, size_t one, size_t n, void *arg)
{
    struct sight *s = arg;

    (void)bytes;
    (void)one;
    s->replies += n;
    return s->replies > REPLIES_MAX ? 0 : n;
}

/* The protocol's version is only to be had from what libcurl tells people:
 * "SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384". */
static int
on_debug(CURL *easy, curl_infotype type, char *text, size_t len, void *arg)
{
    static const char words[] = "SSL connection using ";
    struct sight *s = arg;

    (void)easy;
    if (type != CURLINFO_TEXT || len < sizeof words ||
        strncmp(text, words, sizeof words - 1) != 0)
        return 0;
    text += sizeof words - 1;
    len -= sizeof words - 1;
    for (size_t i = 0; i < len; i++)
        if (text[i] == ' ' || text[i] == '\n')
            len = i;
    take_text(s->look->tls, sizeof s->look->tls, text, len);
    return 0;
}

static int
on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    (void)arg;
    (void)purpose;
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? CURL_SOCKOPT_OK : CURL_SOCKOPT_ERROR;
}

/* --- settings --------------------------------------------------------------------------
 */

struct setting {
    CURLoption option;
    const char *text; /* NULL: `number` is meant */
    long number;
};

static bool
is_http(const struct look *look)
{
    return strncmp(look->url, "http", 4) == 0;
}

static CURLcode
set_options(struct sight *s, int deadline_ms)
{
    const struct look *l = s->look;
    const struct setting settings[] = {
        {CURLOPT_URL, l->url, 0},
        {CURLOPT_PROTOCOLS_STR, "http,https,imap,imaps,pop3,pop3s,smtp,smtps", 0},
        {CURLOPT_CONNECT_ONLY, NULL, !is_http(l) || !s->verify},
        {CURLOPT_FOLLOWLOCATION, NULL, 0},
        {CURLOPT_NETRC, NULL, (long)CURL_NETRC_IGNORED},
        {CURLOPT_USE_SSL, NULL, (long)(l->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE)},
        {CURLOPT_SSL_VERIFYPEER, NULL, s->verify},
        {CURLOPT_SSL_VERIFYHOST, NULL, s->verify ? 2 : 0},
        {CURLOPT_SSLVERSION, NULL, (long)CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_CERTINFO, NULL, 1},
        {CURLOPT_VERBOSE, NULL, 1},
        {CURLOPT_HTTP_VERSION, NULL, (long)CURL_HTTP_VERSION_1_1},
        {CURLOPT_USERAGENT, "mailbearer/" MAILBEARER_VERSION, 0},
        {CURLOPT_NOSIGNAL, NULL, 1},
        /* or a hung resolver keeps us beyond the deadline */
        {CURLOPT_QUICK_EXIT, NULL, 1},
        {CURLOPT_CONNECTTIMEOUT_MS, NULL, deadline_ms},
        {CURLOPT_TIMEOUT_MS, NULL, deadline_ms},
        /* an empty proxy also keeps those of the environment out */
        {CURLOPT_PROXY, l->proxy != NULL ? l->proxy : "", 0},
        {CURLOPT_NOPROXY, "", 0},
        {CURLOPT_HTTPPROXYTUNNEL, NULL, !is_http(l)},
        {CURLOPT_SUPPRESS_CONNECT_HEADERS, NULL, 1},
        {CURLOPT_FRESH_CONNECT, NULL, 1},
    };
    CURLcode c = CURLE_OK;

    for (size_t i = 0; i < sizeof settings / sizeof settings[0] && c == CURLE_OK; i++)
        c = settings[i].text != NULL
                ? curl_easy_setopt(s->easy, settings[i].option, settings[i].text)
                : curl_easy_setopt(s->easy, settings[i].option, settings[i].number);
    if (c == CURLE_OK && l->ca_file != NULL)
        c = curl_easy_setopt(s->easy, CURLOPT_CAINFO, l->ca_file);
    return c;
}

static CURLcode
set_callbacks(struct sight *s)
{
    CURL *e = s->easy;
    curl_write_callback body = is_http(s->look) ? on_body : on_line;
    CURLcode c;

    if ((c = curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_line)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_HEADERDATA, s)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, body)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_WRITEDATA, s)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, on_debug)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_DEBUGDATA, s)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_socket)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_PRIVATE, s)) != CURLE_OK)
        return c;
    return curl_easy_setopt(e, CURLOPT_ERRORBUFFER, s->detail);
}

/* --- what was seen ---------------------------------------------------------------------
 */

/* "Subject:CN = localhost" gives the text behind "Subject:". */
static void
take_field(const char *line, const char *name, char *to, size_t size)
{
    size_t n = strlen(name);

    if (strncmp(line, name, n) == 0 && to[0] == '\0')
        take_text(to, size, line + n, strlen(line + n));
}

static void
take_certificate(struct sight *s)
{
    struct look *l = s->look;
    struct curl_certinfo *info = NULL;
    char expires[64] = "";
    time_t date;

    if (curl_easy_getinfo(s->easy, CURLINFO_CERTINFO, &info) != CURLE_OK ||
        info == NULL || info->num_of_certs < 1)
        return;
    l->chain = (unsigned)info->num_of_certs;
    l->subject[0] = l->issuer[0] = l->names[0] = '\0';
    for (const struct curl_slist *i = info->certinfo[0]; i != NULL; i = i->next) {
        take_field(i->data, "Subject:", l->subject, sizeof l->subject);
        take_field(i->data, "Issuer:", l->issuer, sizeof l->issuer);
        take_field(i->data, "Expire date:", expires, sizeof expires);
        take_field(i->data, "X509v3 Subject Alternative Name:", l->names,
                   sizeof l->names);
    }
    if ((date = curl_getdate(expires, NULL)) > 0)
        l->expires = (int64_t)date;
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

static enum look_result
result_of(const struct sight *s)
{
    switch (s->code) {
    case CURLE_OK:
        return LOOK_OK;
    case CURLE_WRITE_ERROR: /* it talks without end: of a web page that is no matter */
        return is_http(s->look) ? LOOK_OK : LOOK_OTHER;
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

static void
take_sight(struct sight *s)
{
    struct look *l = s->look;
    const char *ip = NULL, *why;

    if (curl_easy_getinfo(s->easy, CURLINFO_PRIMARY_IP, &ip) == CURLE_OK && ip != NULL)
        take_text(l->ip, sizeof l->ip, ip, strlen(ip));
    take_certificate(s);
    if (!s->verify)
        return;
    l->connect_ms = milliseconds(s->easy, CURLINFO_CONNECT_TIME_T);
    l->result = result_of(s);
    why = s->detail[0] != '\0' ? s->detail : curl_easy_strerror(s->code);
    if (l->result != LOOK_OK)
        take_text(l->why, sizeof l->why, why, strlen(why));
}

/* --- all together ----------------------------------------------------------------------
 */

static bool
is_due(const struct look *look, bool verify)
{
    return verify || look->result == LOOK_UNTRUSTED;
}

static int
start(CURLM *multi, struct sight *s, int deadline_ms)
{
    if ((s->easy = curl_easy_init()) == NULL || set_callbacks(s) != CURLE_OK ||
        set_options(s, deadline_ms) != CURLE_OK ||
        curl_multi_add_handle(multi, s->easy) != CURLM_OK)
        return ERR_NOMEM;
    return 0;
}

static void
collect(CURLM *multi)
{
    struct CURLMsg *m;
    int n;

    while ((m = curl_multi_info_read(multi, &n)) != NULL) {
        struct sight *s = NULL;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&s);
        s->code = m->data.result;
        s->done = true;
    }
}

/* One round; what is under way at the deadline ended for lack of time. */
static int
look_round(struct look *look, size_t count, bool verify, int deadline_ms)
{
    struct deadline deadline = deadline_in(deadline_ms + 500);
    struct sight *sight = calloc(count, sizeof *sight);
    CURLM *multi = curl_multi_init();
    int running = 1, r = 0;

    if (sight == NULL || multi == NULL)
        r = ERR_NOMEM;
    for (size_t i = 0; i < count && r == 0; i++) {
        sight[i] = (struct sight){
            .look = &look[i], .verify = verify, .code = CURLE_OPERATION_TIMEDOUT};
        if (is_due(&look[i], verify))
            r = start(multi, &sight[i], deadline_ms);
    }
    while (r == 0 && running > 0 && !deadline_passed(&deadline)) {
        curl_multi_perform(multi, &running);
        collect(multi);
        if (running > 0)
            curl_multi_poll(multi, NULL, 0, 100, NULL);
    }
    for (size_t i = 0; sight != NULL && i < count; i++) {
        if (sight[i].easy == NULL)
            continue;
        if (r == 0)
            take_sight(&sight[i]);
        curl_multi_remove_handle(multi, sight[i].easy);
        curl_easy_cleanup(sight[i].easy);
    }
    curl_multi_cleanup(multi);
    free(sight);
    return r;
}

int
look_all(struct look *look, size_t count, int deadline_ms, struct err *err)
{
    bool again = false;
    int r = count > 0 ? look_round(look, count, true, deadline_ms) : 0;

    for (size_t i = 0; i < count; i++)
        again = again || look[i].result == LOOK_UNTRUSTED;
    if (r == 0 && again)
        r = look_round(look, count, false,
                       deadline_ms < LOOK_AGAIN_MS ? deadline_ms : LOOK_AGAIN_MS);
    return r == 0 ? 0 : err_set(err, r, "out of memory");
}
