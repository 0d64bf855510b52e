/* test_settings.c - server settings and tokens, from an agent and from `mailbearer`. */
#include "fake_agent.h"
#include "scratch.h"

#include "../../fetch-helper/settings.h"
#include "client/agent_client.h"

#define JSON                                                                             \
    "{\"user\": \"alice@contoso.com\", \"host\": \"outlook.office365.com\", \"port\": "  \
    "993, \"security\": \"tls\", \"auth\": \"xoauth2\"}"

static char dir[SCRATCH_PATH_MAX];
static char agent_path[SCRATCH_PATH_MAX];
static char front_path[SCRATCH_PATH_MAX];
static char config_path[SCRATCH_PATH_MAX];
static struct settings settings;
static struct secret token;
static struct err err;

static const struct settings_source alice = {.account = "alice"};

static int
set_up_group(void **state)
{
    (void)state;
    json_setup();
    scratch_make(dir);
    scratch_path(agent_path, dir, "agent.sock");
    scratch_path(front_path, dir, "mailbearer");
    scratch_path(config_path, dir, "accounts.conf");
    setenv(AGENT_SOCKET_ENV, agent_path, 1);
    setenv("MAILBEARER_FRONT", front_path, 1);
    return 0;
}

static int
tear_down_group(void **state)
{
    (void)state;
    scratch_remove(dir);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    settings_clear(&settings);
    secret_clear(&token);
    memset(&err, 0, sizeof err);
    unlink(front_path);
    return 0;
}

/* What stands for `mailbearer`: a shell script. */
static void
front_does(const char *script)
{
    scratch_write(front_path, script, strlen(script), 0755);
}

static int
parse(const char *text)
{
    memset(&err, 0, sizeof err);
    return settings_parse(text, strlen(text), &settings, &err);
}

static void
json_is_taken(void **state)
{
    (void)state;
    assert_int_equal(parse(JSON), 0);
    assert_string_equal(settings.server.user, "alice@contoso.com");
    assert_string_equal(settings.server.host, "outlook.office365.com");
    assert_int_equal(settings.server.port, 993);
    assert_false(settings.server.starttls);
    assert_false(settings.server.password);
    assert_null(settings.server.proxy);
    assert_null(settings.server.ca_file);
    settings_clear(&settings);
    assert_int_equal(parse("{\"user\":\"a\",\"host\":\"::1\",\"port\":143,\"security\":"
                           "\"starttls\",\"proxy\":\"socks5h://p:1\",\"ca_file\":\"/c\","
                           "\"auth\":\"plain\",\"later\":1}"),
                     0);
    assert_true(settings.server.starttls);
    assert_true(settings.server.password);
    assert_string_equal(settings.server.proxy, "socks5h://p:1");
    assert_string_equal(settings.server.ca_file, "/c");
}

static void
json_is_refused(void **state)
{
    static const char *const bad[] = {
        "{\"host\":\"h\",\"port\":1,\"security\":\"tls\",\"auth\":\"plain\"}",
        "{\"user\":\"a\",\"port\":1,\"security\":\"tls\",\"auth\":\"plain\"}",
        "{\"user\":\"a\",\"host\":\"h\",\"security\":\"tls\",\"auth\":\"plain\"}",
        "{\"user\":\"a\",\"host\":\"h\",\"port\":0,\"security\":\"tls\",\"auth\":"
        "\"plain\"}",
        "{\"user\":\"a\",\"host\":\"h\",\"port\":65536,\"security\":\"tls\",\"auth\":"
        "\"plain\"}",
        "{\"user\":\"a\",\"host\":\"h\",\"port\":1,\"security\":\"none\",\"auth\":"
        "\"plain\"}",
        "{\"user\":\"a\",\"host\":\"h\",\"port\":1,\"security\":\"tls\",\"auth\":"
        "\"gssapi\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(parse(bad[i]), ERR_PROTOCOL);
        assert_string_equal(
            err.text, "the account's server settings make no sense to this version");
        assert_null(settings.json);
    }
    assert_int_equal(parse("no json"), ERR_PROTOCOL);
}

