/* test_loopback.c - the listener a browser comes back to, with a clock of our own. */
/* link: -Wl,--wrap=deadline_now */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/deadline.h"
#include "oauth/loopback.h"
#include "oauth/loopback_socket.h"
#include "oauth_kit.h"

static int64_t later_ms; /* how far our clock is ahead */

int64_t __real_deadline_now(void);
int64_t __wrap_deadline_now(void);

int64_t
__wrap_deadline_now(void)
{
    return __real_deadline_now() + later_ms;
}

struct seen {
    char query[256];
    int arrivals, notes;
    char note[256]; /* the last one */
    enum loopback_decision decision;
};

static enum loopback_decision
arrived(void *arg, const char *query, size_t len, struct web_page *page_r)
{
    struct seen *s = arg;

    s->arrivals++;
    snprintf(s->query, sizeof s->query, "%.*s", (int)len, query);
    *page_r = (struct web_page){.status = 400, .title = "no"};
    strcpy(page_r->text, "not this one");
    return s->decision;
}

static void
note(void *arg, const char *text)
{
    struct seen *s = arg;

    s->notes++;
    snprintf(s->note, sizeof s->note, "%s", text);
}

static struct loopback *
listening(struct seen *seen, const char *address)
{
    struct loopback_options o = {.address = address,
                                 .path = "/back",
                                 .arrived = arrived,
                                 .note = note,
                                 .arg = seen};
    struct loopback *l = NULL;
    struct err err = ERR_INIT;

    later_ms = 0;
    if (loopback_open(&o, &l, &err) != 0)
        fail_msg("%s", err.text);
    return l;
}

