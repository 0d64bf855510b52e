/* test_store_lock.c - one changes a record at a time, in this process or another. */
/* link: -Wl,--wrap=openat */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "store_kit.h"

#include "base/json.h"

#define A "alice@contoso.com"
#define B "bob@contoso.com"

static char dir[SCRATCH_PATH_MAX];
static struct store store;
static int refuse_new_files_with; /* an errno: no file can be made */

int __real_openat(int at, const char *name, int flags, ...);
int __wrap_openat(int at, const char *name, int flags, ...);

int
__wrap_openat(int at, const char *name, int flags, ...)
{
    mode_t mode = 0;
    va_list args;

    if ((flags & O_CREAT) != 0) {
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
        if (refuse_new_files_with != 0 && faccessat(at, name, F_OK, 0) != 0) {
            errno = refuse_new_files_with;
            return -1;
        }
    }
    return __real_openat(at, name, flags, mode);
}

static int
setup(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    refuse_new_files_with = 0;
    scratch_make(dir);
    assert_int_equal(store_open(dir, &store, &err), 0);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    store_close(&store);
    scratch_remove(dir);
    return 0;
}

/* Another process that holds the lock of an account until it is told to let go. */
struct holder {
    pid_t pid;
    int let_go; /* a byte written there does it */
};

static struct holder
hold(const char *account)
{
    struct holder holder;
    int held[2], let_go[2];
    char byte = '\0';

    assert_int_equal(pipe2(held, O_CLOEXEC), 0);
    assert_int_equal(pipe2(let_go, O_CLOEXEC), 0);
    holder.pid = fork();
    assert_int_not_equal(holder.pid, -1);
    if (holder.pid == 0) {
        struct store mine = {.fd = -1};
        struct store_lock lock = {-1};

        close(let_go[1]);
        CHECK(store_open(dir, &mine, NULL) == 0);
        CHECK(store_lock(&mine, account, NULL, &lock, NULL) == 0);
        CHECK(write(held[1], "h", 1) == 1);
        CHECK(read(let_go[0], &byte, 1) == 1);
        store_unlock(&lock);
        store_close(&mine);
        _exit(0);
    }
    close(held[1]);
    close(let_go[0]);
    assert_int_equal(read(held[0], &byte, 1), 1);
    close(held[0]);
    holder.let_go = let_go[1];
    return holder;
}

static void
let_go(struct holder holder)
{
    int status;

    assert_int_equal(write(holder.let_go, "x", 1), 1);
    close(holder.let_go);
    assert_int_equal(waitpid(holder.pid, &status, 0), holder.pid);
    assert_int_equal(status, 0);
}

static void
assert_locked(const char *account, const char *text)
{
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;
    char expected[2 * SCRATCH_PATH_MAX];

    assert_int_equal(store_lock(&store, account, NULL, &lock, &err), ERR_TIMEOUT);
    snprintf(expected, sizeof expected, "another process is holding %s/%s", dir, text);
    assert_string_equal(err.text, expected);
    assert_int_equal(lock.fd, -1);
}

static void
assert_free(const char *account)
{
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;

    if (store_lock(&store, account, NULL, &lock, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_not_equal(lock.fd, -1);
    assert_int_equal(fcntl(lock.fd, F_GETFD), FD_CLOEXEC);
    store_unlock(&lock);
}

static void
another_process_waits(void **state)
{
    struct holder holder = hold(A);

    (void)state;
    assert_locked(A, A ".lock");
    assert_free(B);
    assert_int_equal(kit_stored(&store, A), 0); /* readers do not wait */
    let_go(holder);
    assert_free(A);
}

static void
so_does_another_part_of_this_process(void **state)
{
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), 0);
    assert_locked(A, A ".lock");
    store_unlock(&lock);
    assert_free(A);
}

static void
waits_until_the_deadline(void **state)
{
    struct holder holder = hold(A);
    struct deadline deadline = deadline_in(120);
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;
    int64_t before = deadline_now();

    (void)state;
    assert_int_equal(store_lock(&store, A, &deadline, &lock, &err), ERR_TIMEOUT);
    assert_true(deadline_now() - before >= 120);
    assert_true(deadline_now() - before < 5000);
    let_go(holder);
}

static void
gets_it_when_it_becomes_free(void **state)
{
    struct holder holder = hold(A);
    struct deadline deadline = deadline_in(20000);
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;
    int64_t before = deadline_now();
    pid_t helper = fork();
    int status;

    (void)state;
    if (helper == 0) { /* the one that lets go, a little later */
        usleep(100000);
        CHECK(write(holder.let_go, "x", 1) == 1);
        _exit(0);
    }
    close(holder.let_go);
    assert_int_equal(store_lock(&store, A, &deadline, &lock, &err), 0);
    assert_true(deadline_now() - before < 10000);
    store_unlock(&lock);
    assert_int_equal(waitpid(helper, &status, 0), helper);
    assert_int_equal(waitpid(holder.pid, &status, 0), holder.pid);
    assert_int_equal(status, 0);
}

static void
a_killed_holder_holds_nothing(void **state)
{
    struct holder holder = hold(A);
    int status;

    (void)state;
    assert_int_equal(kill(holder.pid, SIGKILL), 0);
    assert_int_equal(waitpid(holder.pid, &status, 0), holder.pid);
    close(holder.let_go);
    assert_free(A);
}

/* Somebody tidied up: whoever waits for the old file must not end with a lock on nothing.
 */
