/* fuzz_socketmap.c - netstrings, requests and replies of the agent's protocol. */
#include "fuzz.h"

#include "client/socketmap.h"

/* A reply that says a failure says the same one when the agent says it again. */
static void
say_again(const struct err *said)
{
    struct secret frame = SECRET_INIT;
    struct err again = ERR_INIT;
    const char *payload = NULL, *text = NULL;
    char line[ERR_LINE_MAX];
    size_t len = 0, used = 0;
    int expected = said->code;

    FUZZ_CHECK(socketmap_reply_err(said, &frame) == 0);
    FUZZ_CHECK(socketmap_unframe(frame.data, frame.len, SOCKETMAP_REPLY_MAX, &payload,
                                 &len, &used, NULL) == 0);
    FUZZ_CHECK(used == frame.len);
    if (said->code == ERR_PROTOCOL)
        expected = ERR_TEMP;
    /* a text that was cleaned may have become one that denies */
    if (said->code == ERR_PERSON &&
        strncmp(err_line(said, line), SOCKETMAP_DENIED, strlen(SOCKETMAP_DENIED)) == 0)
        expected = ERR_DENIED;
    FUZZ_CHECK(socketmap_reply_read(payload, len, &text, &len, &again) == expected);
    FUZZ_CHECK(again.text[0] != '\0');
    secret_clear(&frame);
}

static void
read_reply(const char *payload, size_t len)
{
    struct err err = ERR_INIT;
    const char *text = NULL;
    size_t text_len = 0;
    int r = socketmap_reply_read(payload, len, &text, &text_len, &err);

    fuzz_result(r, &err,
                MAY(ERR_NOACCOUNT) | MAY(ERR_TEMP) | MAY(ERR_TIMEOUT) | MAY(ERR_PERSON) |
                    MAY(ERR_DENIED) | MAY(ERR_PROTOCOL));
    if (r == 0)
        FUZZ_CHECK(text >= payload && text + text_len == payload + len);
    else
        say_again(&err);
}

static void
unframe(const char *bytes, size_t size, size_t max)
{
    struct secret again = SECRET_INIT;
    struct err err = ERR_INIT;
    const char *payload = NULL, *none = NULL;
    size_t len = 0, used = 0;
    int r = socketmap_unframe(bytes, size, max, &payload, &len, &used, &err);

    if (r == ERR_TEMP) { /* and says nothing */
        FUZZ_CHECK(err.code == ERR_NONE && payload == NULL && size < max + 22);
        return;
    }
    fuzz_result(r, &err, MAY(ERR_PROTOCOL));
    if (r != 0)
        return;
    FUZZ_CHECK(used <= size && len <= max);
    FUZZ_CHECK(payload > bytes && payload + len + 1 == bytes + used);
    FUZZ_CHECK(socketmap_frame(payload, len, max, &again) == 0);
    FUZZ_CHECK(again.len == used && memcmp(again.data, bytes, used) == 0);
    /* of no part of it is anything believed */
    for (size_t cut = 0; cut < used; cut += 1 + used / 8)
        FUZZ_CHECK(socketmap_unframe(bytes, cut, max, &none, &len, &len, NULL) ==
                   ERR_TEMP);
    secret_clear(&again);
    read_reply(payload, (size_t)(bytes + used - 1 - payload));
}

static void
request(const uint8_t *data, size_t size)
{
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;
    const char *payload = NULL;
    char *map = fuzz_string(data, size), *key;
    size_t map_len = strlen(map), len = 0, used = 0;

    key = map_len < size ? fuzz_string(data + map_len + 1, size - map_len - 1)
                         : fuzz_string(NULL, 0);
    fuzz_result(socketmap_request(map, key, &out, &err), &err, MAY(ERR_USAGE));
    fuzz_not_in(&err, key, strlen(key));
    if (err.code == ERR_NONE) {
        FUZZ_CHECK(socketmap_unframe(out.data, out.len, SOCKETMAP_REQUEST_MAX, &payload,
                                     &len, &used, NULL) == 0);
        FUZZ_CHECK(used == out.len && len == map_len + 1 + strlen(key));
        FUZZ_CHECK(memcmp(payload, map, map_len) == 0 && payload[map_len] == ' ' &&
                   memcmp(payload + map_len + 1, key, strlen(key)) == 0);
    }
    secret_clear(&out);
    free(map);
    free(key);
}

static void
reply_ok(const char *bytes, size_t size)
{
    struct secret out = SECRET_INIT;
    const char *payload = NULL, *text = NULL;
    size_t len = 0, used = 0;

    if (socketmap_reply_ok(bytes, size, &out) == 0) {
        FUZZ_CHECK(socketmap_unframe(out.data, out.len, SOCKETMAP_REPLY_MAX, &payload,
                                     &len, &used, NULL) == 0);
        FUZZ_CHECK(socketmap_reply_read(payload, len, &text, &len, NULL) == 0);
        FUZZ_CHECK(len == size && memcmp(text, bytes, size) == 0);
    }
    secret_clear(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);

    unframe(bytes, size, SOCKETMAP_REPLY_MAX);
    unframe(bytes, size, 20);
    read_reply(bytes, size);
    reply_ok(bytes, size);
    request(data, size);
    free(bytes);
    return 0;
}
