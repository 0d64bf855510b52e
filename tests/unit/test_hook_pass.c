/* test_hook_pass.c - an event goes over a socket whole, and what comes back is said. */
#include <pthread.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "agent/hook_pass.h"
#include "client/deadline.h"
#include "scratch.h"

static char dir[SCRATCH_PATH_MAX], path[SCRATCH_PATH_MAX];
static int listener = -1;

/* The other side of one connection. */
struct other {
    pthread_t thread;
    const char *answer;
    int delay_ms;
    int result;
    struct err err;
    struct secret message;
    char *own[HOOK_VAR_COUNT];
};

static char event[] = "MAILBEARER_EVENT=failure", account[] = "MAILBEARER_ACCOUNT=a@b",
            reason[] = "MAILBEARER_REASON=it is so; $(id)",
            remedy[] = "MAILBEARER_REMEDY=";
static char *const told[HOOK_VAR_COUNT] = {event, account, NULL, reason, remedy};

static int
begin(void **state)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    (void)state;
    scratch_make(dir);
    scratch_path(path, dir, "hook.sock");
    assert_true(strlen(path) < sizeof addr.sun_path);
    strcpy(addr.sun_path, path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(listener, 8), 0);
    return 0;
}

static int
finish(void **state)
{
    (void)state;
    close(listener);
    scratch_remove(dir);
    return 0;
}

static void *
be_the_other(void *arg)
{
    struct other *o = arg;
    int fd = accept(listener, NULL, NULL);

    o->result = hook_receive(fd, 5000, &o->message, o->own, &o->err);
    poll(NULL, 0, o->delay_ms);
    if (o->answer != NULL)
        (void)!send(fd, o->answer, strlen(o->answer), MSG_NOSIGNAL);
    close(fd);
    return NULL;
}

static int
pass_to(struct other *o, int deadline_ms, const atomic_bool *hurry, struct err *err)
{
    int r;

    assert_int_equal(pthread_create(&o->thread, NULL, be_the_other, o), 0);
    r = hook_pass(path, told, deadline_ms, hurry, err);
    pthread_join(o->thread, NULL);
    return r;
}

static void
an_event_is_told_whole(void **state)
{
    struct other o = {.answer = "ok\n"};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(pass_to(&o, 5000, NULL, &err), 0);
    assert_int_equal(o.result, 0);
    assert_string_equal(o.own[HOOK_VAR_EVENT], "MAILBEARER_EVENT=failure");
    assert_string_equal(o.own[HOOK_VAR_ACCOUNT], "MAILBEARER_ACCOUNT=a@b");
    assert_null(o.own[HOOK_VAR_STATE]);
    assert_string_equal(o.own[HOOK_VAR_REASON], "MAILBEARER_REASON=it is so; $(id)");
    assert_string_equal(o.own[HOOK_VAR_REMEDY], "MAILBEARER_REMEDY=");
    secret_clear(&o.message);
}

static void
what_went_wrong_there_is_said_here(void **state)
{
    struct other o = {.answer = "/usr/bin/x ended with status 3"},
                 silent = {.answer = NULL};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(pass_to(&o, 5000, NULL, &err), ERR_TEMP);
    assert_string_equal(err.text, "/usr/bin/x ended with status 3");
    assert_int_equal(pass_to(&silent, 5000, NULL, &err), ERR_TEMP);
    assert_string_equal(err.text, "`mailbearer hook` ended without an answer");
    secret_clear(&o.message);
    secret_clear(&silent.message);
}

static void
the_other_side_is_not_waited_for_for_ever(void **state)
{
    struct other o = {.answer = "ok", .delay_ms = 1500}, hurried = {.delay_ms = 4000};
    struct err err = ERR_INIT;
    atomic_bool hurry = true;
    int64_t start = deadline_now();

    (void)state;
    assert_int_equal(pass_to(&o, 300, NULL, &err), ERR_TIMEOUT);
    assert_string_equal(err.text, "no answer about the command in time");
    start = deadline_now();
    assert_int_equal(pass_to(&hurried, 60000, &hurry, &err), ERR_TIMEOUT);
    assert_in_range(deadline_now() - start, 1900, 6000);
    assert_string_equal(err.text, "the command had not ended when the agent did");
    secret_clear(&o.message);
    secret_clear(&hurried.message);
}

