/* Provider sections, and what depends on an account's provider: whether it offers the
 * grant, tenant, endpoints, scope, servers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "values.h"

static const struct {
    enum key key;
    int (*check)(const char *text, struct err *err);
} urls[] = {
    {KEY_ISSUER, value_issuer},
    {KEY_TOKEN_ENDPOINT, value_endpoint},
    {KEY_AUTHORIZATION_ENDPOINT, value_endpoint},
    {KEY_DEVICE_AUTHORIZATION_ENDPOINT, value_endpoint},
    {KEY_REVOCATION_ENDPOINT, value_endpoint},
};

static int
provider_urls(const struct build *b, const struct raw_section *section, struct err *err)
{
    if (section->key[KEY_ISSUER].line == 0 &&
        section->key[KEY_TOKEN_ENDPOINT].line == 0) {
        build_section_error(b, section, err,
                            "provider `%s` has neither issuer nor token_endpoint",
                            section->title);
        err_hint(err, "add issuer = \"https://...\" or token_endpoint = \"https://...\"");
        return ERR_CONFIG;
    }
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        const char *text = build_first(section, urls[i].key);
        char *url;
        int r;

        if (text == NULL)
            continue;
        if ((url = build_endpoint(text, "tenant")) == NULL)
            return config_nomem(err);
        r = urls[i].check(url, err);
        free(url);
        if (r != 0)
            return build_locate(b, section, urls[i].key, err);
    }
    return 0;
}

/* Accounts take the texts over as they are, so they are checked here, with their lines.
 */
static int
provider_values(const struct build *b, const struct raw_section *section, struct err *err)
{
    char *scope = NULL;
    int r = 0;

    if (section->key[KEY_SCOPE].line != 0) {
        if ((r = value_scope(section->key[KEY_SCOPE].text[0], &scope, err)) != 0)
            return build_locate(b, section, KEY_SCOPE, err);
        free(scope);
    }
    for (int p = 0; p < PROTOCOL_COUNT; p++) {
        enum key key = (enum key)(KEY_SMTP + p);
        struct server server = {NULL, 0, SECURITY_TLS};

        if (section->key[key].line == 0)
            continue;
        if ((r = value_server(section->key[key].text[0], &server, err)) != 0)
            return build_locate(b, section, key, err);
        free(server.host);
    }
    return 0;
}

int
build_provider(const struct build *b, const struct raw_section *section,
               struct provider_preset *provider, struct err *err)
{
    static const char *const auths[] = {"post", "basic"};
    const char *auth = build_first(section, KEY_CLIENT_AUTH);
    int which = auth != NULL ? word_find(auths, 2, auth) : 0;
    int r;

    if ((r = value_text(section->title, VALUE_NAME_MAX, err)) != 0)
        return build_section_error(b, section, err,
                                   "a provider's name is empty or not text");
    if (provider_preset_find(section->title) != NULL) {
        build_section_error(b, section, err, "provider `%s` is built in", section->title);
        err_hint(err, "give the section another title");
        return ERR_CONFIG;
    }
    if (which < 0)
        return config_unknown(err, b->raw->file[section->file].file.path,
                              section->key[KEY_CLIENT_AUTH].line, "client_auth", auth,
                              auths, 2);
    if ((r = provider_urls(b, section, err)) != 0 ||
        (r = provider_values(b, section, err)) != 0)
        return r;
    provider->name = section->title;
    provider->issuer = build_first(section, KEY_ISSUER);
    provider->token_endpoint = build_first(section, KEY_TOKEN_ENDPOINT);
    provider->authorization_endpoint = build_first(section, KEY_AUTHORIZATION_ENDPOINT);
    provider->device_authorization_endpoint =
        build_first(section, KEY_DEVICE_AUTHORIZATION_ENDPOINT);
    provider->revocation_endpoint = build_first(section, KEY_REVOCATION_ENDPOINT);
    provider->client_auth = which == 1 ? CLIENT_AUTH_BASIC : CLIENT_AUTH_POST;
    provider->scope_user = provider->scope_app = build_first(section, KEY_SCOPE);
    for (int p = 0; p < PROTOCOL_COUNT; p++)
        provider->server[p] = build_first(section, (enum key)(KEY_SMTP + p));
    provider->min_remaining = PROVIDER_MIN_REMAINING;
    return 0;
}

static int
preset_order(const void *name, const void *preset)
{
    return strcmp(name, ((const struct provider_preset *)preset)->name);
}

int
build_find_provider(const struct build *b, const struct raw_section *own,
                    struct account *a, const struct provider_preset **preset_r,
                    struct err *err)
{
    struct setting s = build_setting(b, own, KEY_PROVIDER);
    const char *name = s.text != NULL ? s.text : PROVIDER_DEFAULT;
    const struct provider_preset *preset = provider_preset_find(name);

