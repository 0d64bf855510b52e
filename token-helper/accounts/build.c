/* The file as a whole: sections that may stand once, providers, order of the accounts. */
#include "build.h"

#include <stdlib.h>
#include <string.h>

#include "values.h"

static const char tenant_mark[] = "{tenant}";

char *
build_endpoint(const char *pattern, const char *tenant)
{
    size_t mark = sizeof(tenant_mark) - 1;
    size_t tenant_len = tenant != NULL ? strlen(tenant) : 0;
    size_t marks = 0;
    char *url, *out;

    for (const char *p = pattern; (p = strstr(p, tenant_mark)) != NULL; p += mark)
        marks++;
    if ((out = url = malloc(strlen(pattern) + marks * tenant_len + 1)) == NULL)
        return NULL;
    for (const char *p; (p = strstr(pattern, tenant_mark)) != NULL; pattern = p + mark) {
        memcpy(out, pattern, (size_t)(p - pattern));
        out += p - pattern;
        if (tenant_len > 0)
            memcpy(out, tenant, tenant_len);
        out += tenant_len;
    }
    memcpy(out, pattern, strlen(pattern) + 1);
    return url;
}

int
build_locate(const struct build *b, const struct raw_section *section, enum key key,
             struct err *err)
{
    struct err reason = *err;

    if (reason.code != ERR_CONFIG)
        return reason.code;
    config_error(err, b->raw->file[section->file].file.path, section->key[key].line,
                 "`%s`%s%s", raw_keys[key].name, reason.text[0] == '`' ? ": " : " ",
                 reason.text);
    if (reason.hint[0] != '\0')
        err_hint(err, "%s", reason.hint);
    return ERR_CONFIG;
}

/* By title, then in the order of reading (all of them lie in one array). */
static int
section_order(const void *a, const void *b)
{
    const struct raw_section *x = *(const struct raw_section *const *)a;
    const struct raw_section *y = *(const struct raw_section *const *)b;
    int order = x->title != NULL && y->title != NULL ? strcmp(x->title, y->title) : 0;

    return order != 0 ? order : x < y ? -1 : x > y;
}

static int
given_before(const struct build *b, const struct raw_section *first,
             const struct raw_section *again, struct err *err)
{
    const char *file = b->raw->file[first->file].file.path;
    const char *name = raw_section_names[again->kind];

    if (again->title == NULL)
        return build_section_error(b, again, err, "`%s` was given before, at %s:%d", name,
                                   file, first->line);
    return build_section_error(b, again, err, "%s `%s` was given before, at %s:%d", name,
                               again->title, file, first->line);
}

/* All sections of one kind in order, at least one slot. ERR_CONFIG when two have the same
 * title, or none has one. Caller frees *list_r. */
static int
sections_of(const struct build *b, enum section kind, const struct raw_section ***list_r,
            size_t *count_r, struct err *err)
{
    const struct raw *raw = b->raw;
    const struct raw_section **list = calloc(raw->section_count + 1, sizeof(*list));
    size_t count = 0;

    if (list == NULL)
        return config_nomem(err);
    for (size_t i = 0; i < raw->section_count; i++)
        if (raw->section[i].kind == kind)
            list[count++] = &raw->section[i];
    qsort(list, count, sizeof(*list), section_order);
    for (size_t i = 1; i < count; i++) {
        if (list[i]->title == NULL || strcmp(list[i - 1]->title, list[i]->title) == 0) {
            int r = given_before(b, list[i - 1], list[i], err);

            free(list);
            return r;
        }
    }
    *list_r = list;
    *count_r = count;
    return 0;
}

/* The one section of a kind, NULL when there is none. */
static int
section_once(const struct build *b, enum section kind,
             const struct raw_section **section_r, struct err *err)
{
    const struct raw_section **list = NULL;
    size_t count;
    int r = sections_of(b, kind, &list, &count, err);

    if (r == 0)
        *section_r = list[0];
    free(list);
    return r;
}

static int
provider_endpoint(const struct build *b, const struct raw_section *section,
                  struct err *err)
{
    const struct raw_key *key = &section->key[KEY_TOKEN_ENDPOINT];
    char *url;
    int r;