static void
overrides(const char *host, const char *port, const char *host_r, int port_r,
          bool starttls)
{
    assert_int_equal(parse(JSON), 0);
    assert_int_equal(settings_override(&settings, host, port, &err), 0);
    assert_string_equal(settings.server.host, host_r);
    assert_int_equal(settings.server.port, port_r);
    assert_int_equal(settings.server.starttls, starttls);
    settings_clear(&settings);
}

static void
host_and_port_of_the_command_line(void **state)
{
    (void)state;
    overrides(NULL, NULL, "outlook.office365.com", 993, false);
    overrides("h", NULL, "h", 993, false);
    overrides("h", "143", "h", 143, true);
    overrides("h", "imap", "h", 143, true);
    overrides("h", "imaps", "h", 993, false);
    overrides("h", "pop3s", "h", 995, false);
    overrides("h", "587", "h", 587, true);
    overrides("h", "smtps", "h", 465, false);
    overrides("h", "1993", "h", 1993, false); /* as the account's own */
}

static void
a_port_that_is_none(void **state)
{
    static const char *const bad[] = {"0", "65536", "http", "12x", "-1", "", " 25"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(parse(JSON), 0);
        assert_int_equal(settings_override(&settings, "h", bad[i], &err), ERR_USAGE);
        settings_clear(&settings);
    }
    assert_string_equal(err.text, "no such port:  25");
}

/* The account's own port is used as the account says. */
static void
the_own_port_whatever_its_number(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"user\":\"a\",\"host\":\"h\",\"port\":993,\"security\":"
                           "\"starttls\",\"auth\":\"xoauth2\"}"),
                     0);
    assert_int_equal(settings_override(&settings, "h", "993", &err), 0);
    assert_true(settings.server.starttls);
}

static void
the_agent_answers(void **state)
{
    static const struct fake_step steps[] = {{FAKE_REPLY, "OK " JSON},
                                             {FAKE_REPLY, "OK tokenCANARY"}};
    struct fake_agent *agent = fake_agent_start(agent_path, steps, 2);

    (void)state;
    assert_int_equal(settings_read(&alice, WIRE_POP3, NULL, NULL, &settings, &err), 0);
    assert_string_equal(fake_agent_request(agent), "upstream pop3 alice");
    assert_int_equal(settings_token(&alice, &token, &err), 0);
    assert_string_equal(fake_agent_request(agent), "token alice");
    assert_string_equal(secret_str(&token), "tokenCANARY");
    assert_int_equal(fake_agent_stop(agent), 2);
}

static void
the_agent_refuses(void **state)
{
    static const struct fake_step steps[] = {
        {FAKE_REPLY, "PERM the sign-in has ended -> mailbearer login alice"},
        {FAKE_REPLY, "TEMP later"}};
    struct fake_agent *agent = fake_agent_start(agent_path, steps, 2);

    (void)state;
    front_does("#!/bin/sh\necho must not be run; exit 0\n");
    assert_int_equal(settings_token(&alice, &token, &err), ERR_PERSON);
    assert_string_equal(err.text, "the sign-in has ended");
    assert_string_equal(err.hint, "mailbearer login alice");
    assert_int_equal(settings_token(&alice, &token, &err), ERR_TEMP);
    assert_int_equal(token.len, 0);
    assert_int_equal(fake_agent_stop(agent), 2);
}

static void
a_fresh_token_from_the_agent(void **state)
{
    static const struct fake_step steps[] = {{FAKE_REPLY, "OK "},
                                             {FAKE_REPLY, "OK nextCANARY"}};
    struct fake_agent *agent = fake_agent_start(agent_path, steps, 1);
    struct secret old = SECRET_INIT;

    (void)state;
    secret_append_str(&old, "oldCANARY");
    front_does("#!/bin/sh\nexit 75\n");
    /* one step: `token` is answered as `rejected` was */
    assert_int_equal(settings_fresh_token(&alice, &old, &token, &err), 0);
    assert_int_equal(fake_agent_stop(agent), 2);
    agent = fake_agent_start(agent_path, steps, 2);
    secret_clear(&token);
    assert_int_equal(settings_fresh_token(&alice, &old, &token, &err), 0);
    assert_string_equal(secret_str(&token), "nextCANARY");
    assert_int_equal(fake_agent_stop(agent), 2);
    secret_clear(&old);
}

