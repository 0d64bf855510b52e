/* test_setup_values.c - what the names in a template stand for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "setup/setup_values.h"

#define ALICE "alice@contoso.com"

static const char server[] =
    "{\"user\": \"shared@contoso.com\", \"host\": \"mail.example.com\", \"port\": 1993, "
    "\"security\": \"tls\", \"auth\": \"xoauth2\"}";

/* The value is the words, which have blanks between them here. */
static void
is(const struct setup_values *values, enum setup_name name, const char *expected)
{
    const struct secret *value = &values->value[name];
    struct secret joined = SECRET_INIT;

    secret_append(&joined, value->data, value->len);
    for (size_t i = 0; i < joined.len; i++)
        if (joined.data[i] == '\0')
            joined.data[i] = ' ';
    assert_string_equal(secret_str(&joined), expected);
    secret_clear(&joined);
}

static void
account_values(struct setup_values *values, const char *config, bool of_system)
{
    const struct setup_account account = {
        .name = ALICE, .config = config, .file = "/etc/x.conf", .system = of_system};
    struct err err = ERR_INIT;

    assert_int_equal(setup_values_account(values, &account, &err), 0);
}

static int
server_values(struct setup_values *values, enum protocol protocol, const char *json)
{
    struct err err = ERR_INIT;

    return setup_values_server(values, protocol, json, strlen(json), &err);
}

static void
names_are_found(void **state)
{
    (void)state;
    assert_int_equal(setup_name_find("ACCOUNT", 7), SETUP_ACCOUNT);
    assert_int_equal(setup_name_find("IMAP_HOST@ rest", 9), SETUP_IMAP_HOST);
    assert_int_equal(setup_name_find("ACCOUN", 6), SETUP_NAME_COUNT);
    assert_int_equal(setup_name_find("ACCOUNTS", 8), SETUP_NAME_COUNT);
    assert_int_equal(setup_name_find("", 0), SETUP_NAME_COUNT);
    assert_string_equal(setup_name_text(SETUP_SMTP_PORT), "SMTP_PORT");
}

/* This test program has no mailbearer beside it: the installed ones are named. */
static void
an_account_makes_the_commands(void **state)
{
    struct setup_values values = {0};

    (void)state;
    account_values(&values, NULL, false);
    is(&values, SETUP_ACCOUNT, ALICE);
    is(&values, SETUP_MAILBEARER, MAILBEARER_BINDIR "/mailbearer");
    is(&values, SETUP_TOKEN, MAILBEARER_BINDIR "/mailbearer token " ALICE);
    is(&values, SETUP_TOKEN_XOAUTH2,
       MAILBEARER_BINDIR "/mailbearer token " ALICE " --format xoauth2");
    is(&values, SETUP_FETCH, MAILBEARER_BINDIR "/mailbearer-fetch");
    is(&values, SETUP_ACCOUNTS_FILE, "/etc/x.conf");
    is(&values, SETUP_CONFIG, "");
    is(&values, SETUP_SYSTEM, "");
    is(&values, SETUP_CA_FILE, "");
    is(&values, SETUP_CA_SYSTEM, "/etc/ssl/certs/ca-certificates.crt");
    is(&values, SETUP_JAIL_SOCKET, "/var/spool/postfix/run/mailbearer/agent.sock");
    assert_true(values.value[SETUP_LOGIN].len > 0);
    assert_true(values.value[SETUP_HOME].len > 0);
    setup_values_clear(&values);
}

static void
a_named_accounts_file_goes_into_every_command(void **state)
{
    struct setup_values values = {0};

    (void)state;
    account_values(&values, "/../dev/null", true);
    is(&values, SETUP_CONFIG, "/dev/null");
    is(&values, SETUP_SYSTEM, "yes");
    is(&values, SETUP_TOKEN, MAILBEARER_BINDIR "/mailbearer -c /dev/null token " ALICE);
    is(&values, SETUP_FETCH, MAILBEARER_BINDIR "/mailbearer-fetch -c /dev/null");
    setup_values_clear(&values);
}

static void
a_delegate_and_who_must_be_allowed(void **state)
{
    const struct setup_account shared = {.name = "team",
                                         .file = "/etc/x.conf",
                                         .system = true,
                                         .delegate = ALICE,
                                         .sender = "alice"};
    struct setup_values values = {0};
    struct err err = ERR_INIT;

    (void)state;
    account_values(&values, NULL, false);
    is(&values, SETUP_DELEGATE, "");
    is(&values, SETUP_SENDER, "");
    is(&values, SETUP_ALLOW, ""); /* a person's own account */
    setup_values_clear(&values);
    assert_int_equal(setup_values_account(&values, &shared, &err), 0);
    is(&values, SETUP_DELEGATE, ALICE);
    is(&values, SETUP_SENDER, "alice");
    is(&values, SETUP_ALLOW, getuid() == 0 ? "" : secret_str(&values.value[SETUP_LOGIN]));
    setup_values_clear(&values);
}

