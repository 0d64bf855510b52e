/* test_ports_file.c - the file with the local passwords, and the passwords in it. */
#include "scratch.h"

#include "ports/password_hash.h"
#include "ports/ports_file.h"

static char dir[SCRATCH_PATH_MAX], path[SCRATCH_PATH_MAX];
static struct secret text, hash, like;
static struct err err;

static int
setup(void **state)
{
    (void)state;
    scratch_path(path, scratch_make(dir), "ports");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    scratch_remove(dir);
    secret_clear(&text);
    secret_clear(&hash);
    secret_clear(&like);
    return 0;
}

static void
write_ports(const char *content, mode_t mode)
{
    scratch_write(path, content, strlen(content), mode);
}

static void
is_now(const char *expected)
{
    char buf[4096];

    scratch_read(path, buf, sizeof buf);
    assert_string_equal(buf, expected);
}

static int
set(const char *account, const char *value, bool *found)
{
    struct secret s = SECRET_INIT;
    int r;

    assert_int_equal(secret_append_str(&s, value), 0);
    r = ports_file_set(path, account, &s, found, &err);
    secret_clear(&s);
    return r;
}

/* --- reading ---------------------------------------------------------------------------
 */

static void
where_it_is(void **state)
{
    char buf[64];

    (void)state;
    assert_int_equal(ports_file_path("/etc/x/mailbearer.conf", buf, sizeof buf, &err), 0);
    assert_string_equal(buf, "/etc/x/ports");
    assert_int_equal(ports_file_path("my.conf", buf, sizeof buf, &err), 0);
    assert_string_equal(buf, "ports");
    assert_int_equal(ports_file_path("/etc/x/my.conf", buf, 8, &err), ERR_CONFIG);
}

static void
finds_an_account(void **state)
{
    (void)state;
    write_ports("# a comment\n\nalice@example.com:$1$a\nodd:name:$1$b\nbob:$1$c", 0600);
    assert_int_equal(ports_file_read(path, &text, &err), 0);
    assert_int_equal(ports_file_find(&text, "odd:name", &hash, &like), 0);
    assert_string_equal(secret_str(&hash), "$1$b");
    assert_string_equal(secret_str(&like), "$1$a");
    secret_clear(&hash);
    assert_int_equal(ports_file_find(&text, "bob", &hash, &like), 0);
    assert_string_equal(secret_str(&hash), "$1$c");
}

static void
does_not_find_another(void **state)
{
    static const char *const names[] = {
        "alice", "Alice@example.com", "# a comment", "odd", "", "alice@example.co"};

    (void)state;
    write_ports("# a comment\nalice@example.com:$1$a\nodd:name:$1$b\n", 0600);
    assert_int_equal(ports_file_read(path, &text, &err), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        secret_clear(&hash);
        assert_int_equal(ports_file_find(&text, names[i], &hash, &like), 0);
        assert_int_equal(hash.len, 0);
    }
    assert_string_equal(secret_str(&like), "$1$a");
}

static void
refuses(const char *content, mode_t mode, const char *expected)
{
    write_ports(content, mode);
    assert_int_equal(ports_file_read(path, &text, &err), ERR_CONFIG);
    assert_int_equal(text.len, 0);
    if (strncmp(err.text, "ports file ", 11) != 0 || strstr(err.text, expected) == NULL)
        fail_msg("%s", err.text);
}

static void
wrong_lines_are_named(void **state)
{
    (void)state;
    refuses("a:b\nno hash\n", 0600, ", line 2: not ACCOUNT:HASH");
    refuses(":hash\n", 0600, ", line 1: not ACCOUNT:HASH");
    refuses("name:\n", 0600, ", line 1: not ACCOUNT:HASH");
    assert_non_null(strstr(err.hint, "mailbearer passwd ACCOUNT"));
}

static void
modes(void **state)
{
    (void)state;
    refuses("a:b\n", 0604, "has mode 604: everybody may read or change it");
    refuses("a:b\n", 0602, "everybody may read or change it");
    refuses("a:b\n", 0620, "its group may read or change it");
    refuses("a:b\n", 0640, "its group may read or change it");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ports_file_read(path, &text, &err), ERR_CONFIG);
    assert_non_null(strstr(err.hint, "mailbearer passwd"));
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(ports_file_read(path, &text, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "is not a regular file"));
}

/* --- writing ---------------------------------------------------------------------------
 */

#define HEAD "# Local passwords of mailbearer-fetch; set by: mailbearer passwd ACCOUNT\n"

