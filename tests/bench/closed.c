/* closed: how many questions the agent answers when every client asks the next one as
 * soon as it has the answer to the last (closed loop), as Postfix does over the
 * connections it keeps.
 *
 * usage: closed SOCKET CLIENTS SECONDS ACCOUNTS
 *
 * Accounts are named a1@bench.test ... aN@bench.test.
 * Prints: answers a second, answers that were no token.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "bench.h"

#define EVENTS 64

struct client {
    int fd;
    size_t got;
    char first[12]; /* the reply's first bytes: "2503:OK " */
};

struct closed {
    long accounts;
    unsigned long asked, answered, tokens;
};

static void
ask(struct closed *closed, struct client *client)
{
    long account = 1 + (long)(closed->asked++ * 7919 % (unsigned long)closed->accounts);
    char key[64], text[96];
    int len = snprintf(key, sizeof(key), "token a%ld@bench.test", account);

    len = snprintf(text, sizeof(text), "%d:%s,", len, key);
    client->got = 0;
    memset(client->first, 0, sizeof(client->first));
    if (send(client->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        bench_die("send");
}

/* True when the whole reply has come. */
static bool
read_reply(struct client *client)
{
    static char text[65536];
    ssize_t n = recv(client->fd, text, sizeof(text), 0);

    if (n <= 0)
        bench_die("the agent hung up");
    for (size_t i = 0; i < (size_t)n && client->got + i < sizeof(client->first); i++)
        client->first[client->got + i] = text[i];
    client->got += (size_t)n;
    return text[n - 1] == ',';
}

static void
serve(struct closed *closed, struct client *client)
{
    const char *status;

    if (!read_reply(client))
        return;
    status = memchr(client->first, ':', sizeof(client->first));
    closed->answered++;
    if (status != NULL && strncmp(status, ":OK", 3) == 0)
        closed->tokens++;
    ask(closed, client);
}

int
main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    struct closed closed = {0};
    struct client *clients;
    double start, end;
    long count;
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    if (argc != 5) {
        fprintf(stderr, "usage: closed SOCKET CLIENTS SECONDS ACCOUNTS\n");
        return 64;
    }
    count = bench_number(argv[2]);
    closed.accounts = bench_number(argv[4]);
    clients = bench_alloc((size_t)count, sizeof(*clients));
    for (long i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = &clients[i]}};

        clients[i].fd = bench_connect(argv[1], 0);
        if (clients[i].fd == -1 ||
            epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &event) == -1)
            bench_die(argv[1]);
        ask(&closed, &clients[i]);
    }
    start = bench_now();
    end = start + (double)bench_number(argv[3]) * 1e6;
    while (bench_now() < end) {
        int n = epoll_wait(epoll, events, EVENTS, 1000);

        for (int i = 0; i < n; i++)
            serve(&closed, events[i].data.ptr);
    }
    printf("%.0f %lu\n", (double)closed.answered / ((bench_now() - start) / 1e6),
           closed.answered - closed.tokens);
    return 0;
}
