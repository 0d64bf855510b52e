#include "guard.h"

#include <stdlib.h>
#include <string.h>

#include "values.h"

/* Where the `client_secret = VALUE` we may be in the middle of stands. */
enum secret_state { SECRET_NOT, SECRET_KEY, SECRET_VALUE };

struct scan {
    char *at, *end;
    int line;
    int depth;         /* open braces: 1 in a section, 2 in a list */
    int opened[2];     /* line of each */
    int word_line;     /* of the last word: where a section begins */
    int include_words; /* between parentheses; -1: outside */
    char last;         /* what was seen last: 'w' a text, else punctuation */
    enum secret_state secret;
    const char *file;
    struct guard *guard;
    struct err *err;
};

void
guard_clear(struct guard *guard)
{
    for (size_t i = 0; i < guard->secret_count; i++)
        secret_clear(&guard->secret[i].value);
    free(guard->secret);
    free(guard->section_line);
    memset(guard, 0, sizeof(*guard));
}

static int
add_section(struct guard *guard, int line)
{
    if (guard->section_count == guard->section_room) {
        size_t room = guard->section_room == 0 ? 16 : guard->section_room * 2;
        int *grown = reallocarray(guard->section_line, room, sizeof(*grown));

        if (grown == NULL)
            return ERR_NOMEM;
        guard->section_line = grown;
        guard->section_room = room;
    }
    guard->section_line[guard->section_count++] = line;
    return 0;
}

/* Takes the secret between `from` and `to` over and crosses it out. A backslash stands
 * for the character behind it, between single quotes only before a backslash or quote. */
static int
take_secret(struct scan *s, char *from, const char *to, char quote)
{
    struct guard *guard = s->guard;
    struct guard_secret *grown =
        reallocarray(guard->secret, guard->secret_count + 1, sizeof(*grown));
    struct guard_secret *taken;

    if (grown == NULL)
        return config_nomem(s->err);
    guard->secret = grown;
    taken = &grown[guard->secret_count++];
    memset(taken, 0, sizeof(*taken));
    taken->line = s->line;
    for (; from < to; from++) {
        if (*from == '\\' && quote != 0 &&
            (quote == '"' || from[1] == '\\' || from[1] == '\''))
            *from++ = 'x';
        if (secret_append_char(&taken->value, *from) != 0)
            return config_nomem(s->err);
        *from = 'x';
    }
    return 0;
}

/* libconfuse fails without a word when a key is empty. Elsewhere an empty text is a value
 * or a title, which is looked at later. */
static bool
empty_fits(const struct scan *s)
{
    if (s->depth == 0)
        return s->last == 'w' || s->last == '(';
    return s->last == '=' || s->last == ',' || (s->last == '{' && s->depth == 2);
}

/* A word or quoted text has been seen: text[from..to). */
static int
see_text(struct scan *s, char *from, char *to, char quote)
{
    static const char secret_key[] = "client_secret";
    size_t len = (size_t)(to - from);

    if (len > GUARD_STRING_MAX)
        return config_error(s->err, s->file, s->line, "a text is longer than %d bytes",
                            GUARD_STRING_MAX);
    if (!value_is_utf8(from, len))
        return config_error(s->err, s->file, s->line, "a text is not UTF-8");
    if (len == 0 && !empty_fits(s))
        return config_error(s->err, s->file, s->line, "an empty text does not fit here");
    s->last = 'w';
    s->word_line = s->line;
    if (s->include_words >= 0 && ++s->include_words > 1)
        return config_error(s->err, s->file, s->line, "include() takes one file name");
    if (s->secret == SECRET_VALUE) {
        s->secret = SECRET_NOT;
        return take_secret(s, from, to, quote);
    }
    s->secret = SECRET_NOT;
    if (len == sizeof(secret_key) - 1 && memcmp(from, secret_key, len) == 0)
        s->secret = SECRET_KEY;
    return 0;
}

static int
scan_quoted(struct scan *s)
{
    char quote = *s->at++;
    char *from = s->at;

    for (; s->at < s->end && *s->at != '\n'; s->at++) {
        unsigned char c = (unsigned char)*s->at;
        char next = s->at + 1 < s->end ? s->at[1] : '\n';

        if (c == (unsigned char)quote) {
            int r = see_text(s, from, s->at, quote);

            s->at++;
            return r;
        }
        if (c < 0x20 || c == 0x7f)
            return config_error(s->err, s->file, s->line,
                                "control character 0x%02x in a text", c);
        if (c == '$' && next == '{' && quote == '"') {
            config_error(
                s->err, s->file, s->line,
                "`${` between double quotes: nothing is taken from the environment");
            err_hint(s->err, "write the text between single quotes, or \\${");
            return ERR_CONFIG;
        }
        if (c != '\\' || next == '\n')
            continue;
        if (quote == '"' && next != '\\' && next != '"' && next != '$') {
            config_error(s->err, s->file, s->line,
                         "unknown escape between double quotes; known are \\\\ \\\" \\$");
            err_hint(s->err, "write \\\\ for a backslash, or use single quotes");
            return ERR_CONFIG;
        }
        if (quote == '"' || next == '\\' || next == '\'')
            s->at++;
    }
    return config_error(s->err, s->file, s->line,
                        "the text has no closing %c on this line", quote);
}

