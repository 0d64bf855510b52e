/* connection.c - see connection.h. */
#include "connection.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "../base/wipe_alloc.h"
#include "refusal.h"

#define URL_MAX 600
#define SAID_MAX 400
#define REPLIES_MAX (256u * 1024u) /* bytes a server may say before the sign-in */
#define KEEPALIVE_S 60L

struct connection {
    struct stream stream; /* first: the callbacks get its address */
    CURL *easy;
    const struct mail_server *server; /* while connecting */
    struct caps *caps;                /* the same */
    size_t replies;
    bool too_much;
    char last[SAID_MAX]; /* what the server said last, before the sign-in */
    char detail[CURL_ERROR_SIZE];
};

int
connection_setup(struct err *err)
{
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wipe_malloc, wipe_free, wipe_realloc,
                             wipe_strdup, wipe_calloc) != CURLE_OK)
        return err_set(err, ERR_NOMEM, "libcurl does not start");
    return 0;
}

/* --- what the server says while libcurl talks ------------------------------------------
 */

static size_t
on_line(char *line, size_t one, size_t n, void *arg)
{
    struct connection *u = arg;
    size_t len = n;

    (void)one; /* always 1 */
    u->replies += n;
    if (u->replies > REPLIES_MAX) {
        u->too_much = true;
        return 0;
    }
    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    caps_line(u->caps, line, len);
    if (len >= sizeof u->last)
        len = sizeof u->last - 1;
    memcpy(u->last, line, len);
    u->last[err_clean(u->last, len)] = '\0';
    return n;
}

/* Does what was said last read as "yes"? libcurl then stopped for another reason. */
static bool
said_yes(const struct connection *u)
{
    const char *last = u->last;

    switch (u->caps->wire) {
    case WIRE_POP3:
        return last[0] != '-';
    case WIRE_SMTP:
        return last[0] == '2';
    case WIRE_IMAP:
        break;
    }
    if (last[0] == '*')
        return strncasecmp(last, "* BYE", 5) != 0 && strncasecmp(last, "* NO", 4) != 0;
    last += strcspn(last, " ");
    return strncasecmp(last, " OK", 3) == 0;
}

/* --- settings of libcurl ---------------------------------------------------------------
 */

/* A child that is started later does not inherit the connection. */
static int
on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    (void)arg;
    (void)purpose;
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? CURL_SOCKOPT_OK : CURL_SOCKOPT_ERROR;
}

/* Called about once a second while libcurl waits. */
static int
on_progress(void *arg, curl_off_t to_get, curl_off_t got, curl_off_t to_send,
            curl_off_t sent)
{
    const struct connection *u = arg;

    (void)to_get;
    (void)got;
    (void)to_send;
    (void)sent;
    return u->server != NULL && u->server->stop != NULL && atomic_load(u->server->stop);
}

struct setting {
    CURLoption option;
    const char *text; /* NULL: `number` is meant */
    long number;
};

static CURLcode
set_all(CURL *easy, const struct setting *options, size_t count)
{
    CURLcode c = CURLE_OK;

    for (size_t i = 0; i < count && c == CURLE_OK; i++)
        c = options[i].text != NULL
                ? curl_easy_setopt(easy, options[i].option, options[i].text)
                : curl_easy_setopt(easy, options[i].option, options[i].number);
    return c;
}

