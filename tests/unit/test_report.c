/* test_report.c - findings as text and as JSON, and the exit status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "base/json.h"
#include "doctor/report.h"

struct page {
    struct report report;
    FILE *file;
    char *text;
    size_t len;
};

static void
begin(struct page *p, enum report_format format)
{
    p->text = NULL;
    p->file = open_memstream(&p->text, &p->len);
    assert_non_null(p->file);
    report_begin(&p->report, p->file, format);
    p->report.utf8 = true;
}

static void
ends(struct page *p, int status, const char *text)
{
    assert_int_equal(report_end(&p->report), status);
    fclose(p->file);
    assert_string_equal(p->text, text);
    free(p->text);
}

static struct err
problem(int code, const char *text, const char *hint)
{
    struct err err = ERR_INIT;

    err_set(&err, code, "%s", text);
    err_hint(&err, "%s", hint);
    return err;
}

static void
each_check_is_named_once_and_each_finding_marked(void **state)
{
    struct err slow = problem(ERR_TEMP, "it is slow", "");
    struct err bad = problem(ERR_PERSON, "it is refused", "sign in");
    struct page p;

    (void)state;
    begin(&p, REPORT_TEXT);
    report_check(&p.report, "tls");
    report_ok(&p.report, "%s answers", "it");
    report_note(&p.report, "it is %d", 7);
    report_check(&p.report, "empty");
    report_check(&p.report, "smtp");
    report_warning(&p.report, &slow);
    report_failure(&p.report, &bad);
    ends(&p, EX_NOPERM,
         "tls\n"
         "  \xe2\x9c\x93 it answers\n"
         "  \xc2\xb7 it is 7\n"
         "smtp\n"
         "  ! it is slow\n"
         "  \xe2\x9c\x97 it is refused\n"
         "      to mend it: sign in\n"
         "\n1 failure, 1 warning\n");
}

static void
words_where_the_locale_is_not_utf8(void **state)
{
    struct err bad = problem(ERR_CONFIG, "bad", "mend");
    struct page p;

    (void)state;
    begin(&p, REPORT_TEXT);
    p.report.utf8 = false;
    report_check(&p.report, "a");
    report_ok(&p.report, "fine");
    report_note(&p.report, "so");
    report_warning(&p.report, &bad);
    report_failure(&p.report, &bad);
    report_failure(&p.report, &bad);
    ends(&p, EX_CONFIG,
         "a\n  ok   fine\n  note so\n"
         "  warn bad\n      to mend it: mend\n"
         "  FAIL bad\n      to mend it: mend\n"
         "  FAIL bad\n      to mend it: mend\n"
         "\n2 failures, 1 warning\n");
}

static void
the_locale_is_read_by_its_name(void **state)
{
    struct report r;

    (void)state;
    unsetenv("LC_ALL");
    unsetenv("LC_CTYPE");
    setenv("LANG", "de_DE.UTF-8", 1);
    report_begin(&r, stdout, REPORT_TEXT);
    assert_true(r.utf8);
    setenv("LC_ALL", "C", 1);
    report_begin(&r, stdout, REPORT_TEXT);
    assert_false(r.utf8);
    setenv("LC_ALL", "", 1);
    setenv("LC_CTYPE", "en_GB.utf8", 1);
    report_begin(&r, stdout, REPORT_TEXT);
    assert_true(r.utf8);
}

static void
colour_round_the_mark_alone(void **state)
{
    struct page p;

    (void)state;
    begin(&p, REPORT_TEXT);
    assert_false(p.report.colour); /* no terminal */
    p.report.colour = true;
    report_check(&p.report, "a");
    report_ok(&p.report, "fine");
    report_note(&p.report, "so");
    ends(&p, EX_OK,
         "a\n  \033[32m\xe2\x9c\x93\033[0m fine\n  \xc2\xb7 so\n"
         "\nnothing wrong was found\n");
}

static void
the_first_failure_is_the_status_and_warnings_are_not(void **state)
{
    struct err warning = problem(ERR_CONFIG, "w", "");
    struct err first = problem(ERR_NOAGENT, "f", "");
    struct err second = problem(ERR_TEMP, "s", "");
    struct page p;

    (void)state;
    begin(&p, REPORT_TEXT);
    report_check(&p.report, "a");
    report_warning(&p.report, &warning);
    ends(&p, EX_OK, "a\n  ! w\n\n0 failures, 1 warning\n");
    begin(&p, REPORT_TEXT);
    report_check(&p.report, "a");
    report_failure(&p.report, &first);
    report_failure(&p.report, &second);
    ends(&p, EX_UNAVAILABLE,
         "a\n  \xe2\x9c\x97 f\n      to mend it: start the agent: mailbearer-agent(8)\n"
         "  \xe2\x9c\x97 s\n      to mend it: try again; if it stays so, check the "
         "network "
         "and the agent's log\n\n2 failures, 0 warnings\n");
}

