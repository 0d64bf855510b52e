/* test_http.c - one request, one reply, no surprises; against servers on the loopback. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "client/deadline.h"
#include "loopback.h"
#include "oauth/http.h"
#include "oauth_kit.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n"
#define OK_REPLY OK_HEAD "Content-Length: 6\r\n\r\n{\"a\":1"

static int
setup(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    return http_setup(&err);
}

/* A request with the body "CANARY=1" for that address. */
static struct http_request
request_to(const char *scheme, int port, char url[64])
{
    struct http_request request = {.url = url, .deadline_ms = 10000};

    snprintf(url, 64, "%s://127.0.0.1:%d/token", scheme, port);
    kit_set(&request.body, "CANARY=1");
    return request;
}

static void
assert_taken_over(const struct http_request *request)
{
    assert_null(request->body.data);
    assert_null(request->user.data);
    assert_null(request->password.data);
}

/* Does it; what http_do() answers. The reply's body is to be cleared. */
static int
get_reply(const struct loopback *server, int deadline_ms, struct http_reply *reply,
          struct err *err)
{
    char url[64];
    struct http_request request = request_to("http", loopback_port(server), url);
    int r;

    request.deadline_ms = deadline_ms;
    r = http_do(&request, reply, err);
    assert_taken_over(&request);
    return r;
}

static struct loopback *
start(enum loopback_do what, const char *text, const char *more)
{
    const struct loopback_plan plan = {what, text, more};

    return loopback_start(&plan);
}

static void
assert_failed(int r, const struct err *err, int code, const char *host_port,
              const char *words)
{
    if (r != code)
        fail_msg("%d, not %d: %s (%s)", r, code, err->text, words);
    assert_int_equal(err->code, code);
    if (strstr(err->text, words) == NULL ||
        strncmp(err->text, host_port, strlen(host_port)) != 0)
        fail_msg("`%s` is not about %s: %s", err->text, host_port, words);
    assert_null(strstr(err->text, "CANARY"));
    assert_null(strstr(err->hint, "CANARY"));
}

/* A server that does so must lead to this failure; it takes at least and at most so many
 * milliseconds. */
static void
fails(enum loopback_do what, const char *text, const char *more, int code,
      const char *words, int least_ms, int most_ms)
{
    struct loopback *server = start(what, text, more);
    struct http_reply reply = {.status = -1};
    struct err err = ERR_INIT;
    int64_t before = deadline_now(), took;
    int r = get_reply(server, 400, &reply, &err);

    took = deadline_now() - before;
    assert_failed(r, &err, code, "127.0.0.1:", words);
    if (took < least_ms || took > most_ms)
        fail_msg("it took %lld ms", (long long)took);
    assert_int_equal(reply.status, -1);
    assert_null(reply.body.data);
    loopback_stop(server);
}

static void
has(const char *request, const char *line)
{
    if (strstr(request, line) == NULL)
        fail_msg("`%s` is not in\n%s", line, request);
}

static void
posts_a_form(void **state)
{
    struct loopback *server = start(LOOPBACK_REPLY, OK_REPLY, NULL);
    struct http_reply reply = {.status = -1};
    struct err err = ERR_INIT;
    const char *request;

    (void)state;
    assert_int_equal(get_reply(server, 10000, &reply, &err), 0);
    assert_int_equal(err.code, ERR_NONE);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.retry_after, 0);
    kit_assert_secret(&reply.body, "{\"a\":1");
    secret_clear(&reply.body);
    request = loopback_request(server);
    assert_memory_equal(request, "POST /token HTTP/1.1\r\n", 22);
    has(request, "\r\nContent-Type: application/x-www-form-urlencoded\r\n");
    has(request, "\r\nAccept: application/json\r\n");
    has(request, "\r\nUser-Agent: mailbearer/" MAILBEARER_VERSION "\r\n");
    has(request, "\r\n\r\nCANARY=1");
    assert_null(strstr(request, "Expect:"));
    assert_null(strstr(request, "Authorization:"));
    assert_null(strstr(request, "Cookie:"));
    assert_int_equal(loopback_stop(server), 1);
}

