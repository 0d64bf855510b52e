/* test_store.c - tokens on disk: names, modes, reading, writing, leftovers. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>

#include "store_kit.h"

#include "base/json.h"

#define A "alice@contoso.com"

static char dir[SCRATCH_PATH_MAX];
static struct store store;

/* A path in the store; each call has a buffer of its own, for a while. */
static const char *
in_store(const char *name)
{
    static char paths[8][SCRATCH_PATH_MAX];
    static unsigned next;

    return scratch_path(paths[next++ % 8], dir, name);
}

static void
put_file(const char *name, const char *text)
{
    scratch_write(in_store(name), text, strlen(text), 0600);
}

static const char *
get_file(const char *name)
{
    static char text[20000];

    scratch_read(in_store(name), text, sizeof text);
    return text;
}

static int
setup(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
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

static void
nothing_there(void **state)
{
    struct record record = kit_record(5);
    struct store_stamp stamp = {.present = true};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(store_read(&store, A, &record, &stamp, &err), 0);
    assert_int_equal(kit_number(&record), 0);
    assert_false(stamp.present);
}

static void
round_trip(void **state)
{
    struct record record = kit_record(1);
    struct record back = RECORD_INIT;
    struct store_lock lock = {-1};
    struct store_stamp absent, written, read, now;
    struct err err = ERR_INIT;

    (void)state;
    store_stamp(&store, A, &absent);
    assert_false(absent.present);
    record.scope = strdup("offline_access");
    err_set(&record.failure.err, ERR_TEMP, "503");
    record.failure.count = 2;
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), 0);
    assert_int_equal(store_write(&store, A, &record, &written, &err), 0);
    store_unlock(&lock);
    assert_int_equal(lock.fd, -1);
    store_unlock(&lock);
    assert_int_equal(store_read(&store, A, &back, &read, &err), 0);
    assert_int_equal(kit_number(&back), 1);
    assert_string_equal(back.scope, "offline_access");
    assert_int_equal(back.failure.err.code, ERR_TEMP);
    assert_string_equal(back.failure.err.text, "503");
    assert_int_equal(back.failure.count, 2);
    store_stamp(&store, A, &now);
    assert_true(store_stamp_equal(&written, &read));
    assert_true(store_stamp_equal(&written, &now));
    assert_false(store_stamp_equal(&written, &absent));
    assert_true(store_stamp_equal(&absent, &absent));

    assert_int_equal(kit_put(&store, A, 2, &err), 0);
    store_stamp(&store, A, &now);
    assert_false(store_stamp_equal(&written, &now));
    record_clear(&record);
    record_clear(&back);
}

static void
the_serial_number_goes_up(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(kit_put(&store, A, 1, &err), 0);
    assert_non_null(strstr(get_file(A ".json"), "\"serial\": 1,"));
    assert_int_equal(kit_put(&store, A, 2, &err), 0);
    assert_non_null(strstr(get_file(A ".json"), "\"serial\": 2,"));
    put_file(A ".json", "{\"version\": 1, \"serial\": 9007199254740992}");
    assert_int_equal(kit_put(&store, A, 3, &err), 0);
    assert_int_equal(kit_stored(&store, A), 3);
}

static void
modes_and_owner(void **state)
{
    static const mode_t masks[] = {0, 022, 0777};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof masks / sizeof *masks; i++) {
        mode_t before = umask(masks[i]);
        struct store_lock lock = {-1};
        struct err err = ERR_INIT;
        struct stat json, held, locked;
        char name[16];
        char path[32];

        snprintf(name, sizeof name, "umask%zu", i);
        assert_int_equal(store_lock(&store, name, NULL, &lock, &err), 0);
        assert_int_equal(store_reserve(&store, name, &err), 0);
        snprintf(path, sizeof path, "%s.json.new", name);
        assert_int_equal(stat(in_store(path), &held), 0);
        assert_int_equal(kit_write(&store, name, 1, &err), 0);
        store_unlock(&lock);
        umask(before);
        snprintf(path, sizeof path, "%s.json", name);
        assert_int_equal(stat(in_store(path), &json), 0);
        snprintf(path, sizeof path, "%s.lock", name);
        assert_int_equal(stat(in_store(path), &locked), 0);
        assert_int_equal(held.st_mode, S_IFREG | 0600);
        assert_int_equal(json.st_mode, S_IFREG | 0600);
        assert_int_equal(locked.st_mode, S_IFREG | 0600);
        assert_int_equal(json.st_uid, geteuid());
    }
}

