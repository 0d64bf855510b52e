/* fuzz_json.c - JSON objects: read, written, read again. */
#include "fuzz.h"

#include "base/json.h"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_setup();
    return 0;
}

/* Every reader, on whatever stands there. */
static void
look(const struct json *json, int depth)
{
    static const char *const keys[] = {"a", "b", "error", "error_codes"};

    for (size_t i = 0; i < 4; i++) {
        const char *text = json_get_string(json, keys[i]);
        const struct json *member = json_get_object(json, keys[i]);
        int64_t n = -7;

        FUZZ_CHECK((text == NULL && member == NULL) || json_has(json, keys[i]));
        FUZZ_CHECK(text == NULL || member == NULL);
        if (json_get_integer(json, keys[i], &n))
            FUZZ_CHECK(member == NULL && !json_get_true(json, keys[i]));
        else
            FUZZ_CHECK(n == -7);
        for (size_t k = 0; k < 3; k++)
            if (json_array_string(json, keys[i], k) != NULL ||
                json_array_integer(json, keys[i], k, &n))
                FUZZ_CHECK(json_has(json, keys[i]) && text == NULL && member == NULL);
        if (member != NULL && depth < 4)
            look(member, depth + 1);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *json = NULL, *again = NULL;
    struct secret first = {.max = 8u << 20}, second = {.max = 8u << 20};
    struct err err = ERR_INIT;
    char *bytes = fuzz_copy(data, size);
    int r = json_parse(bytes, size, &json, &err);

    fuzz_result(r, &err, MAY(ERR_PROTOCOL));
    FUZZ_CHECK((r == 0) == (json != NULL));
    if (size >= 64)
        fuzz_not_in(&err, bytes, size);
    if (r == 0) {
        look(json, 0);
        FUZZ_CHECK(json_write(json, size % 2 == 0, &first) == 0);
        FUZZ_CHECK(json_parse(first.data, first.len, &again, NULL) == 0);
        FUZZ_CHECK(json_write(again, size % 2 == 0, &second) == 0);
        FUZZ_CHECK(secret_equal(&first, &second));
    }
    json_free(&json);
    json_free(&again);
    secret_clear(&first);
    secret_clear(&second);
    free(bytes);
    return 0;
}
