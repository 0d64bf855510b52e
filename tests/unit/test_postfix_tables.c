/* test_postfix_tables.c - tables by postmap, and what smtp(8) gets from the agent. */
#include "doctor/postfix_as.h"
#include "doctor/postfix_tables.h"
#include "fake_agent.h"
#include "scratch.h"

static char dir[SCRATCH_PATH_MAX];
static struct deadline soon;
static struct err err;

static int
setup(void **state)
{
    (void)state;
    scratch_make(dir);
    soon = deadline_in(20000);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    scratch_remove(dir);
    return 0;
}

static struct postfix_table *
table(const char *text)
{
    static struct postfix_table t;

    assert_true(table_parse(text, strlen(text), &t));
    return &t;
}

static void
put(const char *name, const char *text, mode_t mode)
{
    char path[SCRATCH_PATH_MAX];

    scratch_write(scratch_path(path, dir, name), text, strlen(text), mode);
}

/* TYPE:DIR/NAME */
static struct postfix_table *
file_table(const char *type, const char *name)
{
    char text[SCRATCH_PATH_MAX + 32];

    snprintf(text, sizeof text, "%s:%s/%s", type, dir, name);
    return table(text);
}

static void
names(void **state)
{
    char label[POSTFIX_LABEL_MAX], path[POSTFIX_PATH_MAX], name[POSTFIX_NAME_MAX];
    struct postfix_table t;

    (void)state;
    table_label(table("proxy:hash:/etc/p"), label);
    assert_string_equal(label, "hash:/etc/p");
    assert_true(table("proxy:hash:/etc/p")->proxied);
    table_label(table("static:user:p4ssw0rd"), label);
    assert_string_equal(label, "static");
    table_label(table("inline:{a=user:p4ssw0rd}"), label);
    assert_string_equal(label, "inline");
    assert_false(table_parse("/etc/p", 6, &t));
    assert_true(table_socket(table("socketmap:unix:/run/a/b.sock:sasl"), path, name));
    assert_string_equal(path, "/run/a/b.sock");
    assert_string_equal(name, "sasl");
    assert_false(table_socket(table("socketmap:inet:host:1:sasl"), path, name));
    assert_false(table_socket(table("socketmap:unix:/run/a"), path, name));
    assert_false(table_socket(table("hash:unix:/run/a:b"), path, name));
}

static void
files(void **state)
{
    struct timespec old[2] = {{1000, 0}, {1000, 0}};
    char path[SCRATCH_PATH_MAX];

    (void)state;
    assert_int_equal(table_look(file_table("texthash", "t")), TABLE_ABSENT);
    assert_int_equal(table_look(file_table("hash", "t")), TABLE_ABSENT);
    put("t", "a b\n", 0600);
    assert_int_equal(table_look(file_table("texthash", "t")), TABLE_FINE);
    assert_int_equal(table_look(file_table("hash", "t")), TABLE_NOT_BUILT);
    put("t.db", "", 0600);
    assert_int_equal(table_look(file_table("hash", "t")), TABLE_FINE);
    assert_int_equal(table_look(file_table("lmdb", "t")), TABLE_NOT_BUILT);
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(path, dir, "t.db"), old, 0), 0);
    assert_int_equal(table_look(file_table("hash", "t")), TABLE_STALE);
    assert_int_equal(table_look(table("ldap:/nowhere")), TABLE_FINE);
    assert_false(table_is_open(file_table("hash", "t")));
    put("t", "a b\n", 0644);
    assert_true(table_is_open(file_table("hash", "t")));
    assert_true(table_is_open(file_table("texthash", "t")));
    assert_false(table_is_open(table("static:a")));
}

/* In the place of postmap(1): says how it was called. */
static struct postfix_tools
tools(const char *script)
{
    struct postfix_tools t = {.config_dir = "/etc/postfix-out", .deadline = &soon};

    put("postmap", script, 0700);
    scratch_path(t.postmap, dir, "postmap");
    return t;
}

static void
keys_are_asked_of_postmap(void **state)
{
    struct postfix_tools t = tools("#!/bin/sh\necho \"$*\"\necho noise >&2\n");
    struct secret v = SECRET_INIT;

    (void)state;
    assert_int_equal(table_lookup(&t, table("hash:/etc/p"), "[a]:587", &v, &err), 0);
    assert_string_equal(secret_str(&v), "-c /etc/postfix-out -q [a]:587 hash:/etc/p");
    t.config_dir = NULL;
    assert_int_equal(table_lookup(&t, table("hash:/etc/p"), "k", &v, &err), 0);
    assert_string_equal(secret_str(&v), "-q k hash:/etc/p");
    t = tools("#!/bin/sh\nexit 1\n");
    assert_int_equal(table_lookup(&t, table("hash:/etc/p"), "k", &v, &err),
                     ERR_NOACCOUNT);
    assert_int_equal(v.len, 0);
    secret_clear(&v);
}

static void
what_may_be_a_password_is_no_argument(void **state)
{
    struct postfix_tools t = tools("#!/bin/sh\necho called\n");
    struct secret v = SECRET_INIT;

    (void)state;
    assert_int_equal(table_lookup(&t, table("static:u:agent:"), "k", &v, &err), 0);
    assert_string_equal(secret_str(&v), "u:agent:");
    assert_int_equal(table_lookup(&t, table("inline:{k=u:agent:}"), "k", &v, &err), 0);
    assert_string_equal(secret_str(&v), "u:agent:");
    assert_int_equal(table_lookup(&t, table("inline:k"), "k", &v, &err), ERR_CONFIG);
    assert_string_equal(err.text, "an inline table that cannot be understood");
    secret_clear(&v);
}