static void
signs_in_by_basic(void **state)
{
    struct loopback *server = start(LOOPBACK_REPLY, OK_REPLY, NULL);
    struct http_reply reply = {.status = -1};
    struct err err = ERR_INIT;
    char url[64];
    struct http_request request = request_to("http", loopback_port(server), url);

    (void)state;
    kit_set(&request.user, "id%3A");
    kit_set(&request.password, "p%20w");
    assert_int_equal(http_do(&request, &reply, &err), 0);
    assert_taken_over(&request);
    secret_clear(&reply.body);
    has(loopback_request(server), "\r\nAuthorization: Basic aWQlM0E6cCUyMHc=\r\n");
    assert_int_equal(loopback_stop(server), 1);
}

static void
statuses_are_handed_on(void **state)
{
    static const char text[] = "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n"
                               "WWW-Authenticate: Basic realm=x\r\n"
                               "Content-Length: 2\r\n\r\nno";
    struct loopback *server = start(LOOPBACK_REPLY, text, NULL);
    struct http_reply reply = {.status = -1};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(get_reply(server, 10000, &reply, &err), 0);
    assert_int_equal(reply.status, 401);
    kit_assert_secret(&reply.body, "no");
    secret_clear(&reply.body);
    assert_int_equal(loopback_stop(server), 1); /* not asked again */
}

/* A reply with a body of `len` bytes. */
static int
body_of(size_t len, struct http_reply *reply, struct err *err)
{
    char *text = malloc(len + 256);
    struct loopback *server;
    int head, r;

    assert_non_null(text);
    head = snprintf(text, 256, OK_HEAD "Content-Length: %zu\r\n\r\n", len);
    memset(text + head, 'x', len);
    text[(size_t)head + len] = '\0';
    server = start(LOOPBACK_REPLY, text, NULL);
    r = get_reply(server, 10000, reply, err);
    loopback_stop(server);
    free(text);
    return r;
}

static void
the_largest_body(void **state)
{
    struct http_reply reply = {.status = -1};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(body_of(HTTP_BODY_MAX, &reply, &err), 0);
    assert_int_equal(reply.body.len, HTTP_BODY_MAX);
    secret_clear(&reply.body);
    assert_failed(body_of(HTTP_BODY_MAX + 1, &reply, &err), &err, ERR_TEMP,
                  "127.0.0.1:", "the reply is larger than 256 kB");
    assert_int_equal(body_of(0, &reply, &err), 0);
    assert_int_equal(reply.body.len, 0);
    secret_clear(&reply.body);
}

static void
floods(void **state)
{
    static const char header[] =
        "X-More: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n";
    char body[8193];

    (void)state;
    memset(body, 'x', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    fails(LOOPBACK_FLOOD, OK_HEAD "\r\n", body, ERR_TEMP, "larger than 256", 0, 399);
    fails(LOOPBACK_FLOOD, OK_HEAD, header, ERR_TEMP, "larger than", 0, 399);
    fails(LOOPBACK_FLOOD, "HTTP/1.1 100 Continue\r\n\r\n",
          "HTTP/1.1 100 Continue\r\n\r\n", ERR_TEMP, "", 0, 399);
}

/* libcurl keeps a header of 100 kB or so in memory and then says that there is no more:
 * whatever it is called, it ends, and it may be tried again. */
static void
a_header_without_end(void **state)
{
    struct loopback *server =
        start(LOOPBACK_FLOOD, OK_HEAD "X: ", "xxxxxxxxxxxxxxxxxxxxxxxxx");
    struct http_reply reply = {.status = -1};
    struct err err = ERR_INIT;
    int64_t before = deadline_now();

    (void)state;
    assert_true(err_is_temporary(get_reply(server, 8000, &reply, &err)));
    assert_in_range(deadline_now() - before, 0, 4000);
    assert_int_equal(reply.status, -1);
    loopback_stop(server);
}

static void
one_deadline_for_everything(void **state)
{
    (void)state;
    fails(LOOPBACK_HANG, NULL, NULL, ERR_TIMEOUT, "no answer in time", 390, 2000);
    fails(LOOPBACK_DRIP, OK_HEAD "\r\n", NULL, ERR_TIMEOUT, "no answer in time", 390,
          2000);
    fails(LOOPBACK_DRIP, OK_HEAD "X: ", NULL, ERR_TIMEOUT, "no answer in time", 390,
          2000);
}

static void
no_redirect_is_followed(void **state)
{
    struct loopback *target = start(LOOPBACK_REPLY, OK_REPLY, NULL);
    static const int statuses[] = {301, 302, 303, 307, 308};

    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct http_reply reply = {.status = -1};
        struct err err = ERR_INIT;
        struct loopback *server;
        char text[256];

        snprintf(text, sizeof text,
                 "HTTP/1.1 %d Elsewhere\r\nLocation: http://127.0.0.1:%d/\r\n"
                 "Content-Length: 0\r\nConnection: close\r\n\r\n",
                 statuses[i], loopback_port(target));
        server = start(LOOPBACK_REPLY, text, NULL);
        assert_int_equal(get_reply(server, 10000, &reply, &err), 0);
        assert_int_equal(reply.status, statuses[i]);
        secret_clear(&reply.body);
        assert_int_equal(loopback_stop(server), 1);
    }
    assert_int_equal(loopback_stop(target), 0);
}

