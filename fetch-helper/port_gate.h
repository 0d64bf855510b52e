/* port_gate.h - judges sign-ins at a local port, then opens the tunnel.
 *
 * Used by:  session.c
 * Includes: local.h, tunnel.h, session.h, board.h, ports/.
 *
 * Over TCP the local password is checked. Wrong ones are logged, slow down the next try
 * of that account and address, and end the connection at the third. Over a UNIX socket
 * the kernel has said who it is: any password does, and allow_users decides.
 */
#ifndef MAILBEARER_PORT_GATE_H
#define MAILBEARER_PORT_GATE_H

#include "local.h"
#include "session.h"
#include "tunnel.h"

#define PORT_GATE_NAME_MAX 1000 /* bytes of a name that may be an account */

struct port_gate {
    struct local_gate gate; /* first: what local.c is given */
    const struct session *session;
    struct client *client;
    struct tunnel *tunnel;
    const struct deadline *deadline; /* for the sign-in */
    int tries;
    char account[PORT_GATE_NAME_MAX + 1]; /* "" until signed in */
};

/* All borrowed. gate.needs_tls and gate.start_tls are the caller's to set. */
void port_gate_init(struct port_gate *gate, const struct session *session,
                    struct client *client, struct tunnel *tunnel,
                    const struct deadline *deadline);

#endif
