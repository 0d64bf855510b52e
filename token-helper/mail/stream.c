/* stream.c - see stream.h. */
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define STOP_LOOK_MS 200 /* how often `stop` is looked at */

static int
too_late(struct err *err)
{
    return err_set(err, ERR_TIMEOUT, "the server did not answer in time");
}

/* Is there no time any more? A server may talk without end, so this is asked also where
 * nothing has to be waited for. */
static int
check_time(const struct stream_wait *wait, struct err *err)
{
    if (wait->stop != NULL && atomic_load(wait->stop))
        return err_set(err, ERR_TEMP, "given up: the program ends");
    return deadline_passed(&wait->deadline) ? too_late(err) : 0;
}

static int
wait_for(struct stream_wait *wait, short events, struct err *err)
{
    struct pollfd p = {wait->stream->fd, events, 0};

    for (;;) {
        int left = deadline_left(&wait->deadline);
        int r = check_time(wait, err);
        int n;

        if (r != 0)
            return r;
        n = poll(&p, 1, wait->stop != NULL && left > STOP_LOOK_MS ? STOP_LOOK_MS : left);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return err_set(err, ERR_TEMP, "cannot listen to the server: %s",
                           strerror(errno));
    }
}

int
stream_more(void *stream_wait, char *buf, size_t size, size_t *n_r, struct err *err)
{
    struct stream_wait *wait = stream_wait;
    int r;

    for (;;) {
        if ((r = check_time(wait, err)) != 0)
            return r;
        switch (wait->stream->recv(wait->stream, buf, size, n_r, err)) {
        case STREAM_DONE:
            return 0;
        case STREAM_END:
            *n_r = 0;
            return 0;
        case STREAM_FAILED:
            return ERR_TEMP;
        case STREAM_AGAIN:
            if ((r = wait_for(wait, POLLIN, err)) != 0)
                return r;
        }
    }
}

int
stream_send_all(struct stream_wait *wait, const char *buf, size_t len, struct err *err)
{
    size_t n = 0;
    int r;

    while (len > 0) {
        if ((r = check_time(wait, err)) != 0)
            return r;
        switch (wait->stream->send(wait->stream, buf, len, &n, err)) {
        case STREAM_DONE:
            buf += n;
            len -= n;
            break;
        case STREAM_END:
            return err_set(err, ERR_TEMP, "the server closed the connection");
        case STREAM_FAILED:
            return ERR_TEMP;
        case STREAM_AGAIN:
            if ((r = wait_for(wait, POLLOUT, err)) != 0)
                return r;
        }
    }
    return 0;
}
