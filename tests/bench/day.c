/* day: a day of the agent's keeper in a few seconds. The keeper is the real one; the
 * clocks and the refreshes are not: each takes a while, one in a hundred is told to come
 * back after 30 seconds, and from noon on the provider is away for twenty minutes.
 *
 * usage: day ACCOUNTS spread|together [hashed]
 *
 * spread, together: how old the tokens are at the start: of all ages, or all of them
 * fetched within ten seconds. hashed: without slots, as proof that they are needed.
 * Accounts are asked for at random, each once in five minutes on average.
 * Prints: requests, requests / necessary ones (a day / a token's life), refreshes ahead
 * of time in the busiest second, the same / average, expired tokens handed out, tokens
 * below min_remaining handed out while nothing was wrong, questions that got no token,
 * requests in the busiest second with those that somebody waited for (after the outage).
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounts/freshness.h"
#include "agent/flight.h"
#include "agent/keeper.h"
#include "agent/slots.h"
#include "bench.h"

#define START INT64_C(1700000000)
#define DAY INT64_C(86400)
#define LIFE 3599
#define ASK_EVERY 300.0 /* seconds, an account */
#define OUTAGE_FROM (START + DAY / 2)
#define OUTAGE_S 1200
#define LATENCY_MS 400

struct landing {
    int64_t at_ms;
    struct flight *flight;
};

static struct {
    int64_t ms; /* since START */
    uint64_t random;
    bool hashed;
    struct accounts *accounts;
    struct record *record;   /* what the store would hold */
    struct landing *landing; /* a heap, the next one first */
    size_t landings;
    unsigned short *ahead, *asked; /* requests in each second */
    unsigned long requests, expired, short_lived, unanswered;
} day;

int64_t __wrap_wallclock_now(void);
int64_t __wrap_deadline_now(void);
int __wrap_flight_start(struct flight *f, const struct flight_env *env, struct err *err);
void __wrap_store_stamp(const struct store *store, const char *account,
                        struct store_stamp *stamp_r);
void __real_slots_assign(struct slots *slots, struct slot *slot,
                         const struct record *record, const struct account *account,
                         int64_t now);
void __wrap_slots_assign(struct slots *slots, struct slot *slot,
                         const struct record *record, const struct account *account,
                         int64_t now);
unsigned __real_slots_pace(const struct slots *slots);
unsigned __wrap_slots_pace(const struct slots *slots);

int64_t
__wrap_wallclock_now(void)
{
    return START + day.ms / 1000;
}

int64_t
__wrap_deadline_now(void)
{
    return day.ms + 5000; /* no whole second lies at the same place on both clocks */
}

/* Nobody else writes the store. */
void
__wrap_store_stamp(const struct store *store, const char *account,
                   struct store_stamp *stamp_r)
{
    (void)store;
    (void)account;
    *stamp_r = (struct store_stamp){.present = false};
}

void
__wrap_slots_assign(struct slots *slots, struct slot *slot, const struct record *record,
                    const struct account *account, int64_t now)
{
    if (!day.hashed)
        __real_slots_assign(slots, slot, record, account, now);
    else
        *slot = (struct slot){.at = token_due_at(record, account)};
}

unsigned
__wrap_slots_pace(const struct slots *slots)
{
    return day.hashed ? 100000 : __real_slots_pace(slots);
}

/* The same numbers in each run (xorshift64). */
static uint64_t
any(void)
{
    day.random ^= day.random << 13;
    day.random ^= day.random >> 7;
    day.random ^= day.random << 17;
    return day.random;
}

static double
share(void)
{
    return ((double)(any() >> 11) + 1) / 9007199254740993.0;
}

static void
must(int r)
{
    if (r != 0)
        bench_die("out of memory");
}

/* --- the provider */

static void
give_token(struct record *record, const struct account *account, int64_t at)
{
    char text[64];
    int n = snprintf(text, sizeof(text), "%" PRId64 ".%" PRId64, at, at + LIFE);

    must(secret_set(&record->access_token, text, (size_t)n));
    secret_reset(&record->fingerprint);
    must(account_fingerprint(account, &record->fingerprint));
    record->obtained_at = at;
    record->expires_at = at + LIFE;
    record->failure = (struct failure){.err = ERR_INIT};
}

