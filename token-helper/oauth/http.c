/* http.c - see http.h. */
#include "http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <curl/curl.h>

#include "../base/reserve.h"
#include "../base/wipe_alloc.h"

#define MAX_RETRY_AFTER 3600 /* seconds; MSAL's cap as well */

struct http {
    CURLM *multi;
    struct transfer *first; /* under way */
    unsigned active;
};

struct transfer {
    struct transfer *next, *prev;
    CURL *easy;
    struct curl_slist *headers;
    struct http_request request; /* its pointers are not used after the start */
    struct http_reply reply;
    size_t header_bytes;
    bool too_large;
    char host[256]; /* for messages */
    char detail[CURL_ERROR_SIZE];
    http_done_fn *done;
    void *arg;
};

int
http_setup(struct err *err)
{
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wipe_malloc, wipe_free, wipe_realloc,
                             wipe_strdup, wipe_calloc) != CURLE_OK)
        return err_set(err, ERR_NOMEM, "libcurl cannot be initialised");
    return 0;
}

int
http_open(struct http **http_r, struct err *err)
{
    struct http *http = calloc(1, sizeof *http);

    if (http == NULL || (http->multi = curl_multi_init()) == NULL) {
        free(http);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    *http_r = http;
    return 0;
}

void
http_request_clear(struct http_request *request)
{
    secret_clear(&request->body);
    secret_clear(&request->user);
    secret_clear(&request->password);
    secret_clear(&request->header);
}

static void
transfer_free(struct transfer *t)
{
    if (t == NULL)
        return;
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    http_request_clear(&t->request);
    secret_clear(&t->reply.body);
    free(t);
}

static void
transfer_unlink(struct http *http, struct transfer *t)
{
    curl_multi_remove_handle(http->multi, t->easy);
    if (t->prev != NULL)
        t->prev->next = t->next;
    else
        http->first = t->next;
    if (t->next != NULL)
        t->next->prev = t->prev;
    http->active--;
}

void
http_close(struct http **http)
{
    if (*http == NULL)
        return;
    while ((*http)->first != NULL) {
        struct transfer *t = (*http)->first;

        transfer_unlink(*http, t);
        transfer_free(t);
    }
    curl_multi_cleanup((*http)->multi);
    free(*http);
    *http = NULL;
}

static size_t
on_body(char *bytes, size_t one, size_t n, void *arg)
{
    struct transfer *t = arg;

    (void)one; /* always 1 */
    if (t->reply.body.len + n > HTTP_BODY_MAX) {
        t->too_large = true;
        return 0;
    }
    if (secret_append(&t->reply.body, bytes, n) != 0 &&
        (!reserve_release() || secret_append(&t->reply.body, bytes, n) != 0))
        return 0;
    return n;
}

static void
take_challenge(struct http_reply *reply, const char *line, size_t n)
{
    static const char name[] = "WWW-Authenticate:";

    if (n < sizeof name || strncasecmp(line, name, sizeof name - 1) != 0)
        return;
    line += sizeof name - 1;
    n -= sizeof name - 1;
    while (n > 0 && *line == ' ') {
        line++;
        n--;
    }
    while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == '\n'))
        n--;
    if (n >= sizeof reply->www_authenticate)
        n = sizeof reply->www_authenticate - 1;
    memcpy(reply->www_authenticate, line, n);
    reply->www_authenticate[n] = '\0';
}

/* Counts as well: a peer may send headers for ever. */
static size_t
on_header(char *bytes, size_t one, size_t n, void *arg)
{
    struct transfer *t = arg;

    (void)one;
    take_challenge(&t->reply, bytes, n);
    t->header_bytes += n;
    if (t->header_bytes > HTTP_HEADERS_MAX) {
        t->too_large = true;
        return 0;
    }
    return n;
}

/* The host of an URL, for messages: they say where we talked to, never what. */
static void
host_of(const char *url, char *host, size_t size)
{
    const char *start = strstr(url, "://");
    size_t n;

    start = start != NULL ? start + 3 : url;
    n = strcspn(start, "/?#");
    if (n >= size)
        n = size - 1;
    memcpy(host, start, n);
    host[n] = '\0';
}

struct setting {
    CURLoption option;
    const char *text; /* NULL: `number` is meant */
    long number;
};

