/* agent.c - see agent.h. */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "../accounts/accounts.h"
#include "../accounts/store.h"
#include "../base/log.h"
#include "../client/deadline.h"
#include "../oauth/acquire.h"
#include "../oauth/store_key.h"
#include "conn.h"
#include "expiry.h"
#include "hooks.h"
#include "keeper.h"
#include "loop.h"
#include "permits.h"
#include "probe.h"
#include "runner.h"
#include "sandbox.h"
#include "worker.h"

#define BAD_RETRY_MS 3000                 /* for an accounts file that cannot be used */
#define DRAIN_MS (ACQUIRE_HTTP_MS + 2000) /* for the refreshes under way at the end */
#define PART_MS 1000                      /* for clients that have not asked yet */
#define FILES_MAX 16384u                  /* for CONN_MAX clients, transfers, and more */

struct listen_source {
    struct loop_source source; /* first */
    struct conns *conns;
};

struct agent {
    const struct agent_options *options;
    struct store store;
    struct store_key *key; /* NULL: the store is not encrypted */
    struct http *http;
    struct worker *worker;
    struct loop *loop;
    struct hooks *hooks;
    struct expiry *expiry;
    struct keeper *keeper;
    struct probes *probes;
    struct permits *permits;
    struct conns *conns;
    struct listeners listeners;
    struct sandbox *sandbox;
    struct listen_source listen_source[LISTEN_MAX];
    struct loop_source signals; /* the reading end of signal_pipe */
    bool reload;
    int stop; /* how many times we were asked to */
    int64_t second_ms;
    char bad[ERR_LINE_MAX]; /* why the accounts file could not be used; said once */
    int64_t retry_ms;       /* when a bad one is tried again: which of the files that it
                               includes will be mended is not known */
};

/* A handler may only write to a descriptor; this is its only state. */
static int signal_pipe[2] = {-1, -1};

static void
on_signal(int number)
{
    int saved = errno;
    char c = number == SIGHUP ? 'h' : 't';

    if (write(signal_pipe[1], &c, 1) < 0)
        errno = saved; /* the pipe is full: enough signals are noted in it */
    errno = saved;
}

static void
signals_ready(struct loop_source *source, unsigned events)
{
    struct agent *a = (struct agent *)((char *)source - offsetof(struct agent, signals));
    char c[16];
    ssize_t n = read(source->fd, c, sizeof c);

    (void)events;
    for (ssize_t i = 0; i < n; i++) {
        if (c[i] == 'h')
            a->reload = true;
        else
            a->stop++;
    }
}

static int
set_up_signals(struct agent *a, struct err *err)
{
    struct sigaction on = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction off = {.sa_handler = SIG_IGN};

    if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return err_set(err, ERR_TEMP, "pipe: %s", strerror(errno));
    sigaction(SIGHUP, &on, NULL);
    sigaction(SIGTERM, &on, NULL);
    sigaction(SIGINT, &on, NULL);
    sigaction(SIGPIPE, &off, NULL);
    a->signals = (struct loop_source){signal_pipe[0], signals_ready};
    return loop_add(a->loop, &a->signals, EPOLLIN, err);
}

static void
listen_ready(struct loop_source *source, unsigned events)
{
    (void)events;
    conns_accept(((struct listen_source *)source)->conns, source->fd);
}

static int
watch_listeners(struct agent *a, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < a->listeners.count && r == 0; i++) {
        a->listen_source[i].source =
            (struct loop_source){a->listeners.fd[i], listen_ready};
        a->listen_source[i].conns = a->conns;
        r = loop_add(a->loop, &a->listen_source[i].source, EPOLLIN, err);
    }
    return r;
}

static void
stop_listening(struct agent *a)
{
    for (size_t i = 0; i < a->listeners.count; i++)
        loop_remove(a->loop, &a->listen_source[i].source);
    listeners_close(&a->listeners);
}

/* --- accounts
 * --------------------------------------------------------------------------- */

static void
warn(const char *line)
{
    log_warning("%s", line);
}

