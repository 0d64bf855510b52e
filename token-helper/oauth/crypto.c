/* crypto.c - random numbers, digests, base64url, PKCE. */
#include "crypto.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "../base/wipe_alloc.h"
#include "crypto_internal.h"

#define RANDOM_TEXT_MAX 96 /* bytes: 128 characters */
#define VERIFIER_BYTES 32  /* 43 characters, what RFC 7636 4.1 recommends */

int
crypto_refuse(const char *what, struct err *err)
{
    unsigned long code = ERR_peek_last_error();
    /* The reason's text is one of a table; ERR_error_string() and what is attached to the
     * error may quote the input. */
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

    ERR_clear_error();
    if (code != 0 && ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
        return err_set(err, ERR_NOMEM, "out of memory");
    err_set(err, ERR_CONFIG, "OpenSSL cannot %s: %s", what,
            reason != NULL ? reason : "it does not say why");
    err_hint(err, "look at the system's OpenSSL configuration (openssl.cnf, FIPS mode, "
                  "crypto policy)");
    return ERR_CONFIG;
}

int
crypto_room(int code, struct err *err)
{
    if (code == 0)
        return 0;
    if (code == ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "out of memory");
    return err_set(err, code, "it is too long");
}

static void *
give_memory(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return wipe_malloc(size);
}

static void *
give_more_memory(void *block, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return wipe_realloc(block, size);
}

static void
take_memory(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    wipe_free(block);
}

int
crypto_setup(struct err *err)
{
    if (CRYPTO_set_mem_functions(give_memory, give_more_memory, take_memory) != 1)
        return err_set(err, ERR_NOMEM, "OpenSSL was in use before it was set up");
    return 0;
}

int
crypto_random(void *bytes, size_t len, struct err *err)
{
    if (len > INT_MAX || RAND_bytes(bytes, (int)len) != 1)
        return crypto_refuse("make random numbers", err);
    return 0;
}

int
crypto_random_text(size_t len, struct secret *out, struct err *err)
{
    unsigned char bytes[RANDOM_TEXT_MAX];
    int r;

    if (len > sizeof bytes)
        return err_set(err, ERR_USAGE, "more random text than %zu bytes", sizeof bytes);
    r = crypto_random(bytes, len, err);
    if (r == 0)
        r = crypto_room(crypto_base64url(bytes, len, out), err);
    explicit_bzero(bytes, sizeof bytes);
    return r;
}

int
crypto_uuid(char uuid_r[CRYPTO_UUID_LEN + 1], struct err *err)
{
    unsigned char b[16];
    int r = crypto_random(b, sizeof b, err);

    if (r != 0)
        return r;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* version 4 */
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80); /* variant of RFC 9562 */
    snprintf(uuid_r, CRYPTO_UUID_LEN + 1,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
             b[13], b[14], b[15]);
    return 0;
}

int
crypto_sha256(const void *bytes, size_t len, unsigned char digest_r[CRYPTO_SHA256_LEN],
              struct err *err)
{
    if (EVP_Digest(bytes, len, digest_r, NULL, EVP_sha256(), NULL) != 1)
        return crypto_refuse("compute SHA-256", err);
    return 0;
}

int
crypto_base64url(const void *bytes, size_t len, struct secret *out)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-_";
    const unsigned char *in = bytes;
    int r = secret_reserve(out, len / 3 * 4 + 4);

    /* At the maximum the rounding above may be what does not fit. */
    if (r != 0 && (r = secret_reserve(out, (len * 4 + 2) / 3)) != 0)
        return r;
    for (size_t i = 0; i < len && r == 0; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        unsigned v = (unsigned)in[i] << 16;
        char text[4];

        if (n > 1)
            v |= (unsigned)in[i + 1] << 8;
        if (n > 2)
            v |= in[i + 2];
        for (unsigned k = 0; k < 4; k++)
            text[k] = digit[v >> (18 - 6 * k) & 63u];
        r = secret_append(out, text, n + 1);
        explicit_bzero(text, sizeof text);
    }
    return r;
}

/* 0 to 63, or -1. */
static int
digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int
crypto_base64url_decode(const char *text, size_t len, struct secret *out)
{
    size_t start = out->len;
    unsigned bits = 0; /* those not written yet, `have` of them */
    unsigned have = 0;
    int r;

    if (len % 4 == 1)
        return ERR_PROTOCOL;
    if ((r = secret_reserve(out, len / 4 * 3 + len % 4 * 3 / 4)) != 0)
        return r;
    for (size_t i = 0; i < len; i++) {
        int value = digit_value(text[i]);

        if (value < 0) {
            r = ERR_PROTOCOL;
            break;
        }
        bits = (bits << 6 | (unsigned)value) & 0xfffu;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out->data[out->len++] = (char)(unsigned char)(bits >> have & 0xffu);
        }
    }
    if (r == 0 && (bits & ((1u << have) - 1)) != 0)
        r = ERR_PROTOCOL;
    if (r != 0) {
        explicit_bzero(out->data + start, out->len - start);
        out->len = start;
    } else if (out->data != NULL) {
        out->data[out->len] = '\0';
    }
    return r;
}

int
crypto_pkce_verifier(struct secret *verifier_r, struct err *err)
{
    secret_reset(verifier_r);
    return crypto_random_text(VERIFIER_BYTES, verifier_r, err);
}

int
crypto_pkce_challenge(const struct secret *verifier, struct secret *challenge_r,
                      struct err *err)
{
    unsigned char digest[CRYPTO_SHA256_LEN];
    int r;

    if (verifier->len < CRYPTO_PKCE_MIN || verifier->len > CRYPTO_PKCE_MAX)
        return err_set(err, ERR_USAGE, "a PKCE verifier has %d to %d characters",
                       CRYPTO_PKCE_MIN, CRYPTO_PKCE_MAX);
    if ((r = crypto_sha256(verifier->data, verifier->len, digest, err)) != 0)
        return r;
    secret_reset(challenge_r);
    return crypto_room(crypto_base64url(digest, sizeof digest, challenge_r), err);
}
