/* fuzz_catalogue.c - known errors found in any text. */
#include "fuzz.h"

#include "catalogue/catalogue.h"

static bool
is_row(const struct catalogue_entry *entry)
{
    const struct catalogue_entry *row;

    for (size_t i = 0; (row = catalogue_row(i)) != NULL; i++)
        if (row == entry)
            return true;
    return false;
}

static void
remedy(const struct catalogue_entry *entry, const char *value, size_t size)
{
    const struct catalogue_values values = {value, value, value, NULL};
    char *buf = malloc(size > 0 ? size : 1);

    FUZZ_CHECK(buf != NULL);
    buf[0] = 'x';
    FUZZ_CHECK(catalogue_remedy(entry, &values, buf, size) == buf);
    FUZZ_CHECK(size == 0 ? buf[0] == 'x' : strlen(buf) < size);
    free(buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size), *value = fuzz_string(data, size);
    const struct catalogue_entry *entry, *again;
    size_t from = 0, at = 0, second = 0;

    while ((entry = catalogue_search(text, size, from, &at)) != NULL) {
        FUZZ_CHECK(at >= from && at < size);
        FUZZ_CHECK(is_row(entry));
        FUZZ_CHECK(entry->meaning[0] != '\0' && entry->remedy[0] != '\0');
        /* nothing before it: from anywhere up to here it is the next one */
        again = catalogue_search(text, size, at, &second);
        FUZZ_CHECK(again == entry && second == at);
        remedy(entry, value, from % 700);
        from = at + 1;
    }
    at = size;
    FUZZ_CHECK(catalogue_search(text, size, from, &at) == NULL && at == size);
    entry = catalogue_oauth(value);
    FUZZ_CHECK(entry == NULL || is_row(entry));
    free(text);
    free(value);
    return 0;
}
