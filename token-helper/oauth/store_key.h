/* store_key.h - encryption at rest: the store's cipher, from a key file.
 *
 * Used by:  commands/, agent/: store.cipher = store_key_cipher(key)
 * Includes: crypto.h, accounts/store.h, base/, client/.
 *
 * AES-256-GCM; FILEFORMAT.md describes the envelope. Bound to the account's name: a
 * record that is renamed, or swapped with another account's, does not open.
 */
#ifndef MAILBEARER_STORE_KEY_H
#define MAILBEARER_STORE_KEY_H

#include "../accounts/accounts.h"
#include "../accounts/store.h"

struct store_key; /* used by any number of threads at a time */

/* Reads encryption_key_file, which must be private (base/file.h): 32 random bytes as they
 * are, as 64 hexadecimal digits, or in base64 (with or without padding, either
 * alphabet), the last two with or without an end of line.
 * 0: *key_r, to be freed by store_key_free(). ERR_CONFIG: absent, not private, not a key,
 * or plainly not a random one. ERR_STORE: unreadable. ERR_NOMEM. */
int store_key_load(const char *path, struct store_key **key_r, struct err *err);

/* For struct store. Borrowed: until store_key_free(). */
const struct store_cipher *store_key_cipher(const struct store_key *key);

/* Has the store use the key that the accounts file names; *key_r stays NULL when it names
 * none. The key must outlive the store. Returns as store_key_load(). */
int store_key_use(const struct accounts *accounts, struct store *store,
                  struct store_key **key_r, struct err *err);

/* Wipes, frees, and sets NULL. Takes NULL. */
void store_key_free(struct store_key **key);

#endif
