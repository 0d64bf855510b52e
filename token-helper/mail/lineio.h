/* lineio.h - lines of bounded length out of a stream of bytes, and what follows them.
 *
 * Used by:  local*.c (the client's lines), sign_in.c (the server's)
 * Includes: client/ and libc. No I/O of its own: bytes come from a function.
 *
 * Passwords and tokens may be in these lines, so that all buffers are struct secret.
 * Nothing that was read is lost: what stands behind the last line taken is handed on with
 * lineio_rest().
 */
#ifndef MAILBEARER_LINEIO_H
#define MAILBEARER_LINEIO_H

#include <stddef.h>

#include "../client/error.h"
#include "../client/secret.h"

/* Reads at least one byte into buf. 0, with *n_r == 0 at the end of the stream; ERR_*. */
typedef int lineio_more_fn(void *arg, char *buf, size_t size, size_t *n_r,
                           struct err *err);

#define LINEIO_END (-1) /* the stream ended, in the middle of a line perhaps */

struct lineio {
    lineio_more_fn *more;
    void *arg;
    size_t max;         /* longest line in bytes, its end counted */
    struct secret in;   /* what was read; taken up to `pos` */
    struct secret line; /* the line taken last */
    size_t pos;
    size_t last; /* where the line taken last begins */
};

/* `arg` is handed to `more`, and borrowed. */
void lineio_init(struct lineio *io, size_t max, lineio_more_fn *more, void *arg);

void lineio_clear(struct lineio *io);

/* Takes one line. 0: *line_r is its text without CRLF or LF, borrowed until the next
 * call. LINEIO_END. ERR_PROTOCOL: longer than `max`, or it holds a NUL byte. ERR_NOMEM,
 * and what `more` returns. */
int lineio_line(struct lineio *io, const char **line_r, struct err *err);

/* Takes `n` bytes of any kind, at most `max` (ERR_PROTOCOL), and drops them. LINEIO_END,
 * ERR_NOMEM, what `more` returns. */
int lineio_skip(struct lineio *io, size_t n, struct err *err);

/* The same, but appends them to `out`; a NUL among them is taken too. */
int lineio_take(struct lineio *io, size_t n, struct secret *out, struct err *err);

/* Puts the line taken last back, byte for byte. */
void lineio_unread(struct lineio *io);

/* What was read and not taken: *len_r bytes, borrowed. */
const char *lineio_rest(const struct lineio *io, size_t *len_r);

#endif
