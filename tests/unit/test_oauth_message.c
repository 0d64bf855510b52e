/* test_oauth_message.c - the SASL messages byte for byte, and refusals as log lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/oauth_message.h"

static struct secret token;
static struct secret out;

static int
clear(void **state)
{
    (void)state;
    secret_clear(&token);
    secret_clear(&out);
    return 0;
}

static int
build(enum oauth_mech mech, const char *user, const char *tok, struct err *err)
{
    assert_int_equal(secret_set(&token, tok, strlen(tok)), 0);
    return oauth_message_build(mech, user, &token, &out, err);
}

/* Not the code under test: RFC 4648 by hand. */
static void
base64(const struct secret *s, char *to)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < s->len; i += 3) {
        unsigned n = (unsigned)(unsigned char)s->data[i] << 16;

        if (i + 1 < s->len)
            n |= (unsigned)(unsigned char)s->data[i + 1] << 8;
        if (i + 2 < s->len)
            n |= (unsigned char)s->data[i + 2];
        *to++ = digits[n >> 18];
        *to++ = digits[n >> 12 & 63];
        *to++ = i + 1 < s->len ? digits[n >> 6 & 63] : '=';
        *to++ = i + 2 < s->len ? digits[n & 63] : '=';
    }
    *to = '\0';
}

static void
microsofts_example(void **state)
{
    char coded[400];

    (void)state;
    assert_int_equal(build(OAUTH_XOAUTH2, "test@contoso.onmicrosoft.com",
                           "EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA", NULL),
                     0);
    base64(&out, coded);
    assert_string_equal(
        coded,
        "dXNlcj10ZXN0QGNvbnRvc28ub25taWNyb3NvZnQuY29tAWF1dGg9QmVhcmVyIEV3QkFBbDNCQUFV"
        "RkZwVUFvN0ozVmUwYmpMQldaV0NjbFJDM0VvQUEBAQ==");
}

static void
oauthbearer_bytes(void **state)
{
    static const char expect[] =
        "n,a=user@example.com,\001auth=Bearer vF9dft4q.CANARY==\001\001";

    (void)state;
    assert_int_equal(
        build(OAUTH_OAUTHBEARER, "user@example.com", "vF9dft4q.CANARY==", NULL), 0);
    assert_int_equal(out.len, sizeof(expect) - 1);
    assert_memory_equal(out.data, expect, sizeof(expect) - 1);
}

static void
only_oauthbearer_escapes_the_user(void **state)
{
    (void)state;
    assert_int_equal(build(OAUTH_OAUTHBEARER, ",a=b,", "t", NULL), 0);
    assert_string_equal(secret_str(&out), "n,a==2Ca=3Db=2C,\001auth=Bearer t\001\001");
    assert_int_equal(build(OAUTH_XOAUTH2, ",a=b,", "t", NULL), 0);
    assert_string_equal(secret_str(&out), "user=,a=b,\001auth=Bearer t\001\001");
    assert_int_equal(build(OAUTH_XOAUTH2, "j\xc3\xbcrgen@x", "t", NULL), 0);
    assert_string_equal(secret_str(&out),
                        "user=j\xc3\xbcrgen@x\001auth=Bearer t\001\001");
}

static void
control_characters_are_refused(void **state)
{
    static const char *const bad[] = {"a\001b", "a\r", "\na", "a\tb", "a\x7f"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        for (enum oauth_mech m = OAUTH_XOAUTH2; m <= OAUTH_OAUTHBEARER; m++) {
            struct err err = ERR_INIT;

            assert_int_equal(build(m, bad[i], "token", &err), ERR_USAGE);
            assert_string_equal(err.text, "the user name holds a control character");
            assert_int_equal(out.len, 0);
            assert_int_equal(build(m, "user", bad[i], &err), ERR_USAGE);
            assert_string_equal(err.text, "the access token holds a control character");
            assert_int_equal(out.len, 0);
        }
    }
    assert_int_equal(secret_set(&token, "a\0b", 3), 0);
    assert_int_equal(oauth_message_build(OAUTH_XOAUTH2, "u", &token, &out, NULL),
                     ERR_USAGE);
}

static void
empty_fields_are_refused(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(build(OAUTH_XOAUTH2, "", "t", &err), ERR_USAGE);
    assert_string_equal(err.text, "the user name is empty");
    assert_int_equal(build(OAUTH_XOAUTH2, "u", "", &err), ERR_USAGE);
    assert_string_equal(err.text, "the access token is empty");
}

