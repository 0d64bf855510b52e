/* test_store_record.c - a record as JSON text and back; damaged records in
 * tests/cases/store, each with the error it must give. */
#include <dirent.h>
#include <stdarg.h>
#include <stdbool.h>

#include "scratch.h"

#include "accounts/store_record.h"
#include "base/json.h"

#define CASES "tests/cases/store"

static void
set(struct secret *to, const char *text)
{
    assert_int_equal(secret_set(to, text, strlen(text)), 0);
}

static struct record
full_record(void)
{
    struct record record = RECORD_INIT;

    set(&record.access_token, "eyJ0.access.\"\\/token");
    set(&record.refresh_token, "0.AX-refresh_token~");
    set(&record.fingerprint, "line one\nline two\t\xc3\xbc");
    record.obtained_at = 1700000000;
    record.expires_at = 1700003599;
    record.refresh_at = 1700001800;
    record.refresh_token_at = 1699990000;
    record.scope = strdup("https://outlook.office.com/SMTP.Send offline_access");
    err_set(&record.failure.err, ERR_PERSON, "AADSTS50173: the grant has expired");
    err_hint(&record.failure.err, "run: mailbearer login alice@contoso.com");
    record.failure.at = 1700000100;
    record.failure.retry_at = 1700000400;
    record.failure.count = 3;
    return record;
}

static const char full_text[] =
    "{\n"
    "  \"version\": 1,\n"
    "  \"serial\": 42,\n"
    "  \"access_token\": \"eyJ0.access.\\\"\\\\/token\",\n"
    "  \"obtained_at\": 1700000000,\n"
    "  \"expires_at\": 1700003599,\n"
    "  \"refresh_at\": 1700001800,\n"
    "  \"refresh_token\": \"0.AX-refresh_token~\",\n"
    "  \"refresh_token_at\": 1699990000,\n"
    "  \"scope\": \"https://outlook.office.com/SMTP.Send offline_access\",\n"
    "  \"fingerprint\": \"line one\\nline two\\t\xc3\xbc\",\n"
    "  \"failure\": {\n"
    "    \"code\": \"person\",\n"
    "    \"text\": \"AADSTS50173: the grant has expired\",\n"
    "    \"hint\": \"run: mailbearer login alice@contoso.com\",\n"
    "    \"at\": 1700000100,\n"
    "    \"retry_at\": 1700000400,\n"
    "    \"count\": 3\n"
    "  }\n"
    "}\n";

static void
assert_secret(const struct secret *secret, const char *text)
{
    assert_string_equal(secret_str(secret), text);
    assert_int_equal(secret->len, strlen(text));
}

static void
assert_full(const struct record *record)
{
    assert_secret(&record->access_token, "eyJ0.access.\"\\/token");
    assert_secret(&record->refresh_token, "0.AX-refresh_token~");
    assert_secret(&record->fingerprint, "line one\nline two\t\xc3\xbc");
    assert_int_equal(record->obtained_at, 1700000000);
    assert_int_equal(record->expires_at, 1700003599);
    assert_int_equal(record->refresh_at, 1700001800);
    assert_int_equal(record->refresh_token_at, 1699990000);
    assert_string_equal(record->scope,
                        "https://outlook.office.com/SMTP.Send offline_access");
    assert_int_equal(record->failure.err.code, ERR_PERSON);
    assert_string_equal(record->failure.err.text, "AADSTS50173: the grant has expired");
    assert_string_equal(record->failure.err.hint,
                        "run: mailbearer login alice@contoso.com");
    assert_int_equal(record->failure.at, 1700000100);
    assert_int_equal(record->failure.retry_at, 1700000400);
    assert_int_equal(record->failure.count, 3);
}

static void
assert_empty(const struct record *record)
{
    static const struct record empty = RECORD_INIT;

    assert_memory_equal(record, &empty, sizeof empty);
}

static void
writes_everything(void **state)
{
    struct record record = full_record();
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(record_format(&record, 42, &out, &err), 0);
    assert_string_equal(secret_str(&out), full_text);
    secret_clear(&out);
    record_clear(&record);
    assert_empty(&record);
}

static void
reads_everything(void **state)
{
    struct record record = RECORD_INIT;
    struct record_info info;
    struct err err = ERR_INIT;

    (void)state;
    set(&record.access_token, "what was there");
    assert_int_equal(record_parse(full_text, sizeof full_text - 1, &record, &info, &err),
                     0);
    assert_int_equal(info.state, RECORD_WHOLE);
    assert_int_equal(info.serial, 42);
    assert_full(&record);
    assert_int_equal(err.code, ERR_NONE);
    record_clear(&record);
}

