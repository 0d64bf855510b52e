/* test_plugin.c - libmailbearer.so as a mail program meets it: loaded, with libsasl's
 * part played by hand. How the mechanisms are used is best read here. */
/* link: -rdynamic */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "fake_agent.h"
#include "scratch.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TOKEN "eyJ0eXAiOiJKV1QiLCANARYabcdef0123456789"
#define MESSAGE "user=alice@contoso.com\001auth=Bearer " TOKEN "\001\001"

static sasl_client_plug_t *plugs; /* [0] XOAUTH2, [1] OAUTHBEARER */
static char dir[SCRATCH_PATH_MAX];
static char socket_path[SCRATCH_PATH_MAX];

/* --- time ------------------------------------------------------------------------ */

static atomic_int speed = 1;

int
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name)
clock_gettime(clockid_t clock, struct timespec *t)
{
    long r = syscall(SYS_clock_gettime, clock, t);
    long long ns = (long long)t->tv_sec * 1000000000 + t->tv_nsec;

    if (clock == CLOCK_MONOTONIC && speed > 1) {
        ns *= speed;
        t->tv_sec = (time_t)(ns / 1000000000);
        t->tv_nsec = (long)(ns % 1000000000);
    }
    return (int)r;
}

int
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name)
poll(struct pollfd *fds, nfds_t count, int ms)
{
    return (int)syscall(SYS_poll, fds, count, ms > 0 ? (ms + speed - 1) / speed : ms);
}

