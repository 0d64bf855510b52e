/* store_list.c - tokens on disk: whose they are, from the names of the files. */
#include "store_upkeep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_internal.h"

struct names {
    char **name;
    size_t count;
    size_t room;
};

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool
ends_in(const char *name, size_t len, const char *suffix)
{
    size_t n = strlen(suffix);

    return len > n && memcmp(name + len - n, suffix, n) == 0;
}

/* The account whose record, or unfinished record, has that name. False: it is no such
 * file, which is so when store_file_name() would not make the name. */
static bool
account_of(const char *file, char account_r[STORE_NAME_MAX])
{
    size_t len = strlen(file);
    char again[STORE_NAME_MAX];
    size_t n = 0;

    if (len >= STORE_NAME_MAX)
        return false;
    if (ends_in(file, len, STORE_SUFFIX_NEW))
        len -= strlen(STORE_SUFFIX_NEW);
    else if (ends_in(file, len, STORE_SUFFIX))
        len -= strlen(STORE_SUFFIX);
    else
        return false;
    for (size_t i = 0; i < len; i++) {
        account_r[n] = file[i];
        if (file[i] == '%' && i + 2 < len) {
            int high = hex_value(file[i + 1]);
            int low = hex_value(file[i + 2]);

            if (high < 0 || low < 0)
                return false;
            account_r[n] = (char)(unsigned char)(high * 16 + low);
            i += 2;
        }
        n++;
    }
    account_r[n] = '\0';
    return strlen(account_r) == n && store_file_name(account_r, again, NULL) == 0 &&
           strlen(again) == len && memcmp(again, file, len) == 0;
}

static int
add(struct names *names, const char *account)
{
    char *copy;

    if (names->count == names->room) {
        size_t room = names->room * 2 + 16;
        char **more = reallocarray(names->name, room, sizeof *more);

        if (more == NULL)
            return ERR_NOMEM;
        names->name = more;
        names->room = room;
    }
    copy = strdup(account);
    if (copy == NULL)
        return ERR_NOMEM;
    names->name[names->count++] = copy;
    return 0;
}

static int
by_name(const void *a, const void *b)
{
    const char *const *one = a;
    const char *const *other = b;

    return strcmp(*one, *other);
}

/* A record and its unfinished successor are one account. */
static void
sort_and_thin(struct names *names)
{
    size_t kept = 0;

    if (names->count == 0)
        return;
    qsort(names->name, names->count, sizeof *names->name, by_name);
    for (size_t i = 0; i < names->count; i++) {
        if (kept > 0 && strcmp(names->name[kept - 1], names->name[i]) == 0)
            free(names->name[i]);
        else
            names->name[kept++] = names->name[i];
    }
    names->count = kept;
}

static int
collect(const struct store *store, DIR *directory, struct names *names, struct err *err)
{
    const struct dirent *entry;
    char account[STORE_NAME_MAX];

    while (errno = 0, (entry = readdir(directory)) != NULL) {
        if (account_of(entry->d_name, account) && add(names, account) != 0)
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    return errno == 0 ? 0 : store_refuse(store, "read", ".", errno, err);
}

int
store_accounts(const struct store *store, char ***names_r, size_t *count_r,
               struct err *err)
{
    /* A description of its own: the position in it is everybody's otherwise. */
    int fd = openat(store->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd != -1 ? fdopendir(fd) : NULL;
    struct names names = {NULL, 0, 0};
    int r;

    if (directory == NULL) {
        r = store_refuse(store, "read", ".", errno, err);
        if (fd != -1)
            close(fd);
        return r;
    }
    r = collect(store, directory, &names, err);
    closedir(directory);
    if (r != 0) {
        store_accounts_free(names.name, names.count);
        return r;
    }
    sort_and_thin(&names);
    *names_r = names.name;
    *count_r = names.count;
    return 0;
}

void
store_accounts_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}
