/* resolve.c - see resolve.h. */
#include "resolve.h"

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* Shared with the threads, and freed by whoever uses it last. */
struct round {
    pthread_mutex_t lock;
    pthread_cond_t change;
    unsigned users;   /* threads, and resolve_all() */
    unsigned waiting; /* threads that have not answered */
    struct resolved result[RESOLVE_MAX];
};

struct one {
    struct round *round;
    size_t index;
    int64_t since_ms;
    char name[256];
};

static struct round *
round_new(void)
{
    struct round *r = calloc(1, sizeof *r);
    pthread_condattr_t attr;

    if (r == NULL)
        return NULL;
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&r->change, &attr);
    pthread_condattr_destroy(&attr);
    r->users = 1;
    return r;
}

/* The lock is held, and given back. */
static void
round_leave(struct round *r)
{
    bool last = --r->users == 0;

    pthread_mutex_unlock(&r->lock);
    if (!last)
        return;
    pthread_cond_destroy(&r->change);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static void
ask(const char *name, struct resolved *result)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int e = getaddrinfo(name, NULL, &hints, &list);

    if (e != 0)
        snprintf(result->why, sizeof result->why, "%s", gai_strerror(e));
    for (const struct addrinfo *a = list; e == 0 && a != NULL; a = a->ai_next) {
        result->v4 += a->ai_family == AF_INET;
        result->v6 += a->ai_family == AF_INET6;
    }
    if (e == 0)
        freeaddrinfo(list);
    result->done = true;
}

static void *
thread_main(void *arg)
{
    struct one *o = arg;
    struct resolved result = {.done = false};

    ask(o->name, &result);
    result.ms = (int)(deadline_now() - o->since_ms);
    pthread_mutex_lock(&o->round->lock);
    o->round->result[o->index] = result;
    o->round->waiting--;
    pthread_cond_broadcast(&o->round->change);
    round_leave(o->round);
    free(o);
    return NULL;
}

static void
start(struct round *r, size_t index, const char *name)
{
    struct one *o = calloc(1, sizeof *o);
    pthread_t thread;

    if (o == NULL || snprintf(o->name, sizeof o->name, "%s", name) >= 256) {
        free(o);
        return;
    }
    o->round = r;
    o->index = index;
    o->since_ms = deadline_now();
    pthread_mutex_lock(&r->lock);
    if (pthread_create(&thread, NULL, thread_main, o) == 0) {
        pthread_detach(thread);
        r->users++;
        r->waiting++;
    } else {
        free(o);
    }
    pthread_mutex_unlock(&r->lock);
}

void
resolve_all(const char *const *name, size_t count, const struct deadline *deadline,
            struct resolved *result)
{
    struct round *r = round_new();
    struct timespec until = {.tv_sec = (time_t)(deadline->at_ms / 1000),
                             .tv_nsec = (long)(deadline->at_ms % 1000) * 1000000L};

    memset(result, 0, count * sizeof *result);
    if (r == NULL)
        return;
    for (size_t i = 0; i < count && i < RESOLVE_MAX; i++)
        start(r, i, name[i]);
    pthread_mutex_lock(&r->lock);
    while (r->waiting > 0 && !deadline_passed(deadline))
        pthread_cond_timedwait(&r->change, &r->lock, &until);
    for (size_t i = 0; i < count && i < RESOLVE_MAX; i++)
        result[i] = r->result[i];
    round_leave(r);
}
