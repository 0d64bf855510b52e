/* listen.h - the agent's listening sockets: given paths, systemd's, or the default.
 *
 * Used by:  agent/agent.c
 * Includes: base/listening.h, client/, libc.
 *
 * Made before root is given up: the jail's folder and /run belong to root.
 */
#ifndef MAILBEARER_LISTEN_H
#define MAILBEARER_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "../client/error.h"

#define LISTEN_MAX 16

struct listeners {
    int fd[LISTEN_MAX];
    char *path[LISTEN_MAX]; /* what we made, removed at the end; NULL: systemd's */
    size_t count;
};

/* Sockets passed by systemd (LISTEN_PID, LISTEN_FDS; sd_listen_fds(3)) and the `count`
 * given paths; with neither, the default: the system's, or the user's for `user`.
 * A folder that is missing is made (not its parents). A socket nobody listens on any more
 * is replaced, one that answers is an error. All can be connected to by everyone. 0;
 * ERR_USAGE: a path too long or too many; ERR_CONFIG: cannot be made, or in use. */
int listeners_open(const char *const *paths, size_t count, bool user,
                   struct listeners *listeners_r, struct err *err);

/* Closes, and removes what we made (where we still may). */
void listeners_close(struct listeners *ls);

#endif
