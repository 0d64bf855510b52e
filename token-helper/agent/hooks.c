/* hooks.c - see hooks.h. */
#include "hooks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/log.h"
#include "../base/run_program.h"
#include "hook_pass.h"

#define HOOK_ANSWER_MS 5000 /* what telling and starting may take besides */

/* One run of a command; waits in hooks->waiting, then belongs to the worker. */
struct hook_run {
    struct job job; /* first, so that a job leads back to its run */
    struct hook_run *next;
    struct hooks *hooks;
    const char *name; /* on_failure or on_recovery */
    char *account;
    char **argv;
    char *own[HOOK_VAR_COUNT]; /* our variables; NULL: not told */
    char **environment;        /* own, and the agent's, which are borrowed */
    int result;
    struct err err;
};

struct hooks {
    struct worker *worker;
    char **command[2]; /* by event; NULL: none. HOOK_EXPIRY uses HOOK_FAILURE's */
    struct hook_run *waiting, *running;
    unsigned waiting_count, running_count;
    bool full_told;
    atomic_bool ending;
};

/* --- one run
 * ---------------------------------------------------------------------------- */

static void
words_free(char **words)
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        free(words[i]);
    free(words);
}

static char **
words_copy(char *const *words, size_t count)
{
    char **copy = calloc(count + 1, sizeof *copy);

    for (size_t i = 0; copy != NULL && i < count; i++)
        if ((copy[i] = strdup(words[i])) == NULL) {
            words_free(copy);
            return NULL;
        }
    return copy;
}

static void
run_free(struct hook_run *run)
{
    free(run->account);
    words_free(run->argv);
    for (int i = 0; i < HOOK_VAR_COUNT; i++)
        free(run->own[i]);
    free(run->environment);
    free(run);
}

/* Our variables first, then the agent's own without any of that name. */
static int
set_environment(struct hook_run *run, const struct hook_call *call)
{
    static const char *const events[] = {[HOOK_FAILURE] = "failure",
                                         [HOOK_RECOVERY] = "recovery",
                                         [HOOK_EXPIRY] = "expiry"};
    const char *const values[HOOK_VAR_COUNT] = {
        [HOOK_VAR_EVENT] = events[call->event],
        [HOOK_VAR_ACCOUNT] = call->account,
        [HOOK_VAR_STATE] = call->state,
        [HOOK_VAR_REASON] = call->err != NULL ? call->err->text : "",
        [HOOK_VAR_REMEDY] = call->err != NULL ? call->err->hint : "",
    };

    for (int i = 0; i < HOOK_VAR_COUNT; i++)
        if (values[i] != NULL &&
            asprintf(&run->own[i], "%s=%s", hook_variables[i], values[i]) < 0) {
            run->own[i] = NULL;
            return ERR_NOMEM;
        }
    return (run->environment = hook_environment(run->own)) != NULL ? 0 : ERR_NOMEM;
}

static struct hook_run *
run_new(struct hooks *hooks, const struct hook_call *call, char *const *command)
{
    struct hook_run *run = calloc(1, sizeof *run);
    size_t count = 0;

    if (run == NULL)
        return NULL;
    while (command[count] != NULL)
        count++;
    run->hooks = hooks;
    run->name = call->event == HOOK_RECOVERY ? "on_recovery" : "on_failure";
    if ((run->account = strdup(call->account)) == NULL ||
        (run->argv = words_copy(command, count)) == NULL ||
        set_environment(run, call) != 0) {
        run_free(run);
        return NULL;
    }
    return run;
}

/* Passed on where somebody is named who runs it, else run here: so it is without a
 * service manager, and for a person's own agent. */
static void
work(struct job *job)
{
    struct hook_run *run = (struct hook_run *)job;
    const struct program program = {.argv = run->argv,
                                    .environment = run->environment,
                                    .name = run->argv[0],
                                    .input = -1,
                                    .deadline_ms = HOOK_DEADLINE_MS,
                                    .hurry = &run->hooks->ending};
    const char *path = secure_getenv(HOOK_SOCKET_ENV);

    if (path != NULL && path[0] != '\0') {
        run->result = hook_pass(path, run->own, HOOK_DEADLINE_MS + HOOK_ANSWER_MS,
                                &run->hooks->ending, &run->err);
        if (run->result != ERR_NOAGENT)
            return;
        log_warning("%s: %s is run by the agent itself: %s", run->account, run->name,
                    run->err.text);
    }
    run->result = run_program(&program, &run->err);
}

