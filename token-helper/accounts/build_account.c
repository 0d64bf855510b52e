/* One account: its own values over those of `defaults` over what the provider brings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "postfix_keys.h"
#include "store.h"
#include "values.h"

struct setting
build_setting(const struct build *b, const struct raw_section *own, enum key key)
{
    struct setting s = {NULL, own, NULL};

    if (own->key[key].line == 0 && b->defaults != NULL &&
        (raw_keys[key].grants & 1u << b->grant) != 0)
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
take_grant(const struct build *b, const struct raw_section *own, enum grant *grant_r,
           struct err *err)
{
    struct setting s = build_setting(b, own, KEY_GRANT);
    const char *names[GRANT_COUNT];
    int which;

    for (int g = 0; g < GRANT_COUNT; g++)
        names[g] = grant_name((enum grant)g);
    which =
        s.text != NULL ? word_find(names, GRANT_COUNT, s.text) : GRANT_AUTHORIZATION_CODE;
    if (which < 0)
        return config_unknown(err, b->raw->file[s.section->file].file.path, s.key->line,
                              "grant", s.text, names, GRANT_COUNT);
    *grant_r = (enum grant)which;
    return 0;
}

/* A key the grant has no use for is a mistake in the account itself; `defaults` serves
 * several. */
static int
check_keys(const struct build *b, const struct raw_section *own, enum grant grant,
           struct err *err)
{
    for (int k = 0; k < KEY_COUNT; k++) {
        unsigned grants = raw_keys[k].grants;

        if (own->key[k].line == 0 || (grants & 1u << grant) != 0)
            continue;
        err_set(err, ERR_CONFIG, "means nothing to grant `%s`", grant_name(grant));
        if (k == KEY_CLIENT_ID && grant == GRANT_MANAGED_IDENTITY)
            err_hint(err, "managed_identity_client_id names a user-assigned identity");
        else if ((grants & (grants - 1)) == 0) /* one bit */
            err_hint(err, "remove it, or add grant = %s",
                     grant_name((enum grant)(ffs((int)grants) - 1)));
        else
            err_hint(err, "remove it");
        return build_locate(b, own, (enum key)k, err);
    }
    return 0;
}

static int
take_client_id(const struct build *b, const struct raw_section *own, struct account *a,
               struct err *err)
{
    struct setting s = build_setting(b, own, KEY_CLIENT_ID);
    const char *id = s.text;
    int r;

    if (id == NULL && a->azure_environment) {
        r = build_azure(b, own, "AZURE_CLIENT_ID", KEY_CLIENT_ID, value_token, &id, err);
        if (r != 0)
            return r;
    }
    if (id == NULL) {
        build_section_error(b, own, err, "account `%s` has no client_id", own->title);
        err_hint(err, "add client_id = the application (client) id of the registration");
        return ERR_CONFIG;
    }
    if (s.text != NULL && value_token(id, err) != 0)
        return build_locate(b, s.section, KEY_CLIENT_ID, err);
    return build_copy(id, &a->client_id, err);
}

/* How the application proves itself. */
struct proof {
    const struct raw_section *section; /* the account's or `defaults`; NULL: not at all */
    enum key way;
    bool azure;
};

/* The one way that a section says, if it says any. */
static int
find_way(const struct build *b, const struct raw_section *section, bool azure,
         struct proof *proof, struct err *err)
{
    for (int k = KEY_CLIENT_SECRET_FILE; k <= KEY_AZURE_ENVIRONMENT; k++) {
        bool of_certificate = k == KEY_CLIENT_KEY || k == KEY_CLIENT_KEY_PASSPHRASE_FILE;

        if (k == KEY_AZURE_ENVIRONMENT ? !azure : section->key[k].line == 0)
            continue;
        if (of_certificate && proof->section != NULL &&
            proof->way == KEY_CLIENT_CERTIFICATE)
            continue;
        if (of_certificate) {
            err_set(err, ERR_CONFIG, "needs `client_certificate`");
            err_hint(err, "add client_certificate, the certificate that goes with it");
            return build_locate(b, section, (enum key)k, err);
        }
        if (proof->section == NULL) {
            proof->section = section;
            proof->way = (enum key)k;
        } else if (k != KEY_AZURE_ENVIRONMENT || proof->way != KEY_FEDERATED_TOKEN_FILE) {
            err_set(err, ERR_CONFIG, "and `%s` are both given",
                    raw_keys[proof->way].name);
            err_hint(err, "keep one of them");
            return build_locate(b, section, (enum key)k, err);
        }
    }
    proof->azure = azure;
    return 0;
}

/* Of the account itself if it says any way, so that it can differ from `defaults` in the
 * way as well. */
