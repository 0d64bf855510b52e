/* crypto.h - random numbers, digests, signatures and encryption.
 *
 * Used by:  assertion.c, certificate.c, store_key.c, the sign-in flows (PKCE, state)
 * Includes: base/, client/, OpenSSL 3 (crypto*.c are its only users in token-helper).
 *
 * No I/O: files are read by certificate.c and store_key.c. No clock. What fails for a
 * reason of OpenSSL's own (a FIPS policy, a broken openssl.cnf) is ERR_CONFIG and says so
 * with OpenSSL's fixed text for the reason, never with the data that it may attach.
 * OpenSSL's error queue is left empty: libcurl shares it.
 */
#ifndef MAILBEARER_CRYPTO_H
#define MAILBEARER_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#include "../client/error.h"
#include "../client/secret.h"

#define CRYPTO_SHA256_LEN 32
#define CRYPTO_KEY_LEN 32    /* AES-256 */
#define CRYPTO_SEAL_EXTRA 28 /* bytes that crypto_seal() adds: nonce and tag */
#define CRYPTO_UUID_LEN 36   /* without the NUL */
#define CRYPTO_PKCE_MIN 43   /* RFC 7636 4.1 */
#define CRYPTO_PKCE_MAX 128
#define CRYPTO_RSA_BITS_MIN 2048
#define CRYPTO_PASSPHRASE_MAX 1023 /* bytes; OpenSSL's buffer for it */

/* Gives OpenSSL the allocator that wipes what it frees. Once, first thing in main(),
 * before http_setup(). 0, or ERR_NOMEM when OpenSSL has allocated already, as a library
 * of libcurl's may have done: no reason to stop, keys are wiped by OpenSSL itself. */
int crypto_setup(struct err *err);

/* Cryptographic random bytes. 0 or ERR_CONFIG. */
int crypto_random(void *bytes, size_t len, struct err *err);

/* Appends a text of `len` random bytes, base64url: `state`, or a PKCE verifier. 0,
 * ERR_CONFIG, ERR_NOMEM. `len` is at most 96. */
int crypto_random_text(size_t len, struct secret *out, struct err *err);

/* A random UUID, version 4 (RFC 9562 5.4), in lower case. 0 or ERR_CONFIG. */
int crypto_uuid(char uuid_r[CRYPTO_UUID_LEN + 1], struct err *err);

/* 0 or ERR_CONFIG. */
int crypto_sha256(const void *bytes, size_t len,
                  unsigned char digest_r[CRYPTO_SHA256_LEN], struct err *err);

/* Appends base64url without padding (RFC 4648 5) / what such a text stands for. Decoding
 * is strict: no padding, no blanks, the unused last bits zero, so that each content has
 * one text. 0; ERR_PROTOCOL: not such a text, or out's maximum; ERR_NOMEM. A failed
 * decoding leaves `out` as it was. */
int crypto_base64url(const void *bytes, size_t len, struct secret *out);
int crypto_base64url_decode(const char *text, size_t len, struct secret *out);

/* PKCE (RFC 7636): a fresh verifier of 43 characters, and the S256 challenge that belongs
 * to a verifier. Both replace the content of *_r. 0, ERR_CONFIG, ERR_NOMEM; ERR_USAGE:
 * the verifier is shorter or longer than the RFC allows. */
int crypto_pkce_verifier(struct secret *verifier_r, struct err *err);
int crypto_pkce_challenge(const struct secret *verifier, struct secret *challenge_r,
                          struct err *err);

/* --- certificate and private key ------------------------------------------------------
 */

/* RFC 7518 3.3, 3.5. */
enum crypto_alg {
    CRYPTO_PS256, /* RSA-PSS with SHA-256 and a salt of 32 bytes; goes with x5t#S256 */
    CRYPTO_RS256, /* RSA PKCS #1 v1.5 with SHA-256; goes with x5t (SHA-1) */
};

struct crypto_pem {
    const struct secret *certificate; /* PEM text; the first certificate in it counts */
    const char *certificate_name;     /* how messages call it: its path */
    const struct secret *key;         /* PEM text; may be the same as `certificate` */
    const char *key_name;
    const struct secret *passphrase; /* NULL: none was given */
    const char *passphrase_name;     /* its path; NULL with no passphrase */
};

struct crypto_identity; /* a certificate and the private key that belongs to it */

/* Reads both and sees that they belong together. A passphrase that an unencrypted key
 * does not need is ignored.
 * 0: *identity_r, to be freed by crypto_identity_free().
 * ERR_CONFIG: no PEM certificate or key in it (DER and PKCS #12 are told apart), the key
 * is encrypted and there is no passphrase, or a wrong one, or in a way that this OpenSSL
 * does not know; not an RSA key; less than 2048 bits; it belongs to another certificate.
 * ERR_NOMEM. err names the file and says what to do. */
int crypto_identity_new(const struct crypto_pem *pem, struct crypto_identity **identity_r,
                        struct err *err);

/* Wipes the private key, frees, and sets NULL. Takes NULL. */
void crypto_identity_free(struct crypto_identity **identity);

/* Reads only the certificate: what `check` and `status` need. 0, ERR_CONFIG, ERR_NOMEM.
 * Times are epoch seconds: valid from the first to the last of them. */
struct crypto_validity {
    int64_t not_before;
    int64_t not_after;
};
int crypto_certificate_validity(const struct secret *certificate, const char *name,
                                struct crypto_validity *validity_r, struct err *err);
const struct crypto_validity *
crypto_identity_validity(const struct crypto_identity *identity);

/* Appends the base64url digest of the DER certificate that goes with `alg`: x5t#S256 with
 * CRYPTO_PS256, x5t with CRYPTO_RS256 (RFC 7515 4.1.7, 4.1.8). 0, ERR_CONFIG, ERR_NOMEM.
 */
int crypto_identity_thumbprint(const struct crypto_identity *identity,
                               enum crypto_alg alg, struct secret *out, struct err *err);

/* Replaces *signature_r (raw bytes). 0, ERR_CONFIG, ERR_NOMEM. */
int crypto_identity_sign(const struct crypto_identity *identity, enum crypto_alg alg,
                         const void *bytes, size_t len, struct secret *signature_r,
                         struct err *err);

/* --- encryption -----------------------------------------------------------------------
 */

/* AES-256-GCM (NIST SP 800-38D) under a random nonce of 96 bits. `key` is CRYPTO_KEY_LEN
 * bytes; one key is good for 2^32 messages. `bound` is authenticated, not contained: it
 * must be the same text when the message is opened. *sealed_r becomes nonce, ciphertext,
 * tag. 0, ERR_CONFIG, ERR_NOMEM, ERR_USAGE (no such key). */
int crypto_seal(const struct secret *key, const char *bound, const struct secret *plain,
                struct secret *sealed_r, struct err *err);

/* The reverse; *plain_r is replaced on success only. 0; ERR_PROTOCOL: another key,
 * another `bound`, or a changed message; ERR_CONFIG, ERR_NOMEM, ERR_USAGE. */
int crypto_open(const struct secret *key, const char *bound, const struct secret *sealed,
                struct secret *plain_r, struct err *err);

#endif
