/* check_ports.h - what `mailbearer check` finds in the file `ports`.
 *
 * Used by:  cmd_check.c
 * Includes: accounts/, ports/.
 */
#ifndef MAILBEARER_CHECK_PORTS_H
#define MAILBEARER_CHECK_PORTS_H

#include <stdbool.h>

#include "../accounts/context.h"

/* Looks at owner, mode and lines of the file beside the accounts file, after
 * context_accounts() and before root is given up (the file is root's and the service's).
 * Each finding is told to found(): what is wrong is fatal, a password of an account that
 * is not there is not. Returns how many passwords there are; -1 when the file is absent,
 * wrong, or not for this user to read. */
int check_ports(const struct context *context,
                void (*found)(void *arg, bool fatal, const struct err *err), void *arg);

#endif
