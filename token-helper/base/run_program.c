/* run_program.c - see run_program.h. */
#include "run_program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include "../client/deadline.h"

#define SLICE_MS 20 /* how often its end is looked for */

/* Of the process as a whole, as is the sandbox that makes it necessary. */
static int (*elsewhere)(const struct program *program, struct err *err);

struct running {
    const struct program *program;
    struct deadline deadline;
    bool hurried; /* the deadline has been moved nearer */
    pid_t pid;
};

/* Its standard input, output and error. */
static int
add_files(posix_spawn_file_actions_t *files, const struct program *p, int out_fd)
{
    int e = p->input >= 0
                ? posix_spawn_file_actions_adddup2(files, p->input, STDIN_FILENO)
                : posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null",
                                                   O_RDONLY, 0);

    if (e == 0)
        e = posix_spawn_file_actions_adddup2(files, out_fd >= 0 ? out_fd : STDERR_FILENO,
                                             STDOUT_FILENO);
    if (e == 0 && p->silent)
        e = posix_spawn_file_actions_addopen(files, STDERR_FILENO, "/dev/null", O_WRONLY,
                                             0);
    return e;
}

/* Signals as a shell would leave them: ours are blocked in the agent's threads, SIGPIPE
 * is ignored, and the agent's runner ignores what would end it. */
static int
set_attributes(posix_spawnattr_t *attr, bool own_group)
{
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    sigset_t none, defaults;
    int e = 0;

    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    if (own_group) {
        sigaddset(&defaults, SIGHUP);
        sigaddset(&defaults, SIGINT);
        sigaddset(&defaults, SIGTERM);
        flags |= POSIX_SPAWN_SETPGROUP;
        e = posix_spawnattr_setpgroup(attr, 0);
    }
    if (e == 0 && (e = posix_spawnattr_setsigmask(attr, &none)) == 0 &&
        (e = posix_spawnattr_setsigdefault(attr, &defaults)) == 0)
        e = posix_spawnattr_setflags(attr, flags);
    return e;
}

/* 0 or an errno. */
static int
start(struct running *run, int out_fd)
{
    const struct program *p = run->program;
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int e = posix_spawn_file_actions_init(&files);

    if (e != 0)
        return e;
    if ((e = posix_spawnattr_init(&attr)) != 0)
        goto out;
    if ((e = add_files(&files, p, out_fd)) == 0 &&
        (e = set_attributes(&attr, !p->foreground)) == 0)
        e = posix_spawn(&run->pid, p->argv[0], &files, &attr, p->argv,
                        p->environment != NULL ? p->environment : environ);
    posix_spawnattr_destroy(&attr);
out:
    posix_spawn_file_actions_destroy(&files);
    return e;
}

static bool
must_hurry(const struct program *p)
{
    struct pollfd gone = {.fd = p->gone_fd, .events = POLLRDHUP};

    return (p->hurry != NULL && atomic_load(p->hurry)) ||
           (p->gone_fd > 0 && poll(&gone, 1, 0) > 0);
}

/* Milliseconds left, at most `most`. */
static int
left(struct running *run, int most)
{
    int ms;

    if (!run->hurried && must_hurry(run->program)) {
        run->hurried = true;
        if (deadline_left(&run->deadline) > RUN_HURRY_MS)
            run->deadline = deadline_in(RUN_HURRY_MS);
    }
    ms = deadline_left(&run->deadline);
    return ms < most ? ms : most;
}

static int
too_slow(const struct running *run, struct err *err)
{
    if (run->hurried)
        return err_set(err, ERR_TIMEOUT, "%s had not ended when the agent did",
                       run->program->name);
    return err_set(err, ERR_TIMEOUT, "%s took longer than %d s", run->program->name,
                   run->program->deadline_ms / 1000);
}

/* Reads until the end of the output. */
static int
collect(struct running *run, int fd, struct err *err)
{
    struct secret *out = run->program->output;
    char buf[4096];
    ssize_t n = 1;
    int r = 0;

    while (r == 0 && n != 0) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ms = left(run, 1000), ready = poll(&p, 1, ms);

        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0 && left(run, 1) > 0)
            continue;
        if (ready == 0) {
            r = too_slow(run, err);
            break;
        }
        n = ready < 0 ? -1 : read(fd, buf, sizeof buf);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            r = err_set(err, ERR_TEMP, "%s: %s", run->program->name, strerror(errno));
        else if (n > 0 && (r = secret_append(out, buf, (size_t)n)) != 0)
            r = r == ERR_NOMEM ? err_set(err, ERR_NOMEM, "out of memory")
                               : err_set(err, ERR_TEMP, "%s printed more than %zu bytes",
                                         run->program->name, out->max);
    }
    explicit_bzero(buf, sizeof buf);
    return r;
}

/* Before it is collected its process group is certainly still its own. */
static void
end(const struct running *run)
{
    kill(run->program->foreground ? run->pid : -run->pid, SIGKILL);
}

static int
ended_how(const struct running *run, int status, struct err *err)
{
    if (WIFSIGNALED(status))
        return err_set(err, ERR_TEMP, "%s was ended by signal %d", run->program->name,
                       WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        return err_set(err, ERR_TEMP, "%s ended with status %d", run->program->name,
                       WEXITSTATUS(status));
    return 0;
}

/* Waits for its end; kills it when something went wrong already (`r`), or too late. */
static int
wait_for(struct running *run, int r, struct err *err)
{
    int status = 0;
    pid_t got;

    if (r != 0)
        end(run);
    while (r == 0 && (got = waitpid(run->pid, &status, WNOHANG)) <= 0) {
        int ms = left(run, SLICE_MS);

        if (got < 0 && errno != EINTR)
            return err_set(err, ERR_TEMP, "%s: %s", run->program->name, strerror(errno));
        if (ms == 0) {
            end(run);
            r = too_slow(run, err);
        } else {
            poll(NULL, 0, ms);
        }
    }
    if (r == 0)
        return ended_how(run, status, err);
    while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return r;
}

void
run_program_elsewhere(int (*run)(const struct program *program, struct err *err))
{
    elsewhere = run;
}

int
run_program(const struct program *p, struct err *err)
{
    struct running run = {.program = p, .deadline = deadline_in(p->deadline_ms)};
    int fd[2] = {-1, -1}, e, r = 0;

    if (elsewhere != NULL)
        return elsewhere(p, err);
    if (p->output != NULL && pipe2(fd, O_CLOEXEC) != 0)
        return err_set(err, ERR_TEMP, "%s: %s", p->name, strerror(errno));
    e = start(&run, fd[1]);
    if (fd[1] >= 0)
        close(fd[1]);
    if (e != 0)
        r = err_set(err, e == ENOMEM ? ERR_NOMEM : ERR_TEMP, "cannot run %s: %s", p->name,
                    strerror(e));
    else if (p->output != NULL)
        r = collect(&run, fd[0], err);
    if (fd[0] >= 0)
        close(fd[0]);
    if (e == 0)
        r = wait_for(&run, r, err);
    if (r != 0 && p->output != NULL)
        secret_clear(p->output);
    return r;
}
