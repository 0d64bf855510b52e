/* question.h - what a client asks, read and judged. No I/O (a fuzz target).
 *
 * Used by:  agent/conn.c
 * Includes: permits.h, accounts/, client/.
 */
#ifndef MAILBEARER_QUESTION_H
#define MAILBEARER_QUESTION_H

#include "permits.h"

enum question_kind {
    QUESTION_VERSION,
    QUESTION_TOKEN,
    QUESTION_SASL,
    QUESTION_REJECTED,
    QUESTION_UPSTREAM,
    QUESTION_STATUS,
};

struct question {
    enum question_kind kind;
    const struct account *account; /* NULL for QUESTION_VERSION */
    enum protocol protocol;        /* QUESTION_UPSTREAM */
    const char *token;             /* QUESTION_REJECTED; borrowed from the payload */
    size_t token_len;
};

/* Reads one request's payload ("MAP KEY") sent by user `uid`.
 * 0:             *question_r is allowed and complete.
 * ERR_NOACCOUNT: no such account; for sasl, no account lists the key.
 * ERR_DENIED:    this user may not have it.
 * ERR_PERSON:    not a request we know; for sasl, several accounts list the key.
 * `err` never repeats a token. With `permits` NULL it is not asked who may have it: so
 * the log can name what was refused. */
int question_read(const struct accounts *accounts, const struct permits *permits,
                  const char *payload, size_t len, uid_t uid, struct question *question_r,
                  struct err *err);

const char *question_name(enum question_kind kind);

#endif
