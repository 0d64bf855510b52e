/* catalogue.h - every known error: what it means, who can mend it, how.
 *
 * Used by:  oauth/reply.c (words for a refused token request), commands/
 * Includes: client/. The table is made from catalogue.tsv when mailbearer is built.
 *
 * The numbers choose the words only. Whether to try again is decided from the OAuth
 * error, suberror and HTTP status (oauth/reply.c), as Microsoft advises.
 */
#ifndef MAILBEARER_CATALOGUE_H
#define MAILBEARER_CATALOGUE_H

#include <stddef.h>
#include <stdint.h>

#include "../client/error.h"

enum catalogue_class {
    CATALOGUE_TRANSIENT,   /* goes away by itself */
    CATALOGUE_USER_ACTION, /* the account's person must do something */
    CATALOGUE_CONFIG,      /* the administrator must change something */
    CATALOGUE_PERMANENT,   /* nobody here can change it */
};

struct catalogue_entry {
    const char *layer;   /* "entra", "smtp", "imap", "pop" */
    const char *code;    /* as in catalogue.tsv */
    const char *meaning; /* one line */
    enum catalogue_class class_;
    const char *remedy; /* one line; catalogue_remedy() fills in {mailbox} and its like */
};

/* The entry for an AADSTS number / an OAuth `error` or `suberror` value / an HTTP status
 * of the token endpoint; NULL when there is none. Static storage. */
const struct catalogue_entry *catalogue_aadsts(int64_t number);
const struct catalogue_entry *catalogue_oauth(const char *error);
const struct catalogue_entry *catalogue_http(long status);

/* Finds the next known error in a text of any length (any bytes, NUL too): an AADSTS
 * number, an OAuth error as a word, a server's reply, anywhere in a pasted log line.
 * Starts looking at text[from]; what stands before still decides whether a word begins
 * there. *at_r is where in `text` it was found: go on from *at_r + 1, and expect a row
 * more than once. Of several rows that fit one place the most specific is returned. NULL,
 * *at_r untouched: no further one. No I/O, no allocation; the time grows with `len`
 * alone. */
const struct catalogue_entry *catalogue_search(const char *text, size_t len, size_t from,
                                               size_t *at_r);

/* Writes the remedy with its placeholders filled in (a NULL value leaves a placeholder
 * such as <mailbox>) into buf, cut at `size`. Returns buf. */
struct catalogue_values {
    const char *mailbox, *account, *client_id, *tenant;
};
char *catalogue_remedy(const struct catalogue_entry *entry,
                       const struct catalogue_values *values, char *buf, size_t size);

/* Row i in the order of catalogue.tsv, NULL past the end. */
const struct catalogue_entry *catalogue_row(size_t i);

const char *catalogue_class_name(enum catalogue_class class_);

#endif
