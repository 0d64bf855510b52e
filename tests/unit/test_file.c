/* test_file.c - files with secrets in them: who may read them, and what is read. */
/* link: -Wl,--wrap=getgrnam_r,--wrap=read,--wrap=write */
#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "scratch.h"

#include "base/file.h"

#define PATH "/etc/mailbearer/mailbearer.conf"
#define GROUP 4242

static char dir[SCRATCH_PATH_MAX];

/* The group look-up: there is a group `mailbearer` with id GROUP, or there is none. */
static bool group_there;
static int look_ups;
static int look_ups_too_small; /* so many buffers are refused with ERANGE */

int __wrap_getgrnam_r(const char *name, struct group *group, char *buf, size_t size,
                      struct group **found);

int
__wrap_getgrnam_r(const char *name, struct group *group, char *buf, size_t size,
                  struct group **found)
{
    assert_string_equal(name, "mailbearer");
    look_ups++;
    *found = NULL;
    memset(buf, 0, size);
    if (look_ups_too_small > 0) {
        look_ups_too_small--;
        return ERANGE;
    }
    if (group_there) {
        memset(group, 0, sizeof *group);
        group->gr_gid = GROUP;
        *found = group;
    }
    return 0;
}

/* Reads and writes: counted, interrupted, cut short or refused as a test wants it. */
static int reads, interruptions, refuse_read_with;
static size_t read_at_most;
static int refuse_write_with;
static size_t write_at_most;

ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len);
ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);

static bool
interrupted(void)
{
    if (interruptions == 0)
        return false;
    interruptions--;
    errno = EINTR;
    return true;
}

ssize_t
__wrap_read(int fd, void *buf, size_t len)
{
    reads++;
    if (interrupted())
        return -1;
    if (refuse_read_with != 0) {
        errno = refuse_read_with;
        return -1;
    }
    return __real_read(fd, buf,
                       read_at_most != 0 && len > read_at_most ? read_at_most : len);
}

ssize_t
__wrap_write(int fd, const void *buf, size_t len)
{
    if (interrupted())
        return -1;
    if (refuse_write_with != 0) {
        errno = refuse_write_with;
        return -1;
    }
    return __real_write(fd, buf,
                        write_at_most != 0 && len > write_at_most ? write_at_most : len);
}

static int
reset(void **state)
{
    (void)state;
    group_there = true;
    look_ups = look_ups_too_small = 0;
    reads = interruptions = refuse_read_with = refuse_write_with = 0;
    read_at_most = write_at_most = 0;
    return 0;
}

static struct stat
status(mode_t mode, uid_t uid, gid_t gid)
{
    struct stat st;

    memset(&st, 0, sizeof st);
    st.st_mode = S_IFREG | mode;
    st.st_uid = uid;
    st.st_gid = gid;
    return st;
}

static void
private_files(void **state)
{
    static const struct {
        mode_t mode;
        gid_t gid;
        int look_ups;
    } cases[] = {
        {0600, 0, 0}, {0400, 0, 0}, {0700, 77, 0}, {0640, GROUP, 1}, {0440, GROUP, 1},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stat st = status(cases[i].mode, 0, cases[i].gid);
        struct err err = ERR_INIT;

        look_ups = 0;
        assert_int_equal(file_check_private(&st, PATH, "accounts file", (uid_t)-1, &err),
                         0);
        assert_int_equal(look_ups, cases[i].look_ups);
        assert_int_equal(err.code, ERR_NONE);
        assert_string_equal(err.text, "");
    }
}

