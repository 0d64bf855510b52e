/* test_postfix_keys.c - which account answers a key of Postfix's sasl map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "accounts/accounts.h"
#include "conf_file.h"

#define DEFAULTS "defaults { client_id = c }\n"

static void
answers(const struct accounts *accounts, const char *key, const char *name)
{
    const struct account *account = NULL;
    struct err err = ERR_INIT;

    if (accounts_find_key(accounts, key, &account, &err) != 0)
        fail_msg("`%s`: %s", key, err.text);
    assert_string_equal(account->name, name);
}

static void
refuses(const struct accounts *accounts, const char *key, int code, const char *text,
        const char *hint)
{
    const struct account *account = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(accounts_find_key(accounts, key, &account, &err), code);
    assert_null(account);
    assert_string_equal(err.text, text);
    assert_string_equal(err.hint, hint);
    assert_int_equal(accounts_find_key(accounts, key, &account, NULL), code);
}

static void
made_from_smtp(void **state)
{
    struct accounts *accounts =
        conf_accept(DEFAULTS "account a {}\n"
                             "account six { smtp = \"[2001:db8::1]:587 starttls\" }\n");

    (void)state;
    answers(accounts, "[smtp.office365.com]:587", "a");
    answers(accounts, "smtp.office365.com:587", "a");
    answers(accounts, "smtp.office365.com", "a");
    answers(accounts, "SMTP.Office365.COM", "a");
    answers(accounts, "[2001:DB8::1]:587", "six");
    answers(accounts, "[2001:db8::1]", "six");
    answers(accounts, "2001:db8::1", "six");
    refuses(accounts, "[smtp.office365.com]:25", ERR_NOACCOUNT,
            "no account lists `[smtp.office365.com]:25`", "");
    refuses(accounts, "a", ERR_NOACCOUNT, "no account lists `a`", "");
    refuses(accounts, "", ERR_NOACCOUNT, "no account lists ``", "");
    accounts_free(&accounts);
}

static void
written_keys_replace_and_win(void **state)
{
    struct accounts *accounts = conf_accept(
        DEFAULTS "account a {}\n"
                 "account b { postfix_keys = { Sales@Example.com, relay, relay,"
                 " smtp.office365.com } }\n"
                 "account none { smtp = \"other:25 tls\" postfix_keys = {} }\n");

    (void)state;
    answers(accounts, "sales@example.COM", "b");
    answers(accounts, "relay", "b");
    answers(accounts, "smtp.office365.com", "b");
    answers(accounts, "[smtp.office365.com]:587", "a");
    refuses(accounts, "other", ERR_NOACCOUNT, "no account lists `other`", "");
    accounts_free(&accounts);
}

static void
several_accounts(void **state)
{
    static const char hint[] = "give postfix_keys to the account that is to answer";
    struct accounts *accounts =
        conf_accept(DEFAULTS "account a {}\naccount b {}\n"
                             "account c { postfix_keys = { one, Two } }\n"
                             "account d { postfix_keys = { two } }\n");

    (void)state;
    refuses(accounts, "smtp.office365.com", ERR_CONFIG,
            "`smtp.office365.com` fits account `a` and account `b`", hint);
    refuses(accounts, "TWO", ERR_CONFIG, "`TWO` fits account `c` and account `d`", hint);
    answers(accounts, "one", "c");
    accounts_free(&accounts);
}

static void
no_accounts(void **state)
{
    struct accounts *accounts = conf_accept("");

    (void)state;
    refuses(accounts, "x", ERR_NOACCOUNT, "no account lists `x`", "");
    accounts_free(&accounts);
}

/* Asks each of `count` accounts' keys once; returns the CPU time. */
static clock_t
ask_all(int count)
{
    size_t size = (size_t)count * 80 + 80, len;
    char *text = malloc(size), key[64], name[32];
    struct accounts *accounts;
    clock_t begin, took;

    assert_non_null(text);
    len = (size_t)snprintf(text, size, DEFAULTS);
    for (int i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, size - len,
                                "account u%d { postfix_keys = { user%d@example.com } }\n",
                                i, i);
    accounts = conf_accept(text);
    free(text);
    begin = clock();
    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof(key), "USER%d@example.com", i);
        snprintf(name, sizeof(name), "u%d", i);
        answers(accounts, key, name);
    }
    took = clock() - begin;
    accounts_free(&accounts);
    return took;
}

/* An index: ten times the keys take little more than ten times as long. A search through
 * all of them would take a hundred times, a second or more. */
static void
many_accounts(void **state)
{
    clock_t thousand = ask_all(1000);

    (void)state;
    assert_true(ask_all(10000) < 40 * thousand + CLOCKS_PER_SEC / 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_from_smtp),
        cmocka_unit_test(written_keys_replace_and_win),
        cmocka_unit_test(several_accounts),
        cmocka_unit_test(no_accounts),
        cmocka_unit_test(many_accounts),
    };

    return cmocka_run_group_tests_name("postfix_keys", tests, conf_setup, conf_teardown);
}
