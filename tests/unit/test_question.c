/* test_question.c - what a client asks, read and judged. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/question.h"
#include "oauth_kit.h"

#define PERMITTED 1234 /* uid in allow_users of `a b` and `alice@contoso.com` */
#define STRANGER 4321

static const char conf[] = "defaults { client_id = c }\n"
                           "account \"alice@contoso.com\" { allow_users = { 1234 } }\n"
                           "account \"a b\" { allow_users = { 1234 } postfix_keys = { "
                           "\"[relay.example]:587\" } }\n"
                           "account version { allow_users = { 1234 } }\n";

static struct accounts *accounts;
static struct permits *permits;

static void
warn(const char *line)
{
    (void)line;
}

static int
setup(void **state)
{
    struct err err = ERR_INIT;

    if (conf_setup(state) != 0)
        return -1;
    accounts = conf_accept(conf);
    return permits_new(accounts, 900, warn, &permits, &err);
}

static int
teardown(void **state)
{
    permits_free(&permits);
    accounts_free(&accounts);
    return conf_teardown(state);
}

/* From a block of exactly that size: ASan sees a read behind its end. */
static int
read_as(const char *payload, size_t len, uid_t uid, struct question *q, struct err *err)
{
    static char *copy; /* kept: the question borrows the token from it */

    free(copy);
    copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, payload, len);
    return question_read(accounts, permits, copy, len, uid, q, err);
}

static struct question
asks(const char *payload)
{
    struct question q = {.kind = QUESTION_STATUS};
    struct err err = ERR_INIT;

    if (read_as(payload, strlen(payload), PERMITTED, &q, &err) != 0)
        fail_msg("`%s`: %s", payload, err.text);
    return q;
}

static void
refuses_bytes(const char *payload, size_t len, int code, const char *text)
{
    struct question q = {.kind = QUESTION_STATUS, .token = "untouched"};
    struct err err = ERR_INIT;
    int r = read_as(payload, len, PERMITTED, &q, &err);

    if (r != code || strcmp(err.text, text) != 0)
        fail_msg("`%.40s`: %d %s", payload, r, err.text);
    assert_int_equal(err.code, code);
    assert_null(strstr(err.text, "CANARY"));
    assert_null(strstr(err.hint, "CANARY"));
    assert_string_equal(q.token, "untouched");
}

static void
refuses(const char *payload, int code, const char *text)
{
    refuses_bytes(payload, strlen(payload), code, text);
}

static void
accounts_by_name(void **state)
{
    struct question q = asks("token alice@contoso.com");

    (void)state;
    assert_int_equal(q.kind, QUESTION_TOKEN);
    assert_string_equal(q.account->name, "alice@contoso.com");
    q = asks("token a b");
    assert_string_equal(q.account->name, "a b");
    q = asks("status a b");
    assert_int_equal(q.kind, QUESTION_STATUS);
    assert_string_equal(q.account->name, "a b");
    refuses("token Alice@contoso.com", ERR_NOACCOUNT, "no such account");
    refuses("token a b ", ERR_NOACCOUNT, "no such account");
    refuses("token  a b", ERR_NOACCOUNT, "no such account");
    refuses("token ", ERR_NOACCOUNT, "no such account");
    refuses("status bob", ERR_NOACCOUNT, "no such account");
}

static void
postfix_keys(void **state)
{
    struct question q = asks("sasl [relay.example]:587");

    (void)state;
    assert_int_equal(q.kind, QUESTION_SASL);
    assert_string_equal(q.account->name, "a b");
    q = asks("sasl [RELAY.example]:587");
    assert_string_equal(q.account->name, "a b");
    refuses("sasl [relay.example]:25", ERR_NOACCOUNT,
            "no account lists `[relay.example]:25`");
    refuses("sasl a b", ERR_NOACCOUNT, "no account lists `a b`");
}

/* Two accounts have smtp.office365.com by default: NOTFOUND would make Postfix go on
 * without authentication. */
static void
an_ambiguous_key_is_a_refusal(void **state)
{
    struct question q;
    struct err err = ERR_INIT;
    char text[] = "sasl smtp.office365.com";

    (void)state;
    assert_int_equal(read_as(text, strlen(text), PERMITTED, &q, &err), ERR_PERSON);
    assert_int_equal(err.code, ERR_PERSON);
    assert_non_null(strstr(err.text, "smtp.office365.com"));
    assert_non_null(strstr(err.hint, "postfix_keys"));
}

static void
rejected_tokens(void **state)
{
    struct question q = asks("rejected CANARY.tok a b");

    (void)state;
    assert_int_equal(q.kind, QUESTION_REJECTED);
    assert_string_equal(q.account->name, "a b");
    assert_int_equal(q.token_len, 10);
    assert_memory_equal(q.token, "CANARY.tok", 10);
    q = asks("rejected  a b"); /* an empty one */
    assert_int_equal(q.token_len, 0);
    assert_string_equal(q.account->name, "a b");
    refuses("rejected CANARY", ERR_PERSON, "not a request this agent knows");
    refuses("rejected CANARY bob", ERR_NOACCOUNT, "no such account");
    refuses("rejected CANARY ", ERR_NOACCOUNT, "no such account");
}