static int
find_proof(const struct build *b, const struct raw_section *own, const struct account *a,
           struct proof *proof, struct err *err)
{
    static const char *const words[] = {"false", "true"};
    const struct raw_section *sections[] = {own, b->defaults};
    struct setting azure = build_setting(b, own, KEY_AZURE_ENVIRONMENT);
    int on = azure.text != NULL ? word_find(words, 2, azure.text) : 0;
    int r = 0;

    if (on < 0)
        return config_unknown(err, b->raw->file[azure.section->file].file.path,
                              azure.key->line, "azure_environment", azure.text, words, 2);
    if (on == 1 && !a->provider.is_microsoft) {
        if (azure.section == own) {
            err_set(err, ERR_CONFIG, "means nothing to provider `%s`", a->provider.name);
            return build_locate(b, own, KEY_AZURE_ENVIRONMENT, err);
        }
        on = 0; /* `defaults` serves several providers */
    }
    for (size_t i = 0; i < 2 && r == 0 && proof->section == NULL; i++)
        if (sections[i] != NULL)
            r = find_way(b, sections[i], on == 1 && azure.section == sections[i], proof,
                         err);
    return r;
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
take_inline_secret(const struct build *b, const struct raw_section *section,
                   struct secret *secret_r, struct err *err)
{
    int r = check_inline_secret(b, section, err);

    if (r == 0 && secret_set(secret_r, section->client_secret.data,
                             section->client_secret.len) != 0)
        r = config_nomem(err);
    return r;
}

static int
take_assertion_alg(const struct build *b, const struct raw_section *own,
                   struct account *a, struct err *err)
{
    static const char *const algs[] = {
        [ASSERTION_PS256] = "PS256",
        [ASSERTION_RS256] = "RS256",
    };
    struct setting s = build_setting(b, own, KEY_ASSERTION_ALG);
    int which = s.text != NULL ? word_find(algs, 2, s.text) : ASSERTION_PS256;

    if (which < 0)
        return config_unknown(err, b->raw->file[s.section->file].file.path, s.key->line,
                              "assertion_alg", s.text, algs, 2);
    if (a->client_certificate != NULL) {
        a->assertion_alg = (enum assertion_alg)which;
    } else if (s.text != NULL && s.section == own) {
        err_set(err, ERR_CONFIG, "needs `client_certificate`");
        return build_locate(b, own, KEY_ASSERTION_ALG, err);
    }
    return 0;
}

static int
take_certificate(const struct build *b, const struct raw_section *section,
                 struct account *a, struct err *err)
{
    int r = build_path(b, section, KEY_CLIENT_CERTIFICATE, &a->client_certificate, err);

    if (r != 0 || (r = build_path(b, section, KEY_CLIENT_KEY, &a->client_key, err)) != 0)
        return r;
    if (a->client_key == NULL &&
        (r = build_copy(a->client_certificate, &a->client_key, err)) != 0)
        return r;
    return build_path(b, section, KEY_CLIENT_KEY_PASSPHRASE_FILE,
                      &a->client_key_passphrase_file, err);
}

static int
take_federated(const struct build *b, const struct raw_section *own,
               const struct proof *proof, struct account *a, struct err *err)
{
    const char *file;
    int r;

    if (proof->way == KEY_FEDERATED_TOKEN_FILE)
        return build_path(b, proof->section, proof->way, &a->federated_token_file, err);
    r = build_azure(b, own, "AZURE_FEDERATED_TOKEN_FILE", KEY_FEDERATED_TOKEN_FILE,
                    value_absolute, &file, err);
    return r != 0 ? r : build_copy(file, &a->federated_token_file, err);
}

static int
take_proof(const struct build *b, const struct raw_section *own, struct account *a,
           struct err *err)
{
    struct proof proof = {NULL, KEY_COUNT, false};
    const char *command;
    int r = find_proof(b, own, a, &proof, err);

