/* crypto_seal.c - AES-256-GCM. */
#include "crypto.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto_internal.h"

#define NONCE_LEN 12
#define TAG_LEN 16
_Static_assert(CRYPTO_SEAL_EXTRA == NONCE_LEN + TAG_LEN, "what the header says");

/* Key, nonce and what is bound, into a new context; the direction is 1 to seal, 0 to
 * open. NULL: OpenSSL cannot. */
static EVP_CIPHER_CTX *
begin(const struct secret *key, const char *bound, const unsigned char *nonce,
      int direction)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    size_t bound_len = strlen(bound);
    unsigned char key_bytes[CRYPTO_KEY_LEN];
    int n;
    int ok;

    if (ctx == NULL)
        return NULL;
    memcpy(key_bytes, key->data, sizeof key_bytes);
    /* GCM's own length for the nonce is 96 bits: it need not be set. */
    ok = bound_len <= INT_MAX &&
         EVP_CipherInit_ex2(ctx, EVP_aes_256_gcm(), key_bytes, nonce, direction, NULL) ==
             1 &&
         EVP_CipherUpdate(ctx, NULL, &n, (const unsigned char *)bound, (int)bound_len) ==
             1;
    explicit_bzero(key_bytes, sizeof key_bytes);
    if (ok)
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

static int
check_key(const struct secret *key, struct err *err)
{
    if (key->len != CRYPTO_KEY_LEN)
        return err_set(err, ERR_USAGE, "the key is not %d bytes long", CRYPTO_KEY_LEN);
    return 0;
}

int
crypto_seal(const struct secret *key, const char *bound, const struct secret *plain,
            struct secret *sealed_r, struct err *err)
{
    struct secret sealed = {.max = plain->len + CRYPTO_SEAL_EXTRA};
    EVP_CIPHER_CTX *ctx = NULL;
    unsigned char *at;
    int n = 0;
    int tail = 0;
    int r;

    if ((r = check_key(key, err)) != 0)
        return r;
    if (plain->len > INT_MAX / 2)
        return err_set(err, ERR_USAGE, "too much to encrypt at once");
    if ((r = crypto_room(secret_reserve(&sealed, sealed.max), err)) != 0)
        return r;
    at = (unsigned char *)sealed.data;
    if ((r = crypto_random(at, NONCE_LEN, err)) != 0)
        goto out;
    ctx = begin(key, bound, at, 1);
    at += NONCE_LEN;
    if (ctx == NULL ||
        EVP_CipherUpdate(ctx, at, &n, (const unsigned char *)secret_str(plain),
                         (int)plain->len) != 1 ||
        EVP_CipherFinal_ex(ctx, at + n, &tail) != 1 ||
        (size_t)n + (size_t)tail != plain->len ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, at + plain->len) != 1) {
        r = crypto_refuse("encrypt with AES-256-GCM", err);
        goto out;
    }
    sealed.len = plain->len + CRYPTO_SEAL_EXTRA;
    sealed.data[sealed.len] = '\0';
    secret_move(sealed_r, &sealed);
out:
    EVP_CIPHER_CTX_free(ctx);
    secret_clear(&sealed);
    return r;
}

int
crypto_open(const struct secret *key, const char *bound, const struct secret *sealed,
            struct secret *plain_r, struct err *err)
{
    struct secret plain = {.max = sealed->len};
    EVP_CIPHER_CTX *ctx = NULL;
    unsigned char tag[TAG_LEN];
    const unsigned char *at = (const unsigned char *)sealed->data;
    size_t len;
    int n = 0;
    int tail = 0;
    int r;

    if ((r = check_key(key, err)) != 0)
        return r;
    if (sealed->len < CRYPTO_SEAL_EXTRA || sealed->len > INT_MAX / 2)
        return err_set(err, ERR_PROTOCOL, "it is not a sealed message");
    len = sealed->len - CRYPTO_SEAL_EXTRA;
    if ((r = crypto_room(secret_reserve(&plain, len), err)) != 0)
        return r;
    memcpy(tag, at + NONCE_LEN + len, sizeof tag);
    ctx = begin(key, bound, at, 0);
    if (ctx == NULL ||
        EVP_CipherUpdate(ctx, (unsigned char *)plain.data, &n, at + NONCE_LEN,
                         (int)len) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) != 1) {
        r = crypto_refuse("decrypt with AES-256-GCM", err);
        goto out;
    }
    /* Only now is it known whether what was decrypted is what was sealed. */
    if (EVP_CipherFinal_ex(ctx, (unsigned char *)plain.data + n, &tail) != 1 ||
        (size_t)n + (size_t)tail != len) {
        ERR_clear_error();
        r = err_set(err, ERR_PROTOCOL, "it was changed, or belongs to something else");
        goto out;
    }
    plain.len = len;
    plain.data[len] = '\0';
    secret_move(plain_r, &plain);
out:
    EVP_CIPHER_CTX_free(ctx);
    secret_clear(&plain);
    return r;
}
