/* fuzz_ports.c - the file `ports`: an account's hash is found in its own line alone. */
#include "fuzz.h"

#include "ports/ports_file.h"
#include "ports/ports_line.h"

/* Looks for "NAME:" at the beginning of a line, by hand. */
static bool
has_line(const char *text, size_t len, const char *name)
{
    size_t n = strlen(name);

    for (const char *at = text; at != NULL && at < text + len;) {
        size_t left = len - (size_t)(at - text);

        if (left > n && memcmp(at, name, n) == 0 && at[n] == ':')
            return true;
        at = memchr(at, '\n', left);
        if (at != NULL)
            at++;
    }
    return false;
}

/* ports_file_read() lets no others through. */
static bool
is_good(const struct secret *text)
{
    struct ports_line line;
    size_t at = 0;

    while (ports_line_next(text, &at, &line)) {
        FUZZ_CHECK(at <= text->len && line.name_len <= line.len);
        if (!line.good)
            return false;
    }
    return at == text->len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"a@b.example", "c", "x:y"};
    struct secret text = SECRET_INIT;

    fuzz_set(&text, data, size);
    for (size_t i = 0; i < 3 && is_good(&text); i++) {
        struct secret hash = SECRET_INIT, like = SECRET_INIT;

        FUZZ_CHECK(ports_file_find(&text, names[i], &hash, &like) == 0);
        if (hash.len > 0) {
            FUZZ_CHECK(has_line((const char *)data, size, names[i]));
            FUZZ_CHECK(like.len > 0);
        }
        FUZZ_CHECK(memchr(secret_str(&hash), '\n', hash.len) == NULL);
        FUZZ_CHECK(memchr(secret_str(&hash), ':', hash.len) == NULL);
        secret_clear(&hash);
        secret_clear(&like);
    }
    secret_clear(&text);
    return 0;
}