static void
files_others_may_read(void **state)
{
    static const struct {
        mode_t mode;
        uid_t uid; /* 0: root, 1: ours */
        gid_t gid;
        bool group_there;
        const char *text, *hint;
    } cases[] = {
        {0644, 0, GROUP, true,
         "accounts file " PATH " has mode 644: everybody may read or "
         "change it",
         "chmod 640 " PATH},
        {0666, 0, GROUP, true,
         "accounts file " PATH " has mode 666: everybody may read or "
         "change it",
         "chmod 660 " PATH},
        {0640, 0, 0, true,
         "accounts file " PATH " has mode 640: its group may read or "
         "change it",
         "chgrp mailbearer " PATH},
        {0644, 0, 0, true,
         "accounts file " PATH " has mode 644: everybody may read or "
         "change it",
         "chgrp mailbearer " PATH " && chmod 640 " PATH},
        {0640, 0, 0, false,
         "accounts file " PATH " has mode 640: its group may read or "
         "change it",
         "chmod 600 " PATH},
        {0644, 0, 0, false,
         "accounts file " PATH " has mode 644: everybody may read or "
         "change it",
         "chmod 600 " PATH},
        {0604, 0, 0, true,
         "accounts file " PATH " has mode 604: everybody may read or "
         "change it",
         "chmod 600 " PATH},
        {0601, 0, 0, true,
         "accounts file " PATH " has mode 601: everybody may read or "
         "change it",
         "chmod 600 " PATH},
        {0640, 1, 100, true,
         "accounts file " PATH " has mode 640: its group may read or "
         "change it",
         "chmod 600 " PATH},
        {04644, 1, 100, true,
         "accounts file " PATH " has mode 4644: everybody may read or "
         "change it",
         "chmod 600 " PATH},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* For root the two owners are the same, and so is the hint for the second. */
        struct stat st =
            status(cases[i].mode, cases[i].uid == 0 ? 0 : geteuid(), cases[i].gid);
        struct err err = ERR_INIT;

        group_there = cases[i].group_there && !(cases[i].uid == 1 && geteuid() == 0);
        assert_int_equal(file_check_private(&st, PATH, "accounts file", (uid_t)-1, &err),
                         ERR_CONFIG);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_string_equal(err.text, cases[i].text);
        assert_string_equal(err.hint, cases[i].hint);
    }
}

static void
hints_can_be_pasted(void **state)
{
    struct stat st = status(0644, 0, 0);
    struct err err = ERR_INIT;

    (void)state;
    group_there = false;
    file_check_private(&st, "/srv/it's a $HOME", "secret", (uid_t)-1, &err);
    assert_string_equal(err.hint, "chmod 600 '/srv/it'\\''s a $HOME'");
}

static void
files_of_others(void **state)
{
    uid_t stranger = geteuid() + 1000;
    struct stat st = status(0600, stranger, 0);
    struct err err = ERR_INIT;
    char text[200];

    (void)state;
    assert_int_equal(file_check_private(&st, PATH, "accounts file", stranger, &err), 0);
    assert_int_equal(file_check_private(&st, PATH, "accounts file", stranger + 1, &err),
                     ERR_CONFIG);
    err.code = ERR_NONE;
    assert_int_equal(file_check_private(&st, PATH, "accounts file", (uid_t)-1, &err),
                     ERR_CONFIG);
    snprintf(text, sizeof text,
             "accounts file " PATH " belongs to uid %lu, who could "
             "change it",
             (unsigned long)stranger);
    assert_string_equal(err.text, text);
    snprintf(text, sizeof text, "chown %lu " PATH, (unsigned long)geteuid());
    assert_string_equal(err.hint, text);
    /* "Nobody else" is not the user with that number. */
    st.st_uid = (uid_t)-1;
    assert_int_equal(file_check_private(&st, PATH, "accounts file", (uid_t)-1, &err),
                     ERR_CONFIG);
}

static void
the_group_has_many_members(void **state)
{
    struct stat st = status(0640, 0, GROUP);
    struct err err = ERR_INIT;

    (void)state;
    look_ups_too_small = 3;
    assert_int_equal(file_check_private(&st, PATH, "accounts file", (uid_t)-1, &err), 0);
    assert_int_equal(look_ups, 4);
}

static char *
make(char path[SCRATCH_PATH_MAX], const char *name, const void *bytes, size_t len)
{
    scratch_write(scratch_path(path, dir, name), bytes, len, 0600);
    return path;
}

static void
reads_whole_files(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 4095, 4096, 4097, 9000};
    char bytes[9000];
    char path[SCRATCH_PATH_MAX];
    size_t i, n;

    (void)state;
    for (n = 0; n < sizeof bytes; n++)
        bytes[n] = (char)(n * 7);
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct secret out = SECRET_INIT;
        struct err err = ERR_INIT;

        assert_int_equal(secret_append_str(&out, "what was there"), 0);
        make(path, "whole", bytes, sizes[i]);
        reads = 0;
        assert_int_equal(file_read_private(path, "file", 9000, &out, &err), 0);
        assert_int_equal(out.len, sizes[i]);
        assert_memory_equal(secret_str(&out), bytes, sizes[i]);
        assert_int_equal(secret_str(&out)[out.len], '\0');
        assert_int_equal(reads, 1);
        secret_clear(&out);

        reads = 0;
        interruptions = 2;
        read_at_most = 1000;
        assert_int_equal(file_read_private(path, "file", 9000, &out, &err), 0);
        assert_int_equal(out.len, sizes[i]);
        assert_memory_equal(secret_str(&out), bytes, sizes[i]);
        interruptions = 0;
        read_at_most = 0;
        secret_clear(&out);
    }
}

