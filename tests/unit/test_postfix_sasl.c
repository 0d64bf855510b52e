/* test_postfix_sasl.c - doctor --postfix: the smtp_sasl_* settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "postfix_kit.h"

static void
expect(const char *main_lines, const char *overrides, int status, const char *text)
{
    struct postfix_facts *f = kit_begin(main_lines, overrides);

    kit_expect(postfix_check_sasl, f, status, text);
    kit_end(&f);
}

static void
all_is_well(void **state)
{
    (void)state;
    expect(NULL, NULL, EX_OK, "+ the service smtp signs in by XOAUTH2\n");
}

static void
sign_in_is_off(void **state)
{
    (void)state;
    expect("smtp_sasl_auth_enable = no\n", NULL, EX_CONFIG,
           "X smtp_sasl_auth_enable is no (service smtp): nobody signs in\n"
           "-> postconf -e 'smtp_sasl_auth_enable = yes'\n");
}

static void
another_sasl(void **state)
{
    (void)state;
    expect("smtp_sasl_type = dovecot\n", NULL, EX_CONFIG,
           "X smtp_sasl_type is dovecot (service smtp): only that loads the plugin\n"
           "-> postconf -e 'smtp_sasl_type = cyrus'\n");
    expect("smtp_sasl_path = smtpd\n", NULL, EX_OK,
           "~ smtp_sasl_path (service smtp) has no effect on Cyrus SASL\n"
           "+ the service smtp signs in by XOAUTH2\n");
}

static void
the_filter_leaves_it_out(void **state)
{
    static const char *const filters[] = {"plain, login", "!xoauth2, static:all",
                                          "plain,!xoauth2,xoauth2"};
    char line[100], text[300];

    (void)state;
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        snprintf(line, sizeof line, "smtp_sasl_mechanism_filter = %s\n", filters[i]);
        snprintf(text, sizeof text,
                 "X smtp_sasl_mechanism_filter is %s (service smtp): it leaves XOAUTH2 "
                 "out, so there is no mechanism available\n"
                 "-> postconf -e 'smtp_sasl_mechanism_filter = xoauth2'\n",
                 filters[i]);
        expect(line, NULL, EX_CONFIG, text);
    }
}

static void
filters_that_let_it_through(void **state)
{
    (void)state;
    expect("smtp_sasl_mechanism_filter = XOAUTH2\n", NULL, EX_OK,
           "+ the service smtp signs in by XOAUTH2\n");
    expect("smtp_sasl_mechanism_filter = !plain, !login, xoauth2\n", NULL, EX_OK,
           "+ the service smtp signs in by XOAUTH2\n");
    expect("smtp_sasl_mechanism_filter = !plain, static:rest\n", NULL, EX_OK,
           "+ the service smtp signs in by XOAUTH2\n");
    expect("smtp_sasl_mechanism_filter = /etc/postfix/mechanisms\n", NULL, EX_OK,
           "+ the service smtp signs in by XOAUTH2\n");
}

static void
no_filter(void **state)
{
    (void)state;
    expect("smtp_sasl_mechanism_filter =\n", NULL, EX_OK,
           "! smtp_sasl_mechanism_filter is not set (service smtp): a token may be tried "
           "as a password\n"
           "-> postconf -e 'smtp_sasl_mechanism_filter = xoauth2'\n");
}

static void
tokens_and_passwords_by_one_service(void **state)
{
    struct postfix_facts *f = kit_begin("smtp_sasl_mechanism_filter =\n", NULL);

    (void)state;
    kit_relay(f, "[mail.example]:587", "smtp", ENTRY_LITERAL);
    kit_expect(
        postfix_check_sasl, f, EX_CONFIG,
        "X the service smtp takes tokens to one relay and passwords to another: it "
        "sends either as the other\n"
        "-> in master.cf give each kind a transport of its own, with -o "
        "smtp_sasl_mechanism_filter=xoauth2 and with =plain,login "
        "(mailbearer-sasl(7))\n");
    kit_end(&f);
}

static void
passwords_by_a_service_of_their_own(void **state)
{
    struct postfix_facts *f =
        kit_begin(NULL, "other/unix/smtp_sasl_mechanism_filter = plain,login\n");

    (void)state;
    kit_relay(f, "[mail.example]:587", "other", ENTRY_LITERAL);
    kit_expect(postfix_check_sasl, f, EX_OK, "+ the service smtp signs in by XOAUTH2\n");
    kit_end(&f);
    f = kit_begin(NULL, NULL); /* the filter of main.cf holds there too */
    kit_relay(f, "[mail.example]:587", "other", ENTRY_LITERAL);
    kit_expect(postfix_check_sasl, f, EX_OK,
               "+ the service smtp signs in by XOAUTH2\n"
               "! [mail.example]:587 has a password, which the service other may send as "
               "a token\n"
               "-> in master.cf give each kind a transport of its own, with -o "
               "smtp_sasl_mechanism_filter=xoauth2 and with =plain,login "
               "(mailbearer-sasl(7))\n");
    kit_end(&f);
}

static void
options_that_leave_no_mechanism(void **state)
{
    (void)state;
    expect("smtp_sasl_tls_security_options = noplaintext, noanonymous\n"
           "smtp_sasl_tls_verified_security_options = noplaintext, noanonymous\n",
           NULL, EX_CONFIG,
           "X smtp_sasl_tls_security_options is noplaintext, noanonymous (service smtp): "
           "that leaves no mechanism (No worthy mechs found)\n"
           "-> postconf -e 'smtp_sasl_tls_security_options = noanonymous'\n");
    expect("smtp_sasl_tls_verified_security_options = NoActive\n", NULL, EX_CONFIG,
           "X smtp_sasl_tls_verified_security_options is NoActive (service smtp): "
           "that leaves no mechanism (No worthy mechs found)\n"
           "-> postconf -e 'smtp_sasl_tls_verified_security_options = noanonymous'\n");
    expect("smtp_sasl_tls_security_options = noanonymous, nodictionary\n", NULL, EX_OK,
           "+ the service smtp signs in by XOAUTH2\n");
}

