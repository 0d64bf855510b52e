/* failure.h - failures in the words of the protocols, for the mail program.
 *
 * Used by:  local.c
 * Includes: client/, mail/wire.h. No I/O.
 */
#ifndef MAILBEARER_FAILURE_H
#define MAILBEARER_FAILURE_H

#include <stddef.h>

#include "../token-helper/client/error.h"
#include "../token-helper/mail/wire.h"

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

/* What a client is told in the place of "signed in", at a local port where its own
 * sign-in was right and the server's failed. `tag` is IMAP's, at most FAILURE_TAG_MAX
 * bytes.
 *     IMAP  TAG NO [AUTHENTICATIONFAILED] text   when a person must act (RFC 5530),
 *           TAG NO [UNAVAILABLE] text            otherwise
 *     POP3  as above
 *     SMTP  454 4.7.0 text                       always: on 535 a queue would give its
 *                                                mail up, which goes out when the account
 *                                                is repaired (RFC 4954 6) */
#define FAILURE_TAG_MAX 200
char *failure_sign_in(enum wire wire, const char *tag, const struct err *err,
                      char buf[FAILURE_MAX]);

#endif