static CURLcode
set_options(CURL *easy, const struct mail_server *s, const char *url, int deadline_ms)
{
    const struct setting options[] = {
        {CURLOPT_URL, url, 0},
        {CURLOPT_PROTOCOLS_STR, "imap,imaps,pop3,pop3s,smtp,smtps", 0},
        {CURLOPT_CONNECT_ONLY, NULL, 1},
        {CURLOPT_NETRC, NULL, (long)CURL_NETRC_IGNORED},
        {CURLOPT_USE_SSL, NULL, (long)(s->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE)},
        {CURLOPT_SSL_VERIFYPEER, NULL, 1},
        {CURLOPT_SSL_VERIFYHOST, NULL, 2},
        {CURLOPT_SSLVERSION, NULL, (long)CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_NOSIGNAL, NULL, 1},
        /* or a hung resolver keeps us beyond the deadline */
        {CURLOPT_QUICK_EXIT, NULL, 1},
        {CURLOPT_CONNECTTIMEOUT_MS, NULL, deadline_ms},
        {CURLOPT_TIMEOUT_MS, NULL, deadline_ms},
        {CURLOPT_TCP_KEEPALIVE, NULL, 1},
        {CURLOPT_TCP_KEEPIDLE, NULL, KEEPALIVE_S},
        {CURLOPT_TCP_KEEPINTVL, NULL, KEEPALIVE_S},
        /* an empty proxy also keeps all_proxy of the environment out */
        {CURLOPT_PROXY, s->proxy != NULL ? s->proxy : "", 0},
        {CURLOPT_NOPROXY, "", 0},
        {CURLOPT_HTTPPROXYTUNNEL, NULL, 1},
        {CURLOPT_SUPPRESS_CONNECT_HEADERS, NULL, 1},
    };
    CURLcode c = set_all(easy, options, sizeof options / sizeof options[0]);

    if (c == CURLE_OK && s->ca_file != NULL)
        c = curl_easy_setopt(easy, CURLOPT_CAINFO, s->ca_file);
    return c;
}

static CURLcode
set_callbacks(struct connection *u)
{
    CURL *e = u->easy;
    CURLcode c;

    if ((c = curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_line)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_HEADERDATA, u)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_line)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_WRITEDATA, u)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_XFERINFODATA, u)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L)) != CURLE_OK ||
        (c = curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_socket)) != CURLE_OK)
        return c;
    return curl_easy_setopt(e, CURLOPT_ERRORBUFFER, u->detail);
}

/* "imaps://host:993/": no user, so that libcurl stops behind the capabilities. A host
 * that is none would make another URL of it. */
static bool
make_url(const struct mail_server *s, enum wire wire, char url[URL_MAX])
{
    bool v6 = strchr(s->host, ':') != NULL;
    int n;

    if (s->host[0] == '\0' || strpbrk(s->host, "/?#@[]%\\ ") != NULL)
        return false;
    n = snprintf(url, URL_MAX, "%s%s://%s%s%s:%d/", wire_name(wire),
                 s->starttls ? "" : "s", v6 ? "[" : "", s->host, v6 ? "]" : "", s->port);
    return n > 0 && n < URL_MAX;
}

/* --- failures --------------------------------------------------------------------------
 */

static int
bad_tls(const struct mail_server *s, const char *why, struct err *err)
{
    err_set(err, ERR_TEMP, "%s: TLS failed (%s)", s->host, why);
    err_hint(err,
             "check the clock, the CA certificates (`ca_file`), the server's name and "
             "whether something intercepts TLS");
    return ERR_TEMP;
}

static int
no_starttls(const struct mail_server *s, struct err *err)
{
    err_set(err, ERR_TEMP,
            "%s: port %d offers no STARTTLS, and without TLS no token is sent", s->host,
            s->port);
    err_hint(err,
             "check host and port, and whether something on the way removes STARTTLS");
    return ERR_TEMP;
}

/* libcurl did not like an answer. */
static int
bad_answer(const struct connection *u, const char *account, const char *why,
           struct err *err)
{
    const struct mail_server *s = u->server;

    if (u->last[0] != '\0' && !said_yes(u))
        return refusal_said(u->caps->wire, s->host, "takes no session", account, s->user,
                            u->last, err);
    if (u->last[0] != '\0' && s->starttls) {
        err_set(err, ERR_TEMP, "%s: plaintext came behind the answer to STARTTLS",
                s->host);
        err_hint(err,
                 "somebody on the way may be adding to the session: check the network");
        return ERR_TEMP;
    }
    return err_set(err, ERR_PROTOCOL, "%s: port %d does not speak %s (%s)", s->host,
                   s->port, wire_name(u->caps->wire), why);
}

