/* store_record.h - a record as JSON text and back (FILEFORMAT.md). Pure: no I/O, no
 * clock.
 *
 * Used by:  accounts/store*.c, tests/fuzz
 * Includes: store.h, base/json.h.
 */
#ifndef MAILBEARER_STORE_RECORD_H
#define MAILBEARER_STORE_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "store.h"

#define RECORD_VERSION 1
#define RECORD_VERSION_SEALED 2 /* an envelope with such a record encrypted in it */

#define RECORD_TOKEN_MAX 65536u        /* bytes of one token */
#define RECORD_TEXT_MAX 16384u         /* bytes of scope or fingerprint */
#define RECORD_FILE_MAX (512u * 1024u) /* bytes of the text: twice what has to fit */
#define RECORD_TIME_MAX INT64_C(253402300799) /* the end of the year 9999 */
#define RECORD_SERIAL_MAX (INT64_C(1) << 53)

enum record_state {
    RECORD_UNREADABLE = 0, /* nothing is known: it could not be read */
    RECORD_ABSENT,
    RECORD_WHOLE,
    RECORD_DAMAGED,
    RECORD_NEWER,  /* a later version of this software wrote it */
    RECORD_SEALED, /* encrypted, and not opened */
};

struct record_info {
    enum record_state state;
    int64_t serial; /* goes up by one with each write; 0 unless WHOLE */
    bool current;   /* WHOLE, and it stands on disk as it would be written now */
};

/* Reads a record. info_r is always set: to WHOLE, DAMAGED, NEWER, SEALED, or UNREADABLE
 * (no memory). 0, with record_r replaced; ERR_STORE, ERR_CONFIG (SEALED), ERR_NOMEM:
 * record_r is untouched, and err says what is wrong without naming the file and never
 * with a word of the content. */
int record_parse(const char *bytes, size_t len, struct record *record_r,
                 struct record_info *info_r, struct err *err);

/* Appends the record as indented JSON. 0, ERR_NOMEM, or ERR_STORE when it holds what
 * record_parse() would refuse. A failure's text that is not UTF-8 does not stop the
 * tokens from being saved: its foreign bytes become '?'. */
int record_format(const struct record *record, int64_t serial, struct secret *out,
                  struct err *err);

#endif
