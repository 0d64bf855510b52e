/* test_acquire.c - getting a token: a real store, an endpoint that is this file. */
/* link: -Wl,--wrap=http_do,--wrap=wallclock_now */
/* link: -Wl,--wrap=store_reserve,--wrap=store_write,--wrap=store_lock */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/stat.h>

#include "scratch.h"

#include "base/json.h"
#include "base/wallclock.h"
#include "oauth/acquire.h"
#include "oauth_kit.h"
#include "patience.h"

#define T INT64_C(1700000000)
#define ALICE "alice@contoso.com"

static const char conf[] =
    "provider p { token_endpoint = \"https://idp.example/token\" scope = mail }\n"
    "account \"alice@contoso.com\" { provider = p client_id = c min_remaining = 300 }\n"
    "account app { provider = p client_id = c grant = client_credentials\n"
    "              client_secret = CANARY-secret }\n"
    "account by-command { provider = p client_id = c grant = client_credentials\n"
    "              client_secret_command = \"exit 3\" }\n"
    "account by-file { provider = p client_id = c grant = client_credentials\n"
    "              client_secret_file = absent.secret }\n";

static struct accounts *accounts;
static struct store store = {.fd = -1};
static int64_t now;

/* --- the clock, the endpoint, the disk */

int64_t __wrap_wallclock_now(void);
int __wrap_http_do(struct http_request *request, struct http_reply *reply_r,
                   struct err *err);
int __real_store_reserve(const struct store *s, const char *account, struct err *err);
int __wrap_store_reserve(const struct store *s, const char *account, struct err *err);
int __real_store_write(const struct store *s, const char *account,
                       const struct record *record, struct store_stamp *stamp_r,
                       struct err *err);
int __wrap_store_write(const struct store *s, const char *account,
                       const struct record *record, struct store_stamp *stamp_r,
                       struct err *err);
int __real_store_lock(const struct store *s, const char *account,
                      const struct deadline *deadline, struct store_lock *lock_r,
                      struct err *err);
int __wrap_store_lock(const struct store *s, const char *account,
                      const struct deadline *deadline, struct store_lock *lock_r,
                      struct err *err);

int64_t
__wrap_wallclock_now(void)
{
    return now;
}

static struct {
    long status; /* 0: the network is down */
    const char *body;
    int64_t retry_after;
    int requests;
    int deadline_ms;
    char sent[512];
} endpoint;

int
__wrap_http_do(struct http_request *request, struct http_reply *reply_r, struct err *err)
{
    endpoint.requests++;
    endpoint.deadline_ms = request->deadline_ms;
    snprintf(endpoint.sent, sizeof endpoint.sent, "%s", secret_str(&request->body));
    http_request_clear(request);
    if (endpoint.status == 0)
        return err_set(err, ERR_TIMEOUT, "idp.example: no answer in time");
    reply_r->status = endpoint.status;
    reply_r->retry_after = endpoint.retry_after;
    kit_set(&reply_r->body, endpoint.body);
    return 0;
}

static bool disk_full, disk_fails;
static struct record *appears; /* written by "another process" before we get the lock */

int
__wrap_store_reserve(const struct store *s, const char *account, struct err *err)
{
    return disk_full ? err_set(err, ERR_STORE, "no space left")
                     : __real_store_reserve(s, account, err);
}

int
__wrap_store_write(const struct store *s, const char *account,
                   const struct record *record, struct store_stamp *stamp_r,
                   struct err *err)
{
    return disk_fails ? err_set(err, ERR_STORE, "the disk is broken")
                      : __real_store_write(s, account, record, stamp_r, err);
}

int
__wrap_store_lock(const struct store *s, const char *account,
                  const struct deadline *deadline, struct store_lock *lock_r,
                  struct err *err)
{
    if (appears != NULL)
        __real_store_write(s, account, appears, NULL, NULL);
    appears = NULL;
    return __real_store_lock(s, account, deadline, lock_r, err);
}

