/* test_socketmap.c - requests and replies as bytes, whole, in pieces and wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/socketmap.h"

static struct secret out;

static int
clear(void **state)
{
    (void)state;
    secret_clear(&out);
    return 0;
}

static int
unframe(const char *bytes, size_t len, size_t max, char *payload, struct err *err)
{
    const char *found = NULL;
    size_t found_len = 0;
    size_t used = 0;
    int r = socketmap_unframe(bytes, len, max, &found, &found_len, &used, err);

    if (r == 0) {
        assert_true(found_len <= len);
        memcpy(payload, found, found_len);
        payload[found_len] = '\0';
        return (int)used;
    }
    assert_null(found);
    return -r;
}

static void
frame_and_back(void **state)
{
    char payload[64];

    (void)state;
    assert_int_equal(socketmap_frame("hello", 5, 5, &out), 0);
    assert_string_equal(secret_str(&out), "5:hello,");
    assert_int_equal(socketmap_frame("", 0, 5, &out), 0);
    assert_string_equal(secret_str(&out), "5:hello,0:,");
    assert_int_equal(socketmap_frame("123456", 6, 5, &out), ERR_PROTOCOL);
    assert_string_equal(secret_str(&out), "5:hello,0:,");
    assert_int_equal(unframe(out.data, out.len, 5, payload, NULL), 8);
    assert_string_equal(payload, "hello");
    assert_int_equal(unframe(out.data + 8, 3, 5, payload, NULL), 3);
    assert_string_equal(payload, "");
}

static void
frame_leaves_nothing_half(void **state)
{
    (void)state;
    out.max = 20;
    assert_int_equal(secret_append_str(&out, "before"), 0);
    assert_int_equal(socketmap_frame("0123456789", 10, 100, &out), ERR_PROTOCOL);
    assert_string_equal(secret_str(&out), "before");
    out.max = 0;
}

static void
every_beginning_wants_more(void **state)
{
    static const char whole[] = "12:OK 012345678,rest";
    struct err err = ERR_INIT;
    char payload[64];

    (void)state;
    for (size_t n = 0; n < 16; n++) {
        assert_int_equal(unframe(whole, n, 100, payload, &err), -ERR_TEMP);
        assert_int_equal(err.code, ERR_NONE);
    }
    assert_int_equal(unframe(whole, 16, 100, payload, &err), 16);
    assert_int_equal(unframe(whole, 20, 100, payload, &err), 16);
    assert_string_equal(payload, "OK 012345678");
}

static void
not_a_netstring(void **state)
{
    static const struct {
        const char *bytes;
        const char *text;
    } table[] = {
        {"x", "not a netstring: no length in front"},
        {":", "not a netstring: no length in front"},
        {" 5:hello,", "not a netstring: no length in front"},
        {"-1:", "not a netstring: no length in front"},
        {"5;hello,", "not a netstring: no length in front"},
        {"05:hello,", "not a netstring: a length with a leading 0"},
        {"00:,", "not a netstring: a length with a leading 0"},
        {"5:hello;", "not a netstring: no comma behind it"},
        {"5:hellohello,", "not a netstring: no comma behind it"},
        {"11", "netstring longer than 10 bytes"},
        {"99999999999999999999999999", "netstring longer than 10 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct err err = ERR_INIT;
        char payload[64];

        assert_int_equal(
            unframe(table[i].bytes, strlen(table[i].bytes), 10, payload, &err),
            -ERR_PROTOCOL);
        assert_int_equal(err.code, ERR_PROTOCOL);
        assert_string_equal(err.text, table[i].text);
    }
    /* A length that overflows, where the maximum does not stop it. */
    assert_int_equal(unframe("99999999999999999999999999", 26, SIZE_MAX, NULL, NULL),
                     -ERR_PROTOCOL);
}

static void
request(void **state)
{
    struct err err = ERR_INIT;
    char *key = malloc(SOCKETMAP_REQUEST_MAX + 1);

    (void)state;
    assert_non_null(key);
    assert_int_equal(socketmap_request("token", "alice@contoso.com", &out, &err), 0);
    assert_string_equal(secret_str(&out), "23:token alice@contoso.com,");
    secret_reset(&out);
    assert_int_equal(socketmap_request("version", "", &out, &err), 0);
    assert_string_equal(secret_str(&out), "8:version ,");
    secret_reset(&out);
    memset(key, 'k', SOCKETMAP_REQUEST_MAX);
    key[SOCKETMAP_REQUEST_MAX - 6] = '\0';
    assert_int_equal(socketmap_request("token", key, &out, &err), 0);
    assert_memory_equal(secret_str(&out), "16384:token kk", 14);
    secret_reset(&out);
    key[SOCKETMAP_REQUEST_MAX - 6] = 'k';
    key[SOCKETMAP_REQUEST_MAX - 5] = '\0';
    assert_int_equal(socketmap_request("token", key, &out, &err), ERR_USAGE);
    assert_string_equal(err.text, "a question to the agent is longer than 16384 bytes");
    assert_int_equal(out.len, 0);
    free(key);
}

static void
request_without_control_characters(void **state)
{
    static const char *const keys[] = {"a\nb", "a\r", "\x01", "a\x7f", "\t"};

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct err err = ERR_INIT;

        assert_int_equal(socketmap_request("token", keys[i], &out, &err), ERR_USAGE);
        assert_string_equal(err.text, "a control character in a question to the agent");
        assert_int_equal(out.len, 0);
    }
}

