/* arrival.c - see arrival.h. */
#include "arrival.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "loopback_user.h"

/* IPv4 inside IPv6, as a socket that takes both gives it; else NULL. */
static const unsigned char *
inner_v4(const struct sockaddr *address)
{
    const struct sockaddr_in6 *v6 = (const void *)address;

    return address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)
               ? v6->sin6_addr.s6_addr + 12
               : NULL;
}

bool
arrival_is_loopback(const struct sockaddr *address)
{
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;
    const unsigned char *inner = inner_v4(address);

    if (inner != NULL)
        return inner[0] == 127;
    if (address->sa_family == AF_INET)
        return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

size_t
arrival_source(const struct sockaddr *peer, unsigned char source_r[ARRIVAL_SOURCE_MAX])
{
    const struct sockaddr_in *v4 = (const void *)peer;
    const struct sockaddr_in6 *v6 = (const void *)peer;
    const unsigned char *from = inner_v4(peer);
    size_t len = 4;

    if (from == NULL && peer->sa_family == AF_INET) {
        from = (const unsigned char *)&v4->sin_addr;
    } else if (from == NULL) {
        from = v6->sin6_addr.s6_addr;
        len = IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) ? 16 : 8;
    }
    memcpy(source_r, from, len);
    return len;
}

static void
note_net(const struct sockaddr *peer, struct arrival *a)
{
    const struct sockaddr_in6 *v6 = (const void *)peer;

    a->source_len = arrival_source(peer, a->source);
    if (a->source_len == 4)
        inet_ntop(AF_INET, a->source, a->from, sizeof a->from);
    else
        inet_ntop(AF_INET6, &v6->sin6_addr, a->from, sizeof a->from);
}

/* Over loopback each user is responsible for their own programs, or one could keep all
 * others out. 127.0.0.1 or ::1, it is the same user. */
static void
note_local(const struct sockaddr *peer, const struct sockaddr *own, struct arrival *a)
{
    static const unsigned char loopback[] = {127, 0, 0, 1};
    size_t len = strlen(a->from);
    uid_t uid;

    if (!arrival_is_loopback(peer) || !loopback_user(peer, own, &uid))
        return;
    memcpy(a->source, loopback, sizeof loopback);
    memcpy(a->source + sizeof loopback, &uid, sizeof uid);
    a->source_len = sizeof loopback + sizeof uid;
    snprintf(a->from + len, sizeof a->from - len, " uid %lu", (unsigned long)uid);
}

static int
look_at_user(int fd, struct arrival *a, struct err *err)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return err_set(err, ERR_TEMP, "cannot tell who connects: %s", strerror(errno));
    a->kind = ARRIVAL_USER;
    a->uid = peer.uid;
    a->source_len = sizeof peer.uid;
    memcpy(a->source, &peer.uid, sizeof peer.uid);
    snprintf(a->from, sizeof a->from, "uid %lu", (unsigned long)peer.uid);
    return 0;
}

int
arrival_look(int fd, struct arrival *arrival_r, struct err *err)
{
    struct arrival a = {.kind = ARRIVAL_STARTED, .from = "whoever started this"};
    struct sockaddr_storage own, peer;
    struct sockaddr *own_address = (struct sockaddr *)&own;
    socklen_t own_len = sizeof own, peer_len = sizeof peer;
    int r = 0;

    memset(&own, 0, sizeof own);
    memset(&peer, 0, sizeof peer);
    if (getsockname(fd, own_address, &own_len) != 0) {
        *arrival_r = a; /* no socket */
        return 0;
    }
    if (own.ss_family == AF_UNIX) {
        /* a pair without names was made by whoever started us */
        if (own_len > sizeof(sa_family_t))
            r = look_at_user(fd, &a, err);
    } else if (own.ss_family != AF_INET && own.ss_family != AF_INET6) {
        r = err_set(err, ERR_CONFIG, "a socket of a kind that is not served");
    } else if (getpeername(fd, (struct sockaddr *)&peer, &peer_len) != 0) {
        r = err_set(err, ERR_TEMP, "the mail program is gone");
    } else {
        a.kind = ARRIVAL_NET;
        a.loopback = arrival_is_loopback(own_address);
        note_net((const struct sockaddr *)&peer, &a);
        if (a.loopback)
            note_local((const struct sockaddr *)&peer, own_address, &a);
    }
    if (r == 0)
        *arrival_r = a;
    return r;
}
