/* client_io.c - see client_io.h. */
#include "client_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "local_tls.h"

/* A non-blocking descriptor of our own for the same pipe, in its place. */
static bool
reopen_pipe(int fd, int flags)
{
    char path[40];
    int own;
    bool done;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    own = open(path, flags | O_NONBLOCK | O_CLOEXEC);
    if (own == -1)
        return false;
    done = dup3(own, fd, O_CLOEXEC) != -1;
    close(own);
    return done;
}

static void
look_at(int fd, int flags, bool *socket_r, bool *blocks_r)
{
    struct stat st;
    int now = fcntl(fd, F_GETFL);

    *socket_r = fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
    *blocks_r = !*socket_r && (now == -1 || (now & O_NONBLOCK) == 0);
    if (*blocks_r && S_ISFIFO(st.st_mode) && reopen_pipe(fd, flags))
        *blocks_r = false;
}

void
client_open(struct client *client, int in, int out)
{
    *client = (struct client){.in = in, .out = out};
    look_at(in, O_RDONLY, &client->in_socket, &client->in_blocks);
    look_at(out, O_WRONLY, &client->out_socket, &client->out_blocks);
}

enum stream_result
client_read(struct client *client, char *buf, size_t size, size_t *n_r, struct err *err)
{
    ssize_t n;

    if (client->tls != NULL)
        return client->tls->recv(client->tls, buf, size, n_r, err);
    n = client->in_socket ? recv(client->in, buf, size, MSG_DONTWAIT)
                          : read(client->in, buf, size);
    if (n > 0) {
        *n_r = (size_t)n;
        return STREAM_DONE;
    }
    if (n == 0 || errno == ECONNRESET || errno == EIO) /* EIO: a terminal hung up */
        return STREAM_END;
    if (errno == EAGAIN || errno == EINTR)
        return STREAM_AGAIN;
    err_set(err, ERR_TEMP, "cannot read from the mail program: %s", strerror(errno));
    return STREAM_FAILED;
}

enum stream_result
client_write(struct client *client, const char *buf, size_t len, size_t *n_r,
             struct err *err)
{
    ssize_t n;

    if (client->tls != NULL)
        return client->tls->send(client->tls, buf, len, n_r, err);
    if (client->out_blocks && len > PIPE_BUF)
        len = PIPE_BUF;
    n = client->out_socket ? send(client->out, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL)
                           : write(client->out, buf, len);
    if (n >= 0) {
        *n_r = (size_t)n;
        return STREAM_DONE;
    }
    if (errno == EAGAIN || errno == EINTR)
        return STREAM_AGAIN;
    if (errno == EPIPE || errno == ECONNRESET)
        return STREAM_END;
    err_set(err, ERR_TEMP, "cannot write to the mail program: %s", strerror(errno));
    return STREAM_FAILED;
}

/* 0, ERR_TIMEOUT. */
static int
wait_for(const struct client *client, int fd, short events, struct err *err)
{
    struct pollfd p = {fd, events, 0};

    if (client->deadline != NULL && deadline_passed(client->deadline))
        return err_set(err, ERR_TIMEOUT, "the mail program takes too long");
    poll(&p, 1, client->deadline != NULL ? deadline_left(client->deadline) : -1);
    return 0;
}

int
client_more(void *client, char *buf, size_t size, size_t *n_r, struct err *err)
{
    struct client *c = client;
    bool look = c->tls == NULL; /* what TLS holds already is not seen by poll(2) */
    int r;

    for (;; look = true) {
        if (look && (r = wait_for(c, c->in, POLLIN, err)) != 0)
            return r;
        switch (client_read(c, buf, size, n_r, err)) {
        case STREAM_DONE:
            return 0;
        case STREAM_END:
            *n_r = 0;
            return 0;
        case STREAM_FAILED:
            return ERR_TEMP;
        case STREAM_AGAIN:
            break;
        }
    }
}

int
client_say(struct client *client, const char *text, size_t len, struct err *err)
{
    size_t n = 0;
    int r;

    while (len > 0) {
        if ((r = wait_for(client, client->out, POLLOUT, err)) != 0)
            return r;
        switch (client_write(client, text, len, &n, err)) {
        case STREAM_DONE:
            text += n;
            len -= n;
            break;
        case STREAM_END:
            return err_set(err, ERR_TEMP, "the mail program is gone");
        case STREAM_FAILED:
            return ERR_TEMP;
        case STREAM_AGAIN:
            break;
        }
    }
    return 0;
}

void
client_finish(struct client *client)
{
    char rest[4096];
    size_t n;

    if (client->tls != NULL)
        local_tls_finish(client->tls);
    if (client->out_socket)
        shutdown(client->out, SHUT_WR);
    while (client->in_socket &&
           client_read(client, rest, sizeof rest, &n, NULL) == STREAM_DONE)
        ;
}