static void
a_lock_file_that_was_removed(void **state)
{
    struct holder first = hold(A);
    struct holder second;
    char path[SCRATCH_PATH_MAX];

    (void)state;
    assert_int_equal(unlink(scratch_path(path, dir, A ".lock")), 0);
    second = hold(A);
    let_go(first);
    assert_locked(A, A ".lock");
    let_go(second);
    assert_free(A);
}

static void
waits_for_the_file_that_counts(void **state)
{
    char path[SCRATCH_PATH_MAX];
    struct deadline deadline = deadline_in(20000);
    struct holder holder = hold(A);
    pid_t waiter;
    int status;

    (void)state;
    scratch_path(path, dir, A ".lock");
    waiter = fork();
    if (waiter == 0) { /* has the old file open by the time it is removed */
        struct store mine = {.fd = -1};
        struct store_lock lock = {-1};
        struct stat ours, theirs;

        CHECK(store_open(dir, &mine, NULL) == 0);
        CHECK(store_lock(&mine, A, &deadline, &lock, NULL) == 0);
        CHECK(fstat(lock.fd, &ours) == 0 && stat(path, &theirs) == 0);
        CHECK(ours.st_ino == theirs.st_ino);
        _exit(0);
    }
    usleep(100000);
    assert_int_equal(unlink(path), 0);
    let_go(holder);
    assert_int_equal(waitpid(waiter, &status, 0), waiter);
    assert_int_equal(status, 0);
}

/* Read, add one, write: without the lock some of the additions would be lost. */
static void
nothing_is_lost(void **state)
{
    enum { PROCESSES = 3, TIMES = 15 };
    pid_t pids[PROCESSES];
    int status;
    int i, j;

    (void)state;
    for (i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] != 0)
            continue;
        for (j = 0; j < TIMES; j++) {
            struct deadline deadline = deadline_in(30000);
            struct store mine = {.fd = -1};
            struct store_lock lock = {-1};
            int n;

            CHECK(store_open(dir, &mine, NULL) == 0);
            CHECK(store_lock(&mine, A, &deadline, &lock, NULL) == 0);
            n = kit_stored(&mine, A);
            CHECK(n >= 0);
            CHECK(kit_write(&mine, A, n + 1, NULL) == 0);
            store_unlock(&lock);
            store_close(&mine);
        }
        _exit(0);
    }
    for (i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(kit_stored(&store, A), PROCESSES * TIMES);
}

/* A full disk, or one that is read-only: the directory's lock stands in. */
static void
no_lock_file_can_be_made(void **state)
{
    static const int reasons[] = {ENOSPC, EDQUOT, EROFS, EACCES};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        struct holder holder;
        char path[SCRATCH_PATH_MAX];

        refuse_new_files_with = reasons[i];
        holder = hold(A);
        assert_false(scratch_exists(scratch_path(path, dir, A ".lock")));
        assert_locked(A, ".");
        assert_locked(B, "."); /* the price: it is everybody's lock */
        /* Nor can anybody make the file behind the holder's back once there is room. */
        refuse_new_files_with = 0;
        assert_locked(A, ".");
        assert_false(scratch_exists(scratch_path(path, dir, A ".lock")));
        let_go(holder);
        assert_free(A);
        assert_int_equal(unlink(scratch_path(path, dir, A ".lock")), 0);
    }
}

/* A lock file that is there needs nothing from the disk. */
static void
a_lock_file_that_is_there_is_used(void **state)
{
    struct holder holder;

    (void)state;
    assert_free(A);
    refuse_new_files_with = ENOSPC;
    holder = hold(A);
    assert_locked(A, A ".lock");
    let_go(holder);
    assert_free(A);
}

static void
descriptors_are_given_back(void **state)
{
    struct err err = ERR_INIT;
    int before = dup(STDERR_FILENO);
    int after;
    int i;

    (void)state;
    close(before);
    for (i = 0; i < 5; i++) {
        struct store_lock lock = {-1};
        struct record record = RECORD_INIT;
        char path[SCRATCH_PATH_MAX];

        refuse_new_files_with = i == 3 ? ENOSPC : 0;
        assert_int_equal(store_lock(&store, B, NULL, &lock, &err), 0);
        assert_int_equal(store_lock(&store, B, NULL, &(struct store_lock){-1}, &err),
                         ERR_TIMEOUT);
        refuse_new_files_with = 0;
        assert_int_equal(store_reserve(&store, B, &err), 0);
        assert_int_equal(kit_write(&store, B, i + 1, &err), 0);
        assert_int_equal(store_read(&store, B, &record, NULL, &err), 0);
        record_clear(&record);
        store_unlock(&lock);
        unlink(scratch_path(path, dir, B ".lock"));
    }
    after = dup(STDERR_FILENO);
    close(after);
    assert_int_equal(after, before);
}

static int
setup_group(void **state)
{
    (void)state;
    json_setup();
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(another_process_waits),          TEST(so_does_another_part_of_this_process),
        TEST(waits_until_the_deadline),       TEST(gets_it_when_it_becomes_free),
        TEST(a_killed_holder_holds_nothing),  TEST(a_lock_file_that_was_removed),
        TEST(waits_for_the_file_that_counts), TEST(nothing_is_lost),
        TEST(no_lock_file_can_be_made),       TEST(a_lock_file_that_is_there_is_used),
        TEST(descriptors_are_given_back),
    };

    return cmocka_run_group_tests_name("store_lock", tests, setup_group, NULL);
}
