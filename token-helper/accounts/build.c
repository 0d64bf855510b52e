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

int
build_locate_azure(const struct build *b, const struct raw_section *own, const char *name,
                   struct err *err)
{
    struct setting s = build_setting(b, own, KEY_AZURE_ENVIRONMENT);
    struct err reason = *err;

    if (reason.code != ERR_CONFIG)
        return reason.code;
    config_error(err, b->raw->file[s.section->file].file.path,
                 s.section->key[KEY_AZURE_ENVIRONMENT].line, "%s%s%s", name,
                 reason.text[0] == '`' ? ": " : " ", reason.text);
    if (reason.hint[0] != '\0')
        err_hint(err, "%s", reason.hint);
    return ERR_CONFIG;
}

int
build_azure(const struct build *b, const struct raw_section *own, const char *name,
            enum key key, int (*check)(const char *text, struct err *err),
            const char **value_r, struct err *err)
{
    const char *value = secure_getenv(name);

    if (value == NULL || *value == '\0') {
        *value_r = NULL;
        if (key == KEY_COUNT)
            return 0;
        err_set(err, ERR_CONFIG, "is not set; `azure_environment` takes `%s` from it",
                raw_keys[key].name);
        err_hint(err, "set it for the process that reads this file, or add %s",
                 raw_keys[key].name);
        return build_locate_azure(b, own, name, err);
    }
    if (check(value, err) != 0)
        return build_locate_azure(b, own, name, err);
    *value_r = value;
    return 0;
}

const char *
build_first(const struct raw_section *section, enum key key)
{
    return section->key[key].line != 0 && section->key[key].count > 0
               ? section->key[key].text[0]
               : NULL;
}

int
build_path(const struct build *b, const struct raw_section *section, enum key key,
           char **path_r, struct err *err)
{
    const char *text = build_first(section, key);

    if (text == NULL ||
        value_path(text, b->raw->file[section->file].file.path, path_r, err) == 0)
        return 0;
    return build_locate(b, section, key, err);
}

int
build_list(const struct build *b, const struct raw_section *section, enum key key,
           int (*check)(const char *text, struct err *err), struct name_list *list,
           struct err *err)
{
    const struct raw_key *given = &section->key[key];

    if (given->count == 0)
        return 0;
    if ((list->names = calloc(given->count, sizeof(*list->names))) == NULL)
        return config_nomem(err);
    for (size_t i = 0; i < given->count; i++) {
        if (check(given->text[i], err) != 0)
            return build_locate(b, section, key, err);
        if (build_copy(given->text[i], &list->names[list->count], err) != 0)
            return ERR_NOMEM;
        list->count++;
    }
    return 0;
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
    int r = section_once(b, SECTION_STORE, &store, err);

    if (r != 0 || store == NULL ||
        (r = build_path(b, store, KEY_DIRECTORY, &accounts->state_directory, err)) != 0)
        return r;
    return build_path(b, store, KEY_ENCRYPTION_KEY_FILE, &accounts->encryption_key_file,
                      err);
}

static int
check_argument(const char *text, struct err *err)
{
    return value_text(text, VALUE_TEXT_MAX, err);
}

/* Without a shell there is no PATH to look a program up in. */
static int
take_command(const struct build *b, const struct raw_section *section, enum key key,
             struct name_list *command, struct err *err)
{
    const char *program = build_first(section, key);

    if (program != NULL && value_absolute(program, err) != 0)
        return build_locate(b, section, key, err);
    return build_list(b, section, key, check_argument, command, err);
}

static int
build_agent(const struct build *b, struct accounts *accounts, struct err *err)
{
    const struct raw_section *agent = NULL;
    const char *probe;
    int r = section_once(b, SECTION_AGENT, &agent, err);

    if (r != 0 || agent == NULL ||
        (r = take_command(b, agent, KEY_ON_FAILURE, &accounts->agent.on_failure, err)) !=
            0)
        return r;
    probe = build_first(agent, KEY_PROBE);
    if (probe != NULL && value_hours(probe, &accounts->agent.probe, err) != 0)
        return build_locate(b, agent, KEY_PROBE, err);
    return take_command(b, agent, KEY_ON_RECOVERY, &accounts->agent.on_recovery, err);
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
        (r = build_providers(&b, err)) != 0 ||
        (r = build_store(&b, accounts, err)) != 0 ||
        (r = build_agent(&b, accounts, err)) != 0)
        goto out;
    r = build_all(&b, accounts, err);
out:
    free(b.custom);
    free(b.provider_names);
    return r;
}
