/* fuzz_lineio.c - lines out of a stream that comes in pieces, against a plain reading of
 * the same bytes. The first byte says how large the pieces are. */
#include "fuzz.h"

#include "mail/lineio.h"

#define LINE_MAX_HERE 64u

struct pieces {
    const char *bytes;
    size_t len, at, size;
};

static int
more(void *arg, char *buf, size_t size, size_t *n_r, struct err *err)
{
    struct pieces *p = arg;
    size_t n = p->len - p->at < p->size ? p->len - p->at : p->size;

    (void)err;
    FUZZ_CHECK(size > 0);
    n = n < size ? n : size;
    if (n > 0)
        memcpy(buf, p->bytes + p->at, n);
    p->at += n;
    *n_r = n;
    return 0;
}

/* Takes the line at *at of the plain bytes: what lineio_line() should give for it. */
static int
plain_line(const char *bytes, size_t len, size_t *at, const char **line_r, size_t *len_r)
{
    const char *start = bytes + *at;
    const char *end = len > *at ? memchr(start, '\n', len - *at) : NULL;
    size_t n = end != NULL ? (size_t)(end - start) + 1 : len - *at;

    if (n > LINE_MAX_HERE || (end == NULL && n >= LINE_MAX_HERE))
        return ERR_PROTOCOL;
    if (end == NULL)
        return LINEIO_END;
    *line_r = start;
    *len_r = n - 1;
    if (*len_r > 0 && start[*len_r - 1] == '\r')
        --*len_r;
    if (memchr(start, '\0', n) != NULL)
        return ERR_PROTOCOL;
    *at += n;
    return 0;
}

/* What was read and not taken, with what was not read yet, is what is left. */
static void
check_rest(const struct lineio *io, const struct pieces *p, size_t at)
{
    size_t len = 0;
    const char *rest = lineio_rest(io, &len);

    FUZZ_CHECK(p->at >= at && len == p->at - at);
    FUZZ_CHECK(len == 0 || memcmp(rest, p->bytes + at, len) == 0);
}

static void
compare(const char *bytes, size_t len, size_t piece, bool skips)
{
    struct pieces p = {bytes, len, 0, piece};
    struct lineio io;
    const char *line = NULL, *expect = NULL;
    size_t at = 0, expect_len = 0, before = 0;
    int r = 0, want = 0;

    lineio_init(&io, LINE_MAX_HERE, more, &p);
    while (r == 0) {
        struct err err = ERR_INIT;

        before = at;
        want = plain_line(bytes, len, &at, &expect, &expect_len);
        r = lineio_line(&io, &line, &err);
        FUZZ_CHECK(r == want);
        if (r != 0)
            break;
        FUZZ_CHECK(strlen(line) == expect_len && memcmp(line, expect, expect_len) == 0);
        check_rest(&io, &p, at);
        if (skips && expect_len > 0 && expect_len < 9 && len - at >= expect_len) {
            FUZZ_CHECK(lineio_skip(&io, expect_len, NULL) == 0);
            at += expect_len;
            check_rest(&io, &p, at);
        } else if (skips) {
            lineio_unread(&io);
            check_rest(&io, &p, before);
            FUZZ_CHECK(lineio_line(&io, &line, NULL) == 0);
        }
    }
    lineio_clear(&io);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t piece = (size_t)fuzz_choice(&data, &size) + 1;
    char *bytes = fuzz_copy(data, size);

    compare(bytes, size, piece, false);
    compare(bytes, size, piece, true);
    free(bytes);
    return 0;
}
