/* test_import_formats.c - other tools' token files, whole and damaged. */
#include <stdio.h>

#include "base/json.h"
#include "commands/import_formats.h"
#include "oauth_kit.h"

static const char conf[] =
    "account alice@contoso.com {\n"
    "    client_id = 66666666-7777-8888-9999-00000000000a\n"
    "}\n"
    "account shared {\n"
    "    client_id = c user = shared@contoso.com login_hint = bob@contoso.com\n"
    "}\n";

static struct accounts *accounts;

static int
setup(void **state)
{
    json_setup();
    if (conf_setup(state) != 0)
        return -1;
    accounts = conf_accept(conf);
    return 0;
}

static int
teardown(void **state)
{
    accounts_free(&accounts);
    return conf_teardown(state);
}

static void
words(void **state)
{
    (void)state;
    assert_int_equal(import_format_from_name("sasl-xoauth2"), IMPORT_SASL_XOAUTH2);
    assert_int_equal(import_format_from_name("mutt_oauth2"), IMPORT_MUTT_OAUTH2);
    assert_int_equal(import_format_from_name("refresh-token"), IMPORT_REFRESH_TOKEN);
    assert_int_equal(import_format_from_name("mutt-oauth2"), IMPORT_FORMAT_COUNT);
    assert_int_equal(import_format_from_name(""), IMPORT_FORMAT_COUNT);
}

static void
assert_text(const char *text, const char *expect)
{
    if (expect == NULL)
        assert_null(text);
    else
        assert_string_equal(text, expect);
}

static void
takes(enum import_format format, const char *text, const char *token, const char *user,
      const char *client_id)
{
    struct imported imported = IMPORTED_INIT;
    struct secret given = SECRET_INIT;
    struct err err = ERR_INIT;

    kit_set(&given, text);
    if (import_parse(format, &given, "the file", &imported, &err) != 0)
        fail_msg("%s", err.text);
    kit_assert_secret(&imported.refresh_token, token);
    assert_text(imported.user, user);
    assert_text(imported.client_id, client_id);
    imported_clear(&imported);
    secret_clear(&given);
}

/* As the tools themselves write them. */
static void
good_files(void **state)
{
    (void)state;
    takes(IMPORT_SASL_XOAUTH2,
          "{\n\t\"access_token\" : \"CANARY-access\",\n\t\"expiry\" : \"1700003600\",\n"
          "\t\"refresh_token\" : \"CANARY-refresh\"\n}",
          "CANARY-refresh", NULL, NULL);
    takes(IMPORT_SASL_XOAUTH2,
          "{\"refresh_token\": \"CANARY\", \"client_id\": \"c\", \"user\": \"bob@x\", "
          "\"client_secret\": \"CANARY-secret\", \"token_endpoint\": \"https://x/\"}\n",
          "CANARY", "bob@x", "c");
    takes(IMPORT_SASL_XOAUTH2, "{\"refresh_token\": \"CANARY\", \"email\": \"bob@x\"}",
          "CANARY", NULL, NULL);
    takes(IMPORT_MUTT_OAUTH2,
          "{\"registration\": \"microsoft\", \"authflow\": \"devicecode\", \"email\": "
          "\"alice@contoso.com\", \"access_token\": \"CANARY-access\", "
          "\"access_token_expiration\": \"2023-11-14T23:13:20.000001\", "
          "\"refresh_token\": \"CANARY-refresh\", \"client_id\": \"c\", "
          "\"client_secret\": \"\"}",
          "CANARY-refresh", "alice@contoso.com", "c");
    takes(
        IMPORT_MUTT_OAUTH2,
        "{\"registration\": \"google\", \"email\": \"\", \"refresh_token\": \"CANARY\"}",
        "CANARY", NULL, NULL);
    takes(IMPORT_REFRESH_TOKEN, "CANARY refresh", "CANARY refresh", NULL, NULL);
    takes(IMPORT_REFRESH_TOKEN, "CANARY\r\nmore\n", "CANARY", NULL, NULL);
}

static void
refuses(enum import_format format, const char *text, size_t len, const char *line)
{
    struct imported imported = IMPORTED_INIT;
    struct secret given = SECRET_INIT;
    struct err err = ERR_INIT;
    char buf[ERR_LINE_MAX];

    assert_int_equal(secret_set(&given, text, len), 0);
    assert_int_equal(import_parse(format, &given, "the file", &imported, &err),
                     ERR_CONFIG);
    assert_string_equal(err_line(&err, buf), line);
    assert_null(imported.refresh_token.data);
    assert_null(imported.user);
    secret_clear(&given);
}

#define REFUSES(format, text, line) refuses(format, text, sizeof(text) - 1, line)
#define ENCRYPTED                                                                        \
    "the file is encrypted -> name the program that decrypts it: mailbearer import "     \
    "--decrypt 'gpg --decrypt' ..."