/* 230 bytes, which is the most. */
#define X10 "xxxxxxxxxx"
#define X230                                                                             \
    X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10  \
        X10 X10

static const struct {
    const char *account, *name;
} names[] = {
    {"alice@contoso.com", "alice@contoso.com"},
    {"A.b_c+d=e-f@0.9", "A.b_c+d=e-f@0.9"},
    {"../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"},
    {"/etc/passwd", "%2Fetc%2Fpasswd"},
    {".", "%2E"},
    {"..", "%2E."},
    {".hidden", "%2Ehidden"},
    {"a.json", "a.json"},
    {"a.json.new", "a.json.new"},
    {"a.lock", "a.lock"},
    {"a", "a"},
    {"with space", "with%20space"},
    {"it's \"quoted\"", "it%27s%20%22quoted%22"},
    {"100%", "100%25"},
    {"%2E", "%252E"},
    {"tab\tand\nline\x7f", "tab%09and%0Aline%7F"},
    {"j\xc3\xbcrgen", "j%C3%BCrgen"},
    {"\xe9\x83\xb5", "%E9%83%B5"},
    {"-rf", "-rf"},
    {"~", "%7E"},
    {"a\\b*?[]{}$`;&|<>()!#,:^",
     "a%5Cb%2A%3F%5B%5D%7B%7D%24%60%3B%26%7C%3C%3E%28%29%21%23"
     "%2C%3A%5E"},
    {X230, X230},
};
#define NAMES (sizeof names / sizeof *names)

static void
file_names(void **state)
{
    char name[STORE_NAME_MAX];
    struct err err = ERR_INIT;
    size_t i;

    (void)state;
    for (i = 0; i < NAMES; i++) {
        assert_int_equal(store_file_name(names[i].account, name, &err), 0);
        assert_string_equal(name, names[i].name);
    }
}

static void
names_that_are_too_long(void **state)
{
    static const char *const accounts[] = {
        X230 "x",
        X230 "xxxxxxxxxxxxxxxxxxxxxxxx", /* 254 bytes */
        "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
        "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
        "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
        "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof accounts / sizeof *accounts; i++) {
        char name[STORE_NAME_MAX] = "untouched";
        struct record record = RECORD_INIT;
        struct store_lock lock = {-1};
        struct store_stamp stamp = {.present = true};
        struct err err = ERR_INIT;

        assert_int_equal(store_file_name(accounts[i], name, &err), ERR_CONFIG);
        assert_string_equal(name, "untouched");
        assert_non_null(strstr(err.text, "is too long for a file name"));
        assert_string_equal(
            err.hint, "give the account a shorter name and set user and login_hint");
        assert_int_equal(store_read(&store, accounts[i], &record, NULL, &err),
                         ERR_CONFIG);
        assert_int_equal(store_lock(&store, accounts[i], NULL, &lock, &err), ERR_CONFIG);
        assert_int_equal(store_reserve(&store, accounts[i], &err), ERR_CONFIG);
        assert_int_equal(store_write(&store, accounts[i], &record, NULL, &err),
                         ERR_CONFIG);
        store_stamp(&store, accounts[i], &stamp);
        assert_false(stamp.present);
    }
}

static void
the_empty_name(void **state)
{
    char name[STORE_NAME_MAX];
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(store_file_name("", name, &err), ERR_CONFIG);
    assert_string_equal(err.text, "an account's name is empty");
}

