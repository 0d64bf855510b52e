/* test_sign_in.c - the sign-in at a server that says what the test wrote down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../token-helper/base/base64.h"
#include "../../token-helper/mail/sign_in.h"

#define TOKEN "eyJ0eXAiOiJKV1QiCANARYeyJ0eXAiOiJKV1Qi"
/* user=alice@contoso.com 01 auth=Bearer TOKEN 01 01, by hand: printf | base64 -w0 */
#define XOAUTH2                                                                          \
    "dXNlcj1hbGljZUBjb250b3NvLmNvbQFhdXRoPUJlYXJlciBleUowZVhBaU9pSktWMVFpQ0FOQVJZZXlKMG" \
    "VYQWlPaUpLVjFRaQEB\r\n"
#define JSON401 "eyJzdGF0dXMiOiI0MDEifQ==" /* {"status":"401"} */

/* The server's side: each part is received by one recv. */
struct scripted {
    struct stream stream;
    const char *parts[12]; /* NULL at the end */
    size_t next;
    bool stalls; /* at the end: nothing, instead of hanging up */
    bool floods; /* at the end: the last part again and again */
    char got[8192];
    size_t got_len;
};

static enum stream_result
script_recv(struct stream *stream, char *buf, size_t size, size_t *n_r, struct err *err)
{
    struct scripted *s = (struct scripted *)stream;
    const char *part = s->parts[s->next];

    (void)err;
    if (part == NULL && s->floods)
        part = s->parts[--s->next];
    if (part == NULL)
        return s->stalls ? STREAM_AGAIN : STREAM_END;
    *n_r = strlen(part);
    assert_true(*n_r <= size);
    memcpy(buf, part, *n_r);
    s->next++;
    return STREAM_DONE;
}

static enum stream_result
script_send(struct stream *stream, const char *buf, size_t len, size_t *n_r,
            struct err *err)
{
    struct scripted *s = (struct scripted *)stream;

    (void)err;
    *n_r = len > 7 ? 7 : len; /* in pieces */
    assert_true(s->got_len + *n_r < sizeof s->got);
    memcpy(s->got + s->got_len, buf, *n_r);
    s->got_len += *n_r;
    return STREAM_DONE;
}

struct session {
    enum wire wire;
    const char *offer; /* a line of capabilities before the sign-in */
    bool password;
    struct scripted server;
    /* what came out */
    struct caps caps;
    struct secret held;
    char rest[4096];
    const char *mechanism;
    bool refused;
    struct err err;
};

static int
run_for(struct session *s, const char *secret, int deadline_ms)
{
    struct stream_wait wait = {.stream = &s->server.stream,
                               .deadline = deadline_in(deadline_ms)};
    struct secret token = SECRET_INIT;
    struct lineio in;
    size_t len = 0;
    const char *rest;
    int ends[2];
    int r;

    assert_int_equal(pipe(ends), 0);
    s->server.stream = (struct stream){ends[0], script_recv, script_send};
    assert_int_equal(secret_append_str(&token, secret), 0);
    caps_init(&s->caps, s->wire);
    if (s->wire == WIRE_POP3)
        caps_line(&s->caps, "+OK", 3);
    if (s->wire == WIRE_SMTP)
        caps_line(&s->caps, "250-first", 9);
    caps_line(&s->caps, s->offer, strlen(s->offer));
    lineio_init(&in, SIGN_IN_LINE_MAX, stream_more, &wait);
    r = sign_in(&(struct sign_in){.wait = &wait,
                                  .in = &in,
                                  .caps = &s->caps,
                                  .held = &s->held,
                                  .host = "mail.test",
                                  .account = "alice",
                                  .user = "alice@contoso.com",
                                  .secret = &token,
                                  .password = s->password},
                &s->mechanism, &s->refused, &s->err);
    rest = lineio_rest(&in, &len);
    snprintf(s->rest, sizeof s->rest, "%.*s", (int)len, rest);
    s->server.got[s->server.got_len] = '\0';
    lineio_clear(&in);
    secret_clear(&token);
    close(ends[0]);
    close(ends[1]);
    return r;
}

