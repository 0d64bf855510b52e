/* store_lock.c - tokens on disk: one changes a record at a time. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include "store_internal.h"

#define LOCK_PAUSE_MS 20

/* flock(2) cannot wait with a limit, so it is asked again and again. */
static int
flock_until(const struct store *store, int fd, const char *name,
            const struct deadline *deadline, struct err *err)
{
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int left;

        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK)
            return store_refuse(store, "lock", name, errno, err);
        left = deadline != NULL ? deadline_left(deadline) : 0;
        if (left == 0)
            return err_set(err, ERR_TIMEOUT, "another process is holding %s/%s",
                           store->path, name);
        poll(NULL, 0, left < LOCK_PAUSE_MS ? left : LOCK_PAUSE_MS);
    }
    return 0;
}

/* Read-only is enough for flock(2), and works when the file system is read-only. */
static int
open_lock_file(const struct store *store, const char *name, int more_flags)
{
    return openat(store->fd, name,
                  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | more_flags, 0600);
}

/* Makes the lock file, under a lock on the directory. When it cannot be made that lock is
 * kept and stands in for it: *whole_r. Nobody can then make the file behind our back,
 * since that takes the same lock. */
static int
make_lock_file(const struct store *store, const char *name,
               const struct deadline *deadline, int *fd_r, bool *whole_r, struct err *err)
{
    /* A description of its own: locks belong to it, and store->fd is everybody's. */
    int directory = openat(store->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r;
    int fd;

    if (directory == -1)
        return store_refuse(store, "open", ".", errno, err);
    if ((r = flock_until(store, directory, ".", deadline, err)) != 0)
        goto out;
    fd = open_lock_file(store, name, O_CREAT);
    if (fd != -1) {
        fchmod(fd, 0600); /* whatever the umask took away */
        *fd_r = fd;
        *whole_r = false;
    } else if (errno == ELOOP || errno == EISDIR) {
        r = store_refuse(store, "open", name, errno, err);
    } else {
        *fd_r = directory;
        *whole_r = true;
        directory = -1;
    }
out:
    if (directory != -1)
        close(directory);
    return r;
}

/* Is the locked file still the one under that name? Somebody may have tidied up. */
static bool
still_there(const struct store *store, int fd, const char *name)
{
    struct stat ours, theirs;

    return fstat(fd, &ours) == 0 &&
           fstatat(store->fd, name, &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static int
take_lock(const struct store *store, const char *name, const struct deadline *deadline,
          int *fd_r, struct err *err)
{
    for (;;) {
        bool whole = false;
        int fd = open_lock_file(store, name, 0);
        int r = 0;

        if (fd == -1) {
            if (errno != ENOENT)
                return store_refuse(store, "open", name, errno, err);
            r = make_lock_file(store, name, deadline, &fd, &whole, err);
            if (r != 0)
                return r;
        }
        if (!whole && (r = flock_until(store, fd, name, deadline, err)) != 0) {
            close(fd);
            return r;
        }
        if (whole || still_there(store, fd, name)) {
            *fd_r = fd;
            return 0;
        }
        close(fd);
    }
}

int
store_lock(const struct store *store, const char *account,
           const struct deadline *deadline, struct store_lock *lock_r, struct err *err)
{
    char name[STORE_NAME_MAX];
    int fd = -1;
    int r;

    if ((r = store_name_of(account, STORE_SUFFIX_LOCK, name, err)) != 0 ||
        (r = take_lock(store, name, deadline, &fd, err)) != 0)
        return r;
    if ((r = store_settle(store, account, err)) != 0) {
        close(fd);
        return r;
    }
    lock_r->fd = fd;
    return 0;
}

void
store_unlock(struct store_lock *lock)
{
    /* The file stays: removing it would let two processes lock two files of one name. */
    if (lock->fd != -1)
        close(lock->fd);
    lock->fd = -1;
}
