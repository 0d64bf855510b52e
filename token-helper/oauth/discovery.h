/* discovery.h - an issuer's endpoints from its metadata (RFC 8414, OpenID Connect
 * Discovery 1.0). No I/O.
 *
 * Used by:  acquire.c, the sign-in flows
 * Includes: base/json.h, accounts/, client/.
 *
 * OpenID providers publish at ISSUER/.well-known/openid-configuration, RFC 8414 puts
 * /.well-known/oauth-authorization-server between host and path. The first is tried,
 * then, where it is not there (HTTP 404), the second.
 */
#ifndef MAILBEARER_DISCOVERY_H
#define MAILBEARER_DISCOVERY_H

#include "../client/error.h"
#include "../client/secret.h"

enum discovery_kind { DISCOVERY_OPENID, DISCOVERY_RFC8414, DISCOVERY_KINDS };

/* Found, or NULL; belong to the struct. */
struct endpoints {
    char *token;
    char *authorization;
    char *device_authorization;
    char *revocation;
};

void endpoints_clear(struct endpoints *endpoints);

/* Replaces *url_r with the address of the issuer's metadata. 0 or ERR_NOMEM. */
int discovery_url(const char *issuer, enum discovery_kind kind, struct secret *url_r,
                  struct err *err);

/* Reads the metadata. The issuer in it must be the one that was asked for, or one server
 * could speak for another (RFC 8414 3.3); a `/` at the end makes no difference here. The
 * endpoints must be https, or http on loopback.
 * 0: *endpoints_r is filled in, `token` at least.
 * ERR_TEMP: no metadata there (HTTP status). ERR_PROTOCOL: not JSON. ERR_CONFIG: another
 * issuer, no usable token endpoint. ERR_NOMEM. */
int discovery_read(const char *issuer, long status, const struct secret *body,
                   struct endpoints *endpoints_r, struct err *err);

#endif
