#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/process.h"

#ifndef MAILBEARER_SYSCONFDIR
#define MAILBEARER_SYSCONFDIR "/etc"
#endif
#ifndef MAILBEARER_LOCALSTATEDIR
#define MAILBEARER_LOCALSTATEDIR "/var"
#endif

#define SYSTEM_CONFIG MAILBEARER_SYSCONFDIR "/mailbearer/mailbearer.conf"
#define SYSTEM_STATE MAILBEARER_LOCALSTATEDIR "/lib/mailbearer"
#define SYSTEM_USER "mailbearer"

uid_t
place_system_owner(void)
{
    struct stat st;

    return stat(SYSTEM_STATE, &st) == 0 && S_ISDIR(st.st_mode) ? st.st_uid : (uid_t)-1;
}

/* Absolute, or not at all: a relative one is to be ignored (XDG Base Directory). */
static const char *
absolute_variable(const char *name)
{
    const char *value = secure_getenv(name);

    return value != NULL && value[0] == '/' ? value : NULL;
}

static const char *
home_directory(void)
{
    const char *home = absolute_variable("HOME");
    const struct passwd *pw = home == NULL ? getpwuid(geteuid()) : NULL;

    return pw != NULL && pw->pw_dir[0] == '/' ? pw->pw_dir : home;
}

/* $VARIABLE/tail, else HOME/otherwise/tail. False when there is neither or it is too
 * long. */
static bool
user_path(const char *variable, const char *otherwise, const char *tail,
          char path_r[PLACE_PATH_MAX])
{
    const char *base = absolute_variable(variable);
    const char *home = base == NULL ? home_directory() : NULL;
    int n;

    if (base != NULL)
        n = snprintf(path_r, PLACE_PATH_MAX, "%s/%s", base, tail);
    else if (home != NULL)
        n = snprintf(path_r, PLACE_PATH_MAX, "%s/%s/%s", home, otherwise, tail);
    else
        return false;
    return n > 0 && n < PLACE_PATH_MAX;
}

int
place_find(const char *config, struct place *place_r, struct err *err)
{
    uid_t self = geteuid();
    struct place place = {.system = self == 0 || self == place_system_owner(),
                          .given = config != NULL};
    bool known = true;

    if (place.given && snprintf(place.config, sizeof(place.config), "%s", config) >=
                           (int)sizeof(place.config))
        return err_set(err, ERR_CONFIG, "the path of the accounts file is too long");
    if (place.system) {
        snprintf(place.state, sizeof(place.state), "%s", SYSTEM_STATE);
        if (!place.given)
            snprintf(place.config, sizeof(place.config), "%s", SYSTEM_CONFIG);
    } else {
        known = user_path("XDG_STATE_HOME", ".local/state", "mailbearer", place.state) &&
                (place.given || user_path("XDG_CONFIG_HOME", ".config",
                                          "mailbearer/mailbearer.conf", place.config));
    }
    if (!known) {
        err_set(err, ERR_CONFIG, "no home directory is known for uid %lu",
                (unsigned long)self);
        err_hint(err, "set HOME, or XDG_CONFIG_HOME and XDG_STATE_HOME");
        return ERR_CONFIG;
    }
    *place_r = place;
    return 0;
}

static int
cannot(struct err *err, const char *what, const char *directory)
{
    return err_set(err, ERR_STORE, "cannot %s state directory %s: %s", what, directory,
                   strerror(errno));
}

/* The directories above it. Root's are for others to pass through, a user's own are made
 * as the XDG rules say. */
static int
make_parents(const char *directory, struct err *err)
{
    char path[PLACE_PATH_MAX];
    mode_t mode = geteuid() == 0 ? 0755 : 0700;

    if (snprintf(path, sizeof(path), "%s", directory) >= (int)sizeof(path))
        return err_set(err, ERR_STORE, "the path of the state directory is too long");
    for (char *slash = path; (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = '\0';
        if (mkdir(path, mode) != 0 && errno != EEXIST)
            return cannot(err, "make", directory);
        *slash = '/';
    }
    return 0;
}

/* Makes and opens it. It belongs to root until it is given away by its descriptor, so
 * nobody can exchange it in between (its parents are root's). */
static int
make_directory(const char *directory, int *fd_r, struct err *err)
{
    const struct passwd *pw = geteuid() == 0 ? getpwnam(SYSTEM_USER) : NULL;
    int fd = -1;
    int r = make_parents(directory, err);

    if (r != 0)
        return r;
    if (mkdir(directory, 0700) != 0 && errno != EEXIST)
        return cannot(err, "make", directory);
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return cannot(err, "open", directory);
    /* umask may have taken from the owner what the owner needs. */
    if ((pw != NULL && fchown(fd, pw->pw_uid, pw->pw_gid) != 0) ||
        fchmod(fd, 0700) != 0) {
        r = cannot(err, "give away", directory);
        close(fd);
        return r;
    }
    *fd_r = fd;
    return 0;
}

/* For good: real, effective and saved ids, and all groups. */
static int
become(const struct stat *st, struct err *err)
{
    const struct passwd *pw = getpwuid(st->st_uid);
    gid_t group = pw != NULL ? pw->pw_gid : st->st_gid;

    if (process_become(st->st_uid, group) != 0)
        return err_set(err, ERR_STORE, "cannot become uid %lu, who owns the store: %s",
                       (unsigned long)st->st_uid, strerror(errno));
    return 0;
}

static int
check_directory(const struct stat *st, const char *directory, struct err *err)
{
    if (!S_ISDIR(st->st_mode))
        return err_set(err, ERR_STORE, "state directory %s is not a directory",
                       directory);
    if (st->st_uid != geteuid() && geteuid() != 0) {
        err_set(err, ERR_DENIED, "state directory %s belongs to uid %lu", directory,
                (unsigned long)st->st_uid);
        err_hint(err, "run this as that user or as root");
        return ERR_DENIED;
    }
    if ((st->st_mode & 022) != 0) {
        err_set(err, ERR_STORE, "others may write in state directory %s (mode %04o)",
                directory, (unsigned)st->st_mode & 07777);
        err_hint(err, "chmod 700 %s", directory);
        return ERR_STORE;
    }
    return 0;
}

int
place_enter(const char *directory, struct err *err)
{
    struct stat st;
    int fd = -1;
    int r;

    fd = open(directory, O_PATH | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT)
        return cannot(err, "open", directory);
    if (fd < 0 && (r = make_directory(directory, &fd, err)) != 0)
        return r;
    r = fstat(fd, &st) != 0 ? cannot(err, "look at", directory) : 0;
    close(fd);
    if (r != 0 || (r = check_directory(&st, directory, err)) != 0)
        return r;
    return geteuid() == 0 && st.st_uid != 0 ? become(&st, err) : 0;
}
