/* crypto_sign.c - what a certificate and its key are for: thumbprints and signatures. */
#include "crypto.h"

#include <stdbool.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto_internal.h"

const struct crypto_validity *
crypto_identity_validity(const struct crypto_identity *identity)
{
    return &identity->validity;
}

int
crypto_identity_thumbprint(const struct crypto_identity *identity, enum crypto_alg alg,
                           struct secret *out, struct err *err)
{
    /* SHA-1 only names the certificate here; what is signed is hashed with SHA-256. */
    const EVP_MD *digest = alg == CRYPTO_RS256 ? EVP_sha1() : EVP_sha256();
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (X509_digest(identity->certificate, digest, bytes, &len) != 1)
        return crypto_refuse("compute the certificate's thumbprint", err);
    return crypto_room(crypto_base64url(bytes, len, out), err);
}

/* The default for the salt is the longest that fits; PS256 has 32 bytes (RFC 7518 3.5).
 */
static bool
use_pss(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

int
crypto_identity_sign(const struct crypto_identity *identity, enum crypto_alg alg,
                     const void *bytes, size_t len, struct secret *signature_r,
                     struct err *err)
{
    struct secret signature = SECRET_INIT;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL; /* belongs to ctx */
    size_t size = 0;
    int r = 0;

    if (ctx == NULL ||
        EVP_DigestSignInit(ctx, &options, EVP_sha256(), NULL, identity->key) != 1 ||
        (alg == CRYPTO_PS256 && !use_pss(options)) ||
        EVP_DigestSign(ctx, NULL, &size, bytes, len) != 1) {
        r = crypto_refuse("sign with the private key", err);
        goto out;
    }
    if ((r = crypto_room(secret_reserve(&signature, size), err)) != 0)
        goto out;
    if (EVP_DigestSign(ctx, (unsigned char *)signature.data, &size, bytes, len) != 1) {
        r = crypto_refuse("sign with the private key", err);
        goto out;
    }
    signature.len = size;
    signature.data[size] = '\0';
    secret_move(signature_r, &signature);
out:
    EVP_MD_CTX_free(ctx);
    secret_clear(&signature);
    return r;
}