static void
nobody_there(void **state)
{
    char long_path[200], absent[SCRATCH_PATH_MAX];
    struct err err = ERR_INIT;

    (void)state;
    scratch_path(absent, dir, "none.sock");
    assert_int_equal(hook_pass(absent, told, 5000, NULL, &err), ERR_NOAGENT);
    assert_non_null(strstr(err.text, "none.sock: No such file"));
    close(listener);
    listener = -1;
    assert_int_equal(hook_pass(path, told, 5000, NULL, &err), ERR_NOAGENT);
    assert_non_null(strstr(err.text, "hook.sock: Connection refused"));
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[0] = '/';
    long_path[sizeof long_path - 1] = '\0';
    assert_int_equal(hook_pass(long_path, told, 5000, NULL, &err), ERR_USAGE);
}

/* What hook_receive() says of these bytes. */
static int
receive(const char *bytes, size_t len, struct err *err)
{
    struct secret message = SECRET_INIT;
    char *own[HOOK_VAR_COUNT];
    char file[SCRATCH_PATH_MAX];
    int fd, r;

    scratch_write(scratch_path(file, dir, "bytes"), bytes, len, 0600);
    fd = open(file, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    r = hook_receive(fd, 5000, &message, own, err);
    close(fd);
    secret_clear(&message);
    return r;
}

#define RECEIVE(text) receive(text, sizeof(text), &err)
#define OURS "MAILBEARER_EVENT=failure\0MAILBEARER_ACCOUNT=a\0"

static void
only_an_event_is_taken(void **state)
{
    static char big[HOOK_MESSAGE_MAX + 1];
    struct err err = ERR_INIT;
    int pipe_fd[2];
    struct secret message = SECRET_INIT;
    char *own[HOOK_VAR_COUNT];

    (void)state;
    assert_int_equal(receive(OURS, sizeof OURS - 1, &err), 0);
    assert_int_equal(receive("", 0, &err), ERR_PROTOCOL);
    assert_string_equal(err.text, "not an event of the agent's");
    assert_int_equal(RECEIVE("MAILBEARER_EVENT=failure"), ERR_PROTOCOL);
    assert_int_equal(RECEIVE("MAILBEARER_ACCOUNT=a"), ERR_PROTOCOL);
    assert_int_equal(RECEIVE(OURS "PATH=/tmp"), ERR_PROTOCOL);
    assert_int_equal(RECEIVE(OURS "MAILBEARER_SOCKET=/tmp"), ERR_PROTOCOL);
    assert_int_equal(RECEIVE(OURS "MAILBEARER_EVENT=recovery"), ERR_PROTOCOL);
    assert_int_equal(RECEIVE(OURS "MAILBEARER_REASON=a\nb"), ERR_PROTOCOL);
    memset(big, 'x', sizeof big);
    memcpy(big, OURS, sizeof OURS - 1);
    assert_int_equal(receive(big, sizeof big, &err), ERR_PROTOCOL);
    assert_string_equal(err.text, "the event is too long");
    assert_int_equal(pipe(pipe_fd), 0);
    assert_int_equal(hook_receive(pipe_fd[0], 100, &message, own, &err), ERR_TIMEOUT);
    close(pipe_fd[0]);
    close(pipe_fd[1]);
}

static void
the_environment_has_ours_first_and_once(void **state)
{
    char **environment;
    size_t n = 0, reasons = 0;

    (void)state;
    setenv("MAILBEARER_REASON", "from outside", 1);
    setenv("MAILBEARER_STATE", "from outside", 1);
    setenv("MAILBEARER_STATEMENT", "stays", 1);
    environment = hook_environment(told);
    assert_non_null(environment);
    assert_string_equal(environment[0], "MAILBEARER_EVENT=failure");
    for (bool stays = false; environment[n] != NULL || !stays; n++) {
        assert_non_null(environment[n]);
        stays |= strcmp(environment[n], "MAILBEARER_STATEMENT=stays") == 0;
        reasons += strncmp(environment[n], "MAILBEARER_REASON=", 18) == 0;
        assert_int_not_equal(strncmp(environment[n], "MAILBEARER_STATE=", 17), 0);
    }
    assert_int_equal(reasons, 1);
    free(environment);
    unsetenv("MAILBEARER_REASON");
    unsetenv("MAILBEARER_STATE");
    unsetenv("MAILBEARER_STATEMENT");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, finish)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_is_told_whole),
        TEST(what_went_wrong_there_is_said_here),
        TEST(the_other_side_is_not_waited_for_for_ever),
        TEST(nobody_there),
        TEST(only_an_event_is_taken),
        TEST(the_environment_has_ours_first_and_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
