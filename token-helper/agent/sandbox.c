/* sandbox.c - see sandbox.h. */
#include "sandbox.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>

#include "../base/log.h"
#include "landlock.h"

/* Always open for reading, where they are there: libraries that are loaded late (the name
 * service's), the resolver's files, users' names, certificates. */
static const char *const system_folders[] = {
    "/etc",
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/gnu/store",
    "/run/current-system",
    "/run/systemd/resolve",
    "/run/systemd/userdb",
    "/run/resolvconf",
    "/run/NetworkManager",
    "/run/connman",
    "/run/nscd",
    "/run/nslcd",
    "/var/lib/sss",
    "/var/lib/ca-certificates",
    "/var/opt/azcmagent/tokens", /* Azure Arc's proof (oauth/managed_identity.h) */
#ifdef __SANITIZE_ADDRESS__
    "/proc", /* LeakSanitizer looks at its own process */
#endif
};

static const char *const devices[] = {"/dev/null", "/dev/urandom", "/dev/random"};

struct sandbox {
    bool closed;   /* by Landlock */
    char **folder; /* open for reading: real paths, without a slash at the end */
    size_t count, room;
    char *last; /* the folder looked at last, as written: most files share one */
    int ruleset, abi;
};

/* --- folders ------------------------------------------------------------------------ */

static bool
is_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    return strncmp(path, folder, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static bool
is_open(const struct sandbox *s, const char *real)
{
    for (size_t i = s->count; i > 0; i--)
        if (is_below(real, s->folder[i - 1]))
            return true;
    return false;
}

/* Opens a folder; one that is missing stays closed. 0, ERR_NOMEM. */
static int
open_folder(struct sandbox *s, const char *path, struct err *err)
{
    char *real = realpath(path, NULL);
    int e;

    if (real == NULL)
        return errno == ENOMEM ? err_set(err, ERR_NOMEM, "out of memory") : 0;
    if (strcmp(real, "/") == 0)
        *real = '\0'; /* what is_below() takes for everything */
    if (is_open(s, real)) {
        free(real);
        return 0;
    }
    if (s->count == s->room) {
        size_t room = s->room > 0 ? s->room * 2 : 64;
        char **more = realloc(s->folder, room * sizeof *more);

        if (more == NULL) {
            free(real);
            return err_set(err, ERR_NOMEM, "out of memory");
        }
        s->folder = more;
        s->room = room;
    }
    e = landlock_allow(s->ruleset, s->abi, *real != '\0' ? real : "/", LANDLOCK_READ);
    if (e != 0) {
        log_warning("sandbox: %s stays closed: %s", real, strerror(e));
        free(real);
        return 0;
    }
    s->folder[s->count++] = real;
    return 0;
}

/* The folder of a path, as written. False: too long. */
static bool
folder_of(const char *path, char folder_r[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);

    if (n >= PATH_MAX)
        return false;
    memcpy(folder_r, slash == NULL ? "." : path, n);
    folder_r[n] = '\0';
    return true;
}

/* Opens the folder where it stands, and the one where it leads if it is a link. */
static int
open_for(struct sandbox *s, const char *path, struct err *err)
{
    char folder[PATH_MAX], link[2], *real;
    int r = 0;

    if (!folder_of(path, folder))
        return 0;
    if (s->last == NULL || strcmp(s->last, folder) != 0) {
        free(s->last);
        if ((s->last = strdup(folder)) == NULL)
            return err_set(err, ERR_NOMEM, "out of memory");
        r = open_folder(s, folder, err);
    }
    if (r == 0 && readlink(path, link, sizeof link) >= 0 &&
        (real = realpath(path, NULL)) != NULL) {
        if (folder_of(real, folder))
            r = open_folder(s, folder, err);
        free(real);
    }
    return r;
}

static int
check_one(struct sandbox *s, const char *path, struct err *err)
{
    char folder[PATH_MAX], *real = realpath(path, NULL);
    bool good;

    /* Not there: it may come, and then it is its folder that counts. */
    if (real == NULL && folder_of(path, folder))
        real = realpath(folder, NULL);
    good = real == NULL || is_open(s, real);
    free(real);
    if (good)
        return 0;
    err_set(err, ERR_CONFIG, "%s is in a folder that this agent closed when it started",
            path);
    err_hint(err, "restart the agent: systemctl restart mailbearer");
    return ERR_CONFIG;
}

/* Calls `visit` with each file that the accounts name, as long as it returns 0. */
static int
each_file(struct sandbox *s, const struct accounts *accounts,
          int (*visit)(struct sandbox *s, const char *path, struct err *err),
          struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < accounts->file_count && r == 0; i++)
        r = visit(s, accounts->file[i].path, err);
    for (size_t i = 0; i < accounts->count && r == 0; i++) {
        const struct account *a = &accounts->account[i];
        const char *const path[] = {a->client_secret_file,
                                    a->client_certificate,
                                    a->client_key,
                                    a->client_key_passphrase_file,
                                    a->federated_token_file,
                                    a->app_password_file,
                                    a->ca_file};

        for (size_t j = 0; j < sizeof path / sizeof path[0] && r == 0; j++)
            if (path[j] != NULL)
                r = visit(s, path[j], err);
    }
    return r;
}

