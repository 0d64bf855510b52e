/* test_postfix_config.c - what postconf prints, and the words Postfix writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "accounts/host_owner.h"
#include "doctor/postfix_config.h"
#include "doctor/postfix_words.h"

static struct postfix_config config;
static struct err err;

static int
take(const char *main_text, const char *services, const char *overrides)
{
    struct secret text[3] = {SECRET_INIT, SECRET_INIT, SECRET_INIT};
    const char *from[3] = {main_text, services, overrides};
    int r;

    for (int i = 0; i < 3; i++)
        assert_int_equal(secret_append_str(&text[i], from[i]), 0);
    r = postfix_config_take(&config, &text[0], &text[1], &text[2], &err);
    for (int i = 0; i < 3; i++)
        assert_null(text[i].data);
    return r;
}

static int
teardown(void **state)
{
    (void)state;
    postfix_config_clear(&config);
    return 0;
}

static void
settings(void **state)
{
    (void)state;
    assert_int_equal(take("relayhost = [a]:587\n"
                          "empty =\n"
                          "equals = a=b = c\n"
                          "  = nameless\n"
                          "no such line\n"
                          "twice = 1\ntwice = 2",
                          "", ""),
                     0);
    assert_string_equal(postfix_value(&config, NULL, "relayhost"), "[a]:587");
    assert_string_equal(postfix_value(&config, NULL, "empty"), "");
    assert_string_equal(postfix_value(&config, NULL, "equals"), "a=b = c");
    assert_string_equal(postfix_value(&config, NULL, "twice"), "2");
    assert_string_equal(postfix_value(&config, NULL, "absent"), "");
    assert_int_equal(config.setting_count, 5);
}

static void
settings_of_a_service(void **state)
{
    (void)state;
    assert_int_equal(take("name = main\n", "",
                          "relay/unix/name = relay\n"
                          "smtp/inet/name = server\n"
                          "relay/unix/other = o\n"
                          "broken = x\n"),
                     0);
    assert_string_equal(postfix_value(&config, "relay", "name"), "relay");
    assert_string_equal(postfix_value(&config, "smtp", "name"), "main");
    assert_string_equal(postfix_value(&config, "rela", "name"), "main");
    assert_string_equal(postfix_value(&config, NULL, "name"), "main");
    assert_string_equal(postfix_value(&config, "smtp", "other"), "");
    assert_true(postfix_is_override(&config, "relay", "name"));
    assert_false(postfix_is_override(&config, "smtp", "name"));
    assert_false(postfix_is_override(&config, NULL, "name"));
}

static void
services(void **state)
{
    const struct postfix_service *s;

    (void)state;
    assert_int_equal(
        take("compatibility_level = 3.6\n",
             "smtp       inet  n       -       y       -       -       smtpd\n"
             "smtp       unix  -       -       n       -       5       smtp -o "
             "a=b c=d\n"
             "jail       unix  -       -       y       -       -       smtp\n"
             "default    unix  -       -       -       -       -       smtp\n"
             "cut unix - -\n",
             ""),
        0);
    assert_int_equal(config.service_count, 4);
    s = postfix_service_find(&config, "smtp");
    assert_non_null(s);
    assert_string_equal(s->command, "smtp -o a=b c=d");
    assert_string_equal(s->max_processes, "5");
    assert_false(postfix_service_chrooted(&config, s));
    s = postfix_service_find(&config, "jail");
    assert_true(postfix_service_chrooted(&config, s));
    s = postfix_service_find(&config, "default");
    assert_false(postfix_service_chrooted(&config, s));
    assert_null(postfix_service_find(&config, "cut"));
    postfix_config_clear(&config);
    assert_int_equal(
        take("compatibility_level = 0\n", "default unix - - - - - smtp\n", ""), 0);
    assert_true(
        postfix_service_chrooted(&config, postfix_service_find(&config, "default")));
}

static void
what_postconf_must_not_print(void **state)
{
    struct secret text = SECRET_INIT, nothing[2] = {SECRET_INIT, SECRET_INIT};

    (void)state;
    assert_int_equal(secret_append(&text, "a = b\0\n", 7), 0);
    assert_int_equal(postfix_config_take(&config, &text, &nothing[0], &nothing[1], &err),
                     ERR_PROTOCOL);
    assert_string_equal(err.text, "postconf printed a NUL");
    assert_null(config.settings);
    for (int i = 0; i <= POSTFIX_SETTINGS_MAX; i++)
        assert_int_equal(secret_append_str(&text, "a = b\n"), 0);
    assert_int_equal(postfix_config_take(&config, &text, &nothing[0], &nothing[1], &err),
                     ERR_PROTOCOL);
    assert_string_equal(err.text, "postconf printed more than 4096 settings");
    for (int i = 0; i <= POSTFIX_SERVICES_MAX; i++)
        assert_int_equal(secret_append_str(&text, "a unix - - - - - b\n"), 0);
    assert_int_equal(postfix_config_take(&config, &nothing[0], &text, &nothing[1], &err),
                     ERR_PROTOCOL);
    assert_string_equal(err.text, "postconf printed more than 256 services");
    assert_string_equal(postfix_value(&config, NULL, "a"), "");
}

static void
the_environment(void **state)
{
    char value[6] = "";

    (void)state;
    assert_int_equal(
        take("import_environment = TZ LANG=C, SASL_PATH=/a/b LONG=/a/b/c\n", "", ""), 0);
    assert_true(postfix_imported(&config, "SASL_PATH", value, sizeof value));
    assert_string_equal(value, "/a/b");
    assert_false(postfix_imported(&config, "TZ", value, sizeof value));
    assert_false(postfix_imported(&config, "SASL", value, sizeof value));
    assert_false(postfix_imported(&config, "LONG", value, sizeof value));
    assert_string_equal(value, "/a/b");
}

static void
yes(void **state)
{
    (void)state;
    assert_true(postfix_is_yes("yes"));
    assert_true(postfix_is_yes("YES"));
    assert_false(postfix_is_yes("no"));
    assert_false(postfix_is_yes(""));
}

/* --- words ---------------------------------------------------------------------------
 */