static void
sift_up(size_t i)
{
    while (i > 0 && day.landing[i].at_ms < day.landing[(i - 1) / 2].at_ms) {
        struct landing up = day.landing[(i - 1) / 2];

        day.landing[(i - 1) / 2] = day.landing[i];
        day.landing[i] = up;
        i = (i - 1) / 2;
    }
}

static struct flight *
take_first(void)
{
    struct flight *first = day.landing[0].flight;
    size_t i = 0, child;

    day.landing[0] = day.landing[--day.landings];
    while ((child = 2 * i + 1) < day.landings) {
        struct landing down = day.landing[i];

        if (child + 1 < day.landings &&
            day.landing[child + 1].at_ms < day.landing[child].at_ms)
            child++;
        if (down.at_ms <= day.landing[child].at_ms)
            break;
        day.landing[i] = day.landing[child];
        day.landing[child] = down;
        i = child;
    }
    return first;
}

/* What acquire_begin() decides. */
static bool
needs_request(const struct flight *f, const struct record *stored)
{
    int64_t now = __wrap_wallclock_now();

    if (f->want.look_only || failure_blocks(&stored->failure, now))
        return false;
    return token_freshness(stored, f->acquire.account, now) == TOKEN_STALE ||
           stored->obtained_at < f->want.newer_than;
}

int
__wrap_flight_start(struct flight *f, const struct flight_env *env, struct err *err)
{
    size_t i = (size_t)(f->acquire.account - day.accounts->account);
    size_t at = day.landings++;

    (void)env;
    (void)err;
    day.landing[at] = (struct landing){day.ms + 2, f};
    f->request = needs_request(f, &day.record[i]);
    if (f->request) {
        day.landing[at].at_ms = day.ms + LATENCY_MS / 2 + (int64_t)(any() % LATENCY_MS);
        day.requests++;
        (f->want.newer_than > 0 ? day.ahead : day.asked)[day.ms / 1000]++;
    }
    sift_up(at);
    return 0;
}

static void
refuse(struct flight *f, struct record *stored, int64_t now, int64_t retry_after)
{
    f->result = err_set(&f->err, ERR_TEMP, "come back later");
    failure_note(&stored->failure, &f->err, now, retry_after, (unsigned)any());
}

static void
land(struct flight *f)
{
    const struct account *account = f->acquire.account;
    struct record *stored = &day.record[account - day.accounts->account];
    int64_t now = __wrap_wallclock_now();

    if (f->request && now >= OUTAGE_FROM && now < OUTAGE_FROM + OUTAGE_S) {
        refuse(f, stored, now, 0);
    } else if (f->request && any() % 100 == 0) {
        refuse(f, stored, now, 30);
    } else if (f->request) {
        give_token(stored, account, now);
        f->fetched = true;
    } else if (!f->want.look_only && failure_blocks(&stored->failure, now)) {
        f->err = stored->failure.err;
        f->result = f->err.code;
    }
    must(record_copy(&f->acquire.record, stored, NULL));
    f->landed(f);
}

/* --- who asks */

static void
judge(const struct account *account, const struct secret *token)
{
    const struct record *stored = &day.record[account - day.accounts->account];
    int64_t now = __wrap_wallclock_now(), from, until = 0;
    char *end = NULL;

    if (token == NULL) {
        day.unanswered++;
        return;
    }
    from = strtoll(secret_str(token), &end, 10);
    if (*end == '.')
        until = strtoll(end + 1, NULL, 10);
    if (now >= until)
        day.expired++;
    else if (until - now < account->min_remaining && now - from >= TOKEN_JUST_FETCHED &&
             (stored->failure.err.code == ERR_NONE || until - now < TOKEN_LAST_RESORT))
        day.short_lived++;
}

struct question {
    struct ask ask; /* first */
    const struct account *account;
};

static void
on_answer(struct ask *ask, const struct secret *token, const struct err *err)
{
    struct question *q = (struct question *)ask;

    (void)err;
    judge(q->account, token);
    free(q);
}

