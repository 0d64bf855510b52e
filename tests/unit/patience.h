/* patience.h - tests that run slower than alone: under valgrind, on a busy machine.
 *
 * Used by:  tests/unit/test_*.c that compare real time.
 *
 * `make check-valgrind` sets MAILBEARER_TEST_SLOW to how many times as long everything
 * may take, and MAILBEARER_TEST_UNDER to the tool's name.
 */
#ifndef MAILBEARER_TESTS_PATIENCE_H
#define MAILBEARER_TESTS_PATIENCE_H

#include <stdlib.h>
#include <string.h>

/* So many milliseconds, or as many times more as it takes here. */
static inline int
patience_ms(int ms)
{
    const char *slow = getenv("MAILBEARER_TEST_SLOW");
    int times = slow != NULL ? atoi(slow) : 1;

    return ms * (times > 0 ? times : 1);
}

static inline int
under_valgrind(void)
{
    const char *tool = getenv("MAILBEARER_TEST_UNDER");

    return tool != NULL && strcmp(tool, "valgrind") == 0;
}

#endif
