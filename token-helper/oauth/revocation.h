/* revocation.h - give a token back (RFC 7009). No I/O; the time is a parameter.
 *
 * Used by:  commands/cmd_logout.c
 * Includes: request.h, reply.h, accounts/, client/.
 */
#ifndef MAILBEARER_REVOCATION_H
#define MAILBEARER_REVOCATION_H

#include "../accounts/accounts.h"
#include "credential.h"
#include "http.h"
#include "reply.h"

/* The request that revokes a refresh token, and with it the access tokens that came of it
 * (2.1). An assertion is addressed to the token endpoint, as Entra's like. 0, with
 * *request_r as request_token(); ERR_NOMEM, ERR_CONFIG. */
int revocation_request(const struct account *account, const char *endpoint,
                       const char *token_endpoint, const struct secret *refresh_token,
                       const struct credential *credential, int64_t now,
                       struct http_request *request_r, struct err *err);

/* What came of it. 0: the token is no longer good, or was not before. Otherwise as
 * reply_token(): it may still be good. */
int revocation_read(const struct reply_input *in, struct err *err);

#endif
