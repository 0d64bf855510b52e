/* test_exchange.c - clients, the agent, the store and the token endpoint together: who
 * gets which token when, and how often the endpoint is asked. */
/* link: -Wl,--wrap=http_start,--wrap=deadline_now,--wrap=wallclock_now */
/* link: -Wl,--wrap=store_write,--wrap=getsockopt,--wrap=deadline_in */
#include "exchange.h"

#include <pthread.h>
#include <stdatomic.h>

#include "client/agent_client.h"
#include "oauth/secret_source.h"

#define ALICE "alice@contoso.com"

static const char conf[] =
    "provider p { token_endpoint = \"https://idp.example/token\" scope = mail\n"
    "             smtp = \"smtp.example:587 starttls\" }\n"
    "account \"alice@contoso.com\" { provider = p client_id = c user = "
    "\"shared@contoso.com\"\n"
    "              postfix_keys = { \"[smtp.example]:587\" } }\n"
    "account app { provider = p client_id = c grant = client_credentials\n"
    "              client_secret = CANARY-secret postfix_keys = {} }\n";

/* Everything but alice. */
static const char conf_without[] =
    "provider p { token_endpoint = \"https://idp.example/token\" scope = mail }\n"
    "account app { provider = p client_id = c grant = client_credentials\n"
    "              client_secret = CANARY-secret }\n";

/* A secret's command need not take its ten seconds. */
struct deadline __real_deadline_in(int ms);
struct deadline __wrap_deadline_in(int ms);

struct deadline
__wrap_deadline_in(int ms)
{
    return __real_deadline_in(ms == SECRET_COMMAND_MS ? 100 : ms);
}

static struct client client, second;

static int
setup(void **state)
{
    json_setup();
    log_set_level(LOG_LEVEL_ERROR);
    if (http_setup(NULL) != 0)
        return -1;
    setenv(AGENT_SOCKET_ENV, "agent.sock", 1);
    return conf_setup(state);
}

static int
begin(void **state)
{
    (void)state;
    exchange_start(conf);
    client.fd = second.fd = -1;
    return 0;
}

static int
end(void **state)
{
    if (client.fd >= 0)
        close(client.fd);
    if (second.fd >= 0)
        close(second.fd);
    return exchange_stop(state);
}

/* --- real clients, in threads: agent_client.h blocks */

struct asker {
    pthread_t thread;
    struct agent_query query;
    struct secret reply;
    struct err err;
    int r;
};

static atomic_int askers_ready;

static void *
ask(void *arg)
{
    struct asker *a = arg;

    a->r = agent_client_ask(&a->query, &a->reply, &a->err);
    atomic_fetch_add(&askers_ready, 1);
    return NULL;
}

static void
asker_start(struct asker *a, const char *map, const char *key)
{
    *a = (struct asker){.query = {.map = map,
                                  .key = key,
                                  .where = AGENT_NAMED,
                                  .deadline_ms = PATIENCE_MS - 1}};
    assert_int_equal(pthread_create(&a->thread, NULL, ask, a), 0);
}

/* Turns until so many are ready, and joins them. */
static void
askers_finish(struct asker *askers, int count)
{
    int64_t limit = real_ms() + PATIENCE_MS + 2000;

    while (atomic_load(&askers_ready) < count) {
        assert_true(real_ms() < limit);
        exchange_turn();
    }
    for (int i = 0; i < count; i++)
        pthread_join(askers[i].thread, NULL);
    atomic_store(&askers_ready, 0);
}

static void
fifty_ask_and_one_request(void **state)
{
    static struct asker askers[50];

    (void)state;
    put_record(ALICE, "CANARY-old", T0 - 4000, 3600, "CANARY-refresh");
    for (int i = 0; i < 50; i++)
        asker_start(&askers[i], i % 2 != 0 ? "token" : "sasl",
                    i % 2 != 0 ? ALICE : "[smtp.example]:587");
    exchange_until_requests(1);
    exchange_idle();
    assert_int_equal(atomic_load(&askers_ready), 0);
    assert_string_equal(endpoint.request[0].sent,
                        "grant_type=refresh_token&refresh_token=CANARY-refresh"
                        "&client_id=c&scope=mail");
    endpoint_gives(0, "CANARY-new");
    askers_finish(askers, 50);
    for (int i = 0; i < 50; i++) {
        if (askers[i].r != 0)
            fail_msg("%s", askers[i].err.text);
        kit_assert_secret(&askers[i].reply,
                          i % 2 != 0 ? "CANARY-new" : "shared@contoso.com:CANARY-new");
        secret_clear(&askers[i].reply);
    }
    assert_int_equal(endpoint.count, 1);
}

