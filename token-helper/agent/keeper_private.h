/* keeper_private.h - what keeper.c, keeper_flight.c and keeper_ask.c share.
 *
 * keeper.c:        which accounts there are
 * keeper_flight.c: their refreshes
 * keeper_ask.c:    who asks, and what time brings
 */
#ifndef MAILBEARER_KEEPER_PRIVATE_H
#define MAILBEARER_KEEPER_PRIVATE_H

#include "entry.h"
#include "expiry.h"
#include "hooks.h"

struct keeper {
    struct flight_env env;
    struct hooks *hooks;         /* who tells about trouble; NULL: nobody */
    const struct expiry *expiry; /* who knows the certificates' dates; NULL: nobody */
    const struct probes *probes; /* who knows what the servers say; NULL: nobody */
    struct generation *generation;
    struct entry **entry; /* in the order of the accounts, which is sorted by name */
    size_t count;
    struct entry *gone; /* from the accounts file, with a flight still under way */
    struct slots *slots;
    size_t ahead_next;  /* whose turn it is to be refreshed ahead of time */
    unsigned failing;   /* requests in a row that failed for the time being */
    unsigned asked_now; /* flights for somebody who waits, begun since the last second */
    size_t load_next;   /* entries before this one have been read at least once */
    unsigned flights;
    unsigned waiting;  /* accounts that somebody may wait for; 0: nobody does */
    int64_t tick_ms;   /* when the next look at every account is due */
    int64_t second_ms; /* when the once-a-second work was last done */
};

enum flight_purpose {
    FLIGHT_ASKED, /* somebody waits for a token */
    FLIGHT_AHEAD, /* nobody does: replace the token before it ends */
    FLIGHT_LOOK,  /* only read the record, and write what could not be written */
};

/* Starts a flight for an entry that has none. When that cannot be done, those who wait
 * are told so. */
void keeper_start_flight(struct keeper *keeper, struct entry *entry,
                         enum flight_purpose purpose);

/* The entry of an account, which is of the keeper's generation. */
struct entry *keeper_entry(const struct keeper *keeper, const struct account *account);

/* The entry of that name, or NULL. */
struct entry *keeper_find(const struct keeper *keeper, const char *name);

/* Frees an entry and its flight. */
void keeper_drop(struct entry *entry);

void generation_release(struct generation *generation);

#endif
