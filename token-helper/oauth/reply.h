/* reply.h - read what a token endpoint answered (RFC 6749 5.1, 5.2). No I/O, no clock.
 *
 * Used by:  acquire.c
 * Includes: base/json.h, catalogue/, accounts/store.h for the record, client/.
 *
 * What to do next is decided from the HTTP status and the OAuth `error`; AADSTS numbers
 * and the catalogue choose the words.
 */
#ifndef MAILBEARER_REPLY_H
#define MAILBEARER_REPLY_H

#include <stdint.h>

#include "../accounts/accounts.h"
#include "../accounts/store.h"

#define REPLY_TOKEN_MAX                                                                  \
    65536u /* an access token longer than this fits no socketmap reply */
#define REPLY_LIFE_DEFAULT 600 /* seconds, when expires_in is missing */
#define REPLY_LIFE_MAX (2 * 86400)

struct reply_input {
    const struct account *account; /* fills in the remedy's placeholders */
    long status;
    const char *body;
    size_t len;
    int64_t now;                  /* when the reply came, epoch seconds */
    const struct secret *sent[3]; /* secrets of the request: never repeated in a text */
};

/* Takes the reply into `record`.
 * 0: access token, expiry, refresh time and scope are new; the refresh token is replaced
 *    only by a new non-empty one.
 * ERR_TEMP, ERR_PROTOCOL: try again later. ERR_PERSON: somebody must act. ERR_NOMEM.
 * On failure err has what and what to do; the record is untouched, except that a new
 * refresh token is kept when only the rest of the reply cannot be used. */
int reply_token(const struct reply_input *in, struct record *record, struct err *err);

#endif
