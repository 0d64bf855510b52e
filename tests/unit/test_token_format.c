/* test_token_format.c - what `mailbearer token` prints, byte for byte. */
#include "base/json.h"
#include "base/token_format.h"
#include "oauth_kit.h"

#define USER "alice@contoso.com"

static void
prints(enum token_format format, const char *user, const char *token, const char *expect)
{
    struct secret out = SECRET_INIT, given = SECRET_INIT;
    struct err err = ERR_INIT;

    kit_set(&given, token);
    if (token_format(format, "the account", user, &given, 1700003600, &out, &err) != 0)
        fail_msg("%s", err.text);
    kit_assert_secret(&out, expect);
    secret_clear(&out);
    secret_clear(&given);
}

static void
refuses(enum token_format format, const char *user, const char *token)
{
    struct secret out = SECRET_INIT, given = SECRET_INIT;
    struct err err = ERR_INIT;

    kit_set(&given, token);
    assert_int_equal(token_format(format, "a", user, &given, 0, &out, &err),
                     ERR_PROTOCOL);
    assert_int_equal(err.code, ERR_PROTOCOL);
    assert_string_not_equal(err.text, "");
    if (token[0] != '\0')
        assert_null(strstr(err.text, token));
    secret_clear(&out);
    secret_clear(&given);
}

static void
names(void **state)
{
    (void)state;
    assert_int_equal(token_format_from_name("raw"), TOKEN_RAW);
    assert_int_equal(token_format_from_name("json"), TOKEN_JSON);
    assert_int_equal(token_format_from_name("xoauth2"), TOKEN_XOAUTH2);
    assert_int_equal(token_format_from_name("oauthbearer"), TOKEN_OAUTHBEARER);
    assert_int_equal(token_format_from_name("header"), TOKEN_HEADER);
    assert_int_equal(token_format_from_name("git-credential"), TOKEN_GIT);
    assert_string_equal(token_format_name(TOKEN_RAW), "raw");
    assert_string_equal(token_format_name(TOKEN_GIT), "git-credential");
    assert_int_equal(token_format_from_name("RAW"), TOKEN_FORMAT_COUNT);
    assert_int_equal(token_format_from_name("raw "), TOKEN_FORMAT_COUNT);
    assert_int_equal(token_format_from_name(""), TOKEN_FORMAT_COUNT);
}

static void
raw_and_header(void **state)
{
    (void)state;
    prints(TOKEN_RAW, USER, "CANARY.token", "CANARY.token\n");
    prints(TOKEN_HEADER, USER, "CANARY.token", "Authorization: Bearer CANARY.token\n");
}

static void
as_json(void **state)
{
    struct json *json = NULL;
    struct secret out = SECRET_INIT, token = SECRET_INIT;
    struct err err = ERR_INIT;
    int64_t expires_at = 0;

    (void)state;
    prints(TOKEN_JSON, USER, "CANARY.token",
           "{\"account\": \"the account\", \"user\": \"alice@contoso.com\", "
           "\"access_token\": \"CANARY.token\", \"expires_at\": 1700003600}\n");
    kit_set(&token, "CANARY\"\\t");
    assert_int_equal(token_format(TOKEN_JSON, "na\"me", "j\xc3\xbcrgen@example.com",
                                  &token, INT64_C(4102444800), &out, &err),
                     0);
    assert_int_equal(json_parse(secret_str(&out), out.len, &json, &err), 0);
    assert_string_equal(json_get_string(json, "account"), "na\"me");
    assert_string_equal(json_get_string(json, "user"), "j\xc3\xbcrgen@example.com");
    assert_string_equal(json_get_string(json, "access_token"), "CANARY\"\\t");
    assert_true(json_get_integer(json, "expires_at", &expires_at));
    assert_int_equal(expires_at, INT64_C(4102444800));
    json_free(&json);
    secret_clear(&out);
    secret_clear(&token);
}

/* The messages were encoded by coreutils' base64; three lengths, three kinds of padding.
 */
static void
as_sasl_messages(void **state)
{
    (void)state;
    prints(TOKEN_XOAUTH2, USER, "CANARY",
           "dXNlcj1hbGljZUBjb250b3NvLmNvbQFhdXRoPUJlYXJlciBDQU5BUlkBAQ==\n");
    prints(TOKEN_XOAUTH2, USER, "CANARY1",
           "dXNlcj1hbGljZUBjb250b3NvLmNvbQFhdXRoPUJlYXJlciBDQU5BUlkxAQE=\n");
    prints(TOKEN_XOAUTH2, USER, "CANARY12",
           "dXNlcj1hbGljZUBjb250b3NvLmNvbQFhdXRoPUJlYXJlciBDQU5BUlkxMgEB\n");
    prints(TOKEN_XOAUTH2, "j\xc3\xbc?~\xef\xbf\xbd", "CANARY",
           "dXNlcj1qw7w/fu+/vQFhdXRoPUJlYXJlciBDQU5BUlkBAQ==\n");
    prints(TOKEN_OAUTHBEARER, USER, "CANARY",
           "bixhPWFsaWNlQGNvbnRvc28uY29tLAFhdXRoPUJlYXJlciBDQU5BUlkBAQ==\n");
}

static void
as_git_takes_it(void **state)
{
    struct secret out = SECRET_INIT, token = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    prints(TOKEN_GIT, USER, "CANARY=.token",
           "username=alice@contoso.com\npassword=CANARY=.token\n"
           "password_expiry_utc=1700003600\n");
    kit_set(&token, "CANARY");
    assert_int_equal(token_format(TOKEN_GIT, "a", USER, &token, 0, &out, &err), 0);
    kit_assert_secret(&out, "username=alice@contoso.com\npassword=CANARY\n");
    secret_clear(&out);
    secret_clear(&token);
    refuses(TOKEN_GIT, USER, "CANARY\nquit=1");
    refuses(TOKEN_GIT, "alice\npassword=x", "CANARY");
}

static void
appends(void **state)
{
    struct secret out = SECRET_INIT, token = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    kit_set(&out, "before ");
    kit_set(&token, "CANARY");
    assert_int_equal(token_format(TOKEN_RAW, "a", USER, &token, 0, &out, &err), 0);
    kit_assert_secret(&out, "before CANARY\n");
    secret_clear(&out);
    secret_clear(&token);
}

static void
what_cannot_stand_in_a_message(void **state)
{
    (void)state;
    refuses(TOKEN_XOAUTH2, USER,
            "CANARY\x01"
            "auth=");
    refuses(TOKEN_XOAUTH2, USER, "CANARY\r\n");
    refuses(TOKEN_XOAUTH2,
            "a\x01"
            "b",
            "CANARY");
    refuses(TOKEN_XOAUTH2, "", "CANARY");
    refuses(TOKEN_OAUTHBEARER, USER, "CANARY\x7f");
    refuses(TOKEN_OAUTHBEARER, USER, "");
    refuses(TOKEN_JSON, USER, "CANARY\xff");
    refuses(TOKEN_JSON, "us\xe9r", "CANARY");
}

static int
setup(void **state)
{
    (void)state;
    json_setup();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(raw_and_header),
        cmocka_unit_test(as_json),
        cmocka_unit_test(as_sasl_messages),
        cmocka_unit_test(as_git_takes_it),
        cmocka_unit_test(appends),
        cmocka_unit_test(what_cannot_stand_in_a_message),
    };

    return cmocka_run_group_tests_name("token_format", tests, setup, NULL);
}
