/* listen.c - see listen.h. */
#include "listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "../base/listening.h"
#include "../client/agent_client.h"

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

static int
take_passed(struct listeners *ls, struct err *err)
{
    int fds[LISTEN_MAX];
    size_t count = 0;
    int r = listening_passed(fds, LISTEN_MAX, &count, err);

    for (size_t i = 0; i < count && r == 0; i++) {
        if (listening_family(fds[i]) != AF_UNIX)
            return err_set(err, ERR_CONFIG,
                           "descriptor %d from the service manager is no listening UNIX "
                           "socket",
                           fds[i]);
        r = add(ls, fds[i], NULL, err);
    }
    return r;
}

/* Everyone may connect; who gets what is decided by SO_PEERCRED. */
static int
bind_path(const char *path, mode_t folder_mode, struct listeners *ls, struct err *err)
{
    const struct listening_path how = {.path = path,
                                       .mode = 0666,
                                       .folder_mode = folder_mode,
                                       .group = (gid_t)-1,
                                       .who = "agent"};
    int fd = -1;
    int r = listening_path(&how, &fd, err);

    if (r == 0 && (r = add(ls, fd, path, err)) != 0)
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
    int r = take_passed(&ls, err);

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
