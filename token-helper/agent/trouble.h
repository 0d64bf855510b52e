/* trouble.h - when an account's state becomes news for the administrator. Pure.
 *
 * Used by:  agent/keeper_flight.c, agent/expiry.c
 * Includes: accounts/.
 *
 * Told once each: that the account needs a person, that temporary trouble has lasted for
 * an hour, that it works again; and before a certificate or a secret expires, that there
 * are 30, 7 and 1 days left. What has been told is kept in the agent's memory: after a
 * restart of the agent what is still so is told again.
 */
#ifndef MAILBEARER_TROUBLE_H
#define MAILBEARER_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "../accounts/accounts.h"
#include "../accounts/store.h"

#define TROUBLE_LASTING_MS (3600 * 1000LL)

/* One for each account; zeroed in the beginning. */
struct trouble {
    bool told;        /* its beginning was told, its end was not */
    bool temporary;   /* temporary trouble is under way ... */
    int64_t since_ms; /* ... since then; monotonic */
};

enum trouble_news {
    TROUBLE_NO_NEWS,
    TROUBLE_BEGAN, /* a person must act, or it has lasted; tell why: record->failure */
    TROUBLE_OVER,  /* after TROUBLE_BEGAN: a token can be handed out again */
};

/* Looks at the record as it is after a refresh, or after it was read. `now` is the wall
 * clock's, `now_ms` the monotonic clock's. */
enum trouble_news trouble_look(struct trouble *trouble, const struct account *account,
                               const struct record *record, int64_t now, int64_t now_ms);

/* One for each certificate or secret; zeroed in the beginning. */
struct expiry_mark {
    int64_t date; /* that was told about */
    int level;    /* how many of the warnings were told */
};

/* True when it is time for the next warning: `date` is less than 30, 7 or 1 days away, or
 * has passed. A date of 0 is unknown. A new date begins anew. */
bool expiry_is_news(struct expiry_mark *mark, int64_t date, int64_t now);

#endif
