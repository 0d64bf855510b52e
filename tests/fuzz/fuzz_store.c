/* fuzz_store.c - a token store's file. */
#include "fuzz_conf.h"

#include "accounts/freshness.h"
#include "accounts/store_record.h"
#include "base/json.h"

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
same(const struct record *a, const struct record *b)
{
    return secret_equal(&a->access_token, &b->access_token) &&
           secret_equal(&a->refresh_token, &b->refresh_token) &&
           secret_equal(&a->fingerprint, &b->fingerprint) &&
           a->obtained_at == b->obtained_at && a->expires_at == b->expires_at &&
           a->refresh_at == b->refresh_at && a->refresh_token_at == b->refresh_token_at &&
           (a->scope == NULL) == (b->scope == NULL) &&
           (a->scope == NULL || strcmp(a->scope, b->scope) == 0) &&
           a->failure.err.code == b->failure.err.code &&
           strcmp(a->failure.err.text, b->failure.err.text) == 0 &&
           strcmp(a->failure.err.hint, b->failure.err.hint) == 0 &&
           a->failure.at == b->failure.at && a->failure.retry_at == b->failure.retry_at &&
           a->failure.count == b->failure.count;
}

/* What was read is written, and read again, and written again: the same. */
static void
round_trip(const struct record *record, int64_t serial)
{
    struct record again = RECORD_INIT;
    struct record_info info;
    struct secret first = SECRET_INIT, second = SECRET_INIT;
    struct err err = ERR_INIT;

    first.max = second.max = 4 * RECORD_FILE_MAX;
    fuzz_result(record_format(record, serial, &first, &err), &err, 0);
    fuzz_result(record_parse(first.data, first.len, &again, &info, &err), &err, 0);
    FUZZ_CHECK(info.state == RECORD_WHOLE && info.serial == serial);
    FUZZ_CHECK(same(record, &again));
    fuzz_result(record_format(&again, serial, &second, &err), &err, 0);
    FUZZ_CHECK(secret_equal(&first, &second));
    record_clear(&again);
    secret_clear(&first);
    secret_clear(&second);
}

/* Whatever times it has: it is judged, and a token that has ended is not handed out. */
static void
check_judged(const struct record *record)
{
    static const int64_t times[] = {0, INT64_C(1700000000), RECORD_TIME_MAX};
    const struct account *account = &accounts->account[0];

    for (size_t i = 0; i < 3; i++) {
        FUZZ_CHECK(token_due_at(record, account) >= 0 || record->expires_at < 0 ||
                   record->obtained_at > record->expires_at);
        if (record->expires_at <= times[i])
            FUZZ_CHECK(token_freshness(record, account, times[i]) == TOKEN_STALE &&
                       !token_last_resort(record, account, times[i]));
        (void)failure_blocks(&record->failure, times[i]);
    }
}

static void
check_whole(const struct record *record, const struct record_info *info)
{
    FUZZ_CHECK(info->state == RECORD_WHOLE);
    FUZZ_CHECK(info->serial >= 0 && info->serial <= RECORD_SERIAL_MAX);
    FUZZ_CHECK(!secret_has_control(&record->access_token));
    FUZZ_CHECK(!secret_has_control(&record->refresh_token));
    FUZZ_CHECK(record->expires_at >= 0 && record->expires_at <= RECORD_TIME_MAX);
    FUZZ_CHECK(record->refresh_at >= 0 && record->refresh_at <= RECORD_TIME_MAX);
    FUZZ_CHECK(record->failure.count >= 0);
    fuzz_plain(record->failure.err.text, sizeof record->failure.err.text);
    fuzz_plain(record->failure.err.hint, sizeof record->failure.err.hint);
    check_judged(record);
}

/* The tokens of a record that cannot be used. */
static void
check_not_told(const struct err *err, const char *bytes, size_t size)
{
    static const char *const keys[] = {"access_token", "refresh_token", "fingerprint"};
    struct json *json = NULL;
    const char *value;

    if (json_parse(bytes, size, &json, NULL) == 0)
        for (size_t i = 0; i < 3; i++)
            if ((value = json_get_string(json, keys[i])) != NULL)
                fuzz_not_in(err, value, strlen(value));
    json_free(&json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char before[] = "what was there before";
    struct record record = RECORD_INIT;
    struct record_info info = {RECORD_ABSENT, -1, true};
    struct err err = ERR_INIT;
    char *bytes = fuzz_copy(data, size);
    int r;

    fuzz_set(&record.refresh_token, before, sizeof before - 1);
    r = record_parse(bytes, size, &record, &info, &err);
    fuzz_result(r, &err, MAY(ERR_STORE) | MAY(ERR_CONFIG));
    FUZZ_CHECK((r == ERR_CONFIG) == (info.state == RECORD_SEALED));
    FUZZ_CHECK(info.state != RECORD_ABSENT && info.state != RECORD_UNREADABLE);
    if (r == 0) {
        check_whole(&record, &info);
        round_trip(&record, info.serial);
    } else {
        FUZZ_CHECK(info.state != RECORD_WHOLE && info.serial == 0 && !info.current);
        FUZZ_CHECK(strcmp(secret_str(&record.refresh_token), before) == 0);
        check_not_told(&err, bytes, size);
    }
    record_clear(&record);
    free(bytes);
    return 0;
}
