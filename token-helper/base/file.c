/* file.c - read files that hold secrets, and refuse those others can read. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GROUP_NAME "mailbearer"
#define READ_CHUNK 4096u
#define SECRET_LINE_FILE_MAX 65536u

/* The group's id, (gid_t)-1 when there is no such group. */
static gid_t
group_mailbearer(void)
{
    char small[1024];
    char *buf = small;
    size_t size = sizeof small;
    char *bigger = NULL;
    struct group group;
    struct group *found = NULL;

    /* ERANGE: a group of many members. */
    while (getgrnam_r(GROUP_NAME, &group, buf, size, &found) == ERANGE &&
           size < 1024u * 1024u) {
        size *= 4;
        free(bigger);
        bigger = malloc(size);
        if (bigger == NULL)
            return (gid_t)-1;
        buf = bigger;
    }
    free(bigger);
    return found != NULL ? group.gr_gid : (gid_t)-1;
}

/* The path as a shell takes it, so that a hint can be pasted; borrowed from `buf`. */
static const char *
shell_word(const char *path, char *buf, size_t size)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789@%+=:,./_-";
    size_t n = 0;

    if (*path != '\0' && path[strspn(path, plain)] == '\0')
        return path;
    buf[n++] = '\'';
    for (; *path != '\0' && n + 7 < size; path++) {
        if (*path == '\'') {
            memcpy(buf + n, "'\\''", 4);
            n += 4;
        } else {
            buf[n++] = *path;
        }
    }
    buf[n++] = '\'';
    buf[n] = '\0';
    return buf;
}

static int
refuse_mode(const struct stat *st, const char *path, const char *what, gid_t ours,
            struct err *err)
{
    unsigned mode = st->st_mode & 07777u;
    bool others = (mode & 007u) != 0;
    bool group = (mode & 070u) != 0 && st->st_gid != ours;
    char quoted[ERR_HINT_MAX];
    const char *word = shell_word(path, quoted, sizeof quoted);

    err_set(err, ERR_CONFIG, "%s %s has mode %03o: %s may read or change it", what, path,
            mode, others ? "everybody" : "its group");
    /* Root's files are shared with the service through its group; a user's own are not.
     */
    if (!group && (mode & 070u) != 0)
        err_hint(err, "chmod %03o %s", mode & ~007u, word);
    else if (group && st->st_uid == 0 && ours != (gid_t)-1)
        err_hint(err,
                 others ? "chgrp " GROUP_NAME " %s && chmod 640 %s"
                        : "chgrp " GROUP_NAME " %s",
                 word, word);
    else
        err_hint(err, "chmod 600 %s", word);
    return ERR_CONFIG;
}

int
file_check_private(const struct stat *st, const char *path, const char *what,
                   uid_t also_owner, struct err *err)
{
    uid_t owner = st->st_uid;
    gid_t ours = (gid_t)-1;

    if (!S_ISREG(st->st_mode))
        return err_set(err, ERR_CONFIG, "%s %s is not a regular file", what, path);
    if (owner != 0 && owner != geteuid() &&
        (also_owner == (uid_t)-1 || owner != also_owner)) {
        char quoted[ERR_HINT_MAX];

        err_set(err, ERR_CONFIG, "%s %s belongs to uid %lu, who could change it", what,
                path, (unsigned long)owner);
        err_hint(err, "chown %lu %s", (unsigned long)geteuid(),
                 shell_word(path, quoted, sizeof quoted));
        return ERR_CONFIG;
    }
    if ((st->st_mode & 077u) == 0)
        return 0;
    /* Name services are slow: asked only when the group matters. */
    if ((st->st_mode & 070u) != 0)
        ours = group_mailbearer();
    if ((st->st_mode & 007u) == 0 && ours != (gid_t)-1 && st->st_gid == ours)
        return 0;
    return refuse_mode(st, path, what, ours, err);
}

/* Opens and checks. 0 with *fd_r and *st_r, or what file_read_private() answers. */
static int
open_private(const char *path, const char *what, int *fd_r, struct stat *st_r,
             struct err *err)
{
    /* O_NONBLOCK: a FIFO would otherwise wait here for its writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int r;

    if (fd == -1) {
        int code = errno == ENOENT || errno == ENOTDIR || errno == ENXIO ? ERR_CONFIG
                                                                         : ERR_STORE;

        return err_set(err, code, "cannot open %s %s: %s", what, path, strerror(errno));
    }
    if (fstat(fd, st_r) != 0)
        r = err_set(err, ERR_STORE, "cannot read %s %s: %s", what, path, strerror(errno));
    else
        r = file_check_private(st_r, path, what, (uid_t)-1, err);
    if (r != 0) {
        close(fd);
        return r;
    }
    *fd_r = fd;
    return 0;
}

/* What secret_reserve() refused: memory, or the buffer's own maximum. */
static int
refuse_room(int code, const char *path, struct err *err)
{
    if (code == ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "out of memory");
    return err_set(err, ERR_CONFIG, "%s is too large", path);
}

int
file_read_sized(int fd, const char *path, size_t size, size_t max, struct secret *out,
                struct err *err)
{
    size_t room = size > 0 ? size : READ_CHUNK;
    int r = 0;

