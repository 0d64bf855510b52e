/* test_store_faults.c - killed or refused at every step of a write, the disk full. */
/* link: -Wl,--wrap=openat,--wrap=read,--wrap=write,--wrap=ftruncate,--wrap=fsync */
/* link: -Wl,--wrap=renameat,--wrap=posix_fallocate,--wrap=fchmod,--wrap=flock */
/* link: -Wl,--wrap=unlinkat */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "store_kit.h"

#include "base/json.h"

#define A "alice@contoso.com"

enum mode {
    OFF,
    KILL_BEFORE, /* the target call is not made */
    KILL_AFTER,  /* it is the last one made */
    KILL_HALF,   /* as KILL_AFTER, and if it is a write only half is written */
    FAIL,        /* it fails with `reason` */
    FAIL_HALF,   /* as FAIL, and if it is a write half is written by the call before */
};

/* Shared with the child that is killed. */
static struct {
    enum mode mode;
    int target; /* the number of the call, from 1 */
    int reason;
    int count;     /* calls so far */
    char call[20]; /* the target's name */
    off_t room;    /* what the file had room for when the record was written */
    bool whole;    /* the new record is in NAME.json.new to its last byte */
    bool in_place; /* it has been renamed */
} * plan;

static void
begin(enum mode mode, int target, int reason)
{
    memset(plan, 0, sizeof *plan);
    plan->target = target;
    plan->reason = reason;
    plan->mode = mode;
}

/* True when the call is to fail. */
static bool
before(const char *call)
{
    if (plan->mode == OFF || ++plan->count != plan->target)
        return false;
    snprintf(plan->call, sizeof plan->call, "%s", call);
    if (plan->mode == KILL_BEFORE)
        raise(SIGKILL);
    if (plan->mode != FAIL && plan->mode != FAIL_HALF)
        return false;
    errno = plan->reason;
    return true;
}

static void
after(void)
{
    if ((plan->mode == KILL_AFTER || plan->mode == KILL_HALF) &&
        plan->count == plan->target)
        raise(SIGKILL);
}

int __real_openat(int at, const char *name, int flags, ...);
int __wrap_openat(int at, const char *name, int flags, ...);
ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len);
ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);
int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new);
int __real_posix_fallocate(int fd, off_t from, off_t len);
int __wrap_posix_fallocate(int fd, off_t from, off_t len);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);

int
__wrap_openat(int at, const char *name, int flags, ...)
{
    mode_t mode = 0;
    va_list args;
    int fd;

    va_start(args, flags);
    if ((flags & O_CREAT) != 0)
        mode = va_arg(args, mode_t);
    va_end(args);
    if (before("openat"))
        return -1;
    fd = __real_openat(at, name, flags, mode);
    after();
    return fd;
}

ssize_t
__wrap_read(int fd, void *buf, size_t len)
{
    ssize_t n;

    if (before("read"))
        return -1;
    n = __real_read(fd, buf, len);
    after();
    return n;
}

ssize_t
__wrap_write(int fd, const void *buf, size_t len)
{
    bool half = plan->mode == KILL_HALF && plan->count + 1 == plan->target;
    struct stat st;
    ssize_t n;

    /* A disk that fills up takes a part first, and refuses the next write. */
    if (plan->mode == FAIL_HALF && plan->count + 1 == plan->target) {
        plan->mode = FAIL;
        return __real_write(fd, buf, len / 2);
    }
    if (before("write"))
        return -1;
    if (fstat(fd, &st) == 0)
        plan->room = st.st_blocks * 512;
    n = __real_write(fd, buf, half ? len / 2 : len);
    if (plan->mode != OFF && n == (ssize_t)len)
        plan->whole = true;
    after();
    return n;
}

int
__wrap_ftruncate(int fd, off_t len)
{
    int r;

    if (before("ftruncate"))
        return -1;
    r = __real_ftruncate(fd, len);
    after();
    return r;
}

int
__wrap_fsync(int fd)
{
    int r;

    if (before("fsync"))
        return -1;
    r = __real_fsync(fd);
    after();
    return r;
}