static int
connected(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((unsigned short)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_not_equal(fd, -1);
    if (connect(fd, (const struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    close(fd);
    return -1;
}

static void
say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What the listener answers until it closes; it is stepped meanwhile. */
static char *
answer(struct loopback *l, int fd, char *buf, size_t size)
{
    size_t have = 0;

    for (int i = 0; i < 400; i++) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t n;

        loopback_step(l);
        if (poll(&p, 1, 5) <= 0)
            continue;
        n = recv(fd, buf + have, size - 1 - have, 0);
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    buf[have] = '\0';
    close(fd);
    return buf;
}

static char *
asked(struct loopback *l, const char *request, char *buf, size_t size)
{
    int fd = connected(loopback_local_port(l));

    assert_int_not_equal(fd, -1);
    say(fd, request);
    return answer(l, fd, buf, size);
}

/* --- tests -----------------------------------------------------------------------------
 */

static void
the_right_one_is_held_and_answered(void **state)
{
    struct seen seen = {.decision = LOOPBACK_HOLD};
    struct loopback *l = listening(&seen, NULL);
    struct web_page page = {.status = 200, .title = "done"};
    int fd = connected(loopback_local_port(l));
    char buf[4096];

    (void)state;
    say(fd, "GET /back?code=CANARY HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 100 && seen.arrivals == 0; i++) {
        poll(NULL, 0, 5);
        loopback_step(l);
    }
    assert_string_equal(seen.query, "code=CANARY");
    /* a second one, while the first is looked at */
    asked(l, "GET /back?code=2 HTTP/1.1\r\n\r\n", buf, sizeof buf);
    assert_non_null(strstr(buf, "HTTP/1.1 409 "));
    assert_int_equal(seen.arrivals, 1);
    assert_string_equal(seen.note, "a second answer came: refused");
    loopback_finish(l, &page);
    answer(l, fd, buf, sizeof buf);
    assert_non_null(strstr(buf, "HTTP/1.1 200 OK"));
    assert_non_null(strstr(buf, "<h1>done</h1>"));
    loopback_close(&l);
    assert_null(l);
}

static void
what_is_not_it_is_answered_and_noted(void **state)
{
    static const struct {
        const char *request, *status, *note;
    } cases[] = {
        {"GET /back?x HTTP/1.1\r\n\r\n", " 400 ", "not this one"},
        {"GET / HTTP/1.1\r\n\r\n", " 404 ", "a page came back on another path: refused"},
        {"GET /back/ HTTP/1.1\r\n\r\n", " 404 ",
         "a page came back on another path: refused"},
        {"GET /bac HTTP/1.1\r\n\r\n", " 404 ",
         "a page came back on another path: refused"},
        {"PUT /back HTTP/1.1\r\n\r\n", " 405 ",
         "a request that is not GET came: refused"},
        {"hello\r\n\r\n", " 400 ", "something that is no HTTP request came: refused"},
    };
    struct seen seen = {.decision = LOOPBACK_ANSWER};
    struct loopback *l = listening(&seen, "localhost");
    char buf[4096];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        asked(l, cases[i].request, buf, sizeof buf);
        if (strncmp(buf, "HTTP/1.1", 8) != 0 || strncmp(buf + 8, cases[i].status, 5) != 0)
            fail_msg("%s: %.40s", cases[i].request, buf);
        assert_string_equal(seen.note, cases[i].note);
        assert_int_equal(seen.notes, (int)i + 1);
    }
    asked(l, "GET /favicon.ico HTTP/1.1\r\n\r\n", buf, sizeof buf);
    assert_non_null(strstr(buf, " 404 "));
    assert_int_equal(seen.notes, 6);
    loopback_close(&l);
}

static void
a_slow_one_is_answered_in_the_end(void **state)
{
    struct seen seen = {.decision = LOOPBACK_ANSWER};
    struct loopback *l = listening(&seen, NULL);
    int slow = connected(loopback_local_port(l)),
        silent = connected(loopback_local_port(l));
    char buf[4096];

    (void)state;
    say(slow, "GET /back?co");
    for (int i = 0; i < 20; i++) {
        poll(NULL, 0, 2);
        loopback_step(l);
    }
    assert_in_range((uintmax_t)loopback_timeout(l), 9000, 10000);
    later_ms = LOOPBACK_HEAD_MS;
    assert_int_equal(loopback_timeout(l), 0);
    answer(l, slow, buf, sizeof buf);
    assert_non_null(strstr(buf, "HTTP/1.1 408 "));
    assert_string_equal(seen.note, "a request came too slowly: refused");
    /* one that never said a word is only closed: browsers connect ahead of need */
    answer(l, silent, buf, sizeof buf);
    assert_string_equal(buf, "");
    assert_int_equal(seen.notes, 1);
    loopback_close(&l);
}

static void
an_oversize_request_gets_its_page(void **state)
{
    struct seen seen = {.decision = LOOPBACK_ANSWER};
    struct loopback *l = listening(&seen, NULL);
    static char request[60000] = "GET /back?";
    char buf[4096];

    (void)state;
    memset(request + 10, 'a', sizeof request - 11);
    asked(l, request, buf, sizeof buf);
    assert_non_null(strstr(buf, "HTTP/1.1 431 "));
    assert_string_equal(seen.note, "a request too long came: refused");
    assert_int_equal(seen.arrivals, 0);
    loopback_close(&l);
}

static void
notes_have_an_end(void **state)
{
    struct seen seen = {.decision = LOOPBACK_ANSWER};
    struct loopback *l = listening(&seen, NULL);
    char buf[4096];

    (void)state;
    for (int i = 0; i < LOOPBACK_NOTES_MAX + 5; i++) {
        asked(l, "GET / HTTP/1.1\r\n\r\n", buf, sizeof buf);
        assert_non_null(strstr(buf, " 404 "));
    }
    assert_int_equal(seen.notes, LOOPBACK_NOTES_MAX + 1);
    assert_string_equal(seen.note, "further ones like this are not shown");
    loopback_close(&l);
}

static void
a_crowd_does_not_keep_the_right_one_out(void **state)
{
    struct seen seen = {.decision = LOOPBACK_ANSWER};
    struct loopback *l = listening(&seen, NULL);
    int fd[LOOPBACK_CONNECTIONS + 4];
    char buf[4096];

    (void)state;
    for (size_t i = 0; i < sizeof fd / sizeof fd[0]; i++) {
        fd[i] = connected(loopback_local_port(l));
        say(fd[i], "GET /");
        loopback_step(l);
    }
    asked(l, "GET /back?q HTTP/1.1\r\n\r\n", buf, sizeof buf);
    assert_int_equal(seen.arrivals, 1);
    for (size_t i = 0; i < sizeof fd / sizeof fd[0]; i++)
        close(fd[i]);
    loopback_close(&l);
}

static void
flushing_takes_no_more(void **state)
{
    struct seen seen = {.decision = LOOPBACK_ANSWER};
    struct loopback *l = listening(&seen, NULL);
    int port = loopback_local_port(l);

    (void)state;
    loopback_flush(l);
    assert_int_equal(connected(port), -1);
    loopback_close(&l);
    loopback_close(&l);
}

static void
both_families_have_one_port(void **state)
{
    struct loopback_sockets s = {.count = 0}, again = {.count = 0};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(loopback_listen(NULL, 0, &s, &err), 0);
    assert_in_range(s.count, 1, 2);
    assert_int_not_equal(s.port, 0);
    assert_int_equal(loopback_listen("localhost", s.port, &again, &err), ERR_TEMP);
    assert_non_null(strstr(err.text, strerror(EADDRINUSE)));
    assert_non_null(strstr(err.hint, "--paste"));
    assert_int_equal(again.count, 0);
    loopback_sockets_close(&s);
    assert_int_equal(s.count, 0);
    assert_int_equal(loopback_listen("127.0.0.1", 0, &s, &err), 0);
    assert_int_equal(s.count, 1);
    loopback_sockets_close(&s);
    assert_int_equal(loopback_listen("192.0.2.1", 9, &s, &err), ERR_CONFIG);
    assert_string_equal(err.hint, "give --listen an address of this machine");
    assert_int_equal(loopback_listen("host.example", 9, &s, &err), ERR_CONFIG);
    assert_string_equal(err.text, "host.example is not a numeric address");
}

static void
address_is(const char *text, const char *address, int port)
{
    char buf[20] = "";
    struct err err = ERR_INIT;
    int got = 0;

    assert_int_equal(loopback_address_parse(text, buf, sizeof buf, &got, &err), 0);
    assert_string_equal(buf, address);
    assert_int_equal(got, port);
}

static void
addresses(void **state)
{
    static const char *const wrong[] = {"",
                                        ":1",
                                        "127.0.0.1",
                                        "127.0.0.1:",
                                        "127.0.0.1:0",
                                        "[::1]",
                                        "::1:80",
                                        "[]:1",
                                        "127.0.0.1:x",
                                        "127.0.0.1:65536",
                                        "a:123456",
                                        "[::1]1:1",
                                        "a-name-longer-than-it-may-be:1"};
    char buf[20] = "before";
    struct err err = ERR_INIT;
    int port = 7;

    (void)state;
    address_is("127.0.0.1:8400", "127.0.0.1", 8400);
    address_is("[::1]:1", "::1", 1);
    address_is("localhost:65535", "localhost", 65535);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (loopback_address_parse(wrong[i], buf, sizeof buf, &port, &err) != ERR_USAGE)
            fail_msg("taken: %s", wrong[i]);
    assert_string_equal(buf, "before");
    assert_int_equal(port, 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_one_is_held_and_answered),
        cmocka_unit_test(what_is_not_it_is_answered_and_noted),
        cmocka_unit_test(a_slow_one_is_answered_in_the_end),
        cmocka_unit_test(an_oversize_request_gets_its_page),
        cmocka_unit_test(notes_have_an_end),
        cmocka_unit_test(a_crowd_does_not_keep_the_right_one_out),
        cmocka_unit_test(flushing_takes_no_more),
        cmocka_unit_test(both_families_have_one_port),
        cmocka_unit_test(addresses),
    };

    return cmocka_run_group_tests_name("loopback", tests, NULL, NULL);
}
