/* test_local_pop3.c - POP3 towards the mail program. */
#include "local_kit.h"

static const char *const exchange[] = {"+OK",  "TOP",        "UIDL", "SASL PLAIN XOAUTH2",
                                       "STLS", "PIPELINING", "USER", "."};

static struct kit
offering(void)
{
    struct kit kit = {.server = {NULL}};

    memcpy(kit.server, exchange, sizeof exchange);
    return kit;
}

/* The greeting holds a time and a pid: it is checked for its form and cut off. */
static void
expect(const char *text, int r, const char *said, const char *rest)
{
    struct kit kit = offering();
    char *second;
    int end = 0;

    kit_talk(&kit, WIRE_POP3, text, strlen(text));
    assert_int_equal(
        sscanf(kit.said, "+OK mailbearer ready <%*[0-9].%*[0-9]@localhost>\r%n", &end),
        0);
    assert_true(end > 0);
    second = kit.said + end; /* a blank in the format took the whole line end */
    assert_string_equal(second, said);
    assert_int_equal(kit.r, r);
    assert_string_equal(kit.rest, rest);
}

static void
user_and_pass(void **state)
{
    (void)state;
    expect("USER me\r\nPASS any thing\r\nSTAT\r\nRETR 1\r\n", 0,
           "+OK go on\r\n+OK signed in\r\n", "STAT\r\nRETR 1\r\n");
}

static void
apop(void **state)
{
    (void)state;
    expect("apop me 0123456789abcdef0123456789abcdef\r\nSTAT\r\n", 0, "+OK signed in\r\n",
           "STAT\r\n");
}

static void
auth(void **state)
{
    (void)state;
    expect("AUTH PLAIN AGEAYg==\r\nSTAT\r\n", 0, "+OK signed in\r\n", "STAT\r\n");
    expect("AUTH PLAIN\r\nAGEAYg==\r\n", 0, "+ \r\n+OK signed in\r\n", "");
    expect("AUTH LOGIN\r\nbWU=\r\nYW55\r\n", 0,
           "+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n+OK signed in\r\n", "");
    expect("AUTH XOAUTH2\r\ndXNlcj0=\r\n", 0, "+ \r\n+OK signed in\r\n", "");
}

static void
auth_refused(void **state)
{
    (void)state;
    expect("AUTH\r\nAUTH CRAM-MD5\r\nAUTH PLAIN\r\n*\r\nQUIT\r\n", LOCAL_LEFT,
           "+OK\r\nPLAIN\r\nLOGIN\r\n.\r\n-ERR no such mechanism\r\n+ \r\n-ERR "
           "cancelled\r\n+OK good-bye\r\n",
           "");
}

static void
capa_is_filtered(void **state)
{
    (void)state;
    expect("CAPA\r\nSTLS\r\nQUIT\r\n", LOCAL_LEFT,
           "+OK what there is\r\nUSER\r\nTOP\r\nUIDL\r\nPIPELINING\r\n.\r\n"
           "-ERR not here: this end is local\r\n+OK good-bye\r\n",
           "");
}

static void
the_sign_in_is_skipped(void **state)
{
    (void)state;
    expect("STAT\r\nUIDL\r\n", 0, "", "STAT\r\nUIDL\r\n");
    expect("USER me\r\nLIST\r\n", 0, "+OK go on\r\n", "LIST\r\n");
}

static void
hung_up(void **state)
{
    (void)state;
    expect("USER me\r\nPA", LOCAL_LEFT, "+OK go on\r\n", "PA");
}

static void
bad_lines(void **state)
{
    struct kit kit = offering();

    (void)state;
    kit_refuses(&kit, WIRE_POP3, "+OK mailbearer ready <",
                "-ERR this line cannot be taken: over 8192 bytes, or a NUL in it\r\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(user_and_pass),
        cmocka_unit_test(apop),
        cmocka_unit_test(auth),
        cmocka_unit_test(auth_refused),
        cmocka_unit_test(capa_is_filtered),
        cmocka_unit_test(the_sign_in_is_skipped),
        cmocka_unit_test(hung_up),
        cmocka_unit_test(bad_lines),
    };

    return cmocka_run_group_tests_name("local_pop3", tests, NULL, NULL);
}
