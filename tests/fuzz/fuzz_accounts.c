/* fuzz_accounts.c - the text of an accounts file, from its bytes to its accounts. */
#include "fuzz.h"

#include "accounts/build.h"
#include "accounts/parse.h"
#include "accounts/postfix_keys.h"
#include "accounts/values.h"

#define VALUE_NAME_ROOM (VALUE_NAME_MAX + 1)

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    setenv("AZURE_CLIENT_ID", "c-1", 1);
    setenv("AZURE_TENANT_ID", "t-1", 1);
    setenv("AZURE_AUTHORITY_HOST", "https://login.example/", 1);
    setenv("AZURE_FEDERATED_TOKEN_FILE", "/run/token", 1);
    return 0;
}

static void
check_server(const struct server *server)
{
    if (server->host == NULL)
        return;
    FUZZ_CHECK(server->host[0] != '\0' && server->port >= 1 && server->port <= 65535);
    FUZZ_CHECK(strpbrk(server->host, " /@[]") == NULL);
}

static int
credentials(const struct account *a)
{
    return (a->client_secret_file != NULL) + (a->client_secret_command != NULL) +
           (a->client_secret.len > 0) + (a->client_certificate != NULL) +
           (a->federated_token_file != NULL);
}

/* What accounts.h promises to those who use an account. */
static void
check_account(const struct accounts *accounts, const struct account *a)
{
    FUZZ_CHECK(a->name != NULL && a->user != NULL && a->login_hint != NULL);
    FUZZ_CHECK(a->scope != NULL && a->provider.name != NULL);
    FUZZ_CHECK(accounts_find(accounts, a->name) == a);
    FUZZ_CHECK(a->grant < GRANT_COUNT);
    FUZZ_CHECK(credentials(a) <= 1);
    FUZZ_CHECK(a->grant != GRANT_CLIENT_CREDENTIALS || credentials(a) == 1);
    FUZZ_CHECK((a->client_key != NULL) == (a->client_certificate != NULL));
    FUZZ_CHECK((a->app_password_file != NULL) == (a->grant == GRANT_APP_PASSWORD));
    FUZZ_CHECK((a->provider.resource != NULL) == (a->grant == GRANT_MANAGED_IDENTITY));
    if (a->grant == GRANT_AUTHORIZATION_CODE || a->grant == GRANT_CLIENT_CREDENTIALS) {
        FUZZ_CHECK(a->client_id != NULL);
        FUZZ_CHECK(a->provider.token_endpoint != NULL || a->provider.issuer != NULL);
    }
    FUZZ_CHECK(a->min_remaining >= MIN_REMAINING_LEAST &&
               a->min_remaining <= MIN_REMAINING_MOST);
    fuzz_plain(a->name, VALUE_NAME_ROOM);
    fuzz_plain(a->user, VALUE_NAME_ROOM);
    for (int i = 0; i < PROTOCOL_COUNT; i++)
        check_server(&a->server[i]);
}

static void
check_keys(const struct accounts *accounts, const struct account *a)
{
    for (size_t i = 0; i < a->postfix_keys.count; i++) {
        const struct account *found = NULL;
        struct err err = ERR_INIT;
        int r = accounts_find_key(accounts, a->postfix_keys.names[i], &found, &err);

        fuzz_result(r, &err, MAY(ERR_CONFIG));
        FUZZ_CHECK((r == 0) == (found != NULL));
        /* a default may give way to what another one lists */
        FUZZ_CHECK(r != 0 || found == a || !a->postfix_keys_given);
    }
}

static void
check_accounts(const struct accounts *accounts)
{
    struct secret text = SECRET_INIT;

    for (size_t i = 0; i < accounts->count; i++) {
        const struct account *a = &accounts->account[i];

        if (i > 0)
            FUZZ_CHECK(strcmp(a[-1].name, a->name) < 0);
        check_account(accounts, a);
        check_keys(accounts, a);
        FUZZ_CHECK(account_fingerprint(a, &text) == 0);
    }
    secret_clear(&text);
}

/* A secret that is written once stands in no error text. */
static void
check_secrets(const struct raw *raw, const char *bytes, size_t size,
              const struct err *err)
{
    for (size_t i = 0; i < raw->section_count; i++) {
        const struct secret *s = &raw->section[i].client_secret;
        const char *first, *again;

        if (s->len < FUZZ_PIECE || (first = memmem(bytes, size, s->data, s->len)) == NULL)
            continue;
        again = memmem(first + 1, size - (size_t)(first + 1 - bytes), s->data, s->len);
        if (again == NULL)
            FUZZ_CHECK(strstr(err->text, secret_str(s)) == NULL &&
                       strstr(err->hint, secret_str(s)) == NULL);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct raw raw = RAW_INIT;
    struct secret text = SECRET_INIT;
    struct accounts *accounts = calloc(1, sizeof *accounts);
    struct err err = ERR_INIT;
    char *path = strdup("fuzz.conf");
    int r;

    FUZZ_CHECK(accounts != NULL && path != NULL && raw_add_file(&raw, path, 0, 0) == 0);
    fuzz_set(&text, data, size);
    FUZZ_CHECK(secret_append_char(&text, '\n') == 0); /* as read.c does */
    r = parse_text(&text, &raw, 0, &err);
    if (r == 0)
        r = build_accounts(&raw, accounts, &err);
    if (r !=
        0) { /* err is also where values are tried on: after success it says nothing */
        fuzz_result(r, &err, MAY(ERR_CONFIG));
        FUZZ_CHECK(strncmp(err.text, "fuzz.conf:", 10) == 0);
    }
    check_secrets(&raw, (const char *)data, size, &err);
    if (r == 0) {
        FUZZ_CHECK(key_index_make(accounts) == 0);
        check_accounts(accounts);
    }
    accounts_free(&accounts);
    raw_clear(&raw);
    secret_clear(&text);
    return 0;
}
