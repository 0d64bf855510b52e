/* test_store_seal.c - a store that is encrypted, becomes so, or ceases to be. */
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "seal_kit.h"

static enum store_form
form(const char *account)
{
    enum store_form f = STORE_ABSENT;
    struct err err = ERR_INIT;

    if (store_form(&store, account, &f, &err) != 0)
        fail_msg("%s", err.text);
    return f;
}

/* Reading must fail so, and leave the record as it was. */
static void
unreadable(const char *account, int code, const char *text, const char *hint)
{
    struct record record = kit_record(77);
    struct err err = ERR_INIT;
    char want[2 * SCRATCH_PATH_MAX];

    assert_int_equal(store_read(&store, account, &record, NULL, &err), code);
    assert_int_equal(kit_number(&record), 77);
    snprintf(want, sizeof want, "the record %s/%s.json cannot be used: %s", dir, account,
             text);
    assert_string_equal(err.text, want);
    assert_string_equal(err.hint, hint);
    record_clear(&record);
}

static void
round_trip(void **state)
{
    static char text[8192];
    struct err err = ERR_INIT;

    (void)state;
    use(key);
    assert_int_equal(kit_stored(&store, A), 0);
    put(A, 1);
    assert_int_equal(kit_stored(&store, A), 1);
    put(A, 2);
    assert_int_equal(kit_stored(&store, A), 2);
    scratch_read(in_store(A ".json"), text, sizeof text);
    assert_null(strstr(text, "access"));
    assert_null(strstr(text, "refresh"));
    assert_null(strstr(text, "170000000"));
    assert_ptr_equal(strstr(text, "{\n  \"version\": 2,\n  \"cipher\": \"A256GCM\",\n"
                                  "  \"key_id\": \"YZ88FfUGUKshXb_a\",\n  \"data\": \""),
                     text);
    assert_int_equal(store_reserve(&store, A, &err), 0);
    put(A, 3);
    assert_int_equal(kit_stored(&store, A), 3);
}

static void
the_largest_record(void **state)
{
    struct record record = RECORD_INIT, back = RECORD_INIT;
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;
    static char large[65536 + 1];

    (void)state;
    memset(large, 'x', sizeof large - 1);
    assert_int_equal(secret_append_str(&record.access_token, large), 0);
    assert_int_equal(secret_append_str(&record.refresh_token, large), 0);
    use(key);
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), 0);
    assert_int_equal(store_reserve(&store, A, &err), 0);
    assert_int_equal(store_write(&store, A, &record, NULL, &err), 0);
    store_unlock(&lock);
    assert_int_equal(store_read(&store, A, &back, NULL, &err), 0);
    assert_true(secret_equal(&back.refresh_token, &record.refresh_token));
    record_clear(&record);
    record_clear(&back);
}

/* Texts that JSON writes six times as long, and base64 a third longer on top. */
static void
a_record_that_is_too_long(void **state)
{
    struct record record = kit_record(2);
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;
    static char text[65536 + 1];

    (void)state;
    use(key);
    put(A, 1);
    memset(text, '"', sizeof text - 1);
    assert_int_equal(secret_set(&record.access_token, text, 65536), 0);
    assert_int_equal(secret_set(&record.refresh_token, text, 65536), 0);
    memset(text, '\x01', 16384);
    text[16384] = '\0';
    record.scope = strdup(text);
    assert_int_equal(secret_set(&record.fingerprint, text, 16384), 0);
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), 0);
    assert_int_equal(store_write(&store, A, &record, NULL, &err), ERR_STORE);
    assert_string_equal(err.text, "the record is too long to be stored encrypted");
    store_unlock(&lock);
    assert_int_equal(kit_stored(&store, A), 1);
    record_clear(&record);
}

static void
without_the_key(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    use(key);
    put(A, 1);
    use(NULL);
    unreadable(
        A, ERR_CONFIG, "it is encrypted, and no encryption_key_file is set",
        "set encryption_key_file to the key file that it was written with; without "
        "that key, move the record away and sign in again: mailbearer login " A);
    assert_int_equal(kit_put(&store, A, 2, &err), ERR_CONFIG);
    use(key);
    assert_int_equal(kit_stored(&store, A), 1);
}

