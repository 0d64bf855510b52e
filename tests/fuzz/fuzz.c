/* fuzz.c - see fuzz.h. */
#include "fuzz.h"

/* Without malloc(), which may be what is failing at present. */
void
fuzz_plain(const char *text, size_t size)
{
    static char again[1 << 20];
    size_t len = strnlen(text, size);

    FUZZ_CHECK(len < size && len < sizeof again);
    memcpy(again, text, len + 1);
    FUZZ_CHECK(err_clean(again, len) == len && memcmp(again, text, len) == 0);
}

void
fuzz_result(int r, const struct err *err, unsigned may)
{
    if (r == 0) {
        FUZZ_CHECK(err->code == ERR_NONE && err->text[0] == '\0' && err->hint[0] == '\0');
        return;
    }
    if (r < 0 || r > ERR_CONFIG || (may & MAY(r)) == 0) {
        fprintf(stderr, "result %d is not one the header names: %s -> %s\n", r, err->text,
                err->hint);
        abort();
    }
    FUZZ_CHECK(err->code == r);
    FUZZ_CHECK(err->text[0] != '\0');
    fuzz_plain(err->text, sizeof err->text);
    fuzz_plain(err->hint, sizeof err->hint);
}

/* By hand: memmem() would teach the fuzzer our own texts. */
static bool
is_at(const char *a, const char *b, size_t len)
{
    while (len > 0 && *a == *b) {
        a++;
        b++;
        len--;
    }
    return len == 0;
}

bool
fuzz_holds_piece(const char *buf, size_t buf_len, const char *bytes, size_t len)
{
    size_t piece = len < FUZZ_PIECE ? len : FUZZ_PIECE;

    if (piece == 0)
        return false;
    for (size_t i = 0; i + piece <= buf_len; i++)
        for (size_t k = 0; k + piece <= len; k++)
            if (is_at(buf + i, bytes + k, piece))
                return true;
    return false;
}

void
fuzz_not_in(const struct err *err, const char *bytes, size_t len)
{
    if (len < FUZZ_PIECE)
        return;
    FUZZ_CHECK(!fuzz_holds_piece(err->text, strlen(err->text), bytes, len));
    FUZZ_CHECK(!fuzz_holds_piece(err->hint, strlen(err->hint), bytes, len));
}

char *
fuzz_copy(const uint8_t *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);

    FUZZ_CHECK(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

char *
fuzz_string(const uint8_t *data, size_t size)
{
    const void *nul = size > 0 ? memchr(data, '\0', size) : NULL;
    char *copy;

    if (nul != NULL)
        size = (size_t)((const uint8_t *)nul - data);
    copy = malloc(size + 1);
    FUZZ_CHECK(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

void
fuzz_set(struct secret *to, const void *bytes, size_t len)
{
    FUZZ_CHECK(secret_set(to, bytes, len) == 0);
}

uint8_t
fuzz_choice(const uint8_t **data, size_t *size)
{
    uint8_t choice = 0;

    if (*size > 0) {
        choice = (*data)[0];
        (*data)++;
        (*size)--;
    }
    return choice;
}