    if (preset == NULL)
        preset =
            bsearch(name, b->custom, b->custom_count, sizeof(*b->custom), preset_order);
    if (preset == NULL)
        return config_unknown(err, b->raw->file[s.section->file].file.path, s.key->line,
                              "provider", name, b->provider_names,
                              b->provider_name_count);
    a->provider.is_microsoft = preset->is_microsoft;
    a->provider.client_auth = preset->client_auth;
    a->provider.authorize_extra = preset->authorize_extra;
    a->min_remaining = preset->min_remaining;
    *preset_r = preset;
    return build_copy(preset->name, &a->provider.name, err);
}

static int
check_offered(const struct build *b, const struct raw_section *own,
              const struct account *a, const struct provider_preset *preset,
              struct err *err)
{
    bool offered = true;

    if (a->grant == GRANT_MANAGED_IDENTITY) /* only Azure has them */
        offered = preset->is_microsoft && preset->scope_app != NULL;
    else if (a->grant == GRANT_CLIENT_CREDENTIALS)
        /* A provider section without a scope says nothing about grants. */
        offered = preset->scope_app != NULL || preset->scope_user == NULL;
    if (offered)
        return 0;
    err_set(err, ERR_CONFIG, "`%s` is not offered by provider `%s`", grant_name(a->grant),
            preset->name);
    err_hint(err, "remove `grant`: the account then signs in once");
    return build_locate(b, build_setting(b, own, KEY_GRANT).section, KEY_GRANT, err);
}

static const char personal_tenant[] = "9188040d-6c67-4c5b-b112-36a304b66dad";

/* What Microsoft would refuse with an AADSTS code is said here, with the line. */
static int
check_microsoft_tenant(const struct account *a, const struct provider_preset *preset,
                       struct err *err)
{
    static const char *const many[] = {"common", "organizations", "consumers"};

    if (preset->is_personal) {
        if (strcmp(a->tenant, "consumers") == 0 || strcmp(a->tenant, "common") == 0 ||
            strcmp(a->tenant, personal_tenant) == 0)
            return 0;
        err_set(err, ERR_CONFIG, "`%s` has no personal accounts", a->tenant);
        err_hint(err, "remove `tenant`: %s uses consumers", preset->name);
        return ERR_CONFIG;
    }
    if (a->grant != GRANT_CLIENT_CREDENTIALS || word_find(many, 3, a->tenant) < 0)
        return 0;
    err_set(err, ERR_CONFIG, "`%s` does not go with client_credentials", a->tenant);
    err_hint(err, "give the directory (tenant) id or one of its domains");
    return ERR_CONFIG;
}

static int
no_tenant(const struct build *b, const struct raw_section *own, struct err *err)
{
    build_section_error(b, own, err, "account `%s` has no tenant", own->title);
    err_hint(err, "add tenant = the directory (tenant) id or one of its domains");
    return ERR_CONFIG;
}

static bool
has_tenants(const struct provider_preset *preset)
{
    const char *const patterns[] = {
        preset->issuer, preset->token_endpoint, preset->authorization_endpoint,
        preset->device_authorization_endpoint, preset->revocation_endpoint};

    for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
        if (patterns[i] != NULL && strstr(patterns[i], "{tenant}") != NULL)
            return true;
    return false;
}

#define TENANT_VARIABLE "AZURE_TENANT_ID"

static int
take_tenant(const struct build *b, const struct raw_section *own, struct account *a,
            const struct provider_preset *preset, struct err *err)
{
    struct setting s = build_setting(b, own, KEY_TENANT);
    const char *tenant = s.text;
    int r;

    if (!has_tenants(preset)) {
        if (s.text == NULL || s.section != own) /* `defaults` serves several providers */
            return 0;
        err_set(err, ERR_CONFIG, "means nothing to provider `%s`", preset->name);
        return build_locate(b, own, KEY_TENANT, err);
    }
    if (s.text != NULL && value_tenant(tenant, err) != 0)
        return build_locate(b, s.section, KEY_TENANT, err);
    if (tenant == NULL && a->azure_environment &&
        (r = build_azure(b, own, TENANT_VARIABLE, KEY_TENANT, value_tenant, &tenant,
                         err)) != 0)
        return r;
    if (tenant == NULL && a->grant == GRANT_AUTHORIZATION_CODE)
        tenant = preset->tenant;
    if (tenant == NULL)
        return no_tenant(b, own, err);
    if (build_copy(tenant, &a->tenant, err) != 0)
        return ERR_NOMEM;
    if (!preset->is_microsoft || check_microsoft_tenant(a, preset, err) == 0)
        return 0;
    return s.text != NULL ? build_locate(b, s.section, KEY_TENANT, err)
                          : build_locate_azure(b, own, TENANT_VARIABLE, err);
}

/* The URL of a pattern, NULL where there is none; with `authority` in place of its scheme
 * and host, unless that is NULL. */
static int
take_url(const char *pattern, const char *tenant, const char *authority, char **url_r,
         struct err *err)
{
    char *url = NULL;
    const char *path;
    size_t len;
    int r = 0;

