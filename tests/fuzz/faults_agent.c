/* faults_agent.c - the agent in this process, asked for a token that it has to refresh at
 * a provider that rotates strictly, while calls fail; and what it does afterwards. */
/* link: -Wl,--wrap=deadline_now */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "accounts/accounts.h"
#include "agent/conn.h"
#include "agent/keeper.h"
#include "agent/loop.h"
#include "agent/permits.h"
#include "agent/worker.h"
#include "base/json.h"
#include "base/wallclock.h"
#include "client/deadline.h"
#include "faults.h"
#include "oauth/http.h"
#include "provider.h"

#define ALICE "alice@b.example"
#define ASK "21:token " ALICE ","
#define PATIENCE_MS 8000 /* real time for one answer */
#define SAVED_TURNS 400  /* half a second of the agent's time each */

/* --- its clock: real time, and what was skipped */

static _Atomic int64_t skipped_ms;

int64_t __real_deadline_now(void);
int64_t __wrap_deadline_now(void);

int64_t
__wrap_deadline_now(void)
{
    return __real_deadline_now() + skipped_ms;
}

/* --- the agent */

static struct store store;
static struct {
    struct http *http;
    struct worker *worker;
    struct loop *loop;
    struct keeper *keeper;
    struct permits *permits;
    struct conns *conns;
    struct loop_source listen;
} agent;
static int client = -1;

static void
wake(void *loop)
{
    loop_wake(loop);
}

static void
accept_client(struct loop_source *source, unsigned events)
{
    (void)events;
    conns_accept(agent.conns, source->fd);
}

static void
warn(const char *line)
{
    (void)line;
}

static void
listen_here(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "agent.sock"};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    unlink(a.sun_path);
    FUZZ_CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
               listen(fd, 16) == 0);
    agent.listen = (struct loop_source){fd, accept_client};
    FUZZ_CHECK(loop_add(agent.loop, &agent.listen, EPOLLIN, NULL) == 0);
}

static void
start_agent(void)
{
    struct accounts *accounts = NULL;
    struct err err = ERR_INIT;

    fuzz_result(accounts_read("accounts.conf", &accounts, &err), &err, 0);
    FUZZ_CHECK(http_open(&agent.http, NULL) == 0);
    FUZZ_CHECK(loop_new(&agent.loop, agent.http, NULL) == 0);
    FUZZ_CHECK(worker_new(&agent.worker, wake, agent.loop, NULL) == 0);
    FUZZ_CHECK(keeper_new(&store, agent.http, agent.worker, &agent.keeper, NULL) == 0);
    FUZZ_CHECK(conns_new(agent.loop, agent.keeper, &agent.permits, &agent.conns, NULL) ==
               0);
    FUZZ_CHECK(permits_new(accounts, geteuid(), warn, &agent.permits, NULL) == 0);
    FUZZ_CHECK(keeper_set_accounts(agent.keeper, accounts, NULL) == 0);
    listen_here();
}

/* In the order of agent.c; what is only in memory is saved. */
static void
stop_agent(void)
{
    loop_remove(agent.loop, &agent.listen);
    close(agent.listen.fd);
    keeper_save(agent.keeper);
    worker_free(&agent.worker);
    conns_free(&agent.conns);
    http_close(&agent.http);
    keeper_free(&agent.keeper);
    loop_free(&agent.loop);
    permits_free(&agent.permits);
}

static void
turn(void)
{
    keeper_tick(agent.keeper);
    conns_tick(agent.conns);
    loop_step(agent.loop, 5);
    worker_collect(agent.worker);
}

/* --- the client: by system calls, which never fail here */

static void
client_ask(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "agent.sock"};

    client =
        (int)syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    FUZZ_CHECK(client >= 0 && syscall(SYS_connect, client, &a, sizeof a) == 0);
    FUZZ_CHECK(syscall(SYS_sendto, client, ASK, sizeof ASK - 1, MSG_NOSIGNAL, NULL, 0) ==
               (long)sizeof ASK - 1);
}

static void
client_close(void)
{
    syscall(SYS_close, client);
    client = -1;
}

enum answer { ANSWER_TOKEN, ANSWER_FAILURE, ANSWER_CLOSED };

