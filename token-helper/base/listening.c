/* listening.c - see listening.h. */
#include "listening.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define SYSTEMD_FIRST_FD 3 /* SD_LISTEN_FDS_START */
#define BACKLOG 4096       /* the kernel may cut it */

int
listening_passed(int *fds, size_t max, size_t *count_r, struct err *err)
{
    const char *pid = getenv("LISTEN_PID"), *given = getenv("LISTEN_FDS");
    long n = 0;

    *count_r = 0;
    if (pid != NULL && given != NULL && strtol(pid, NULL, 10) == (long)getpid())
        n = strtol(given, NULL, 10);
    if (n > (long)max)
        return err_set(err, ERR_USAGE, "more than %zu sockets to listen on", max);
    for (int fd = SYSTEMD_FIRST_FD; fd < SYSTEMD_FIRST_FD + n; fd++) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        fds[(*count_r)++] = fd;
    }
    if (n > 0) {
        unsetenv("LISTEN_PID");
        unsetenv("LISTEN_FDS");
        unsetenv("LISTEN_FDNAMES");
    }
    return 0;
}

int
listening_family(int fd)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof address, size = sizeof(int);
    int listening = 0;

    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || !listening)
        return -1;
    return address.ss_family;
}

/* Makes the folders the socket goes into, as far as they are missing. */
static void
make_folders(const char *path, mode_t mode)
{
    char folder[sizeof((struct sockaddr_un *)0)->sun_path];
    char *slash;

    snprintf(folder, sizeof folder, "%s", path);
    for (slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, mode) == 0) /* if it fails, bind() says what is wrong */
            chmod(folder, mode);      /* whatever the umask took away */
        *slash = '/';
    }
}

/* Removes a socket left by a process that is gone. */
static int
clear_path(const struct sockaddr_un *address, const char *who, struct err *err)
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
        err_set(err, ERR_CONFIG, "%s is in use: another %s listens there",
                address->sun_path, who);
        err_hint(err, "stop that one, or give this one --listen PATH");
        return ERR_CONFIG;
    }
    unlink(address->sun_path);
    return 0;
}

/* The mode is right from the first moment; the group is given before anybody can connect.
 * Returns errno. */
static int
bind_there(int fd, const struct sockaddr_un *address, const struct listening_path *how)
{
    mode_t mask = umask(~how->mode & 0777);
    int e = bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : errno;

    umask(mask);
    if (e != 0)
        return e;
    if (how->group != (gid_t)-1 && lchown(address->sun_path, (uid_t)-1, how->group) != 0)
        e = errno;
    if (e == 0 && listen(fd, BACKLOG) != 0)
        e = errno;
    if (e != 0)
        unlink(address->sun_path);
    return e;
}

int
listening_path(const struct listening_path *how, int *fd_r, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd, r, e;

    if (how->path[0] == '\0') /* it would be a name in the abstract namespace */
        return err_set(err, ERR_USAGE, "the socket's path is empty");
    if (strlen(how->path) >= sizeof address.sun_path)
        return err_set(err, ERR_USAGE, "socket path longer than %zu bytes: %s",
                       sizeof address.sun_path - 1, how->path);
    memcpy(address.sun_path, how->path, strlen(how->path) + 1);
    make_folders(how->path, how->folder_mode);
    if ((r = clear_path(&address, how->who, err)) != 0)
        return r;
    if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
        return err_set(err, ERR_CONFIG, "socket: %s", strerror(errno));
    if ((e = bind_there(fd, &address, how)) != 0) {
        close(fd);
        err_set(err, ERR_CONFIG, "%s: %s", how->path, strerror(e));
        err_hint(err,
                 "the folder must be there, and this user must be allowed to write it");
        return ERR_CONFIG;
    }
    *fd_r = fd;
    return 0;
}
