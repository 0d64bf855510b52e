/* words.h - what is said about the accounts file: file, line, and the nearest known word.
 *
 * Used by:  the files that read and build (accounts.c, guard.c, values.c, build*.c).
 * Includes: raw.h (the keys), client/, libc. No I/O.
 */
#ifndef MAILBEARER_WORDS_H
#define MAILBEARER_WORDS_H

#include "raw.h"

/* The place of a name in a NULL-free table of `count` names, or -1. */
int word_find(const char *const *words, size_t count, const char *word);

/* The known word that `word` was probably meant to be, or NULL when none is near:
 * distance in insertions, deletions, changes and swaps of neighbours, at most a third of
 * its length. */
const char *word_nearest(const char *const *words, size_t count, const char *word);

/* Writes "FILE:LINE: text" as ERR_CONFIG and returns it; of a very long path only the end
 * is shown. */
int config_error(struct err *err, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* As config_error() for a word that is not known: "unknown WHAT `word`", then the nearest
 * of the known words; where none is near, the hint lists all of them. */
int config_unknown(struct err *err, const char *file, int line, const char *what,
                   const char *word, const char *const *words, size_t count);

/* config_unknown() for a word at the top level, and for a key in a section. A key that is
 * known elsewhere is told to be misplaced. */
int config_unknown_section(struct err *err, const char *file, int line, const char *word);
int config_unknown_key(struct err *err, const char *file, int line, enum section kind,
                       const char *word);

/* ERR_NOMEM with its text. */
int config_nomem(struct err *err);

#endif
