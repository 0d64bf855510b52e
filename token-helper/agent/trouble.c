/* trouble.c - see trouble.h. */
#include "trouble.h"

#include "../accounts/freshness.h"

#define DAY INT64_C(86400)

static enum trouble_news
begin(struct trouble *t)
{
    if (t->told)
        return TROUBLE_NO_NEWS;
    t->told = true;
    return TROUBLE_BEGAN;
}

enum trouble_news
trouble_look(struct trouble *t, const struct account *account,
             const struct record *record, int64_t now, int64_t now_ms)
{
    const struct failure *f = &record->failure;
    bool was_told = t->told;

    if (f->err.code != ERR_NONE && err_is_temporary(f->err.code)) {
        if (!t->temporary) {
            t->temporary = true;
            t->since_ms = now_ms;
        }
        return now_ms - t->since_ms >= TROUBLE_LASTING_MS ? begin(t) : TROUBLE_NO_NEWS;
    }
    t->temporary = false;
    if (f->err.code != ERR_NONE)
        return begin(t);
    /* No failure is noted in a record that was just imported either: only a token shows
     * that it works. */
    if (token_freshness(record, account, now) == TOKEN_STALE)
        return TROUBLE_NO_NEWS;
    t->told = false;
    return was_told ? TROUBLE_OVER : TROUBLE_NO_NEWS;
}

bool
expiry_is_news(struct expiry_mark *mark, int64_t date, int64_t now)
{
    int64_t left = date - now;
    int level = left >= 30 * DAY ? 0 : left >= 7 * DAY ? 1 : left >= DAY ? 2 : 3;

    if (date == 0)
        return false;
    if (mark->date != date)
        *mark = (struct expiry_mark){.date = date};
    if (level <= mark->level)
        return false;
    mark->level = level;
    return true;
}
