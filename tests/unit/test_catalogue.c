/* The catalogue: every row is well-formed and found by a text somebody may meet; the
 * look-ups by number and name; the blanks of a remedy. Samples, with what must be found
 * for them written out, are in tests/cases/catalogue/samples.tsv. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../token-helper/catalogue/catalogue.h"

#define SAMPLES "tests/cases/catalogue/samples.tsv"
#define ROWS_AT_LEAST 255
#define ROWS_AT_MOST 1000
#define COLUMNS 6

/* Looks `text` up from memory of exactly its length, so that a byte too far is seen. */
static const struct catalogue_entry *
search(const char *text, size_t len)
{
    const struct catalogue_entry *entry;
    char *copy = malloc(len ? len : 1);
    size_t at = 0;

    assert_non_null(copy);
    memcpy(copy, text, len);
    entry = catalogue_search(copy, len, 0, &at);
    free(copy);
    return entry;
}

static size_t
row_count(void)
{
    size_t n = 0;

    while (catalogue_row(n))
        n++;
    return n;
}

static size_t
row_of(const struct catalogue_entry *entry)
{
    size_t i = 0;

    while (catalogue_row(i) && catalogue_row(i) != entry)
        i++;
    return i;
}

/* \n, \r and \\ of the samples file, in place. */
static size_t
unescape(char *s)
{
    char *out = s;

    for (const char *in = s; *in; in++) {
        if (*in == '\\' && in[1]) {
            in++;
            *out++ = (char)(*in == 'n' ? '\n' : *in == 'r' ? '\r' : *in);
        } else {
            *out++ = *in;
        }
    }
    *out = '\0';
    return (size_t)(out - s);
}

/* Splits `line` at its tabs; false for a comment. */
static bool
sample_split(char *line, char *column[COLUMNS])
{
    line[strcspn(line, "\n")] = '\0';
    if (*line == '#')
        return false;
    for (int i = 0; i < COLUMNS; i++) {
        column[i] = line;
        line += strcspn(line, "\t");
        if (i < COLUMNS - 1) {
            assert_int_equal(*line, '\t');
            *line++ = '\0';
        }
    }
    assert_int_equal(*line, '\0');
    return true;
}

static size_t
sample_check(char *column[COLUMNS])
{
    size_t len = unescape(column[5]);
    const struct catalogue_entry *entry = search(column[5], len);

    if (!entry)
        fail_msg("nothing found in: %s", column[5]);
    assert_string_equal(entry->code, column[1]);
    assert_string_equal(entry->layer, column[0]);
    assert_string_equal(catalogue_class_name(entry->class_), column[2]);
    if (!strstr(entry->meaning, column[3]))
        fail_msg("%s: the meaning does not say \"%s\"", entry->code, column[3]);
    if (!strstr(entry->remedy, column[4]))
        fail_msg("%s: the remedy does not say \"%s\"", entry->code, column[4]);
    return row_of(entry);
}

static void
test_every_row_has_a_sample_that_finds_it(void **state)
{
    bool seen[ROWS_AT_MOST] = {false};
    char line[2048];
    char *column[COLUMNS];
    FILE *f = fopen(SAMPLES, "re");

    (void)state;
    if (!f)
        fail_msg("cannot open %s (tests run in the top folder)", SAMPLES);
    while (fgets(line, sizeof(line), f)) {
        if (sample_split(line, column))
            seen[sample_check(column)] = true;
    }
    fclose(f);
    for (size_t i = 0; catalogue_row(i); i++) {
        if (!seen[i])
            fail_msg("no sample for %s", catalogue_row(i)->code);
    }
}

/* Cut anywhere, a sample may find less, but never reads past its end (with ASan). */
static void
test_every_beginning_of_a_sample_is_safe(void **state)
{
    char line[2048];
    char *column[COLUMNS];
    FILE *f = fopen(SAMPLES, "re");

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        if (!sample_split(line, column))
            continue;
        for (size_t len = unescape(column[5]); len > 0; len--)
            search(column[5], len);
    }
    fclose(f);
}

/* `status` and `doctor` print codes as they stand in the table. */
static void
test_every_row_is_found_by_its_own_code(void **state)
{
    (void)state;
    for (size_t i = 0; catalogue_row(i); i++) {
        const struct catalogue_entry *row = catalogue_row(i);
        const struct catalogue_entry *found = search(row->code, strlen(row->code));

        if (!found)
            fail_msg("not found by its own code: %s", row->code);
        assert_string_equal(found->code, row->code);
    }
}

static void
assert_text(const char *text, size_t max)
{
    size_t len = strlen(text);

    assert_in_range(len, 3, max);
    for (size_t i = 0; i < len; i++)
        assert_in_range(text[i], ' ', '~');
}

static void
test_rows_are_well_formed_and_unique(void **state)
{
    size_t rows = row_count();

    (void)state;
    assert_in_range(rows, ROWS_AT_LEAST, ROWS_AT_MOST - 1);
    assert_null(catalogue_row(rows + 1));
    assert_null(catalogue_row(SIZE_MAX));
    for (size_t i = 0; i < rows; i++) {
        const struct catalogue_entry *row = catalogue_row(i);

        assert_text(row->layer, 5);
        assert_text(row->code, 100);
        assert_text(row->meaning, 200);
        assert_text(row->remedy, 300);
        assert_string_not_equal(catalogue_class_name(row->class_), "unknown");
        for (size_t j = 0; j < i; j++) {
            if (strcmp(catalogue_row(j)->code, row->code) == 0)
                assert_string_not_equal(catalogue_row(j)->layer, row->layer);
        }
    }
}

