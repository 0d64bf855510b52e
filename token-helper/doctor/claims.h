/* claims.h - what stands in an access token, and whether it fits the account.
 *
 * Used by:  claims.c's claims_check(), tests
 * Includes: accounts/, base/json.h, report.h. No I/O; the time is a parameter.
 *
 * A token is its mail server's business: nothing here is verified, trusted or used for
 * anything but findings. Entra says that clients must not look; administrators must.
 */
#ifndef MAILBEARER_CLAIMS_H
#define MAILBEARER_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "../accounts/accounts.h"
#include "../base/json.h"
#include "report.h"

#define CLAIMS_MAX 65536u /* bytes of a token that is looked into */

enum claims_kind {
    CLAIMS_READ,    /* a JWT (RFC 7519) */
    CLAIMS_COMPACT, /* of a personal Microsoft account: opaque */
    CLAIMS_GOOGLE,  /* opaque */
    CLAIMS_OPAQUE,  /* another one */
};

/* Reads the payload of a JWT. *json_r (json_free()) is set with CLAIMS_READ alone. */
enum claims_kind claims_read(const struct secret *token, struct json **json_r);

struct claims_question {
    const struct account *account; /* NULL: not known; the mailbox is then `user` */
    const char *user;
    const struct json *json;
    int64_t now;
    bool asked[PROTOCOL_COUNT];  /* expressly: then it must be allowed */
    bool wanted[PROTOCOL_COUNT]; /* out: false where the token is not made for it */
};

/* Adds what it finds. */
void claims_judge(struct claims_question *q, struct report *report);

/* Of an application's own token: the object id of the enterprise application, borrowed.
 * NULL: it is a person's token, or does not say. */
const char *claims_object_id(const struct json *json);

/* Is it a token of Entra's? */
bool claims_are_microsofts(const struct json *json);

#endif
