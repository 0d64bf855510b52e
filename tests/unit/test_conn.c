/* test_conn.c - the agent's connections: bytes that come in pieces, pile up, or never. */
/* link: -Wl,--wrap=http_start,--wrap=deadline_now,--wrap=wallclock_now */
/* link: -Wl,--wrap=store_write,--wrap=getsockopt,--wrap=accept4 */
#include "exchange.h"

#include <sys/resource.h>

#define VERSION "OK mailbearer " MAILBEARER_VERSION
#define ASK_VERSION "7:version,"

static const char conf[] =
    "provider p { token_endpoint = \"https://idp.example/token\" scope = mail }\n"
    "account app { provider = p client_id = c grant = client_credentials\n"
    "              client_secret = CANARY-secret allow_users = { 4711 } }\n"
    "account other { provider = p client_id = c grant = client_credentials\n"
    "                client_secret = CANARY-secret }\n";

static struct client client, second;

static int
setup(void **state)
{
    json_setup();
    log_set_level(LOG_LEVEL_ERROR);
    if (http_setup(NULL) != 0)
        return -1;
    return conf_setup(state);
}

static int
begin(void **state)
{
    (void)state;
    exchange_start(conf);
    return 0;
}

static int
end(void **state)
{
    if (client.fd > 0)
        close(client.fd);
    if (second.fd > 0)
        close(second.fd);
    client.fd = second.fd = -1;
    return exchange_stop(state);
}

static void
one_after_the_other(void **state)
{
    (void)state;
    client_open(&client);
    for (int i = 0; i < 3; i++) {
        client_ask(&client, "version");
        client_gets(&client, VERSION);
    }
    client_ask(&client, "version -");
    client_gets(&client, VERSION);
    client_ask(&client, "token nobody");
    client_gets(&client, "NOTFOUND ");
    client_ask(&client, "version"); /* a failure does not end the connection */
    client_gets(&client, VERSION);
}

static void
byte_by_byte(void **state)
{
    (void)state;
    client_open(&client);
    for (const char *c = ASK_VERSION ASK_VERSION; *c != '\0'; c++) {
        client_send(&client, c, 1);
        exchange_turn();
    }
    client_gets(&client, VERSION);
    client_gets(&client, VERSION);
}

static void
all_at_once(void **state)
{
    (void)state;
    client_open(&client);
    client_send(&client,
                ASK_VERSION ASK_VERSION "9:token nob"
                                        "," ASK_VERSION "7:ver",
                10 + 10 + 12 + 10 + 5);
    client_gets(&client, VERSION);
    client_gets(&client, VERSION);
    client_gets(&client, "NOTFOUND ");
    client_gets(&client, VERSION);
    client_waits(&client);
    client_send(&client, "sion,", 5);
    client_gets(&client, VERSION);
}

/* What came in together with a question that has to wait is answered after it, without a
 * further byte from the client. */
static void
behind_one_that_waits(void **state)
{
    (void)state;
    client_open(&client);
    client_send(&client,
                ASK_VERSION "9:token app," ASK_VERSION "9:token app," ASK_VERSION,
                10 + 12 + 10 + 12 + 10);
    client_gets(&client, VERSION);
    exchange_until_requests(1);
    client_waits(&client); /* in turn, not before it */
    endpoint_gives(0, "CANARY-1");
    client_gets(&client, "OK CANARY-1");
    client_gets(&client, VERSION);
    client_gets(&client, "OK CANARY-1");
    client_gets(&client, VERSION);
    assert_int_equal(endpoint.count, 1);
}

/* A client that does not read while it asks for more than a socket holds. */
static void
replies_that_pile_up(void **state)
{
    static char token[60001], expect[60010];

    (void)state;
    memset(token, 'x', sizeof token - 1);
    put_record("app", token, T0, 3600, "");
    snprintf(expect, sizeof expect, "OK %s", token);
    client_open(&client);
    for (int i = 0; i < 20; i++)
        client_ask(&client, "token app");
    client_ask(&client, "version");
    exchange_idle();
    client_open(&second); /* it costs others nothing */
    client_ask(&second, "version");
    client_gets(&second, VERSION);
    for (int i = 0; i < 20; i++)
        client_gets(&client, expect);
    client_gets(&client, VERSION);
}

