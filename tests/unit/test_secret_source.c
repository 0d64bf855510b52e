/* test_secret_source.c - a client secret from the file, a secret file or a command. */
/* link: -Wl,--wrap=deadline_in */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "client/deadline.h"
#include "oauth/secret_source.h"
#include "oauth_kit.h"

#define RUN_IT "run that command as the state directory's owner and see what it says"

struct deadline __real_deadline_in(int ms);
struct deadline __wrap_deadline_in(int ms);

static int longest_ms = 5000; /* the command's deadline in these tests */
static int asked_ms;

struct deadline
__wrap_deadline_in(int ms)
{
    asked_ms = ms;
    return __real_deadline_in(ms < longest_ms ? ms : longest_ms);
}

static struct account
command(const char *text, char copy[4096])
{
    struct account account = {.name = NULL};

    snprintf(copy, 4096, "%s", text);
    account.client_secret_command = copy;
    return account;
}

static void
prints(const char *text, const char *expect)
{
    char copy[4096];
    struct account account = command(text, copy);
    struct secret secret = SECRET_INIT;
    struct err err = ERR_INIT;

    if (secret_source_read(&account, &secret, &err) != 0)
        fail_msg("`%s`: %s", text, err.text);
    kit_assert_secret(&secret, expect);
    secret_clear(&secret);
}

static void
fails(const char *text, int code, const char *why, const char *hint)
{
    char copy[4096];
    struct account account = command(text, copy);
    struct secret secret = SECRET_INIT;
    struct err err = ERR_INIT;

    kit_set(&secret, "CANARY-before");
    assert_int_equal(secret_source_read(&account, &secret, &err), code);
    assert_int_equal(err.code, code);
    assert_string_equal(err.text, why);
    assert_string_equal(err.hint, hint);
    assert_int_equal(secret.len, 0);
    secret_clear(&secret);
}

static void
none_and_inline(void **state)
{
    struct account account = {.name = NULL};
    struct secret secret = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    kit_set(&secret, "CANARY-before");
    assert_int_equal(secret_source_read(&account, &secret, &err), 0);
    assert_int_equal(secret.len, 0);
    kit_set(&account.client_secret, "CANARY inline");
    assert_int_equal(secret_source_read(&account, &secret, &err), 0);
    kit_assert_secret(&secret, "CANARY inline");
    kit_assert_secret(&account.client_secret, "CANARY inline");
    secret_clear(&account.client_secret);
    secret_clear(&secret);
}