static int
setup(void **state)
{
    struct err err = ERR_INIT;

    json_setup();
    if (conf_setup(state) != 0 || mkdir("state", 0700) != 0)
        return -1;
    accounts = conf_accept(conf);
    return store_open("state", &store, &err);
}

static int
teardown(void **state)
{
    accounts_free(&accounts);
    store_close(&store);
    return conf_teardown(state);
}

#define NEW_TOKEN "{\"expires_in\":3600,\"access_token\":\"CANARY-new\"}"

/* Before each test: an empty store, an endpoint that answers, a clock at T. */
static int
fresh(void **state)
{
    (void)state;
    for (size_t i = 0; i < accounts->count; i++) {
        char path[512];

        snprintf(path, sizeof path, "state/%s.json", accounts->account[i].name);
        unlink(path);
        snprintf(path, sizeof path, "state/%s.json.new", accounts->account[i].name);
        unlink(path);
    }
    memset(&endpoint, 0, sizeof endpoint);
    endpoint.status = 200;
    endpoint.body = NEW_TOKEN;
    disk_full = disk_fails = false;
    appears = NULL;
    now = T;
    return 0;
}

/* --- the parts of a test */

/* Stores a token obtained at `at` that lives an hour, with a refresh token. */
static struct record
store_token(const char *name, const char *token, int64_t at)
{
    struct record record = kit_token(kit_account(accounts, name), token, at, 3600);

    kit_set(&record.refresh_token, "CANARY-refresh");
    assert_int_equal(__real_store_write(&store, name, &record, NULL, NULL), 0);
    return record;
}

static void
put_token(const char *name, const char *token, int64_t at)
{
    struct record record = store_token(name, token, at);

    record_clear(&record);
}

static struct record
stored(const char *name)
{
    struct record record = RECORD_INIT;
    struct err err = ERR_INIT;

    if (store_read(&store, name, &record, NULL, &err) != 0)
        fail_msg("%s", err.text);
    return record;
}

/* Whatever happened, nobody may be left with the lock. */
static void
assert_unlocked(const char *name)
{
    struct store_lock lock = {.fd = -1};

    assert_int_equal(__real_store_lock(&store, name, NULL, &lock, NULL), 0);
    store_unlock(&lock);
}

struct outcome {
    int r;
    struct err err;
    struct acquire a; /* clear it */
};

static struct outcome
acquire(const char *name, const struct acquire_want *want)
{
    struct deadline deadline = deadline_in(5000);
    struct outcome o = {.err = ERR_INIT};

    acquire_init(&o.a, kit_account(accounts, name));
    o.r = acquire_token(&o.a, &store, want, &deadline, &o.err);
    assert_unlocked(name);
    assert_int_equal(o.a.credential.secret.len, 0);
    return o;
}

/* With this wish, the token and so many requests. */
static void
gets(const char *name, const struct acquire_want *want, const char *token, int requests)
{
    struct outcome o = acquire(name, want);

    if (o.r != 0)
        fail_msg("%s", o.err.text);
    kit_assert_secret(&o.a.record.access_token, token);
    assert_int_equal(endpoint.requests, requests);
    acquire_clear(&o.a);
}

static void
gets_not(const char *name, const struct acquire_want *want, int code, const char *text,
         int requests)
{
    struct outcome o = acquire(name, want);

    assert_int_equal(o.r, code);
    assert_int_equal(o.err.code, code);
    assert_string_equal(o.err.text, text);
    assert_int_equal(endpoint.requests, requests);
    acquire_clear(&o.a);
}

static const struct acquire_want any = {.may_lose_memory = true};

/* --- tests */

static void
enough_as_it_is(void **state)
{
    (void)state;
    put_token(ALICE, "CANARY-old", T - 100);
    gets(ALICE, &any, "CANARY-old", 0);
    now = T + 3000; /* due, but good */
    gets(ALICE, &any, "CANARY-old", 0);
}

