/* hooks.h - on_failure and on_recovery: the administrator's commands, run by the agent,
 * or by who listens at $MAILBEARER_HOOK_SOCKET (hook_pass.h).
 *
 * Used by:  agent/agent.c, agent/keeper_flight.c, agent/expiry.c
 * Includes: worker.h, hook_pass.h, accounts/, base/.
 *
 * A command is run without a shell, as the agent's user, in a thread of its own: the
 * event loop never waits for it. Its standard input is /dev/null, what it prints goes
 * where the agent's standard error goes. Its environment is the agent's and
 *
 *   MAILBEARER_EVENT    failure, recovery or expiry
 *   MAILBEARER_ACCOUNT  the account's name
 *   MAILBEARER_STATE    the account's state as `mailbearer status` words it; not for
 *                       expiry
 *   MAILBEARER_REASON   what happened, one line; empty for recovery
 *   MAILBEARER_REMEDY   what to do, one line; may be empty
 *
 * It has HOOK_DEADLINE_MS, then its process group is killed. At most HOOKS_AT_ONCE run at
 * once, one for an account, in the order of events; the others wait.
 */
#ifndef MAILBEARER_HOOKS_H
#define MAILBEARER_HOOKS_H

#include "../accounts/accounts.h"
#include "worker.h"

#define HOOK_DEADLINE_MS 30000
#define HOOKS_AT_ONCE 4
#define HOOKS_WAITING_MAX 1000 /* more are dropped, with a line in the log */

enum hook_event {
    HOOK_FAILURE,  /* runs on_failure */
    HOOK_RECOVERY, /* runs on_recovery */
    HOOK_EXPIRY,   /* runs on_failure */
};

struct hook_call {
    enum hook_event event;
    const char *account;
    const char *state;     /* NULL: not told */
    const struct err *err; /* reason and remedy; NULL: none */
};

struct hooks;

/* 0 or ERR_NOMEM. */
int hooks_new(struct worker *worker, struct hooks **hooks_r, struct err *err);

/* The commands from now on, copied; those that wait already keep theirs. 0 or ERR_NOMEM
 * (then the commands before stay). */
int hooks_set_commands(struct hooks *hooks, const struct name_list *on_failure,
                       const struct name_list *on_recovery, struct err *err);

/* Runs the event's command, now or when those before it have ended; nothing where there
 * is none. `hooks` may be NULL. */
void hooks_report(struct hooks *hooks, const struct hook_call *call);

/* Starts what waits and could not be started before. */
void hooks_tick(struct hooks *hooks);

/* The agent ends: drops what waits, and lets what runs have two seconds more. Call before
 * worker_free(). Takes NULL. */
void hooks_end(struct hooks *hooks);

/* Call after worker_free(). Sets NULL, takes NULL. */
void hooks_free(struct hooks **hooks);

#endif
