/* test_token_source.c - what the SASL password means, and tokens from each source. */
#include <errno.h>
#include <stdbool.h>

#include "fake_agent.h"
#include "scratch.h"

#include "../../sasl-plugin/token_source.h"
#include "client/agent_client.h"
#include "client/deadline.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TOKEN "eyJ0eXAiOiJKV1QiCANARY"

static char dir[SCRATCH_PATH_MAX];
static char path[SCRATCH_PATH_MAX];
static struct secret token;
static struct err err;

static int
set_up(void **state)
{
    (void)state;
    scratch_make(dir);
    scratch_path(path, dir, "agent.sock");
    setenv(AGENT_SOCKET_ENV, path, 1);
    scratch_path(path, dir, "a.token");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    secret_clear(&token);
    scratch_remove(dir);
    return 0;
}

static int
fetch(enum token_kind kind, const char *value, int deadline_ms)
{
    struct token_source source = {kind, value};
    int r;

    secret_clear(&token);
    memset(&err, 0, sizeof(err));
    r = token_source_fetch(&source, deadline_ms, &token, &err);
    assert_int_equal(err.code, r);
    if (r != 0)
        assert_null(token.data);
    return r;
}

static void
what_a_password_means(void **state)
{
    static const struct {
        const char *password;
        enum token_kind kind;
        const char *value;
        const char *name;
    } table[] = {
        {"agent:", TOKEN_AGENT, "user@x", "agent"},
        {"agent:relay@y", TOKEN_AGENT, "relay@y", "agent"},
        {"agent: ", TOKEN_AGENT, " ", "agent"},
        {"file:/run/t", TOKEN_FILE, "/run/t", "file"},
        {"file:", TOKEN_FILE, "", "file"},
        {"eyJ0eXAi.x.y", TOKEN_LITERAL, "eyJ0eXAi.x.y", "literal"},
        {"agent", TOKEN_LITERAL, "agent", "literal"},
        {"Agent:x", TOKEN_LITERAL, "Agent:x", "literal"},
        {" file:/x", TOKEN_LITERAL, " file:/x", "literal"},
        {"", TOKEN_LITERAL, "", "literal"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct token_source s = token_source_parse(table[i].password, "user@x");

        assert_int_equal(s.kind, table[i].kind);
        assert_string_equal(s.value, table[i].value);
        assert_string_equal(token_source_name(s.kind), table[i].name);
    }
}

static void
literal(void **state)
{
    (void)state;
    assert_int_equal(fetch(TOKEN_LITERAL, TOKEN, 1000), 0);
    assert_string_equal(secret_str(&token), TOKEN);
    assert_int_equal(fetch(TOKEN_LITERAL, "", 1000), ERR_USAGE);
    assert_string_equal(
        err.text,
        "the password is empty: it is agent:ACCOUNT, file:PATH or an access token");
}

static void
first_line_of_a_file(void **state)
{
    static const struct {
        const char *content;
        const char *token;
    } table[] = {
        {TOKEN "\n", TOKEN},         {TOKEN, TOKEN},
        {TOKEN "\r\nmore\n", TOKEN}, {TOKEN "\nsecond\nthird", TOKEN},
        {TOKEN " \n", TOKEN " "},    {"a\rb\n", "a\rb"},
        {TOKEN "\r", TOKEN "\r"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        scratch_write(path, table[i].content, strlen(table[i].content), 0600);
        assert_int_equal(fetch(TOKEN_FILE, path, 1000), 0);
        assert_string_equal(secret_str(&token), table[i].token);
        assert_int_equal(token.len, strlen(table[i].token));
        /* What followed the line is wiped, not only cut off. */
        for (size_t k = token.len; k < strlen(table[i].content); k++)
            assert_int_equal(token.data[k], 0);
    }
}

static void
size_of_a_file(void **state)
{
    char *big = malloc(3 * TOKEN_FILE_MAX);

    (void)state;
    assert_non_null(big);
    memset(big, 't', 3 * TOKEN_FILE_MAX);
    big[TOKEN_FILE_MAX] = '\n';
    scratch_write(path, big, 3 * TOKEN_FILE_MAX, 0600);
    assert_int_equal(fetch(TOKEN_FILE, path, 1000), 0);
    assert_int_equal(token.len, TOKEN_FILE_MAX);
    big[TOKEN_FILE_MAX] = 't';
    big[TOKEN_FILE_MAX + 1] = '\n';
    scratch_write(path, big, 3 * TOKEN_FILE_MAX, 0600);
    assert_int_equal(fetch(TOKEN_FILE, path, 1000), ERR_CONFIG);
    big[TOKEN_FILE_MAX + 1] = 't';
    scratch_write(path, big, 3 * TOKEN_FILE_MAX, 0600);
    assert_int_equal(fetch(TOKEN_FILE, path, 1000), ERR_CONFIG);
    free(big);
}

static void
file_text(char expect[2 * SCRATCH_PATH_MAX], const char *format)
{
    char *at = strstr(format, "PATH");

    snprintf(expect, 2 * SCRATCH_PATH_MAX, "%.*s%s%s", (int)(at - format), format, path,
             at + 4);
}

static void
files_that_are_none(void **state)
{
    char expect[2 * SCRATCH_PATH_MAX];
    int64_t begin = deadline_now();

    (void)state;
    assert_int_equal(fetch(TOKEN_FILE, "", 1000), ERR_USAGE);
    assert_string_equal(err.text, "the password names no file: file:PATH");
    assert_int_equal(fetch(TOKEN_FILE, path, 1000), ERR_CONFIG);
    file_text(expect, "cannot open the token file PATH: No such file or directory");
    assert_string_equal(err.text, expect);
    assert_string_equal(err.hint,
                        "look at what writes this file, and at the path inside the jail");
    scratch_write(path, "", 0, 0600);
    assert_int_equal(fetch(TOKEN_FILE, path, 1000), ERR_TEMP);
    file_text(expect, "the token file PATH is empty");
    assert_string_equal(err.text, expect);
    scratch_write(path, "\nsecond\n", 8, 0600);
    assert_int_equal(fetch(TOKEN_FILE, path, 1000), ERR_TEMP);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0); /* nobody writes: this must not wait */
    assert_int_equal(fetch(TOKEN_FILE, path, 1000), ERR_CONFIG);
    file_text(expect, "the token file PATH is not a regular file");
    assert_string_equal(err.text, expect);
    assert_int_equal(fetch(TOKEN_FILE, dir, 1000), ERR_CONFIG);
    assert_int_equal(fetch(TOKEN_FILE, "/dev/zero", 1000), ERR_CONFIG);
    assert_true(deadline_now() - begin < 2000);
}

static void
agent(void **state)
{
    static const struct fake_step steps[] = {{FAKE_CUT, ""},
                                             {FAKE_REPLY, "OK " TOKEN},
                                             {FAKE_REPLY, "PERM expired -> renew"},
                                             {FAKE_SILENT, ""}};
    struct fake_agent *a =
        fake_agent_start(getenv(AGENT_SOCKET_ENV), steps, COUNT(steps));
    int64_t begin;

    (void)state;
    /* It restarts, and is asked again. */
    assert_int_equal(fetch(TOKEN_AGENT, "relay@y", 5000), 0);
    assert_string_equal(secret_str(&token), TOKEN);
    assert_string_equal(fake_agent_request(a), "token relay@y");
    assert_int_equal(fetch(TOKEN_AGENT, "relay@y", 5000), ERR_PERSON);
    assert_string_equal(err.hint, "renew");
    begin = deadline_now();
    assert_int_equal(fetch(TOKEN_AGENT, "relay@y", 200), ERR_TIMEOUT);
    assert_in_range(deadline_now() - begin, 200, 2000);
    assert_int_equal(fetch(TOKEN_AGENT, "", 200), ERR_USAGE);
    assert_int_equal(fetch(TOKEN_AGENT, "a\nb", 200), ERR_USAGE);
    assert_int_equal(fake_agent_stop(a), 4);
    assert_int_equal(fetch(TOKEN_AGENT, "relay@y", 5000), ERR_NOAGENT);
}

static void
rejected(void **state)
{
    static const struct fake_step steps[] = {
        {FAKE_REPLY, "OK "}, {FAKE_REPLY, "TEMP no"}, {FAKE_CUT, ""}, {FAKE_SILENT, ""}};
    struct fake_agent *a =
        fake_agent_start(getenv(AGENT_SOCKET_ENV), steps, COUNT(steps));
    int64_t begin = deadline_now();

    (void)state;
    assert_int_equal(secret_set(&token, TOKEN, strlen(TOKEN)), 0);
    token_source_rejected("relay@y", &token);
    assert_string_equal(fake_agent_request(a), "rejected " TOKEN " relay@y");
    token_source_rejected("relay@y", &token);
    token_source_rejected("relay@y", &token);
    assert_int_equal(fake_agent_connections(a), 3); /* not asked again */
    assert_true(deadline_now() - begin < 1500);
    begin = deadline_now();
    token_source_rejected("relay@y", &token);
    assert_in_range(deadline_now() - begin, 1900, 3500);
    fake_agent_stop(a);
    token_source_rejected("relay@y", &token);
    assert_string_equal(secret_str(&token), TOKEN);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_password_means),
        TEST(literal),
        TEST(first_line_of_a_file),
        TEST(size_of_a_file),
        TEST(files_that_are_none),
        TEST(agent),
        TEST(rejected),
    };

    return cmocka_run_group_tests_name("token_source", tests, NULL, NULL);
}