static void
one_who_does_not_take_the_reply(void **state)
{
    static char token[60001];

    (void)state;
    memset(token, 'x', sizeof token - 1);
    put_record("app", token, T0, 3600, "");
    client_open(&client);
    for (int i = 0; i < 20; i++)
        client_ask(&client, "token app");
    exchange_idle();
    exchange_advance(9500);
    client_open(&second);
    client_ask(&second, "version");
    client_gets(&second, VERSION);
    exchange_advance(1000);
    exchange_idle();
    while (!client.ended) { /* what is left in the socket, then the end */
        client_read(&client);
        client.len = 0;
    }
    client_ask(&second, "version");
    client_gets(&second, VERSION);
}

static void
half_a_request(void **state)
{
    (void)state;
    client_open(&client);
    client_send(&client, "10:token", 8);
    exchange_idle();
    exchange_advance(9500);
    client_waits(&client);
    exchange_advance(1000);
    client_ends(&client);
}

/* A byte now and then does not make a request: the ten seconds are for all of it. */
static void
a_request_that_drips(void **state)
{
    (void)state;
    client_open(&client);
    client_send(&client, "1", 1);
    exchange_idle();
    for (int i = 0; i < 3; i++) {
        exchange_advance(3000);
        assert_int_equal(send(client.fd, "0", 1, MSG_NOSIGNAL), 1);
        exchange_idle();
    }
    client_waits(&client);
    exchange_advance(1500);
    client_ends(&client);
}

/* The second half of a request that follows another one has ten seconds of its own. */
static void
a_new_request_has_time_of_its_own(void **state)
{
    (void)state;
    client_open(&client);
    exchange_advance(8000);
    client_send(&client, ASK_VERSION "7:ver", 15);
    client_gets(&client, VERSION);
    exchange_advance(8000);
    client_send(&client, "sion,7:v", 8);
    client_gets(&client, VERSION);
    exchange_advance(8000);
    client_send(&client, "ersion,", 7);
    client_gets(&client, VERSION);
}

static void
one_who_never_asks(void **state)
{
    (void)state;
    client_open(&client);
    exchange_idle();
    exchange_advance(9500);
    client_waits(&client);
    exchange_advance(1000);
    client_ends(&client);
}

static void
idle_between_requests(void **state)
{
    (void)state;
    client_open(&client);
    client_ask(&client, "version");
    client_gets(&client, VERSION);
    exchange_advance(120000);
    client_ask(&client, "version");
    client_gets(&client, VERSION);
}

static void
the_longest_request(void **state)
{
    static char frame[16500];
    int head = snprintf(frame, sizeof frame, "16384:token ");

    (void)state;
    memset(frame + head, 'x', sizeof frame - (size_t)head);
    frame[6 + 16384] = ',';
    client_open(&client);
    client_send(&client, frame, 6 + 16384 + 1);
    client_gets(&client, "NOTFOUND ");
    client_ask(&client, "version");
    client_gets(&client, VERSION);
    frame[4] = '5'; /* 16385 */
    client_send(&client, frame, 6);
    assert_memory_equal(client_reply(&client), "PERM ", 5);
    client_ends(&client);
}

/* Not a request: it is said, and the connection is closed. */
static void
garbage(void **state)
{
    static const char *const texts[] = {
        "GET / HTTP/1.1\r\n\r\n", "07:version,", ":,", "7:version;", "-1:x,", "\xff\xff",
        "99999999999999999999:",  " 7:version,"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        client_open(&client);
        client_send(&client, ASK_VERSION, strlen(ASK_VERSION));
        client_gets(&client, VERSION);
        client_send(&client, texts[i], strlen(texts[i]));
        assert_memory_equal(client_reply(&client), "PERM ", 5);
        client_ends(&client);
        client_close(&client);
    }
}

