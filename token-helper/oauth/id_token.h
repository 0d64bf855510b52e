/* id_token.h - who signed in (OpenID Connect Core 1.0, 2). No I/O, no clock.
 *
 * Used by:  commands/ (the sign-in flows), tests/fuzz
 * Includes: crypto.h for base64url, base/json.h, client/.
 *
 * The signature is not verified: the token came straight from the token endpoint over
 * TLS, which Core 3.1.3.7 lets stand in for it. Never to be used for an id_token that
 * came another way. It only tells an accident apart (the wrong account was chosen in the
 * browser), and gives nobody any right.
 */
#ifndef MAILBEARER_ID_TOKEN_H
#define MAILBEARER_ID_TOKEN_H

#include <stdbool.h>

#include "../client/error.h"

#define ID_TOKEN_MAX 65536u

/* The claims that name a person; NULL when absent. Control characters are '?'. */
struct identity {
    char *preferred_username;
    char *upn;
    char *email;
    char *sub; /* opaque, the provider's own key */
};

#define IDENTITY_INIT                                                                    \
    {                                                                                    \
        NULL, NULL, NULL, NULL                                                           \
    }

/* Reads the claims. *identity_r is replaced on success only. 0; ERR_PROTOCOL: not a JWT,
 * too long, made for another application than `client_id`, names nobody; ERR_NOMEM. */
int id_token_read(const char *token, const char *client_id, struct identity *identity_r,
                  struct err *err);

/* The name to show: preferred_username, upn, email, else sub; NULL when none is known. */
const char *identity_name(const struct identity *identity);

/* Is it the person called `name`, without regard to the case of ASCII letters? One of the
 * first three claims must say so, or `sub` where there are none of these. */
bool identity_is(const struct identity *identity, const char *name);

void identity_clear(struct identity *identity);

#endif