static void
ahead_of_time(void **state)
{
    struct acquire_want ahead = {.due_is_stale = true};

    (void)state;
    put_token(ALICE, "CANARY-old", T - 100);
    gets(ALICE, &ahead, "CANARY-old", 0);
    now = T + 3000;
    gets(ALICE, &ahead, "CANARY-new", 1);
}

static void
a_stale_token_is_replaced(void **state)
{
    struct record record;

    (void)state;
    put_token(ALICE, "CANARY-old", T - 3301);
    endpoint.body = "{\"expires_in\":3600,\"access_token\":\"CANARY-new\","
                    "\"refresh_token\":\"CANARY-rotated\"}";
    gets(ALICE, &any, "CANARY-new", 1);
    assert_string_equal(endpoint.sent, "grant_type=refresh_token"
                                       "&refresh_token=CANARY-refresh&client_id=c"
                                       "&scope=mail");
    record = stored(ALICE);
    kit_assert_secret(&record.access_token, "CANARY-new");
    kit_assert_secret(&record.refresh_token, "CANARY-rotated");
    assert_int_equal(record.obtained_at, T);
    assert_int_equal(record.expires_at, T + 3600);
    record_clear(&record);
    gets(ALICE, &any, "CANARY-new", 1);
}

static void
an_applications_first_token(void **state)
{
    (void)state;
    gets("app", &any, "CANARY-new", 1);
    assert_string_equal(endpoint.sent, "grant_type=client_credentials&client_id=c"
                                       "&client_secret=CANARY-secret&scope=mail");
    assert_true(endpoint.deadline_ms > 5000 - patience_ms(1000));
    assert_true(endpoint.deadline_ms <= 5000);
}

static void
nobody_has_signed_in(void **state)
{
    (void)state;
    gets_not(ALICE, &any, ERR_PERSON, "nobody has signed in for this account yet", 0);
    assert_false(scratch_exists("state/alice@contoso.com.json"));
}

static void
a_token_that_was_refused(void **state)
{
    struct secret refused = SECRET_INIT;
    struct acquire_want want = {.not_this = &refused};

    (void)state;
    put_token(ALICE, "CANARY-old", T - 100);
    kit_set(&refused, "CANARY-other");
    gets(ALICE, &want, "CANARY-old", 0);
    kit_set(&refused, "CANARY-old");
    gets(ALICE, &want, "CANARY-new", 1);
    /* it is not good as last resort either */
    put_token(ALICE, "CANARY-old", T - 100);
    endpoint.status = 0;
    gets_not(ALICE, &want, ERR_TIMEOUT, "idp.example: no answer in time", 2);
    secret_clear(&refused);
}

static void
newer_than(void **state)
{
    struct acquire_want want = {.newer_than = T};

    (void)state;
    put_token(ALICE, "CANARY-old", T);
    gets(ALICE, &want, "CANARY-old", 0);
    want.newer_than = T + 1;
    now = T + 1;
    gets(ALICE, &want, "CANARY-new", 1);
    now = T + 2;
    want.newer_than = T + 2;
    endpoint.status = 0;
    gets_not(ALICE, &want, ERR_TIMEOUT, "idp.example: no answer in time", 2);
}

static void
only_looking(void **state)
{
    struct acquire_want look = {.look_only = true};
    struct outcome o;

    (void)state;
    o = acquire(ALICE, &look);
    assert_int_equal(o.r, 0);
    assert_int_equal(o.a.record.access_token.len, 0);
    acquire_clear(&o.a);
    put_token(ALICE, "CANARY-old", T - 86400);
    gets(ALICE, &look, "CANARY-old", 0);
}

static void
somebody_else_was_faster(void **state)
{
    struct record theirs =
        kit_token(kit_account(accounts, ALICE), "CANARY-theirs", T, 3600);

    (void)state;
    put_token(ALICE, "CANARY-old", T - 3400);
    appears = &theirs;
    gets(ALICE, &any, "CANARY-theirs", 0);
    record_clear(&theirs);
}