static void
from_a_file(void **state)
{
    char path[] = "client.secret";
    struct account account = {.client_secret_file = path};
    struct secret secret = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    conf_write(path, "CANARY a+b&c=d%41 e\r\nsecond line\n");
    assert_int_equal(secret_source_read(&account, &secret, &err), 0);
    kit_assert_secret(&secret, "CANARY a+b&c=d%41 e");
    conf_write(path, "CANARY-renewed"); /* read at each use */
    assert_int_equal(secret_source_read(&account, &secret, &err), 0);
    kit_assert_secret(&secret, "CANARY-renewed");
    conf_write_bytes(path, "CANARY\n", 7, 0644);
    assert_int_equal(secret_source_read(&account, &secret, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(secret.len, 0);
    conf_write(path, "\n");
    assert_int_equal(secret_source_read(&account, &secret, &err), ERR_CONFIG);
    assert_string_equal(err.text, "client secret client.secret is empty");
    conf_write(path, "CANARY\x01");
    assert_int_equal(secret_source_read(&account, &secret, &err), ERR_CONFIG);
    assert_string_equal(err.text,
                        "client secret client.secret holds a control character");
    assert_null(strstr(err.hint, "CANARY"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(secret_source_read(&account, &secret, &err), ERR_CONFIG);
    secret_clear(&secret);
}

static void
from_a_command(void **state)
{
    (void)state;
    prints("echo CANARY-from-command", "CANARY-from-command");
    assert_int_equal(asked_ms, SECRET_COMMAND_MS);
    prints("printf CANARY", "CANARY");
    prints("printf 'CANARY\\r\\nsecond line\\n'", "CANARY");
    prints("printf 'CANARY \\303\\274 \"$HOME\" '", "CANARY \xc3\xbc \"$HOME\" ");
    prints("x=CANARY; echo a | sed \"s/a/$x/\"", "CANARY");
    prints("cat; echo CANARY", "CANARY"); /* there is nothing on its input */
    prints("printf CAN; sleep 0.1; printf ARY", "CANARY");
}

static void
the_largest_output(void **state)
{
    (void)state;
    prints("echo CANARY; head -c 65529 /dev/zero", "CANARY");
    fails("echo CANARY; head -c 65530 /dev/zero", ERR_TEMP,
          "client_secret_command printed more than 65536 bytes", RUN_IT);
    fails("head -c 100000 /dev/zero", ERR_TEMP,
          "client_secret_command printed more than 65536 bytes", RUN_IT);
    fails("cat /dev/zero", ERR_TEMP,
          "client_secret_command printed more than 65536 bytes", RUN_IT);
}

static void
a_command_that_fails(void **state)
{
    (void)state;
    fails("echo CANARY; exit 3", ERR_TEMP, "client_secret_command ended with status 3",
          RUN_IT);
    fails("exec /nonexistent/CANARY 2>/dev/null", ERR_TEMP,
          "client_secret_command ended with status 127", RUN_IT);
    fails("echo CANARY; kill -9 $$", ERR_TEMP,
          "client_secret_command was ended by signal 9", RUN_IT);
}

static void
output_that_is_no_secret(void **state)
{
    (void)state;
    fails("true", ERR_CONFIG, "client_secret_command printed nothing",
          "it must print the secret as its first line");
    fails("echo; echo CANARY", ERR_CONFIG, "client_secret_command printed nothing",
          "it must print the secret as its first line");
    fails("printf 'CANARY\\001x\\n'", ERR_CONFIG,
          "client_secret_command printed a control character",
          "it must print the secret as one line of plain text");
    fails("printf 'CANARY\\000x\\n'", ERR_CONFIG,
          "client_secret_command printed a control character",
          "it must print the secret as one line of plain text");
    fails("printf '\\000'", ERR_CONFIG,
          "client_secret_command printed a control character",
          "it must print the secret as one line of plain text");
}

/* The agent's worker blocks all signals, and the agent ignores SIGPIPE. */
static void
signals_are_as_at_a_login(void **state)
{
    sigset_t all, before;

    (void)state;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    signal(SIGPIPE, SIG_IGN);
    fails("kill -TERM $$; sleep 30", ERR_TEMP,
          "client_secret_command was ended by signal 15", RUN_IT);
    fails("kill -PIPE $$; sleep 30", ERR_TEMP,
          "client_secret_command was ended by signal 13", RUN_IT);
    signal(SIGPIPE, SIG_DFL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* The process whose number the command wrote: it must end by SIGKILL. As subreaper we are
 * its parent by now. */
static void
assert_killed(const char *file)
{
    FILE *f = fopen(file, "r");
    struct deadline dl = __real_deadline_in(5000);
    int pid = 0, status = 0, got;

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d", &pid), 1); // NOLINT(cert-err34-c)
    fclose(f);
    unlink(file);
    assert_true(pid > 1);
    while ((got = waitpid(pid, &status, WNOHANG)) == 0) {
        if (deadline_passed(&dl)) {
            kill(pid, SIGKILL);
            fail_msg("process %d lives on", pid);
        }
        usleep(5000);
    }
    if (got < 0) { /* the shell has collected it in its last moment */
        assert_int_equal(errno, ECHILD);
        assert_int_equal(kill(pid, 0), -1);
        return;
    }
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

#define TOO_LONG "client_secret_command took longer than 10 s"

static void
a_command_that_hangs(void **state)
{
    int64_t start = deadline_now();

    (void)state;
    longest_ms = 300;
    fails("sleep 300", ERR_TIMEOUT, TOO_LONG, RUN_IT);
    fails("echo CANARY; exec >&-; sleep 300", ERR_TIMEOUT, TOO_LONG, RUN_IT);
    fails("while sleep 0.02; do printf x; done", ERR_TIMEOUT, TOO_LONG, RUN_IT);
    fails("trap '' TERM INT HUP; sleep 300", ERR_TIMEOUT, TOO_LONG, RUN_IT);
    assert_in_range(deadline_now() - start, 1200, 4000);
    longest_ms = 5000;
}

static void
grandchildren_end_with_it(void **state)
{
    (void)state;
    longest_ms = 300;
    fails("sleep 300 & echo $! >pid; wait", ERR_TIMEOUT, TOO_LONG, RUN_IT);
    assert_killed("pid");
    /* the shell has ended, what it left holds the pipe open */
    fails("sleep 300 & echo $! >pid; echo CANARY", ERR_TIMEOUT, TOO_LONG, RUN_IT);
    assert_killed("pid");
    fails("sleep 300 & echo $! >pid; head -c 100000 /dev/zero", ERR_TEMP,
          "client_secret_command printed more than 65536 bytes", RUN_IT);
    assert_killed("pid");
    longest_ms = 5000;
}

static int
setup(void **state)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return conf_setup(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_and_inline),
        cmocka_unit_test(from_a_file),
        cmocka_unit_test(from_a_command),
        cmocka_unit_test(the_largest_output),
        cmocka_unit_test(a_command_that_fails),
        cmocka_unit_test(output_that_is_no_secret),
        cmocka_unit_test(signals_are_as_at_a_login),
        cmocka_unit_test(a_command_that_hangs),
        cmocka_unit_test(grandchildren_end_with_it),
    };

    return cmocka_run_group_tests_name("secret_source", tests, setup, conf_teardown);
}
