/* failure.h - failures in the words of the protocols, and the server's refusals in ours.
 *
 * Used by:  sign_in.c, upstream.c, local.c
 * Includes: client/, catalogue/. No I/O.
 */
#ifndef MAILBEARER_FAILURE_H
#define MAILBEARER_FAILURE_H

#include <stddef.h>

#include "../token-helper/client/error.h"
#include "wire.h"

/* What a client is told instead of a greeting, CRLF included. Returns buf.
 *     IMAP  * BYE text              (RFC 3501 7.1.5)
 *     POP3  -ERR [AUTH] text        when a person must act (RFC 3206),
 *           -ERR [SYS/TEMP] text    otherwise
 *     SMTP  421 4.3.0 text          (RFC 5321 3.8)
 * ASCII; in POP3 and SMTP at most 512 bytes (RFC 2449, RFC 5321), the remedy in full as
 * far as it goes (where err has none, where to look). In POP3 a hyphen splits "lock" and
 * "wait": fetchmail takes a text that holds them for a locked mailbox and would not
 * report it. */
#define FAILURE_MAX 1200
char *failure_line(enum wire wire, const struct err *err, char buf[FAILURE_MAX]);

/* Sets err from what a server said when it refused something: "HOST WHAT: said", with the
 * catalogue's remedy. `said` holds no secret any more.
 * ERR_TEMP: the catalogue, or the reply code (4xx), says that it passes; ERR_PERSON. */
int failure_said(enum wire wire, const char *host, const char *what, const char *account,
                 const char *user, const char *said, struct err *err);

#endif
