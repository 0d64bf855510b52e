/* test_log.c - lines for the administrator: what reaches stderr, the journal, syslog. */
/* link: -Wl,--wrap=openlog,--wrap=syslog,--wrap=__syslog_chk,--wrap=write */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <syslog.h>

#include "scratch.h"

#include "base/log.h"

static char dir[SCRATCH_PATH_MAX];
static char captured[SCRATCH_PATH_MAX]; /* the file that stands for stderr */
static int real_stderr = -1;
static int writes, interruptions;
static size_t write_at_most;

ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);

ssize_t
__wrap_write(int fd, const void *buf, size_t len)
{
    writes++;
    if (interruptions > 0) {
        interruptions--;
        errno = EINTR;
        return -1;
    }
    return __real_write(fd, buf,
                        write_at_most != 0 && len > write_at_most ? write_at_most : len);
}

/* syslog, which -D_FORTIFY_SOURCE turns into __syslog_chk. */
static char syslog_line[8192];
static int syslog_priority, syslog_calls, syslog_facility;
static const char *syslog_ident;

void __wrap_openlog(const char *ident, int option, int facility);
void __wrap_syslog(int priority, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void __wrap___syslog_chk(int priority, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void
__wrap_openlog(const char *ident, int option, int facility)
{
    (void)option;
    syslog_ident = ident;
    syslog_facility = facility;
}

static void take_syslog(int priority, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void
take_syslog(int priority, const char *format, va_list args)
{
    syslog_calls++;
    syslog_priority = priority;
    vsnprintf(syslog_line, sizeof syslog_line, format, args);
}

void
__wrap_syslog(int priority, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    take_syslog(priority, format, args);
    va_end(args);
}

void
__wrap___syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list args;

    (void)flag;
    va_start(args, format);
    take_syslog(priority, format, args);
    va_end(args);
}

static void
begin(void)
{
    int fd = open(captured, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_int_not_equal(fd, -1);
    writes = 0;
    fflush(stderr);
    real_stderr = dup(STDERR_FILENO);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    close(fd);
}

/* What was written since begin(), which must be `expected`, in `times` writes. */
static void
end(const char *expected, int times)
{
    static char text[20000];
    int count = writes;

    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    scratch_read(captured, text, sizeof text);
    assert_string_equal(text, expected);
    assert_int_equal(count, times);
}

static int
reset(void **state)
{
    (void)state;
    interruptions = 0;
    write_at_most = 0;
    unsetenv("JOURNAL_STREAM");
    log_set_level(LOG_LEVEL_INFO);
    return 0;
}

static void
one_line_in_one_write(void **state)
{
    (void)state;
    begin();
    log_error("account %s: %d", "alice@contoso.com", 42);
    end("account alice@contoso.com: 42\n", 1);
}

static void
levels(void **state)
{
    (void)state;
    begin();
    log_error("e");
    log_warning("w");
    log_info("i");
    log_debug("d");
    end("e\nw\ni\n", 3);

    log_set_level(LOG_LEVEL_DEBUG);
    begin();
    log_debug("d");
    end("d\n", 1);

    log_set_level(LOG_LEVEL_ERROR);
    begin();
    log_error("e");
    log_warning("w");
    log_info("i");
    end("e\n", 1);
}

static void
control_characters(void **state)
{
    (void)state;
    begin();
    log_info("two\nlines %s", "\x1b[31m\r\t\x7f");
    log_info("%s", "gr\xc3\xbc\xc3\x9f, \xc2\x9b"
                   "31m and \xff");
    end("two?lines ?[31m???\ngr\xc3\xbc\xc3\x9f, ?31m and ?\n", 2);
}

static void
the_journal_is_told_the_level(void **state)
{
    struct stat st;
    char stream[64];

    (void)state;
    log_set_level(LOG_LEVEL_DEBUG);
    begin();
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev,
             (uintmax_t)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_error("e");
    log_warning("w");
    log_info("i");
    log_debug("d");
    end("<3>e\n<4>w\n<6>i\n<7>d\n", 4);
}

/* The variable is inherited by programs whose stderr is something else. */
static void
another_journal_stream(void **state)
{
    (void)state;
    setenv("JOURNAL_STREAM", "1:1", 1);
    begin();
    log_error("e");
    end("e\n", 1);
    setenv("JOURNAL_STREAM", "rubbish", 1);
    begin();
    log_error("e");
    end("e\n", 1);
}

static void
long_lines_are_cut(void **state)
{
    static char text[9000];
    static char expected[4097];
    size_t i;

    (void)state;
    /* Three-byte characters: the cut must not go through one. */
    for (i = 0; i + 3 < sizeof text; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3);
    text[i] = '\0';
    memcpy(expected, text, 4092); /* 4094 bytes have room, 1364 whole characters fit */
    expected[4092] = '\n';
    expected[4093] = '\0';
    begin();
    log_info("%s", text);
    end(expected, 1);
}

static void
interrupted_and_short_writes(void **state)
{
    (void)state;
    begin();
    interruptions = 1;
    write_at_most = 4;
    log_info("0123456789");
    end("0123456789\n", 4);
}

static void
errno_stays(void **state)
{
    (void)state;
    begin();
    errno = ENOTEMPTY;
    interruptions = 1;
    log_error("e");
    assert_int_equal(errno, ENOTEMPTY);
    end("e\n", 2);
}

/* Last: there is no way back from syslog. */
static void
syslog_instead(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_DEBUG);
    log_to_syslog("mailbearer");
    assert_string_equal(syslog_ident, "mailbearer");
    assert_int_equal(syslog_facility, LOG_MAIL);
    begin();
    log_error("100%% %s", "%n\n");
    assert_string_equal(syslog_line, "100% %n?");
    assert_int_equal(syslog_priority, LOG_MAIL | LOG_ERR);
    log_warning("w");
    assert_int_equal(syslog_priority, LOG_MAIL | LOG_WARNING);
    log_info("i");
    assert_int_equal(syslog_priority, LOG_MAIL | LOG_INFO);
    log_debug("d");
    assert_int_equal(syslog_priority, LOG_MAIL | LOG_DEBUG);
    log_set_level(LOG_LEVEL_INFO);
    log_debug("d");
    assert_int_equal(syslog_calls, 4);
    end("", 0);
}

static int
setup(void **state)
{
    (void)state;
    scratch_path(captured, scratch_make(dir), "stderr");
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
        cmocka_unit_test_setup(one_line_in_one_write, reset),
        cmocka_unit_test_setup(levels, reset),
        cmocka_unit_test_setup(control_characters, reset),
        cmocka_unit_test_setup(the_journal_is_told_the_level, reset),
        cmocka_unit_test_setup(another_journal_stream, reset),
        cmocka_unit_test_setup(long_lines_are_cut, reset),
        cmocka_unit_test_setup(interrupted_and_short_writes, reset),
        cmocka_unit_test_setup(errno_stays, reset),
        cmocka_unit_test_setup(syslog_instead, reset),
    };

    return cmocka_run_group_tests_name("log", tests, setup, teardown);
}
