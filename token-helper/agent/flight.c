/* flight.c - see flight.h. */
#include "flight.h"

#include <stdlib.h>

#include "../base/wallclock.h"

struct flight *
flight_new(const struct account *account)
{
    struct flight *f = calloc(1, sizeof *f);

    if (f != NULL)
        acquire_init(&f->acquire, account);
    return f;
}

void
flight_free(struct flight **flight)
{
    struct flight *f = *flight;

    if (f == NULL)
        return;
    acquire_clear(&f->acquire);
    secret_clear(&f->refused);
    record_clear(&f->memory);
    free(f);
    *flight = NULL;
}

static void
save_work(struct job *job)
{
    struct flight *f = (struct flight *)job;

    acquire_save(&f->acquire, f->env->store);
}

static void
save_done(struct job *job)
{
    struct flight *f = (struct flight *)job;

    f->landed(f);
}

/* The answer is in the record; now it must reach the disk before anybody sees it. */
static void
start_save(struct flight *f)
{
    f->job.work = save_work;
    f->job.done = save_done;
    worker_submit(f->env->worker, &f->job);
}

static void on_reply(void *arg, const struct http_reply *reply, const struct err *failed);

static int
send_request(struct flight *f)
{
    struct http_request request = {0};
    int r = acquire_request(&f->acquire, &request, &f->err);

    return r != 0 ? r : http_start(f->env->http, &request, on_reply, f, &f->err);
}

static void
on_reply(void *arg, const struct http_reply *reply, const struct err *failed)
{
    struct flight *f = arg;
    bool more;

    f->result =
        acquire_reply(&f->acquire, reply, failed, wallclock_now(), &more, &f->err);
    if (more && (f->result = send_request(f)) == 0)
        return;
    f->fetched = f->result == 0;
    start_save(f);
}

static void
begin_work(struct job *job)
{
    struct flight *f = (struct flight *)job;

    f->result = acquire_begin(&f->acquire, f->env->store, &f->want, NULL, wallclock_now(),
                              &f->request, &f->err);
}

static void
begin_done(struct job *job)
{
    struct flight *f = (struct flight *)job;

    if (f->result != 0 || !f->request) {
        f->landed(f);
        return;
    }
    if ((f->result = send_request(f)) != 0) {
        store_unlock(&f->acquire.lock);
        f->landed(f);
    }
}

int
flight_start(struct flight *f, const struct flight_env *env, struct err *err)
{
    f->env = env;
    f->job.work = begin_work;
    f->job.done = begin_done;
    f->want.memory = &f->memory;
    f->want.memory_stamp = &f->memory_stamp;
    if (f->refused.len > 0)
        f->want.not_this = &f->refused;
    /* A command may take seconds; files do not. */
    if (f->acquire.account->client_secret_command != NULL)
        return worker_submit_alone(env->worker, &f->job, err);
    worker_submit(env->worker, &f->job);
    return 0;
}
