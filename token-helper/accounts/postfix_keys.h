/* postfix_keys.h - which account answers a key of Postfix's sasl map.
 *
 * Used by:  read.c and lookup.c (make, free), build_account.c (the defaults),
 * accounts_find_key() in accounts.h.
 * Includes: accounts.h.
 */
#ifndef MAILBEARER_POSTFIX_KEYS_H
#define MAILBEARER_POSTFIX_KEYS_H

#include "accounts.h"

/* Makes the account's postfix_keys, empty so far, of its smtp server. 0 or ERR_NOMEM. */
int postfix_keys_default(struct account *account);

/* Makes accounts->keys from all postfix_keys. The accounts must stay where they are. 0 or
 * ERR_NOMEM. */
int key_index_make(struct accounts *accounts);

/* Frees and sets NULL. Takes NULL. */
void key_index_free(struct key_index **keys);

#endif
