/* stream.h - a connection that can be read and written without blocking.
 *
 * Used by:  connection.c (libcurl is behind it), sign_in.c, splice.c; tests put a socket
 *           behind it.
 * Includes: client/ and libc.
 */
#ifndef MAILBEARER_STREAM_H
#define MAILBEARER_STREAM_H

#include <stdatomic.h>
#include <stddef.h>

#include "../client/deadline.h"
#include "../client/error.h"

enum stream_result {
    STREAM_DONE,  /* some bytes */
    STREAM_AGAIN, /* none now: poll, then again */
    STREAM_END,   /* recv: the other side has ended; send: it takes no more */
    STREAM_FAILED /* broken; *err says why */
};

/* recv fills at most `size` bytes and is to be called until STREAM_AGAIN before poll:
 * bytes may wait in a TLS record that the descriptor does not show. send takes at most
 * `len` bytes; after STREAM_AGAIN it must be repeated with the same buffer and length. */
struct stream {
    int fd; /* for poll(2) alone */
    enum stream_result (*recv)(struct stream *stream, char *buf, size_t size, size_t *n_r,
                               struct err *err);
    enum stream_result (*send)(struct stream *stream, const char *buf, size_t len,
                               size_t *n_r, struct err *err);
};

/* A stream with the time its dialogue may take; the argument of stream_more(). */
struct stream_wait {
    struct stream *stream;
    struct deadline deadline;
    const atomic_bool *stop; /* struct mail_server's */
};

/* A lineio_more_fn: reads at least one byte. ERR_TIMEOUT when the deadline passes. */
int stream_more(void *stream_wait, char *buf, size_t size, size_t *n_r, struct err *err);

/* Sends everything. 0, ERR_TIMEOUT, ERR_TEMP. */
int stream_send_all(struct stream_wait *wait, const char *buf, size_t len,
                    struct err *err);

#endif
