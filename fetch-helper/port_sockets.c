/* port_sockets.c - see port_sockets.h. */
#include "port_sockets.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../token-helper/base/listening.h"
#include "../token-helper/base/log.h"
#include "arrival.h"
#include "session.h"

#define BACKLOG 1024
#define NAME_MAX_BYTES 256

bool
port_sockets_wanted(const struct options *o)
{
    const char *pid = getenv("LISTEN_PID");

    return o->listen_count > 0 ||
           (pid != NULL && strtol(pid, NULL, 10) == (long)getpid());
}

static int
add(struct port_sockets *s, int fd, const char *path, struct err *err)
{
    if (s->count == PORT_SOCKETS_MAX) {
        close(fd);
        return err_set(err, ERR_USAGE, "more than %d sockets to listen on",
                       PORT_SOCKETS_MAX);
    }
    s->fd[s->count] = fd;
    s->path[s->count++] = path;
    return 0;
}

/* Only what it is bound to tells whom it can reach. */
static int
check_reach(const struct options *o, int fd, struct err *err)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;

    memset(&address, 0, sizeof address);
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return err_set(err, ERR_CONFIG, "getsockname: %s", strerror(errno));
    if (address.ss_family == AF_UNIX)
        return 0;
    return session_check_reach(o, arrival_is_loopback((struct sockaddr *)&address), err);
}

static void
announce(int fd)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof address;
    char host[NAME_MAX_BYTES] = "", port[32] = "";

    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return;
    if (address.ss_family == AF_UNIX)
        log_info("listening on a UNIX socket that was passed");
    else if (getnameinfo((struct sockaddr *)&address, len, host, sizeof host, port,
                         sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        log_info("listening on %s port %s", host, port);
}

/* --- TCP -------------------------------------------------------------------------------
 */

/* "127.0.0.1:1143", "[::1]:1143", "localhost:1143", "*:1143". */
static int
split_address(const char *text, char host[NAME_MAX_BYTES], const char **port_r,
              struct err *err)
{
    const char *colon = strrchr(text, ':');
    const char *start = text, *end = colon;
    const char *port = colon != NULL ? colon + 1 : "";

    if (colon != NULL && text[0] == '[' && colon > text + 1 && colon[-1] == ']') {
        start++;
        end--;
    } else if (colon != NULL && memchr(text, ':', (size_t)(colon - text)) != NULL) {
        colon = NULL; /* an IPv6 address without brackets */
    }
    if (colon == NULL || end == start || end - start >= NAME_MAX_BYTES ||
        port[0] == '\0' || port[strspn(port, "0123456789")] != '\0' ||
        strtol(port, NULL, 10) > 65535) {
        err_set(err, ERR_USAGE, "not an address to listen on: %s", text);
        err_hint(err, "write ADDRESS:PORT, as 127.0.0.1:1143 or [::1]:1143, or a path");
        return ERR_USAGE;
    }
    snprintf(host, NAME_MAX_BYTES, "%.*s", (int)(end - start), start);
    *port_r = port;
    return 0;
}

/* -1 with errno. */
static int
listen_on(const struct addrinfo *a)
{
    int one = 1, e;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd == -1)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
        (a->ai_family != AF_INET6 ||
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) == 0) &&
        bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    e = errno;
    close(fd);
    errno = e;
    return -1;
}

/* A name may have an IPv6 address on a machine that has no IPv6. */
static bool
is_absent(int e)
{
    return e == EAFNOSUPPORT || e == EADDRNOTAVAIL;
}

static int
open_tcp(const char *text, struct port_sockets *s, struct err *err)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    char host[NAME_MAX_BYTES];
    const char *port = NULL;
    size_t before = s->count;
    int e = 0, r = split_address(text, host, &port, err);

    if (r != 0)
        return r;
    if ((e = getaddrinfo(strcmp(host, "*") == 0 ? NULL : host, port, &hints, &all)) != 0)
        return err_set(err, ERR_CONFIG, "%s: %s", text, gai_strerror(e));
    e = 0;
    for (const struct addrinfo *a = all; a != NULL && r == 0; a = a->ai_next) {
        int fd = listen_on(a);

        if (fd != -1)
            r = add(s, fd, NULL, err);
        else if (e == 0 || is_absent(e))
            e = errno;
    }
    freeaddrinfo(all);
    if (r != 0 || (s->count > before && (e == 0 || is_absent(e))))
        return r;
    err_set(err, ERR_CONFIG, "cannot listen on %s: %s", text, strerror(e));
    if (e == EACCES)
        err_hint(err,
                 "ports below 1024 are root's: take another, or let systemd pass the "
                 "socket");
    return ERR_CONFIG;
}

/* --- UNIX ------------------------------------------------------------------------------
 */

static int
open_path(const struct options *o, const char *path, struct port_sockets *s,
          struct err *err)
{
    const struct group *group = o->group != NULL ? getgrnam(o->group) : NULL;
    const struct listening_path how = {.path = path,
                                       .mode = o->mode,
                                       .folder_mode = 0755,
                                       .group = group != NULL ? group->gr_gid : (gid_t)-1,
                                       .who = "process"};
    int fd = -1;
    int r;

    if (o->group != NULL && group == NULL)
        return err_set(err, ERR_USAGE, "no such group: %s", o->group);
    if ((r = listening_path(&how, &fd, err)) == 0 && (r = add(s, fd, path, err)) != 0)
        unlink(path);
    if (r == 0)
        log_info("listening on %s", path);
    return r;
}

/* --- all of them -----------------------------------------------------------------------
 */

static int
take_passed(struct port_sockets *s, struct err *err)
{
    int fds[PORT_SOCKETS_MAX];
    size_t count = 0;
    int r = listening_passed(fds, PORT_SOCKETS_MAX, &count, err);

    for (size_t i = 0; i < count && r == 0; i++) {
        if (listening_family(fds[i]) == -1) {
            err_set(err, ERR_CONFIG,
                    "descriptor %d from the service manager is no listening socket",
                    fds[i]);
            err_hint(err, "with Accept=yes add StandardInput=socket to the service");
            return ERR_CONFIG;
        }
        r = add(s, fds[i], NULL, err);
    }
    return r;
}

int
port_sockets_open(const struct options *o, struct port_sockets *sockets_r,
                  struct err *err)
{
    struct port_sockets s = {.count = 0};
    int r = take_passed(&s, err);

    for (size_t i = 0; i < o->listen_count && r == 0; i++)
        r = strchr(o->listen[i], '/') != NULL ? open_path(o, o->listen[i], &s, err)
                                              : open_tcp(o->listen[i], &s, err);
    if (r == 0 && s.count == 0)
        r = err_set(err, ERR_CONFIG, "the service manager has passed no sockets");
    for (size_t i = 0; i < s.count && r == 0; i++)
        r = check_reach(o, s.fd[i], err);
    for (size_t i = 0; i < s.count && r == 0; i++)
        if (s.path[i] == NULL)
            announce(s.fd[i]);
    if (r == 0)
        *sockets_r = s;
    else
        port_sockets_remove(&s);
    return r;
}

void
port_sockets_close(struct port_sockets *s)
{
    for (size_t i = 0; i < s->count; i++)
        close(s->fd[i]);
    s->count = 0;
}

void
port_sockets_remove(struct port_sockets *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->path[i] != NULL)
            unlink(s->path[i]); /* root's folder, and root is given up: it stays */
    port_sockets_close(s);
}
