/* assertion.h - the signed statement by which an application proves who it is (RFC 7523
 * 2.2, as Microsoft Entra wants it). No I/O; the time is a parameter.
 *
 * Used by:  acquire.c
 * Includes: crypto.h, base/json.h, client/.
 *
 * Header: PS256 with x5t#S256 (the default), or RS256 with x5t for old tenants.
 * Claims: aud, iss = sub = client id, jti, nbf, iat, exp.
 */
#ifndef MAILBEARER_ASSERTION_H
#define MAILBEARER_ASSERTION_H

#include <stdint.h>

#include "crypto.h"

#define ASSERTION_LIFE 600 /* seconds */

/* The value of the form field client_assertion_type that goes with it. */
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

struct assertion {
    const char *audience; /* the token endpoint, as the request is sent to it */
    const char *client_id;
    enum crypto_alg alg;
    int64_t now; /* epoch seconds */
};

/* Makes one; each has an id of its own and is good for one request. *jwt_r is replaced.
 * 0, ERR_CONFIG (OpenSSL refuses; audience or client id not UTF-8), ERR_NOMEM. */
int assertion_make(const struct assertion *assertion,
                   const struct crypto_identity *identity, struct secret *jwt_r,
                   struct err *err);

#endif
