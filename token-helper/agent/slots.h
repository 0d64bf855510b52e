/* slots.h - which second each account's token is replaced in, so that no second has many.
 * Pure: the time is a parameter.
 *
 * Used by:  agent/keeper*.c
 * Includes: accounts/.
 *
 * Tokens fetched in the same minute (after a start, after an outage) would all be
 * replaced in the same minute as well, again and again. So a new token is given the
 * second nearest to 3/4 of its life that is not busy yet, between 0.60 and 0.90 of it and
 * never so late that retries would not fit before min_remaining.
 */
#ifndef MAILBEARER_SLOTS_H
#define MAILBEARER_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "../accounts/accounts.h"
#include "../accounts/store.h"

/* Between a slot and the token's last good second there is room for retries: 2, 4, 8, 16
 * seconds. */
#define SLOTS_RETRY_ROOM 60

/* One for each account; zeroed in the beginning. */
struct slot {
    int64_t at;       /* replace the token then; seconds since the epoch; 0: no token */
    int64_t interval; /* from when it was obtained; 0: not counted in the rate */
    bool counted;     /* in the load of its second */
};

struct slots;

/* NULL when out of memory. */
struct slots *slots_new(void);
void slots_free(struct slots **slots);

/* Chooses the second for the record's token and notes it in *slot; what *slot held before
 * is given up. A provider's refresh_in is the earliest time. Tokens that live too short
 * for a choice, or longer than a day, are due when token_due_at() says. */
void slots_assign(struct slots *slots, struct slot *slot, const struct record *record,
                  const struct account *account, int64_t now);

/* Gives the slot up: the account is gone, or its token has ended. */
void slots_drop(struct slots *slots, struct slot *slot);

/* How many tokens may be fetched in one second before those that nobody waits for have to
 * wait: 2.5 times the average of all accounts here, or SLOTS_PACE_MIN if that is more. */
#define SLOTS_PACE_MIN 8
unsigned slots_pace(const struct slots *slots);

#endif
