/* test_sandbox.c - what the agent can still do inside, and what not any more. */
/* link: -Wl,--wrap=landlock_open */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "agent/landlock.h"
#include "agent/sandbox.h"
#include "base/log.h"
#include "conf_file.h"
#include "scratch.h"

#define CONF                                                                             \
    "include(\"../more/rest.conf\")\n"                                                   \
    "provider p { token_endpoint = \"https://idp.example/token\" scope = mail }\n"       \
    "account a { provider = p client_id = c grant = client_credentials\n"                \
    "            client_secret_file = \"../secrets/a\" }\n"

static int refuse_with; /* landlock_open() says so */
static int abi;         /* of the kernel the test runs on; 0: no Landlock */

int __real_landlock_open(int *fd_r, int *abi_r);
int __wrap_landlock_open(int *fd_r, int *abi_r);

int
__wrap_landlock_open(int *fd_r, int *abi_r)
{
    return refuse_with != 0 ? refuse_with : __real_landlock_open(fd_r, abi_r);
}

/* Folders side by side: store, secrets, more, linked, outside, and conf, which holds the
 * accounts file and is where we are. */
static int
begin(void **state)
{
    int fd;

    conf_setup(state);
    log_set_level(LOG_LEVEL_ERROR);
    unsetenv(SANDBOX_ENV);
    refuse_with = 0;
    if (__real_landlock_open(&fd, &abi) == 0)
        close(fd);
    else
        abi = 0;
    assert_int_equal(mkdir("store", 0700) | mkdir("secrets", 0700) | mkdir("more", 0700) |
                         mkdir("linked", 0700) | mkdir("outside", 0700) |
                         mkdir("conf", 0700),
                     0);
    assert_int_equal(chdir("conf"), 0);
    conf_write("../more/rest.conf", "");
    conf_write("../secrets/a", "CANARY\n");
    conf_write("../linked/b", "CANARY\n");
    conf_write("../outside/c", "CANARY\n");
    assert_int_equal(symlink("../linked/b", "../secrets/b"), 0);
    return 0;
}

/* Runs `inside` in a process that has entered; it returns the line of what was wrong. */
static void
in_sandbox(const char *conf, int (*inside)(struct sandbox *sandbox))
{
    pid_t pid = fork();
    int status = 0;

    assert_true(pid >= 0);
    if (pid == 0) {
        struct accounts *accounts = conf_accept(conf);
        struct listeners listeners = {.count = 0};
        struct sandbox *sandbox = NULL;
        int r = sandbox_enter(accounts, "../store", &listeners, &sandbox, NULL);

        r = r != 0 ? 1 : inside(sandbox);
        sandbox_free(&sandbox);
        accounts_free(&accounts);
        _exit(r == 0 ? 0 : r % 200 + 1); /* the line, as far as a status can hold it */
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != 0)
        fail_msg("not as expected inside: line %d, or 200 n more",
                 WEXITSTATUS(status) - 1);
}

#define EXPECT(condition)                                                                \
    do                                                                                   \
        if (!(condition))                                                                \
            return __LINE__;                                                             \
    while (0)

static int
open_as(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : errno;
}

static void
need_landlock(void)
{
    if (abi == 0) {
        print_message("no Landlock in this kernel\n");
        skip();
    }
}

static int
reads_what_it_needs(struct sandbox *s)
{
    EXPECT(sandbox_closed(s));
    EXPECT(open_as("input.conf", O_RDONLY) == 0);
    EXPECT(open_as("../more/rest.conf", O_RDONLY) == 0);
    EXPECT(open_as("../secrets/a", O_RDONLY) == 0);
    EXPECT(open_as("/etc/passwd", O_RDONLY) == 0);
    EXPECT(open_as("/dev/null", O_RDWR) == 0);
    /* replaced, as secrets are */
    EXPECT(open_as("../store/new", O_WRONLY | O_CREAT) == 0);
    EXPECT(rename("../store/new", "../store/record") == 0);
    EXPECT(open_as("../store/record", O_RDWR | O_TRUNC) == 0);
    EXPECT(unlink("../store/record") == 0);
    return 0;
}

static void
what_it_needs(void **state)
{
    (void)state;
    need_landlock();
    in_sandbox(CONF, reads_what_it_needs);
}

static int
waits_for_replacement(struct sandbox *s)
{
    EXPECT(sandbox_closed(s));
    EXPECT(raise(SIGSTOP) == 0);
    EXPECT(open_as("../secrets/a", O_RDONLY) == 0);
    return 0;
}

