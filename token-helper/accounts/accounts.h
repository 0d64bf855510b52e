/* accounts.h - the accounts file, read and checked (mailbearer.conf(5)).
 *
 * Used by:  front/, agent/, commands/, oauth/
 * Includes: base/, client/; accounts.c is the only user of libconfuse.
 *
 * Reading is for one thread at a time (libconfuse's scanner has static state). How the
 * work is divided: guard.c looks the text through before libconfuse sees it, accounts.c
 * runs libconfuse and collects what is written (raw.h), build.c makes accounts of it
 * (values.h checks single values, providers.h adds what is known), lookup.c is what
 * others call afterwards.
 *
 * Everything a struct account points to belongs to its struct accounts and lives until
 * accounts_free(). After accounts_read() the defaults section and the provider's presets
 * have been filled in: no other code looks at either.
 */
#ifndef MAILBEARER_ACCOUNTS_H
#define MAILBEARER_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../client/error.h"
#include "../client/secret.h"

enum grant {
    GRANT_AUTHORIZATION_CODE, /* a person signed in once; refresh token */
    GRANT_CLIENT_CREDENTIALS, /* the application itself */
    GRANT_MANAGED_IDENTITY,   /* the machine, which Azure vouches for; no credential */
    GRANT_APP_PASSWORD,       /* no OAuth: a password made for one program */
};
#define GRANT_COUNT (GRANT_APP_PASSWORD + 1)

enum protocol { PROTOCOL_SMTP, PROTOCOL_IMAP, PROTOCOL_POP3, PROTOCOL_COUNT };

enum security { SECURITY_TLS, SECURITY_STARTTLS };

enum client_auth {
    CLIENT_AUTH_POST,  /* client_secret in the form (RFC 6749 2.3.1) */
    CLIENT_AUTH_BASIC, /* HTTP Basic, both parts percent-encoded first */
};

/* How a client assertion is signed; each has its own thumbprint header. */
enum assertion_alg {
    ASSERTION_PS256, /* with x5t#S256 */
    ASSERTION_RS256, /* with x5t, for old tenants */
};

struct server {
    char *host; /* NULL: this account has no such server; an IPv6 address without brackets
                 */
    int port;
    enum security security;
};

struct name_list {
    char **names;
    size_t count;
};

/* What the chosen provider contributes; the endpoints are complete URLs (the tenant is
 * filled in), NULL when the provider has none, when they are still to be discovered from
 * `issuer`, and all of them with the grants managed_identity and app_password, which use
 * none. What is discovered is kept elsewhere: the fingerprint is made of what is here. */
struct provider {
    char *name;
    bool is_microsoft;
    char *issuer; /* where endpoints that are NULL are discovered; NULL: nowhere */
    char *token_endpoint; /* not NULL without an issuer, but for those two grants */
    char *authorization_endpoint;
    char *device_authorization_endpoint;
    char *revocation_endpoint;
    enum client_auth client_auth;
    const char *authorize_extra; /* "name=value&...", encoded, to add to an authorization
                                    request as it is; NULL: nothing. Static. */
    char *resource; /* grant managed_identity: what its token is for, which is the scope
                       without /.default; else NULL */
};

