/* catalogue_search.c - finds known errors in whatever text a person has at hand.
 *
 * One pass over the text. At each place where a word begins it is asked, by the character
 * that stands there, whether an AADSTS number, an OAuth error or one of the table's texts
 * begins. What a text may look at is capped (GAP_MAX, BLANK_MAX), so the time grows with
 * the length of the text alone. Nothing is assumed about the bytes: no NUL at the end,
 * any byte inside.
 */
#include "catalogue.h"

#include <stdbool.h>
#include <string.h>

#include "catalogue_table.h"

#define GAP_MAX 400   /* how far behind its status code a reply's words are looked for */
#define BLANK_MAX 256 /* longest run of white space a text may be folded over */
#define NAME_MAX_LEN 40
#define DIGITS_MAX 9 /* as many as any number here can have; fits an int32_t */

struct text {
    const char *s;
    size_t len;
};

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
is_letter(char c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

static bool
is_word(char c)
{
    return is_letter(c) || is_digit(c) || c == '_';
}

static bool
is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* True when the byte before `at` is the end of an escape such as \n: a reply inside JSON
 * or a quoted log field begins right behind it. */
static bool
after_escape(const struct text *t, size_t at)
{
    char c;

    if (at < 2 || t->s[at - 2] != '\\')
        return false;
    c = t->s[at - 1];
    return c == 'n' || c == 'r' || c == 't';
}

static bool
begins_word(const struct text *t, size_t at)
{
    char before;

    if (at == 0 || !is_word(t->s[at]))
        return true;
    before = t->s[at - 1];
    if (is_digit(t->s[at]) && before == '.')
        return false; /* the middle of an address or a version */
    return !is_word(before) || after_escape(t, at);
}

/* True when what ended before `at` does not go on: 5.7.3 is not in 5.7.30 or 5.7.3.1. */
static bool
ends_word(const struct text *t, size_t at)
{
    if (at >= t->len || !is_word(t->s[at - 1]))
        return true;
    if (is_word(t->s[at]))
        return false;
    return !(is_digit(t->s[at - 1]) && t->s[at] == '.' && at + 1 < t->len &&
             is_digit(t->s[at + 1]));
}

/* The number at `at`, not longer than DIGITS_MAX digits; -1 when there is none. */
static int32_t
number_at(const struct text *t, size_t at, size_t *end_r)
{
    int32_t n = 0;
    size_t i = at;

    while (i < t->len && is_digit(t->s[i])) {
        if (i - at == DIGITS_MAX)
            return -1;
        n = n * 10 + (t->s[i++] - '0');
    }
    if (i == at)
        return -1;
    *end_r = i;
    return n;
}

/* Skips the white space at `at`: line ends too, with the "> " of a quoted mail behind
 * them, and after a reply code the "-" of a reply of several lines. False when there is
 * none. */
static bool
blank_skip(const struct text *t, size_t at, size_t *end_r)
{
    size_t i = at;
    bool quoted = false;

    if (i < t->len && i > 0 && t->s[i] == '-' && is_digit(t->s[i - 1])) {
        *end_r = i + 1;
        return true;
    }
    while (i < t->len && i - at < BLANK_MAX &&
           (is_blank(t->s[i]) || (quoted && t->s[i] == '>'))) {
        quoted = quoted || t->s[i] == '\n';
        i++;
    }
    *end_r = i;
    return i > at;
}

/* Is an enhanced status code (RFC 3463) at `at`? x.y.z, x one of 2, 4, 5. */
static bool
status_at(const struct text *t, size_t at)
{
    size_t i = at;

    if (i + 5 > t->len || (t->s[i] != '2' && t->s[i] != '4' && t->s[i] != '5') ||
        t->s[i + 1] != '.' || !begins_word(t, at))
        return false;
    i += 2;
    if (number_at(t, i, &i) < 0 || i >= t->len || t->s[i] != '.')
        return false;
    i++;
    return number_at(t, i, &i) >= 0 && ends_word(t, i);
}

/* Is a reply code followed by a status code at `at`? *status_r is where the latter is. */
static bool
reply_at(const struct text *t, size_t at, size_t *status_r)
{
    size_t end = at;
    int32_t n;

    if (!begins_word(t, at) || (n = number_at(t, at, &end)) < 200 || n > 599 ||
        end - at != 3 || !blank_skip(t, end, &end) || !status_at(t, end))
        return false;
    *status_r = end;
    return true;
}

/* Does the status code at `at` belong to a reply code before it? */
static bool
status_has_reply(const struct text *t, size_t at)
{
    size_t i = at;
    size_t status = 0;

    if (i > 0 && t->s[i - 1] == '-')
        i--;
    else
        while (i > 0 && at - i < BLANK_MAX &&
               (is_blank(t->s[i - 1]) || t->s[i - 1] == '>'))
            i--;
    return i < at && i >= 3 && reply_at(t, i - 3, &status) && status == at;
}

/* A status code without a reply code may be a version: postfix/5.1.8, 5.7.8-amd64. */
static bool
is_version(const struct text *t, size_t at)
{
    size_t end = at;

    if (at > 0 && (t->s[at - 1] == '/' || t->s[at - 1] == '-'))
        return true;
    while (end < t->len && (is_digit(t->s[end]) || t->s[end] == '.'))
        end++;
    return end + 1 < t->len && t->s[end] == '-' && is_letter(t->s[end + 1]);
}

/* Where the words that belong to the code before `at` end at the latest. */
static size_t
gap_end(const struct text *t, size_t at)
{
    size_t end = t->len - at > GAP_MAX ? at + GAP_MAX : t->len;

    for (size_t i = at; i < end; i++) {
        if (status_at(t, i))
            return i;
    }
    return end;
}

/* "n-m" of a pattern at *pattern, moved behind it; is a number in that range at *at? */
static bool
range_match(const struct text *t, size_t *at, const char **pattern)
{
    const struct text p = {*pattern, strlen(*pattern)};
    size_t end = 0;
    int32_t lo = number_at(&p, 0, &end);
    int32_t hi = number_at(&p, end + 1, &end);
    int32_t n = number_at(t, *at, at);

    *pattern += end + 1;
    return n >= lo && n <= hi;
}

/* Matches `p` at `at` up to its end or a gap; *p_r is where it stopped. */
static bool
piece_match(const struct text *t, size_t at, const char *p, size_t *end_r,
            const char **p_r)
{
    bool goes_on = false;

    while (*p && *p != CATALOGUE_GAP) {
        if (*p == CATALOGUE_GOES_ON) {
            goes_on = true;
            p++;
        } else if (*p == CATALOGUE_RANGE) {
            p++;
            if (!range_match(t, &at, &p))
                return false;
        } else if (*p == ' ') {
            if (!blank_skip(t, at, &at))
                return false;
            p++;
        } else if (at >= t->len || lower(t->s[at]) != *p) {
            return false;
        } else {
            at++;
            p++;
        }
    }
    if (!goes_on && !ends_word(t, at))
        return false;
    *end_r = at;
    *p_r = p;
    return true;
}

static bool
pattern_match(const struct text *t, size_t at, const char *p)
{
    size_t end = at;
    const char *rest;

    if (!piece_match(t, at, p, &end, &rest))
        return false;
    if (*rest != CATALOGUE_GAP)
        return true;
    rest++;
    for (size_t stop = gap_end(t, end); end < stop; end++) {
        size_t unused;
        const char *none;

        if (lower(t->s[end]) == *rest && begins_word(t, end) &&
            piece_match(t, end, rest, &unused, &none))
            return true;
    }
    return false;
}

/* The best of the table's texts that begin at `at`, if it is better than `best`. */
static const struct catalogue_pattern *
pattern_best(const struct text *t, size_t at, const struct catalogue_pattern *best)
{
    unsigned char c = (unsigned char)lower(t->s[at]);

    if (c >= 128)
        return best;
    for (size_t i = catalogue_pattern_first[c]; i < catalogue_pattern_first[c + 1]; i++) {
        const struct catalogue_pattern *p = &catalogue_patterns[i];

        if ((!best || p->weight > best->weight) && pattern_match(t, at, p->text))
            best = p;
    }
    return best;
}

static const struct catalogue_entry *
find_text(const struct text *t, size_t at)
{
    const struct catalogue_pattern *best = NULL;
    size_t status = 0;

    /* A status code is judged together with its reply code, at the reply code: 5.7.3 in
     * "451 5.7.3 STARTTLS" is not the 5.7.3 of a refused token. */
    if (status_at(t, at) && (status_has_reply(t, at) || is_version(t, at)))
        return NULL;
    best = pattern_best(t, at, best);
    if (is_digit(t->s[at]) && reply_at(t, at, &status))
        best = pattern_best(t, status, best);
    return best ? &catalogue_rows[best->row] : NULL;
}

/* "AADSTS" and a number. It may stand behind a digit, as in a URL's %20AADSTS65004. */
static const struct catalogue_entry *
find_aadsts(const struct text *t, size_t at)
{
    static const char key[] = "aadsts";
    size_t end = at;
    int32_t n;

    for (size_t i = 0; i < sizeof(key) - 1; i++, end++) {
        if (end >= t->len || lower(t->s[end]) != key[i])
            return NULL;
    }
    if (at > 0 && !is_digit(t->s[at - 1]) && !begins_word(t, at))
        return NULL;
    if ((n = number_at(t, end, &end)) < 0 || (end < t->len && is_word(t->s[end])))
        return NULL;
    return catalogue_aadsts(n);
}

/* The number behind Entra's `"error_codes":[` and `error?code=`. */
static const struct catalogue_entry *
find_aadsts_key(const struct text *t, size_t at)
{
    static const char *const keys[] = {"error_codes\":[", "error_codes\": [",
                                       "error?code="};
    size_t end = 0;
    int32_t n;

    for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
        size_t len = strlen(keys[k]);

        if (t->len - at >= len && memcmp(t->s + at, keys[k], len) == 0 &&
            (n = number_at(t, at + len, &end)) >= 0)
            return catalogue_aadsts(n);
    }
    return NULL;
}