static void
reads_pipes(void **state)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 20000};
    char bytes[20000];
    size_t i;

    (void)state;
    memset(bytes, 'p', sizeof bytes);
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct secret out = SECRET_INIT;
        struct err err = ERR_INIT;
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], bytes, sizes[i]), (ssize_t)sizes[i]);
        close(ends[1]);
        assert_int_equal(file_read_fd(ends[0], "-", 20000, &out, &err), 0);
        assert_int_equal(out.len, sizes[i]);
        assert_memory_equal(secret_str(&out), bytes, sizes[i]);
        close(ends[0]);
        secret_clear(&out);
    }
}

static void
a_file_that_grows_is_read_to_its_end(void **state)
{
    char path[SCRATCH_PATH_MAX];
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;
    int fd;

    (void)state;
    make(path, "grows", "0123456789", 10);
    fd = open(path, O_RDONLY);
    assert_int_equal(file_read_sized(fd, path, 4, 10, &out, &err), 0);
    assert_string_equal(secret_str(&out), "0123456789");
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(file_read_sized(fd, path, 4, 9, &out, &err), ERR_CONFIG);
    assert_null(out.data);
    close(fd);
}

static void
files_that_are_refused(void **state)
{
    char path[SCRATCH_PATH_MAX];
    char text[2 * SCRATCH_PATH_MAX];
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    make(path, "large", "12345", 5);
    assert_int_equal(file_read_private(path, "client secret", 4, &out, &err), ERR_CONFIG);
    snprintf(text, sizeof text, "%s is too large", path);
    assert_string_equal(err.text, text);
    assert_null(out.data);

    scratch_path(path, dir, "absent");
    assert_int_equal(file_read_private(path, "client secret", 4, &out, &err), ERR_CONFIG);
    snprintf(text, sizeof text, "cannot open client secret %s: No such file or directory",
             path);
    assert_string_equal(err.text, text);

    assert_int_equal(file_read_private(dir, "client secret", 4, &out, &err), ERR_CONFIG);
    snprintf(text, sizeof text, "client secret %s is not a regular file", dir);
    assert_string_equal(err.text, text);

    scratch_path(path, dir, "fifo"); /* must not wait for a writer */
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(file_read_private(path, "client secret", 4, &out, &err), ERR_CONFIG);
    snprintf(text, sizeof text, "client secret %s is not a regular file", path);
    assert_string_equal(err.text, text);

    scratch_path(path, dir, "open");
    scratch_write(path, "x", 1, 0604);
    assert_int_equal(file_read_private(path, "client secret", 4, &out, &err), ERR_CONFIG);
    snprintf(text, sizeof text,
             "client secret %s has mode 604: everybody may read or "
             "change it",
             path);
    assert_string_equal(err.text, text);

    make(path, "broken", "x", 1);
    refuse_read_with = EIO;
    assert_int_equal(file_read_private(path, "client secret", 4, &out, &err), ERR_STORE);
    /* the words are the libc's */
    snprintf(text, sizeof text, "cannot read %s: %s", path, strerror(EIO));
    assert_string_equal(err.text, text);
    assert_null(out.data);
}

static void
secret_lines(void **state)
{
    static const struct {
        const char *content;
        size_t len;
        const char *line;
    } cases[] = {
#define CASE(content, line) {content, sizeof(content) - 1, line}
        CASE("s3cret", "s3cret"),
        CASE("s3cret\n", "s3cret"),
        CASE("s3cret\r\n", "s3cret"),
        CASE("s3cret\nsecond\n", "s3cret"),
        CASE(" with spaces \n", " with spaces "),
        CASE("p\xc3\xa4ss\n", "p\xc3\xa4ss"),
        CASE("s3cret\n\0\1", "s3cret"),
#undef CASE
    };
    char path[SCRATCH_PATH_MAX];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct secret out = SECRET_INIT;
        struct err err = ERR_INIT;

        make(path, "line", cases[i].content, cases[i].len);
        assert_int_equal(file_read_secret_line(path, "client secret", &out, &err), 0);
        assert_string_equal(secret_str(&out), cases[i].line);
        secret_clear(&out);
    }
}

