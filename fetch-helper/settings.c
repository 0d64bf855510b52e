/* settings.c - see settings.h. */
#include "settings.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../token-helper/client/agent_client.h"
#include "../token-helper/ports/ports_file.h"
#include "run_front.h"

#define DEADLINE_MS 30000 /* for one question, a refresh included */
#define RESTART_MS 1000   /* an agent that restarts is back by then */
#define KEY_MAX 1100
#define PORT_MAX 65535
#define OWN_FILE_MAX 4096
#ifndef MAILBEARER_SYSCONFDIR
#define MAILBEARER_SYSCONFDIR "/etc"
#endif
#define SYSTEM_FILE MAILBEARER_SYSCONFDIR "/mailbearer/mailbearer.conf"

/* --- who is asked ----------------------------------------------------------------------
 */

/* Has this user an accounts file? Then it decides whether the system's agent is asked
 * too, and `mailbearer` reads it. */
static bool
own_file(char path[OWN_FILE_MAX])
{
    static const char tail[] = "mailbearer/mailbearer.conf";
    const char *base = secure_getenv("XDG_CONFIG_HOME");
    const char *home = secure_getenv("HOME");
    const struct passwd *pw;
    int n;

    if (base != NULL && base[0] == '/') {
        n = snprintf(path, OWN_FILE_MAX, "%s/%s", base, tail);
    } else {
        if ((home == NULL || home[0] != '/') && (pw = getpwuid(geteuid())) != NULL)
            home = pw->pw_dir;
        if (home == NULL)
            return false;
        n = snprintf(path, OWN_FILE_MAX, "%s/.config/%s", home, tail);
    }
    return n > 0 && n < OWN_FILE_MAX && access(path, F_OK) == 0;
}

int
settings_ports_file(const char *config, char *path_r, size_t size, struct err *err)
{
    char own[OWN_FILE_MAX];

    if (config == NULL && geteuid() != 0 && own_file(own))
        config = own;
    return ports_file_path(config != NULL ? config : SYSTEM_FILE, path_r, size, err);
}

static bool
is_elsewhere(int r)
{
    return r == ERR_NOAGENT || r == ERR_NOACCOUNT;
}

static int
ask_one(int where, const char *map, const char *key, struct secret *reply,
        struct err *err)
{
    const struct agent_query query = {.map = map,
                                      .key = key,
                                      .where = where,
                                      .deadline_ms = DEADLINE_MS,
                                      .restart_ms = RESTART_MS};

    return agent_client_ask(&query, reply, err);
}

/* ERR_NOAGENT and ERR_NOACCOUNT: `mailbearer` may know more. */
static int
ask_agent(const struct settings_source *source, const char *map, const char *key,
          struct secret *reply, struct err *err)
{
    int where = source->config != NULL ? AGENT_NAMED
                : geteuid() == 0       ? AGENT_SYSTEM
                                       : AGENT_USER;
    char own[OWN_FILE_MAX];
    int r = ask_one(where, map, key, reply, err);

    if (is_elsewhere(r) && where == AGENT_USER && !own_file(own))
        r = ask_one(AGENT_SYSTEM, map, key, reply, err);
    return r;
}

/* --- settings --------------------------------------------------------------------------
 */

static int
read_json(const struct settings_source *source, enum wire wire, struct secret *text,
          struct err *err)
{
    const char *const args[] = {"upstream", wire_name(wire), source->account, NULL};
    char key[KEY_MAX];
    int r;

    if ((size_t)snprintf(key, sizeof key, "%s %s", wire_name(wire), source->account) >=
        sizeof key)
        return err_set(err, ERR_NOACCOUNT, "no such account");
    r = ask_agent(source, "upstream", key, text, err);
    if (is_elsewhere(r))
        r = run_front(source->config, args, source->account, DEADLINE_MS, text, err);
    return r;
}

int
settings_parse(const char *text, size_t len, struct settings *settings_r, struct err *err)
{
    struct settings s = {.json = NULL};
    const char *security, *auth;
    int64_t port = 0;
    int r = json_parse(text, len, &s.json, err);

    if (r != 0)
        return r;
    s.server.user = json_get_string(s.json, "user");
    s.server.host = json_get_string(s.json, "host");
    s.server.proxy = json_get_string(s.json, "proxy");
    s.server.ca_file = json_get_string(s.json, "ca_file");
    security = json_get_string(s.json, "security");
    auth = json_get_string(s.json, "auth");
    if (s.server.user == NULL || s.server.host == NULL || security == NULL ||
        auth == NULL || !json_get_integer(s.json, "port", &port) || port < 1 ||
        port > PORT_MAX ||
        (strcmp(security, "tls") != 0 && strcmp(security, "starttls") != 0) ||
        (strcmp(auth, "xoauth2") != 0 && strcmp(auth, "plain") != 0)) {
        json_free(&s.json);
        return err_set(err, ERR_PROTOCOL,
                       "the account's server settings make no sense to this version");
    }
    s.server.port = (int)port;
    s.server.starttls = strcmp(security, "starttls") == 0;
    s.server.password = strcmp(auth, "plain") == 0;
    *settings_r = s;
    return 0;
}

