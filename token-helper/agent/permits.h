/* permits.h - which user may have which account: allow_users as uids.
 *
 * Used by:  agent/
 * Includes: accounts/, client/, libc (the name service, when accounts are loaded).
 *
 * Names are looked up once a load, each name once, and never while a client waits.
 */
#ifndef MAILBEARER_PERMITS_H
#define MAILBEARER_PERMITS_H

#include <sys/types.h>

#include "../accounts/accounts.h"

/* The kernel's uid for "somebody from outside this user namespace": nobody in particular,
 * so it may never have anything, even when named. */
#define PERMITS_UNMAPPED ((uid_t)65534)

struct permits;

/* Looks the names up. `warn` is called with a line for each name that does not exist.
 * `own` is the agent's own uid, which may have every account, as root may.
 * 0 or ERR_NOMEM. The accounts must live as long as
 * permits_check() is called. */
int permits_new(const struct accounts *accounts, uid_t own,
                void (*warn)(const char *line), struct permits **permits_r,
                struct err *err);
void permits_free(struct permits **permits);

/* 0, or ERR_DENIED with a text that names the user's uid, and a hint. */
int permits_check(const struct permits *permits, const struct account *account, uid_t uid,
                  struct err *err);

#endif