static void
the_cache_and_hard_bounces(void **state)
{
    (void)state;
    expect("smtp_sasl_auth_cache_name = proxy:btree:/var/lib/postfix/auth\n", NULL,
           EX_CONFIG,
           "X smtp_sasl_auth_cache_name is proxy:btree:/var/lib/postfix/auth (service "
           "smtp): one refusal then blocks good tokens for 90 days\n"
           "-> postconf -e 'smtp_sasl_auth_cache_name = '\n");
    expect("smtp_sasl_auth_soft_bounce = no\n", NULL, EX_OK,
           "! smtp_sasl_auth_soft_bounce is no (service smtp): mail is returned to its "
           "sender when a sign-in is refused\n"
           "-> postconf -e 'smtp_sasl_auth_soft_bounce = yes'\n");
}

/* A further relay of ours at that hop, for that sender. */
static void
add_sender(struct postfix_facts *f, const char *hop, const char *sender)
{
    struct postfix_relay *r = kit_relay(f, hop, "smtp", ENTRY_AGENT);

    r->ours = true;
    snprintf(r->sender, sizeof r->sender, "%s", sender);
}

static void
senders_without_their_own_sign_in(void **state)
{
    struct postfix_facts *f = kit_begin(NULL, NULL);

    (void)state;
    snprintf(f->relays[0].sender, sizeof f->relays[0].sender, "sales@contoso.com");
    kit_expect(postfix_check_sasl, f, EX_OK, "+ the service smtp signs in by XOAUTH2\n");
    add_sender(f, "[mail.example]:587", "news@contoso.com"); /* an entry of its own */
    kit_expect(postfix_check_sasl, f, EX_OK, "+ the service smtp signs in by XOAUTH2\n");
    add_sender(f, "[smtp.office365.com]:587", "news@contoso.com");
    kit_expect(postfix_check_sasl, f, EX_OK,
               "! smtp_sender_dependent_authentication is no (service smtp): all senders "
               "sign in as the same mailbox\n"
               "-> postconf -e 'smtp_sender_dependent_authentication = yes'\n");
    kit_end(&f);
    f = kit_begin("smtp_sender_dependent_authentication = yes\n", NULL);
    add_sender(f, "[smtp.office365.com]:587", "sales@contoso.com");
    kit_expect(postfix_check_sasl, f, EX_OK, "+ the service smtp signs in by XOAUTH2\n");
    kit_end(&f);
}

/* As `mailbearer setup postfix-transport` has it, beside Postfix's own defaults. */
static void
defaults_follow_what_master_cf_overrides(void **state)
{
    static const char defaults[] =
        "smtp_sasl_security_options = noplaintext, noanonymous\n"
        "smtp_sasl_tls_security_options = noplaintext, noanonymous\n"
        "smtp_sasl_tls_verified_security_options = noplaintext, noanonymous\n";

    (void)state;
    expect(defaults, "smtp/unix/smtp_sasl_tls_security_options = noanonymous\n", EX_OK,
           "+ the service smtp signs in by XOAUTH2\n");
    expect(defaults, "smtp/unix/smtp_sasl_security_options = noanonymous\n", EX_OK,
           "+ the service smtp signs in by XOAUTH2\n");
    expect(
        "smtp_sasl_tls_verified_security_options = noplaintext\n",
        "smtp/unix/smtp_sasl_tls_security_options = noanonymous\n", EX_CONFIG,
        "X smtp_sasl_tls_verified_security_options is noplaintext (service smtp): that "
        "leaves no mechanism (No worthy mechs found)\n"
        "-> postconf -e 'smtp_sasl_tls_verified_security_options = noanonymous'\n");
}

static void
what_master_cf_overrides_is_mended_there(void **state)
{
    struct postfix_facts *f =
        kit_begin(NULL, "smtp/unix/smtp_sasl_auth_enable = no\n"
                        "other/unix/smtp_sasl_mechanism_filter = plain\n");

    (void)state;
    f->config_dir = "/etc/postfix-out";
    kit_expect(postfix_check_sasl, f, EX_CONFIG,
               "X smtp_sasl_auth_enable is no (service smtp): nobody signs in\n"
               "-> postconf -c /etc/postfix-out -P 'smtp/unix/smtp_sasl_auth_enable = "
               "yes'\n");
    kit_end(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_well),
        cmocka_unit_test(sign_in_is_off),
        cmocka_unit_test(another_sasl),
        cmocka_unit_test(the_filter_leaves_it_out),
        cmocka_unit_test(filters_that_let_it_through),
        cmocka_unit_test(no_filter),
        cmocka_unit_test(tokens_and_passwords_by_one_service),
        cmocka_unit_test(passwords_by_a_service_of_their_own),
        cmocka_unit_test(options_that_leave_no_mechanism),
        cmocka_unit_test(the_cache_and_hard_bounces),
        cmocka_unit_test(senders_without_their_own_sign_in),
        cmocka_unit_test(defaults_follow_what_master_cf_overrides),
        cmocka_unit_test(what_master_cf_overrides_is_mended_there),
    };

    return cmocka_run_group_tests_name("postfix_sasl", tests, NULL, NULL);
}
