/* throttle.h - whoever fails to sign in has to wait longer each time.
 *
 * Used by:  board.c, which keeps it in memory that all sessions share
 * Includes: libc. No I/O, no clock: times are milliseconds of the caller's.
 *
 * A table of fixed size without pointers. What is counted is a number the caller makes of
 * an address or an account's name (throttle_key()); two that fall together are delayed
 * together. When the table is full, the entry that has been quiet longest gives way.
 */
#ifndef MAILBEARER_THROTTLE_H
#define MAILBEARER_THROTTLE_H

#include <stddef.h>
#include <stdint.h>

#define THROTTLE_ENTRIES 1024
#define THROTTLE_FORGET_MS (15 * 60 * 1000) /* without a failure */

struct throttle_entry {
    uint64_t key; /* 0: free */
    uint32_t failures;
    int64_t next_ms; /* the next try may be made then */
    int64_t last_ms; /* the latest failure */
};

struct throttle {
    uint64_t seed;
    struct throttle_entry entry[THROTTLE_ENTRIES];
};

/* How a kind of keys is treated: after `free` failures the wait is first_ms, then twice
 * that, and so on up to max_ms. */
struct throttle_rule {
    uint32_t free;
    int first_ms, max_ms;
};

/* A number for bytes of a kind ('a' address, 'n' name); never 0. */
uint64_t throttle_key(const struct throttle *t, char kind, const void *bytes, size_t len);

/* Milliseconds until a try may be made, and that moment is taken: who asks next waits
 * longer, so that tries at once are not one try. 0 for a key without failures. A wait
 * above `most_ms` is told and not taken: the try is to be refused. */
int64_t throttle_take(struct throttle *t, uint64_t key, const struct throttle_rule *rule,
                      int64_t now_ms, int64_t most_ms);

void throttle_failed(struct throttle *t, uint64_t key, const struct throttle_rule *rule,
                     int64_t now_ms);

void throttle_forgive(struct throttle *t, uint64_t key);

#endif
