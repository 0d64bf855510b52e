/* test_splice.c - bytes both ways: whole, in order, at any pace, to both ends' end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../fetch-helper/splice.h"

#define MANY (3u << 20)
#define DRAIN_MS 200

/* A server behind a socket, with the ways of a TLS connection: it may have read more from
 * the socket than it has given out, and a send that was not taken is to be repeated. */
struct fake {
    struct stream stream;
    int peer;         /* the test's end */
    char hidden[100]; /* read from the socket, not given out yet */
    size_t hidden_len;
    int refuse; /* this many sends are not taken at first */
    const char *stuck;
    size_t stuck_len;
    bool broken; /* recv fails instead of ending */
};

static enum stream_result
fake_recv(struct stream *stream, char *buf, size_t size, size_t *n_r, struct err *err)
{
    struct fake *f = (struct fake *)stream;
    ssize_t n;

    if (f->hidden_len == 0) {
        n = recv(stream->fd, f->hidden, sizeof f->hidden, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return STREAM_AGAIN;
        if (n <= 0 && f->broken) {
            err_set(err, ERR_TEMP, "broken");
            return STREAM_FAILED;
        }
        if (n <= 0)
            return STREAM_END;
        f->hidden_len = (size_t)n;
    }
    *n_r = f->hidden_len < size ? f->hidden_len : size;
    if (*n_r > 60)
        *n_r = 60; /* the rest stays where poll cannot see it */
    memcpy(buf, f->hidden, *n_r);
    f->hidden_len -= *n_r;
    memmove(f->hidden, f->hidden + *n_r, f->hidden_len);
    return STREAM_DONE;
}

static enum stream_result
fake_send(struct stream *stream, const char *buf, size_t len, size_t *n_r,
          struct err *err)
{
    struct fake *f = (struct fake *)stream;
    ssize_t n;

    if (f->stuck != NULL) {
        assert_ptr_equal(f->stuck, buf);
        assert_int_equal(f->stuck_len, len);
    }
    f->stuck = NULL;
    n = f->refuse-- > 0 ? -1 : send(stream->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) {
        *n_r = (size_t)n;
        return STREAM_DONE;
    }
    if (f->refuse >= 0 || errno == EAGAIN) {
        f->stuck = buf;
        f->stuck_len = len;
        return STREAM_AGAIN;
    }
    err_set(err, ERR_TEMP, "not taken");
    return STREAM_FAILED;
}

/* A session in a thread of its own: the test is its mail program and its server. */
struct session {
    struct fake server;
    struct client client;
    struct splice splice;
    int to, from; /* the mail program's ends; the same for a socket */
    pthread_t thread;
    int r;
    struct err err;
};

static void *
session_main(void *arg)
{
    struct session *s = arg;

    s->r = splice_run(&s->splice, &s->err);
    close(s->client.in);
    if (s->client.out != s->client.in)
        close(s->client.out);
    close(s->server.stream.fd);
    return NULL;
}

static void
make_pair(int pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
}

static void
prepare(struct session *s, bool pipes)
{
    int one[2], two[2], net[2];

    memset(s, 0, sizeof *s);
    make_pair(net);
    if (pipes) {
        assert_int_equal(pipe2(one, O_CLOEXEC), 0);
        assert_int_equal(pipe2(two, O_CLOEXEC), 0);
        s->to = one[1];
        s->from = two[0];
        client_open(&s->client, one[0], two[1]);
    } else {
        make_pair(one);
        s->to = s->from = one[0];
        client_open(&s->client, one[1], one[1]);
    }
    s->server.stream = (struct stream){net[0], fake_recv, fake_send};
    s->server.peer = net[1];
    s->splice = (struct splice){.client = &s->client,
                                .server = &s->server.stream,
                                .drain_ms = DRAIN_MS,
                                .from_client = "",
                                .from_server = ""};
}

static void
start(struct session *s)
{
    assert_int_equal(pthread_create(&s->thread, NULL, session_main, s), 0);
}

static void
finish(struct session *s)
{
    assert_int_equal(pthread_join(s->thread, NULL), 0);
}

static void
put(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        assert_true(n > 0);
        bytes += n;
        len -= (size_t)n;
    }
}

