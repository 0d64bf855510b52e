/* loop.c - see loop.h. */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>

#define BATCH 64

struct loop {
    int epoll;
    struct http *http;
    struct epoll_event batch[BATCH];
    int batch_count; /* events of the batch under way */
};

int
loop_new(struct loop **loop_r, struct http *http, struct err *err)
{
    struct loop *loop = calloc(1, sizeof *loop);

    if (loop == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    if ((loop->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0) {
        free(loop);
        return err_set(err, ERR_TEMP, "epoll: %s", strerror(errno));
    }
    loop->http = http;
    *loop_r = loop;
    return 0;
}

void
loop_free(struct loop **loop)
{
    if (*loop == NULL)
        return;
    close((*loop)->epoll);
    free(*loop);
    *loop = NULL;
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

    http_poll(loop->http, loop->epoll, timeout_ms);
    n = epoll_wait(loop->epoll, loop->batch, BATCH, 0);
    loop->batch_count = n < 0 ? 0 : n;
    for (int i = 0; i < loop->batch_count; i++) {
        struct loop_source *source = loop->batch[i].data.ptr;

        if (source != NULL)
            source->ready(source, loop->batch[i].events);
    }
    loop->batch_count = 0;
}
