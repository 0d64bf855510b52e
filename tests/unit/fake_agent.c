/* fake_agent.c - see fake_agent.h. Threads must not fail a cmocka test, so it aborts. */
#include "fake_agent.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define KEPT_MAX 32
#define REQUEST_MAX 20000

struct fake_agent {
    pthread_t thread;
    pthread_mutex_t lock;
    char path[108];
    const struct fake_step *steps;
    size_t count;
    int listener;
    int stop[2]; /* closing [1] stops the thread */
    int kept[KEPT_MAX];
    int kept_count;
    int connections;
    char request[REQUEST_MAX];
};

static void
must(bool good, const char *what)
{
    if (!good) {
        perror(what);
        abort();
    }
}

/* False when the test stopped the agent meanwhile. */
static bool
wait_readable(struct fake_agent *a, int fd)
{
    struct pollfd p[2] = {{fd, POLLIN, 0}, {a->stop[0], POLLIN, 0}};

    while (poll(p, 2, -1) == -1)
        must(errno == EINTR, "poll");
    return p[1].revents == 0;
}

/* Reads one netstring and keeps its payload. */
static bool
request_read(struct fake_agent *a, int fd, bool keep)
{
    char buf[REQUEST_MAX];
    size_t len = 0;
    size_t size = 0;
    int head = 0;

    for (;;) {
        ssize_t n;

        if (!wait_readable(a, fd) ||
            (n = read(fd, buf + len, sizeof(buf) - 1 - len)) <= 0)
            return false;
        len += (size_t)n;
        buf[len] = '\0';
        if (sscanf(buf, "%zu:%n", &size, &head) == 1 && head > 0 &&
            len >= (size_t)head + size + 1)
            break;
    }
    must(buf[(size_t)head + size] == ',', "request");
    pthread_mutex_lock(&a->lock);
    if (keep) {
        memcpy(a->request, buf + head, size);
        a->request[size] = '\0';
    }
    pthread_mutex_unlock(&a->lock);
    explicit_bzero(buf, sizeof(buf));
    return true;
}

static void
put(int fd, const char *bytes, size_t len, size_t piece)
{
    while (len > 0) {
        size_t n = len < piece ? len : piece;

        if (send(fd, bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
            return;
        bytes += n;
        len -= n;
        if (len > 0)
            usleep(500);
    }
}

static void
reply(int fd, const struct fake_step *step)
{
    size_t len = strlen(step->text);
    char *frame = malloc(len + 32);
    int head;

    must(frame != NULL, "malloc");
    head = snprintf(frame, 32, "%zu:", len);
    memcpy(frame + head, step->text, len);
    for (size_t i = 0; step->what == FAKE_MASKED && i < len; i++)
        frame[(size_t)head + i] = (char)(frame[(size_t)head + i] ^ FAKE_MASK);
    frame[(size_t)head + len] = ',';
    len += (size_t)head + 1;
    put(fd, frame, len, step->what == FAKE_DRIP ? 1 : len);
    explicit_bzero(frame, len);
    free(frame);
}

static void
serve(struct fake_agent *a, int fd, const struct fake_step *step)
{
    bool keep = step->what == FAKE_RAW || step->what == FAKE_SILENT;

    if (step->what != FAKE_SLAM && request_read(a, fd, step->what != FAKE_MASKED)) {
        if (step->what == FAKE_LATE)
            usleep(300000);
        if (step->what == FAKE_RAW || step->what == FAKE_CUT)
            put(fd, step->text, strlen(step->text), strlen(step->text));
        else if (step->what != FAKE_SILENT)
            reply(fd, step);
    }
    if (keep && a->kept_count < KEPT_MAX)
        a->kept[a->kept_count++] = fd;
    else
        close(fd);
}

static void *
run(void *context)
{
    struct fake_agent *a = context;

    while (wait_readable(a, a->listener)) {
        int fd = accept(a->listener, NULL, NULL);
        size_t number;

        must(fd != -1, "accept");
        pthread_mutex_lock(&a->lock);
        number = (size_t)a->connections++;
        pthread_mutex_unlock(&a->lock);
        serve(a, fd, &a->steps[number < a->count ? number : a->count - 1]);
    }
    return NULL;
}

struct fake_agent *
fake_agent_start(const char *path, const struct fake_step *steps, size_t count)
{
    struct fake_agent *a = calloc(1, sizeof(*a));
    struct sockaddr_un addr = {AF_UNIX, ""};

    must(a != NULL, "calloc");
    must(strlen(path) + 5 < sizeof(a->path), "path of a fake agent too long");
    snprintf(a->path, sizeof(a->path), "%s", path);
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s.new", path);
    a->steps = steps;
    a->count = count;
    a->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(bind(a->listener, (struct sockaddr *)&addr, sizeof(addr)) == 0, "bind");
    must(listen(a->listener, 64) == 0, "listen");
    /* Renamed when it listens: nobody meets a moment without a socket. */
    must(rename(addr.sun_path, path) == 0, "rename");
    must(pipe(a->stop) == 0, "pipe");
    pthread_mutex_init(&a->lock, NULL);
    must(pthread_create(&a->thread, NULL, run, a) == 0, "pthread_create");
    return a;
}

int
fake_agent_connections(struct fake_agent *a)
{
    int n;

    pthread_mutex_lock(&a->lock);
    n = a->connections;
    pthread_mutex_unlock(&a->lock);
    return n;
}

const char *
fake_agent_request(struct fake_agent *a)
{
    const char *text;

    pthread_mutex_lock(&a->lock);
    text = a->request;
    pthread_mutex_unlock(&a->lock);
    return text;
}

int
fake_agent_stop(struct fake_agent *a)
{
    int n;

    close(a->stop[1]);
    pthread_join(a->thread, NULL);
    n = a->connections;
    close(a->stop[0]);
    close(a->listener);
    unlink(a->path);
    while (a->kept_count > 0)
        close(a->kept[--a->kept_count]);
    pthread_mutex_destroy(&a->lock);
    free(a);
    return n;
}
