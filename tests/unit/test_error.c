/* test_error.c - error texts: cleaned, cut at whole characters, and there and back again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/error.h"

static void
set_gives_code_and_text(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    err_hint(&err, "an old hint");
    assert_int_equal(err_set(&err, ERR_TEMP, "HTTP %d from %s", 503, "login"), ERR_TEMP);
    assert_int_equal(err.code, ERR_TEMP);
    assert_string_equal(err.text, "HTTP 503 from login");
    assert_string_equal(err.hint, "");
    err_hint(&err, "wait %d s", 30);
    assert_string_equal(err.hint, "wait 30 s");
    assert_string_equal(err.text, "HTTP 503 from login");
}

static void
set_without_err(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_PERSON, "%s", "x"), ERR_PERSON);
    err_hint(NULL, "%s", "x");
    assert_int_equal(err_from_line(NULL, ERR_TEMP, "a", 1), ERR_TEMP);
}

static void
set_from_its_own_text(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    err_set(&err, ERR_TEMP, "no route");
    err_set(&err, ERR_TEMP, "account %s: %s", "a", err.text);
    assert_string_equal(err.text, "account a: no route");
}

static void
control_characters_are_replaced(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    err_set(&err, ERR_TEMP, "a\r\nb\tc\x01\x7f\x1b[2Jd");
    assert_string_equal(err.text, "a??b?c???[2Jd");
    err_hint(&err, "x\ny");
    assert_string_equal(err.hint, "x?y");
    /* U+0085 and U+009B do in a terminal what ESC does. */
    err_set(&err, ERR_TEMP, "a\xc2\x85\xc2\x9b");
    assert_string_equal(err.text, "a??");
}

static void
utf8_is_kept_and_the_rest_replaced(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    err_set(&err, ERR_TEMP, "J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\xa7 \xc2\xa0.");
    assert_string_equal(err.text,
                        "J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\xa7 \xc2\xa0.");
    /* Latin-1, overlong '/', a surrogate, above U+10FFFF, a lone continuation. */
    err_set(&err, ERR_TEMP, "J\xfcrgen|\xc0\xaf|\xed\xa0\x80|\xf4\x90\x80\x80|\x80|");
    assert_string_equal(err.text, "J?rgen|??|???|????|?|");
}

static void
long_texts_are_cut_at_whole_characters(void **state)
{
    char text[ERR_TEXT_MAX + 100];
    struct err err = ERR_INIT;

    (void)state;
    /* 511 bytes fit: 510 letters, then a character of 3. */
    memset(text, 'x', 510);
    strcpy(text + 510, "\xe2\x82\xac rest");
    err_set(&err, ERR_TEMP, "%s", text);
    assert_int_equal(strlen(err.text), 510);
    memset(text, 'x', 508);
    strcpy(text + 508, "\xe2\x82\xac rest");
    err_set(&err, ERR_TEMP, "%s", text);
    assert_int_equal(strlen(err.text), 511);
    assert_string_equal(err.text + 508, "\xe2\x82\xac");
    err_hint(&err, "%s", text);
    assert_int_equal(strlen(err.hint), 511);
}

static void
clean_works_in_place(void **state)
{
    char text[] = "a\0b\xe2\x82\xac\xe2\x82";

    (void)state;
    assert_int_equal(err_clean(text, 8), 6);
    assert_memory_equal(text, "a?b\xe2\x82\xac", 6);
    assert_int_equal(err_clean(text, 0), 0);
}

static void
line_there_and_back(void **state)
{
    char line[ERR_LINE_MAX];
    struct err err = ERR_INIT;
    struct err back = ERR_INIT;

    (void)state;
    err_set(&err, ERR_PERSON, "the secret expired");
    assert_string_equal(err_line(&err, line), "the secret expired");
    err_from_line(&back, ERR_PERSON, line, strlen(line));
    assert_string_equal(back.text, "the secret expired");
    assert_string_equal(back.hint, "");
    err_hint(&err, "make a new one");
    assert_string_equal(err_line(&err, line), "the secret expired -> make a new one");
    assert_int_equal(err_from_line(&back, ERR_PERSON, line, strlen(line)), ERR_PERSON);
    assert_int_equal(back.code, ERR_PERSON);
    assert_string_equal(back.text, "the secret expired");
    assert_string_equal(back.hint, "make a new one");
}

static void
line_from_a_stranger(void **state)
{
    char line[3 * ERR_LINE_MAX];
    struct err err = ERR_INIT;

    (void)state;
    /* Only the given length is read, and it is cleaned. */
    err_from_line(&err, ERR_TEMP, "a\nb\0c -> d\re|unread", 12);
    assert_string_equal(err.text, "a?b?c");
    assert_string_equal(err.hint, "d?e");
    memset(line, 'y', sizeof(line));
    memcpy(line + 700, " -> ", 4);
    err_from_line(&err, ERR_TEMP, line, sizeof(line));
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    assert_int_equal(strlen(err.hint), ERR_HINT_MAX - 1);
    err_from_line(&err, ERR_TEMP, "", 0);
    assert_string_equal(err.text, "");
    assert_string_equal(err.hint, "");
}

static void
the_longest_line_fits(void **state)
{
    char text[ERR_TEXT_MAX];
    char line[ERR_LINE_MAX];
    struct err err = ERR_INIT;

    (void)state;
    memset(text, 'z', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    err_set(&err, ERR_TEMP, "%s", text);
    err_hint(&err, "%s", text);
    assert_int_equal(strlen(err_line(&err, line)), 2 * 511 + 4);
}

static void
codes(void **state)
{
    static const struct {
        int code;
        int status;
        bool temporary;
    } table[] = {
        {ERR_NONE, 0, false},     {ERR_USAGE, 64, false},   {ERR_NOACCOUNT, 66, false},
        {ERR_NOAGENT, 69, false}, {ERR_STORE, 74, false},   {ERR_TEMP, 75, true},
        {ERR_TIMEOUT, 75, true},  {ERR_PROTOCOL, 75, true}, {ERR_NOMEM, 75, true},
        {ERR_PERSON, 77, false},  {ERR_DENIED, 77, false},  {ERR_CONFIG, 78, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(err_exit_status(table[i].code), table[i].status);
        assert_int_equal(err_is_temporary(table[i].code), table[i].temporary);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_gives_code_and_text),
        cmocka_unit_test(set_without_err),
        cmocka_unit_test(set_from_its_own_text),
        cmocka_unit_test(control_characters_are_replaced),
        cmocka_unit_test(utf8_is_kept_and_the_rest_replaced),
        cmocka_unit_test(long_texts_are_cut_at_whole_characters),
        cmocka_unit_test(clean_works_in_place),
        cmocka_unit_test(line_there_and_back),
        cmocka_unit_test(line_from_a_stranger),
        cmocka_unit_test(the_longest_line_fits),
        cmocka_unit_test(codes),
    };

    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