static void
no_failure_is_without_a_remedy(void **state)
{
    (void)state;
    for (int code = ERR_NONE + 1; code <= ERR_CONFIG; code++) {
        struct err bad = problem(code, "it is bad", "");
        struct page p;

        begin(&p, REPORT_TEXT);
        report_check(&p.report, "a");
        report_failure(&p.report, &bad);
        report_end(&p.report);
        fclose(p.file);
        assert_non_null(strstr(p.text, "it is bad\n      to mend it: "));
        free(p.text);
    }
}

static void
what_a_server_says_cannot_steer_the_terminal(void **state)
{
    struct err err = ERR_INIT;
    struct page p;

    (void)state;
    err.code = ERR_TEMP;
    memcpy(err.text, "250\033[2J\r\nx\xff", sizeof "250\033[2J\r\nx\xff");
    memcpy(err.hint, "a\x9b\b", sizeof "a\x9b\b");
    begin(&p, REPORT_TEXT);
    report_check(&p.report, "a");
    report_ok(&p.report, "%s", "b\ac");
    report_failure(&p.report, &err);
    ends(&p, EX_TEMPFAIL,
         "a\n  \xe2\x9c\x93 b?c\n  \xe2\x9c\x97 250?[2J??x?\n"
         "      to mend it: a??\n\n1 failure, 0 warnings\n");
}

static void
a_text_that_is_too_long_is_cut(void **state)
{
    char text[2 * ERR_TEXT_MAX];
    struct page p;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    begin(&p, REPORT_TEXT);
    report_check(&p.report, "a");
    report_ok(&p.report, "%s", text);
    assert_int_equal(report_end(&p.report), EX_OK);
    fclose(p.file);
    assert_int_equal(strspn(strstr(p.text, "xxx"), "x"), ERR_TEXT_MAX - 1);
    free(p.text);
}

static void
as_json_it_comes_at_the_end(void **state)
{
    struct err warning = problem(ERR_TEMP, "w\xc3\xa4", "r");
    struct err bad = problem(ERR_NOACCOUNT, "f", "");
    struct page p;

    (void)state;
    begin(&p, REPORT_JSON);
    report_check(&p.report, "one");
    report_ok(&p.report, "fine");
    report_note(&p.report, "so");
    report_check(&p.report, "two");
    report_warning(&p.report, &warning);
    report_failure(&p.report, &bad);
    fflush(p.file);
    assert_int_equal(p.len, 0);
    ends(
        &p, EX_NOINPUT,
        "{\n"
        "  \"findings\": [\n"
        "    {\n      \"check\": \"one\",\n      \"level\": \"ok\",\n"
        "      \"finding\": \"fine\",\n      \"remedy\": \"\",\n      \"code\": 0\n    "
        "},\n"
        "    {\n      \"check\": \"one\",\n      \"level\": \"note\",\n"
        "      \"finding\": \"so\",\n      \"remedy\": \"\",\n      \"code\": 0\n    },\n"
        "    {\n      \"check\": \"two\",\n      \"level\": \"warning\",\n"
        "      \"finding\": \"w\xc3\xa4\",\n      \"remedy\": \"r\",\n      \"code\": "
        "75\n"
        "    },\n"
        "    {\n      \"check\": \"two\",\n      \"level\": \"failure\",\n"
        "      \"finding\": \"f\",\n      \"remedy\": \"correct the accounts file, or "
        "what it "
        "names; then: mailbearer check\",\n      \"code\": 66\n    }\n"
        "  ],\n"
        "  \"status\": 66\n"
        "}\n");
}

static void
what_cannot_be_written_is_an_error(void **state)
{
    FILE *full = fopen("/dev/full", "w");
    struct report r;

    (void)state;
    assert_non_null(full);
    report_begin(&r, full, REPORT_TEXT);
    report_check(&r, "a");
    report_ok(&r, "fine");
    assert_int_equal(report_end(&r), EX_IOERR);
    fclose(full);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_check_is_named_once_and_each_finding_marked),
        cmocka_unit_test(words_where_the_locale_is_not_utf8),
        cmocka_unit_test(the_locale_is_read_by_its_name),
        cmocka_unit_test(colour_round_the_mark_alone),
        cmocka_unit_test(the_first_failure_is_the_status_and_warnings_are_not),
        cmocka_unit_test(no_failure_is_without_a_remedy),
        cmocka_unit_test(what_a_server_says_cannot_steer_the_terminal),
        cmocka_unit_test(a_text_that_is_too_long_is_cut),
        cmocka_unit_test(as_json_it_comes_at_the_end),
        cmocka_unit_test(what_cannot_be_written_is_an_error),
    };

    json_setup();
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
