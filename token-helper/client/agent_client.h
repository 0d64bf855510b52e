/* agent_client.h - ask the local agent one question.
 *
 * Used by:  sasl-plugin/, fetch-helper/, token-helper/front/, commands/, doctor/
 * Includes: client/ and libc, nothing else (tests/check-layers.sh).
 * Runs inside other people's processes: no globals, signals, stdio, fork or exit. Sockets
 * are close-on-exec and closed before return; the environment is read by secure_getenv().
 */
#ifndef MAILBEARER_AGENT_CLIENT_H
#define MAILBEARER_AGENT_CLIENT_H

#include "error.h"
#include "secret.h"

#define AGENT_SOCKET_ENV "MAILBEARER_SOCKET"
#define AGENT_SOCKET_SYSTEM "/run/mailbearer/agent.sock"
#define AGENT_SOCKET_USER "mailbearer/agent.sock" /* below $XDG_RUNTIME_DIR */

/* Which agents to ask, in this order. When AGENT_SOCKET_ENV is set it is the only one,
 * whatever is given here. An unset XDG_RUNTIME_DIR means /run/user/UID. */
enum agent_where {
    AGENT_NAMED = 0,  /* only the one AGENT_SOCKET_ENV names */
    AGENT_USER = 1,   /* the user's own; its peer must be this user or root */
    AGENT_SYSTEM = 2, /* the system's */
    AGENT_ANY = AGENT_USER | AGENT_SYSTEM
};

struct agent_query {
    const char *map;  /* "token", "upstream", ... (PROTOCOL.md) */
    const char *key;  /* no control characters */
    int where;        /* enum agent_where */
    int deadline_ms;  /* for everything together */
    int restart_ms;   /* an agent that refuses the connection, or closes it without an
                         answer, is asked again for this long (it restarts); 0: once */
    const char *path; /* this socket alone, whatever AGENT_SOCKET_ENV says; NULL: `where`
                         decides */
};

/* Asks. The next socket is tried when one is absent, refuses the connection or answers
 * NOTFOUND, never on PERM or TEMP.
 * 0:             *reply_r holds the text of the OK reply; the caller clears it.
 * ERR_NOAGENT:   nothing listens anywhere (or no socket is named).
 * ERR_NOACCOUNT: an agent answered, and none knows the account.
 * ERR_TEMP, ERR_TIMEOUT, ERR_PERSON, ERR_DENIED: what the agent said.
 * ERR_TIMEOUT, ERR_PROTOCOL, ERR_NOMEM, ERR_USAGE (a key or path that cannot be sent).
 * On failure *reply_r is untouched. */
int agent_client_ask(const struct agent_query *query, struct secret *reply_r,
                     struct err *err);

#endif
