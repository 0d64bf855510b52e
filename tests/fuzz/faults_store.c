/* faults_store.c - the token store and the accounts file, while calls fail. The record is
 * the old one or the new one, whole, whatever happens; and what was flushed is not lost.
 */
#include <fcntl.h>
#include <unistd.h>

#include "accounts/accounts.h"
#include "accounts/store.h"
#include "accounts/store_remove.h"
#include "base/json.h"
#include "faults.h"
#include "oauth/store_key.h"

#define ACCOUNT "alice@b.example"
#define EXPIRES 1700000000

static struct store store;
static struct store_key *key;
static int sequence; /* the number of the record that is stored */

static const char conf[] =
    "defaults { tenant = t }\n"
    "provider \"p\" { issuer = \"https://idp.example\" scope = \"a b\" }\n"
    "account \"alice@b.example\" { client_id = 1 allow_users = { 1001, root } }\n"
    "account \"b@b.example\" { provider = p client_id = 2 client_secret = \"CANARY-s\"\n"
    "  grant = client_credentials smtp = \"h:25 starttls\" postfix_keys = { a, b } }\n"
    "include(\"more.conf\")\n";
static const char more[] = "account \"c@b.example\" { client_id = 3 }\n"
                           "store { directory = /var/lib/x }\n"
                           "agent { on_failure = { /bin/true } }\n";

static void
put_file(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    FUZZ_CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static struct record
make(int n)
{
    struct record record = RECORD_INIT;
    char text[64];

    snprintf(text, sizeof text, "CANARY-access-%d", n);
    fuzz_set(&record.access_token, text, strlen(text));
    snprintf(text, sizeof text, "CANARY-refresh-%d", n);
    fuzz_set(&record.refresh_token, text, strlen(text));
    record.expires_at = EXPIRES + n;
    return record;
}

/* The number of what is stored. */
static int
stored(void)
{
    struct record record = RECORD_INIT;
    struct err err = ERR_INIT;
    char text[64];
    int n;

    fuzz_result(store_read(&store, ACCOUNT, &record, NULL, &err), &err, 0);
    n = (int)(record.expires_at - EXPIRES);
    snprintf(text, sizeof text, "CANARY-refresh-%d", n);
    FUZZ_CHECK(strcmp(secret_str(&record.refresh_token), text) == 0);
    record_clear(&record);
    return n;
}

static int
put(const struct record *record, struct err *err)
{
    struct store_lock lock = {.fd = -1};
    struct record before = RECORD_INIT;
    int r;

    if ((r = store_lock(&store, ACCOUNT, NULL, &lock, err)) == 0 &&
        (r = store_read(&store, ACCOUNT, &before, NULL, err)) == 0 &&
        (r = store_reserve(&store, ACCOUNT, err)) == 0)
        r = store_write(&store, ACCOUNT, record, NULL, err);
    record_clear(&before);
    store_unlock(&lock);
    return r;
}

static void
check_err(int r, const struct err *err)
{
    fuzz_result(r, err,
                MAY(ERR_STORE) | MAY(ERR_NOMEM) | MAY(ERR_TIMEOUT) | MAY(ERR_CONFIG));
    FUZZ_CHECK(strstr(err->text, "CANARY") == NULL &&
               strstr(err->hint, "CANARY") == NULL);
}

static struct record next;

static void
before_rotation(void)
{
    struct record record = make(++sequence);
    struct err err = ERR_INIT;

    fuzz_result(put(&record, &err), &err, 0);
    record_clear(&record);
    next = make(++sequence);
}

static bool
rotate(void)
{
    struct err err = ERR_INIT;
    int r = put(&next, &err);

    check_err(r, &err);
    return r == 0;
}

static void
after_rotation(bool done)
{
    struct err err = ERR_INIT;
    int n = stored();

    FUZZ_CHECK(n == sequence || (!done && n == sequence - 1));
    /* and the next one, who finds what this one left */
    fuzz_result(put(&next, &err), &err, 0);
    FUZZ_CHECK(stored() == sequence);
    record_clear(&next);
}

static void
before_encrypted(void)
{
    struct err err = ERR_INIT;

    fuzz_result(store_key_load("key", &key, &err), &err, 0);
    store.cipher = store_key_cipher(key);
    before_rotation();
}

static void
after_encrypted(bool done)
{
    struct store_lock lock = {.fd = -1};
    bool there;

    after_rotation(done);
    FUZZ_CHECK(store_lock(&store, ACCOUNT, NULL, &lock, NULL) == 0);
    FUZZ_CHECK(store_remove(&store, ACCOUNT, &there, NULL) == 0);
    store_unlock(&lock);
    store.cipher = NULL;
    store_key_free(&key);
}

/* --- a sign-out */

static bool
sign_out(void)
{
    struct store_lock lock = {.fd = -1};
    struct err err = ERR_INIT;
    bool there = false;
    int r = store_lock(&store, ACCOUNT, NULL, &lock, &err);

    if (r == 0)
        r = store_remove(&store, ACCOUNT, &there, &err);
    store_unlock(&lock);
    check_err(r, &err);
    return r == 0;
}

static void
after_sign_out(bool done)
{
    struct record record = RECORD_INIT;

    FUZZ_CHECK(store_read(&store, ACCOUNT, &record, NULL, NULL) == 0);
    FUZZ_CHECK(!done || record.refresh_token.len == 0);
    record_clear(&record);
    record_clear(&next);
}

/* --- the accounts file */

static struct accounts *accounts;

static void
nothing(void)
{
}

static bool
read_accounts(void)
{
    struct err err = ERR_INIT;
    int r = accounts_read("accounts.conf", &accounts, &err);

    check_err(r, &err);
    FUZZ_CHECK((r == 0) == (accounts != NULL));
    return r == 0;
}

static void
after_accounts(bool done)
{
    struct err err = ERR_INIT;

    accounts_free(&accounts);
    (void)done;
    fuzz_result(accounts_read("accounts.conf", &accounts, &err), &err, 0);
    FUZZ_CHECK(accounts->count == 3);
    accounts_free(&accounts);
}

/* --- opening */

static bool
open_all(void)
{
    struct store other;
    struct err err = ERR_INIT;
    struct store_key *other_key = NULL;
    int r = store_open("state", &other, &err);

    check_err(r, &err);
    if (r != 0)
        return false;
    r = store_key_load("key", &other_key, &err);
    check_err(r, &err);
    store_key_free(&other_key);
    store_close(&other);
    return r == 0;
}

static void
after_open(bool done)
{
    (void)done;
    FUZZ_CHECK(open_all());
}

void
fault_setup(const char *dir)
{
    (void)dir;
    json_setup();
    FUZZ_CHECK(mkdir("state", 0700) == 0 && store_open("state", &store, NULL) == 0);
    put_file("accounts.conf", conf);
    put_file("more.conf", more);
    put_file("key", "1f6b0c8d52e94a7730bd8e15c2a9f4467d03be5918f2c67a41d58e3b90ac7f24\n");
}

void
fault_teardown(void)
{
    store_close(&store);
}

const struct fault_scenario fault_scenarios[] = {
    {"rotation", before_rotation, rotate, after_rotation},
    {"encrypted rotation", before_encrypted, rotate, after_encrypted},
    {"sign-out", before_rotation, sign_out, after_sign_out},
    {"accounts file", nothing, read_accounts, after_accounts},
    {"opening store and key", nothing, open_all, after_open},
};
const size_t fault_scenario_count = sizeof fault_scenarios / sizeof fault_scenarios[0];
