/* upstream.h - a connection to the account's server, by libcurl.
 *
 * Used by:  tunnel.c, main.c. upstream.c is the only user of libcurl here.
 * Includes: client/, base/wipe_alloc.h, caps, settings, stream; libcurl.
 *
 * libcurl connects (HTTP CONNECT and SOCKS proxies included), verifies the certificate,
 * demands STARTTLS where TLS is not there from the start, and asks for the capabilities
 * (CURLOPT_CONNECT_ONLY with no user name). The sign-in is sign_in.c's. Afterwards there
 * is no timeout, and TCP keepalive notices a peer that is gone.
 */
#ifndef MAILBEARER_UPSTREAM_H
#define MAILBEARER_UPSTREAM_H

#include "../token-helper/client/error.h"
#include "caps.h"
#include "settings.h"
#include "stream.h"

/* Once, first thing in main(): libcurl, with memory that is wiped. 0, ERR_NOMEM. */
int upstream_setup(struct err *err);

struct upstream; /* one connection */

/* Connects. 0: *upstream_r is encrypted and verified, and *caps, initialised for the
 * protocol, holds what the server says it can do.
 * ERR_TIMEOUT, ERR_TEMP (not to be reached, TLS wrong, STARTTLS missing or followed by
 * plaintext), ERR_PROTOCOL, ERR_PERSON (what the server said), ERR_CONFIG (settings that
 * libcurl does not take), ERR_NOMEM. */
int upstream_connect(const struct settings *settings, const char *account,
                     int deadline_ms, struct caps *caps, struct upstream **upstream_r,
                     struct err *err);

/* The bytes of the session; borrowed. */
struct stream *upstream_stream(struct upstream *upstream);

/* Closes the connection and sets NULL. Takes NULL. */
void upstream_close(struct upstream **upstream);

#endif
