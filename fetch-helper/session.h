/* session.h - one mail program, from its greeting to its end.
 *
 * Used by:  main.c (standard input and output), port_child.c (in a process of its own)
 * Includes: arrival, board, local_tls, options and what it is made of.
 *
 * Whoever started us, and a user whom allow_users lets in, are given the session as a
 * tunnel: the server first, then the client. A stranger (TCP), or a user who has yet to
 * name the account, meets the gate first: see local.h.
 */
#ifndef MAILBEARER_SESSION_H
#define MAILBEARER_SESSION_H

#include <signal.h>

#include "arrival.h"
#include "board.h"
#include "local_tls.h"
#include "options.h"

struct session {
    const struct options *options;
    int in, out; /* the client; may be the same */
    struct arrival arrival;
    struct board *board; /* NULL for ARRIVAL_STARTED */
    int place;           /* on the board */
    struct local_tls *tls;
    const char *ports_file;            /* where the local passwords are */
    const volatile sig_atomic_t *stop; /* becomes 1: the session is to end; or NULL */
};

/* May a client be served that comes this way? 0; ERR_USAGE: it can be a stranger from
 * elsewhere, and TLS and --allow-remote are not given. */
int session_check_reach(const struct options *options, bool loopback, struct err *err);

/* Serves it. Returns the exit status. */
int session_run(const struct session *session);

#endif
