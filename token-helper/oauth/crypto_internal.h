/* crypto_internal.h - what crypto*.c share; nobody else includes it. */
#ifndef MAILBEARER_CRYPTO_INTERNAL_H
#define MAILBEARER_CRYPTO_INTERNAL_H

#include <openssl/types.h>

#include "crypto.h"

struct crypto_identity {
    X509 *certificate;
    EVP_PKEY *key;
    struct crypto_validity validity;
};

/* Sets "OpenSSL cannot DO: reason" from OpenSSL's error queue, and empties that.
 * ERR_NOMEM where memory is the reason, else ERR_CONFIG. */
int crypto_refuse(const char *what, struct err *err);

/* What a secret_*() function answered, as an error: 0, ERR_NOMEM, ERR_PROTOCOL. */
int crypto_room(int code, struct err *err);

#endif