static void
fifty_ask_and_one_failure(void **state)
{
    static struct asker askers[50];

    (void)state;
    for (int i = 0; i < 50; i++)
        asker_start(&askers[i], "token", "app");
    exchange_until_requests(1);
    exchange_idle();
    endpoint_answer(0, 401, "{\"error\":\"invalid_client\"}");
    askers_finish(askers, 50);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(askers[i].r, ERR_PERSON);
        assert_string_equal(askers[i].err.text, "invalid_client (HTTP 401)");
        assert_non_null(strstr(askers[i].err.hint, "App registrations > c >"));
        assert_int_equal(askers[i].reply.len, 0);
    }
    assert_int_equal(endpoint.count, 1);
}

/* --- tokens in memory and in the store */

static void
answered_from_memory(void **state)
{
    struct record record;

    (void)state;
    client_open(&client);
    client_ask(&client, "token app");
    exchange_until_requests(1);
    assert_string_equal(endpoint.request[0].sent,
                        "grant_type=client_credentials&client_id=c"
                        "&client_secret=CANARY-secret&scope=mail");
    endpoint_gives(0, "CANARY-1");
    client_gets(&client, "OK CANARY-1");
    /* it was on the disk before anybody saw it */
    record = get_record("app");
    kit_assert_secret(&record.access_token, "CANARY-1");
    record_clear(&record);
    client_ask(&client, "token app");
    client_gets(&client, "OK CANARY-1");
    assert_int_equal(endpoint.count, 1);
}

static void
answered_from_the_store(void **state)
{
    (void)state;
    put_record(ALICE, "CANARY-stored", T0 - 60, 3600, "CANARY-refresh");
    asking("token " ALICE, "OK CANARY-stored");
    asking("sasl [smtp.example]:587", "OK shared@contoso.com:CANARY-stored");
    assert_int_equal(endpoint.count, 0);
}

static void
keys_and_names_nobody_knows(void **state)
{
    (void)state;
    asking("token bob", "NOTFOUND ");
    asking("sasl [smtp.example]:25", "NOTFOUND ");
    asking("upstream pop3 bob", "NOTFOUND ");
    assert_int_equal(endpoint.count, 0);
}

static void
nobody_has_signed_in(void **state)
{
    (void)state;
    client_open(&client);
    client_ask(&client, "token " ALICE);
    assert_non_null(client_reply(&client));
    assert_non_null(
        strstr(client.payload, "PERM nobody has signed in for this account yet -> "));
    /* for Postfix as well: NOTFOUND would let it go on without authentication */
    client_ask(&client, "sasl [smtp.example]:587");
    assert_non_null(client_reply(&client));
    assert_memory_equal(client.payload, "PERM ", 5);
    /* then somebody does; the answer changes at once */
    put_record(ALICE, "CANARY-signed-in", T0, 3600, "CANARY-refresh");
    client_ask(&client, "token " ALICE);
    client_gets(&client, "OK CANARY-signed-in");
    assert_int_equal(endpoint.count, 0);
}

/* A sign-in, an import or a refresh by another process. */
static void
a_file_that_changes(void **state)
{
    (void)state;
    put_record(ALICE, "CANARY-1", T0, 3600, "CANARY-refresh");
    asking("token " ALICE, "OK CANARY-1");
    put_record(ALICE, "CANARY-2", T0, 3600, "CANARY-refresh-2");
    asking("token " ALICE, "OK CANARY-2");
    assert_int_equal(unlink("state/alice@contoso.com.json"), 0);
    client_open(&client);
    client_ask(&client, "token " ALICE);
    assert_non_null(client_reply(&client));
    assert_memory_equal(client.payload, "PERM nobody has signed in", 25);
    assert_int_equal(endpoint.count, 0);
}

/* What is in memory goes on being used, and refreshed; the file is left alone. */
static void
a_file_that_is_damaged(void **state)
{
    char text[64];

    (void)state;
    put_record(ALICE, "CANARY-1", T0, 3600, "CANARY-refresh");
    asking("token " ALICE, "OK CANARY-1");
    scratch_write("state/alice@contoso.com.json", "rubbish", 7, 0600);
    asking("token " ALICE, "OK CANARY-1");
    asking("token " ALICE, "OK CANARY-1");
    exchange_advance(3600 * 1000);
    client_open(&client);
    client_ask(&client, "token " ALICE);
    exchange_until_requests(1);
    endpoint_gives(0, "CANARY-2");
    client_gets(&client, "OK CANARY-2");
    assert_int_equal(scratch_read("state/alice@contoso.com.json", text, sizeof text), 7);
    assert_string_equal(text, "rubbish");
    assert_int_equal(unlink("state/alice@contoso.com.json"), 0);
}

