/* test_run_program.c - programs that end well, badly, late or never. */
#include <errno.h>
#include <signal.h>

#include "base/run_program.h"
#include "client/deadline.h"
#include "scratch.h"

static char dir[SCRATCH_PATH_MAX];

static int
setup(void **state)
{
    (void)state;
    scratch_make(dir);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    scratch_remove(dir);
    return 0;
}

/* /bin/sh -c SCRIPT; $1 is the test's directory. */
static int
shell(struct program *p, const char *script, struct err *err)
{
    char sh[] = "/bin/sh", c[] = "-c", name[] = "test", text[1024];
    char *argv[] = {sh, c, text, name, dir, NULL};

    assert_true(snprintf(text, sizeof text, "%s", script) < (int)sizeof text);
    p->argv = argv;
    p->name = "the program";
    if (p->deadline_ms == 0)
        p->deadline_ms = 10000;
    return run_program(p, err);
}

static void
fails(struct program *p, const char *script, int code, const char *text)
{
    struct err err = ERR_INIT;

    assert_int_equal(shell(p, script, &err), code);
    assert_int_equal(err.code, code);
    assert_string_equal(err.text, text);
    if (p->output != NULL)
        assert_int_equal(p->output->len, 0);
}

/* True when the process whose number is in the file has ended; who collects it does not
 * matter. */
static bool
has_ended(const char *name)
{
    char path[SCRATCH_PATH_MAX], pid[32], stat[4096];
    const char *state;
    int fd;
    ssize_t n;

    scratch_read(scratch_path(path, dir, name), pid, sizeof pid);
    pid[strcspn(pid, "\n")] = '\0';
    assert_true(strlen(pid) > 0);
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return true;
    n = read(fd, stat, sizeof stat - 1);
    close(fd);
    if (n <= 0)
        return true;
    stat[n] = '\0';
    state = strrchr(stat, ')');
    return state != NULL && state[2] == 'Z';
}

static void
assert_ends(const char *name)
{
    struct deadline dl = deadline_in(5000);

    while (!has_ended(name) && !deadline_passed(&dl))
        usleep(10000);
    assert_true(has_ended(name));
}

static void
what_it_prints_is_collected(void **state)
{
    struct secret out = SECRET_INIT;
    struct program p = {.input = -1, .output = &out};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(shell(&p, "printf 'CANARY\\n\\000x'", &err), 0);
    assert_int_equal(out.len, 9);
    assert_memory_equal(out.data, "CANARY\n\0x", 9);
    secret_clear(&out);
    assert_int_equal(shell(&p, ":", &err), 0);
    assert_int_equal(out.len, 0);
    /* longer than a pipe holds */
    assert_int_equal(shell(&p, "head -c 200000 /dev/zero", &err), 0);
    assert_int_equal(out.len, 200000);
    secret_clear(&out);
}

static void
its_input_is_the_descriptor_or_nothing(void **state)
{
    struct secret out = SECRET_INIT;
    struct program p = {.input = -1, .output = &out};
    struct err err = ERR_INIT;
    char path[SCRATCH_PATH_MAX];

    (void)state;
    assert_int_equal(shell(&p, "cat; readlink /proc/self/fd/0", &err), 0);
    assert_string_equal(secret_str(&out), "/dev/null\n");
    secret_clear(&out);
    scratch_write(scratch_path(path, dir, "input"), "from the file", 13, 0600);
    p.input = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(p.input > 2);
    assert_int_equal(shell(&p, "cat", &err), 0);
    assert_string_equal(secret_str(&out), "from the file");
    close(p.input);
    secret_clear(&out);
}

/* The signals of one line of /proc/self/status. */
static unsigned long long
signals_of(struct program *p, const char *line)
{
    struct err err = ERR_INIT;
    unsigned long long mask;
    char text[200];
    int r;

    snprintf(text, sizeof text, "sed -n 's/^%s:[^0-9a-f]*/0x/p' /proc/self/status", line);
    r = shell(p, text, &err);
    assert_int_equal(r, 0);
    mask = strtoull(secret_str(p->output), NULL, 16);
    secret_clear(p->output);
    return mask;
}

static void
no_signal_is_blocked_nor_is_a_broken_pipe_ignored(void **state)
{
    struct secret out = SECRET_INIT;
    struct program p = {.input = -1, .output = &out};
    unsigned long long blocked, ignored;
    sigset_t all, old;

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    blocked = signals_of(&p, "SigBlk");
    ignored = signals_of(&p, "SigIgn");
    sigprocmask(SIG_SETMASK, &old, NULL);
    signal(SIGPIPE, SIG_DFL);
    assert_int_equal(blocked, 0);
    assert_int_equal(ignored >> (SIGPIPE - 1) & 1, 0);
}

static void
its_environment(void **state)
{
    char one[] = "ONE=1";
    char *environment[] = {one, NULL};
    struct secret out = SECRET_INIT;
    struct program p = {.input = -1, .output = &out, .environment = environment};
    struct err err = ERR_INIT;

    (void)state;
    setenv("TWO", "2", 1);
    assert_int_equal(shell(&p, "echo $ONE-$TWO", &err), 0);
    assert_string_equal(secret_str(&out), "1-\n");
    secret_clear(&out);
    p.environment = NULL;
    assert_int_equal(shell(&p, "echo $ONE-$TWO", &err), 0);
    assert_string_equal(secret_str(&out), "-2\n");
    secret_clear(&out);
}

