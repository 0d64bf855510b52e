/* store.c - tokens on disk: the directory, the names, reading. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/file.h"
#include "store_internal.h"

#define NAME_BYTES_MAX 230 /* leaves room for the suffixes below NAME_MAX */

void
store_hint(const struct store *store, const char *name, int reason, struct err *err)
{
    switch (reason) {
    case ENOSPC:
    case EDQUOT:
        err_hint(err, "make room on the file system of %s (df -h, df -i, quota)",
                 store->path);
        break;
    case EROFS:
        err_hint(err, "mount the file system of %s writable", store->path);
        break;
    case EACCES:
    case EPERM:
        err_hint(err, "give %s and its files to uid %lu, which this runs as", store->path,
                 (unsigned long)geteuid());
        break;
    case ELOOP:
        err_hint(err, "a symbolic link must not stand there: rm '%s/%s'", store->path,
                 name);
        break;
    case EIO:
        err_hint(err, "look for disk errors in the kernel's log");
        break;
    default:
        break;
    }
}

int
store_refuse(const struct store *store, const char *verb, const char *name, int reason,
             struct err *err)
{
    err_set(err, ERR_STORE, "cannot %s %s/%s: %s", verb, store->path, name,
            reason == ELOOP ? "it is a symbolic link" : strerror(reason));
    store_hint(store, name, reason, err);
    return ERR_STORE;
}

static int
check_directory(const char *path, int fd, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return err_set(err, ERR_STORE, "cannot read the token store %s: %s", path,
                       strerror(errno));
    if (st.st_uid != 0 && st.st_uid != geteuid()) {
        err_set(err, ERR_STORE,
                "the token store %s belongs to uid %lu, and this is uid %lu", path,
                (unsigned long)st.st_uid, (unsigned long)geteuid());
        err_hint(err, "run it as that user, or as root");
        return ERR_STORE;
    }
    if ((st.st_mode & 022u) != 0) {
        err_set(err, ERR_STORE, "the token store %s has mode %03o: others may change it",
                path, (unsigned)st.st_mode & 07777u);
        err_hint(err, "chmod 700 %s", path);
        return ERR_STORE;
    }
    return 0;
}

int
store_open(const char *directory, struct store *store_r, struct err *err)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *path;
    int r;

    if (fd == -1) {
        int reason = errno;

        err_set(err, ERR_STORE, "cannot open the token store %s: %s", directory,
                strerror(reason));
        if (reason == ENOENT)
            err_hint(err, "mkdir -m 700 %s", directory);
        return ERR_STORE;
    }
    r = check_directory(directory, fd, err);
    if (r == 0) {
        path = strdup(directory);
        if (path != NULL) {
            store_r->path = path;
            store_r->fd = fd;
            store_r->cipher = NULL;
            store_r->old_cipher = NULL;
            return 0;
        }
        r = err_set(err, ERR_NOMEM, "out of memory");
    }
    close(fd);
    return r;
}

void
store_close(struct store *store)
{
    if (store->path == NULL)
        return;
    close(store->fd);
    free(store->path);
    store->path = NULL;
    store->fd = -1;
}

/* Not isalnum(3): the locale has no say in file names. */
static bool
stands_for_itself(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("@._+=-", c) != NULL);
}

int
store_file_name(const char *account, char name_r[STORE_NAME_MAX], struct err *err)
{
    static const char hex[] = "0123456789ABCDEF";
    char name[STORE_NAME_MAX];
    size_t n = 0;
    size_t i;

    if (*account == '\0')
        return err_set(err, ERR_CONFIG, "an account's name is empty");
    for (i = 0; account[i] != '\0'; i++) {
        unsigned char c = (unsigned char)account[i];
        bool plain = stands_for_itself(account[i]) && !(i == 0 && c == '.');

        if (n + (plain ? 1 : 3) > NAME_BYTES_MAX) {
            err_set(err, ERR_CONFIG,
                    "the account name %.60s... is too long for a file name", account);
            err_hint(err, "give the account a shorter name and set user and login_hint");
            return ERR_CONFIG;
        }
        if (plain) {
            name[n++] = account[i];
        } else {
            name[n++] = '%';
            name[n++] = hex[c >> 4];
            name[n++] = hex[c & 15];
        }
    }
    memcpy(name_r, name, n);
    name_r[n] = '\0';
    return 0;
}

int
store_name_of(const char *account, const char *suffix, char name_r[STORE_NAME_MAX],
              struct err *err)
{
    int r = store_file_name(account, name_r, err);

    if (r == 0) {
        size_t n = strlen(name_r);

        snprintf(name_r + n, STORE_NAME_MAX - n, "%s", suffix);
    }
    return r;
}

