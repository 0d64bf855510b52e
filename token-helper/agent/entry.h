/* entry.h - one account in the agent's memory. Private to keeper.c and entry.c.
 *
 * Includes: flight.h, keeper.h, accounts/.
 */
#ifndef MAILBEARER_ENTRY_H
#define MAILBEARER_ENTRY_H

#include "../accounts/freshness.h"
#include "flight.h"
#include "keeper.h"
#include "slots.h"
#include "trouble.h"

/* The accounts file as read once; lives while anything still uses it. */
struct generation {
    struct accounts *accounts;
    unsigned users; /* the keeper, and flights under way */
    int64_t since;  /* when it was read, seconds since the epoch */
};

struct entry {
    struct slot slot;   /* when the token is to be replaced; first, since it is looked at
                           every second */
    bool same;          /* the token was made with the account's settings */
    bool unsaved;       /* memory is newer than the file */
    struct entry *next; /* of those that are gone from the accounts file */
    char *name;
    const struct account *account; /* of the keeper's generation; NULL: no longer there */
    struct record record;
    struct store_stamp stamp; /* of the file `record` was read from or written to */
    bool loaded;              /* `record` and `stamp` are filled in */
    bool refused;             /* a server refused the present token */
    bool asked;               /* somebody has asked since the agent started */
    int64_t asked_ms;         /* when last; monotonic, as all *_ms here */
    int64_t refused_ms;       /* when `refused` last led to a refresh; 0: never */
    int64_t retry_ms;         /* another process holds the lock: try again then */
    int64_t save_ms;          /* the store could not be written: try again then */
    struct trouble trouble;   /* what has been told of it */
    struct flight *flight;
    struct generation *flight_generation;
    struct ask *asks; /* who waits */
};

/* What the record allows at this moment. */
enum entry_answer {
    ENTRY_ANSWER, /* hand the token out */
    ENTRY_REFUSE, /* answer with record.failure */
    ENTRY_FETCH,  /* a flight is needed first */
};
enum entry_answer entry_answer(const struct entry *entry, int64_t now);

/* True when the token should be replaced ahead of time, unasked: the account was asked
 * for in the last 24 hours and its slot has come, or its refresh token has not been used
 * for a week less up to a day (it dies of 90 days' inactivity). Not while a failure
 * blocks, and not when a person must act first. */
bool entry_is_due(const struct entry *entry, int64_t now, int64_t now_ms);

/* True when the token is due, or none is there. */
bool entry_token_is_due(const struct entry *entry, int64_t now);

/* token_freshness() of what is in memory. */
enum freshness entry_freshness(const struct entry *entry, int64_t now);

/* Answers everybody who waits longer than `longer_than_ms`: with the token if `token`,
 * else with `err`. */
void entry_answer_all(struct entry *entry, bool token, const struct err *err,
                      int64_t now_ms, int64_t longer_than_ms);

void entry_free(struct entry *entry);

#endif
