/* spawn.c - posix_spawn() as it is, under valgrind too.
 *
 * A part of every unit test. Valgrind makes a fork() of the vfork() in posix_spawn(), and
 * then the child cannot tell its parent that there is no such program: the parent hears
 * of an exit with status 127. So under valgrind (`make check-valgrind` says so) the
 * program is looked for here, before. Otherwise this passes the calls on.
 */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||               \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

/* The sanitizers put functions of these names of their own there. */
#ifdef SANITIZED
typedef int spawn_is_the_sanitizers;
#else

#include <dlfcn.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <unistd.h>

#include "patience.h"

typedef int spawn_fn(pid_t *pid, const char *path,
                     const posix_spawn_file_actions_t *actions,
                     const posix_spawnattr_t *attributes, char *const argv[],
                     char *const envp[]);

/* 0, or why it could not be executed. */
static int
look(const char *path)
{
    if (access(path, F_OK) != 0)
        return errno;
    return access(path, X_OK) == 0 ? 0 : EACCES;
}

static int
look_in_path(const char *name)
{
    const char *at = getenv("PATH");
    char path[4096];

    if (strchr(name, '/') != NULL)
        return look(name);
    while (at != NULL && *at != '\0') {
        size_t n = strcspn(at, ":");

        snprintf(path, sizeof path, "%.*s/%s", (int)n, at, name);
        if (look(path) == 0)
            return 0;
        at += n + (at[n] == ':');
    }
    return ENOENT;
}

static spawn_fn *
next(const char *name)
{
    union {
        void *object;
        spawn_fn *function;
    } found = {.object = dlsym(RTLD_NEXT, name)};

    return found.function;
}

int
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name)
posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
            const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
    int e = under_valgrind() ? look(path) : 0;

    return e != 0 ? e : next("posix_spawn")(pid, path, actions, attributes, argv, envp);
}

int
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name)
posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
             const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
    int e = under_valgrind() ? look_in_path(file) : 0;

    return e != 0 ? e : next("posix_spawnp")(pid, file, actions, attributes, argv, envp);
}

#endif
