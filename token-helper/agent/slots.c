/* slots.c - see slots.h. */
#include "slots.h"

#include <stdlib.h>

#include "../accounts/freshness.h"

/* Seconds that are told apart. A slot lies between 0.9 of a life ahead and, where it was
 * missed, 0.4 of one behind: with a day's life they do not meet. */
#define RING (1 << 17)
#define LIFE_MAX INT64_C(86400)
#define WIDTH_MIN 30 /* seconds: fewer are no choice */

#define NANO UINT64_C(1000000000)

struct slots {
    uint64_t rate; /* of all slots together: 10^-9 tokens a second */
    uint16_t load[RING];
};

/* The seconds to choose from, in the order first <= target <= last. */
struct window {
    int64_t first, target, last;
};

struct slots *
slots_new(void)
{
    return calloc(1, sizeof(struct slots));
}

void
slots_free(struct slots **slots)
{
    free(*slots);
    *slots = NULL;
}

static uint16_t *
load_of(struct slots *slots, int64_t second)
{
    return &slots->load[(uint64_t)second % RING];
}

void
slots_drop(struct slots *slots, struct slot *slot)
{
    if (slot->interval > 0)
        slots->rate -= NANO / (uint64_t)slot->interval;
    if (slot->counted)
        --*load_of(slots, slot->at);
    *slot = (struct slot){0};
}

/* False: there is nothing to choose. */
static bool
find_window(const struct record *record, const struct account *account, int64_t now,
            struct window *window_r)
{
    int64_t from = record->obtained_at, life = record->expires_at - from;
    int64_t limit = record->expires_at - account->min_remaining - SLOTS_RETRY_ROOM;
    struct window w;

    if (life <= 0 || life > LIFE_MAX)
        return false;
    w = (struct window){from + life * 60 / 100, from + life * 75 / 100,
                        from + life * 90 / 100};
    if (record->refresh_at > from)
        w.first = w.target = record->refresh_at;
    if (w.last > limit)
        w.last = limit;
    if (w.first <= now)
        w.first = now + 1;
    if (w.last - w.first < WIDTH_MIN)
        return false;
    if (w.target < w.first)
        w.target = w.first;
    if (w.target > w.last)
        w.target = w.last;
    *window_r = w;
    return true;
}

/* What a second may be given without a look at the others: half more than the average.
 * The least loaded would always be one at the window's end, which nobody has seen yet. */
static unsigned
calm(const struct slots *slots)
{
    return (unsigned)((slots->rate * 3 / 2 + NANO - 1) / NANO);
}

/* From the target outwards: the first calm second, else the least loaded. */
static int64_t
choose(struct slots *slots, const struct window *w)
{
    unsigned limit = calm(slots);
    int64_t best = w->target;

    for (int64_t d = 0; w->target - d >= w->first || w->target + d <= w->last; d++) {
        const int64_t beside[] = {w->target - d, w->target + d};

        for (int i = 0; i < 2; i++) {
            if (beside[i] < w->first || beside[i] > w->last)
                continue;
            if (*load_of(slots, beside[i]) < *load_of(slots, best))
                best = beside[i];
            if (*load_of(slots, best) < limit)
                return best;
        }
    }
    return best;
}

void
slots_assign(struct slots *slots, struct slot *slot, const struct record *record,
             const struct account *account, int64_t now)
{
    struct window window;

    slots_drop(slots, slot);
    if (record->access_token.len == 0 || record->expires_at <= now)
        return;
    slot->at = token_due_at(record, account);
    if (find_window(record, account, now, &window)) {
        slot->at = choose(slots, &window);
        slot->counted = *load_of(slots, slot->at) < UINT16_MAX;
    }
    if (slot->counted)
        ++*load_of(slots, slot->at);
    slot->interval = slot->at > record->obtained_at ? slot->at - record->obtained_at : 1;
    slots->rate += NANO / (uint64_t)slot->interval;
}

unsigned
slots_pace(const struct slots *slots)
{
    uint64_t pace = (slots->rate * 5 / 2 + NANO - 1) / NANO;

    return pace < SLOTS_PACE_MIN ? SLOTS_PACE_MIN : (unsigned)pace;
}
