/* loopback_socket.c - see loopback_socket.h. */
#include "loopback_socket.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define PORT_TRIES 16 /* a port that is free on 127.0.0.1 may be taken on ::1 */
#define BACKLOG 16

/* What bind(2) says where an address family, or its loopback address, is not there. */
static bool
is_absent(int reason)
{
    return reason == EAFNOSUPPORT || reason == EADDRNOTAVAIL || reason == EPROTONOSUPPORT;
}

static int
refuse(const char *address, int port, int reason, struct err *err)
{
    const char *name = address != NULL ? address : "localhost";
    int code = reason == EADDRINUSE ? ERR_TEMP
               : reason == EACCES   ? ERR_DENIED
               : is_absent(reason)  ? ERR_CONFIG
                                    : ERR_TEMP;

    err_set(err, code, "cannot listen on %s, port %d: %s", name, port, strerror(reason));
    if (reason == EADDRINUSE)
        err_hint(err,
                 "end the program that uses the port (ss -ltnp 'sport = :%d'), or "
                 "sign in with --paste",
                 port);
    else if (reason == EACCES)
        err_hint(err, "register a redirect address with a port above 1023, or sign in "
                      "with --paste");
    else if (is_absent(reason))
        err_hint(err, "give --listen an address of this machine");
    return code;
}

/* 0 or an errno. */
static int
listen_at(const struct sockaddr *address, socklen_t len, int *fd_r)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, reason;

    if (fd < 0)
        return errno;
    /* What the last sign-in left in TIME_WAIT must not keep a registered port busy. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, address, len) == 0 && listen(fd, BACKLOG) == 0) {
        *fd_r = fd;
        return 0;
    }
    reason = errno;
    close(fd);
    return reason;
}

static int
port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a;
    socklen_t len = sizeof a;

    memset(&a, 0, sizeof a);
    if (getsockname(fd, &a.any, &len) != 0)
        return 0;
    return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

static int
listen_v4(int port, int *fd_r)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((unsigned short)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    return listen_at((const struct sockaddr *)&a, sizeof a, fd_r);
}

static int
listen_v6(int port, int *fd_r)
{
    struct sockaddr_in6 a = {.sin6_family = AF_INET6,
                             .sin6_port = htons((unsigned short)port),
                             .sin6_addr = IN6ADDR_LOOPBACK_INIT};

    return listen_at((const struct sockaddr *)&a, sizeof a, fd_r);
}

/* Both families: a browser may try either for "localhost", and on a port of ours that
 * somebody else has on the other one the code would go to them. */
static int
listen_both(int port, struct loopback_sockets *s)
{
    int fd = -1, reason = listen_v4(port, &fd);

    if (reason != 0 && !is_absent(reason))
        return reason;
    if (reason == 0) {
        s->fd[s->count++] = fd;
        s->port = port_of(fd);
    }
    reason = listen_v6(s->count > 0 ? s->port : port, &fd);
    if (reason == 0) {
        s->fd[s->count++] = fd;
        s->port = port_of(fd);
        return 0;
    }
    return is_absent(reason) && s->count > 0 ? 0 : reason;
}

static int
listen_loopback(int port, struct loopback_sockets *s, struct err *err)
{
    int reason = 0;

    for (int i = 0; i < PORT_TRIES; i++) {
        reason = listen_both(port, s);
        if (reason == 0)
            return 0;
        loopback_sockets_close(s);
        if (port != 0 || reason != EADDRINUSE)
            break;
    }
    return refuse(NULL, port, reason, err);
}

static int
listen_given(const char *address, int port, struct loopback_sockets *s, struct err *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *found = NULL;
    char service[16];
    int reason;

    snprintf(service, sizeof service, "%d", port);
    if (getaddrinfo(address, service, &hints, &found) != 0) {
        err_set(err, ERR_CONFIG, "%.200s is not a numeric address", address);
        err_hint(err, "write --listen 127.0.0.1:PORT, or [::1]:PORT");
        return ERR_CONFIG;
    }
    reason = listen_at(found->ai_addr, found->ai_addrlen, &s->fd[0]);
    freeaddrinfo(found);
    if (reason != 0)
        return refuse(address, port, reason, err);
    s->count = 1;
    s->port = port_of(s->fd[0]);
    return 0;
}

int
loopback_listen(const char *address, int port, struct loopback_sockets *sockets_r,
                struct err *err)
{
    struct loopback_sockets s = {.fd = {-1, -1}};
    int r = address == NULL || strcmp(address, "localhost") == 0
                ? listen_loopback(port, &s, err)
                : listen_given(address, port, &s, err);

    if (r == 0)
        *sockets_r = s;
    return r;
}

void
loopback_sockets_close(struct loopback_sockets *sockets)
{
    while (sockets->count > 0)
        close(sockets->fd[--sockets->count]);
}

int
loopback_address_parse(const char *text, char *address_r, size_t size, int *port_r,
                       struct err *err)
{
    const char *colon = strrchr(text, ':'), *start = text;
    size_t n = colon != NULL ? (size_t)(colon - text) : 0;
    long port = 0;

    if (colon != NULL && strspn(colon + 1, "0123456789") == strlen(colon + 1) &&
        strlen(colon + 1) <= 5)
        port = strtol(colon + 1, NULL, 10);
    if (n > 1 && text[0] == '[' && text[n - 1] == ']') {
        start = text + 1;
        n -= 2;
    } else if (memchr(text, ':', n) != NULL) {
        n = 0; /* an IPv6 address needs its brackets */
    }
    if (n == 0 || n >= size || port < 1 || port > 65535) {
        err_set(err, ERR_USAGE, "--listen %.200s: not ADDRESS:PORT", text);
        err_hint(err, "e.g. --listen 127.0.0.1:8400, or --listen [::1]:8400");
        return ERR_USAGE;
    }
    memcpy(address_r, start, n);
    address_r[n] = '\0';
    *port_r = (int)port;
    return 0;
}
