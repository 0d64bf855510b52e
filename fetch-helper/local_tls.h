/* local_tls.h - TLS towards the mail program, on a local port that others can reach.
 *
 * Used by:  listener.c and main.c (certificate and key), session.c, client_io.c
 * Includes: client/, mail/stream.h; local_tls.c alone knows OpenSSL here (libcurl has the
 *           server's side).
 *
 * TLS 1.2 or later, no client certificates, no session tickets.
 */
#ifndef MAILBEARER_LOCAL_TLS_H
#define MAILBEARER_LOCAL_TLS_H

#include "../token-helper/client/deadline.h"
#include "../token-helper/client/error.h"
#include "../token-helper/mail/stream.h"

struct local_tls;

/* Loads a certificate with its chain and its key (PEM; may be one file). The key's file
 * belongs to root or this user, and others may not read it; its group may.
 * 0, ERR_CONFIG: absent, not private, not a certificate or key, or the two do not belong
 * together; ERR_NOMEM. */
int local_tls_load(const char *certificate, const char *key, struct local_tls **tls_r,
                   struct err *err);
void local_tls_free(struct local_tls **tls);

/* The server's part of the handshake on a socket, which stays the caller's and is made
 * non-blocking.
 * 0: *stream_r carries the session; local_tls_close() ends it. ERR_TEMP: the client went
 * away or offers nothing we take; ERR_TIMEOUT; ERR_NOMEM. */
int local_tls_accept(struct local_tls *tls, int fd, const struct deadline *deadline,
                     struct stream **stream_r, struct err *err);

/* Tells the client that nothing more comes; it may still send. */
void local_tls_finish(struct stream *stream);

/* Frees and sets NULL; takes NULL. */
void local_tls_close(struct stream **stream);

#endif
