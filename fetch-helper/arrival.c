/* arrival.c - see arrival.h. */
#include "arrival.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

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

static void
note_net(const struct sockaddr *peer, struct arrival *a)
{
    const struct sockaddr_in *v4 = (const void *)peer;
    const struct sockaddr_in6 *v6 = (const void *)peer;
    const unsigned char *inner = inner_v4(peer);

    if (inner == NULL && peer->sa_family == AF_INET)
        inner = (const unsigned char *)&v4->sin_addr;
    if (inner != NULL) {
        a->source_len = 4;
        memcpy(a->source, inner, 4);
        inet_ntop(AF_INET, inner, a->from, sizeof a->from);
    } else {
        a->source_len = 8; /* one household has the whole /64 to fail from */
        memcpy(a->source, v6->sin6_addr.s6_addr, 8);
        inet_ntop(AF_INET6, &v6->sin6_addr, a->from, sizeof a->from);
    }
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
    }
    if (r == 0)
        *arrival_r = a;
    return r;
}
