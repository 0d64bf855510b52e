/* fuzz_reply.c - what a token endpoint answers. */
#include "fuzz_conf.h"

#include "accounts/store_record.h"
#include "base/json.h"
#include "oauth/reply.h"

#define NOW INT64_C(1700000000)
#define OLD_REFRESH "CANARY-refresh-token-before"
#define OLD_ACCESS "CANARY-access-token-before"

static const char client_secret[] = "CANARY-client-secret-and-more";
static struct accounts *accounts;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_setup();
    accounts = fuzz_accounts("account \"a@b.example\" { client_id = 1 tenant = t }\n"
                             "account \"m@b.example\" { grant = managed_identity\n"
                             "user = \"m@b.example\" }\n");
    return 0;
}

/* Whatever was taken can be stored, and comes back the same. */
static void
check_storable(const struct record *record)
{
    struct record again = RECORD_INIT;
    struct record_info info;
    struct secret text = SECRET_INIT;
    struct err err = ERR_INIT;

    fuzz_result(record_format(record, 7, &text, &err), &err, 0);
    fuzz_result(record_parse(text.data, text.len, &again, &info, &err), &err, 0);
    FUZZ_CHECK(info.state == RECORD_WHOLE && info.serial == 7);
    FUZZ_CHECK(secret_equal(&again.access_token, &record->access_token));
    FUZZ_CHECK(secret_equal(&again.refresh_token, &record->refresh_token));
    FUZZ_CHECK(again.expires_at == record->expires_at);
    record_clear(&again);
    secret_clear(&text);
}

static void
check_taken(const struct record *record)
{
    FUZZ_CHECK(record->access_token.len > 0 &&
               record->access_token.len <= REPLY_TOKEN_MAX);
    FUZZ_CHECK(!secret_has_control(&record->access_token));
    FUZZ_CHECK(record->obtained_at == NOW && record->expires_at > NOW &&
               record->expires_at <= NOW + REPLY_LIFE_MAX);
    FUZZ_CHECK(record->refresh_at == 0 ||
               (record->refresh_at > NOW && record->refresh_at < record->expires_at));
    FUZZ_CHECK(record->failure.err.code == ERR_NONE);
    FUZZ_CHECK(record->fingerprint.len > 0);
}

/* The token of a reply that was not taken. */
static void
check_not_told(const struct err *err, const char *body, size_t size)
{
    struct json *json = NULL;
    const char *token;

    if (json_parse(body, size, &json, NULL) == 0 && !json_has(json, "error")) {
        if ((token = json_get_string(json, "access_token")) != NULL)
            fuzz_not_in(err, token, strlen(token));
        if ((token = json_get_string(json, "refresh_token")) != NULL)
            fuzz_not_in(err, token, strlen(token));
    }
    json_free(&json);
}

static void
take(const struct account *account, long status, const char *body, size_t size)
{
    struct secret secret = SECRET_INIT;
    struct record record = RECORD_INIT;
    struct err err = ERR_INIT;
    struct reply_input in = {
        .account = account, .status = status, .body = body, .len = size, .now = NOW};
    int r;

    fuzz_set(&secret, client_secret, sizeof client_secret - 1);
    fuzz_set(&record.access_token, OLD_ACCESS, sizeof OLD_ACCESS - 1);
    fuzz_set(&record.refresh_token, OLD_REFRESH, sizeof OLD_REFRESH - 1);
    record.expires_at = NOW - 1;
    in.sent[0] = &secret;
    in.sent[1] = &record.refresh_token;
    r = reply_token(&in, &record, &err);
    fuzz_result(r, &err, MAY(ERR_TEMP) | MAY(ERR_PROTOCOL) | MAY(ERR_PERSON));
    FUZZ_CHECK(strstr(err.text, client_secret) == NULL &&
               strstr(err.hint, client_secret) == NULL);
    FUZZ_CHECK(strstr(err.text, OLD_REFRESH) == NULL);
    FUZZ_CHECK(record.refresh_token.len > 0); /* never lost */
    if (r == 0) {
        FUZZ_CHECK(status == 200);
        check_taken(&record);
    } else {
        FUZZ_CHECK(record.expires_at == NOW - 1 && record.obtained_at == 0);
        FUZZ_CHECK(strcmp(secret_str(&record.access_token), OLD_ACCESS) == 0);
        FUZZ_CHECK(status == 200 ||
                   strcmp(secret_str(&record.refresh_token), OLD_REFRESH) == 0);
        check_not_told(&err, body, size);
    }
    check_storable(&record);
    record_clear(&record);
    secret_clear(&secret);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 400, 401, 429, 503};
    char *body = fuzz_copy(data, size);

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        take(&accounts->account[0], statuses[i], body, size);
    take(&accounts->account[1], 200, body, size);
    take(&accounts->account[1], 404, body, size);
    free(body);
    return 0;
}
