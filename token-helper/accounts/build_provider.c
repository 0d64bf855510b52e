/* What depends on an account's provider: grant, tenant, endpoint, scope, servers. */
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "values.h"

static int
preset_order(const void *name, const void *preset)
{
    return strcmp(name, ((const struct provider_preset *)preset)->name);
}

static int
take_provider(const struct build *b, const struct raw_section *own, struct account *a,
              const struct provider_preset **preset_r, struct err *err)
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
    a->min_remaining = preset->min_remaining;
    *preset_r = preset;
    return build_copy(preset->name, &a->provider.name, err);
}

static int
take_grant(const struct build *b, const struct raw_section *own, struct account *a,
           const struct provider_preset *preset, struct err *err)
{
    static const char *const grants[] = {
        [GRANT_AUTHORIZATION_CODE] = "authorization_code",
        [GRANT_CLIENT_CREDENTIALS] = "client_credentials",
    };
    struct setting s = build_setting(b, own, KEY_GRANT);
    int which = s.text != NULL ? word_find(grants, 2, s.text) : GRANT_AUTHORIZATION_CODE;

    if (which < 0)
        return config_unknown(err, b->raw->file[s.section->file].file.path, s.key->line,
                              "grant", s.text, grants, 2);
    a->grant = (enum grant)which;
    /* A provider section without a scope says nothing about grants. */
    if (a->grant != GRANT_CLIENT_CREDENTIALS || preset->scope_app != NULL ||
        preset->scope_user == NULL)
        return 0;
    err_set(err, ERR_CONFIG, "`client_credentials` is not offered by provider `%s`",
            preset->name);
    err_hint(err, "remove `grant`: the account then signs in once");
    return build_locate(b, s.section, KEY_GRANT, err);
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

static int
take_tenant(const struct build *b, const struct raw_section *own, struct account *a,
            const struct provider_preset *preset, struct err *err)
{
    struct setting s = build_setting(b, own, KEY_TENANT);
    const char *tenant = s.text;

    if (strstr(preset->token_endpoint, "{tenant}") == NULL) {
        if (s.text == NULL || s.section != own) /* `defaults` serves several providers */
            goto endpoint;
        err_set(err, ERR_CONFIG, "means nothing to provider `%s`", preset->name);
        return build_locate(b, own, KEY_TENANT, err);
    }
    if (tenant == NULL && a->grant == GRANT_AUTHORIZATION_CODE)
        tenant = preset->tenant;
    if (tenant == NULL)
        return no_tenant(b, own, err);
    if (build_copy(tenant, &a->tenant, err) != 0)
        return ERR_NOMEM;
    if (s.text != NULL &&
        (value_tenant(tenant, err) != 0 ||
         (preset->is_microsoft && check_microsoft_tenant(a, preset, err) != 0)))
        return build_locate(b, s.section, KEY_TENANT, err);
endpoint:
    a->provider.token_endpoint = build_endpoint(preset->token_endpoint, a->tenant);
    return a->provider.token_endpoint != NULL ? 0 : config_nomem(err);
}

static int
take_scope(const struct build *b, const struct raw_section *own, struct account *a,
           const struct provider_preset *preset, struct err *err)
{
    struct setting s = build_setting(b, own, KEY_SCOPE);
    bool app = a->grant == GRANT_CLIENT_CREDENTIALS;
    const char *text = s.text != NULL ? s.text
                       : app          ? preset->scope_app
                                      : preset->scope_user;
    size_t len;

    if (text == NULL) {
        build_section_error(b, own, err, "account `%s` has no scope", own->title);
        err_hint(err, "add scope = \"...\" to it or to provider `%s`", preset->name);
        return ERR_CONFIG;
    }
    if (value_scope(text, &a->scope, err) != 0)
        return build_locate(b, s.section, KEY_SCOPE, err);
    len = strlen(a->scope);
    if (!app || !preset->is_microsoft ||
        (strchr(a->scope, ' ') == NULL && len > 9 &&
         strcmp(a->scope + len - 9, "/.default") == 0))
        return 0;
    err_set(err, ERR_CONFIG, "is not one scope that ends in /.default (AADSTS1002012)");
    err_hint(err, "remove `scope`: %s uses %s", preset->name, preset->scope_app);
    return build_locate(b, s.section, KEY_SCOPE, err);
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
                    struct account *a, struct err *err)
{
    const struct provider_preset *preset = NULL;
    int r;

    if ((r = take_provider(b, own, a, &preset, err)) != 0 ||
        (r = take_grant(b, own, a, preset, err)) != 0 ||
        (r = take_tenant(b, own, a, preset, err)) != 0 ||
        (r = take_scope(b, own, a, preset, err)) != 0)
        return r;
    return take_servers(b, own, a, preset, err);
}