static int
run(struct session *s)
{
    return run_for(s, TOKEN, 5000);
}

static void
end(struct session *s)
{
    caps_clear(&s->caps);
    secret_clear(&s->held);
}

#define IMAP_OFFER                                                                       \
    "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=OAUTHBEARER AUTH=XOAUTH2"

static void
imap(void **state)
{
    struct session s = {.wire = WIRE_IMAP,
                        .offer = IMAP_OFFER,
                        .server.parts = {"+ \r\n", "M1 OK AUTHENTICATE completed.\r\n",
                                         "* CAPABILITY IMAP4rev1 IDLE AUTH=XOAUTH2\r\n",
                                         "M1 OK done\r\n* OK [ALERT] x\r\n* 3 EXI"}};
    size_t at = 0, len = 0;

    (void)state;
    assert_int_equal(run(&s), 0);
    assert_string_equal(s.mechanism, "XOAUTH2");
    assert_string_equal(s.server.got,
                        "M1 AUTHENTICATE XOAUTH2\r\n" XOAUTH2 "M1 CAPABILITY\r\n");
    assert_string_equal(s.rest, "* OK [ALERT] x\r\n* 3 EXI");
    assert_memory_equal(caps_next(&s.caps, &at, &len), "IMAP4rev1", 9);
    assert_memory_equal(caps_next(&s.caps, &at, &len), "IDLE", 4);
    assert_null(caps_next(&s.caps, &at, &len));
    end(&s);
}

/* What comes behind the OK in the same segment is the client's, and the list in the OK
 * saves a question. */
static void
imap_all_in_one_segment(void **state)
{
    struct session s = {
        .wire = WIRE_IMAP,
        .offer = IMAP_OFFER,
        .server.parts = {"+ \r\n",
                         "* OK [ALERT] wait\r\nM1 OK [CAPABILITY IMAP4rev1 IDLE] "
                         "in\r\n* 1 EXISTS\r\n"}};

    (void)state;
    assert_int_equal(run(&s), 0);
    assert_string_equal(s.server.got, "M1 AUTHENTICATE XOAUTH2\r\n" XOAUTH2);
    assert_string_equal(secret_str(&s.held), "* OK [ALERT] wait\r\n");
    assert_string_equal(s.rest, "* 1 EXISTS\r\n");
    end(&s);
}

static void
pop3_and_smtp(void **state)
{
    struct session pop = {.wire = WIRE_POP3,
                          .offer = "SASL PLAIN XOAUTH2",
                          .server.parts = {"+\r\n", "+OK signed in\r\n"}};
    struct session smtp = {.wire = WIRE_SMTP,
                           .offer = "250 AUTH LOGIN XOAUTH2",
                           .server.parts = {"334 \r\n", "235 2.7.0 ok\r\n",
                                            "250-mail.test\r\n250-SIZE 9\r\n",
                                            "250 DSN\r\n"}};
    size_t at = 0, len = 0;
    char ehlo[] = "AUTH XOAUTH2\r\n" XOAUTH2 "EHLO ";

    (void)state;
    assert_int_equal(run(&pop), 0);
    assert_string_equal(pop.server.got, "AUTH XOAUTH2\r\n" XOAUTH2);
    assert_true(caps_offers(&pop.caps, "XOAUTH2")); /* the list is still there */
    end(&pop);
    assert_int_equal(run(&smtp), 0);
    assert_memory_equal(smtp.server.got, ehlo, sizeof ehlo - 1);
    assert_memory_equal(caps_next(&smtp.caps, &at, &len), "SIZE 9", 6);
    assert_memory_equal(caps_next(&smtp.caps, &at, &len), "DSN", 3);
    end(&smtp);
}

