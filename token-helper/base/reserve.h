/* reserve.h - memory put aside for the moment when it must not fail.
 *
 * Used by:  oauth/acquire.c (holds it before a refresh), oauth/http.c, wipe_alloc.c
 * Includes: libc only. From any thread.
 *
 * A provider that rotates strictly ends the old refresh token with its answer. What is
 * allocated between that answer and the flushed record must therefore succeed: a request
 * is sent only while a reserve is held, and an allocation that fails takes it.
 */
#ifndef MAILBEARER_RESERVE_H
#define MAILBEARER_RESERVE_H

#include <stdbool.h>

/* Bytes: two replies of the largest size, and their parts. */
#define RESERVE_SIZE (512u * 1024u)

/* Sees to it that a reserve is held, one for the whole process. 0 or ERR_NOMEM. */
int reserve_hold(void);

/* Gives it back to malloc, after an allocation has failed. True: there was one, try
 * again. */
bool reserve_release(void);

#endif