static void
nobody_listens(void **state)
{
    char url[64], host[64];
    int port = loopback_dead_port();
    struct http_request request = request_to("http", port, url);
    struct http_reply reply = {.status = -1};
    struct err err = ERR_INIT;

    (void)state;
    snprintf(host, sizeof host, "127.0.0.1:%d: ", port);
    assert_failed(http_do(&request, &reply, &err), &err, ERR_TEMP, host,
                  "cannot connect");
    assert_string_equal(err.hint,
                        "check the network, the firewall and `proxy` from this machine");
}

static void
connections_that_break(void **state)
{
    (void)state;
    fails(LOOPBACK_RESET, NULL, NULL, ERR_TEMP, "", 0, 399);
    fails(LOOPBACK_REPLY, "", NULL, ERR_TEMP, "", 0, 399);
    fails(LOOPBACK_REPLY, OK_HEAD "Content-Length: 100\r\n\r\n{\"access_token\":\"CANARY",
          NULL, ERR_TEMP, "", 0, 399);
    fails(LOOPBACK_REPLY, "220 mail.example ESMTP\r\n", NULL, ERR_TEMP, "", 0, 399);
}

static void
tls_where_none_is_spoken(void **state)
{
    struct loopback *server = start(LOOPBACK_GREET, "220 mail.example ESMTP\r\n", NULL);
    char url[64];
    struct http_request request = request_to("https", loopback_port(server), url);
    struct http_reply reply = {.status = -1};
    struct err err = ERR_INIT;

    (void)state;
    assert_failed(http_do(&request, &reply, &err), &err, ERR_TEMP,
                  "127.0.0.1:", "TLS failed");
    assert_non_null(strstr(err.hint, "intercepts TLS"));
    loopback_stop(server);
    server = start(LOOPBACK_HANG, NULL, NULL); /* it goes on waiting for a request */
    request = request_to("https", loopback_port(server), url);
    request.deadline_ms = 300;
    assert_int_equal(http_do(&request, &reply, &err), ERR_TIMEOUT);
    assert_int_equal(reply.status, -1);
    loopback_stop(server);
}

static void
no_proxy_from_the_environment(void **state)
{
    static const char *const names[] = {"http_proxy",  "HTTP_PROXY", "https_proxy",
                                        "HTTPS_PROXY", "all_proxy",  "ALL_PROXY"};
    struct loopback *server = start(LOOPBACK_REPLY, OK_REPLY, NULL);
    struct loopback *proxy = start(LOOPBACK_REPLY, OK_REPLY, NULL);
    struct http_reply reply = {.status = -1};
    struct err err = ERR_INIT;
    char url[64], request[64];
    struct http_request through;

    (void)state;
    snprintf(url, sizeof url, "http://127.0.0.1:%d", loopback_port(proxy));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        setenv(names[i], url, 1);
    assert_int_equal(get_reply(server, 10000, &reply, &err), 0);
    secret_clear(&reply.body);
    assert_int_equal(loopback_connections(proxy), 0);
    /* one from the accounts file is used, whatever no_proxy says */
    setenv("no_proxy", "*", 1);
    through = request_to("http", loopback_port(server), request);
    through.proxy = url;
    assert_int_equal(http_do(&through, &reply, &err), 0);
    secret_clear(&reply.body);
    assert_int_equal(loopback_stop(proxy), 1);
    assert_int_equal(loopback_stop(server), 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
    unsetenv("no_proxy");
}

static int64_t
retry_after(const char *value)
{
    struct http_reply reply = {.status = -1};
    struct err err = ERR_INIT;
    struct loopback *server;
    char text[256];

    snprintf(text, sizeof text,
             "HTTP/1.1 429 Too Many Requests\r\nRetry-After: %s\r\n"
             "Content-Length: 0\r\nConnection: close\r\n\r\n",
             value);
    server = start(LOOPBACK_REPLY, text, NULL);
    assert_int_equal(get_reply(server, 10000, &reply, &err), 0);
    assert_int_equal(reply.status, 429);
    secret_clear(&reply.body);
    loopback_stop(server);
    return reply.retry_after;
}

static int64_t
retry_at(int64_t seconds_from_now)
{
    char text[64];
    time_t when = time(NULL) + (time_t)seconds_from_now;
    struct tm tm;

    assert_true(strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT",
                         gmtime_r(&when, &tm)) > 0);
    return retry_after(text);
}

