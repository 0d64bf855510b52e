/* store_write.c - tokens on disk: what a killed writer left, holding space, writing. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/file.h"
#include "store_internal.h"

/* Two tokens of the largest size and what stands around them; encrypted, a third more. */
#define RESERVE_BYTES (160 * 1024)
#define RESERVE_SEALED_BYTES (216 * 1024)

struct names {
    char record[STORE_NAME_MAX];
    char next[STORE_NAME_MAX];
};

static int
find_names(const char *account, struct names *names_r, struct err *err)
{
    int r = store_name_of(account, STORE_SUFFIX, names_r->record, err);

    return r != 0 ? r : store_name_of(account, STORE_SUFFIX_NEW, names_r->next, err);
}

/* What NAME.json is at present. A damaged one is no error: it may be written over. */
static int
look_at_current(const struct store *store, const struct names *names, const char *account,
                struct record_info *info_r, struct err *err)
{
    struct record record = RECORD_INIT;
    struct err why = ERR_INIT;
    struct stat st;
    int fd = -1;
    int r = store_open_file(store, names->record, &fd, &st, err);

    info_r->state = RECORD_ABSENT;
    info_r->serial = 0;
    info_r->current = false;
    if (r != 0 || fd == -1)
        return r;
    r = store_read_file(store, names->record, account, fd, st.st_size, &record, info_r,
                        &why);
    if (info_r->state == RECORD_DAMAGED)
        r = 0;
    else if (r != 0 && err != NULL)
        *err = why;
    record_clear(&record);
    close(fd);
    return r;
}

static int
flush_directory(const struct store *store, struct err *err)
{
    /* EINVAL: a file system that has nothing to flush there. */
    if (fsync(store->fd) != 0 && errno != EINVAL)
        return store_refuse(store, "flush", ".", errno, err);
    return 0;
}

static int
put_in_place(const struct store *store, const struct names *names, struct err *err)
{
    if (renameat(store->fd, names->next, store->fd, names->record) != 0)
        return store_refuse(store, "replace", names->record, errno, err);
    return flush_directory(store, err);
}

/* NAME.json.new is whole: is it the later one? Its writer may have redeemed the refresh
 * token in NAME.json, and then only this file has the one that is good. */
static int
adopt_or_discard(const struct store *store, const struct names *names,
                 const char *account, int fd, int64_t serial, struct err *err)
{
    struct record_info current;
    int r = look_at_current(store, names, account, &current, err);

    if (r != 0)
        return r;
    if (current.state == RECORD_WHOLE && current.serial >= serial) {
        unlinkat(store->fd, names->next, 0);
        return 0;
    }
    if (fsync(fd) != 0)
        return store_refuse(store, "flush", names->next, errno, err);
    return put_in_place(store, names, err);
}

/* Is it space that was held and not used? The text of a record never begins with a zero.
 */
static bool
is_held_space(int fd)
{
    char first;

    return pread(fd, &first, 1, 0) == 1 && first == '\0';
}

/* Finishes what was complete and removes what was not. With `held_r` space that is held
 * stays, and *held_r says so. A leftover that cannot be removed does no harm: whoever
 * writes empties it first. */
static int
settle(const struct store *store, const struct names *names, const char *account,
       bool *held_r, struct err *err)
{
    struct record record = RECORD_INIT;
    struct record_info info;
    struct err why = ERR_INIT;
    struct stat st;
    int fd = -1;
    int r = store_open_file(store, names->next, &fd, &st, err);

    if (held_r != NULL)
        *held_r = false;
    if (r != 0 || fd == -1)
        return r;
    if (held_r != NULL && is_held_space(fd)) {
        *held_r = true;
        goto out;
    }
    r = store_read_file(store, names->next, account, fd, st.st_size, &record, &info,
                        &why);
    if (r == 0) {
        r = adopt_or_discard(store, names, account, fd, info.serial, err);
    } else if (info.state == RECORD_DAMAGED) {
        unlinkat(store->fd, names->next, 0);
        r = 0;
    } else if (err != NULL) {
        *err = why;
    }
out:
    record_clear(&record);
    close(fd);
    return r;
}