int
__wrap_renameat(int from, const char *old, int to, const char *new)
{
    int r;

    if (before("renameat"))
        return -1;
    r = __real_renameat(from, old, to, new);
    if (plan->mode != OFF && r == 0)
        plan->in_place = true;
    after();
    return r;
}

int
__wrap_posix_fallocate(int fd, off_t from, off_t len)
{
    int r;

    if (before("posix_fallocate"))
        return plan->reason;
    r = __real_posix_fallocate(fd, from, len);
    after();
    return r;
}

int
__wrap_fchmod(int fd, mode_t mode)
{
    int r;

    if (before("fchmod"))
        return -1;
    r = __real_fchmod(fd, mode);
    after();
    return r;
}

int
__wrap_flock(int fd, int how)
{
    int r;

    if (before("flock"))
        return -1;
    r = __real_flock(fd, how);
    after();
    return r;
}

static bool refuse_removal;

int __real_unlinkat(int at, const char *name, int flags);
int __wrap_unlinkat(int at, const char *name, int flags);

int
__wrap_unlinkat(int at, const char *name, int flags)
{
    if (refuse_removal) {
        errno = EIO;
        return -1;
    }
    return __real_unlinkat(at, name, flags);
}

static char dir[SCRATCH_PATH_MAX];

/* A new, empty store below dir; the one before is removed. */
static void
new_store(struct store *store)
{
    char path[SCRATCH_PATH_MAX];
    struct err err = ERR_INIT;

    scratch_path(path, dir, "store");
    if (scratch_exists(path))
        scratch_remove(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(store_open(path, store, &err), 0);
}

static bool
leftover(void)
{
    char path[SCRATCH_PATH_MAX];

    return scratch_exists(scratch_path(path, dir, "store/" A ".json.new"));
}

/* What a refresh does with the store, the new tokens being record 2. */
static int
refresh(const struct store *store, bool reserve, struct err *err)
{
    struct record record = RECORD_INIT;
    struct store_lock lock = {-1};
    int r;

    if ((r = store_lock(store, A, NULL, &lock, err)) == 0 &&
        (r = store_read(store, A, &record, NULL, err)) == 0 &&
        (!reserve || (r = store_reserve(store, A, err)) == 0))
        r = kit_write(store, A, 2, err);
    store_unlock(&lock);
    record_clear(&record);
    return r;
}

/* Kills a refresh at call `target`. False when it ended before. */
static bool
killed_at(enum mode mode, int target, bool with_old, bool reserve)
{
    struct store store = {.fd = -1};
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;
    int old = with_old ? 1 : 0;
    int status;
    int n;
    pid_t pid;

    new_store(&store);
    if (with_old)
        assert_int_equal(kit_put(&store, A, 1, &err), 0);
    begin(mode, target, 0);
    pid = fork();
    if (pid == 0)
        _exit(refresh(&store, reserve, &err) == 0 ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    plan->mode = OFF; /* not earlier: the child looks there */
    if (WIFEXITED(status)) {
        assert_int_equal(WEXITSTATUS(status), 0);
        store_close(&store);
        return false;
    }
    assert_int_equal(WTERMSIG(status), SIGKILL);

    /* A reader does not take the lock: it sees what has been renamed, nothing else. */
    n = kit_stored(&store, A);
    if (n != (plan->in_place ? 2 : old))
        fail_msg("killed at %s (%d): a reader gets %d", plan->call, target, n);
    /* Whoever locks finds the new tokens as soon as they are on the disk. */
    if (store_lock(&store, A, NULL, &lock, &err) != 0)
        fail_msg("killed at %s (%d): %s", plan->call, target, err.text);
    n = kit_stored(&store, A);
    if (n != (plan->whole ? 2 : old))
        fail_msg("killed at %s (%d): after the lock there is %d", plan->call, target, n);
    assert_false(leftover());
    assert_int_equal(store_reserve(&store, A, &err), 0);
    assert_int_equal(kit_write(&store, A, 3, &err), 0);
    store_unlock(&lock);
    assert_int_equal(kit_stored(&store, A), 3);
    store_close(&store);
    return true;
}

static void
killed_at_every_step(void **state)
{
    static const enum mode modes[] = {KILL_BEFORE, KILL_AFTER, KILL_HALF};
    int seen = 0; /* a bit for each call that must be among the steps */
    size_t i;
    int variant;

    (void)state;
    for (i = 0; i < sizeof modes / sizeof *modes; i++) {
        for (variant = 0; variant < 4; variant++) {
            bool with_old = (variant & 1) != 0;
            bool reserve = (variant & 2) != 0;
            int target = 1;

            while (killed_at(modes[i], target, with_old, reserve)) {
                static const char *const calls[] = {
                    "openat",          "write", "ftruncate", "fsync", "renameat",
                    "posix_fallocate", "flock", "fchmod",    "read"};
                size_t c;

                for (c = 0; c < sizeof calls / sizeof *calls; c++)
                    seen |= strcmp(plan->call, calls[c]) == 0 ? 1 << c : 0;
                target++;
            }
            assert_true(target > 10);
        }
    }
    assert_int_equal(seen, 0x1ff);
}

static const char *
hint_for(int reason)
{
    static char hint[2 * SCRATCH_PATH_MAX];

    switch (reason) {
    case ENOSPC:
    case EDQUOT:
        snprintf(hint, sizeof hint,
                 "make room on the file system of %s/store (df -h, df -i, quota)", dir);
        return hint;
    case EROFS:
        snprintf(hint, sizeof hint, "mount the file system of %s/store writable", dir);
        return hint;
    default:
        return "look for disk errors in the kernel's log";
    }
}

/* Lets call `target` of a reserve and write fail. False when there are fewer calls. */
static bool
refused_at(enum mode mode, int target, int reason)
{
    struct store store = {.fd = -1};
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;
    bool kept;
    int r;

    new_store(&store);
    assert_int_equal(kit_put(&store, A, 1, &err), 0);
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), 0);
    begin(mode, target, reason);
    r = store_reserve(&store, A, &err);
    if (r == 0)
        r = kit_write(&store, A, 2, &err);
    plan->mode = OFF;
    if (plan->call[0] == '\0') {
        if (r != 0)
            fail_msg("%d calls, none refused: %s", plan->count, err.text);
        store_unlock(&lock);
        store_close(&store);
        return false;
    }
    if (r != ERR_STORE || err.code != ERR_STORE ||
        strstr(err.text, strerror(reason)) == NULL || strstr(err.text, dir) == NULL)
        fail_msg("%s (%d) failing: %d, %s", plan->call, target, r, err.text);
    if (strcmp(plan->call, "read") != 0)
        assert_string_equal(err.hint, hint_for(reason));
    assert_int_equal(kit_stored(&store, A), plan->in_place ? 2 : 1);
    /* Flushed and not renamed: kept for the next lock. Anything less is thrown away,
     * and held space waits for the next write or lock. */
    kept = strcmp(plan->call, "renameat") == 0;
    assert_true(leftover() || !kept);
    store_unlock(&lock);
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), 0);
    assert_int_equal(kit_stored(&store, A), plan->in_place || kept ? 2 : 1);
    assert_false(leftover());
    assert_int_equal(store_reserve(&store, A, &err), 0);
    assert_int_equal(kit_write(&store, A, 3, &err), 0);
    store_unlock(&lock);
    assert_int_equal(kit_stored(&store, A), 3);
    store_close(&store);
    return true;
}

