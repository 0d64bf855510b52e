/* test_clock_jumps.c - the agent's clock is set, by a day and by ten years, back and
 * forth, and the machine sleeps: no token that has ended is handed out, none is asked for
 * more often than it must be, and no pause lasts longer than it was meant to. */
/* link: -Wl,--wrap=http_start,--wrap=deadline_now,--wrap=wallclock_now */
/* link: -Wl,--wrap=store_write,--wrap=getsockopt */
#include "exchange.h"

#include "accounts/freshness.h"

#define ALICE "alice@contoso.com"
#define DAY INT64_C(86400)
#define YEARS (3653 * DAY)

static const char conf[] =
    "provider p { token_endpoint = \"https://idp.example/token\" scope = mail }\n"
    "account \"alice@contoso.com\" { provider = p client_id = c }\n";

static struct client client;

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
    put_record(ALICE, "CANARY-old", T0 - 4000, 3600, "CANARY-refresh");
    client.fd = -1;
    return 0;
}

static int
end(void **state)
{
    if (client.fd >= 0)
        close(client.fd);
    return exchange_stop(state);
}

/* Asks; the endpoint is asked for the n-th time, and gives this token. */
static void
fetched(int n, const char *token)
{
    char expect[64];

    snprintf(expect, sizeof expect, "OK %s", token);
    client_open(&client);
    client_ask(&client, "token " ALICE);
    exchange_until_requests(n);
    endpoint_gives(n - 1, token);
    client_gets(&client, expect);
    client_close(&client);
    exchange_until_landed();
}

/* After a jump the old token is not served, one request brings another, and that one is
 * then served from memory. */
static void
jump(int64_t seconds, int n, const char *token)
{
    char expect[64];

    wall_jump_s += seconds;
    fetched(n, token);
    snprintf(expect, sizeof expect, "OK %s", token);
    asking("token " ALICE, expect);
    assert_int_equal(endpoint.count, n);
}

static void
a_day_on_and_back(void **state)
{
    (void)state;
    fetched(1, "CANARY-1");
    jump(DAY, 2, "CANARY-2");
    jump(-DAY, 3, "CANARY-3");
    jump(-DAY, 4, "CANARY-4");
    jump(DAY, 5, "CANARY-5");
}

static void
ten_years_on_and_back(void **state)
{
    (void)state;
    fetched(1, "CANARY-1");
    jump(YEARS, 2, "CANARY-2");
    jump(-YEARS, 3, "CANARY-3");
    jump(-YEARS, 4, "CANARY-4");
    jump(YEARS, 5, "CANARY-5");
}

/* A few seconds either way are no reason to ask. */
static void
a_small_step(void **state)
{
    (void)state;
    fetched(1, "CANARY-1");
    wall_jump_s = 20;
    asking("token " ALICE, "OK CANARY-1");
    wall_jump_s = -TOKEN_CLOCK_SLACK;
    asking("token " ALICE, "OK CANARY-1");
    assert_int_equal(endpoint.count, 1);
}

/* The pause after a failure is one of seconds, though its end lies ten years ahead. */
static void
a_failure_before_the_clock_is_set_back(void **state)
{
    (void)state;
    wall_jump_s = YEARS;
    client_open(&client);
    client_ask(&client, "token " ALICE);
    exchange_until_requests(1);
    endpoint_fails(0);
    assert_non_null(client_reply(&client));
    client_close(&client);
    exchange_until_landed();
    wall_jump_s = 0;
    fetched(2, "CANARY-1");
}

/* The record on the disk is from the future: it is not believed, and the next one is. */
static void
a_record_of_the_future(void **state)
{
    (void)state;
    put_record(ALICE, "CANARY-future", T0 + YEARS, 3600, "CANARY-refresh");
    fetched(1, "CANARY-1");
    asking("token " ALICE, "OK CANARY-1");
    assert_int_equal(endpoint.count, 1);
}

/* A machine that sleeps: the time of day goes on, the monotonic clock does not. */
static void
asleep_for_eight_hours(void **state)
{
    (void)state;
    fetched(1, "CANARY-1");
    jump(8 * 3600, 2, "CANARY-2");
}

/* The same in the middle of a refresh: the client still gets what comes, and it counts
 * from when it came. */
static void
asleep_while_a_client_waits(void **state)
{
    (void)state;
    client_open(&client);
    client_ask(&client, "token " ALICE);
    exchange_until_requests(1);
    wall_jump_s = 8 * 3600;
    client_waits(&client);
    endpoint_gives(0, "CANARY-1");
    client_gets(&client, "OK CANARY-1");
    client_close(&client);
    asking("token " ALICE, "OK CANARY-1");
    wall_jump_s += 3400; /* less than five minutes are left of its hour */
    exchange_until_landed();
    fetched(2, "CANARY-2");
}

/* An agent that was stopped (SIGSTOP) meets both clocks an hour on: who waited is told so
 * or served, and nobody is kept. */
static void
stopped_while_a_client_waits(void **state)
{
    const char *reply;

    (void)state;
    client_open(&client);
    client_ask(&client, "token " ALICE);
    exchange_until_requests(1);
    clock_ms += 3600 * 1000;
    reply = client_reply(&client);
    assert_non_null(reply);
    assert_memory_equal(reply, "TIMEOUT ", 8);
    client_close(&client);
    endpoint_gives(0, "CANARY-1");
    exchange_until_landed();
    asking("token " ALICE, "OK CANARY-1");
}

#define JUMP_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        JUMP_TEST(a_day_on_and_back),
        JUMP_TEST(ten_years_on_and_back),
        JUMP_TEST(a_small_step),
        JUMP_TEST(a_failure_before_the_clock_is_set_back),
        JUMP_TEST(a_record_of_the_future),
        JUMP_TEST(asleep_for_eight_hours),
        JUMP_TEST(asleep_while_a_client_waits),
        JUMP_TEST(stopped_while_a_client_waits),
    };

    return cmocka_run_group_tests_name("clock_jumps", tests, setup, conf_teardown);
}
