/* test_crypto.c - random numbers, digests, base64url, PKCE, AES-256-GCM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "oauth/crypto.h"

#define URL_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

static struct secret
of(const char *text)
{
    struct secret s = SECRET_INIT;

    assert_int_equal(secret_append_str(&s, text), 0);
    return s;
}

static struct secret
of_hex(const char *hex)
{
    struct secret s = SECRET_INIT;

    for (; *hex != '\0'; hex += 2) {
        unsigned byte;

        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        assert_int_equal(secret_append_char(&s, (char)(unsigned char)byte), 0);
    }
    return s;
}

static void
random_bytes_differ(void **state)
{
    unsigned char one[32] = {0}, other[32] = {0};
    const unsigned char zeros[32] = {0};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(crypto_random(one, sizeof one, &err), 0);
    assert_int_equal(crypto_random(other, sizeof other, &err), 0);
    assert_memory_not_equal(one, other, sizeof one);
    assert_memory_not_equal(one + 16, zeros, 16);
}

static void
random_texts(void **state)
{
    struct secret one = SECRET_INIT, other = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(crypto_random_text(96, &one, &err), 0);
    assert_int_equal(crypto_random_text(96, &other, &err), 0);
    assert_int_equal(one.len, 128);
    assert_int_equal(strspn(secret_str(&one), URL_DIGITS), 128);
    assert_false(secret_equal(&one, &other));
    assert_int_equal(crypto_random_text(97, &one, &err), ERR_USAGE);
    assert_int_equal(one.len, 128);
    secret_clear(&one);
    secret_clear(&other);
}

static void
uuids(void **state)
{
    char one[CRYPTO_UUID_LEN + 1], other[CRYPTO_UUID_LEN + 1];
    struct err err = ERR_INIT;

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(crypto_uuid(one, &err), 0);
        assert_int_equal(strlen(one), 36);
        for (size_t at = 0; at < 36; at++) {
            if (at == 8 || at == 13 || at == 18 || at == 23)
                assert_int_equal(one[at], '-');
            else
                assert_non_null(strchr("0123456789abcdef", one[at]));
        }
        assert_int_equal(one[14], '4');
        assert_non_null(strchr("89ab", one[19]));
    }
    assert_int_equal(crypto_uuid(other, &err), 0);
    assert_string_not_equal(one, other);
}

/* FIPS 180-4, "abc" and the empty message. */
static void
sha256(void **state)
{
    struct secret abc =
        of_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct secret nothing =
        of_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    unsigned char digest[CRYPTO_SHA256_LEN];
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(crypto_sha256("abc", 3, digest, &err), 0);
    assert_memory_equal(digest, abc.data, 32);
    assert_int_equal(crypto_sha256("", 0, digest, &err), 0);
    assert_memory_equal(digest, nothing.data, 32);
    secret_clear(&abc);
    secret_clear(&nothing);
}

/* RFC 4648 10, without the padding; and the two digits that are other ones here. */
static const struct {
    const char *bytes, *text;
} base64url[] = {
    {"", ""},
    {"f", "Zg"},
    {"fo", "Zm8"},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg"},
    {"fooba", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "-__-"},
};

static void
base64url_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof base64url / sizeof *base64url; i++) {
        struct secret text = of("<"), bytes = of(">");

        assert_int_equal(
            crypto_base64url(base64url[i].bytes, strlen(base64url[i].bytes), &text), 0);
        assert_string_equal(secret_str(&text) + 1, base64url[i].text);
        assert_int_equal(
            crypto_base64url_decode(base64url[i].text, strlen(base64url[i].text), &bytes),
            0);
        assert_string_equal(secret_str(&bytes) + 1, base64url[i].bytes);
        assert_int_equal(bytes.len, 1 + strlen(base64url[i].bytes));
        secret_clear(&text);
        secret_clear(&bytes);
    }
}

