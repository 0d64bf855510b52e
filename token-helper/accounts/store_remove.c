/* store_remove.c - see store_remove.h. */
#include "store_remove.h"

#include <errno.h>
#include <unistd.h>

#include "store_internal.h"

static int
remove_one(const struct store *store, const char *account, const char *suffix,
           bool *there_r, struct err *err)
{
    char name[STORE_NAME_MAX];
    int r = store_name_of(account, suffix, name, err);

    if (r != 0)
        return r;
    *there_r = unlinkat(store->fd, name, 0) == 0;
    if (*there_r || errno == ENOENT)
        return 0;
    return store_refuse(store, "remove", name, errno, err);
}

int
store_remove(const struct store *store, const char *account, bool *there_r,
             struct err *err)
{
    bool next = false, there = false;
    int r;

    /* The unfinished one first: alone, it would be taken for the newest record. */
    if ((r = remove_one(store, account, STORE_SUFFIX_NEW, &next, err)) != 0 ||
        (r = remove_one(store, account, STORE_SUFFIX, &there, err)) != 0)
        return r;
    /* EINVAL: a file system that has nothing to flush there. */
    if ((there || next) && fsync(store->fd) != 0 && errno != EINVAL)
        return store_refuse(store, "flush", ".", errno, err);
    *there_r = there;
    return 0;
}
