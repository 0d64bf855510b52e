/* Values that are texts, numbers, dates, names and paths. */
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "words.h"

#define HOURS_MAX 8760 /* a year */

static int
wrong(struct err *err, const char *text)
{
    return err_set(err, ERR_CONFIG, "%s", text);
}

/* Length of the well-formed UTF-8 character at `s`, 0 when it is none (RFC 3629: no
 * surrogates, nothing overlong, nothing above U+10FFFF). */
static size_t
utf8_length(const unsigned char *s)
{
    static const unsigned char least_second[] = {0x80, 0xa0, 0x80, 0x90, 0x80};
    size_t len = s[0] < 0x80   ? 1
                 : s[0] < 0xc2 ? 0
                 : s[0] < 0xe0 ? 2
                 : s[0] < 0xf0 ? 3
                               : 4;
    unsigned char most = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
    unsigned char least = least_second[s[0] == 0xe0 ? 1 : s[0] == 0xf0 ? 3 : 0];

    if (s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (s[i] < least || s[i] > most)
            return 0;
        least = 0x80;
        most = 0xbf;
    }
    return len;
}

bool
value_is_utf8(const char *bytes, size_t len)
{
    const unsigned char *s = (const unsigned char *)bytes;
    size_t step = 1;

    for (size_t i = 0; i < len && step > 0; i += step)
        step = utf8_length(s + i);
    return step > 0;
}

int
value_text(const char *text, size_t max, struct err *err)
{
    const unsigned char *s = (const unsigned char *)text;

    if (*s == '\0')
        return wrong(err, "is empty");
    if (strlen(text) > max)
        return err_set(err, ERR_CONFIG, "is longer than %zu bytes", max);
    if (!value_is_utf8(text, strlen(text)))
        return wrong(err, "is not UTF-8");
    for (; *s != '\0'; s++) {
        /* C1 controls (U+0080 to U+009F) steer terminals as much as C0 do. */
        if (*s < 0x20 || *s == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0))
            return wrong(err, "holds a control character");
    }
    return 0;
}

int
value_token(const char *text, struct err *err)
{
    int r = value_text(text, VALUE_NAME_MAX, err);

    if (r != 0)
        return r;
    for (const char *p = text; *p != '\0'; p++)
        if (*p == ' ' || (unsigned char)*p > 0x7e)
            return wrong(err, "holds a space or a character that is not ASCII");
    return 0;
}

/* Days from 1970-01-01, counted in years that begin in March: the leap day comes last. */
static int64_t
days_since_epoch(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 + in_year - 719468;
}

int
value_date(const char *text, int64_t *seconds_r, struct err *err)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    static const char digits[] = "0123456789";
    int year, month, day;
    bool leap;

    if (strlen(text) != 10 || strspn(text, digits) != 4 || text[4] != '-' ||
        strspn(text + 5, digits) != 2 || text[7] != '-' || strspn(text + 8, digits) != 2)
        return err_set(err, ERR_CONFIG, "`%s` is not a date (YYYY-MM-DD)", text);
    year = (int)strtol(text, NULL, 10);
    month = (int)strtol(text + 5, NULL, 10);
    day = (int)strtol(text + 8, NULL, 10);
    leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1970 || month < 1 || month > 12 || day < 1 ||
        day > days[month - 1] + (month == 2 && leap))
        return err_set(err, ERR_CONFIG, "`%s` is no day that exists", text);
    *seconds_r = days_since_epoch(year, month, day) * 86400;
    return 0;
}

int
value_integer(const char *text, int min, int max, int *value_r, struct err *err)
{
    size_t len = strlen(text);
    long value = len > 0 && len < 10 ? strtol(text, NULL, 10) : -1;

    if (strspn(text, "0123456789") != len || value < min || value > max)
        return err_set(err, ERR_CONFIG, "`%s` is not a number from %d to %d", text, min,
                       max);
    *value_r = (int)value;
    return 0;
}

