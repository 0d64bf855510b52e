/* freshness.h - is a stored token good enough, and when is the next one due? Pure: the
 * time is a parameter.
 *
 * Used by:  front/cmd_token.c, oauth/acquire.c, agent/
 * Includes: accounts.h, store.h.
 */
#ifndef MAILBEARER_FRESHNESS_H
#define MAILBEARER_FRESHNESS_H

#include <stdint.h>

#include "accounts.h"
#include "store.h"

enum freshness {
    TOKEN_FRESH, /* use it */
    TOKEN_DUE,   /* use it, and fetch the next one */
    TOKEN_STALE, /* none, too little life left, or made with other settings */
};

/* A token obtained within this many seconds is handed out whatever life it has left:
 * those who waited for one refresh must not each begin another. */
#define TOKEN_JUST_FETCHED 10

/* While refreshing fails, a token with this much life is still handed out. */
#define TOKEN_LAST_RESORT 30

/* A clock this far before the time a record was written is wrong (smaller steps are what
 * time synchronisation does): what depends on it is not trusted. */
#define TOKEN_CLOCK_SLACK 5

enum freshness token_freshness(const struct record *record, const struct account *account,
                               int64_t now);

/* True when the record's token was made with the account's settings. */
bool token_same_settings(const struct record *record, const struct account *account);

/* token_freshness() of a record that is known to be so: costs next to nothing. */
enum freshness token_freshness_same(const struct record *record,
                                    const struct account *account, int64_t now);

/* True while refreshing fails or hangs and this token may be handed out all the same: it
 * lives TOKEN_LAST_RESORT seconds or more. Never for High Volume Email, which refuses
 * tokens that end soon. */
bool token_last_resort(const struct record *record, const struct account *account,
                       int64_t now);

/* When the token is to be replaced ahead of time: the provider's refresh_in, else a point
 * between 0.65 and 0.80 of its life that the account's name decides, so that accounts
 * signed in together do not all refresh together. (The agent knows all of them and does
 * better: agent/slots.h.) */
int64_t token_due_at(const struct record *record, const struct account *account);

/* A number from 0 to width - 1 that the account's name decides; 0 where width is not
 * above 0. */
int64_t token_spread(const struct account *account, int64_t width);

/* True when the last refresh failed and it is too early to ask again. */
bool failure_blocks(const struct failure *failure, int64_t now);

/* Notes a failed refresh: when it may be tried again follows from the kind of `err`.
 * Temporary: 2 s, doubled with each failure in a row up to 300 s, give or take a fifth
 * (by `random`, any number), or the server's Retry-After if that is longer. A person must
 * act: 300 s, since asking more often changes nothing and looks like an attack
 * (AADSTS50196). */
void failure_note(struct failure *failure, const struct err *err, int64_t now,
                  int64_t retry_after, unsigned random);

#endif