static CURLcode
set_all(CURL *easy, const struct setting *setting, size_t count)
{
    CURLcode c = CURLE_OK;

    for (size_t i = 0; i < count && c == CURLE_OK; i++)
        c = setting[i].text != NULL
                ? curl_easy_setopt(easy, setting[i].option, setting[i].text)
                : curl_easy_setopt(easy, setting[i].option, setting[i].number);
    return c;
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static CURLcode
set_request(struct transfer *t)
{
    const struct http_request *q = &t->request;
    const struct setting settings[] = {
        {CURLOPT_URL, q->url, 0},
        {CURLOPT_USERAGENT, "mailbearer/" MAILBEARER_VERSION, 0},
    };
    const struct setting form[] = {
        {CURLOPT_POST, NULL, 1},
        {CURLOPT_POSTFIELDSIZE, NULL, (long)q->body.len},
        {CURLOPT_POSTFIELDS, secret_str(&q->body), 0},
    };
    const struct setting sign_in[] = {
        {CURLOPT_HTTPAUTH, NULL, (long)CURLAUTH_BASIC},
        {CURLOPT_USERNAME, secret_str(&q->user), 0},
        {CURLOPT_PASSWORD, secret_str(&q->password), 0},
    };
    CURLcode c = set_all(t->easy, settings, COUNT(settings));

    if (c == CURLE_OK && q->body.len > 0)
        c = set_all(t->easy, form, COUNT(form));
    if (c == CURLE_OK && q->user.len > 0)
        c = set_all(t->easy, sign_in, COUNT(sign_in));
    return c;
}

static CURLcode
set_limits(struct transfer *t)
{
    const struct http_request *q = &t->request;
    bool plain = strncmp(q->url, "http://", 7) == 0;
    const struct setting settings[] = {
        {CURLOPT_PROTOCOLS_STR, plain ? "http" : "https", 0},
        {CURLOPT_FOLLOWLOCATION, NULL, 0},
        {CURLOPT_SSLVERSION, NULL, (long)CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_HTTP_VERSION, NULL, (long)CURL_HTTP_VERSION_1_1},
        {CURLOPT_NOSIGNAL, NULL, 1},
        /* or a hung resolver blocks curl_multi_perform() until it gives up */
        {CURLOPT_QUICK_EXIT, NULL, 1},
        {CURLOPT_CONNECTTIMEOUT_MS, NULL, (long)HTTP_CONNECT_MS},
        {CURLOPT_TIMEOUT_MS, NULL, (long)q->deadline_ms},
        /* an empty proxy also keeps http_proxy of the environment out */
        {CURLOPT_PROXY, q->proxy != NULL ? q->proxy : "", 0},
        {CURLOPT_NOPROXY, "", 0},
        /* On a kept connection that breaks, libcurl sends the request a second time by
         * itself; the first may have used up the refresh token. */
        {CURLOPT_FRESH_CONNECT, NULL, 1},
        {CURLOPT_FORBID_REUSE, NULL, 1},
    };
    CURLcode c = set_all(t->easy, settings, COUNT(settings));

    if (c == CURLE_OK && q->ca_file != NULL)
        c = curl_easy_setopt(t->easy, CURLOPT_CAINFO, q->ca_file);
    return c;
}

static CURLcode
set_callbacks(struct transfer *t)
{
    CURL *e = t->easy;
    CURLcode c;

    if ((c = curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_WRITEDATA, t)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_HEADERDATA, t)) != CURLE_OK)
        return c;
    return curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->detail);
}

static CURLcode
add_header(struct transfer *t, const char *line)
{
    struct curl_slist *longer = curl_slist_append(t->headers, line);

    if (longer == NULL)
        return CURLE_OUT_OF_MEMORY;
    t->headers = longer;
    return CURLE_OK;
}

