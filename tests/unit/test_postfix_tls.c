/* test_postfix_tls.c - doctor --postfix: TLS, and how many connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "postfix_kit.h"

#define RELAY "[smtp.office365.com]:587"

static void
expect(const char *main_lines, const char *overrides, int status, const char *text)
{
    struct postfix_facts *f = kit_begin(main_lines, overrides);

    kit_expect(postfix_check_tls, f, status, text);
    kit_end(&f);
}

static void
all_is_well(void **state)
{
    static const char *const levels[] = {"secure", "verify", "fingerprint", "dane-only"};
    char line[80], text[120];

    (void)state;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        snprintf(line, sizeof line, "smtp_tls_security_level = %s\n", levels[i]);
        snprintf(text, sizeof text, "+ " RELAY ": TLS is demanded, level %s\n",
                 levels[i]);
        expect(line, NULL, EX_OK, text);
    }
}

static void
tls_is_not_demanded(void **state)
{
    static const char *const levels[] = {"may", "none", "dane"};
    char line[80], text[300];

    (void)state;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        snprintf(line, sizeof line, "smtp_tls_security_level = %s\n", levels[i]);
        snprintf(text, sizeof text,
                 "X " RELAY ": TLS is not demanded (level %s, service smtp)\n"
                 "-> postconf -e 'smtp_tls_security_level = secure'\n",
                 levels[i]);
        expect(line, NULL, EX_CONFIG, text);
    }
    expect("smtp_tls_security_level =\nsmtp_use_tls = yes\n", NULL, EX_CONFIG,
           "X " RELAY ": TLS is not demanded (level may, service smtp)\n"
           "-> postconf -e 'smtp_tls_security_level = secure'\n");
    expect(NULL, "smtp/unix/smtp_tls_security_level = may\n", EX_CONFIG,
           "X " RELAY ": TLS is not demanded (level may, service smtp)\n"
           "-> postconf -P 'smtp/unix/smtp_tls_security_level = secure'\n");
}

static void
any_certificate_will_do(void **state)
{
    (void)state;
    expect("smtp_tls_security_level = encrypt\n", NULL, EX_OK,
           "! " RELAY ": level encrypt takes any certificate, so anyone on the way may "
           "read the token\n"
           "-> postconf -e 'smtp_tls_security_level = secure'\n");
}

static void
the_policy_table_wins(void **state)
{
    struct postfix_facts *f = kit_begin("smtp_tls_security_level = may\n", NULL);

    (void)state;
    snprintf(f->relays[0].tls_policy, sizeof f->relays[0].tls_policy, "secure");
    kit_expect(postfix_check_tls, f, EX_OK,
               "+ " RELAY ": TLS is demanded, level secure\n");
    kit_end(&f);
    f = kit_begin(NULL, NULL);
    snprintf(f->relays[0].tls_policy, sizeof f->relays[0].tls_policy, "may");
    kit_expect(postfix_check_tls, f, EX_CONFIG,
               "X " RELAY ": TLS is not demanded (level may, service smtp)\n"
               "-> in the table of smtp_tls_policy_maps: " RELAY "  secure\n");
    kit_end(&f);
}

static void
authorities(void **state)
{
    struct postfix_facts *f = kit_begin("smtp_tls_CApath =\n", NULL);

    (void)state;
    kit_expect(postfix_check_tls, f, EX_CONFIG,
               "X no certificate authority is trusted: neither smtp_tls_CAfile nor "
               "smtp_tls_CApath is set (service smtp)\n"
               "-> postconf -e 'smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt'\n");
    kit_end(&f);
    expect("smtp_tls_CApath =\ntls_append_default_CA = yes\n", NULL, EX_OK,
           "+ " RELAY ": TLS is demanded, level secure\n");
    expect("smtp_tls_CAfile = /etc/ca.pem\n", NULL, EX_CONFIG,
           "X smtp_tls_CAfile /etc/ca.pem cannot be read, or is empty\n"
           "-> postconf -e 'smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt'\n");
    f = kit_begin(NULL, NULL);
    f->relays[0].ca_dir_in_jail = false;
    kit_expect(postfix_check_tls, f, EX_CONFIG,
               "X smtp_tls_CApath /etc/ssl/certs is not in the jail /var/spool/postfix\n"
               "-> postconf -e 'smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt'\n");
    f->relays[0].chrooted = false;
    kit_expect(postfix_check_tls, f, EX_OK,
               "+ " RELAY ": TLS is demanded, level secure\n");
    kit_end(&f);
    f = kit_begin("smtp_tls_CAfile = /etc/ca.pem\n", NULL);
    f->relays[0].ca_dir_in_jail = false; /* the file is read before the jail is entered */
    f->relays[0].ca_file_read = true;
    kit_expect(postfix_check_tls, f, EX_OK,
               "+ " RELAY ": TLS is demanded, level secure\n");
    kit_end(&f);
}

