/* test_json.c - typed reads and writes, and that jansson leaves no token behind. */
/* link: -Wl,--wrap=free,--wrap=malloc */
#include <malloc.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

#define TOKEN "canary-4f1d8a-token"

void *__real_malloc(size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void __wrap_free(void *block);

static int tokens_freed; /* blocks that were given back with the token in them */
static int mallocs_left; /* -1: no limit */

void *
__wrap_malloc(size_t size)
{
    if (mallocs_left == 0)
        return NULL;
    if (mallocs_left > 0)
        mallocs_left--;
    return __real_malloc(size);
}

void
__wrap_free(void *block)
{
    if (block != NULL &&
        memmem(block, malloc_usable_size(block), TOKEN, strlen(TOKEN)) != NULL)
        tokens_freed++;
    __real_free(block);
}

static int
reset(void **state)
{
    (void)state;
    tokens_freed = 0;
    mallocs_left = -1;
    return 0;
}

static struct json *
parsed(const char *text)
{
    struct json *json = NULL;
    struct err err = ERR_INIT;

    if (json_parse(text, strlen(text), &json, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return json;
}

static void
strings(void **state)
{
    struct json *json = parsed("{\"a\":\"text\",\"empty\":\"\",\"n\":null,\"i\":1,"
                               "\"u\":\"gr\\u00fc\\u00df\",\"o\":{\"a\":\"in\"}}");

    (void)state;
    assert_string_equal(json_get_string(json, "a"), "text");
    assert_string_equal(json_get_string(json, "empty"), "");
    assert_string_equal(json_get_string(json, "u"), "gr\xc3\xbc\xc3\x9f");
    assert_null(json_get_string(json, "n"));
    assert_null(json_get_string(json, "i"));
    assert_null(json_get_string(json, "absent"));
    assert_true(json_has(json, "a"));
    assert_true(json_has(json, "i"));
    assert_false(json_has(json, "n"));
    assert_false(json_has(json, "absent"));
    assert_string_equal(json_get_string(json_get_object(json, "o"), "a"), "in");
    assert_null(json_get_object(json, "a"));
    assert_null(json_get_object(json, "absent"));
    json_free(&json);
    assert_null(json);
    json_free(&json);
}

static void
integers(void **state)
{
    static const struct {
        const char *text; /* of the value */
        bool good;
        int64_t value;
    } cases[] = {
        {"3599", true, 3599},
        {"-5", true, -5},
        {"0", true, 0},
        {"9223372036854775807", true, INT64_MAX},
        {"3599.0", true, 3599},
        {"1e3", true, 1000},
        {"3599.5", false, 0},
        {"1e30", false, 0},
        {"-1e30", false, 0},
        {"9223372036854775808.0", false, 0},
        {"\"3599\"", true, 3599},
        {"\"0\"", true, 0},
        {"\"9223372036854775807\"", true, INT64_MAX},
        {"\"9223372036854775808\"", false, 0},
        {"\"\"", false, 0},
        {"\"-1\"", false, 0},
        {"\" 1\"", false, 0},
        {"\"12a\"", false, 0},
        {"true", false, 0},
        {"null", false, 0},
        {"[1]", false, 0},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[100];
        struct json *json;
        int64_t value = 77;

        snprintf(text, sizeof text, "{\"v\": %s}", cases[i].text);
        json = parsed(text);
        if (json_get_integer(json, "v", &value) != cases[i].good ||
            value != (cases[i].good ? cases[i].value : 77))
            fail_msg("%s gave %lld", text, (long long)value);
        json_free(&json);
    }
}

static void
arrays(void **state)
{
    struct json *json = parsed("{\"codes\":[7000222,\"50076\",\"x\"],\"no\":\"array\"}");
    int64_t value = 77;

    (void)state;
    assert_true(json_array_integer(json, "codes", 0, &value));
    assert_int_equal(value, 7000222);
    assert_true(json_array_integer(json, "codes", 1, &value));
    assert_int_equal(value, 50076);
    assert_false(json_array_integer(json, "codes", 2, &value));
    assert_false(json_array_integer(json, "codes", 3, &value));
    assert_false(json_array_integer(json, "no", 0, &value));
    assert_false(json_array_integer(json, "absent", 0, &value));
    assert_int_equal(value, 50076);
    assert_string_equal(json_array_string(json, "codes", 2), "x");
    assert_null(json_array_string(json, "codes", 0));
    assert_null(json_array_string(json, "codes", 9));
    json_free(&json);
}

static void
what_is_not_accepted(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *error;
    } cases[] = {
#define CASE(text, error) {text, sizeof(text) - 1, error}
        CASE("", "not JSON: ends too early at line 1, column 0"),
        CASE("<html>", "not JSON: syntax error at line 1, column 1"),
        CASE("[1]", "not a JSON object"),
        CASE("\"text\"", "not JSON: syntax error at line 1, column 6"),
        CASE("{\"a\":\"" TOKEN "\"", "not JSON: ends too early at line 1, column 26"),
        CASE("{\"a\":\"" TOKEN, "not JSON: ends too early at line 1, column 25"),
        CASE("{\n\"a\":\"" TOKEN "\", x}", "not JSON: syntax error at line 2, column 28"),
        CASE("{\"a\":1} {", "not JSON: more after the end at line 1, column 9"),
        CASE("{\"a\":1}\0", "not JSON: more after the end at line 1, column 8"),
        CASE("{\"a\":1,\"a\":2}", "not JSON: a key stands twice at line 1, column 10"),
        CASE("{\"a\":\"x\\u0000y\"}", "not JSON: NUL in a text at line 1, column 15"),
        CASE("{\"a\":\"\xff\"}", "not JSON: not UTF-8 at line 1, column 6"),
        CASE("{\"a\":1e999}", "not JSON: number out of range at line 1, column 10"),
        CASE("{\"a\":99999999999999999999}",
             "not JSON: number out of range at line 1, column 25"),
#undef CASE
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json *json = NULL;
        struct err err = ERR_INIT;

        assert_int_equal(json_parse(cases[i].text, cases[i].len, &json, &err),
                         ERR_PROTOCOL);
        assert_null(json);
        assert_string_equal(err.text, cases[i].error);
    }
    assert_int_equal(tokens_freed, 0);
}

static void
too_deep(void **state)
{
    enum { DEPTH = 100000 };
    char *text = malloc(DEPTH + 5);
    struct json *json = NULL;
    struct err err = ERR_INIT;

    (void)state;
    assert_non_null(text);
    memcpy(text, "{\"a\":", 5);
    memset(text + 5, '[', DEPTH);
    assert_int_equal(json_parse(text, DEPTH + 5, &json, &err), ERR_PROTOCOL);
    assert_string_equal(err.text, "not JSON: nested too deeply at line 1, column 2053");
    free(text);
}

static struct json *
sample(void)
{
    struct json *json = json_new();
    struct json *member = json_new();

    assert_non_null(json);
    assert_int_equal(json_put_string(json, "user", "alice@contoso.com"), 0);
    assert_int_equal(json_put_integer(json, "expires_at", 1700000000), 0);
    assert_int_equal(json_put_bool(json, "ok", true), 0);
    assert_int_equal(json_put_string(json, "proxy", NULL), 0);
    assert_int_equal(json_put_string(json, "a", "q\"b\\s/\n\xc3\xbc"), 0);
    assert_int_equal(json_put_string(member, "code", "person"), 0);
    assert_int_equal(json_put_object(json, "failure", &member), 0);
    assert_null(member);
    member = json_new();
    assert_int_equal(json_append_object(json, "list", &member), 0);
    assert_null(member);
    member = json_new();
    assert_int_equal(json_put_integer(member, "n", 2), 0);
    assert_int_equal(json_append_object(json, "list", &member), 0);
    return json;
}

static void
writes_on_one_line(void **state)
{
    struct json *json = sample();
    struct secret out = SECRET_INIT;

    (void)state;
    assert_int_equal(secret_append_str(&out, "before "), 0);
    assert_int_equal(json_write(json, false, &out), 0);
    assert_string_equal(
        secret_str(&out),
        "before {\"user\": \"alice@contoso.com\", "
        "\"expires_at\": 1700000000, \"ok\": true, "
        "\"a\": \"q\\\"b\\\\s/\\n\xc3\xbc\", "
        "\"failure\": {\"code\": \"person\"}, \"list\": [{}, {\"n\": 2}]}");
    secret_clear(&out);
    json_free(&json);
}

static void
writes_indented(void **state)
{
    struct json *json = sample();
    struct secret out = SECRET_INIT;

    (void)state;
    assert_int_equal(json_write(json, true, &out), 0);
    assert_string_equal(secret_str(&out), "{\n"
                                          "  \"user\": \"alice@contoso.com\",\n"
                                          "  \"expires_at\": 1700000000,\n"
                                          "  \"ok\": true,\n"
                                          "  \"a\": \"q\\\"b\\\\s/\\n\xc3\xbc\",\n"
                                          "  \"failure\": {\n"
                                          "    \"code\": \"person\"\n"
                                          "  },\n"
                                          "  \"list\": [\n"
                                          "    {},\n"
                                          "    {\n"
                                          "      \"n\": 2\n"
                                          "    }\n"
                                          "  ]\n"
                                          "}\n");
    secret_clear(&out);
    json_free(&json);
}

static void
does_not_write_what_is_not_utf8(void **state)
{
    struct json *json = json_new();
    struct secret out = SECRET_INIT;

    (void)state;
    assert_int_equal(json_put_string(json, "a", "latin \xfc"), ERR_PROTOCOL);
    assert_int_equal(json_put_string(json, "b", "cut \xc3"), ERR_PROTOCOL);
    assert_false(json_has(json, "a"));
    assert_int_equal(json_write(json, false, &out), 0);
    assert_string_equal(secret_str(&out), "{}");
    secret_clear(&out);
    json_free(&json);
}

static void
a_full_buffer_stays_as_it_was(void **state)
{
    struct json *json = sample();
    struct secret out = SECRET_INIT;

    (void)state;
    out.max = 40;
    assert_int_equal(secret_append_str(&out, "before"), 0);
    assert_int_equal(json_write(json, false, &out), ERR_PROTOCOL);
    assert_int_equal(out.len, 6);
    assert_string_equal(secret_str(&out), "before");
    secret_clear(&out);
    json_free(&json);
}

/* Parsing, growing and freeing: every block that goes back to libc is looked at. */
static void
no_token_is_left_in_freed_memory(void **state)
{
    struct json *json = NULL;
    struct json *copy = json_new();
    struct secret out = SECRET_INIT;
    char *plain = malloc(sizeof TOKEN);
    int i;

    (void)state;
    json = parsed("{\"access_token\":\"" TOKEN "\",\"o\":{\"a\":\"" TOKEN "\"}}");
    for (i = 0; i < 40; i++) {
        char key[16];

        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(
            json_put_string(copy, key, json_get_string(json, "access_token")), 0);
    }
    assert_int_equal(json_write(copy, true, &out), 0);
    assert_true(out.len > 40 * strlen(TOKEN));
    json_free(&json);
    json_free(&copy);
    secret_clear(&out);
    assert_int_equal(tokens_freed, 0);

    memcpy(plain, TOKEN, sizeof TOKEN); /* the trap works */
    __asm__ volatile("" : : "r"(plain) : "memory");
    free(plain);
    assert_int_equal(tokens_freed, 1);
}

static void
without_memory(void **state)
{
    static const char text[] = "{\"a\":\"text\",\"o\":{\"b\":[1,2]}}";
    struct json *json = NULL;
    struct err err = ERR_INIT;
    int i;
    int r = -1;

    (void)state;
    for (i = 0; i < 200; i++) {
        mallocs_left = i;
        r = json_parse(text, sizeof text - 1, &json, &err);
        mallocs_left = -1;
        if (r == 0)
            break;
        assert_null(json);
    }
    assert_int_equal(r, 0);
    assert_true(i > 5);
    mallocs_left = 0;
    assert_null(json_new());
    assert_int_equal(json_put_string(json, "c", "x"), ERR_NOMEM);
    assert_int_equal(json_put_string(json, "c", "\xff"), ERR_NOMEM);
    assert_int_equal(json_put_integer(json, "c", 1), ERR_NOMEM);
    mallocs_left = -1;
    assert_string_equal(json_get_string(json, "a"), "text");
    json_free(&json);
}

static int
setup(void **state)
{
    (void)state;
    mallocs_left = -1;
    json_setup();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(strings, reset),
        cmocka_unit_test_setup(integers, reset),
        cmocka_unit_test_setup(arrays, reset),
        cmocka_unit_test_setup(what_is_not_accepted, reset),
        cmocka_unit_test_setup(too_deep, reset),
        cmocka_unit_test_setup(writes_on_one_line, reset),
        cmocka_unit_test_setup(writes_indented, reset),
        cmocka_unit_test_setup(does_not_write_what_is_not_utf8, reset),
        cmocka_unit_test_setup(a_full_buffer_stays_as_it_was, reset),
        cmocka_unit_test_setup(no_token_is_left_in_freed_memory, reset),
        cmocka_unit_test_setup(without_memory, reset),
    };

    return cmocka_run_group_tests_name("json", tests, setup, NULL);
}
