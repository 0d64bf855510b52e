/* faults_planted.c - scenarios with faults that must be found: check-faults.sh runs each
 * and knows by them that the other scenarios can fail. */
#include <fcntl.h>
#include <unistd.h>

#include "faults.h"

#define TEXT "the one refresh token"

void
fault_setup(const char *dir)
{
    (void)dir;
}

void
fault_teardown(void)
{
}

static void
nothing(void)
{
}

static void
anything(bool done)
{
    (void)done;
}

/* What a writer that does not know about rename() leaves when the disk is full. */
static void
write_first(void)
{
    int fd = open("token", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    FUZZ_CHECK(fd >= 0 && write(fd, TEXT, sizeof TEXT) == (ssize_t)sizeof TEXT);
    close(fd);
}

static bool
write_in_place(void)
{
    int fd = open("token", O_WRONLY | O_TRUNC | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, TEXT, sizeof TEXT) == (ssize_t)sizeof TEXT;

    if (fd >= 0)
        close(fd);
    return done;
}

static void
token_is_whole(bool done)
{
    char text[sizeof TEXT] = "";
    int fd = open("token", O_RDONLY | O_CLOEXEC);

    (void)done;
    FUZZ_CHECK(fd >= 0 && read(fd, text, sizeof text) == (ssize_t)sizeof text);
    FUZZ_CHECK(strcmp(text, TEXT) == 0);
    close(fd);
}

/* The first of two goes when there is none for the second. */
static bool
loses_memory(void)
{
    char *volatile first = strdup("first");
    char *second = first != NULL ? strdup("second") : NULL;

    if (second == NULL)
        return false; // cppcheck-suppress memleak ; it is planted
    free(second);
    free(first);
    return true;
}

static bool
loses_descriptor(void)
{
    int one = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int two = one >= 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;

    if (two < 0)
        return false;
    close(two);
    close(one);
    return true;
}

static bool
does_not_look(void)
{
    char *text = malloc(10);

    text[0] = '\0';
    free(text);
    return true;
}

/* Takes EINTR for a failure. */
static bool
is_interrupted(void)
{
    char byte;
    int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    bool done;

    while (fd < 0)
        fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    done = read(fd, &byte, 1) == 1;
    close(fd);
    return done;
}

const struct fault_scenario fault_scenarios[] = {
    {"in place", write_first, write_in_place, token_is_whole},
    {"memory", nothing, loses_memory, anything},
    {"descriptor", nothing, loses_descriptor, anything},
    {"pointer", nothing, does_not_look, anything},
    {"interrupted", nothing, is_interrupted, anything},
};
const size_t fault_scenario_count = sizeof fault_scenarios / sizeof fault_scenarios[0];
