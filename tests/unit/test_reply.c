/* test_reply.c - what token endpoints answer. Run from the top of the tree: the replies
 * lie in tests/cases/replies/CASE/: `status`, `input` (the body), `expect`.
 *
 * `expect` of a token: "ok", then lines "access TOKEN", "refresh TOKEN", "life SECONDS",
 * "refresh_in SECONDS", "scope TEXT" ("-": none). Of a failure: "temporary", "protocol",
 * "rotated" (protocol, but the new refresh token counts) or "person"; the text, in which
 * one "*" stands for anything; then lines that must stand somewhere in the hint, or "-"
 * when there is none. */
#include <dirent.h>
#include <stdlib.h>

#include "scratch.h"

#include "base/json.h"
#include "oauth/reply.h"
#include "oauth_kit.h"

#define CASES "tests/cases/replies"
#define NOW INT64_C(1700000000)
#define BEFORE (NOW - 4000)

/* The request that is answered. */
static char name[] = "alice@contoso.com", tenant[] = "contoso.onmicrosoft.com";
static char client_id[] = "c-1", endpoint[] = "https://login.example/token";
static char scope[] = "mail";
static struct account account = {.name = name,
                                 .user = name,
                                 .tenant = tenant,
                                 .client_id = client_id,
                                 .scope = scope,
                                 .provider = {.token_endpoint = endpoint}};
static struct secret client_secret, refresh_token;

static int
setup(void **state)
{
    (void)state;
    json_setup();
    kit_set(&client_secret, "CANARY-client-secret");
    kit_set(&refresh_token, "CANARY-refresh");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    secret_clear(&client_secret);
    secret_clear(&refresh_token);
    return 0;
}

static struct record
record_before(void)
{
    struct record record = kit_token(&account, "CANARY-old", BEFORE, 3600);

    kit_set(&record.refresh_token, "CANARY-refresh");
    record.refresh_token_at = BEFORE;
    record.refresh_at = BEFORE + 7;
    record.scope = strdup("before");
    err_set(&record.failure.err, ERR_TEMP, "the last try");
    record.failure.count = 3;
    record.failure.retry_at = NOW + 10;
    return record;
}

static void
assert_untouched(const struct record *record)
{
    kit_assert_secret(&record->access_token, "CANARY-old");
    kit_assert_secret(&record->refresh_token, "CANARY-refresh");
    assert_int_equal(record->obtained_at, BEFORE);
    assert_int_equal(record->expires_at, BEFORE + 3600);
    assert_int_equal(record->refresh_at, BEFORE + 7);
    assert_int_equal(record->refresh_token_at, BEFORE);
    assert_string_equal(record->scope, "before");
    assert_int_equal(record->failure.count, 3);
    assert_string_equal(record->failure.err.text, "the last try");
}

static int
take(long status, const char *body, size_t len, struct record *record, struct err *err)
{
    struct reply_input in = {.account = &account,
                             .status = status,
                             .body = body,
                             .len = len,
                             .now = NOW,
                             .sent = {&client_secret, &refresh_token}};

    return reply_token(&in, record, err);
}

/* The next line of *text, which it is cut out of; NULL at the end. */
static char *
next_line(char **text)
{
    char *line = *text;

    if (*line == '\0')
        return NULL;
    *text += strcspn(*text, "\n");
    if (**text != '\0')
        *(*text)++ = '\0';
    return line;
}

/* The rest of a line that begins with `key` and a space. */
static const char *
value(char **expect, const char *key)
{
    const char *line = next_line(expect);
    size_t n = strlen(key);

    assert_non_null(line);
    if (strncmp(line, key, n) != 0 || line[n] != ' ')
        fail_msg("`%s` where `%s` should be", line, key);
    return line + n + 1;
}

