/* service_user.h - a listener that root started goes on as a user of its own.
 *
 * Used by:  listener.c and main.c (Accept=yes), when sockets and key are open and nobody
 *           is served yet.
 * Includes: base/, client/error.h, libc.
 */
#ifndef MAILBEARER_SERVICE_USER_H
#define MAILBEARER_SERVICE_USER_H

#include "../token-helper/client/error.h"

#define SERVICE_USER "mailbearer-fetch"

/* Root becomes the user `wanted`, for good; NULL: SERVICE_USER, and where there is none a
 * warning is logged and root stays. A user named root stays without one. Anybody else
 * stays who they are. HOME is the user's then, and the places of root's own files and
 * sockets are forgotten.
 * 0; ERR_USAGE: no such user, or somebody other than root is to become another;
 * ERR_CONFIG: it cannot be done, and nobody must be served. */
int service_user(const char *wanted, struct err *err);

#endif
