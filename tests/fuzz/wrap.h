/* wrap.h - any call of libc, libcurl or OpenSSL that our code makes may fail.
 *
 * Used by:  faults.c, faults_*.c
 *
 * The calls are those of wrap.c's table, wrapped when the program is linked (fuzz.mk
 * makes the flags of wrap.calls). Calls are numbered from 1 while a plan is laid; one of
 * them, or none, goes wrong. Any thread; nothing goes wrong in a process that was forked
 * before.
 */
#ifndef MAILBEARER_TESTS_FUZZ_WRAP_H
#define MAILBEARER_TESTS_FUZZ_WRAP_H

#include <stdbool.h>

enum wrap_mode {
    WRAP_COUNT,     /* nothing goes wrong */
    WRAP_FAIL,      /* the call is not made, and fails as such a call may */
    WRAP_INTERRUPT, /* EINTR, where the call knows that; nothing is done */
    WRAP_SHORT,     /* it reads or writes a single byte */
};

/* From now on call number `target` goes wrong in this way. */
void wrap_begin(enum wrap_mode mode, long target);

/* No longer. How many calls there were that this mode is for. */
long wrap_end(void);

/* The call that went wrong; NULL: there were not so many. Static. */
const char *wrap_struck(void);

/* Could it have kept bytes that had come from being kept: memory, or the network? (Then a
 * refresh token that was rotated may be lost; nobody could have saved it.) */
bool wrap_struck_memory(void);

#endif
