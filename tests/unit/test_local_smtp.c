/* test_local_smtp.c - SMTP towards the mail program. */
#include "local_kit.h"

#define GREETING "220 localhost ESMTP mailbearer ready\r\n"
#define HELLO                                                                            \
    "250-localhost\r\n250-SIZE 157286400\r\n250-PIPELINING\r\n250-CHUNKING\r\n"          \
    "250 AUTH PLAIN LOGIN\r\n"

static struct kit
offering(void)
{
    return (struct kit){.server = {"250-server.test Hello [192.0.2.1]",
                                   "250-SIZE 157286400", "250-STARTTLS",
                                   "250-AUTH LOGIN XOAUTH2", "250-PIPELINING",
                                   "250 CHUNKING"}};
}

static void
without_a_sign_in(void **state)
{
    struct kit kit = offering();

    (void)state;
    kit_expect(&kit, WIRE_SMTP,
               "EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n", 0,
               GREETING HELLO, "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n");
    kit_expect(&kit, WIRE_SMTP, "HELO me\r\nMAIL FROM:<>\r\n", 0,
               GREETING "250 localhost\r\n", "MAIL FROM:<>\r\n");
}

static void
auth(void **state)
{
    struct kit kit = offering();

    (void)state;
    kit_expect(&kit, WIRE_SMTP, "ehlo me\r\nAUTH PLAIN AGEAYg==\r\nMAIL FROM:<>\r\n", 0,
               GREETING HELLO "235 2.7.0 Signed in\r\n", "MAIL FROM:<>\r\n");
    kit_expect(&kit, WIRE_SMTP, "AUTH LOGIN\r\nbWU=\r\nYW55\r\n", 0,
               GREETING "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 2.7.0 Signed in\r\n",
               "");
    kit_expect(&kit, WIRE_SMTP, "AUTH LOGIN bWU=\r\nYW55\r\n", 0,
               GREETING "334 UGFzc3dvcmQ6\r\n235 2.7.0 Signed in\r\n", "");
    kit_expect(&kit, WIRE_SMTP, "AUTH XOAUTH2\r\ndXNlcj0=\r\nRSET\r\n", 0,
               GREETING "334 \r\n235 2.7.0 Signed in\r\n", "RSET\r\n");
}

static void
auth_refused(void **state)
{
    struct kit kit = offering();

    (void)state;
    kit_expect(&kit, WIRE_SMTP, "AUTH CRAM-MD5\r\nAUTH PLAIN\r\n*\r\nAUTH\r\nQUIT\r\n",
               LOCAL_LEFT,
               GREETING "504 5.5.4 No such mechanism\r\n334 \r\n501 5.7.0 Cancelled\r\n"
                        "504 5.5.4 No such mechanism\r\n221 2.0.0 Good-bye\r\n",
               "");
}

static void
before_the_sign_in(void **state)
{
    struct kit kit = offering();

    (void)state;
    kit_expect(&kit, WIRE_SMTP, "NOOP\r\nRSET\r\nSTARTTLS\r\nQUIT\r\nMAIL\r\n",
               LOCAL_LEFT,
               GREETING "250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n"
                        "502 5.5.1 Not here: this end is local\r\n221 2.0.0 Good-bye\r\n",
               "MAIL\r\n");
}

static void
hung_up(void **state)
{
    struct kit kit = offering();

    (void)state;
    kit_expect(&kit, WIRE_SMTP, "", LOCAL_LEFT, GREETING, "");
}

static void
bad_lines(void **state)
{
    struct kit kit = offering();

    (void)state;
    kit_refuses(
        &kit, WIRE_SMTP, GREETING,
        "421 4.3.0 This line cannot be taken: over 8192 bytes, or a NUL in it\r\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_sign_in), cmocka_unit_test(auth),
        cmocka_unit_test(auth_refused),      cmocka_unit_test(before_the_sign_in),
        cmocka_unit_test(hung_up),           cmocka_unit_test(bad_lines),
    };

    return cmocka_run_group_tests_name("local_smtp", tests, NULL, NULL);
}
