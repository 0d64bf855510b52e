/* token_format.h - the forms in which `mailbearer token` prints a token.
 *
 * Used by:  front/get_token.c, commands/cmd_token.c
 * Includes: base/json.h, client/. No I/O.
 */
#ifndef MAILBEARER_TOKEN_FORMAT_H
#define MAILBEARER_TOKEN_FORMAT_H

#include <stdint.h>

#include "../client/error.h"
#include "../client/secret.h"

enum token_format {
    TOKEN_RAW,         /* the token */
    TOKEN_JSON,        /* account, user, access_token, expires_at (epoch seconds) */
    TOKEN_XOAUTH2,     /* the SASL message, base64 */
    TOKEN_OAUTHBEARER, /* the SASL message (RFC 7628) without host and port, base64 */
    TOKEN_HEADER,      /* an HTTP header (RFC 6750) */
    TOKEN_GIT,         /* what a credential helper answers git: username, password,
                          password_expiry_utc */
    TOKEN_FORMAT_COUNT,
};

/* TOKEN_FORMAT_COUNT when it is none of them. */
enum token_format token_format_from_name(const char *name);

/* "raw", "json" ...; TOKEN_GIT is "git-credential". */
const char *token_format_name(enum token_format format);

/* Appends the token in this form, with a newline at the end. Only TOKEN_JSON uses
 * `account`; it and TOKEN_GIT use `expires_at`; these two, TOKEN_XOAUTH2 and
 * TOKEN_OAUTHBEARER use `user`. 0, ERR_NOMEM, ERR_PROTOCOL (the user or token cannot
 * stand in such a message). */
int token_format(enum token_format format, const char *account, const char *user,
                 const struct secret *token, int64_t expires_at, struct secret *out,
                 struct err *err);

#endif
