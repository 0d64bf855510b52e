/* oauth_message.h - the messages of XOAUTH2 and OAUTHBEARER as bytes; no I/O.
 *
 * Used by:  sasl-plugin/plugin.c, base/token_format.c
 * Includes: client/ and libc (no SASL headers: tested and fuzzed alone).
 *
 * XOAUTH2 is described by Google and Microsoft only, OAUTHBEARER by RFC 7628. Both send
 * one message, and both answer a server's refusal (a JSON object sent as a challenge)
 * with a message that carries nothing, after which the server fails the exchange in its
 * protocol.
 */
#ifndef MAILBEARER_OAUTH_MESSAGE_H
#define MAILBEARER_OAUTH_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "secret.h"

enum oauth_mech { OAUTH_XOAUTH2, OAUTH_OAUTHBEARER };

/* Replaces *out with the message, not base64-coded.
 * ERR_USAGE: the user or the token is empty or holds a control character (0x01, CR, LF,
 *            NUL: they would end a field, or the line). The text tells which of the two.
 * ERR_NOMEM, ERR_PROTOCOL (longer than *out may be). On failure *out is empty. */
int oauth_message_build(enum oauth_mech mech, const char *user,
                        const struct secret *token, struct secret *out, struct err *err);

/* What answers a refusal: "" (XOAUTH2) or 0x01 (OAUTHBEARER, RFC 7628 section 3.2.3).
 * Static; *len_r bytes. */
const char *oauth_message_abort(enum oauth_mech mech, size_t *len_r);

/* Is this challenge a refusal? Anything that begins with '{' is; an empty challenge is
 * not, nor are the left-over bytes that some hosts pass once the server has accepted. */
bool oauth_refusal_is(const char *challenge, size_t len);

/* The refusal as one line for a log: without control characters, at most
 * OAUTH_REFUSAL_MAX - 1 bytes, and without the token. A server that repeats it, or 16
 * bytes of it, gets a text in place of its own. Returns `buf`. */
#define OAUTH_REFUSAL_MAX 400
char *oauth_refusal_text(const char *challenge, size_t len, const struct secret *token,
                         char buf[OAUTH_REFUSAL_MAX]);

#endif