static void
base64url_that_is_none(void **state)
{
    static const char *const wrong[] = {
        "Z",     /* six bits are no byte */
        "Zm9vY", /* nor are they behind others */
        "Zh",    /* unused bits that are not zero: a second text for "f" */
        "Zm9",   /* the same behind two bytes */
        "Zg==",  /* padding */
        "Zm9v\n", "Zm 9", " Zg", "Zm+v", "Zm/v", "Zm\x80v",
    };
    struct secret out = of("kept");

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (crypto_base64url_decode(wrong[i], strlen(wrong[i]), &out) != ERR_PROTOCOL)
            fail_msg("case %zu was taken", i);
        assert_int_equal(out.len, 4);
        assert_memory_equal(out.data, "kept", 4);
    }
    assert_int_equal(crypto_base64url_decode("Zm\0v", 4, &out), ERR_PROTOCOL);
    secret_clear(&out);
}

static void
base64url_keeps_to_the_maximum(void **state)
{
    struct secret out = {.max = 6};

    (void)state;
    assert_int_equal(crypto_base64url("foob", 4, &out), 0);
    assert_string_equal(secret_str(&out), "Zm9vYg");
    secret_clear(&out);
    assert_int_equal(crypto_base64url("fooba", 5, &out), ERR_PROTOCOL);
    secret_clear(&out);
    out.max = 4;
    assert_int_equal(crypto_base64url_decode("Zm9vYg", 6, &out), 0);
    secret_clear(&out);
    assert_int_equal(crypto_base64url_decode("Zm9vYmE", 7, &out), ERR_PROTOCOL);
    secret_clear(&out);
}

/* RFC 7636, appendix B. */
static void
pkce_of_the_rfc(void **state)
{
    struct secret verifier = of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    struct secret challenge = of("what was there");
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(crypto_pkce_challenge(&verifier, &challenge, &err), 0);
    assert_string_equal(secret_str(&challenge),
                        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    secret_clear(&verifier);
    secret_clear(&challenge);
}

static void
pkce_verifiers(void **state)
{
    struct secret one = of("what was there"), other = SECRET_INIT;
    struct secret challenge = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(crypto_pkce_verifier(&one, &err), 0);
    assert_int_equal(crypto_pkce_verifier(&other, &err), 0);
    assert_int_equal(one.len, 43);
    assert_int_equal(strspn(secret_str(&one), URL_DIGITS), 43);
    assert_false(secret_equal(&one, &other));
    assert_int_equal(crypto_pkce_challenge(&one, &challenge, &err), 0);
    assert_int_equal(challenge.len, 43);
    secret_clear(&other);
    secret_clear(&challenge);
    one.len = 42;
    assert_int_equal(crypto_pkce_challenge(&one, &challenge, &err), ERR_USAGE);
    assert_string_equal(err.text, "a PKCE verifier has 43 to 128 characters");
    assert_int_equal(challenge.len, 0);
    secret_reset(&one);
    assert_int_equal(crypto_random_text(96, &one, &err), 0);
    assert_int_equal(crypto_pkce_challenge(&one, &challenge, &err), 0);
    assert_int_equal(secret_append_char(&one, 'x'), 0);
    assert_int_equal(crypto_pkce_challenge(&one, &challenge, &err), ERR_USAGE);
    secret_clear(&one);
    secret_clear(&challenge);
}

/* Test case 16 of the GCM specification (McGrew and Viega); its associated data happens
 * to hold no NUL. */
static void
gcm_of_the_specification(void **state)
{
    struct secret key =
        of_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    struct secret bound = of_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    struct secret plain =
        of_hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
               "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
    struct secret sealed =
        of_hex("cafebabefacedbaddecaf888"
               "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
               "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
               "76fc6ece0f4e1768cddf8853bb2d551b");
    struct secret opened = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(crypto_open(&key, secret_str(&bound), &sealed, &opened, &err), 0);
    assert_true(secret_equal(&opened, &plain));
    secret_clear(&key);
    secret_clear(&bound);
    secret_clear(&plain);
    secret_clear(&sealed);
    secret_clear(&opened);
}

static struct secret
some_key(void)
{
    return of("0123456789abcdef0123456789abcdef");
}

static void
seal_and_open(void **state)
{
    static const char *const texts[] = {"", "x", "a text of more than one block of AES"};
    struct secret key = some_key();
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct secret plain = of(texts[i]), opened = of("what was there");
        struct secret sealed = SECRET_INIT, again = SECRET_INIT;

        assert_int_equal(crypto_seal(&key, "alice", &plain, &sealed, &err), 0);
        assert_int_equal(sealed.len, plain.len + 28);
        assert_int_equal(crypto_seal(&key, "alice", &plain, &again, &err), 0);
        /* the nonce is another one each time */
        assert_memory_not_equal(sealed.data, again.data, 12);
        if (plain.len > 8)
            assert_null(memmem(sealed.data, sealed.len, plain.data, plain.len));
        assert_int_equal(crypto_open(&key, "alice", &sealed, &opened, &err), 0);
        assert_string_equal(secret_str(&opened), texts[i]);
        assert_int_equal(opened.len, plain.len);
        secret_clear(&plain);
        secret_clear(&opened);
        secret_clear(&sealed);
        secret_clear(&again);
    }
    secret_clear(&key);
}