static void
check_token(const struct record *record, char *expect)
{
    struct secret fingerprint = SECRET_INIT;
    const char *text;

    kit_assert_secret(&record->access_token, value(&expect, "access"));
    kit_assert_secret(&record->refresh_token, value(&expect, "refresh"));
    assert_int_equal(record->obtained_at, NOW);
    assert_int_equal(record->expires_at, NOW + atoll(value(&expect, "life")));
    text = value(&expect, "refresh_in");
    assert_int_equal(record->refresh_at, *text == '-' ? 0 : NOW + atoll(text));
    text = value(&expect, "scope");
    if (*text == '-')
        assert_null(record->scope);
    else
        assert_string_equal(record->scope, text);
    assert_null(next_line(&expect));
    assert_int_equal(record->refresh_token_at, NOW); /* it was used just now */
    assert_int_equal(record->failure.err.code, ERR_NONE);
    assert_int_equal(record->failure.count, 0);
    assert_int_equal(account_fingerprint(&account, &fingerprint), 0);
    assert_true(secret_equal(&fingerprint, &record->fingerprint));
    secret_clear(&fingerprint);
}

static bool
matches(const char *text, const char *pattern)
{
    const char *star = strchr(pattern, '*');
    size_t head = star != NULL ? (size_t)(star - pattern) : 0, tail;

    if (star == NULL)
        return strcmp(text, pattern) == 0;
    tail = strlen(star + 1);
    return strlen(text) >= head + tail && strncmp(text, pattern, head) == 0 &&
           strcmp(text + strlen(text) - tail, star + 1) == 0;
}

static void
check_failure(const struct err *err, const char *class, char *expect)
{
    const char *text = next_line(&expect), *hint;
    int code = strcmp(class, "temporary") == 0  ? ERR_TEMP
               : strcmp(class, "protocol") == 0 ? ERR_PROTOCOL
                                                : ERR_PERSON;

    assert_true(code != ERR_PERSON || strcmp(class, "person") == 0);
    assert_int_equal(err->code, code);
    assert_non_null(text);
    if (!matches(err->text, text))
        fail_msg("`%s` is not `%s`", err->text, text);
    while ((hint = next_line(&expect)) != NULL) {
        if (strcmp(hint, "-") == 0)
            assert_string_equal(err->hint, "");
        else if (strstr(err->hint, hint) == NULL)
            fail_msg("`%s` is not in the hint `%s`", hint, err->hint);
    }
    assert_null(strstr(err->text, "CANARY"));
    assert_null(strstr(err->hint, "CANARY"));
}

static const char *current; /* the case being run; NULL: none */

/* The assertion that failed does not tell. */
static int
name_the_case(void **state)
{
    (void)state;
    if (current != NULL)
        print_error("in " CASES "/%s\n", current);
    return 0;
}

static void
run_case(const char *dir)
{
    char path[SCRATCH_PATH_MAX], status[16], body[4096], expect[4096], *rest = expect;
    struct record record = record_before();
    struct err err = ERR_INIT;
    const char *kind;
    size_t len;
    int r;

    snprintf(path, sizeof path, CASES "/%s/status", dir);
    scratch_read(path, status, sizeof status);
    snprintf(path, sizeof path, CASES "/%s/input", dir);
    len = scratch_read(path, body, sizeof body);
    snprintf(path, sizeof path, CASES "/%s/expect", dir);
    scratch_read(path, expect, sizeof expect);
    kind = next_line(&rest);
    assert_non_null(kind);
    r = take(strtol(status, NULL, 10), body, len, &record, &err);
    if (strcmp(kind, "ok") == 0) {
        if (r != 0)
            fail_msg("%s: %s", dir, err.text);
        assert_int_equal(err.code, ERR_NONE);
        check_token(&record, rest);
    } else {
        bool rotated = strcmp(kind, "rotated") == 0;

        assert_int_equal(r, err.code);
        check_failure(&err, rotated ? "protocol" : kind, rest);
        if (rotated) { /* the new refresh token is kept, nothing else */
            kit_assert_secret(&record.refresh_token, "CANARY-new");
            assert_int_equal(record.refresh_token_at, NOW);
            kit_set(&record.refresh_token, "CANARY-refresh");
            record.refresh_token_at = BEFORE;
        }
        assert_untouched(&record);
    }
    record_clear(&record);
}

