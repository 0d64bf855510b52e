/* resolve.h - how many addresses do these names have? Within a deadline.
 *
 * Used by:  network.c
 * Includes: client/, libc, pthread.
 *
 * getaddrinfo(3) cannot be told to give up, so each name is asked in a thread of its own;
 * one that is still waiting at the deadline is left behind.
 */
#ifndef MAILBEARER_RESOLVE_H
#define MAILBEARER_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

#include "../client/deadline.h"

struct resolved {
    bool done;       /* false: no answer in time */
    unsigned v4, v6; /* addresses */
    int ms;          /* how long it took */
    char why[128];   /* getaddrinfo's reason when there is none; else "" */
};

/* At most this many at once. */
#define RESOLVE_MAX 8

/* Asks for all names at the same time; result[i] is that of name[i]. */
void resolve_all(const char *const *name, size_t count, const struct deadline *deadline,
                 struct resolved *result);

#endif
