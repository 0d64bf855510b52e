/* One account: its own values over those of `defaults` over what the provider brings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "store.h"
#include "values.h"

struct setting
build_setting(const struct build *b, const struct raw_section *own, enum key key)
{
    struct setting s = {NULL, own, NULL};

    if (own->key[key].line == 0 && b->defaults != NULL)
        s.section = b->defaults;
    if (s.section->key[key].line == 0)
        return s;
    s.key = &s.section->key[key];
    s.text = s.key->count > 0 ? s.key->text[0] : NULL;
    return s;
}

int
build_copy(const char *text, char **copy_r, struct err *err)
{
    if ((*copy_r = strdup(text)) == NULL)
        return config_nomem(err);
    return 0;
}

/* A text as it is, or `otherwise` when the key is not given. */
static int
take_text(const struct build *b, const struct raw_section *own, enum key key, size_t max,
          const char *otherwise, char **text_r, struct err *err)
{
    struct setting s = build_setting(b, own, key);

    if (s.text == NULL)
        return otherwise != NULL ? build_copy(otherwise, text_r, err) : 0;
    if (value_text(s.text, max, err) != 0)
        return build_locate(b, s.section, key, err);
    return build_copy(s.text, text_r, err);
}

static int
take_names(const struct build *b, const struct raw_section *own, struct account *a,
           struct err *err)
{
    char file_name[STORE_NAME_MAX];
    struct err reason = ERR_INIT;
    int r;

    if (value_text(own->title, VALUE_NAME_MAX, &reason) != 0)
        return build_section_error(b, own, err, "the account's name %s", reason.text);
    if (store_file_name(own->title, file_name, &reason) != 0)
        return build_section_error(b, own, err, "the name of account `%s` is too long",
                                   own->title);
    if ((r = build_copy(own->title, &a->name, err)) != 0 ||
        (r = take_text(b, own, KEY_USER, VALUE_NAME_MAX, a->name, &a->user, err)) != 0)
        return r;
    return take_text(b, own, KEY_LOGIN_HINT, VALUE_NAME_MAX, a->user, &a->login_hint,
                     err);
}

static int
take_client_id(const struct build *b, const struct raw_section *own, struct account *a,
               struct err *err)
{
    struct setting s = build_setting(b, own, KEY_CLIENT_ID);

    if (s.text == NULL) {
        build_section_error(b, own, err, "account `%s` has no client_id", own->title);
        err_hint(err, "add client_id = the application (client) id of the registration");
        return ERR_CONFIG;
    }
    if (value_token(s.text, err) != 0)
        return build_locate(b, s.section, KEY_CLIENT_ID, err);
    return build_copy(s.text, &a->client_id, err);
}

/* The section that says where the secret comes from: the account's own if it says so in
 * any of the three ways, so that it can differ from `defaults` in the way as well. */
static int
secret_section(const struct build *b, const struct raw_section *own,
               const struct raw_section **section_r, enum key *key_r, struct err *err)
{
    const struct raw_section *sections[] = {own, b->defaults};

    for (size_t i = 0; i < 2 && sections[i] != NULL; i++) {
        const struct raw_section *s = sections[i];

        for (int k = KEY_CLIENT_SECRET_FILE; k <= KEY_CLIENT_SECRET; k++) {
            if (s->key[k].line == 0)
                continue;
            if (*section_r == NULL) {
                *section_r = s;
                *key_r = (enum key)k;
                continue;
            }
            err_set(err, ERR_CONFIG, "and `%s` are both given", raw_keys[*key_r].name);
            err_hint(err, "keep one of them");
            return build_locate(b, s, (enum key)k, err);
        }
        if (*section_r != NULL)
            return 0;
    }
    return 0;
}

static int
check_inline_secret(const struct build *b, const struct raw_section *section,
                    struct err *err)
{
    const struct accounts_file *file = &b->raw->file[section->file].file;
    const struct secret *secret = &section->client_secret;

    if ((file->status.st_mode & 077) != 0) {
        err_set(err, ERR_CONFIG,
                "needs a file that only its owner can read (mode is %04o)",
                (unsigned)file->status.st_mode & 07777);
        err_hint(err, "chmod 600 %s, or use client_secret_file", file->path);
    } else if (secret->len == 0) {
        err_set(err, ERR_CONFIG, "is empty");
    } else if (secret_has_control(secret)) {
        err_set(err, ERR_CONFIG, "holds a control character");
    } else {
        return 0;
    }
    return build_locate(b, section, KEY_CLIENT_SECRET, err);
}

static int
take_secret(const struct build *b, const struct raw_section *own, struct account *a,
            struct err *err)
{
    const struct raw_section *section = NULL;
    enum key key = KEY_CLIENT_SECRET;
    const char *text;
    int r = secret_section(b, own, &section, &key, err);