static void
lists(void **state)
{
    const char *at = " hash:/a,\t{ b c, {d} } ,e ", *word;
    size_t len;

    (void)state;
    word = words_next(&at, &len);
    assert_int_equal(len, 7);
    assert_memory_equal(word, "hash:/a", 7);
    word = words_next(&at, &len);
    assert_int_equal(len, 12);
    assert_memory_equal(word, "{ b c, {d} }", 12);
    word = words_next(&at, &len);
    assert_int_equal(len, 1);
    assert_memory_equal(word, "e", 1);
    assert_null(words_next(&at, &len));
    assert_true(words_have("a, NoPlainText b", "noplaintext"));
    assert_false(words_have("noplaintexts", "noplaintext"));
    assert_false(words_have("", "a"));
}

static void
next_hops(void **state)
{
    static const struct {
        const char *text, *host;
        int port;
        bool bracketed;
    } good[] = {
        {"[smtp.office365.com]:587", "smtp.office365.com", 587, true},
        {"[a.example]", "a.example", 25, true},
        {"[a.example]:submission", "a.example", 587, true},
        {"[a.example]:smtps", "a.example", 465, true},
        {"[a.example]:other", "a.example", 0, true},
        {"a.example:26", "a.example", 26, false},
        {"a.example", "a.example", 25, false},
        {"[ipv6:::1]:587", "ipv6:::1", 587, true},
    };
    static const char *const bad[] = {"",     "[a.example", "[]:587", "[a]587",  "a:",
                                      "[a]:", "$(id)",      "a';b",   "[a b]:1", ":587"};
    struct nexthop hop;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(nexthop_parse(good[i].text, strlen(good[i].text), &hop));
        assert_string_equal(hop.text, good[i].text);
        assert_string_equal(hop.host, good[i].host);
        assert_int_equal(hop.port, good[i].port);
        assert_int_equal(hop.bracketed, good[i].bracketed);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(nexthop_parse(bad[i], strlen(bad[i]), &hop));
}

static void
transports(void **state)
{
    const char *hop;
    char name[8];

    (void)state;
    assert_true(transport_split("smtp:[a]:587", name, sizeof name, &hop));
    assert_string_equal(name, "smtp");
    assert_string_equal(hop, "[a]:587");
    assert_true(transport_split("smtp", name, sizeof name, &hop));
    assert_string_equal(hop, "");
    assert_false(transport_split(":[a]:587", name, sizeof name, &hop));
    assert_false(transport_split("eightlet:", name, sizeof name, &hop));
}

static void
exchange(void **state)
{
    (void)state;
    assert_true(host_is_exchange("smtp.office365.com"));
    assert_true(host_is_exchange("SMTP.Office365.com"));
    assert_true(host_is_exchange("smtp-mail.outlook.com"));
    assert_true(host_is_exchange("smtp.partner.outlook.cn"));
    assert_true(host_is_exchange("contoso-com.a-v1.mx.microsoft"));
    assert_false(host_is_exchange("office365.com.example"));
    assert_false(host_is_exchange("notoffice365.com"));
}

