/* upstream.h - what a tunnel needs to know to reach an account's server, as JSON.
 *
 * Used by:  front/cmd_upstream.c, agent/conn.c
 * Includes: accounts.h, base/json.h.
 */
#ifndef MAILBEARER_UPSTREAM_H
#define MAILBEARER_UPSTREAM_H

#include "accounts.h"

/* Appends one line: user host port security proxy ca_file auth allow_users; no secret.
 * `security` is "tls" or "starttls", `auth` "xoauth2", or "plain" where the account's
 * secret is an app password; proxy, ca_file and allow_users (an array of what the account
 * lists: whom a local port lets in) are left out when not set.
 * 0; ERR_CONFIG: the account has no server for this protocol; ERR_NOMEM. */
int upstream_json(const struct account *account, enum protocol protocol,
                  struct secret *out, struct err *err);

#endif
