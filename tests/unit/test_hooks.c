/* test_hooks.c - the commands are run, with what they are told, and never too many. */
#include <errno.h>
#include <stdatomic.h>

#include "agent/hooks.h"
#include "base/log.h"
#include "client/deadline.h"
#include "scratch.h"

static char dir[SCRATCH_PATH_MAX], script[SCRATCH_PATH_MAX], out[SCRATCH_PATH_MAX];
static struct worker *worker;
static struct hooks *hooks;
static char saved_err[SCRATCH_PATH_MAX];
static int real_err;

static void
wake(void *arg)
{
    (void)arg;
}

/* What the log and the hooks say goes to a file. */
static int
begin(void **state)
{
    struct err err = ERR_INIT;
    int fd;

    (void)state;
    scratch_make(dir);
    scratch_path(script, dir, "hook");
    scratch_path(out, dir, "out");
    scratch_path(saved_err, dir, "err");
    scratch_write(out, "", 0, 0600);
    real_err = dup(STDERR_FILENO);
    fd = open(saved_err, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    close(fd);
    setenv("TEST_OUT", out, 1);
    assert_int_equal(worker_new(&worker, wake, NULL, &err), 0);
    assert_int_equal(hooks_new(worker, &hooks, &err), 0);
    return 0;
}

static int
finish(void **state)
{
    (void)state;
    hooks_end(hooks);
    worker_free(&worker);
    hooks_free(&hooks);
    assert_null(hooks);
    dup2(real_err, STDERR_FILENO);
    close(real_err);
    scratch_remove(dir);
    return 0;
}

/* Both events run the script, with one argument to tell them apart. */
static void
use(const char *text)
{
    char failure[] = "on failure; $(not a shell)", recovery[] = "on recovery";
    char *words[2][2] = {{script, failure}, {script, recovery}};
    const struct name_list lists[2] = {{words[0], 2}, {words[1], 2}};
    struct err err = ERR_INIT;

    scratch_write(script, text, strlen(text), 0700);
    assert_int_equal(hooks_set_commands(hooks, &lists[0], &lists[1], &err), 0);
}

static void
report(enum hook_event event, const char *account, const char *state, const char *reason,
       const char *remedy)
{
    struct err err = ERR_INIT;
    struct hook_call call = {event, account, state, &err};

    err_set(&err, ERR_PERSON, "%s", reason);
    err_hint(&err, "%s", remedy);
    hooks_report(hooks, &call);
}

static size_t
lines(const char *path)
{
    char buf[65536];
    size_t n = scratch_read(path, buf, sizeof buf), count = 0;

    for (size_t i = 0; i < n; i++)
        count += buf[i] == '\n';
    return count;
}

static void
wait_for_lines(const char *path, size_t count)
{
    struct deadline dl = deadline_in(10000);

    while (lines(path) < count && !deadline_passed(&dl)) {
        worker_collect(worker);
        usleep(5000);
    }
    assert_int_equal(lines(path), count);
}

static void
holds(const char *path, const char *text)
{
    char buf[65536];

    scratch_read(path, buf, sizeof buf);
    if (strstr(buf, text) == NULL)
        fail_msg("not in it: %s\n%s", text, buf);
}

static const char tell_all[] =
    "#!/bin/sh\n"
    "echo \"$1|$MAILBEARER_EVENT|$MAILBEARER_ACCOUNT|${MAILBEARER_STATE-unset}|"
    "$MAILBEARER_REASON|$MAILBEARER_REMEDY\" >> $TEST_OUT\n";

static void
what_a_command_is_told(void **state)
{
    struct hook_call over = {HOOK_RECOVERY, "alice@contoso.com", "ok", NULL};

    (void)state;
    /* not the agent's own, should it have such a variable */
    setenv("MAILBEARER_REASON", "from outside", 1);
    setenv("MAILBEARER_STATE", "from outside", 1);
    use(tell_all);
    report(HOOK_FAILURE, "alice@contoso.com", "needs-action", "AADSTS50173 `id` \"$x\"",
           "sign in again");
    wait_for_lines(out, 1);
    hooks_report(hooks, &over);
    wait_for_lines(out, 2);
    report(HOOK_EXPIRY, "relay", NULL, "it expires", "");
    wait_for_lines(out, 3);
    unsetenv("MAILBEARER_REASON");
    unsetenv("MAILBEARER_STATE");
    holds(out, "on failure; $(not a shell)|failure|alice@contoso.com|needs-action|"
               "AADSTS50173 `id` \"$x\"|sign in again\n");
    holds(out, "on recovery|recovery|alice@contoso.com|ok||\n");
    holds(out, "on failure; $(not a shell)|expiry|relay|unset|it expires|\n");
}

static void
without_commands_nothing_runs(void **state)
{
    const struct name_list none = {NULL, 0};
    struct err err = ERR_INIT;

    (void)state;
    report(HOOK_FAILURE, "a", "failing", "r", "");
    hooks_report(NULL, &(struct hook_call){HOOK_FAILURE, "a", "failing", NULL});
    use(tell_all);
    assert_int_equal(hooks_set_commands(hooks, &none, &none, &err), 0);
    report(HOOK_FAILURE, "a", "failing", "r", "");
    usleep(100000);
    worker_collect(worker);
    assert_int_equal(lines(out), 0);
    assert_int_equal(lines(saved_err), 0);
}

static void
what_a_command_prints_and_how_it_fails_is_in_the_log(void **state)
{
    (void)state;
    use("#!/bin/sh\necho to stdout\necho to stderr >&2\ncat\nexit 7\n");
    report(HOOK_FAILURE, "alice", "failing", "r", "");
    wait_for_lines(saved_err, 3);
    holds(saved_err, "to stdout\n");
    holds(saved_err, "to stderr\n");
    holds(saved_err, "alice: on_failure: ");
    holds(saved_err, "/hook ended with status 7\n");
    assert_int_equal(unlink(script), 0);
    report(HOOK_RECOVERY, "alice", "ok", "", "");
    wait_for_lines(saved_err, 4);
    holds(saved_err, "alice: on_recovery: cannot run ");
}

/* Each says when it begins and ends; what it waits for is a file. */
static const char gated[] = "#!/bin/sh\necho begin $MAILBEARER_ACCOUNT >> $TEST_OUT\n"
                            "while [ -e $TEST_OUT.gate ]; do sleep 0.02; done\n"
                            "echo end $MAILBEARER_ACCOUNT >> $TEST_OUT\n";

static void
at_most_four_at_once(void **state)
{
    char gate[SCRATCH_PATH_MAX], name[16];

    (void)state;
    scratch_write(scratch_path(gate, dir, "out.gate"), "", 0, 0600);
    use(gated);
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "account%d", i);
        report(HOOK_FAILURE, name, "failing", "r", "");
    }
    wait_for_lines(out, HOOKS_AT_ONCE);
    usleep(200000);
    hooks_tick(hooks);
    worker_collect(worker);
    usleep(100000);
    assert_int_equal(lines(out), HOOKS_AT_ONCE);
    assert_int_equal(unlink(gate), 0);
    wait_for_lines(out, 20);
}

