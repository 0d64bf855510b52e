/* command.h - one command, one reply, behind the sign-in.
 *
 * Used by:  doctor/, agent/
 * Includes: client/, lineio, stream, wire.
 */
#ifndef MAILBEARER_COMMAND_H
#define MAILBEARER_COMMAND_H

#include <stdbool.h>

#include "../client/error.h"
#include "../client/secret.h"
#include "lineio.h"
#include "stream.h"
#include "wire.h"

struct command {
    struct stream_wait *wait; /* where to write; its deadline is for everything */
    struct lineio *in;        /* the server's lines, reading from `wait` */
    enum wire wire;
    const char *host;            /* for messages */
    const struct secret *secret; /* never to be repeated in a reply that is shown */
};

/* What the server said: IMAP's tagged status, POP3's line, SMTP's lines one behind the
 * other. Without control characters, cut; a reply that repeats the secret is not shown.
 */
#define COMMAND_SAID_MAX 400

/* Sends `line` (without its end; in IMAP the tag goes in front) and reads the reply.
 * 0: *yes_r tells whether it is a positive one (SMTP: 2xx or 3xx), said_r what it was.
 * ERR_TEMP (hung up), ERR_TIMEOUT, ERR_PROTOCOL (no reply of the protocol's, or one
 * without end), ERR_NOMEM. */
int command_do(const struct command *command, const char *line, bool *yes_r,
               char said_r[COMMAND_SAID_MAX], struct err *err);

#endif
