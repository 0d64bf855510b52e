/* postfix_as.h - ask for a token as smtp(8) would: as its user, from within its jail.
 *
 * Used by:  postfix_gather.c
 * Includes: client/, libc.
 *
 * Only so is everything in the way looked at at once: the socket's path as the jail shows
 * it, the modes of the directories, allow_users, the agent, the account. It is done by a
 * child process, which tells what came of it and never the token.
 */
#ifndef MAILBEARER_POSTFIX_AS_H
#define MAILBEARER_POSTFIX_AS_H

#include <stdbool.h>
#include <sys/types.h>

#include "../client/error.h"

#define POSTFIX_AS_USER_MAX 512

struct postfix_as {
    bool change; /* become that user, in that root; needs root. Else ask as we are */
    uid_t uid;
    gid_t gid;
    const char *root;   /* NULL: no jail */
    const char *socket; /* MAILBEARER_SOCKET as Postfix has it; NULL: it has none */
    int deadline_ms;
};

/* Asks the agent one question (agent_client.h) and forgets the reply. With the map `sasl`
 * the user name in front of the token is copied to user_r (POSTFIX_AS_USER_MAX bytes);
 * NULL: not wanted.
 * Returns as agent_client_ask(), and ERR_STORE when the child cannot be made or cannot
 * become that user there (a container without the right to). */
int postfix_as_ask(const struct postfix_as *as, const char *map, const char *key,
                   char *user_r, struct err *err);

/* Could the plugin take a token from this file? 0; ERR_CONFIG: not there, not readable,
 * not a regular file; ERR_TEMP: empty; ERR_STORE as above. */
int postfix_as_read(const struct postfix_as *as, const char *path, struct err *err);

#endif