/* By somebody outside, while the sandbox is on: a rule on the file would be lost. */
static void
a_secret_that_is_replaced(void **state)
{
    pid_t pid;
    int status;

    (void)state;
    need_landlock();
    if ((pid = fork()) == 0) {
        struct accounts *accounts = conf_accept(CONF);
        struct listeners listeners = {.count = 0};
        struct sandbox *sandbox = NULL;
        int r = sandbox_enter(accounts, "../store", &listeners, &sandbox, NULL);

        accounts_free(&accounts);
        r = r != 0 ? r : waits_for_replacement(sandbox);
        sandbox_free(&sandbox);
        _exit(r != 0);
    }
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
    conf_write("../secrets/new", "CANARY two\n");
    assert_int_equal(rename("../secrets/new", "../secrets/a"), 0);
    kill(pid, SIGCONT);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int
cannot_leave(struct sandbox *s)
{
    EXPECT(sandbox_closed(s));
    EXPECT(open_as("../outside/c", O_RDONLY) == EACCES);
    EXPECT(open_as("/root", O_RDONLY) == EACCES);
#ifndef __SANITIZE_ADDRESS__ /* whose leak check reads there */
    EXPECT(open_as("/proc/self/maps", O_RDONLY) == EACCES);
#endif
    EXPECT(open_as("../secrets/a", O_WRONLY) == EACCES);
    EXPECT(open_as("../secrets/new", O_WRONLY | O_CREAT) == EACCES);
    EXPECT(unlink("../secrets/a") != 0 && errno == EACCES);
    EXPECT(open_as("input.conf", O_RDWR) == EACCES);
    EXPECT(mkdir("../store/d", 0700) != 0 && errno == EACCES);
    EXPECT(symlink("a", "../store/l") != 0 && errno == EACCES);
    return 0;
}

static int
cannot_execute(struct sandbox *s)
{
    char sh[] = "/bin/sh", c[] = "-c", text[] = "exit 0";
    char *argv[] = {sh, c, text, NULL};

    (void)s;
    execv("/bin/sh", argv); /* had it worked, the status would be 0: so it is turned */
    return errno == EACCES ? 0 : __LINE__;
}

static int
cannot_reach_others(struct sandbox *s)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)s;
    if (abi >= 4)
        EXPECT(bind(fd, (struct sockaddr *)&in, sizeof in) != 0 && errno == EACCES);
    if (abi >= 6)
        EXPECT(kill(getppid(), 0) != 0 && errno == EPERM);
    close(fd);
    return 0;
}

static void
what_it_cannot(void **state)
{
    (void)state;
    need_landlock();
    in_sandbox(CONF, cannot_leave);
    in_sandbox(CONF, cannot_execute);
    in_sandbox(CONF, cannot_reach_others);
}

static int
is_privileged_no_more(struct sandbox *s)
{
    char text[8192], *line;
    int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);

    (void)s;
    if (fd >= 0)
        close(fd);
    fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd < 0) /* closed by Landlock; then no_new_privs was needed for that */
        return errno == EACCES ? 0 : __LINE__;
    text[0] = '\0';
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    EXPECT(n > 0);
    text[n] = '\0';
    EXPECT((line = strstr(text, "NoNewPrivs:")) != NULL);
    EXPECT(strncmp(line, "NoNewPrivs:\t1", 13) == 0);
    return 0;
}

static int
everything_is_open(struct sandbox *s)
{
    struct accounts *other = conf_accept("store { directory = /nowhere/else }\n");
    int r = sandbox_covers(s, other, NULL);

    accounts_free(&other);
    EXPECT(r == 0);
    EXPECT(!sandbox_closed(s));
    EXPECT(open_as("../outside/c", O_RDONLY) == 0);
    return is_privileged_no_more(s);
}

static void
a_kernel_without(void **state)
{
    static const int answers[] = {ENOSYS, EOPNOTSUPP, EPERM};

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        refuse_with = answers[i];
        in_sandbox(CONF, everything_is_open);
    }
}

static int
has_none(struct sandbox *s)
{
    EXPECT(s == NULL);
    EXPECT(open_as("../outside/c", O_RDONLY) == 0);
    return 0;
}

static void
switched_off(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_ERROR);
    setenv(SANDBOX_ENV, "off", 1);
    in_sandbox(CONF, has_none);
}

static int
opens_link(struct sandbox *s)
{
    EXPECT(sandbox_closed(s));
    EXPECT(open_as("../secrets/b", O_RDONLY) == 0);
    return 0;
}

/* The folder it leads to as well; and only because an account names it. */
static void
a_secret_that_is_a_link(void **state)
{
    (void)state;
    need_landlock();
    in_sandbox("provider p { token_endpoint = \"https://idp.example/token\" scope = m }\n"
               "account a { provider = p client_id = c grant = client_credentials\n"
               "            client_secret_file = \"../secrets/b\" }\n",
               opens_link);
}

/* 0 when an account with this secret file is covered. */
static int
covers(struct sandbox *s, const char *path, struct err *err)
{
    struct account account = {.client_secret_file = NULL};
    struct accounts accounts = {.account = &account, .count = 1};
    char copy[256];
    int r;

    snprintf(copy, sizeof copy, "%s", path);
    account.client_secret_file = copy;
    r = sandbox_covers(s, &accounts, err);
    return r;
}

static int
knows_its_limits(struct sandbox *s)
{
    struct err err = ERR_INIT;

    EXPECT(covers(s, "../secrets/a", &err) == 0);
    EXPECT(covers(s, "../secrets/not-there-yet", &err) == 0);
    EXPECT(covers(s, "../store/a", &err) == 0);
    EXPECT(covers(s, "/etc/mailbearer/new/a", &err) == 0);
    EXPECT(covers(s, "../secrets/../outside/c", &err) == ERR_CONFIG);
    EXPECT(covers(s, "../outside/c", &err) == ERR_CONFIG);
    EXPECT(strcmp(err.text, "../outside/c is in a folder that this agent closed when it "
                            "started") == 0);
    EXPECT(strcmp(err.hint, "restart the agent: systemctl restart mailbearer") == 0);
    return 0;
}

static void
what_a_reload_may_name(void **state)
{
    (void)state;
    need_landlock();
    in_sandbox(CONF, knows_its_limits);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_it_needs, begin, conf_teardown),
        cmocka_unit_test_setup_teardown(a_secret_that_is_replaced, begin, conf_teardown),
        cmocka_unit_test_setup_teardown(what_it_cannot, begin, conf_teardown),
        cmocka_unit_test_setup_teardown(a_kernel_without, begin, conf_teardown),
        cmocka_unit_test_setup_teardown(switched_off, begin, conf_teardown),
        cmocka_unit_test_setup_teardown(a_secret_that_is_a_link, begin, conf_teardown),
        cmocka_unit_test_setup_teardown(what_a_reload_may_name, begin, conf_teardown),
    };

    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
