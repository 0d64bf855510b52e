/* fuzz_conf.h - accounts for fuzz targets and fault scenarios that need some.
 *
 * Used by:  fuzz_*.c
 * Includes: accounts/, fuzz.h.
 */
#ifndef MAILBEARER_TESTS_FUZZ_CONF_H
#define MAILBEARER_TESTS_FUZZ_CONF_H

#include "accounts/accounts.h"
#include "fuzz.h"

/* Accounts made of an accounts file's text, as accounts_read() does it, without a file;
 * the text must be right. accounts_free() ends them. */
struct accounts *fuzz_accounts(const char *text);

#endif