/* Each account has its own record, and all of them are in the directory. */
static void
every_name_is_its_own(void **state)
{
    DIR *files;
    struct dirent *entry;
    size_t count = 0;
    size_t i;

    (void)state;
    for (i = 0; i < NAMES; i++) {
        struct err err = ERR_INIT;

        assert_int_equal(kit_put(&store, names[i].account, (int)i + 1, &err), 0);
    }
    for (i = 0; i < NAMES; i++)
        assert_int_equal(kit_stored(&store, names[i].account), (int)i + 1);
    files = opendir(dir);
    assert_non_null(files);
    while ((entry = readdir(files)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(files);
    assert_int_equal(count, 2 * NAMES); /* .json and .lock, and nothing else */
}

static void
assert_read_fails(const char *text, const char *hint)
{
    struct record record = kit_record(7);
    struct store_stamp stamp = {.present = true, .size = 77};
    struct err err = ERR_INIT;

    assert_int_equal(store_read(&store, A, &record, &stamp, &err), ERR_STORE);
    assert_string_equal(err.text, text);
    assert_string_equal(err.hint, hint);
    assert_int_equal(kit_number(&record), 7); /* untouched */
    assert_int_equal(stamp.size, 77);
    record_clear(&record);
}

static const char *
formatted(const char *format, const char *name)
{
    static char texts[4][2 * SCRATCH_PATH_MAX];
    static unsigned next;
    char *text = texts[next++ % 4];
    const char *at = strstr(format, "FILE");

    assert_non_null(at);
    snprintf(text, sizeof texts[0], "%.*s%s%s", (int)(at - format), format,
             in_store(name), at + 4);
    return text;
}

static void
damaged(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    put_file(A ".json", "{\"version\": 1, \"refresh_token\": \"cut");
    assert_read_fails(
        formatted("the record FILE cannot be used: not JSON: ends too early at line 1, "
                  "column 36",
                  A ".json"),
        "restore it from a backup, or move it away and sign in again: mailbearer "
        "login " A);
    put_file(A ".json", "");
    assert_read_fails(
        formatted("the record FILE cannot be used: not JSON: ends too early at line 1, "
                  "column 0",
                  A ".json"),
        "restore it from a backup, or move it away and sign in again: mailbearer "
        "login " A);
    /* Who has something to store, as after signing in again, may write over it. */
    assert_int_equal(kit_put(&store, A, 3, &err), 0);
    assert_int_equal(kit_stored(&store, A), 3);
}

static void
larger_than_any_record(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    put_file(A ".json", "{");
    assert_int_equal(truncate(in_store(A ".json"), 512 * 1024 + 1), 0);
    assert_read_fails(
        formatted("the record FILE cannot be used: it is larger than 524288 bytes",
                  A ".json"),
        "restore it from a backup, or move it away and sign in again: mailbearer "
        "login " A);
    assert_int_equal(kit_put(&store, A, 3, &err), 0);
    assert_int_equal(kit_stored(&store, A), 3);
}

static void
not_private(void **state)
{
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(kit_put(&store, A, 1, &err), 0);
    assert_int_equal(chmod(in_store(A ".json"), 0640), 0);
    assert_read_fails(
        formatted("FILE has mode 640: others may read or change it", A ".json"),
        formatted("chmod 600 'FILE'", A ".json"));
    assert_int_equal(chmod(in_store(A ".json"), 0604), 0);
    assert_read_fails(
        formatted("FILE has mode 604: others may read or change it", A ".json"),
        formatted("chmod 600 'FILE'", A ".json"));
    assert_int_equal(kit_put(&store, A, 2, &err), ERR_STORE);
    assert_int_equal(chmod(in_store(A ".json"), 0600), 0);
    assert_int_equal(kit_stored(&store, A), 1);

    put_file(A ".json.new", "{}");
    assert_int_equal(chmod(in_store(A ".json.new"), 0644), 0);
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), ERR_STORE);
    assert_string_equal(
        err.text,
        formatted("FILE has mode 644: others may read or change it", A ".json.new"));
    assert_int_equal(lock.fd, -1);
}

