/* clock_check.h - this machine's clock against a server's. Pure.
 *
 * Used by:  network.c
 * Includes: report.h.
 */
#ifndef MAILBEARER_CLOCK_CHECK_H
#define MAILBEARER_CLOCK_CHECK_H

#include <stdint.h>

#include "report.h"

/* Seconds of difference that are a warning; that are a failure: Entra lets five minutes
 * pass in an assertion, and certificates and tokens are judged by the same clock. */
#define CLOCK_WARN_S 60
#define CLOCK_FAIL_S 300

/* `theirs` is the server's Date, `ours` our time when it came. `host` is for the text. */
void clock_judge(const char *host, int64_t theirs, int64_t ours, struct report *report);

#endif