static void
failures_are_noted_and_stored(void **state)
{
    struct record record;

    (void)state;
    put_token(ALICE, "CANARY-old", T - 3600);
    endpoint.status = 503;
    endpoint.body = "";
    endpoint.retry_after = 70;
    gets_not(ALICE, &any, ERR_TEMP,
             "the token endpoint answered HTTP 503 without an OAuth error", 1);
    record = stored(ALICE);
    kit_assert_secret(&record.refresh_token, "CANARY-refresh");
    kit_assert_secret(&record.access_token, "CANARY-old");
    assert_int_equal(record.failure.err.code, ERR_TEMP);
    assert_int_equal(record.failure.at, T);
    assert_int_equal(record.failure.retry_at, T + 70);
    assert_int_equal(record.failure.count, 1);
    record_clear(&record);
    /* the next one waits, whoever it is, and even by hand */
    now = T + 69;
    gets_not(ALICE, &any, ERR_TEMP,
             "the token endpoint answered HTTP 503 without an OAuth error", 1);
    gets_not(ALICE, &(struct acquire_want){.ignore_failure = true}, ERR_TEMP,
             "the token endpoint answered HTTP 503 without an OAuth error", 1);
    now = T + 70;
    endpoint.status = 200;
    endpoint.body = NEW_TOKEN;
    gets(ALICE, &any, "CANARY-new", 2);
    record = stored(ALICE);
    assert_int_equal(record.failure.err.code, ERR_NONE);
    assert_int_equal(record.failure.count, 0);
    record_clear(&record);
}

static void
a_person_may_ask_again(void **state)
{
    struct acquire_want by_hand = {.ignore_failure = true};

    (void)state;
    put_token(ALICE, "CANARY-old", T - 3600);
    endpoint.status = 400;
    endpoint.body = "{\"error\":\"invalid_grant\"}";
    gets_not(ALICE, &any, ERR_PERSON, "invalid_grant (HTTP 400)", 1);
    now = T + 9;
    gets_not(ALICE, &by_hand, ERR_PERSON, "invalid_grant (HTTP 400)", 1);
    now = T + 10;
    gets_not(ALICE, &any, ERR_PERSON, "invalid_grant (HTTP 400)", 1);
    gets_not(ALICE, &by_hand, ERR_PERSON, "invalid_grant (HTTP 400)", 2);
    now = T + 309; /* the pause began again */
    gets_not(ALICE, &any, ERR_PERSON, "invalid_grant (HTTP 400)", 2);
    now = T + 310;
    gets_not(ALICE, &any, ERR_PERSON, "invalid_grant (HTTP 400)", 3);
}

static void
a_mended_accounts_file(void **state)
{
    struct acquire_want want = {.mended_at = T - 1};

    (void)state;
    put_token(ALICE, "CANARY-old", T - 3600);
    endpoint.status = 400;
    endpoint.body = "{\"error\":\"invalid_client\"}";
    gets_not(ALICE, &any, ERR_PERSON, "invalid_client (HTTP 400)", 1);
    now = T + 1;
    gets_not(ALICE, &want, ERR_PERSON, "invalid_client (HTTP 400)", 1);
    want.mended_at = T + 1;
    gets_not(ALICE, &want, ERR_PERSON, "invalid_client (HTTP 400)", 2);
}

static void
last_resort(void **state)
{
    struct outcome o;
    struct record record;

    (void)state;
    put_token(ALICE, "CANARY-old", T - 3570); /* 30 s are left */
    endpoint.status = 0;
    o = acquire(ALICE, &any);
    assert_int_equal(o.r, 0);
    kit_assert_secret(&o.a.record.access_token, "CANARY-old");
    assert_string_equal(o.a.trouble.text, "idp.example: no answer in time");
    acquire_clear(&o.a);
    record = stored(ALICE);
    assert_int_equal(record.failure.err.code, ERR_TIMEOUT);
    record_clear(&record);
    gets(ALICE, &any, "CANARY-old", 1); /* within the back-off: the same, unasked */
    now = T + 1;
    gets_not(ALICE, &any, ERR_TIMEOUT, "idp.example: no answer in time", 1);
}

