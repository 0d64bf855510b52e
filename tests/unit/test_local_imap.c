/* test_local_imap.c - IMAP towards the mail program: PREAUTH, and a sign-in that is taken
 * whatever it holds. */
#include "local_kit.h"

#define GREETING                                                                         \
    "* OK [CAPABILITY IMAP4rev1 ID LITERAL+ SASL-IR AUTH=PLAIN AUTH=LOGIN] mailbearer "  \
    "ready\r\n"
#define IN(tag) tag " OK [CAPABILITY IMAP4rev1 IDLE] signed in\r\n"

static const char exchange[] =
    "* CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT "
    "CHILDREN IDLE NAMESPACE LITERAL+ STARTTLS LOGINDISABLED COMPRESS=DEFLATE AUTHX";

static struct kit
offering(void)
{
    return (struct kit){.server = {"* CAPABILITY IMAP4rev1 IDLE"}, .greeting = true};
}

static void
preauth(void **state)
{
    struct kit kit = {.server = {exchange}};

    (void)state;
    kit_expect(&kit, WIRE_IMAP, "a SELECT INBOX\r\n", 0,
               "* PREAUTH [CAPABILITY IMAP4 IMAP4rev1 UIDPLUS ID UNSELECT CHILDREN IDLE "
               "NAMESPACE LITERAL+ AUTHX] mailbearer ready\r\n",
               "");
}

static void
preauth_without_capabilities_and_with_an_alert(void **state)
{
    struct kit kit = {.held = "* OK [ALERT] going down\r\n"};

    (void)state;
    kit_expect(&kit, WIRE_IMAP, "", 0,
               "* PREAUTH mailbearer ready\r\n* OK [ALERT] going down\r\n", "");
}

static void
login(void **state)
{
    struct kit kit = offering();

    (void)state;
    kit_expect(&kit, WIRE_IMAP, "a1 login \"me\" \"any\"\r\na2 SELECT INBOX\r\n", 0,
               GREETING IN("a1"), "a2 SELECT INBOX\r\n");
    kit.held = "* OK [ALERT] soon\r\n";
    kit_expect(&kit, WIRE_IMAP, "a1 LOGIN me any\r\n", 0,
               GREETING "* OK [ALERT] soon\r\n" IN("a1"), "");
}

static void
login_with_literals(void **state)
{
    struct kit kit = offering();

    (void)state;
    kit_expect(&kit, WIRE_IMAP, "a1 LOGIN {2}\r\nme {5}\r\na\r\nbc\r\na2 NOOP\r\n", 0,
               GREETING "+ go on\r\n+ go on\r\n" IN("a1"), "a2 NOOP\r\n");
    kit_expect(&kit, WIRE_IMAP, "a1 LOGIN {2+}\r\nme {3+}\r\nabc\r\n", 0,
               GREETING IN("a1"), "");
}

static void
literals_that_are_refused(void **state)
{
    struct kit kit = offering();
    static const char words[] =
        "* BYE this line cannot be taken: over 8192 bytes, or a NUL in it\r\n";
    char said[1024];

    (void)state;
    snprintf(said, sizeof said, "%s%s", GREETING, words);
    kit_talk(&kit, WIRE_IMAP, "a1 LOGIN {8193}\r\n", 17);
    assert_string_equal(kit.said, said);
    assert_int_equal(kit.r, ERR_PROTOCOL);
    kit_talk(&kit, WIRE_IMAP, "a1 LOGIN {99999999999999999999}\r\n", 33);
    assert_string_equal(kit.said, said);
    assert_int_equal(kit.r, ERR_PROTOCOL);
}