static void
the_refused_token_is_named(void **state)
{
    static const struct fake_step steps[] = {{FAKE_REPLY, "PERM no -> x"}};
    struct fake_agent *agent = fake_agent_start(agent_path, steps, 1);
    struct secret old = SECRET_INIT;

    (void)state;
    secret_append_str(&old, "oldCANARY");
    assert_int_equal(settings_fresh_token(&alice, &old, &token, &err), ERR_PERSON);
    assert_string_equal(fake_agent_request(agent), "rejected oldCANARY alice");
    assert_int_equal(fake_agent_stop(agent), 1);
    secret_clear(&old);
}

static void
no_agent(void **state)
{
    struct secret old = SECRET_INIT;

    (void)state;
    secret_append_str(&old, "old");
    front_does("#!/bin/sh\n"
               "case \"$*\" in\n"
               "'upstream imap alice') echo '" JSON "' ;;\n"
               "'token alice') echo frontCANARY ;;\n"
               "'token alice --refresh') echo freshCANARY ;;\n"
               "*) echo \"$*\" >&2; exit 70 ;;\n"
               "esac\n");
    assert_int_equal(settings_read(&alice, WIRE_IMAP, NULL, NULL, &settings, &err), 0);
    assert_int_equal(settings.server.port, 993);
    assert_int_equal(settings_token(&alice, &token, &err), 0);
    assert_string_equal(secret_str(&token), "frontCANARY");
    secret_clear(&token);
    assert_int_equal(settings_fresh_token(&alice, &old, &token, &err), 0);
    assert_string_equal(secret_str(&token), "freshCANARY");
    secret_clear(&old);
}

static void
with_an_accounts_file(void **state)
{
    const struct settings_source source = {.config = config_path, .account = "alice"};
    char script[4096];

    (void)state;
    snprintf(script, sizeof script,
             "#!/bin/sh\n[ \"$*\" = '-c %s token alice' ] && echo fileCANARY\n",
             config_path);
    front_does(script);
    assert_int_equal(settings_token(&source, &token, &err), 0);
    assert_string_equal(secret_str(&token), "fileCANARY");
}

static void
an_account_the_agent_does_not_know(void **state)
{
    static const struct fake_step steps[] = {{FAKE_REPLY, "NOTFOUND "},
                                             {FAKE_REPLY, "NOTFOUND "}};
    struct fake_agent *agent = fake_agent_start(agent_path, steps, 2);

    (void)state;
    front_does("#!/bin/sh\necho 'mailbearer: alice: no such account' >&2\n"
               "echo 'mailbearer: to mend it: add it' >&2\nexit 66\n");
    assert_int_equal(settings_token(&alice, &token, &err), ERR_NOACCOUNT);
    assert_string_equal(err.text, "no such account");
    assert_string_equal(err.hint, "add it");
    /* a user without an accounts file has two agents, and here they are the same */
    assert_int_equal(fake_agent_stop(agent), geteuid() == 0 ? 1 : 2);
}

/* --- whom a local port lets in ---------------------------------------------------------
 */

static int
allows(const char *users, uid_t uid)
{
    char json[512];
    int r;

    snprintf(json, sizeof json,
             "{\"user\": \"u\", \"host\": \"h\", \"port\": 993, \"security\": \"tls\", "
             "\"auth\": \"xoauth2\"%s%s}",
             users[0] != '\0' ? ", \"allow_users\": " : "", users);
    assert_int_equal(settings_parse(json, strlen(json), &settings, &err), 0);
    r = settings_allow(&settings, uid, &err);
    settings_clear(&settings);
    return r;
}

