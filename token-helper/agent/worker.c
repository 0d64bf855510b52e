/* worker.c - see worker.h. */
#include "worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct queue {
    struct job *first, **last;
};

struct worker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t change; /* something was queued, or a thread ended, or ending is set */
    struct queue waiting, worked;
    unsigned alone; /* threads of their own */
    bool ending;
    void (*wake)(void *arg);
    void *arg;
};

struct alone {
    struct worker *worker;
    struct job *job;
};

static void
queue_init(struct queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

static void
queue_put(struct queue *q, struct job *job)
{
    job->next = NULL;
    *q->last = job;
    q->last = &job->next;
}

static struct job *
queue_take(struct queue *q)
{
    struct job *job = q->first;

    if (job != NULL && (q->first = job->next) == NULL)
        q->last = &q->first;
    return job;
}

/* Hands a worked job over to the event loop. The lock is held. */
static void
finish(struct worker *w, struct job *job)
{
    queue_put(&w->worked, job);
    w->wake(w->arg);
}

static void *
worker_main(void *arg)
{
    struct worker *w = arg;
    struct job *job;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while ((job = queue_take(&w->waiting)) == NULL && !w->ending)
            pthread_cond_wait(&w->change, &w->lock);
        if (job == NULL)
            break;
        pthread_mutex_unlock(&w->lock);
        job->work(job);
        pthread_mutex_lock(&w->lock);
        finish(w, job);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void *
alone_main(void *arg)
{
    struct alone *a = arg;
    struct worker *w = a->worker;

    a->job->work(a->job);
    pthread_mutex_lock(&w->lock);
    finish(w, a->job);
    w->alone--;
    pthread_cond_broadcast(&w->change);
    pthread_mutex_unlock(&w->lock);
    free(a);
    return NULL;
}

/* Signals are the event loop's: a thread inherits the mask it is made with. */
static int
start_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
    sigset_t all, old;
    int e;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    e = pthread_create(thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return e;
}

int
worker_new(struct worker **worker_r, void (*wake)(void *arg), void *arg, struct err *err)
{
    struct worker *w = calloc(1, sizeof *w);

    if (w == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->change, NULL);
    queue_init(&w->waiting);
    queue_init(&w->worked);
    w->wake = wake;
    w->arg = arg;
    if (start_thread(&w->thread, worker_main, w) != 0) {
        pthread_cond_destroy(&w->change);
        pthread_mutex_destroy(&w->lock);
        free(w);
        return err_set(err, ERR_NOMEM, "no thread can be made");
    }
    *worker_r = w;
    return 0;
}

void
worker_submit(struct worker *w, struct job *job)
{
    pthread_mutex_lock(&w->lock);
    queue_put(&w->waiting, job);
    pthread_cond_broadcast(&w->change);
    pthread_mutex_unlock(&w->lock);
}

int
worker_submit_alone(struct worker *w, struct job *job, struct err *err)
{
    struct alone *a = malloc(sizeof *a);
    pthread_t thread;
    bool room;

    if (a == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    *a = (struct alone){w, job};
    pthread_mutex_lock(&w->lock);
    /* at the end, done() of the last jobs may still ask: nothing would wait for it */
    room = w->alone < WORKER_ALONE_MAX && !w->ending;
    w->alone += room;
    pthread_mutex_unlock(&w->lock);
    if (room && start_thread(&thread, alone_main, a) == 0) {
        pthread_detach(thread);
        return 0;
    }
    free(a);
    if (!room)
        return err_set(err, ERR_TEMP, "too many secret commands are running already");
    pthread_mutex_lock(&w->lock);
    w->alone--;
    pthread_mutex_unlock(&w->lock);
    return err_set(err, ERR_TEMP, "no thread can be made");
}

void
worker_collect(struct worker *w)
{
    struct job *job, *next;

    pthread_mutex_lock(&w->lock);
    job = w->worked.first;
    queue_init(&w->worked);
    pthread_mutex_unlock(&w->lock);
    for (; job != NULL; job = next) {
        next = job->next; /* done() may free or submit it again */
        job->done(job);
    }
}

void
worker_free(struct worker **worker)
{
    struct worker *w = *worker;

    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_broadcast(&w->change);
    while (w->alone > 0)
        pthread_cond_wait(&w->change, &w->lock);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    worker_collect(w);
    pthread_cond_destroy(&w->change);
    pthread_mutex_destroy(&w->lock);
    free(w);
    *worker = NULL;
}
