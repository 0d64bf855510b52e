/* browser.c - see browser.h. */
#include "browser.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#define WORDS_MAX 32
#define DEFAULT_BROWSER "xdg-open"

static bool
is_set(const char *name)
{
    const char *value = secure_getenv(name);

    return value != NULL && value[0] != '\0';
}

bool
browser_has_screen(void)
{
    return is_set("BROWSER") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
}

bool
browser_possible(void)
{
    return getuid() != 0 && geteuid() != 0 && browser_has_screen();
}

/* An address as we compose it is percent-encoded: anything else in it is a mistake, and
 * might mean something to the scripts that start browsers. */
static bool
is_safe(const char *url)
{
    if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
        return false;
    for (; *url != '\0'; url++)
        if ((unsigned char)*url <= 0x20 || (unsigned char)*url >= 0x7f ||
            strchr("\"'`\\<>|^{}$;", *url) != NULL)
            return false;
    return true;
}

/* Signals as a program expects them, standard files that are nobody's. */
static int
spawn(char *const argv[], pid_t *pid_r)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, defaults;
    int e;

    sigemptyset(&none);
    sigfillset(&defaults);
    if ((e = posix_spawn_file_actions_init(&files)) != 0)
        return e;
    if ((e = posix_spawnattr_init(&attr)) != 0)
        goto out_files;
    if ((e = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0)) == 0 &&
        (e = posix_spawn_file_actions_adddup2(&files, 0, 1)) == 0 &&
        (e = posix_spawn_file_actions_adddup2(&files, 0, 2)) == 0 &&
        (e = posix_spawnattr_setsigmask(&attr, &none)) == 0 &&
        (e = posix_spawnattr_setsigdefault(&attr, &defaults)) == 0 &&
        (e = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                 POSIX_SPAWN_SETSIGDEF)) == 0)
        e = posix_spawnp(pid_r, argv[0], &files, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
out_files:
    posix_spawn_file_actions_destroy(&files);
    return e;
}

/* The word with %s replaced; allocated. */
static char *
fill_in(const char *word, const char *url, bool *used)
{
    const char *mark = strstr(word, "%s");
    size_t before = mark != NULL ? (size_t)(mark - word) : strlen(word);
    size_t size = strlen(word) + strlen(url) + 1;
    char *whole = calloc(1, size);

    if (whole == NULL)
        return NULL;
    memcpy(whole, word, before);
    if (mark != NULL) {
        memcpy(whole + before, url, strlen(url));
        memcpy(whole + before + strlen(url), mark + 2, strlen(mark + 2));
        *used = true;
    }
    return whole;
}

/* Starts one command of $BROWSER. 0 or an errno. */
static int
start(char *command, const char *url, pid_t *pid_r)
{
    char *argv[WORDS_MAX + 2] = {NULL}, *rest = NULL;
    bool used = false;
    size_t n = 0;
    int e = ENOENT;

    for (char *word = strtok_r(command, " \t", &rest); word != NULL && n < WORDS_MAX;
         word = strtok_r(NULL, " \t", &rest))
        if ((argv[n++] = fill_in(word, url, &used)) == NULL)
            goto out;
    if (n > 0 && !used)
        argv[n++] = strdup(url);
    if (n > 0 && argv[n - 1] != NULL)
        e = spawn(argv, pid_r);
out:
    for (size_t i = 0; i < n; i++)
        free(argv[i]);
    return e;
}

int
browser_open(const char *url, pid_t *pid_r, struct err *err)
{
    const char *list = secure_getenv("BROWSER");
    char *copy, *rest = NULL;
    int e = ENOENT;

    if (getuid() == 0 || geteuid() == 0)
        return err_set(err, ERR_DENIED, "no browser is started as root");
    if (!is_safe(url))
        return err_set(err, ERR_USAGE, "not an address for a browser");
    if (list == NULL || list[0] == '\0')
        list = DEFAULT_BROWSER;
    if ((copy = strdup(list)) == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (char *one = strtok_r(copy, ":", &rest); one != NULL && e != 0;
         one = strtok_r(NULL, ":", &rest))
        e = start(one, url, pid_r);
    free(copy);
    if (e != 0)
        return err_set(err, ERR_CONFIG, "no browser could be started (%.100s): %s", list,
                       strerror(e));
    return 0;
}

bool
browser_failed(pid_t *pid, struct err *err)
{
    int status = 0;
    pid_t got;

    if (*pid <= 0)
        return false;
    got = waitpid(*pid, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return false;
    *pid = 0;
    if (got < 0 || status == 0)
        return false;
    if (WIFEXITED(status))
        err_set(err, ERR_CONFIG, "the browser's program ended with status %d",
                WEXITSTATUS(status));
    else
        err_set(err, ERR_CONFIG, "the browser's program was ended by a signal");
    return true;
}