static void
with_another_key(void **state)
{
    struct err err = ERR_INIT;
    bool changed = true;
    char want[SCRATCH_PATH_MAX + 100];

    (void)state;
    use(key);
    put(A, 1);
    use(other_key);
    snprintf(want, sizeof want,
             "the store was encrypted with another key than the one in %s/key", keys);
    unreadable(
        A, ERR_CONFIG, want,
        "set encryption_key_file to the key file that it was written with; without "
        "that key, move the record away and sign in again: mailbearer login " A);
    assert_int_equal(kit_put(&store, A, 2, &err), ERR_CONFIG);
    assert_int_equal(store_rekey(&store, A, NULL, &changed, &err), ERR_CONFIG);
    assert_false(scratch_exists(in_store(A ".json.new")));
    use(key);
    assert_int_equal(kit_stored(&store, A), 1);
}

/* Blank for blank is the same JSON; everything else must be noticed. */
static bool
is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void
every_byte_counts(void **state)
{
    static char text[8192];
    const char *path = in_store(A ".json");
    size_t len;

    (void)state;
    use(key);
    put(A, 1);
    len = scratch_read(path, text, sizeof text);
    for (size_t i = 0; i < len; i++) {
        const char was = text[i];
        const char instead[] = {(char)(was ^ 1), (char)(was ^ 0x20), '1', 'A', '"', '\0'};

        for (size_t k = 0; k < sizeof instead; k++) {
            if (instead[k] == was || (is_blank(was) && is_blank(instead[k])))
                continue;
            text[i] = instead[k];
            scratch_write(path, text, len, 0600);
            /* the store takes zeros at the end for space that was held */
            if (kit_stored(&store, A) != -1 && !(i == len - 1 && instead[k] == '\0'))
                fail_msg("%02x in place of %02x at byte %zu is read", instead[k] & 0xff,
                         was & 0xff, i);
        }
        text[i] = was;
    }
    for (size_t cut = 1; cut < len - 1; cut++) {
        scratch_write(path, text, cut, 0600);
        if (kit_stored(&store, A) != -1)
            fail_msg("the first %zu bytes are taken for the record", cut);
    }
    scratch_write(path, text, len, 0600);
    assert_int_equal(kit_stored(&store, A), 1);
}

static void
changed_data(void **state)
{
    static char text[8192];
    const char *path = in_store(A ".json");
    size_t len;
    char *data;

    (void)state;
    use(key);
    put(A, 1);
    len = scratch_read(path, text, sizeof text);
    data = strstr(text, "\"data\": \"");
    assert_non_null(data);
    data += 40;
    *data = *data == 'A' ? 'B' : 'A';
    scratch_write(path, text, len, 0600);
    unreadable(A, ERR_STORE,
               "what is encrypted in it was changed, or is another account's",
               "restore it from a backup, or move it away and sign in again: mailbearer "
               "login " A);
    /* Damaged is damaged, encrypted or not: a new sign-in may write over it. */
    put(A, 2);
    assert_int_equal(kit_stored(&store, A), 2);
}

static void
renamed_to_another_account(void **state)
{
    (void)state;
    use(key);
    put(A, 1);
    put(B, 2);
    assert_int_equal(rename(in_store(A ".json"), in_store(B ".json")), 0);
    unreadable(B, ERR_STORE,
               "what is encrypted in it was changed, or is another account's",
               "restore it from a backup, or move it away and sign in again: mailbearer "
               "login " B);
    assert_int_equal(rename(in_store(B ".json"), in_store(A ".json")), 0);
    assert_int_equal(kit_stored(&store, A), 1);
}

/* --- from clear to encrypted and back --- */

