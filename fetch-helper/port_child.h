/* port_child.h - a session of a listener, in its own process.
 *
 * Used by:  listener.c, in the child that it has forked
 * Includes: session.h, port_sockets.h
 */
#ifndef MAILBEARER_PORT_CHILD_H
#define MAILBEARER_PORT_CHILD_H

#include <signal.h>

#include "port_sockets.h"
#include "session.h"

/* As sigaction(2), nothing blocked in it; for the listener's signals too. */
void port_child_signal(int number, void (*handler)(int));

/* Gives up what a session has no use for (the listening sockets, the listener's signals,
 * new privileges), serves the client on session->in and ends the process. `usual` is the
 * signal mask to serve with. SIGTERM ends the session wherever it waits for its client.
 * session->arrival and stop are filled in here; board and tls are freed. */
void port_child_run(struct session *session, struct port_sockets *sockets,
                    const sigset_t *usual) __attribute__((noreturn));

#endif