static void
too_long_is_refused(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(build(OAUTH_XOAUTH2, "u", "t", NULL), 0);
    secret_clear(&out);
    out.max = 30;
    assert_int_equal(build(OAUTH_XOAUTH2, "u", "t", &err), ERR_PROTOCOL);
    assert_string_equal(err.text, "no room for the message of 1 bytes");
    assert_int_equal(out.len, 0);
    out.max = 0;
}

static void
what_answers_a_refusal(void **state)
{
    size_t len = 99;

    (void)state;
    assert_string_equal(oauth_message_abort(OAUTH_XOAUTH2, &len), "");
    assert_int_equal(len, 0);
    assert_string_equal(oauth_message_abort(OAUTH_OAUTHBEARER, &len), "\001");
    assert_int_equal(len, 1);
}

static void
what_is_a_refusal(void **state)
{
    (void)state;
    assert_true(oauth_refusal_is("{\"status\":\"401\"}", 16));
    assert_true(oauth_refusal_is(" \r\n\t{", 5));
    assert_true(oauth_refusal_is("{", 1));
    assert_false(oauth_refusal_is(NULL, 0));
    assert_false(oauth_refusal_is("", 0));
    assert_false(oauth_refusal_is("{", 0));
    assert_false(oauth_refusal_is("   ", 3));
    assert_false(oauth_refusal_is("dXNlcj1h{", 9));
    assert_false(oauth_refusal_is("\0{", 2));
}

static const char *
refusal(const char *challenge, const char *tok)
{
    static char buf[OAUTH_REFUSAL_MAX];

    assert_int_equal(secret_set(&token, tok, strlen(tok)), 0);
    return oauth_refusal_text(challenge, strlen(challenge), &token, buf);
}

static void
refusal_text_is_clean_and_short(void **state)
{
    char big[2000];

    (void)state;
    assert_string_equal(
        refusal("{\"status\":\"401\",\"schemes\":\"bearer\"}", "tokenCANARY"),
        "{\"status\":\"401\",\"schemes\":\"bearer\"}");
    assert_string_equal(refusal("{\r\n\"a\":\"\x1b[1m\xc2\x9b\xff\"}", "tokenCANARY"),
                        "{??\"a\":\"?[1m??\"}");
    memset(big, 'x', sizeof(big) - 1);
    big[0] = '{';
    big[sizeof(big) - 1] = '\0';
    assert_int_equal(strlen(refusal(big, "tokenCANARY")), OAUTH_REFUSAL_MAX - 1);
}

static void
refusal_text_never_has_the_token(void **state)
{
    static const char hidden[] = "(not shown: it repeats the token)";
    static const char tok[] = "eyJ0eXAiOiJKV1QiCANARYabcdefghijklmnop";
    char text[600];

    (void)state;
    snprintf(text, sizeof(text), "{\"error\":\"bad token %s\"}", tok);
    assert_string_equal(refusal(text, tok), hidden);
    /* Only sixteen bytes from its middle. */
    snprintf(text, sizeof(text), "{\"e\":\"...%.16s...\"}", tok + 10);
    assert_string_equal(refusal(text, tok), hidden);
    snprintf(text, sizeof(text), "{\"e\":\"...%.15s...\"}", tok + 10);
    assert_string_equal(refusal(text, tok), text);
    /* Begins within what is shown and ends behind it. */
    memset(text, 'x', sizeof(text) - 1);
    text[0] = '{';
    memcpy(text + OAUTH_REFUSAL_MAX - 1 - 16, tok, sizeof(tok) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_string_equal(refusal(text, tok), hidden);
    /* What stands for a control character in it makes the token. */
    assert_string_equal(refusal("{\"a\1CANARYdefghijklmn\"}", "a?CANARYdefghijklmnopq"),
                        hidden);
    /* A token shorter than that. */
    assert_string_equal(refusal("{\"e\":\"short1\"}", "short1"), hidden);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(microsofts_example, clear),
        cmocka_unit_test_teardown(oauthbearer_bytes, clear),
        cmocka_unit_test_teardown(only_oauthbearer_escapes_the_user, clear),
        cmocka_unit_test_teardown(control_characters_are_refused, clear),
        cmocka_unit_test_teardown(empty_fields_are_refused, clear),
        cmocka_unit_test_teardown(too_long_is_refused, clear),
        cmocka_unit_test_teardown(what_answers_a_refusal, clear),
        cmocka_unit_test_teardown(what_is_a_refusal, clear),
        cmocka_unit_test_teardown(refusal_text_is_clean_and_short, clear),
        cmocka_unit_test_teardown(refusal_text_never_has_the_token, clear),
    };

    return cmocka_run_group_tests_name("oauth_message", tests, NULL, NULL);
}