static void
an_account_has_one_at_a_time_in_order(void **state)
{
    char gate[SCRATCH_PATH_MAX], buf[4096];

    (void)state;
    scratch_write(scratch_path(gate, dir, "out.gate"), "", 0, 0600);
    use("#!/bin/sh\necho begin $MAILBEARER_EVENT >> $TEST_OUT\n"
        "while [ -e $TEST_OUT.gate ]; do sleep 0.02; done\n"
        "echo end $MAILBEARER_EVENT >> $TEST_OUT\n");
    report(HOOK_FAILURE, "alice", "failing", "r", "");
    report(HOOK_RECOVERY, "alice", "ok", "", "");
    report(HOOK_EXPIRY, "alice", NULL, "r", "");
    wait_for_lines(out, 1);
    usleep(100000);
    assert_int_equal(lines(out), 1);
    assert_int_equal(unlink(gate), 0);
    wait_for_lines(out, 6);
    scratch_read(out, buf, sizeof buf);
    assert_string_equal(buf, "begin failure\nend failure\nbegin recovery\nend recovery\n"
                             "begin expiry\nend expiry\n");
}

static void
too_many_are_dropped_and_it_is_said_once(void **state)
{
    char gate[SCRATCH_PATH_MAX], name[16];

    (void)state;
    scratch_write(scratch_path(gate, dir, "out.gate"), "", 0, 0600);
    use(gated);
    report(HOOK_FAILURE, "first", "failing", "r", "");
    wait_for_lines(out, 1);
    for (int i = 0; i < HOOKS_WAITING_MAX; i++)
        report(HOOK_FAILURE, "first", "failing", "r", "");
    assert_int_equal(lines(saved_err), 0);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "more%d", i);
        report(HOOK_FAILURE, name, "failing", "r", "");
    }
    assert_int_equal(lines(saved_err), 1);
    holds(saved_err, "more0: ");
    holds(saved_err, " is not run: 1000 wait already\n");
    /* the end: those that wait are dropped, the one that runs has two seconds */
    log_set_level(LOG_LEVEL_ERROR);
    hooks_end(hooks);
    log_set_level(LOG_LEVEL_INFO);
    report(HOOK_FAILURE, "late", "failing", "r", "");
    assert_int_equal(lines(out), 1);
}

static void
the_end_waits_two_seconds_for_what_runs(void **state)
{
    int64_t start;

    (void)state;
    use("#!/bin/sh\necho begin >> $TEST_OUT\nsleep 0.5\necho end >> $TEST_OUT\n");
    report(HOOK_FAILURE, "quick", "failing", "r", "");
    wait_for_lines(out, 1);
    hooks_end(hooks);
    worker_free(&worker);
    assert_int_equal(lines(out), 2);
    hooks_free(&hooks);
    assert_int_equal(worker_new(&worker, wake, NULL, NULL), 0);
    assert_int_equal(hooks_new(worker, &hooks, NULL), 0);
    use("#!/bin/sh\necho begin >> $TEST_OUT\nexec sleep 20\n");
    report(HOOK_FAILURE, "slow", "failing", "r", "");
    wait_for_lines(out, 3);
    start = deadline_now();
    hooks_end(hooks);
    worker_free(&worker);
    assert_in_range(deadline_now() - start, 1000, 6000);
    holds(saved_err, "slow: on_failure: ");
    holds(saved_err, "had not ended when the agent did");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, finish)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_command_is_told),
        TEST(without_commands_nothing_runs),
        TEST(what_a_command_prints_and_how_it_fails_is_in_the_log),
        TEST(at_most_four_at_once),
        TEST(an_account_has_one_at_a_time_in_order),
        TEST(too_many_are_dropped_and_it_is_said_once),
        TEST(the_end_waits_two_seconds_for_what_runs),
    };

    return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
