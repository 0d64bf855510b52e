#include "postfix_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sorted by key; of one key, those of postfix_keys before those made from `smtp`. */
struct key_entry {
    const char *key; /* borrowed from the account */
    const struct account *account;
};

struct key_index {
    size_t count;
    struct key_entry entry[];
};

/* The forms in which a relayhost or transport may name the server. An IPv6 address is
 * never without brackets where a port may follow. */
int
postfix_keys_default(struct account *account)
{
    const struct server *smtp = &account->server[PROTOCOL_SMTP];
    bool address6 = smtp->host != NULL && strchr(smtp->host, ':') != NULL;
    struct name_list *list = &account->postfix_keys;

    if (smtp->host == NULL)
        return 0;
    if ((list->names = calloc(3, sizeof(*list->names))) == NULL)
        return ERR_NOMEM;
    for (int form = 0; form < 3; form++) {
        char **name = &list->names[list->count];
        int n = form == 0 ? asprintf(name, "[%s]:%d", smtp->host, smtp->port)
                : form == 1
                    ? asprintf(name, address6 ? "[%s]" : "%s:%d", smtp->host, smtp->port)
                    : asprintf(name, "%s", smtp->host);

        if (n < 0) {
            *name = NULL;
            return ERR_NOMEM;
        }
        list->count++;
    }
    return 0;
}

static int
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

/* Not strcasecmp(): that follows the locale. */
static int
compare_keys(const char *a, const char *b)
{
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) - lower(*b);
}

static int
compare_entries(const void *a, const void *b)
{
    const struct key_entry *x = a, *y = b;
    int order = compare_keys(x->key, y->key);

    if (order != 0)
        return order;
    if (x->account->postfix_keys_given != y->account->postfix_keys_given)
        return x->account->postfix_keys_given ? -1 : 1;
    return x->account < y->account ? -1 : x->account > y->account;
}

int
key_index_make(struct accounts *accounts)
{
    size_t count = 0;
    struct key_index *index;

    for (size_t i = 0; i < accounts->count; i++)
        count += accounts->account[i].postfix_keys.count;
    if ((index = malloc(sizeof(*index) + count * sizeof(index->entry[0]))) == NULL)
        return ERR_NOMEM;
    index->count = 0;
    for (size_t i = 0; i < accounts->count; i++) {
        const struct account *account = &accounts->account[i];

        for (size_t k = 0; k < account->postfix_keys.count; k++) {
            index->entry[index->count].key = account->postfix_keys.names[k];
            index->entry[index->count++].account = account;
        }
    }
    qsort(index->entry, index->count, sizeof(index->entry[0]), compare_entries);
    accounts->keys = index;
    return 0;
}

void
key_index_free(struct key_index **keys)
{
    free(*keys);
    *keys = NULL;
}

/* The first entry that is not before `key`. */
static size_t
lower_bound(const struct key_index *keys, const char *key)
{
    size_t from = 0, to = keys->count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (compare_keys(keys->entry[middle].key, key) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

int
accounts_find_key(const struct accounts *accounts, const char *key,
                  const struct account **account_r, struct err *err)
{
    const struct key_index *keys = accounts->keys;
    size_t i = lower_bound(keys, key);
    const struct account *found;

    if (i == keys->count || compare_keys(keys->entry[i].key, key) != 0)
        return err_set(err, ERR_NOACCOUNT, "no account lists `%s`", key);
    found = keys->entry[i].account;
    /* An account may list one key twice; a default loses against what somebody wrote. */
    while (++i < keys->count && compare_keys(keys->entry[i].key, key) == 0) {
        const struct account *other = keys->entry[i].account;

        if (other == found)
            continue;
        if (other->postfix_keys_given != found->postfix_keys_given)
            break;
        err_set(err, ERR_CONFIG, "`%s` fits account `%s` and account `%s`", key,
                found->name, other->name);
        err_hint(err, "give postfix_keys to the account that is to answer");
        return ERR_CONFIG;
    }
    *account_r = found;
    return 0;
}
