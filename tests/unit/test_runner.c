/* test_runner.c - commands run in the runner: those the accounts file names, no others.
 */
/* link: -Wl,--wrap=fork */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "agent/hooks.h"
#include "agent/runner.h"
#include "client/deadline.h"
#include "conf_file.h"
#include "scratch.h"

#define SECRET_PART                                                                      \
    "provider p { token_endpoint = \"https://idp.example/token\" scope = mail }\n"       \
    "account a { provider = p client_id = c grant = client_credentials\n"                \
    "            client_secret_command = '"
#define CONF(command) SECRET_PART command "' }\n"

static pid_t runner; /* the last child of fork() */

pid_t __real_fork(void);
pid_t __wrap_fork(void);

pid_t
__wrap_fork(void)
{
    pid_t pid = __real_fork();

    if (pid > 0)
        runner = pid;
    return pid;
}

static void
forget(void *arg)
{
    accounts_free(arg);
}

/* Both processes lose the accounts, as the agent's do. */
static void
start(const char *conf)
{
    struct accounts *accounts = conf_accept(conf);
    struct err err = ERR_INIT;

    assert_int_equal(runner_start("input.conf", accounts, forget, &accounts, &err), 0);
    accounts_free(&accounts);
}

static int
end(void **state)
{
    runner_end();
    return conf_teardown(state);
}

static int
run(const char *command, struct secret *output, const atomic_bool *hurry, struct err *err)
{
    char sh[] = "/bin/sh", c[] = "-c", text[512];
    char *argv[] = {sh, c, text, NULL};

    snprintf(text, sizeof text, "%s", command);
    return run_program(&(struct program){.argv = argv,
                                         .name = "the command",
                                         .input = -1,
                                         .output = output,
                                         .deadline_ms = 10000,
                                         .hurry = hurry},
                       err);
}

static void
fails(const char *command, int code, const char *line)
{
    struct secret output = {.max = 65536};
    struct err err = ERR_INIT;
    char got[ERR_LINE_MAX];

    assert_int_equal(run(command, &output, NULL, &err), code);
    assert_string_equal(err_line(&err, got), line);
    assert_int_equal(output.len, 0);
}

static void
prints(const char *command, const char *text)
{
    struct secret output = {.max = 65536};
    struct err err = ERR_INIT;

    if (run(command, &output, NULL, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(secret_str(&output), text);
    secret_clear(&output);
}

#define NOT_NAMED                                                                        \
    "the command is not run: the accounts file does not name it -> restart the agent"

static void
what_the_file_names(void **state)
{
    (void)state;
    start(CONF("printf CANARY; echo two"));
    prints("printf CANARY; echo two", "CANARYtwo\n");
    prints("printf CANARY; echo two", "CANARYtwo\n");
    fails("printf CANARY; echo three", ERR_TEMP, NOT_NAMED);
    fails("printf CANARY; echo two; id", ERR_TEMP, NOT_NAMED);
    fails("printf CANARY", ERR_TEMP, NOT_NAMED);
    fails("", ERR_TEMP, NOT_NAMED);
    prints("printf CANARY; echo two", "CANARYtwo\n");
}

static void
a_hook_word_for_word(void **state)
{
    char good[] = "/bin/true", more[] = "x", *named[] = {good, more, NULL};
    char *shorter[] = {good, NULL}, *longer[] = {good, more, more, NULL};
    char **const others[] = {shorter, longer};
    struct program p = {
        .argv = named, .name = named[0], .input = -1, .deadline_ms = 10000};
    struct err err = ERR_INIT;

    (void)state;
    start("agent { on_failure = { /bin/true, x } }\n");
    assert_int_equal(run_program(&p, &err), 0);
    for (size_t i = 0; i < 2; i++) {
        p.argv = others[i];
        assert_int_equal(run_program(&p, &err), ERR_TEMP);
        assert_string_equal(err.text,
                            "/bin/true is not run: the accounts file does not name it");
    }
}

/* The event's variables go along; what else the agent may set, LD_AUDIT say, does
 * not.
 */
static void
its_environment(void **state)
{
    char preload[] = "LD_AUDIT=/nonexistent", event[] = "MAILBEARER_EVENT=failure";
    char path[] = "PATH=/nowhere";
    char *environment[] = {preload, event, path, NULL};
    char sh[] = "/bin/sh", c[] = "-c";
    char text[] = "echo \"${LD_AUDIT-none} $MAILBEARER_EVENT $PATH\"";
    char *argv[] = {sh, c, text, NULL};
    struct secret output = {.max = 4096};
    struct err err = ERR_INIT;

    (void)state;
    setenv("PATH", "/usr/bin:/bin", 1);
    start(CONF("echo \"${LD_AUDIT-none} $MAILBEARER_EVENT $PATH\""));
    assert_int_equal(run_program(&(struct program){.argv = argv,
                                                   .environment = environment,
                                                   .name = "the command",
                                                   .input = -1,
                                                   .output = &output,
                                                   .deadline_ms = 10000},
                                 &err),
                     0);
    assert_string_equal(secret_str(&output), "none failure /usr/bin:/bin\n");
    secret_clear(&output);
}

/* In a process of its own, since it cannot be undone. */
static void
outside_of_no_new_privs(void **state)
{
    pid_t pid;
    int status = 0;

    (void)state;
    if ((pid = __real_fork()) == 0) {
        start(CONF("grep NoNewPrivs /proc/self/status"));
        assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L), 0);
        prints("grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t0\n");
        runner_end();
        assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L), 1);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void
