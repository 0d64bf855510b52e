/* quote.h - write a value so that its place in a configuration takes it for what it is.
 *
 * Used by:  render.c
 * Includes: client/. No I/O.
 *
 * A value is one word, or a command: words with a NUL between them. README.md lists the
 * kinds.
 */
#ifndef MAILBEARER_QUOTE_H
#define MAILBEARER_QUOTE_H

#include "../client/error.h"
#include "../client/secret.h"

/* Appends the value, quoted as `kind` (one of names.def) says. 0; ERR_CONFIG: it cannot
 * be written in this way, and err's text tells which character is in the way, as the end
 * of a sentence that begins with the value's name; ERR_NOMEM. Something may have been
 * appended then. */
int quote_append(const char *kind, const char *value, size_t len, struct secret *out,
                 struct err *err);

/* True when there is such a kind. */
int quote_is_kind(const char *kind);

#endif