static void
oauthbearer_where_only_that_is_offered(void **state)
{
    struct session s = {.wire = WIRE_POP3,
                        .offer = "SASL PLAIN OAUTHBEARER",
                        .server.parts = {"+ \r\n", "+OK\r\n"}};
    struct secret sent = SECRET_INIT;
    const char *line;

    (void)state;
    assert_int_equal(run(&s), 0);
    assert_string_equal(s.mechanism, "OAUTHBEARER");
    line = strchr(s.server.got, '\n') + 1;
    assert_int_equal(base64_decode(line, strcspn(line, "\r"), &sent), 0);
    assert_string_equal(secret_str(&sent),
                        "n,a=alice@contoso.com,\001auth=Bearer " TOKEN "\001\001");
    secret_clear(&sent);
    end(&s);
}

static void
passwords(void **state)
{
    struct session plain = {.wire = WIRE_SMTP,
                            .offer = "250 AUTH LOGIN PLAIN XOAUTH2",
                            .password = true,
                            .server.parts = {"334 \r\n", "235 ok\r\n", "250 x\r\n"}};
    struct session login = {
        .wire = WIRE_POP3,
        .offer = "SASL LOGIN",
        .password = true,
        .server.parts = {"+ VXNlcm5hbWU6\r\n", "+ UGFzc3dvcmQ6\r\n", "+OK\r\n"}};

    static const char words[] =
        "AUTH PLAIN\r\nAGFsaWNlQGNvbnRvc28uY29tAGFwcCB3b3Jk\r\nEHLO ";

    (void)state;
    assert_int_equal(run_for(&plain, "app word", 5000), 0);
    assert_memory_equal(plain.server.got, words, strlen(words));
    end(&plain);
    assert_int_equal(run_for(&login, "app word", 5000), 0);
    assert_string_equal(login.server.got,
                        "AUTH LOGIN\r\nYWxpY2VAY29udG9zby5jb20=\r\nYXBwIHdvcmQ=\r\n");
    end(&login);
}

/* There is no way from a token to a password: nothing at all is sent. */
static void
not_offered(void **state)
{
    struct session s = {.wire = WIRE_IMAP,
                        .offer = "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN"};
    struct session p = {.wire = WIRE_SMTP, .offer = "250 AUTH XOAUTH2", .password = true};

    (void)state;
    assert_int_equal(run(&s), ERR_PERSON);
    assert_string_equal(s.err.text,
                        "mail.test cannot take a token: no AUTH=XOAUTH2 in CAPABILITY");
    assert_string_equal(s.server.got, "");
    assert_false(s.refused);
    end(&s);
    assert_int_equal(run(&p), ERR_PERSON);
    assert_string_equal(p.err.text, "mail.test offers neither PLAIN nor LOGIN");
    assert_string_equal(p.server.got, "");
    end(&p);
}

static void
refused_as_exchange_does(void **state)
{
    struct session s = {.wire = WIRE_IMAP,
                        .offer = IMAP_OFFER,
                        .server.parts = {"+ \r\n", "M1 NO AUTHENTICATE failed.\r\n"}};
    struct session smtp = {
        .wire = WIRE_SMTP,
        .offer = "250 AUTH XOAUTH2",
        .server.parts = {"334 \r\n", "535-5.7.8 first\r\n535 5.7.8 last\r\n"}};

    (void)state;
    assert_int_equal(run(&s), ERR_PERSON);
    assert_true(s.refused);
    assert_string_equal(s.err.text,
                        "mail.test refused the sign-in: NO AUTHENTICATE failed.");
    assert_non_null(strstr(s.err.hint, "mailbearer doctor alice --imap"));
    end(&s);
    assert_int_equal(run(&smtp), ERR_PERSON);
    assert_true(smtp.refused);
    assert_string_equal(smtp.err.text,
                        "mail.test refused the sign-in: 535-5.7.8 first 535 5.7.8 last");
    end(&smtp);
}