static void
another_process_holds_the_lock(void **state)
{
    struct store_lock theirs = {.fd = -1};
    struct deadline deadline = deadline_in(50);
    struct acquire a;
    struct err err = ERR_INIT;
    bool request = true;

    (void)state;
    put_token(ALICE, "CANARY-old", T - 3400); /* good as last resort */
    assert_int_equal(__real_store_lock(&store, ALICE, NULL, &theirs, NULL), 0);
    acquire_init(&a, kit_account(accounts, ALICE));
    assert_int_equal(acquire_begin(&a, &store, &any, NULL, now, &request, &err),
                     ERR_TIMEOUT);
    assert_false(request);
    assert_int_equal(err.code, ERR_TIMEOUT);
    assert_int_equal(acquire_token(&a, &store, &any, &deadline, &err), 0);
    kit_assert_secret(&a.record.access_token, "CANARY-old");
    assert_int_equal(a.trouble.code, ERR_TIMEOUT);
    now = T + 3600;
    deadline = deadline_in(50);
    assert_int_equal(acquire_token(&a, &store, &any, &deadline, &err), ERR_TIMEOUT);
    assert_int_equal(endpoint.requests, 0);
    acquire_clear(&a);
    store_unlock(&theirs);
}

/* begin, request, reply, save: the lock is held all the way. */
static void
step_by_step(void **state)
{
    struct http_request request = {0};
    struct http_reply reply = {.status = 200};
    struct store_lock lock = {.fd = -1};
    struct acquire a;
    struct err err = ERR_INIT;
    bool wanted = false, more = true;

    (void)state;
    acquire_init(&a, kit_account(accounts, "app"));
    assert_int_equal(acquire_begin(&a, &store, &any, NULL, now, &wanted, &err), 0);
    assert_true(wanted);
    kit_assert_secret(&a.credential.secret, "CANARY-secret");
    assert_int_equal(__real_store_lock(&store, "app", NULL, &lock, NULL), ERR_TIMEOUT);
    assert_int_equal(acquire_request(&a, &request, &err), 0);
    assert_in_range(request.deadline_ms, ACQUIRE_HTTP_MS / 2, ACQUIRE_HTTP_MS);
    assert_string_equal(request.url, "https://idp.example/token");
    http_request_clear(&request);
    kit_set(&reply.body, NEW_TOKEN);
    assert_int_equal(acquire_reply(&a, &reply, NULL, T + 5, &more, &err), 0);
    assert_false(more);
    secret_clear(&reply.body);
    assert_int_equal(a.credential.secret.len, 0);
    assert_int_equal(__real_store_lock(&store, "app", NULL, &lock, NULL), ERR_TIMEOUT);
    assert_int_equal(acquire_save(&a, &store), 0);
    assert_unlocked("app");
    assert_false(a.unsaved);
    acquire_clear(&a);
    now = T + 6;
    gets("app", &any, "CANARY-new", 0);
    /* dropped half-way, the lock is free as well */
    acquire_init(&a, kit_account(accounts, "app"));
    assert_int_equal(acquire_begin(&a, &store,
                                   &(struct acquire_want){.newer_than = T + 6}, NULL, now,
                                   &wanted, &err),
                     0);
    assert_true(wanted);
    acquire_clear(&a);
    assert_unlocked("app");
}