static void
when_to_come_again(void **state)
{
    (void)state;
    assert_int_equal(retry_after("120"), 120);
    assert_int_equal(retry_after("0"), 0);
    assert_int_equal(retry_after("3600"), 3600);
    assert_int_equal(retry_after("86400"), 3600);
    assert_int_equal(retry_after("99999999999999999999999"), 0); /* no number at all */
    assert_int_equal(retry_after("-5"), 0);
    assert_int_equal(retry_after("soon"), 0);
    assert_in_range(retry_at(120), 110, 120);
    assert_int_equal(retry_at(86400), 3600);
    assert_int_equal(retry_at(-60), 0);
}

/* --- many at once */

struct asker {
    int calls;
    long status;
    int code;
};

static void
on_done(void *arg, const struct http_reply *reply, const struct err *err)
{
    struct asker *a = arg;

    assert_true((reply == NULL) != (err == NULL));
    a->calls++;
    if (reply != NULL)
        a->status = reply->status;
    else
        a->code = err->code;
}

static void
begin(struct http *http, int port, int deadline_ms, struct asker *asker)
{
    char url[64];
    struct http_request request = request_to("http", port, url);
    struct err err = ERR_INIT;

    request.deadline_ms = deadline_ms;
    assert_int_equal(http_start(http, &request, on_done, asker, &err), 0);
    assert_taken_over(&request);
}

static void
many_at_once(void **state)
{
    struct loopback *good = start(LOOPBACK_LATE, OK_REPLY, NULL);
    struct loopback *hangs = start(LOOPBACK_HANG, NULL, NULL);
    struct asker asker[40] = {{0}};
    struct http *http = NULL;
    struct err err = ERR_INIT;
    struct deadline dl = deadline_in(10000);
    int64_t before = deadline_now();

    (void)state;
    assert_int_equal(http_open(&http, &err), 0);
    for (int i = 0; i < 40; i++)
        begin(http, loopback_port(i % 4 == 3 ? hangs : good), i % 4 == 3 ? 700 : 8000,
              &asker[i]);
    assert_int_equal(http_active(http), 40);
    while (http_active(http) > 0 && !deadline_passed(&dl))
        http_poll(http, -1, 1000);
    assert_int_equal(http_active(http), 0);
    assert_in_range(deadline_now() - before, 690, 5000);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(asker[i].calls, 1);
        assert_int_equal(asker[i].status, i % 4 == 3 ? 0 : 200);
        assert_int_equal(asker[i].code, i % 4 == 3 ? ERR_TIMEOUT : 0);
    }
    http_close(&http);
    loopback_stop(good);
    loopback_stop(hangs);
}

struct chain {
    struct http *http;
    int port, left;
};

static void
on_link(void *arg, const struct http_reply *reply, const struct err *err)
{
    struct chain *c = arg;
    char url[64];
    struct http_request request;

    assert_non_null(reply);
    assert_null(err);
    if (--c->left == 0)
        return;
    request = request_to("http", c->port, url);
    assert_int_equal(http_start(c->http, &request, on_link, c, NULL), 0);
}