static void
get(int fd, const char *expect, size_t len)
{
    static char buf[65536];

    while (len > 0) {
        ssize_t n = read(fd, buf, len < sizeof buf ? len : sizeof buf);

        assert_true(n > 0);
        assert_memory_equal(buf, expect, (size_t)n);
        expect += n;
        len -= (size_t)n;
    }
}

static void
get_end(int fd)
{
    char c;

    assert_int_equal(read(fd, &c, 1), 0);
}

/* Every byte value, no period that a buffer's size could hide. */
static char *
pattern(unsigned seed)
{
    char *bytes = malloc(MANY);
    uint32_t x = seed;

    assert_non_null(bytes);
    for (size_t i = 0; i < MANY; i++) {
        x = x * 1664525u + 1013904223u;
        bytes[i] = (char)(x >> 24);
    }
    return bytes;
}

static void *
put_many(void *arg)
{
    struct session *s = arg;
    char *bytes = pattern(1);

    put(s->to, bytes, MANY);
    free(bytes);
    return NULL;
}

static void *
answer_many(void *arg)
{
    struct session *s = arg;
    char *bytes = pattern(2);

    put(s->server.peer, bytes, MANY);
    free(bytes);
    return NULL;
}

/* Nobody waits for the other: both directions are full while neither end reads. */
static void
much_both_ways(void **state)
{
    char *up = pattern(1), *down = pattern(2);

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct session s;
        pthread_t one, two;

        prepare(&s, i == 0);
        s.server.refuse = 3;
        start(&s);
        assert_int_equal(pthread_create(&one, NULL, put_many, &s), 0);
        assert_int_equal(pthread_create(&two, NULL, answer_many, &s), 0);
        poll(NULL, 0, 50); /* until all buffers on the way are full */
        get(s.from, down, MANY);
        get(s.server.peer, up, MANY);
        pthread_join(one, NULL);
        pthread_join(two, NULL);
        close(s.server.peer);
        finish(&s);
        get_end(s.from);
        assert_int_equal(s.r, 0);
        assert_int_equal(s.splice.up, MANY);
        assert_int_equal(s.splice.down, MANY);
        close(s.to);
        if (s.from != s.to)
            close(s.from);
    }
    free(up);
    free(down);
}

static void
what_was_read_before_goes_first(void **state)
{
    struct session s;

    (void)state;
    prepare(&s, true);
    s.splice.from_client = "STAT\r\n";
    s.splice.from_client_len = 6;
    s.splice.from_server = "* OK [ALERT] x\r\n";
    s.splice.from_server_len = 16;
    put(s.to, "QUIT\r\n", 6);
    put(s.server.peer, "+OK\r\n", 5);
    start(&s);
    get(s.server.peer, "STAT\r\nQUIT\r\n", 12);
    get(s.from, "* OK [ALERT] x\r\n+OK\r\n", 21);
    close(s.server.peer);
    finish(&s);
    assert_int_equal(s.r, 0);
    assert_int_equal(s.splice.up, 12);
    assert_int_equal(s.splice.down, 21);
    close(s.to);
    close(s.from);
}

/* A byte is passed on when it comes, not when more have come. */
static void
nothing_is_held_back(void **state)
{
    struct session s;

    (void)state;
    prepare(&s, false);
    start(&s);
    for (int i = 0; i < 20; i++) {
        put(s.to, "\0", 1);
        get(s.server.peer, "\0", 1);
        put(s.server.peer, "\n", 1);
        get(s.from, "\n", 1);
    }
    close(s.server.peer);
    finish(&s);
    assert_int_equal(s.r, 0);
    close(s.to);
}

/* The mail program has said all (half-close): the answers still reach it. */
static void
the_client_ends_first(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct session s;

        prepare(&s, i == 0);
        start(&s);
        put(s.to, "LOGOUT\r\n", 8);
        if (i == 0)
            close(s.to);
        else
            shutdown(s.to, SHUT_WR);
        get(s.server.peer, "LOGOUT\r\n", 8);
        put(s.server.peer, "BYE\r\n", 5);
        get(s.from, "BYE\r\n", 5);
        close(s.server.peer);
        get_end(s.from);
        finish(&s);
        assert_int_equal(s.r, 0);
        close(s.from);
    }
}

