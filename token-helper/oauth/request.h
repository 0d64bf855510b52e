/* request.h - compose token requests (RFC 6749). No I/O, no clock.
 *
 * Used by:  acquire.c
 * Includes: http.h for the form of a request, accounts/, client/.
 */
#ifndef MAILBEARER_REQUEST_H
#define MAILBEARER_REQUEST_H

#include "../accounts/accounts.h"
#include "../accounts/store.h"
#include "credential.h"
#include "http.h"

/* Appends "name=value" percent-encoded (everything but RFC 3986's unreserved characters),
 * with "&" in front unless `form` is empty. 0, ERR_NOMEM, ERR_PROTOCOL (form's maximum).
 */
int form_add(struct secret *form, const char *name, const char *value, size_t len);

/* Percent-encodes on its own: for HTTP Basic, whose two parts are encoded first
 * (RFC 6749 2.3.1). Returns as form_add(). */
int percent_encode(struct secret *out, const char *value, size_t len);

/* Can a token be asked for at all? 0, or ERR_PERSON: nobody has signed in yet, there is
 * no refresh token. */
int request_possible(const struct account *account, const struct record *record,
                     struct err *err);

/* Adds who asks to a request for the token endpoint: the client id and, when the account
 * has one, its credential: the secret in the form or by HTTP Basic (RFC 6749 2.3.1), or a
 * signed assertion (RFC 7523 2.2). A public client sends none: Entra refuses one that
 * does (AADSTS700025). 0, ERR_NOMEM, ERR_CONFIG (OpenSSL will not sign). */
int request_add_client(const struct account *account, const struct credential *credential,
                       const char *endpoint, int64_t now, struct http_request *request,
                       struct err *err);

/* The token request of this account to `endpoint`: client_credentials (4.4), or
 * refresh_token (6) with the record's refresh token. Only when request_possible().
 * 0: *request_r has url (= endpoint), proxy, ca_file, all borrowed, and its secrets.
 * ERR_NOMEM, ERR_CONFIG. */
int request_token(const struct account *account, const char *endpoint,
                  const struct record *record, const struct credential *credential,
                  int64_t now, struct http_request *request_r, struct err *err);

#endif
