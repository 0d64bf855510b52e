/* ports_line.h - between ports_file.c, which reads, and ports_write.c, which writes.
 *
 * Used by:  these two.
 * Includes: client/, libc.
 */
#ifndef MAILBEARER_PORTS_LINE_H
#define MAILBEARER_PORTS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "../client/error.h"
#include "../client/secret.h"

/* A line, borrowed from the text; ACCOUNT is its first name_len bytes, HASH what is
 * behind the colon. */
struct ports_line {
    const char *text;
    size_t len, name_len;
    bool comment; /* or empty */
    bool good;
};

/* The line at *at, which moves behind it. False at the end. */
bool ports_line_next(const struct secret *text, size_t *at, struct ports_line *line_r);

bool ports_line_is(const struct ports_line *line, const char *account);

/* Owner and mode, as ports_file_read() asks for them. */
int ports_file_check(const struct stat *st, const char *path, struct err *err);

#endif
