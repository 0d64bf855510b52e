/* test_lookup.c - what is asked of accounts once they are read (but for the keys of
 * Postfix, test_postfix_keys.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "accounts/accounts.h"
#include "conf_file.h"

static void
names_of_accounts(void **state)
{
    struct accounts *accounts =
        conf_accept("account b { client_id = x } account a { client_id = x }\n"
                    "account B { client_id = x }\n");

    (void)state;
    assert_ptr_equal(accounts_find(accounts, "b"), &accounts->account[2]);
    assert_string_equal(accounts_find(accounts, "B")->name, "B");
    assert_null(accounts_find(accounts, "A"));
    assert_null(accounts_find(accounts, ""));
    accounts_free(&accounts);
}

static void
change_is_noticed(void **state)
{
    struct accounts *accounts;

    (void)state;
    conf_write("more.conf", "account a { client_id = x }\n");
    accounts = conf_accept("include(\"more.conf\")\n");
    assert_false(accounts_changed(accounts));
    conf_write("more.conf", "account b { client_id = x }\n"); /* same size, new file */
    assert_true(accounts_changed(accounts));
    accounts_free(&accounts);
    accounts = conf_accept("account a { client_id = x }\n");
    assert_int_equal(chmod("input.conf", 0644), 0);
    assert_true(accounts_changed(accounts));
    accounts_free(&accounts);
    accounts = conf_accept("account a { client_id = x }\n");
    assert_int_equal(unlink("input.conf"), 0);
    assert_true(accounts_changed(accounts));
    accounts_free(&accounts);
}

static void
fingerprints(void **state)
{
    static const char *const variants[] = {
        "user https://login.microsoftonline.com/t1/oauth2/v2.0/token c1 s1",
        "app https://login.microsoftonline.com/t1/oauth2/v2.0/token c1 s1/.default",
        "user https://login.microsoftonline.com/t2/oauth2/v2.0/token c1 s1",
        "user https://login.microsoftonline.com/t1/oauth2/v2.0/token c2 s1",
        "user https://login.microsoftonline.com/t1/oauth2/v2.0/token c1 s2 s3",
        "user https://login.microsoftonline.com/t1/oauth2/v2.0/token c1 s1",
        "user https://login.microsoftonline.com/t1/oauth2/v2.0/token c1 s1",
        "managed   s1/.default",
        "managed  m1 s1/.default",
        "password   ",
        "user https://idp.example>https://idp.example/t c1 s1",
        "user https://idp.example> c1 s1",
    };
    struct accounts *accounts = conf_accept(
        "defaults { tenant = t1 client_id = c1 scope = s1 client_secret_file = /s }\n"
        "provider both { issuer = \"https://idp.example\"\n"
        "  token_endpoint = \"https://idp.example/t\" }\n"
        "provider found { issuer = \"https://idp.example\" }\n"
        "account 00 {}\n"
        "account 01 { grant = client_credentials scope = \"s1/.default\" }\n"
        "account 02 { tenant = t2 }\n"
        "account 03 { client_id = c2 }\n"
        "account 04 { scope = \"s2 s3\" }\n"
        "account 05 { user = other login_hint = other client_secret_file = /other }\n"
        "account 06 { client_certificate = /c redirect_uri = \"https://a.example/\" }\n"
        "account 07 { grant = managed_identity scope = \"s1/.default\" }\n"
        "account 08 { grant = managed_identity scope = \"s1/.default\"\n"
        "  managed_identity_client_id = m1 }\n"
        "account 09 { grant = app_password app_password_file = /p }\n"
        "account 10 { provider = both }\n"
        "account 11 { provider = found }\n");

    (void)state;
    assert_int_equal(accounts->count, sizeof(variants) / sizeof(*variants));
    for (size_t i = 0; i < accounts->count; i++) {
        struct secret text = SECRET_INIT;

        assert_int_equal(account_fingerprint(&accounts->account[i], &text), 0);
        assert_string_equal(secret_str(&text), variants[i]);
        secret_clear(&text);
    }
    accounts_free(&accounts);
}

static void
grant_names(void **state)
{
    (void)state;
    assert_string_equal(grant_name(GRANT_AUTHORIZATION_CODE), "authorization_code");
    assert_string_equal(grant_name(GRANT_CLIENT_CREDENTIALS), "client_credentials");
    assert_string_equal(grant_name(GRANT_MANAGED_IDENTITY), "managed_identity");
    assert_string_equal(grant_name(GRANT_APP_PASSWORD), "app_password");
    assert_string_equal(grant_name((enum grant)GRANT_COUNT), "?");
}

static void
protocol_names(void **state)
{
    (void)state;
    assert_string_equal(protocol_name(PROTOCOL_SMTP), "smtp");
    assert_string_equal(protocol_name(PROTOCOL_IMAP), "imap");
    assert_string_equal(protocol_name(PROTOCOL_POP3), "pop3");
    assert_int_equal(protocol_from_name("smtp"), PROTOCOL_SMTP);
    assert_int_equal(protocol_from_name("imap"), PROTOCOL_IMAP);
    assert_int_equal(protocol_from_name("pop3"), PROTOCOL_POP3);
    assert_int_equal(protocol_from_name("pop"), PROTOCOL_COUNT);
    assert_int_equal(protocol_from_name(""), PROTOCOL_COUNT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_accounts), cmocka_unit_test(change_is_noticed),
        cmocka_unit_test(fingerprints),      cmocka_unit_test(grant_names),
        cmocka_unit_test(protocol_names),
    };

    return cmocka_run_group_tests_name("lookup", tests, conf_setup, conf_teardown);
}
