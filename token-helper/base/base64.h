/* base64.h - base64 as SASL uses it in IMAP, POP3 and SMTP (RFC 4648 section 4).
 *
 * Used by:  token_format.c, fetch-helper/
 * Includes: client/ and libc. No I/O.
 */
#ifndef MAILBEARER_BASE64_H
#define MAILBEARER_BASE64_H

#include <stddef.h>

#include "../client/secret.h"

/* Appends the text of bytes[0..len). Returns as secret_append(). */
int base64_encode(const char *bytes, size_t len, struct secret *out);

/* Appends the bytes of text[0..len). ERR_PROTOCOL, `out` as it was: it is not base64 (a
 * foreign character, wrong padding). Else as secret_append(). */
int base64_decode(const char *text, size_t len, struct secret *out);

#endif