/* The refusal of garbage that cannot be sent at once, since replies are piled up. */
static void
garbage_behind_replies(void **state)
{
    static char token[60001];

    (void)state;
    memset(token, 'x', sizeof token - 1);
    put_record("app", token, T0, 3600, "");
    client_open(&client);
    for (int i = 0; i < 10; i++)
        client_ask(&client, "token app");
    client_send(&client, "rubbish", 7);
    exchange_idle();
    for (int i = 0; i < 10; i++)
        assert_memory_equal(client_reply(&client), "OK xxxx", 7);
    assert_memory_equal(client_reply(&client), "PERM ", 5);
    client_ends(&client);
}

static void
one_who_leaves_while_waiting(void **state)
{
    (void)state;
    client_open(&client);
    client_ask(&client, "token app");
    client_open(&second);
    client_ask(&second, "token app");
    exchange_until_requests(1);
    client_close(&client);
    exchange_idle();
    endpoint_gives(0, "CANARY-1");
    client_gets(&second, "OK CANARY-1");
    client_open(&client);
    client_ask(&client, "token app");
    client_gets(&client, "OK CANARY-1");
}

static void
all_leave_while_waiting(void **state)
{
    (void)state;
    client_open(&client);
    client_ask(&client, "token app");
    exchange_until_requests(1);
    client_close(&client);
    exchange_idle();
    endpoint_gives(0, "CANARY-1");
    exchange_until_landed();
    asking("token app", "OK CANARY-1");
    assert_int_equal(endpoint.count, 1);
}

/* `nc -N` and shells with a here document say at once that they will send no more. */
static void
one_who_only_listens(void **state)
{
    (void)state;
    client_open(&client);
    client_ask(&client, "token app");
    exchange_until_requests(1);
    shutdown(client.fd, SHUT_WR);
    client_waits(&client);
    endpoint_gives(0, "CANARY-1");
    client_gets(&client, "OK CANARY-1");
    client_ends(&client);
}

static void
one_who_leaves_before_the_reply(void **state)
{
    (void)state;
    client_open(&client);
    client_ask(&client, "version");
    client_close(&client);
    client_open(&client);
    client_close(&client);
    exchange_idle();
    asking("version", VERSION);
}

static void
waiting_is_not_stalling(void **state)
{
    (void)state;
    client_open(&client);
    client_ask(&client, "token app");
    exchange_until_requests(1);
    exchange_advance(20000);
    client_waits(&client);
    endpoint_gives(0, "CANARY-1");
    client_gets(&client, "OK CANARY-1");
}

/* Every request but `version` asks for permission. */
static void
strangers(void **state)
{
    static const char *const requests[] = {
        "token other", "status other", "upstream smtp other", "rejected CANARY other"};

    (void)state;
    peer_uid = 4711;
    client_open(&client);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        client_ask(&client, requests[i]);
        client_gets(&client,
                    "PERM not allowed: uid 4711 may not use this account -> add this "
                    "user to the account's allow_users in the accounts file");
    }
    client_ask(&client, "version");
    client_gets(&client, VERSION);
    client_ask(&client, "token app"); /* whose allow_users has it */
    exchange_until_requests(1);
    endpoint_gives(0, "CANARY-1");
    client_gets(&client, "OK CANARY-1");
    peer_uid = 65534;
    asking("token app",
           "PERM not allowed: uid 65534 may not use this account -> add this "
           "user to the account's allow_users in the accounts file");
}

/* --- descriptors run out */

int __real_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);

/* Linux looks for a free descriptor before it takes a connection from the queue.
 * Valgrind, which keeps the limit itself, lets the connection be taken, drops it and then
 * says EMFILE; so it is looked for here. */
int
__wrap_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    int spare = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (spare < 0)
        return -1; /* EMFILE */
    close(spare);
    return __real_accept4(fd, address, len, flags);
}