static void
a_postmap_that_hangs(void **state)
{
    struct postfix_tools t = tools("#!/bin/sh\nexec sleep 60\n");
    struct secret v = SECRET_INIT;

    (void)state;
    soon = deadline_in(1000);
    assert_int_equal(table_lookup(&t, table("hash:/etc/p"), "k", &v, &err), ERR_TIMEOUT);
    secret_clear(&v);
}

static void
lists_of_entries(void **state)
{
    struct postfix_tools t =
        tools("#!/bin/sh\nprintf 'a\\tb c\\nno tab\\n[d]:1\\te:f:\\n'\n");
    struct secret text = SECRET_INIT;
    char *at, *key, *value;

    (void)state;
    assert_true(table_can_dump(table("hash:/a")));
    assert_false(table_can_dump(table("regexp:/a")));
    assert_false(table_can_dump(table("static:/a")));
    assert_int_equal(table_dump(&t, table("hash:/a"), &text, &err), 0);
    at = text.data;
    assert_true(table_next(&at, &key, &value));
    assert_string_equal(key, "a");
    assert_string_equal(value, "b c");
    assert_true(table_next(&at, &key, &value));
    assert_string_equal(key, "[d]:1");
    assert_string_equal(value, "e:f:");
    assert_false(table_next(&at, &key, &value));
    t = tools("#!/bin/sh\nprintf 'a\\tb\\0c\\n'\n");
    assert_int_equal(table_dump(&t, table("hash:/a"), &text, &err), ERR_PROTOCOL);
    assert_int_equal(text.len, 0);
    t = tools("#!/bin/sh\nwhile :; do echo 0123456789012345678901234567890; done\n");
    assert_int_equal(table_dump(&t, table("hash:/a"), &text, &err), ERR_TEMP);
    assert_int_equal(text.len, 0);
}

/* --- as smtp(8) ----------------------------------------------------------------------
 */

static void
the_agents_answer(void **state)
{
    const struct fake_step steps[] = {{FAKE_REPLY, "OK token"},
                                      {FAKE_REPLY, "OK relay@contoso.com:t0ken"},
                                      {FAKE_REPLY, "PERM no such luck -> sign in"},
                                      {FAKE_REPLY, "NOTFOUND "}};
    char path[SCRATCH_PATH_MAX], user[POSTFIX_AS_USER_MAX] = "untouched";
    struct postfix_as as = {.socket = scratch_path(path, dir, "s"), .deadline_ms = 5000};
    struct fake_agent *agent = fake_agent_start(path, steps, 4);

    (void)state;
    assert_int_equal(postfix_as_ask(&as, "token", "relay@contoso.com", NULL, &err), 0);
    assert_string_equal(fake_agent_request(agent), "token relay@contoso.com");
    assert_int_equal(postfix_as_ask(&as, "sasl", "[a]:587", user, &err), 0);
    assert_string_equal(user, "relay@contoso.com");
    assert_int_equal(postfix_as_ask(&as, "token", "a", user, &err), ERR_PERSON);
    assert_string_equal(err.text, "no such luck");
    assert_string_equal(err.hint, "sign in");
    assert_string_equal(user, "relay@contoso.com");
    assert_int_equal(postfix_as_ask(&as, "token", "a", NULL, &err), ERR_NOACCOUNT);
    assert_int_equal(fake_agent_stop(agent), 4);
    assert_int_equal(postfix_as_ask(&as, "token", "a", NULL, &err), ERR_NOAGENT);
    assert_non_null(strstr(err.text, "No such file or directory"));
}

static void
an_agent_that_says_nothing(void **state)
{
    const struct fake_step silent = {FAKE_SILENT, NULL};
    char path[SCRATCH_PATH_MAX];
    struct postfix_as as = {.socket = scratch_path(path, dir, "s"), .deadline_ms = 300};
    struct fake_agent *agent = fake_agent_start(path, &silent, 1);

    (void)state;
    assert_int_equal(postfix_as_ask(&as, "token", "a", NULL, &err), ERR_TIMEOUT);
    fake_agent_stop(agent);
}

static void
token_files(void **state)
{
    struct postfix_as as = {.deadline_ms = 5000};
    char path[SCRATCH_PATH_MAX], text[SCRATCH_PATH_MAX + 64];

    (void)state;
    put("token", "t\n", 0600);
    put("empty", "", 0600);
    assert_int_equal(postfix_as_read(&as, scratch_path(path, dir, "token"), &err), 0);
    assert_int_equal(postfix_as_read(&as, scratch_path(path, dir, "empty"), &err),
                     ERR_TEMP);
    assert_int_equal(postfix_as_read(&as, dir, &err), ERR_CONFIG);
    assert_int_equal(postfix_as_read(&as, scratch_path(path, dir, "none"), &err),
                     ERR_CONFIG);
    snprintf(text, sizeof text, "the token file %s: No such file or directory", path);
    assert_string_equal(err.text, text);
}

static void
where_we_may_not_become_anybody(void **state)
{
    struct postfix_as as = {
        .change = true, .uid = 1, .gid = 1, .root = "/nowhere", .deadline_ms = 5000};

    (void)state;
    assert_int_equal(postfix_as_ask(&as, "token", "a", NULL, &err), ERR_STORE);
    assert_non_null(strstr(err.text, "cannot enter /nowhere: "));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(names),
        CASE(files),
        CASE(keys_are_asked_of_postmap),
        CASE(what_may_be_a_password_is_no_argument),
        CASE(a_postmap_that_hangs),
        CASE(lists_of_entries),
        CASE(the_agents_answer),
        CASE(an_agent_that_says_nothing),
        CASE(token_files),
        CASE(where_we_may_not_become_anybody),
    };

    return cmocka_run_group_tests_name("postfix_tables", tests, NULL, NULL);
}
