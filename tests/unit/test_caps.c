/* test_caps.c - what a server says it can do, and what of that is passed on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../token-helper/mail/caps.h"

static struct caps caps;

static int
clear(void **state)
{
    (void)state;
    caps_clear(&caps);
    return 0;
}

static void
says(const char *lines)
{
    while (*lines != '\0') {
        size_t len = strcspn(lines, "\n");

        caps_line(&caps, lines, len);
        lines += len + 1;
    }
}

static void
passes_on(const char *expect)
{
    char all[4096] = "";
    size_t at = 0, len = 0, used = 0;
    const char *cap;

    while ((cap = caps_next(&caps, &at, &len)) != NULL)
        used += (size_t)snprintf(all + used, sizeof all - used, "%.*s|", (int)len, cap);
    assert_string_equal(all, expect);
}

static void
imap(void **state)
{
    (void)state;
    caps_init(&caps, WIRE_IMAP);
    assert_false(caps_known(&caps));
    says("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\n");
    assert_true(caps_known(&caps));
    assert_false(caps_offers(&caps, "XOAUTH2"));
    passes_on("IMAP4rev1|");
    says("* capability IMAP4rev1 auth=xoauth2 AUTH=PLAIN SASL-IR IDLE COMPRESS=DEFLATE\n"
         "A1 OK done\n* OK nothing\n");
    assert_true(caps_offers(&caps, "XOAUTH2"));
    assert_true(caps_offers(&caps, "PLAIN"));
    assert_false(caps_offers(&caps, "OAUTHBEARER"));
    assert_false(caps_offers(&caps, "OAUTH2"));
    assert_false(caps_offers(&caps, "XOAUTH"));
    passes_on("IMAP4rev1|IDLE|");
    says("M1 OK [CAPABILITY IMAP4rev1 MOVE] Logged in\n");
    assert_false(caps_offers(&caps, "XOAUTH2"));
    passes_on("IMAP4rev1|MOVE|");
}

static void
pop3(void **state)
{
    (void)state;
    caps_init(&caps, WIRE_POP3);
    says("+OK ready\n+OK\nUIDL\nSTLS\n.\n+OK begin TLS\n+OK\nUIDL\nSASL PLAIN XOAUTH2\n"
         "RESP-CODES\n.\nnot in a list\n");
    assert_true(caps_offers(&caps, "XOAUTH2"));
    assert_false(caps_offers(&caps, "SASL"));
    passes_on("UIDL|RESP-CODES|");
    says("-ERR what?\nX\n");
    passes_on("UIDL|RESP-CODES|");
}

static void
smtp(void **state)
{
    (void)state;
    caps_init(&caps, WIRE_SMTP);
    says("220 ready\n250-mail.test AUTH XOAUTH2\n250-SIZE 1000\n250 STARTTLS\n");
    assert_false(caps_offers(&caps, "XOAUTH2"));
    passes_on("SIZE 1000|");
    says("220 go ahead\n250-mail.test\n250-SIZE 2000\n250-AUTH LOGIN XOAUTH2\n"
         "250-AUTHOR x\n250 DSN\n250 after the list\n");
    /* the last one is a reply of its own, with nothing but its first line */
    passes_on("");
    says("250-mail.test\n250-AUTH=OAUTHBEARER\n250-AUTHOR x\n250 DSN\n");
    assert_true(caps_offers(&caps, "OAUTHBEARER"));
    passes_on("AUTHOR x|DSN|");
}

static void
what_is_too_long_is_left_out(void **state)
{
    static char line[40000];

    (void)state;
    caps_init(&caps, WIRE_POP3);
    says("+OK\nUIDL\n");
    memset(line, 'x', sizeof line);
    caps_line(&caps, line, sizeof line);
    says("TOP\n.\n");
    passes_on("UIDL|TOP|");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(imap, clear),
        cmocka_unit_test_teardown(pop3, clear),
        cmocka_unit_test_teardown(smtp, clear),
        cmocka_unit_test_teardown(what_is_too_long_is_left_out, clear),
    };

    return cmocka_run_group_tests_name("caps", tests, NULL, NULL);
}