/* --- entries -------------------------------------------------------------------------
 */

static struct entry
entry_of(const char *text)
{
    struct secret value = SECRET_INIT;
    struct entry e;

    assert_int_equal(secret_append_str(&value, text), 0);
    entry_parse(&value, &e);
    secret_clear(&value);
    return e;
}

static void
entries(void **state)
{
    struct entry e = entry_of("relay@contoso.com:agent:");

    (void)state;
    assert_int_equal(e.kind, ENTRY_AGENT);
    assert_string_equal(e.user, "relay@contoso.com");
    assert_string_equal(e.where, "relay@contoso.com");
    e = entry_of("shared@contoso.com:agent:relay@contoso.com");
    assert_int_equal(e.kind, ENTRY_AGENT);
    assert_string_equal(e.user, "shared@contoso.com");
    assert_string_equal(e.where, "relay@contoso.com");
    e = entry_of("a:file:/run/token");
    assert_int_equal(e.kind, ENTRY_FILE);
    assert_string_equal(e.where, "/run/token");
    assert_int_equal(entry_of("relay@contoso.com:").kind, ENTRY_EMPTY);
    assert_int_equal(entry_of("relay@contoso.com").kind, ENTRY_EMPTY);
}

static void
a_password_is_not_copied(void **state)
{
    static const char zeros[sizeof(struct entry)];
    struct entry e = entry_of("relay@contoso.com:p4ssw0rd:agent:");

    (void)state;
    assert_int_equal(e.kind, ENTRY_LITERAL);
    assert_memory_equal(e.user, zeros, sizeof e.user);
    assert_memory_equal(e.where, zeros, sizeof e.where);
    e = entry_of("p4ssw0rd");
    assert_memory_equal(e.user, zeros, sizeof e.user);
    e = entry_of("Agent:p4ssw0rd");
    assert_int_equal(e.kind, ENTRY_LITERAL);
    assert_memory_equal(e.user, zeros, sizeof e.user);
}

static void
an_account_that_is_too_long(void **state)
{
    char text[ENTRY_TEXT_MAX + 20] = "a:agent:";

    (void)state;
    memset(text + 8, 'x', ENTRY_TEXT_MAX);
    assert_int_equal(entry_of(text).kind, ENTRY_LITERAL);
    text[8 + ENTRY_TEXT_MAX - 1] = '\0';
    assert_int_equal(entry_of(text).kind, ENTRY_AGENT);
}

static void
tables_in_the_setting_itself(void **state)
{
    struct secret v = SECRET_INIT;

    (void)state;
    assert_int_equal(static_lookup("a:agent:", &v), 0);
    assert_string_equal(secret_str(&v), "a:agent:");
    assert_int_equal(static_lookup("{ a:two words }", &v), 0);
    assert_string_equal(secret_str(&v), "a:two words");
    assert_int_equal(inline_lookup("{ [a]:1=u:agent:, [b]:2 = v:agent: }", "[A]:1", &v),
                     0);
    assert_string_equal(secret_str(&v), "u:agent:");
    assert_int_equal(inline_lookup("{{ [b]:2 = v:x y }, c=d}", "[b]:2", &v), 0);
    assert_string_equal(secret_str(&v), "v:x y");
    assert_int_equal(inline_lookup("{{ [b]:2 = v:x y }, c=d}", "c", &v), 0);
    assert_string_equal(secret_str(&v), "d");
    assert_int_equal(inline_lookup("{a=b}", "c", &v), ERR_NOACCOUNT);
    assert_int_equal(inline_lookup("a=b", "a", &v), ERR_CONFIG);
    assert_int_equal(inline_lookup("{a b}", "a", &v), ERR_CONFIG);
    assert_int_equal(inline_lookup("{}", "a", &v), ERR_NOACCOUNT);
    assert_int_equal(inline_lookup("{{}}", "a", &v), ERR_CONFIG);
    assert_int_equal(inline_lookup("{{}", "a", &v), ERR_CONFIG);
    secret_clear(&v);
}

#define CASE(name) cmocka_unit_test_teardown(name, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(settings),
        CASE(settings_of_a_service),
        CASE(services),
        CASE(what_postconf_must_not_print),
        CASE(the_environment),
        CASE(yes),
        CASE(lists),
        CASE(next_hops),
        CASE(transports),
        CASE(exchange),
        CASE(entries),
        CASE(a_password_is_not_copied),
        CASE(an_account_that_is_too_long),
        CASE(tables_in_the_setting_itself),
    };

    return cmocka_run_group_tests_name("postfix_config", tests, NULL, NULL);
}
