/* loop.c - see loop.h. */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define BATCH 64

struct loop {
    int epoll;
    struct loop_source waker; /* an eventfd */
    struct http *http;
    struct epoll_event batch[BATCH];
    int batch_count; /* events of the batch under way */
};

static void
waker_ready(struct loop_source *source, unsigned events)
{
    uint64_t count;

    (void)events;
    while (read(source->fd, &count, sizeof count) < 0 && errno == EINTR)
        continue;
}

int
loop_new(struct loop **loop_r, struct http *http, struct err *err)
{
    struct loop *loop = calloc(1, sizeof *loop);

    if (loop == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    loop->http = http;
    loop->waker =
        (struct loop_source){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), waker_ready};
    if ((loop->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0 || loop->waker.fd < 0 ||
        loop_add(loop, &loop->waker, EPOLLIN, NULL) != 0) {
        err_set(err, ERR_TEMP, "epoll: %s", strerror(errno));
        loop_free(&loop);
        return ERR_TEMP;
    }
    *loop_r = loop;
    return 0;
}

void
loop_free(struct loop **loop)
{
    if (*loop == NULL)
        return;
    if ((*loop)->epoll >= 0)
        close((*loop)->epoll);
    if ((*loop)->waker.fd >= 0)
        close((*loop)->waker.fd);
    free(*loop);
    *loop = NULL;
}

void
loop_wake(struct loop *loop)
{
    static const uint64_t one = 1;
    ssize_t n;

    do { /* EAGAIN: it is awake already, a few thousand million times over */
        n = write(loop->waker.fd, &one, sizeof one);
    } while (n < 0 && errno == EINTR);
}

int
loop_add(struct loop *loop, struct loop_source *source, unsigned events, struct err *err)
{
    struct epoll_event e = {.events = events, .data.ptr = source};

    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, source->fd, &e) != 0)
        return err_set(err, ERR_TEMP, "epoll: %s", strerror(errno));
    return 0;
}

void
loop_change(struct loop *loop, struct loop_source *source, unsigned events)
{
    struct epoll_event e = {.events = events, .data.ptr = source};

    epoll_ctl(loop->epoll, EPOLL_CTL_MOD, source->fd, &e);
}

void
loop_remove(struct loop *loop, struct loop_source *source)
{
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
    /* An event for it may wait further down in this batch. */
    for (int i = 0; i < loop->batch_count; i++)
        if (loop->batch[i].data.ptr == source)
            loop->batch[i].data.ptr = NULL;
}

void
loop_step(struct loop *loop, int timeout_ms)
{
    int n;

    if (http_active(loop->http) > 0) {
        http_poll(loop->http, loop->epoll, timeout_ms);
        timeout_ms = 0;
    }
    n = epoll_wait(loop->epoll, loop->batch, BATCH, timeout_ms);
    loop->batch_count = n < 0 ? 0 : n;
    for (int i = 0; i < loop->batch_count; i++) {
        struct loop_source *source = loop->batch[i].data.ptr;

        if (source != NULL)
            source->ready(source, loop->batch[i].events);
    }
    loop->batch_count = 0;
}