static CURLcode
set_headers(struct transfer *t)
{
    CURLcode c;

    if ((c = add_header(t, "Accept: application/json")) != CURLE_OK ||
        (c = add_header(t, "Expect:")) != CURLE_OK) /* no wait for "100 Continue" */
        return c;
    if (t->request.metadata && (c = add_header(t, "Metadata: true")) != CURLE_OK)
        return c;
    if (t->request.header.len > 0 &&
        (c = add_header(t, secret_str(&t->request.header))) != CURLE_OK)
        return c;
    return curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

static CURLcode
transfer_set_up(struct transfer *t)
{
    CURLcode c;

    if ((c = set_callbacks(t)) != CURLE_OK || (c = set_headers(t)) != CURLE_OK ||
        (c = set_request(t)) != CURLE_OK)
        return c;
    return set_limits(t);
}

int
http_start(struct http *http, struct http_request *request, http_done_fn *done, void *arg,
           struct err *err)
{
    struct transfer *t = calloc(1, sizeof *t);
    CURLcode c;
    int r = ERR_NOMEM;

    if (t == NULL) {
        http_request_clear(request);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    t->request = *request; /* the secrets move */
    request->body = request->user = (struct secret)SECRET_INIT;
    request->password = request->header = (struct secret)SECRET_INIT;
    t->reply.body.max = HTTP_BODY_MAX + 1;
    t->done = done;
    t->arg = arg;
    host_of(t->request.url, t->host, sizeof t->host);
    if ((t->easy = curl_easy_init()) == NULL) {
        err_set(err, ERR_NOMEM, "out of memory");
        goto out;
    }
    if ((c = transfer_set_up(t)) != CURLE_OK) {
        r = err_set(err, c == CURLE_OUT_OF_MEMORY ? ERR_NOMEM : ERR_CONFIG, "%s: %s",
                    t->host, curl_easy_strerror(c));
        goto out;
    }
    if (curl_multi_add_handle(http->multi, t->easy) != CURLM_OK) {
        err_set(err, ERR_NOMEM, "out of memory");
        goto out;
    }
    t->next = http->first;
    if (t->next != NULL)
        t->next->prev = t;
    http->first = t;
    http->active++;
    return 0;
out:
    transfer_free(t);
    return r;
}

/* What failed, by layer, since that is what an administrator looks at next. */
static int
describe(const struct transfer *t, CURLcode c, struct err *err)
{
    const char *why = t->detail[0] != '\0' ? t->detail : curl_easy_strerror(c);

    if (t->too_large)
        return err_set(err, ERR_TEMP, "%s: the reply is larger than %u kB", t->host,
                       HTTP_BODY_MAX / 1024);
    switch (c) {
    case CURLE_OUT_OF_MEMORY:
        return err_set(err, ERR_NOMEM, "out of memory");
    case CURLE_OPERATION_TIMEDOUT:
        err_set(err, ERR_TIMEOUT, "%s: no answer in time (%s)", t->host, why);
        err_hint(err, "check the network, the firewall and `proxy` from this machine");
        return ERR_TIMEOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        err_set(err, ERR_TEMP, "%s: name not found (%s)", t->host, why);
        err_hint(err, "check /etc/resolv.conf and the name server");
        return ERR_TEMP;
    case CURLE_COULDNT_CONNECT:
        err_set(err, ERR_TEMP, "%s: cannot connect (%s)", t->host, why);
        err_hint(err, "check the network, the firewall and `proxy` from this machine");
        return ERR_TEMP;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
        err_set(err, ERR_TEMP, "%s: TLS failed (%s)", t->host, why);
        err_hint(err, "check the clock, the CA certificates (`ca_file`) and whether "
                      "something intercepts TLS");
        return ERR_TEMP;
    default:
        return err_set(err, ERR_TEMP, "%s: %s", t->host, why);
    }
}

static void
transfer_finish(struct transfer *t, CURLcode c)
{
    struct err err = ERR_INIT;
    curl_off_t retry = 0;

    if (c != CURLE_OK) {
        describe(t, c, &err);
        t->done(t->arg, NULL, &err);
        return;
    }
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->reply.status);
    curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry);
    t->reply.retry_after = retry < 0                 ? 0
                           : retry > MAX_RETRY_AFTER ? MAX_RETRY_AFTER
                                                     : retry;
    t->done(t->arg, &t->reply, NULL);
}

/* Looked for here and not asked of libcurl, which could fail. */
static struct transfer *
transfer_find(const struct http *http, const CURL *easy)
{
    struct transfer *t = http->first;

    while (t != NULL && t->easy != easy)
        t = t->next;
    return t;
}

void
http_poll(struct http *http, int fd, int timeout_ms)
{
    struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};
    struct CURLMsg *m;
    int n;

    curl_multi_poll(http->multi, &extra, fd >= 0 ? 1 : 0, timeout_ms, &n);
    if (http->active == 0)
        return;
    curl_multi_perform(http->multi, &n);
    while ((m = curl_multi_info_read(http->multi, &n)) != NULL) {
        struct transfer *t = transfer_find(http, m->easy_handle);
        CURLcode c = m->data.result; /* m is gone once the handle is removed */

        if (m->msg != CURLMSG_DONE || t == NULL)
            continue;
        transfer_unlink(http, t);
        transfer_finish(t, c);
        transfer_free(t);
    }
}

unsigned
http_active(const struct http *http)
{
    return http->active;
}

struct blocking {
    bool done;
    struct http_reply *reply;
    struct err *err;
};

static void
on_blocking_done(void *arg, const struct http_reply *reply, const struct err *err)
{
    struct blocking *b = arg;

    b->done = true;
    if (err != NULL) {
        *b->err = *err;
        return;
    }
    *b->reply = *reply;
    b->reply->body = (struct secret)SECRET_INIT;
    if (secret_set(&b->reply->body, reply->body.data, reply->body.len) != 0 &&
        (!reserve_release() ||
         secret_set(&b->reply->body, reply->body.data, reply->body.len) != 0))
        err_set(b->err, ERR_NOMEM, "out of memory");
}

int
http_do(struct http_request *request, struct http_reply *reply_r, struct err *err)
{
    struct http *http = NULL;
    struct http_reply reply = {.body = SECRET_INIT};
    struct err e = ERR_INIT;
    struct blocking b = {false, &reply, &e};

    if (http_open(&http, &e) != 0) {
        http_request_clear(request);
        goto out;
    }
    if (http_start(http, request, on_blocking_done, &b, &e) == 0)
        while (!b.done)
            http_poll(http, -1, 1000);
out:
    http_close(&http);
    if (e.code != ERR_NONE) {
        secret_clear(&reply.body);
        if (err != NULL)
            *err = e;
        return e.code;
    }
    *reply_r = reply;
    return 0;
}
