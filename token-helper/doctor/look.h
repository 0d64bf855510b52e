/* look.h - what can be seen of a server before anything is entrusted to it: is it
 * reached, how soon, what certificate does it show, what time does it have.
 *
 * Used by:  network.c. look.c and look_seen.c are the doctor's only users of
 * libcurl.
 * Includes: client/, libc.
 *
 * No credential is ever sent. A mail server is asked for its capabilities (with STARTTLS
 * before, where that is how it is spoken to), a token endpoint gets an empty GET. Where
 * the certificate is not trusted, a second connection is made without verification, on
 * which nothing is sent but that same dialogue, to learn whose certificate it is.
 */
#ifndef MAILBEARER_LOOK_H
#define MAILBEARER_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../client/error.h"

/* How far it came. */
enum look_result {
    LOOK_OK,
    LOOK_NO_NAME,     /* the name of the host, or of the proxy, is not found */
    LOOK_NO_CONNECT,  /* refused, unreachable, or no answer in time */
    LOOK_PROXY,       /* the proxy refuses */
    LOOK_UNTRUSTED,   /* the certificate: issuer, name, date; `why` tells */
    LOOK_TLS,         /* TLS failed otherwise */
    LOOK_NO_STARTTLS, /* not offered */
    LOOK_TIMEOUT,     /* connected; then it was silent, or too slow */
    LOOK_REFUSED,     /* it said no, in `said` */
    LOOK_OTHER,       /* `why` tells */
};

struct look {
    /* In; borrowed. */
    const char *url;     /* https, http, imap, imaps, pop3, pop3s, smtp, smtps */
    const char *proxy;   /* NULL: none */
    const char *ca_file; /* NULL: the system's */
    bool starttls;
    /* Out. */
    enum look_result result;
    char why[256];     /* libcurl's words, "" when all is well */
    char said[400];    /* the last line the server said */
    char ip[64];       /* of the server, or of the proxy; "" when never connected */
    int connect_ms;    /* until connected, look-up included */
    char tls[32];      /* "TLSv1.3"; "" when not known */
    char subject[200]; /* of the certificate shown; "" when it is not known */
    char issuer[200];
    char names[300];         /* what it is good for: "DNS:a.example, DNS:b.example" */
    int64_t begins, expires; /* epoch seconds; 0: not known */
    unsigned chain;          /* how many certificates were shown */
    int64_t date;            /* what the server takes for the time; 0: it did not say */
    int64_t date_at;         /* our time when it said so */
};

/* Looks at all of them at the same time, for at most deadline_ms (and as long once more,
 * but at most LOOK_AGAIN_MS, for those with a certificate that is not trusted).
 * 0 or ERR_NOMEM. */
#define LOOK_AGAIN_MS 4000
int look_all(struct look *look, size_t count, int deadline_ms, struct err *err);

#endif
