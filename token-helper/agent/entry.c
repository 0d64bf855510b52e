/* entry.c - see entry.h. */
#include "entry.h"

#include <stdlib.h>

#define DAY_MS (24 * 3600 * 1000LL)
#define DAY_S (24 * 3600LL)

enum freshness
entry_freshness(const struct entry *e, int64_t now)
{
    return e->same ? token_freshness_same(&e->record, e->account, now) : TOKEN_STALE;
}

enum entry_answer
entry_answer(const struct entry *e, int64_t now)
{
    if (!e->loaded)
        return ENTRY_FETCH;
    if (!e->refused && entry_freshness(e, now) != TOKEN_STALE)
        return ENTRY_ANSWER;
    if (!failure_blocks(&e->record.failure, now))
        return ENTRY_FETCH;
    if (!e->refused && token_last_resort(&e->record, e->account, now))
        return ENTRY_ANSWER;
    return ENTRY_REFUSE;
}

bool
entry_token_is_due(const struct entry *e, int64_t now)
{
    return entry_freshness(e, now) == TOKEN_STALE ||
           (now >= e->slot.at && now - e->record.obtained_at >= TOKEN_JUST_FETCHED);
}

bool
entry_is_due(const struct entry *e, int64_t now, int64_t now_ms)
{
    const struct failure *f = &e->record.failure;

    if (!e->loaded || e->flight != NULL || now_ms < e->retry_ms ||
        failure_blocks(f, now) ||
        (f->err.code != ERR_NONE && !err_is_temporary(f->err.code)))
        return false;
    if (e->unsaved)
        return now_ms >= e->save_ms;
    if (e->asked && now_ms - e->asked_ms < DAY_MS)
        return entry_token_is_due(e, now);
    return e->account->grant == GRANT_AUTHORIZATION_CODE &&
           e->record.refresh_token.len > 0 &&
           now - e->record.refresh_token_at > 7 * DAY_S - token_spread(e->account, DAY_S);
}

void
entry_answer_all(struct entry *e, bool token, const struct err *err, int64_t now_ms,
                 int64_t longer_than_ms)
{
    struct ask *waiting = e->asks, *ask;

    /* answer() may ask again, which must not be answered in this round */
    e->asks = NULL;
    while ((ask = waiting) != NULL) {
        waiting = ask->next;
        if (now_ms - ask->since_ms < longer_than_ms) {
            ask->next = e->asks;
            e->asks = ask;
            continue;
        }
        ask->entry = NULL;
        ask->next = NULL;
        ask->answer(ask, token ? &e->record.access_token : NULL, token ? NULL : err);
    }
}

void
entry_free(struct entry *e)
{
    if (e == NULL)
        return;
    free(e->name);
    record_clear(&e->record);
    flight_free(&e->flight);
    free(e);
}