static void
secret_lines_that_are_refused(void **state)
{
    static const struct {
        const char *content;
        size_t len;
        const char *problem;
    } cases[] = {
#define CASE(content, problem) {content, sizeof(content) - 1, problem}
        CASE("", "is empty"),
        CASE("\n", "is empty"),
        CASE("\r\n", "is empty"),
        CASE("\ns3cret\n", "is empty"),
        CASE("s3c\0ret\n", "holds a control character"),
        CASE("s3c\tret\n", "holds a control character"),
        CASE("s3c\rret\n", "holds a control character"),
        CASE("s3cret\x7f\n", "holds a control character"),
#undef CASE
    };
    char path[SCRATCH_PATH_MAX];
    char text[2 * SCRATCH_PATH_MAX];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct secret out = SECRET_INIT;
        struct err err = ERR_INIT;

        assert_int_equal(secret_append_str(&out, "what was there"), 0);
        make(path, "line", cases[i].content, cases[i].len);
        assert_int_equal(file_read_secret_line(path, "client secret", &out, &err),
                         ERR_CONFIG);
        snprintf(text, sizeof text, "client secret %s %s", path, cases[i].problem);
        assert_string_equal(err.text, text);
        assert_null(out.data);
    }
}

static void
writes_all(void **state)
{
    char path[SCRATCH_PATH_MAX];
    char back[100];
    struct err err = ERR_INIT;
    int fd = open(scratch_path(path, dir, "written"), O_WRONLY | O_CREAT, 0600);

    (void)state;
    assert_int_not_equal(fd, -1);
    interruptions = 2;
    write_at_most = 3;
    assert_int_equal(file_write_fd(fd, path, "0123456789", 10, &err), 0);
    close(fd);
    assert_int_equal(scratch_read(path, back, sizeof back), 10);
    assert_string_equal(back, "0123456789");
}

static void
a_write_that_fails(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    refuse_write_with = ENOSPC;
    assert_int_equal(file_write_fd(1, "/srv/x", "y", 1, &err), ERR_STORE);
    assert_int_equal(errno, ENOSPC);
    assert_string_equal(err.text, "cannot write /srv/x: No space left on device");
    assert_int_equal(err.code, ERR_STORE);
}

/* A pipe that somebody made non-blocking, filled, and emptied only later. */
static void
waits_for_a_pipe_that_is_full(void **state)
{
    enum { SIZE = 300000 };
    static char bytes[SIZE];
    struct err err = ERR_INIT;
    int ends[2];
    int end_of_child;
    pid_t pid;

    (void)state;
    memset(bytes, 'b', SIZE);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    pid = fork();
    if (pid == 0) {
        char buf[4096];
        size_t total = 0;
        ssize_t n;

        close(ends[1]);
        usleep(50000);
        while ((n = __real_read(ends[0], buf, sizeof buf)) > 0)
            total += (size_t)n;
        _exit(total == SIZE ? 0 : 1);
    }
    close(ends[0]);
    assert_int_equal(file_write_fd(ends[1], "-", bytes, SIZE, &err), 0);
    close(ends[1]);
    assert_int_equal(waitpid(pid, &end_of_child, 0), pid);
    assert_int_equal(end_of_child, 0);
}

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(private_files, reset),
        cmocka_unit_test_setup(files_others_may_read, reset),
        cmocka_unit_test_setup(hints_can_be_pasted, reset),
        cmocka_unit_test_setup(files_of_others, reset),
        cmocka_unit_test_setup(the_group_has_many_members, reset),
        cmocka_unit_test_setup(reads_whole_files, reset),
        cmocka_unit_test_setup(reads_pipes, reset),
        cmocka_unit_test_setup(a_file_that_grows_is_read_to_its_end, reset),
        cmocka_unit_test_setup(files_that_are_refused, reset),
        cmocka_unit_test_setup(secret_lines, reset),
        cmocka_unit_test_setup(secret_lines_that_are_refused, reset),
        cmocka_unit_test_setup(writes_all, reset),
        cmocka_unit_test_setup(a_write_that_fails, reset),
        cmocka_unit_test_setup(waits_for_a_pipe_that_is_full, reset),
    };

    return cmocka_run_group_tests_name("file", tests, setup, teardown);
}
