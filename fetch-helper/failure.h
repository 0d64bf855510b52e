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

#endif
