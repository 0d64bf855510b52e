/* loopback.c - see loopback.h. */
#include "loopback.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 128
#define REQUEST_MAX 8192

struct connection {
    struct loopback *server;
    pthread_t thread;
    int fd;
};

struct loopback {
    struct loopback_plan plan;
    pthread_t thread;
    pthread_mutex_t lock;
    int listener, port;
    int stop[2]; /* closing [1] ends every thread */
    int count;
    char request[REQUEST_MAX];
    struct connection connection[CONNECTIONS_MAX];
};

static void
must(bool good, const char *what)
{
    if (!good) {
        perror(what);
        abort();
    }
}

/* Waits for the descriptor; true when there is something, false when the time is over or
 * the server is to stop. */
static bool
wait_for(struct loopback *s, int fd, short events, int ms)
{
    struct pollfd p[2] = {{fd, events, 0}, {s->stop[0], POLLIN, 0}};
    int n;

    while ((n = poll(p, 2, ms)) == -1)
        must(errno == EINTR, "poll");
    return n > 0 && p[1].revents == 0;
}

/* False when the client went away. */
static bool
put(struct loopback *s, int fd, const char *bytes)
{
    size_t len = strlen(bytes);

    while (len > 0) {
        ssize_t n;

        if (!wait_for(s, fd, POLLOUT, -1) ||
            (n = send(fd, bytes, len, MSG_NOSIGNAL)) <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* The headers, and as many bytes behind them as Content-Length says. */
static bool
read_request(struct loopback *s, int fd)
{
    char buf[REQUEST_MAX];
    size_t len = 0, body = 0;
    const char *end = NULL, *field;

    do {
        ssize_t n;

        if (len == sizeof buf - 1 || !wait_for(s, fd, POLLIN, -1) ||
            (n = read(fd, buf + len, sizeof buf - 1 - len)) <= 0)
            return false;
        len += (size_t)n;
        buf[len] = '\0';
        if (end == NULL && (end = strstr(buf, "\r\n\r\n")) != NULL &&
            (field = strcasestr(buf, "Content-Length:")) != NULL)
            body = strtoul(field + strlen("Content-Length:"), NULL, 10);
    } while (end == NULL || len < (size_t)(end + 4 - buf) + body);
    pthread_mutex_lock(&s->lock);
    memcpy(s->request, buf, len + 1);
    pthread_mutex_unlock(&s->lock);
    return true;
}

static void
answer(struct loopback *s, int fd)
{
    const struct linger now = {1, 0};

    switch (s->plan.what) {
    case LOOPBACK_LATE:
        wait_for(s, -1, 0, 200);
        put(s, fd, s->plan.text);
        break;
    case LOOPBACK_REPLY:
        put(s, fd, s->plan.text);
        break;
    case LOOPBACK_HANG:
        wait_for(s, -1, 0, -1);
        break;
    case LOOPBACK_DRIP:
        put(s, fd, s->plan.text);
        while (!wait_for(s, s->stop[0], POLLIN, 20) && put(s, fd, "x"))
            continue;
        break;
    case LOOPBACK_FLOOD:
        put(s, fd, s->plan.text);
        while (put(s, fd, s->plan.more))
            continue;
        break;
    case LOOPBACK_RESET:
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        break;
    case LOOPBACK_GREET:
        put(s, fd, s->plan.text);
        wait_for(s, -1, 0, 100);
        break;
    }
}

static void *
serve(void *arg)
{
    struct connection *c = arg;

    if (c->server->plan.what == LOOPBACK_GREET || read_request(c->server, c->fd))
        answer(c->server, c->fd);
    close(c->fd);
    return NULL;
}

static void *
run(void *arg)
{
    struct loopback *s = arg;

    while (wait_for(s, s->listener, POLLIN, -1)) {
        struct connection *c = &s->connection[s->count];
        int fd = accept(s->listener, NULL, NULL);

        must(fd != -1 && s->count < CONNECTIONS_MAX, "accept");
        *c = (struct connection){.server = s, .fd = fd};
        must(pthread_create(&c->thread, NULL, serve, c) == 0, "pthread_create");
        pthread_mutex_lock(&s->lock);
        s->count++;
        pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

/* A bound socket of its own port. */
static int
bind_any(int *port_r)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(fd != -1 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
             getsockname(fd, (struct sockaddr *)&a, &len) == 0,
         "bind");
    *port_r = ntohs(a.sin_port);
    return fd;
}

struct loopback *
loopback_start(const struct loopback_plan *plan)
{
    struct loopback *s = calloc(1, sizeof *s);

    must(s != NULL, "calloc");
    s->plan = *plan;
    s->listener = bind_any(&s->port);
    must(listen(s->listener, 64) == 0, "listen");
    must(pipe(s->stop) == 0, "pipe");
    pthread_mutex_init(&s->lock, NULL);
    must(pthread_create(&s->thread, NULL, run, s) == 0, "pthread_create");
    return s;
}

int
loopback_port(const struct loopback *s)
{
    return s->port;
}

int
loopback_connections(struct loopback *s)
{
    int n;

    pthread_mutex_lock(&s->lock);
    n = s->count;
    pthread_mutex_unlock(&s->lock);
    return n;
}

const char *
loopback_request(struct loopback *s)
{
    static char copy[REQUEST_MAX];

    pthread_mutex_lock(&s->lock);
    memcpy(copy, s->request, sizeof copy);
    pthread_mutex_unlock(&s->lock);
    return copy;
}

int
loopback_stop(struct loopback *s)
{
    int n;

    close(s->stop[1]);
    pthread_join(s->thread, NULL);
    n = s->count;
    for (int i = 0; i < n; i++)
        pthread_join(s->connection[i].thread, NULL);
    close(s->listener);
    close(s->stop[0]);
    pthread_mutex_destroy(&s->lock);
    explicit_bzero(s->request, sizeof s->request);
    free(s);
    return n;
}

int
loopback_dead_port(void)
{
    int port;

    close(bind_any(&port));
    return port;
}
