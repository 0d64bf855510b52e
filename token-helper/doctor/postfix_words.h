/* postfix_words.h - lists, next hops and password entries, as Postfix writes them.
 *
 * Used by:  doctor/postfix*.c
 * Includes: client/, libc. Pure.
 */
#ifndef MAILBEARER_POSTFIX_WORDS_H
#define MAILBEARER_POSTFIX_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "../client/secret.h"

/* The next word of a list separated by blanks and commas; what stands in braces is one
 * word. NULL at the end. *at moves on; *len_r is the word's length. */
const char *words_next(const char **at, size_t *len_r);

/* True when the list has that word, without regard to case. */
bool words_have(const char *list, const char *word);

#define NEXTHOP_MAX 300

/* "[smtp.office365.com]:587" */
struct nexthop {
    char text[NEXTHOP_MAX]; /* as it was written */
    char host[NEXTHOP_MAX]; /* "smtp.office365.com" */
    int port;               /* 25 when none is given or it is "smtp"; 0: another name */
    bool bracketed;         /* no look-up of MX records */
};

/* Of the first `len` bytes. False: empty, too long, brackets that are not closed, or a
 * character that no host, port and brackets have. */
bool nexthop_parse(const char *text, size_t len, struct nexthop *hop_r);

/* "TRANSPORT:NEXTHOP" as in transport(5): the transport's name is copied (up to `size`),
 * *nexthop_r is what follows the colon (maybe ""). False when the name is empty or too
 * long. */
bool transport_split(const char *text, char *name_r, size_t size, const char **nexthop_r);

/* What a value of smtp_sasl_password_maps, USER:PASSWORD, says where the token is
 * (mailbearer-sasl(7)). */
enum entry_kind {
    ENTRY_NONE,    /* the table has no such key */
    ENTRY_AGENT,   /* USER:agent:ACCOUNT */
    ENTRY_FILE,    /* USER:file:PATH */
    ENTRY_LITERAL, /* a password, or a token */
    ENTRY_EMPTY,   /* no password in it */
    ENTRY_TABLE,   /* the agent is the table */
    ENTRY_UNKNOWN, /* the table could not be asked */
};

#define ENTRY_TEXT_MAX 512

struct entry {
    enum entry_kind kind;
    char user[ENTRY_TEXT_MAX];  /* "" for those whose value may be a secret as a whole */
    char where[ENTRY_TEXT_MAX]; /* the account or the path */
};

/* Never copies a literal password. A name longer than the maximum counts as literal. */
void entry_parse(const struct secret *value, struct entry *entry_r);

/* What `static:VALUE` has for every key, and `inline:{ key = value, ... }` for this one.
 * Kept out of a command line that way: postmap would have to be given the table's text.
 * 0 and *value_r is set; ERR_NOACCOUNT: no such key; ERR_CONFIG: not of that form;
 * ERR_NOMEM. */
int static_lookup(const char *table, struct secret *value_r);
int inline_lookup(const char *table, const char *key, struct secret *value_r);

#endif
