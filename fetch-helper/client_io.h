/* client_io.h - the mail program's end: two descriptors, or one socket twice.
 *
 * Used by:  local*.c, splice.c, main.c
 * Includes: client/, stream.h and libc.
 *
 * The descriptors are somebody else's too (a pipe's other users, a terminal's), so they
 * are not made non-blocking. Sockets are asked not to block with each call; pipes are
 * opened once more by way of /proc, which gives a non-blocking descriptor of our own;
 * where that fails, no more is written at once than a pipe that polls as writable takes.
 */
#ifndef MAILBEARER_CLIENT_IO_H
#define MAILBEARER_CLIENT_IO_H

#include <stdbool.h>
#include <stddef.h>

#include "../token-helper/client/deadline.h"
#include "../token-helper/client/error.h"
#include "../token-helper/mail/stream.h"

struct client {
    int in, out;
    bool in_socket, out_socket;
    bool in_blocks, out_blocks;      /* poll before each call */
    struct stream *tls;              /* what goes over the socket, or NULL: as it is */
    const struct deadline *deadline; /* of client_more() and client_say(); NULL: none */
};

/* Takes the descriptors over (they may be the same). `tls` and `deadline` may be set
 * afterwards; they are borrowed. With tls there may be bytes that poll(2) does not show:
 * read until STREAM_AGAIN. */
void client_open(struct client *client, int in, int out);

/* Reads and writes what goes without blocking. After STREAM_AGAIN poll; where
 * client->in_blocks or out_blocks, poll before each call. A client that is gone is
 * STREAM_END in both directions. */
enum stream_result client_read(struct client *client, char *buf, size_t size, size_t *n_r,
                               struct err *err);
enum stream_result client_write(struct client *client, const char *buf, size_t len,
                                size_t *n_r, struct err *err);

/* A lineio_more_fn with a struct client: waits, as long as the client likes
 * or until the deadline, ERR_TIMEOUT. */
int client_more(void *client, char *buf, size_t size, size_t *n_r, struct err *err);

/* Writes everything, waiting as long as it takes or until the deadline. 0; ERR_TEMP: the
 * client is gone; ERR_TIMEOUT. */
int client_say(struct client *client, const char *text, size_t len, struct err *err);

/* Tells the client that nothing more comes. What it sent and nobody read is thrown away,
 * so that a socket does not answer it with a reset. */
void client_finish(struct client *client);

#endif