int
value_hours(const char *text, int64_t *seconds_r, struct err *err)
{
    size_t whole = strspn(text, "0123456789");
    const char *dot = text + whole;
    size_t part = dot[0] == '.' ? strspn(dot + 1, "0123456789") : 0;
    int64_t thousandths = 0;

    if (whole == 0 || whole > 4 || part > 3 || (dot[0] == '.' && part == 0) ||
        text[whole + (dot[0] == '.') + part] != '\0')
        thousandths = -1;
    for (size_t i = 0; thousandths >= 0 && i < whole + 3; i++) {
        char c = i < whole ? text[i] : i - whole < part ? dot[1 + i - whole] : '0';

        thousandths = thousandths * 10 + (c - '0');
    }
    if (thousandths < 0 || thousandths > HOURS_MAX * 1000)
        return err_set(err, ERR_CONFIG, "`%s` is not a number of hours from 0 to %d",
                       text, HOURS_MAX);
    *seconds_r = (thousandths * 36 + 5) / 10;
    return 0;
}

int
value_scope(const char *text, char **scope_r, struct err *err)
{
    char *scope, *out;
    int r = value_text(text, VALUE_TEXT_MAX, err);

    if (r != 0)
        return r;
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p > 0x7e || *p == '"' || *p == '\\')
            return wrong(err, "holds a character no scope has");
    if ((out = scope = malloc(strlen(text) + 2)) == NULL)
        return config_nomem(err);
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        size_t len = strcspn(text, " ");

        memcpy(out, text, len);
        out += len;
        *out++ = ' ';
        text += len;
    }
    if (out == scope) {
        free(scope);
        return wrong(err, "is empty");
    }
    out[-1] = '\0';
    *scope_r = scope;
    return 0;
}

int
value_user(const char *text, struct err *err)
{
    size_t len = strlen(text);
    int r = value_text(text, VALUE_NAME_MAX, err);

    if (r != 0)
        return r;
    if (strchr(text, ' ') != NULL || strchr(text, ':') != NULL)
        return err_set(err, ERR_CONFIG, "`%s` is not a user name", text);
    /* (uid_t)-1 means "no user" to the kernel. */
    if (strspn(text, "0123456789") == len &&
        (len > 10 || strtoull(text, NULL, 10) >= 4294967295u))
        return err_set(err, ERR_CONFIG, "`%s` is not a uid", text);
    return 0;
}

int
value_absolute(const char *text, struct err *err)
{
    int r = value_text(text, VALUE_TEXT_MAX, err);

    if (r == 0 && text[0] != '/')
        r = err_set(err, ERR_CONFIG, "`%s` is not an absolute path", text);
    return r;
}

int
value_beside(const char *text, const char *base, char **path_r, struct err *err)
{
    const char *slash = text[0] == '/' ? NULL : strrchr(base, '/');
    int r = value_text(text, VALUE_TEXT_MAX, err);

    if (r != 0)
        return r;
    if (text[0] == '~') {
        err_set(err, ERR_CONFIG, "`%s`: a ~ is not replaced by a home directory", text);
        err_hint(err, "write the whole path");
        return ERR_CONFIG;
    }
    if (asprintf(path_r, "%.*s%s", slash != NULL ? (int)(slash + 1 - base) : 0, base,
                 text) < 0)
        return config_nomem(err);
    return 0;
}

int
value_path(const char *text, const char *base, char **path_r, struct err *err)
{
    char *beside = NULL, *here = NULL;
    int r = value_beside(text, base, &beside, err);

    if (r != 0)
        return r;
    if (beside[0] == '/') {
        *path_r = beside;
        return 0;
    }
    if ((here = getcwd(NULL, 0)) == NULL)
        r = wrong(err, "is relative and the current directory is unknown");
    else if (asprintf(path_r, "%s/%s", here, beside) < 0)
        r = config_nomem(err);
    free(here);
    free(beside);
    return r;
}