static void
an_empty_record(void **state)
{
    struct record record = RECORD_INIT;
    struct record_info info;
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(record_format(&record, 1, &out, &err), 0);
    assert_string_equal(secret_str(&out), "{\n  \"version\": 1,\n  \"serial\": 1\n}\n");
    record = full_record();
    assert_int_equal(record_parse(secret_str(&out), out.len, &record, &info, &err), 0);
    assert_empty(&record);
    assert_int_equal(info.serial, 1);
    secret_clear(&out);
}

static void
every_code_has_a_name(void **state)
{
    static const struct {
        int code;
        const char *member;
    } cases[] = {
        {ERR_USAGE, "\"code\": \"usage\""},
        {ERR_NOACCOUNT, "\"code\": \"no_account\""},
        {ERR_NOAGENT, "\"code\": \"no_agent\""},
        {ERR_STORE, "\"code\": \"store\""},
        {ERR_TEMP, "\"code\": \"temporary\""},
        {ERR_TIMEOUT, "\"code\": \"timeout\""},
        {ERR_PROTOCOL, "\"code\": \"protocol\""},
        {ERR_NOMEM, "\"code\": \"no_memory\""},
        {ERR_PERSON, "\"code\": \"person\""},
        {ERR_DENIED, "\"code\": \"denied\""},
        {ERR_CONFIG, "\"code\": \"config\""},
    };
    size_t i;

    (void)state;
    /* Whoever adds a code adds a name: else it would come back as a temporary failure. */
    assert_int_equal(sizeof cases / sizeof *cases, ERR_CONFIG);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record record = RECORD_INIT;
        struct record_info info;
        struct secret out = SECRET_INIT;
        struct err err = ERR_INIT;

        err_set(&record.failure.err, cases[i].code, "text");
        assert_int_equal(record_format(&record, 1, &out, &err), 0);
        assert_non_null(strstr(secret_str(&out), cases[i].member));
        record_clear(&record);
        assert_int_equal(record_parse(secret_str(&out), out.len, &record, &info, &err),
                         0);
        assert_int_equal(record.failure.err.code, cases[i].code);
        secret_clear(&out);
        record_clear(&record);
    }
}

static int
parse_text(const char *text, struct record *record, struct record_info *info,
           struct err *err)
{
    return record_parse(text, strlen(text), record, info, err);
}

static void
what_is_let_pass(void **state)
{
    struct record record = RECORD_INIT;
    struct record_info info;
    struct err err = ERR_INIT;

    (void)state;
    /* A failure of a kind we do not know, unknown keys, nulls, no serial number. */
    assert_int_equal(parse_text("{\"version\":1,\"future\":[1],\"scope\":null,"
                                "\"refresh_token\":\"r\",\"failure\":"
                                "{\"code\":\"eclipse\",\"text\":\"a\\nb\",\"count\":1}}",
                                &record, &info, &err),
                     0);
    assert_int_equal(info.serial, 0);
    assert_secret(&record.refresh_token, "r");
    assert_null(record.scope);
    assert_int_equal(record.failure.err.code, ERR_TEMP);
    assert_string_equal(record.failure.err.text, "a?b");
    assert_string_equal(record.failure.err.hint, "");
    record_clear(&record);
}

static void
a_newer_version(void **state)
{
    struct record record = RECORD_INIT;
    struct record_info info;
    struct err err = ERR_INIT;

    (void)state;
    set(&record.refresh_token, "stays");
    assert_int_equal(parse_text("{\"version\":2,\"serial\":9,\"refresh_token\":[\"r\"]}",
                                &record, &info, &err),
                     ERR_STORE);
    assert_int_equal(info.state, RECORD_NEWER);
    assert_string_equal(err.text,
                        "a newer mailbearer wrote it (version 2, this one reads 1)");
    assert_secret(&record.refresh_token, "stays");
    record_clear(&record);
}

#define VERSIONS "tests/cases/store-versions"

