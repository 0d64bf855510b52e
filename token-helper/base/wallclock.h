/* wallclock.h - the time of day, in one place so that unit tests can wrap it.
 *
 * Used by:  everything in token-helper that compares with an expiry.
 *
 * Times are UTC, seconds since the epoch, int64_t: no local time, no time zone.
 */
#ifndef MAILBEARER_WALLCLOCK_H
#define MAILBEARER_WALLCLOCK_H

#include <stdint.h>

/* Now, by the system's clock. */
int64_t wallclock_now(void);

/* "2026-11-21T12:00:00Z" into `buf`; returns buf. */
#define WALLCLOCK_TEXT_MAX 32
char *wallclock_text(int64_t when, char buf[WALLCLOCK_TEXT_MAX]);

#endif