static void
clear_records_are_read_and_then_encrypted(void **state)
{
    (void)state;
    assert_int_equal(form(A), STORE_ABSENT);
    put(A, 1);
    assert_int_equal(form(A), STORE_CLEAR);
    use(key);
    assert_int_equal(form(A), STORE_CLEAR);
    assert_int_equal(kit_stored(&store, A), 1);
    assert_int_equal(form(A), STORE_CLEAR);
    put(A, 2);
    assert_int_equal(form(A), STORE_SEALED);
    assert_int_equal(kit_stored(&store, A), 2);
    use(NULL);
    assert_int_equal(form(A), STORE_SEALED);
    use(other_key);
    assert_int_equal(form(A), STORE_SEALED);
}

static bool
rekeyed(const char *account)
{
    struct err err = ERR_INIT;
    bool changed = false;

    if (store_rekey(&store, account, NULL, &changed, &err) != 0)
        fail_msg("%s", err.text);
    return changed;
}

static void
rekey(void **state)
{
    (void)state;
    put(A, 1);
    assert_false(rekeyed(A)); /* clear, and it is to be clear */
    assert_false(rekeyed(B)); /* there is none */
    use(key);
    assert_true(rekeyed(A));
    assert_int_equal(form(A), STORE_SEALED);
    assert_int_equal(kit_stored(&store, A), 1);
    assert_false(rekeyed(A));
    assert_false(scratch_exists(in_store(B ".json")));

    use(other_key); /* a new key */
    store.old_cipher = store_key_cipher(key);
    assert_int_equal(kit_stored(&store, A), 1);
    assert_true(rekeyed(A));
    assert_false(rekeyed(A));
    store.old_cipher = NULL;
    assert_int_equal(kit_stored(&store, A), 1);
    use(key);
    assert_int_equal(kit_stored(&store, A), -1);

    use(NULL); /* no key any more */
    store.old_cipher = store_key_cipher(other_key);
    assert_true(rekeyed(A));
    store.old_cipher = NULL;
    assert_int_equal(form(A), STORE_CLEAR);
    assert_int_equal(kit_stored(&store, A), 1);
}

static void
rekey_leaves_alone_what_it_cannot_read(void **state)
{
    static const char damaged[] = "{\"version\": 1, \"refresh_token\": \"cut";
    static char text[100];
    struct err err = ERR_INIT;
    bool changed = false;

    (void)state;
    scratch_write(in_store(A ".json"), damaged, sizeof damaged - 1, 0600);
    use(key);
    assert_int_equal(store_rekey(&store, A, NULL, &changed, &err), ERR_STORE);
    assert_false(changed);
    scratch_read(in_store(A ".json"), text, sizeof text);
    assert_string_equal(text, damaged);
}

static void
rekey_waits_for_the_lock(void **state)
{
    struct store_lock lock = {-1};
    struct err err = ERR_INIT;
    bool changed = false;

    (void)state;
    put(A, 1);
    use(key);
    assert_int_equal(store_lock(&store, A, NULL, &lock, &err), 0);
    assert_int_equal(store_rekey(&store, A, NULL, &changed, &err), ERR_TIMEOUT);
    assert_int_equal(form(A), STORE_CLEAR);
    store_unlock(&lock);
    assert_true(rekeyed(A));
}

/* A write that was complete but for the rename is finished, encrypted as it is; with the
 * wrong key it is left alone, for it may hold the only good token. */
static void
leftovers(void **state)
{
    struct err err = ERR_INIT;
    static char text[8192];
    size_t len;

    (void)state;
    use(key);
    put(A, 1);
    len = scratch_read(in_store(A ".json"), text, sizeof text);
    put(A, 2);
    assert_int_equal(rename(in_store(A ".json"), in_store(A ".json.new")), 0);
    scratch_write(in_store(A ".json"), text, len, 0600);
    use(other_key);
    assert_int_equal(kit_put(&store, A, 3, &err), ERR_CONFIG);
    use(NULL);
    assert_int_equal(kit_put(&store, A, 3, &err), ERR_CONFIG);
    assert_true(scratch_exists(in_store(A ".json.new")));
    use(key);
    assert_int_equal(kit_stored(&store, A), 1);
    assert_false(rekeyed(A)); /* takes the lock, which finishes the write */
    assert_int_equal(kit_stored(&store, A), 2);
    assert_false(scratch_exists(in_store(A ".json.new")));

    /* half of one is no leftover to keep */
    scratch_write(in_store(A ".json.new"), text, len / 2, 0600);
    assert_false(rekeyed(A));
    assert_int_equal(kit_stored(&store, A), 2);
    assert_false(scratch_exists(in_store(A ".json.new")));
}

