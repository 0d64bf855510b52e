/* refusal.h - what a mail server says when it refuses something, in our words.
 *
 * Used by:  sign_in.c, connection.c
 * Includes: client/, catalogue/. No I/O.
 */
#ifndef MAILBEARER_REFUSAL_H
#define MAILBEARER_REFUSAL_H

#include "../client/error.h"
#include "wire.h"

/* Sets err from what a server said when it refused something: "HOST WHAT: said", with the
 * catalogue's remedy. `said` holds no secret any more.
 * ERR_TEMP: the catalogue, or the reply code (4xx), says that it passes; ERR_PERSON. */
int refusal_said(enum wire wire, const char *host, const char *what, const char *account,
                 const char *user, const char *said, struct err *err);

#endif