/* An OAuth error as a word of its own: its underscore tells it from other words. */
static const struct catalogue_entry *
find_oauth(const struct text *t, size_t at)
{
    char name[NAME_MAX_LEN + 1];
    size_t n = 0;
    bool underscore = false;

    while (at + n < t->len && is_word(t->s[at + n])) {
        if (n == NAME_MAX_LEN)
            return NULL;
        underscore = underscore || t->s[at + n] == '_';
        name[n] = t->s[at + n];
        n++;
    }
    name[n] = '\0';
    return underscore ? catalogue_oauth(name) : NULL;
}

/* A text that is nothing but a number is the number of an AADSTS code. */
static const struct catalogue_entry *
find_lone_number(const struct text *t, size_t *at_r)
{
    const struct catalogue_entry *entry;
    size_t at = 0;
    size_t end = 0;
    int32_t n;

    while (at < t->len && is_blank(t->s[at]))
        at++;
    if ((n = number_at(t, at, &end)) < 0)
        return NULL;
    while (end < t->len && is_blank(t->s[end]))
        end++;
    if (end != t->len || !(entry = catalogue_aadsts(n)))
        return NULL;
    *at_r = at;
    return entry;
}

const struct catalogue_entry *
catalogue_search(const char *text, size_t len, size_t from, size_t *at_r)
{
    const struct text t = {text, len};
    const struct catalogue_entry *entry = NULL;

    if (from == 0 && (entry = find_lone_number(&t, at_r)) != NULL)
        return entry;
    for (size_t at = from; at < len && !entry; at++) {
        char c = lower(text[at]);

        if (c == 'a')
            entry = find_aadsts(&t, at);
        if (!entry && begins_word(&t, at)) {
            entry = find_text(&t, at);
            if (!entry && is_letter(c))
                entry = find_oauth(&t, at);
            if (!entry && c == 'e')
                entry = find_aadsts_key(&t, at);
        }
        if (entry)
            *at_r = at;
    }
    return entry;
}