static void
how_it_failed(void **state)
{
    struct secret out = {.max = 100};
    struct program p = {.input = -1}, collect = {.input = -1, .output = &out};
    char path[] = "/nonexistent/program";
    char *argv[] = {path, NULL};
    struct program none = {.argv = argv, .name = "it", .input = -1, .deadline_ms = 1000};
    struct err err = ERR_INIT;

    (void)state;
    fails(&p, "exit 3", ERR_TEMP, "the program ended with status 3");
    fails(&p, "kill -9 $$", ERR_TEMP, "the program was ended by signal 9");
    fails(&collect, "echo CANARY; exit 1", ERR_TEMP, "the program ended with status 1");
    fails(&collect, "head -c 101 /dev/zero", ERR_TEMP,
          "the program printed more than 100 bytes");
    assert_int_equal(run_program(&none, &err), ERR_TEMP);
    assert_string_equal(err.text, "cannot run it: No such file or directory");
}

static void
too_late_it_and_what_it_started_are_killed(void **state)
{
    struct secret out = SECRET_INIT;
    struct program p = {.input = -1, .output = &out, .deadline_ms = 1000};
    int64_t start = deadline_now();

    (void)state;
    fails(&p, "sleep 60 & echo $! > $1/a; wait", ERR_TIMEOUT,
          "the program took longer than 1 s");
    assert_in_range(deadline_now() - start, 900, 5000);
    assert_ends("a");
    /* it has closed its output, and lives on */
    p.deadline_ms = 1000;
    fails(&p, "exec >&-; sleep 60 & echo $! > $1/b; wait", ERR_TIMEOUT,
          "the program took longer than 1 s");
    assert_ends("b");
    p = (struct program){.input = -1, .deadline_ms = 1000};
    fails(&p, "echo $$ > $1/c; trap '' TERM HUP INT; while :; do sleep 60; done",
          ERR_TIMEOUT, "the program took longer than 1 s");
    assert_ends("c");
}

static void
one_that_only_stays_too_long_in_the_background_does_not_matter(void **state)
{
    struct program p = {.input = -1, .deadline_ms = 5000};
    struct err err = ERR_INIT;
    int64_t start = deadline_now();

    (void)state;
    assert_int_equal(shell(&p, "sleep 1 & exit 0", &err), 0);
    assert_in_range(deadline_now() - start, 0, 900);
}

static void
in_a_hurry(void **state)
{
    atomic_bool hurry;
    struct program p = {.input = -1, .deadline_ms = 60000, .hurry = &hurry};
    int64_t start = deadline_now();
    struct err err = ERR_INIT;

    (void)state;
    atomic_init(&hurry, true);
    fails(&p, "sleep 60", ERR_TIMEOUT, "the program had not ended when the agent did");
    assert_in_range(deadline_now() - start, RUN_HURRY_MS - 100, RUN_HURRY_MS + 3000);
    assert_int_equal(shell(&p, "sleep 0.1", &err), 0);
    atomic_store(&hurry, false);
    assert_int_equal(shell(&p, "sleep 0.1", &err), 0);
}

static void
in_the_foreground_it_shares_our_process_group(void **state)
{
    struct secret out = SECRET_INIT;
    struct program p = {.input = -1, .output = &out};
    struct err err = ERR_INIT;
    char expect[32];

    (void)state;
    assert_int_equal(shell(&p, "test $(ps -o pgid= -p $$) = $$", &err), 0);
    p.foreground = true;
    assert_int_equal(shell(&p, "echo $(ps -o pgid= -p $$)", &err), 0);
    snprintf(expect, sizeof expect, "%ld\n", (long)getpgrp());
    assert_string_equal(secret_str(&out), expect);
    secret_clear(&out);
    p.deadline_ms = 1000;
    fails(&p, "echo $$ > $1/d; exec sleep 60", ERR_TIMEOUT,
          "the program took longer than 1 s");
    assert_ends("d");
}

/* What is left of its standard error: where that is, said by the program itself. */
static void
it_may_be_made_silent(void **state)
{
    struct secret out = SECRET_INIT;
    struct program p = {.input = -1, .output = &out, .silent = true};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(shell(&p, "readlink /proc/self/fd/2; echo lost >&2", &err), 0);
    assert_string_equal(secret_str(&out), "/dev/null\n");
    secret_clear(&out);
    p.silent = false;
    assert_int_equal(shell(&p, "test /proc/self/fd/2 -ef /proc/$PPID/fd/2", &err), 0);
    assert_int_equal(out.len, 0);
    secret_clear(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_prints_is_collected),
        cmocka_unit_test(its_input_is_the_descriptor_or_nothing),
        cmocka_unit_test(no_signal_is_blocked_nor_is_a_broken_pipe_ignored),
        cmocka_unit_test(its_environment),
        cmocka_unit_test(how_it_failed),
        cmocka_unit_test(too_late_it_and_what_it_started_are_killed),
        cmocka_unit_test(one_that_only_stays_too_long_in_the_background_does_not_matter),
        cmocka_unit_test(in_a_hurry),
        cmocka_unit_test(it_may_be_made_silent),
        cmocka_unit_test(in_the_foreground_it_shares_our_process_group),
    };

    return cmocka_run_group_tests_name("run_program", tests, setup, teardown);
}
