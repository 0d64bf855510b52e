/* test_local_gate.c - the three protocols where the client has to sign in: what the gate
 * is asked, and what its answers become. */
#include "local_kit.h"

#define GREETING "* OK [CAPABILITY IMAP4rev1 ID LITERAL+ SASL-IR AUTH=PLAIN AUTH=LOGIN] "

/* The gate writes down what it is asked, and answers as it was told to. */
struct book {
    struct local_gate gate; /* first */
    enum gate_answer answers[8];
    size_t asked;
    char said[1024];
    int failure;
};

static enum gate_answer
enter(struct local_gate *gate, const struct secret *name, const struct secret *password,
      struct err *err)
{
    struct book *book = (struct book *)gate;
    size_t n = strlen(book->said);
    enum gate_answer answer = book->answers[book->asked++];

    snprintf(book->said + n, sizeof book->said - n, "<%s|%s>", secret_str(name),
             secret_str(password));
    if (answer == GATE_FAILED) {
        err_set(err, book->failure, "no server");
        err_hint(err, "try");
    }
    return answer;
}

static int
no_tls(struct local_gate *gate, struct err *err)
{
    (void)gate;
    return err_set(err, ERR_TEMP, "no handshake");
}

static struct book
book_of(enum gate_answer one, enum gate_answer two)
{
    return (struct book){.gate = {.enter = enter, .start_tls = no_tls},
                         .answers = {one, two, GATE_IN},
                         .failure = ERR_TEMP};
}

static void
expect(struct book *book, enum wire wire, const char *text, int r, const char *said,
       const char *asked)
{
    struct kit kit = {.gate = &book->gate};

    kit_talk(&kit, wire, text, strlen(text));
    assert_string_equal(kit.said, said);
    assert_string_equal(book->said, asked);
    assert_int_equal(kit.r, r);
}

/* --- what the gate is asked ------------------------------------------------------------
 */

static void
imap_asks(const char *command, const char *between, const char *asked)
{
    struct book book = book_of(GATE_IN, GATE_IN);
    char said[1024];

    snprintf(said, sizeof said, GREETING "mailbearer ready\r\n%sa OK signed in\r\n",
             between);
    expect(&book, WIRE_IMAP, command, 0, said, asked);
}

static void
imap_sign_ins(void **state)
{
    (void)state;
    imap_asks("a LOGIN bob secret\r\n", "", "<bob|secret>");
    imap_asks("a login \"bob \\\"b\\\\\" \"s e\\\\c\"\r\n", "", "<bob \"b\\|s e\\c>");
    imap_asks("a LOGIN {3+}\r\nb\"b {4+}\r\nse\\c\r\n", "", "<b\"b|se\\c>");
    imap_asks("a LOGIN {3}\r\nbob \"\"\r\n", "+ go on\r\n", "<bob|>");
    imap_asks("a LOGIN \"\" {0+}\r\n\r\n", "", "<|>");
    imap_asks("a AUTHENTICATE PLAIN AGJvYgBzZWNyZXQ=\r\n", "", "<bob|secret>");
    imap_asks("a AUTHENTICATE PLAIN\r\nYm9iAGJvYgBzZWNyZXQ=\r\n", "+ \r\n",
              "<bob|secret>");
    imap_asks("a AUTHENTICATE LOGIN\r\nYm9i\r\nc2VjcmV0\r\n",
              "+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n", "<bob|secret>");
    imap_asks("a AUTHENTICATE LOGIN Ym9i\r\nc2VjcmV0\r\n", "+ UGFzc3dvcmQ6\r\n",
              "<bob|secret>");
}

static void
imap_no_sign_ins(void **state)
{
    static const char *const commands[][2] = {
        {"a LOGIN\r\n", "a BAD LOGIN takes a name and a password\r\n"},
        {"a LOGIN bob\r\n", "a BAD LOGIN takes a name and a password\r\n"},
        {"a LOGIN {3} x{3}\r\n", "a BAD LOGIN takes a name and a password\r\n"},
        {"a LOGIN bob a b\r\n", "a BAD LOGIN takes a name and a password\r\n"},
        {"a LOGIN \"bob secret\r\n", "a BAD LOGIN takes a name and a password\r\n"},
        {"a LOGIN \"bob\"x secret\r\n", "a BAD LOGIN takes a name and a password\r\n"},
        {"a AUTHENTICATE XOAUTH2 eA==\r\n", "a NO no such mechanism\r\n"},
        {"a AUTHENTICATE PLAIN ???\r\n", "a BAD cancelled\r\n"},
        {"a AUTHENTICATE PLAIN =\r\n", "a BAD cancelled\r\n"},
        {"a AUTHENTICATE PLAIN YWxpY2UAYm9iAHNlY3JldA==\r\n", "a BAD cancelled\r\n"},
        {"a AUTHENTICATE LOGIN\r\n*\r\n", "+ VXNlcm5hbWU6\r\na BAD cancelled\r\n"},
        {"a SELECT INBOX\r\n", "a BAD sign in first\r\n"},
        {"a STARTTLS\r\n", "a BAD not here: this end is local\r\n"},
    };
    char said[1024];

    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        struct book book = book_of(GATE_IN, GATE_IN);

        snprintf(said, sizeof said, GREETING "mailbearer ready\r\n%s", commands[i][1]);
        expect(&book, WIRE_IMAP, commands[i][0], LOCAL_LEFT, said, "");
    }
}