/* Mail programs give a number or, like fetchmail, the service's name. */
static const struct service {
    const char *name;
    int port;
    bool starttls;
} services[] = {
    {"imaps", 993, false},       {"imap", 143, true},   {"imap2", 143, true},
    {"pop3s", 995, false},       {"pop3", 110, true},   {"pop-3", 110, true},
    {"submissions", 465, false}, {"smtps", 465, false}, {"submission", 587, true},
    {"smtp", 25, true},
};

int
settings_override(struct settings *settings, const char *host, const char *port,
                  struct err *err)
{
    const struct service *found = NULL;
    char *end = NULL;
    long number = 0;

    if (host != NULL)
        settings->server.host = host;
    if (port == NULL)
        return 0;
    if (port[0] >= '0' && port[0] <= '9')
        number = strtol(port, &end, 10);
    for (size_t i = 0; i < sizeof services / sizeof services[0] && found == NULL; i++)
        if (services[i].port == number || strcmp(services[i].name, port) == 0)
            found = &services[i];
    if (found == NULL && (end == NULL || *end != '\0' || number < 1 || number > PORT_MAX))
        return err_set(err, ERR_USAGE, "no such port: %s", port);
    /* the account's own port is as the account says, whatever its number */
    if (found != NULL && found->port != settings->server.port)
        settings->server.starttls = found->starttls;
    settings->server.port = found != NULL ? found->port : (int)number;
    return 0;
}

/* --- whom a local port lets in ---------------------------------------------------------
 */

#define UNMAPPED ((uid_t)65534) /* whoever is outside this user namespace */

static bool
is_user(const char *name, uid_t uid)
{
    const struct passwd *pw;

    if (name[0] >= '0' && name[0] <= '9' && name[strspn(name, "0123456789")] == '\0')
        return strtoul(name, NULL, 10) == uid;
    pw = getpwnam(name);
    return pw != NULL && pw->pw_uid == uid;
}

int
settings_allow(const struct settings *settings, uid_t peer, struct err *err)
{
    const char *name;

    if (peer == 0 || (peer == geteuid() && peer != UNMAPPED))
        return 0;
    for (size_t i = 0;
         peer != UNMAPPED &&
         (name = json_array_string(settings->json, "allow_users", i)) != NULL;
         i++)
        if (is_user(name, peer))
            return 0;
    err_set(err, ERR_DENIED, "uid %lu may not use this account", (unsigned long)peer);
    err_hint(err, "add this user to the account's allow_users in the accounts file");
    return ERR_DENIED;
}

int
settings_read(const struct settings_source *source, enum wire wire, const char *host,
              const char *port, struct settings *settings_r, struct err *err)
{
    struct settings settings = {.json = NULL};
    struct secret text = SECRET_INIT;
    int r = read_json(source, wire, &text, err);

    if (r == 0)
        r = settings_parse(secret_str(&text), text.len, &settings, err);
    if (r == 0 && source->for_peer)
        r = settings_allow(&settings, source->peer, err);
    if (r == 0)
        r = settings_override(&settings, host, port, err);
    secret_clear(&text);
    if (r == 0)
        *settings_r = settings;
    else
        settings_clear(&settings);
    return r;
}

void
settings_clear(struct settings *settings)
{
    json_free(&settings->json);
    *settings = (struct settings){.json = NULL};
}

/* --- the token -------------------------------------------------------------------------
 */

/* `mailbearer token` ends its one line with a newline. */
static int
run_token(const struct settings_source *source, bool refresh, struct secret *token_r,
          struct err *err)
{
    const char *const args[] = {"token", source->account, refresh ? "--refresh" : NULL,
                                NULL};
    struct secret out = SECRET_INIT;
    int r = run_front(source->config, args, source->account, DEADLINE_MS, &out, err);

    if (r == 0 && (out.len < 2 || out.data[out.len - 1] != '\n'))
        r = err_set(err, ERR_PROTOCOL, "mailbearer printed no token");
    if (r == 0) {
        out.data[--out.len] = '\0';
        secret_move(token_r, &out);
    }
    secret_clear(&out);
    return r;
}

int
settings_token(const struct settings_source *source, struct secret *token_r,
               struct err *err)
{
    int r = ask_agent(source, "token", source->account, token_r, err);

    return is_elsewhere(r) ? run_token(source, false, token_r, err) : r;
}

int
settings_fresh_token(const struct settings_source *source, const struct secret *refused,
                     struct secret *token_r, struct err *err)
{
    struct secret key = SECRET_INIT, nothing = SECRET_INIT;
    int r = ERR_NOMEM;

    if (secret_append(&key, refused->data, refused->len) != 0 ||
        secret_append_char(&key, ' ') != 0 ||
        secret_append_str(&key, source->account) != 0)
        err_set(err, ERR_NOMEM, "out of memory");
    else if ((r = ask_agent(source, "rejected", secret_str(&key), &nothing, err)) == 0)
        r = ask_agent(source, "token", source->account, token_r, err);
    secret_clear(&key);
    secret_clear(&nothing);
    return is_elsewhere(r) ? run_token(source, true, token_r, err) : r;
}