static void
a_named_accounts_file_must_be_there(void **state)
{
    const struct setup_account account = {.name = ALICE, .config = "/dev/null/x"};
    struct setup_values values = {0};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(setup_values_account(&values, &account, &err), ERR_CONFIG);
    assert_string_equal(err.text, "/dev/null/x: Not a directory");
    setup_values_clear(&values);
}

static void
a_server_sets_its_names(void **state)
{
    struct setup_values values = {0};

    (void)state;
    account_values(&values, NULL, false);
    assert_int_equal(server_values(&values, PROTOCOL_IMAP, server), 0);
    is(&values, SETUP_USER, "shared@contoso.com");
    is(&values, SETUP_IMAP_HOST, "mail.example.com");
    is(&values, SETUP_IMAP_PORT, "1993");
    is(&values, SETUP_IMAP_TLS, "yes");
    is(&values, SETUP_IMAP_STARTTLS, "");
    is(&values, SETUP_FETCH_IMAP, MAILBEARER_BINDIR "/mailbearer-fetch imap " ALICE);
    is(&values, SETUP_SMTP_HOST, "");
    is(&values, SETUP_FETCH_SMTP, "");
    is(&values, SETUP_APP_PASSWORD, "");
    is(&values, SETUP_MICROSOFT, "");
    setup_values_clear(&values);
}

static void
what_follows_from_a_server(void **state)
{
    struct setup_values values = {0};

    (void)state;
    account_values(&values, NULL, false);
    assert_int_equal(server_values(&values, PROTOCOL_SMTP,
                                   "{\"user\": \"u\", \"host\": \"SMTP.office365.com\", "
                                   "\"port\": 587, \"security\": \"starttls\", "
                                   "\"auth\": \"plain\", \"ca_file\": \"/ca.pem\", "
                                   "\"proxy\": \"socks5h://p:1080\"}"),
                     0);
    is(&values, SETUP_SMTP_STARTTLS, "yes");
    is(&values, SETUP_SMTP_TLS, "");
    is(&values, SETUP_MICROSOFT, "yes");
    is(&values, SETUP_GOOGLE, "");
    is(&values, SETUP_APP_PASSWORD, "yes");
    is(&values, SETUP_CA_FILE, "/ca.pem");
    is(&values, SETUP_CA_SYSTEM, "/ca.pem");
    is(&values, SETUP_PROXY, "socks5h://p:1080");
    setup_values_clear(&values);
}

/* Whose a server is, is the end of its name after a dot. */
static void
a_name_that_only_looks_like_theirs(void **state)
{
    struct setup_values values = {0};

    (void)state;
    assert_int_equal(server_values(&values, PROTOCOL_POP3,
                                   "{\"user\": \"u\", \"host\": \"notgmail.com\", "
                                   "\"port\": 995, \"security\": \"tls\"}"),
                     0);
    is(&values, SETUP_GOOGLE, "");
    assert_int_equal(server_values(&values, PROTOCOL_POP3,
                                   "{\"user\": \"u\", \"host\": \"pop.gmail.com\", "
                                   "\"port\": 995, \"security\": \"tls\"}"),
                     0);
    is(&values, SETUP_GOOGLE, "yes");
    setup_values_clear(&values);
}

static void
other_json_is_refused(void **state)
{
    struct setup_values values = {0};

    (void)state;
    assert_int_equal(server_values(&values, PROTOCOL_IMAP, "{}"), ERR_PROTOCOL);
    assert_int_equal(server_values(&values, PROTOCOL_IMAP, "nothing"), ERR_PROTOCOL);
    assert_int_equal(
        server_values(&values, PROTOCOL_IMAP, "{\"user\": \"u\", \"host\": \"h\"}"),
        ERR_PROTOCOL);
    is(&values, SETUP_IMAP_HOST, "");
    setup_values_clear(&values);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(an_account_makes_the_commands),
        cmocka_unit_test(a_named_accounts_file_goes_into_every_command),
        cmocka_unit_test(a_delegate_and_who_must_be_allowed),
        cmocka_unit_test(a_named_accounts_file_must_be_there),
        cmocka_unit_test(a_server_sets_its_names),
        cmocka_unit_test(what_follows_from_a_server),
        cmocka_unit_test(a_name_that_only_looks_like_theirs),
        cmocka_unit_test(other_json_is_refused),
    };

    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
