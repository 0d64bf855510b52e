/* sasl_exchange: what one exchange costs, in one process, in turn: PLAIN, XOAUTH2 with
 * the token as the password, XOAUTH2 by way of the agent, and a question and answer over
 * a bare UNIX socket.
 *
 * usage: sasl_exchange ROUNDS TOKEN ACCOUNT PING-SOCKET
 *
 * SASL_PATH names the plugins, MAILBEARER_SOCKET the agent. PLAIN gets the same bytes as
 * its password. Prints the four medians in microseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <sasl/sasl.h>

#include "bench.h"

#define BLOCK 25 /* exchanges timed together */
#define REPLY_MAX 65536
/* Callbacks have many types and one to be stored as. */
#define PROC(f) ((int (*)(void))(void (*)(void))(f))

struct identity {
    const char *user;
    sasl_secret_t *secret;
};

static int
give_user(void *context, int id, const char **result_r, unsigned *len_r)
{
    const struct identity *identity = context;

    (void)id;
    *result_r = identity->user;
    if (len_r != NULL)
        *len_r = (unsigned)strlen(identity->user);
    return SASL_OK;
}

static int
give_password(sasl_conn_t *conn, void *context, int id, sasl_secret_t **secret_r)
{
    struct identity *identity = context;

    (void)conn;
    (void)id;
    *secret_r = identity->secret;
    return SASL_OK;
}

static sasl_secret_t *
secret_from(const char *text)
{
    size_t len = strlen(text);
    sasl_secret_t *secret = bench_alloc(1, sizeof(*secret) + len + 1);

    secret->len = len;
    memcpy(secret->data, text, len + 1);
    return secret;
}

static void
check(sasl_conn_t *conn, int r, const char *what)
{
    if (r == SASL_OK || r == SASL_CONTINUE)
        return;
    fprintf(stderr, "%s: %s\n", what, sasl_errdetail(conn));
    exit(1);
}

/* One exchange, from new to dispose; an empty last step where the mechanism wants one. */
static void
exchange(const char *mechanism, struct identity *identity)
{
    sasl_callback_t callbacks[] = {
        {SASL_CB_USER, PROC(give_user), identity},
        {SASL_CB_AUTHNAME, PROC(give_user), identity},
        {SASL_CB_PASS, PROC(give_password), identity},
        {SASL_CB_LIST_END, NULL, NULL},
    };
    sasl_conn_t *conn = NULL;
    const char *out = NULL;
    const char *chosen = NULL;
    unsigned len = 0;
    int r = sasl_client_new("smtp", "localhost", NULL, NULL, callbacks, 0, &conn);

    check(conn, r, "sasl_client_new");
    r = sasl_client_start(conn, mechanism, NULL, &out, &len, &chosen);
    check(conn, r, mechanism);
    if (len < identity->secret->len && strcmp(mechanism, "PLAIN") == 0) {
        fprintf(stderr, "%s gave %u bytes\n", mechanism, len);
        exit(1);
    }
    if (r == SASL_CONTINUE)
        check(conn, sasl_client_step(conn, "", 0, NULL, &out, &len), mechanism);
    sasl_dispose(&conn);
}

/* One question of the agent's kind, answered with as many bytes as the agent would send.
 */
static void
ping(const char *path, const char *account)
{
    char text[REPLY_MAX];
    int fd = bench_connect(path, 0);
    int len = snprintf(text, sizeof(text), "%zu:token %s,", strlen(account) + 6, account);
    ssize_t n = 0;

    if (fd == -1 || send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        bench_die(path);
    do
        n = recv(fd, text, sizeof(text), 0);
    while (n > 0 && text[n - 1] != ',');
    if (n <= 0)
        bench_die("recv");
    close(fd);
}

struct task {
    const char *mechanism; /* NULL: ping */
    struct identity identity;
    double *times;
};

int
main(int argc, char **argv)
{
    size_t rounds = argc == 5 ? (size_t)bench_number(argv[1]) : 0;
    struct task tasks[4] = {{0}};
    size_t count = sizeof(tasks) / sizeof(tasks[0]);
    size_t round, i, j;

    if (rounds == 0) {
        fprintf(stderr, "usage: sasl_exchange ROUNDS TOKEN ACCOUNT PING-SOCKET\n");
        return 64;
    }
    tasks[0].mechanism = "PLAIN";
    tasks[1].mechanism = tasks[2].mechanism = "XOAUTH2";
    for (i = 0; i < count; i++) {
        tasks[i].identity.user = argv[3];
        tasks[i].identity.secret = secret_from(i == 2 ? "agent:" : argv[2]);
        tasks[i].times = bench_alloc(rounds, sizeof(double));
    }
    check(NULL, sasl_client_init(NULL), "sasl_client_init");
    for (round = 0; round < rounds; round++)
        for (i = 0; i < count; i++) {
            struct task *task = &tasks[(i + round) % count];
            double start = bench_now();

            for (j = 0; j < BLOCK; j++)
                if (task->mechanism != NULL)
                    exchange(task->mechanism, &task->identity);
                else
                    ping(argv[4], argv[3]);
            task->times[round] = (bench_now() - start) / BLOCK;
        }
    for (i = 0; i < count; i++)
        printf("%.3f%c", bench_median(tasks[i].times, rounds),
               i + 1 == count ? '\n' : ' ');
    return 0;
}