static void
of_somebody_else(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    if (geteuid() != 0)
        skip(); /* only root gives files away */
    assert_int_equal(kit_put(&store, A, 1, &err), 0);
    assert_int_equal(chown(in_store(A ".json"), 4711, (gid_t)-1), 0);
    assert_read_fails(
        formatted("FILE belongs to uid 4711, who could change it", A ".json"),
        formatted("chown 0 'FILE'", A ".json"));
}

static void
symbolic_links(void **state)
{
    static const char whole[] =
        "{\"version\": 1, \"serial\": 9, \"refresh_token\": \"bad\"}";
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;

    (void)state;
    put_file("target", whole);
    assert_int_equal(symlink("target", in_store(A ".json")), 0);
    assert_read_fails(
        formatted("cannot open FILE: it is a symbolic link", A ".json"),
        formatted("a symbolic link must not stand there: rm 'FILE'", A ".json"));
    assert_int_equal(kit_put(&store, A, 1, &err), ERR_STORE);
    assert_int_equal(unlink(in_store(A ".json")), 0);

    assert_int_equal(symlink("target", in_store(A ".json.new")), 0);
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), ERR_STORE);
    assert_string_equal(
        err.text, formatted("cannot open FILE: it is a symbolic link", A ".json.new"));
    assert_int_equal(store_reserve(&store, A, &err), ERR_STORE);
    assert_int_equal(kit_write(&store, A, 1, &err), ERR_STORE);
    assert_int_equal(unlink(in_store(A ".json.new")), 0);

    assert_int_equal(unlink(in_store(A ".lock")), 0);
    assert_int_equal(symlink("target", in_store(A ".lock")), 0);
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), ERR_STORE);
    assert_string_equal(err.text,
                        formatted("cannot open FILE: it is a symbolic link", A ".lock"));
    assert_int_equal(unlink(in_store(A ".lock")), 0);
    assert_int_equal(symlink("nowhere", in_store(A ".lock")), 0);
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), ERR_STORE);
    assert_false(scratch_exists(in_store("nowhere")));
    assert_string_equal(get_file("target"), whole);
}

static void
other_kinds_of_file(void **state)
{
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(mkfifo(in_store(A ".json"), 0600),
                     0); /* must not wait for a writer */
    assert_read_fails(formatted("FILE is not a regular file", A ".json"), "move it away");
    assert_int_equal(unlink(in_store(A ".json")), 0);
    assert_int_equal(mkdir(in_store(A ".json"), 0700), 0);
    assert_read_fails(formatted("FILE is not a regular file", A ".json"), "move it away");
    assert_int_equal(mkdir(in_store(A ".json.new"), 0700), 0);
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), ERR_STORE);
    assert_string_equal(err.text, formatted("FILE is not a regular file", A ".json.new"));
}

static const char newer[] =
    "{\"version\": 2, \"serial\": 1, \"tokens\": {\"smtp\": \"new\"}}\n";

static void
a_newer_version_is_not_touched(void **state)
{
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;
    const char *text =
        formatted("the record FILE cannot be used: a newer mailbearer wrote it "
                  "(version 2, this one reads 1)",
                  A ".json");

    (void)state;
    put_file(A ".json", newer);
    assert_read_fails(text, "install the newer mailbearer again");
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), 0);
    assert_int_equal(kit_write(&store, A, 1, &err), ERR_STORE);
    assert_string_equal(err.text, text);
    store_unlock(&lock);
    assert_string_equal(get_file(A ".json"), newer);
    assert_false(scratch_exists(in_store(A ".json.new")));

    /* Nor by a leftover of ours ... */
    put_file(A ".json.new", "{\"version\": 1, \"serial\": 99}");
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), ERR_STORE);
    assert_string_equal(get_file(A ".json"), newer);
    assert_true(scratch_exists(in_store(A ".json.new")));

    /* ... and a leftover of the newer one is left to that. */
    put_file(A ".json", "{\"version\": 1, \"serial\": 1}");
    put_file(A ".json.new", newer);
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), ERR_STORE);
    assert_string_equal(get_file(A ".json.new"), newer);
    assert_int_equal(store_reserve(&store, A, &err), ERR_STORE);
    assert_int_equal(kit_write(&store, A, 1, &err), ERR_STORE);
    assert_string_equal(get_file(A ".json.new"), newer);
}

