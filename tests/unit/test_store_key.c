/* test_store_key.c - the key file: what is a key, and what is refused. */
#include "seal_kit.h"

#define KEY_HINT                                                                         \
    "make a new one: (umask 077; openssl rand -hex 32 > FILE); a store that is "         \
    "encrypted already needs the key it was encrypted with"

/* All of them are the key 00 01 02 ... 1f: each opens what the first one sealed. */
static void
forms_of_a_key(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } forms[] = {
#define FORM(text) {(text), sizeof(text) - 1}
        FORM(HEX),
        FORM(HEX "\n"),
        FORM(HEX "\r\n"),
        FORM("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"),
        FORM("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        FORM("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"),
        FORM("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
             "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"),
    };

    (void)state;
    use(key);
    put(A, 1);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct store_key *k = loaded(forms[i].bytes, forms[i].len);

        use(k);
        if (kit_stored(&store, A) != 1)
            fail_msg("form %zu is another key", i);
        use(NULL);
        store_key_free(&k);
    }
}

/* + and / of base64, - and _ of its other alphabet; a line feed that ends 32 raw bytes is
 * one of them. */
static void
both_alphabets_and_a_line_feed(void **state)
{
    struct store_key *one = loaded("++++////AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBk=", 44);
    struct store_key *same = loaded("----____AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBk", 43);
    struct store_key *raw = loaded("\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c"
                                   "\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96\x97\x98\x99"
                                   "\x9a\x9b\x9c\x9d\x9e\n",
                                   32);

    (void)state;
    use(one);
    put(A, 1);
    use(same);
    assert_int_equal(kit_stored(&store, A), 1);
    use(raw);
    assert_int_equal(kit_stored(&store, A), -1);
    use(NULL);
    store_key_free(&one);
    store_key_free(&same);
    store_key_free(&raw);
}

static void
what_is_no_key(void **state)
{
    static const char *const neither[] = {
        "",
        "\n",
        "secret",
        "000102030405060708090a0b0c0d0e0f\n", /* 16 bytes: half a key */
        "g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        (HEX "00"),
        (HEX "\n\n"),
        (" " HEX),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", /* unused bits */
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8==",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBka xwdHh8=",
    };
    static const char *const not_random[] = {
        "correct horse battery staple 123", /* 32 characters */
        "000102030405060708090a0b0c0d0e0f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "0102030401020304010203040102030401020304010203040102030401020304",
    };
    struct store_key *k = NULL;
    struct err err = ERR_INIT;
    char want[SCRATCH_PATH_MAX + 200];

    (void)state;
    snprintf(want, sizeof want,
             "encryption key %s/key holds neither 32 bytes, nor 64 hexadecimal digits, "
             "nor 32 bytes in base64",
             keys);
    for (size_t i = 0; i < sizeof neither / sizeof *neither; i++) {
        const char *path = key_file(neither[i], strlen(neither[i]));

        if (store_key_load(path, &k, &err) != ERR_CONFIG)
            fail_msg("\"%s\" was taken for a key", neither[i]);
        assert_string_equal(err.text, want);
        assert_string_equal(err.hint, KEY_HINT);
    }
    snprintf(want, sizeof want, "encryption key %s/key is not random", keys);
    for (size_t i = 0; i < sizeof not_random / sizeof *not_random; i++) {
        const char *path = key_file(not_random[i], strlen(not_random[i]));

        if (store_key_load(path, &k, &err) != ERR_CONFIG)
            fail_msg("\"%s\" was taken for a key", not_random[i]);
        assert_string_equal(err.text, want);
        assert_string_equal(err.hint, KEY_HINT);
    }
    assert_null(k);
}

static void
key_files_that_are_refused(void **state)
{
    struct store_key *k = NULL;
    struct err err = ERR_INIT;
    char path[SCRATCH_PATH_MAX], want[SCRATCH_PATH_MAX + 200];
    char large[2000];

    (void)state;
    assert_int_equal(store_key_load(scratch_path(path, keys, "absent"), &k, &err),
                     ERR_CONFIG);
    snprintf(want, sizeof want,
             "cannot open encryption key %s: No such file or directory", path);
    assert_string_equal(err.text, want);
    scratch_write(scratch_path(path, keys, "open"), HEX, strlen(HEX), 0644);
    assert_int_equal(store_key_load(path, &k, &err), ERR_CONFIG);
    snprintf(want, sizeof want,
             "encryption key %s has mode 644: everybody may read or change it", path);
    assert_string_equal(err.text, want);
    memset(large, 'a', sizeof large);
    assert_int_equal(store_key_load(key_file(large, sizeof large), &k, &err), ERR_CONFIG);
    snprintf(want, sizeof want, "%s/key is too large", keys);
    assert_string_equal(err.text, want);
    assert_null(k);
}

static int
setup_group(void **state)
{
    (void)state;
    json_setup();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(forms_of_a_key),
        TEST(both_alphabets_and_a_line_feed),
        TEST(what_is_no_key),
        TEST(key_files_that_are_refused),
    };

    return cmocka_run_group_tests_name("store_key", tests, setup_group, NULL);
}
