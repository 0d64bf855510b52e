/* This machine's clock against a server's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/clock_check.h"

#define THEIRS INT64_C(1800000000)

/* Judges a clock that is `ahead` seconds ahead; the status, and what was said. */
static int
judge(int64_t ahead, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    struct report report;
    FILE *out = open_memstream(&text, &len);
    int status;

    assert_non_null(out);
    report_begin(&report, out, REPORT_TEXT);
    report.utf8 = false;
    report_check(&report, "clock");
    clock_judge("login.example", THEIRS, THEIRS + ahead, &report);
    status = report_end(&report);
    fclose(out);
    if (strstr(text, expected) == NULL)
        fail_msg("not there: %s\nin: %s", expected, text);
    free(text);
    return status;
}

static void
within_a_minute_all_is_well(void **state)
{
    (void)state;
    assert_int_equal(
        judge(0, "ok   this machine's clock and login.example agree within 0 s\n"), 0);
    assert_int_equal(judge(60, "ok   "), 0);
    assert_int_equal(judge(-60, "agree within 60 s"), 0);
}

static void
within_five_minutes_it_is_a_warning(void **state)
{
    (void)state;
    assert_int_equal(
        judge(61, "warn this machine's clock is 61 s ahead of login.example\n"), 0);
    assert_int_equal(
        judge(-300, "warn this machine's clock is 300 s behind login.example\n"), 0);
}

static void
beyond_it_is_a_failure(void **state)
{
    (void)state;
    assert_int_equal(judge(301, "FAIL this machine's clock is 301 s ahead of "), 77);
    assert_int_equal(judge(-86400, "FAIL this machine's clock is 86400 s behind "), 77);
    assert_int_equal(judge(-86400, "to mend it: set it, and have it kept"), 77);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(within_a_minute_all_is_well),
        cmocka_unit_test(within_five_minutes_it_is_a_warning),
        cmocka_unit_test(beyond_it_is_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
