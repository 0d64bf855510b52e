/* key_kit.h - keys and certificates made for a test, and signatures verified with
 * OpenSSL.
 *
 * Used by:  test_crypto_pem.c, test_certificate.c, test_assertion.c
 */
#ifndef MAILBEARER_TESTS_KEY_KIT_H
#define MAILBEARER_TESTS_KEY_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "client/secret.h"
#include "oauth/crypto.h"

/* New keys; the test fails where they cannot be made. EVP_PKEY_free(). */
EVP_PKEY *kit_rsa(unsigned bits);
EVP_PKEY *kit_rsa_pss(unsigned bits);
EVP_PKEY *kit_ec(void);

/* Appends a self-signed certificate of that key / the key as PKCS #8, encrypted with
 * AES-256 where there is a passphrase / the key in its old form ("RSA PRIVATE KEY"). */
void kit_certificate(EVP_PKEY *key, int64_t not_before, int64_t not_after,
                     struct secret *pem);
void kit_key(EVP_PKEY *key, const char *passphrase, struct secret *pem);
void kit_old_key(EVP_PKEY *key, const char *passphrase, struct secret *pem);

/* The digest of the first certificate in `pem`, base64url; sha is 1 or 256. */
void kit_thumbprint(const struct secret *pem, int sha, struct secret *out);

/* The first certificate in `pem` as DER. */
void kit_der(const struct secret *pem, struct secret *der);

/* Does the signature fit? For PS256 the salt must be 32 bytes long, no other. */
bool kit_verify(EVP_PKEY *key, enum crypto_alg alg, const void *bytes, size_t len,
                const struct secret *signature);

#endif