/* ... but not for ever, and as long as the server goes on talking. */
static void
a_server_that_does_not_end(void **state)
{
    struct session s;
    int64_t start_ms = deadline_now();

    (void)state;
    prepare(&s, true);
    start(&s);
    close(s.to);
    for (int i = 0; i < 6; i++) {
        poll(NULL, 0, DRAIN_MS / 2);
        put(s.server.peer, "x", 1);
        get(s.from, "x", 1);
    }
    finish(&s);
    get_end(s.from);
    assert_int_equal(s.r, 0);
    assert_in_range(deadline_now() - start_ms, 4 * DRAIN_MS - 20, 4 * DRAIN_MS + 2000);
    close(s.from);
    close(s.server.peer);
}

/* A mail program that is gone: what it sent arrives, what comes for it goes nowhere, and
 * a server that never stops talking does not keep us. */
static void
the_client_is_gone(void **state)
{
    char *down = pattern(2);

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct session s;
        ssize_t n = 1;

        prepare(&s, i == 0);
        put(s.to, "STORE\r\n", 7);
        close(s.to);
        if (s.from != s.to)
            close(s.from);
        start(&s);
        get(s.server.peer, "STORE\r\n", 7);
        while (n > 0)
            n = send(s.server.peer, down, 1000, MSG_NOSIGNAL);
        assert_true(errno == EPIPE || errno == ECONNRESET);
        finish(&s);
        assert_int_equal(s.r, 0);
        close(s.server.peer);
    }
    free(down);
}

static void
the_server_ends_in_the_middle(void **state)
{
    struct session s;

    (void)state;
    prepare(&s, false);
    start(&s);
    put(s.server.peer, "* 1 FETCH {100}\r\nhalf", 21);
    close(s.server.peer);
    get(s.from, "* 1 FETCH {100}\r\nhalf", 21);
    get_end(s.from);
    finish(&s);
    assert_int_equal(s.r, 0);
    close(s.from);
}

static void
the_connection_breaks(void **state)
{
    struct session s;

    (void)state;
    prepare(&s, true);
    s.server.broken = true;
    start(&s);
    put(s.server.peer, "half", 4);
    close(s.server.peer);
    get(s.from, "half", 4);
    get_end(s.from);
    finish(&s);
    assert_int_equal(s.r, ERR_TEMP);
    assert_string_equal(s.err.text, "broken");
    close(s.to);
    close(s.from);
}

/* The server takes nothing more, but has said why. */
static void
the_last_words_of_a_server(void **state)
{
    struct session s;

    (void)state;
    prepare(&s, true);
    put(s.server.peer, "* BYE AccessTokenExpired\r\n", 26);
    shutdown(s.server.peer, SHUT_RD);
    put(s.to, "DONE\r\n", 6);
    start(&s);
    get(s.from, "* BYE AccessTokenExpired\r\n", 26);
    close(s.server.peer);
    get_end(s.from);
    finish(&s);
    close(s.to);
    close(s.from);
}

static void
a_slow_pipe_that_cannot_be_reopened(void **state)
{
    struct session s;
    char *down = pattern(2);
    pthread_t two;

    (void)state;
    prepare(&s, true);
    fcntl(s.client.out, F_SETFL, 0);
    s.client.out_blocks = true; /* as where there is no /proc */
    start(&s);
    assert_int_equal(pthread_create(&two, NULL, answer_many, &s), 0);
    poll(NULL, 0, 50);
    put(s.to, "while the other way is full", 27);
    get(s.server.peer, "while the other way is full", 27);
    get(s.from, down, MANY);
    pthread_join(two, NULL);
    close(s.server.peer);
    finish(&s);
    assert_int_equal(s.r, 0);
    close(s.to);
    close(s.from);
    free(down);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(much_both_ways),
        cmocka_unit_test(what_was_read_before_goes_first),
        cmocka_unit_test(nothing_is_held_back),
        cmocka_unit_test(the_client_ends_first),
        cmocka_unit_test(a_server_that_does_not_end),
        cmocka_unit_test(the_client_is_gone),
        cmocka_unit_test(the_server_ends_in_the_middle),
        cmocka_unit_test(the_connection_breaks),
        cmocka_unit_test(the_last_words_of_a_server),
        cmocka_unit_test(a_slow_pipe_that_cannot_be_reopened),
    };

    signal(SIGPIPE, SIG_IGN); /* as main.c does */
    return cmocka_run_group_tests_name("splice", tests, NULL, NULL);
}
