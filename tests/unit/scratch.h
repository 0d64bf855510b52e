/* scratch.h - a temporary directory for one test program, and small files in it.
 *
 * Used by:  tests/unit/test_*.c. Everything fails the test by itself.
 */
#ifndef MAILBEARER_TESTS_SCRATCH_H
#define MAILBEARER_TESTS_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SCRATCH_PATH_MAX 1024

static inline int
scratch_remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

/* Makes a new directory below TMPDIR or /tmp; returns dir. */
static inline char *
scratch_make(char dir[SCRATCH_PATH_MAX])
{
    const char *base = getenv("TMPDIR");

    snprintf(dir, SCRATCH_PATH_MAX, "%s/mailbearer-test.XXXXXX",
             base != NULL && *base == '/' ? base : "/tmp");
    assert_non_null(mkdtemp(dir));
    return dir;
}

static inline void
scratch_remove(const char *dir)
{
    assert_int_equal(nftw(dir, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* "dir/name" in buf; returns buf. */
static inline char *
scratch_path(char buf[SCRATCH_PATH_MAX], const char *dir, const char *name)
{
    assert_true(snprintf(buf, SCRATCH_PATH_MAX, "%s/%s", dir, name) < SCRATCH_PATH_MAX);
    return buf;
}

/* Makes the file, with this content and exactly this mode. */
static inline void
scratch_write(const char *path, const void *bytes, size_t len, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_int_not_equal(fd, -1);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

/* Reads the file into buf, followed by a NUL; returns its length. */
static inline size_t
scratch_read(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    assert_int_not_equal(fd, -1);
    n = read(fd, buf, size - 1);
    assert_true(n >= 0 && (size_t)n < size - 1);
    buf[n] = '\0';
    close(fd);
    return (size_t)n;
}

static inline int
scratch_exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

#endif