static void
every_case(void **state)
{
    DIR *dir = opendir(CASES);
    const struct dirent *entry;
    int count = 0;

    (void)state;
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.') {
            current = entry->d_name;
            run_case(current);
            count++;
        }
    current = NULL;
    closedir(dir);
    assert_true(count >= 100);
}

static int
take_token_of(size_t len, struct record *record, struct err *err)
{
    struct secret body = SECRET_INIT;
    int r;

    kit_set(&body, "{\"expires_in\":3600,\"access_token\":\"");
    for (size_t i = 0; i < len; i++)
        assert_int_equal(secret_append_char(&body, 'x'), 0);
    assert_int_equal(secret_append_str(&body, "\"}"), 0);
    r = take(200, body.data, body.len, record, err);
    secret_clear(&body);
    return r;
}

static void
the_longest_token(void **state)
{
    struct record record = record_before();
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(take_token_of(65537, &record, &err), ERR_PROTOCOL);
    assert_string_equal(err.text, "the token endpoint sent an unusable access token");
    assert_untouched(&record);
    assert_int_equal(take_token_of(65536, &record, &err), 0);
    assert_int_equal(record.access_token.len, 65536);
    record_clear(&record);
}

/* The provider may have ended the old refresh token: the new one must not be lost with an
 * access token that cannot be used. */
static void
a_new_refresh_token_beside_a_bad_access_token(void **state)
{
#define NEXT "\"refresh_token\":\"CANARY-next\""
    static const char *const bodies[] = {
        "{\"access_token\":\"a b\"," NEXT "}",
        "{\"access_token\":null," NEXT "}",
        "{\"access_token\":\"CANARY-a\"," NEXT ",\"expires_in\":0}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct record record = RECORD_INIT;
        struct err err = ERR_INIT;

        kit_set(&record.refresh_token, "CANARY-refresh");
        assert_int_equal(take(200, bodies[i], strlen(bodies[i]), &record, &err),
                         ERR_PROTOCOL);
        kit_assert_secret(&record.refresh_token, "CANARY-next");
        assert_int_equal(record.access_token.len, 0);
        record_clear(&record);
    }
}

/* An application's first token: there is no refresh token, and none appears. */
static void
into_an_empty_record(void **state)
{
    static const char body[] = "{\"expires_in\":3600,\"access_token\":\"CANARY\"}";
    struct record record = RECORD_INIT;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(take(200, body, strlen(body), &record, &err), 0);
    kit_assert_secret(&record.access_token, "CANARY");
    assert_int_equal(record.refresh_token.len, 0);
    assert_int_equal(record.refresh_token_at, 0);
    record_clear(&record);
}

/* Every beginning of a good reply: none is taken for one. */
static void
every_cut(void **state)
{
    static const char body[] = "{\"token_type\":\"Bearer\",\"expires_in\":3600,"
                               "\"access_token\":\"CANARY-access\"}";
    struct record record = record_before();

    (void)state;
    for (size_t len = 0; len < strlen(body); len++) {
        struct err err = ERR_INIT;
        char *copy = malloc(len + 1); /* ASan sees a read behind its end */

        assert_non_null(copy);
        memcpy(copy, body, len);
        assert_int_equal(take(200, copy, len, &record, &err), ERR_PROTOCOL);
        assert_null(strstr(err.text, "CANARY"));
        free(copy);
    }
    assert_untouched(&record);
    record_clear(&record);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_case, name_the_case),
        cmocka_unit_test(the_longest_token),
        cmocka_unit_test(into_an_empty_record),
        cmocka_unit_test(a_new_refresh_token_beside_a_bad_access_token),
        cmocka_unit_test(every_cut),
    };

    return cmocka_run_group_tests_name("reply", tests, setup, teardown);
}
