/* test_quote.c - values as each place of a configuration takes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "setup/quote.h"

/* The value comes out so. */
static void
gives(const char *kind, const char *value, size_t len, const char *expected)
{
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(quote_append(kind, value, len, &out, &err), 0);
    assert_string_equal(secret_str(&out), expected);
    secret_clear(&out);
}

static void
refused(const char *kind, const char *value, size_t len, const char *why)
{
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(quote_append(kind, value, len, &out, &err), ERR_CONFIG);
    assert_string_equal(err.text, why);
    secret_clear(&out);
}

#define GIVES(kind, value, expected) gives(kind, value, sizeof(value) - 1, expected)
#define REFUSED(kind, value, why)                                                        \
    refused(kind, value, sizeof(value) - 1, "cannot be written there: it has " why)

static void
plain_names_are_left_alone(void **state)
{
    static const char *const kinds[] = {"word",   "shell", "dquote", "dollar",
                                        "squote", "line",  "raw"};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        GIVES(kinds[i], "alice+news@contoso.com", "alice+news@contoso.com");
        GIVES(kinds[i], "j\xc3\xbcrg@contoso.com", "j\xc3\xbcrg@contoso.com");
    }
    GIVES("url", "alice+news@contoso.com", "alice%2Bnews%40contoso.com");
}

static void
each_kind_writes_what_its_place_takes(void **state)
{
    (void)state;
    GIVES("shell", "a b", "'a b'");
    GIVES("shell", "it's", "'it'\\''s'");
    GIVES("shell", "", "''");
    GIVES("dquote", "say \"x\\y\"", "say \\\"x\\\\y\\\"");
    GIVES("dquote", "$HOME`id`", "$HOME`id`");
    GIVES("dollar", "\"$HOME`id`\\", "\\\"\\$HOME\\`id\\`\\\\");
    GIVES("squote", "a \"b\" $c", "a \"b\" $c");
    GIVES("line", "a b'c", "a b'c");
    GIVES("raw", "a \"b' #c", "a \"b' #c");
    GIVES("url", "a b/\xc3\xbc~", "a%20b%2F%C3%BC~");
}

static void
what_cannot_be_written_is_refused(void **state)
{
    (void)state;
    REFUSED("word", "a b", "a blank");
    REFUSED("word", "a\"b", "`\"`");
    REFUSED("word", "$x", "`$`");
    REFUSED("word", "100%", "`%`");
    REFUSED("squote", "it's", "`'`");
    REFUSED("line", "a;b", "`;`");
    REFUSED("line", "#a", "`#`");
    REFUSED("line", " a", "a blank at its end");
    REFUSED("line", "a ", "a blank at its end");
}

static void
control_characters_are_refused_everywhere(void **state)
{
    static const char *const kinds[] = {"word",   "shell", "dquote", "dollar",
                                        "squote", "line",  "raw",    "url"};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        REFUSED(kinds[i], "a\nb", "a control byte");
        REFUSED(kinds[i], "a\rb", "a control byte");
        REFUSED(kinds[i], "a\x7f", "a control byte");
        REFUSED(kinds[i], "\001", "a control byte");
    }
}

/* A command: its words are quoted for sh, then the whole for its place. */
static void
commands_are_words_for_a_shell(void **state)
{
    (void)state;
    GIVES("raw", "/bin/mb\0token\0a b", "/bin/mb token 'a b'");
    GIVES("shell", "/bin/mb\0token\0it's", "/bin/mb token 'it'\\''s'");
    GIVES("dquote", "/bin/mb\0a\"b", "/bin/mb 'a\\\"b'");
    GIVES("dollar", "/bin/mb\0$x", "/bin/mb '\\$x'");
    GIVES("word", "/bin/mb\0token\0alice@contoso.com", "/bin/mb token alice@contoso.com");
    REFUSED("word", "/bin/mb\0a b", "a blank");
    GIVES("squote", "/bin/mb\0token\0alice@contoso.com",
          "/bin/mb token alice@contoso.com");
    GIVES("line", "/bin/mb\0a b", "/bin/mb 'a b'");
    /* What sh needs quoted cannot stand inside '...': it would end there. */
    REFUSED("squote", "/bin/mb\0it's", "`'`");
    REFUSED("squote", "/bin/mb\0a b", "what sh needs quoted");
    REFUSED("squote", "/bin/mb\0$(id)", "what sh needs quoted");
    /* sh needs a backslash for a quote, which the places for lines take as theirs. */
    REFUSED("line", "/bin/mb\0it's", "what sh needs quoted");
    REFUSED("url", "/bin/mb\0token", "several words");
}

static void
kinds_are_known_by_name(void **state)
{
    (void)state;
    assert_true(quote_is_kind("word"));
#define SETUP_QUOTING(kind) assert_true(quote_is_kind(#kind));
#include "setup/names.def"
    assert_false(quote_is_kind("words"));
    refused("words", "a", 1, "is to be quoted in an unknown way: words");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_names_are_left_alone),
        cmocka_unit_test(each_kind_writes_what_its_place_takes),
        cmocka_unit_test(what_cannot_be_written_is_refused),
        cmocka_unit_test(control_characters_are_refused_everywhere),
        cmocka_unit_test(commands_are_words_for_a_shell),
        cmocka_unit_test(kinds_are_known_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
