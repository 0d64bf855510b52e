/* settings.h - where an account's server is, how to sign in there, and with what.
 *
 * Used by:  tunnel.c, port_gate.c, main.c
 * Includes: client/, base/json.h, ports/ports_file.h, run_front.h
 *
 * The agent is asked: the user's own, then the system's, as every part of mailbearer
 * does. Where there is none, or it does not know the account, `mailbearer` is run, which
 * reads the accounts file and the store that this user may read.
 */
#ifndef MAILBEARER_SETTINGS_H
#define MAILBEARER_SETTINGS_H

#include <stdbool.h>
#include <sys/types.h>

#include "../token-helper/base/json.h"
#include "../token-helper/client/error.h"
#include "../token-helper/client/secret.h"
#include "../token-helper/mail/server.h"
#include "../token-helper/mail/wire.h"

struct settings {
    struct mail_server server;
    struct json *json; /* what its texts borrow from */
};

/* Who is asked, and for which account; texts borrowed. */
struct settings_source {
    const char *config; /* what -c gave, or NULL */
    const char *account;
    /* The user at the other end of a local port, who must then be in the account's
     * allow_users: the agent judges by our own uid. */
    bool for_peer;
    uid_t peer;
};

/* Reads the settings. `host` and `port` (NULL: the account's) come from the command line:
 * port is a number or the service's name. A well-known port says whether TLS is there
 * from the start (993, 995, 465) or by STARTTLS (143, 110, 587, 25); any other one is
 * used as the account's. Borrowed until settings_clear().
 * 0; ERR_DENIED: source->peer may not use the account (root and this user always may, the
 * unmapped uid 65534 never); ERR_USAGE: no such port; ERR_NOACCOUNT, ERR_NOAGENT,
 * ERR_CONFIG ... as who was asked said; ERR_PROTOCOL: an answer that makes no sense. */
int settings_read(const struct settings_source *source, enum wire wire, const char *host,
                  const char *port, struct settings *settings_r, struct err *err);

/* Where the local passwords are: beside the accounts file that is in force, the one of
 * -c, this user's own where there is one, else the system's. 0, ERR_CONFIG: too long. */
int settings_ports_file(const char *config, char *path_r, size_t size, struct err *err);

void settings_clear(struct settings *settings);

/* The account's access token, or its password. */
int settings_token(const struct settings_source *source, struct secret *token_r,
                   struct err *err);

/* The same, after a server refused `refused`: reports that and takes the next token. It
 * may be the same one again, when it was renewed seconds ago. */
int settings_fresh_token(const struct settings_source *source,
                         const struct secret *refused, struct secret *token_r,
                         struct err *err);

/* Parts of settings_read(), for tests.
 * settings_parse takes the JSON of `upstream`; settings_override what the command line
 * gave; settings_allow looks for the user in allow_users. */
int settings_parse(const char *text, size_t len, struct settings *settings_r,
                   struct err *err);
int settings_allow(const struct settings *settings, uid_t peer, struct err *err);
int settings_override(struct settings *settings, const char *host, const char *port,
                      struct err *err);

#endif
