/* exchange.h - the agent without its main(): listener, connections, keeper, worker and
 * store as in agent.c, in this process; the clock and the token endpoint are the test's.
 *
 * Used by:  test_exchange.c, test_conn.c: one file a program, since it defines what is
 *           wrapped (its link line names the calls).
 *
 * The agent runs only while the test pumps it: exchange_turn() is one turn of its loop.
 */
#ifndef MAILBEARER_TESTS_EXCHANGE_H
#define MAILBEARER_TESTS_EXCHANGE_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "patience.h"
#include "scratch.h"

#include "agent/conn.h"
#include "agent/keeper.h"
#include "agent/loop.h"
#include "agent/permits.h"
#include "agent/worker.h"
#include "base/json.h"
#include "base/log.h"
#include "base/wallclock.h"
#include "client/deadline.h"
#include "oauth_kit.h"

#define T0 INT64_C(1700000000)         /* when each test begins */
#define PATIENCE_MS patience_ms(10000) /* real time; then the test has failed */

/* --- the clock: stands still unless the test moves it */

static _Atomic int64_t clock_ms; /* since the test began; the worker reads it as well */

int64_t __wrap_wallclock_now(void);
int64_t __wrap_deadline_now(void);

static _Atomic int64_t wall_jump_s; /* the time of day alone: set, or slept through */

int64_t
__wrap_wallclock_now(void)
{
    return T0 + wall_jump_s + clock_ms / 1000;
}

int64_t
__wrap_deadline_now(void)
{
    return 1000000 + clock_ms;
}

static inline int64_t
real_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- the token endpoint: requests wait until the test answers them */

#define ENDPOINT_MAX 256

static struct {
    struct {
        http_done_fn *done;
        void *arg;
        char sent[512];
        bool answered;
    } request[ENDPOINT_MAX];
    int count;    /* of requests so far */
    bool refuses; /* http_start() fails */
} endpoint;

int __wrap_http_start(struct http *http, struct http_request *request, http_done_fn *done,
                      void *arg, struct err *err);

int
__wrap_http_start(struct http *http, struct http_request *request, http_done_fn *done,
                  void *arg, struct err *err)
{
    int i = endpoint.count++;

    (void)http;
    assert_true(i < ENDPOINT_MAX);
    endpoint.request[i].done = done;
    endpoint.request[i].arg = arg;
    endpoint.request[i].answered = endpoint.refuses;
    snprintf(endpoint.request[i].sent, sizeof endpoint.request[i].sent, "%s",
             secret_str(&request->body));
    http_request_clear(request);
    return endpoint.refuses ? err_set(err, ERR_CONFIG, "no such address") : 0;
}

static inline void
endpoint_answer(int i, long status, const char *body)
{
    struct http_reply reply = {.status = status};

    assert_true(i < endpoint.count && !endpoint.request[i].answered);
    endpoint.request[i].answered = true;
    kit_set(&reply.body, body);
    endpoint.request[i].done(endpoint.request[i].arg, &reply, NULL);
    secret_clear(&reply.body);
}

/* A new token that lives an hour. */
static inline void
endpoint_gives(int i, const char *token)
{
    char body[512];

    snprintf(body, sizeof body, "{\"expires_in\":3600,\"access_token\":\"%s\"}", token);
    endpoint_answer(i, 200, body);
}

static inline void
endpoint_fails(int i)
{
    struct err err = ERR_INIT;

    assert_true(i < endpoint.count && !endpoint.request[i].answered);
    endpoint.request[i].answered = true;
    err_set(&err, ERR_TIMEOUT, "idp.example: no answer in time");
    endpoint.request[i].done(endpoint.request[i].arg, NULL, &err);
}

/* --- the disk, and who the client is */

static _Atomic bool disk_fails;
static long peer_uid = -1; /* what SO_PEERCRED says; -1: the truth */

int __real_store_write(const struct store *s, const char *account,
                       const struct record *record, struct store_stamp *stamp_r,
                       struct err *err);
int __wrap_store_write(const struct store *s, const char *account,
                       const struct record *record, struct store_stamp *stamp_r,
                       struct err *err);
int __real_getsockopt(int fd, int level, int option, void *value, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len);

int
__wrap_store_write(const struct store *s, const char *account,
                   const struct record *record, struct store_stamp *stamp_r,
                   struct err *err)
{
    return disk_fails ? err_set(err, ERR_STORE, "the disk is broken")
                      : __real_store_write(s, account, record, stamp_r, err);
}