    secret_reset(out);
    if (room > max)
        room = max;
    for (;;) {
        ssize_t n;
        char extra;

        if ((r = secret_reserve(out, room)) != 0) {
            r = refuse_room(r, path, err);
            break;
        }
        /* One byte more than is expected, into the place of the NUL: if the read comes
         * back short, this was the end of the file and no second read is needed. */
        n = read(fd, out->data + out->len, room + 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            r = err_set(err, ERR_STORE, "cannot read %s: %s", path, strerror(errno));
            break;
        }
        if ((size_t)n <= room) {
            out->len += (size_t)n;
            out->data[out->len] = '\0';
            if (n == 0 || (out->len == size && size > 0))
                return 0;
            room = out->len < size ? size - out->len : READ_CHUNK;
        } else {
            out->len += room;
            extra = out->data[out->len];
            out->data[out->len] = '\0';
            r = out->len < max ? secret_append_char(out, extra) : ERR_PROTOCOL;
            explicit_bzero(&extra, sizeof extra);
            if (r != 0) {
                r = refuse_room(r, path, err);
                break;
            }
            room = READ_CHUNK;
        }
        if (room > max - out->len)
            room = max - out->len;
    }
    secret_clear(out);
    return r;
}

int
file_read_fd(int fd, const char *path, size_t max, struct secret *out, struct err *err)
{
    struct stat st;
    size_t size = 0;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        size = (uintmax_t)st.st_size > max ? max : (size_t)st.st_size;
    return file_read_sized(fd, path, size, max, out, err);
}

int
file_read_private(const char *path, const char *what, size_t max, struct secret *out,
                  struct err *err)
{
    struct stat st;
    int fd = -1;
    int r;

    secret_clear(out);
    r = open_private(path, what, &fd, &st, err);
    if (r != 0)
        return r;
    r = file_read_fd(fd, path, max, out, err);
    close(fd);
    return r;
}

int
file_read_foreign(const char *path, const char *what, size_t max, struct secret *out,
                  struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    int r;

    secret_clear(out);
    if (fd < 0 || fstat(fd, &st) != 0)
        r = err_set(err, ERR_CONFIG, "%s %s: %s", what, path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        r = err_set(err, ERR_CONFIG, "%s %s is not a regular file", what, path);
    else
        r = file_read_fd(fd, path, max, out, err);
    if (fd >= 0)
        close(fd);
    return r;
}

int
file_read_secret_line(const char *path, const char *what, struct secret *out,
                      struct err *err)
{
    struct secret all = SECRET_INIT;
    size_t len;
    int r;

    secret_clear(out);
    if ((r = file_read_private(path, what, SECRET_LINE_FILE_MAX, &all, err)) != 0)
        goto out;
    /* memchr, not strcspn: a NUL in the line must be seen and refused. */
    len = all.len;
    if (len > 0) {
        const char *end = memchr(all.data, '\n', len);

        if (end != NULL)
            len = (size_t)(end - all.data);
        if (len > 0 && all.data[len - 1] == '\r')
            len--;
    }
    if (len == 0) {
        r = err_set(err, ERR_CONFIG, "%s %s is empty", what, path);
        err_hint(err, "write it on the first line of that file");
        goto out;
    }
    if ((r = secret_set(out, all.data, len)) != 0) {
        r = refuse_room(r, path, err);
        goto out;
    }
    if (secret_has_control(out)) {
        r = err_set(err, ERR_CONFIG, "%s %s holds a control character", what, path);
        err_hint(err, "write it again as one line of plain text");
        secret_clear(out);
    }
out:
    secret_clear(&all);
    return r;
}

int
file_write_fd(int fd, const char *path, const void *bytes, size_t len, struct err *err)
{
    const char *next = bytes;

    while (len > 0) {
        ssize_t n = write(fd, next, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            /* Somebody else made the pipe we were given non-blocking. */
            struct pollfd wait = {fd, POLLOUT, 0};

            poll(&wait, 1, -1);
            continue;
        }
        if (n <= 0) {
            int reason = n < 0 ? errno : EIO;

            err_set(err, ERR_STORE, "cannot write %s: %s", path, strerror(reason));
            errno = reason;
            return ERR_STORE;
        }
        next += n;
        len -= (size_t)n;
    }
    return 0;
}