static void
pop3_sign_ins(void **state)
{
    struct book book = book_of(GATE_WRONG, GATE_IN);

    (void)state;
    expect(&book, WIRE_POP3, "USER a b\r\nPASS x \r\nPASS y\r\nUSER c\r\nPASS  d\r\n", 0,
           "+OK mailbearer ready\r\n+OK go on\r\n-ERR [AUTH] wrong name or password\r\n"
           "-ERR USER first\r\n+OK go on\r\n+OK signed in\r\n",
           "<a b|x ><c| d>");
}

/* --- what its answers become -----------------------------------------------------------
 */

static void
wrong_ones(void **state)
{
    struct book imap = book_of(GATE_WRONG, GATE_LAST), pop3 = imap, smtp = imap;

    (void)state;
    expect(&imap, WIRE_IMAP, "a LOGIN x y\r\nb LOGIN x z\r\nc LOGIN u v\r\n", LOCAL_LEFT,
           GREETING "mailbearer ready\r\n"
                    "a NO [AUTHENTICATIONFAILED] wrong name or password\r\n"
                    "b NO [AUTHENTICATIONFAILED] wrong name or password\r\n"
                    "* BYE good-bye\r\n",
           "<x|y><x|z>");
    expect(&pop3, WIRE_POP3, "AUTH PLAIN AHgAeQ==\r\nAUTH PLAIN AHgAeQ==\r\nCAPA\r\n",
           LOCAL_LEFT,
           "+OK mailbearer ready\r\n-ERR [AUTH] wrong name or password\r\n"
           "-ERR [AUTH] wrong name or password\r\n",
           "<x|y><x|y>");
    expect(&smtp, WIRE_SMTP, "AUTH PLAIN AHgAeQ==\r\nAUTH LOGIN eA==\r\neQ==\r\nNOOP\r\n",
           LOCAL_LEFT,
           "220 localhost ESMTP mailbearer ready\r\n535 5.7.8 Wrong name or password\r\n"
           "334 UGFzc3dvcmQ6\r\n535 5.7.8 Wrong name or password\r\n",
           "<x|y><x|y>");
}

static void
a_server_that_fails(void **state)
{
    struct book imap = book_of(GATE_FAILED, GATE_IN), person = imap, pop3 = imap,
                smtp = imap;

    (void)state;
    expect(&imap, WIRE_IMAP, "a LOGIN x y\r\nb LOGIN x y\r\n", ERR_TEMP,
           GREETING "mailbearer ready\r\n"
                    "a NO [UNAVAILABLE] mailbearer: no server -> try\r\n* BYE "
                    "good-bye\r\n",
           "<x|y>");
    person.failure = ERR_PERSON;
    expect(&person, WIRE_IMAP, "a LOGIN x y\r\n", ERR_PERSON,
           GREETING "mailbearer ready\r\n"
                    "a NO [AUTHENTICATIONFAILED] mailbearer: no server -> try\r\n* BYE "
                    "good-bye\r\n",
           "<x|y>");
    expect(&pop3, WIRE_POP3, "USER x\r\nPASS y\r\n", ERR_TEMP,
           "+OK mailbearer ready\r\n+OK go on\r\n"
           "-ERR [SYS/TEMP] mailbearer: no server -> try\r\n",
           "<x|y>");
    smtp.failure = ERR_PERSON; /* a queue must not give the mail up for it */
    expect(&smtp, WIRE_SMTP, "AUTH PLAIN AHgAeQ==\r\n", ERR_PERSON,
           "220 localhost ESMTP mailbearer ready\r\n"
           "454 4.7.0 mailbearer: no server -> try\r\n",
           "<x|y>");
}