static void
refused_with_a_report(void **state)
{
    struct session x = {
        .wire = WIRE_SMTP,
        .offer = "250 AUTH XOAUTH2",
        .server.parts = {"334 \r\n", "334 " JSON401 "\r\n", "535 5.7.8 no\r\n"}};
    struct session b = {.wire = WIRE_IMAP,
                        .offer = "* CAPABILITY AUTH=OAUTHBEARER",
                        .server.parts = {"+ \r\n", "+ " JSON401 "\r\n", "M1 NO no\r\n"}};
    struct session cut = {.wire = WIRE_POP3,
                          .offer = "SASL XOAUTH2",
                          .server.parts = {"+ \r\n", "+ " JSON401 "\r\n"}};

    const char *tail;

    (void)state;
    assert_int_equal(run(&x), ERR_PERSON);
    assert_string_equal(x.server.got, "AUTH XOAUTH2\r\n" XOAUTH2 "\r\n");
    assert_string_equal(x.err.text, "mail.test refused the sign-in: 535 5.7.8 no "
                                    "{\"status\":\"401\"}");
    assert_true(x.refused);
    end(&x);
    assert_int_equal(run(&b), ERR_PERSON);
    tail = b.server.got + b.server.got_len - 8;
    assert_string_equal(tail, "\r\nAQ==\r\n");
    end(&b);
    assert_int_equal(run(&cut), ERR_PERSON);
    assert_string_equal(cut.err.text,
                        "mail.test refused the sign-in: {\"status\":\"401\"}");
    end(&cut);
}

/* A server that does not understand repeats what it was sent. */
static void
what_was_sent_is_not_reported(void **state)
{
    struct session coded = {
        .wire = WIRE_IMAP,
        .offer = IMAP_OFFER,
        .server.parts = {"+ \r\n", "M1 BAD what is " XOAUTH2 "M1 OK\r\n"}};
    struct session clear = {.wire = WIRE_POP3,
                            .offer = "SASL XOAUTH2",
                            .server.parts = {"+ \r\n", "-ERR bad token " TOKEN "\r\n"}};

    (void)state;
    assert_int_equal(run(&coded), ERR_PERSON);
    assert_string_equal(coded.err.text, "mail.test refused the sign-in: (not shown: it "
                                        "repeats the token)");
    end(&coded);
    assert_int_equal(run(&clear), ERR_PERSON);
    assert_string_equal(clear.err.text, "mail.test refused the sign-in: (not shown: it "
                                        "repeats the token)");
    end(&clear);
}

static void
trouble_that_passes(void **state)
{
    struct session smtp = {
        .wire = WIRE_SMTP,
        .offer = "250 AUTH XOAUTH2",
        .server.parts = {"454 4.7.0 Temporary authentication failure\r\n"}};
    struct session bye = {.wire = WIRE_IMAP,
                          .offer = IMAP_OFFER,
                          .server.parts = {"+ \r\n* BYE Connection closed. 14\r\n"}};
    struct session gone = {
        .wire = WIRE_POP3, .offer = "SASL XOAUTH2", .server.parts = {"+ \r\n"}};

    (void)state;
    assert_int_equal(run(&smtp), ERR_TEMP);
    assert_false(smtp.refused);
    end(&smtp);
    assert_int_equal(run(&bye), ERR_TEMP);
    assert_false(bye.refused);
    assert_string_equal(bye.err.text,
                        "mail.test refused the sign-in: BYE Connection closed. 14");
    end(&bye);
    assert_int_equal(run(&gone), ERR_TEMP);
    assert_string_equal(gone.err.text,
                        "mail.test closed the connection during the sign-in");
    end(&gone);
}

static void
signed_in_but_no_mailbox(void **state)
{
    struct session s = {
        .wire = WIRE_IMAP,
        .offer = IMAP_OFFER,
        .server.parts = {"+ \r\n", "M1 OK AUTHENTICATE completed.\r\n",
                         "M1 BAD User is authenticated but not connected.\r\n"}};

    (void)state;
    assert_int_equal(run(&s), ERR_PERSON);
    assert_false(s.refused); /* another token would not help */
    assert_string_equal(s.err.text, "mail.test signed in, but failed: BAD User is "
                                    "authenticated but not connected.");
    assert_true(s.err.hint[0] != '\0');
    end(&s);
}

