/* test_worker.c - order, and which thread does what. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/worker.h"
#include "client/deadline.h"

struct task {
    struct job job; /* first */
    int number;
    pthread_t worked_by;
    bool signals_blocked;
    bool again; /* submit it once more from done() */
    struct worker *worker;
    int works, dones;
};

static struct task *done_order[256];
static int done_count;
static pthread_t done_by;
static atomic_int wakes; /* one for each job that was worked */
static atomic_bool gate; /* closed: work() waits */

static void
wake(void *arg)
{
    assert_string_equal(arg, "the argument");
    atomic_fetch_add(&wakes, 1);
}

static void
work(struct job *job)
{
    struct task *t = (struct task *)job;
    sigset_t mask;

    while (atomic_load(&gate))
        usleep(1000);
    t->worked_by = pthread_self();
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    t->signals_blocked = sigismember(&mask, SIGTERM) && sigismember(&mask, SIGHUP) &&
                         sigismember(&mask, SIGCHLD);
    t->works++;
}

static void
done(struct job *job)
{
    struct task *t = (struct task *)job;

    t->dones++;
    done_by = pthread_self();
    done_order[done_count++] = t;
    if (t->again) {
        t->again = false;
        worker_submit(t->worker, &t->job);
    }
}

static struct worker *
make(void)
{
    static char argument[] = "the argument";
    struct worker *worker = NULL;
    struct err err = ERR_INIT;

    done_count = 0;
    memset(&done_by, 0, sizeof done_by);
    atomic_store(&wakes, 0);
    atomic_store(&gate, false);
    assert_int_equal(worker_new(&worker, wake, argument, &err), 0);
    return worker;
}

static struct task
task(struct worker *worker, int number)
{
    return (struct task){
        .job = {.work = work, .done = done}, .worker = worker, .number = number};
}

/* Until so many jobs have been worked (done() may be still to come). */
static void
wait_worked(int count)
{
    struct deadline dl = deadline_in(10000);

    while (atomic_load(&wakes) < count) {
        assert_false(deadline_passed(&dl));
        usleep(1000);
    }
}

static void
in_order_and_done_by_the_caller(void **state)
{
    struct worker *worker = make();
    struct task tasks[100];

    (void)state;
    for (int i = 0; i < 100; i++) {
        tasks[i] = task(worker, i);
        worker_submit(worker, &tasks[i].job);
    }
    wait_worked(100);
    assert_int_equal(done_count, 0); /* not before it is collected */
    worker_collect(worker);
    assert_int_equal(done_count, 100);
    for (int i = 0; i < 100; i++) {
        assert_ptr_equal(done_order[i], &tasks[i]);
        assert_int_equal(tasks[i].works, 1);
        assert_int_equal(tasks[i].dones, 1);
        assert_true(pthread_equal(tasks[i].worked_by, tasks[0].worked_by));
        assert_true(tasks[i].signals_blocked);
    }
    assert_false(pthread_equal(tasks[0].worked_by, pthread_self()));
    assert_true(pthread_equal(done_by, pthread_self()));
    worker_collect(worker);
    assert_int_equal(done_count, 100);
    worker_free(&worker);
    assert_null(worker);
    worker_free(&worker);
}

static void
nothing_to_collect(void **state)
{
    struct worker *worker = make();

    (void)state;
    worker_collect(worker);
    worker_free(&worker);
    assert_int_equal(done_count, 0);
}

static void
submitted_again_from_done(void **state)
{
    struct worker *worker = make();
    struct task t = task(worker, 1);

    (void)state;
    t.again = true;
    worker_submit(worker, &t.job);
    wait_worked(1);
    worker_collect(worker);
    wait_worked(2);
    worker_collect(worker);
    assert_int_equal(t.works, 2);
    assert_int_equal(t.dones, 2);
    worker_free(&worker);
}