static void
a_damaged_file_and_nothing_in_memory(void **state)
{
    (void)state;
    scratch_write("state/alice@contoso.com.json", "rubbish", 7, 0600);
    client_open(&client);
    client_ask(&client, "token " ALICE);
    assert_non_null(client_reply(&client));
    assert_true(strncmp(client.payload, "TEMP ", 5) == 0 ||
                strncmp(client.payload, "PERM ", 5) == 0);
    assert_non_null(strstr(client.payload, "alice@contoso.com.json"));
    assert_int_equal(endpoint.count, 0);
}

static void
a_store_that_cannot_be_written(void **state)
{
    struct record record;

    (void)state;
    put_record(ALICE, "CANARY-old", T0 - 4000, 3600, "CANARY-refresh");
    disk_fails = true;
    client_open(&client);
    client_ask(&client, "token " ALICE);
    exchange_until_requests(1);
    endpoint_answer(0, 200,
                    "{\"expires_in\":3600,\"access_token\":\"CANARY-new\","
                    "\"refresh_token\":\"CANARY-rotated\"}");
    client_gets(&client, "OK CANARY-new");
    client_ask(&client, "token " ALICE);
    client_gets(&client, "OK CANARY-new");
    client_ask(&client, "status " ALICE);
    assert_non_null(client_reply(&client));
    assert_non_null(strstr(client.payload, "\"unsaved\": true"));
    record = get_record(ALICE);
    kit_assert_secret(&record.refresh_token, "CANARY-refresh");
    record_clear(&record);
    exchange_advance(35000); /* tried again meanwhile */
    exchange_idle();
    record = get_record(ALICE);
    kit_assert_secret(&record.refresh_token, "CANARY-refresh");
    record_clear(&record);
    disk_fails = false;
    exchange_advance(35000);
    exchange_idle();
    record = get_record(ALICE);
    kit_assert_secret(&record.refresh_token, "CANARY-rotated");
    kit_assert_secret(&record.access_token, "CANARY-new");
    record_clear(&record);
    client_ask(&client, "status " ALICE);
    assert_non_null(client_reply(&client));
    assert_non_null(strstr(client.payload, "\"unsaved\": false"));
    assert_int_equal(endpoint.count, 1);
}

/* A refresh while the rotated token is in memory only must use that one. */
static void
unsaved_tokens_are_refreshed_too(void **state)
{
    (void)state;
    put_record(ALICE, "CANARY-old", T0 - 4000, 3600, "CANARY-refresh");
    disk_fails = true;
    client_open(&client);
    client_ask(&client, "token " ALICE);
    exchange_until_requests(1);
    endpoint_answer(0, 200,
                    "{\"expires_in\":3600,\"access_token\":\"CANARY-new\","
                    "\"refresh_token\":\"CANARY-rotated\"}");
    client_gets(&client, "OK CANARY-new");
    clock_ms += 3600 * 1000;
    client_ask(&client, "token " ALICE);
    exchange_until_requests(2);
    assert_non_null(strstr(endpoint.request[1].sent, "refresh_token=CANARY-rotated&"));
    endpoint_gives(1, "CANARY-newer");
    client_gets(&client, "OK CANARY-newer");
}

static void
another_process_has_the_lock(void **state)
{
    struct store_lock lock = {.fd = -1};

    (void)state;
    put_record(ALICE, "CANARY-old", T0 - 4000, 3600, "CANARY-refresh");
    assert_int_equal(store_lock(&agent.store, ALICE, NULL, &lock, NULL), 0);
    client_open(&client);
    client_ask(&client, "token " ALICE);
    client_waits(&client);
    exchange_advance(3000);
    client_waits(&client);
    assert_int_equal(endpoint.count, 0);
    put_record(ALICE, "CANARY-theirs", T0, 3600, "CANARY-refresh-2");
    store_unlock(&lock);
    exchange_advance(500);
    client_gets(&client, "OK CANARY-theirs");
    assert_int_equal(endpoint.count, 0);
}

/* --- an endpoint that hangs or fails */

#define LATE                                                                             \
    "TIMEOUT no token in 28 s: the refresh is still under way -> see: mailbearer "       \
    "status app"

