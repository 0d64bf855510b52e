/* test_agent_client.c - one question to the agent: who is asked, and what may go wrong.
 */
/* link: -Wl,--wrap=connect,--wrap=getsockopt */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "fake_agent.h"
#include "scratch.h"

#include "client/agent_client.h"
#include "client/deadline.h"
#include "client/socketmap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TOKEN "eyJ0eXAiOiJKV1QiCANARY"

static char dir[SCRATCH_PATH_MAX];
static char named[SCRATCH_PATH_MAX];
static char own[SCRATCH_PATH_MAX];
static char other[SCRATCH_PATH_MAX]; /* stands in for the system's socket */
static char last_path[200];          /* what connect(2) was given last */
static uid_t peer_uid = (uid_t)-1;   /* who SO_PEERCRED says is there; -1: the truth */
static int sockets_asked_for_peer;

int __real_connect(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t len);
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);

int
__wrap_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    struct sockaddr_un un = {AF_UNIX, ""};

    memcpy(&un, addr, len);
    snprintf(last_path, sizeof(last_path), "%s", un.sun_path);
    if (strcmp(un.sun_path, AGENT_SOCKET_SYSTEM) == 0)
        memcpy(un.sun_path, other, sizeof(un.sun_path));
    return __real_connect(fd, (const struct sockaddr *)&un, sizeof(un));
}

int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    int r = __real_getsockopt(fd, level, name, value, len);

    if (level == SOL_SOCKET && name == SO_PEERCRED) {
        sockets_asked_for_peer++;
        if (peer_uid != (uid_t)-1)
            ((struct ucred *)value)->uid = peer_uid;
    }
    return r;
}

static int
open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static int files_before;

static int
set_up(void **state)
{
    char sub[SCRATCH_PATH_MAX];

    (void)state;
    scratch_make(dir);
    mkdir(scratch_path(sub, dir, "mailbearer"), 0700);
    scratch_path(named, dir, "named.sock");
    scratch_path(own, dir, "mailbearer/agent.sock");
    scratch_path(other, dir, "system.sock");
    setenv(AGENT_SOCKET_ENV, named, 1);
    setenv("XDG_RUNTIME_DIR", dir, 1);
    peer_uid = (uid_t)-1;
    sockets_asked_for_peer = 0;
    files_before = open_files();
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    scratch_remove(dir);
    return open_files() == files_before ? 0 : -1;
}

static struct secret reply;
static struct err err;

/* Asks for the token of a@b. A failure must leave what `reply` holds. */
static int
ask(int where, int deadline_ms, int restart_ms)
{
    struct agent_query query = {"token", "a@b", where, deadline_ms, restart_ms, NULL};
    int r;

    secret_clear(&reply);
    assert_int_equal(secret_set(&reply, "before", 6), 0);
    memset(&err, 0, sizeof(err));
    r = agent_client_ask(&query, &reply, &err);
    assert_int_equal(err.code, r);
    if (r != 0) {
        assert_string_equal(secret_str(&reply), "before");
        assert_true(err.text[0] != '\0');
    }
    return r;
}

/* Asks the agent that MAILBEARER_SOCKET names and does these steps. Returns how often it
 * was asked. */
static int
ask_named(const struct fake_step *steps, size_t count, int deadline_ms, int restart_ms,
          int expect)
{
    struct fake_agent *agent = fake_agent_start(named, steps, count);
    int r = ask(AGENT_ANY, deadline_ms, restart_ms);
    int n = fake_agent_stop(agent);

    assert_int_equal(r, expect);
    return n;
}

static void
an_answer(void **state)
{
    static const struct fake_step steps[] = {{FAKE_REPLY, "OK " TOKEN}};
    struct fake_agent *agent = fake_agent_start(named, steps, 1);

    (void)state;
    assert_int_equal(ask(AGENT_NAMED, 5000, 0), 0);
    assert_string_equal(secret_str(&reply), TOKEN);
    assert_int_equal(reply.len, strlen(TOKEN));
    /* Of the frame, "25:OK " and the comma, nothing is left behind it. */
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(reply.data[reply.len + i], 0);
    assert_string_equal(fake_agent_request(agent), "token a@b");
    assert_int_equal(fake_agent_stop(agent), 1);
    assert_int_equal(sockets_asked_for_peer, 0);
    secret_clear(&reply);
}

