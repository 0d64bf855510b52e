/* ports_write.c - writing the file `ports`. See ports_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/file.h"
#include "../client/deadline.h"
#include "ports_file.h"
#include "ports_line.h"

#define PATH_MAX_BYTES 4096
#define LOCK_MS 10000
#define HEAD "# Local passwords of mailbearer-fetch; set by: mailbearer passwd ACCOUNT\n"

static int
cannot(struct err *err, const char *what, const char *path)
{
    return err_set(err, ERR_STORE, "cannot %s %s: %s", what, path, strerror(errno));
}

/* The folder, locked: the file itself is replaced, so that a lock on it would be one on
 * what was there before. */
static int
lock_folder(const char *path, int *fd_r, struct err *err)
{
    struct deadline deadline = deadline_in(LOCK_MS);
    const struct timespec pause = {0, 20000000};
    char folder[PATH_MAX_BYTES] = ".";
    const char *slash = strrchr(path, '/');
    int fd;

    if (slash != NULL && (size_t)snprintf(folder, sizeof folder, "%.*s",
                                          (int)(slash - path) + 1, path) >= sizeof folder)
        return err_set(err, ERR_STORE, "the path of the ports file is too long");
    if ((fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
        return cannot(err, "open", folder);
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            cannot(err, "lock", folder);
            close(fd);
            return ERR_STORE;
        }
        if (deadline_passed(&deadline)) {
            close(fd);
            return err_set(err, ERR_TIMEOUT, "%s has been locked for 10 s", folder);
        }
        nanosleep(&pause, NULL);
    }
    *fd_r = fd;
    return 0;
}

/* As it was, or as a new one must be. */
static int
give_mode(int fd, const char *path, const struct stat *old, struct err *err)
{
    const struct group *group;

    if (old != NULL) {
        if (fchown(fd, old->st_uid, old->st_gid) != 0 ||
            fchmod(fd, old->st_mode & 0777) != 0)
            return cannot(err, "give its owner and mode to", path);
        return 0;
    }
    group = geteuid() == 0 ? getgrnam(PORTS_FILE_GROUP) : NULL;
    if (group != NULL && (fchown(fd, 0, group->gr_gid) != 0 || fchmod(fd, 0640) != 0))
        return cannot(err, "give to the group " PORTS_FILE_GROUP, path);
    return 0;
}

static int
write_new(const char *path, int folder, const struct stat *old, const struct secret *text,
          struct err *err)
{
    char temporary[PATH_MAX_BYTES];
    int fd = -1;
    int r;

    if ((size_t)snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >=
        sizeof temporary)
        return err_set(err, ERR_STORE, "the path of the ports file is too long");
    if ((fd = mkostemp(temporary, O_CLOEXEC)) == -1) /* mode 0600 */
        return cannot(err, "make a file beside", path);
    r = file_write_fd(fd, temporary, secret_str(text), text->len, err);
    if (r == 0)
        r = give_mode(fd, path, old, err);
    if (r == 0 && fsync(fd) != 0)
        r = cannot(err, "write", temporary);
    if (close(fd) != 0 && r == 0)
        r = cannot(err, "write", temporary);
    if (r == 0 && rename(temporary, path) != 0)
        r = cannot(err, "replace", path);
    if (r != 0)
        unlink(temporary);
    else
        fsync(folder);
    return r;
}

/* The file with the account's line changed. */
static int
compose(const struct secret *text, const char *account, const struct secret *hash,
        struct secret *out, bool *found_r)
{
    struct ports_line line;
    size_t at = 0;
    int r = text->len == 0 ? secret_append_str(out, HEAD) : 0;

    *found_r = false;
    while (r == 0 && ports_line_next(text, &at, &line)) {
        if (ports_line_is(&line, account))
            *found_r = true;
        else if ((r = secret_append(out, line.text, line.len)) == 0)
            r = secret_append_char(out, '\n');
    }
    if (r == 0 && hash != NULL && (r = secret_append_str(out, account)) == 0 &&
        (r = secret_append_char(out, ':')) == 0 &&
        (r = secret_append(out, hash->data, hash->len)) == 0)
        r = secret_append_char(out, '\n');
    return r;
}

static bool
can_be_written(const char *account)
{
    if (account[0] == '\0' || account[0] == '#')
        return false;
    for (; *account != '\0'; account++)
        if ((unsigned char)*account < 0x20 || *account == 0x7f)
            return false;
    return true;
}

int
ports_file_set(const char *path, const char *account, const struct secret *hash,
               bool *found_r, struct err *err)
{
    struct secret text = {.max = PORTS_FILE_MAX}, fresh = {.max = PORTS_FILE_MAX};
    struct stat st;
    bool found = false, there = false;
    int folder = -1;
    int r;

    if (!can_be_written(account))
        return err_set(err, ERR_USAGE,
                       "this account's name cannot stand in a ports file");
    if ((r = lock_folder(path, &folder, err)) != 0)
        return r;
    there = stat(path, &st) == 0;
    if (there)
        r = ports_file_read(path, &text, err);
    else if (errno != ENOENT)
        r = cannot(err, "look at", path);
    if (r == 0 && (r = compose(&text, account, hash, &fresh, &found)) != 0)
        err_set(err, r, "the ports file would be too large");
    if (r == 0 && (hash != NULL || found))
        r = write_new(path, folder, there ? &st : NULL, &fresh, err);
    if (r == 0)
        *found_r = found;
    secret_clear(&text);
    secret_clear(&fresh);
    close(folder);
    return r;
}
