/* conn_private.h - one client, and the list of all: what conn.c and conns.c share.
 *
 * Includes: conn.h, question.h.
 */
#ifndef MAILBEARER_CONN_PRIVATE_H
#define MAILBEARER_CONN_PRIVATE_H

#include "conn.h"
#include "question.h"

/* A user who has connections. */
struct peer {
    struct peer *next;
    uid_t uid;
    unsigned count;
    bool told; /* that there are too many */
};

struct conn {
    struct loop_source source; /* first, so that an event leads back to its conn */
    struct ask ask;
    struct conns *conns;
    struct conn *next, *prev; /* the longest idle first */
    struct peer *peer;
    uid_t uid;
    bool asked; /* anything so far */
    struct secret in, out;
    bool understood; /* the question being answered; its kind: */
    enum question_kind kind;
    char *account;    /* its account's name and mailbox: copies, since a reload may */
    char *user;       /* take the account away while we wait */
    int64_t stall_ms; /* drop it then; 0: it owes us nothing */
    unsigned events;
    bool closing; /* after what is in `out` */
};

struct conns {
    struct loop *loop;
    struct keeper *keeper;
    struct permits *const *permits;
    struct conn *first, *last;
    unsigned count;
    struct peer *peers;
    uid_t own; /* the agent's */
    int spare; /* a descriptor in reserve, see turn_away() */
};

/* conn.c. Serves a client that has just come on `fd`; `peer` counts it already. The fd is
 * closed when that fails. */
void conn_start(struct conns *cs, int fd, struct peer *peer);

/* Ends it at once. */
void conn_free(struct conn *c);

/* conns.c. Into the list, as the least idle; out of it; and its place taken from its
 * user. */
void conns_append(struct conns *cs, struct conn *c);
void conns_remove(struct conns *cs, struct conn *c);
void conns_leave(struct conns *cs, struct peer *p);

#endif