static void
bad_files(void **state)
{
    (void)state;
    REFUSES(IMPORT_SASL_XOAUTH2, "{\"access_token\": \"CANARY\"}",
            "the file holds no refresh token -> sign in with sasl-xoauth2 first, or with "
            "mailbearer itself");
    REFUSES(IMPORT_MUTT_OAUTH2, "{\"refresh_token\": \"\", \"access_token\": \"CANARY\"}",
            "the file holds no refresh token -> sign in with mutt_oauth2 first, or with "
            "mailbearer itself");
    REFUSES(IMPORT_MUTT_OAUTH2, "{\"refresh_token\": 7}",
            "the file holds no refresh token -> sign in with mutt_oauth2 first, or with "
            "mailbearer itself");
    REFUSES(IMPORT_MUTT_OAUTH2, "{\"refresh_token\": \"CANARY\\u0001x\"}",
            "the refresh token holds a control character -> see whether the file is what "
            "it should be");
    REFUSES(IMPORT_REFRESH_TOKEN, "",
            "the file holds no refresh token -> give the refresh token alone, on one "
            "line");
    REFUSES(IMPORT_REFRESH_TOKEN, "\nCANARY\n",
            "the file holds no refresh token -> give the refresh token alone, on one "
            "line");
    REFUSES(IMPORT_REFRESH_TOKEN, "CANARY\0more\n",
            "the refresh token holds a control character -> see whether the file is what "
            "it should be");
}

static void
encrypted_files(void **state)
{
    (void)state;
    REFUSES(IMPORT_MUTT_OAUTH2, "-----BEGIN PGP MESSAGE-----\n\nhQEMA", ENCRYPTED);
    REFUSES(IMPORT_MUTT_OAUTH2, "\x85\x01\x0c\x03\x00", ENCRYPTED);
    REFUSES(IMPORT_MUTT_OAUTH2, "age-encryption.org/v1\n-> X25519", ENCRYPTED);
    REFUSES(IMPORT_MUTT_OAUTH2, "-----BEGIN AGE ENCRYPTED FILE-----\n", ENCRYPTED);
    REFUSES(IMPORT_MUTT_OAUTH2, "Salted__\x01\x02", ENCRYPTED);
}

/* The text after the colon is base/json.h's own, and never the content. */
static void
not_json(void **state)
{
    static const char *const texts[] = {"",
                                        "CANARY",
                                        "[\"CANARY\"]",
                                        "{",
                                        "{\"CANARY\":}",
                                        "\"CANARY\"",
                                        "{} {} ",
                                        "{\"refresh_token\": \"CANARY\","};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct imported imported = IMPORTED_INIT;
        struct secret given = SECRET_INIT;
        struct err err = ERR_INIT;

        kit_set(&given, texts[i]);
        assert_int_equal(
            import_parse(IMPORT_MUTT_OAUTH2, &given, "the file", &imported, &err),
            ERR_CONFIG);
        assert_int_equal(
            strncmp(err.text, "the file is not a token file of mutt_oauth2: ", 45), 0);
        assert_null(strstr(err.text, "CANARY"));
        secret_clear(&given);
    }
}

static int
check(const char *account, const char *user, const char *client_id, struct err *err)
{
    char u[100], c[100];
    struct imported imported = {.user = user != NULL ? u : NULL,
                                .client_id = client_id != NULL ? c : NULL};

    snprintf(u, sizeof u, "%s", user != NULL ? user : "");
    snprintf(c, sizeof c, "%s", client_id != NULL ? client_id : "");
    return import_check(&imported, kit_account(accounts, account), err);
}

static void
whose_it_is(void **state)
{
    struct err err = ERR_INIT;
    char line[ERR_LINE_MAX];

    (void)state;
    assert_int_equal(check("alice@contoso.com", NULL, NULL, &err), 0);
    assert_int_equal(check("alice@contoso.com", "Alice@Contoso.com",
                           "66666666-7777-8888-9999-00000000000A", &err),
                     0);
    assert_int_equal(check("shared", "bob@contoso.com", NULL, &err), 0);
    assert_int_equal(check("shared", "shared@contoso.com", "c", &err), 0);
    assert_int_equal(check("shared", "eve@contoso.com", "c", &err), ERR_CONFIG);
    assert_string_equal(err_line(&err, line),
                        "input.conf:4: the refresh token is for eve@contoso.com, and the "
                        "account is for shared@contoso.com -> import it into that "
                        "account, or set login_hint = \"eve@contoso.com\" here");
    assert_int_equal(check("shared", "bob@contoso.com", "d", &err), ERR_CONFIG);
    assert_string_equal(
        err_line(&err, line),
        "input.conf:4: the refresh token belongs to client_id d, the "
        "account has c -> set client_id = \"d\" in the account's section, "
        "or sign in anew");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),     cmocka_unit_test(good_files),
        cmocka_unit_test(bad_files), cmocka_unit_test(encrypted_files),
        cmocka_unit_test(not_json),  cmocka_unit_test(whose_it_is),
    };

    return cmocka_run_group_tests_name("import_formats", tests, setup, teardown);
}
