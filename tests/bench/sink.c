/* sink: an SMTP server that takes every message of who has signed in, and throws it away.
 * It offers AUTH PLAIN and XOAUTH2 and accepts both at the same cost, which is none.
 *
 * usage: sink PORT-FILE COUNT TIMES-FILE
 *
 * Listens on a free port of 127.0.0.1 and writes its number to PORT-FILE. Whenever
 * another COUNT messages have come, a line with the time of day in microseconds is added
 * to TIMES-FILE. Ends by a signal.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

static atomic_ulong taken;
static unsigned long count;
static const char *times;

static void
took_one(void)
{
    struct timespec now;
    FILE *out;

    if ((atomic_fetch_add(&taken, 1) + 1) % count != 0)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    if ((out = fopen(times, "a")) == NULL)
        bench_die(times);
    fprintf(out, "%lld\n", (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    fclose(out);
}

static bool
is(const char *line, const char *verb)
{
    return strncasecmp(line, verb, strlen(verb)) == 0;
}

/* Drops the message. False at the end of the connection. */
static bool
data(FILE *in)
{
    char line[4096];

    while (fgets(line, sizeof(line), in) != NULL)
        if (strcmp(line, ".\r\n") == 0) {
            took_one();
            return true;
        }
    return false;
}

/* The message of the sign-in may come in a line of its own. */
static const char *
auth(FILE *in, FILE *out, const char *line)
{
    static _Thread_local char more[65536];

    if (strchr(line + strlen("AUTH "), ' ') == NULL) {
        fputs("334 \r\n", out);
        fflush(out);
        if (fgets(more, sizeof(more), in) == NULL)
            return NULL;
    }
    return "235 2.7.0 Ok\r\n";
}

static const char *
answer(FILE *in, FILE *out, const char *line, bool *signed_in)
{
    if (is(line, "EHLO"))
        return "250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
               "250 AUTH PLAIN XOAUTH2\r\n";
    if (is(line, "AUTH ")) {
        *signed_in = true;
        return auth(in, out, line);
    }
    if (!*signed_in)
        return "530 5.7.0 Authentication required\r\n";
    if (!is(line, "DATA"))
        return "250 2.0.0 Ok\r\n";
    fputs("354 Go on\r\n", out);
    fflush(out);
    return data(in) ? "250 2.0.0 Taken\r\n" : NULL;
}

static void *
session(void *arg)
{
    int fd = (int)(long)arg;
    FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
    char line[8192];
    const char *reply = "220 sink.test ESMTP\r\n";
    bool signed_in = false;

    if (in == NULL || out == NULL)
        bench_die("fdopen");
    while (reply != NULL && fputs(reply, out) >= 0 && fflush(out) == 0 &&
           fgets(line, sizeof(line), in) != NULL && !is(line, "QUIT"))
        reply = answer(in, out, line, &signed_in);
    fclose(in);
    fclose(out);
    return NULL;
}

static int
listen_somewhere(const char *port_file)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FILE *out;

    if (fd == -1 || bind(fd, (struct sockaddr *)&at, len) == -1 ||
        listen(fd, 128) == -1 || getsockname(fd, (struct sockaddr *)&at, &len) == -1)
        bench_die("listen");
    if ((out = fopen(port_file, "w")) == NULL)
        bench_die(port_file);
    fprintf(out, "%d\n", ntohs(at.sin_port));
    fclose(out);
    return fd;
}

int
main(int argc, char **argv)
{
    int listener;

    if (argc != 4) {
        fprintf(stderr, "usage: sink PORT-FILE COUNT TIMES-FILE\n");
        return 64;
    }
    count = (unsigned long)bench_number(argv[2]);
    times = argv[3];
    listener = listen_somewhere(argv[1]);
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        pthread_t thread;

        if (fd == -1 || pthread_create(&thread, NULL, session, (void *)(long)fd) != 0)
            bench_die("accept4");
        pthread_detach(thread);
    }
}
