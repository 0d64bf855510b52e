/* setup_values.c - see setup_values.h. */
#include "setup_values.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../accounts/host_owner.h"
#include "../base/json.h"
#include "../client/agent_client.h"

#define CA_BUNDLE_DEFAULT "/etc/ssl/certs/ca-certificates.crt"
#define POSTFIX_QUEUE "/var/spool/postfix"

static const char *const name_texts[] = {
#define SETUP_NAME(name) #name,
#include "names.def"
};

enum setup_name
setup_name_find(const char *text, size_t len)
{
    int i = 0;

    while (i < SETUP_NAME_COUNT &&
           (strncmp(name_texts[i], text, len) != 0 || name_texts[i][len] != '\0'))
        i++;
    return (enum setup_name)i;
}

const char *
setup_name_text(enum setup_name name)
{
    return name_texts[name];
}

int
setup_value_set(struct setup_values *values, enum setup_name name, const char *text)
{
    return text == NULL ? 0 : secret_set(&values->value[name], text, strlen(text));
}

void
setup_values_clear(struct setup_values *values)
{
    for (int i = 0; i < SETUP_NAME_COUNT; i++)
        secret_clear(&values->value[i]);
}

static int
nomem(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory");
}

/* Sets a command: `first` and the words up to a NULL, those that are "" left out. */
static int
set_command(struct setup_values *values, enum setup_name name, const struct secret *first,
            const char *const *words)
{
    struct secret *value = &values->value[name];
    int r = secret_set(value, first->data, first->len);

    for (; r == 0 && *words != NULL; words++)
        if (**words != '\0' && (r = secret_append_char(value, '\0')) == 0)
            r = secret_append_str(value, *words);
    return r;
}

/* Where a program of ours is: beside this one (an installation elsewhere, a build tree),
 * else where it was to be installed. */
static int
find_program(const char *name, struct secret *path)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;
    int r;

    self[len < 0 ? 0 : len] = '\0';
    if ((slash = strrchr(self, '/')) != NULL) {
        slash[1] = '\0';
        if ((r = secret_set(path, self, strlen(self))) != 0 ||
            (r = secret_append_str(path, name)) != 0)
            return r;
        if (access(secret_str(path), X_OK) == 0)
            return 0;
    }
    r = secret_set(path, MAILBEARER_BINDIR "/", sizeof MAILBEARER_BINDIR);
    return r != 0 ? r : secret_append_str(path, name);
}

static int
set_programs(struct setup_values *values, const char *account)
{
    const char *config = secret_str(&values->value[SETUP_CONFIG]);
    const char *option[] = {config[0] == '\0' ? "" : "-c", config, NULL};
    const struct secret *front = &values->value[SETUP_MAILBEARER];
    struct secret path = SECRET_INIT;
    int r;

    if ((r = find_program("mailbearer", &path)) == 0 &&
        (r = set_command(values, SETUP_MAILBEARER, &path, option)) == 0 &&
        (r = find_program("mailbearer-fetch", &path)) == 0 &&
        (r = setup_value_set(values, SETUP_FETCH_PATH, secret_str(&path))) == 0 &&
        (r = set_command(values, SETUP_FETCH, &path, option)) == 0 &&
        (r = set_command(values, SETUP_TOKEN, front,
                         (const char *[]){"token", account, NULL})) == 0)
        r = set_command(values, SETUP_TOKEN_XOAUTH2, front,
                        (const char *[]){"token", account, "--format", "xoauth2", NULL});
    secret_clear(&path);
    return r;
}

static int
set_person(struct setup_values *values, bool system)
{
    const struct passwd *person = getpwuid(getuid());
    const char *login = person == NULL ? "me" : person->pw_name;
    const char *home = secure_getenv("HOME");
    int r;

    if (home == NULL && person != NULL)
        home = person->pw_dir;
    if ((r = setup_value_set(values, SETUP_LOGIN, login)) == 0 && system && getuid() != 0)
        r = setup_value_set(values, SETUP_ALLOW, login);
    return r != 0 ? r : setup_value_set(values, SETUP_HOME, home == NULL ? "/" : home);
}

int
setup_values_account(struct setup_values *values, const struct setup_account *account,
                     struct err *err)
{
    const char *file = account->file;
    char config[PATH_MAX];