struct account {
    char *name;
    char *user;       /* mailbox in the SASL user= field */
    char *login_hint; /* who signs in */
    struct provider provider;
    char *tenant;    /* NULL when the provider has none */
    char *client_id; /* NULL with managed_identity and app_password */
    enum grant grant;
    /* How the application proves itself: by at most one of client_secret_file,
     * client_secret_command, client_secret, client_certificate, federated_token_file;
     * by none it is a public client. client_credentials always has one. */
    char *client_secret_file;
    char *client_secret_command; /* run as the state directory's owner, by sh -c */
    struct secret client_secret;
    char *client_certificate;
    char *client_key; /* where the certificate is; the same file unless given */
    char *client_key_passphrase_file; /* NULL: the key is not encrypted */
    enum assertion_alg assertion_alg;
    char *federated_token_file; /* holds the assertion; to be read anew for each use */
    bool azure_environment;     /* what the account left out has come from AZURE_* */
    char *managed_identity_client_id; /* NULL: the machine's own identity */
    char *app_password_file;          /* set with app_password and only then */
    char *redirect_uri;     /* as registered; NULL: http://localhost, any free port */
    int64_t secret_expires; /* epoch seconds of that day's start (UTC); 0: not given */
    char *scope; /* space-separated, as it is sent; never NULL; "" with app_password */
    struct server server[PROTOCOL_COUNT];
    struct name_list allow_users; /* user names or decimal uids, as written */
    struct name_list postfix_keys;
    bool postfix_keys_given; /* false: the list holds the defaults made from smtp */
    char *proxy;             /* NULL: none; never taken from the environment */
    char *ca_file;           /* NULL: the system's */
    int min_remaining;       /* seconds */
    const char *file;        /* where its section stands, for messages */
    int line;
};

/* A file that was read, the first of them the accounts file itself. */
struct accounts_file {
    char *path;
    struct stat status;
};

struct key_index; /* postfix_keys.h */

struct accounts {
    char *path;
    struct stat status;         /* of the file as read: tells later whether it changed */
    struct accounts_file *file; /* it and all that include() took in */
    size_t file_count;
    struct key_index *keys;
    struct account *account;
    size_t count;
    char *state_directory;     /* store { directory }; NULL: the place's default */
    char *encryption_key_file; /* store { encryption_key_file }; NULL: not encrypted */
    struct {
        /* A command as words, run without a shell: an absolute path, then arguments.
         * count 0: none. */
        struct name_list on_failure, on_recovery;
        int64_t probe; /* seconds between sign-ins at an account's server; 0: never */
    } agent;
};

/* Reads and checks the file. With `azure_environment` in it, the variables
 * AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_AUTHORITY_HOST and AZURE_FEDERATED_TOKEN_FILE
 * are read as well, no others. A relative path stays one: the current directory must then
 * be the same for accounts_changed(). The file may belong to root, the effective user
 * and, as root, to the owner of the system's state directory, who root becomes next. 0,
 * or: ERR_CONFIG: absent, unreadable, not private, or something in it is wrong; err names
 * file, line and, for an unknown word, the nearest known one. Nothing is half-read.
 * ERR_NOMEM.
 * Files taken in by include() are checked in the same way. */
int accounts_read(const char *path, struct accounts **accounts_r, struct err *err);

/* True when one of the files read is no longer the same file with the same content. */
bool accounts_changed(const struct accounts *accounts);

/* When the files that were read were last changed, seconds since the epoch. */
int64_t accounts_changed_at(const struct accounts *accounts);

/* Frees, wiping secrets, and sets NULL. Takes NULL. */
void accounts_free(struct accounts **accounts);

/* The account of that name (case matters), or NULL. O(log n): the list is kept sorted. */
const struct account *accounts_find(const struct accounts *accounts, const char *name);

/* The account that answers `key` in Postfix's sasl map, without regard to case. An
 * explicit postfix_keys entry wins over the defaults made from `smtp`. 0; ERR_NOACCOUNT
 * when no account lists it; ERR_CONFIG when several do (err names two of them and says to
 * set postfix_keys). */
int accounts_find_key(const struct accounts *accounts, const char *key,
                      const struct account **account_r, struct err *err);

/* A text that changes when the account's token would have to be another one: grant,
 * issuer, token endpoint, client id (of a managed identity its own), scope. A cached
 * access token is used only while it is the same. Appends to `out`. 0 or ERR_NOMEM. */
int account_fingerprint(const struct account *account, struct secret *out);

/* "authorization_code", "client_credentials" ..., as in the accounts file; "?" for what
 * is no grant. */
const char *grant_name(enum grant grant);

/* "smtp", "imap", "pop3" / the reverse: PROTOCOL_COUNT when it is none of them. */
const char *protocol_name(enum protocol protocol);
enum protocol protocol_from_name(const char *name);

#endif
