/* keeper_ask.c - see keeper.h: who asks, and what time brings. */
#include <string.h>

#include "../accounts/freshness.h"
#include "../accounts/status_report.h"
#include "../base/log.h"
#include "../base/wallclock.h"
#include "../client/deadline.h"
#include "../oauth/credential.h"
#include "keeper_private.h"
#include "probe.h"

#define AHEAD_MAX 64 /* refreshes nobody waits for, at once */
#define FAILING_MANY                                                                     \
    10 /* this many failures in a row: it is the provider's, not an                      \
          account's */
#define FAILING_EVERY_S 4
#define LOAD_BATCH 20 /* records read unasked a second, after a start */
#define TICK_BUSY_MS 100

/* A sign-in, an import or a sign-out by another process shows in the file at once. */
static void
notice_changed_file(struct keeper *k, struct entry *e)
{
    struct store_stamp now;

    if (!e->loaded || e->flight != NULL)
        return;
    store_stamp(k->env.store, e->name, &now);
    if (!store_stamp_equal(&now, &e->stamp))
        e->loaded = false;
}

/* Somebody had to act, and perhaps has: the secret's file is newer than the failure. */
static bool
has_new_secret(const struct entry *e)
{
    const struct failure *f = &e->record.failure;

    return !err_is_temporary(f->err.code) &&
           credential_changed_since(e->account, f->at, wallclock_now());
}

void
keeper_ask(struct keeper *k, const struct account *account, struct ask *ask)
{
    struct entry *e = keeper_entry(k, account);
    enum entry_answer answer;

    ask->since_ms = deadline_now();
    if (!ask->passing) {
        e->asked = true;
        e->asked_ms = ask->since_ms;
    }
    notice_changed_file(k, e);
    answer = entry_answer(e, wallclock_now());
    if (answer == ENTRY_REFUSE && has_new_secret(e))
        answer = ENTRY_FETCH;
    switch (answer) {
    case ENTRY_ANSWER:
        ask->answer(ask, &e->record.access_token, NULL);
        return;
    case ENTRY_REFUSE:
        ask->answer(ask, NULL, &e->record.failure.err);
        return;
    case ENTRY_FETCH:
        ask->entry = e;
        ask->next = e->asks;
        e->asks = ask;
        k->waiting++;
        if (k->tick_ms > ask->since_ms + TICK_BUSY_MS)
            k->tick_ms = ask->since_ms + TICK_BUSY_MS;
        /* Read first: if the refresh then hangs, a token that still lives is known. */
        if (e->flight == NULL && deadline_now() >= e->retry_ms)
            keeper_start_flight(k, e, e->loaded ? FLIGHT_ASKED : FLIGHT_LOOK);
        return;
    }
}

void
keeper_forget(struct keeper *k, struct ask *ask)
{
    struct ask **link;

    (void)k;
    if (ask->entry == NULL)
        return;
    for (link = &ask->entry->asks; *link != NULL; link = &(*link)->next)
        if (*link == ask) {
            *link = ask->next;
            break;
        }
    ask->entry = NULL;
}

void
keeper_rejected(struct keeper *k, const struct account *account, const char *token,
                size_t len)
{
    struct entry *e = keeper_entry(k, account);
    const struct secret *current = &e->record.access_token;
    int64_t now_ms = deadline_now();

    if (!e->loaded || e->flight != NULL || len == 0 || current->len != len ||
        memcmp(current->data, token, len) != 0 ||
        (e->refused_ms != 0 && now_ms - e->refused_ms < KEEPER_REJECTED_S * 1000LL))
        return;
    log_warning("%s: the present token was reported as refused, fetching another",
                e->name);
    e->refused = true;
    e->refused_ms = now_ms;
    keeper_start_flight(k, e, FLIGHT_ASKED);
}

int
keeper_status(struct keeper *k, const struct account *account, struct secret *out,
              struct err *err)
{
    const struct entry *e = keeper_entry(k, account);
    const struct status_extra extra = {e->unsaved,
                                       expiry_certificate(k->expiry, account->name),
                                       probes_refusal(k->probes, account->name)};