/* The doctor looks at each socket by itself, whatever the environment names. */
static void
a_socket_by_its_path(void **state)
{
    static const struct fake_step steps[] = {{FAKE_REPLY, "OK mailbearer 1"}};
    struct fake_agent *agent = fake_agent_start(named, steps, 1);
    struct agent_query query = {
        .map = "version", .key = "-", .where = AGENT_ANY, .deadline_ms = 5000};
    char absent[sizeof(named) + 8];

    (void)state;
    snprintf(absent, sizeof(absent), "%s.other", named);
    query.path = absent;
    assert_int_equal(agent_client_ask(&query, &reply, &err), ERR_NOAGENT);
    assert_non_null(strstr(err.text, absent));
    assert_int_equal(fake_agent_connections(agent), 0);
    query.path = named;
    assert_int_equal(agent_client_ask(&query, &reply, &err), 0);
    assert_string_equal(secret_str(&reply), "mailbearer 1");
    assert_int_equal(fake_agent_stop(agent), 1);
    secret_clear(&reply);
}

static void
an_answer_in_pieces(void **state)
{
    static const struct fake_step steps[] = {{FAKE_DRIP, "OK " TOKEN}};

    (void)state;
    assert_int_equal(ask_named(steps, 1, 5000, 0, 0), 1);
    assert_string_equal(secret_str(&reply), TOKEN);
    secret_clear(&reply);
}

static void
the_largest_answer(void **state)
{
    static char text[SOCKETMAP_REPLY_MAX + 1];
    struct fake_step steps[] = {{FAKE_REPLY, text}};

    (void)state;
    memset(text, 't', SOCKETMAP_REPLY_MAX);
    memcpy(text, "OK ", 3);
    assert_int_equal(ask_named(steps, 1, 5000, 0, 0), 1);
    assert_int_equal(reply.len, SOCKETMAP_REPLY_MAX - 3);
    secret_clear(&reply);
}

