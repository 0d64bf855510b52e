/* store_sign_in.h - put what a sign-in brought into the store.
 *
 * Used by:  sign_in.c, cmd_import.c
 * Includes: accounts/.
 */
#ifndef MAILBEARER_STORE_SIGN_IN_H
#define MAILBEARER_STORE_SIGN_IN_H

#include "../accounts/store.h"

#define STORE_SIGN_IN_WAIT_MS 30000

/* Replaces the account's record, under its lock, since a refresh may be under way that
 * ends with a write. The record on disk must be one that can be read (or none): a newer
 * version's, or one under another key, is not written over. `record` stays the caller's.
 * 0; ERR_TIMEOUT: somebody else holds the lock; ERR_STORE, ERR_CONFIG, ERR_NOMEM: the old
 * record is still there. */
int store_sign_in(const struct store *store, const char *account,
                  const struct record *record, struct err *err);

/* Would that work? For before a person is bothered. Returns as store_sign_in(). */
int store_sign_in_possible(const struct store *store, const char *account,
                           struct err *err);

#endif
