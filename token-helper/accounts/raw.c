#include "raw.h"

#include <stdlib.h>
#include <string.h>

#define IN_ACCOUNT (1u << SECTION_ACCOUNT | 1u << SECTION_DEFAULTS)
#define IN_PROVIDER (1u << SECTION_PROVIDER)
#define IN_AGENT (1u << SECTION_AGENT)
#define IN_STORE (1u << SECTION_STORE)

#define SIGN_IN (1u << GRANT_AUTHORIZATION_CODE)
#define APP (1u << GRANT_CLIENT_CREDENTIALS)
#define MANAGED (1u << GRANT_MANAGED_IDENTITY)
#define PASSWORD (1u << GRANT_APP_PASSWORD)
#define REGISTERED (SIGN_IN | APP) /* needs the registration of an application */
#define TOKENS (REGISTERED | MANAGED)
#define ANY (TOKENS | PASSWORD)

const char *const raw_section_names[SECTION_COUNT] = {
    [SECTION_ACCOUNT] = "account",   [SECTION_DEFAULTS] = "defaults",
    [SECTION_PROVIDER] = "provider", [SECTION_AGENT] = "agent",
    [SECTION_STORE] = "store",
};

/* The one list of keys: what libconfuse is told and what a wrong word is compared with.
 */
const struct raw_key_info raw_keys[KEY_COUNT] = {
    [KEY_USER] = {"user", IN_ACCOUNT, false, ANY},
    [KEY_LOGIN_HINT] = {"login_hint", IN_ACCOUNT, false, REGISTERED},
    [KEY_PROVIDER] = {"provider", IN_ACCOUNT, false, ANY},
    [KEY_TENANT] = {"tenant", IN_ACCOUNT, false, REGISTERED},
    [KEY_CLIENT_ID] = {"client_id", IN_ACCOUNT, false, REGISTERED},
    [KEY_GRANT] = {"grant", IN_ACCOUNT, false, ANY},
    [KEY_CLIENT_SECRET_FILE] = {"client_secret_file", IN_ACCOUNT, false, REGISTERED},
    [KEY_CLIENT_SECRET_COMMAND] = {"client_secret_command", IN_ACCOUNT, false,
                                   REGISTERED},
    [KEY_CLIENT_SECRET] = {"client_secret", IN_ACCOUNT, false, REGISTERED},
    [KEY_CLIENT_CERTIFICATE] = {"client_certificate", IN_ACCOUNT, false, REGISTERED},
    [KEY_CLIENT_KEY] = {"client_key", IN_ACCOUNT, false, REGISTERED},
    [KEY_CLIENT_KEY_PASSPHRASE_FILE] = {"client_key_passphrase_file", IN_ACCOUNT, false,
                                        REGISTERED},
    [KEY_FEDERATED_TOKEN_FILE] = {"federated_token_file", IN_ACCOUNT, false, REGISTERED},
    [KEY_AZURE_ENVIRONMENT] = {"azure_environment", IN_ACCOUNT, false, REGISTERED},
    [KEY_ASSERTION_ALG] = {"assertion_alg", IN_ACCOUNT, false, REGISTERED},
    [KEY_MANAGED_IDENTITY_CLIENT_ID] = {"managed_identity_client_id", IN_ACCOUNT, false,
                                        MANAGED},
    [KEY_APP_PASSWORD_FILE] = {"app_password_file", IN_ACCOUNT, false, PASSWORD},
    [KEY_REDIRECT_URI] = {"redirect_uri", IN_ACCOUNT, false, SIGN_IN},
    [KEY_SECRET_EXPIRES] = {"secret_expires", IN_ACCOUNT, false, REGISTERED},
    [KEY_SCOPE] = {"scope", IN_ACCOUNT | IN_PROVIDER, false, TOKENS},
    [KEY_SMTP] = {"smtp", IN_ACCOUNT | IN_PROVIDER, false, ANY},
    [KEY_IMAP] = {"imap", IN_ACCOUNT | IN_PROVIDER, false, ANY},
    [KEY_POP3] = {"pop3", IN_ACCOUNT | IN_PROVIDER, false, ANY},
    [KEY_ALLOW_USERS] = {"allow_users", IN_ACCOUNT, true, ANY},
    [KEY_POSTFIX_KEYS] = {"postfix_keys", IN_ACCOUNT, true, ANY},
    [KEY_PROXY] = {"proxy", IN_ACCOUNT, false, ANY},
    [KEY_CA_FILE] = {"ca_file", IN_ACCOUNT, false, ANY},
    [KEY_MIN_REMAINING] = {"min_remaining", IN_ACCOUNT, false, TOKENS},
    [KEY_ISSUER] = {"issuer", IN_PROVIDER, false, 0},
    [KEY_TOKEN_ENDPOINT] = {"token_endpoint", IN_PROVIDER, false, 0},
    [KEY_AUTHORIZATION_ENDPOINT] = {"authorization_endpoint", IN_PROVIDER, false, 0},
    [KEY_DEVICE_AUTHORIZATION_ENDPOINT] = {"device_authorization_endpoint", IN_PROVIDER,
                                           false, 0},
    [KEY_REVOCATION_ENDPOINT] = {"revocation_endpoint", IN_PROVIDER, false, 0},
    [KEY_CLIENT_AUTH] = {"client_auth", IN_PROVIDER, false, 0},
    [KEY_ON_FAILURE] = {"on_failure", IN_AGENT, true, 0},
    [KEY_ON_RECOVERY] = {"on_recovery", IN_AGENT, true, 0},
    [KEY_PROBE] = {"probe", IN_AGENT, false, 0},
    [KEY_DIRECTORY] = {"directory", IN_STORE, false, 0},
    [KEY_ENCRYPTION_KEY_FILE] = {"encryption_key_file", IN_STORE, false, 0},
};