static void
a_new_file(void **state)
{
    bool found = true;
    struct stat st;

    (void)state;
    assert_int_equal(set("alice", "h1", &found), 0);
    assert_false(found);
    is_now(HEAD "alice:h1\n");
    assert_int_equal(stat(path, &st), 0);
    assert_true((st.st_mode & 0777) == 0600 || (st.st_mode & 0777) == 0640);
}

static void
other_lines_stay(void **state)
{
    struct stat st;
    bool found = false;

    (void)state;
    write_ports("# mine\nalice:old\n\nbob:b\nalice:twice", 0400);
    assert_int_equal(set("alice", "new", &found), 0);
    assert_true(found);
    is_now("# mine\n\nbob:b\nalice:new\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0400);
    assert_int_equal(ports_file_set(path, "bob", NULL, &found, &err), 0);
    assert_true(found);
    is_now("# mine\n\nalice:new\n");
    assert_int_equal(ports_file_set(path, "bob", NULL, &found, &err), 0);
    assert_false(found);
    is_now("# mine\n\nalice:new\n");
}

static void
what_cannot_be_written_changes_nothing(void **state)
{
    static const char *const names[] = {"", "#x", "a\nb", "a\177"};
    bool found = false;

    (void)state;
    write_ports("alice:a\n", 0600);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(set(names[i], "h", &found), ERR_USAGE);
    is_now("alice:a\n");
    write_ports("alice:a\n", 0644);
    assert_int_equal(set("bob", "h", &found), ERR_CONFIG);
    is_now("alice:a\n");
    scratch_path(path, dir, "no/ports");
    assert_int_equal(set("bob", "h", &found), ERR_STORE);
}

/* --- passwords -------------------------------------------------------------------------
 */

static struct secret
secret_of(const char *s)
{
    struct secret out = SECRET_INIT;

    assert_int_equal(secret_append_str(&out, s), 0);
    return out;
}

static void
a_password_and_its_hash(void **state)
{
    struct secret right = secret_of("correct horse \"\\ battery");
    struct secret wrong = secret_of("correct horse");

    (void)state;
    assert_int_equal(password_hash(&right, &hash, &err), 0);
    assert_memory_equal(secret_str(&hash), "$y$", 3);
    assert_true(password_is(&right, secret_str(&hash), NULL));
    assert_false(password_is(&wrong, secret_str(&hash), NULL));
    /* nobody's password, whatever it costs */
    assert_false(password_is(&right, NULL, secret_str(&hash)));
    assert_false(password_is(&right, NULL, NULL));
    assert_false(password_is(&right, "*", NULL));
    assert_false(password_is(&right, "correct horse \"\\ battery", NULL));
    /* what is behind a NUL must not be forgotten */
    assert_int_equal(secret_append(&right, "\0x", 2), 0);
    assert_false(password_is(&right, secret_str(&hash), NULL));
    secret_clear(&right);
    secret_clear(&wrong);
}

static void
which_may_be_set(void **state)
{
    static const struct {
        const char *password, *expected;
    } cases[] = {
        {"", "the password is empty"},
        {"12345678901", "the password has fewer than 12 characters"},
        {"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
         "the password has fewer than 12 "
         "characters"},
        {"123456789012\t", "the password holds a control character"},
    };
    struct secret s;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        s = secret_of(cases[i].password);
        assert_int_equal(password_check_new(&s, &err), ERR_USAGE);
        assert_string_equal(err.text, cases[i].expected);
        assert_string_equal(err.hint,
                            "let one be made: mailbearer passwd --generate ACCOUNT");
        secret_clear(&s);
    }
    s = secret_of("123456789012");
    assert_int_equal(password_check_new(&s, &err), 0);
    while (s.len <= PASSWORD_MAX)
        assert_int_equal(secret_append_char(&s, 'x'), 0);
    assert_int_equal(password_check_new(&s, &err), ERR_USAGE);
    secret_clear(&s);
}

static void
one_that_is_made(void **state)
{
    (void)state;
    assert_int_equal(password_generate(&hash, &err), 0);
    assert_int_equal(password_generate(&like, &err), 0);
    assert_int_equal(hash.len, 24);
    assert_int_equal(strspn(hash.data, "abcdefghijkmnpqrstuvwxyz23456789-"), 24);
    assert_int_equal(password_check_new(&hash, &err), 0);
    assert_false(secret_equal(&hash, &like));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(where_it_is),
        T(finds_an_account),
        T(does_not_find_another),
        T(wrong_lines_are_named),
        T(modes),
        T(a_new_file),
        T(other_lines_stay),
        T(what_cannot_be_written_changes_nothing),
        T(a_password_and_its_hash),
        T(which_may_be_set),
        T(one_that_is_made),
    };

    return cmocka_run_group_tests_name("ports_file", tests, NULL, NULL);
}