static void
a_hung_endpoint(void **state)
{
    (void)state;
    client_open(&client);
    client_ask(&client, "token app");
    exchange_until_requests(1);
    exchange_advance(10000);
    client_open(&second); /* who comes later waits as long */
    client_ask(&second, "token app");
    exchange_idle();
    exchange_advance(17500);
    client_waits(&client);
    exchange_advance(500);
    client_gets(&client, LATE);
    exchange_advance(9500);
    client_waits(&second);
    exchange_advance(500);
    client_gets(&second, LATE);
    /* the refresh itself goes on, and helps the next one */
    client_ask(&client, "token app");
    client_waits(&client);
    assert_int_equal(endpoint.count, 1);
    endpoint_gives(0, "CANARY-1");
    client_gets(&client, "OK CANARY-1");
}

static void
one_hangs_the_others_are_served(void **state)
{
    (void)state;
    put_record(ALICE, "CANARY-1", T0, 3600, "CANARY-refresh");
    client_open(&client);
    client_ask(&client, "token app");
    exchange_until_requests(1);
    asking("token " ALICE, "OK CANARY-1");
    client_waits(&client);
}

/* A token with too little life for min_remaining, while the refresh takes its time:
 * clients give up after 10 s. */
static void
last_resort_when_it_is_slow(void **state)
{
    (void)state;
    put_record(ALICE, "CANARY-old", T0 - 3400, 3600, "CANARY-refresh");
    client_open(&client);
    client_ask(&client, "token " ALICE);
    exchange_until_requests(1);
    exchange_advance(4500);
    client_waits(&client);
    exchange_advance(500);
    client_gets(&client, "OK CANARY-old");
    endpoint_gives(0, "CANARY-new");
    exchange_until_landed();
    client_ask(&client, "token " ALICE);
    client_gets(&client, "OK CANARY-new");
    assert_int_equal(endpoint.count, 1);
}

static void
last_resort_when_it_fails(void **state)
{
    (void)state;
    put_record(ALICE, "CANARY-old", T0 - 3400, 3600, "CANARY-refresh");
    client_open(&client);
    client_ask(&client, "token " ALICE);
    exchange_until_requests(1);
    endpoint_fails(0);
    client_gets(&client, "OK CANARY-old");
    client_ask(&client, "token " ALICE); /* within the back-off */
    client_gets(&client, "OK CANARY-old");
    assert_int_equal(endpoint.count, 1);
}

static void
temporary_failures(void **state)
{
    struct record record;

    (void)state;
    client_open(&client);
    client_ask(&client, "token app");
    exchange_until_requests(1);
    endpoint_answer(0, 503, "");
    assert_non_null(client_reply(&client));
    assert_memory_equal(
        client.payload,
        "TEMP the token endpoint answered HTTP 503 without an OAuth error", 64);
    client_ask(&client, "token app"); /* at once: the same, unasked */
    assert_non_null(client_reply(&client));
    assert_memory_equal(client.payload, "TEMP the token endpoint answered", 32);
    assert_int_equal(endpoint.count, 1);
    record = get_record("app"); /* for those without an agent */
    assert_int_equal(record.failure.count, 1);
    record_clear(&record);
    clock_ms += 2000;
    client_ask(&client, "token app");
    exchange_until_requests(2);
    endpoint_gives(1, "CANARY-1");
    client_gets(&client, "OK CANARY-1");
}

static void
a_person_must_act(void **state)
{
    struct record record;

    (void)state;
    put_record(ALICE, "CANARY-old", T0 - 4000, 3600, "CANARY-refresh");
    client_open(&client);
    client_ask(&client, "token " ALICE);
    exchange_until_requests(1);
    endpoint_answer(0, 400, "{\"error\":\"invalid_grant\",\"error_codes\":[50173]}");
    assert_non_null(client_reply(&client));
    assert_memory_equal(client.payload, "PERM AADSTS50173: ", 18);
    assert_non_null(strstr(client.payload, " -> Sign in again: mailbearer login " ALICE));
    record = get_record(ALICE);
    kit_assert_secret(&record.refresh_token, "CANARY-refresh"); /* never deleted */
    record_clear(&record);
    exchange_advance(299 * 1000);
    client_ask(&client, "token " ALICE);
    assert_non_null(client_reply(&client));
    assert_memory_equal(client.payload, "PERM AADSTS50173: ", 18);
    assert_int_equal(endpoint.count, 1); /* not by itself either */
    exchange_advance(1000);
    client_ask(&client, "token " ALICE); /* when asked, every five minutes */
    exchange_until_requests(2);
    endpoint_answer(1, 400, "{\"error\":\"invalid_grant\",\"error_codes\":[50173]}");
    assert_non_null(client_reply(&client));
    assert_memory_equal(client.payload, "PERM AADSTS50173: ", 18);
    /* a sign-in ends it at once */
    put_record(ALICE, "CANARY-signed-in", T0 + 300, 3600, "CANARY-refresh-2");
    client_ask(&client, "token " ALICE);
    client_gets(&client, "OK CANARY-signed-in");
}

