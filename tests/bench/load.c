/* load: asks the agent for tokens at a fixed rate whether it keeps up or not (open loop),
 * each on a connection of its own as the plugin does, and measures each answer from the
 * moment the question was due. At the same time one more connection for each stuck
 * account asks, waits, and asks again.
 *
 * usage: load SOCKET RATE SECONDS ACCOUNTS STUCK
 *
 * Accounts are named a1@bench.test ... aN@bench.test, the stuck ones s1@bench.test ...
 * Prints: questions, answers that were tokens, 50th and 99th percentile and the largest
 * in milliseconds, answers the stuck accounts got.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "bench.h"

#define EVENTS 256
#define TICK_NS 200000
#define GRACE_US 5e6 /* how long answers are waited for after the last question */

struct question {
    int fd; /* -1: could not connect yet */
    bool stuck;
    long account;
    double due;
    size_t got;
    char first[12]; /* the reply's first bytes: "2503:OK " */
};

struct load {
    const char *path;
    int epoll;
    long accounts;
    struct question *questions; /* the timed ones */
    size_t asked;               /* of these, due and tried */
    size_t answered, tokens;
    size_t waiting; /* first that could not connect, at most `asked` */
    struct question *stuck;
    long stuck_count, stuck_answers;
    double *times;
};

/* Connects and sends; false when the queue is full, so that it is to be tried again. The
 * listening socket's queue is the agent's to empty: the wait counts. */
static bool
ask(struct load *load, struct question *q)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = q}};
    char account[64];
    char text[96];
    int len = 0;

    if ((q->fd = bench_connect(load->path, SOCK_NONBLOCK)) == -1) {
        if (errno == EAGAIN)
            return false;
        bench_die(load->path);
    }
    snprintf(account, sizeof(account), "%c%ld@bench.test", q->stuck ? 's' : 'a',
             q->account);
    len = snprintf(text, sizeof(text), "%zu:token %s,", strlen(account) + 6, account);
    if (send(q->fd, text, (size_t)len, MSG_NOSIGNAL) != len ||
        epoll_ctl(load->epoll, EPOLL_CTL_ADD, q->fd, &event) == -1)
        bench_die("send");
    q->got = 0;
    memset(q->first, 0, sizeof(q->first));
    return true;
}

static void
answered(struct load *load, struct question *q)
{
    const char *status = memchr(q->first, ':', sizeof(q->first));

    close(q->fd);
    q->fd = -1;
    if (q->stuck) {
        load->stuck_answers++;
        if (!ask(load, q))
            load->stuck_count--; /* one asker less: said in the result */
        return;
    }
    load->times[load->answered++] = bench_now() - q->due;
    if (status != NULL && strncmp(status, ":OK", 3) == 0)
        load->tokens++;
}

static void
read_reply(struct load *load, struct question *q)
{
    char text[16384];
    ssize_t n = 0;

    while ((n = recv(q->fd, text, sizeof(text), MSG_DONTWAIT)) > 0) {
        if (q->got < sizeof(q->first)) {
            size_t room = sizeof(q->first) - q->got;

            memcpy(q->first + q->got, text, (size_t)n < room ? (size_t)n : room);
        }
        q->got += (size_t)n;
        if (text[n - 1] == ',') {
            answered(load, q);
            return;
        }
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        answered(load, q); /* hung up on: counted as no token */
}

/* Sends every question that is due, those first that found the queue full. */
static void
ask_due(struct load *load, double start, double gap, size_t total)
{
    double now = bench_now();

    while (load->asked < total && start + (double)load->asked * gap <= now) {
        struct question *q = &load->questions[load->asked];

        q->due = start + (double)load->asked * gap;
        q->account = 1 + (long)(load->asked * 7919 % (size_t)load->accounts);
        q->fd = -1;
        load->asked++;
    }
    while (load->waiting < load->asked && ask(load, &load->questions[load->waiting]))
        load->waiting++;
}

static void
wait_once(struct load *load, int timer)
{
    struct epoll_event events[EVENTS];
    uint64_t ticks = 0;
    int n = epoll_wait(load->epoll, events, EVENTS, 100);
    int i;

    for (i = 0; i < n; i++)
        if (events[i].data.ptr != NULL)
            read_reply(load, events[i].data.ptr);
        else if (read(timer, &ticks, sizeof(ticks)) == -1 && errno != EAGAIN)
            bench_die("timerfd");
}

static void
start_stuck(struct load *load)
{
    long i;

    load->stuck = bench_alloc((size_t)load->stuck_count + 1, sizeof(*load->stuck));
    for (i = 0; i < load->stuck_count; i++) {
        load->stuck[i].stuck = true;
        load->stuck[i].account = i + 1;
        while (!ask(load, &load->stuck[i]))
            usleep(1000);
    }
}

int
main(int argc, char **argv)
{
    struct itimerspec every = {.it_interval = {0, TICK_NS}, .it_value = {0, TICK_NS}};
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = NULL}};
    struct rlimit files = {65536, 65536};
    struct load load = {0};
    double start = 0, end = 0, gap = 0;
    size_t total = 0;
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

    if (argc != 6) {
        fprintf(stderr, "usage: load SOCKET RATE SECONDS ACCOUNTS STUCK\n");
        return 64;
    }
    load.path = argv[1];
    gap = 1e6 / (double)bench_number(argv[2]);
    total = (size_t)(bench_number(argv[2]) * bench_number(argv[3]));
    load.accounts = bench_number(argv[4]);
    load.stuck_count = strcmp(argv[5], "0") == 0 ? 0 : bench_number(argv[5]);
    load.questions = bench_alloc(total, sizeof(*load.questions));
    load.times = bench_alloc(total, sizeof(double));
    setrlimit(RLIMIT_NOFILE, &files);
    if (timer == -1 || (load.epoll = epoll_create1(EPOLL_CLOEXEC)) == -1 ||
        timerfd_settime(timer, 0, &every, NULL) == -1 ||
        epoll_ctl(load.epoll, EPOLL_CTL_ADD, timer, &event) == -1)
        bench_die("epoll");
    start_stuck(&load);
    usleep(500000); /* let them get stuck before the clock starts */
    start = bench_now();
    end = start + (double)total * gap + GRACE_US;
    while (load.answered < total && bench_now() < end) {
        ask_due(&load, start, gap, total);
        wait_once(&load, timer);
    }
    if (load.answered == 0) {
        fprintf(stderr, "no answer at all\n");
        return 1;
    }
    printf("%zu %zu %.3f %.3f %.3f %ld\n", load.asked, load.tokens,
           bench_median(load.times, load.answered) / 1e3,
           bench_quantile(load.times, load.answered, 0.99) / 1e3,
           bench_quantile(load.times, load.answered, 1) / 1e3, load.stuck_answers);
    return 0;
}