/* The agent keeps the tokens: a person signs in again, and deletes no file. */
static void
test_no_remedy_tells_to_delete_a_token_or_to_log_in(void **state)
{
    (void)state;
    for (size_t i = 0; catalogue_row(i); i++) {
        const char *remedy = catalogue_row(i)->remedy;

        if (strstr(remedy, "elete") || strstr(remedy, "og in") ||
            strstr(remedy, "lient bug"))
            fail_msg("%s: %s", catalogue_row(i)->code, remedy);
    }
}

static void
test_look_up_by_number_and_name(void **state)
{
    (void)state;
    assert_string_equal(catalogue_aadsts(7000222)->meaning,
                        "The client secret has expired");
    assert_string_equal(catalogue_aadsts(50000)->code, "AADSTS50000");
    assert_string_equal(catalogue_aadsts(9002332)->code, "AADSTS9002332");
    assert_string_equal(catalogue_aadsts(90031)->code, "AADSTS90090 / AADSTS90030-90032");
    assert_string_equal(catalogue_aadsts(7000227)->code, "AADSTS7000226 / AADSTS7000227");
    assert_string_equal(catalogue_oauth("invalid_grant")->code, "error=invalid_grant");
    assert_string_equal(catalogue_oauth("server_error")->code,
                        "error=temporarily_unavailable / server_error");
    assert_string_equal(catalogue_http(429)->code, "HTTP 429");
    assert_string_equal(catalogue_http(500)->code, "HTTP 5xx");
    assert_string_equal(catalogue_http(599)->code, "HTTP 5xx");
}

static void
test_unknown_numbers_and_names_find_nothing(void **state)
{
    (void)state;
    assert_null(catalogue_aadsts(7000223));
    assert_null(catalogue_aadsts(90029));
    assert_null(catalogue_aadsts(0));
    assert_null(catalogue_aadsts(-50000));
    assert_null(catalogue_aadsts(INT64_MIN));
    assert_null(catalogue_aadsts(INT64_MAX));
    /* 50000 in the low 32 bits: the number must not be cut. */
    assert_null(catalogue_aadsts(INT64_C(0x100000000) + 50000));
    assert_null(catalogue_oauth(""));
    assert_null(catalogue_oauth("invalid_gran"));
    assert_null(catalogue_oauth("invalid_grants"));
    assert_null(catalogue_oauth("Invalid_Grant"));
    assert_null(catalogue_http(200));
    assert_null(catalogue_http(428));
    assert_null(catalogue_http(499));
    assert_null(catalogue_http(600));
    assert_null(catalogue_http(-1));
}

static const struct catalogue_entry four_blanks = {
    "smtp", "x", "y", CATALOGUE_CONFIG,
    "m={mailbox} a={account} c={client_id} t={tenant} {other} {mail"};

static void
test_remedy_fills_in_what_is_known(void **state)
{
    const struct catalogue_values all = {"m@example.com", "acc", "1111", "example.com"};
    const struct catalogue_values some = {NULL, "{tenant}", "", NULL};
    char buf[200];

    (void)state;
    assert_ptr_equal(catalogue_remedy(&four_blanks, &all, buf, sizeof(buf)), buf);
    assert_string_equal(buf, "m=m@example.com a=acc c=1111 t=example.com {other} {mail");
    catalogue_remedy(&four_blanks, &some, buf, sizeof(buf));
    assert_string_equal(buf, "m=<mailbox> a={tenant} c= t=<tenant> {other} {mail");
    catalogue_remedy(&four_blanks, NULL, buf, sizeof(buf));
    assert_string_equal(buf,
                        "m=<mailbox> a=<account> c=<client_id> t=<tenant> {other} {mail");
}

static void
test_remedy_is_cut_at_the_size_of_the_buffer(void **state)
{
    const struct catalogue_values all = {"m@example.com", "acc", "1111", "example.com"};
    char buf[8] = "#######";

    (void)state;
    catalogue_remedy(&four_blanks, &all, buf, 6);
    assert_string_equal(buf, "m=m@e");
    assert_int_equal(buf[6], '#');
    catalogue_remedy(&four_blanks, &all, buf, 1);
    assert_string_equal(buf, "");
    buf[0] = '#';
    catalogue_remedy(&four_blanks, &all, buf, 0);
    assert_int_equal(buf[0], '#');
}

static void
test_class_names(void **state)
{
    (void)state;
    assert_string_equal(catalogue_class_name(CATALOGUE_TRANSIENT), "transient");
    assert_string_equal(catalogue_class_name(CATALOGUE_USER_ACTION), "user-action");
    assert_string_equal(catalogue_class_name(CATALOGUE_CONFIG), "config");
    assert_string_equal(catalogue_class_name(CATALOGUE_PERMANENT), "permanent");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_has_a_sample_that_finds_it),
        cmocka_unit_test(test_every_beginning_of_a_sample_is_safe),
        cmocka_unit_test(test_every_row_is_found_by_its_own_code),
        cmocka_unit_test(test_rows_are_well_formed_and_unique),
        cmocka_unit_test(test_no_remedy_tells_to_delete_a_token_or_to_log_in),
        cmocka_unit_test(test_look_up_by_number_and_name),
        cmocka_unit_test(test_unknown_numbers_and_names_find_nothing),
        cmocka_unit_test(test_remedy_fills_in_what_is_known),
        cmocka_unit_test(test_remedy_is_cut_at_the_size_of_the_buffer),
        cmocka_unit_test(test_class_names),
    };

    return cmocka_run_group_tests_name("catalogue", tests, NULL, NULL);
}
