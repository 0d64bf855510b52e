/* worker.h - a thread for what may block: fsync, rename, flock, a secret's command.
 *
 * Used by:  agent/
 * Includes: libc, pthread.
 *
 * A job's work() runs on the worker's thread, its done() later in worker_collect(), on
 * the event loop's thread: nothing else is shared, so nothing else is locked. A job
 * belongs to who submitted it and must live until done().
 */
#ifndef MAILBEARER_WORKER_H
#define MAILBEARER_WORKER_H

#include "../client/error.h"

struct worker;

struct job {
    struct job *next;
    void (*work)(struct job *job);
    void (*done)(struct job *job);
};

/* `wake(arg)` is called from the worker's thread when a job has been worked.
 * 0 or ERR_NOMEM. Signals are blocked in the worker's threads. */
int worker_new(struct worker **worker_r, void (*wake)(void *arg), void *arg,
               struct err *err);

/* Jobs run one after the other, in order. */
void worker_submit(struct worker *worker, struct job *job);

/* A job that may take long has a thread of its own, at most WORKER_ALONE_MAX at once.
 * 0, or ERR_TEMP when there are too many, no thread can be had, or the worker is being
 * freed: the job was not taken.
 */
#define WORKER_ALONE_MAX 64
int worker_submit_alone(struct worker *worker, struct job *job, struct err *err);

/* Calls done() of the jobs that have been worked. */
void worker_collect(struct worker *worker);

/* Works what was submitted, calls each done(), ends the threads, frees, sets NULL. What a
 * done() submits meanwhile is not worked any more. */
void worker_free(struct worker **worker);

#endif