static void
a_request_that_cannot_be_started(void **state)
{
    (void)state;
    endpoint.refuses = true;
    client_open(&client);
    client_ask(&client, "token app");
    assert_non_null(client_reply(&client));
    assert_memory_equal(client.payload, "PERM no such address", 20);
    endpoint.refuses = false;
    clock_ms += 2000;
    client_ask(&client, "token app"); /* the lock was given back */
    exchange_until_requests(2);
    endpoint_gives(1, "CANARY-1");
    client_gets(&client, "OK CANARY-1");
}

/* --- a secret's command */

static size_t
lines_in(const char *path)
{
    char text[256];
    size_t n = 0;

    if (!scratch_exists(path))
        return 0;
    scratch_read(path, text, sizeof text);
    for (const char *c = text; *c != '\0'; c++)
        n += *c == '\n';
    return n;
}

/* It fails, and is not run again until the back-off is over. */
static void
a_command_that_hangs(void **state)
{
    static const char with_command[] =
        "provider p { token_endpoint = \"https://idp.example/token\" scope = mail }\n"
        "account app { provider = p client_id = c grant = client_credentials\n"
        "              client_secret_command = \"echo run >>runs; sleep 60\" }\n"
        "account other { provider = p client_id = c grant = client_credentials\n"
        "                client_secret = CANARY }\n";

    (void)state;
    exchange_reload(with_command);
    client_open(&client);
    client_ask(&client, "token app");
    asking("version", "OK mailbearer " MAILBEARER_VERSION); /* nobody waits for it */
    assert_non_null(client_reply(&client));
    assert_memory_equal(client.payload, "TIMEOUT client_secret_command took longer", 41);
    assert_int_equal(lines_in("runs"), 1);
    client_ask(&client, "token app");
    assert_non_null(client_reply(&client));
    assert_memory_equal(client.payload, "TIMEOUT client_secret_command took longer", 41);
    assert_int_equal(lines_in("runs"), 1);
    clock_ms += 2000;
    client_ask(&client, "token app");
    assert_non_null(client_reply(&client));
    assert_int_equal(lines_in("runs"), 2);
    assert_int_equal(endpoint.count, 0);
    unlink("runs");
}

/* --- a server refused the token */

static void
rejected_at_most_every_30_seconds(void **state)
{
    (void)state;
    put_record(ALICE, "CANARY-1", T0, 3600, "CANARY-refresh");
    asking("token " ALICE, "OK CANARY-1");
    asking("rejected CANARY-other " ALICE, "OK ");
    asking("rejected CANARY-1x " ALICE, "OK ");
    asking("rejected CANARY- " ALICE, "OK ");
    exchange_idle();
    assert_int_equal(endpoint.count, 0);
    asking("rejected CANARY-1 " ALICE, "OK ");
    exchange_until_requests(1);
    client_open(&client);
    client_ask(&client, "token " ALICE); /* who asks now waits for the next one */
    client_waits(&client);
    asking("rejected CANARY-1 " ALICE, "OK ");
    endpoint_gives(0, "CANARY-2");
    client_gets(&client, "OK CANARY-2");
    asking("rejected CANARY-2 " ALICE, "OK "); /* too soon */
    asking("token " ALICE, "OK CANARY-2");
    exchange_advance(29000);
    asking("rejected CANARY-2 " ALICE, "OK ");
    exchange_idle();
    assert_int_equal(endpoint.count, 1);
    exchange_advance(1000);
    asking("rejected CANARY-2 " ALICE, "OK ");
    exchange_until_requests(2);
    endpoint_gives(1, "CANARY-3");
    exchange_until_landed();
    asking("token " ALICE, "OK CANARY-3");
}

/* While no other can be had, a refused token is not handed out, however long it lives. */
static void
rejected_and_no_other(void **state)
{
    (void)state;
    put_record(ALICE, "CANARY-1", T0, 3600, "CANARY-refresh");
    asking("token " ALICE, "OK CANARY-1");
    asking("rejected CANARY-1 " ALICE, "OK ");
    exchange_until_requests(1);
    client_open(&client);
    client_ask(&client, "token " ALICE);
    exchange_advance(5500);
    client_waits(&client);
    endpoint_fails(0);
    client_gets(&client,
                "TIMEOUT idp.example: no answer in time -> it is tried again; if "
                "it stays, check whether a proxy or a portal answers in the token "
                "endpoint's place");
}

