/* What is asked of accounts once they are read. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounts.h"
#include "postfix_keys.h"

static const char *const protocol_names[PROTOCOL_COUNT] = {
    [PROTOCOL_SMTP] = "smtp",
    [PROTOCOL_IMAP] = "imap",
    [PROTOCOL_POP3] = "pop3",
};

static const char *const grant_names[GRANT_COUNT] = {
    [GRANT_AUTHORIZATION_CODE] = "authorization_code",
    [GRANT_CLIENT_CREDENTIALS] = "client_credentials",
    [GRANT_MANAGED_IDENTITY] = "managed_identity",
    [GRANT_APP_PASSWORD] = "app_password",
};

static void
names_free(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
}

static void
provider_clear(struct provider *p)
{
    free(p->name);
    free(p->issuer);
    free(p->token_endpoint);
    free(p->authorization_endpoint);
    free(p->device_authorization_endpoint);
    free(p->revocation_endpoint);
    free(p->resource);
}

static void
client_clear(struct account *a)
{
    free(a->client_id);
    free(a->client_secret_file);
    free(a->client_secret_command);
    secret_clear(&a->client_secret);
    free(a->client_certificate);
    free(a->client_key);
    free(a->client_key_passphrase_file);
    free(a->federated_token_file);
    free(a->managed_identity_client_id);
    free(a->app_password_file);
}

static void
account_clear(struct account *a)
{
    free(a->name);
    free(a->user);
    free(a->login_hint);
    provider_clear(&a->provider);
    free(a->tenant);
    client_clear(a);
    free(a->redirect_uri);
    free(a->scope);
    for (int p = 0; p < PROTOCOL_COUNT; p++)
        free(a->server[p].host);
    names_free(&a->allow_users);
    names_free(&a->postfix_keys);
    free(a->proxy);
    free(a->ca_file);
}

void
accounts_free(struct accounts **accounts)
{
    struct accounts *a = *accounts;

    if (a == NULL)
        return;
    *accounts = NULL;
    key_index_free(&a->keys);
    for (size_t i = 0; i < a->count; i++)
        account_clear(&a->account[i]);
    free(a->account);
    for (size_t i = 0; i < a->file_count; i++)
        free(a->file[i].path);
    free(a->file);
    free(a->path);
    free(a->state_directory);
    free(a->encryption_key_file);
    names_free(&a->agent.on_failure);
    names_free(&a->agent.on_recovery);
    free(a);
}

static int
compare_name(const void *name, const void *account)
{
    return strcmp(name, ((const struct account *)account)->name);
}

const struct account *
accounts_find(const struct accounts *accounts, const char *name)
{
    if (accounts->count == 0)
        return NULL;
    return bsearch(name, accounts->account, accounts->count, sizeof(*accounts->account),
                   compare_name);
}

/* The change time as well: a file put there with an old date (cp -p, a package) is new.
 */
static bool
same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

bool
accounts_changed(const struct accounts *accounts)
{
    for (size_t i = 0; i < accounts->file_count; i++) {
        struct stat now;

        if (stat(accounts->file[i].path, &now) != 0 ||
            !same_file(&now, &accounts->file[i].status))
            return true;
    }
    return false;
}

int64_t
accounts_changed_at(const struct accounts *accounts)
{
    int64_t latest = 0;

    for (size_t i = 0; i < accounts->file_count; i++)
        if (accounts->file[i].status.st_ctim.tv_sec > latest)
            latest = accounts->file[i].status.st_ctim.tv_sec;
    return latest;
}

static const char *
or_nothing(const char *text)
{
    return text != NULL ? text : "";
}

int
account_fingerprint(const struct account *account, struct secret *out)
{
    static const char *const words[GRANT_COUNT] = {
        [GRANT_AUTHORIZATION_CODE] = "user",
        [GRANT_CLIENT_CREDENTIALS] = "app",
        [GRANT_MANAGED_IDENTITY] = "managed",
        [GRANT_APP_PASSWORD] = "password",
    };
    const struct provider *p = &account->provider;
    const char *client = account->grant == GRANT_MANAGED_IDENTITY
                             ? account->managed_identity_client_id
                             : account->client_id;
    /* No text but the last can hold a space, and no URL a `>`, so no two settings make
     * the same text. */
    const char *parts[] = {words[account->grant],
                           " ",
                           or_nothing(p->issuer),
                           p->issuer != NULL ? ">" : "",
                           or_nothing(p->token_endpoint),
                           " ",
                           or_nothing(client),
                           " ",
                           account->scope};

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (secret_append_str(out, parts[i]) != 0)
            return ERR_NOMEM;
    return 0;
}

const char *
grant_name(enum grant grant)
{
    return grant < GRANT_COUNT ? grant_names[grant] : "?";
}

const char *
protocol_name(enum protocol protocol)
{
    return protocol < PROTOCOL_COUNT ? protocol_names[protocol] : "?";
}

enum protocol
protocol_from_name(const char *name)
{
    enum protocol p = PROTOCOL_SMTP;

    while (p < PROTOCOL_COUNT && strcmp(protocol_names[p], name) != 0)
        p++;
    return p;
}
