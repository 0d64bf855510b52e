/* loopback_private.h - what loopback*.c share; nobody else includes it. */
#ifndef MAILBEARER_LOOPBACK_PRIVATE_H
#define MAILBEARER_LOOPBACK_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "loopback.h"
#include "loopback_socket.h"

enum loopback_phase {
    LOOPBACK_FREE,
    LOOPBACK_READING,  /* the request's head */
    LOOPBACK_HELD,     /* until loopback_finish() */
    LOOPBACK_WRITING,  /* the page */
    LOOPBACK_DRAINING, /* until the browser closes: an early close() could cost it the
                          page */
};

struct loopback_connection {
    enum loopback_phase phase;
    int fd;
    struct secret in; /* holds the code, when it is the right one */
    struct secret out;
    size_t sent;
    int64_t since_ms; /* the oldest gives way */
    int64_t until_ms;
};

struct loopback {
    struct loopback_options options;
    int epoll;
    struct loopback_sockets listening;
    struct loopback_connection connection[LOOPBACK_CONNECTIONS];
    unsigned notes;
    bool answered; /* the right answer has come */
};

/* Closes, wipes, and makes the place free. */
void loopback_drop(struct loopback_connection *c);

/* Does what a connection that is ready lets be done; `events` as epoll(7) gives them. */
void loopback_advance(struct loopback *l, struct loopback_connection *c, uint32_t events);

/* Begins to send the page. */
void loopback_begin_answer(struct loopback *l, struct loopback_connection *c,
                           const struct web_page *page);

/* The request did not come in time. */
void loopback_too_slow(struct loopback *l, struct loopback_connection *c);

#endif