static void
servers_out_of_step(void **state)
{
    struct session early = {
        .wire = WIRE_POP3, .offer = "SASL XOAUTH2", .server.parts = {"+OK come in\r\n"}};
    struct session more = {.wire = WIRE_SMTP,
                           .offer = "250 AUTH XOAUTH2",
                           .server.parts = {"334 \r\n", "334 \r\n"}};
    struct session stall = {
        .wire = WIRE_IMAP, .offer = IMAP_OFFER, .server.stalls = true};

    (void)state;
    assert_int_equal(run(&early), ERR_PROTOCOL);
    assert_string_equal(early.err.text, "mail.test accepted a sign-in that was not made");
    end(&early);
    assert_int_equal(run(&more), ERR_PROTOCOL);
    assert_string_equal(more.err.text, "mail.test asks for more than XOAUTH2 has");
    end(&more);
    assert_int_equal(run_for(&stall, TOKEN, 150), ERR_TIMEOUT);
    assert_string_equal(stall.err.text, "the server did not answer in time");
    end(&stall);
}

/* There is always something to read, so that nobody ever waits. */
static void
servers_that_never_stop_talking(void **state)
{
    struct session imap = {.wire = WIRE_IMAP,
                           .offer = IMAP_OFFER,
                           .server.parts = {"+ \r\n", "* OK and more\r\n"},
                           .server.floods = true};
    struct session smtp = {.wire = WIRE_SMTP,
                           .offer = "250 AUTH XOAUTH2",
                           .server.parts = {"334 \r\n", "235-and more\r\n"},
                           .server.floods = true};

    (void)state;
    assert_int_equal(run_for(&imap, TOKEN, 150), ERR_TIMEOUT);
    assert_string_equal(imap.err.text, "the server did not answer in time");
    end(&imap);
    assert_int_equal(run_for(&smtp, TOKEN, 150), ERR_TIMEOUT);
    end(&smtp);
}

static void
a_token_that_cannot_be_sent(void **state)
{
    struct session s = {
        .wire = WIRE_POP3, .offer = "SASL XOAUTH2", .server.parts = {"+\r\n"}};

    (void)state;
    assert_int_equal(run_for(&s, "two\nlines", 5000), ERR_PROTOCOL);
    assert_string_equal(s.server.got, "AUTH XOAUTH2\r\n");
    end(&s);
}

static void
base64_both_ways(void **state)
{
    static const char *const pairs[][2] = {
        {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe", "//4="}};
    static const char *const bad[] = {
        "Zg=", "Zg", "Z===", "====", "Zg==Zg==", "Zm9\n", "Zm 9"};
    struct secret out = SECRET_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        secret_reset(&out);
        assert_int_equal(base64_encode(pairs[i][0], strlen(pairs[i][0]), &out), 0);
        assert_string_equal(secret_str(&out), pairs[i][1]);
        secret_reset(&out);
        assert_int_equal(base64_decode(pairs[i][1], strlen(pairs[i][1]), &out), 0);
        assert_string_equal(secret_str(&out), pairs[i][0]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        secret_reset(&out);
        assert_int_equal(base64_decode(bad[i], strlen(bad[i]), &out), ERR_PROTOCOL);
        assert_int_equal(out.len, 0);
    }
    secret_clear(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imap),
        cmocka_unit_test(imap_all_in_one_segment),
        cmocka_unit_test(pop3_and_smtp),
        cmocka_unit_test(oauthbearer_where_only_that_is_offered),
        cmocka_unit_test(passwords),
        cmocka_unit_test(not_offered),
        cmocka_unit_test(refused_as_exchange_does),
        cmocka_unit_test(refused_with_a_report),
        cmocka_unit_test(what_was_sent_is_not_reported),
        cmocka_unit_test(trouble_that_passes),
        cmocka_unit_test(signed_in_but_no_mailbox),
        cmocka_unit_test(servers_out_of_step),
        cmocka_unit_test(servers_that_never_stop_talking),
        cmocka_unit_test(a_token_that_cannot_be_sent),
        cmocka_unit_test(base64_both_ways),
    };

    return cmocka_run_group_tests_name("sign_in", tests, NULL, NULL);
}
