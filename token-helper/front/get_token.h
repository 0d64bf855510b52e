/* get_token.h - an account's token: from the agent, else the store, else by a refresh.
 *
 * Used by:  front/cmd_token.c, front/cmd_git_credential.c
 * Includes: front.h, accounts/, base/, client/.
 */
#ifndef MAILBEARER_GET_TOKEN_H
#define MAILBEARER_GET_TOKEN_H

#include <stdbool.h>

#include "../base/token_format.h"
#include "front.h"

struct wanted {
    const char *account;
    enum token_format format;
    bool refresh; /* another one, even if the present one is good */
};

/* Prints the token in the format wanted, and nothing else, on standard output; what goes
 * wrong on standard error. Returns the exit status, unless mailbearer-oauth takes the
 * process over to refresh the token: it then prints it in the same way. */
int get_token(const struct front *front, const struct wanted *wanted);

#endif
