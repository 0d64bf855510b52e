/* raw.h - the accounts file as written: sections, keys and values with their lines.
 *
 * Used by:  accounts.c (fills it from libconfuse), build.c (makes accounts of it).
 * Includes: accounts.h, client/, libc. Knows nothing of libconfuse.
 */
#ifndef MAILBEARER_RAW_H
#define MAILBEARER_RAW_H

#include "accounts.h"

enum section {
    SECTION_ACCOUNT,
    SECTION_DEFAULTS,
    SECTION_PROVIDER,
    SECTION_AGENT,
    SECTION_STORE,
};
#define SECTION_COUNT (SECTION_STORE + 1)

enum key {
    KEY_USER,
    KEY_LOGIN_HINT,
    KEY_PROVIDER,
    KEY_TENANT,
    KEY_CLIENT_ID,
    KEY_GRANT,
    KEY_CLIENT_SECRET_FILE,
    KEY_CLIENT_SECRET_COMMAND,
    KEY_CLIENT_SECRET,
    KEY_CLIENT_CERTIFICATE,
    KEY_CLIENT_KEY,
    KEY_CLIENT_KEY_PASSPHRASE_FILE,
    KEY_FEDERATED_TOKEN_FILE,
    KEY_AZURE_ENVIRONMENT,
    KEY_ASSERTION_ALG,
    KEY_MANAGED_IDENTITY_CLIENT_ID,
    KEY_APP_PASSWORD_FILE,
    KEY_REDIRECT_URI,
    KEY_SECRET_EXPIRES,
    KEY_SCOPE,
    KEY_SMTP, /* KEY_SMTP + enum protocol */
    KEY_IMAP,
    KEY_POP3,
    KEY_ALLOW_USERS,
    KEY_POSTFIX_KEYS,
    KEY_PROXY,
    KEY_CA_FILE,
    KEY_MIN_REMAINING,
    KEY_ISSUER,
    KEY_TOKEN_ENDPOINT,
    KEY_AUTHORIZATION_ENDPOINT,
    KEY_DEVICE_AUTHORIZATION_ENDPOINT,
    KEY_REVOCATION_ENDPOINT,
    KEY_CLIENT_AUTH,
    KEY_ON_FAILURE,
    KEY_ON_RECOVERY,
    KEY_PROBE,
    KEY_DIRECTORY,
    KEY_ENCRYPTION_KEY_FILE,
};
#define KEY_COUNT (KEY_ENCRYPTION_KEY_FILE + 1)

struct raw_key_info {
    const char *name;
    unsigned sections; /* bit 1 << SECTION_x: may stand there */
    bool list;
    unsigned grants; /* bit 1 << GRANT_x: means something to accounts of that grant */
};

extern const struct raw_key_info raw_keys[KEY_COUNT];
extern const char *const raw_section_names[SECTION_COUNT];

struct raw_key {
    char **text; /* count of them; one unless the key is a list */
    size_t count;
    int line; /* 0: not given. A list may be given and empty */
};

struct raw_section {
    enum section kind;
    char *title; /* NULL for sections without one */
    size_t file; /* index into struct raw.file */
    int line;
    struct raw_key key[KEY_COUNT];
    struct secret client_secret; /* its text is not in key[KEY_CLIENT_SECRET] */
};

struct raw_file {
    struct accounts_file file;
    size_t from; /* the file that includes it, and where; line 0: nobody does */
    int line;
};

struct raw {
    struct raw_file *file;
    size_t file_count;
    struct raw_section *section;
    size_t section_count;
    size_t section_room;
};

#define RAW_INIT                                                                         \
    {                                                                                    \
        NULL, 0, NULL, 0, 0                                                              \
    }

/* Appends a value to a key. 0 or ERR_NOMEM. */
int raw_key_add(struct raw_key *key, const char *text);

/* Appends the section; its content is moved, *section is empty afterwards. 0 or ERR_NOMEM
 * (then it stays where it is). */
int raw_add_section(struct raw *raw, struct raw_section *section);

/* Appends a file; `path` is taken over on success. 0 or ERR_NOMEM. */
int raw_add_file(struct raw *raw, char *path, size_t from, int line);

/* Wipes secrets, frees, leaves it empty. */
void raw_section_clear(struct raw_section *section);
void raw_clear(struct raw *raw);

#endif
