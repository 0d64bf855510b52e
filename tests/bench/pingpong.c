/* pingpong: the smallest server a question can be asked: accepts, reads once, answers
 * with a netstring of SIZE bytes, closes. What the agent's answers are measured against.
 *
 * usage: pingpong SOCKET SIZE
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"

int
main(int argc, char **argv)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    static char reply[65536];
    char request[1024];
    size_t size = argc == 3 ? (size_t)bench_number(argv[2]) : 0;
    int len = 0;
    int listener = -1;

    if (size == 0 || size > sizeof(reply) - 16 ||
        strlen(argv[1]) >= sizeof(at.sun_path)) {
        fprintf(stderr, "usage: pingpong SOCKET SIZE\n");
        return 64;
    }
    len = snprintf(reply, sizeof(reply), "%zu:", size);
    memset(reply + len, 'a', size);
    reply[len + (int)size] = ',';
    memcpy(at.sun_path, argv[1], strlen(argv[1]) + 1);
    if ((listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
        bind(listener, (struct sockaddr *)&at, sizeof(at)) == -1 ||
        listen(listener, 128) == -1)
        bench_die(argv[1]);
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd == -1)
            bench_die("accept4");
        if (recv(fd, request, sizeof(request), 0) > 0)
            send(fd, reply, (size_t)len + size + 1, MSG_NOSIGNAL);
        close(fd);
    }
}