/* A job that takes long must not keep the others waiting. */
static void
alone(void **state)
{
    struct worker *worker = make();
    struct task slow = task(worker, 1), quick = task(worker, 2);
    struct err err = ERR_INIT;

    (void)state;
    atomic_store(&gate, true);
    assert_int_equal(worker_submit_alone(worker, &slow.job, &err), 0);
    usleep(20000);
    assert_int_equal(slow.works, 0);
    atomic_store(&gate, false);
    wait_worked(1);
    worker_submit(worker, &quick.job);
    wait_worked(2);
    worker_collect(worker);
    assert_int_equal(slow.dones, 1);
    assert_int_equal(quick.dones, 1);
    assert_true(slow.signals_blocked);
    assert_false(pthread_equal(slow.worked_by, quick.worked_by));
    assert_true(pthread_equal(done_by, pthread_self()));
    worker_free(&worker);
}

static void
only_so_many_alone(void **state)
{
    struct worker *worker = make();
    static struct task tasks[WORKER_ALONE_MAX + 1];
    struct err err = ERR_INIT;

    (void)state;
    atomic_store(&gate, true);
    for (int i = 0; i <= WORKER_ALONE_MAX; i++)
        tasks[i] = task(worker, i);
    for (int i = 0; i < WORKER_ALONE_MAX; i++)
        assert_int_equal(worker_submit_alone(worker, &tasks[i].job, &err), 0);
    assert_int_equal(worker_submit_alone(worker, &tasks[WORKER_ALONE_MAX].job, &err),
                     ERR_TEMP);
    assert_string_equal(err.text, "too many secret commands are running already");
    atomic_store(&gate, false);
    wait_worked(WORKER_ALONE_MAX);
    worker_collect(worker);
    assert_int_equal(done_count, WORKER_ALONE_MAX);
    assert_int_equal(tasks[WORKER_ALONE_MAX].works, 0);
    /* there is room again */
    assert_int_equal(worker_submit_alone(worker, &tasks[WORKER_ALONE_MAX].job, &err), 0);
    worker_free(&worker);
    assert_int_equal(tasks[WORKER_ALONE_MAX].dones, 1);
}

static void *
open_gate(void *arg)
{
    (void)arg;
    usleep(50000);
    atomic_store(&gate, false);
    return NULL;
}

/* The end: everything submitted is worked, and every done() called, before it returns. */
static void
free_waits(void **state)
{
    struct worker *worker = make();
    struct task tasks[6];
    struct err err = ERR_INIT;
    pthread_t thread;

    (void)state;
    atomic_store(&gate, true);
    for (int i = 0; i < 6; i++) {
        tasks[i] = task(worker, i);
        if (i % 2 == 0)
            worker_submit(worker, &tasks[i].job);
        else
            assert_int_equal(worker_submit_alone(worker, &tasks[i].job, &err), 0);
    }
    assert_int_equal(pthread_create(&thread, NULL, open_gate, NULL), 0);
    worker_free(&worker);
    pthread_join(thread, NULL);
    assert_int_equal(done_count, 6);
    for (int i = 0; i < 6; i++)
        assert_int_equal(tasks[i].dones, 1);
    assert_true(pthread_equal(done_by, pthread_self()));
}

static void
done_alone(struct job *job)
{
    struct task *t = (struct task *)job;
    struct err err = ERR_INIT;

    t->dones++;
    if (t->dones == 1)
        assert_int_equal(worker_submit_alone(t->worker, &t->job, &err), ERR_TEMP);
}

/* A done() during worker_free() that wants a thread must not get one: the worker that it
 * would report to is about to be freed. */
static void
no_new_thread_at_the_end(void **state)
{
    struct worker *worker = make();
    struct task t = task(worker, 1);

    (void)state;
    t.job.done = done_alone;
    worker_submit(worker, &t.job);
    worker_free(&worker);
    usleep(20000);
    assert_int_equal(t.dones, 1);
    assert_int_equal(t.works, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order_and_done_by_the_caller),
        cmocka_unit_test(nothing_to_collect),
        cmocka_unit_test(submitted_again_from_done),
        cmocka_unit_test(alone),
        cmocka_unit_test(only_so_many_alone),
        cmocka_unit_test(free_waits),
        cmocka_unit_test(no_new_thread_at_the_end),
    };

    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