/* Comments become spaces. */
static int
scan_comment(struct scan *s)
{
    int begin = s->line;

    if (s->at[0] == '#' || s->at[1] == '/') {
        for (; s->at < s->end && *s->at != '\n'; s->at++)
            *s->at = ' ';
        return 0;
    }
    s->at[0] = s->at[1] = ' ';
    for (s->at += 2; s->at < s->end; s->at++) {
        if (s->at[0] == '*' && s->at + 1 < s->end && s->at[1] == '/') {
            s->at[0] = s->at[1] = ' ';
            s->at += 2;
            return 0;
        }
        if (*s->at == '\n')
            s->line++;
        else
            *s->at = ' ';
    }
    return config_error(s->err, s->file, begin, "the comment is never closed by */");
}

static int
scan_brace(struct scan *s)
{
    if (*s->at++ == '}') {
        if (s->depth == 0)
            return config_error(s->err, s->file, s->line, "`}` closes nothing");
        s->depth--;
        return 0;
    }
    if (s->depth == 2)
        return config_error(s->err, s->file, s->line,
                            "`{` inside a list; the section of line %d may lack its `}`",
                            s->opened[0]);
    if (s->depth == 0 && add_section(s->guard, s->word_line) != 0)
        return config_nomem(s->err);
    s->opened[s->depth++] = s->line;
    return 0;
}

static int
scan_parenthesis(struct scan *s)
{
    bool opens = *s->at++ == '(';

    if (opens == (s->include_words >= 0))
        return config_error(s->err, s->file, s->line, "`%c` fits nothing",
                            opens ? '(' : ')');
    s->include_words = opens ? 0 : -1;
    return 0;
}

/* libconfuse would end the word here and drop or misread what follows. */
static bool
word_is_cut(const struct scan *s)
{
    char next = s->at < s->end ? *s->at : '\n';

    return next == '+' || next == '*' || next == '\'' || next == '"' ||
           (next == '{' && s->at[-1] == '$');
}

static int
scan_word(struct scan *s)
{
    char *from = s->at;
    unsigned char c;

    while (s->at < s->end && (unsigned char)*s->at > 0x20 &&
           strchr("#\"'={}()+,*\x7f", *s->at) == NULL)
        s->at++;
    if (s->at > from && !word_is_cut(s))
        return see_text(s, from, s->at, 0);
    c = (unsigned char)*s->at;
    if (c < 0x20 || c == 0x7f)
        return config_error(s->err, s->file, s->line, "control character 0x%02x", c);
    config_error(s->err, s->file, s->line, "`%c` inside a text without quotes", c);
    err_hint(s->err, "write a text with # ' \" = { } ( ) + , * or ${ between quotes");
    return ERR_CONFIG;
}

static int
scan_one(struct scan *s)
{
    char c = *s->at;
    char next = s->at + 1 < s->end ? s->at[1] : '\n';

    if (c == '\n')
        s->line++;
    if (c == '\r' && next == '\n')
        *s->at = ' ';
    if (*s->at == ' ' || c == '\t' || c == '\n') {
        s->at++;
        return 0;
    }
    if (c == '#' || (c == '/' && (next == '/' || next == '*')))
        return scan_comment(s);
    if (c == '"' || c == '\'')
        return scan_quoted(s);
    if (s->include_words >= 0 && strchr("{}=,", c) != NULL)
        return config_error(s->err, s->file, s->line, "include() takes one file name");
    s->last = c;
    if (c == '{' || c == '}' || c == '=' || c == ',') {
        s->secret = c == '=' && s->secret == SECRET_KEY ? SECRET_VALUE : SECRET_NOT;
        if (c == '{' || c == '}')
            return scan_brace(s);
        s->at++;
        return 0;
    }
    if (c == '(' || c == ')')
        return scan_parenthesis(s);
    return scan_word(s);
}

int
guard_text(char *text, size_t len, const char *file, struct guard *guard, struct err *err)
{
    struct scan s = {.at = text,
                     .end = text + len,
                     .line = 1,
                     .include_words = -1,
                     .file = file,
                     .guard = guard,
                     .err = err};
    int r = 0;

    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        memcpy(text, "   ", 3); /* byte order mark, as some editors write it */
    while (s.at < s.end && (r = scan_one(&s)) == 0)
        ;
    if (r == 0 && s.depth > 0)
        r = config_error(err, file, s.opened[s.depth - 1], "this `{` has no closing `}`");
    if (r == 0 && s.include_words >= 0)
        r = config_error(err, file, s.line, "include( has no closing `)`");
    if (r != 0)
        guard_clear(guard);
    return r;
}