static int
reply_read(const char *payload, char *text, struct err *err)
{
    const char *found = NULL;
    size_t len = 0;
    int r = socketmap_reply_read(payload, strlen(payload), &found, &len, err);

    if (r == 0) {
        memcpy(text, found, len);
        text[len] = '\0';
    } else {
        assert_null(found);
    }
    return r;
}

static void
reply_ok(void **state)
{
    char text[64];

    (void)state;
    assert_int_equal(reply_read("OK eyJ0eXAiCANARY", text, NULL), 0);
    assert_string_equal(text, "eyJ0eXAiCANARY");
    assert_int_equal(reply_read("OK ", text, NULL), 0);
    assert_string_equal(text, "");
    assert_int_equal(reply_read("OK", text, NULL), 0);
    assert_string_equal(text, "");
    assert_int_equal(reply_read("OK a b ", text, NULL), 0);
    assert_string_equal(text, "a b ");
}

static void
reply_failures(void **state)
{
    static const struct {
        const char *payload;
        int code;
        const char *text;
        const char *hint;
    } table[] = {
        {"NOTFOUND ", ERR_NOACCOUNT, "no such account", ""},
        {"NOTFOUND", ERR_NOACCOUNT, "no such account", ""},
        {"TEMP HTTP 503", ERR_TEMP, "HTTP 503", ""},
        {"TEMP ", ERR_TEMP, "the agent says: try again later", ""},
        {"TIMEOUT no reply in 10 s", ERR_TIMEOUT, "no reply in 10 s", ""},
        {"PERM secret expired -> make a new one", ERR_PERSON, "secret expired",
         "make a new one"},
        {"PERM ", ERR_PERSON, "the agent says: a person must act", ""},
        {"PERM  -> sign in", ERR_PERSON, "the agent says: a person must act", "sign in"},
        {"PERM not allowed: user nobody -> add it", ERR_DENIED,
         "not allowed: user nobody", "add it"},
        {"PERM a\nb", ERR_PERSON, "a?b", ""},
        {"ok x", ERR_PROTOCOL, "the agent's reply has an unknown status", ""},
        {"OKAY x", ERR_PROTOCOL, "the agent's reply has an unknown status", ""},
        {"", ERR_PROTOCOL, "the agent's reply has an unknown status", ""},
        {" OK x", ERR_PROTOCOL, "the agent's reply has an unknown status", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct err err = ERR_INIT;
        char text[64];

        assert_int_equal(reply_read(table[i].payload, text, &err), table[i].code);
        assert_int_equal(err.code, table[i].code);
        assert_string_equal(err.text, table[i].text);
        assert_string_equal(err.hint, table[i].hint);
    }
}

static void
reply_write(void **state)
{
    static const struct {
        int code;
        const char *text;
        const char *bytes;
    } table[] = {
        {ERR_NOACCOUNT, "alice is not here", "9:NOTFOUND ,"},
        {ERR_TEMP, "HTTP 503", "19:TEMP HTTP 503 -> hi,"},
        {ERR_TIMEOUT, "10 s", "18:TIMEOUT 10 s -> hi,"},
        {ERR_PERSON, "expired", "18:PERM expired -> hi,"},
        {ERR_CONFIG, "line 3", "17:PERM line 3 -> hi,"},
        {ERR_USAGE, "what", "15:PERM what -> hi,"},
        {ERR_DENIED, "user x", "30:PERM not allowed: user x -> hi,"},
        {ERR_DENIED, "not allowed: user x", "30:PERM not allowed: user x -> hi,"},
        {ERR_STORE, "full", "15:TEMP full -> hi,"},
        {ERR_PROTOCOL, "odd", "14:TEMP odd -> hi,"},
        {ERR_NOMEM, "oom", "14:TEMP oom -> hi,"},
        {ERR_NONE, "never OK", "19:TEMP never OK -> hi,"},
    };

    (void)state;
    assert_int_equal(socketmap_reply_ok("tok", 3, &out), 0);
    assert_string_equal(secret_str(&out), "6:OK tok,");
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct err err = ERR_INIT;

        secret_reset(&out);
        err_set(&err, table[i].code, "%s", table[i].text);
        err_hint(&err, "hi");
        assert_int_equal(socketmap_reply_err(&err, &out), 0);
        assert_string_equal(secret_str(&out), table[i].bytes);
    }
}

static void
reply_of_the_largest_size(void **state)
{
    char *text = malloc(SOCKETMAP_REPLY_MAX);

    (void)state;
    assert_non_null(text);
    memset(text, 't', SOCKETMAP_REPLY_MAX);
    assert_int_equal(socketmap_reply_ok(text, SOCKETMAP_REPLY_MAX - 2, &out),
                     ERR_PROTOCOL);
    assert_int_equal(out.len, 0);
    assert_int_equal(socketmap_reply_ok(text, SOCKETMAP_REPLY_MAX - 3, &out), 0);
    assert_memory_equal(secret_str(&out), "100000:OK ttt", 13);
    assert_int_equal(out.len, 7 + 100000 + 1);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(frame_and_back, clear),
        cmocka_unit_test_teardown(frame_leaves_nothing_half, clear),
        cmocka_unit_test_teardown(every_beginning_wants_more, clear),
        cmocka_unit_test_teardown(not_a_netstring, clear),
        cmocka_unit_test_teardown(request, clear),
        cmocka_unit_test_teardown(request_without_control_characters, clear),
        cmocka_unit_test_teardown(reply_ok, clear),
        cmocka_unit_test_teardown(reply_failures, clear),
        cmocka_unit_test_teardown(reply_write, clear),
        cmocka_unit_test_teardown(reply_of_the_largest_size, clear),
    };

    return cmocka_run_group_tests_name("socketmap", tests, NULL, NULL);
}