    if (account->config != NULL) {
        /* The program it is printed for starts elsewhere. */
        if (realpath(account->config, config) == NULL)
            return err_set(err, ERR_CONFIG, "%s: %s", account->config, strerror(errno));
        if (setup_value_set(values, SETUP_CONFIG, config) != 0)
            return nomem(err);
        file = config;
    }
    if (setup_value_set(values, SETUP_ACCOUNT, account->name) != 0 ||
        setup_value_set(values, SETUP_ACCOUNTS_FILE, file) != 0 ||
        setup_value_set(values, SETUP_SYSTEM, account->system ? "yes" : NULL) != 0 ||
        setup_value_set(values, SETUP_AGENT_SOCKET, AGENT_SOCKET_SYSTEM) != 0 ||
        setup_value_set(values, SETUP_JAIL_SOCKET, POSTFIX_QUEUE AGENT_SOCKET_SYSTEM) !=
            0 ||
        setup_value_set(values, SETUP_CA_SYSTEM, CA_BUNDLE_DEFAULT) != 0 ||
        setup_value_set(values, SETUP_DELEGATE, account->delegate) != 0 ||
        setup_value_set(values, SETUP_SENDER, account->sender) != 0 ||
        set_person(values, account->system) != 0 ||
        set_programs(values, account->name) != 0)
        return nomem(err);
    return 0;
}

/* The names of one protocol's server. */
static const struct server_names {
    enum setup_name host, port, tls, starttls, fetch;
} server_names[PROTOCOL_COUNT] = {
    [PROTOCOL_SMTP] = {SETUP_SMTP_HOST, SETUP_SMTP_PORT, SETUP_SMTP_TLS,
                       SETUP_SMTP_STARTTLS, SETUP_FETCH_SMTP},
    [PROTOCOL_IMAP] = {SETUP_IMAP_HOST, SETUP_IMAP_PORT, SETUP_IMAP_TLS,
                       SETUP_IMAP_STARTTLS, SETUP_FETCH_IMAP},
    [PROTOCOL_POP3] = {SETUP_POP3_HOST, SETUP_POP3_PORT, SETUP_POP3_TLS,
                       SETUP_POP3_STARTTLS, SETUP_FETCH_POP3},
};

/* What only some providers ask for depends on whose server it is. */
static int
set_owner(struct setup_values *values, const char *host)
{
    if (host_is_exchange(host))
        return setup_value_set(values, SETUP_MICROSOFT, "yes");
    if (host_is_google(host))
        return setup_value_set(values, SETUP_GOOGLE, "yes");
    return 0;
}

static int
set_server(struct setup_values *values, enum protocol protocol, const struct json *json)
{
    const struct server_names *names = &server_names[protocol];
    const char *security = json_get_string(json, "security");
    const char *auth = json_get_string(json, "auth");
    const char *host = json_get_string(json, "host");
    const char *account = secret_str(&values->value[SETUP_ACCOUNT]);
    bool tls = security != NULL && strcmp(security, "tls") == 0;
    int64_t number;
    char port[24];
    int r;

    if (host == NULL || !json_get_integer(json, "port", &number) ||
        json_get_string(json, "user") == NULL)
        return ERR_PROTOCOL;
    snprintf(port, sizeof port, "%lld", (long long)number);
    if ((r = setup_value_set(values, SETUP_USER, json_get_string(json, "user"))) != 0 ||
        (r = setup_value_set(values, names->host, host)) != 0 ||
        (r = setup_value_set(values, names->port, port)) != 0 ||
        (r = setup_value_set(values, tls ? names->tls : names->starttls, "yes")) != 0 ||
        (r = set_command(values, names->fetch, &values->value[SETUP_FETCH],
                         (const char *[]){protocol_name(protocol), account, NULL})) !=
            0 ||
        (r = setup_value_set(values, SETUP_PROXY, json_get_string(json, "proxy"))) != 0 ||
        (r = setup_value_set(values, SETUP_CA_FILE, json_get_string(json, "ca_file"))) !=
            0 ||
        (r = setup_value_set(values, SETUP_CA_SYSTEM,
                             json_get_string(json, "ca_file"))) != 0)
        return r;
    if (auth != NULL && strcmp(auth, "plain") == 0)
        r = setup_value_set(values, SETUP_APP_PASSWORD, "yes");
    return r != 0 ? r : set_owner(values, host);
}

int
setup_values_server(struct setup_values *values, enum protocol protocol, const char *text,
                    size_t len, struct err *err)
{
    struct json *json = NULL;
    int r = json_parse(text, len, &json, err);

    if (r == 0 && (r = set_server(values, protocol, json)) != 0)
        err_set(err, r, r == ERR_NOMEM ? "out of memory" : "not a server's settings");
    json_free(&json);
    return r;
}
