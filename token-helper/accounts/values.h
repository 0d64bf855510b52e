/* values.h - single values of the accounts file: checked, and taken apart. No I/O.
 *
 * Used by:  build.c, accounts.c
 * Includes: accounts.h, client/, libc.
 *
 * Each returns 0 or ERR_CONFIG (or ERR_NOMEM where it allocates) and writes a text that
 * says what is wrong with the value, without file and line. Outputs are set on success
 * only.
 */
#ifndef MAILBEARER_VALUES_H
#define MAILBEARER_VALUES_H

#include "accounts.h"

#define VALUE_NAME_MAX 254  /* bytes: an address (RFC 5321 4.5.3.1, erratum 1690) */
#define VALUE_TEXT_MAX 2048 /* any other */

/* Well-formed UTF-8 (RFC 3629)? Up to 3 bytes behind a `len` that cuts a character are
 * looked at: a NUL or any ASCII character must follow. */
bool value_is_utf8(const char *bytes, size_t len);

/* Not empty, UTF-8, without control characters, at most `max` bytes. */
int value_text(const char *text, size_t max, struct err *err);

/* value_text() without spaces, ASCII: client ids. */
int value_token(const char *text, struct err *err);

/* A directory id, a domain or organizations, common, consumers: it goes into a URL. */
int value_tenant(const char *text, struct err *err);

/* An absolute URL without user and fragment: https, or http for 127.0.0.0/8, [::1] and
 * localhost. */
int value_endpoint(const char *text, struct err *err);

/* value_endpoint() without query (RFC 8414 2). */
int value_issuer(const char *text, struct err *err);

/* http, https, socks4, socks4a, socks5 or socks5h://HOST:PORT, no user or password:
 * `upstream` prints it to clients. */
int value_proxy(const char *text, struct err *err);

/* "host:port tls" or "host:port starttls"; an IPv6 address in brackets, which are not in
 * server_r->host. The host is the caller's. */
int value_server(const char *text, struct server *server_r, struct err *err);

/* YYYY-MM-DD, a day that exists, 1970 or later: its start in UTC, epoch seconds. */
int value_date(const char *text, int64_t *seconds_r, struct err *err);

/* Decimal digits alone, min to max. */
int value_integer(const char *text, int min, int max, int *value_r, struct err *err);

/* Hours, at most 8760, with up to three decimals: seconds, rounded. */
int value_hours(const char *text, int64_t *seconds_r, struct err *err);

/* Scope tokens (RFC 6749 3.3), with single spaces between them. Caller frees. */
int value_scope(const char *text, char **scope_r, struct err *err);

/* A user name, or a uid that is a uid. */
int value_user(const char *text, struct err *err);

/* value_text() that begins with a slash. */
int value_absolute(const char *text, struct err *err);

/* A file name: absolute as it is, otherwise in the directory of the file `base`. Caller
 * frees. */
int value_beside(const char *text, const char *base, char **path_r, struct err *err);

/* The same, made absolute if `base` is not: whoever uses it may be elsewhere by then. */
int value_path(const char *text, const char *base, char **path_r, struct err *err);

#endif
