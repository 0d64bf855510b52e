/* grant_code.h - a person's sign-in with a browser: authorization code with PKCE
 * (RFC 6749 4.1, RFC 7636, RFC 8252). No I/O; the time is a parameter.
 *
 * Used by:  commands/ (the sign-in flows), tests/fuzz
 * Includes: crypto.h, request.h, redirect.h, accounts/, client/.
 *
 *   begin    make state and verifier for one sign-in
 *   url      the address to open in the browser
 *   judge    is what came back the answer to that?
 *   request  the token request with the code
 */
#ifndef MAILBEARER_GRANT_CODE_H
#define MAILBEARER_GRANT_CODE_H

#include "../accounts/accounts.h"
#include "credential.h"
#include "http.h"
#include "redirect.h"

struct grant_code {
    struct secret state;
    struct secret verifier;     /* proves at the end that we began; never shown */
    struct secret redirect_uri; /* the same text in both requests */
};

#define GRANT_CODE_INIT                                                                  \
    {                                                                                    \
        SECRET_INIT, SECRET_INIT, SECRET_INIT                                            \
    }

/* Begins anew. 0, ERR_CONFIG (no random numbers), ERR_NOMEM. */
int grant_code_begin(const char *redirect_uri, struct grant_code *grant, struct err *err);

void grant_code_clear(struct grant_code *grant);

/* What is asked for: the account's scope and what tells who signed in and lets the
 * sign-in last, each once: at Microsoft `openid profile offline_access`, at Google
 * `openid email`, at an OpenID provider (`openid`: its issuer speaks OpenID) `openid
 * profile email`, elsewhere nothing. Refresh requests keep to the account's scope.
 * Replaces *scope_r. 0 or ERR_NOMEM. */
int grant_scope(const struct account *account, bool openid, struct secret *scope_r,
                struct err *err);

/* Replaces *url_r with the address to open at the authorization endpoint. It holds no
 * secret, but whoever sees it can answer in its place. 0, ERR_NOMEM, ERR_CONFIG. */
int grant_code_url(const struct grant_code *grant, const struct account *account,
                   const char *endpoint, const char *scope, struct secret *url_r,
                   struct err *err);

enum grant_code_verdict {
    GRANT_CODE_GOOD,        /* our state, and a code */
    GRANT_CODE_REFUSED,     /* our state, and an error: redirect_refusal() */
    GRANT_CODE_WRONG_STATE, /* another sign-in's, or nobody's */
    GRANT_CODE_EMPTY,       /* neither code nor error */
};

/* The state is compared in the same time wherever it differs. */
enum grant_code_verdict grant_code_judge(const struct grant_code *grant,
                                         const struct redirect *redirect);

/* The request that turns the code into tokens. `scope` is what the code was asked with.
 * 0: *request_r has url (= endpoint), proxy, ca_file, all borrowed, and its secrets.
 * ERR_NOMEM, ERR_CONFIG. */
int grant_code_request(const struct grant_code *grant, const struct account *account,
                       const char *endpoint, const char *scope, const struct secret *code,
                       const struct credential *credential, int64_t now,
                       struct http_request *request_r, struct err *err);

#endif
