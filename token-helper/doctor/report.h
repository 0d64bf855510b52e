/* report.h - what `doctor` finds, told as it is found.
 *
 * Used by:  doctor/, commands/cmd_doctor.c
 * Includes: base/json.h, client/error.h, libc.
 *
 * A finding belongs to a check (a short stable name such as "tls"), has a level, a text
 * and, unless all is well, a remedy. As text it is printed and flushed at once:
 *
 *     smtp
 *       ✓ smtp.office365.com:587 answers
 *       ✗ 535 5.7.3 Authentication unsuccessful
 *           to mend it: Add-MailboxPermission ...
 *
 * As JSON everything comes at the end, one object:
 *     {"findings": [{"check": "smtp", "level": "ok", "finding": "...", "remedy": "",
 *       "code": 0}, ...], "status": 77}
 * `level` is ok, note, warning or failure; `code` is the exit status that goes with the
 * finding, 0 for ok and note; `status` is the exit status of doctor itself.
 *
 * Texts may come from a server: control characters, and bytes that are not UTF-8, become
 * '?'. There is no way to pass a struct secret, and none must be taken apart to do so.
 * For one thread.
 */
#ifndef MAILBEARER_REPORT_H
#define MAILBEARER_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "../base/json.h"
#include "../client/error.h"

enum report_level {
    REPORT_OK,
    REPORT_NOTE,    /* worth knowing; also what was not looked at, and why */
    REPORT_WARNING, /* works now, or elsewhere; does not change the exit status */
    REPORT_FAILURE,
};
#define REPORT_LEVELS (REPORT_FAILURE + 1)

enum report_format { REPORT_TEXT, REPORT_JSON };

struct report {
    FILE *out; /* borrowed */
    enum report_format format;
    bool colour;
    bool utf8;         /* the marks are ✓ · ! ✗, else words */
    const char *check; /* the present one; borrowed */
    bool headed;       /* its name has been printed */
    int status;        /* of the first failure; 0: none so far */
    size_t count[REPORT_LEVELS];
    struct json *json; /* what was found so far; NULL with REPORT_TEXT */
    bool broken;       /* out of memory: the JSON lacks something */
};

/* Begins a report on `out` (stdout, or a test's stream). Colour: text on a terminal, when
 * NO_COLOR is unset or empty and TERM is not "dumb". Marks: by LC_ALL, LC_CTYPE, LANG,
 * the first that is set. The caller may change `colour` and `utf8` afterwards. */
void report_begin(struct report *report, FILE *out, enum report_format format);

/* What follows belongs to this check; a literal, or a text that outlives the report. It
 * is printed above its first finding. */
void report_check(struct report *report, const char *check);

/* One finding: err->text, with err->hint as its remedy and the exit status of err->code.
 * A failure's code must not be ERR_NONE; one without a hint gets a remedy that fits the
 * code. */
void report_add(struct report *report, enum report_level level, const struct err *err);

/* Findings without a remedy. At most ERR_TEXT_MAX bytes, then cut. */
void report_ok(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void report_note(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* report_add() by another name. */
void report_warning(struct report *report, const struct err *err);
void report_failure(struct report *report, const struct err *err);

/* Ends: the sum of it all, or the JSON. Frees what the report holds. Returns the exit
 * status: that of the first failure, EX_OK without one, EX_IOERR when it could not be
 * written, EX_TEMPFAIL out of memory. Nothing may be added afterwards. */
int report_end(struct report *report);

#endif