static void
every_call_refused(void **state)
{
    static const int reasons[] = {ENOSPC, EDQUOT, EIO, EROFS};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        int target = 1;

        while (refused_at(FAIL, target, reasons[i]))
            target++;
        assert_true(target > 10);
        target = 1;
        while (refused_at(FAIL_HALF, target, reasons[i]))
            target++;
        assert_true(target > 10);
    }
}

static void
held_space_is_what_is_written_into(void **state)
{
    struct store store = {.fd = -1};
    struct err err = ERR_INIT;

    (void)state;
    new_store(&store);
    assert_int_equal(store_reserve(&store, A, &err), 0);
    assert_int_equal(kit_write(&store, A, 1, &err), 0);
    assert_true(plan->room >= 160 * 1024);
    store_close(&store);
}

/* Finishing a killed writer's work may fail as well: then it is left for another time,
 * and nobody gets the lock, since the refresh token in NAME.json may be spent. */
static void
finishing_refused(void **state)
{
    static const char next[] =
        "{\"version\": 1, \"serial\": 2, \"access_token\": \"access-2\", "
        "\"expires_at\": 1700000002, \"refresh_token\": \"refresh-2\"}";
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;
    int flushes = 0;
    int target = 1;
    int r;

    (void)state;
    do {
        struct store store = {.fd = -1};
        char path[SCRATCH_PATH_MAX];

        new_store(&store);
        assert_int_equal(kit_put(&store, A, 1, &err), 0);
        scratch_write(scratch_path(path, dir, "store/" A ".json.new"), next,
                      sizeof next - 1, 0600);
        begin(FAIL, target++, EIO);
        r = store_lock(&store, A, NULL, &lock, &err);
        plan->mode = OFF;
        if (plan->call[0] != '\0') {
            assert_int_equal(r, ERR_STORE);
            assert_int_equal(lock.fd, -1);
            assert_int_equal(leftover(), !plan->in_place);
            flushes += strcmp(plan->call, "fsync") == 0;
            assert_int_equal(store_lock(&store, A, NULL, &lock, &err), 0);
        }
        assert_int_equal(kit_stored(&store, A), 2);
        assert_false(leftover());
        store_unlock(&lock);
        store_close(&store);
    } while (plan->call[0] != '\0');
    assert_int_equal(r, 0);
    assert_int_equal(flushes, 2); /* the file and the directory */
}

