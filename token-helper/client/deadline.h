/* deadline.h - one total deadline for everything an operation does.
 *
 * Used by:  every part of mailbearer, the plugin included.
 * Includes: libc only. CLOCK_MONOTONIC: steps of the wall clock do not matter.
 */
#ifndef MAILBEARER_DEADLINE_H
#define MAILBEARER_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct deadline {
    int64_t at_ms; /* on the monotonic clock */
};

/* Milliseconds on the monotonic clock. */
int64_t deadline_now(void);

struct deadline deadline_in(int ms);

/* Milliseconds left, 0 when it has passed: what poll(2) takes. */
int deadline_left(const struct deadline *d);

bool deadline_passed(const struct deadline *d);

#endif