static void
one_begets_another(void **state)
{
    struct loopback *server = start(LOOPBACK_REPLY, OK_REPLY, NULL);
    struct chain chain = {NULL, loopback_port(server), 3};
    struct err err = ERR_INIT;
    struct deadline dl = deadline_in(10000);
    char url[64];
    struct http_request request = request_to("http", chain.port, url);

    (void)state;
    assert_int_equal(http_open(&chain.http, &err), 0);
    assert_int_equal(http_start(chain.http, &request, on_link, &chain, &err), 0);
    while (chain.left > 0 && !deadline_passed(&dl))
        http_poll(chain.http, -1, 1000);
    assert_int_equal(chain.left, 0);
    assert_int_equal(http_active(chain.http), 0);
    http_close(&chain.http);
    assert_int_equal(loopback_stop(server), 3);
}

static void
closing_drops_what_is_under_way(void **state)
{
    struct loopback *server = start(LOOPBACK_HANG, NULL, NULL);
    struct asker asker = {0};
    struct http *http = NULL;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(http_open(&http, &err), 0);
    begin(http, loopback_port(server), 8000, &asker);
    begin(http, loopback_port(server), 8000, &asker);
    http_poll(http, -1, 10);
    http_close(&http);
    assert_null(http);
    http_close(&http);
    assert_int_equal(asker.calls, 0);
    loopback_stop(server);
}

/* --- waiting */

static void
waking(void **state)
{
    struct http *http = NULL;
    struct err err = ERR_INIT;
    int64_t before = deadline_now();
    int fd[2];

    (void)state;
    assert_int_equal(http_open(&http, &err), 0);
    http_poll(http, -1, 100); /* nobody wakes it */
    assert_in_range(deadline_now() - before, 95, 3000);
    /* a descriptor does */
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(write(fd[1], "x", 1), 1);
    before = deadline_now();
    http_poll(http, fd[0], 20000);
    assert_in_range(deadline_now() - before, 0, 5000);
    close(fd[0]);
    close(fd[1]);
    http_close(&http);
}

static void
addresses_that_are_none(void **state)
{
    static const char *const urls[] = {"file:///etc/passwd", "ftp://127.0.0.1/x", "",
                                       "https://", "gopher://127.0.0.1:1/"};

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct http_request request = {.url = urls[i], .deadline_ms = 2000};
        struct http_reply reply = {.status = -1};
        struct err err = ERR_INIT;
        int r;

        kit_set(&request.body, "CANARY=1");
        kit_set(&request.user, "CANARY");
        kit_set(&request.password, "CANARY");
        r = http_do(&request, &reply, &err);
        if (r != ERR_TEMP && r != ERR_CONFIG)
            fail_msg("`%s`: %d", urls[i], r);
        assert_taken_over(&request);
        assert_int_equal(reply.status, -1);
    }
}

static void
a_ca_file_that_is_none(void **state)
{
    struct loopback *server = start(LOOPBACK_REPLY, OK_REPLY, NULL);
    char url[64];
    struct http_request request = request_to("https", loopback_port(server), url);
    struct http_reply reply = {.status = -1};
    struct err err = ERR_INIT;

    (void)state;
    request.ca_file = "/nonexistent/ca.pem";
    assert_failed(http_do(&request, &reply, &err), &err, ERR_TEMP,
                  "127.0.0.1:", "/nonexistent/ca.pem");
    assert_non_null(strstr(err.hint, "ca_file"));
    loopback_stop(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_a_form),
        cmocka_unit_test(signs_in_by_basic),
        cmocka_unit_test(statuses_are_handed_on),
        cmocka_unit_test(the_largest_body),
        cmocka_unit_test(floods),
        cmocka_unit_test(a_header_without_end),
        cmocka_unit_test(one_deadline_for_everything),
        cmocka_unit_test(no_redirect_is_followed),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(connections_that_break),
        cmocka_unit_test(tls_where_none_is_spoken),
        cmocka_unit_test(no_proxy_from_the_environment),
        cmocka_unit_test(when_to_come_again),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(one_begets_another),
        cmocka_unit_test(closing_drops_what_is_under_way),
        cmocka_unit_test(waking),
        cmocka_unit_test(addresses_that_are_none),
        cmocka_unit_test(a_ca_file_that_is_none),
    };

    return cmocka_run_group_tests_name("http", tests, setup, NULL);
}
