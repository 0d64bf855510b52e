/* loopback_socket.h - the listening sockets of loopback.c.
 *
 * Used by:  loopback.c. Includes: client/, libc.
 */
#ifndef MAILBEARER_LOOPBACK_SOCKET_H
#define MAILBEARER_LOOPBACK_SOCKET_H

#include <stddef.h>

#include "../client/error.h"

struct loopback_sockets {
    int fd[2];
    size_t count;
    int port; /* the same on both */
};

/* Listens, without blocking, on `address` (see struct loopback_options). Returns as
 * loopback_open(). */
int loopback_listen(const char *address, int port, struct loopback_sockets *sockets_r,
                    struct err *err);

void loopback_sockets_close(struct loopback_sockets *sockets);

/* "ADDRESS:PORT" with an IPv6 address in brackets, or "localhost:PORT": the address in
 * `address_r` (`size` bytes), without brackets. 0 or ERR_USAGE. */
int loopback_address_parse(const char *text, char *address_r, size_t size, int *port_r,
                           struct err *err);

#endif