static double
seconds(void)
{
    struct timespec t;

    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- the host -------------------------------------------------------------------- */

struct host {
    const char *authname;
    const char *user; /* NULL: the host has no such callback */
    const void *pass;
    size_t pass_len;
    bool prompts;      /* gives the three by SASL_INTERACT */
    int authname_code; /* what the callbacks return */
    int pass_code;
    int canon_code;
    sasl_secret_t *secret; /* what the password callback handed out */
    char log[4096];        /* "LEVEL text\n" */
    char error[2048];
    char canon_user[300];
    char canon_authid[300];
    sasl_utils_t utils;
    sasl_client_params_t params;
    sasl_out_params_t oparams;
    const sasl_client_plug_t *plug;
    void *context;
    sasl_interact_t *prompt_need;
    const char *out;
    unsigned out_len;
};

static atomic_int allocated;
static bool malloc_fails;

static void *
host_malloc(size_t size)
{
    if (malloc_fails)
        return NULL;
    allocated++;
    return malloc(size);
}

static void
host_free(void *p)
{
    if (p != NULL)
        allocated--;
    free(p);
}

static int
give_name(void *context, int id, const char **result, unsigned *len)
{
    struct host *h = context;

    assert_null(len);
    *result = id == SASL_CB_USER ? h->user : h->authname;
    return id == SASL_CB_USER ? SASL_OK : h->authname_code;
}

static int
give_secret(sasl_conn_t *conn, void *context, int id, sasl_secret_t **secret)
{
    struct host *h = context;

    assert_int_equal(id, SASL_CB_PASS);
    assert_ptr_equal(conn, h);
    if (h->pass_code != SASL_OK)
        return h->pass_code;
    free(h->secret);
    h->secret = NULL;
    if (h->pass != NULL) {
        h->secret = calloc(1, sizeof(sasl_secret_t) + h->pass_len + 1);
        h->secret->len = h->pass_len;
        memcpy(h->secret->data, h->pass, h->pass_len);
    }
    *secret = h->secret;
    return SASL_OK;
}

static int
host_getcallback(sasl_conn_t *conn, unsigned long id, sasl_callback_ft *proc,
                 void **context)
{
    struct host *h = (struct host *)(void *)conn;

    *proc = NULL;
    *context = h;
    if (id != SASL_CB_AUTHNAME && id != SASL_CB_PASS && id != SASL_CB_USER)
        return SASL_FAIL;
    if (id == SASL_CB_USER && h->user == NULL)
        return SASL_FAIL;
    if (h->prompts)
        return SASL_INTERACT;
    *proc = id == SASL_CB_PASS ? (sasl_callback_ft)(void (*)(void))give_secret
                               : (sasl_callback_ft)(void (*)(void))give_name;
    return SASL_OK;
}

static void __attribute__((format(printf, 3, 4)))
host_log(sasl_conn_t *conn, int level, const char *format, ...)
{
    struct host *h = (struct host *)(void *)conn;
    size_t len;
    va_list args;

    if (h == NULL)
        return;
    len = strlen(h->log);
    snprintf(h->log + len, sizeof(h->log) - len, "%d ", level);
    len = strlen(h->log);
    va_start(args, format);
    vsnprintf(h->log + len, sizeof(h->log) - len, format, args);
    va_end(args);
    len = strlen(h->log);
    snprintf(h->log + len, sizeof(h->log) - len, "\n");
}

static void __attribute__((format(printf, 3, 4)))
host_seterror(sasl_conn_t *conn, unsigned flags, const char *format, ...)
{
    struct host *h = (struct host *)(void *)conn;
    va_list args;

    assert_int_equal(flags, 0); /* libsasl logs it */
    va_start(args, format);
    vsnprintf(h->error, sizeof(h->error), format, args);
    va_end(args);
}

static int
host_canon(sasl_conn_t *conn, const char *in, unsigned len, unsigned flags,
           sasl_out_params_t *oparams)
{
    struct host *h = (struct host *)(void *)conn;

    assert_int_equal(len, 0);
    if (h->canon_code != SASL_OK)
        return h->canon_code;
    if ((flags & SASL_CU_AUTHID) != 0) {
        snprintf(h->canon_authid, sizeof(h->canon_authid), "%s", in);
        oparams->authid = h->canon_authid;
    }
    if ((flags & SASL_CU_AUTHZID) != 0) {
        snprintf(h->canon_user, sizeof(h->canon_user), "%s", in);
        oparams->user = h->canon_user;
    }
    return SASL_OK;
}

/* A host for alice with this password, which begins an exchange with this mechanism. */
static void
host_begin(struct host *h, int mech, const char *pass)
{
    memset(h, 0, sizeof(*h));
    h->authname = "alice@contoso.com";
    h->pass = pass;
    h->pass_len = pass != NULL ? strlen(pass) : 0;
    h->utils.conn = (sasl_conn_t *)(void *)h;
    h->utils.malloc = host_malloc;
    h->utils.free = host_free;
    h->utils.getcallback = host_getcallback;
    h->utils.log = host_log;
    h->utils.seterror = host_seterror;
    h->params.utils = &h->utils;
    h->params.canon_user = host_canon;
    h->plug = &plugs[mech];
    assert_int_equal(h->plug->mech_new(h->plug->glob_context, &h->params, &h->context),
                     SASL_OK);
}

static int
step(struct host *h, const char *in)
{
    return h->plug->mech_step(h->context, &h->params, in,
                              in != NULL ? (unsigned)strlen(in) : 0, &h->prompt_need,
                              &h->out, &h->out_len, &h->oparams);
}

/* Ends the exchange. Whatever it was: no log line ever holds a token. */
static void
host_end(struct host *h)
{
    h->plug->mech_dispose(h->context, &h->utils);
    assert_null(strstr(h->log, "CANARY"));
    assert_null(strstr(h->error, "CANARY"));
    if (h->secret != NULL)
        explicit_bzero(h->secret, sizeof(sasl_secret_t) + h->secret->len);
    free(h->secret);
}

static void
assert_out(const struct host *h, const char *expect, size_t len)
{
    assert_non_null(h->out);
    assert_int_equal(h->out_len, len);
    assert_memory_equal(h->out, expect, len);
}

static struct fake_agent *
agent_start(const struct fake_step *steps, size_t count)
{
    return fake_agent_start(socket_path, steps, count);
}

/* --- what is loaded -------------------------------------------------------------- */

static void
two_mechanisms(void **state)
{
    static const char *const names[] = {"XOAUTH2", "OAUTHBEARER"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        const sasl_client_plug_t *p = &plugs[i];

        assert_string_equal(p->mech_name, names[i]);
        assert_int_equal(p->max_ssf, 0);
        assert_int_equal(p->security_flags, SASL_SEC_NOANONYMOUS | SASL_SEC_NODICTIONARY |
                                                SASL_SEC_PASS_CREDENTIALS);
        assert_int_equal(p->security_flags & SASL_SEC_NOPLAINTEXT, 0);
        assert_int_equal(p->features,
                         SASL_FEAT_WANT_CLIENT_FIRST | SASL_FEAT_ALLOWS_PROXY);
        assert_non_null(p->required_prompts);
        assert_int_equal(p->required_prompts[0], SASL_CB_AUTHNAME);
        assert_int_equal(p->required_prompts[1], SASL_CB_PASS);
        assert_int_equal(p->required_prompts[2], SASL_CB_LIST_END);
    }
}

static void
an_old_libsasl_is_refused(void **state)
{
    sasl_client_plug_init_t *init;
    void *object = dlopen(getenv("MAILBEARER_PLUGIN"), RTLD_NOW | RTLD_LOCAL);
    sasl_utils_t utils = {.log = host_log};
    sasl_client_plug_t *list = NULL;
    int version = 0;
    int count = 0;

    (void)state;
    *(void **)&init = dlsym(object, "sasl_client_plug_init");
    assert_int_equal(init(&utils, SASL_CLIENT_PLUG_VERSION - 1, &version, &list, &count),
                     SASL_BADVERS);
    assert_null(list);
    dlclose(object);
}

static void
no_memory_for_an_exchange(void **state)
{
    sasl_utils_t utils = {.malloc = host_malloc};
    sasl_client_params_t params = {.utils = &utils};
    void *context = NULL;

    (void)state;
    malloc_fails = true;
    assert_int_equal(plugs[0].mech_new(NULL, &params, &context), SASL_NOMEM);
    malloc_fails = false;
    assert_null(context);
    plugs[0].mech_dispose(NULL, &utils);
}

/* --- exchanges that work --------------------------------------------------------- */

static void
a_literal_token(void **state)
{
    struct host h;

    (void)state;
    host_begin(&h, 0, TOKEN);
    assert_int_equal(step(&h, NULL), SASL_CONTINUE);
    assert_int_equal(h.oparams.doneflag, 0);
    assert_out(&h, MESSAGE, sizeof(MESSAGE) - 1);
    assert_string_equal(h.oparams.authid, "alice@contoso.com");
    assert_string_equal(h.oparams.user, "alice@contoso.com");
    assert_string_equal(
        h.log, "5 mailbearer: account alice@contoso.com, token from literal: sent\n");
    /* mbsync after the server's OK: NULL, 0. */
    assert_int_equal(step(&h, NULL), SASL_OK);
    assert_int_equal(h.oparams.doneflag, 1);
    assert_out(&h, "", 0);
    assert_string_equal(h.error, "");
    host_end(&h);
}

static void
an_empty_or_stale_last_step(void **state)
{
    static const char *const last[] = {"", "dXNlcj1hbGljZQFhdXRo",
                                       "OK AUTHENTICATE completed."};

    (void)state;
    for (size_t i = 0; i < COUNT(last); i++) {
        for (int mech = 0; mech < 2; mech++) {
            struct host h;

            host_begin(&h, mech, TOKEN);
            assert_int_equal(step(&h, ""), SASL_CONTINUE);
            h.log[0] = '\0';
            assert_int_equal(step(&h, last[i]), SASL_OK);
            assert_int_equal(h.oparams.doneflag, 1);
            assert_out(&h, "", 0);
            assert_string_equal(h.log, "");
            assert_int_equal(step(&h, ""), SASL_BADPROT);
            host_end(&h);
        }
    }
}

static void
another_mailbox(void **state)
{
    static const char expect[] =
        "user=shared@contoso.com\001auth=Bearer " TOKEN "\001\001";
    static const char bearer[] =
        "n,a=shared@contoso.com,\001auth=Bearer " TOKEN "\001\001";
    static const struct fake_step steps[] = {{FAKE_REPLY, "OK " TOKEN}};
    struct fake_agent *agent = agent_start(steps, 1);
    struct host h;

    (void)state;
    host_begin(&h, 0, "agent:");
    h.user = "shared@contoso.com";
    assert_int_equal(step(&h, NULL), SASL_CONTINUE);
    assert_out(&h, expect, sizeof(expect) - 1);
    assert_string_equal(h.oparams.authid, "alice@contoso.com");
    assert_string_equal(h.oparams.user, "shared@contoso.com");
    /* The account is who signs in, not the mailbox. */
    assert_string_equal(fake_agent_request(agent), "token alice@contoso.com");
    host_end(&h);
    host_begin(&h, 1, "agent:relay");
    h.user = "shared@contoso.com";
    assert_int_equal(step(&h, NULL), SASL_CONTINUE);
    assert_out(&h, bearer, sizeof(bearer) - 1);
    assert_string_equal(fake_agent_request(agent), "token relay");
    assert_string_equal(h.log, "5 mailbearer: account relay, token from agent: sent\n");
    host_end(&h);
    host_begin(&h, 0, TOKEN);
    h.user = "";
    assert_int_equal(step(&h, NULL), SASL_CONTINUE);
    assert_out(&h, MESSAGE, sizeof(MESSAGE) - 1);
    host_end(&h);
    fake_agent_stop(agent);
}

static void
a_token_file(void **state)
{
    char path[SCRATCH_PATH_MAX];
    char pass[SCRATCH_PATH_MAX + 8];
    struct host h;

    (void)state;
    scratch_write(scratch_path(path, dir, "a.token"), TOKEN "\nx\n", strlen(TOKEN) + 3,
                  0600);
    snprintf(pass, sizeof(pass), "file:%s", path);
    host_begin(&h, 0, pass);
    assert_int_equal(step(&h, NULL), SASL_CONTINUE);
    assert_out(&h, MESSAGE, sizeof(MESSAGE) - 1);
    assert_string_equal(
        h.log, "5 mailbearer: account alice@contoso.com, token from file: sent\n");
    host_end(&h);
    unlink(path);
    host_begin(&h, 0, pass);
    assert_int_equal(step(&h, NULL), SASL_CONFIGERR);
    assert_non_null(strstr(h.error, "token from file: cannot open the token file "));
    host_end(&h);
}

static void
an_agent_that_restarts(void **state)
{
    static const struct fake_step steps[] = {{FAKE_CUT, ""}, {FAKE_REPLY, "OK " TOKEN}};
    struct fake_agent *agent = agent_start(steps, 2);
    struct host h;

    (void)state;
    host_begin(&h, 0, "agent:");
    assert_int_equal(step(&h, NULL), SASL_CONTINUE);
    assert_out(&h, MESSAGE, sizeof(MESSAGE) - 1);
    host_end(&h);
    assert_int_equal(fake_agent_stop(agent), 2);
}

/* --- prompts --------------------------------------------------------------------- */

static void
prompts_come_before_the_token(void **state)
{
    static const struct fake_step steps[] = {{FAKE_REPLY, "OK " TOKEN}};
    struct fake_agent *agent = agent_start(steps, 1);
    static const unsigned long ids[] = {SASL_CB_AUTHNAME, SASL_CB_USER, SASL_CB_PASS,
                                        SASL_CB_LIST_END};
    static const char *const answers[] = {"alice@contoso.com", "", "agent:"};
    struct host h;

    (void)state;
    host_begin(&h, 0, NULL);
    h.prompts = true;
    h.user = "";
    assert_int_equal(step(&h, NULL), SASL_INTERACT);
    assert_non_null(h.prompt_need);
    for (size_t i = 0; i < COUNT(ids); i++)
        assert_int_equal(h.prompt_need[i].id, ids[i]);
    assert_int_equal(fake_agent_connections(agent), 0);
    for (size_t i = 0; i < COUNT(answers); i++) {
        assert_non_null(h.prompt_need[i].prompt);
        h.prompt_need[i].result = answers[i];
        h.prompt_need[i].len = (unsigned)strlen(answers[i]);
    }
    assert_int_equal(step(&h, NULL), SASL_CONTINUE);
    assert_null(h.prompt_need);
    assert_out(&h, MESSAGE, sizeof(MESSAGE) - 1);
    host_end(&h);
    assert_int_equal(fake_agent_stop(agent), 1);
}

static void
prompts_without_answers(void **state)
{
    struct host h;

    (void)state;
    host_begin(&h, 0, NULL);
    h.prompts = true;
    assert_int_equal(step(&h, NULL), SASL_INTERACT);
    assert_int_equal(h.prompt_need[1].id, SASL_CB_PASS); /* no mailbox is asked for */
    assert_int_equal(step(&h, NULL), SASL_BADPARAM);
    assert_string_equal(h.error, "mailbearer: the mail program gives no user name");
    host_end(&h);
    host_begin(&h, 0, NULL);
    h.prompts = true;
    assert_int_equal(h.plug->mech_step(h.context, &h.params, NULL, 0, NULL, &h.out,
                                       &h.out_len, &h.oparams),
                     SASL_BADPARAM);
    assert_string_equal(h.error, "mailbearer: the mail program takes no prompts");
    host_end(&h);
}

/* --- refusals by the server ------------------------------------------------------ */

#define REFUSAL "{\"status\":\"401\",\"scope\":\"mail\"}"

static void
a_refused_agent_token(void **state)
{
    static const struct fake_step steps[] = {{FAKE_REPLY, "OK " TOKEN},
                                             {FAKE_REPLY, "OK "}};

    (void)state;
    for (int mech = 0; mech < 2; mech++) {
        struct fake_agent *agent = agent_start(steps, 2);
        struct host h;

        host_begin(&h, mech, "agent:relay");
        assert_int_equal(step(&h, NULL), SASL_CONTINUE);
        h.log[0] = '\0';
        assert_int_equal(step(&h, REFUSAL), SASL_OK);
        assert_int_equal(h.oparams.doneflag, 1);
        assert_out(&h, mech == 0 ? "" : "\001", mech == 0 ? 0 : 1);
        assert_string_equal(h.log,
                            "3 mailbearer: account relay, token from agent: refused by "
                            "the server: " REFUSAL
                            " -> if it stays so, run: mailbearer doctor relay\n");
        assert_string_equal(fake_agent_request(agent), "rejected " TOKEN " relay");
        host_end(&h);
        assert_int_equal(fake_agent_stop(agent), 2);
    }
}

static void
reporting_may_fail(void **state)
{
    static const struct fake_step steps[] = {{FAKE_REPLY, "OK " TOKEN},
                                             {FAKE_SILENT, ""}};
    struct fake_agent *agent = agent_start(steps, 2);
    struct host h;
    double begin;

    (void)state;
    host_begin(&h, 0, "agent:relay");
    assert_int_equal(step(&h, NULL), SASL_CONTINUE);
    begin = seconds();
    speed = 10;
    assert_int_equal(step(&h, REFUSAL), SASL_OK);
    speed = 1;
    assert_true(seconds() - begin < 1.5); /* 0.2 s of 2 s */
    assert_out(&h, "", 0);
    assert_string_equal(h.error, "");
    host_end(&h);
    fake_agent_stop(agent);
}

static void
other_refused_tokens(void **state)
{
    static const struct fake_step steps[] = {{FAKE_REPLY, "OK wrong"}};
    struct fake_agent *agent = agent_start(steps, 1);
    char path[SCRATCH_PATH_MAX];
    char pass[SCRATCH_PATH_MAX + 8];
    struct host h;

    (void)state;
    host_begin(&h, 0, TOKEN);
    assert_int_equal(step(&h, NULL), SASL_CONTINUE);
    h.log[0] = '\0';
    assert_int_equal(step(&h, REFUSAL), SASL_OK);
    assert_string_equal(
        h.log,
        "3 mailbearer: account alice@contoso.com, token from literal: refused by the "
        "server: " REFUSAL " -> is this the password of a relay that has no tokens? "
        "libsasl prefers XOAUTH2 to PLAIN and LOGIN: set smtp_sasl_mechanism_filter "
        "there, see mailbearer-sasl(7); mailbearer doctor --postfix checks it\n");
    host_end(&h);
    scratch_write(scratch_path(path, dir, "a.token"), TOKEN "\n", strlen(TOKEN) + 1,
                  0600);
    snprintf(pass, sizeof(pass), "file:%s", path);
    host_begin(&h, 0, pass);
    assert_int_equal(step(&h, NULL), SASL_CONTINUE);
    h.log[0] = '\0';
    assert_int_equal(step(&h, REFUSAL), SASL_OK);
    assert_string_equal(
        h.log, "3 mailbearer: account alice@contoso.com, token from file: refused by the "
               "server: " REFUSAL " -> look at what writes the token file\n");
    host_end(&h);
    assert_int_equal(fake_agent_stop(agent), 0);
}

static void
a_refusal_is_cleaned(void **state)
{
    struct host h;

    (void)state;
    host_begin(&h, 0, TOKEN);
    assert_int_equal(step(&h, NULL), SASL_CONTINUE);
    assert_int_equal(step(&h, "{\r\nNov 21 postfix: forged %s %n\x1b[2J}"), SASL_OK);
    assert_non_null(
        strstr(h.log, "by the server: {??Nov 21 postfix: forged %s %n?[2J} -> is this"));
    host_end(&h);
    host_begin(&h, 0, TOKEN);
    assert_int_equal(step(&h, NULL), SASL_CONTINUE);
    assert_int_equal(step(&h, "{\"bad token\":\"" TOKEN "\"}"), SASL_OK);
    assert_non_null(
        strstr(h.log, "by the server: (not shown: it repeats the token) -> "));
    host_end(&h); /* looks for the token */
}

/* --- errors ---------------------------------------------------------------------- */

static void
what_the_agent_says(void **state)
{
    static const struct {
        const char *reply;
        int code;
        const char *error;
    } table[] = {
        {"NOTFOUND ", SASL_NOUSER, "no such account"},
        {"TEMP HTTP 503 -> wait", SASL_UNAVAIL, "HTTP 503 -> wait"},
        {"TIMEOUT no reply", SASL_UNAVAIL, "no reply"},
        {"PERM AADSTS7000222: secret expired -> renew it", SASL_EXPIRED,
         "AADSTS7000222: secret expired -> renew it"},
        {"PERM not allowed: user postfix", SASL_NOAUTHZ, "not allowed: user postfix"},
        {"what", SASL_UNAVAIL, "the agent's reply has an unknown status"},
        {"OK ", SASL_BADPARAM, "the access token is empty"},
        {"OK eyJ\001CANARY", SASL_BADPARAM, "the access token holds a control character"},
        {"OK eyJ\r\nCANARY", SASL_BADPARAM, "the access token holds a control character"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct fake_step steps[] = {{FAKE_REPLY, table[i].reply},
                                    {FAKE_REPLY, "OK " TOKEN}};
        struct fake_agent *agent = agent_start(steps, 2);
        char expect[300];
        struct host h;

        host_begin(&h, 0, "agent:relay");
        assert_int_equal(step(&h, NULL), table[i].code);
        snprintf(expect, sizeof(expect),
                 "mailbearer: account relay, token from agent: %s", table[i].error);
        assert_string_equal(h.error, expect);
        assert_null(h.out);
        assert_int_equal(h.out_len, 0);
        assert_int_equal(h.oparams.doneflag, 0);
        /* A host may try the same exchange again. */
        assert_int_equal(step(&h, NULL), SASL_CONTINUE);
        assert_out(&h, MESSAGE, sizeof(MESSAGE) - 1);
        host_end(&h);
        assert_int_equal(fake_agent_stop(agent), 2);
    }
}

static void
no_agent(void **state)
{
    char expect[SCRATCH_PATH_MAX + 200];
    struct host h;

    (void)state;
    host_begin(&h, 0, "agent:");
    assert_int_equal(step(&h, NULL), SASL_UNAVAIL);
    snprintf(expect, sizeof(expect),
             "mailbearer: account alice@contoso.com, token from agent: no agent at %s: "
             "No such "
             "file or directory -> start the agent, see mailbearer-agent(8)",
             socket_path);
    assert_string_equal(h.error, expect);
    host_end(&h);
}

static void
one_deadline_of_ten_seconds(void **state)
{
    static const struct fake_step steps[] = {{FAKE_SILENT, ""}};
    struct fake_agent *agent = agent_start(steps, 1);
    double begin = seconds();
    struct host h;

    (void)state;
    host_begin(&h, 0, "agent:relay");
    speed = 20;
    assert_int_equal(step(&h, NULL), SASL_UNAVAIL);
    speed = 1;
    begin = seconds() - begin;
    assert_true(begin > 0.45 && begin < 2.5); /* 10 s / 20 = 0.5 s */
    assert_string_equal(h.error,
                        "mailbearer: account relay, token from agent: the agent did "
                        "not answer in time");
    host_end(&h);
    fake_agent_stop(agent);
}

static void
names_and_passwords_that_are_refused(void **state)
{
    static const char *const names[] = {"a\001b", "alice@contoso.com\n", "a\r\nb",
                                        "\x7f"};
    static const char *const passwords[] = {"eyJ\001CANARY", "agent:a\nb", "file:/x\r",
                                            "eyJCANARY\n"};
    struct host h;

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        host_begin(&h, 0, TOKEN);
        h.authname = names[i];
        assert_int_equal(step(&h, NULL), SASL_BADPARAM);
        assert_string_equal(h.error,
                            "mailbearer: the user name holds a control character");
        host_end(&h);
        host_begin(&h, 1, TOKEN);
        h.user = names[i];
        assert_int_equal(step(&h, NULL), SASL_BADPARAM);
        assert_string_equal(h.error,
                            "mailbearer: the user name holds a control character");
        host_end(&h);
    }
    for (size_t i = 0; i < COUNT(passwords); i++) {
        host_begin(&h, 0, passwords[i]);
        assert_int_equal(step(&h, NULL), SASL_BADPARAM);
        assert_non_null(strstr(h.error,
                               ": the password holds a control character; it is one "
                               "line: agent:ACCOUNT, file:PATH or an access token"));
        host_end(&h);
    }
    host_begin(&h, 0, NULL);
    h.pass = "eyJ\0CANARY";
    h.pass_len = 10;
    assert_int_equal(step(&h, NULL), SASL_BADPARAM);
    assert_non_null(strstr(h.error, "smtp_sasl_mechanism_filter"));
    host_end(&h);
    host_begin(&h, 0, NULL);
    assert_int_equal(step(&h, NULL), SASL_BADPARAM);
    assert_non_null(strstr(h.error, ": the password is empty: "));
    host_end(&h);
    host_begin(&h, 0, TOKEN);
    h.authname = NULL;
    assert_int_equal(step(&h, NULL), SASL_BADPARAM);
    assert_string_equal(h.error, "mailbearer: the mail program gives no user name");
    host_end(&h);
}

static void
codes_of_the_host_are_passed_on(void **state)
{
    struct host h;

    (void)state;
    host_begin(&h, 0, TOKEN);
    h.authname_code = SASL_NOMEM;
    assert_int_equal(step(&h, NULL), SASL_NOMEM);
    host_end(&h);
    host_begin(&h, 0, TOKEN);
    h.pass_code = SASL_FAIL;
    assert_int_equal(step(&h, NULL), SASL_FAIL);
    host_end(&h);
    host_begin(&h, 0, TOKEN);
    h.canon_code = SASL_BUFOVER;
    assert_int_equal(step(&h, NULL), SASL_BUFOVER);
    host_end(&h);
}

/* --- what stays in memory -------------------------------------------------------- */

#define CHUNK 65536

/* Counts the places in this process's memory that hold the token, which is given masked,
 * read by way of the kernel into a buffer that is itself left out. */
static int
copies_in_memory(const char *masked, size_t len)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    /* Shared: a private one may become one mapping with what musl's malloc() has. */
    char *chunk =
        mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned long from, to;
    char mode[8];
    char line[512];
    int found = 0;

    assert_true(maps != NULL && mem != -1 && chunk != MAP_FAILED);
    while (fgets(line, sizeof(line), maps) != NULL) {
        assert_int_equal(sscanf(line, "%lx-%lx %7s", &from, &to, mode), 3);
        /* Not what a sanitizer reserves by the terabyte. */
        if (mode[1] != 'w' || to - from > 512ul * 1024 * 1024 ||
            from == (unsigned long)(uintptr_t)chunk)
            continue;
        for (unsigned long at = from; at < to; at += CHUNK - len) {
            size_t want = to - at < CHUNK ? to - at : CHUNK;
            ssize_t n;

            n = pread(mem, chunk, want, (off_t)at);
            for (ssize_t i = 0; i + (ssize_t)len <= n; i++) {
                size_t k = 0;

                while (k < len && (char)(chunk[i + (ssize_t)k] ^ FAKE_MASK) == masked[k])
                    k++;
                found += k == len;
            }
            if (want < CHUNK)
                break;
        }
    }
    explicit_bzero(chunk, CHUNK);
    munmap(chunk, CHUNK);
    close(mem);
    fclose(maps);
    return found;
}

