/* splice.h - bytes both ways between the mail program and the server, until both ends are
 * done.
 *
 * Used by:  main.c, after the sign-in. Nothing here looks at the bytes.
 * Includes: client/, client_io, stream.
 *
 * Bytes go on as they come. There is no timeout while both ends are there. TLS has no
 * half-close: when the mail program has ended (or is gone) and all it sent is on its way,
 * the server's answers are carried on until it ends too or says nothing for a while.
 */
#ifndef MAILBEARER_SPLICE_H
#define MAILBEARER_SPLICE_H

#include <signal.h>
#include <stdint.h>

#include "../token-helper/client/error.h"
#include "client_io.h"
#include "../token-helper/mail/stream.h"

/* How long a server may say nothing after the client's end; how long, in all, it is
 * listened to when nobody reads any more. */
#define SPLICE_DRAIN_MS 30000

struct splice {
    struct client *client;
    struct stream *server;
    int drain_ms;
    const volatile sig_atomic_t *stop; /* 1: end now (and a descriptor shows something
                                          to poll(2)); NULL: never */
    /* What was read before and goes first; at most SPLICE_SIZE bytes each, copied. */
    const char *from_client, *from_server;
    size_t from_client_len, from_server_len;
    /* out: bytes carried */
    uint64_t up, down;
};

#define SPLICE_SIZE 131072u

/* 0: the session is over, whoever ended it. ERR_TEMP: the connection to the server broke,
 * or a descriptor of the client's cannot be used. ERR_NOMEM. */
int splice_run(struct splice *splice, struct err *err);

#endif
