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

enum account_state status_state(const struct account *account,
                                const struct record *record, int64_t now);
const char *status_state_name(enum account_state state);

/* Appends one line of JSON: account user provider grant state, expires_at, obtained_at,
 * refresh_at, refresh_token (true when one is stored), refresh_token_at, secret_expires,
 * scope, unsaved (true: the store could not be written; memory is newer), and, when the
 * last refresh failed, error {class text hint at retry_at count}. Times are epoch
 * seconds, absent when unknown. No secret. 0 or ERR_NOMEM. */
int status_json(const struct account *account, const struct record *record, bool unsaved,
                int64_t now, struct secret *out, struct err *err);

#endif
