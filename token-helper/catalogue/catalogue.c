/* catalogue.c - look-ups by number and name, and remedies with their blanks filled in. */
#include "catalogue.h"

#include <string.h>

#include "catalogue_table.h"

static const struct catalogue_entry *
number_find(const struct catalogue_number *table, size_t count, int64_t number)
{
    size_t lo = 0;
    size_t hi = count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (number < table[mid].first)
            hi = mid;
        else if (number > table[mid].last)
            lo = mid + 1;
        else
            return &catalogue_rows[table[mid].row];
    }
    return NULL;
}

const struct catalogue_entry *
catalogue_aadsts(int64_t number)
{
    return number_find(catalogue_aadsts_numbers, catalogue_aadsts_count, number);
}

const struct catalogue_entry *
catalogue_http(long status)
{
    return number_find(catalogue_http_numbers, catalogue_http_count, status);
}

const struct catalogue_entry *
catalogue_oauth(const char *error)
{
    for (size_t i = 0; i < catalogue_name_count; i++) {
        if (strcmp(catalogue_names[i].name, error) == 0)
            return &catalogue_rows[catalogue_names[i].row];
    }
    return NULL;
}

const struct catalogue_entry *
catalogue_row(size_t i)
{
    return i < catalogue_row_count ? &catalogue_rows[i] : NULL;
}

const char *
catalogue_class_name(enum catalogue_class class_)
{
    switch (class_) {
    case CATALOGUE_TRANSIENT:
        return "transient";
    case CATALOGUE_USER_ACTION:
        return "user-action";
    case CATALOGUE_CONFIG:
        return "config";
    case CATALOGUE_PERMANENT:
        return "permanent";
    }
    return "unknown";
}

/* What stands for the placeholder at `at`, and in *len_r how long the placeholder is;
 * NULL when none begins there. */
static const char *
placeholder_value(const char *at, const struct catalogue_values *values, size_t *len_r)
{
    const struct {
        const char *name, *value, *unknown;
    } known[] = {
        {"{mailbox}", values ? values->mailbox : NULL, "<mailbox>"},
        {"{account}", values ? values->account : NULL, "<account>"},
        {"{client_id}", values ? values->client_id : NULL, "<client_id>"},
        {"{tenant}", values ? values->tenant : NULL, "<tenant>"},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t len = strlen(known[i].name);

        if (strncmp(at, known[i].name, len) == 0) {
            *len_r = len;
            return known[i].value ? known[i].value : known[i].unknown;
        }
    }
    return NULL;
}

char *
catalogue_remedy(const struct catalogue_entry *entry,
                 const struct catalogue_values *values, char *buf, size_t size)
{
    const char *in = entry->remedy;
    size_t out = 0;

    if (size == 0)
        return buf;
    while (*in && out < size - 1) {
        size_t skip = 0;
        const char *value = *in == '{' ? placeholder_value(in, values, &skip) : NULL;

        if (!value) {
            buf[out++] = *in++;
            continue;
        }
        for (; *value && out < size - 1; value++)
            buf[out++] = *value;
        in += skip;
    }
    buf[out] = '\0';
    return buf;
}
