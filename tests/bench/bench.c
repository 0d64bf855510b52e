#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

double
bench_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
compare(const void *left, const void *right)
{
    const double *a = left;
    const double *b = right;

    return (*a > *b) - (*a < *b);
}

double
bench_quantile(double *values, size_t count, double share)
{
    size_t at = (size_t)((double)count * share);

    qsort(values, count, sizeof(*values), compare);
    return values[at < count ? at : count - 1];
}

double
bench_median(double *values, size_t count)
{
    return bench_quantile(values, count, 0.5);
}

long
bench_number(const char *text)
{
    char *end = NULL;
    long number = strtol(text, &end, 10);

    if (end == text || *end != '\0' || number <= 0) {
        fprintf(stderr, "not a positive number: %s\n", text);
        exit(64);
    }
    return number;
}

void *
bench_alloc(size_t count, size_t size)
{
    void *block = calloc(count, size);

    if (block == NULL)
        bench_die("calloc");
    return block;
}

int
bench_connect(const char *path, int flags)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = -1;

    if (strlen(path) >= sizeof(to.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(to.sun_path, path, strlen(path) + 1);
    if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)) == -1)
        return -1;
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

void
bench_die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}
