/* build.h - from what the accounts file says to struct account.
 *
 * Used by:  read.c (build_accounts); build.c, build_account.c and build_provider.c share
 * the rest. Includes: words.h, providers.h. No I/O but the AZURE_ variables of an account
 * with azure_environment.
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
    enum grant grant; /* of the account being built, once it is known */
};

/* A value that applies to an account: its own or that of `defaults`. */
struct setting {
    const struct raw_key *key; /* NULL: neither has it */
    const struct raw_section *section;
    const char *text; /* the first value; NULL when not given, or an empty list */
};

/* Fills accounts->account (sorted by name) and count, and what the sections `store` and
 * `agent` say.
 * 0, ERR_CONFIG, ERR_NOMEM; after a failure accounts_free() takes what is there. */
int build_accounts(const struct raw *raw, struct accounts *accounts, struct err *err);

/* Fills one zeroed account from its section. Returns as build_accounts(). */
int build_account(const struct build *b, const struct raw_section *own,
                  struct account *account, struct err *err);

/* Finds the account's provider: fills provider.name, is_microsoft, client_auth and
 * authorize_extra, and min_remaining. */
int build_find_provider(const struct build *b, const struct raw_section *own,
                        struct account *account, const struct provider_preset **preset_r,
                        struct err *err);

/* The part of build_account() that depends on the provider: whether it offers the grant,
 * tenant, endpoints, scope, servers. account->azure_environment is set by then. */
int build_from_provider(const struct build *b, const struct raw_section *own,
                        const struct provider_preset *preset, struct account *account,
                        struct err *err);

/* Makes a provider of a `provider` section, which must outlive it. */
int build_provider(const struct build *b, const struct raw_section *section,
                   struct provider_preset *provider, struct err *err);

/* The value that applies to an account: what `defaults` has is nothing to it when its
 * grant has no use for the key. */
struct setting build_setting(const struct build *b, const struct raw_section *own,
                             enum key key);

/* The key's first value in this section, NULL when it is not given. */
const char *build_first(const struct raw_section *section, enum key key);

/* The key's value in this section as a path (value_path()), nothing when not given. */
int build_path(const struct build *b, const struct raw_section *section, enum key key,
               char **path_r, struct err *err);

/* The key's values in this section, each checked, into an empty list. */
int build_list(const struct build *b, const struct raw_section *section, enum key key,
               int (*check)(const char *text, struct err *err), struct name_list *list,
               struct err *err);

/* The variable `name` of the environment, which stands for the account's `key` and must
 * be set; with KEY_COUNT it stands for none, and *value_r is NULL where it is not set. */
int build_azure(const struct build *b, const struct raw_section *own, const char *name,
                enum key key, int (*check)(const char *text, struct err *err),
                const char **value_r, struct err *err);

/* As build_locate() for what is wrong with such a variable. */
int build_locate_azure(const struct build *b, const struct raw_section *own,
                       const char *name, struct err *err);

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