int
__wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
    int r = __real_getsockopt(fd, level, option, value, len);

    if (r == 0 && level == SOL_SOCKET && option == SO_PEERCRED && peer_uid >= 0)
        ((struct ucred *)value)->uid = (uid_t)peer_uid;
    return r;
}

/* --- the agent */

static struct {
    struct store store;
    struct http *http;
    struct worker *worker;
    struct loop *loop;
    struct keeper *keeper;
    struct permits *permits;
    struct conns *conns;
    struct loop_source listen;
} agent;

static inline void
agent_wake(void *loop)
{
    loop_wake(loop);
}

static inline void
agent_accept(struct loop_source *source, unsigned events)
{
    (void)events;
    conns_accept(agent.conns, source->fd);
}

static inline void
agent_warn(const char *line)
{
    (void)line;
}

/* As at a SIGHUP. */
static inline void
exchange_reload(const char *conf)
{
    struct accounts *accounts = conf_accept(conf);
    struct permits *permits = NULL;

    assert_int_equal(permits_new(accounts, geteuid(), agent_warn, &permits, NULL), 0);
    assert_int_equal(keeper_set_accounts(agent.keeper, accounts, NULL), 0);
    permits_free(&agent.permits);
    agent.permits = permits;
}

static inline void
agent_listen(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "agent.sock"};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    unlink(a.sun_path);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 128), 0);
    agent.listen = (struct loop_source){fd, agent_accept};
    assert_int_equal(loop_add(agent.loop, &agent.listen, EPOLLIN, NULL), 0);
}

static inline int
remove_from_store(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

/* An agent with an empty store, at T0. */
static inline void
exchange_start(const char *conf)
{
    struct err err = ERR_INIT;

    clock_ms = 0;
    wall_jump_s = 0;
    memset(&endpoint, 0, sizeof endpoint);
    disk_fails = false;
    peer_uid = -1;
    nftw("state", remove_from_store, 8, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(mkdir("state", 0700), 0);
    assert_int_equal(store_open("state", &agent.store, &err), 0);
    assert_int_equal(http_open(&agent.http, &err), 0);
    assert_int_equal(loop_new(&agent.loop, agent.http, &err), 0);
    assert_int_equal(worker_new(&agent.worker, agent_wake, agent.loop, &err), 0);
    assert_int_equal(
        keeper_new(&agent.store, agent.http, agent.worker, &agent.keeper, &err), 0);
    assert_int_equal(
        conns_new(agent.loop, agent.keeper, &agent.permits, &agent.conns, &err), 0);
    exchange_reload(conf);
    agent_listen();
}

/* In the order of agent.c; with whatever is under way. */
static inline int
exchange_stop(void **state)
{
    (void)state;
    if (agent.keeper == NULL)
        return 0;
    loop_remove(agent.loop, &agent.listen);
    close(agent.listen.fd);
    worker_free(&agent.worker);
    conns_free(&agent.conns);
    http_close(&agent.http);
    keeper_free(&agent.keeper);
    loop_free(&agent.loop);
    permits_free(&agent.permits);
    store_close(&agent.store);
    agent.keeper = NULL;
    return 0;
}

static inline void
exchange_turn(void)
{
    keeper_tick(agent.keeper);
    conns_tick(agent.conns);
    loop_step(agent.loop, 2);
    worker_collect(agent.worker);
}

/* Turns until so many requests have reached the endpoint. */
static inline void
exchange_until_requests(int count)
{
    int64_t end = real_ms() + PATIENCE_MS;

    while (endpoint.count < count) {
        assert_true(real_ms() < end);
        exchange_turn();
    }
    assert_int_equal(endpoint.count, count);
}

/* Turns until no flight is under way. */
static inline void
exchange_until_landed(void)
{
    int64_t end = real_ms() + PATIENCE_MS;

    while (keeper_flights(agent.keeper) > 0) {
        assert_true(real_ms() < end);
        exchange_turn();
    }
}

/* Long enough for anything to happen that should not. */
static inline void
exchange_idle(void)
{
    int64_t end = real_ms() + 60;

    while (real_ms() < end)
        exchange_turn();
}

/* Moves the clock, in steps of half a second or, over a long time, in 200 steps, turning
 * the loop at each. */
static inline void
exchange_advance(int64_t ms)
{
    int64_t most = ms / 200 > 500 ? ms / 200 : 500;

    while (ms > 0) {
        int64_t step = ms < most ? ms : most;

        clock_ms += step;
        ms -= step;
        exchange_turn();
    }
}

/* --- the store, as another process sees it */

static inline void
put_record(const char *name, const char *token, int64_t obtained_at, int64_t life,
           const char *refresh)
{
    const struct account *account = accounts_find(keeper_accounts(agent.keeper), name);
    struct record record;

    assert_non_null(account);
    record = kit_token(account, token, obtained_at, life);
    kit_set(&record.refresh_token, refresh);
    record.refresh_token_at = refresh[0] != '\0' ? obtained_at : 0;
    assert_int_equal(__real_store_write(&agent.store, name, &record, NULL, NULL), 0);
    record_clear(&record);
}

static inline struct record
get_record(const char *name)
{
    struct record record = RECORD_INIT;

    assert_int_equal(store_read(&agent.store, name, &record, NULL, NULL), 0);
    return record;
}

/* --- clients */

struct client {
    int fd;
    bool ended; /* the agent closed the connection */
    size_t len; /* of what was read and not yet taken */
    char buf[300000];
    char payload[120000]; /* of the last reply */
};

static inline void
client_open(struct client *c)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "agent.sock"};

    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    c->len = 0;
    c->ended = false;
    assert_true(c->fd >= 0);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&a, sizeof a), 0);
}

