/* One command and its reply, in three protocols. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mail/command.h"
#include "mail/visit.h"

/* A server that has said everything already, `step` bytes at a time. */
struct script {
    struct stream stream; /* first */
    const char *says;
    size_t at, step;
    char heard[300];
    size_t heard_len;
};

static enum stream_result
from_script(struct stream *stream, char *buf, size_t size, size_t *n_r, struct err *err)
{
    struct script *s = (struct script *)stream;
    size_t left = strlen(s->says) - s->at;

    (void)err;
    if (left == 0)
        return STREAM_END;
    *n_r = left < s->step ? left : s->step;
    *n_r = *n_r < size ? *n_r : size;
    memcpy(buf, s->says + s->at, *n_r);
    s->at += *n_r;
    return STREAM_DONE;
}

static enum stream_result
to_script(struct stream *stream, const char *buf, size_t len, size_t *n_r,
          struct err *err)
{
    struct script *s = (struct script *)stream;

    (void)err;
    assert_true(s->heard_len + len < sizeof s->heard);
    memcpy(s->heard + s->heard_len, buf, len);
    s->heard_len += len;
    *n_r = len;
    return STREAM_DONE;
}

struct outcome {
    int r;
    bool yes;
    char said[COMMAND_SAID_MAX];
    char heard[300];
    struct err err;
};

static struct outcome
run(enum wire wire, const char *line, const char *says, size_t step)
{
    struct script s = {
        .stream = {-1, from_script, to_script}, .says = says, .step = step};
    struct stream_wait wait = {.stream = &s.stream, .deadline = deadline_in(5000)};
    struct secret token = SECRET_INIT;
    struct lineio in;
    struct command c = {
        .wait = &wait, .in = &in, .wire = wire, .host = "mail.example", .secret = &token};
    struct outcome o = {.r = 0};

    secret_append_str(&token, "SECRET-0123456789abcdef");
    lineio_init(&in, 1000, stream_more, &wait);
    o.r = command_do(&c, line, &o.yes, o.said, &o.err);
    memcpy(o.heard, s.heard, sizeof o.heard);
    lineio_clear(&in);
    secret_clear(&token);
    return o;
}

static void
imap_waits_for_its_tag(void **state)
{
    struct outcome o = run(WIRE_IMAP, "EXAMINE INBOX",
                           "* FLAGS ()\r\n* 3 EXISTS\r\nM1 NO no\r\nM2 OK done\r\n", 7);

    (void)state;
    assert_int_equal(o.r, 0);
    assert_true(o.yes);
    assert_string_equal(o.said, "OK done");
    assert_string_equal(o.heard, "M2 EXAMINE INBOX\r\n");
    o = run(WIRE_IMAP, "EXAMINE INBOX",
            "M2 BAD User is authenticated but not connected.\r\n", 1);
    assert_int_equal(o.r, 0);
    assert_false(o.yes);
    assert_string_equal(o.said, "BAD User is authenticated but not connected.");
    o = run(WIRE_IMAP, "NOOP", "* BYE Connection closed. 14\r\n", 100);
    assert_int_equal(o.r, 0);
    assert_false(o.yes);
    assert_string_equal(o.said, "* BYE Connection closed. 14");
}

static void
smtp_reads_all_lines(void **state)
{
    struct outcome o =
        run(WIRE_SMTP, "MAIL FROM:<a@b>", "550-5.7.1 first\r\n550 5.7.1 last\r\n", 3);

    (void)state;
    assert_int_equal(o.r, 0);
    assert_false(o.yes);
    assert_string_equal(o.said, "550-5.7.1 first 550 5.7.1 last");
    assert_string_equal(o.heard, "MAIL FROM:<a@b>\r\n");
    o = run(WIRE_SMTP, "DATA", "354 go on\r\n", 100);
    assert_true(o.yes);
    o = run(WIRE_SMTP, "RSET", "432 4.3.2 Concurrent connections limit exceeded\r\n",
            100);
    assert_int_equal(o.r, 0);
    assert_false(o.yes);
}

static void
pop3_has_one_line(void **state)
{
    struct outcome o = run(WIRE_POP3, "STAT", "+OK 2 320\r\n-ERR no\r\n", 100);

    (void)state;
    assert_int_equal(o.r, 0);
    assert_true(o.yes);
    assert_string_equal(o.said, "+OK 2 320");
    o = run(WIRE_POP3, "STAT", "-ERR no\r\n", 100);
    assert_false(o.yes);
}

static void
what_is_no_reply(void **state)
{
    struct outcome o = run(WIRE_SMTP, "RSET", "seen RSET\r\n", 100);

    (void)state;
    assert_int_equal(o.r, ERR_PROTOCOL);
    assert_string_equal(o.err.text, "mail.example does not answer in smtp");
    o = run(WIRE_POP3, "STAT", "hello\r\n", 100);
    assert_int_equal(o.r, ERR_PROTOCOL);
    o = run(WIRE_SMTP, "RSET", "250-half\r\n25", 100);
    assert_int_equal(o.r, ERR_TEMP);
    assert_string_equal(o.err.text, "mail.example closed the connection");
}

static void
an_endless_reply_ends(void **state)
{
    static char text[20000];
    struct outcome o;

    (void)state;
    for (size_t at = 0; at + 10 < sizeof text; at += 7)
        memcpy(text + at, "250-x\r\n", 8);
    o = run(WIRE_SMTP, "RSET", text, 4096);
    assert_int_equal(o.r, ERR_PROTOCOL);
    assert_string_equal(o.err.text, "mail.example answers without end");
    assert_true(strlen(o.said) < COMMAND_SAID_MAX);
}

static void
the_token_is_not_repeated(void **state)
{
    struct outcome o =
        run(WIRE_SMTP, "RSET", "500 what is SECRET-0123456789abcdef\r\n", 100);

    (void)state;
    assert_int_equal(o.r, 0);
    assert_string_equal(o.said, "(not shown: it repeats the token)");
    o = run(WIRE_SMTP, "RSET", "500 \033[2J\007\r\n", 100);
    assert_string_equal(o.said, "500 ?[2J?");
}

/* libcurl would take 0 for "without end". */
static void
a_visit_without_time_is_none(void **state)
{
    char host[] = "127.0.0.1";
    const struct mail_server server = {.user = "a@b", .host = host, .port = 1};
    struct visit visit;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(visit_open(&visit, WIRE_SMTP, &server, "a", 0, &err), ERR_TIMEOUT);
    assert_string_equal(err.text, "127.0.0.1: no time is left for it");
    visit_close(&visit);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imap_waits_for_its_tag),
        cmocka_unit_test(smtp_reads_all_lines),
        cmocka_unit_test(pop3_has_one_line),
        cmocka_unit_test(what_is_no_reply),
        cmocka_unit_test(an_endless_reply_ends),
        cmocka_unit_test(the_token_is_not_repeated),
        cmocka_unit_test(a_visit_without_time_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
