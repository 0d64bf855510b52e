/* deadline.c - see deadline.h. */
#include "deadline.h"

#include <limits.h>
#include <time.h>

int64_t
deadline_now(void)
{
    struct timespec t = {0, 0};

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct deadline
deadline_in(int ms)
{
    struct deadline d = {deadline_now() + (ms > 0 ? ms : 0)};

    return d;
}

int
deadline_left(const struct deadline *d)
{
    int64_t left = d->at_ms - deadline_now();

    if (left <= 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

bool
deadline_passed(const struct deadline *d)
{
    return deadline_left(d) == 0;
}
