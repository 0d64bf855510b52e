/* test_wallclock.c - the time of day, and times as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/wallclock.h"

static void
now_is_now(void **state)
{
    int64_t before = (int64_t)time(NULL);
    int64_t now = wallclock_now();

    (void)state;
    assert_true(now >= before && now <= (int64_t)time(NULL));
}

static void
texts(void **state)
{
    static const struct {
        int64_t when;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1795262400, "2026-11-21T12:00:00Z"},
        {951782400, "2000-02-29T00:00:00Z"},
        {INT64_C(253402300799), "9999-12-31T23:59:59Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {INT64_MAX, "@9223372036854775807"},
        {INT64_MIN, "@-9223372036854775808"},
    };
    char buf[WALLCLOCK_TEXT_MAX];
    size_t i;

    (void)state;
    setenv("TZ", "America/New_York", 1); /* has no say */
    tzset();
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ptr_equal(wallclock_text(cases[i].when, buf), buf);
        assert_string_equal(buf, cases[i].text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(now_is_now),
        cmocka_unit_test(texts),
    };

    return cmocka_run_group_tests_name("wallclock", tests, NULL, NULL);
}
