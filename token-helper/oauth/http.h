/* http.h - the only user of libcurl in token-helper: one request, one reply, no
 * surprises.
 *
 * Used by:  acquire.c (blocking), agent/ (many at once)
 * Includes: base/, client/, libcurl.
 *
 * https only (plain http for the loopback addresses that accounts.c lets through), always
 * verified, TLS 1.2 or later; no redirect is followed (a 307 would carry the secret to
 * another host); no proxy from the environment; a cap on the reply and one deadline on
 * everything. libcurl and what it allocates use the wiping allocator.
 */
#ifndef MAILBEARER_HTTP_H
#define MAILBEARER_HTTP_H

#include <stdint.h>

#include "../client/error.h"
#include "../client/secret.h"

#define HTTP_BODY_MAX (256u * 1024u)
#define HTTP_HEADERS_MAX (64u * 1024u)
#define HTTP_CONNECT_MS 10000

struct http; /* transfers under way; one an event loop, used by one thread */

struct http_request {
    const char *url;     /* the pointers are borrowed until http_start() returns */
    const char *proxy;   /* NULL: none */
    const char *ca_file; /* NULL: the system's */
    bool metadata;       /* add "Metadata: true", which managed identity asks for */
    int deadline_ms;
    /* Taken over: */
    struct secret body; /* form fields, sent by POST; empty: GET */
    struct secret user; /* for HTTP Basic, already percent-encoded; empty: none */
    struct secret password;
    struct secret header; /* one more header line, without its end; empty: none */
};

struct http_reply {
    long status;
    struct secret body;
    char www_authenticate[512]; /* that header's value, cut; "" when there is none */
    int64_t retry_after; /* seconds (a date is turned into seconds); 0: none given */
};

/* Called once for each http_start() that returned 0, from http_poll(). Exactly one of the
 * two is not NULL; both are borrowed. It may start other transfers. */
typedef void http_done_fn(void *arg, const struct http_reply *reply,
                          const struct err *err);

/* Once, first thing in main(), before threads. 0 or ERR_NOMEM. */
int http_setup(struct err *err);

int http_open(struct http **http_r, struct err *err);

/* Drops what is under way without calling back, frees, sets NULL. */
void http_close(struct http **http);

/* Starts a request. 0, ERR_NOMEM, ERR_CONFIG (an address libcurl does not take). The
 * request's secrets are taken over in every case. */
int http_start(struct http *http, struct http_request *request, http_done_fn *done,
               void *arg, struct err *err);

/* Waits at most timeout_ms for a transfer or for `fd` to become readable (-1: none); then
 * moves transfers on and calls back those that ended. */
void http_poll(struct http *http, int fd, int timeout_ms);

/* How many transfers are under way. */
unsigned http_active(const struct http *http);

/* The blocking form: starts, waits, returns. 0 with *reply_r (the caller clears its
 * body), ERR_TEMP or ERR_TIMEOUT (network, TLS, size cap), ERR_NOMEM, ERR_CONFIG. */
int http_do(struct http_request *request, struct http_reply *reply_r, struct err *err);

void http_request_clear(struct http_request *request);

#endif
