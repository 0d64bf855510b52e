/* credential.h - how an account's application proves who it is, as the accounts file
 * says.
 *
 * Used by:  acquire.c, request.c, the sign-in flows
 * Includes: crypto.h, accounts/, base/, client/. credential_read() blocks: on files, or
 * on a command for at most SECRET_COMMAND_MS; the agent calls it off its event loop.
 *
 * Read anew for every request: a renewed secret, certificate or federated token counts at
 * once.
 */
#ifndef MAILBEARER_CREDENTIAL_H
#define MAILBEARER_CREDENTIAL_H

#include <stdint.h>

#include "../accounts/accounts.h"
#include "crypto.h"

/* At most one of the three is set; none for a public client, which must send none. */
struct credential {
    struct secret secret;             /* client_secret */
    struct secret assertion;          /* a federated token, somebody else signed it */
    struct crypto_identity *identity; /* certificate and key: we sign, for each request */
};

#define CREDENTIAL_INIT                                                                  \
    {                                                                                    \
        SECRET_INIT, SECRET_INIT, NULL                                                   \
    }

#define FEDERATED_TOKEN_MAX 65536u

/* 0: *credential_r is filled in. ERR_CONFIG (a file is absent, not private, empty, not
 * what it should be; key and certificate differ), ERR_PERSON (the certificate has
 * expired), ERR_TEMP, ERR_TIMEOUT (a command; a certificate that is not valid yet),
 * ERR_STORE, ERR_NOMEM. err never holds what was read. */
int credential_read(const struct account *account, int64_t now,
                    struct credential *credential_r, struct err *err);

void credential_clear(struct credential *credential);

/* Was one of its files changed at `since` (epoch seconds) or later? Not in the second of
 * `since` itself, where before and after cannot be told, until that is over; nor in the
 * future, where a clock that was set back leaves files. */
bool credential_changed_since(const struct account *account, int64_t since, int64_t now);

#endif
