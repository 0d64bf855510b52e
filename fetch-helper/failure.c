/* failure.c - see failure.h. */
#include "failure.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LINE_LIMIT 512 /* POP3 and SMTP replies, CRLF included */

/* A person must act, as opposed to: it passes, or an administrator looks at this machine
 * anyway. */
static bool
needs_person(int code)
{
    return !err_is_temporary(code) && code != ERR_NOAGENT && code != ERR_STORE;
}

/* Where to look when the text says it all. */
static const char *
general_hint(int code)
{
    return needs_person(code) ? "see: mailbearer status"
                              : "try again later; if it stays so, see: mailbearer status";
}

/* Copies text, as ASCII, with a hyphen into "lock" and "wait" when `split`. Returns the
 * end of what was written; at most `size` - 1 bytes. */
static char *
put(char *to, size_t size, const char *text, bool split)
{
    char *end = to + size - 1;

    while (*text != '\0' && to < end) {
        bool word = split && (strncasecmp(text, "lock", 4) == 0 ||
                              strncasecmp(text, "wait", 4) == 0);

        *to++ = (unsigned char)*text < 0x80 ? *text : '?';
        text++;
        if (word && to < end)
            *to++ = *text++;
        if (word && to < end)
            *to++ = '-';
    }
    *to = '\0';
    return to;
}

/* `start`, then what happened and what to do, in a line of the protocol. */
static char *
compose(enum wire wire, const char *start, const struct err *err, char buf[FAILURE_MAX])
{
    size_t limit = wire == WIRE_IMAP ? FAILURE_MAX : LINE_LIMIT + 1;
    bool split = wire == WIRE_POP3;
    char hint[ERR_HINT_MAX + 64] = "";
    char *at;
    size_t room;

    at = put(hint, sizeof hint, " -> ", false);
    put(at, sizeof hint - (size_t)(at - hint),
        err->hint[0] != '\0' ? err->hint : general_hint(err->code), split);
    at = put(buf, limit - 2, start, false);
    room = limit - 2 - (size_t)(at - buf);
    /* the text gives way to the remedy, but not all of it */
    if (strlen(hint) > room - room / 3)
        hint[room - room / 3] = '\0';
    at = put(at, room - strlen(hint), err->text, split);
    at = put(at, limit - 2 - (size_t)(at - buf), hint, false);
    memcpy(at, "\r\n", 3);
    return buf;
}

char *
failure_line(enum wire wire, const struct err *err, char buf[FAILURE_MAX])
{
    return compose(wire,
                   wire == WIRE_IMAP         ? "* BYE mailbearer: "
                   : wire == WIRE_SMTP       ? "421 4.3.0 mailbearer: "
                   : needs_person(err->code) ? "-ERR [AUTH] mailbearer: "
                                             : "-ERR [SYS/TEMP] mailbearer: ",
                   err, buf);
}

char *
failure_sign_in(enum wire wire, const char *tag, const struct err *err,
                char buf[FAILURE_MAX])
{
    char start[FAILURE_TAG_MAX + 64];

    if (wire == WIRE_POP3)
        return failure_line(wire, err, buf);
    if (wire == WIRE_SMTP)
        return compose(wire, "454 4.7.0 mailbearer: ", err, buf);
    snprintf(start, sizeof start, "%s NO [%s] mailbearer: ", tag,
             needs_person(err->code) ? "AUTHENTICATIONFAILED" : "UNAVAILABLE");
    return compose(wire, start, err, buf);
}