/* Writes records 1, 2, 3 ... and tells each one that is stored, until it is killed. */
static void
write_until_killed(int tell)
{
    for (int n = 1;; n++) {
        CHECK(kit_put(&store, A, n, NULL) == 0);
        CHECK(write(tell, &n, sizeof n) == sizeof n);
    }
}

static void
killed_while_writing(void **state)
{
    (void)state;
    use(key);
    for (int round = 0; round < 20; round++) {
        int fd[2], told = 0, n, stored, status;
        pid_t child;

        assert_int_equal(pipe(fd), 0);
        child = fork();
        assert_int_not_equal(child, -1);
        if (child == 0)
            write_until_killed(fd[1]);
        close(fd[1]);
        assert_int_equal(read(fd[0], &told, sizeof told), sizeof told);
        usleep(500 + 137 * (unsigned)round);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        while (read(fd[0], &n, sizeof n) == sizeof n)
            told = n;
        close(fd[0]);
        stored = kit_stored(&store, A);
        if (stored != told && stored != told + 1)
            fail_msg("%d was told to be stored, and %d is", told, stored);
        assert_false(rekeyed(A));
        stored = kit_stored(&store, A);
        if (stored != told && stored != told + 1)
            fail_msg("%d was told to be stored, and after the lock %d is", told, stored);
        assert_int_equal(unlink(in_store(A ".json")), 0);
    }
}

/* --- whose records there are --- */

static void
list(void **state)
{
    char **names = NULL;
    size_t count = 99;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(store_accounts(&store, &names, &count, &err), 0);
    assert_int_equal(count, 0);
    store_accounts_free(names, count);
    put(B, 1);
    put(A, 1);
    put("../\xc3\xa4%41", 1);
    assert_int_equal(rename(in_store(B ".json"), in_store(B ".json.new")), 0);
    scratch_write(in_store(A ".json.new"), "", 0, 0600);
    scratch_write(in_store("README"), "", 0, 0600);
    scratch_write(in_store(".json"), "", 0, 0600);
    scratch_write(in_store("not%our.json"), "", 0, 0600);
    scratch_write(in_store("%61lice.json"), "", 0, 0600); /* we write that "alice" */
    scratch_write(in_store("cut%4.json"), "", 0, 0600);
    scratch_write(in_store("nul%00.json"), "", 0, 0600);
    scratch_write(in_store("a b.json"), "", 0, 0600);
    assert_int_equal(store_accounts(&store, &names, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_string_equal(names[0], "../\xc3\xa4%41");
    assert_string_equal(names[1], A);
    assert_string_equal(names[2], B);
    store_accounts_free(names, count);
}

static int
setup_group(void **state)
{
    (void)state;
    json_setup();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(round_trip),
        TEST(the_largest_record),
        TEST(a_record_that_is_too_long),
        TEST(without_the_key),
        TEST(with_another_key),
        TEST(every_byte_counts),
        TEST(changed_data),
        TEST(renamed_to_another_account),
        TEST(clear_records_are_read_and_then_encrypted),
        TEST(rekey),
        TEST(rekey_leaves_alone_what_it_cannot_read),
        TEST(rekey_waits_for_the_lock),
        TEST(leftovers),
        TEST(killed_while_writing),
        TEST(list),
    };

    return cmocka_run_group_tests_name("store_seal", tests, setup_group, NULL);
}