/* A leftover that cannot be removed is emptied, not written over: its tail must not
 * follow a shorter record. */
static void
a_leftover_that_cannot_be_removed(void **state)
{
    struct store store = {.fd = -1};
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;
    struct stat st;
    char path[SCRATCH_PATH_MAX];
    char junk[9000];
    int target = 1;

    (void)state;
    memset(junk, 'j', sizeof junk);
    do {
        new_store(&store);
        scratch_write(scratch_path(path, dir, "store/" A ".json.new"), junk, sizeof junk,
                      0600);
        refuse_removal = true;
        assert_int_equal(store_lock(&store, A, NULL, &lock, &err), 0);
        assert_true(leftover());
        begin(FAIL, target++, EIO);
        kit_write(&store, A, 2, &err);
        plan->mode = OFF;
        refuse_removal = false;
        store_unlock(&lock);
        assert_true(plan->call[0] != '\0');
        assert_int_equal(stat(path, &st), 0);
        store_close(&store);
    } while (strcmp(plan->call, "write") != 0);
    assert_int_equal(st.st_size, 0);
}

/* The exact words, for the step that a full disk stops in practice. */
static void
a_full_disk_in_words(void **state)
{
    struct store store = {.fd = -1};
    struct err err = ERR_INIT;
    char expected[2 * SCRATCH_PATH_MAX];
    int target = 1;

    (void)state;
    new_store(&store);
    do {
        begin(FAIL, target++, ENOSPC);
        store_reserve(&store, A, &err);
        plan->mode = OFF;
        assert_true(plan->call[0] != '\0');
    } while (strcmp(plan->call, "posix_fallocate") != 0);
    snprintf(expected, sizeof expected,
             "cannot hold space for %s/store/" A ".json: No space left on device", dir);
    assert_string_equal(err.text, expected);
    assert_false(leftover());
    store_close(&store);
}