/* Leaves exactly `spare` descriptors to this process. */
static void
leave_descriptors(int spare, struct rlimit *before)
{
    struct rlimit tight;
    int highest = fcntl(agent.listen.fd, F_DUPFD_CLOEXEC, 0); /* the lowest free one */

    assert_true(highest >= 0);
    close(highest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
    tight = *before;
    tight.rlim_cur = (rlim_t)highest + (rlim_t)spare;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
}

static void
the_longest_idle_makes_room(void **state)
{
    static struct client clients[4];
    struct rlimit before;

    (void)state;
    for (int i = 0; i < 4; i++) {
        client_open(&clients[i]);
        client_ask(&clients[i], "version");
        client_gets(&clients[i], VERSION);
    }
    client_ask(&clients[0], "version"); /* now the second is the longest idle */
    client_gets(&clients[0], VERSION);
    leave_descriptors(1, &before);
    client_open(&client); /* the last descriptor; none is left for the agent's end */
    client_ask(&client, "version");
    client_gets(&client, VERSION);
    setrlimit(RLIMIT_NOFILE, &before);
    client_ends(&clients[1]);
    for (int i = 0; i < 4; i++) {
        if (i != 1) {
            client_ask(&clients[i], "version");
            client_gets(&clients[i], VERSION);
        }
        client_close(&clients[i]);
    }
}

/* Whoever keeps connections busy with halves of requests does not keep others out. */
static void
the_longest_silent_makes_room(void **state)
{
    static struct client half;
    struct rlimit before;

    (void)state;
    client_open(&half);
    client_send(&half, "10:token", 8);
    exchange_idle();
    client_open(&second);
    client_send(&second, "7:ver", 5);
    exchange_idle();
    leave_descriptors(1, &before);
    client_open(&client);
    client_ask(&client, "version");
    client_gets(&client, VERSION);
    setrlimit(RLIMIT_NOFILE, &before);
    client_ends(&half);
    client_close(&half);
    client_send(&second, "sion,", 5);
    client_gets(&second, VERSION);
}

/* Everybody waits for a token: nobody is dropped for the newcomer, who is turned away
 * instead of being left in the queue, where it would keep the loop spinning. */
static void
nobody_idle_to_make_room(void **state)
{
    struct rlimit before;

    (void)state;
    client_open(&second);
    client_ask(&second, "token app");
    exchange_until_requests(1);
    leave_descriptors(1, &before);
    client_open(&client);
    client_ask(&client, "version");
    exchange_idle();
    setrlimit(RLIMIT_NOFILE, &before);
    client_read(&client);
    assert_true(client.ended);
    assert_int_equal(client.len, 0);
    endpoint_gives(0, "CANARY-1");
    client_gets(&second, "OK CANARY-1");
    client_close(&client);
    client_open(&client);
    client_ask(&client, "version");
    client_gets(&client, VERSION);
}

#define EXCHANGE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        EXCHANGE_TEST(one_after_the_other),
        EXCHANGE_TEST(byte_by_byte),
        EXCHANGE_TEST(all_at_once),
        EXCHANGE_TEST(behind_one_that_waits),
        EXCHANGE_TEST(replies_that_pile_up),
        EXCHANGE_TEST(one_who_does_not_take_the_reply),
        EXCHANGE_TEST(half_a_request),
        EXCHANGE_TEST(a_request_that_drips),
        EXCHANGE_TEST(a_new_request_has_time_of_its_own),
        EXCHANGE_TEST(one_who_never_asks),
        EXCHANGE_TEST(idle_between_requests),
        EXCHANGE_TEST(the_longest_request),
        EXCHANGE_TEST(garbage),
        EXCHANGE_TEST(garbage_behind_replies),
        EXCHANGE_TEST(one_who_leaves_while_waiting),
        EXCHANGE_TEST(all_leave_while_waiting),
        EXCHANGE_TEST(one_who_only_listens),
        EXCHANGE_TEST(one_who_leaves_before_the_reply),
        EXCHANGE_TEST(waiting_is_not_stalling),
        EXCHANGE_TEST(strangers),
        EXCHANGE_TEST(the_longest_idle_makes_room),
        EXCHANGE_TEST(the_longest_silent_makes_room),
        EXCHANGE_TEST(nobody_idle_to_make_room),
    };

    return cmocka_run_group_tests_name("conn", tests, setup, conf_teardown);
}
