/* provider.c - see provider.h. */
#include "provider.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

struct provider_state *provider_state;
static pid_t provider_pid;
static int provider_port;

/* True when a whole request is there: its head, and as much body as that says. */
static bool
is_whole(const char *request)
{
    const char *body = strstr(request, "\r\n\r\n");
    const char *length = strcasestr(request, "\r\nContent-Length:");

    if (body == NULL)
        return false;
    return length == NULL || strlen(body + 4) >= strtoul(length + 17, NULL, 10);
}

static void
answer(const char *request, char *body, size_t size, int *status_r)
{
    const char *given = strstr(request, "refresh_token=CANARY-refresh-");

    *status_r = 200;
    if (strncmp(request, "GET /.well-known/", 17) == 0) {
        snprintf(body, size,
                 "{\"issuer\":\"http://127.0.0.1:%d\",\"token_endpoint\":"
                 "\"http://127.0.0.1:%d/token\"}",
                 provider_port, provider_port);
        return;
    }
    provider_state->requests++;
    if (given == NULL || strtol(given + 29, NULL, 10) != provider_state->present) {
        *status_r = 400;
        snprintf(body, size, "{\"error\":\"invalid_grant\"}");
        return;
    }
    provider_state->present++;
    snprintf(body, size,
             "{\"access_token\":\"CANARY-access-%d\",\"token_type\":\"Bearer\","
             "\"expires_in\":3600,\"refresh_token\":\"CANARY-refresh-%d\"}",
             (int)provider_state->present, (int)provider_state->present);
}

static void
serve(int fd)
{
    char request[16384], body[512], head[256];
    size_t got = 0;
    int status, n;

    request[0] = '\0';
    while (!is_whole(request)) {
        ssize_t more = read(fd, request + got, sizeof request - 1 - got);

        if (more <= 0)
            return;
        got += (size_t)more;
        request[got] = '\0';
    }
    answer(request, body, sizeof body, &status);
    n = snprintf(head, sizeof head,
                 "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                 status, strlen(body));
    (void)!send(fd, head, (size_t)n, MSG_NOSIGNAL);
    (void)!send(fd, body, strlen(body), MSG_NOSIGNAL);
}

int
provider_begin(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    provider_state = mmap(NULL, sizeof *provider_state, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    FUZZ_CHECK(provider_state != MAP_FAILED && listener >= 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    FUZZ_CHECK(bind(listener, (struct sockaddr *)&a, sizeof a) == 0);
    FUZZ_CHECK(getsockname(listener, (struct sockaddr *)&a, &len) == 0);
    FUZZ_CHECK(listen(listener, 64) == 0);
    provider_port = ntohs(a.sin_port);
    provider_pid = fork();
    FUZZ_CHECK(provider_pid >= 0);
    if (provider_pid > 0) {
        close(listener);
        return provider_port;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* not to be left when a check ends the test */
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0) {
            serve(fd);
            shutdown(fd, SHUT_WR);
            close(fd);
        }
    }
}

void
provider_end(void)
{
    kill(provider_pid, SIGKILL);
    waitpid(provider_pid, NULL, 0);
    munmap(provider_state, sizeof *provider_state);
}