/* Takes `accounts` over, also on failure. */
static int
use_accounts(struct agent *a, struct accounts *accounts, struct err *err)
{
    struct permits *permits = NULL;
    int r = permits_new(accounts, geteuid(), warn, &permits, err);

    if (r == 0 &&
        (r = hooks_set_commands(a->hooks, &accounts->agent.on_failure,
                                &accounts->agent.on_recovery, err)) == 0 &&
        (r = expiry_set_accounts(a->expiry, accounts, err)) == 0 &&
        (r = probes_set_accounts(a->probes, accounts, err)) == 0)
        r = keeper_set_accounts(a->keeper, accounts, err);
    if (r != 0) {
        permits_free(&permits);
        accounts_free(&accounts);
        return r;
    }
    permits_free(&a->permits);
    a->permits = permits;
    return 0;
}

/* An included file in a folder that was not known at the start looks like one of wrong
 * modes, whatever its modes are. */
static void
name_sandbox(const struct agent *a, struct err *err)
{
    if (sandbox_closed(a->sandbox) && strstr(err->text, strerror(EACCES)) != NULL)
        err_hint(err, "a file in a folder that is new to the agent can be read after a "
                      "restart: systemctl restart mailbearer");
}

/* `asked`: by a signal, so that the answer is wanted even if it is the same. */
static void
reload(struct agent *a, bool asked)
{
    const char *path = a->options->place.config;
    struct accounts *accounts = NULL;
    struct err err = ERR_INIT;
    char line[ERR_LINE_MAX];

    if (accounts_read(path, &accounts, &err) != 0) {
        accounts = NULL;
        name_sandbox(a, &err);
    } else if (sandbox_covers(a->sandbox, accounts, &err) != 0) {
        accounts_free(&accounts);
    } else {
        runner_reload(); /* first: the new accounts may want their commands at once */
        if (use_accounts(a, accounts, &err) != 0)
            accounts = NULL;
    }
    if (accounts == NULL) {
        a->retry_ms = deadline_now() + BAD_RETRY_MS;
        err_line(&err, line);
        if (asked || strcmp(a->bad, line) != 0)
            log_error("%s; the accounts read before stay in force", line);
        memcpy(a->bad, line, strlen(line) + 1);
        return;
    }
    a->retry_ms = 0;
    a->bad[0] = '\0';
    log_info("%s: read again, %zu accounts", path, keeper_accounts(a->keeper)->count);
}

/* --- life
 * ------------------------------------------------------------------------------- */

static int
tick(struct agent *a)
{
    int64_t now_ms = deadline_now();
    int next_ms = keeper_tick(a->keeper);

    if (now_ms - a->second_ms >= 1000) {
        a->second_ms = now_ms;
        conns_tick(a->conns);
        hooks_tick(a->hooks);
        expiry_tick(a->expiry);
        probes_tick(a->probes);
        if (!a->reload && now_ms >= a->retry_ms &&
            accounts_changed(keeper_accounts(a->keeper)))
            reload(a, false);
    }
    if (a->reload) {
        a->reload = false;
        reload(a, true);
    }
    return next_ms;
}

/* Who has asked is answered, and who is about to ask, so that a restart is not noticed;
 * later ones wait in the queue of the service manager's socket. What a server has just
 * given, and what could not be written so far, must reach the disk: nobody else has it.
 */
static void
drain(struct agent *a)
{
    struct deadline deadline = deadline_in(DRAIN_MS), part = deadline_in(PART_MS);

    for (int round = 0; round < 2; round++) {
        while (a->stop < 2 && !deadline_passed(&deadline) &&
               (keeper_flights(a->keeper) > 0 ||
                (conns_part(a->conns) > 0 && !deadline_passed(&part)))) {
            loop_step(a->loop, 100);
            worker_collect(a->worker);
        }
        if (round == 0)
            keeper_save(a->keeper);
    }
}

static void
run(struct agent *a)
{
    while (a->stop == 0) {
        int next_ms = tick(a);

        loop_step(a->loop, next_ms);
        worker_collect(a->worker);
    }
    stop_listening(a);
    drain(a);
}

static void
wake(void *loop)
{
    loop_wake(loop);
}

/* Descriptors for many clients, and no core file: it would hold every token. */
static void
set_limits(void)
{
    struct rlimit files, core = {0, 0};

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        if (files.rlim_max > FILES_MAX)
            files.rlim_max = FILES_MAX;
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    setrlimit(RLIMIT_CORE, &core);
}

