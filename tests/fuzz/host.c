/* host.c - see host.h. */
#include "host.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define XOAUTH2 "user=alice@b.example\1auth=Bearer " HOST_TOKEN "\1\1"
#define OAUTHBEARER "n,a=alice@b.example,\1auth=Bearer " HOST_TOKEN "\1\1"
#define REFUSAL "{\"status\":\"401\",\"schemes\":\"bearer\"}"

int sasl_client_plug_init(const sasl_utils_t *utils, int max_version, int *out_version,
                          sasl_client_plug_t **pluglist, int *plugcount);

struct host {
    const char *password;
    sasl_secret_t *secret;
    char name[64];
    char texts[4096]; /* what was logged or set as error */
    sasl_utils_t utils;
    sasl_client_params_t params;
    sasl_out_params_t out_params;
};

const sasl_client_plug_t *
host_plugs(void)
{
    static sasl_utils_t utils;
    sasl_client_plug_t *plugs = NULL;
    int version = 0, count = 0;

    FUZZ_CHECK(sasl_client_plug_init(&utils, SASL_CLIENT_PLUG_VERSION, &version, &plugs,
                                     &count) == SASL_OK);
    FUZZ_CHECK(count == 2);
    return plugs;
}

static int
give_name(void *context, int id, const char **result, unsigned *len)
{
    (void)context;
    (void)id;
    (void)len;
    *result = "alice@b.example";
    return SASL_OK;
}

static int
give_secret(sasl_conn_t *conn, void *context, int id, sasl_secret_t **secret)
{
    struct host *h = context;

    (void)conn;
    (void)id;
    *secret = h->secret;
    return SASL_OK;
}

static int
get_callback(sasl_conn_t *conn, unsigned long id, sasl_callback_ft *proc, void **context)
{
    *context = conn;
    *proc = id == SASL_CB_PASS ? (sasl_callback_ft)(void (*)(void))give_secret
                               : (sasl_callback_ft)(void (*)(void))give_name;
    return id == SASL_CB_AUTHNAME || id == SASL_CB_PASS ? SASL_OK : SASL_FAIL;
}

static void __attribute__((format(printf, 2, 0)))
add_text(struct host *h, const char *format, va_list args)
{
    size_t len = strlen(h->texts);

    vsnprintf(h->texts + len, sizeof h->texts - len, format, args);
}

static void __attribute__((format(printf, 3, 4)))
take_log(sasl_conn_t *conn, int level, const char *format, ...)
{
    va_list args;

    (void)level;
    if (conn == NULL)
        return;
    va_start(args, format);
    add_text((struct host *)(void *)conn, format, args);
    va_end(args);
}

static void __attribute__((format(printf, 3, 4)))
take_error(sasl_conn_t *conn, unsigned flags, const char *format, ...)
{
    va_list args;

    (void)flags;
    va_start(args, format);
    add_text((struct host *)(void *)conn, format, args);
    va_end(args);
}

static int
canon(sasl_conn_t *conn, const char *in, unsigned len, unsigned flags,
      sasl_out_params_t *out)
{
    struct host *h = (struct host *)(void *)conn;

    (void)len;
    snprintf(h->name, sizeof h->name, "%s", in);
    if ((flags & SASL_CU_AUTHID) != 0)
        out->authid = h->name;
    if ((flags & SASL_CU_AUTHZID) != 0)
        out->user = h->name;
    return SASL_OK;
}

static void *
plain_malloc(size_t size)
{
    return malloc(size);
}

static void
plain_free(void *p)
{
    free(p);
}

static void
begin(struct host *h, const char *password)
{
    size_t len = strlen(password);

    memset(h, 0, sizeof *h);
    h->secret = calloc(1, sizeof *h->secret + len + 1);
    if (h->secret != NULL) {
        h->secret->len = len;
        memcpy(h->secret->data, password, len);
    }
    h->utils.conn = (sasl_conn_t *)(void *)h;
    h->utils.malloc = plain_malloc;
    h->utils.free = plain_free;
    h->utils.getcallback = get_callback;
    h->utils.log = take_log;
    h->utils.seterror = take_error;
    h->params.utils = &h->utils;
    h->params.canon_user = canon;
}

