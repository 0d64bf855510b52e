/* envelope.c - see envelope.h. */
#include "envelope.h"

#include <string.h>

#include "../accounts/store_record.h"
#include "../base/json.h"
#include "crypto.h"

#define CIPHER_NAME "A256GCM"

/* What the ciphertext is bound to. The version is in it, and the name ends it: no two
 * accounts have the same text. */
static int
bound_text(const char *account, struct secret *bound, struct err *err)
{
    if (secret_append_str(bound, "mailbearer record 2 " CIPHER_NAME " ") != 0 ||
        secret_append_str(bound, account) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    return 0;
}

static int
write_envelope(const struct envelope_key *key, const struct secret *sealed,
               struct secret *text_r, struct err *err)
{
    struct secret data = {.max = RECORD_FILE_MAX};
    struct secret text = {.max = RECORD_FILE_MAX};
    struct json *json = json_new();
    int r = ERR_NOMEM;

    if (json == NULL)
        goto out;
    if ((r = crypto_base64url(sealed->data, sealed->len, &data)) == 0 &&
        (r = json_put_integer(json, "version", RECORD_VERSION_SEALED)) == 0 &&
        (r = json_put_string(json, "cipher", CIPHER_NAME)) == 0 &&
        (r = json_put_string(json, "key_id", secret_str(&key->id))) == 0 &&
        (r = json_put_string(json, "data", secret_str(&data))) == 0 &&
        (r = json_write(json, true, &text)) == 0)
        secret_move(text_r, &text);
out:
    json_free(&json);
    secret_clear(&data);
    secret_clear(&text);
    if (r == ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (r != 0)
        return err_set(err, ERR_STORE, "the record is too long to be stored encrypted");
    return 0;
}

int
envelope_seal(const struct envelope_key *key, const char *account,
              const struct secret *plain, struct secret *text_r, struct err *err)
{
    struct secret bound = SECRET_INIT;
    struct secret sealed = SECRET_INIT;
    int r;

    if ((r = bound_text(account, &bound, err)) == 0 &&
        (r = crypto_seal(&key->key, secret_str(&bound), plain, &sealed, err)) == 0)
        r = write_envelope(key, &sealed, text_r, err);
    secret_clear(&bound);
    secret_clear(&sealed);
    return r;
}

static int
read_envelope(const struct envelope_key *key, const struct secret *text,
              struct secret *sealed, struct err *err)
{
    struct json *json = NULL;
    const char *cipher, *id, *data;
    int r = json_parse(secret_str(text), text->len, &json, err);

    if (r != 0) {
        if (r == ERR_PROTOCOL && err != NULL)
            err->code = ERR_STORE;
        return r == ERR_PROTOCOL ? ERR_STORE : r;
    }
    cipher = json_get_string(json, "cipher");
    id = json_get_string(json, "key_id");
    data = json_get_string(json, "data");
    if (cipher == NULL || id == NULL || data == NULL || strcmp(cipher, CIPHER_NAME) != 0)
        r = err_set(err, ERR_STORE, "its envelope is incomplete");
    else if (strcmp(id, secret_str(&key->id)) != 0)
        r = err_set(err, ERR_CONFIG,
                    "the store was encrypted with another key than the one in %s",
                    key->path);
    else if ((r = crypto_base64url_decode(data, strlen(data), sealed)) == ERR_PROTOCOL)
        r = err_set(err, ERR_STORE, "what is encrypted in it was changed or cut");
    else if (r != 0)
        err_set(err, r, "out of memory");
    json_free(&json);
    return r;
}

int
envelope_open(const struct envelope_key *key, const char *account,
              const struct secret *text, struct secret *plain_r, struct err *err)
{
    struct secret bound = SECRET_INIT;
    struct secret sealed = {.max = RECORD_FILE_MAX};
    int r;

    if ((r = read_envelope(key, text, &sealed, err)) == 0 &&
        (r = bound_text(account, &bound, err)) == 0)
        r = crypto_open(&key->key, secret_str(&bound), &sealed, plain_r, err);
    if (r == ERR_PROTOCOL)
        r = err_set(err, ERR_STORE,
                    "what is encrypted in it was changed, or is another account's");
    secret_clear(&bound);
    secret_clear(&sealed);
    return r;
}
