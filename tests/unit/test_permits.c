/* test_permits.c - which user may have which account. The name service is this file. */
/* link: -Wl,--wrap=getpwnam */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/permits.h"
#include "oauth_kit.h"

struct passwd *__wrap_getpwnam(const char *name);

static int looked_up; /* how often a name was asked for */

struct passwd *
__wrap_getpwnam(const char *name)
{
    static struct passwd pw;

    looked_up++;
    pw = (struct passwd){.pw_uid = 0};
    if (strcmp(name, "postfix") == 0)
        pw.pw_uid = 101;
    else if (strcmp(name, "fetchmail") == 0)
        pw.pw_uid = 102;
    else if (strcmp(name, "nobody") == 0)
        pw.pw_uid = 65534;
    else
        return NULL;
    return &pw;
}

static char warnings[4096];

static void
warn(const char *line)
{
    size_t n = strlen(warnings);

    snprintf(warnings + n, sizeof warnings - n, "%s\n", line);
}

static struct permits *
permits_for(const struct accounts *accounts, uid_t own)
{
    struct permits *permits = NULL;
    struct err err = ERR_INIT;

    warnings[0] = '\0';
    looked_up = 0;
    assert_int_equal(permits_new(accounts, own, warn, &permits, &err), 0);
    return permits;
}

static void
may(const struct permits *permits, const struct accounts *accounts, const char *name,
    uid_t uid)
{
    struct err err = ERR_INIT;

    if (permits_check(permits, kit_account(accounts, name), uid, &err) != 0)
        fail_msg("%s: %s", name, err.text);
    assert_int_equal(err.code, 0);
}

static void
may_not(const struct permits *permits, const struct accounts *accounts, const char *name,
        uid_t uid)
{
    struct err err = ERR_INIT;
    char text[100];

    assert_int_equal(permits_check(permits, kit_account(accounts, name), uid, &err),
                     ERR_DENIED);
    assert_int_equal(err.code, ERR_DENIED);
    snprintf(text, sizeof text, "uid %lu may not use this account", (unsigned long)uid);
    assert_string_equal(err.text, text);
    assert_string_equal(
        err.hint, "add this user to the account's allow_users in the accounts file");
}

static void
root_and_the_agents_own_user(void **state)
{
    struct accounts *accounts = conf_accept("account a { client_id = c }\n");
    struct permits *permits = permits_for(accounts, 900);

    (void)state;
    may(permits, accounts, "a", 0);
    may(permits, accounts, "a", 900);
    may_not(permits, accounts, "a", 901);
    may_not(permits, accounts, "a", (uid_t)-1);
    permits_free(&permits);
    assert_null(permits);
    permits_free(&permits);
    accounts_free(&accounts);
}

static void
names_and_numbers(void **state)
{
    struct accounts *accounts =
        conf_accept("account a { client_id = c allow_users = { postfix, 0042 } }\n"
                    "account b { client_id = c allow_users = { fetchmail } }\n"
                    "account c { client_id = c }\n");
    struct permits *permits = permits_for(accounts, 900);

    (void)state;
    may(permits, accounts, "a", 101);
    may(permits, accounts, "a", 42);
    may_not(permits, accounts, "a", 102);
    may(permits, accounts, "b", 102);
    may_not(permits, accounts, "b", 101);
    may_not(permits, accounts, "b", 42);
    may_not(permits, accounts, "c", 101);
    assert_string_equal(warnings, "");
    permits_free(&permits);
    accounts_free(&accounts);
}

static void
uid_65534_never(void **state)
{
    struct accounts *accounts =
        conf_accept("account a { client_id = c allow_users = { 65534, nobody } }\n");
    struct permits *permits = permits_for(accounts, 65534);

    (void)state;
    may_not(permits, accounts, "a", 65534);
    may(permits, accounts, "a", 0);
    permits_free(&permits);
    accounts_free(&accounts);
}

static void
unknown_names_are_named_once(void **state)
{
    struct accounts *accounts =
        conf_accept("account a { client_id = c allow_users = { postfx, postfix, mtt } }\n"
                    "account b { client_id = c allow_users = { postfx, postfix } }\n");
    struct permits *permits = permits_for(accounts, 900);

    (void)state;
    assert_string_equal(warnings, "allow_users: there is no user `postfx` here\n"
                                  "allow_users: there is no user `mtt` here\n");
    assert_int_equal(looked_up, 3);
    may(permits, accounts, "a", 101);
    may(permits, accounts, "b", 101);
    looked_up = 0; /* never while a client waits */
    may_not(permits, accounts, "b", 7);
    assert_int_equal(looked_up, 0);
    permits_free(&permits);
    accounts_free(&accounts);
}

static void
no_accounts(void **state)
{
    struct accounts *accounts = conf_accept("");
    struct permits *permits = permits_for(accounts, 900);

    (void)state;
    assert_int_equal(accounts->count, 0);
    permits_free(&permits);
    accounts_free(&accounts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_and_the_agents_own_user),
        cmocka_unit_test(names_and_numbers),
        cmocka_unit_test(uid_65534_never),
        cmocka_unit_test(unknown_names_are_named_once),
        cmocka_unit_test(no_accounts),
    };

    return cmocka_run_group_tests_name("permits", tests, conf_setup, conf_teardown);
}