/* --- entering ----------------------------------------------------------------------- */

/* Where its own sockets are, the agent removes them at its end. */
static void
open_own(struct sandbox *s, const char *state, const struct listeners *listeners)
{
    char folder[PATH_MAX];
    int e = landlock_allow(s->ruleset, s->abi, state, LANDLOCK_KEEP);

    if (e != 0)
        log_warning("sandbox: %s stays closed: %s", state, strerror(e));
    for (size_t i = 0; i < listeners->count; i++)
        if (listeners->path[i] != NULL && folder_of(listeners->path[i], folder))
            (void)landlock_allow(s->ruleset, s->abi, folder, LANDLOCK_REMOVE);
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        (void)landlock_allow(s->ruleset, s->abi, devices[i], LANDLOCK_DEVICE);
}

static int
enter(struct sandbox *s, const struct accounts *accounts, const char *state,
      const struct listeners *listeners, struct err *err)
{
    int e = landlock_open(&s->ruleset, &s->abi), r = 0;

    if (e != 0) {
        log_info("sandbox: files stay open, there is no Landlock: %s", strerror(e));
        return 0;
    }
    for (size_t i = 0; i < sizeof system_folders / sizeof system_folders[0] && r == 0;
         i++)
        r = open_folder(s, system_folders[i], err);
    if (r == 0 && (r = open_folder(s, state, err)) == 0)
        r = each_file(s, accounts, open_for, err);
    if (r == 0) {
        open_own(s, state, listeners);
        if ((e = landlock_enter(s->ruleset)) == 0)
            log_info("sandbox: closed by Landlock %d, but for the store and %zu folders",
                     s->abi, s->count);
        else
            log_warning("sandbox: files stay open: %s", strerror(e));
        s->closed = e == 0;
    }
    close(s->ruleset);
    return r;
}

int
sandbox_enter(const struct accounts *accounts, const char *state_directory,
              const struct listeners *listeners, struct sandbox **sandbox_r,
              struct err *err)
{
    const char *wish = secure_getenv(SANDBOX_ENV);
    struct sandbox *s;
    int r;

    if (wish != NULL && strcmp(wish, "off") == 0) {
        log_warning("sandbox: none, " SANDBOX_ENV " says so");
        return 0;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0)
        log_warning("sandbox: no_new_privs: %s", strerror(errno));
    if ((s = calloc(1, sizeof *s)) == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    if ((r = enter(s, accounts, state_directory, listeners, err)) != 0)
        sandbox_free(&s);
    else
        *sandbox_r = s;
    return r;
}

int
sandbox_covers(struct sandbox *s, const struct accounts *accounts, struct err *err)
{
    return sandbox_closed(s) ? each_file(s, accounts, check_one, err) : 0;
}

bool
sandbox_closed(const struct sandbox *s)
{
    return s != NULL && s->closed;
}

void
sandbox_free(struct sandbox **sandbox)
{
    struct sandbox *s = *sandbox;

    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++)
        free(s->folder[i]);
    free(s->folder);
    free(s->last);
    free(s);
    *sandbox = NULL;
}