/* A metadata service hands its cached token out again: better that one than none, and a
 * request for each question. */
static void
rejected_and_the_same_again(void **state)
{
    (void)state;
    put_record("app", "CANARY-1", T0, 3600, "");
    asking("token app", "OK CANARY-1");
    asking("rejected CANARY-1 app", "OK ");
    exchange_until_requests(1);
    client_open(&client);
    client_ask(&client, "token app");
    client_waits(&client);
    endpoint_gives(0, "CANARY-1");
    client_gets(&client, "OK CANARY-1");
    asking("token app", "OK CANARY-1");
    asking("rejected CANARY-1 app", "OK "); /* too soon */
    exchange_idle();
    assert_int_equal(endpoint.count, 1);
    exchange_advance(30000);
    asking("rejected CANARY-1 app", "OK ");
    exchange_until_requests(2);
}

static void
rejected_without_a_token(void **state)
{
    (void)state;
    put_record(ALICE, "", 0, 0, "CANARY-refresh");
    client_open(&client);
    client_ask(&client, "token " ALICE);
    exchange_until_requests(1);
    endpoint_fails(0);
    assert_non_null(client_reply(&client));
    asking("rejected  " ALICE, "OK "); /* no token is the current one, as it were */
    exchange_idle();
    assert_int_equal(endpoint.count, 1);
}

/* --- another accounts file */

static void
reload_keeps_tokens_and_flights(void **state)
{
    (void)state;
    client_open(&client);
    client_ask(&client, "token app");
    exchange_until_requests(1);
    exchange_reload(conf);
    exchange_reload(conf);
    client_waits(&client);
    endpoint_gives(0, "CANARY-1");
    client_gets(&client, "OK CANARY-1");
    exchange_reload(conf);
    client_ask(&client, "token app");
    client_gets(&client, "OK CANARY-1");
    assert_int_equal(endpoint.count, 1);
}

static void
reload_without_the_account(void **state)
{
    (void)state;
    put_record(ALICE, "CANARY-old", T0 - 4000, 3600, "CANARY-refresh");
    client_open(&client);
    client_ask(&client, "sasl [smtp.example]:587");
    exchange_until_requests(1);
    exchange_reload(conf_without);
    /* on NOTFOUND Postfix would go on without a sign-in */
    client_gets(&client, "TEMP the account was removed from the accounts file");
    asking("token " ALICE, "NOTFOUND ");
    assert_int_equal(keeper_flights(agent.keeper), 1);
    /* what the server has rotated meanwhile is kept all the same */
    endpoint_answer(0, 200,
                    "{\"expires_in\":3600,\"access_token\":\"CANARY-new\","
                    "\"refresh_token\":\"CANARY-rotated\"}");
    exchange_until_landed();
    exchange_reload(conf);
    asking("token " ALICE, "OK CANARY-new");
}

/* Taken out and put back while its refresh is under way. */
/* What stands behind the question that waits is a question to the new accounts. */
static void
reload_without_the_account_asked_for_twice(void **state)
{
    static const char frame[] = "23:token " ALICE ",";

    (void)state;
    put_record(ALICE, "CANARY-old", T0 - 4000, 3600, "CANARY-refresh");
    client_open(&client);
    client_send(&client, frame, strlen(frame));
    exchange_until_requests(1);
    client_send(&client, frame, strlen(frame));
    client_open(&second);
    client_ask(&second, "token " ALICE);
    client_ask(&second, "token " ALICE);
    client_waits(&second);
    exchange_reload(conf_without);
    client_gets(&client, "NOTFOUND ");
    client_gets(&client, "NOTFOUND ");
    client_gets(&second, "NOTFOUND ");
    client_gets(&second, "NOTFOUND ");
    endpoint_gives(0, "CANARY-new");
    exchange_until_landed();
    asking("token " ALICE, "NOTFOUND ");
}

static void
reload_and_back_again(void **state)
{
    (void)state;
    put_record(ALICE, "CANARY-old", T0 - 4000, 3600, "CANARY-refresh");
    client_open(&client);
    client_ask(&client, "token " ALICE);
    exchange_until_requests(1);
    exchange_reload(conf_without);
    client_gets(&client, "NOTFOUND ");
    exchange_reload(conf);
    client_ask(&client, "token " ALICE); /* the old refresh still has the lock */
    client_waits(&client);
    endpoint_gives(0, "CANARY-new");
    exchange_until_landed();
    exchange_advance(500);
    client_gets(&client, "OK CANARY-new");
    assert_int_equal(endpoint.count, 1);
}