/* Turns until there is an answer. */
static enum answer
client_wait(void)
{
    int64_t end = __real_deadline_now() + PATIENCE_MS;
    char reply[4096], *payload;

    for (size_t got = 0; __real_deadline_now() < end;) {
        long n = syscall(SYS_recvfrom, client, reply + got, sizeof reply - 1 - got, 0,
                         NULL, NULL);

        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return ANSWER_CLOSED;
        if (n > 0)
            got += (size_t)n;
        reply[got] = '\0';
        if (got == 0 || reply[got - 1] != ',') {
            turn();
            continue;
        }
        payload = strchr(reply, ':');
        FUZZ_CHECK(payload != NULL);
        payload++;
        if (strncmp(payload, "OK CANARY-access-", 17) == 0)
            return ANSWER_TOKEN;
        FUZZ_CHECK(strncmp(payload, "TEMP ", 5) == 0 ||
                   strncmp(payload, "PERM ", 5) == 0 ||
                   strncmp(payload, "TIMEOUT ", 8) == 0);
        FUZZ_CHECK(strstr(payload, "CANARY") == NULL);
        return ANSWER_FAILURE;
    }
    fprintf(stderr, "no answer\n");
    abort();
}

/* --- the scenario */

static void
put_conf(int port)
{
    char text[1024];
    int n = snprintf(
        text, sizeof text,
        "provider p { token_endpoint = \"http://127.0.0.1:%d/token\" scope = m }\n"
        "account \"" ALICE "\" { provider = p client_id = 1 }\n",
        port);
    int fd = open("accounts.conf", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    FUZZ_CHECK(fd >= 0 && write(fd, text, (size_t)n) == n);
    close(fd);
}

void
fault_setup(const char *dir)
{
    (void)dir;
    json_setup();
    put_conf(provider_begin());
    FUZZ_CHECK(http_setup(NULL) == 0);
    FUZZ_CHECK(mkdir("state", 0700) == 0 && store_open("state", &store, NULL) == 0);
}

void
fault_teardown(void)
{
    store_close(&store);
    provider_end();
}

static void
put_record(void)
{
    struct record record = RECORD_INIT;
    struct store_lock lock = {.fd = -1};
    char text[64];

    snprintf(text, sizeof text, "CANARY-refresh-%d", (int)provider_state->present);
    fuzz_set(&record.refresh_token, text, strlen(text));
    record.refresh_token_at = wallclock_now() - 4000;
    FUZZ_CHECK(store_lock(&store, ALICE, NULL, &lock, NULL) == 0);
    FUZZ_CHECK(store_write(&store, ALICE, &record, NULL, NULL) == 0);
    store_unlock(&lock);
    record_clear(&record);
}

static void
before(void)
{
    put_record();
    start_agent();
    client_ask();
}

static bool
asked(void)
{
    enum answer answer = client_wait();

    client_close();
    return answer == ANSWER_TOKEN;
}

static bool
is_stored(void)
{
    struct record record = RECORD_INIT;
    char text[64];
    bool same;

    snprintf(text, sizeof text, "CANARY-refresh-%d", (int)provider_state->present);
    FUZZ_CHECK(store_read(&store, ALICE, &record, NULL, NULL) == 0);
    same = strcmp(secret_str(&record.refresh_token), text) == 0;
    record_clear(&record);
    return same;
}

/* True when it answers with a token, soon in its own time. */
static bool
recovers(void)
{
    for (int i = 0; i < SAVED_TURNS; i++) {
        enum answer answer;

        client_ask();
        answer = client_wait();
        client_close();
        if (answer == ANSWER_TOKEN)
            return true;
        skipped_ms += 5000;
        /* pauses after a failure go by the wall clock: a sign-in's file ends them */
        if (is_stored())
            put_record();
    }
    return false;
}

static void
after(bool done)
{
    bool lost;

    (void)done;
    for (int i = 0; i < SAVED_TURNS && (!is_stored() || keeper_flights(agent.keeper) > 0);
         i++) {
        skipped_ms += 500; /* what is only in memory is written before long */
        turn();
    }
    lost = !is_stored();
    if (lost) {
        FUZZ_CHECK(wrap_struck_memory());
        fault_lost++;
        fault_note("the token was lost");
        provider_state->present = 0;
        put_record();
    }
    FUZZ_CHECK(recovers());
    for (int i = 0; i < SAVED_TURNS && !is_stored(); i++) {
        skipped_ms += 500;
        turn();
    }
    FUZZ_CHECK(is_stored());
    stop_agent();
    FUZZ_CHECK(is_stored());
}

const struct fault_scenario fault_scenarios[] = {
    {"one question to the agent", before, asked, after},
};
const size_t fault_scenario_count = sizeof fault_scenarios / sizeof fault_scenarios[0];