int
store_settle(const struct store *store, const char *account, struct err *err)
{
    struct names names;
    int r = find_names(account, &names, err);

    return r != 0 ? r : settle(store, &names, account, NULL, err);
}

/* Opens NAME.json.new to be filled; space that is held in it stays. */
static int
open_next(const struct store *store, const struct names *names, bool held, int *fd_r,
          struct err *err)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    int fd = openat(store->fd, names->next, held ? flags : flags | O_TRUNC, 0600);

    /* fchmod: the umask may have taken bits away, but never added any. */
    if (fd == -1 || fchmod(fd, 0600) != 0) {
        store_refuse(store, "make", names->next, errno, err);
        if (fd != -1)
            close(fd);
        return ERR_STORE;
    }
    *fd_r = fd;
    return 0;
}

/* Returns an errno. */
static int
hold_space(int fd, off_t size)
{
    static const char zeros[4096];
    int reason;
    off_t at;

    do
        reason = posix_fallocate(fd, 0, size);
    while (reason == EINTR);
    if (reason != EOPNOTSUPP && reason != ENOSYS && reason != EINVAL)
        return reason;
    /* Not every file system, nor every libc, can do it: fill the place by hand. */
    for (at = 0; at < size;) {
        ssize_t n = pwrite(fd, zeros, sizeof zeros, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : ENOSPC;
        at += n;
    }
    return 0;
}

int
store_reserve(const struct store *store, const char *account, struct err *err)
{
    struct names names;
    bool held = false;
    int fd = -1;
    int r;
    int reason;

    if ((r = find_names(account, &names, err)) != 0 ||
        (r = settle(store, &names, account, &held, err)) != 0 ||
        (r = open_next(store, &names, held, &fd, err)) != 0)
        return r;
    reason = hold_space(fd, store->cipher != NULL ? RESERVE_SEALED_BYTES : RESERVE_BYTES);
    close(fd);
    if (reason != 0) {
        unlinkat(store->fd, names.next, 0);
        r = store_refuse(store, "hold space for", names.record, reason, err);
    }
    return r;
}

/* Fills NAME.json.new, down to the disk. */
static int
fill(const struct store *store, const struct names *names, int fd,
     const struct secret *text, struct err *err)
{
    if (file_write_fd(fd, names->next, text->data, text->len, NULL) != 0)
        return store_refuse(store, "write", names->next, errno, err);
    if (ftruncate(fd, (off_t)text->len) != 0)
        return store_refuse(store, "cut", names->next, errno, err);
    if (fsync(fd) != 0)
        return store_refuse(store, "flush", names->next, errno, err);
    return 0;
}

/* The text of the record, with the serial number that follows the present one's. */
static int
compose(const struct store *store, const struct names *names, const char *account,
        const struct record *record, struct secret *text, struct err *err)
{
    struct record_info current;
    int r = look_at_current(store, names, account, &current, err);

    if (r != 0)
        return r;
    if (current.serial < RECORD_SERIAL_MAX)
        current.serial++;
    return store_compose(store, account, record, current.serial, text, err);
}

int
store_write(const struct store *store, const char *account, const struct record *record,
            struct store_stamp *stamp_r, struct err *err)
{
    struct secret text = SECRET_INIT;
    struct names names;
    struct stat st;
    bool held = false;
    int fd = -1;
    int r;

    if ((r = find_names(account, &names, err)) != 0 ||
        (r = settle(store, &names, account, &held, err)) != 0 ||
        (r = compose(store, &names, account, record, &text, err)) != 0 ||
        (r = open_next(store, &names, held, &fd, err)) != 0)
        goto out;
    if ((r = fill(store, &names, fd, &text, err)) != 0) {
        unlinkat(store->fd, names.next, 0);
        goto out;
    }
    /* From here on the file is kept whatever happens: the token in it may be the only one
     * that the provider still takes. */
    if ((r = put_in_place(store, &names, err)) != 0)
        goto out;
    if (stamp_r != NULL) {
        memset(&st, 0, sizeof st);
        fstat(fd, &st); /* a stamp of zeros makes the next reader read again */
        store_stamp_from(&st, stamp_r);
    }
out:
    if (fd != -1)
        close(fd);
    secret_clear(&text);
    return r;
}
