/* run_front.h - run `mailbearer` and take what it prints.
 *
 * Used by:  settings.c, where no agent answers.
 * Includes: client/ and libc.
 *
 * The program is what MAILBEARER_FRONT names (secure_getenv; for build trees), else
 * `mailbearer` beside this program, else the one in the directory of programs that was
 * given when this was built.
 */
#ifndef MAILBEARER_RUN_FRONT_H
#define MAILBEARER_RUN_FRONT_H

#include "../token-helper/client/error.h"
#include "../token-helper/client/secret.h"

/* Runs `mailbearer [-c config] ARGS...` (args ends with NULL) with nothing on its
 * standard input. 0: *out_r is its standard output, which may be a token. Else the code
 * its exit status stands for, err holding the two lines of its standard error, without
 * the `subject` they begin with (the account);
 * ERR_NOAGENT: there is no such program; ERR_TIMEOUT: it was stopped. On failure *out_r
 * is untouched. */
int run_front(const char *config, const char *const args[], const char *subject,
              int deadline_ms, struct secret *out_r, struct err *err);

#endif