/* The codes plugin.c gives to what can go wrong with a right configuration. */
static void
check_code(int code)
{
    static const int known[] = {SASL_OK,     SASL_CONTINUE, SASL_NOMEM,    SASL_UNAVAIL,
                                SASL_NOUSER, SASL_EXPIRED,  SASL_TRYAGAIN, SASL_NOAUTHZ,
                                SASL_FAIL,   SASL_BADPROT,  SASL_BADPARAM};
    bool found = false;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        found = found || known[i] == code;
    FUZZ_CHECK(found);
}

static int
steps(struct host *h, const sasl_client_plug_t *plug, void *context, int mech,
      bool refused)
{
    const char *expect = mech == 0 ? XOAUTH2 : OAUTHBEARER;
    sasl_interact_t *prompts = NULL;
    const char *out = NULL;
    unsigned len = 0;
    int code = plug->mech_step(context, &h->params, NULL, 0, &prompts, &out, &len,
                               &h->out_params);

    if (code != SASL_CONTINUE)
        return code;
    FUZZ_CHECK(len == strlen(expect) && memcmp(out, expect, len) == 0);
    out = NULL;
    code = plug->mech_step(context, &h->params, refused ? REFUSAL : NULL,
                           refused ? sizeof REFUSAL - 1 : 0, &prompts, &out, &len,
                           &h->out_params);
    if (refused && code == SASL_CONTINUE)
        FUZZ_CHECK(mech == 0 ? len == 0 : len == 1 && out[0] == '\1');
    return code == SASL_CONTINUE ? SASL_OK : code;
}

int
host_exchange(const sasl_client_plug_t *plugs, int mech, const char *password,
              bool refused)
{
    const sasl_client_plug_t *plug = &plugs[mech];
    struct host *h = malloc(sizeof *h);
    void *context = NULL;
    int code;

    if (h == NULL)
        return SASL_NOMEM;
    begin(h, password);
    if (h->secret == NULL) {
        free(h);
        return SASL_NOMEM;
    }
    code = plug->mech_new(plug->glob_context, &h->params, &context);
    if (code == SASL_OK) {
        code = steps(h, plug, context, mech, refused);
        plug->mech_dispose(context, &h->utils);
    }
    check_code(code);
    FUZZ_CHECK(strstr(h->texts, "CANARY") == NULL);
    free(h->secret);
    free(h);
    return code;
}

/* --- the agent */

static void
serve(int fd)
{
    static const char token[] = "OK " HOST_TOKEN;
    char request[20000], reply[sizeof token + 16];
    size_t got = 0;
    ssize_t n;
    bool asked;
    int len;

    do {
        if ((n = read(fd, request + got, sizeof request - 1 - got)) <= 0)
            return;
        got += (size_t)n;
    } while (request[got - 1] != ','); /* no question of ours has one inside */
    request[got] = '\0';
    asked = strstr(request, ":token ") != NULL;
    len = snprintf(reply, sizeof reply, "%zu:%s,", asked ? sizeof token - 1 : 3,
                   asked ? token : "OK ");
    (void)!send(fd, reply, (size_t)len, MSG_NOSIGNAL);
}

int
host_agent_begin(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pid_t pid;

    FUZZ_CHECK(listener >= 0 && strlen(path) < sizeof a.sun_path);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    FUZZ_CHECK(bind(listener, (struct sockaddr *)&a, sizeof a) == 0);
    FUZZ_CHECK(listen(listener, 128) == 0);
    pid = fork();
    FUZZ_CHECK(pid >= 0);
    if (pid > 0) {
        close(listener);
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* not to be left when a check ends the test */
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0) {
            serve(fd);
            close(fd);
        }
    }
}

void
host_agent_end(int pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}
