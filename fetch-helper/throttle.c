/* throttle.c - see throttle.h. */
#include "throttle.h"

#include <stdbool.h>

/* FNV-1a. The seed keeps strangers from choosing names that fall together. */
uint64_t
throttle_key(const struct throttle *t, char kind, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    uint64_t h = 14695981039346656037u ^ t->seed;

    h = (h ^ (unsigned char)kind) * 1099511628211u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ at[i]) * 1099511628211u;
    return h != 0 ? h : 1;
}

static bool
is_old(const struct throttle_entry *e, int64_t now_ms)
{
    return now_ms - e->last_ms > THROTTLE_FORGET_MS;
}

static struct throttle_entry *
find(struct throttle *t, uint64_t key, int64_t now_ms)
{
    for (size_t i = 0; i < THROTTLE_ENTRIES; i++)
        if (t->entry[i].key == key && !is_old(&t->entry[i], now_ms))
            return &t->entry[i];
    return NULL;
}

/* A free place, or that of the entry that failed longest ago. */
static struct throttle_entry *
place(struct throttle *t, uint64_t key)
{
    struct throttle_entry *best = &t->entry[0];

    for (size_t i = 0; i < THROTTLE_ENTRIES; i++) {
        struct throttle_entry *e = &t->entry[i];

        if (e->key == key || e->key == 0) /* an old entry of its own must not stay */
            best = e;
        else if (best->key != 0 && best->key != key && e->last_ms < best->last_ms)
            best = e;
        if (e->key == key)
            break;
    }
    *best = (struct throttle_entry){.key = key};
    return best;
}

static int
delay(const struct throttle_entry *e, const struct throttle_rule *rule)
{
    int64_t ms = rule->first_ms;

    if (e->failures <= rule->free)
        return 0;
    for (uint32_t i = rule->free + 1; i < e->failures && ms < rule->max_ms; i++)
        ms *= 2;
    return ms < rule->max_ms ? (int)ms : rule->max_ms;
}

int64_t
throttle_take(struct throttle *t, uint64_t key, const struct throttle_rule *rule,
              int64_t now_ms, int64_t most_ms)
{
    struct throttle_entry *e = find(t, key, now_ms);
    int64_t at;

    if (e == NULL || e->failures <= rule->free)
        return 0;
    at = e->next_ms > now_ms ? e->next_ms : now_ms;
    if (at - now_ms <= most_ms)
        e->next_ms = at + delay(e, rule);
    return at - now_ms;
}

void
throttle_failed(struct throttle *t, uint64_t key, const struct throttle_rule *rule,
                int64_t now_ms)
{
    struct throttle_entry *e = find(t, key, now_ms);
    int64_t next;

    if (e == NULL)
        e = place(t, key);
    if (e->failures < UINT32_MAX)
        e->failures++;
    e->last_ms = now_ms;
    next = now_ms + delay(e, rule);
    if (next > e->next_ms)
        e->next_ms = next;
}

void
throttle_forgive(struct throttle *t, uint64_t key)
{
    for (size_t i = 0; i < THROTTLE_ENTRIES; i++)
        if (t->entry[i].key == key)
            t->entry[i] = (struct throttle_entry){.key = 0};
}