/* Fills `masked` with a token that is in this process only so: XOR FAKE_MASK. */
static void
token_make(char *masked, size_t len)
{
    /* Without U: masked it is a NUL. */
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTVWXYZ012345678";

    for (size_t i = 0; i < len; i++) {
        unsigned char random;

        assert_int_equal(getentropy(&random, 1), 0);
        masked[i] = (char)(letters[random % (sizeof(letters) - 1)] ^ FAKE_MASK);
    }
    masked[len] = '\0';
}

static void
nothing_stays_of_an_agents_token(void **state)
{
    static char reply[3 + 3000 + 1];
    static const struct fake_step steps[] = {
        {FAKE_MASKED, reply}, {FAKE_MASKED, "\x1a\x1e\x75"}, {FAKE_MASKED, reply}};
    struct fake_agent *agent = agent_start(steps, 3);
    const char *token = reply + 3;
    struct host h;

    (void)state;
    token_make(reply, 3003);
    memcpy(reply, "\x1a\x1e\x75", 3); /* "OK " */
    host_begin(&h, 0, "agent:relay");
    assert_int_equal(step(&h, NULL), SASL_CONTINUE);
    assert_int_equal(h.out_len, strlen(MESSAGE) - strlen(TOKEN) + 3000);
    assert_true(copies_in_memory(token, 64) > 0); /* the search works */
    assert_int_equal(step(&h, "{\"status\":\"401\"}"), SASL_OK);
    assert_int_equal(copies_in_memory(token, 64), 0);
    host_end(&h);
    /* Disposed of in the middle, as by Postfix after Exchange's 235 or 535. */
    host_begin(&h, 1, "agent:relay");
    assert_int_equal(step(&h, NULL), SASL_CONTINUE);
    assert_true(copies_in_memory(token, 64) > 0);
    host_end(&h);
    assert_int_equal(copies_in_memory(token, 64), 0);
    assert_int_equal(copies_in_memory(token + 2936, 64), 0);
    assert_int_equal(fake_agent_stop(agent), 3);
}

