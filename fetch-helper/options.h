/* options.h - the command line of mailbearer-fetch.
 *
 * Used by:  main.c
 * Includes: wire.h, libc.
 */
#ifndef MAILBEARER_OPTIONS_H
#define MAILBEARER_OPTIONS_H

#include <stdbool.h>

#include "../token-helper/mail/wire.h"

struct options {
    const char *config; /* -c, or NULL */
    bool verbose;       /* -v */
    bool to_syslog;     /* --syslog */
    bool greeting;      /* --greeting */
    enum wire wire;
    const char *host; /* NULL: the account's */
    const char *port; /* NULL: the account's */
    const char *account;
};

/* Reads the command line; texts borrow from argv. -1: go on; else the exit status, help
 * or complaint being printed. */
int options_read(int argc, char **argv, struct options *options_r);

#endif