    if (r != 0)
        return r;
    if (section == NULL) {
        if (a->grant != GRANT_CLIENT_CREDENTIALS)
            return 0; /* a public client: PKCE instead of a secret */
        build_section_error(b, own, err, "account `%s` has no client secret", own->title);
        err_hint(err, "add client_secret_file = /path/to/it, or client_secret_command");
        return ERR_CONFIG;
    }
    text = section->key[key].text[0];
    if (key == KEY_CLIENT_SECRET) {
        if ((r = check_inline_secret(b, section, err)) != 0)
            return r;
        r = secret_set(&a->client_secret, section->client_secret.data,
                       section->client_secret.len);
        return r == 0 ? 0 : config_nomem(err);
    }
    if (key == KEY_CLIENT_SECRET_FILE)
        r = value_path(text, b->raw->file[section->file].file.path,
                       &a->client_secret_file, err);
    else if ((r = value_text(text, VALUE_TEXT_MAX, err)) == 0)
        r = build_copy(text, &a->client_secret_command, err);
    return r == 0 ? 0 : build_locate(b, section, key, err);
}

static int
take_list(const struct build *b, const struct raw_section *own, enum key key,
          int (*check)(const char *text, struct err *err), struct name_list *list,
          struct err *err)
{
    struct setting s = build_setting(b, own, key);

    if (s.key == NULL || s.key->count == 0)
        return 0;
    if ((list->names = calloc(s.key->count, sizeof(*list->names))) == NULL)
        return config_nomem(err);
    for (size_t i = 0; i < s.key->count; i++) {
        if (check(s.key->text[i], err) != 0)
            return build_locate(b, s.section, key, err);
        if (build_copy(s.key->text[i], &list->names[list->count], err) != 0)
            return ERR_NOMEM;
        list->count++;
    }
    return 0;
}

static int
check_postfix_key(const char *text, struct err *err)
{
    return value_text(text, VALUE_TEXT_MAX, err);
}

/* The forms in which a relayhost or transport may name the server. An IPv6 address is
 * never without brackets where a port may follow. */
static int
default_postfix_keys(struct account *a, struct err *err)
{
    const struct server *smtp = &a->server[PROTOCOL_SMTP];
    bool address6 = smtp->host != NULL && strchr(smtp->host, ':') != NULL;
    struct name_list *list = &a->postfix_keys;

    if (smtp->host == NULL)
        return 0;
    if ((list->names = calloc(3, sizeof(*list->names))) == NULL)
        return config_nomem(err);
    for (int form = 0; form < 3; form++) {
        char **name = &list->names[list->count];
        int n = form == 0 ? asprintf(name, "[%s]:%d", smtp->host, smtp->port)
                : form == 1
                    ? asprintf(name, address6 ? "[%s]" : "%s:%d", smtp->host, smtp->port)
                    : asprintf(name, "%s", smtp->host);

        if (n < 0) {
            *name = NULL;
            return config_nomem(err);
        }
        list->count++;
    }
    return 0;
}

static int
take_lists(const struct build *b, const struct raw_section *own, struct account *a,
           struct err *err)
{
    int r = take_list(b, own, KEY_ALLOW_USERS, value_user, &a->allow_users, err);

    if (r != 0)
        return r;
    a->postfix_keys_given = build_setting(b, own, KEY_POSTFIX_KEYS).key != NULL;
    if (!a->postfix_keys_given)
        return default_postfix_keys(a, err);
    return take_list(b, own, KEY_POSTFIX_KEYS, check_postfix_key, &a->postfix_keys, err);
}

static int
take_rest(const struct build *b, const struct raw_section *own, struct account *a,
          struct err *err)
{
    struct setting proxy = build_setting(b, own, KEY_PROXY);
    struct setting ca = build_setting(b, own, KEY_CA_FILE);
    struct setting expires = build_setting(b, own, KEY_SECRET_EXPIRES);
    struct setting remaining = build_setting(b, own, KEY_MIN_REMAINING);

    if (proxy.text != NULL && value_proxy(proxy.text, err) != 0)
        return build_locate(b, proxy.section, KEY_PROXY, err);
    if (proxy.text != NULL && build_copy(proxy.text, &a->proxy, err) != 0)
        return ERR_NOMEM;
    if (ca.text != NULL && value_path(ca.text, b->raw->file[ca.section->file].file.path,
                                      &a->ca_file, err) != 0)
        return build_locate(b, ca.section, KEY_CA_FILE, err);
    if (expires.text != NULL && value_date(expires.text, &a->secret_expires, err) != 0)
        return build_locate(b, expires.section, KEY_SECRET_EXPIRES, err);
    if (remaining.text != NULL &&
        value_integer(remaining.text, MIN_REMAINING_LEAST, MIN_REMAINING_MOST,
                      &a->min_remaining, err) != 0)
        return build_locate(b, remaining.section, KEY_MIN_REMAINING, err);
    return 0;
}

int
build_account(const struct build *b, const struct raw_section *own, struct account *a,
              struct err *err)
{
    int r;

    a->file = b->raw->file[own->file].file.path;
    a->line = own->line;
    if ((r = take_names(b, own, a, err)) != 0 ||
        (r = build_from_provider(b, own, a, err)) != 0 ||
        (r = take_client_id(b, own, a, err)) != 0 ||
        (r = take_secret(b, own, a, err)) != 0 || (r = take_lists(b, own, a, err)) != 0)
        return r;
    return take_rest(b, own, a, err);
}
