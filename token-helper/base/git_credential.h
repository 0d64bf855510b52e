/* git_credential.h - what git asks a credential helper (git-credential(1)). No I/O.
 *
 * Used by:  front/cmd_git_credential.c
 * Includes: client/, libc.
 *
 * Lines of key=value, up to an empty line or the end. The answer is made by
 * token_format.h (TOKEN_GIT).
 */
#ifndef MAILBEARER_GIT_CREDENTIAL_H
#define MAILBEARER_GIT_CREDENTIAL_H

#include <stdbool.h>

#include "../client/error.h"
#include "../client/secret.h"

#define GIT_REQUEST_MAX 65536u /* bytes of all lines; git's own lines are as long */

struct git_credential {
    struct secret protocol; /* each is empty when it is not given */
    struct secret host;     /* with its port, where git has one */
    struct secret username;
    struct secret password;
};

/* Reads a request; keys that are not ours are ignored, and of a key given twice the last
 * one counts, as git says. 0, ERR_USAGE (a line without '=', a NUL), ERR_NOMEM. Nothing
 * is half-read. */
int git_credential_parse(const char *text, size_t len, struct git_credential *request_r,
                         struct err *err);
void git_credential_clear(struct git_credential *request);

/* The mail protocol that the request is for: "smtp", "imap" or "pop3", also for smtps and
 * its kind; "" when it names none; NULL when it is another one, as https is. Static. */
const char *git_credential_mail(const struct git_credential *request);

/* Is the request's host this one? Its port, and the brackets of an IPv6 address, do not
 * matter, nor does case. True when the request names no host. */
bool git_credential_is_host(const struct git_credential *request, const char *host);

#endif
