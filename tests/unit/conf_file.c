#include "conf_file.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];
static int before = -1;

int
conf_setup(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/mailbearer-conf.XXXXXX");
    before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return before >= 0 && mkdtemp(directory) != NULL && chdir(directory) == 0 ? 0 : -1;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

int
conf_teardown(void **state)
{
    (void)state;
    if (fchdir(before) != 0)
        return -1;
    close(before);
    return nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void
conf_write_bytes(const char *name, const void *bytes, size_t len, mode_t mode)
{
    int fd;

    unlink(name);
    fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

void
conf_write(const char *name, const char *text)
{
    conf_write_bytes(name, text, strlen(text), 0600);
}

struct accounts *
conf_accept(const char *text)
{
    struct accounts *accounts = NULL;
    struct err err = ERR_INIT;

    conf_write("input.conf", text);
    if (accounts_read("input.conf", &accounts, &err) != 0)
        fail_msg("refused: %s", err.text);
    return accounts;
}

void
conf_refuse(const char *text, const char *line)
{
    struct accounts *accounts = NULL;
    struct err err = ERR_INIT;
    char buf[ERR_LINE_MAX];

    conf_write("input.conf", text);
    assert_int_equal(accounts_read("input.conf", &accounts, &err), ERR_CONFIG);
    assert_null(accounts);
    assert_string_equal(err_line(&err, buf), line);
}
