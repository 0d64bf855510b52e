/* test_refusal.c - what a server's refusal means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../token-helper/mail/refusal.h"

static void
said(enum wire wire, const char *words, int code, const char *text, const char *hint)
{
    struct err err = ERR_INIT;

    assert_int_equal(refusal_said(wire, "mail.test", "refused the sign-in", "alice",
                                  "alice@contoso.com", words, &err),
                     code);
    assert_int_equal(err.code, code);
    assert_string_equal(err.text, text);
    if (hint != NULL)
        assert_non_null(strstr(err.hint, hint));
}

static void
what_the_catalogue_knows(void **state)
{
    (void)state;
    said(WIRE_SMTP,
         "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled "
         "for "
         "the Mailbox. [X]",
         ERR_PERSON,
         "mail.test refused the sign-in: 535 5.7.139 Authentication unsuccessful, "
         "SmtpClientAuthentication is disabled for the Mailbox. [X]",
         "Set-CASMailbox");
    said(WIRE_IMAP, "NO Server Unavailable. 15", ERR_TEMP,
         "mail.test refused the sign-in: NO Server Unavailable. 15", "try again later");
    said(WIRE_IMAP, "NO AUTHENTICATE failed.", ERR_PERSON,
         "mail.test refused the sign-in: NO AUTHENTICATE failed.",
         "mailbearer doctor alice --imap");
    said(WIRE_POP3, "-ERR [SYS/TEMP] later", ERR_TEMP,
         "mail.test refused the sign-in: -ERR [SYS/TEMP] later", "");
}

static void
what_nobody_knows(void **state)
{
    (void)state;
    said(WIRE_SMTP, "499 not now", ERR_TEMP, "mail.test refused the sign-in: 499 not now",
         "run: mailbearer doctor alice --smtp");
    said(WIRE_SMTP, "599 never", ERR_PERSON, "mail.test refused the sign-in: 599 never",
         "run: mailbearer doctor alice --smtp");
    said(WIRE_IMAP, "NO 4 reasons", ERR_PERSON,
         "mail.test refused the sign-in: NO 4 reasons",
         "run: mailbearer doctor alice --imap");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_catalogue_knows),
        cmocka_unit_test(what_nobody_knows),
    };

    return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
