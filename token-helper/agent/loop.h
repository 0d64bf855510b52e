/* loop.h - the agent's event loop: our descriptors by epoll, transfers by libcurl.
 *
 * Used by:  agent/
 * Includes: oauth/http.h, client/.
 *
 * One thread. While there are transfers, libcurl waits for them and for the epoll
 * descriptor, else epoll_wait() alone; what is ready is then handled a batch at a time,
 * so that no kind of event starves another.
 */
#ifndef MAILBEARER_LOOP_H
#define MAILBEARER_LOOP_H

#include <stdbool.h>

#include "../client/error.h"
#include "../oauth/http.h"

/* Embedded in what owns the descriptor. */
struct loop_source {
    int fd;
    void (*ready)(struct loop_source *source,
                  unsigned events); /* EPOLLIN, EPOLLOUT, ... */
};

struct loop;

int loop_new(struct loop **loop_r, struct http *http, struct err *err);
void loop_free(struct loop **loop);

/* Watches source->fd (level-triggered). 0, or ERR_TEMP when the kernel refuses. */
int loop_add(struct loop *loop, struct loop_source *source, unsigned events,
             struct err *err);
void loop_change(struct loop *loop, struct loop_source *source, unsigned events);

/* Stops watching. No event of the present batch reaches it any more: its memory may be
 * freed at once. */
void loop_remove(struct loop *loop, struct loop_source *source);

/* Ends a waiting loop_step() early. From any thread. */
void loop_wake(struct loop *loop);

/* Waits at most timeout_ms, then handles one batch. */
void loop_step(struct loop *loop, int timeout_ms);

#endif