static void
nothing_stays_of_other_tokens(void **state)
{
    char path[SCRATCH_PATH_MAX];
    char pass[SCRATCH_PATH_MAX + 8];
    static char masked[6001];
    char *plain = malloc(6001);
    struct host h;

    (void)state;
    token_make(masked, 6000);
    for (size_t i = 0; i < 6000; i++)
        plain[i] = (char)(masked[i] ^ FAKE_MASK);
    plain[6000] = '\n';
    scratch_write(scratch_path(path, dir, "big.token"), plain, 6001, 0600);
    plain[6000] = '\0';
    host_begin(&h, 0, plain);
    assert_int_equal(step(&h, NULL), SASL_CONTINUE);
    host_end(&h); /* wipes the host's own secret */
    explicit_bzero(plain, 6001);
    free(plain);
    assert_int_equal(copies_in_memory(masked, 64), 0);
    snprintf(pass, sizeof(pass), "file:%s", path);
    host_begin(&h, 0, pass);
    assert_int_equal(step(&h, NULL), SASL_CONTINUE);
    assert_true(copies_in_memory(masked, 64) > 0);
    host_end(&h);
    assert_int_equal(copies_in_memory(masked, 64), 0);
    assert_int_equal(copies_in_memory(masked + 5936, 64), 0);
}

