/* test_place.c - which files, and as whom. What needs root is tried in children. */
/* link: -Wl,--wrap=stat,--wrap=geteuid,--wrap=getpwnam */
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "accounts/place.h"
#include "conf_file.h"

#ifndef MAILBEARER_SYSCONFDIR
#define MAILBEARER_SYSCONFDIR "/etc"
#endif
#ifndef MAILBEARER_LOCALSTATEDIR
#define MAILBEARER_LOCALSTATEDIR "/var"
#endif
#define SYSTEM_CONFIG MAILBEARER_SYSCONFDIR "/mailbearer/mailbearer.conf"
#define SYSTEM_STATE MAILBEARER_LOCALSTATEDIR "/lib/mailbearer"

#define NOBODY_SPECIAL 54321 /* a uid and gid without a name */

/* --- calls that are wrapped */

static uid_t system_owner = (uid_t)-1; /* of SYSTEM_STATE; (uid_t)-1: it is absent */
static uid_t seen_uid = (uid_t)-1;     /* (uid_t)-1: the real one */
static uid_t service_uid = (uid_t)-1;  /* of the user mailbearer; (uid_t)-1: none */

int __real_stat(const char *path, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);
uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);
struct passwd *__wrap_getpwnam(const char *name);

int
__wrap_stat(const char *path, struct stat *st)
{
    if (strcmp(path, SYSTEM_STATE) != 0)
        return __real_stat(path, st);
    memset(st, 0, sizeof(*st));
    st->st_mode = S_IFDIR | 0700;
    st->st_uid = system_owner;
    return system_owner == (uid_t)-1 ? -1 : 0;
}

uid_t
__wrap_geteuid(void)
{
    return seen_uid != (uid_t)-1 ? seen_uid : __real_geteuid();
}

struct passwd *
__wrap_getpwnam(const char *name)
{
    static struct passwd pw;

    assert_string_equal(name, "mailbearer");
    pw.pw_uid = service_uid;
    pw.pw_gid = (gid_t)service_uid;
    return service_uid != (uid_t)-1 ? &pw : NULL;
}

static int
forget(void **state)
{
    (void)state;
    system_owner = seen_uid = service_uid = (uid_t)-1;
    unsetenv("HOME");
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("XDG_STATE_HOME");
    return 0;
}

/* --- place_find */

static void
system_files(void **state)
{
    struct place place;

    (void)state;
    seen_uid = 0;
    assert_int_equal(place_find(NULL, &place, NULL), 0);
    assert_true(place.system);
    assert_false(place.given);
    assert_string_equal(place.config, SYSTEM_CONFIG);
    assert_string_equal(place.state, SYSTEM_STATE);

    seen_uid = system_owner = 997;
    assert_int_equal(place_system_owner(), 997);
    assert_int_equal(place_find(NULL, &place, NULL), 0);
    assert_true(place.system);
    assert_string_equal(place.config, SYSTEM_CONFIG);

    assert_int_equal(place_find("/x/y.conf", &place, NULL), 0);
    assert_true(place.system);
    assert_true(place.given);
    assert_string_equal(place.config, "/x/y.conf");
    assert_string_equal(place.state, SYSTEM_STATE);
}

static void
files_of_a_user(void **state)
{
    struct place place;

    (void)state;
    seen_uid = 1000;
    system_owner = 997;
    setenv("HOME", "/home/u", 1);
    assert_int_equal(place_find(NULL, &place, NULL), 0);
    assert_false(place.system);
    assert_string_equal(place.config, "/home/u/.config/mailbearer/mailbearer.conf");
    assert_string_equal(place.state, "/home/u/.local/state/mailbearer");

    setenv("XDG_CONFIG_HOME", "/c", 1);
    setenv("XDG_STATE_HOME", "relative", 1); /* to be ignored */
    assert_int_equal(place_find(NULL, &place, NULL), 0);
    assert_string_equal(place.config, "/c/mailbearer/mailbearer.conf");
    assert_string_equal(place.state, "/home/u/.local/state/mailbearer");

    setenv("XDG_STATE_HOME", "/s", 1);
    unsetenv("HOME");
    assert_int_equal(place_find("given.conf", &place, NULL), 0);
    assert_string_equal(place.config, "given.conf");
    assert_string_equal(place.state, "/s/mailbearer");
}

static void
no_place(void **state)
{
    struct place place;
    struct err err = ERR_INIT;
    char longer[PLACE_PATH_MAX + 1];

    (void)state;
    seen_uid = NOBODY_SPECIAL; /* has no home directory in the user database */
    place.system = true;
    assert_int_equal(place_find(NULL, &place, &err), ERR_CONFIG);
    assert_true(place.system); /* untouched */
    assert_string_equal(err.text, "no home directory is known for uid 54321");
    assert_string_equal(err.hint, "set HOME, or XDG_CONFIG_HOME and XDG_STATE_HOME");
    memset(longer, 'x', PLACE_PATH_MAX);
    longer[PLACE_PATH_MAX] = '\0';
    assert_int_equal(place_find(longer, &place, &err), ERR_CONFIG);
    assert_string_equal(err.text, "the path of the accounts file is too long");
    longer[0] = '/';
    setenv("HOME", longer, 1);
    assert_int_equal(place_find(NULL, &place, &err), ERR_CONFIG);
}

