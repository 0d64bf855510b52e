/* fuzz_quote.c - values in other programs' configuration: each way of quoting keeps them
 * in their place. */
#include "fuzz.h"

#include "setup/quote.h"

/* A double-quoted text as most programs read it: ends only at the end. */
static void
check_escaped(const struct secret *out, const char *special)
{
    for (size_t i = 0; i < out->len; i++) {
        if (out->data[i] == '\\') {
            i++;
            FUZZ_CHECK(i < out->len);
        } else {
            FUZZ_CHECK(strchr(special, out->data[i]) == NULL);
        }
    }
}

/* The words of a shell command, as sh splits them: one word comes back as it was. */
static void
check_shell(const struct secret *out, const char *value, size_t len)
{
    size_t n = 0;
    bool quoted = false;

    for (size_t i = 0; i < out->len; i++) {
        char c = out->data[i];

        if (c == '\'') {
            quoted = !quoted;
        } else if (!quoted && c == '\\') {
            FUZZ_CHECK(out->data[++i] == '\'' && n < len && value[n++] == '\'');
        } else {
            FUZZ_CHECK(quoted || strchr(" \t\n;&|<>()$`\"*?[#~!{}", c) == NULL);
            FUZZ_CHECK(n < len && value[n++] == c);
        }
    }
    FUZZ_CHECK(!quoted && n == len);
}

static void
check(const char *kind, const char *value, size_t len, const struct secret *out)
{
    for (size_t i = 0; i < out->len; i++)
        FUZZ_CHECK((unsigned char)out->data[i] >= 0x20 && out->data[i] != 0x7f);
    if (strcmp(kind, "dquote") == 0)
        check_escaped(out, "\"");
    if (strcmp(kind, "dollar") == 0)
        check_escaped(out, "\"$`");
    if (strcmp(kind, "squote") == 0 && memchr(value, '\0', len) == NULL)
        FUZZ_CHECK(memchr(secret_str(out), '\'', out->len) == NULL);
    if (strcmp(kind, "shell") == 0 && memchr(value, '\0', len) == NULL)
        check_shell(out, value, len);
    if (strcmp(kind, "word") == 0 && memchr(value, '\0', len) == NULL)
        FUZZ_CHECK(strpbrk(secret_str(out), " \t\"'\\$`;&|<>(){}#*?!") == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const kinds[] = {"word",   "shell", "dquote", "dollar",
                                        "squote", "line",  "raw",    "url"};
    char *value = fuzz_copy(data, size);

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct secret out = SECRET_INIT;
        struct err err = ERR_INIT;
        int r;

        FUZZ_CHECK(quote_is_kind(kinds[i]));
        r = quote_append(kinds[i], value, size, &out, &err);
        fuzz_result(r, &err, MAY(ERR_CONFIG));
        if (r == 0)
            check(kinds[i], value, size, &out);
        secret_clear(&out);
    }
    free(value);
    return 0;
}