int
raw_key_add(struct raw_key *key, const char *text)
{
    char **grown = reallocarray(key->text, key->count + 1, sizeof(*grown));

    if (grown == NULL)
        return ERR_NOMEM;
    key->text = grown;
    if ((key->text[key->count] = strdup(text)) == NULL)
        return ERR_NOMEM;
    key->count++;
    return 0;
}

int
raw_add_section(struct raw *raw, struct raw_section *section)
{
    if (raw->section_count == raw->section_room) {
        size_t room = raw->section_room == 0 ? 16 : raw->section_room * 2;
        struct raw_section *grown = reallocarray(raw->section, room, sizeof(*grown));

        if (grown == NULL)
            return ERR_NOMEM;
        raw->section = grown;
        raw->section_room = room;
    }
    raw->section[raw->section_count++] = *section;
    memset(section, 0, sizeof(*section));
    return 0;
}

int
raw_add_file(struct raw *raw, char *path, size_t from, int line)
{
    struct raw_file *grown = reallocarray(raw->file, raw->file_count + 1, sizeof(*grown));

    if (grown == NULL)
        return ERR_NOMEM;
    raw->file = grown;
    memset(&grown[raw->file_count], 0, sizeof(*grown));
    grown[raw->file_count].file.path = path;
    grown[raw->file_count].from = from;
    grown[raw->file_count].line = line;
    raw->file_count++;
    return 0;
}

void
raw_section_clear(struct raw_section *section)
{
    for (size_t k = 0; k < KEY_COUNT; k++) {
        for (size_t i = 0; i < section->key[k].count; i++)
            free(section->key[k].text[i]);
        free(section->key[k].text);
    }
    secret_clear(&section->client_secret);
    free(section->title);
    memset(section, 0, sizeof(*section));
}

void
raw_clear(struct raw *raw)
{
    for (size_t i = 0; i < raw->section_count; i++)
        raw_section_clear(&raw->section[i]);
    free(raw->section);
    for (size_t i = 0; i < raw->file_count; i++)
        free(raw->file[i].file.path);
    free(raw->file);
    memset(raw, 0, sizeof(*raw));
}