struct inheritance {
    struct agent *agent;
    struct accounts **accounts;
};

/* In the runner: it answers nobody and has no secrets. */
static void
forget(void *arg)
{
    struct inheritance *in = arg;

    for (size_t i = 0; i < in->agent->listeners.count; i++)
        close(in->agent->listeners.fd[i]);
    accounts_free(in->accounts);
}

/* The store's owner, with what it may need to run made ready; nobody else's rights any
 * more, and nothing open but what it needs. */
static int
lock_in(struct agent *a, struct accounts **accounts, const char *state, struct err *err)
{
    struct inheritance in = {a, accounts};
    int r;

    if ((r = place_enter(state, err)) != 0 ||
        (r = runner_start(a->options->place.config, *accounts, forget, &in, err)) != 0 ||
        (r = store_open(state, &a->store, err)) != 0 ||
        (r = store_key_use(*accounts, &a->store, &a->key, err)) != 0)
        return r;
    set_limits();
    return sandbox_enter(*accounts, state, &a->listeners, &a->sandbox, err);
}

static int
start(struct agent *a, struct accounts **accounts, struct err *err)
{
    const struct place *place = &a->options->place;
    const char *state = (*accounts)->state_directory != NULL
                            ? (*accounts)->state_directory
                            : place->state;
    struct accounts *taken;
    int r;

    if ((r = listeners_open(a->options->listen, a->options->listen_count, !place->system,
                            &a->listeners, err)) != 0 ||
        (r = lock_in(a, accounts, state, err)) != 0 ||
        (r = http_open(&a->http, err)) != 0 ||
        (r = loop_new(&a->loop, a->http, err)) != 0 ||
        (r = worker_new(&a->worker, wake, a->loop, err)) != 0 ||
        (r = hooks_new(a->worker, &a->hooks, err)) != 0 ||
        (r = expiry_new(a->worker, a->hooks, &a->expiry, err)) != 0 ||
        (r = keeper_new(&a->store, a->http, a->worker, &a->keeper, err)) != 0 ||
        (r = probes_new(a->worker, a->hooks, a->keeper, &a->probes, err)) != 0 ||
        (r = conns_new(a->loop, a->keeper, &a->permits, &a->conns, err)) != 0)
        return r;
    keeper_set_watch(a->keeper, a->hooks, a->expiry);
    keeper_set_probes(a->keeper, a->probes);
    taken = *accounts;
    *accounts = NULL;
    if ((r = use_accounts(a, taken, err)) != 0 || (r = watch_listeners(a, err)) != 0)
        return r;
    return set_up_signals(a, err);
}

static void
finish(struct agent *a)
{
    /* The worker first: what it has to write must be written. */
    hooks_end(a->hooks);
    probes_end(a->probes);
    if (a->worker != NULL)
        worker_free(&a->worker);
    runner_end();
    conns_free(&a->conns);
    http_close(&a->http);
    keeper_free(&a->keeper);
    probes_free(&a->probes);
    expiry_free(&a->expiry);
    hooks_free(&a->hooks);
    loop_free(&a->loop);
    permits_free(&a->permits);
    listeners_close(&a->listeners);
    sandbox_free(&a->sandbox);
    store_close(&a->store);
    store_key_free(&a->key);
    for (int i = 0; i < 2; i++)
        if (signal_pipe[i] >= 0)
            close(signal_pipe[i]);
}

int
agent_run(const struct agent_options *options, struct err *err)
{
    struct agent a = {.options = options, .store = {.fd = -1}};
    struct accounts *accounts = NULL;
    int r = accounts_read(options->place.config, &accounts, err);

    if (r == 0)
        r = start(&a, &accounts, err);
    if (r == 0) {
        log_info("mailbearer " MAILBEARER_VERSION ": %zu accounts from %s",
                 keeper_accounts(a.keeper)->count, options->place.config);
        for (size_t i = 0; i < a.listeners.count; i++)
            log_info("listening on %s", a.listeners.path[i] != NULL ? a.listeners.path[i]
                                                                    : "a passed socket");
        run(&a);
        log_info("ended");
    }
    accounts_free(&accounts);
    finish(&a);
    return r;
}
