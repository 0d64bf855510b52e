/* json.c - the only user of jansson: typed reads and writes. */
#include "json.h"

#include <jansson.h>
#include <string.h>
#include <sys/auxv.h>

#include "wipe_alloc.h"

/* struct json is jansson's json_t by another name; these two are the only casts. */
static const json_t *
inner(const struct json *json)
{
    return (const json_t *)json;
}

static json_t *
inner_rw(struct json *json)
{
    return (json_t *)json;
}

void
json_setup(void)
{
    const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
    size_t seed = 0;

    json_set_alloc_funcs(wipe_malloc, wipe_free);
    /* Left alone, jansson opens /dev/urandom for the seed of its hash tables: three
     * system calls in a program that makes few. The kernel has given us random bytes
     * already. */
    if (random != NULL) {
        memcpy(&seed, random + 16 - sizeof seed, sizeof seed);
        json_object_seed(seed | 1);
    }
}

/* jansson's own text quotes the input, which may hold a token. */
static const char *
parse_problem(enum json_error_code code)
{
    switch (code) {
    case json_error_stack_overflow:
        return "nested too deeply";
    case json_error_invalid_utf8:
        return "not UTF-8";
    case json_error_premature_end_of_input:
        return "ends too early";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "NUL in a text";
    case json_error_duplicate_key:
        return "a key stands twice";
    case json_error_numeric_overflow:
        return "number out of range";
    case json_error_end_of_input_expected:
        return "more after the end";
    default:
        return "syntax error";
    }
}

int
json_parse(const char *bytes, size_t len, struct json **json_r, struct err *err)
{
    json_error_t error;
    json_t *root;

    memset(&error, 0, sizeof error);
    root = json_loadb(len == 0 ? "" : bytes, len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        enum json_error_code code = json_error_code(&error);
        int line = error.line;
        int column = error.column;

        explicit_bzero(&error, sizeof error);
        if (code == json_error_out_of_memory)
            return err_set(err, ERR_NOMEM, "out of memory");
        return err_set(err, ERR_PROTOCOL, "not JSON: %s at line %d, column %d",
                       parse_problem(code), line, column);
    }
    if (!json_is_object(root)) {
        json_decref(root);
        return err_set(err, ERR_PROTOCOL, "not a JSON object");
    }
    *json_r = (struct json *)root;
    return 0;
}

struct json *
json_new(void)
{
    return (struct json *)json_object();
}

void
json_free(struct json **json)
{
    json_decref(inner_rw(*json));
    *json = NULL;
}

static const char *
string_of(const json_t *value)
{
    return json_string_value(value); /* NULL for NULL and for other types */
}

/* Managed identity answers numbers as strings of digits. */
static bool
integer_of_digits(const char *text, int64_t *value_r)
{
    int64_t value = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *text - '0', &value))
            return false;
    }
    *value_r = value;
    return true;
}

static bool
integer_of_real(double real, int64_t *value_r)
{
    /* 2^63 itself does not fit; written so that a NaN fails too. */
    if (!(real >= -9223372036854775808.0 && real < 9223372036854775808.0))
        return false;
    if ((double)(int64_t)real != real)
        return false;
    *value_r = (int64_t)real;
    return true;
}

static bool
integer_of(const json_t *value, int64_t *value_r)
{
    if (json_is_integer(value)) {
        *value_r = json_integer_value(value);
        return true;
    }
    if (json_is_real(value))
        return integer_of_real(json_real_value(value), value_r);
    if (json_is_string(value))
        return integer_of_digits(json_string_value(value), value_r);
    return false;
}

static const json_t *
element(const struct json *json, const char *key, size_t i)
{
    return json_array_get(json_object_get(inner(json), key), i);
}

bool
json_has(const struct json *json, const char *key)
{
    const json_t *value = json_object_get(inner(json), key);

    return value != NULL && !json_is_null(value);
}

bool
json_get_true(const struct json *json, const char *key)
{
    return json_is_true(json_object_get(inner(json), key));
}

const char *
json_get_string(const struct json *json, const char *key)
{
    return string_of(json_object_get(inner(json), key));
}

bool
json_get_integer(const struct json *json, const char *key, int64_t *value_r)
{
    return integer_of(json_object_get(inner(json), key), value_r);
}

const struct json *
json_get_object(const struct json *json, const char *key)
{
    const json_t *value = json_object_get(inner(json), key);

    return json_is_object(value) ? (const struct json *)value : NULL;
}

bool
json_array_integer(const struct json *json, const char *key, size_t i, int64_t *value_r)
{
    return integer_of(element(json, key, i), value_r);
}

const char *
json_array_string(const struct json *json, const char *key, size_t i)
{
    return string_of(element(json, key, i));
}

/* Takes `value` over. Our keys are plain words, so only memory can be lacking. */
static int
put(struct json *json, const char *key, json_t *value)
{
    return json_object_set_new(inner_rw(json), key, value) == 0 ? 0 : ERR_NOMEM;
}

int
json_put_string(struct json *json, const char *key, const char *text)
{
    json_t *value;

    if (text == NULL)
        return 0;
    value = json_string(text);
    if (value == NULL) {
        /* jansson does not say which it was; without the UTF-8 check memory suffices. */
        value = json_string_nocheck(text);
        if (value == NULL)
            return ERR_NOMEM;
        json_decref(value);
        return ERR_PROTOCOL;
    }
    return put(json, key, value);
}

int
json_put_integer(struct json *json, const char *key, int64_t value)
{
    return put(json, key, json_integer(value));
}

int
json_put_bool(struct json *json, const char *key, bool value)
{
    return put(json, key, json_boolean(value));
}

int
json_put_object(struct json *json, const char *key, struct json **member)
{
    json_t *value = inner_rw(*member);

    *member = NULL;
    return put(json, key, value);
}

/* At the end of the array `key`; takes the value over, also on failure. */
static int
append(struct json *json, const char *key, json_t *value)
{
    json_t *array = json_object_get(inner_rw(json), key);

    if (array == NULL) {
        array = json_array();
        if (put(json, key, array) != 0) {
            json_decref(value);
            return ERR_NOMEM;
        }
    }
    return json_array_append_new(array, value) == 0 ? 0 : ERR_NOMEM;
}

int
json_append_object(struct json *json, const char *key, struct json **member)
{
    json_t *value = inner_rw(*member);

    *member = NULL;
    return append(json, key, value);
}

int
json_append_string(struct json *json, const char *key, const char *text)
{
    json_t *value = json_string(text);

    /* NULL also where the text is not UTF-8, which the accounts file never is */
    return value == NULL ? ERR_NOMEM : append(json, key, value);
}

struct sink {
    struct secret *out;
    int code;
};

static int
sink_take(const char *bytes, size_t len, void *data)
{
    struct sink *sink = data;

    sink->code = secret_append(sink->out, bytes, len);
    return sink->code == 0 ? 0 : -1;
}

int
json_write(const struct json *json, bool indented, struct secret *out)
{
    struct sink sink = {out, 0};
    size_t before = out->len;

    /* Piece by piece into `out`: json_dumps() would make a copy that nobody wipes while
     * it grows. */
    if (json_dump_callback(inner(json), sink_take, &sink,
                           indented ? JSON_INDENT(2) : 0) != 0 &&
        sink.code == 0)
        sink.code = ERR_NOMEM;
    if (sink.code == 0 && indented)
        sink.code = secret_append_char(out, '\n');
    if (sink.code != 0 && out->len > before) {
        explicit_bzero(out->data + before, out->len - before);
        out->len = before;
    }
    return sink.code;
}