static void
ports(void **state)
{
    struct postfix_facts *f = kit_begin(NULL, NULL);

    (void)state;
    f->relay_count = 0;
    kit_relay(f, "[mail.example]:465", "smtp", ENTRY_AGENT)->ours = true;
    kit_expect(postfix_check_tls, f, EX_CONFIG,
               "X [mail.example]:465: port 465 speaks TLS from the start, and "
               "smtp_tls_wrappermode is not set\n"
               "-> postconf -e 'smtp_tls_wrappermode = yes'\n");
    kit_end(&f);
    expect("smtp_tls_wrappermode = yes\n", NULL, EX_CONFIG,
           "X " RELAY ": smtp_tls_wrappermode is for port 465, here STARTTLS is spoken\n"
           "-> postconf -e 'smtp_tls_wrappermode = no'\n");
    f = kit_begin("smtp_tls_wrappermode = yes\n", NULL);
    f->relay_count = 0;
    kit_relay(f, "[smtp.office365.com]:465", "smtp", ENTRY_AGENT)->ours = true;
    kit_expect(postfix_check_tls, f, EX_CONFIG,
               "X [smtp.office365.com]:465: Exchange Online does not listen on port 465\n"
               "-> use [smtp.office365.com]:587, also in smtp_sasl_password_maps\n");
    kit_end(&f);
}

/* --- limits --------------------------------------------------------------------------
 */

static void
expect_limit(const char *main_lines, const char *text)
{
    struct postfix_facts *f = kit_begin(main_lines, NULL);

    kit_expect(postfix_check_limits, f, EX_OK, text);
    kit_end(&f);
}

static void
as_many_as_exchange_takes(void **state)
{
    struct postfix_facts *f;

    (void)state;
    expect_limit(NULL, "+ " RELAY ": at most 2 at a time\n");
    expect_limit("smtp_destination_concurrency_limit = 3\n",
                 "+ " RELAY ": at most 3 at a time\n");
    expect_limit("smtp_destination_concurrency_limit = 20\ndefault_process_limit = 2\n",
                 "+ " RELAY ": at most 2 at a time\n");
    f = kit_begin("smtp_destination_concurrency_limit = 20\n", NULL);
    snprintf(f->relays[0].service, sizeof f->relays[0].service, "other");
    kit_expect(postfix_check_limits, f, EX_OK, "+ " RELAY ": at most 1 at a time\n");
    kit_end(&f);
}

static void
more_than_exchange_takes(void **state)
{
    struct postfix_facts *f;

    (void)state;
    expect_limit("smtp_destination_concurrency_limit = 4\n",
                 "! " RELAY ": up to 4 messages at a time, and Exchange takes 3 of a "
                 "mailbox (432 4.3.2)\n"
                 "-> postconf -e 'smtp_destination_concurrency_limit = 2'\n");
    f = kit_begin(NULL, NULL); /* relay has no limit of its own */
    snprintf(f->relays[0].service, sizeof f->relays[0].service, "relay");
    kit_expect(postfix_check_limits, f, EX_OK,
               "! " RELAY ": up to 20 messages at a time, and Exchange takes 3 of a "
               "mailbox (432 4.3.2)\n"
               "-> postconf -e 'relay_destination_concurrency_limit = 2'\n");
    f->relay_count = 0; /* other servers have no such limit */
    kit_relay(f, "[mail.example]:587", "relay", ENTRY_FILE)->ours = true;
    kit_expect(postfix_check_limits, f, EX_OK, "");
    kit_end(&f);
}

static void
no_limit_at_all(void **state)
{
    (void)state;
    expect_limit("smtp_destination_concurrency_limit = 0\ndefault_process_limit = 0\n",
                 "! " RELAY ": any number of messages at a time, and Exchange takes 3 of "
                 "a mailbox (432 4.3.2)\n"
                 "-> postconf -e 'smtp_destination_concurrency_limit = 2'\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_well),
        cmocka_unit_test(tls_is_not_demanded),
        cmocka_unit_test(any_certificate_will_do),
        cmocka_unit_test(the_policy_table_wins),
        cmocka_unit_test(authorities),
        cmocka_unit_test(ports),
        cmocka_unit_test(as_many_as_exchange_takes),
        cmocka_unit_test(more_than_exchange_takes),
        cmocka_unit_test(no_limit_at_all),
    };

    return cmocka_run_group_tests_name("postfix_tls", tests, NULL, NULL);
}
