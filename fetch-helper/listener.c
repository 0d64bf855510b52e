/* listener.c - see listener.h. */
#include "listener.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../token-helper/base/log.h"
#include "failure.h"
#include "port_child.h"
#include "port_sockets.h"
#include "service_user.h"

#define GRACE_MS 5000    /* for sessions, when we end */
#define PATIENCE_MS 5000 /* with one that says nothing while others wait */
#define LOOK_MS 200      /* how often is looked again at what no signal tells */
#define COMPLAIN_MS 60000

struct listener {
    const struct options *o;
    const char *ports_file;
    struct port_sockets sockets;
    struct board *board;
    struct local_tls *tls;
    sigset_t usual;        /* signals, outside our own loop */
    struct deadline pause; /* no descriptors: not before then */
    struct deadline next_complaint;
};

/* Set by signals, which arrive only inside ppoll(2). */
static volatile sig_atomic_t end_wanted, reload_wanted;

static void
on_signal(int number)
{
    if (number == SIGHUP)
        reload_wanted = 1;
    else if (number != SIGCHLD)
        end_wanted = 1;
}

static void
set_signals(struct listener *l)
{
    static const int ours[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    sigset_t blocked;

    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        sigaddset(&blocked, ours[i]);
        port_child_signal(ours[i], on_signal);
    }
    sigprocmask(SIG_BLOCK, &blocked, &l->usual);
    /* who starts us may have blocked some of them */
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        sigdelset(&l->usual, ours[i]);
}

/* --- a new session ---------------------------------------------------------------------
 */

static void
run_session(struct listener *l, int client, int place)
{
    struct session session = {.options = l->o,
                              .in = client,
                              .out = client,
                              .board = l->board,
                              .place = place,
                              .tls = l->tls,
                              .ports_file = l->ports_file};

    port_child_run(&session, &l->sockets, &l->usual);
}

/* In the protocol's words, where it can be said without a handshake. */
static void
turn_away(const struct listener *l, int client, const char *why)
{
    char line[FAILURE_MAX];
    struct err err = ERR_INIT;

    err_set(&err, ERR_TEMP, "%s", why);
    failure_line(l->o->wire, &err, line);
    if (l->tls == NULL || l->o->starttls)
        send(client, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(client, SHUT_WR);
    close(client);
}

static void
complain(struct listener *l, const char *what, const char *why)
{
    if (!deadline_passed(&l->next_complaint))
        return;
    l->next_complaint = deadline_in(COMPLAIN_MS);
    log_error("%s: %s", what, why);
}

static void
start_session(struct listener *l, int client)
{
    int place = board_is_full(l->board) ? -1 : board_take(l->board);
    pid_t pid;

    if (place == -1) {
        complain(l, "a mail program was turned away", "too many sessions");
        turn_away(l, client, "too many sessions");
        return;
    }
    if ((pid = fork()) == 0)
        run_session(l, client, place);
    if (pid == -1) {
        complain(l, "a mail program was turned away", strerror(errno));
        board_set_state(l->board, place, BOARD_FREE);
        turn_away(l, client, "too busy");
        return;
    }
    board_set_pid(l->board, place, pid);
    close(client);
}

/* One from each socket in turn, so that none is left waiting behind another. */
static void
accept_one(struct listener *l, int fd)
{
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (client != -1) {
        start_session(l, client);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
               errno == ENOMEM) {
        complain(l, "cannot accept a connection", strerror(errno));
        l->pause = deadline_in(LOOK_MS); /* or the loop would spin */
    }
}

/* --- the loop --------------------------------------------------------------------------
 */

static void
reap(struct listener *l)
{
    int status = 0;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
            log_error("a session ended by signal %d", WTERMSIG(status));
        board_leave(l->board, pid);
    }
}

static void
reload(struct listener *l)
{
    struct local_tls *fresh = NULL;
    struct err err = ERR_INIT;
    char line[ERR_LINE_MAX];

    reload_wanted = 0;
    if (l->o->tls_cert == NULL)
        return;
    if (local_tls_load(l->o->tls_cert, l->o->tls_key, &fresh, &err) != 0) {
        log_error("the certificate stays as it was: %s", err_line(&err, line));
        return;
    }
    local_tls_free(&l->tls);
    l->tls = fresh;
    log_info("certificate and key read anew");
}

/* Is there room for one who has yet to sign in? When not, the one that has been silent
 * longest has to go; those behind wait in the kernel's queue. */
static bool
may_accept(struct listener *l)
{
    pid_t pid;

    if (!deadline_passed(&l->pause))
        return false;
    if (board_count(l->board, BOARD_WAITING) + board_count(l->board, BOARD_CHECKING) <
        listener_waiting(l->o))
        return true;
    if ((pid = board_oldest(l->board, PATIENCE_MS)) > 0)
        kill(pid, SIGTERM);
    return false;
}

static void
serve(struct listener *l)
{
    struct pollfd p[PORT_SOCKETS_MAX];
    const struct timespec look = {0, LOOK_MS * 1000000L};

    while (!end_wanted) {
        bool open;

        reap(l);
        if (reload_wanted)
            reload(l);
        open = may_accept(l);
        for (size_t i = 0; i < l->sockets.count; i++)
            p[i] = (struct pollfd){open ? l->sockets.fd[i] : -1, POLLIN, 0};
        if (ppoll(p, l->sockets.count, open ? NULL : &look, &l->usual) <= 0)
            continue;
        for (size_t i = 0; i < l->sockets.count; i++)
            if (p[i].revents != 0 && (i == 0 || may_accept(l)))
                accept_one(l, l->sockets.fd[i]);
    }
}

/* --- the end ---------------------------------------------------------------------------
 */

static void
signal_one(pid_t pid, void *number)
{
    kill(pid, *(const int *)number);
}

static void
end_sessions(struct listener *l)
{
    const struct timespec look = {0, LOOK_MS * 1000000L};
    struct deadline grace = deadline_in(GRACE_MS);
    int number = SIGTERM;

    board_each(l->board, signal_one, &number);
    for (reap(l); board_any(l->board) && !deadline_passed(&grace); reap(l))
        ppoll(NULL, 0, &look, &l->usual);
    number = SIGKILL;
    board_each(l->board, signal_one, &number);
}

int
listener_waiting(const struct options *o)
{
    return o->max_sessions < 32 ? 8 : o->max_sessions / 4;
}

int
listener_run(const struct options *o, const char *ports_file)
{
    struct listener l = {.o = o, .ports_file = ports_file};
    struct err err = ERR_INIT;
    char line[ERR_LINE_MAX];
    int r = 0;

    if (o->tls_cert != NULL)
        r = local_tls_load(o->tls_cert, o->tls_key, &l.tls, &err);
    if (r == 0)
        r = board_new(o->max_sessions, listener_waiting(o), o->failure_ms, &l.board,
                      &err);
    if (r == 0 && (r = port_sockets_open(o, &l.sockets, &err)) == 0 &&
        (r = service_user(o->user, &err)) == 0) {
        set_signals(&l);
        serve(&l);
        port_sockets_remove(&l.sockets);
        end_sessions(&l);
        log_info("ended");
    }
    port_sockets_remove(&l.sockets); /* where nobody was served */
    board_free(&l.board);
    local_tls_free(&l.tls);
    if (r != 0)
        log_error("%s", err_line(&err, line));
    return err_exit_status(r);
}
