/* faults.c - see faults.h: every call of every scenario fails once, is interrupted once,
 * is cut short once.
 *
 * usage: [FAULTS_TRACE=1] faults_X [SCENARIO]
 *
 * Prints TAP. After each run no descriptor is left open and, with AddressSanitizer, no
 * memory is lost; what else must hold the scenario says. */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/deadline.h"
#include "faults.h"

#define HANG_SECONDS 60
#define CALLS_MAX 100000

extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

long fault_lost;
static char dir[64];
static char running[200]; /* told when it ends here */

static void
on_end(int number)
{
    const char *name =
        wrap_struck(); // NOLINT(bugprone-signal-handler): reads one pointer

    (void)!write(STDERR_FILENO, running, strlen(running));
    (void)!write(STDERR_FILENO, name != NULL ? name : "",
                 name != NULL ? strlen(name) : 0);
    (void)!write(STDERR_FILENO, "\n", 1);
    if (number != SIGABRT)
        _exit(1);
}

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *
__ubsan_default_options(void)
{
    return "abort_on_error=1";
}

const char *
__asan_default_options(void)
{
    return "abort_on_error=1:detect_stack_use_after_return=1:allocator_may_return_null=1";
}

void
fault_note(const char *text)
{
    if (getenv("FAULTS_TRACE") != NULL)
        fprintf(stderr, "%s\n", text);
}

static int
count_descriptors(void)
{
    DIR *list = opendir("/proc/self/fd");
    int n = 0;

    FUZZ_CHECK(list != NULL);
    while (readdir(list) != NULL)
        n++;
    closedir(list);
    return n;
}

static void
check_leaks(void)
{
    if (__lsan_do_recoverable_leak_check != NULL &&
        __lsan_do_recoverable_leak_check() != 0) {
        fprintf(stderr, "memory was lost\n");
        abort();
    }
}

/* True when a call went wrong: there may be another one. */
static bool
try_one(const struct fault_scenario *s, enum wrap_mode mode, long target)
{
    static const char *const words[] = {"counting", "failing", "interrupting", "cutting"};
    int descriptors = count_descriptors(), left;
    int64_t start = deadline_now();
    bool done;

    snprintf(running, sizeof running, "%s, %s call %ld: ", s->name, words[mode], target);
    alarm(HANG_SECONDS);
    s->before();
    wrap_begin(mode, target);
    done = s->run();
    wrap_end();
    if (!done && (wrap_struck() == NULL || mode != WRAP_FAIL)) {
        fprintf(stderr, "it was not done although nothing failed\n");
        abort();
    }
    s->after(done);
    alarm(0);
    left = count_descriptors();
    if (left != descriptors) {
        fprintf(stderr, "%d descriptors before, %d after\n", descriptors, left);
        abort();
    }
    check_leaks();
    if (getenv("FAULTS_TRACE") != NULL)
        fprintf(stderr, "%s%s: %s, %lld ms\n", running,
                wrap_struck() ? wrap_struck() : "-", done ? "done" : "failed",
                (long long)(deadline_now() - start));
    return wrap_struck() != NULL;
}

static long
try_all(const struct fault_scenario *s, enum wrap_mode mode)
{
    long n = 1;

    while (n < CALLS_MAX && try_one(s, mode, n))
        n++;
    return n - 1;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static void
clean_up(void)
{
    fault_teardown();
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int
main(int argc, char **argv)
{
    size_t number = 0;

    signal(SIGABRT, on_end);
    signal(SIGALRM, on_end);
    signal(SIGPIPE, SIG_DFL); /* ours ask for MSG_NOSIGNAL */
    snprintf(dir, sizeof dir, "/tmp/mailbearer-faults.XXXXXX");
    FUZZ_CHECK(mkdtemp(dir) != NULL && chdir(dir) == 0);
    fault_setup(dir);
    printf("1..%zu\n", argc > 1 ? 1 : fault_scenario_count);
    for (size_t i = 0; i < fault_scenario_count; i++) {
        const struct fault_scenario *s = &fault_scenarios[i];
        long failed, interrupted, cut;

        if (argc > 1 && strcmp(argv[1], s->name) != 0)
            continue;
        fault_lost = 0;
        try_one(s, WRAP_COUNT, 0);
        failed = try_all(s, WRAP_FAIL);
        interrupted = try_all(s, WRAP_INTERRUPT);
        cut = try_all(s, WRAP_SHORT);
        printf("ok %zu - %s: %ld calls failed in turn, %ld interrupted, %ld cut short\n",
               ++number, s->name, failed, interrupted, cut);
        if (fault_lost > 0)
            printf("# %s: %ld of these took the provider's answer away, and with it the "
                   "rotated token\n",
                   s->name, fault_lost);
        fflush(stdout);
    }
    clean_up();
    return number > 0 ? 0 : 1;
}
