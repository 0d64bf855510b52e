/* account_check.h - what can be found wrong with one account's files, without network.
 *
 * Used by:  commands/cmd_check.c, doctor/
 * Includes: accounts/, base/, client/. Blocks on files; runs no command, changes nothing.
 */
#ifndef MAILBEARER_ACCOUNT_CHECK_H
#define MAILBEARER_ACCOUNT_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "../accounts/accounts.h"

/* Warnings begin this long before something expires. */
#define ACCOUNT_CHECK_SOON_S (30 * INT64_C(86400))

/* Called for each finding, in order; `fatal` is false where the account works all the
 * same. err->code is set in both cases; err is borrowed. */
typedef void account_found_fn(void *arg, bool fatal, const struct err *err);

/* allow_users, the secret's file and its date, certificate and key, ca_file, the app
 * password, as the effective user sees them. `now` is the wall clock's. */
void account_check_files(const struct account *account, int64_t now,
                         account_found_fn *found, void *arg);

#endif