    return status_json(account, &e->record, &extra, wallclock_now(), out, err);
}

static void
tick_waiting(struct keeper *k, struct entry *e, int64_t now_ms)
{
    struct err late = ERR_INIT;

    if (e->asks == NULL)
        return;
    k->waiting++; /* counted anew at each tick */
    if (e->flight == NULL && now_ms >= e->retry_ms)
        keeper_start_flight(k, e, FLIGHT_ASKED);
    if (e->loaded && !e->refused &&
        token_last_resort(&e->record, e->account, wallclock_now()))
        entry_answer_all(e, true, NULL, now_ms, KEEPER_SLOW_MS);
    err_set(&late, ERR_TIMEOUT, "no token in %d s: the refresh is still under way",
            KEEPER_WAIT_MS / 1000);
    err_hint(&late, "see: mailbearer status %s", e->name);
    entry_answer_all(e, false, &late, now_ms, KEEPER_WAIT_MS);
}

/* Reads records nobody has asked for yet, a few at a time, so that refresh tokens are
 * used at least weekly even where no mail flows. */
static void
load_some(struct keeper *k)
{
    for (int n = 0; n < LOAD_BATCH && k->load_next < k->count; k->load_next++) {
        struct entry *e = k->entry[k->load_next];

        if (e->loaded || e->flight != NULL ||
            e->account->grant != GRANT_AUTHORIZATION_CODE)
            continue;
        keeper_start_flight(k, e, FLIGHT_LOOK);
        n++;
    }
}

/* Most are, most of the time. */
static bool
is_before_slot(const struct entry *e, int64_t now)
{
    return e->slot.counted && now < e->slot.at && now >= e->slot.at - e->slot.interval &&
           e->same && !e->unsaved;
}

/* How many refreshes may be started in this second with nobody waiting for them. When the
 * provider is away, each account trying for itself would be a multiple of the usual
 * requests; one now and then finds out when it is back. */
static unsigned
ahead_of(const struct keeper *k, int64_t now)
{
    unsigned pace = slots_pace(k->slots);

    if (k->failing >= FAILING_MANY)
        return now % FAILING_EVERY_S == 0 ? 1 : 0;
    return pace > k->asked_now ? pace - k->asked_now : 1;
}

/* Starts what is due, as much as the pace allows; who had to wait is first next time. */
static void
refresh_ahead(struct keeper *k, int64_t now, int64_t now_ms)
{
    unsigned left = ahead_of(k, now);

    k->asked_now = 0;
    for (size_t n = 0; n < k->count; n++) {
        size_t i = (k->ahead_next + n) % k->count;
        struct entry *e = k->entry[i];

        if (is_before_slot(e, now))
            continue;
        if (e->slot.at != 0 && now >= e->record.expires_at)
            slots_drop(k->slots, &e->slot);
        if (!entry_is_due(e, now, now_ms))
            continue;
        if (left == 0 || k->flights >= AHEAD_MAX) {
            k->ahead_next = i;
            return;
        }
        keeper_start_flight(k, e, FLIGHT_AHEAD);
        left--;
    }
}

int
keeper_tick(struct keeper *k)
{
    int64_t now_ms = deadline_now();
    int to_second = 1000 - (int)(now_ms % 1000);

    if (now_ms < k->tick_ms) /* the loop comes by with every request */
        return (int)(k->tick_ms - now_ms);
    if (k->waiting > 0) {
        k->waiting = 0;
        for (size_t i = 0; i < k->count; i++)
            tick_waiting(k, k->entry[i], now_ms);
    }
    /* Not a second after the last time, which would drift: a second that is left out
     * would double the next one's refreshes. */
    if (now_ms / 1000 != k->second_ms / 1000) {
        k->second_ms = now_ms;
        refresh_ahead(k, wallclock_now(), now_ms);
        load_some(k);
    }
    k->tick_ms = now_ms + (to_second > TICK_BUSY_MS && (k->waiting > 0 || k->flights > 0)
                               ? TICK_BUSY_MS
                               : to_second);
    return (int)(k->tick_ms - now_ms);
}
