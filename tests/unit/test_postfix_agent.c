/* test_postfix_agent.c - doctor --postfix: the accounts, and what the agent answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "conf_file.h"
#include "postfix_kit.h"

#define ACCOUNT(rest)                                                                    \
    "account \"relay@contoso.com\" {\n"                                                  \
    "    tenant = contoso.com\n"                                                         \
    "    client_id = 1\n" rest "}\n"

static struct postfix_facts *facts;
static struct accounts *accounts;

/* With this accounts file. */
static void
expect(const char *file, int status, const char *text)
{
    accounts = conf_accept(file);
    facts->accounts = accounts;
    kit_expect(postfix_check_accounts, facts, status, text);
    accounts_free(&accounts);
}

static int
setup(void **state)
{
    (void)state;
    facts = kit_begin(NULL, NULL);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    kit_end(&facts);
    return 0;
}

static void
postfix_may_ask(void **state)
{
    (void)state;
    expect(ACCOUNT("    allow_users = { fetchmail, postfix }\n"), EX_OK,
           "+ relay@contoso.com, which postfix may ask for\n");
    expect(ACCOUNT("    allow_users = { 103 }\n"), EX_OK,
           "+ relay@contoso.com, which postfix may ask for\n");
}

static void
postfix_may_not_ask(void **state)
{
    (void)state;
    expect(ACCOUNT("    allow_users = { fetchmail }\n"), EX_NOPERM,
           "X relay@contoso.com: allow_users does not name postfix\n"
           "-> in the account relay@contoso.com (input.conf:1): allow_users = { postfix "
           "}\n");
    expect(ACCOUNT(""), EX_NOPERM,
           "X relay@contoso.com: allow_users does not name postfix\n"
           "-> in the account relay@contoso.com (input.conf:1): allow_users = { postfix "
           "}\n");
}

static void
no_such_account(void **state)
{
    (void)state;
    snprintf(facts->relays[0].entry.where, ENTRY_TEXT_MAX, "sales@contoso.com");
    expect(ACCOUNT(""), EX_NOINPUT,
           "X input.conf has no account sales@contoso.com, which the entry "
           "[smtp.office365.com]:587 names\n"
           "-> see how it is spelled there: mailbearer status\n");
    snprintf(facts->relays[0].entry.where, ENTRY_TEXT_MAX, "Relay@contoso.com");
    expect(ACCOUNT(""), EX_NOINPUT,
           "X input.conf has no account Relay@contoso.com, which the entry "
           "[smtp.office365.com]:587 names\n"
           "-> it is spelled relay@contoso.com there: write that in the entry\n");
}

static void
another_user_than_the_accounts(void **state)
{
    (void)state;
    expect(ACCOUNT("    allow_users = { postfix }\n    user = shared@contoso.com\n"),
           EX_OK,
           "! the entry [smtp.office365.com]:587 signs in as relay@contoso.com, with a "
           "token for shared@contoso.com\n"
           "-> write shared@contoso.com in front of its colon, unless it is meant so\n");
}

static void
the_agents_table(void **state)
{
    struct postfix_relay *r = &facts->relays[0];

    (void)state;
    r->entry.kind = ENTRY_TABLE;
    r->entry.where[0] = '\0';
    snprintf(r->key, sizeof r->key, "smtp.office365.com");
    expect(ACCOUNT("    allow_users = { postfix }\n"), EX_OK,
           "+ relay@contoso.com, which postfix may ask for\n");
    expect(ACCOUNT(""), EX_NOPERM,
           "X relay@contoso.com: allow_users does not name postfix\n"
           "-> in the account relay@contoso.com (input.conf:1): allow_users = { postfix "
           "}\n");
}

static void
no_accounts_file(void **state)
{
    (void)state;
    kit_expect(postfix_check_accounts, facts, EX_OK,
               "~ the system's accounts file is not looked at: not root\n");
    err_set(&facts->accounts_err, ERR_CONFIG, "there is no accounts file");
    err_hint(&facts->accounts_err, "write one");
    kit_expect(postfix_check_accounts, facts, EX_CONFIG,
               "X there is no accounts file\n-> write one\n");
}

/* --- agent ---------------------------------------------------------------------------
 */

static void
a_token_was_given(void **state)
{
    (void)state;
    kit_expect(postfix_check_agent, facts, EX_OK,
               "+ as postfix, in the jail /var/spool/postfix: a token for "
               "relay@contoso.com\n");
    facts->relays[0].chrooted = false;
    kit_expect(postfix_check_agent, facts, EX_OK,
               "+ as postfix: a token for relay@contoso.com\n");
    facts->relays[0].asked = false;
    kit_expect(postfix_check_agent, facts, EX_OK, "");
}

static void
no_agent(void **state)
{
    struct postfix_relay *r = &facts->relays[0];

    (void)state;
    err_set(&r->answer, ERR_NOAGENT, "no agent at /run/mailbearer/agent.sock");
    kit_expect(
        postfix_check_agent, facts, EX_UNAVAILABLE,
        "X no agent at /run/mailbearer/agent.sock, as seen in the jail "
        "/var/spool/postfix\n"
        "-> the agent must listen there too: systemctl daemon-reload; systemctl "
        "restart mailbearer.socket; or, without systemd, mailbearer agent --listen "
        "/run/mailbearer/agent.sock --listen "
        "/var/spool/postfix/run/mailbearer/agent.sock\n");
    r->chrooted = false;
    kit_expect(postfix_check_agent, facts, EX_UNAVAILABLE,
               "X no agent at /run/mailbearer/agent.sock\n"
               "-> systemctl enable --now mailbearer.socket; or, without systemd, "
               "mailbearer agent\n");
}

static void
what_the_agent_says_is_passed_on(void **state)
{
    struct postfix_relay *r = &facts->relays[0];

    (void)state;
    err_set(&r->answer, ERR_DENIED, "uid 103 may not have relay@contoso.com");
    err_hint(&r->answer, "allow_users");
    kit_expect(postfix_check_agent, facts, EX_NOPERM,
               "X uid 103 may not have relay@contoso.com\n-> allow_users\n");
    err_set(&r->answer, ERR_TEMP, "the network is down");
    kit_expect(postfix_check_agent, facts, EX_TEMPFAIL,
               "X the network is down\n"
               "-> try again; if it stays so, check the network and the agent's log\n");
    err_set(&r->answer, ERR_STORE, "cannot enter /var/spool/postfix");
    kit_expect(postfix_check_agent, facts, EX_OK,
               "~ what Postfix gets is not known: cannot enter /var/spool/postfix\n");
}

static void
the_same_token_is_told_once(void **state)
{
    struct postfix_relay *r = kit_relay(facts, "[a.example]:587", "smtp", ENTRY_AGENT);

    (void)state;
    r->ours = r->asked = r->chrooted = true;
    r->entry = facts->relays[0].entry;
    kit_expect(postfix_check_agent, facts, EX_OK,
               "+ as postfix, in the jail /var/spool/postfix: a token for "
               "relay@contoso.com\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(postfix_may_ask),
        CASE(postfix_may_not_ask),
        CASE(no_such_account),
        CASE(another_user_than_the_accounts),
        CASE(the_agents_table),
        CASE(no_accounts_file),
        CASE(a_token_was_given),
        CASE(no_agent),
        CASE(what_the_agent_says_is_passed_on),
        CASE(the_same_token_is_told_once),
    };

    return cmocka_run_group_tests_name("postfix_agent", tests, conf_setup, conf_teardown);
}
