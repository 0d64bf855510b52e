/* error.h - what went wrong, in one line, and what to do about it.
 *
 * Used by:  every part of mailbearer, the plugin included.
 * Includes: libc only.
 *
 * Functions that can fail return 0 or a positive ERR_* code and take a last parameter
 * `struct err *err`, which is written on failure only. Whether trying again can help is
 * a property of the code, never of the text. The texts live in fixed arrays, so that the
 * failure path cannot itself fail. They never hold a secret, and never a control
 * character: what err_set() is given is cleaned on the way in.
 */
#ifndef MAILBEARER_ERROR_H
#define MAILBEARER_ERROR_H

#include <stdbool.h>
#include <stddef.h>

enum err_code {
    ERR_NONE = 0,
    ERR_USAGE,     /* wrong arguments */
    ERR_NOACCOUNT, /* nobody knows this account */
    ERR_NOAGENT,   /* an agent is needed and none listens */
    ERR_STORE,     /* token store unreadable or unwritable */
    ERR_TEMP,      /* network, throttling, 5xx, a busy agent: try again */
    ERR_TIMEOUT,   /* the deadline passed: try again */
    ERR_PROTOCOL,  /* the peer said something it must not say: try again */
    ERR_NOMEM,     /* out of memory: try again */
    ERR_PERSON,    /* a person must act: sign in, consent, renew a secret */
    ERR_DENIED,    /* this user may not have this account */
    ERR_CONFIG,    /* accounts file, a secret file or a file mode is wrong */
};

#define ERR_TEXT_MAX 512
#define ERR_HINT_MAX 512

struct err {
    int code;                /* enum err_code */
    char text[ERR_TEXT_MAX]; /* what happened: one line, no full stop */
    char hint[ERR_HINT_MAX]; /* what to do: one line; may be empty */
};

#define ERR_INIT                                                                         \
    {                                                                                    \
        ERR_NONE, "", ""                                                                 \
    }

/* Sets code and text, clears the hint, returns `code` (so: `return err_set(...)`).
 * Control characters become '?'; a text that is too long is cut at a whole UTF-8
 * character. `err` may be NULL. */
int err_set(struct err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sets the hint, with the same cleaning. `err` may be NULL. */
void err_hint(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The cleaning that err_set() does, for other foreign text on its way into a log: in
 * place, control characters (C0, DEL, C1), NUL and bytes that are not UTF-8 become '?',
 * an unfinished character at the end is dropped. Returns the new length; adds no NUL. */
size_t err_clean(char *text, size_t len);

/* True when the same request may succeed later with nobody doing anything. */
bool err_is_temporary(int code);

/* "text -> hint", or only the text when there is no hint: the one-line form that goes
 * over the socket and into logs. Returns `buf`. */
#define ERR_LINE_MAX (ERR_TEXT_MAX + ERR_HINT_MAX + 4)
char *err_line(const struct err *err, char buf[ERR_LINE_MAX]);

/* The reverse: sets code, text and hint from a line of `len` bytes. Returns `code`. */
int err_from_line(struct err *err, int code, const char *line, size_t len);

/* The sysexits(3) status each program ends with for this code (64 usage, 66 no account,
 * 69 no agent, 74 store, 75 temporary, 77 needs a person, 78 accounts file). */
int err_exit_status(int code);

#endif
