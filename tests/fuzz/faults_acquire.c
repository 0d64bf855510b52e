/* faults_acquire.c - one refresh, from the lock to the flushed record, while calls fail:
 * at a provider that rotates strictly, so that a refresh token that is not saved is lost.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounts/accounts.h"
#include "base/json.h"
#include "base/wallclock.h"
#include "faults.h"
#include "oauth/acquire.h"
#include "oauth/http.h"
#include "provider.h"

#define ALICE "alice@b.example"   /* a public client */
#define SIGNED "signed@b.example" /* proves itself by a certificate */
#define FOUND "found@b.example"   /* its endpoints are discovered */

static struct store store;
static struct accounts *accounts;
static const struct account *account;
static struct acquire a;

static void
put_conf(int port)
{
    char text[2048];
    int n = snprintf(
        text, sizeof text,
        "provider p { token_endpoint = \"http://127.0.0.1:%d/token\" scope = m }\n"
        "provider q { issuer = \"http://127.0.0.1:%d\" scope = m }\n"
        "account \"" ALICE "\" { provider = p client_id = 1 }\n"
        "account \"" SIGNED "\" { provider = p client_id = 1\n"
        "  client_certificate = cert.pem client_key = key.pem }\n"
        "account \"" FOUND "\" { provider = q client_id = 1 }\n",
        port, port);
    int fd = open("accounts.conf", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    FUZZ_CHECK(fd >= 0 && write(fd, text, (size_t)n) == n);
    close(fd);
}

void
fault_setup(const char *dir)
{
    struct err err = ERR_INIT;

    (void)dir;
    json_setup();
    put_conf(provider_begin());
    FUZZ_CHECK(http_setup(NULL) == 0);
    FUZZ_CHECK(system("umask 077; openssl req -x509 -newkey rsa:2048 -nodes -days 3 "
                      "-subj /CN=faults -keyout key.pem -out cert.pem 2>/dev/null") == 0);
    fuzz_result(accounts_read("accounts.conf", &accounts, &err), &err, 0);
    FUZZ_CHECK(mkdir("state", 0700) == 0 && store_open("state", &store, NULL) == 0);
}

void
fault_teardown(void)
{
    accounts_free(&accounts);
    store_close(&store);
    provider_end();
}

/* A refresh token that is good, and an access token that has ended. */
static void
begin(const char *name)
{
    struct record record = RECORD_INIT;
    struct store_lock lock = {.fd = -1};
    char text[64];

    account = accounts_find(accounts, name);
    FUZZ_CHECK(account != NULL);
    snprintf(text, sizeof text, "CANARY-refresh-%d", (int)provider_state->present);
    fuzz_set(&record.refresh_token, text, strlen(text));
    record.refresh_token_at = wallclock_now() - 4000;
    FUZZ_CHECK(store_lock(&store, name, NULL, &lock, NULL) == 0);
    FUZZ_CHECK(store_write(&store, name, &record, NULL, NULL) == 0);
    store_unlock(&lock);
    record_clear(&record);
    acquire_init(&a, account);
}

static void
begin_alice(void)
{
    begin(ALICE);
}

static void
begin_signed(void)
{
    begin(SIGNED);
}

static void
begin_found(void)
{
    begin(FOUND);
}

static bool
refresh(void)
{
    struct acquire_want want = {.look_only = false};
    struct deadline deadline = deadline_in(5000);
    struct err err = ERR_INIT;
    int r = acquire_token(&a, &store, &want, &deadline, &err);

    if (r != 0)
        fuzz_result(r, &err, ~0u);
    FUZZ_CHECK(strstr(err.text, "CANARY") == NULL && strstr(err.hint, "CANARY") == NULL);
    return r == 0 && !a.unsaved;
}

static bool
has_present(const struct record *record)
{
    char text[64];

    snprintf(text, sizeof text, "CANARY-refresh-%d", (int)provider_state->present);
    return strcmp(secret_str(&record->refresh_token), text) == 0;
}

/* The good refresh token is on the disk or, where it could not be written, in memory,
 * from where the next one who looks writes it. */
static void
not_lost(bool done)
{
    struct record stored = RECORD_INIT;
    struct acquire_want look = {.look_only = true, .memory_newer = a.unsaved};
    struct record memory = RECORD_INIT;
    struct store_stamp stamp = a.stamp;
    struct err err = ERR_INIT;
    struct acquire next;

    fuzz_result(store_read(&store, account->name, &stored, NULL, &err), &err, 0);
    if (!has_present(&stored) && !(a.unsaved && has_present(&a.record))) {
        FUZZ_CHECK(!done && wrap_struck_memory());
        fault_lost++;
        fault_note("the token was lost");
        provider_state->present = 0; /* as after a new sign-in */
    } else if (!has_present(&stored)) {
        record_move(&memory, &a.record);
        look.memory = &memory;
        look.memory_stamp = &stamp;
        acquire_clear(&a);
        acquire_init(&next, account);
        fuzz_result(acquire_token(&next, &store, &look, NULL, &err), &err,
                    MAY(ERR_TEMP) | MAY(ERR_TIMEOUT));
        acquire_clear(&next);
        record_clear(&stored);
        FUZZ_CHECK(store_read(&store, account->name, &stored, NULL, NULL) == 0);
        FUZZ_CHECK(has_present(&stored));
    }
    record_clear(&memory);
    record_clear(&stored);
    acquire_clear(&a);
}

const struct fault_scenario fault_scenarios[] = {
    {"refresh", begin_alice, refresh, not_lost},
    {"refresh with a certificate", begin_signed, refresh, not_lost},
    {"refresh with discovery", begin_found, refresh, not_lost},
};
const size_t fault_scenario_count = sizeof fault_scenarios / sizeof fault_scenarios[0];
