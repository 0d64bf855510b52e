/* fuzz_envelope.c - an encrypted record: foreign ones are refused, our own opens, and no
 * longer when a byte of it was changed. */
#include "fuzz.h"

#include "base/json.h"
#include "oauth/crypto.h"
#include "oauth/envelope.h"

static struct envelope_key key;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char bytes[CRYPTO_KEY_LEN] = "CANARY-key-of-the-fuzzer";

    (void)argc;
    (void)argv;
    json_setup();
    fuzz_set(&key.key, bytes, sizeof bytes);
    fuzz_set(&key.id, "fuzz", 4);
    key.path = strdup("/etc/key");
    return 0;
}

static void
open_foreign(const struct secret *text)
{
    struct secret plain = SECRET_INIT;
    struct err err = ERR_INIT;
    int r = envelope_open(&key, "a@b.example", text, &plain, &err);

    FUZZ_CHECK(r != 0 && plain.len == 0); /* or it has found the key */
    fuzz_result(r, &err, MAY(ERR_CONFIG) | MAY(ERR_STORE));
    if (text->len >= 64)
        fuzz_not_in(&err, text->data, text->len);
}

/* Is one of the characters that make up a value, whose change must be seen? */
static bool
counts(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void
our_own(const struct secret *record, size_t where)
{
    struct secret text = SECRET_INIT, plain = SECRET_INIT;
    struct err err = ERR_INIT;
    char was;

    fuzz_result(envelope_seal(&key, "a@b.example", record, &text, &err), &err, 0);
    fuzz_result(envelope_open(&key, "a@b.example", &text, &plain, &err), &err, 0);
    FUZZ_CHECK(secret_equal(&plain, record));
    FUZZ_CHECK(envelope_open(&key, "c@b.example", &text, &plain, &err) == ERR_STORE);
    FUZZ_CHECK(secret_equal(&plain, record));
    /* "version" stands in front: store_record.c is who reads it */
    where %= text.len;
    was = text.data[where];
    if (counts(was) && text.data + where > strstr(text.data, "cipher")) {
        text.data[where] = was == 'x' ? 'y' : 'x';
        FUZZ_CHECK(envelope_open(&key, "a@b.example", &text, &plain, &err) != 0);
    }
    secret_clear(&text);
    secret_clear(&plain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct secret text = SECRET_INIT;
    size_t where = fuzz_choice(&data, &size);

    where = where * 256 + fuzz_choice(&data, &size);
    fuzz_set(&text, data, size);
    open_foreign(&text);
    our_own(&text, where);
    secret_clear(&text);
    return 0;
}
