/* fuzz_device.c - the answers of a sign-in with a device code: to the request for the
 * code, and to a question whether somebody has signed in. */
#include "fuzz_conf.h"

#include "base/json.h"
#include "oauth/grant_device.h"

#define NOW INT64_C(1700000000)
#define NOW_MS INT64_C(5000000)

static const char code[] = "CANARY-device-code-of-the-sign-in";
static struct accounts *accounts;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_setup();
    accounts = fuzz_accounts("account \"a@b.example\" { client_id = 1 tenant = t }\n");
    return 0;
}

static bool
is_visible(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= 0x20 || *text >= 0x7f)
            return false;
    return true;
}

static void
begin(const struct reply_input *in)
{
    struct grant_device device = {.device_code = SECRET_INIT};
    struct err err = ERR_INIT;
    int64_t wait;
    int r = grant_device_begin(in, NOW_MS, &device, &err);

    fuzz_result(r, &err, MAY(ERR_PERSON) | MAY(ERR_TEMP) | MAY(ERR_PROTOCOL));
    if (r == 0) {
        FUZZ_CHECK(device.device_code.len > 0 && device.user_code[0] != '\0');
        FUZZ_CHECK(is_visible(device.user_code) && is_visible(device.address) &&
                   is_visible(device.address_with_code));
        FUZZ_CHECK(strncasecmp(device.address, "http", 4) == 0);
        wait = grant_device_wait(&device, NOW_MS);
        FUZZ_CHECK(wait > 0 && wait <= DEVICE_INTERVAL_MOST_S * 1000);
        FUZZ_CHECK(grant_device_wait(&device, NOW_MS + DEVICE_LIFE_MOST_S * 1000) == -1);
    }
    grant_device_clear(&device);
}

static void
poll_once(struct reply_input in)
{
    struct grant_device device = {
        .device_code = SECRET_INIT, .interval_ms = 5000, .expires_ms = NOW_MS + 900000};
    struct record record = RECORD_INIT;
    struct err err = ERR_INIT;
    bool again = false;
    int r;

    fuzz_set(&device.device_code, code, sizeof code - 1);
    in.sent[0] = &device.device_code;
    r = grant_device_poll(&device, &in, NULL, 0, NOW_MS, &again, &record, &err);
    fuzz_result(r, &err, MAY(ERR_PERSON) | MAY(ERR_PROTOCOL));
    FUZZ_CHECK(strstr(err.text, code) == NULL && strstr(err.hint, code) == NULL);
    fuzz_plain(device.trouble.text, sizeof device.trouble.text);
    FUZZ_CHECK(strstr(device.trouble.text, code) == NULL);
    if (r == 0 && again)
        FUZZ_CHECK(grant_device_wait(&device, NOW_MS) >= 5000 &&
                   record.access_token.len == 0);
    if (r == 0 && !again)
        FUZZ_CHECK(record.access_token.len > 0);
    record_clear(&record);
    grant_device_clear(&device);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 400, 503};
    char *body = fuzz_copy(data, size);

    for (size_t i = 0; i < 3; i++) {
        struct reply_input in = {.account = &accounts->account[0],
                                 .status = statuses[i],
                                 .body = body,
                                 .len = size,
                                 .now = NOW};

        begin(&in);
        poll_once(in);
    }
    free(body);
    return 0;
}
