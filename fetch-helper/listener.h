/* listener.h - local ports: accepts, and gives each session a process of its own.
 *
 * Used by:  main.c
 * Includes: session.h, port_sockets.h
 *
 * A session that fails, or is taken over, has no other account's token in its memory. The
 * process is a fork without exec, so that what all sessions have in common is there once.
 */
#ifndef MAILBEARER_LISTENER_H
#define MAILBEARER_LISTENER_H

#include "options.h"

/* Serves until SIGTERM or SIGINT: then nobody new is let in, sessions get 5 s to end and
 * are killed. SIGHUP reads certificate and key anew; sessions go on. Returns the exit
 * status, what prevents a start being logged. In a child the process ends in here. */
int listener_run(const struct options *options, const char *ports_file);

/* How many may be on their way to signing in, besides those that are. */
int listener_waiting(const struct options *options);

#endif
