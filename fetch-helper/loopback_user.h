/* loopback_user.h - which user of this machine is behind a connection over loopback.
 *
 * Used by:  arrival.c. For who is slowed down and for the log; nobody is let in by it.
 * Includes: libc.
 */
#ifndef MAILBEARER_LOOPBACK_USER_H
#define MAILBEARER_LOOPBACK_USER_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Asks the kernel (sock_diag(7)) for the owner of the socket at the other end: `peer` is
 * its address, `own` ours, both AF_INET or both AF_INET6. False: the kernel does not say,
 * or the socket is closed already. */
bool loopback_user(const struct sockaddr *peer, const struct sockaddr *own, uid_t *uid_r);

#endif