/* What failed, by layer, since that is what an administrator looks at next. */
static int
describe(const struct connection *u, const char *account, CURLcode c, struct err *err)
{
    const struct mail_server *s = u->server;
    const char *why = u->detail[0] != '\0' ? u->detail : curl_easy_strerror(c);

    if (u->too_much)
        return err_set(err, ERR_PROTOCOL, "%s talks without end before the sign-in",
                       s->host);
    switch (c) {
    case CURLE_OUT_OF_MEMORY:
        return err_set(err, ERR_NOMEM, "out of memory");
    case CURLE_OPERATION_TIMEDOUT:
        err_set(err, ERR_TIMEOUT, "%s: no answer in time (%s)", s->host, why);
        err_hint(err, "check the network, the firewall and `proxy` from this machine");
        return ERR_TIMEOUT;
    case CURLE_ABORTED_BY_CALLBACK:
        return err_set(err, ERR_TEMP, "%s: given up: the program ends", s->host);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        err_set(err, ERR_TEMP, "%s: name not found (%s)", s->host, why);
        err_hint(err, "check /etc/resolv.conf and the name server");
        return ERR_TEMP;
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
        err_set(err, ERR_TEMP, "%s: cannot connect (%s)", s->host, why);
        err_hint(err, "check the network, the firewall and `proxy` from this machine");
        return ERR_TEMP;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
        return bad_tls(s, why, err);
    case CURLE_USE_SSL_FAILED:
        return no_starttls(s, err);
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_LOGIN_DENIED:
        return bad_answer(u, account, why, err);
    default:
        return err_set(err, ERR_TEMP, "%s: %s", s->host, why);
    }
}

/* --- the connection --------------------------------------------------------------------
 */

static enum stream_result
failed(struct connection *u, CURLcode c, struct err *err)
{
    const char *why = u->detail[0] != '\0' ? u->detail : curl_easy_strerror(c);

    err_set(err, ERR_TEMP, "the connection to the server broke (%s)", why);
    return STREAM_FAILED;
}

static enum stream_result
receive(struct stream *stream, char *buf, size_t size, size_t *n_r, struct err *err)
{
    struct connection *u = (struct connection *)stream;
    CURLcode c = curl_easy_recv(u->easy, buf, size, n_r);

    if (c == CURLE_AGAIN)
        return STREAM_AGAIN;
    if (c == CURLE_OK)
        return *n_r > 0 ? STREAM_DONE : STREAM_END;
    return failed(u, c, err);
}

static enum stream_result
transmit(struct stream *stream, const char *buf, size_t len, size_t *n_r, struct err *err)
{
    struct connection *u = (struct connection *)stream;
    CURLcode c = curl_easy_send(u->easy, buf, len, n_r);

    if (c == CURLE_AGAIN)
        return STREAM_AGAIN;
    if (c == CURLE_OK)
        return *n_r > 0 ? STREAM_DONE : STREAM_AGAIN;
    return failed(u, c, err);
}

int
connection_open(const struct mail_server *server, const char *account, int deadline_ms,
                struct caps *caps, struct connection **connection_r, struct err *err)
{
    struct connection *u = calloc(1, sizeof *u);
    curl_socket_t fd = CURL_SOCKET_BAD;
    char url[URL_MAX];
    CURLcode c;
    int r = ERR_NOMEM;

    if (u == NULL || (u->easy = curl_easy_init()) == NULL) {
        err_set(err, ERR_NOMEM, "out of memory");
        goto out;
    }
    u->server = server;
    u->caps = caps;
    if (!make_url(server, caps->wire, url)) {
        r = err_set(err, ERR_CONFIG, "not a host name: %s", server->host);
        goto out;
    }
    if ((c = set_callbacks(u)) != CURLE_OK ||
        (c = set_options(u->easy, server, url, deadline_ms)) != CURLE_OK) {
        r = err_set(err, ERR_CONFIG, "%s: %s", server->host, curl_easy_strerror(c));
        goto out;
    }
    if ((c = curl_easy_perform(u->easy)) != CURLE_OK) {
        r = describe(u, account, c, err);
        goto out;
    }
    if (curl_easy_getinfo(u->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
        fd == CURL_SOCKET_BAD) {
        r = err_set(err, ERR_TEMP, "%s: the connection is gone again", server->host);
        goto out;
    }
    u->stream = (struct stream){.fd = fd, .recv = receive, .send = transmit};
    u->server = NULL;
    u->caps = NULL;
    u->detail[0] = '\0';
    *connection_r = u;
    u = NULL;
    r = 0;
out:
    connection_close(&u);
    return r;
}

struct stream *
connection_stream(struct connection *connection)
{
    return &connection->stream;
}

void
connection_close(struct connection **connection)
{
    if (*connection == NULL)
        return;
    curl_easy_cleanup((*connection)->easy);
    free(*connection);
    *connection = NULL;
}
