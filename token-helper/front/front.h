/* front.h - what the front's commands share.
 *
 * Used by:  front/
 * Includes: accounts/, setup/, base/, client/: no network library, no cryptography.
 *
 * `mailbearer` is started once for every sign-in of a mail program, so it costs no more
 * than starting a process does. What needs the network is done by mailbearer-oauth, which
 * takes the process over.
 */
#ifndef MAILBEARER_FRONT_H
#define MAILBEARER_FRONT_H

#include "../accounts/accounts.h"
#include "../client/agent_client.h"
#include "../client/error.h"
#include "../client/secret.h"

/* `token` gives up after this, whatever happens. */
#define FRONT_DEADLINE_MS 30000

/* Which agents may know the account (enum agent_where), before any file is read. */
int front_agents(const char *config);

/* True when the user has an accounts file of their own (root and `mailbearer`: when this
 * place's file is there), or one was named. */
bool front_has_config(const char *config);

/* The program's arguments, for run_oauth(). */
struct front {
    const char *config; /* what -c gave, or NULL */
    char **argv;        /* main()'s own */
};

int front_token(const struct front *front, int argc, char **argv);
int front_upstream(const struct front *front, int argc, char **argv);
int front_git_credential(const struct front *front, int argc, char **argv);
int front_setup(const struct front *front, int argc, char **argv);

/* The account's server settings, from the agent or the accounts file: appends the JSON of
 * accounts/upstream.h, without a line end. 0, or why not: ERR_NOACCOUNT, ERR_NOAGENT;
 * ERR_CONFIG or, when the agent says so, ERR_PERSON: it has no server for this protocol;
 * what else the agent and accounts_read() return. */
int front_find_upstream(const struct front *front, enum protocol protocol,
                        const char *account, struct secret *out, struct err *err);

/* Replaces this process with mailbearer-oauth, same arguments. Returns only on failure,
 * an exit status. The program is MAILBEARER_OAUTH (secure_getenv) or the one in libexec.
 */
int run_oauth(const struct front *front);

#endif
