/* conn.h - the agent's clients: read requests, answer each in turn.
 *
 * Used by:  agent/agent.c, agent/listen.c
 * Includes: question.h, keeper.h, loop.h, client/socketmap.h.
 *
 * A client costs the others nothing: everything is non-blocking; one that does not finish
 * a request, or does not take its reply, within CONN_STALL_MS is dropped; while it waits
 * for a token its further requests stay in its socket.
 */
#ifndef MAILBEARER_CONN_H
#define MAILBEARER_CONN_H

#include "keeper.h"
#include "loop.h"
#include "permits.h"

#define CONN_STALL_MS 10000
#define CONN_MAX                                                                         \
    4096 /* when it is passed, or descriptors run out, the longest idle goes */
/* What one user may have of them; root and the agent's own user may have all. When it is
 * passed the longest idle of that user goes, and where none is idle the new one. */
#define CONN_USER_MAX 1024

struct conns;

/* `permits` is looked at through the pointer at each request, so a reload may change what
 * it points to. All must outlive the conns. 0 or ERR_NOMEM. */
int conns_new(struct loop *loop, struct keeper *keeper, struct permits *const *permits,
              struct conns **conns_r, struct err *err);
void conns_free(struct conns **conns);

/* Accepts every client that waits on the listening descriptor. */
void conns_accept(struct conns *cs, int listen_fd);

/* The agent ends: closes the clients that owe and want nothing. How many are left: those
 * in the middle of a question or its answer, and those that have not asked anything yet,
 * since they are about to. */
unsigned conns_part(struct conns *cs);

/* Drops those that stall. */
void conns_tick(struct conns *cs);

#endif
