/* connection.h - a connection to the account's server, by libcurl.
 *
 * Used by:  fetch-helper/tunnel.c, doctor/. connection.c is the only user of libcurl
 * here. Includes: client/, base/wipe_alloc.h, caps, server, stream; libcurl.
 *
 * libcurl connects (HTTP CONNECT and SOCKS proxies included), verifies the certificate,
 * demands STARTTLS where TLS is not there from the start, and asks for the capabilities
 * (CURLOPT_CONNECT_ONLY with no user name). The sign-in is sign_in.c's. Afterwards there
 * is no timeout, and TCP keepalive notices a peer that is gone.
 */
#ifndef MAILBEARER_CONNECTION_H
#define MAILBEARER_CONNECTION_H

#include "../client/error.h"
#include "caps.h"
#include "server.h"
#include "stream.h"

/* Once, first thing in main(): libcurl, with memory that is wiped. A program that calls
 * http_setup() has done it. 0, ERR_NOMEM. */
int connection_setup(struct err *err);

struct connection; /* one connection */

/* Connects. 0: *connection_r is encrypted and verified, and *caps, initialised for the
 * protocol, holds what the server says it can do.
 * ERR_TIMEOUT, ERR_TEMP (not to be reached, TLS wrong, STARTTLS missing or followed by
 * plaintext), ERR_PROTOCOL, ERR_PERSON (what the server said), ERR_CONFIG (settings that
 * libcurl does not take), ERR_NOMEM. */
int connection_open(const struct mail_server *server, const char *account,
                    int deadline_ms, struct caps *caps, struct connection **connection_r,
                    struct err *err);

/* The bytes of the session; borrowed. */
struct stream *connection_stream(struct connection *connection);

/* Closes the connection and sets NULL. Takes NULL. */
void connection_close(struct connection **connection);

#endif