    if (key->line == 0) {
        build_section_error(b, section, err, "provider `%s` has no token_endpoint",
                            section->title);
        err_hint(err, "add token_endpoint = \"https://...\"");
        return ERR_CONFIG;
    }
    if ((url = build_endpoint(key->text[0], "tenant")) == NULL)
        return config_nomem(err);
    r = value_endpoint(url, err);
    free(url);
    return r == 0 ? 0 : build_locate(b, section, KEY_TOKEN_ENDPOINT, err);
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

static const char *
first_text(const struct raw_section *section, enum key key)
{
    return section->key[key].line != 0 ? section->key[key].text[0] : NULL;
}

static int
build_provider(const struct build *b, const struct raw_section *section,
               struct provider_preset *provider, struct err *err)
{
    static const char *const auths[] = {"post", "basic"};
    const char *auth = first_text(section, KEY_CLIENT_AUTH);
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
    if ((r = provider_endpoint(b, section, err)) != 0 ||
        (r = provider_values(b, section, err)) != 0)
        return r;
    provider->name = section->title;
    provider->token_endpoint = section->key[KEY_TOKEN_ENDPOINT].text[0];
    provider->client_auth = which == 1 ? CLIENT_AUTH_BASIC : CLIENT_AUTH_POST;
    provider->scope_user = provider->scope_app = first_text(section, KEY_SCOPE);
    for (int p = 0; p < PROTOCOL_COUNT; p++)
        provider->server[p] = first_text(section, (enum key)(KEY_SMTP + p));
    provider->min_remaining = PROVIDER_MIN_REMAINING;
    return 0;
}

static int
build_providers(struct build *b, struct err *err)
{
    const struct raw_section **list = NULL;
    size_t count, preset_count;
    const struct provider_preset *presets = provider_presets(&preset_count);
    int r;

    if ((r = sections_of(b, SECTION_PROVIDER, &list, &count, err)) != 0)
        return r;
    b->custom = calloc(count + 1, sizeof(*b->custom));
    b->provider_names = calloc(preset_count + count, sizeof(*b->provider_names));
    if (b->custom == NULL || b->provider_names == NULL)
        r = config_nomem(err);
    for (size_t i = 0; i < preset_count && r == 0; i++)
        b->provider_names[b->provider_name_count++] = presets[i].name;
    for (size_t i = 0; i < count && r == 0; i++) {
        if ((r = build_provider(b, list[i], &b->custom[i], err)) == 0) {
            b->provider_names[b->provider_name_count++] = list[i]->title;
            b->custom_count++;
        }
    }
    free(list);
    return r;
}

static int
build_store(const struct build *b, struct accounts *accounts, struct err *err)
{
    const struct raw_section *store = NULL;
    const char *directory;
    int r = section_once(b, SECTION_STORE, &store, err);

    if (r != 0 || store == NULL || (directory = first_text(store, KEY_DIRECTORY)) == NULL)
        return r;
    r = value_path(directory, b->raw->file[store->file].file.path,
                   &accounts->state_directory, err);
    return r == 0 ? 0 : build_locate(b, store, KEY_DIRECTORY, err);
}

static int
build_all(const struct build *b, struct accounts *accounts, struct err *err)
{
    const struct raw_section **list = NULL;
    size_t count;
    int r = sections_of(b, SECTION_ACCOUNT, &list, &count, err);

    if (r != 0)
        return r;
    if ((accounts->account = calloc(count + 1, sizeof(*accounts->account))) == NULL)
        r = config_nomem(err);
    for (size_t i = 0; i < count && r == 0; i++) {
        accounts->count = i + 1;
        r = build_account(b, list[i], &accounts->account[i], err);
    }
    free(list);
    return r;
}

int
build_accounts(const struct raw *raw, struct accounts *accounts, struct err *err)
{
    struct build b = {.raw = raw};
    int r;

    if ((r = section_once(&b, SECTION_DEFAULTS, &b.defaults, err)) != 0 ||
        (r = build_providers(&b, err)) != 0 || (r = build_store(&b, accounts, err)) != 0)
        goto out;
    r = build_all(&b, accounts, err);
out:
    free(b.custom);
    free(b.provider_names);
    return r;
}
