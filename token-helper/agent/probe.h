/* probe.h - now and then the agent signs in at the accounts' servers itself, to notice
 * what only they know: a permission withdrawn, a mailbox switched off.
 *
 * Used by:  agent/agent.c, agent/keeper_ask.c (for status)
 * Includes: keeper.h, hooks.h, worker.h, mail/visit.h, accounts/.
 *
 * Every `probe` hours for each account, at times spread by the accounts' names; one
 * sign-in at a time, on a thread of its own, at the account's SMTP server, else its IMAP,
 * else its POP3 server. Nothing is sent and no mailbox is opened. A refused token is
 * reported as a client would report it, and the next one is tried; if that is refused
 * too, it is the account's trouble: a line in the log, on_failure, and `status` shows it,
 * until a later sign-in works. While it lasts, it is tried again every
 * PROBE_TROUBLE_S at the latest. Tokens are handed out all the same. That a server cannot
 * be reached is logged, and no more: it says nothing about the account.
 */
#ifndef MAILBEARER_PROBE_H
#define MAILBEARER_PROBE_H

#include "hooks.h"
#include "keeper.h"
#include "worker.h"

#define PROBE_MS 10000      /* for one sign-in */
#define PROBE_TROUBLE_S 900 /* not for passwords: an account could be locked */

struct probes;

/* All three must outlive it, but for worker and keeper see probes_free(). 0, ERR_NOMEM.
 */
int probes_new(struct worker *worker, struct hooks *hooks, struct keeper *keeper,
               struct probes **probes_r, struct err *err);

/* These accounts from now on; copies what it needs. Troubles of accounts that are still
 * there are remembered, and looked into at once. 0, ERR_NOMEM (nothing has changed). */
int probes_set_accounts(struct probes *probes, const struct accounts *accounts,
                        struct err *err);

/* Starts what is due, unless one is under way. */
void probes_tick(struct probes *probes);

/* Why the account's server refuses it; NULL: it does not, or is not known to. Borrowed,
 * until the next call of this module. `probes` may be NULL. */
const struct failure *probes_refusal(const struct probes *probes, const char *account);

/* The one who asks for a token is forgotten. Before keeper_free(). Takes NULL. */
void probes_end(struct probes *probes);

/* Call after worker_free(). Sets NULL, takes NULL. */
void probes_free(struct probes **probes);

#endif