/* Interrupted calls are made again; what a file system lacks is done without. */
static void
calls_that_fail_and_do_not_matter(void **state)
{
    static const struct {
        const char *call;
        int reason;
    } cases[] = {
        {"flock", EINTR},
        {"read", EINTR},
        {"write", EINTR},
        {"posix_fallocate", EINTR},
        {"posix_fallocate", EOPNOTSUPP},
        {"posix_fallocate", EINVAL},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct store store = {.fd = -1};
        struct err err = ERR_INIT;
        int met = 0;
        int target;

        for (target = 1; target < 60; target++) {
            int r;

            new_store(&store);
            assert_int_equal(kit_put(&store, A, 1, &err), 0);
            begin(FAIL, target, cases[i].reason);
            r = refresh(&store, true, &err);
            plan->mode = OFF;
            if (strcmp(plan->call, cases[i].call) == 0) {
                met++;
                if (r != 0)
                    fail_msg("%s: %s", plan->call, err.text);
                assert_int_equal(kit_stored(&store, A), 2);
            }
            store_close(&store);
            if (plan->call[0] == '\0')
                break;
        }
        assert_true(met > 0);
    }
}

static void
a_directory_that_need_not_be_flushed(void **state)
{
    struct store store = {.fd = -1};
    struct err err = ERR_INIT;
    int flushes = 0;
    int target;

    (void)state;
    for (target = 1; target < 60; target++) {
        int r;

        new_store(&store);
        begin(FAIL, target, EINVAL);
        r = refresh(&store, false, &err);
        plan->mode = OFF;
        store_close(&store);
        if (strcmp(plan->call, "fsync") == 0)
            /* The file's own flush comes first, and that one counts. */
            assert_int_equal(r, flushes++ == 0 ? ERR_STORE : 0);
        if (plan->call[0] == '\0')
            break;
    }
    assert_int_equal(flushes, 2);
}

static void
space_held_by_hand(void **state)
{
    struct store store = {.fd = -1};
    struct err err = ERR_INIT;
    struct stat st;
    char path[SCRATCH_PATH_MAX];
    int target = 1;

    (void)state;
    new_store(&store);
    do {
        begin(FAIL, target++, EOPNOTSUPP);
        store_reserve(&store, A, &err);
        plan->mode = OFF;
        assert_true(plan->call[0] != '\0');
    } while (strcmp(plan->call, "posix_fallocate") != 0);
    assert_int_equal(stat(scratch_path(path, dir, "store/" A ".json.new"), &st), 0);
    assert_int_equal(st.st_size, 160 * 1024);
    assert_true(st.st_blocks * 512 >= 160 * 1024);
    store_close(&store);
}

/* Fills the disk to its last byte; returns how much that was. */
static size_t
fill_up(const char *path)
{
    static char block[512];
    size_t total = 0;
    ssize_t n;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    CHECK(fd != -1);
    memset(block, 'f', sizeof block);
    while ((n = write(fd, block, sizeof block)) > 0)
        total += (size_t)n;
    CHECK(errno == ENOSPC);
    close(fd);
    return total;
}

enum { NO_MOUNT = 77 };

static void
on_a_small_disk(const char *path)
{
    char filler[SCRATCH_PATH_MAX], large[SCRATCH_PATH_MAX];
    struct store store = {.fd = -1};
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;

    /* A mount of its own name space ends with the process. */
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("mailbearer-test", path, "tmpfs", 0, "size=256k,mode=0700") != 0)
        _exit(NO_MOUNT);
    CHECK(snprintf(filler, sizeof filler, "%s/filler", path) < (int)sizeof filler);
    CHECK(snprintf(large, sizeof large, "%s/large", path) < (int)sizeof large);
    CHECK(store_open(path, &store, &err) == 0);
    CHECK(kit_put(&store, A, 1, &err) == 0);
    CHECK(fill_up(filler) > 160 * 1024);

    /* Full: that shows before a refresh would be begun. */
    CHECK(store_lock(&store, A, NULL, &lock, &err) == 0);
    CHECK(store_reserve(&store, A, &err) == ERR_STORE);
    CHECK(strstr(err.text, "No space left on device") != NULL);
    CHECK(!leftover());
    CHECK(kit_write(&store, A, 2, &err) == ERR_STORE);
    CHECK(strstr(err.text, "No space left on device") != NULL);
    CHECK(kit_stored(&store, A) == 1);

    /* Another account, whose lock file needs no block on a tmpfs: the same. */
    CHECK(kit_put(&store, "bob", 1, &err) == ERR_STORE);
    CHECK(kit_stored(&store, "bob") == 0);

    /* Room again; once it is held nobody else can take it. */
    CHECK(unlink(filler) == 0);
    CHECK(store_reserve(&store, A, &err) == 0);
    CHECK(fill_up(large) < 96 * 1024);
    CHECK(kit_write(&store, A, 3, &err) == 0);
    store_unlock(&lock);
    CHECK(kit_stored(&store, A) == 3);
    store_close(&store);
    _exit(0);
}

