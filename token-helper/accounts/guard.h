/* guard.h - makes the text of an accounts file fit for libconfuse.
 *
 * Used by:  accounts.c only.
 * Includes: words.h (for the error texts), values.h, client/, libc. No I/O.
 *
 * libconfuse 3.3 lets pass, or does, what an accounts file must not have (each tried):
 *   - the end of the file inside a section, or inside a comment, counts as its end;
 *   - characters that fit nowhere ('+', '*', control characters) are dropped in silence,
 * so that `user = a+b` reads as two words;
 *   - ${NAME} is replaced from the environment, also between double quotes: the same file
 *     would mean one thing to the agent and another to a shell;
 *   - "\0" ends a value early;
 *   - a comment on one line counts as two, and all later line numbers are wrong;
 *   - what it has read stays in freed memory: a client secret must not pass through it.
 * So the text is looked through first, and libconfuse gets it without comments and with
 * the client secrets crossed out.
 */
#ifndef MAILBEARER_GUARD_H
#define MAILBEARER_GUARD_H

#include "words.h"

#define GUARD_STRING_MAX 4096 /* bytes of one word or quoted text */

struct guard_secret {
    int line;
    struct secret value;
};

struct guard {
    struct guard_secret *secret; /* in the order of the file */
    size_t secret_count;
    int *section_line; /* where the n-th section begins */
    size_t section_count;
    size_t section_room;
};

#define GUARD_INIT                                                                       \
    {                                                                                    \
        NULL, 0, NULL, 0, 0                                                              \
    }

/* Checks and changes text[0..len) in place (same length, same lines). `file` is for the
 * error text. 0, ERR_CONFIG or ERR_NOMEM. On failure *guard is empty. */
int guard_text(char *text, size_t len, const char *file, struct guard *guard,
               struct err *err);

/* Wipes and frees. */
void guard_clear(struct guard *guard);

#endif
