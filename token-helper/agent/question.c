/* question.c - see question.h. */
#include "question.h"

#include <string.h>

#define KEY_MAX 1024 /* an account's name or a map key; a token may be longer */

static const char *const names[] = {
    [QUESTION_VERSION] = "version",   [QUESTION_TOKEN] = "token",
    [QUESTION_SASL] = "sasl",         [QUESTION_REJECTED] = "rejected",
    [QUESTION_UPSTREAM] = "upstream", [QUESTION_STATUS] = "status"};

const char *
question_name(enum question_kind kind)
{
    return names[kind];
}

static bool
kind_from_name(const char *name, size_t len, enum question_kind *kind_r)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0) {
            *kind_r = (enum question_kind)i;
            return true;
        }
    return false;
}

/* Splits at the first space: *head borrows, *rest is what follows. */
static bool
split(const char **rest, size_t *rest_len, const char **head, size_t *head_len)
{
    const char *space = memchr(*rest, ' ', *rest_len);

    if (space == NULL)
        return false;
    *head = *rest;
    *head_len = (size_t)(space - *rest);
    *rest_len -= *head_len + 1;
    *rest = space + 1;
    return true;
}

static int
unknown(struct err *err)
{
    err_set(err, ERR_PERSON, "not a request this agent knows");
    err_hint(err, "the requests are: token, sasl, rejected, upstream, status, version");
    return ERR_PERSON;
}

/* A key as a C string; a NUL inside could make two names one. */
static int
key_string(const char *bytes, size_t len, char key_r[KEY_MAX], struct err *err)
{
    if (len == 0 || len >= KEY_MAX || memchr(bytes, '\0', len) != NULL)
        return err_set(err, ERR_NOACCOUNT, "no such account");
    memcpy(key_r, bytes, len);
    key_r[len] = '\0';
    return 0;
}

static int
find_account(const struct accounts *accounts, const char *key, struct question *q,
             struct err *err)
{
    if (q->kind == QUESTION_SASL) {
        int r = accounts_find_key(accounts, key, &q->account, err);

        /* To Postfix an ambiguous key must be a refusal: on NOTFOUND it would go on
         * without authentication. */
        if (r == ERR_CONFIG)
            err->code = r = ERR_PERSON;
        return r;
    }
    if ((q->account = accounts_find(accounts, key)) == NULL)
        return err_set(err, ERR_NOACCOUNT, "no such account");
    return 0;
}

int
question_read(const struct accounts *accounts, const struct permits *permits,
              const char *payload, size_t len, uid_t uid, struct question *question_r,
              struct err *err)
{
    struct question q = {.kind = QUESTION_VERSION};
    const char *rest = payload, *head;
    size_t rest_len = len, head_len;
    char key[KEY_MAX];
    int r;

    if (len == strlen(names[QUESTION_VERSION]) &&
        memcmp(payload, names[QUESTION_VERSION], len) == 0) {
        *question_r = q;
        return 0;
    }
    if (!split(&rest, &rest_len, &head, &head_len) ||
        !kind_from_name(head, head_len, &q.kind))
        return unknown(err);
    if (q.kind == QUESTION_REJECTED) {
        if (!split(&rest, &rest_len, &q.token, &q.token_len))
            return unknown(err);
    } else if (q.kind == QUESTION_UPSTREAM) {
        char word[16] = "";

        if (!split(&rest, &rest_len, &head, &head_len) || head_len >= sizeof word)
            return unknown(err);
        memcpy(word, head, head_len);
        if ((q.protocol = protocol_from_name(word)) == PROTOCOL_COUNT)
            return unknown(err);
    }
    if (q.kind != QUESTION_VERSION) {
        if ((r = key_string(rest, rest_len, key, err)) != 0 ||
            (r = find_account(accounts, key, &q, err)) != 0 ||
            (permits != NULL && (r = permits_check(permits, q.account, uid, err)) != 0))
            return r;
    }
    *question_r = q;
    return 0;
}
