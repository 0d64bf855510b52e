/* listening.h - sockets to listen on: those a service manager passes, and UNIX sockets
 * made at a path.
 *
 * Used by:  agent/listen.c, fetch-helper/port_sockets.c
 * Includes: client/error.h, libc.
 */
#ifndef MAILBEARER_LISTENING_H
#define MAILBEARER_LISTENING_H

#include <stddef.h>
#include <sys/types.h>

#include "../client/error.h"

/* The sockets passed by LISTEN_PID and LISTEN_FDS (sd_listen_fds(3)), made close-on-exec
 * and non-blocking; the variables are taken out of the environment, or a command that is
 * run would take the sockets for its own. 0 with *count_r, which is 0 when there are
 * none; ERR_USAGE: more than `max`. What they are is for the caller to look at. */
int listening_passed(int *fds, size_t max, size_t *count_r, struct err *err);

/* What a descriptor listens on: AF_UNIX, AF_INET, AF_INET6 ...; -1: it is no listening
 * stream socket. */
int listening_family(int fd);

/* A socket at a path. */
struct listening_path {
    const char *path;
    mode_t mode;        /* 0666: everyone may connect */
    mode_t folder_mode; /* of its folder and the folder's parents, where they are made */
    gid_t group;        /* (gid_t)-1: the process's own */
    const char *who;    /* listens there, for messages: "agent" */
};

/* Makes it, non-blocking and close-on-exec. A socket nobody listens on any more is
 * replaced, one that answers is an error. 0 with *fd_r. ERR_USAGE: the path is empty or
 * too long; ERR_CONFIG: cannot be made, is no socket, or is in use. */
int listening_path(const struct listening_path *how, int *fd_r, struct err *err);

#endif