/* --- threads --------------------------------------------------------------------- */

#define THREADS 16
#define ROUNDS 50

static void *
many_exchanges(void *number)
{
    char user[40];
    char token[60];
    char expect[200];
    struct host h;
    long bad = 0;

    snprintf(user, sizeof(user), "user%ld@contoso.com", (long)(intptr_t)number);
    snprintf(token, sizeof(token), "eyJCANARY-%ld", (long)(intptr_t)number);
    for (int i = 0; i < ROUNDS; i++) {
        bool literal = i % 5 != 0;
        int n = snprintf(expect, sizeof(expect), "user=%s\001auth=Bearer %s\001\001",
                         user, literal ? token : TOKEN);

        host_begin(&h, 0, literal ? token : "agent:");
        h.authname = user;
        if (step(&h, NULL) != SASL_CONTINUE || h.out_len != (unsigned)n ||
            memcmp(h.out, expect, (size_t)n) != 0 || step(&h, NULL) != SASL_OK)
            bad++;
        host_end(&h);
    }
    return (void *)(intptr_t)bad;
}

static void
sixteen_threads(void **state)
{
    static const struct fake_step steps[] = {{FAKE_REPLY, "OK " TOKEN}};
    struct fake_agent *agent = agent_start(steps, 1);
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, many_exchanges, (void *)(intptr_t)i), 0);
    for (int i = 0; i < THREADS; i++) {
        void *bad = NULL;

        pthread_join(threads[i], &bad);
        assert_null(bad);
    }
    assert_int_equal(fake_agent_stop(agent), THREADS * ROUNDS / 5);
}

