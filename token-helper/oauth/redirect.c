/* redirect.c - see redirect.h. */
#include "redirect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../catalogue/catalogue.h"

#define SHOWN_MAX 200 /* bytes of a foreign text in ours */

/* --- what comes back -------------------------------------------------------------------
 */

void
redirect_clear(struct redirect *r)
{
    secret_clear(&r->code);
    secret_clear(&r->state);
    secret_clear(&r->error);
    secret_clear(&r->description);
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Appends what application/x-www-form-urlencoded stands for. 0, ERR_PROTOCOL, ERR_NOMEM.
 */
static int
decode(const char *text, size_t len, struct secret *out)
{
    int r = 0;

    for (size_t i = 0; i < len && r == 0; i++) {
        char c = text[i] == '+' ? ' ' : text[i];

        if (c == '%') {
            int high = i + 2 < len ? hex_value(text[i + 1]) : -1;
            int low = i + 2 < len ? hex_value(text[i + 2]) : -1;

            if (high < 0 || low < 0)
                return ERR_PROTOCOL;
            c = (char)(high * 16 + low);
            i += 2;
        }
        r = secret_append_char(out, c);
    }
    return r;
}

static struct secret *
find_field(struct redirect *r, const char *name, size_t len)
{
    const struct {
        const char *name;
        struct secret *field;
    } known[] = {{"code", &r->code},
                 {"state", &r->state},
                 {"error", &r->error},
                 {"error_description", &r->description}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0)
            return known[i].field;
    return NULL;
}

/* Takes one name=value. Which of two values counts is what programs disagree about, so a
 * second one is refused. */
static int
take_pair(const char *pair, size_t len, struct redirect *r, bool seen[4], struct err *err)
{
    const char *equals = memchr(pair, '=', len);
    size_t name = equals != NULL ? (size_t)(equals - pair) : len;
    struct secret *field = find_field(r, pair, name);
    size_t which;
    int code;

    if (field == NULL)
        return 0;
    which = (size_t)(field - &r->code);
    if (seen[which])
        return err_set(err, ERR_PROTOCOL, "the address names a parameter twice");
    seen[which] = true;
    if (equals == NULL)
        return 0;
    code = decode(equals + 1, len - name - 1, field);
    if (code == ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "out of memory");
    /* A description may run over lines; what is shown of it is cleaned anyway. */
    if (code != 0 || (field != &r->description && secret_has_control(field)))
        return err_set(err, ERR_PROTOCOL, "the address is badly encoded");
    return 0;
}

int
redirect_parse(const char *query, size_t len, struct redirect *redirect_r,
               struct err *err)
{
    struct redirect r = REDIRECT_INIT;
    bool seen[4] = {false, false, false, false};
    int code = 0;

    if (len > REDIRECT_QUERY_MAX)
        return err_set(err, ERR_PROTOCOL, "the address is longer than %u bytes",
                       REDIRECT_QUERY_MAX);
    while (len > 0 && code == 0) {
        const char *end = memchr(query, '&', len);
        size_t n = end != NULL ? (size_t)(end - query) : len;

        code = take_pair(query, n, &r, seen, err);
        query += n;
        len -= n;
        if (len > 0) {
            query++;
            len--;
        }
    }
    if (code == 0 && r.code.len > 0 && r.error.len > 0)
        code = err_set(err, ERR_PROTOCOL, "the address holds both a code and an error");
    if (code != 0) {
        redirect_clear(&r);
        return code;
    }
    redirect_clear(redirect_r);
    *redirect_r = r;
    return 0;
}

static bool
begins_with_field(const char *text, size_t len)
{
    struct redirect none = REDIRECT_INIT;
    const char *equals = memchr(text, '=', len);

    return equals != NULL && find_field(&none, text, (size_t)(equals - text)) != NULL;
}

int
redirect_find_query(const char *text, size_t len, const char **query_r, size_t *len_r,
                    struct err *err)
{
    static const char around[] = " \t\r\n\"'<>";
    const char *mark, *end;

    while (len > 0 && strchr(around, text[0]) != NULL) {
        text++;
        len--;
    }
    while (len > 0 && strchr(around, text[len - 1]) != NULL)
        len--;
    if ((end = memchr(text, '#', len)) != NULL)
        len = (size_t)(end - text);
    if ((mark = memchr(text, '?', len)) != NULL) {
        *query_r = mark + 1;
        *len_r = len - (size_t)(mark + 1 - text);
        return 0;
    }
    if (begins_with_field(text, len)) {
        *query_r = text;
        *len_r = len;
        return 0;
    }
    err_set(err, ERR_USAGE, "that is not the address the browser was sent back to");
    err_hint(err, "copy all of it out of the browser's address line: it holds `code=` "
                  "and `state=`");
    return ERR_USAGE;
}

/* --- an error instead of a code --------------------------------------------------------
 */

static const struct catalogue_entry *
find_entry(const char *error, const char *description, int64_t *number_r)
{
    const struct catalogue_entry *entry = NULL;

    *number_r = 0;
    if (strncmp(description, "AADSTS", 6) == 0)
        *number_r = strtoll(description + 6, NULL, 10);
    if (*number_r > 0)
        entry = catalogue_aadsts(*number_r);
    return entry != NULL ? entry : catalogue_oauth(error);
}

int
redirect_refusal(const struct redirect *redirect, const struct account *account,
                 struct err *err)
{
    struct catalogue_values values = {account->user, account->name, account->client_id,
                                      account->tenant};
    const char *error = secret_str(&redirect->error);
    const char *text = secret_str(&redirect->description);
    char number[40] = "", remedy[ERR_HINT_MAX];
    size_t first_line = strcspn(text, "\r\n");
    int shown = first_line < SHOWN_MAX ? (int)first_line : SHOWN_MAX;
    const struct catalogue_entry *entry;
    int64_t n;
    int code = strcmp(error, "temporarily_unavailable") == 0 ||
                       strcmp(error, "server_error") == 0
                   ? ERR_TEMP
                   : ERR_PERSON;

    entry = find_entry(error, text, &n);
    if (n > 0)
        snprintf(number, sizeof number, "AADSTS%lld: ", (long long)n);
    if (entry != NULL)
        err_set(err, code, "%s%s (%.64s)", number, entry->meaning, error);
    else if (text[0] != '\0')
        err_set(err, code, "the provider refused the sign-in: %.*s (%.64s)", shown, text,
                error);
    else
        err_set(err, code, "the provider refused the sign-in (%.64s)", error);
    if (entry != NULL)
        err_hint(err, "%s", catalogue_remedy(entry, &values, remedy, sizeof remedy));
    else
        err_hint(err, "try again: mailbearer login %s", account->name);
    return code;
}
