/* test_complain.c - the two lines on stderr, and the exit status. */
#include "scratch.h"

#include "base/complain.h"

static char dir[SCRATCH_PATH_MAX];

/* What complain() writes to stderr. */
static int
complaint(const char *subject, const struct err *err, char *buf, size_t size)
{
    char path[SCRATCH_PATH_MAX];
    int saved = dup(STDERR_FILENO), status, fd;

    fd = open(scratch_path(path, dir, "stderr"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
              0600);
    assert_true(saved >= 0 && fd >= 0);
    fflush(stderr);
    dup2(fd, STDERR_FILENO);
    status = complain(subject, err);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(fd);
    scratch_read(path, buf, size);
    return status;
}

static void
two_lines(void **state)
{
    struct err err = ERR_INIT;
    char text[2048];

    (void)state;
    err_set(&err, ERR_PERSON, "the refresh token was revoked");
    err_hint(&err, "run: mailbearer login a");
    assert_int_equal(complaint("a", &err, text, sizeof text), 77);
    assert_string_equal(text, "mailbearer: a: the refresh token was revoked\n"
                              "mailbearer: to mend it: run: mailbearer login a\n");
}

#define BUSY_HINT                                                                        \
    "mailbearer: to mend it: try again later; if it stays so, see: mailbearer status\n"

static void
a_general_hint(void **state)
{
    struct err err = ERR_INIT;
    char text[2048];

    (void)state;
    err_set(&err, ERR_TEMP, "100%% busy %%s");
    assert_int_equal(complaint(NULL, &err, text, sizeof text), 75);
    assert_string_equal(text, "mailbearer: 100% busy %s\n" BUSY_HINT);
    assert_int_equal(complaint("x", &err, text, sizeof text), 75);
    assert_string_equal(text, "mailbearer: x: 100% busy %s\n" BUSY_HINT);
    err_set(&err, ERR_CONFIG, "f:1: unknown key");
    assert_int_equal(complaint(NULL, &err, text, sizeof text), 78);
    assert_string_equal(text, "mailbearer: f:1: unknown key\n"
                              "mailbearer: to mend it: correct it there; "
                              "mailbearer.conf(5) lists what is known\n");
}

/* What comes from the command line goes to a terminal. */
static void
a_subject_with_escapes(void **state)
{
    struct err err = ERR_INIT;
    char text[2048];

    (void)state;
    err_set(&err, ERR_TEMP, "busy");
    assert_int_equal(complaint("a\033[2Jb\n", &err, text, sizeof text), 75);
    assert_string_equal(text, "mailbearer: a?[2Jb?: busy\n" BUSY_HINT);
}

static void
statuses(void **state)
{
    static const struct {
        int code, status;
    } table[] = {{ERR_USAGE, 64},  {ERR_NOACCOUNT, 66}, {ERR_NOAGENT, 69},
                 {ERR_STORE, 74},  {ERR_TEMP, 75},      {ERR_TIMEOUT, 75},
                 {ERR_DENIED, 77}, {ERR_CONFIG, 78},    {ERR_PROTOCOL, 75},
                 {ERR_NOMEM, 75}};
    char text[2048];

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct err err = ERR_INIT;

        err_set(&err, table[i].code, "x");
        assert_int_equal(complaint(NULL, &err, text, sizeof text), table[i].status);
    }
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
        cmocka_unit_test(two_lines),
        cmocka_unit_test(a_general_hint),
        cmocka_unit_test(a_subject_with_escapes),
        cmocka_unit_test(statuses),
    };

    return cmocka_run_group_tests_name("complain", tests, setup, teardown);
}
