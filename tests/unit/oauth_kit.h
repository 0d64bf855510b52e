/* oauth_kit.h - accounts, secrets and records for the tests of oauth/ and agent/.
 *
 * Used by:  tests/unit/test_*.c. Everything fails the test by itself.
 * Tokens and secrets hold the word CANARY, which tests/check-secrets.sh looks for.
 */
#ifndef MAILBEARER_TESTS_OAUTH_KIT_H
#define MAILBEARER_TESTS_OAUTH_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accounts/accounts.h"
#include "accounts/store.h"
#include "conf_file.h"

static inline void
kit_set(struct secret *to, const char *text)
{
    assert_int_equal(secret_set(to, text, strlen(text)), 0);
}

static inline void
kit_assert_secret(const struct secret *secret, const char *text)
{
    assert_string_equal(secret_str(secret), text);
    assert_int_equal(secret->len, strlen(text));
}

/* The account of that name, which must be there. */
static inline const struct account *
kit_account(const struct accounts *accounts, const char *name)
{
    const struct account *account = accounts_find(accounts, name);

    assert_non_null(account);
    return account;
}

/* A record with an access token, made at `obtained_at` with the account's settings. */
static inline struct record
kit_token(const struct account *account, const char *token, int64_t obtained_at,
          int64_t life)
{
    struct record record = RECORD_INIT;

    kit_set(&record.access_token, token);
    assert_int_equal(account_fingerprint(account, &record.fingerprint), 0);
    record.obtained_at = obtained_at;
    record.expires_at = obtained_at + life;
    return record;
}

#endif
