/* expiry.h - when the accounts' certificates and secrets expire, and the warnings before.
 *
 * Used by:  agent/agent.c, agent/keeper_ask.c
 * Includes: worker.h, hooks.h, oauth/certificate.h, accounts/.
 *
 * The certificates' files are read on the worker, all of them once a minute: a renewed
 * one shows without a reload, and an account that nobody asks for is watched as well. A
 * secret's date is what the accounts file says (secret_expires). 30, 7 and 1 days before,
 * a line goes to the log and on_failure is run with MAILBEARER_EVENT=expiry (trouble.h).
 */
#ifndef MAILBEARER_EXPIRY_H
#define MAILBEARER_EXPIRY_H

#include "../accounts/accounts.h"
#include "hooks.h"
#include "worker.h"

#define EXPIRY_LOOK_MS 60000

struct expiry;

/* Both must outlive it, but for the worker see expiry_free(). 0 or ERR_NOMEM. */
int expiry_new(struct worker *worker, struct hooks *hooks, struct expiry **expiry_r,
               struct err *err);

/* Watches these accounts from now on; copies what it needs. What was told about an
 * account that is still there is not told again. 0, or ERR_NOMEM (then nothing has
 * changed). */
int expiry_set_accounts(struct expiry *expiry, const struct accounts *accounts,
                        struct err *err);

/* Looks when it is time. */
void expiry_tick(struct expiry *expiry);

/* When the account's certificate expires, epoch seconds; 0: it has none, or it could not
 * be read. No I/O. `expiry` may be NULL. */
int64_t expiry_certificate(const struct expiry *expiry, const char *account);

/* Call after worker_free(), or before the first tick. Sets NULL, takes NULL. */
void expiry_free(struct expiry **expiry);

#endif
