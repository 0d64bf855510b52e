/* store_key.c - see store_key.h. */
#include "store_key.h"

#include <stdlib.h>
#include <string.h>

#include "../base/file.h"
#include "crypto.h"
#include "envelope.h"

#define WHAT "encryption key"
#define KEY_FILE_MAX 1024u
#define KEY_ID_LEN 12 /* bytes, 16 characters */

struct store_key {
    struct store_cipher cipher;
    struct envelope_key envelope;
};

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* False: it is something else. */
static bool
from_hex(const char *text, size_t len, unsigned char bytes[CRYPTO_KEY_LEN])
{
    if (len != 2 * (size_t)CRYPTO_KEY_LEN)
        return false;
    for (size_t i = 0; i < CRYPTO_KEY_LEN; i++) {
        int high = hex_value(text[2 * i]);
        int low = hex_value(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

/* 0; ERR_PROTOCOL: it is something else; ERR_NOMEM. */
static int
from_base64(const char *text, size_t len, unsigned char bytes[CRYPTO_KEY_LEN])
{
    struct secret url = SECRET_INIT;
    struct secret key = {.max = CRYPTO_KEY_LEN};
    int r;

    if (len == 44 && text[len - 1] == '=')
        len--;
    if (len != 43)
        return ERR_PROTOCOL;
    if ((r = secret_set(&url, text, len)) != 0)
        goto out;
    for (size_t i = 0; i < url.len; i++) {
        if (url.data[i] == '+')
            url.data[i] = '-';
        else if (url.data[i] == '/')
            url.data[i] = '_';
    }
    r = crypto_base64url_decode(url.data, url.len, &key);
    if (r == 0)
        memcpy(bytes, key.data, CRYPTO_KEY_LEN);
out:
    secret_clear(&url);
    secret_clear(&key);
    return r;
}

/* 32 bytes that are all printable are a password or half of a hexadecimal key; a few
 * values again and again are a disk's zeros. Chance does neither. */
static bool
is_plainly_not_random(const unsigned char *bytes)
{
    unsigned printable = 0;
    unsigned different = 0;

    for (size_t i = 0; i < CRYPTO_KEY_LEN; i++) {
        printable += bytes[i] >= 0x20 && bytes[i] < 0x7f;
        if (memchr(bytes, bytes[i], i) == NULL)
            different++;
    }
    return printable == CRYPTO_KEY_LEN || different < 8;
}

static int
refuse_key(const char *path, const char *why, struct err *err)
{
    err_set(err, ERR_CONFIG, "%s %s %s", WHAT, path, why);
    err_hint(err,
             "make a new one: (umask 077; openssl rand -hex %d > FILE); a store that is "
             "encrypted already needs the key it was encrypted with",
             CRYPTO_KEY_LEN);
    return ERR_CONFIG;
}

static int
take_key(const struct secret *file, const char *path, struct secret *key_r,
         struct err *err)
{
    unsigned char bytes[CRYPTO_KEY_LEN];
    const char *text = secret_str(file);
    size_t len = file->len;
    int r = 0;

    if (len == CRYPTO_KEY_LEN) {
        memcpy(bytes, text, sizeof bytes);
    } else {
        if (len > 0 && text[len - 1] == '\n')
            len--;
        if (len > 0 && text[len - 1] == '\r')
            len--;
        if (!from_hex(text, len, bytes))
            r = from_base64(text, len, bytes);
    }
    if (r == ERR_PROTOCOL)
        r = refuse_key(path,
                       "holds neither 32 bytes, nor 64 hexadecimal digits, nor 32 bytes "
                       "in base64",
                       err);
    else if (r == 0 && is_plainly_not_random(bytes))
        r = refuse_key(path, "is not random", err);
    else if (r != 0 || (r = secret_set(key_r, bytes, sizeof bytes)) != 0)
        err_set(err, r, "out of memory");
    explicit_bzero(bytes, sizeof bytes);
    return r;
}

/* A digest of the key behind a text of its own, cut. */
static int
make_id(const struct secret *key, struct secret *id_r, struct err *err)
{
    struct secret text = SECRET_INIT;
    unsigned char digest[CRYPTO_SHA256_LEN];
    int r = 0;

    if (secret_append_str(&text, "mailbearer key id ") != 0 ||
        secret_append(&text, key->data, key->len) != 0)
        r = err_set(err, ERR_NOMEM, "out of memory");
    if (r == 0 && (r = crypto_sha256(text.data, text.len, digest, err)) == 0 &&
        crypto_base64url(digest, KEY_ID_LEN, id_r) != 0)
        r = err_set(err, ERR_NOMEM, "out of memory");
    secret_clear(&text);
    return r;
}

static int
seal(const void *arg, const char *account, const struct secret *plain,
     struct secret *sealed_r, struct err *err)
{
    const struct store_key *key = arg;

    return envelope_seal(&key->envelope, account, plain, sealed_r, err);
}

static int
open_sealed(const void *arg, const char *account, const struct secret *sealed,
            struct secret *plain_r, struct err *err)
{
    const struct store_key *key = arg;

    return envelope_open(&key->envelope, account, sealed, plain_r, err);
}

int
store_key_load(const char *path, struct store_key **key_r, struct err *err)
{
    struct secret file = SECRET_INIT;
    struct store_key *key = calloc(1, sizeof *key);
    int r;

    if (key == NULL || (key->envelope.path = strdup(path)) == NULL) {
        r = err_set(err, ERR_NOMEM, "out of memory");
        goto out;
    }
    if ((r = file_read_private(path, WHAT, KEY_FILE_MAX, &file, err)) != 0 ||
        (r = take_key(&file, path, &key->envelope.key, err)) != 0 ||
        (r = make_id(&key->envelope.key, &key->envelope.id, err)) != 0)
        goto out;
    key->cipher = (struct store_cipher){.seal = seal, .open = open_sealed, .arg = key};
    *key_r = key;
    key = NULL;
out:
    secret_clear(&file);
    store_key_free(&key);
    return r;
}

const struct store_cipher *
store_key_cipher(const struct store_key *key)
{
    return &key->cipher;
}

int
store_key_use(const struct accounts *accounts, struct store *store,
              struct store_key **key_r, struct err *err)
{
    int r;

    if (accounts->encryption_key_file == NULL)
        return 0;
    if ((r = store_key_load(accounts->encryption_key_file, key_r, err)) == 0)
        store->cipher = store_key_cipher(*key_r);
    return r;
}

void
store_key_free(struct store_key **key)
{
    if (*key == NULL)
        return;
    secret_clear(&(*key)->envelope.key);
    secret_clear(&(*key)->envelope.id);
    free((*key)->envelope.path);
    free(*key);
    *key = NULL;
}
