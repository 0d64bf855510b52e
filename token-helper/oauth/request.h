/* request.h - compose token requests (RFC 6749). No I/O, no clock.
 *
 * Used by:  acquire.c
 * Includes: http.h for the form of a request, accounts/, client/.
 */
#ifndef MAILBEARER_REQUEST_H
#define MAILBEARER_REQUEST_H

#include "../accounts/accounts.h"
#include "../accounts/store.h"
#include "http.h"

/* Appends "name=value" percent-encoded (everything but RFC 3986's unreserved characters),
 * with "&" in front unless `form` is empty. 0, ERR_NOMEM, ERR_PROTOCOL (form's maximum).
 */
int form_add(struct secret *form, const char *name, const char *value, size_t len);

/* Percent-encodes on its own: for HTTP Basic, whose two parts are encoded first
 * (RFC 6749 2.3.1). Returns as form_add(). */
int percent_encode(struct secret *out, const char *value, size_t len);

/* Can a token be asked for at all? 0, or ERR_PERSON: nobody has signed in yet, there is no
 * refresh token. */
int request_possible(const struct account *account, const struct record *record,
                     struct err *err);

/* The token request of this account: client_credentials (4.4), or refresh_token (6) with
 * the record's refresh token. A secret is sent only when the account has one: a public
 * client that sends one is refused (AADSTS700025).
 * 0: *request_r has url, proxy, ca_file (borrowed from the account), body, user,
 * password. ERR_PERSON: nobody has signed in yet, there is no refresh token. ERR_NOMEM.
 */
int request_token(const struct account *account, const struct record *record,
                  const struct secret *client_secret, struct http_request *request_r,
                  struct err *err);

#endif
