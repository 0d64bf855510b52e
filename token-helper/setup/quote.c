/* quote.c - see quote.h. */
#include "quote.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

struct kind {
    const char *name;
    const char *only;    /* nothing but these (and what is not ASCII); NULL: all */
    const char *refused; /* not these; NULL: none */
    const char *escaped; /* a backslash before these; NULL: none */
    bool shell_words;    /* a command's words are quoted for sh first */
    bool shell_value;    /* a single word is as well */
    bool trimmed;        /* refuse a blank at either end */
    bool percent;        /* percent-encode all but the unreserved */
};

static const char safe_word[] = ALNUM "@+,-./:=_";

static const struct kind kinds[] = {
    {.name = "word", .only = safe_word},
    {.name = "shell", .shell_words = true, .shell_value = true},
    {.name = "dquote", .escaped = "\"\\", .shell_words = true},
    {.name = "dollar", .escaped = "\"\\$`", .shell_words = true},
    {.name = "squote", .refused = "'", .shell_words = true},
    {.name = "line", .refused = "\"#;%\\`", .shell_words = true, .trimmed = true},
    {.name = "raw", .shell_words = true},
    {.name = "url", .percent = true},
};

static const struct kind *
find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

int
quote_is_kind(const char *kind)
{
    return find_kind(kind) != NULL;
}

static int
refuse(struct err *err, const char *what)
{
    return err_set(err, ERR_CONFIG, "cannot be written there: it has %s", what);
}

static bool
is_safe(char c)
{
    return (c & 0x80) != 0 || (c != '\0' && strchr(safe_word, c) != NULL);
}

/* A word for sh: as it is, or in '...', where only ' itself needs care. */
static int
append_shell_word(const char *word, size_t len, struct secret *out)
{
    bool plain = len > 0;
    int r;

    for (size_t i = 0; i < len; i++)
        plain = plain && is_safe(word[i]);
    if (plain)
        return secret_append(out, word, len);
    r = secret_append_char(out, '\'');
    for (size_t i = 0; r == 0 && i < len; i++)
        r = word[i] == '\'' ? secret_append_str(out, "'\\''")
                            : secret_append_char(out, word[i]);
    return r != 0 ? r : secret_append_char(out, '\'');
}

/* The value as one text, its words joined by blanks. */
static int
join_words(const struct kind *kind, const char *value, size_t len, struct secret *out)
{
    const char *end = value + len;
    bool command = memchr(value, '\0', len) != NULL;
    int r = 0;

    for (const char *word = value; r == 0 && word <= end;) {
        const char *next = memchr(word, '\0', (size_t)(end - word));
        size_t word_len = (size_t)((next == NULL ? end : next) - word);

        if (word != value)
            r = secret_append_char(out, ' ');
        if (r == 0)
            r = kind->shell_value || (command && kind->shell_words)
                    ? append_shell_word(word, word_len, out)
                    : secret_append(out, word, word_len);
        word += word_len + 1;
    }
    return r;
}

/* What prevents this character; false when nothing does. */
static bool
is_refused(const struct kind *kind, char c, char what[16])
{
    bool control = (unsigned char)c < 0x20 || c == 0x7f;

    if (!control && (kind->only == NULL || is_safe(c)) &&
        (kind->refused == NULL || strchr(kind->refused, c) == NULL))
        return false;
    snprintf(what, 16, control ? "a control byte" : c == ' ' ? "a blank" : "`%c`", c);
    return true;
}

/* No character of the value prevents it. The NULs between words are not characters. */
static int
check(const struct kind *kind, const char *value, size_t len, struct err *err)
{
    char what[16];

    for (size_t i = 0; i < len; i++)
        if (value[i] != '\0' && is_refused(kind, value[i], what))
            return refuse(err, what);
    if (kind->trimmed && len > 0 && (value[0] == ' ' || value[len - 1] == ' '))
        return refuse(err, "a blank at its end");
    if (kind->percent && memchr(value, '\0', len) != NULL)
        return refuse(err, "several words");
    return 0;
}

/* Quoting a command for sh may have brought in what the value itself did not have. */
static int
check_joined(const struct kind *kind, const struct secret *joined, struct err *err)
{
    for (size_t i = 0; kind->refused != NULL && i < joined->len; i++)
        if (strchr(kind->refused, joined->data[i]) != NULL)
            return refuse(err, "what sh needs quoted");
    return 0;
}

static int
append_char(const struct kind *kind, char c, struct secret *out)
{
    char code[4];

    if (kind->percent && (c == '\0' || strchr(ALNUM "-._~", c) == NULL)) {
        snprintf(code, sizeof code, "%%%02X", (unsigned)(unsigned char)c);
        return secret_append_str(out, code);
    }
    if (kind->escaped != NULL && strchr(kind->escaped, c) != NULL &&
        secret_append_char(out, '\\') != 0)
        return ERR_NOMEM;
    return secret_append_char(out, c);
}

int
quote_append(const char *kind_name, const char *value, size_t len, struct secret *out,
             struct err *err)
{
    const struct kind *kind = find_kind(kind_name);
    struct secret joined = SECRET_INIT;
    int r;

    if (kind == NULL)
        return err_set(err, ERR_CONFIG, "is to be quoted in an unknown way: %s",
                       kind_name);
    if ((r = check(kind, value, len, err)) != 0)
        return r;
    if ((r = join_words(kind, value, len, &joined)) == 0 &&
        (r = check_joined(kind, &joined, err)) == 0)
        for (size_t i = 0; r == 0 && i < joined.len; i++)
            r = append_char(kind, joined.data[i], out);
    secret_clear(&joined);
    return r == 0 || r == ERR_CONFIG ? r : err_set(err, ERR_NOMEM, "out of memory");
}
