/* token_source.h - where the access token comes from: what the SASL password says.
 *
 * Used by:  plugin.c
 * Includes: client/ and libc (no SASL headers).
 *
 *   agent:ACCOUNT   ask the agent for this account; `agent:` alone: the user name
 *   file:PATH       the first line of that file
 *   anything else   is the access token
 *
 * The first two are labels, not secrets: Postfix logs passwords when it runs with -v.
 */
#ifndef MAILBEARER_TOKEN_SOURCE_H
#define MAILBEARER_TOKEN_SOURCE_H

#include "../token-helper/client/error.h"
#include "../token-helper/client/secret.h"

#define TOKEN_FILE_MAX (64u * 1024u) /* bytes in the first line of a token file */

enum token_kind { TOKEN_LITERAL, TOKEN_FILE, TOKEN_AGENT };

struct token_source {
    enum token_kind kind;
    const char *value; /* the token, the path or the account; borrowed */
};

/* Takes the password apart. What is returned borrows from `password` or, for a bare
 * `agent:`, from `user`. Cannot fail. */
struct token_source token_source_parse(const char *password, const char *user);

/* "agent", "file" or "literal": for log lines. */
const char *token_source_name(enum token_kind kind);

/* Fetches the token within `deadline_ms`. An agent that restarts is asked again for 3 s
 * of them. Moves the token to *token_r, which the caller clears. Not looked at: whether
 * it holds control characters (oauth_message_build() refuses those).
 * Returns what agent_client_ask() does, and
 * ERR_CONFIG: the file is absent, not readable for this user, not a regular file, or its
 *             first line is longer than TOKEN_FILE_MAX.
 * ERR_TEMP:   the file is empty (its writer is at work) or cannot be read.
 * ERR_USAGE:  the password, the account or the path is empty.
 * On failure *token_r is untouched. */
int token_source_fetch(const struct token_source *source, int deadline_ms,
                       struct secret *token_r, struct err *err);

/* Tells the agent that the server refused this token, in 2 s at most. Nothing that
 * happens on the way matters to the exchange, so nothing is returned. */
void token_source_rejected(const char *account, const struct secret *token);

#endif