#define RECORD(serial, token)                                                            \
    "{\"version\": 1, \"serial\": " serial ", \"refresh_token\": \"" token "\"}"

/* What a killed writer may leave, and which record there is after the next lock. */
static void
leftovers(void **state)
{
    static const struct {
        const char *what, *record, *next, *token;
        int space; /* zeros behind `next`, where space had been held */
    } cases[] = {
        {"a later one", RECORD("5", "old"), RECORD("6", "new"), "new", 0},
        {"a later one, uncut", RECORD("5", "old"), RECORD("6", "new"), "new", 9000},
        {"the first one", NULL, RECORD("1", "new"), "new", 0},
        {"a damaged record", "{\"vers", RECORD("1", "new"), "new", 0},
        {"an earlier one", RECORD("5", "old"), RECORD("4", "new"), "old", 0},
        {"the same one", RECORD("5", "old"), RECORD("5", "new"), "old", 0},
        {"half of one", RECORD("5", "old"), "{\"version\": 1, \"ser", "old", 0},
        {"half of one, uncut", RECORD("5", "old"), "{\"version\": 1", "old", 9000},
        {"an empty file", RECORD("5", "old"), "", "old", 0},
        {"held space", RECORD("5", "old"), "", "old", 163840},
        {"half of the first", NULL, "{\"version\"", "", 0},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct store_lock lock = {-1};
        struct record record = RECORD_INIT;
        struct err err = ERR_INIT;

        unlink(in_store(A ".json"));
        if (cases[i].record != NULL)
            put_file(A ".json", cases[i].record);
        put_file(A ".json.new", cases[i].next);
        assert_int_equal(truncate(in_store(A ".json.new"),
                                  (off_t)strlen(cases[i].next) + cases[i].space),
                         0);
        assert_int_equal(store_lock(&store, A, NULL, &lock, &err), 0);
        assert_int_equal(store_read(&store, A, &record, NULL, &err), 0);
        if (strcmp(secret_str(&record.refresh_token), cases[i].token) != 0)
            fail_msg("%s: there is \"%s\"", cases[i].what,
                     secret_str(&record.refresh_token));
        assert_false(scratch_exists(in_store(A ".json.new")));
        assert_int_equal(err.code, ERR_NONE);
        record_clear(&record);
        store_unlock(&lock);
    }
}

/* store_write() without an unlock between: a retry after a rename that failed. */
static void
a_write_finds_the_write_before(void **state)
{
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;

    (void)state;
    put_file(A ".json", RECORD("5", "old"));
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), 0);
    put_file(A ".json.new", RECORD("6", "new"));
    assert_int_equal(kit_write(&store, A, 3, &err), 0);
    store_unlock(&lock);
    assert_int_equal(kit_stored(&store, A), 3);
    assert_non_null(strstr(get_file(A ".json"), "\"serial\": 7,"));
}