static void
upstream_servers(void **state)
{
    struct question q = asks("upstream imap a b");

    (void)state;
    assert_int_equal(q.kind, QUESTION_UPSTREAM);
    assert_int_equal(q.protocol, PROTOCOL_IMAP);
    assert_string_equal(q.account->name, "a b");
    assert_int_equal(asks("upstream smtp a b").protocol, PROTOCOL_SMTP);
    assert_int_equal(asks("upstream pop3 a b").protocol, PROTOCOL_POP3);
    refuses("upstream imaps a b", ERR_PERSON, "not a request this agent knows");
    refuses("upstream IMAP a b", ERR_PERSON, "not a request this agent knows");
    refuses("upstream imap", ERR_PERSON, "not a request this agent knows");
    refuses("upstream averyverylongprotocol a b", ERR_PERSON,
            "not a request this agent knows");
    refuses("upstream imap bob", ERR_NOACCOUNT, "no such account");
}

static void
version_needs_no_account_and_no_permit(void **state)
{
    static const char *const forms[] = {"version", "version ", "version -",
                                        "version anything"};
    struct question q;
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        assert_int_equal(read_as(forms[i], strlen(forms[i]), STRANGER, &q, &err), 0);
        assert_int_equal(q.kind, QUESTION_VERSION);
        assert_null(q.account);
    }
}

static void
what_nobody_knows(void **state)
{
    struct question q;
    struct err err = ERR_INIT;

    (void)state;
    refuses("", ERR_PERSON, "not a request this agent knows");
    refuses(" ", ERR_PERSON, "not a request this agent knows");
    refuses("token", ERR_PERSON, "not a request this agent knows");
    refuses("tok alice@contoso.com", ERR_PERSON, "not a request this agent knows");
    refuses("TOKEN alice@contoso.com", ERR_PERSON, "not a request this agent knows");
    refuses("tokens alice@contoso.com", ERR_PERSON, "not a request this agent knows");
    refuses("CANARY alice@contoso.com", ERR_PERSON, "not a request this agent knows");
    refuses_bytes("token\0 a b", 10, ERR_PERSON, "not a request this agent knows");
    read_as("x", 1, PERMITTED, &q, &err);
    assert_string_equal(
        err.hint, "the requests are: token, sasl, rejected, upstream, status, version");
}

static void
names_that_are_none(void **state)
{
    static char longest[16384];

    (void)state;
    refuses_bytes("token a b\0", 10, ERR_NOACCOUNT, "no such account");
    refuses_bytes("token alice@contoso.com\0x", 25, ERR_NOACCOUNT, "no such account");
    refuses_bytes("sasl [relay.example]:587\0", 25, ERR_NOACCOUNT, "no such account");
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "token ", 6);
    refuses_bytes(longest, sizeof longest, ERR_NOACCOUNT, "no such account");
}

static void
strangers_get_nothing(void **state)
{
    static const char *const all[] = {"token alice@contoso.com", "status a b",
                                      "sasl [relay.example]:587", "rejected CANARY a b",
                                      "upstream imap a b"};

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct question q = {.kind = QUESTION_VERSION};
        struct err err = ERR_INIT;

        assert_int_equal(read_as(all[i], strlen(all[i]), STRANGER, &q, &err), ERR_DENIED);
        assert_string_equal(err.text, "uid 4321 may not use this account");
        assert_null(q.account);
        err = (struct err)ERR_INIT;
        assert_int_equal(read_as(all[i], strlen(all[i]), PERMITS_UNMAPPED, &q, &err),
                         ERR_DENIED);
        assert_int_equal(read_as(all[i], strlen(all[i]), 0, &q, &err), 0);
        assert_int_equal(read_as(all[i], strlen(all[i]), 900, &q, &err), 0);
    }
}

static void
kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(question_name(QUESTION_VERSION), "version");
    assert_string_equal(question_name(QUESTION_TOKEN), "token");
    assert_string_equal(question_name(QUESTION_SASL), "sasl");
    assert_string_equal(question_name(QUESTION_REJECTED), "rejected");
    assert_string_equal(question_name(QUESTION_UPSTREAM), "upstream");
    assert_string_equal(question_name(QUESTION_STATUS), "status");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_by_name),
        cmocka_unit_test(postfix_keys),
        cmocka_unit_test(an_ambiguous_key_is_a_refusal),
        cmocka_unit_test(rejected_tokens),
        cmocka_unit_test(upstream_servers),
        cmocka_unit_test(version_needs_no_account_and_no_permit),
        cmocka_unit_test(what_nobody_knows),
        cmocka_unit_test(names_that_are_none),
        cmocka_unit_test(strangers_get_nothing),
        cmocka_unit_test(kinds_have_names),
    };

    return cmocka_run_group_tests_name("question", tests, setup, teardown);
}
