/* test_listen.c - the agent's listening sockets: paths, systemd's, the default. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "agent/listen.h"
#include "oauth_kit.h"

/* In a child process cmocka's assertions would jump back into the parent's test list. */
#define CHECK(condition)                                                                 \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);              \
            _exit(1);                                                                    \
        }                                                                                \
    } while (0)

static int
open_paths(const char *const *paths, size_t count, struct listeners *ls, struct err *err)
{
    return listeners_open(paths, count, true, ls, err);
}

static int
open_one(const char *path, struct listeners *ls, struct err *err)
{
    return open_paths(&path, 1, ls, err);
}

/* A socket bound to the path; listening or not. */
static int
bind_to(const char *path, bool listening)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    if (listening)
        assert_int_equal(listen(fd, 5), 0);
    return fd;
}

/* 0, or the errno of connect(2). */
static int
connect_to(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), e = 0;

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
        e = errno;
    close(fd);
    return e;
}

static mode_t
mode_of(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static bool
exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

static void
listens_at_the_given_paths(void **state)
{
    static const char *const paths[] = {"one.sock", "folder/two.sock"};
    struct listeners ls;
    struct err err = ERR_INIT;

    (void)state;
    if (open_paths(paths, 2, &ls, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(ls.count, 2);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(ls.path[i], paths[i]);
        assert_int_equal(connect_to(paths[i]), 0);
        assert_int_equal(fcntl(ls.fd[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        assert_int_equal(fcntl(ls.fd[i], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    }
    listeners_close(&ls);
    assert_int_equal(ls.count, 0);
    assert_false(exists("one.sock"));
    assert_false(exists("folder/two.sock"));
    assert_true(exists("folder"));
    rmdir("folder");
}

/* Postfix's processes must get through, whatever the umask of whoever starts the agent.
 */
static void
everyone_may_connect(void **state)
{
    struct listeners ls;
    struct err err = ERR_INIT;
    mode_t mask = umask(077);

    (void)state;
    assert_int_equal(open_one("folder/a.sock", &ls, &err), 0);
    assert_int_equal(umask(mask), 077); /* as it was */
    assert_int_equal(mode_of("folder/a.sock"), 0666);
    assert_int_equal(mode_of("folder"), 0755);
    listeners_close(&ls);
    /* a folder that is there is left as it is */
    assert_int_equal(chmod("folder", 0700), 0);
    assert_int_equal(open_one("folder/a.sock", &ls, &err), 0);
    assert_int_equal(mode_of("folder"), 0700);
    listeners_close(&ls);
    rmdir("folder");
}

static void
a_socket_that_was_left_behind(void **state)
{
    struct listeners ls;
    struct err err = ERR_INIT;

    (void)state;
    close(bind_to("a.sock", true));
    assert_int_equal(connect_to("a.sock"), ECONNREFUSED);
    assert_int_equal(open_one("a.sock", &ls, &err), 0);
    assert_int_equal(connect_to("a.sock"), 0);
    listeners_close(&ls);
}

static void
a_socket_in_use(void **state)
{
    struct listeners ls = {.count = 7};
    struct err err = ERR_INIT;
    int fd = bind_to("a.sock", true);

    (void)state;
    assert_int_equal(open_one("a.sock", &ls, &err), ERR_CONFIG);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_string_equal(err.text, "a.sock is in use: another agent listens there");
    assert_string_equal(err.hint, "stop that one, or give this one --listen PATH");
    assert_int_equal(ls.count, 7);
    assert_int_equal(connect_to("a.sock"), 0); /* it was left alone */
    close(fd);
    unlink("a.sock");
}

static void
something_else_at_the_path(void **state)
{
    struct listeners ls;
    struct err err = ERR_INIT;
    int fd = bind_to("target.sock", true);

    (void)state;
    conf_write("file", "precious");
    assert_int_equal(open_one("file", &ls, &err), ERR_CONFIG);
    assert_string_equal(err.text, "file is there and is no socket");
    assert_true(exists("file"));
    assert_int_equal(mkdir("directory", 0700), 0);
    assert_int_equal(open_one("directory", &ls, &err), ERR_CONFIG);
    assert_string_equal(err.text, "directory is there and is no socket");
    assert_int_equal(symlink("target.sock", "link"), 0);
    assert_int_equal(open_one("link", &ls, &err), ERR_CONFIG);
    assert_string_equal(err.text, "link is there and is no socket");
    assert_true(exists("link"));
    close(fd);
    unlink("target.sock");
    unlink("link");
    rmdir("directory");
}

static void
paths_that_are_too_long(void **state)
{
    char path[120];
    struct listeners ls;
    struct err err = ERR_INIT;

    (void)state;
    memset(path, 'x', sizeof path);
    path[108] = '\0';
    assert_int_equal(open_one(path, &ls, &err), ERR_USAGE);
    assert_non_null(strstr(err.text, "socket path longer than 107 bytes"));
    path[107] = '\0';
    assert_int_equal(open_one(path, &ls, &err), 0);
    assert_int_equal(connect_to(path), 0);
    listeners_close(&ls);
}

/* An empty path would be a name in the abstract namespace. */
static void
an_empty_path(void **state)
{
    struct listeners ls;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(open_one("", &ls, &err), ERR_USAGE);
    assert_string_equal(err.text, "the socket's path is empty");
}

/* As in a jail that nobody has put anything in yet, whatever the umask is. */
static void
folders_that_are_missing(void **state)
{
    struct listeners ls;
    struct err err = ERR_INIT;
    mode_t mask = umask(077);
    struct stat st;

    (void)state;
    assert_int_equal(open_one("jail/run/mailbearer/a.sock", &ls, &err), 0);
    umask(mask);
    assert_int_equal(connect_to("jail/run/mailbearer/a.sock"), 0);
    assert_int_equal(stat("jail", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0755);
    assert_int_equal(stat("jail/run/mailbearer", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0755);
    listeners_close(&ls);
    rmdir("jail/run/mailbearer");
    rmdir("jail/run");
    rmdir("jail");
}

static void
folders_that_cannot_be_made(void **state)
{
    struct listeners ls;
    struct err err = ERR_INIT;

    (void)state;
    conf_write("file", "precious");
    assert_int_equal(open_one("file/parents/a.sock", &ls, &err), ERR_CONFIG);
    assert_string_equal(err.text, "file/parents/a.sock: Not a directory");
    assert_non_null(strstr(err.hint, "the folder must be there"));
    assert_true(exists("file"));
}

static void
one_that_fails_takes_the_others_back(void **state)
{
    static const char *const paths[] = {"one.sock", "file/two.sock"};
    struct listeners ls;
    struct err err = ERR_INIT;

    (void)state;
    conf_write("file", "");
    assert_int_equal(open_paths(paths, 2, &ls, &err), ERR_CONFIG);
    assert_false(exists("one.sock"));
}

static void
too_many(void **state)
{
    char name[LISTEN_MAX + 1][16];
    const char *paths[LISTEN_MAX + 1];
    struct listeners ls;
    struct err err = ERR_INIT;

    (void)state;
    for (int i = 0; i <= LISTEN_MAX; i++) {
        snprintf(name[i], sizeof name[i], "%d.sock", i);
        paths[i] = name[i];
    }
    assert_int_equal(open_paths(paths, LISTEN_MAX + 1, &ls, &err), ERR_USAGE);
    assert_string_equal(err.text, "more than 16 sockets to listen on");
    for (int i = 0; i <= LISTEN_MAX; i++)
        assert_false(exists(paths[i]));
    assert_int_equal(open_paths(paths, LISTEN_MAX, &ls, &err), 0);
    assert_int_equal(ls.count, LISTEN_MAX);
    listeners_close(&ls);
}

static void
the_users_default(void **state)
{
    char here[512], path[600];
    struct listeners ls;
    struct err err = ERR_INIT;

    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(setenv("XDG_RUNTIME_DIR", here, 1), 0);
    if (open_paths(NULL, 0, &ls, &err) != 0)
        fail_msg("%s", err.text);
    snprintf(path, sizeof path, "%s/mailbearer/agent.sock", here);
    assert_int_equal(ls.count, 1);
    assert_string_equal(ls.path[0], path);
    assert_int_equal(connect_to(path), 0);
    assert_int_equal(mode_of("mailbearer"), 0700);
    listeners_close(&ls);
    rmdir("mailbearer");
    unsetenv("XDG_RUNTIME_DIR");
}

/* --- systemd: descriptors from 3 on, announced in the environment */

/* In a child, with `fd` and the one after it (none: -1) as 3 and 4. */
static void
in_child(int fd, int next, void (*test)(void))
{
    pid_t pid = fork();
    int status = 0;

    assert_true(pid >= 0);
    if (pid == 0) {
        char text[32];

        snprintf(text, sizeof text, "%ld", (long)getpid());
        setenv("LISTEN_PID", text, 1);
        setenv("LISTEN_FDS", next < 0 ? "1" : "2", 1);
        setenv("LISTEN_FDNAMES", "agent.sock", 1);
        fd = fcntl(fd, F_DUPFD, 20);
        next = next < 0 ? -1 : fcntl(next, F_DUPFD, 20);
        CHECK(dup2(fd, 3) == 3);
        CHECK(next < 0 || dup2(next, 4) == 4);
        test();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void
check_environment(void)
{
    CHECK(getenv("LISTEN_PID") == NULL);
    CHECK(getenv("LISTEN_FDS") == NULL);
    CHECK(getenv("LISTEN_FDNAMES") == NULL);
}

static void
take_two_and_a_path(void)
{
    struct listeners ls;
    struct err err = ERR_INIT;

    CHECK(open_one("own.sock", &ls, &err) == 0);
    CHECK(ls.count == 3);
    for (int i = 0; i < 2; i++) {
        CHECK(ls.fd[i] == 3 + i);
        CHECK(ls.path[i] == NULL);
        CHECK((fcntl(ls.fd[i], F_GETFD) & FD_CLOEXEC) != 0);
        CHECK((fcntl(ls.fd[i], F_GETFL) & O_NONBLOCK) != 0);
    }
    CHECK(strcmp(ls.path[2], "own.sock") == 0);
    check_environment();
    CHECK(connect_to("passed.sock") == 0);
    CHECK(accept(3, NULL, NULL) >= 0);
    listeners_close(&ls);
    CHECK(exists("passed.sock")); /* the service manager's, who goes on listening */
    CHECK(!exists("own.sock"));
}

/* With passed sockets the default is not made. */
static void
take_one(void)
{
    struct listeners ls;
    struct err err = ERR_INIT;

    CHECK(open_paths(NULL, 0, &ls, &err) == 0);
    CHECK(ls.count == 1);
    CHECK(ls.fd[0] == 3);
    check_environment();
}

static void
refuse(void)
{
    struct listeners ls;
    struct err err = ERR_INIT;

    CHECK(open_paths(NULL, 0, &ls, &err) == ERR_CONFIG);
    CHECK(strcmp(err.text, "descriptor 3 from the service manager is no listening UNIX "
                           "socket") == 0);
}

static void
leave_another_process_its_sockets(void)
{
    struct listeners ls;
    struct err err = ERR_INIT;

    setenv("LISTEN_PID", "1", 1);
    CHECK(open_one("own.sock", &ls, &err) == 0);
    CHECK(ls.count == 1);
    CHECK(ls.fd[0] != 3);
    listeners_close(&ls);
}

static void
count_that_is_no_number(void)
{
    struct listeners ls;
    struct err err = ERR_INIT;

    setenv("LISTEN_FDS", "-1", 1);
    CHECK(open_one("own.sock", &ls, &err) == 0);
    CHECK(ls.count == 1);
    listeners_close(&ls);
    setenv("LISTEN_FDS", "many", 1);
    CHECK(open_one("own.sock", &ls, &err) == 0);
    CHECK(ls.count == 1);
    listeners_close(&ls);
}

static void
passed_by_systemd(void **state)
{
    int first = bind_to("passed.sock", true), second = bind_to("second.sock", true);

    (void)state;
    in_child(first, second, take_two_and_a_path);
    in_child(first, -1, take_one);
    in_child(first, -1, leave_another_process_its_sockets);
    in_child(first, -1, count_that_is_no_number);
    close(first);
    close(second);
    unlink("passed.sock");
    unlink("second.sock");
}

static void
passed_but_no_listening_socket(void **state)
{
    int fd[2], plain = bind_to("plain.sock", false);

    (void)state;
    in_child(plain, -1, refuse);
    assert_int_equal(pipe(fd), 0);
    in_child(fd[0], -1, refuse);
    close(fd[0]);
    close(fd[1]);
    fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd[0] >= 0);
    assert_int_equal(listen(fd[0], 1), 0);
    in_child(fd[0], -1, refuse);
    close(fd[0]);
    close(plain);
    unlink("plain.sock");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listens_at_the_given_paths),
        cmocka_unit_test(everyone_may_connect),
        cmocka_unit_test(a_socket_that_was_left_behind),
        cmocka_unit_test(a_socket_in_use),
        cmocka_unit_test(something_else_at_the_path),
        cmocka_unit_test(paths_that_are_too_long),
        cmocka_unit_test(an_empty_path),
        cmocka_unit_test(folders_that_are_missing),
        cmocka_unit_test(folders_that_cannot_be_made),
        cmocka_unit_test(one_that_fails_takes_the_others_back),
        cmocka_unit_test(too_many),
        cmocka_unit_test(the_users_default),
        cmocka_unit_test(passed_by_systemd),
        cmocka_unit_test(passed_but_no_listening_socket),
    };

    return cmocka_run_group_tests_name("listen", tests, conf_setup, conf_teardown);
}
