/* wallclock.c - the time of day, in one place so that unit tests can wrap it. */
#include "wallclock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

int64_t
wallclock_now(void)
{
    return (int64_t)time(NULL);
}

char *
wallclock_text(int64_t when, char buf[WALLCLOCK_TEXT_MAX])
{
    time_t seconds = (time_t)when;
    struct tm tm;

    /* Fails for a year that does not fit an int; nothing real is that far away, but a
     * provider's expires_in may be. */
    if ((int64_t)seconds != when || gmtime_r(&seconds, &tm) == NULL ||
        strftime(buf, WALLCLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(buf, WALLCLOCK_TEXT_MAX, "@%" PRId64, when);
    return buf;
}
