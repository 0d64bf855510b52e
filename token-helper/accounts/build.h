/* build.h - from what the accounts file says to struct account.
 *
 * Used by:  accounts.c (build_accounts); build.c, build_account.c and build_provider.c
 * share the rest. Includes: words.h, providers.h. No I/O.
 */
#ifndef MAILBEARER_BUILD_H
#define MAILBEARER_BUILD_H

#include "providers.h"
#include "words.h"

/* Below 30 s a token would end on the way; no provider's tokens live for two hours. */
#define MIN_REMAINING_LEAST 30
#define MIN_REMAINING_MOST 7200

struct build {
    const struct raw *raw;
    const struct raw_section *defaults; /* NULL: there is none */
    struct provider_preset *custom;     /* of the provider sections, sorted by name */
    size_t custom_count;
    const char **provider_names; /* all of them, for error texts */
    size_t provider_name_count;
};

/* A value that applies to an account: its own or that of `defaults`. */
struct setting {
    const struct raw_key *key; /* NULL: neither has it */
    const struct raw_section *section;
    const char *text; /* the first value; NULL when not given, or an empty list */
};

/* Fills accounts->account (sorted by name), count and state_directory.
 * 0, ERR_CONFIG, ERR_NOMEM; after a failure accounts_free() takes what is there. */
int build_accounts(const struct raw *raw, struct accounts *accounts, struct err *err);

/* Fills one zeroed account from its section. Returns as build_accounts(). */
int build_account(const struct build *b, const struct raw_section *own,
                  struct account *account, struct err *err);

/* The part of build_account() that depends on the provider: provider, grant, tenant,
 * endpoint, scope, servers, the default of min_remaining. */
int build_from_provider(const struct build *b, const struct raw_section *own,
                        struct account *account, struct err *err);

/* The value that applies to an account. */
struct setting build_setting(const struct build *b, const struct raw_section *own,
                             enum key key);

/* strdup() that says ERR_NOMEM in err. */
int build_copy(const char *text, char **copy_r, struct err *err);

/* Replaces every {tenant}; `tenant` may be NULL when there is none. Caller frees; NULL
 * when out of memory. */
char *build_endpoint(const char *pattern, const char *tenant);

/* err holds what is wrong with the value of a key (values.h): puts file, line and key in
 * front. Returns err->code. */
int build_locate(const struct build *b, const struct raw_section *section, enum key key,
                 struct err *err);

/* config_error() at the head of a section. */
#define build_section_error(b, section, err, ...)                                        \
    config_error(err, (b)->raw->file[(section)->file].file.path, (section)->line,        \
                 __VA_ARGS__)

#endif