static void
no_space_for_a_rotated_token(void **state)
{
    struct acquire_want agent = {.may_lose_memory = false};
    struct outcome o;

    (void)state;
    put_token(ALICE, "CANARY-old", T - 3599);
    disk_full = true;
    o = acquire(ALICE, &any);
    assert_int_equal(o.r, ERR_STORE);
    assert_string_equal(o.err.text, "no space left");
    assert_non_null(strstr(o.err.hint, "nothing was asked"));
    assert_int_equal(endpoint.requests, 0);
    acquire_clear(&o.a);
    /* an application has nothing to lose, and an agent has a memory */
    gets("app", &any, "CANARY-new", 1);
    gets(ALICE, &agent, "CANARY-new", 2);
}

static void
what_cannot_be_written_is_in_memory(void **state)
{
    struct outcome o;

    (void)state;
    put_token(ALICE, "CANARY-old", T - 3599);
    disk_fails = true;
    o = acquire(ALICE, &(struct acquire_want){.may_lose_memory = false});
    assert_int_equal(o.r, 0);
    kit_assert_secret(&o.a.record.access_token, "CANARY-new");
    assert_true(o.a.unsaved);
    assert_string_equal(o.a.trouble.text, "the disk is broken");
    acquire_clear(&o.a);
}

static void
memory_that_is_newer(void **state)
{
    struct record memory =
        kit_token(kit_account(accounts, ALICE), "CANARY-memory", T, 3600);
    struct record record;
    struct store_stamp stamp;
    struct acquire_want want = {
        .memory = &memory, .memory_stamp = &stamp, .memory_newer = true};
    struct outcome o;

    (void)state;
    kit_set(&memory.refresh_token, "CANARY-rotated");
    put_token(ALICE, "CANARY-old", T - 100);
    store_stamp(&store, ALICE, &stamp);
    disk_fails = true;
    o = acquire(ALICE, &want);
    assert_int_equal(o.r, 0);
    kit_assert_secret(&o.a.record.access_token, "CANARY-memory");
    assert_true(o.a.unsaved);
    acquire_clear(&o.a);
    disk_fails = false; /* there is room again */
    o = acquire(ALICE, &want);
    assert_int_equal(o.r, 0);
    assert_false(o.a.unsaved);
    acquire_clear(&o.a);
    record = stored(ALICE);
    kit_assert_secret(&record.access_token, "CANARY-memory");
    kit_assert_secret(&record.refresh_token, "CANARY-rotated");
    record_clear(&record);
    assert_int_equal(endpoint.requests, 0);
    /* a sign-in since then: the file wins */
    put_token(ALICE, "CANARY-signed-in", T);
    gets(ALICE, &want, "CANARY-signed-in", 0);
    /* and memory that was saved is never better than the file */
    want.memory_newer = false;
    store_stamp(&store, ALICE, &stamp);
    gets(ALICE, &want, "CANARY-signed-in", 0);
    record_clear(&memory);
}

/* A file that a later version wrote, or that is damaged, is never written over by a
 * refresh; what is in memory goes on being used, and refreshed. */
static void
a_file_that_cannot_be_read(void **state)
{
    static const char *const texts[] = {"{\"version\": 99, \"x\": 1}\n", "rubbish"};
    struct record memory =
        kit_token(kit_account(accounts, ALICE), "CANARY-memory", T, 3600);
    struct acquire_want want = {.memory = &memory};
    struct store_stamp stamp = {.present = false};
    struct outcome o;
    char text[256];

    (void)state;
    kit_set(&memory.refresh_token, "CANARY-refresh");
    want.memory_stamp = &stamp;
    for (int i = 0; i < 2; i++) {
        now = T;
        endpoint.requests = 0;
        scratch_write("state/alice@contoso.com.json", texts[i], strlen(texts[i]), 0600);
        o = acquire(ALICE, &any);
        assert_int_equal(o.r, ERR_STORE);
        acquire_clear(&o.a);
        o = acquire(ALICE, &want);
        assert_int_equal(o.r, 0);
        kit_assert_secret(&o.a.record.access_token, "CANARY-memory");
        assert_true(o.a.unsaved);
        assert_true(o.a.unreadable);
        assert_int_equal(o.a.trouble.code, ERR_STORE);
        acquire_clear(&o.a);
        assert_int_equal(endpoint.requests, 0);
        now = T + 3600;
        o = acquire(ALICE, &want);
        assert_int_equal(o.r, 0);
        kit_assert_secret(&o.a.record.access_token, "CANARY-new");
        assert_true(o.a.unsaved);
        acquire_clear(&o.a);
        assert_int_equal(endpoint.requests, 1);
        scratch_read("state/alice@contoso.com.json", text, sizeof text);
        assert_string_equal(text, texts[i]);
    }
    record_clear(&memory);
}

