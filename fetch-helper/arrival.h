/* arrival.h - who is at the other end of a descriptor, and what that is worth.
 *
 * Used by:  main.c, port_child.c, port_gate.c, session.c
 * Includes: loopback_user, client/, libc.
 */
#ifndef MAILBEARER_ARRIVAL_H
#define MAILBEARER_ARRIVAL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "../token-helper/client/error.h"

enum arrival_kind {
    ARRIVAL_STARTED, /* whoever started us: a pipe, a terminal, a socket without a name */
    ARRIVAL_USER,    /* a UNIX socket with a name: the kernel says which user it is */
    ARRIVAL_NET      /* TCP: a stranger, until it has signed in */
};

#define ARRIVAL_SOURCE_MAX 16

struct arrival {
    enum arrival_kind kind;
    uid_t uid;     /* ARRIVAL_USER */
    bool loopback; /* ARRIVAL_NET: our own end is a loopback address */
    /* for logs: "192.0.2.7", "127.0.0.1 uid 1000", "uid 1000" */
    char from[INET6_ADDRSTRLEN + 24];
    /* who is held responsible for failures: what arrival_source() says, and the uid over
     * loopback, as far as it is known, and of a UNIX socket */
    unsigned char source[ARRIVAL_SOURCE_MAX];
    size_t source_len;
};

/* Looks at a descriptor. 0; ERR_TEMP: the client has left already. */
int arrival_look(int fd, struct arrival *arrival_r, struct err *err);

/* Is it an address of the loopback network (127/8, ::1, the former in IPv6)? */
bool arrival_is_loopback(const struct sockaddr *address);

/* Puts what identifies the one who uses this address (AF_INET, AF_INET6) into source_r
 * and returns its length: an IPv4 address, also inside IPv6; of IPv6 the network, since
 * one household has a whole /64 to fail from; neighbours on a link share theirs, so that
 * each is known by the address. */
size_t arrival_source(const struct sockaddr *peer,
                      unsigned char source_r[ARRIVAL_SOURCE_MAX]);

#endif
