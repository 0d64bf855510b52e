/* bench.h - what the benchmark programs share: a clock, medians, giving up.
 *
 * Used by:  tests/bench/
 * Includes: libc only.
 */
#ifndef MAILBEARER_BENCH_H
#define MAILBEARER_BENCH_H

#include <stddef.h>

/* Microseconds on the monotonic clock. */
double bench_now(void);

/* The middle of `count` values; sorts them. */
double bench_median(double *values, size_t count);

/* The value below which `share` (0 to 1) of the `count` values lie; sorts them. */
double bench_quantile(double *values, size_t count, double share);

/* A positive number from the command line, or ends the program. */
long bench_number(const char *text);

/* malloc of `count` members that ends the program instead of failing. */
void *bench_alloc(size_t count, size_t size);

/* Connects to a UNIX socket and returns the descriptor, or -1 with errno. `flags` are
 * socket(2)'s, such as SOCK_NONBLOCK. */
int bench_connect(const char *path, int flags);

/* Says what went wrong, with errno's text, and ends the program. */
void bench_die(const char *what) __attribute__((noreturn));

#endif
