/* provider.h - a provider in a process of its own that rotates refresh tokens strictly.
 *
 * Used by:  faults_acquire.c, faults_agent.c
 *
 * Plain HTTP on 127.0.0.1: /token takes the present refresh token and gives the next;
 * another one is invalid_grant. /.well-known/openid-configuration names /token. The
 * numbers are in memory that both processes see.
 */
#ifndef MAILBEARER_TESTS_FUZZ_PROVIDER_H
#define MAILBEARER_TESTS_FUZZ_PROVIDER_H

#include <stdatomic.h>

struct provider_state {
    atomic_int present;  /* refresh token "CANARY-refresh-N" is the good one */
    atomic_int requests; /* for tokens */
};

/* Returns the port. */
int provider_begin(void);
void provider_end(void);

extern struct provider_state *provider_state;

#endif
