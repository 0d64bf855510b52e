/* test_context.c - the accounts file and store a command works with. Never goes near the
 * system's own: -c is always given, and the state directory stands in the file. */
#include <stdio.h>
#include <unistd.h>
#include <sys/stat.h>

#include "accounts/context.h"
#include "base/json.h"
#include "oauth_kit.h"

static void
with_a_store(void **state)
{
    struct context context = CONTEXT_INIT;
    const struct account *account = NULL;
    struct record record = RECORD_INIT;
    struct err err = ERR_INIT;
    char here[512], text[1024];
    struct stat st;

    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    snprintf(text, sizeof text,
             "store { directory = \"%s/state\" }\naccount a { client_id = c }\n", here);
    conf_write("given.conf", text);
    /* as root, it would become the service's user for good */
    assert_int_equal(mkdir("state", 0700), 0);
    context.config = "given.conf";
    if (context_accounts(&context, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(context.place.config, "given.conf");
    assert_true(context.place.given);
    assert_int_equal(context_account(&context, "a", &account, &err), 0);
    assert_string_equal(account->name, "a");
    snprintf(text, sizeof text, "%s/state", here);
    assert_string_equal(context_state_directory(&context), text);
    assert_int_equal(context_store(&context, &err), 0);
    assert_int_equal(store_read(&context.store, "a", &record, NULL, &err), 0);
    assert_int_equal(fstat(context.store.fd, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    context_close(&context);
    assert_null(context.accounts);
    assert_int_equal(context.store.fd, -1);
    context_close(&context);
}

static void
an_unknown_account(void **state)
{
    struct context context = CONTEXT_INIT;
    const struct account *account = NULL;
    struct err err = ERR_INIT;

    (void)state;
    conf_write("given.conf", "account a { client_id = c }\n");
    context.config = "given.conf";
    assert_int_equal(context_accounts(&context, &err), 0);
    assert_int_equal(context_account(&context, "A", &account, &err), ERR_NOACCOUNT);
    assert_null(account);
    assert_string_equal(err.text, "no such account in given.conf");
    assert_string_equal(err.hint,
                        "add it there, or see which there are: mailbearer status");
    assert_string_equal(context_state_directory(&context), context.place.state);
    context_close(&context);
}

static void
no_accounts_file(void **state)
{
    struct context context = CONTEXT_INIT;
    struct err err = ERR_INIT;

    (void)state;
    context.config = "absent.conf";
    assert_int_equal(context_accounts(&context, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "absent.conf"));
    assert_null(context.accounts);
    context_close(&context);
}

static void
a_store_others_may_write_in(void **state)
{
    struct context context = CONTEXT_INIT;
    struct err err = ERR_INIT;
    char here[512], text[1024];

    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    snprintf(text, sizeof text,
             "store { directory = \"%s/open\" }\naccount a { client_id = c }\n", here);
    conf_write("given.conf", text);
    assert_int_equal(mkdir("open", 0700), 0);
    assert_int_equal(chmod("open", 0777), 0);
    context.config = "given.conf";
    assert_int_equal(context_accounts(&context, &err), 0);
    assert_int_equal(context_store(&context, &err), ERR_STORE);
    assert_int_equal(context.store.fd, -1);
    context_close(&context);
}

static int
setup(void **state)
{
    json_setup();
    return conf_setup(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_a_store),
        cmocka_unit_test(an_unknown_account),
        cmocka_unit_test(no_accounts_file),
        cmocka_unit_test(a_store_others_may_write_in),
    };

    return cmocka_run_group_tests_name("context", tests, setup, conf_teardown);
}
