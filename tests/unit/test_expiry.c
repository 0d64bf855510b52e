/* link: -Wl,--wrap=wallclock_now */
/* test_expiry.c - certificates are read and watched, secrets' dates are watched. */
#include "agent/expiry.h"
#include "base/wallclock.h"
#include "client/deadline.h"
#include "key_kit.h"
#include "oauth_kit.h"
#include "scratch.h"

#include <openssl/evp.h>

#define T INT64_C(1700000000)
#define DAY INT64_C(86400)

int64_t __wrap_wallclock_now(void);
static int64_t now;

int64_t
__wrap_wallclock_now(void)
{
    return now;
}

static EVP_PKEY *key;
static struct worker *worker;
static struct hooks *hooks;
static struct expiry *expiry;
static int real_err;

static void
wake(void *arg)
{
    (void)arg;
}

static int
setup(void **state)
{
    key = kit_rsa(2048);
    return conf_setup(state);
}

static int
teardown(void **state)
{
    EVP_PKEY_free(key);
    return conf_teardown(state);
}

static const char hook[] = "#!/bin/sh\n"
                           "echo \"$MAILBEARER_EVENT $MAILBEARER_ACCOUNT: "
                           "$MAILBEARER_REASON\" >> out\n";

/* The log goes to the file `err`, and on_failure appends to `out`. */
static int
begin(void **state)
{
    char cwd[SCRATCH_PATH_MAX], script[SCRATCH_PATH_MAX];
    char *words[] = {script};
    const struct name_list command = {words, 1}, none = {NULL, 0};
    struct err err = ERR_INIT;
    int fd;

    (void)state;
    now = T;
    assert_non_null(getcwd(cwd, sizeof cwd));
    scratch_path(script, cwd, "hook");
    conf_write("out", "");
    conf_write_bytes("hook", hook, sizeof hook - 1, 0700);
    real_err = dup(STDERR_FILENO);
    fd = open("err", O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    close(fd);
    assert_int_equal(worker_new(&worker, wake, NULL, &err), 0);
    assert_int_equal(hooks_new(worker, &hooks, &err), 0);
    assert_int_equal(hooks_set_commands(hooks, &command, &none, &err), 0);
    assert_int_equal(expiry_new(worker, hooks, &expiry, &err), 0);
    return 0;
}

static int
finish(void **state)
{
    (void)state;
    hooks_end(hooks);
    worker_free(&worker);
    expiry_free(&expiry);
    assert_null(expiry);
    hooks_free(&hooks);
    dup2(real_err, STDERR_FILENO);
    close(real_err);
    return 0;
}

static void
write_certificate(const char *name, int64_t not_after)
{
    struct secret pem = SECRET_INIT;

    kit_certificate(key, T - DAY, not_after, &pem);
    conf_write_bytes(name, pem.data, pem.len, 0644);
    secret_clear(&pem);
}

static void
use(const char *conf)
{
    struct accounts *accounts = conf_accept(conf);
    struct err err = ERR_INIT;

    assert_int_equal(expiry_set_accounts(expiry, accounts, &err), 0);
    accounts_free(&accounts);
}

/* Looks, and waits until the account's certificate has this date. */
static void
wait_for(const char *account, int64_t date)
{
    struct deadline dl = deadline_in(5000);

    expiry_tick(expiry);
    while (expiry_certificate(expiry, account) != date && !deadline_passed(&dl)) {
        worker_collect(worker);
        usleep(2000);
    }
    assert_int_equal(expiry_certificate(expiry, account), date);
}

/* The file has exactly these lines in it, in the end. */
static void
says(const char *file, const char *text)
{
    struct deadline dl = deadline_in(5000);
    char buf[4096];

    do {
        worker_collect(worker);
        scratch_read(file, buf, sizeof buf);
        if (strcmp(buf, text) == 0)
            break;
        usleep(5000);
    } while (!deadline_passed(&dl));
    assert_string_equal(buf, text);
}

static size_t
count_lines(const char *file)
{
    char buf[4096];
    size_t n = scratch_read(file, buf, sizeof buf), count = 0;

    for (size_t i = 0; i < n; i++)
        count += buf[i] == '\n';
    return count;
}

#define APP(name, more)                                                                  \
    "account " name " { client_id = c grant = client_credentials tenant = t.example\n"   \
    "    " more " }\n"
#define CERT_HINT                                                                        \
    "make a new pair, register the certificate with the application, and put both in "   \
    "place of the old ones"

static void
dates_are_read(void **state)
{
    (void)state;
    write_certificate("a.pem", T + 100 * DAY);
    write_certificate("b.pem", T + 200 * DAY);
    conf_write("broken.pem", "no certificate");
    use(APP("a", "client_certificate = a.pem") APP("b", "client_certificate = b.pem")
            APP("c", "client_certificate = a.pem") APP("d", "client_secret = CANARY")
                APP("e", "client_certificate = broken.pem")
                    APP("f", "client_certificate = absent.pem"));
    assert_int_equal(expiry_certificate(expiry, "a"), 0);
    wait_for("a", T + 100 * DAY);
    assert_int_equal(expiry_certificate(expiry, "b"), T + 200 * DAY);
    assert_int_equal(expiry_certificate(expiry, "c"), T + 100 * DAY);
    assert_int_equal(expiry_certificate(expiry, "d"), 0);
    assert_int_equal(expiry_certificate(expiry, "e"), 0);
    assert_int_equal(expiry_certificate(expiry, "f"), 0);
    assert_int_equal(expiry_certificate(expiry, "nobody"), 0);
    assert_int_equal(expiry_certificate(NULL, "a"), 0);
    says("err", "");
}

static void
a_certificate_is_warned_about_and_a_new_one_noticed(void **state)
{
    static const char conf[] = APP("a", "client_certificate = a.pem");

    (void)state;
    write_certificate("a.pem", T + 20 * DAY + 100);
    use(conf);
    wait_for("a", T + 20 * DAY + 100);
    says("err",
         "a: the client certificate expires in 20 days (2023-12-04) -> " CERT_HINT "\n");
    says("out", "expiry a: the client certificate expires in 20 days (2023-12-04)\n");
    /* reading the accounts again is no reason to repeat it */
    use(conf);
    assert_int_equal(expiry_certificate(expiry, "a"), T + 20 * DAY + 100);
    expiry_tick(expiry);
    usleep(100000);
    worker_collect(worker);
    /* the next look would be in a minute; reading them again makes one */
    now = T + 19 * DAY + DAY / 2;
    use(conf);
    expiry_tick(expiry);
    says("out", "expiry a: the client certificate expires in 20 days (2023-12-04)\n"
                "expiry a: the client certificate expires within a day (2023-12-04)\n");
    write_certificate("a.pem", T + 400 * DAY);
    use(conf);
    wait_for("a", T + 400 * DAY);
    usleep(100000);
    worker_collect(worker);
    says("out", "expiry a: the client certificate expires in 20 days (2023-12-04)\n"
                "expiry a: the client certificate expires within a day (2023-12-04)\n");
}

static void
a_secret_is_warned_about(void **state)
{
    static const char conf[] =
        APP("a", "client_secret = CANARY secret_expires = 2023-11-21")
            APP("b", "client_secret = CANARY secret_expires = 2023-01-01")
                APP("c", "client_secret = CANARY secret_expires = 2030-01-01");

    (void)state;
    use(conf);
    expiry_tick(expiry);
    says("err",
         "a: the client secret expires in 6 days (2023-11-21) -> make a new secret for "
         "the application, put it in place of the old one, and set secret_expires to its "
         "end\n"
         "b: the client secret has expired (2023-01-01) -> make a new secret for the "
         "application, put it in place of the old one, and set secret_expires to its "
         "end\n");
    use(conf);
    expiry_tick(expiry);
    expiry_tick(expiry);
    now += 6 * DAY;
    expiry_tick(expiry); /* too early: it looks once a minute */
    assert_int_equal(count_lines("err"), 2);
    use(conf);
    expiry_tick(expiry);
    says(
        "err",
        "a: the client secret expires in 6 days (2023-11-21) -> make a new secret for "
        "the application, put it in place of the old one, and set secret_expires to its "
        "end\n"
        "b: the client secret has expired (2023-01-01) -> make a new secret for the "
        "application, put it in place of the old one, and set secret_expires to its "
        "end\n"
        "a: the client secret expires within a day (2023-11-21) -> make a new secret for "
        "the application, put it in place of the old one, and set secret_expires to its "
        "end\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, finish)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(dates_are_read),
        TEST(a_certificate_is_warned_about_and_a_new_one_noticed),
        TEST(a_secret_is_warned_about),
    };

    return cmocka_run_group_tests_name("expiry", tests, setup, teardown);
}
