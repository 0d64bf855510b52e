/* probe.c - see probe.h. */
#include "probe.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../accounts/status_report.h"
#include "../base/log.h"
#include "../base/wallclock.h"
#include "../client/deadline.h"
#include "../mail/visit.h"
#include "probed.h"

struct probes {
    struct worker *worker;
    atomic_bool stop; /* for the thread that signs in: all is to end */
    struct hooks *hooks;
    struct keeper *keeper;
    struct probed **probed; /* by name */
    size_t count;
    int64_t period_s;
    /* The one sign-in under way. */
    struct probed *now; /* NULL: none */
    bool orphan;        /* `now` is in no list any more */
    bool ended;
    struct ask ask;
    struct job job;
    struct secret token, refused; /* the one that is tried, the one before */
    int result;
    bool token_refused;
    struct err err;
};

/* --- accounts --------------------------------------------------------------------------
 */

static int
compare_names(const void *a, const void *b)
{
    return strcmp((*(struct probed *const *)a)->name, (*(struct probed *const *)b)->name);
}

/* There may be thousands, and a reload looks for each. */
static struct probed *
find(const struct probes *p, const char *name)
{
    size_t low = 0, high = p->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, p->probed[middle]->name);

        if (order == 0)
            return p->probed[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Its turn, and what is known of it from before. */
static void
place(const struct probes *p, struct probed *e, int64_t period_s)
{
    const struct probed *old = find(p, e->name);
    int64_t now_ms = deadline_now();

    e->next_ms = now_ms + period_s * probed_slot(e->name);
    if (old == NULL)
        return;
    e->refusal = old->refusal;
    if (e->refusal.err.code != ERR_NONE)
        e->next_ms = now_ms; /* what was changed may have mended it */
    else if (period_s == p->period_s)
        e->next_ms = old->next_ms;
}

static void
list_free(struct probed **list, size_t count)
{
    for (size_t i = 0; list != NULL && i < count; i++)
        probed_free(list[i]);
    free(list);
}

int
probes_set_accounts(struct probes *p, const struct accounts *accounts, struct err *err)
{
    int64_t period_s = accounts->agent.probe;
    struct probed **list = calloc(accounts->count + 1, sizeof *list);
    size_t count = 0;
    enum protocol protocol;

    if (list == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; period_s > 0 && i < accounts->count; i++) {
        if (!probed_server(&accounts->account[i], &protocol))
            continue;
        if ((list[count] = probed_new(&accounts->account[i], protocol)) == NULL) {
            list_free(list, count);
            return err_set(err, ERR_NOMEM, "out of memory");
        }
        place(p, list[count], period_s);
        count++;
    }
    qsort(list, count, sizeof *list, compare_names);
    /* a sign-in that is under way goes on with what it began with */
    for (size_t i = 0; i < p->count; i++)
        if (p->probed[i] == p->now) {
            p->orphan = true;
            p->probed[i] = NULL;
        }
    list_free(p->probed, p->count);
    p->probed = list;
    p->count = count;
    p->period_s = period_s;
    return 0;
}

/* --- what came of it -------------------------------------------------------------------
 */

static void
forget_tokens(struct probes *p)
{
    secret_clear(&p->token);
    secret_clear(&p->refused);
}

static void
finish(struct probes *p)
{
    struct probed *e = p->now;
    int64_t wait_s = p->period_s;

    if (e->refusal.err.code != ERR_NONE && !e->server.password &&
        wait_s > PROBE_TROUBLE_S)
        wait_s = PROBE_TROUBLE_S;
    e->next_ms = deadline_now() + wait_s * 1000;
    if (p->orphan)
        probed_free(e);
    p->orphan = false;
    p->now = NULL;
    forget_tokens(p);
}

static void
is_well(struct probes *p)
{
    struct probed *e = p->now;
    const struct hook_call call = {
        .event = HOOK_RECOVERY, .account = e->name, .state = status_state_name(STATE_OK)};

    if (e->refusal.err.code == ERR_NONE || p->orphan)
        return;
    e->refusal = (struct failure){.err = ERR_INIT};
    log_info("%s: %s takes the sign-in again", e->name, e->host);
    hooks_report(p->hooks, &call);
}

static void
is_refused(struct probes *p)
{
    struct probed *e = p->now;
    const struct hook_call call = {.event = HOOK_FAILURE,
                                   .account = e->name,
                                   .state = status_state_name(STATE_ACTION),
                                   .err = &p->err};
    bool told = e->refusal.err.code != ERR_NONE;
    char line[ERR_LINE_MAX];

    if (p->orphan)
        return;
    e->refusal.err = p->err;
    e->refusal.at = wallclock_now();
    e->refusal.count++;
    if (told)
        return;
    log_warning("%s: tried at its server: %s", e->name, err_line(&p->err, line));
    hooks_report(p->hooks, &call);
}

static void
is_unclear(const struct probes *p)
{
    char line[ERR_LINE_MAX];

    log_info("%s: could not be tried at its server: %s", p->now->name,
             err_line(&p->err, line));
}

/* --- the sign-in -----------------------------------------------------------------------
 */

static void
work(struct job *job)
{
    struct probes *p = (struct probes *)((char *)job - offsetof(struct probes, job));
    struct mail_server server = p->now->server;
    struct visit visit = {.connection = NULL};
    struct err err = ERR_INIT;
    int r;

    server.stop = &p->stop;
    r = visit_open(&visit, p->now->wire, &server, p->now->name, PROBE_MS, &err);
    if (r == 0)
        r = visit_sign_in(&visit, &p->token, &err);
    p->result = r;
    p->token_refused = visit.refused;
    p->err = err;
    visit_close(&visit);
}

/* Asks the keeper; on_token() follows, perhaps at once. */
static void
ask_token(struct probes *p)
{
    const struct account *a = accounts_find(keeper_accounts(p->keeper), p->now->name);

    if (a == NULL || p->orphan)
        finish(p);
    else
        keeper_ask(p->keeper, a, &p->ask);
}

static void
try_next_token(struct probes *p)
{
    const struct account *a = accounts_find(keeper_accounts(p->keeper), p->now->name);

    secret_move(&p->refused, &p->token);
    if (a != NULL)
        keeper_rejected(p->keeper, a, secret_str(&p->refused), p->refused.len);
    ask_token(p);
}

static void
done(struct job *job)
{
    struct probes *p = (struct probes *)((char *)job - offsetof(struct probes, job));
    /* when a refusal is known already, another token each time would help nobody */
    bool first = p->refused.len == 0 && p->now->refusal.err.code == ERR_NONE;

    if (p->result != 0 && p->token_refused && first && !p->orphan && !p->ended) {
        try_next_token(p);
        return;
    }
    if (p->result == 0)
        is_well(p);
    else if (p->result == ERR_PERSON)
        is_refused(p);
    else
        is_unclear(p);
    finish(p);
}

static void
on_token(struct ask *ask, const struct secret *token, const struct err *err)
{
    struct probes *p = (struct probes *)((char *)ask - offsetof(struct probes, ask));

    (void)err; /* why there is no token is told by who fetches them */
    if (token == NULL || p->orphan) {
        finish(p);
    } else if (p->refused.len > 0 && secret_equal(token, &p->refused)) {
        is_refused(p); /* there is no other one; p->err says what the server said */
        finish(p);
    } else if (secret_set(&p->token, token->data, token->len) != 0 ||
               worker_submit_alone(p->worker, &p->job, &p->err) != 0) {
        finish(p);
    }
}

void
probes_tick(struct probes *p)
{
    int64_t now_ms = deadline_now();
    struct probed *due = NULL;

    if (p->now != NULL)
        return;
    for (size_t i = 0; i < p->count; i++)
        if (p->probed[i]->next_ms <= now_ms &&
            (due == NULL || p->probed[i]->next_ms < due->next_ms))
            due = p->probed[i];
    if (due == NULL)
        return;
    p->now = due;
    ask_token(p);
}

/* --- life ------------------------------------------------------------------------------
 */

int
probes_new(struct worker *worker, struct hooks *hooks, struct keeper *keeper,
           struct probes **probes_r, struct err *err)
{
    struct probes *p = calloc(1, sizeof *p);

    if (p == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    p->worker = worker;
    p->hooks = hooks;
    p->keeper = keeper;
    p->ask.answer = on_token;
    p->ask.passing = true;
    p->job = (struct job){.work = work, .done = done};
    *probes_r = p;
    return 0;
}

const struct failure *
probes_refusal(const struct probes *p, const char *account)
{
    const struct probed *e = p != NULL ? find(p, account) : NULL;

    return e != NULL && e->refusal.err.code != ERR_NONE ? &e->refusal : NULL;
}

void
probes_end(struct probes *p)
{
    if (p == NULL)
        return;
    p->ended = true;
    atomic_store(&p->stop, true);
    if (p->keeper != NULL && p->ask.entry != NULL)
        keeper_forget(p->keeper, &p->ask);
}

void
probes_free(struct probes **probes)
{
    struct probes *p = *probes;

    if (p == NULL)
        return;
    if (p->orphan)
        probed_free(p->now);
    list_free(p->probed, p->count);
    forget_tokens(p);
    free(p);
    *probes = NULL;
}