/* --- place_enter */

/* Runs `child` in a process of its own, since it gives up rights. */
static int
in_child(int (*child)(void))
{
    int status = -1;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(child());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
makes_what_is_absent(void **state)
{
    struct stat st;
    mode_t mask = umask(0277);
    int r = place_enter("a", NULL);

    (void)state;
    umask(mask);
    assert_int_equal(r, 0);
    assert_int_equal(__real_stat("a", &st), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0700);
    assert_int_equal(st.st_uid, __real_geteuid());
    assert_int_equal(place_enter("p/q/r", NULL), 0);
    assert_int_equal(place_enter("p/q/r", NULL), 0);
    assert_int_equal(__real_stat("p/q", &st), 0);
    assert_int_equal(st.st_mode & 022, 0);
}

static void
refuses_bad_directories(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    conf_write("file", "");
    assert_int_equal(place_enter("file", &err), ERR_STORE);
    assert_string_equal(err.text, "state directory file is not a directory");
    assert_int_equal(place_enter("file/x", &err), ERR_STORE);
    assert_string_equal(err.text, "cannot open state directory file/x: Not a directory");
    assert_int_equal(mkdir("open", 0700), 0);
    assert_int_equal(chmod("open", 0720), 0);
    assert_int_equal(place_enter("open", &err), ERR_STORE);
    assert_string_equal(err.text, "others may write in state directory open (mode 0720)");
    assert_string_equal(err.hint, "chmod 700 open");
    assert_int_equal(mkdir("own", 0700), 0);
    seen_uid = NOBODY_SPECIAL;
    assert_int_equal(place_enter("own", &err), ERR_DENIED);
    assert_string_equal(err.hint, "run this as that user or as root");
}

static int
becomes_the_owner(void)
{
    gid_t groups[64];
    int count;
    uid_t ids[3];

    if (place_enter("other", NULL) != 0)
        return 1;
    if (getresuid(&ids[0], &ids[1], &ids[2]) != 0 || ids[0] != NOBODY_SPECIAL ||
        ids[1] != NOBODY_SPECIAL || ids[2] != NOBODY_SPECIAL)
        return 2;
    if (getgid() != NOBODY_SPECIAL || getegid() != NOBODY_SPECIAL)
        return 3;
    if ((count = getgroups(64, groups)) < 0)
        return 4;
    for (int i = 0; i < count; i++)
        if (groups[i] != NOBODY_SPECIAL)
            return 5;
    return setuid(0) == 0 || setgid(0) == 0 ? 6 : 0;
}

static int
is_refused_to_others(void)
{
    struct err err = ERR_INIT;

    if (setgroups(0, NULL) != 0 || setuid(NOBODY_SPECIAL + 1) != 0)
        return 1;
    if (place_enter("other", &err) != ERR_DENIED)
        return 2;
    return strcmp(err.text, "state directory other belongs to uid 54321") == 0 ? 0 : 3;
}

static int
gives_it_to_the_service(void)
{
    struct stat st;

    service_uid = NOBODY_SPECIAL;
    if (place_enter("service/state", NULL) != 0)
        return 1;
    if (getuid() != NOBODY_SPECIAL || geteuid() != NOBODY_SPECIAL)
        return 2;
    if (__real_stat("service/state", &st) != 0 || st.st_uid != NOBODY_SPECIAL ||
        st.st_mode != (S_IFDIR | 0700))
        return 3;
    return __real_stat("service", &st) == 0 && st.st_uid == 0 ? 0 : 4;
}

static int
stays_root(void)
{
    return place_enter("roots", NULL) == 0 && getuid() == 0 && __real_geteuid() == 0 ? 0
                                                                                     : 1;
}

static void
root_becomes_the_owner(void **state)
{
    (void)state;
    if (__real_geteuid() != 0)
        skip();
    assert_int_equal(chmod(".", 0711), 0);
    assert_int_equal(mkdir("other", 0700), 0);
    assert_int_equal(chown("other", NOBODY_SPECIAL, NOBODY_SPECIAL), 0);
    assert_int_equal(mkdir("roots", 0700), 0);
    assert_int_equal(in_child(becomes_the_owner), 0);
    assert_int_equal(in_child(is_refused_to_others), 0);
    assert_int_equal(in_child(gives_it_to_the_service), 0);
    assert_int_equal(in_child(stays_root), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(system_files, forget),
        cmocka_unit_test_setup(files_of_a_user, forget),
        cmocka_unit_test_setup(no_place, forget),
        cmocka_unit_test_setup(makes_what_is_absent, forget),
        cmocka_unit_test_setup(refuses_bad_directories, forget),
        cmocka_unit_test_setup(root_becomes_the_owner, forget),
    };

    return cmocka_run_group_tests_name("place", tests, conf_setup, conf_teardown);
}