how_it_ends(void **state)
{
    struct secret output = {.max = 4};
    struct err err = ERR_INIT;

    (void)state;
    start(CONF(
        "exit 3") "account b { provider = p client_id = c\n"
                  "grant = client_credentials client_secret_command = 'kill -9 $$' }\n"
                  "account d { provider = p client_id = c\n"
                  "grant = client_credentials client_secret_command = 'echo CANARY' }\n");
    fails("exit 3", ERR_TEMP, "the command ended with status 3");
    fails("kill -9 $$", ERR_TEMP, "the command was ended by signal 9");
    assert_int_equal(run("echo CANARY", &output, NULL, &err), ERR_TEMP);
    assert_string_equal(err.text, "the command printed more than 4 bytes");
    assert_int_equal(output.len, 0);
}

static void
a_reload(void **state)
{
    struct deadline deadline = deadline_in(5000);
    struct secret output = {.max = 4096};
    struct err err = ERR_INIT;

    (void)state;
    start(CONF("echo one"));
    fails("echo two", ERR_TEMP, NOT_NAMED);
    conf_write("input.conf", CONF("echo two"));
    fails("echo two", ERR_TEMP, NOT_NAMED); /* nobody has said so */
    runner_reload();
    prints("echo two", "two\n");
    prints("echo one", "one\n"); /* it may still be waiting its turn */
    conf_write("input.conf", "nonsense");
    runner_reload();
    prints("echo two", "two\n");
    assert_int_equal(run("echo three", &output, NULL, &err), ERR_TEMP);
    assert_false(deadline_passed(&deadline));
}

static void *
soon(void *arg)
{
    usleep(300000);
    atomic_store((atomic_bool *)arg, true);
    return NULL;
}

static void
the_agent_is_in_a_hurry(void **state)
{
    atomic_bool hurry;
    pthread_t thread;
    struct err err = ERR_INIT;
    int64_t start_ms = deadline_now();

    (void)state;
    atomic_init(&hurry, false);
    start(CONF("trap \"\" TERM; sleep 30"));
    assert_int_equal(pthread_create(&thread, NULL, soon, &hurry), 0);
    assert_int_equal(run("trap \"\" TERM; sleep 30", NULL, &hurry, &err), ERR_TIMEOUT);
    pthread_join(thread, NULL);
    assert_string_equal(err.text, "the command had not ended when the agent did");
    assert_in_range(deadline_now() - start_ms, 2000, 5000);
}

static void
the_runner_is_gone(void **state)
{
    (void)state;
    start(CONF("echo one"));
    prints("echo one", "one\n");
    assert_int_equal(kill(runner, SIGTERM), 0); /* which it ignores */
    prints("echo one", "one\n");
    assert_int_equal(kill(runner, SIGKILL), 0);
    waitpid(runner, NULL, 0);
    fails("echo one", ERR_TEMP,
          "the command: the process that runs it has ended -> restart the agent");
    runner_reload(); /* is no harm */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_the_file_names, conf_setup, end),
        cmocka_unit_test_setup_teardown(a_hook_word_for_word, conf_setup, end),
        cmocka_unit_test_setup_teardown(its_environment, conf_setup, end),
        cmocka_unit_test_setup_teardown(outside_of_no_new_privs, conf_setup, end),
        cmocka_unit_test_setup_teardown(how_it_ends, conf_setup, end),
        cmocka_unit_test_setup_teardown(a_reload, conf_setup, end),
        cmocka_unit_test_setup_teardown(the_agent_is_in_a_hurry, conf_setup, end),
        cmocka_unit_test_setup_teardown(the_runner_is_gone, conf_setup, end),
    };

    return cmocka_run_group_tests_name("runner", tests, NULL, NULL);
}