    if (pattern == NULL)
        return 0;
    if ((url = build_endpoint(pattern, tenant)) == NULL)
        return config_nomem(err);
    path = strchr(strstr(url, "://") + 3, '/');
    if (authority == NULL || path == NULL) {
        *url_r = url;
        return 0;
    }
    for (len = strlen(authority); len > 0 && authority[len - 1] == '/';)
        len--;
    if (asprintf(url_r, "%.*s%s", (int)len, authority, path) < 0) {
        *url_r = NULL;
        r = config_nomem(err);
    }
    free(url);
    return r;
}

static int
take_urls(const struct build *b, const struct raw_section *own, struct account *a,
          const struct provider_preset *preset, struct err *err)
{
    struct provider *p = &a->provider;
    const char *host = NULL; /* set: the authority of another place of the same cloud */
    const char *tenant = a->tenant;
    int r;

    if (a->azure_environment &&
        (r = build_azure(b, own, "AZURE_AUTHORITY_HOST", KEY_COUNT, value_issuer, &host,
                         err)) != 0)
        return r;
    if ((r = take_url(preset->issuer, tenant, host, &p->issuer, err)) != 0 ||
        (r = take_url(preset->token_endpoint, tenant, host, &p->token_endpoint, err)) !=
            0 ||
        (r = take_url(preset->authorization_endpoint, tenant, host,
                      &p->authorization_endpoint, err)) != 0 ||
        (r = take_url(preset->device_authorization_endpoint, tenant, host,
                      &p->device_authorization_endpoint, err)) != 0)
        return r;
    return take_url(preset->revocation_endpoint, tenant, host, &p->revocation_endpoint,
                    err);
}

/* Microsoft gives tokens that nobody signed in for to one resource at a time. */
static int
check_app_scope(const struct account *a, const struct provider_preset *preset,
                struct err *err)
{
    static const char ending[] = "/.default";
    size_t len = strlen(a->scope), ending_len = sizeof(ending) - 1;

    if (!preset->is_microsoft || a->grant == GRANT_AUTHORIZATION_CODE ||
        (strchr(a->scope, ' ') == NULL && len > ending_len &&
         strcmp(a->scope + len - ending_len, ending) == 0))
        return 0;
    err_set(err, ERR_CONFIG, "is not one scope that ends in /.default%s",
            a->grant == GRANT_CLIENT_CREDENTIALS ? " (AADSTS1002012)" : "");
    err_hint(err, "remove `scope`: %s uses %s", preset->name, preset->scope_app);
    return ERR_CONFIG;
}

static int
take_scope(const struct build *b, const struct raw_section *own, struct account *a,
           const struct provider_preset *preset, struct err *err)
{
    struct setting s = build_setting(b, own, KEY_SCOPE);
    const char *text = s.text != NULL                         ? s.text
                       : a->grant == GRANT_AUTHORIZATION_CODE ? preset->scope_user
                                                              : preset->scope_app;

    if (text == NULL) {
        build_section_error(b, own, err, "account `%s` has no scope", own->title);
        err_hint(err, "add scope = \"...\" to it or to provider `%s`", preset->name);
        return ERR_CONFIG;
    }
    if (value_scope(text, &a->scope, err) != 0 || check_app_scope(a, preset, err) != 0)
        return build_locate(b, s.section, KEY_SCOPE, err);
    if (a->grant != GRANT_MANAGED_IDENTITY)
        return 0;
    a->provider.resource = strndup(a->scope, strlen(a->scope) - strlen("/.default"));
    return a->provider.resource != NULL ? 0 : config_nomem(err);
}

static int
take_servers(const struct build *b, const struct raw_section *own, struct account *a,
             const struct provider_preset *preset, struct err *err)
{
    for (int p = 0; p < PROTOCOL_COUNT; p++) {
        enum key key = (enum key)(KEY_SMTP + p);
        struct setting s = build_setting(b, own, key);
        const char *text = s.text != NULL ? s.text : preset->server[p];

        if (text == NULL)
            continue;
        if (value_server(text, &a->server[p], err) != 0)
            return s.text != NULL ? build_locate(b, s.section, key, err) : err->code;
    }
    return 0;
}

int
build_from_provider(const struct build *b, const struct raw_section *own,
                    const struct provider_preset *preset, struct account *a,
                    struct err *err)
{
    int r = check_offered(b, own, a, preset, err);

    if (r == 0 &&
        (a->grant == GRANT_AUTHORIZATION_CODE || a->grant == GRANT_CLIENT_CREDENTIALS) &&
        (r = take_tenant(b, own, a, preset, err)) == 0)
        r = take_urls(b, own, a, preset, err);
    if (r == 0)
        r = a->grant == GRANT_APP_PASSWORD ? build_copy("", &a->scope, err)
                                           : take_scope(b, own, a, preset, err);
    return r != 0 ? r : take_servers(b, own, a, preset, err);
}