    if (r != 0)
        return r;
    a->azure_environment = proof.azure;
    if (proof.section == NULL && a->grant == GRANT_CLIENT_CREDENTIALS) {
        build_section_error(
            b, own, err, "account `%s` has no client secret or certificate", own->title);
        err_hint(err, "add client_secret_file, client_secret_command, client_certificate "
                      "or federated_token_file");
        return ERR_CONFIG;
    }
    if (proof.section == NULL) {
        r = 0; /* a public client: PKCE instead of a secret */
    } else if (proof.way == KEY_CLIENT_SECRET) {
        r = take_inline_secret(b, proof.section, &a->client_secret, err);
    } else if (proof.way == KEY_CLIENT_SECRET_FILE) {
        r = build_path(b, proof.section, proof.way, &a->client_secret_file, err);
    } else if (proof.way == KEY_CLIENT_SECRET_COMMAND) {
        command = build_first(proof.section, proof.way);
        if (value_text(command, VALUE_TEXT_MAX, err) != 0)
            return build_locate(b, proof.section, proof.way, err);
        r = build_copy(command, &a->client_secret_command, err);
    } else if (proof.way == KEY_CLIENT_CERTIFICATE) {
        r = take_certificate(b, proof.section, a, err);
    } else {
        r = take_federated(b, own, &proof, a, err);
    }
    return r != 0 ? r : take_assertion_alg(b, own, a, err);
}

/* What only one of the grants has. */
static int
take_of_grant(const struct build *b, const struct raw_section *own, struct account *a,
              struct err *err)
{
    struct setting redirect = build_setting(b, own, KEY_REDIRECT_URI);
    struct setting managed = build_setting(b, own, KEY_MANAGED_IDENTITY_CLIENT_ID);
    struct setting password = build_setting(b, own, KEY_APP_PASSWORD_FILE);

    if (redirect.text != NULL && value_endpoint(redirect.text, err) != 0)
        return build_locate(b, redirect.section, KEY_REDIRECT_URI, err);
    if (redirect.text != NULL)
        return build_copy(redirect.text, &a->redirect_uri, err);
    if (managed.text != NULL && value_token(managed.text, err) != 0)
        return build_locate(b, managed.section, KEY_MANAGED_IDENTITY_CLIENT_ID, err);
    if (managed.text != NULL)
        return build_copy(managed.text, &a->managed_identity_client_id, err);
    if (a->grant != GRANT_APP_PASSWORD)
        return 0;
    if (password.text != NULL)
        return build_path(b, password.section, KEY_APP_PASSWORD_FILE,
                          &a->app_password_file, err);
    build_section_error(b, own, err, "account `%s` has no app_password_file", own->title);
    err_hint(err, "add app_password_file = /path/to/it");
    return ERR_CONFIG;
}

static int
check_postfix_key(const char *text, struct err *err)
{
    return value_text(text, VALUE_TEXT_MAX, err);
}

static int
take_lists(const struct build *b, const struct raw_section *own, struct account *a,
           struct err *err)
{
    struct setting users = build_setting(b, own, KEY_ALLOW_USERS);
    struct setting keys = build_setting(b, own, KEY_POSTFIX_KEYS);
    int r =
        build_list(b, users.section, KEY_ALLOW_USERS, value_user, &a->allow_users, err);

    if (r != 0)
        return r;
    a->postfix_keys_given = keys.key != NULL;
    if (!a->postfix_keys_given)
        return postfix_keys_default(a) == 0 ? 0 : config_nomem(err);
    return build_list(b, keys.section, KEY_POSTFIX_KEYS, check_postfix_key,
                      &a->postfix_keys, err);
}

static int
take_rest(const struct build *b, const struct raw_section *own, struct account *a,
          struct err *err)
{
    struct setting proxy = build_setting(b, own, KEY_PROXY);
    struct setting ca = build_setting(b, own, KEY_CA_FILE);
    struct setting expires = build_setting(b, own, KEY_SECRET_EXPIRES);
    struct setting remaining = build_setting(b, own, KEY_MIN_REMAINING);
    int r;

    if (proxy.text != NULL && value_proxy(proxy.text, err) != 0)
        return build_locate(b, proxy.section, KEY_PROXY, err);
    if (proxy.text != NULL && build_copy(proxy.text, &a->proxy, err) != 0)
        return ERR_NOMEM;
    if ((r = build_path(b, ca.section, KEY_CA_FILE, &a->ca_file, err)) != 0)
        return r;
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
    const struct provider_preset *preset = NULL;
    struct build mine = *b; /* with this account's grant */
    int r;

    a->file = b->raw->file[own->file].file.path;
    a->line = own->line;
    if ((r = take_grant(b, own, &a->grant, err)) != 0 ||
        (r = check_keys(b, own, a->grant, err)) != 0)
        return r;
    mine.grant = a->grant;
    if ((r = take_names(&mine, own, a, err)) != 0 ||
        (r = build_find_provider(&mine, own, a, &preset, err)) != 0)
        return r;
    if ((a->grant == GRANT_AUTHORIZATION_CODE || a->grant == GRANT_CLIENT_CREDENTIALS) &&
        ((r = take_proof(&mine, own, a, err)) != 0 ||
         (r = take_client_id(&mine, own, a, err)) != 0))
        return r;
    if ((r = build_from_provider(&mine, own, preset, a, err)) != 0 ||
        (r = take_of_grant(&mine, own, a, err)) != 0 ||
        (r = take_lists(&mine, own, a, err)) != 0)
        return r;
    return take_rest(&mine, own, a, err);
}