/* A file as the first release wrote it, and one of some day: never change the first. */
static void
a_file_of_version_1(void **state)
{
    char input[4096];
    struct record record = RECORD_INIT;
    struct record_info info;
    struct err err = ERR_INIT;

    (void)state;
    scratch_read(VERSIONS "/1.json", input, sizeof input);
    assert_int_equal(parse_text(input, &record, &info, &err), 0);
    assert_int_equal(info.state, RECORD_WHOLE);
    assert_secret(&record.access_token, "version-1.access.CANARYone");
    assert_secret(&record.refresh_token, "version-1.refresh.CANARYone");
    assert_int_equal(record.obtained_at, 1700000000);
    assert_int_equal(record.expires_at, 1700003599);
    assert_int_equal(record.refresh_at, 1700001800);
    assert_int_equal(record.refresh_token_at, 1700000000);
    assert_int_equal(record.failure.err.code, ERR_TEMP);
    assert_string_equal(record.failure.err.text, "HTTP 503");
    assert_string_equal(record.failure.err.hint, "try again");
    assert_int_equal(record.failure.at, 1700000000);
    assert_int_equal(record.failure.retry_at, 1700000002);
    assert_int_equal(record.failure.count, 1);
    record_clear(&record);
    scratch_read(VERSIONS "/newer.json", input, sizeof input);
    assert_int_equal(parse_text(input, &record, &info, &err), ERR_STORE);
    assert_int_equal(info.state, RECORD_NEWER);
    assert_string_equal(err.text,
                        "a newer mailbearer wrote it (version 3, this one reads 1)");
    record_clear(&record);
}

static void
one_damaged(const char *name)
{
    static char input[RECORD_FILE_MAX];
    char path[SCRATCH_PATH_MAX];
    char expected[1000];
    struct record record = RECORD_INIT;
    struct record_info info;
    struct err err = ERR_INIT;
    size_t len;
    int r;

    snprintf(path, sizeof path, CASES "/%s/error", name);
    scratch_read(path, expected, sizeof expected);
    expected[strcspn(expected, "\n")] = '\0';
    snprintf(path, sizeof path, CASES "/%s/input", name);
    len = scratch_read(path, input, sizeof input);

    set(&record.refresh_token, "stays");
    r = record_parse(input, len, &record, &info, &err);
    if (r != ERR_STORE || info.state != RECORD_DAMAGED || strcmp(err.text, expected) != 0)
        fail_msg("%s: code %d, state %d, \"%s\", expected \"%s\"", name, r,
                 (int)info.state, err.text, expected);
    assert_int_equal(err.code, ERR_STORE);
    assert_null(strstr(err.text, "SECRET")); /* every input has it in its token */
    assert_int_equal(info.serial, 0);
    assert_secret(&record.refresh_token, "stays");
    record_clear(&record);
}