static void
the_users_of_a_port(void **state)
{
    (void)state;
    assert_int_equal(allows("", 0), 0);
    assert_int_equal(allows("", geteuid()), 0);
    assert_int_equal(allows("", 12345), ERR_DENIED);
    assert_string_equal(err.text, "uid 12345 may not use this account");
    assert_string_equal(
        err.hint, "add this user to the account's allow_users in the accounts file");
    assert_int_equal(allows("[\"mail\", \"12345\"]", 12345), 0);
    assert_int_equal(allows("[\"mail\", \"12345\"]", 12346), ERR_DENIED);
    assert_int_equal(allows("[\"daemon\", \"nosuchuser\"]", 1), 0);
    assert_int_equal(allows("[\"nosuchuser\"]", 1), ERR_DENIED);
    assert_int_equal(allows("[\"1x\"]", 1), ERR_DENIED);
    /* nobody in particular */
    assert_int_equal(allows("[\"65534\", \"nobody\"]", 65534), ERR_DENIED);
}

static void
exit_statuses(void **state)
{
    static const struct {
        const char *script;
        int code;
        const char *text;
    } cases[] = {
        {"#!/bin/sh\nexit 64\n", ERR_USAGE, NULL},
        {"#!/bin/sh\nexit 69\n", ERR_NOAGENT, NULL},
        {"#!/bin/sh\nexit 74\n", ERR_STORE, NULL},
        {"#!/bin/sh\nexit 75\n", ERR_TEMP, NULL},
        {"#!/bin/sh\nexit 77\n", ERR_PERSON, NULL},
        {"#!/bin/sh\nexit 78\n", ERR_CONFIG, NULL},
        {"#!/bin/sh\nexit 1\n", ERR_TEMP, "mailbearer failed (status 256)"},
        {"#!/bin/sh\nkill -9 $$\n", ERR_TEMP, "mailbearer failed (status 9)"},
        {"#!/bin/sh\nexit 0\n", ERR_PROTOCOL, "mailbearer printed no token"},
        {"#!/bin/sh\nprintf cut\n", ERR_PROTOCOL, "mailbearer printed no token"},
        {"#!/bin/sh\nhead -c 200000 /dev/zero\n", ERR_PROTOCOL,
         "mailbearer printed more than it should"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        front_does(cases[i].script);
        assert_int_equal(settings_token(&alice, &token, &err), cases[i].code);
        if (cases[i].text != NULL)
            assert_string_equal(err.text, cases[i].text);
        assert_int_equal(token.len, 0);
    }
}

static void
no_program_at_all(void **state)
{
    (void)state;
    assert_int_equal(settings_token(&alice, &token, &err), ERR_NOAGENT);
    assert_non_null(strstr(err.text, "no agent answers, and cannot run "));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(json_is_taken, tear_down),
        cmocka_unit_test_teardown(json_is_refused, tear_down),
        cmocka_unit_test_teardown(host_and_port_of_the_command_line, tear_down),
        cmocka_unit_test_teardown(a_port_that_is_none, tear_down),
        cmocka_unit_test_teardown(the_own_port_whatever_its_number, tear_down),
        cmocka_unit_test_teardown(the_agent_answers, tear_down),
        cmocka_unit_test_teardown(the_agent_refuses, tear_down),
        cmocka_unit_test_teardown(a_fresh_token_from_the_agent, tear_down),
        cmocka_unit_test_teardown(the_refused_token_is_named, tear_down),
        cmocka_unit_test_teardown(no_agent, tear_down),
        cmocka_unit_test_teardown(with_an_accounts_file, tear_down),
        cmocka_unit_test_teardown(an_account_the_agent_does_not_know, tear_down),
        cmocka_unit_test_teardown(the_users_of_a_port, tear_down),
        cmocka_unit_test_teardown(exit_statuses, tear_down),
        cmocka_unit_test_teardown(no_program_at_all, tear_down),
    };

    return cmocka_run_group_tests_name("settings", tests, set_up_group, tear_down_group);
}