static void
what_follows_is_carried(void **state)
{
    struct book book = book_of(GATE_IN, GATE_IN);
    struct kit kit = {.gate = &book.gate};
    static const char text[] = "a LOGIN x y\r\nb SELECT INBOX\r\n";

    (void)state;
    kit_talk(&kit, WIRE_IMAP, text, sizeof text - 1);
    assert_int_equal(kit.r, 0);
    assert_string_equal(kit.rest, "b SELECT INBOX\r\n");
}

/* --- TLS first -------------------------------------------------------------------------
 */

static void
nothing_before_tls(void **state)
{
    struct book imap = book_of(GATE_IN, GATE_IN), pop3, smtp;

    (void)state;
    imap.gate.needs_tls = true;
    pop3 = smtp = imap;
    expect(&imap, WIRE_IMAP,
           "a CAPABILITY\r\nb LOGIN x y\r\nc AUTHENTICATE PLAIN AHgAeQ==\r\n", LOCAL_LEFT,
           "* OK [CAPABILITY IMAP4rev1 ID STARTTLS LOGINDISABLED] mailbearer ready\r\n"
           "* CAPABILITY IMAP4rev1 ID STARTTLS LOGINDISABLED\r\na OK done\r\n"
           "b NO [PRIVACYREQUIRED] STARTTLS first\r\n"
           "c NO [PRIVACYREQUIRED] STARTTLS first\r\n",
           "");
    expect(&pop3, WIRE_POP3, "USER x\r\nPASS y\r\nAPOP x y\r\nAUTH\r\n", LOCAL_LEFT,
           "+OK mailbearer ready\r\n-ERR STLS first\r\n-ERR STLS first\r\n"
           "-ERR STLS first\r\n-ERR STLS first\r\n",
           "");
    expect(&smtp, WIRE_SMTP, "EHLO x\r\nAUTH PLAIN AHgAeQ==\r\n", LOCAL_LEFT,
           "220 localhost ESMTP mailbearer ready\r\n250-localhost\r\n250-8BITMIME\r\n"
           "250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n530 5.7.0 STARTTLS first\r\n",
           "");
}

static void
plaintext_behind_starttls(void **state)
{
    static const char *const texts[] = {"a STARTTLS\r\nb NOOP\r\n", "STLS\r\nCAPA\r\n",
                                        "STARTTLS\r\nNOOP\r\n"};

    (void)state;
    for (int wire = WIRE_IMAP; wire <= WIRE_SMTP; wire++) {
        struct book book = book_of(GATE_IN, GATE_IN);
        struct kit kit = {.gate = &book.gate};

        book.gate.needs_tls = true;
        kit_talk(&kit, (enum wire)wire, texts[wire], strlen(texts[wire]));
        assert_int_equal(kit.r, ERR_TEMP);
        assert_string_equal(kit.err.text,
                            "plaintext came behind the command to start TLS");
        assert_string_equal(strchr(kit.said, '\n'), "\n"); /* the greeting alone */
    }
}

static void
a_handshake_that_fails(void **state)
{
    struct book book = book_of(GATE_IN, GATE_IN);
    struct kit kit = {.gate = &book.gate};

    (void)state;
    book.gate.needs_tls = true;
    kit_talk(&kit, WIRE_SMTP, "STARTTLS\r\n", 10);
    assert_int_equal(kit.r, ERR_TEMP);
    assert_string_equal(kit.err.text, "no handshake");
}

static void
bad_lines(void **state)
{
    struct book book = book_of(GATE_IN, GATE_IN);
    struct kit kit = {.gate = &book.gate};
    static char text[LOCAL_LINE_MAX + 100] = "a LOGIN {8193+}\r\n";

    (void)state;
    memset(text + 17, 'x', sizeof text - 17);
    kit_talk(&kit, WIRE_IMAP, text, sizeof text);
    assert_int_equal(kit.r, ERR_PROTOCOL);
    kit_refuses(&kit, WIRE_IMAP, GREETING,
                "* BYE this line cannot be taken: over 8192 bytes, or a NUL in it\r\n");
    assert_string_equal(book.said, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imap_sign_ins),
        cmocka_unit_test(imap_no_sign_ins),
        cmocka_unit_test(pop3_sign_ins),
        cmocka_unit_test(wrong_ones),
        cmocka_unit_test(a_server_that_fails),
        cmocka_unit_test(what_follows_is_carried),
        cmocka_unit_test(nothing_before_tls),
        cmocka_unit_test(plaintext_behind_starttls),
        cmocka_unit_test(a_handshake_that_fails),
        cmocka_unit_test(bad_lines),
    };

    return cmocka_run_group_tests_name("local_gate", tests, NULL, NULL);
}
