/* secret.h - the only carrier of tokens, secrets and passwords.
 *
 * Used by:  every part of mailbearer, the plugin included.
 * Includes: libc only.
 *
 * Bytes in a struct secret are wiped when it is cleared, reset or grows (it grows by
 * allocate, copy, wipe, free: realloc would leave the old bytes behind). It has a hard
 * maximum. The content is always followed by a NUL that is not counted, so that
 * secret_str() can be handed to C functions. There is no function that formats one.
 */
#ifndef MAILBEARER_SECRET_H
#define MAILBEARER_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#define SECRET_MAX_DEFAULT (256u * 1024u)

struct secret {
    char *data; /* NULL or `cap` bytes, NUL-terminated */
    size_t len; /* bytes in use, the NUL not counted */
    size_t cap;
    size_t max; /* most bytes it may hold; 0 means SECRET_MAX_DEFAULT */
};

#define SECRET_INIT                                                                      \
    {                                                                                    \
        NULL, 0, 0, 0                                                                    \
    }

/* Wipes and frees; the struct is empty and usable afterwards, `max` is kept. */
void secret_clear(struct secret *s);

/* Wipes the content and keeps the allocation (for a buffer that is used again). */
void secret_reset(struct secret *s);

/* Makes room for `more` further bytes. 0, ERR_NOMEM, or ERR_PROTOCOL when the maximum
 * would be passed; the content is untouched on failure. */
int secret_reserve(struct secret *s, size_t more);

/* Append. Returns as secret_reserve(). `bytes` must not point into `s`. */
int secret_append(struct secret *s, const void *bytes, size_t len);
int secret_append_str(struct secret *s, const char *str);
int secret_append_char(struct secret *s, char c);

/* Replaces the content. Returns as secret_reserve(); on failure `s` is empty. */
int secret_set(struct secret *s, const void *bytes, size_t len);

/* Removes `n` bytes (at most len) from the front, wiping what becomes free. */
void secret_consume(struct secret *s, size_t n);

/* Moves the content: `to` is cleared first, `from` is left empty. */
void secret_move(struct secret *to, struct secret *from);

/* The content as a C string, "" when empty. Borrowed: until the next change of `s`. */
const char *secret_str(const struct secret *s);

/* True when the same bytes; takes the same time wherever they differ. */
bool secret_equal(const struct secret *a, const struct secret *b);

/* True when a byte is below 0x20 or is 0x7f: such a token or secret is refused, since CR,
 * LF, NUL and 0x01 are what the SASL messages and HTTP are framed with. */
bool secret_has_control(const struct secret *s);

#endif
