/* secret_source.h - the account's client secret, from where the accounts file says.
 *
 * Used by:  acquire.c
 * Includes: accounts/, base/, client/, libc. Blocks: on a file's read, or on a command
 * for at most SECRET_COMMAND_MS; the agent calls it off its event loop.
 */
#ifndef MAILBEARER_SECRET_SOURCE_H
#define MAILBEARER_SECRET_SOURCE_H

#include "../accounts/accounts.h"

#define SECRET_COMMAND_MS 10000
#define SECRET_COMMAND_MAX 65536u

/* 0: *secret_r is the secret, empty when the account has none (a public client).
 * ERR_CONFIG: the file is absent, not private or empty, or the secret holds a control
 * character. ERR_TEMP, ERR_TIMEOUT: the command failed or took too long. ERR_STORE,
 * ERR_NOMEM. err never holds what the file or command gave. */
int secret_source_read(const struct account *account, struct secret *secret_r,
                       struct err *err);

#endif