static void
reload_forgets_failures(void **state)
{
    (void)state;
    client_open(&client);
    client_ask(&client, "token app");
    exchange_until_requests(1);
    endpoint_answer(0, 401, "{\"error\":\"invalid_client\"}");
    assert_non_null(client_reply(&client));
    assert_memory_equal(client.payload, "PERM ", 5);
    clock_ms += 1000;
    exchange_reload(conf);
    client_ask(&client, "token app");
    exchange_until_requests(2);
    endpoint_gives(1, "CANARY-1");
    client_gets(&client, "OK CANARY-1");
}

/* With other settings the old token is none. */
static void
reload_with_another_scope(void **state)
{
    static const char other[] =
        "provider p { token_endpoint = \"https://idp.example/token\" scope = other }\n"
        "account app { provider = p client_id = c grant = client_credentials\n"
        "              client_secret = CANARY-secret }\n";

    (void)state;
    put_record("app", "CANARY-1", T0, 3600, "");
    asking("token app", "OK CANARY-1");
    exchange_reload(other);
    client_open(&client);
    client_ask(&client, "token app");
    exchange_until_requests(1);
    assert_non_null(strstr(endpoint.request[0].sent, "scope=other"));
    endpoint_gives(0, "CANARY-2");
    client_gets(&client, "OK CANARY-2");
}

/* --- ahead of time */

static void
refreshed_before_it_ends(void **state)
{
    (void)state;
    client_open(&client);
    client_ask(&client, "token app");
    exchange_until_requests(1);
    endpoint_gives(0, "CANARY-1");
    client_gets(&client, "OK CANARY-1");
    exchange_advance(2339 * 1000); /* 0.65 of its life */
    exchange_idle();
    assert_int_equal(endpoint.count, 1);
    exchange_advance(542 * 1000); /* 0.80 */
    exchange_until_requests(2);
    client_ask(&client, "token app"); /* meanwhile the old one */
    client_gets(&client, "OK CANARY-1");
    endpoint_gives(1, "CANARY-2");
    exchange_until_landed();
    client_ask(&client, "token app");
    client_gets(&client, "OK CANARY-2");
}

/* A day after the last question it is only the refresh token that is kept alive. */
static void
not_asked_for_a_day(void **state)
{
    (void)state;
    put_record(ALICE, "CANARY-1", T0, 3600, "CANARY-refresh");
    asking("token " ALICE, "OK CANARY-1");
    clock_ms += 24 * 3600 * 1000LL;
    exchange_advance(5000);
    exchange_idle();
    assert_int_equal(endpoint.count, 0);
    clock_ms += 6 * 24 * 3600 * 1000LL;
    exchange_advance(5000);
    exchange_until_requests(1);
    endpoint_answer(0, 200,
                    "{\"expires_in\":3600,\"access_token\":\"CANARY-2\","
                    "\"refresh_token\":\"CANARY-rotated\"}");
    exchange_until_landed();
    exchange_advance(3600 * 1000);
    exchange_idle();
    assert_int_equal(endpoint.count, 1);
}

/* Never asked for: found in the store after the start. */
static void
idle_refresh_tokens_are_used_weekly(void **state)
{
    (void)state;
    put_record(ALICE, "CANARY-1", T0 - 8 * 86400, 3600, "CANARY-refresh");
    exchange_advance(3000);
    exchange_until_requests(1);
    assert_non_null(strstr(endpoint.request[0].sent, "refresh_token=CANARY-refresh"));
    endpoint_gives(0, "CANARY-2");
    exchange_until_landed();
    exchange_advance(86400 * 1000);
    exchange_idle();
    assert_int_equal(endpoint.count, 1);
}

/* Many are due at the same moment: they are not all asked for at once. */
static void
many_due_at_once(void **state)
{
    static char text[40000];
    char name[32], question[64], expect[64];
    size_t n = (size_t)snprintf(text, sizeof text,
                                "provider p { scope = mail\n"
                                "  token_endpoint = \"https://idp.example/token\" }\n");

    (void)state;
    for (int i = 0; i < 150; i++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "account a%d { provider = p client_id = c "
                              "grant = client_credentials client_secret = x }\n",
                              i);
    exchange_reload(text);
    for (int i = 0; i < 150; i++) {
        snprintf(name, sizeof name, "a%d", i);
        put_record(name, name, T0, 3600, "");
        snprintf(question, sizeof question, "token a%d", i);
        snprintf(expect, sizeof expect, "OK a%d", i);
        asking(question, expect);
    }
    clock_ms += 3000 * 1000;
    for (int turn = 1; turn <= 10; turn++) {
        int most = turn < 8 ? 8 * turn : 64; /* 8 a second, 64 at a time */

        if (turn > 1)
            exchange_advance(1000);
        exchange_until_requests(most);
        exchange_idle();
        assert_int_equal(endpoint.count, most);
    }
    for (int i = 0; i < 64; i++)
        endpoint_gives(i, "CANARY");
    exchange_until_landed();
    exchange_advance(1000);
    exchange_until_requests(72);
    exchange_idle();
    assert_int_equal(endpoint.count, 72);
}

