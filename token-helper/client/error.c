/* error.c - see error.h. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define LINE_ARROW " -> "

/* How many bytes the UTF-8 character at s has: 0 when it is not UTF-8 (overlong forms and
 * surrogates included, RFC 3629), -1 when `left` bytes are only its beginning. */
static int
utf8_length(const unsigned char *s, size_t left)
{
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    int len;

    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    for (int i = 1; i < len; i++) {
        if ((size_t)i == left)
            return -1;
        if (s[i] < low || s[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return len;
}

static bool
is_control(const unsigned char *s, int len)
{
    if (len == 1)
        return s[0] < 0x20 || s[0] == 0x7f;
    return len == 2 && s[0] == 0xc2 && s[1] < 0xa0;
}

size_t
err_clean(char *text, size_t len)
{
    size_t in = 0;
    size_t out = 0;

    while (in < len) {
        const unsigned char *s = (const unsigned char *)text + in;
        int n = utf8_length(s, len - in);

        if (n < 0)
            break;
        if (n == 0 || is_control(s, n)) {
            text[out++] = '?';
            in += n == 0 ? 1 : (size_t)n;
        } else {
            memmove(text + out, text + in, (size_t)n);
            in += (size_t)n;
            out += (size_t)n;
        }
    }
    return out;
}

/* Copies what fits and cleans it. */
static void
take_text(char *to, size_t size, const char *from, size_t len)
{
    if (len > size - 1)
        len = size - 1;
    memmove(to, from, len);
    to[err_clean(to, len)] = '\0';
}

/* By way of a buffer of its own: the arguments may point into the very text that is being
 * replaced (`err_set(err, code, "%s: %s", name, err->text)`). */
static void __attribute__((format(printf, 3, 0)))
format_text(char *to, size_t size, const char *format, va_list args)
{
    char buf[ERR_TEXT_MAX > ERR_HINT_MAX ? ERR_TEXT_MAX : ERR_HINT_MAX];
    int n = vsnprintf(buf, size < sizeof(buf) ? size : sizeof(buf), format, args);

    take_text(to, size, buf, n < 0 ? 0 : strlen(buf));
}

int
err_set(struct err *err, int code, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return code;
    va_start(args, format);
    format_text(err->text, sizeof(err->text), format, args);
    va_end(args);
    err->code = code;
    err->hint[0] = '\0';
    return code;
}

void
err_hint(struct err *err, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return;
    va_start(args, format);
    format_text(err->hint, sizeof(err->hint), format, args);
    va_end(args);
}

bool
err_is_temporary(int code)
{
    return code == ERR_TEMP || code == ERR_TIMEOUT || code == ERR_PROTOCOL ||
           code == ERR_NOMEM;
}

char *
err_line(const struct err *err, char buf[ERR_LINE_MAX])
{
    if (err->hint[0] == '\0')
        snprintf(buf, ERR_LINE_MAX, "%s", err->text);
    else
        snprintf(buf, ERR_LINE_MAX, "%s" LINE_ARROW "%s", err->text, err->hint);
    return buf;
}

int
err_from_line(struct err *err, int code, const char *line, size_t len)
{
    const char *arrow;

    if (err == NULL)
        return code;
    arrow = memmem(line, len, LINE_ARROW, strlen(LINE_ARROW));
    err->code = code;
    err->hint[0] = '\0';
    if (arrow == NULL) {
        take_text(err->text, sizeof(err->text), line, len);
        return code;
    }
    take_text(err->text, sizeof(err->text), line, (size_t)(arrow - line));
    arrow += strlen(LINE_ARROW);
    take_text(err->hint, sizeof(err->hint), arrow, len - (size_t)(arrow - line));
    return code;
}

int
err_exit_status(int code)
{
    switch (code) {
    case ERR_NONE:
        return EX_OK;
    case ERR_USAGE:
        return EX_USAGE;
    case ERR_NOACCOUNT:
        return EX_NOINPUT;
    case ERR_NOAGENT:
        return EX_UNAVAILABLE;
    case ERR_STORE:
        return EX_IOERR;
    case ERR_PERSON:
    case ERR_DENIED:
        return EX_NOPERM;
    case ERR_CONFIG:
        return EX_CONFIG;
    default:
        return EX_TEMPFAIL;
    }
}
