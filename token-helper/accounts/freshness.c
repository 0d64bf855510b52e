/* freshness.c - see freshness.h. */
#include "freshness.h"

#include <string.h>

#define BACKOFF_FIRST 2
#define BACKOFF_MAX 300
#define PERSON_PAUSE 300
#define RETRY_MAX 3600

/* FNV-1a: spreads names evenly, which is all it is for. */
static uint32_t
name_hash(const char *name)
{
    uint32_t h = 2166136261u;

    for (; *name != '\0'; name++)
        h = (h ^ (unsigned char)*name) * 16777619u;
    return h;
}

int64_t
token_spread(const struct account *account, int64_t width)
{
    return width > 0 ? (int64_t)name_hash(account->name) % width : 0;
}

int64_t
token_due_at(const struct record *record, const struct account *account)
{
    int64_t life = record->expires_at - record->obtained_at;
    int64_t first = life * 65 / 100, width = life * 15 / 100;

    if (record->refresh_at > record->obtained_at)
        return record->refresh_at;
    return record->obtained_at + first + token_spread(account, width);
}

bool
token_same_settings(const struct record *record, const struct account *account)
{
    struct secret now = SECRET_INIT;
    bool same = account_fingerprint(account, &now) == 0 &&
                secret_equal(&now, &record->fingerprint);

    secret_clear(&now);
    return same;
}

enum freshness
token_freshness(const struct record *record, const struct account *account, int64_t now)
{
    return token_same_settings(record, account)
               ? token_freshness_same(record, account, now)
               : TOKEN_STALE;
}

enum freshness
token_freshness_same(const struct record *record, const struct account *account,
                     int64_t now)
{
    int64_t left = record->expires_at - now, age = now - record->obtained_at;

    if (record->access_token.len == 0 || left <= 0 || age < -TOKEN_CLOCK_SLACK)
        return TOKEN_STALE;
    if (left < account->min_remaining)
        return age < TOKEN_JUST_FETCHED ? TOKEN_FRESH : TOKEN_STALE;
    if (age < TOKEN_JUST_FETCHED)
        return TOKEN_FRESH;
    return now >= token_due_at(record, account) ? TOKEN_DUE : TOKEN_FRESH;
}

bool
token_last_resort(const struct record *record, const struct account *account, int64_t now)
{
    return record->access_token.len > 0 &&
           record->expires_at - now >= TOKEN_LAST_RESORT &&
           now - record->obtained_at >= -TOKEN_CLOCK_SLACK &&
           strcmp(account->provider.name, "microsoft-hve") != 0 &&
           token_same_settings(record, account);
}

bool
failure_blocks(const struct failure *failure, int64_t now)
{
    return failure->err.code != ERR_NONE && now < failure->retry_at &&
           now >= failure->at - TOKEN_CLOCK_SLACK &&
           failure->retry_at - failure->at <= RETRY_MAX;
}

void
failure_note(struct failure *failure, const struct err *err, int64_t now,
             int64_t retry_after, unsigned random)
{
    int64_t pause = BACKOFF_FIRST;

    failure->err = *err;
    failure->at = now;
    if (failure->count < 1000)
        failure->count++;
    if (err_is_temporary(err->code)) {
        for (int i = 1; i < failure->count && pause < BACKOFF_MAX; i++)
            pause *= 2;
        if (pause > BACKOFF_MAX)
            pause = BACKOFF_MAX;
        pause += pause * ((int)(random % 41) - 20) / 100;
    } else {
        pause = PERSON_PAUSE;
    }
    if (retry_after > RETRY_MAX)
        retry_after = RETRY_MAX;
    failure->retry_at = now + (retry_after > pause ? retry_after : pause);
}