static void
a_disk_that_is_really_full(void **state)
{
    struct store store = {.fd = -1};
    int status;
    pid_t pid;

    (void)state;
    new_store(&store);
    pid = fork();
    if (pid == 0)
        on_a_small_disk(store.path);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    store_close(&store);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NO_MOUNT) {
        print_message("no tmpfs can be mounted here (that takes root)\n");
        skip();
    }
    assert_int_equal(status, 0);
}

static void
in_a_directory_that_is_not_writable(void)
{
    char path[SCRATCH_PATH_MAX];
    char expected[2 * SCRATCH_PATH_MAX];
    struct store store = {.fd = -1};
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;

    scratch_path(path, dir, "store");
    CHECK(geteuid() != 0 || setresuid(65534, 65534, 65534) == 0);
    CHECK(store_open(path, &store, &err) == 0);
    CHECK(kit_put(&store, A, 1, &err) == 0);
    CHECK(chmod(path, 0500) == 0);
    CHECK(store_lock(&store, A, NULL, &lock, &err) == 0);
    CHECK(store_reserve(&store, A, &err) == ERR_STORE);
    snprintf(expected, sizeof expected,
             "cannot make %s/" A ".json.new: Permission denied", path);
    CHECK(strcmp(err.text, expected) == 0);
    snprintf(expected, sizeof expected,
             "give %s and its files to uid %lu, which this runs as", path,
             (unsigned long)geteuid());
    CHECK(strcmp(err.hint, expected) == 0);
    CHECK(kit_write(&store, A, 2, &err) == ERR_STORE);
    store_unlock(&lock);
    CHECK(kit_stored(&store, A) == 1);
    /* An account that has no lock file yet is locked by the directory. */
    CHECK(store_lock(&store, "bob", NULL, &lock, &err) == 0);
    store_unlock(&lock);
    CHECK(kit_put(&store, "bob", 1, &err) == ERR_STORE);
    CHECK(chmod(path, 0700) == 0);
    CHECK(kit_put(&store, A, 2, &err) == 0);
    CHECK(kit_stored(&store, A) == 2);
    store_close(&store);
    _exit(0);
}

static void
a_directory_that_is_not_writable(void **state)
{
    struct store store = {.fd = -1};
    int status;
    pid_t pid;

    (void)state;
    new_store(&store);
    if (geteuid() == 0) { /* modes do not stop root */
        assert_int_equal(chmod(dir, 0711), 0);
        assert_int_equal(chown(store.path, 65534, (gid_t)-1), 0);
    }
    store_close(&store);
    pid = fork();
    if (pid == 0)
        in_a_directory_that_is_not_writable();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static int
setup_group(void **state)
{
    (void)state;
    json_setup();
    plan = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                -1, 0);
    assert_true(plan != MAP_FAILED);
    scratch_make(dir);
    return 0;
}

static int
teardown_group(void **state)
{
    (void)state;
    scratch_remove(dir);
    return munmap(plan, sizeof *plan);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_every_step),
        cmocka_unit_test(every_call_refused),
        cmocka_unit_test(held_space_is_what_is_written_into),
        cmocka_unit_test(finishing_refused),
        cmocka_unit_test(a_leftover_that_cannot_be_removed),
        cmocka_unit_test(a_full_disk_in_words),
        cmocka_unit_test(calls_that_fail_and_do_not_matter),
        cmocka_unit_test(a_directory_that_need_not_be_flushed),
        cmocka_unit_test(space_held_by_hand),
        cmocka_unit_test(a_disk_that_is_really_full),
        cmocka_unit_test(a_directory_that_is_not_writable),
    };

    return cmocka_run_group_tests_name("store_faults", tests, setup_group,
                                       teardown_group);
}
