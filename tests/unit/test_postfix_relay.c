/* test_postfix_relay.c - doctor --postfix: next hops, tables and entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "doctor/postfix_gather.h"
#include "postfix_kit.h"

#define RELAY "[smtp.office365.com]:587"
#define GOOD                                                                             \
    "+ " RELAY " (relayhost, service smtp): relay@contoso.com, token of the account "    \
    "relay@contoso.com\n"

static struct postfix_facts *facts;

static void
expect(int status, const char *text)
{
    kit_expect(postfix_check_relays, facts, status, text);
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
all_is_well(void **state)
{
    (void)state;
    expect(EX_OK, GOOD);
}

static void
from_a_file_and_from_the_agents_table(void **state)
{
    struct entry *e = &facts->relays[0].entry;

    (void)state;
    e->kind = ENTRY_FILE;
    snprintf(e->where, sizeof e->where, "/token");
    expect(EX_OK, "+ " RELAY " (relayhost, service smtp): relay@contoso.com, token from "
                  "/token\n");
    e->kind = ENTRY_TABLE;
    expect(EX_OK, "+ " RELAY " (relayhost, service smtp): relay@contoso.com, token from "
                  "the agent's table\n");
}

static void
no_relay(void **state)
{
    (void)state;
    facts->relay_count = 0;
    expect(EX_CONFIG, "X mail goes to no relay: relayhost is empty\n"
                      "-> postconf -e 'relayhost = [smtp.office365.com]:587'\n");
}

static void
no_entry(void **state)
{
    (void)state;
    facts->relays[0].entry.kind = ENTRY_NONE;
    expect(EX_CONFIG, "X smtp_sasl_password_maps has no entry for " RELAY "\n"
                      "-> add to its table: " RELAY "  MAILBOX:agent:\n");
}

static void
an_entry_that_is_spelled_otherwise(void **state)
{
    (void)state;
    facts->relays[0].entry.kind = ENTRY_NONE;
    snprintf(facts->orphans[0], sizeof facts->orphans[0], "Smtp.Office365.com:587");
    facts->orphan_count = 1;
    expect(EX_CONFIG,
           "X no entry for " RELAY ": the one for this host is spelled "
           "Smtp.Office365.com:587\n"
           "-> in the table of smtp_sasl_password_maps, write " RELAY " for "
           "Smtp.Office365.com:587\n"
           "! the entry Smtp.Office365.com:587 is for no relay of this Postfix\n"
           "-> spell it as the relay is, with brackets and port, or remove it\n");
}

static void
no_tables(void **state)
{
    (void)state;
    kit_end(&facts);
    facts = kit_begin("smtp_sasl_password_maps =\n", NULL);
    facts->relays[0].entry.kind = ENTRY_NONE;
    expect(EX_CONFIG, "X smtp_sasl_password_maps is empty (service smtp)\n"
                      "-> postconf -e 'smtp_sasl_password_maps = "
                      "texthash:/etc/postfix/sasl_passwd'\n");
}

static void
a_password_where_the_label_should_be(void **state)
{
    struct postfix_relay *r = &facts->relays[0];

    (void)state;
    r->entry = (struct entry){ENTRY_LITERAL, "", ""};
    expect(EX_CONFIG,
           "X the entry " RELAY " has a password or token itself: a token lasts an hour\n"
           "-> write in its place: " RELAY "  MAILBOX:agent:\n");
    r->entry.kind = ENTRY_EMPTY;
    expect(EX_CONFIG, "X the entry " RELAY " has no password\n"
                      "-> write in its place: " RELAY "  MAILBOX:agent:\n");
}

static void
a_table_that_refuses(void **state)
{
    struct postfix_relay *r = &facts->relays[0];

    (void)state;
    r->entry.kind = ENTRY_UNKNOWN;
    snprintf(r->table, sizeof r->table, "socketmap:unix:/run/a:sasl");
    err_set(&r->entry_err, ERR_PERSON, "AADSTS7000222");
    err_hint(&r->entry_err, "make a new secret");
    expect(EX_NOPERM, "X socketmap:unix:/run/a:sasl, asked for " RELAY ": AADSTS7000222\n"
                      "-> make a new secret\n");
}

static void
files_of_tables(void **state)
{
    static const struct {
        enum table_problem problem;
        int status;
        const char *text;
    } cases[] = {
        {TABLE_FINE, EX_OK, ""},
        {TABLE_ABSENT, EX_CONFIG,
         "X hash:/etc/p is not there\n"
         "-> make that file, or correct the setting that names it\n"},
        {TABLE_NOT_BUILT, EX_CONFIG,
         "X hash:/etc/p has not been made from its source\n"
         "-> postmap hash:/etc/p\n"},
        {TABLE_STALE, EX_OK,
         "! hash:/etc/p is older than its source\n"
         "-> postmap hash:/etc/p\n"},
        {TABLE_BROKEN, EX_CONFIG,
         "X hash:/etc/p cannot be opened by postmap\n"
         "-> postmap hash:/etc/p\n"},
        {TABLE_DENIED, EX_OK,
         "! hash:/etc/p cannot be read by this user\n"
         "-> run as root: mailbearer doctor --postfix\n"},
        {TABLE_OPEN, EX_OK,
         "! hash:/etc/p has passwords, and everybody may read it\n"
         "-> chmod 600 /etc/p*\n"},
        {TABLE_OTHER, EX_OK, "~ hash:/etc/p: entries of this type are not listed\n"},
    };
    char text[400];

    (void)state;
    facts->table_count = 1;
    snprintf(facts->tables[0].label, sizeof facts->tables[0].label, "hash:/etc/p");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        facts->tables[0].problem = cases[i].problem;
        snprintf(text, sizeof text, "%s%s", cases[i].text, GOOD);
        expect(cases[i].status, text);
    }
}

static void
a_next_hop_without_brackets(void **state)
{
    struct postfix_relay *r = &facts->relays[0];

    (void)state;
    assert_true(nexthop_parse("smtp.office365.com:587", 22, &r->hop));
    expect(EX_OK,
           "! smtp.office365.com:587 has no brackets: Postfix asks DNS which hosts take "
           "its mail (MX)\n"
           "-> postconf -e 'relayhost = [smtp.office365.com]:587'\n"
           "+ smtp.office365.com:587 (relayhost, service smtp): relay@contoso.com, token "
           "of the account relay@contoso.com\n");
}

static void
who_is_ours(void **state)
{
    (void)state;
    facts->relay_count = 0;
    kit_relay(facts, "[mail.example]:25", "smtp", ENTRY_NONE);
    postfix_choose_ours(facts); /* the only one: it is what the question is about */
    assert_true(facts->relays[0].ours);
    facts->relays[0].ours = false;
    kit_relay(facts, "[mail.example]:26", "smtp", ENTRY_LITERAL);
    kit_relay(facts, "[mail.example]:27", "smtp", ENTRY_AGENT);
    kit_relay(facts, RELAY, "smtp", ENTRY_NONE);
    postfix_choose_ours(facts);
    assert_false(facts->relays[0].ours);
    assert_false(facts->relays[1].ours);
    assert_true(facts->relays[2].ours);
    assert_true(facts->relays[3].ours);
}

static void
nobody_signs_in_with_a_token(void **state)
{
    (void)state;
    facts->relay_count = 0;
    kit_relay(facts, "[mail.example]:25", "smtp", ENTRY_NONE);
    kit_relay(facts, "[mail.example]:26", "smtp", ENTRY_LITERAL);
    expect(EX_CONFIG, "~ [mail.example]:26 signs in with a password\n"
                      "X no relay of this Postfix signs in with a token\n"
                      "-> the entry of one in smtp_sasl_password_maps must be: NEXTHOP  "
                      "MAILBOX:agent:\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_is_well, setup, teardown),
        cmocka_unit_test_setup_teardown(from_a_file_and_from_the_agents_table, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(no_relay, setup, teardown),
        cmocka_unit_test_setup_teardown(no_entry, setup, teardown),
        cmocka_unit_test_setup_teardown(an_entry_that_is_spelled_otherwise, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(no_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(a_password_where_the_label_should_be, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_table_that_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(files_of_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(a_next_hop_without_brackets, setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_ours, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_signs_in_with_a_token, setup, teardown),
    };

    return cmocka_run_group_tests_name("postfix_relay", tests, NULL, NULL);
}
