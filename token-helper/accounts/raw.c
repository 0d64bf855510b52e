#include "raw.h"

#include <stdlib.h>
#include <string.h>

#define IN_ACCOUNT (1u << SECTION_ACCOUNT | 1u << SECTION_DEFAULTS)
#define IN_PROVIDER (1u << SECTION_PROVIDER)
#define IN_STORE (1u << SECTION_STORE)

const char *const raw_section_names[SECTION_COUNT] = {
    [SECTION_ACCOUNT] = "account",
    [SECTION_DEFAULTS] = "defaults",
    [SECTION_PROVIDER] = "provider",
    [SECTION_STORE] = "store",
};

/* The one list of keys: what libconfuse is told and what a wrong word is compared with.
 */
const struct raw_key_info raw_keys[KEY_COUNT] = {
    [KEY_USER] = {"user", IN_ACCOUNT, false},
    [KEY_LOGIN_HINT] = {"login_hint", IN_ACCOUNT, false},
    [KEY_PROVIDER] = {"provider", IN_ACCOUNT, false},
    [KEY_TENANT] = {"tenant", IN_ACCOUNT, false},
    [KEY_CLIENT_ID] = {"client_id", IN_ACCOUNT, false},
    [KEY_GRANT] = {"grant", IN_ACCOUNT, false},
    [KEY_CLIENT_SECRET_FILE] = {"client_secret_file", IN_ACCOUNT, false},
    [KEY_CLIENT_SECRET_COMMAND] = {"client_secret_command", IN_ACCOUNT, false},
    [KEY_CLIENT_SECRET] = {"client_secret", IN_ACCOUNT, false},
    [KEY_SECRET_EXPIRES] = {"secret_expires", IN_ACCOUNT, false},
    [KEY_SCOPE] = {"scope", IN_ACCOUNT | IN_PROVIDER, false},
    [KEY_SMTP] = {"smtp", IN_ACCOUNT | IN_PROVIDER, false},
    [KEY_IMAP] = {"imap", IN_ACCOUNT | IN_PROVIDER, false},
    [KEY_POP3] = {"pop3", IN_ACCOUNT | IN_PROVIDER, false},
    [KEY_ALLOW_USERS] = {"allow_users", IN_ACCOUNT, true},
    [KEY_POSTFIX_KEYS] = {"postfix_keys", IN_ACCOUNT, true},
    [KEY_PROXY] = {"proxy", IN_ACCOUNT, false},
    [KEY_CA_FILE] = {"ca_file", IN_ACCOUNT, false},
    [KEY_MIN_REMAINING] = {"min_remaining", IN_ACCOUNT, false},
    [KEY_TOKEN_ENDPOINT] = {"token_endpoint", IN_PROVIDER, false},
    [KEY_CLIENT_AUTH] = {"client_auth", IN_PROVIDER, false},
    [KEY_DIRECTORY] = {"directory", IN_STORE, false},
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