static inline void
client_close(struct client *c)
{
    close(c->fd);
    c->fd = -1;
}

static inline void
client_send(struct client *c, const char *bytes, size_t len)
{
    assert_int_equal(send(c->fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* Sends "MAP KEY" as a request. */
static inline void
client_ask(struct client *c, const char *request)
{
    char frame[17000];
    int n = snprintf(frame, sizeof frame, "%zu:%s,", strlen(request), request);

    client_send(c, frame, (size_t)n);
}

/* Reads what is there. */
static inline void
client_read(struct client *c)
{
    ssize_t n;

    while (!c->ended && c->len < sizeof c->buf) {
        n = recv(c->fd, c->buf + c->len, sizeof c->buf - c->len, 0);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (n <= 0)
            c->ended = true;
        else
            c->len += (size_t)n;
    }
}

/* Takes one whole reply from what was read. */
static inline bool
client_take(struct client *c)
{
    size_t size = 0, head = 0;

    while (head < c->len && c->buf[head] >= '0' && c->buf[head] <= '9')
        size = size * 10 + (size_t)(c->buf[head++] - '0');
    if (head == c->len || head + 1 + size + 1 > c->len)
        return false;
    assert_int_equal(c->buf[head], ':');
    assert_int_equal(c->buf[head + 1 + size], ',');
    assert_true(size < sizeof c->payload);
    memcpy(c->payload, c->buf + head + 1, size);
    c->payload[size] = '\0';
    head += size + 2;
    c->len -= head;
    memmove(c->buf, c->buf + head, c->len);
    return true;
}

/* The next reply's payload; NULL when the agent has closed the connection. */
static inline const char *
client_reply(struct client *c)
{
    int64_t end = real_ms() + PATIENCE_MS;

    while (!client_take(c)) {
        if (c->ended)
            return NULL;
        assert_true(real_ms() < end);
        exchange_turn();
        client_read(c);
    }
    return c->payload;
}

static inline void
client_gets(struct client *c, const char *expect)
{
    const char *reply = client_reply(c);

    assert_non_null(reply);
    assert_string_equal(reply, expect);
}

/* The agent says nothing for the time being. */
static inline void
client_waits(struct client *c)
{
    exchange_idle();
    client_read(c);
    if (client_take(c))
        fail_msg("a reply came: %s", c->payload);
    assert_false(c->ended);
}

/* The agent has closed the connection, or does so now, without a further word. */
static inline void
client_ends(struct client *c)
{
    const char *reply = client_reply(c);

    if (reply != NULL)
        fail_msg("a reply came: %s", reply);
    assert_int_equal(c->len, 0);
}

/* One question on a connection of its own. */
static inline void
asking(const char *request, const char *expect)
{
    static struct client c;

    client_open(&c);
    client_ask(&c, request);
    client_gets(&c, expect);
    client_close(&c);
}

#endif
