/* keeper.h - the accounts' tokens in memory, kept fresh: one refresh an account at a
 * time.
 *
 * Used by:  agent/agent.c, agent/conn.c
 * Includes: oauth/acquire.h, accounts/, worker.h.
 *
 * One thread uses it, the event loop's; what may block runs on the worker. A token that
 * is good is answered at once; otherwise the one who asks waits with everybody else who
 * asked, for the one refresh that is under way ("flight").
 */
#ifndef MAILBEARER_KEEPER_H
#define MAILBEARER_KEEPER_H

#include "../accounts/accounts.h"
#include "../accounts/store.h"
#include "../oauth/http.h"
#include "expiry.h"
#include "hooks.h"
#include "worker.h"

/* Who waits is answered after this at the latest. */
#define KEEPER_WAIT_MS 28000
/* A refresh that takes longer than this is treated as failing: an old token that still
 * has some life is handed out (clients give up after 10 s). */
#define KEEPER_SLOW_MS 5000

/* One who asked for a token; embedded in the connection. */
struct ask {
    struct ask *next;
    struct entry *entry; /* NULL: not waiting */
    int64_t since_ms;    /* monotonic */
    bool passing;        /* is no use of the account: does not keep its token fresh */
    /* Exactly one of the two is not NULL, both borrowed. Called from keeper_ask() itself
     * or later; `ask` is free for the next question when it is called. */
    void (*answer)(struct ask *ask, const struct secret *token, const struct err *err);
};

struct keeper;
struct entry;

/* The store must outlive the keeper. 0 or ERR_NOMEM. */
int keeper_new(const struct store *store, struct http *http, struct worker *worker,
               struct keeper **keeper_r, struct err *err);

/* Who is told when an account begins to need a person and when it works again, and who
 * knows when certificates expire. Both must outlive the keeper; NULL, as in the
 * beginning: nobody. */
void keeper_set_watch(struct keeper *keeper, struct hooks *hooks,
                      const struct expiry *expiry);

/* Who knows what the accounts' servers say (probe.h), for status. NULL: nobody. */
struct probes;
void keeper_set_probes(struct keeper *keeper, const struct probes *probes);

/* Drops who waits (they are not answered). Call when no job of ours is on the worker any
 * more (after worker_free()). */
void keeper_free(struct keeper **keeper);

/* Takes over `accounts` (freed when the last refresh that uses them is done). Tokens of
 * accounts that are still there are kept; remembered failures are forgotten, since what
 * caused them may have been mended. 0, or ERR_NOMEM (the old accounts stay, the new ones
 * are the caller's). */
int keeper_set_accounts(struct keeper *keeper, struct accounts *accounts,
                        struct err *err);
const struct accounts *keeper_accounts(const struct keeper *keeper);

/* Answers `ask`, now or later. */
void keeper_ask(struct keeper *keeper, const struct account *account, struct ask *ask);

/* The one who asked has gone. */
void keeper_forget(struct keeper *keeper, struct ask *ask);

/* A server refused this token: if it is the current one, fetch another, at most every
 * KEEPER_REJECTED_S. */
#define KEEPER_REJECTED_S 30
void keeper_rejected(struct keeper *keeper, const struct account *account,
                     const char *token, size_t len);

/* Appends the account's status as JSON (status_report.h). */
int keeper_status(struct keeper *keeper, const struct account *account,
                  struct secret *out, struct err *err);

/* How many refreshes are under way: at the end they are waited for, since what a server
 * has just rotated must reach the disk. */
unsigned keeper_flights(const struct keeper *keeper);

/* Tries once more to store what could not be written so far; as flights. */
void keeper_save(struct keeper *keeper);

/* What time brings: refresh ahead, retries, those who waited too long. Returns in how
 * many milliseconds it wants to be called again. */
int keeper_tick(struct keeper *keeper);

#endif