/* --- several
 * ---------------------------------------------------------------------------- */

static void
done(struct job *job)
{
    struct hook_run *run = (struct hook_run *)job, **link;
    struct hooks *hooks = run->hooks;
    char line[ERR_LINE_MAX];

    if (run->result != 0)
        log_warning("%s: %s: %s", run->account, run->name, err_line(&run->err, line));
    else
        log_debug("%s: %s has run: %s", run->account, run->name, run->argv[0]);
    for (link = &hooks->running; *link != run; link = &(*link)->next)
        continue;
    *link = run->next;
    hooks->running_count--;
    run_free(run);
    hooks_tick(hooks);
}

/* One after the other for an account, so that a recovery is not told before the failure.
 */
static bool
is_busy(const struct hooks *hooks, const char *account)
{
    for (const struct hook_run *r = hooks->running; r != NULL; r = r->next)
        if (strcmp(r->account, account) == 0)
            return true;
    return false;
}

void
hooks_tick(struct hooks *hooks)
{
    struct hook_run **link = &hooks->waiting, *run;

    while ((run = *link) != NULL && hooks->running_count < HOOKS_AT_ONCE) {
        if (is_busy(hooks, run->account)) {
            link = &run->next;
            continue;
        }
        run->job.work = work;
        run->job.done = done;
        if (worker_submit_alone(hooks->worker, &run->job, NULL) != 0)
            return; /* no thread to be had: later */
        *link = run->next;
        hooks->waiting_count--;
        run->next = hooks->running;
        hooks->running = run;
        hooks->running_count++;
    }
}

void
hooks_report(struct hooks *hooks, const struct hook_call *call)
{
    char **command;
    struct hook_run *run, **last;

    if (hooks == NULL || atomic_load(&hooks->ending))
        return;
    command = hooks->command[call->event == HOOK_RECOVERY ? HOOK_RECOVERY : HOOK_FAILURE];
    if (command == NULL)
        return;
    if (hooks->waiting_count >= HOOKS_WAITING_MAX ||
        (run = run_new(hooks, call, command)) == NULL) {
        if (!hooks->full_told)
            log_error("%s: %s is not run: %u wait already", call->account, command[0],
                      hooks->waiting_count);
        hooks->full_told = true;
        return;
    }
    hooks->full_told = false;
    for (last = &hooks->waiting; *last != NULL; last = &(*last)->next)
        continue;
    *last = run;
    hooks->waiting_count++;
    hooks_tick(hooks);
}

int
hooks_set_commands(struct hooks *hooks, const struct name_list *on_failure,
                   const struct name_list *on_recovery, struct err *err)
{
    const struct name_list *const lists[] = {on_failure, on_recovery};
    char **command[2] = {NULL, NULL};

    for (int i = 0; i < 2; i++)
        if (lists[i]->count > 0 &&
            (command[i] = words_copy(lists[i]->names, lists[i]->count)) == NULL) {
            words_free(command[0]);
            return err_set(err, ERR_NOMEM, "out of memory");
        }
    for (int i = 0; i < 2; i++) {
        words_free(hooks->command[i]);
        hooks->command[i] = command[i];
    }
    return 0;
}

int
hooks_new(struct worker *worker, struct hooks **hooks_r, struct err *err)
{
    struct hooks *hooks = calloc(1, sizeof *hooks);

    if (hooks == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    hooks->worker = worker;
    atomic_init(&hooks->ending, false);
    *hooks_r = hooks;
    return 0;
}

static void
drop_waiting(struct hooks *hooks)
{
    struct hook_run *run;

    while ((run = hooks->waiting) != NULL) {
        hooks->waiting = run->next;
        log_warning("%s: %s is not run: the agent ends", run->account, run->name);
        run_free(run);
    }
    hooks->waiting_count = 0;
}

void
hooks_end(struct hooks *hooks)
{
    if (hooks == NULL)
        return;
    atomic_store(&hooks->ending, true);
    drop_waiting(hooks);
}

void
hooks_free(struct hooks **hooks)
{
    struct hooks *h = *hooks;

    if (h == NULL)
        return;
    drop_waiting(h);
    words_free(h->command[0]);
    words_free(h->command[1]);
    free(h);
    *hooks = NULL;
}
