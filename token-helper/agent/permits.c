/* permits.c - see permits.h. */
#include "permits.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct known_name {
    const char *name; /* borrowed from the accounts */
    uid_t uid;
    bool exists;
};

struct uid_list {
    uid_t *uid;
    size_t count;
};

struct permits {
    const struct account *account; /* the first of `count`: only ever compared with */
    size_t count;
    uid_t own;
    struct uid_list *list; /* one an account, in their order */
    struct known_name *known;
    size_t known_count;
};

static bool
decimal_uid(const char *name, uid_t *uid_r)
{
    unsigned long n;
    char *end;

    if (name[0] == '\0' || strspn(name, "0123456789") != strlen(name))
        return false;
    errno = 0;
    n = strtoul(name, &end, 10);
    if (errno != 0 || n >= (uid_t)-1)
        return false;
    *uid_r = (uid_t)n;
    return true;
}

/* The name's uid, asked for once. NULL when out of memory. Few names are ever used, so a
 * list is enough. */
static const struct known_name *
find_name(struct permits *p, const char *name, void (*warn)(const char *line))
{
    struct known_name *grown, *k;
    const struct passwd *pw;
    uid_t uid = 0;

    for (size_t i = 0; i < p->known_count; i++)
        if (strcmp(p->known[i].name, name) == 0)
            return &p->known[i];
    if ((grown = realloc(p->known, (p->known_count + 1) * sizeof *grown)) == NULL)
        return NULL;
    p->known = grown;
    k = &p->known[p->known_count++];
    *k = (struct known_name){.name = name};
    if (decimal_uid(name, &uid)) {
        k->uid = uid;
        k->exists = true;
    } else if ((pw = getpwnam(name)) != NULL) {
        k->uid = pw->pw_uid;
        k->exists = true;
    } else {
        char line[320];

        snprintf(line, sizeof line, "allow_users: there is no user `%.200s` here", name);
        warn(line);
    }
    return k;
}

static int
resolve(struct permits *p, size_t i, void (*warn)(const char *line))
{
    const struct name_list *names = &p->account[i].allow_users;
    struct uid_list *list = &p->list[i];

    if (names->count == 0)
        return 0;
    if ((list->uid = calloc(names->count, sizeof *list->uid)) == NULL)
        return ERR_NOMEM;
    for (size_t n = 0; n < names->count; n++) {
        const struct known_name *k = find_name(p, names->names[n], warn);

        if (k == NULL)
            return ERR_NOMEM;
        if (k->exists)
            list->uid[list->count++] = k->uid;
    }
    return 0;
}

int
permits_new(const struct accounts *accounts, uid_t own, void (*warn)(const char *line),
            struct permits **permits_r, struct err *err)
{
    struct permits *p = calloc(1, sizeof *p);
    int r = 0;

    if (p == NULL || (p->list = calloc(accounts->count + 1, sizeof *p->list)) == NULL) {
        free(p);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    p->account = accounts->account;
    p->count = accounts->count;
    p->own = own;
    for (size_t i = 0; i < accounts->count && r == 0; i++)
        r = resolve(p, i, warn);
    if (r != 0) {
        permits_free(&p);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    *permits_r = p;
    return 0;
}

void
permits_free(struct permits **permits)
{
    struct permits *p = *permits;

    if (p == NULL)
        return;
    for (size_t i = 0; i < p->count; i++)
        free(p->list[i].uid);
    free(p->list);
    free(p->known);
    free(p);
    *permits = NULL;
}

int
permits_check(const struct permits *p, const struct account *account, uid_t uid,
              struct err *err)
{
    const struct uid_list *list = &p->list[account - p->account];

    if (uid != PERMITS_UNMAPPED) {
        if (uid == 0 || uid == p->own)
            return 0;
        for (size_t i = 0; i < list->count; i++)
            if (list->uid[i] == uid)
                return 0;
    }
    err_set(err, ERR_DENIED, "uid %lu may not use this account", (unsigned long)uid);
    err_hint(err, "add this user to the account's allow_users in the accounts file");
    return ERR_DENIED;
}
