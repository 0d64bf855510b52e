/* fuzz_error.c - foreign text on its way into error texts and logs. */
#include "fuzz.h"

#include "client/error.h"

static void
clean(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size), *again;
    size_t n = err_clean(text, size);

    FUZZ_CHECK(n <= size);
    for (size_t i = 0; i < n; i++)
        FUZZ_CHECK((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
    again = fuzz_copy((const uint8_t *)text, n);
    FUZZ_CHECK(err_clean(again, n) == n && memcmp(again, text, n) == 0);
    free(again);
    free(text);
}

static void
line(const char *bytes, size_t size)
{
    struct err err = ERR_INIT, again = ERR_INIT;
    char buf[ERR_LINE_MAX];

    FUZZ_CHECK(err_from_line(&err, ERR_TEMP, bytes, size) == ERR_TEMP);
    fuzz_plain(err.text, sizeof err.text);
    fuzz_plain(err.hint, sizeof err.hint);
    FUZZ_CHECK(err_line(&err, buf) == buf && strlen(buf) < sizeof buf);
    err_from_line(&again, ERR_TEMP, buf, strlen(buf));
    /* where the arrow is, is not told by a text that ends in one itself, or was cut */
    if (err.text[0] != '\0' && size < ERR_TEXT_MAX && strstr(buf, " -> -> ") == NULL)
        FUZZ_CHECK(strcmp(again.text, err.text) == 0 &&
                   strcmp(again.hint, err.hint) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    char *bytes = fuzz_copy(data, size), *text = fuzz_string(data, size);

    clean(data, size);
    line(bytes, size);
    err_set(&err, ERR_TEMP, "%s", text);
    err_hint(&err, "%s", text);
    fuzz_plain(err.text, sizeof err.text);
    fuzz_plain(err.hint, sizeof err.hint);
    FUZZ_CHECK(strcmp(err.text, err.hint) == 0);
    free(bytes);
    free(text);
    return 0;
}
