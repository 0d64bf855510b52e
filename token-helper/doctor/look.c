/* look.c - see look.h. */
#include "look_private.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/wallclock.h"
#include "../client/deadline.h"

#define REPLIES_MAX (256u * 1024u) /* bytes a server may say */

/* --- what comes in ---------------------------------------------------------------------
 */

static void
take_date(struct look *look, const char *line, size_t len)
{
    static const char name[] = "Date:";
    char text[64] = "";
    time_t date;

    if (len <= sizeof name || strncasecmp(line, name, sizeof name - 1) != 0)
        return;
    look_text(text, sizeof text, line + sizeof name - 1, len - (sizeof name - 1));
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
        look_text(s->look->said, sizeof s->look->said, line, len);
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
    look_text(s->look->tls, sizeof s->look->tls, text, len);
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

static CURLcode
set_options(struct sight *s, int deadline_ms)
{
    const struct look *l = s->look;
    const struct setting settings[] = {
        {CURLOPT_URL, l->url, 0},
        {CURLOPT_PROTOCOLS_STR, "http,https,imap,imaps,pop3,pop3s,smtp,smtps", 0},
        {CURLOPT_CONNECT_ONLY, NULL, !look_is_http(l) || !s->verify},
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
        {CURLOPT_HTTPPROXYTUNNEL, NULL, !look_is_http(l)},
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
    curl_write_callback body = look_is_http(s->look) ? on_body : on_line;
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
            look_seen(&sight[i]);
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