static void
a_client_secret_that_cannot_be_had(void **state)
{
    struct outcome o = acquire("by-command", &any);

    (void)state;
    assert_int_equal(o.r, ERR_TEMP);
    assert_string_equal(o.err.text, "client_secret_command ended with status 3");
    /* noted: a command is not run in a loop */
    assert_int_equal(o.a.record.failure.err.code, ERR_TEMP);
    assert_true(o.a.record.failure.retry_at > now);
    acquire_clear(&o.a);
    o = acquire("by-file", &any);
    assert_int_equal(o.r, ERR_CONFIG);
    assert_non_null(strstr(o.err.text, "absent.secret"));
    assert_int_equal(o.a.record.failure.err.code, ERR_NONE);
    acquire_clear(&o.a);
    conf_write("absent.secret", "CANARY-there\n");
    gets("by-file", &any, "CANARY-new", 1);
    assert_int_equal(unlink("absent.secret"), 0);
}

static void
the_deadline_is_passed_on(void **state)
{
    struct deadline passed = deadline_in(0), far = deadline_in(patience_ms(60000));
    struct acquire a;
    struct err err = ERR_INIT;

    (void)state;
    acquire_init(&a, kit_account(accounts, "app"));
    assert_int_equal(acquire_token(&a, &store, &any, &passed, &err), ERR_TIMEOUT);
    assert_int_equal(endpoint.requests, 0);
    assert_int_equal(acquire_token(&a, &store, &any, &far, &err), 0);
    assert_in_range(endpoint.deadline_ms, ACQUIRE_HTTP_MS / 2, ACQUIRE_HTTP_MS);
    acquire_clear(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(enough_as_it_is, fresh),
        cmocka_unit_test_setup(ahead_of_time, fresh),
        cmocka_unit_test_setup(a_stale_token_is_replaced, fresh),
        cmocka_unit_test_setup(an_applications_first_token, fresh),
        cmocka_unit_test_setup(nobody_has_signed_in, fresh),
        cmocka_unit_test_setup(a_token_that_was_refused, fresh),
        cmocka_unit_test_setup(newer_than, fresh),
        cmocka_unit_test_setup(only_looking, fresh),
        cmocka_unit_test_setup(somebody_else_was_faster, fresh),
        cmocka_unit_test_setup(failures_are_noted_and_stored, fresh),
        cmocka_unit_test_setup(a_person_may_ask_again, fresh),
        cmocka_unit_test_setup(a_mended_accounts_file, fresh),
        cmocka_unit_test_setup(last_resort, fresh),
        cmocka_unit_test_setup(another_process_holds_the_lock, fresh),
        cmocka_unit_test_setup(step_by_step, fresh),
        cmocka_unit_test_setup(no_space_for_a_rotated_token, fresh),
        cmocka_unit_test_setup(what_cannot_be_written_is_in_memory, fresh),
        cmocka_unit_test_setup(memory_that_is_newer, fresh),
        cmocka_unit_test_setup(a_file_that_cannot_be_read, fresh),
        cmocka_unit_test_setup(a_client_secret_that_cannot_be_had, fresh),
        cmocka_unit_test_setup(the_deadline_is_passed_on, fresh),
    };

    return cmocka_run_group_tests_name("acquire", tests, setup, teardown);
}
