/* keeper_flight.c - see keeper.h: the refreshes. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../accounts/freshness.h"
#include "../accounts/status_report.h"
#include "../base/log.h"
#include "../base/wallclock.h"
#include "../client/deadline.h"
#include "keeper_private.h"

#define BUSY_RETRY_MS 100      /* another process holds the account's lock */
#define UNSAVED_RETRY_MS 30000 /* the store could not be written */

static void
log_outcome(struct entry *e, const struct flight *f)
{
    const struct failure *old = &e->record.failure;
    char line[ERR_LINE_MAX];

    if (f->fetched)
        log_info("%s: new access token, good for %lld s", e->name,
                 (long long)(f->acquire.record.expires_at - wallclock_now()));
    else if (f->result != 0 && f->result != ERR_NOACCOUNT &&
             (old->err.code != f->err.code || strcmp(old->err.text, f->err.text) != 0))
        log_warning("%s: %s", e->name, err_line(&f->err, line));
    if (f->acquire.unsaved && !e->unsaved)
        log_error("%s: tokens are only in memory, the store cannot be written: %s",
                  e->name, err_line(&f->acquire.trouble, line));
    else if (e->unsaved && !f->acquire.unsaved)
        log_info("%s: the store can be written again, tokens are saved", e->name);
}

/* The flight's record becomes the entry's. */
static void
take_record(struct keeper *k, struct entry *e, struct flight *f)
{
    const struct record *new = &f->acquire.record;
    bool other = !secret_equal(&e->record.access_token, &f->acquire.record.access_token);

    /* Fetched and the same: a metadata service's cache, which has no other to give. */
    if (e->refused && (other || f->fetched))
        e->refused = false;
    /* A failure changes nothing about the old token's slot, which has come. */
    if (other || new->obtained_at != e->record.obtained_at ||
        new->expires_at != e->record.expires_at)
        slots_assign(k->slots, &e->slot, new, e->account, wallclock_now());
    record_move(&e->record, &f->acquire.record);
    e->same = token_same_settings(&e->record, e->account);
    e->stamp = f->acquire.stamp;
    e->unsaved = f->acquire.unsaved;
    e->loaded = true;
    if (f->result != 0 && e->record.failure.err.code == ERR_NONE)
        /* nothing was asked of the network (a secret file, no sign-in): it may be mended
         * at any moment, so a short pause is enough */
        e->record.failure = (struct failure){.err = f->err,
                                             .at = wallclock_now(),
                                             .retry_at = wallclock_now() + 2,
                                             .count = 1};
}

/* Tells the administrator, once for each change (trouble.h). */
static void
tell(const struct keeper *k, struct entry *e)
{
    int64_t now = wallclock_now();
    struct hook_call call = {.account = e->name};

    switch (trouble_look(&e->trouble, e->account, &e->record, now, deadline_now())) {
    case TROUBLE_NO_NEWS:
        return;
    case TROUBLE_BEGAN:
        call.event = HOOK_FAILURE;
        call.err = &e->record.failure.err;
        break;
    case TROUBLE_OVER:
        call.event = HOOK_RECOVERY;
        log_info("%s: works again", e->name);
        break;
    }
    call.state = status_state_name(status_state(e->account, &e->record, now));
    hooks_report(k->hooks, &call);
}

static void
answer_after_flight(struct entry *e, const struct flight *f, bool present_settings)
{
    int64_t now = wallclock_now();
    enum freshness fresh = token_freshness(&e->record, e->account, now);
    bool fetched = f->fetched && present_settings;
    bool good = !e->refused && (fetched || fresh != TOKEN_STALE ||
                                token_last_resort(&e->record, e->account, now));
    struct err err = f->err;

    if (!good && err.code == ERR_NONE)
        err_set(&err, ERR_TEMP, "no usable token was obtained");
    entry_answer_all(e, good, &err, deadline_now(), 0);
}

static void
on_landed(struct flight *f)
{
    struct keeper *k = f->arg;
    struct entry *e, **link;
    struct generation *g;

    k->flights--;
    e = keeper_find(k, f->acquire.account->name);
    if (e == NULL || e->flight != f) {
        for (link = &k->gone; *link != NULL && (*link)->flight != f;
             link = &(*link)->next)
            continue;
        if ((e = *link) != NULL) {
            *link = e->next;
            keeper_drop(e); /* and the flight with it */
        }
        return;
    }
    g = e->flight_generation;
    e->flight = NULL;
    if (f->acquire.busy) {
        /* another process is refreshing: look again soon, those who wait go on waiting */
        e->retry_ms = deadline_now() + BUSY_RETRY_MS;
    } else {
        log_outcome(e, f);
        if (f->fetched)
            k->failing = 0;
        else if (f->request && err_is_temporary(f->result) && k->failing < UINT_MAX)
            k->failing++;
        take_record(k, e, f);
        tell(k, e);
        e->retry_ms = 0;
        e->save_ms = deadline_now() + UNSAVED_RETRY_MS;
        if (f->want.look_only && f->result == 0 && e->asks != NULL &&
            entry_answer(e, wallclock_now()) != ENTRY_ANSWER)
            keeper_start_flight(k, e, FLIGHT_ASKED);
        else
            answer_after_flight(e, f, g == k->generation);
    }
    generation_release(g);
    flight_free(&f);
}

void
keeper_start_flight(struct keeper *k, struct entry *e, enum flight_purpose purpose)
{
    struct flight *f = flight_new(e->account);
    struct err err = ERR_INIT;
    int r = ERR_NOMEM;

    /* Also what is about to be read again: the file may turn out to be unreadable. */
    if (f == NULL || record_copy(&f->memory, &e->record, NULL) != 0 ||
        (e->refused && secret_set(&f->refused, e->record.access_token.data,
                                  e->record.access_token.len) != 0)) {
        err_set(&err, ERR_NOMEM, "out of memory");
        goto out;
    }
    f->memory_stamp = e->stamp;
    f->want.memory_newer = e->unsaved;
    /* Whether it is due is for the slot to say: only a newer one is enough. But the
     * flight may be there for nothing but to store what could not be stored. */
    if (purpose == FLIGHT_AHEAD &&
        (!e->unsaved || entry_token_is_due(e, wallclock_now())))
        f->want.newer_than = e->record.obtained_at + 1;
    k->asked_now += purpose == FLIGHT_ASKED;
    f->want.look_only = purpose == FLIGHT_LOOK;
    f->want.mended_at = k->generation->since;
    f->landed = on_landed;
    f->arg = k;
    if ((r = flight_start(f, &k->env, &err)) == 0) {
        e->flight = f;
        e->flight_generation = k->generation;
        k->generation->users++;
        k->flights++;
        f = NULL;
    }
out:
    flight_free(&f);
    if (r != 0)
        entry_answer_all(e, false, &err, deadline_now(), 0);
}

void
keeper_save(struct keeper *k)
{
    for (size_t i = 0; i < k->count; i++)
        if (k->entry[i]->unsaved && k->entry[i]->flight == NULL)
            keeper_start_flight(k, k->entry[i], FLIGHT_LOOK);
}
