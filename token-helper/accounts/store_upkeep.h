/* store_upkeep.h - the token store as a whole: whose records it has, which are encrypted.
 *
 * Used by:  commands/ (check, rekey), front/ (who must read an encrypted record)
 * Includes: store.h.
 */
#ifndef MAILBEARER_STORE_UPKEEP_H
#define MAILBEARER_STORE_UPKEEP_H

#include "store.h"

/* How the record stands on disk; needs no key and no lock. 0, or as store_read(). */
enum store_form { STORE_ABSENT, STORE_CLEAR, STORE_SEALED };
int store_form(const struct store *store, const char *account, enum store_form *form_r,
               struct err *err);

/* Writes the record again as store->cipher wants it, under the lock that it takes itself
 * (deadline as for store_lock()): a clear one is encrypted, one that old_cipher opens
 * gets the present key; with no cipher it is put in clear. *changed_r is false where it
 * stood so already, or there is none. 0; ERR_TIMEOUT, ERR_STORE, ERR_CONFIG, ERR_NOMEM:
 * the old record is still there. */
int store_rekey(const struct store *store, const char *account,
                const struct deadline *deadline, bool *changed_r, struct err *err);

/* The accounts that have a record, those that the accounts file no longer has included;
 * sorted. *names_r: store_accounts_free(). 0, ERR_STORE, ERR_NOMEM. */
int store_accounts(const struct store *store, char ***names_r, size_t *count_r,
                   struct err *err);
void store_accounts_free(char **names, size_t count);

#endif
