/* find_endpoints.h - an account's endpoints, asked of its issuer where they are not
 * given.
 *
 * Used by:  sign_in.c, cmd_logout.c
 * Includes: oauth/. Blocks, at most SIGN_IN_HTTP_MS.
 */
#ifndef MAILBEARER_FIND_ENDPOINTS_H
#define MAILBEARER_FIND_ENDPOINTS_H

#include "../accounts/accounts.h"
#include "../oauth/discovery.h"

#define SIGN_IN_HTTP_MS 20000

/* Where one of the four is NULL and there is an issuer, its metadata is read (RFC 8414,
 * OpenID); what the accounts file gives counts more.
 * 0: *endpoints_r has what there is, `token` at least, to be ended by endpoints_clear();
 * *openid_r: the issuer speaks OpenID. Otherwise as discovery_read() and http_do();
 * metadata that cannot be had is no failure where the token endpoint is given. */
int find_endpoints(const struct account *account, struct endpoints *endpoints_r,
                   bool *openid_r, struct err *err);

#endif
