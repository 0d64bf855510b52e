/* envelope.h - an encrypted record as JSON text and back (FILEFORMAT.md). No I/O.
 *
 * Used by:  store_key.c
 * Includes: crypto.h, accounts/store_record.h, base/json.h, client/.
 */
#ifndef MAILBEARER_ENVELOPE_H
#define MAILBEARER_ENVELOPE_H

#include "../client/error.h"
#include "../client/secret.h"

struct envelope_key {
    struct secret key; /* CRYPTO_KEY_LEN bytes */
    struct secret id;  /* a text that tells keys apart and gives nothing of them away */
    char *path;        /* where it comes from, for messages */
};

/* Encrypts `plain` for that account; *text_r is replaced. 0, ERR_STORE (too long),
 * ERR_CONFIG (OpenSSL refuses), ERR_NOMEM. */
int envelope_seal(const struct envelope_key *key, const char *account,
                  const struct secret *plain, struct secret *text_r, struct err *err);

/* The reverse; *plain_r is replaced on success only. 0; ERR_CONFIG: it was encrypted with
 * another key; ERR_STORE: no envelope, changed, cut, or another account's; ERR_NOMEM. */
int envelope_open(const struct envelope_key *key, const char *account,
                  const struct secret *text, struct secret *plain_r, struct err *err);

#endif
