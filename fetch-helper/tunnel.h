/* tunnel.h - a signed-in session with the account's server.
 *
 * Used by:  main.c
 * Includes: client/, base/log, mail/, settings.
 */
#ifndef MAILBEARER_TUNNEL_H
#define MAILBEARER_TUNNEL_H

#include "../token-helper/mail/caps.h"
#include "../token-helper/mail/lineio.h"
#include "settings.h"
#include "../token-helper/mail/stream.h"
#include "../token-helper/mail/connection.h"

/* For connecting and signing in, each time it is tried. */
#define TUNNEL_DEADLINE_MS 30000

struct tunnel {
    struct connection *connection;
    struct caps caps;        /* of the server, after the sign-in */
    struct secret held;      /* IMAP: its untagged replies that are for the client */
    struct lineio server;    /* lineio_rest(): what it sent beyond */
    struct stream_wait wait; /* what `server` reads from */
};

/* Reads settings and token, connects, signs in; once more with a fresh token when the
 * server refuses the first one. `host` and `port` as settings_read() takes them. Progress
 * goes to log_info(), without a secret.
 * 0: *tunnel holds the session; it must not be moved. ERR_*: what failed, and the remedy.
 * tunnel_close() in both cases. */
int tunnel_open(struct tunnel *tunnel, const struct settings_source *source,
                enum wire wire, const char *host, const char *port, struct err *err);

void tunnel_close(struct tunnel *tunnel);

#endif
