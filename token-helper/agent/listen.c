/* listen.c - see listen.h. */
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "../client/agent_client.h"

#define SYSTEMD_FIRST_FD 3 /* SD_LISTEN_FDS_START */
#define BACKLOG 4096       /* the kernel may cut it */

static int
add(struct listeners *ls, int fd, const char *path, struct err *err)
{
    char *copy = path != NULL ? strdup(path) : NULL;

    if (ls->count == LISTEN_MAX || (path != NULL && copy == NULL)) {
        free(copy);
        close(fd);
        return err_set(err, ERR_USAGE, "more than %d sockets to listen on", LISTEN_MAX);
    }
    ls->fd[ls->count] = fd;
    ls->path[ls->count++] = copy;
    return 0;
}

static bool
is_listening_unix(int fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNSPEC};
    socklen_t len = sizeof address;
    int listening = 0;
    socklen_t size = sizeof listening;

    return getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
           address.sun_family == AF_UNIX &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening;
}

/* sd_listen_fds(3) in a few lines, rather than a library for it. */
static int
take_systemd(struct listeners *ls, struct err *err)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    long n;
    int r = 0;

    if (pid == NULL || fds == NULL || strtol(pid, NULL, 10) != (long)getpid())
        return 0;
    n = strtol(fds, NULL, 10);
    for (int fd = SYSTEMD_FIRST_FD; fd < SYSTEMD_FIRST_FD + n && r == 0; fd++) {
        if (!is_listening_unix(fd))
            return err_set(err, ERR_CONFIG,
                           "descriptor %d from the service manager is no listening UNIX "
                           "socket",
                           fd);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        r = add(ls, fd, NULL, err);
    }
    /* or a command that the agent runs would take them for its own */
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return r;
}

/* Makes the folder the socket goes into; its parents must be there. */
static void
make_folder(const char *path, mode_t mode)
{
    char folder[sizeof((struct sockaddr_un *)0)->sun_path];
    char *slash;

    snprintf(folder, sizeof folder, "%s", path);
    if ((slash = strrchr(folder, '/')) != NULL && slash != folder) {
        *slash = '\0';
        if (mkdir(folder, mode) == 0) /* if it fails, bind() says what is wrong */
            chmod(folder, mode);      /* whatever the umask took away */
    }
}

/* Removes a socket left by an agent that is gone. */
static int
clear_path(const struct sockaddr_un *address, struct err *err)
{
    struct stat st;
    int fd, e;

    if (lstat(address->sun_path, &st) != 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, ERR_CONFIG, "%s is there and is no socket",
                       address->sun_path);
    if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
        return err_set(err, ERR_CONFIG, "socket: %s", strerror(errno));
    e = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : errno;
    close(fd);
    if (e == EACCES)
        return err_set(err, ERR_CONFIG, "%s is there and may not be connected to",
                       address->sun_path);
    if (e != ECONNREFUSED) {
        err_set(err, ERR_CONFIG, "%s is in use: another agent listens there",
                address->sun_path);
        err_hint(err, "stop that one, or give this one --listen PATH");
        return ERR_CONFIG;
    }
    unlink(address->sun_path);
    return 0;
}

static int
bind_path(const char *path, mode_t folder_mode, struct listeners *ls, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    mode_t mask;
    int fd, r, e;

    if (path[0] == '\0') /* it would be a name in the abstract namespace */
        return err_set(err, ERR_USAGE, "the socket's path is empty");
    if (strlen(path) >= sizeof address.sun_path)
        return err_set(err, ERR_USAGE, "socket path longer than %zu bytes: %s",
                       sizeof address.sun_path - 1, path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    make_folder(path, folder_mode);
    if ((r = clear_path(&address, err)) != 0)
        return r;
    if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
        return err_set(err, ERR_CONFIG, "socket: %s", strerror(errno));
    /* Everyone may connect; who gets what is decided by SO_PEERCRED. */
    mask = umask(0111);
    e = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                listen(fd, BACKLOG) == 0
            ? 0
            : errno;
    umask(mask);
    if (e != 0) {
        close(fd);
        err_set(err, ERR_CONFIG, "%s: %s", path, strerror(e));
        err_hint(err,
                 "the folder must be there, and this user must be allowed to write it");
        return ERR_CONFIG;
    }
    if ((r = add(ls, fd, path, err)) != 0)
        unlink(path);
    return r;
}

static int
bind_default(bool user, struct listeners *ls, struct err *err)
{
    const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
    char path[256];

    if (!user)
        return bind_path(AGENT_SOCKET_SYSTEM, 0755, ls, err);
    if (runtime != NULL && runtime[0] != '\0')
        snprintf(path, sizeof path, "%s/%s", runtime, AGENT_SOCKET_USER);
    else
        snprintf(path, sizeof path, "/run/user/%lu/%s", (unsigned long)geteuid(),
                 AGENT_SOCKET_USER);
    return bind_path(path, 0700, ls, err);
}

int
listeners_open(const char *const *paths, size_t count, bool user,
               struct listeners *listeners_r, struct err *err)
{
    struct listeners ls = {.count = 0};
    int r = take_systemd(&ls, err);

    for (size_t i = 0; i < count && r == 0; i++)
        r = bind_path(paths[i], 0755, &ls, err);
    if (r == 0 && ls.count == 0)
        r = bind_default(user, &ls, err);
    if (r != 0)
        listeners_close(&ls);
    else
        *listeners_r = ls;
    return r;
}

void
listeners_close(struct listeners *ls)
{
    for (size_t i = 0; i < ls->count; i++) {
        close(ls->fd[i]);
        if (ls->path[i] != NULL)
            unlink(ls->path[i]);
        free(ls->path[i]);
    }
    ls->count = 0;
}