static void
what_the_agent_says(void **state)
{
    static const struct {
        const char *reply;
        int code;
        const char *text;
        const char *hint;
    } table[] = {
        {"NOTFOUND ", ERR_NOACCOUNT, "no such account", ""},
        {"TEMP HTTP 503 -> wait", ERR_TEMP, "HTTP 503", "wait"},
        {"TIMEOUT 10 s", ERR_TIMEOUT, "10 s", ""},
        {"PERM expired -> renew it", ERR_PERSON, "expired", "renew it"},
        {"PERM not allowed: postfix", ERR_DENIED, "not allowed: postfix", ""},
        {"WHAT", ERR_PROTOCOL, "the agent's reply has an unknown status", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct fake_step steps[] = {{FAKE_REPLY, table[i].reply}};

        assert_int_equal(ask_named(steps, 1, 5000, 2000, table[i].code), 1);
        assert_string_equal(err.text, table[i].text);
        assert_string_equal(err.hint, table[i].hint);
    }
}

static void
silence_ends_at_the_deadline(void **state)
{
    static const struct fake_step silent[] = {{FAKE_SILENT, ""}};
    static const struct fake_step stalled[] = {{FAKE_RAW, "20:OK abc"}};
    int64_t begin = deadline_now();

    (void)state;
    assert_int_equal(ask_named(silent, 1, 250, 5000, ERR_TIMEOUT), 1);
    assert_string_equal(err.text, "the agent did not answer in time");
    assert_in_range(deadline_now() - begin, 250, 1500);
    begin = deadline_now();
    assert_int_equal(ask_named(stalled, 1, 250, 5000, ERR_TIMEOUT), 1);
    assert_in_range(deadline_now() - begin, 250, 1500);
}

static void
drops_do_not_prolong_the_deadline(void **state)
{
    static char text[3000];
    struct fake_step steps[] = {{FAKE_DRIP, text}}; /* takes 1.5 s at least */
    int64_t begin = deadline_now();

    (void)state;
    memset(text, 't', sizeof(text) - 1);
    memcpy(text, "OK ", 3);
    assert_int_equal(ask_named(steps, 1, 300, 0, ERR_TIMEOUT), 1);
    assert_true(deadline_now() - begin >= 300);
}

static void
nonsense_is_refused_at_once(void **state)
{
    static const struct {
        const char *bytes;
        const char *text;
    } table[] = {
        {"HTTP/1.1 400 Bad Request\r\n", "not a netstring: no length in front"},
        {"3:OK ;", "not a netstring: no comma behind it"},
        {"100001:OK ", "netstring longer than 100000 bytes"},
        {"99999999999999999999:", "netstring longer than 100000 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct fake_step steps[] = {{FAKE_RAW, table[i].bytes}};
        int64_t begin = deadline_now();

        assert_int_equal(ask_named(steps, 1, 5000, 5000, ERR_PROTOCOL), 1);
        assert_string_equal(err.text, table[i].text);
        assert_true(deadline_now() - begin < 2000);
    }
}

static void
end_of_file_without_restart(void **state)
{
    static const struct fake_step steps[] = {{FAKE_CUT, ""}};

    (void)state;
    assert_int_equal(ask_named(steps, 1, 5000, 0, ERR_PROTOCOL), 1);
    assert_string_equal(err.text, "the agent closed the connection without an answer");
}

static void
end_of_file_is_asked_again(void **state)
{
    static const struct fake_step steps[] = {{FAKE_CUT, ""},
                                             {FAKE_SLAM, ""},
                                             {FAKE_CUT, "10:OK ab"},
                                             {FAKE_REPLY, "OK " TOKEN}};

    (void)state;
    assert_int_equal(ask_named(steps, COUNT(steps), 5000, 3000, 0), 4);
    assert_string_equal(secret_str(&reply), TOKEN);
    secret_clear(&reply);
}

static void
end_of_file_for_good(void **state)
{
    static const struct fake_step steps[] = {{FAKE_CUT, ""}};
    int64_t begin = deadline_now();
    int n = ask_named(steps, 1, 5000, 400, ERR_PROTOCOL);

    (void)state;
    /* 400 ms of pauses between 50 and 100 ms. */
    assert_in_range(n, 3, 9);
    assert_in_range(deadline_now() - begin, 400, 2000);
    /* The deadline is above the restart time. */
    begin = deadline_now();
    ask_named(steps, 1, 300, 10000, ERR_PROTOCOL);
    assert_in_range(deadline_now() - begin, 180, 2000);
}

/* A large question to an agent that hangs up: no SIGPIPE, an ordinary error. */
static void
hanging_up_on_a_question(void **state)
{
    static const struct fake_step steps[] = {{FAKE_SLAM, ""}};
    static char key[16000];
    struct agent_query query = {"token", key, AGENT_NAMED, 5000, 300, NULL};
    struct fake_agent *agent = fake_agent_start(named, steps, 1);

    (void)state;
    memset(key, 'k', sizeof(key) - 1);
    assert_int_equal(agent_client_ask(&query, &reply, &err), ERR_PROTOCOL);
    assert_true(fake_agent_stop(agent) > 1);
}

/* A socket file that nobody listens on any more. */
static void
leave_dead_socket(const char *path)
{
    struct sockaddr_un addr = {AF_UNIX, ""};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(addr.sun_path, path, strlen(path) + 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    close(fd);
}

static void *
start_later(void *agent_r)
{
    static const struct fake_step steps[] = {{FAKE_REPLY, "OK " TOKEN}};

    usleep(300000);
    *(struct fake_agent **)agent_r = fake_agent_start(named, steps, 1);
    return NULL;
}

static void
refused_then_back(void **state)
{
    struct fake_agent *agent = NULL;
    pthread_t thread;
    int r;

    (void)state;
    leave_dead_socket(named);
    assert_int_equal(pthread_create(&thread, NULL, start_later, &agent), 0);
    r = ask(AGENT_NAMED, 5000, 3000);
    pthread_join(thread, NULL);
    fake_agent_stop(agent);
    assert_int_equal(r, 0);
    assert_string_equal(secret_str(&reply), TOKEN);
    secret_clear(&reply);
}

static void
refused_for_good(void **state)
{
    char expect[SCRATCH_PATH_MAX + 64];
    int64_t begin = deadline_now();

    (void)state;
    leave_dead_socket(named);
    assert_int_equal(ask(AGENT_NAMED, 5000, 400), ERR_NOAGENT);
    snprintf(expect, sizeof(expect), "no agent at %s: Connection refused", named);
    assert_string_equal(err.text, expect);
    assert_string_equal(err.hint, "start the agent, see mailbearer-agent(8)");
    assert_in_range(deadline_now() - begin, 400, 2000);
    begin = deadline_now();
    assert_int_equal(ask(AGENT_NAMED, 5000, 0), ERR_NOAGENT);
    assert_true(deadline_now() - begin < 300);
}

static void
absent_is_not_waited_for(void **state)
{
    char expect[SCRATCH_PATH_MAX + 64];
    int64_t begin = deadline_now();

    (void)state;
    assert_int_equal(ask(AGENT_ANY, 5000, 3000), ERR_NOAGENT);
    snprintf(expect, sizeof(expect), "no agent at %s: No such file or directory", named);
    assert_string_equal(err.text, expect);
    assert_true(deadline_now() - begin < 1000);
    assert_string_equal(last_path, named);
}

static void
named_alone_is_asked(void **state)
{
    static const struct fake_step wrong[] = {{FAKE_REPLY, "OK wrong"}};
    static const struct fake_step unknown[] = {{FAKE_REPLY, "NOTFOUND "}};
    struct fake_agent *a = fake_agent_start(own, wrong, 1);
    struct fake_agent *b = fake_agent_start(other, wrong, 1);

    (void)state;
    assert_int_equal(ask_named(unknown, 1, 5000, 0, ERR_NOACCOUNT), 1);
    assert_int_equal(ask(AGENT_ANY, 5000, 0), ERR_NOAGENT);
    unsetenv(AGENT_SOCKET_ENV);
    assert_int_equal(ask(AGENT_NAMED, 5000, 0), ERR_NOAGENT);
    assert_string_equal(err.text, "no agent is named by MAILBEARER_SOCKET");
    assert_int_equal(fake_agent_stop(a), 0);
    assert_int_equal(fake_agent_stop(b), 0);
}

/* What the user's agent and the system's answer, and what comes of it. NULL: nobody. */
static void
two_sockets(void **state)
{
    static const struct {
        const char *own;
        const char *system;
        int code;
        const char *text; /* the token or the error */
        int asked;        /* how often the system's agent was */
    } table[] = {
        {"OK one", "OK two", 0, "one", 0},
        {NULL, "OK two", 0, "two", 1},
        {"NOTFOUND ", "OK two", 0, "two", 1},
        {"NOTFOUND ", "NOTFOUND ", ERR_NOACCOUNT, "no such account", 1},
        {"NOTFOUND ", NULL, ERR_NOACCOUNT, "no such account", 0},
        {NULL, "NOTFOUND ", ERR_NOACCOUNT, "no such account", 1},
        {"NOTFOUND ", "PERM gone", ERR_PERSON, "gone", 1},
        {"TEMP busy", "OK two", ERR_TEMP, "busy", 0},
        {"TIMEOUT late", "OK two", ERR_TIMEOUT, "late", 0},
        {"PERM gone", "OK two", ERR_PERSON, "gone", 0},
        {"PERM not allowed: x", "OK two", ERR_DENIED, "not allowed: x", 0},
        {NULL, NULL, ERR_NOAGENT,
         "no agent at /run/mailbearer/agent.sock: No such file or directory", 0},
    };

    (void)state;
    setenv(AGENT_SOCKET_ENV, "", 1);
    for (size_t i = 0; i < COUNT(table); i++) {
        struct fake_step first[] = {{FAKE_REPLY, table[i].own}};
        struct fake_step second[] = {{FAKE_REPLY, table[i].system}};
        struct fake_agent *a = table[i].own ? fake_agent_start(own, first, 1) : NULL;
        struct fake_agent *b =
            table[i].system ? fake_agent_start(other, second, 1) : NULL;
        int r = ask(AGENT_ANY, 5000, 3000);
        int asked = b != NULL ? fake_agent_stop(b) : 0;

        if (a != NULL)
            fake_agent_stop(a);
        assert_int_equal(r, table[i].code);
        assert_string_equal(r == 0 ? secret_str(&reply) : err.text, table[i].text);
        assert_int_equal(asked, table[i].asked);
    }
    secret_clear(&reply);
}

static void
a_refusing_socket_is_passed_over(void **state)
{
    static const struct fake_step steps[] = {{FAKE_REPLY, "OK two"}};
    struct fake_agent *b;
    int64_t begin = deadline_now();

    (void)state;
    unsetenv(AGENT_SOCKET_ENV);
    leave_dead_socket(own);
    b = fake_agent_start(other, steps, 1);
    assert_int_equal(ask(AGENT_ANY, 5000, 3000), 0);
    assert_string_equal(secret_str(&reply), "two");
    assert_true(deadline_now() - begin < 1000);
    fake_agent_stop(b);
    secret_clear(&reply);
}

static void
only_where_it_may(void **state)
{
    static const struct fake_step one[] = {{FAKE_REPLY, "OK one"}};
    static const struct fake_step two[] = {{FAKE_REPLY, "OK two"}};
    struct fake_agent *a = fake_agent_start(own, one, 1);
    struct fake_agent *b = fake_agent_start(other, two, 1);

    (void)state;
    unsetenv(AGENT_SOCKET_ENV);
    assert_int_equal(ask(AGENT_SYSTEM, 5000, 0), 0);
    assert_string_equal(secret_str(&reply), "two");
    assert_string_equal(last_path, "/run/mailbearer/agent.sock");
    assert_int_equal(sockets_asked_for_peer, 0);
    assert_int_equal(ask(AGENT_USER, 5000, 0), 0);
    assert_string_equal(secret_str(&reply), "one");
    assert_int_equal(sockets_asked_for_peer, 1);
    assert_int_equal(fake_agent_stop(a), 1);
    assert_int_equal(fake_agent_stop(b), 1);
    secret_clear(&reply);
}

static void
the_users_agent_must_be_the_users(void **state)
{
    static const struct fake_step one[] = {{FAKE_REPLY, "OK one"}};
    static const struct fake_step two[] = {{FAKE_REPLY, "OK two"}};
    struct fake_agent *a = fake_agent_start(own, one, 1);
    struct fake_agent *b;
    char expect[SCRATCH_PATH_MAX + 64];

    (void)state;
    unsetenv(AGENT_SOCKET_ENV);
    peer_uid = geteuid() + 4711;
    assert_int_equal(ask(AGENT_USER, 5000, 2000), ERR_NOAGENT);
    snprintf(expect, sizeof(expect), "the agent at %s is not this user's", own);
    assert_string_equal(err.text, expect);
    assert_string_equal(fake_agent_request(a), ""); /* it was told nothing */
    b = fake_agent_start(other, two, 1);
    assert_int_equal(ask(AGENT_ANY, 5000, 0), 0);
    assert_string_equal(secret_str(&reply), "two");
    peer_uid = 0;
    assert_int_equal(ask(AGENT_ANY, 5000, 0), 0);
    assert_string_equal(secret_str(&reply), "one");
    fake_agent_stop(a);
    fake_agent_stop(b);
    secret_clear(&reply);
}

static void
without_a_runtime_directory(void **state)
{
    char expect[100];
    static const char *const values[] = {NULL, "", "relative/dir"};

    (void)state;
    unsetenv(AGENT_SOCKET_ENV);
    snprintf(expect, sizeof(expect), "/run/user/%lu/mailbearer/agent.sock",
             (unsigned long)geteuid());
    for (size_t i = 0; i < COUNT(values); i++) {
        if (values[i] == NULL)
            unsetenv("XDG_RUNTIME_DIR");
        else
            setenv("XDG_RUNTIME_DIR", values[i], 1);
        last_path[0] = '\0';
        /* Somebody may really listen there, and then does not know this account. */
        assert_int_not_equal(ask(AGENT_USER, 5000, 0), 0);
        assert_string_equal(last_path, expect);
    }
}

static void
long_paths_are_not_cut(void **state)
{
    char path[200];

    (void)state;
    memset(path, 'p', sizeof(path));
    path[0] = '/';
    path[108] = '\0';
    last_path[0] = '\0';
    setenv(AGENT_SOCKET_ENV, path, 1);
    assert_int_equal(ask(AGENT_ANY, 5000, 0), ERR_USAGE);
    assert_string_equal(err.text, "the path of the agent's socket is longer than 107");
    path[107] = '\0';
    setenv(AGENT_SOCKET_ENV, path, 1);
    assert_int_equal(ask(AGENT_ANY, 5000, 0), ERR_NOAGENT);
    assert_string_equal(last_path, path);
    unsetenv(AGENT_SOCKET_ENV);
    last_path[0] = '\0';
    path[107 - 21] = '\0'; /* with /mailbearer/agent.sock one byte too long */
    setenv("XDG_RUNTIME_DIR", path, 1);
    assert_int_equal(ask(AGENT_USER, 5000, 0), ERR_USAGE);
    assert_string_equal(last_path, "");
}

static void
a_key_that_cannot_be_sent(void **state)
{
    static const struct fake_step steps[] = {{FAKE_REPLY, "OK x"}};
    struct agent_query query = {"token", "a\nb", AGENT_NAMED, 5000, 0, NULL};
    struct fake_agent *agent = fake_agent_start(named, steps, 1);

    (void)state;
    assert_int_equal(agent_client_ask(&query, &reply, &err), ERR_USAGE);
    assert_int_equal(agent_client_ask(&query, &reply, NULL), ERR_USAGE);
    assert_int_equal(fake_agent_stop(agent), 0);
}

static void
on_alarm(int number)
{
    (void)number;
}

/* Signals of the host interrupt system calls, and nothing comes of it. */
static void
signals_do_not_matter(void **state)
{
    static const struct fake_step steps[] = {{FAKE_LATE, "OK " TOKEN}};
    struct sigaction action = {.sa_handler = on_alarm};
    struct sigaction before;
    struct itimerval timer = {{0, 5000}, {0, 5000}};
    struct fake_agent *agent;
    sigset_t set;
    int r;

    (void)state;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* the agent's thread inherits it */
    agent = fake_agent_start(named, steps, 1);
    assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
    setitimer(ITIMER_REAL, &timer, NULL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    r = ask(AGENT_NAMED, 5000, 0);
    memset(&timer, 0, sizeof(timer));
    setitimer(ITIMER_REAL, &timer, NULL);
    sigaction(SIGALRM, &before, NULL);
    fake_agent_stop(agent);
    assert_int_equal(r, 0);
    assert_string_equal(secret_str(&reply), TOKEN);
    secret_clear(&reply);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static int
clear_reply(void **state)
{
    (void)state;
    secret_clear(&reply);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer),
        TEST(a_socket_by_its_path),
        TEST(an_answer_in_pieces),
        TEST(the_largest_answer),
        TEST(what_the_agent_says),
        TEST(silence_ends_at_the_deadline),
        TEST(drops_do_not_prolong_the_deadline),
        TEST(nonsense_is_refused_at_once),
        TEST(end_of_file_without_restart),
        TEST(end_of_file_is_asked_again),
        TEST(end_of_file_for_good),
        TEST(hanging_up_on_a_question),
        TEST(refused_then_back),
        TEST(refused_for_good),
        TEST(absent_is_not_waited_for),
        TEST(named_alone_is_asked),
        TEST(two_sockets),
        TEST(a_refusing_socket_is_passed_over),
        TEST(only_where_it_may),
        TEST(the_users_agent_must_be_the_users),
        TEST(without_a_runtime_directory),
        TEST(long_paths_are_not_cut),
        TEST(a_key_that_cannot_be_sent),
        TEST(signals_do_not_matter),
    };

    return cmocka_run_group_tests_name("agent_client", tests, NULL, clear_reply);
}