static void
damaged_records(void **state)
{
    DIR *cases = opendir(CASES);
    struct dirent *entry;
    int count = 0;

    (void)state;
    assert_non_null(cases);
    while ((entry = readdir(cases)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        one_damaged(entry->d_name);
        count++;
    }
    closedir(cases);
    assert_true(count >= 20);
}

/* A record that was cut anywhere, as by a full disk, is damaged and nothing else. */
static void
every_cut_is_seen(void **state)
{
    size_t len;

    (void)state;
    for (len = 0; len < sizeof full_text - 2; len++) {
        struct record record = RECORD_INIT;
        struct record_info info;
        struct err err = ERR_INIT;

        if (record_parse(full_text, len, &record, &info, &err) != ERR_STORE ||
            info.state != RECORD_DAMAGED)
            fail_msg("the first %zu bytes are taken for a record", len);
        assert_empty(&record);
    }
}

static void
refused(struct record *record)
{
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(record_format(record, 1, &out, &err), ERR_STORE);
    assert_string_equal(err.text,
                        "a token or its scope is too long, not UTF-8, or holds a "
                        "control character: it cannot be stored");
    assert_int_equal(out.len, 0);
    secret_clear(&out);
    record_clear(record);
}

static void
what_cannot_be_stored(void **state)
{
    static char large[RECORD_TOKEN_MAX + 2];
    struct record record = RECORD_INIT;

    (void)state;
    set(&record.access_token, "two\nlines");
    refused(&record);
    set(&record.refresh_token, "latin \xfc");
    refused(&record);
    assert_int_equal(secret_set(&record.fingerprint, "with\0nul", 8), 0);
    refused(&record);
    memset(large, 'x', sizeof large - 1);
    set(&record.access_token, large);
    refused(&record);
    large[RECORD_TEXT_MAX + 1] = '\0';
    record.scope = strdup(large);
    refused(&record);
}

static void
the_largest_that_can_be_stored(void **state)
{
    static char large[RECORD_TOKEN_MAX + 1];
    struct record record = RECORD_INIT;
    struct record_info info;
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    out.max = RECORD_FILE_MAX;
    memset(large, '"', sizeof large - 1); /* twice as long in JSON */
    set(&record.access_token, large);
    set(&record.refresh_token, large);
    large[RECORD_TEXT_MAX] = '\0';
    set(&record.fingerprint, large);
    record.scope = strdup(large);
    assert_int_equal(record_format(&record, RECORD_SERIAL_MAX, &out, &err), 0);
    record_clear(&record);
    assert_int_equal(record_parse(secret_str(&out), out.len, &record, &info, &err), 0);
    assert_int_equal(record.access_token.len, RECORD_TOKEN_MAX);
    assert_int_equal(record.refresh_token.len, RECORD_TOKEN_MAX);
    assert_int_equal(record.fingerprint.len, RECORD_TEXT_MAX);
    assert_int_equal(strlen(record.scope), RECORD_TEXT_MAX);
    assert_int_equal(info.serial, RECORD_SERIAL_MAX);
    record_clear(&record);
    secret_clear(&out);
}

/* A provider's nonsense, or a server's text in Latin-1, must not cost us the tokens. */
static void
what_is_mended_on_the_way(void **state)
{
    struct record record = RECORD_INIT;
    struct record_info info;
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    set(&record.refresh_token, "r");
    record.expires_at = INT64_MAX;
    record.refresh_at = -5;
    record.failure.err.code = 99;
    strcpy(record.failure.err.text, "gr\xfc\xdf\x07");
    record.failure.count = -1;
    assert_int_equal(record_format(&record, 7, &out, &err), 0);
    record_clear(&record);
    assert_int_equal(record_parse(secret_str(&out), out.len, &record, &info, &err), 0);
    assert_secret(&record.refresh_token, "r");
    assert_int_equal(record.expires_at, INT64_C(253402300799));
    assert_int_equal(record.refresh_at, 0);
    assert_int_equal(record.failure.err.code, ERR_TEMP);
    assert_string_equal(record.failure.err.text, "gr???");
    assert_int_equal(record.failure.count, 0);
    record_clear(&record);
    secret_clear(&out);
}

static void
copies_and_moves(void **state)
{
    struct record from = full_record();
    struct record to = RECORD_INIT;
    struct err err = ERR_INIT;

    (void)state;
    set(&to.access_token, "what was there");
    to.scope = strdup("old");
    assert_int_equal(record_copy(&to, &from, &err), 0);
    assert_full(&to);
    assert_full(&from);
    assert_ptr_not_equal(to.access_token.data, from.access_token.data);
    assert_ptr_not_equal(to.scope, from.scope);
    record_move(&from, &to);
    assert_full(&from);
    assert_empty(&to);
    record_clear(&from);
    record_clear(&from);
    assert_empty(&from);
}

static void
a_copy_that_fails_changes_nothing(void **state)
{
    struct record from = full_record();
    struct record to = full_record();
    struct err err = ERR_INIT;

    (void)state;
    from.refresh_token.max = 3; /* less than it holds */
    assert_int_equal(record_copy(&to, &from, &err), ERR_NOMEM);
    assert_int_equal(err.code, ERR_NOMEM);
    assert_full(&to);
    record_clear(&to);
    record_clear(&from);
}

static int
setup(void **state)
{
    (void)state;
    json_setup();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_everything),
        cmocka_unit_test(reads_everything),
        cmocka_unit_test(an_empty_record),
        cmocka_unit_test(every_code_has_a_name),
        cmocka_unit_test(what_is_let_pass),
        cmocka_unit_test(a_newer_version),
        cmocka_unit_test(a_file_of_version_1),
        cmocka_unit_test(damaged_records),
        cmocka_unit_test(every_cut_is_seen),
        cmocka_unit_test(what_cannot_be_stored),
        cmocka_unit_test(the_largest_that_can_be_stored),
        cmocka_unit_test(what_is_mended_on_the_way),
        cmocka_unit_test(copies_and_moves),
        cmocka_unit_test(a_copy_that_fails_changes_nothing),
    };

    return cmocka_run_group_tests_name("store_record", tests, setup, NULL);
}
