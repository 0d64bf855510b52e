/* test_failure.c - failures as each protocol says them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../fetch-helper/failure.h"

static char buf[FAILURE_MAX];

static const char *
line_for(enum wire wire, int code, const char *text, const char *hint)
{
    struct err err = ERR_INIT;

    err_set(&err, code, "%s", text);
    if (hint != NULL)
        err_hint(&err, "%s", hint);
    return failure_line(wire, &err, buf);
}

static void
in_each_protocol(void **state)
{
    (void)state;
    assert_string_equal(
        line_for(WIRE_IMAP, ERR_PERSON, "the sign-in has ended",
                 "mailbearer login a@b.c"),
        "* BYE mailbearer: the sign-in has ended -> mailbearer login a@b.c\r\n");
    assert_string_equal(
        line_for(WIRE_POP3, ERR_PERSON, "the sign-in has ended",
                 "mailbearer login a@b.c"),
        "-ERR [AUTH] mailbearer: the sign-in has ended -> mailbearer login a@b.c\r\n");
    assert_string_equal(
        line_for(WIRE_SMTP, ERR_PERSON, "the sign-in has ended", NULL),
        "421 4.3.0 mailbearer: the sign-in has ended -> see: mailbearer status\r\n");
}

static void
when_a_person_must_act(void **state)
{
    static const int person[] = {ERR_PERSON, ERR_DENIED, ERR_NOACCOUNT, ERR_CONFIG,
                                 ERR_USAGE};
    static const int passes[] = {ERR_TEMP,  ERR_TIMEOUT, ERR_PROTOCOL,
                                 ERR_NOMEM, ERR_NOAGENT, ERR_STORE};

    (void)state;
    for (size_t i = 0; i < sizeof person / sizeof person[0]; i++)
        assert_string_equal(line_for(WIRE_POP3, person[i], "x", NULL),
                            "-ERR [AUTH] mailbearer: x -> see: mailbearer status\r\n");
    for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++)
        assert_string_equal(line_for(WIRE_POP3, passes[i], "x", NULL),
                            "-ERR [SYS/TEMP] mailbearer: x -> try again later; if it "
                            "stays so, see: mailbearer status\r\n");
}

/* fetchmail would report a mailbox that is in use */
static void
words_that_fetchmail_misreads(void **state)
{
    (void)state;
    assert_string_equal(
        line_for(WIRE_POP3, ERR_PERSON, "account locked, Blocked", "Wait or unlock it"),
        "-ERR [AUTH] mailbearer: account lo-cked, Blo-cked -> Wa-it or unlo-ck it\r\n");
    assert_string_equal(line_for(WIRE_IMAP, ERR_PERSON, "account locked", "Wait"),
                        "* BYE mailbearer: account locked -> Wait\r\n");
}

static void
one_line_of_ascii(void **state)
{
    (void)state;
    assert_string_equal(line_for(WIRE_IMAP, ERR_TEMP, "no\r\na OK \xc3\xa4", "x"),
                        "* BYE mailbearer: no??a OK ?? -> x\r\n");
}

static void
long_texts_leave_room_for_the_remedy(void **state)
{
    char text[ERR_TEXT_MAX], hint[ERR_HINT_MAX];
    const char *line;

    (void)state;
    memset(text, 't', sizeof text);
    text[sizeof text - 1] = '\0';
    memset(hint, 'h', sizeof hint);
    hint[sizeof hint - 1] = '\0';
    for (enum wire wire = WIRE_POP3; wire <= WIRE_SMTP; wire++) {
        line = line_for(wire, ERR_PERSON, text, "run: mailbearer login a@b.c");
        assert_int_equal(strlen(line), 512);
        assert_string_equal(line + 512 - 33, " -> run: mailbearer login a@b.c\r\n");
        line = line_for(wire, ERR_PERSON, text, hint);
        assert_int_equal(strlen(line), 512);
        assert_non_null(strstr(line, "ttt -> hhh"));
        assert_string_equal(line + 508, "hh\r\n");
    }
    line = line_for(WIRE_IMAP, ERR_PERSON, text, hint);
    assert_true(strlen(line) > 1000 && strlen(line) < FAILURE_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_each_protocol),
        cmocka_unit_test(when_a_person_must_act),
        cmocka_unit_test(words_that_fetchmail_misreads),
        cmocka_unit_test(one_line_of_ascii),
        cmocka_unit_test(long_texts_leave_room_for_the_remedy),
    };

    return cmocka_run_group_tests_name("failure", tests, NULL, NULL);
}
