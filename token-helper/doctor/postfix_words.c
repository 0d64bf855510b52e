/* postfix_words.c - see postfix_words.h. */
#include "postfix_words.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../client/error.h"

#define HOST_CHARACTERS                                                                  \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]"
#define SEPARATORS ", \t\r\n"

const char *
words_next(const char **at, size_t *len_r)
{
    const char *word = *at + strspn(*at, SEPARATORS), *end = word;
    int depth = 0;

    for (; *end != '\0' && (depth > 0 || strchr(SEPARATORS, *end) == NULL); end++)
        depth += *end == '{' ? 1 : *end == '}' ? -1 : 0;
    *at = end;
    *len_r = (size_t)(end - word);
    return end > word ? word : NULL;
}

bool
words_have(const char *list, const char *word)
{
    const char *found;
    size_t len;

    while ((found = words_next(&list, &len)) != NULL)
        if (len == strlen(word) && strncasecmp(found, word, len) == 0)
            return true;
    return false;
}

static bool
port_parse(const char *text, int *port_r)
{
    char *end;
    long port;

    *port_r = 0;
    if (strcmp(text, "smtp") == 0)
        *port_r = 25;
    else if (strcmp(text, "submission") == 0)
        *port_r = 587;
    else if (strcmp(text, "smtps") == 0 || strcmp(text, "submissions") == 0)
        *port_r = 465;
    else if ((port = strtol(text, &end, 10)) > 0 && port < 65536 && *end == '\0')
        *port_r = (int)port;
    return text[0] != '\0';
}

bool
nexthop_parse(const char *text, size_t len, struct nexthop *hop_r)
{
    struct nexthop hop = {.port = 25};
    const char *end;
    size_t host_len;

    if (len == 0 || len >= sizeof hop.text || memchr(text, '\0', len) != NULL)
        return false;
    memcpy(hop.text, text, len);
    /* It goes into commands that people are told to run. */
    if (strspn(hop.text, HOST_CHARACTERS) != len)
        return false;
    hop.bracketed = hop.text[0] == '[';
    end = hop.bracketed ? strchr(hop.text, ']') : hop.text + strcspn(hop.text, ":");
    if (end == NULL)
        return false;
    host_len = (size_t)(end - hop.text) - (hop.bracketed ? 1 : 0);
    memcpy(hop.host, hop.text + (hop.bracketed ? 1 : 0), host_len);
    if (hop.bracketed)
        end++;
    if (host_len == 0 || (*end != '\0' && *end != ':') ||
        (*end == ':' && !port_parse(end + 1, &hop.port)))
        return false;
    *hop_r = hop;
    return true;
}

bool
transport_split(const char *text, char *name_r, size_t size, const char **nexthop_r)
{
    size_t len = strcspn(text, ":");

    if (len == 0 || len >= size)
        return false;
    memcpy(name_r, text, len);
    name_r[len] = '\0';
    *nexthop_r = text[len] == ':' ? text + len + 1 : text + len;
    return true;
}

static bool
copy(char to[ENTRY_TEXT_MAX], const char *from, size_t len)
{
    if (len >= ENTRY_TEXT_MAX)
        return false;
    memcpy(to, from, len);
    to[len] = '\0';
    return true;
}

void
entry_parse(const struct secret *value, struct entry *entry_r)
{
    const char *text = secret_str(value), *colon = strchr(text, ':'), *password;
    struct entry e = {ENTRY_LITERAL, "", ""};
    const char *where = NULL;

    password = colon != NULL ? colon + 1 : "";
    if (password[0] == '\0')
        e.kind = ENTRY_EMPTY;
    else if (strncmp(password, "agent:", 6) == 0)
        e.kind = ENTRY_AGENT, where = password + 6;
    else if (strncmp(password, "file:", 5) == 0)
        e.kind = ENTRY_FILE, where = password + 5;
    if (where != NULL) {
        size_t user_len = (size_t)(colon - text);

        if (e.kind == ENTRY_AGENT && where[0] == '\0') /* the account is the user name */
            where = NULL;
        if (!copy(e.user, text, user_len) ||
            !copy(e.where, where != NULL ? where : text,
                  where != NULL ? strlen(where) : user_len))
            e = (struct entry){ENTRY_LITERAL, "", ""};
    }
    *entry_r = e;
}

int
static_lookup(const char *table, struct secret *value_r)
{
    size_t len = strlen(table);

    /* static:{ two words } */
    if (len >= 2 && table[0] == '{' && table[len - 1] == '}') {
        table++;
        len -= 2;
        while (len > 0 && strchr(SEPARATORS, table[0]) != NULL)
            table++, len--;
        while (len > 0 && strchr(SEPARATORS, table[len - 1]) != NULL)
            len--;
    }
    return secret_set(value_r, table, len);
}

/* "key = value" of `len` bytes; ERR_NOACCOUNT: another key. */
static int
inline_entry(const char *text, size_t len, const char *key, struct secret *value_r)
{
    const char *equals = memchr(text, '=', len);
    size_t key_len, value_len;

    if (equals == NULL)
        return ERR_CONFIG;
    key_len = (size_t)(equals - text);
    while (key_len > 0 && strchr(SEPARATORS, text[key_len - 1]) != NULL)
        key_len--;
    if (key_len != strlen(key) || strncasecmp(text, key, key_len) != 0)
        return ERR_NOACCOUNT;
    value_len = len - (size_t)(equals + 1 - text);
    for (equals++; value_len > 0 && strchr(SEPARATORS, *equals) != NULL; equals++)
        value_len--;
    while (value_len > 0 && strchr(SEPARATORS, equals[value_len - 1]) != NULL)
        value_len--;
    return secret_set(value_r, equals, value_len);
}

/* Its end is the last brace: words_next() has taken the table's name up to there. */
int
inline_lookup(const char *table, const char *key, struct secret *value_r)
{
    size_t len = strlen(table), word_len;
    struct secret inner = SECRET_INIT;
    const char *at, *word;
    int r;

    if (len < 2 || table[0] != '{' || table[len - 1] != '}')
        return ERR_CONFIG;
    if ((r = secret_set(&inner, table + 1, len - 2)) != 0)
        return r;
    at = secret_str(&inner);
    r = ERR_NOACCOUNT;
    while (r == ERR_NOACCOUNT && (word = words_next(&at, &word_len)) != NULL) {
        if (word[0] == '{' && word[word_len - 1] == '}') {
            size_t blank = 1 + strspn(word + 1, SEPARATORS);

            if (blank > word_len - 1)
                blank = word_len - 1;
            r = inline_entry(word + blank, word_len - blank - 1, key, value_r);
        } else {
            r = inline_entry(word, word_len, key, value_r);
        }
    }
    secret_clear(&inner);
    return r;
}
