/* providers.h - what is known about the providers that need no `provider` section.
 *
 * Used by:  build.c, build_provider.c
 * Includes: accounts.h.
 */
#ifndef MAILBEARER_PROVIDERS_H
#define MAILBEARER_PROVIDERS_H

#include "accounts.h"

/* Also what a `provider` section is turned into. Texts are borrowed: from the table or
 * from the section. A server is written as in the accounts file; NULL: there is none. */
struct provider_preset {
    const char *name;
    bool is_microsoft;
    bool is_personal; /* Microsoft's personal accounts: no directory of their own */
    /* As in struct provider; {tenant} is replaced by the account's. NULL: none. */
    const char *issuer;
    const char *token_endpoint;
    const char *authorization_endpoint;
    const char *device_authorization_endpoint;
    const char *revocation_endpoint;
    const char *authorize_extra;
    enum client_auth client_auth;
    const char *scope_user; /* grant authorization_code */
    const char *scope_app;  /* grants client_credentials and (Microsoft only)
                               managed_identity; NULL: not offered */
    const char *tenant; /* for authorization_code without `tenant`; NULL: no tenants */
    const char *server[PROTOCOL_COUNT];
    int min_remaining; /* seconds */
};

#define PROVIDER_DEFAULT "microsoft"
#define PROVIDER_MIN_REMAINING 300

/* The built-in providers, *count_r of them. */
const struct provider_preset *provider_presets(size_t *count_r);

/* The one of that name, or NULL. */
const struct provider_preset *provider_preset_find(const char *name);

#endif
