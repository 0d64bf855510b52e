/* The one message that doctor sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/trial_message.h"

static void
addresses_that_may_be_sent(void **state)
{
    (void)state;
    assert_true(trial_message_address("a@b"));
    assert_true(trial_message_address("first.last+tag=x@mail.example.com"));
    assert_true(trial_message_address("o'neil@example.com"));
}

static void
addresses_that_would_be_something_else(void **state)
{
    static const char *const bad[] = {"",
                                      "a",
                                      "@b",
                                      "a@",
                                      "a@b@c",
                                      "a b@c",
                                      "a@b>\r\nRCPT TO:<x@y",
                                      "a@b\n",
                                      "<a@b>",
                                      "\"a\"@b",
                                      "a@b,c",
                                      "B\xc3\xbc@b",
                                      "a@b\x7f"};
    char text[300] = "";

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (trial_message_address(bad[i]))
            fail_msg("taken: %s", bad[i]);
    memset(text, 'a', 253);
    memcpy(text + 1, "@", 1);
    assert_true(trial_message_address(text));
    memset(text, 'a', 255);
    memcpy(text + 1, "@", 1);
    assert_false(trial_message_address(text));
}

static void
holds(const struct secret *text, const char *part)
{
    if (strstr(secret_str(text), part) == NULL)
        fail_msg("not there: %s\nin: %s", part, secret_str(text));
}

static void
a_message_as_rfc_5322_wants_it(void **state)
{
    struct secret text = SECRET_INIT, other = SECRET_INIT;
    const char *id;

    (void)state;
    /* a leap day */
    assert_int_equal(trial_message_write("relay@contoso.com", "bob@example.net",
                                         1835417105, &text, NULL),
                     0);
    holds(&text, "Date: Tue, 29 Feb 2028 06:05:05 +0000\r\n");
    holds(&text, "\r\nFrom: <relay@contoso.com>\r\n");
    holds(&text, "\r\nTo: <bob@example.net>\r\n");
    holds(&text, "\r\nSubject: mailbearer doctor\r\n");
    holds(&text, "\r\nAuto-Submitted: auto-generated\r\n");
    holds(&text, "@contoso.com>\r\n");
    id = strstr(secret_str(&text), "Message-ID: <");
    assert_non_null(id);
    assert_int_equal(
        trial_message_write("relay@contoso.com", "bob@example.net", 0, &other, NULL), 0);
    holds(&other, "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n");
    /* another one each time */
    assert_null(memmem(secret_str(&other), other.len, id, 50));
    for (const char *c = secret_str(&text); (c = strchr(c, '\n')) != NULL; c++) {
        assert_true(c[-1] == '\r');
        assert_true(c[1] != '.');
    }
    secret_clear(&text);
    secret_clear(&other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_that_may_be_sent),
        cmocka_unit_test(addresses_that_would_be_something_else),
        cmocka_unit_test(a_message_as_rfc_5322_wants_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
