/* status_report.h - an account's state as JSON, for `status` and for the agent's reply.
 *
 * Used by:  commands/cmd_status.c, agent/
 * Includes: accounts.h, store.h, freshness.h, base/json.h. Pure: the time is a parameter.
 */
#ifndef MAILBEARER_STATUS_REPORT_H
#define MAILBEARER_STATUS_REPORT_H

#include "accounts.h"
#include "store.h"

/* What the account's tokens allow right now, in one word. */
enum account_state {
    STATE_OK,         /* a token can be handed out */
    STATE_IDLE,       /* no token now; the next request fetches one */
    STATE_FAILING,    /* temporary trouble; is being tried again */
    STATE_ACTION,     /* a person must act */
    STATE_SIGNED_OUT, /* nobody has signed in yet */
};
#define ACCOUNT_STATE_COUNT (STATE_SIGNED_OUT + 1)

enum account_state status_state(const struct account *account,
                                const struct record *record, int64_t now);
const char *status_state_name(enum account_state state);

/* What stands in neither of the two. */
struct status_extra {
    bool unsaved;                /* the store could not be written; memory is newer */
    int64_t certificate_expires; /* of client_certificate; 0: none, or not known. Whoever
                                    calls reads it: nothing here needs cryptography */
    const struct failure *refusal; /* its mail server refuses the sign-in; NULL: it does
                                      not, or is not known to */
};

/* Microsoft's refresh tokens end when they were not used for so long. */
#define STATUS_UNUSED_S (90 * INT64_C(86400))

/* Appends one line of JSON: account user provider grant secret_expires
 * certificate_expires state, obtained_at (the last refresh), expires_at, refresh_at,
 * scope, refresh_token (true when one is stored), refresh_token_at (when it was stored or
 * last used), refresh_token_expires (unless it is used before; Microsoft's only),
 * unsaved, and, when the last refresh failed or else the server refuses, error {class
 * text hint at retry_at count}; class is "temporary" or "action". Times are epoch
 * seconds, absent when unknown. No secret. 0 or ERR_NOMEM. */
int status_json(const struct account *account, const struct record *record,
                const struct status_extra *extra, int64_t now, struct secret *out,
                struct err *err);

#endif