static int
check_file(const struct store *store, const char *name, const struct stat *st,
           struct err *err)
{
    if (!S_ISREG(st->st_mode)) {
        err_set(err, ERR_STORE, "%s/%s is not a regular file", store->path, name);
        err_hint(err, "move it away");
        return ERR_STORE;
    }
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        err_set(err, ERR_STORE, "%s/%s belongs to uid %lu, who could change it",
                store->path, name, (unsigned long)st->st_uid);
        err_hint(err, "chown %lu '%s/%s'", (unsigned long)geteuid(), store->path, name);
        return ERR_STORE;
    }
    if ((st->st_mode & 077u) != 0) {
        err_set(err, ERR_STORE, "%s/%s has mode %03o: others may read or change it",
                store->path, name, (unsigned)st->st_mode & 07777u);
        err_hint(err, "chmod 600 '%s/%s'", store->path, name);
        return ERR_STORE;
    }
    return 0;
}

int
store_open_file(const struct store *store, const char *name, int *fd_r, struct stat *st_r,
                struct err *err)
{
    int fd = openat(store->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int r = 0;

    if (fd == -1) {
        if (errno != ENOENT)
            return store_refuse(store, "open", name, errno, err);
        *fd_r = -1;
        return 0;
    }
    if (fstat(fd, st_r) != 0)
        r = store_refuse(store, "read", name, errno, err);
    else
        r = check_file(store, name, st_r, err);
    if (r != 0) {
        close(fd);
        return r;
    }
    *fd_r = fd;
    return 0;
}

int
store_read_file(const struct store *store, const char *name, const char *account, int fd,
                off_t size, struct record *record_r, struct record_info *info_r,
                struct err *err)
{
    struct secret text = SECRET_INIT;
    struct err why = ERR_INIT;
    int r;

    info_r->state = RECORD_UNREADABLE;
    info_r->serial = 0;
    info_r->current = false;
    text.max = RECORD_FILE_MAX;
    if (size > (off_t)RECORD_FILE_MAX) {
        info_r->state = RECORD_DAMAGED;
        r = err_set(&why, ERR_STORE, "it is larger than %u bytes", RECORD_FILE_MAX);
    } else {
        r = file_read_sized(fd, name, (size_t)size, RECORD_FILE_MAX, &text, &why);
        while (r == 0 && text.len > 0 && text.data[text.len - 1] == '\0')
            text.len--;
        if (r == 0)
            r = store_parse(store, account, &text, record_r, info_r, &why);
        else if (r == ERR_CONFIG)
            r = ERR_STORE; /* it grew while it was read: nobody holds to the lock */
    }
    if (r != 0) {
        err_set(err, r, "the record %s/%s cannot be used: %s", store->path, name,
                why.text);
        if (info_r->state == RECORD_NEWER)
            err_hint(err, "install the newer mailbearer again");
        else if (info_r->state == RECORD_SEALED)
            err_hint(err,
                     "set encryption_key_file to the key file that it was written with; "
                     "without that key, move the record away and sign in again: "
                     "mailbearer login %s",
                     account);
        else if (info_r->state == RECORD_DAMAGED)
            err_hint(err,
                     "restore it from a backup, or move it away and sign in again: "
                     "mailbearer login %s",
                     account);
        else if (r == ERR_STORE)
            store_hint(store, name, EIO, err); /* what a read that fails fails with */
    }
    secret_clear(&text);
    return r;
}

int
store_read(const struct store *store, const char *account, struct record *record_r,
           struct store_stamp *stamp_r, struct err *err)
{
    static const struct store_stamp absent;
    char name[STORE_NAME_MAX];
    struct record_info info;
    struct stat st;
    int fd = -1;
    int r;

    if ((r = store_name_of(account, STORE_SUFFIX, name, err)) != 0 ||
        (r = store_open_file(store, name, &fd, &st, err)) != 0)
        return r;
    if (fd == -1) {
        record_clear(record_r);
        if (stamp_r != NULL)
            *stamp_r = absent;
        return 0;
    }
    r = store_read_file(store, name, account, fd, st.st_size, record_r, &info, err);
    if (r == 0 && stamp_r != NULL)
        store_stamp_from(&st, stamp_r);
    close(fd);
    return r;
}

void
store_stamp_from(const struct stat *st, struct store_stamp *stamp_r)
{
    stamp_r->present = true;
    stamp_r->device = st->st_dev;
    stamp_r->inode = st->st_ino;
    stamp_r->size = st->st_size;
    stamp_r->changed = st->st_ctim;
}

void
store_stamp(const struct store *store, const char *account, struct store_stamp *stamp_r)
{
    static const struct store_stamp absent;
    char name[STORE_NAME_MAX];
    struct stat st;

    *stamp_r = absent;
    if (store_name_of(account, STORE_SUFFIX, name, NULL) == 0 &&
        fstatat(store->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        store_stamp_from(&st, stamp_r);
}

bool
store_stamp_equal(const struct store_stamp *a, const struct store_stamp *b)
{
    if (!a->present || !b->present)
        return a->present == b->present;
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}
