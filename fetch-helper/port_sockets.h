/* port_sockets.h - where a listener listens.
 *
 * Used by:  listener.c
 * Includes: base/listening, arrival, options.
 */
#ifndef MAILBEARER_PORT_SOCKETS_H
#define MAILBEARER_PORT_SOCKETS_H

#include <stddef.h>

#include "../token-helper/client/error.h"
#include "options.h"

#define PORT_SOCKETS_MAX 32

struct port_sockets {
    int fd[PORT_SOCKETS_MAX];
    const char *path[PORT_SOCKETS_MAX]; /* what we made, removed at the end; or NULL */
    size_t count;
};

/* Is there anything to listen on: --listen, or sockets the service manager passes? */
bool port_sockets_wanted(const struct options *options);

/* Opens them. "ADDRESS:PORT" (an IPv6 address in brackets; a name stands for all its
 * addresses; `*` for all there are) or a path, known by its slash. An address that others
 * can reach needs TLS and --allow-remote, passed ones as well. 0; ERR_USAGE, ERR_CONFIG.
 */
int port_sockets_open(const struct options *options, struct port_sockets *sockets_r,
                      struct err *err);

/* Closes, in a child. */
void port_sockets_close(struct port_sockets *sockets);

/* Closes, and removes what was made. */
void port_sockets_remove(struct port_sockets *sockets);

#endif
