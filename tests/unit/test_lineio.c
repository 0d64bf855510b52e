/* test_lineio.c - lines of bounded length, and nothing lost behind them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../token-helper/mail/lineio.h"

struct part {
    const char *bytes;
    size_t len;
};

#define PART(text)                                                                       \
    {                                                                                    \
        text, sizeof(text) - 1                                                           \
    }

struct feed {
    const struct part *parts;
    size_t count, next, done;
    int fail; /* at the end: this error instead of the end */
};

static int
more(void *arg, char *buf, size_t size, size_t *n_r, struct err *err)
{
    struct feed *f = arg;

    if (f->next == f->count) {
        *n_r = 0;
        return f->fail == 0 ? 0 : err_set(err, f->fail, "no more");
    }
    *n_r = f->parts[f->next].len - f->done;
    if (*n_r > size)
        *n_r = size;
    memcpy(buf, f->parts[f->next].bytes + f->done, *n_r);
    f->done += *n_r;
    if (f->done == f->parts[f->next].len) {
        f->next++;
        f->done = 0;
    }
    return 0;
}

#define OPEN(io, f, ...)                                                                 \
    static const struct part parts_[] = {__VA_ARGS__};                                   \
    struct feed f = {parts_, sizeof parts_ / sizeof parts_[0], 0, 0, 0};                 \
    struct lineio io;                                                                    \
    lineio_init(&io, 32, more, &f)

static void
takes(struct lineio *io, const char *expect)
{
    const char *line = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(lineio_line(io, &line, &err), 0);
    assert_string_equal(line, expect);
}

static void
rest_is(const struct lineio *io, const char *expect)
{
    size_t len = 99;
    const char *rest = lineio_rest(io, &len);

    assert_int_equal(len, strlen(expect));
    assert_memory_equal(rest, expect, len);
}

static void
whole_and_in_pieces(void **state)
{
    (void)state;
    OPEN(io, f, PART("one\r\ntwo\nth"), PART("re"), PART("e\r"), PART("\n\r\n"));
    takes(&io, "one");
    takes(&io, "two");
    takes(&io, "three");
    takes(&io, "");
    lineio_clear(&io);
}

static void
what_follows_stays(void **state)
{
    (void)state;
    OPEN(io, f, PART("sign in\r\nand more\nbin\001"));
    takes(&io, "sign in");
    rest_is(&io, "and more\nbin\001");
    lineio_clear(&io);
}

static void
put_back(void **state)
{
    (void)state;
    OPEN(io, f, PART("USER x\r\n"), PART("STAT\r\nQUIT\r\n"));
    takes(&io, "USER x");
    takes(&io, "STAT");
    lineio_unread(&io);
    rest_is(&io, "STAT\r\nQUIT\r\n");
    takes(&io, "STAT");
    lineio_clear(&io);
}

static void
literals_are_skipped(void **state)
{
    const char *line = NULL;
    struct err err = ERR_INIT;

    (void)state;
    OPEN(io, f, PART("a LOGIN {7}\r\n"), PART("x\r"), PART("\0y\n"),
         PART("zz rest\r\nb\r\n"));
    takes(&io, "a LOGIN {7}");
    assert_int_equal(lineio_skip(&io, 7, &err), 0);
    takes(&io, " rest");
    takes(&io, "b");
    assert_int_equal(lineio_line(&io, &line, &err), LINEIO_END);
    lineio_clear(&io);
}

static void
a_literal_too_long_or_cut(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    OPEN(io, f, PART("abc"));
    assert_int_equal(lineio_skip(&io, 33, &err), ERR_PROTOCOL);
    assert_string_equal(err.text, "a literal is longer than 32 bytes");
    assert_int_equal(lineio_skip(&io, 4, &err), LINEIO_END);
    lineio_clear(&io);
}

static void
the_longest_line(void **state)
{
    const char *line = NULL;
    struct err err = ERR_INIT;

    (void)state;
    /* 32 bytes with their end, then 33 */
    OPEN(io, f, PART("123456789012345678901234567890\r\n"),
         PART("1234567890123456789012345678901\r\n"));
    takes(&io, "123456789012345678901234567890");
    assert_int_equal(lineio_line(&io, &line, &err), ERR_PROTOCOL);
    assert_string_equal(err.text, "a line is longer than 32 bytes");
    lineio_clear(&io);
}

static void
no_newline_at_all(void **state)
{
    static char megabyte[1 << 20];
    const struct part parts[] = {{megabyte, sizeof megabyte}};
    struct feed f = {parts, 1, 0, 0, 0};
    struct lineio io;
    const char *line = NULL;
    struct err err = ERR_INIT;

    (void)state;
    memset(megabyte, 'x', sizeof megabyte);
    lineio_init(&io, 8192, more, &f);
    assert_int_equal(lineio_line(&io, &line, &err), ERR_PROTOCOL);
    assert_string_equal(err.text, "a line is longer than 8192 bytes");
    assert_true(f.done <= 8192 + 4096); /* the rest was never read */
    lineio_clear(&io);
}

static void
a_nul_in_a_line(void **state)
{
    const char *line = NULL;
    struct err err = ERR_INIT;

    (void)state;
    OPEN(io, f, PART("a\0b\r\n"));
    assert_int_equal(lineio_line(&io, &line, &err), ERR_PROTOCOL);
    assert_string_equal(err.text, "a line holds a NUL byte");
    lineio_clear(&io);
}

static void
the_end_and_errors(void **state)
{
    const char *line = NULL;
    struct err err = ERR_INIT;

    (void)state;
    OPEN(io, f, PART("not finished"));
    assert_int_equal(lineio_line(&io, &line, &err), LINEIO_END);
    f.fail = ERR_TIMEOUT;
    assert_int_equal(lineio_line(&io, &line, &err), ERR_TIMEOUT);
    assert_string_equal(err.text, "no more");
    rest_is(&io, "not finished");
    lineio_clear(&io);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_and_in_pieces),
        cmocka_unit_test(what_follows_stays),
        cmocka_unit_test(put_back),
        cmocka_unit_test(literals_are_skipped),
        cmocka_unit_test(a_literal_too_long_or_cut),
        cmocka_unit_test(the_longest_line),
        cmocka_unit_test(no_newline_at_all),
        cmocka_unit_test(a_nul_in_a_line),
        cmocka_unit_test(the_end_and_errors),
    };

    return cmocka_run_group_tests_name("lineio", tests, NULL, NULL);
}
