#include "words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
word_find(const char *const *words, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return (int)i;
    return -1;
}

#define WORD_MAX 40

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance. Three rows are enough; both words are at most
 * WORD_MAX bytes long. */
static size_t
word_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][WORD_MAX + 1];

    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *before = rows[(i + 1) % 3], *last = rows[(i - 1) % 3], *row = rows[i % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t change = last[j - 1] + (a[i - 1] != b[j - 1]);

            row[j] = least(change, least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

const char *
word_nearest(const char *const *words, size_t count, const char *word)
{
    size_t len = strlen(word);
    size_t best = len / 3 + 1; /* has to be beaten */
    const char *nearest = NULL;

    if (len > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t known_len = strlen(words[i]);
        size_t distance;

        if (known_len > WORD_MAX)
            continue;
        distance = word_distance(word, len, words[i], known_len);
        if (distance < best) {
            best = distance;
            nearest = words[i];
        }
    }
    return nearest;
}

#define SHOWN_PATH_MAX 160

int
config_error(struct err *err, const char *file, int line, const char *format, ...)
{
    size_t len = strlen(file);
    char text[2 *
              ERR_TEXT_MAX]; /* longer than is shown: err_set() cuts between characters */
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len > SHOWN_PATH_MAX)
        return err_set(err, ERR_CONFIG, "...%s:%d: %s", file + len - SHOWN_PATH_MAX, line,
                       text);
    return err_set(err, ERR_CONFIG, "%s:%d: %s", file, line, text);
}

int
config_unknown(struct err *err, const char *file, int line, const char *what,
               const char *word, const char *const *words, size_t count)
{
    const char *nearest = word_nearest(words, count, word);
    char known[ERR_HINT_MAX] = "";
    size_t used = 0;

    if (nearest != NULL)
        return config_error(err, file, line, "unknown %s `%s`; did you mean `%s`?", what,
                            word, nearest);
    config_error(err, file, line, "unknown %s `%s`", what, word);
    for (size_t i = 0; i < count && used < sizeof(known); i++)
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
                                 i == 0 ? "" : ", ", words[i]);
    err_hint(err, "known are: %s", known);
    return ERR_CONFIG;
}

int
config_nomem(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory");
}

/* A word at the top level that is neither a section nor include. */
int
config_unknown_section(struct err *err, const char *file, int line, const char *word)
{
    const char *known[SECTION_COUNT + 1];

    for (size_t k = 0; k < KEY_COUNT; k++) {
        if (strcmp(raw_keys[k].name, word) != 0)
            continue;
        config_error(err, file, line, "`%s` stands outside of every section", word);
        err_hint(err, "put it into account \"NAME\" { ... } or defaults { ... }");
        return ERR_CONFIG;
    }
    memcpy(known, raw_section_names, sizeof(raw_section_names));
    known[SECTION_COUNT] = "include";
    return config_unknown(err, file, line, "section", word, known, SECTION_COUNT + 1);
}

int
config_unknown_key(struct err *err, const char *file, int line, enum section kind,
                   const char *word)
{
    const char *known[KEY_COUNT];
    size_t count = 0;
    bool elsewhere = strcmp(word, "include") == 0;

    for (size_t k = 0; k < KEY_COUNT; k++) {
        if ((raw_keys[k].sections & 1u << kind) != 0)
            known[count++] = raw_keys[k].name;
        else if (strcmp(raw_keys[k].name, word) == 0)
            elsewhere = true;
    }
    if (elsewhere)
        return config_error(err, file, line, "`%s` does not belong into section `%s`",
                            word, raw_section_names[kind]);
    config_unknown(err, file, line, "key", word, known, count);
    if (err->hint[0] != '\0') /* too many to list */
        err_hint(err, "mailbearer.conf(5) lists the keys");
    return ERR_CONFIG;
}
