/* parse.h - the text of one accounts file becomes sections, keys and values.
 *
 * Used by:  read.c. Implemented in accounts.c, the only file that includes confuse.h.
 * Includes: words.h. No I/O.
 */
#ifndef MAILBEARER_PARSE_H
#define MAILBEARER_PARSE_H

#include "words.h"

#define PARSE_FILES_MAX 256 /* the accounts file and those it includes */

/* Adds what `text`, the content of raw->file[file], says to `raw`: sections, and included
 * files, which are not read here. `text` is changed (guard.h), not empty, and ends in a
 * newline. 0, ERR_CONFIG with file and line, ERR_NOMEM. One thread at a time. */
int parse_text(struct secret *text, struct raw *raw, size_t file, struct err *err);

#endif