/* --- other questions, and the end */

static void
status_and_upstream(void **state)
{
    (void)state;
    put_record("app", "CANARY-1", T0, 3600, "");
    asking("token app", "OK CANARY-1");
    asking("status app",
           "OK {\"account\": \"app\", \"user\": \"app\", \"provider\": \"p\", \"grant\": "
           "\"client_credentials\", \"state\": \"ok\", \"obtained_at\": 1700000000, "
           "\"expires_at\": 1700003600, \"refresh_token\": false, \"unsaved\": false}");
    asking("upstream smtp " ALICE, "OK {\"user\": \"shared@contoso.com\", \"host\": "
                                   "\"smtp.example\", \"port\": 587, "
                                   "\"security\": \"starttls\", \"auth\": \"xoauth2\"}");
    asking("upstream imap " ALICE,
           "PERM alice@contoso.com has no imap server -> add to its section: imap = "
           "\"HOST:PORT tls\"");
}

/* SIGTERM, twice: with flights, waiting clients and a secret's command under way. */
static void
the_end_in_the_middle(void **state)
{
    (void)state;
    put_record(ALICE, "CANARY-old", T0 - 4000, 3600, "CANARY-refresh");
    client_open(&client);
    client_ask(&client, "token " ALICE);
    client_open(&second);
    client_ask(&second, "token app");
    exchange_until_requests(2);
    exchange_reload(conf_without);
    exchange_stop(NULL);
    client_read(&second);
    assert_true(second.ended);
}

#define EXCHANGE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        EXCHANGE_TEST(fifty_ask_and_one_request),
        EXCHANGE_TEST(fifty_ask_and_one_failure),
        EXCHANGE_TEST(answered_from_memory),
        EXCHANGE_TEST(answered_from_the_store),
        EXCHANGE_TEST(keys_and_names_nobody_knows),
        EXCHANGE_TEST(nobody_has_signed_in),
        EXCHANGE_TEST(a_file_that_changes),
        EXCHANGE_TEST(a_file_that_is_damaged),
        EXCHANGE_TEST(a_damaged_file_and_nothing_in_memory),
        EXCHANGE_TEST(a_store_that_cannot_be_written),
        EXCHANGE_TEST(unsaved_tokens_are_refreshed_too),
        EXCHANGE_TEST(another_process_has_the_lock),
        EXCHANGE_TEST(a_hung_endpoint),
        EXCHANGE_TEST(one_hangs_the_others_are_served),
        EXCHANGE_TEST(last_resort_when_it_is_slow),
        EXCHANGE_TEST(last_resort_when_it_fails),
        EXCHANGE_TEST(temporary_failures),
        EXCHANGE_TEST(a_person_must_act),
        EXCHANGE_TEST(a_request_that_cannot_be_started),
        EXCHANGE_TEST(a_command_that_hangs),
        EXCHANGE_TEST(rejected_at_most_every_30_seconds),
        EXCHANGE_TEST(rejected_and_no_other),
        EXCHANGE_TEST(rejected_and_the_same_again),
        EXCHANGE_TEST(rejected_without_a_token),
        EXCHANGE_TEST(reload_keeps_tokens_and_flights),
        EXCHANGE_TEST(reload_without_the_account),
        EXCHANGE_TEST(reload_without_the_account_asked_for_twice),
        EXCHANGE_TEST(reload_and_back_again),
        EXCHANGE_TEST(reload_forgets_failures),
        EXCHANGE_TEST(reload_with_another_scope),
        EXCHANGE_TEST(refreshed_before_it_ends),
        EXCHANGE_TEST(not_asked_for_a_day),
        EXCHANGE_TEST(idle_refresh_tokens_are_used_weekly),
        EXCHANGE_TEST(many_due_at_once),
        EXCHANGE_TEST(status_and_upstream),
        EXCHANGE_TEST(the_end_in_the_middle),
    };

    return cmocka_run_group_tests_name("exchange", tests, setup, conf_teardown);
}
