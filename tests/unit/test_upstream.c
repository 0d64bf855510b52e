/* test_upstream.c - what a tunnel is told about an account's server. */
#include "accounts/upstream.h"
#include "base/json.h"
#include "oauth_kit.h"

static const char conf[] =
    "account plain { client_id = c user = \"shared@contoso.com\" client_secret = CANARY "
    "}\n"
    "account full { client_id = c imap = \"[2001:db8::1]:1993 starttls\"\n"
    "               proxy = \"socks5h://127.0.0.1:1080\" ca_file = \"/etc/a "
    "\\\"b\\\".pem\" }\n"
    "account users { client_id = c allow_users = { postfix, \"1000\" } }\n"
    "account hve { client_id = c provider = microsoft-hve tenant = t.example }\n";

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
tells(const char *name, enum protocol protocol, const char *expect)
{
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(upstream_json(kit_account(accounts, name), protocol, &out, &err), 0);
    kit_assert_secret(&out, expect);
    secret_clear(&out);
}

static void
the_three_protocols(void **state)
{
    (void)state;
    tells("plain", PROTOCOL_SMTP,
          "{\"user\": \"shared@contoso.com\", \"host\": \"smtp.office365.com\", "
          "\"port\": 587, \"security\": \"starttls\", \"auth\": \"xoauth2\"}");
    tells("plain", PROTOCOL_IMAP,
          "{\"user\": \"shared@contoso.com\", \"host\": \"outlook.office365.com\", "
          "\"port\": 993, \"security\": \"tls\", \"auth\": \"xoauth2\"}");
    tells("plain", PROTOCOL_POP3,
          "{\"user\": \"shared@contoso.com\", \"host\": \"outlook.office365.com\", "
          "\"port\": 995, \"security\": \"tls\", \"auth\": \"xoauth2\"}");
}

static void
with_proxy_and_ca_file(void **state)
{
    (void)state;
    tells("full", PROTOCOL_IMAP,
          "{\"user\": \"full\", \"host\": \"2001:db8::1\", \"port\": 1993, "
          "\"security\": \"starttls\", \"proxy\": \"socks5h://127.0.0.1:1080\", "
          "\"ca_file\": \"/etc/a \\\"b\\\".pem\", \"auth\": \"xoauth2\"}");
}

static void
with_users(void **state)
{
    (void)state;
    tells("users", PROTOCOL_POP3,
          "{\"user\": \"users\", \"host\": \"outlook.office365.com\", \"port\": 995, "
          "\"security\": \"tls\", \"auth\": \"xoauth2\", "
          "\"allow_users\": [\"postfix\", \"1000\"]}");
}

static void
no_such_server(void **state)
{
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(
        upstream_json(kit_account(accounts, "hve"), PROTOCOL_POP3, &out, &err),
        ERR_CONFIG);
    assert_string_equal(err.text, "hve has no pop3 server");
    assert_string_equal(err.hint, "add to its section: pop3 = \"HOST:PORT tls\"");
    assert_int_equal(out.len, 0);
}

static void
no_room(void **state)
{
    struct secret out = {.max = 20};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(
        upstream_json(kit_account(accounts, "plain"), PROTOCOL_SMTP, &out, &err),
        ERR_NOMEM);
    assert_int_equal(err.code, ERR_NOMEM);
    secret_clear(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_protocols),
        cmocka_unit_test(with_proxy_and_ca_file),
        cmocka_unit_test(with_users),
        cmocka_unit_test(no_such_server),
        cmocka_unit_test(no_room),
    };

    return cmocka_run_group_tests_name("upstream", tests, setup, teardown);
}