static void
what_does_not_open(void **state)
{
    struct secret key = some_key(), plain = of("refresh-token"), opened = of("kept");
    struct secret sealed = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(crypto_seal(&key, "alice", &plain, &sealed, &err), 0);
    for (size_t i = 0; i < sealed.len; i++) {
        for (unsigned bit = 1; bit < 256; bit <<= 1) {
            sealed.data[i] = (char)(sealed.data[i] ^ (char)bit);
            if (crypto_open(&key, "alice", &sealed, &opened, &err) != ERR_PROTOCOL)
                fail_msg("a change in byte %zu went unseen", i);
            sealed.data[i] = (char)(sealed.data[i] ^ (char)bit);
        }
    }
    assert_string_equal(err.text, "it was changed, or belongs to something else");
    assert_int_equal(crypto_open(&key, "bob", &sealed, &opened, &err), ERR_PROTOCOL);
    assert_int_equal(crypto_open(&key, "", &sealed, &opened, &err), ERR_PROTOCOL);
    key.data[31] ^= 1;
    assert_int_equal(crypto_open(&key, "alice", &sealed, &opened, &err), ERR_PROTOCOL);
    key.data[31] ^= 1;
    for (size_t len = sealed.len; len-- > 0;) {
        sealed.len = len;
        if (crypto_open(&key, "alice", &sealed, &opened, &err) != ERR_PROTOCOL)
            fail_msg("the first %zu bytes are taken for the whole", len);
    }
    assert_string_equal(secret_str(&opened), "kept");
    /* libcurl would find what is left here */
    assert_int_equal(ERR_peek_error(), 0);
    secret_clear(&key);
    secret_clear(&plain);
    secret_clear(&opened);
    secret_clear(&sealed);
}

static void
keys_of_another_length(void **state)
{
    struct secret key = some_key(), text = of("0123456789012345678901234567890123456789");
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    key.len = 31;
    assert_int_equal(crypto_seal(&key, "alice", &text, &out, &err), ERR_USAGE);
    assert_int_equal(crypto_open(&key, "alice", &text, &out, &err), ERR_USAGE);
    key.len = 0;
    assert_int_equal(crypto_seal(&key, "alice", &text, &out, &err), ERR_USAGE);
    assert_string_equal(err.text, "the key is not 32 bytes long");
    assert_int_equal(out.len, 0);
    secret_clear(&key);
    secret_clear(&text);
}

static int
setup_group(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    return crypto_setup(&err);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(random_texts),
        cmocka_unit_test(uuids),
        cmocka_unit_test(sha256),
        cmocka_unit_test(base64url_both_ways),
        cmocka_unit_test(base64url_that_is_none),
        cmocka_unit_test(base64url_keeps_to_the_maximum),
        cmocka_unit_test(pkce_of_the_rfc),
        cmocka_unit_test(pkce_verifiers),
        cmocka_unit_test(gcm_of_the_specification),
        cmocka_unit_test(seal_and_open),
        cmocka_unit_test(what_does_not_open),
        cmocka_unit_test(keys_of_another_length),
    };

    return cmocka_run_group_tests_name("crypto", tests, setup_group, NULL);
}
