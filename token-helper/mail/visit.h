/* visit.h - a short call at a mail server: connect, sign in, a command or two, good-bye.
 *
 * Used by:  doctor/mail_check.c, agent/probe.c
 * Includes: client/, caps, command, connection, sign_in.
 *
 * All in one struct, which must not be moved while it is open. From any thread, one
 * thread a visit.
 */
#ifndef MAILBEARER_VISIT_H
#define MAILBEARER_VISIT_H

#include <stdbool.h>

#include "../client/error.h"
#include "../client/secret.h"
#include "caps.h"
#include "command.h"
#include "connection.h"
#include "lineio.h"
#include "server.h"
#include "stream.h"

struct visit {
    const struct mail_server *server; /* borrowed */
    const char *account;              /* for messages; borrowed */
    struct connection *connection;
    struct caps caps;
    struct lineio in;
    struct stream_wait wait;
    const struct secret *secret; /* what was signed in with; borrowed */
    const char *mechanism;       /* what the sign-in took; static */
    struct secret answer;        /* what the server said to it */
    bool refused;                /* another token may help */
};

/* Connects; all that follows must be done in deadline_ms as well. Returns as
 * connection_open(). visit_close() in any case. */
int visit_open(struct visit *visit, enum wire wire, const struct mail_server *server,
               const char *account, int deadline_ms, struct err *err);

/* Returns as sign_in(). */
int visit_sign_in(struct visit *visit, const struct secret *secret, struct err *err);

/* Returns as command_do(). */
int visit_command(struct visit *visit, const char *line, bool *yes_r,
                  char said_r[COMMAND_SAID_MAX], struct err *err);

/* Says good-bye where somebody is there to hear it, and closes. */
void visit_close(struct visit *visit);

#endif