/* --- the frame ------------------------------------------------------------------- */

static int
load(void **state)
{
    sasl_client_plug_init_t *init = NULL;
    sasl_utils_t utils = {.log = host_log};
    char path[SCRATCH_PATH_MAX];
    const char *build = getenv("BUILD");
    void *object;
    int version = 0;
    int count = 0;

    (void)state;
    snprintf(path, sizeof(path), "%s/libmailbearer.so", build != NULL ? build : "build");
    setenv("MAILBEARER_PLUGIN", path, 0);
    object = dlopen(getenv("MAILBEARER_PLUGIN"), RTLD_NOW | RTLD_LOCAL);
    if (object == NULL) {
        print_error("%s\n", dlerror());
        return -1;
    }
    *(void **)&init = dlsym(object, "sasl_client_plug_init");
    if (init == NULL ||
        init(&utils, SASL_CLIENT_PLUG_VERSION, &version, &plugs, &count) != 0)
        return -1;
    return version == SASL_CLIENT_PLUG_VERSION && count == 2 ? 0 : -1;
}

static int
set_up(void **state)
{
    (void)state;
    scratch_make(dir);
    setenv("MAILBEARER_SOCKET", scratch_path(socket_path, dir, "agent.sock"), 1);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    scratch_remove(dir);
    return allocated == 0 ? 0 : -1;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_mechanisms),
        TEST(an_old_libsasl_is_refused),
        TEST(no_memory_for_an_exchange),
        TEST(a_literal_token),
        TEST(an_empty_or_stale_last_step),
        TEST(another_mailbox),
        TEST(a_token_file),
        TEST(an_agent_that_restarts),
        TEST(prompts_come_before_the_token),
        TEST(prompts_without_answers),
        TEST(a_refused_agent_token),
        TEST(reporting_may_fail),
        TEST(other_refused_tokens),
        TEST(a_refusal_is_cleaned),
        TEST(what_the_agent_says),
        TEST(no_agent),
        TEST(one_deadline_of_ten_seconds),
        TEST(names_and_passwords_that_are_refused),
        TEST(codes_of_the_host_are_passed_on),
        TEST(nothing_stays_of_an_agents_token),
        TEST(nothing_stays_of_other_tokens),
        TEST(sixteen_threads),
    };

    return cmocka_run_group_tests_name("plugin", tests, load, NULL);
}