static void
held_space(void **state)
{
    struct store_lock lock = {-1};
    struct stat st;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(kit_put(&store, A, 1, &err), 0);
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), 0);
    assert_int_equal(store_reserve(&store, A, &err), 0);
    assert_int_equal(stat(in_store(A ".json.new"), &st), 0);
    assert_true(st.st_blocks * 512 >= 160 * 1024);
    assert_int_equal(kit_stored(&store, A), 1);
    assert_int_equal(store_reserve(&store, A, &err), 0); /* again: the same */
    assert_int_equal(kit_write(&store, A, 2, &err), 0);
    assert_false(scratch_exists(in_store(A ".json.new")));
    assert_int_equal(stat(in_store(A ".json"), &st), 0);
    assert_true(st.st_size < 1000);
    assert_int_equal(kit_stored(&store, A), 2);

    /* Not used: the next lock gives it back. */
    assert_int_equal(store_reserve(&store, A, &err), 0);
    store_unlock(&lock);
    assert_true(scratch_exists(in_store(A ".json.new")));
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), 0);
    assert_false(scratch_exists(in_store(A ".json.new")));
    store_unlock(&lock);
    assert_int_equal(kit_stored(&store, A), 2);
}

static void
what_cannot_be_stored(void **state)
{
    struct record record = kit_record(2);
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(kit_put(&store, A, 1, &err), 0);
    assert_int_equal(secret_append(&record.access_token, "\n", 1), 0);
    assert_int_equal(store_write(&store, A, &record, NULL, &err), ERR_STORE);
    assert_string_equal(err.text,
                        "a token or its scope is too long, not UTF-8, or holds a "
                        "control character: it cannot be stored");
    assert_int_equal(kit_stored(&store, A), 1);
    assert_false(scratch_exists(in_store(A ".json.new")));
    record_clear(&record);
}

static void
directories_that_are_refused(void **state)
{
    struct store other = {.fd = -1};
    struct err err = ERR_INIT;
    const char *path = in_store("sub");

    (void)state;
    assert_int_equal(store_open(path, &other, &err), ERR_STORE);
    assert_string_equal(err.text,
                        formatted("cannot open the token store FILE: No such file or "
                                  "directory",
                                  "sub"));
    assert_string_equal(err.hint, formatted("mkdir -m 700 FILE", "sub"));
    put_file("sub", "");
    assert_int_equal(store_open(path, &other, &err), ERR_STORE);
    assert_string_equal(
        err.text, formatted("cannot open the token store FILE: Not a directory", "sub"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chmod(path, 0770), 0);
    assert_int_equal(store_open(path, &other, &err), ERR_STORE);
    assert_string_equal(
        err.text,
        formatted("the token store FILE has mode 770: others may change it", "sub"));
    assert_string_equal(err.hint, formatted("chmod 700 FILE", "sub"));
    assert_int_equal(chmod(path, 0702), 0);
    assert_int_equal(store_open(path, &other, &err), ERR_STORE);
    assert_int_equal(chmod(path, 0755), 0); /* others may look: the records are 0600 */
    assert_int_equal(store_open(path, &other, &err), 0);
    store_close(&other);
    store_close(&other);
    assert_null(other.path);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 4711, (gid_t)-1), 0);
        assert_int_equal(store_open(path, &other, &err), ERR_STORE);
        assert_string_equal(
            err.text,
            formatted("the token store FILE belongs to uid 4711, and this is uid 0",
                      "sub"));
    }
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
        TEST(nothing_there),
        TEST(round_trip),
        TEST(the_serial_number_goes_up),
        TEST(modes_and_owner),
        TEST(file_names),
        TEST(names_that_are_too_long),
        TEST(the_empty_name),
        TEST(every_name_is_its_own),
        TEST(damaged),
        TEST(larger_than_any_record),
        TEST(not_private),
        TEST(of_somebody_else),
        TEST(symbolic_links),
        TEST(other_kinds_of_file),
        TEST(a_newer_version_is_not_touched),
        TEST(leftovers),
        TEST(a_write_finds_the_write_before),
        TEST(held_space),
        TEST(what_cannot_be_stored),
        TEST(directories_that_are_refused),
    };

    return cmocka_run_group_tests_name("store", tests, setup_group, NULL);
}