static void
ask_somebody(struct keeper *keeper)
{
    struct question *q = bench_alloc(1, sizeof(*q));

    q->account = &day.accounts->account[any() % day.accounts->count];
    q->ask.answer = on_answer;
    keeper_ask(keeper, q->account, &q->ask);
}

/* --- the day */

static void
read_accounts(long count)
{
    char path[] = "/tmp/mailbearer-day.XXXXXX";
    struct err err = ERR_INIT;
    int fd = mkstemp(path);
    FILE *file = fd == -1 ? NULL : fdopen(fd, "w");

    if (file == NULL)
        bench_die(path);
    fputs("defaults {\n client_id = c\n tenant = t.example\n grant = client_credentials\n"
          " client_secret = s\n}\n",
          file);
    for (long i = 1; i <= count; i++)
        fprintf(file, "account \"a%ld@bench.test\" {\n}\n", i);
    if (fclose(file) != 0)
        bench_die(path);
    if (accounts_read(path, &day.accounts, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    unlink(path);
}

static void
begin(long count, bool together)
{
    size_t seconds = (size_t)DAY + 60;

    read_accounts(count);
    day.record = bench_alloc((size_t)count, sizeof(*day.record));
    day.landing = bench_alloc((size_t)count, sizeof(*day.landing));
    day.ahead = bench_alloc(seconds, sizeof(*day.ahead));
    day.asked = bench_alloc(seconds, sizeof(*day.asked));
    for (long i = 0; i < count; i++)
        give_token(&day.record[i], &day.accounts->account[i],
                   START - (int64_t)(any() % (together ? 10 : LIFE * 3 / 4)));
}

static void
pass_the_day(struct keeper *keeper)
{
    double gap = ASK_EVERY * 1000 / (double)day.accounts->count, next_ask = 0;
    int64_t next_tick = 0;

    while (day.ms < DAY * 1000) {
        int64_t next = next_ask < (double)next_tick ? (int64_t)ceil(next_ask) : next_tick;

        if (day.landings > 0 && day.landing[0].at_ms < next)
            next = day.landing[0].at_ms;
        day.ms = next > day.ms ? next : day.ms;
        while (day.landings > 0 && day.landing[0].at_ms <= day.ms)
            land(take_first());
        while (next_ask <= (double)day.ms) {
            ask_somebody(keeper);
            next_ask -= log(share()) * gap;
        }
        next_tick = day.ms + keeper_tick(keeper);
    }
    while (day.landings > 0)
        land(take_first());
}

static void
report(void)
{
    double necessary = (double)day.accounts->count * (double)DAY / LIFE;
    unsigned busiest = 0, all = 0;

    for (int64_t s = 0; s < DAY; s++)
        if (day.ahead[s] > busiest)
            busiest = day.ahead[s];
    for (int64_t s = 0; s < DAY; s++)
        if (day.ahead[s] + day.asked[s] > (int)all)
            all = (unsigned)day.ahead[s] + day.asked[s];
    printf("%lu %.3f %u %.2f %lu %lu %lu %u\n", day.requests,
           (double)day.requests / necessary, busiest,
           busiest / ((double)day.requests / (double)DAY), day.expired, day.short_lived,
           day.unanswered, all);
}

int
main(int argc, char **argv)
{
    const struct store store = {.path = NULL, .fd = -1};
    struct keeper *keeper = NULL;
    struct err err = ERR_INIT;

    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: day ACCOUNTS spread|together [hashed]\n");
        return 64;
    }
    day.random = UINT64_C(0x9e3779b97f4a7c15);
    day.hashed = argc == 4;
    begin(bench_number(argv[1]), strcmp(argv[2], "together") == 0);
    must(keeper_new(&store, NULL, NULL, &keeper, &err));
    must(keeper_set_accounts(keeper, day.accounts, &err));
    if (freopen("/dev/null", "w", stderr) == NULL)
        bench_die("/dev/null"); /* a line for each refresh */
    pass_the_day(keeper);
    report();
    keeper_free(&keeper); /* and the accounts with it */
    return 0;
}
