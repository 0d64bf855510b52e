/* test_render.c - templates of `mailbearer setup` with values in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "setup/render.h"

static struct setup_values values;

static int
begin(void **state)
{
    (void)state;
    setup_value_set(&values, SETUP_ACCOUNT, "alice@contoso.com");
    setup_value_set(&values, SETUP_USER, "a \"b\"");
    setup_value_set(&values, SETUP_IMAP_HOST, "imap.example.com");
    setup_value_set(&values, SETUP_IMAP_TLS, "yes");
    return 0;
}

static int
end(void **state)
{
    (void)state;
    setup_values_clear(&values);
    return 0;
}

static int
render_text(const char *text, struct secret *out, struct err *err)
{
    const struct setup_template template = {
        .name = "mutt", .title = "a test", .quoting = "dquote", .text = text};

    return render(&template, &values, out, err);
}

static void
becomes(const char *text, const char *expected)
{
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(render_text(text, &out, &err), 0);
    assert_string_equal(secret_str(&out), expected);
    secret_clear(&out);
}

static void
fails(const char *text, const char *why)
{
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;

    secret_append_str(&out, "before");
    assert_int_equal(render_text(text, &out, &err), ERR_CONFIG);
    assert_string_equal(err.text, why);
    assert_string_equal(secret_str(&out), "before");
    secret_clear(&out);
}

static void
names_become_their_values(void **state)
{
    (void)state;
    becomes("", "");
    becomes("host @IMAP_HOST@\n", "host imap.example.com\n");
    becomes("@ACCOUNT@@IMAP_HOST@\n", "alice@contoso.comimap.example.com\n");
    becomes("\"@USER@\" @USER:shell@ @USER:raw@\n",
            "\"a \\\"b\\\"\" 'a \"b\"' a \"b\"\n");
}

static void
every_other_at_sign_is_itself(void **state)
{
    (void)state;
    becomes("bob@example.net unit@.service @ @@ A@ @a@ @A\n",
            "bob@example.net unit@.service @ @@ A@ @a@ @A\n");
}

static void
conditions_choose_lines(void **state)
{
    (void)state;
    becomes("@if IMAP_TLS@\ntls\n@else@\nstarttls\n@end@\nlast\n", "tls\nlast\n");
    becomes("@if IMAP_STARTTLS@\nstarttls\n@else@\ntls\n@end@\n", "tls\n");
    becomes("@if not PROXY@\nstraight\n@end@\n", "straight\n");
    becomes("@if not IMAP_TLS@\nno\n@end@\n", "");
    becomes("@if PROXY@\n@if IMAP_TLS@\na\n@else@\nb\n@end@\nc\n@else@\n"
            "@if IMAP_TLS@\nd\n@else@\ne\n@end@\n@end@\n",
            "d\n");
    /* What is left out may name what has no value. */
    becomes("@if PROXY@\n@PROXY@\n@end@\nrest\n", "rest\n");
}

static void
a_value_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    fails("x\n@POP3_HOST@\n", "mutt needs POP3_HOST, which this account has not");
}

static void
a_value_that_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    fails("x\n@USER:word@\n",
          "mutt: USER (a \"b\") cannot be written there: it has a blank");
    secret_set(&values.value[SETUP_TOKEN], "/bin/mb\0token\0a b", 17);
    fails("@TOKEN:word@\n",
          "mutt: TOKEN (/bin/mb token a b) cannot be written there: it has a blank");
    secret_clear(&values.value[SETUP_TOKEN]);
}

/* The build lets none of these through; nothing is read or written out of bounds. */
static void
malformed_templates_are_refused(void **state)
{
#define TWICE "@if USER@\n@if USER@\n"

    (void)state;
    fails(TWICE TWICE TWICE "@if ACCOUNT@\n",
          "the template mutt is malformed: @if ACCOUNT@");
    fails("@NOBODY@\n", "the template mutt is malformed: @NOBODY@");
    fails("@if NOBODY@\n", "the template mutt is malformed: @if NOBODY@");
    fails("@USER:averyveryverylongkind@\n",
          "the template mutt is malformed: @USER:averyveryverylongkind@");
    becomes("@end@\n", "@end@\n");
    becomes("@else@\n", "@else@\n");
}

static void
templates_are_found_by_name(void **state)
{
    (void)state;
    assert_non_null(render_find("postfix"));
    assert_string_equal(render_find("postfix")->name, "postfix");
    assert_null(render_find("postfi"));
    assert_null(render_find(""));
}

/* In order, and with all that the list and the checks need. */
static void
all_templates_are_whole(void **state)
{
    (void)state;
    assert_true(setup_template_count > 20);
    for (size_t i = 0; i < setup_template_count; i++) {
        const struct setup_template *t = &setup_templates[i];

        assert_true(t->title[0] != '\0' && strlen(t->title) <= 56);
        assert_non_null(strstr(t->text, "# --- "));
        assert_true(i == 0 || strcmp(setup_templates[i - 1].name, t->name) < 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_their_values),
        cmocka_unit_test(every_other_at_sign_is_itself),
        cmocka_unit_test(conditions_choose_lines),
        cmocka_unit_test(a_value_that_is_not_there_is_an_error),
        cmocka_unit_test(a_value_that_cannot_be_written_is_an_error),
        cmocka_unit_test(malformed_templates_are_refused),
        cmocka_unit_test(templates_are_found_by_name),
        cmocka_unit_test(all_templates_are_whole),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