static void
authenticate(void **state)
{
    struct kit kit = offering();

    (void)state;
    kit_expect(&kit, WIRE_IMAP, "a AUTHENTICATE PLAIN\r\nAGEAYg==\r\nb NOOP\r\n", 0,
               GREETING "+ \r\n" IN("a"), "b NOOP\r\n");
    kit_expect(&kit, WIRE_IMAP, "a AUTHENTICATE PLAIN AGEAYg==\r\n", 0, GREETING IN("a"),
               "");
    kit_expect(&kit, WIRE_IMAP, "a AUTHENTICATE XOAUTH2 dXNlcj0=\r\n", 0,
               GREETING IN("a"), "");
    kit_expect(&kit, WIRE_IMAP, "a authenticate login\r\nbWU=\r\nYW55\r\n", 0,
               GREETING "+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n" IN("a"), "");
    kit_expect(&kit, WIRE_IMAP, "a AUTHENTICATE LOGIN bWU=\r\nYW55\r\n", 0,
               GREETING "+ UGFzc3dvcmQ6\r\n" IN("a"), "");
}

static void
authenticate_refused(void **state)
{
    struct kit kit = offering();

    (void)state;
    kit_expect(&kit, WIRE_IMAP,
               "a AUTHENTICATE CRAM-MD5\r\nb AUTHENTICATE PLAIN\r\n*\r\nc LOGIN\r\n",
               LOCAL_LEFT,
               GREETING "a NO no such mechanism\r\n+ \r\nb BAD cancelled\r\n"
                        "c BAD LOGIN takes a name and a password\r\n",
               "");
}

static void
before_the_sign_in(void **state)
{
    struct kit kit = offering();

    (void)state;
    kit_expect(&kit, WIRE_IMAP,
               "a CAPABILITY\r\nb NOOP\r\nc ID (\"name\" \"x\")\r\nd STARTTLS\r\n"
               "nothing\r\n* OK\r\ne LOGOUT\r\nf NOOP\r\n",
               LOCAL_LEFT,
               GREETING
               "* CAPABILITY IMAP4rev1 ID LITERAL+ SASL-IR AUTH=PLAIN AUTH=LOGIN\r\n"
               "a OK done\r\nb OK done\r\n* ID (\"name\" \"mailbearer\")\r\n"
               "c OK done\r\nd BAD not here: this end is local\r\n"
               "* BAD a tag and a command are needed\r\n"
               "* BAD a tag and a command are needed\r\n"
               "* BYE mailbearer says good-bye\r\ne OK done\r\n",
               "f NOOP\r\n");
}

/* fetchmail with `auth ssh`: no sign-in even when one is offered */
static void
the_sign_in_is_skipped(void **state)
{
    struct kit kit = offering();

    (void)state;
    kit_expect(&kit, WIRE_IMAP, "a NOOP\r\nb SELECT INBOX\r\nc IDLE\r\n", 0,
               GREETING "a OK done\r\n", "b SELECT INBOX\r\nc IDLE\r\n");
}

static void
hung_up(void **state)
{
    struct kit kit = offering();

    (void)state;
    kit_expect(&kit, WIRE_IMAP, "a LOG", LOCAL_LEFT, GREETING, "a LOG");
    kit_expect(&kit, WIRE_IMAP, "a AUTHENTICATE PLAIN\r\n", LOCAL_LEFT, GREETING "+ \r\n",
               "");
}

static void
bad_lines(void **state)
{
    struct kit kit = offering();

    (void)state;
    kit_refuses(&kit, WIRE_IMAP, GREETING,
                "* BYE this line cannot be taken: over 8192 bytes, or a NUL in it\r\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(preauth),
        cmocka_unit_test(preauth_without_capabilities_and_with_an_alert),
        cmocka_unit_test(login),
        cmocka_unit_test(login_with_literals),
        cmocka_unit_test(literals_that_are_refused),
        cmocka_unit_test(authenticate),
        cmocka_unit_test(authenticate_refused),
        cmocka_unit_test(before_the_sign_in),
        cmocka_unit_test(the_sign_in_is_skipped),
        cmocka_unit_test(hung_up),
        cmocka_unit_test(bad_lines),
    };

    return cmocka_run_group_tests_name("local_imap", tests, NULL, NULL);
}
