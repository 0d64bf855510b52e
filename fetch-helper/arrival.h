/* arrival.h - who is at the other end of a descriptor, and what that is worth.
 *
 * Used by:  main.c, listener.c, port_gate.c, session.c
 * Includes: client/, libc.
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

struct arrival {
    enum arrival_kind kind;
    uid_t uid;                       /* ARRIVAL_USER */
    bool loopback;                   /* ARRIVAL_NET: our own end is a loopback address */
    char from[INET6_ADDRSTRLEN + 8]; /* for logs: "192.0.2.7", "uid 1000" */
    unsigned char source[16];        /* who is held responsible for failures: the IPv4 */
    size_t source_len;               /* address, an IPv6 network (/64), the uid */
};

/* Looks at a descriptor. 0; ERR_TEMP: the client has left already. */
int arrival_look(int fd, struct arrival *arrival_r, struct err *err);

/* Is it an address of the loopback network (127/8, ::1, the former in IPv6)? */
bool arrival_is_loopback(const struct sockaddr *address);

#endif
