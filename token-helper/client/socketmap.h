/* socketmap.h - Postfix's socketmap protocol (socketmap_table(5)) as bytes; no I/O.
 *
 * Used by:  agent_client.c, the agent.
 * Includes: client/ and libc.
 *
 * A request is the netstring of "NAME KEY", a reply the netstring of "STATUS TEXT".
 * Our names, keys and replies are described in PROTOCOL.md.
 */
#ifndef MAILBEARER_SOCKETMAP_H
#define MAILBEARER_SOCKETMAP_H

#include "error.h"
#include "secret.h"

#define SOCKETMAP_REQUEST_MAX 16384u /* payload bytes we accept and send */
#define SOCKETMAP_REPLY_MAX 100000u  /* Postfix's own limit for a reply */

/* A reply of PERM whose text begins so is ERR_DENIED, any other PERM is ERR_PERSON. */
#define SOCKETMAP_DENIED "not allowed: "

/* Appends the netstring "LEN:PAYLOAD," to `out`. 0, ERR_NOMEM, or ERR_PROTOCOL when `len`
 * is above `max`. */
int socketmap_frame(const char *payload, size_t len, size_t max, struct secret *out);

/* Looks for one whole netstring at the start of buf[0..len).
 * 0:            *payload_r, *payload_len_r borrow from buf; *used_r bytes belong to it.
 * ERR_TEMP:     not whole yet, read more (err untouched).
 * ERR_PROTOCOL: not a netstring, a length with a leading zero, or above `max`. */
int socketmap_unframe(const char *buf, size_t len, size_t max, const char **payload_r,
                      size_t *payload_len_r, size_t *used_r, struct err *err);

/* Appends the framed request "MAP KEY". ERR_USAGE when the key holds a control character
 * or the whole is above SOCKETMAP_REQUEST_MAX. */
int socketmap_request(const char *map, const char *key, struct secret *out,
                      struct err *err);

/* Takes a reply's payload apart.
 * 0:     the reply is OK; *text_r and *text_len_r borrow the text behind "OK ".
 * ERR_*: what the reply says; err has the text. NOTFOUND is ERR_NOACCOUNT, TEMP ERR_TEMP,
 *        TIMEOUT ERR_TIMEOUT, PERM ERR_DENIED or ERR_PERSON, the rest ERR_PROTOCOL. */
int socketmap_reply_read(const char *payload, size_t len, const char **text_r,
                         size_t *text_len_r, struct err *err);

/* Appends a framed reply: "OK TEXT" of `len` bytes ... */
int socketmap_reply_ok(const char *text, size_t len, struct secret *out);

/* ... or the failure `err` as NOTFOUND, TEMP, TIMEOUT or PERM (never OK). */
int socketmap_reply_err(const struct err *err, struct secret *out);

#endif
