/* plugin.c - the Cyrus SASL client mechanisms XOAUTH2 and OAUTHBEARER.
 *
 * Loaded by: libsasl2 inside mail programs (Postfix, mbsync, ...). The only file that
 * includes SASL headers. How hosts are set up and what each message means to a person:
 * mailbearer-sasl(7).
 *
 * We are a guest: no static mutable state (hosts have threads), no stdio, signals, fork
 * or exit; the environment is read by secure_getenv() and only in client/. Messages go
 * through utils->log and utils->seterror. Each exchange has one object, which dispose
 * wipes.
 *
 * An exchange: the host is asked for names and password, by callbacks or prompts; the
 * token is fetched; step 1 gives the message with SASL_CONTINUE. A server that accepts
 * either ends the exchange in its own protocol (then no step follows) or lets the host
 * call step 2 with nothing. A server that refuses ends it likewise (Exchange), or sends
 * JSON first (Gmail, Dovecot), which step 2 logs and answers.
 */
#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../token-helper/client/error.h"
#include "../token-helper/client/secret.h"
#include "../token-helper/client/oauth_message.h"
#include "token_source.h"

#define DEADLINE_MS 10000
#define LOG_LINE_MAX (ERR_LINE_MAX + 512)
#define RELAY_HINT                                                                       \
    "is this the password of a relay that has no tokens? libsasl prefers XOAUTH2 to "    \
    "PLAIN and LOGIN: set smtp_sasl_mechanism_filter there, see mailbearer-sasl(7); "    \
    "mailbearer doctor --postfix checks it"

enum state { STATE_START, STATE_SENT, STATE_DONE };

struct exchange {
    enum oauth_mech mech;
    enum state state;
    enum token_kind kind;
    struct secret account; /* for `rejected` and logs: the account, else the user name */
    struct secret token;
    struct secret message;      /* what clientout points to until step 2 or dispose */
    sasl_interact_t prompts[4]; /* what *prompt_need points to; the last one ends it */
};

/* What the host gave; borrowed from it. */
struct given {
    const char *authname; /* who signs in */
    const char *user;     /* whose mailbox; NULL: the same */
    const void *pass;
    size_t pass_len;
};

/* The answers the host filled in after SASL_INTERACT, in our own array. */
static const sasl_interact_t *
answer_find(const sasl_interact_t *answers, unsigned long id)
{
    for (; answers != NULL && answers->id != SASL_CB_LIST_END; answers++)
        if (answers->id == id)
            return answers;
    return NULL;
}

/* --- errors ---------------------------------------------------------------------- */

/* Chosen by what sasl_errstring() prints for it: that is all a Postfix queue shows. */
static int
sasl_code(int code)
{
    switch (code) {
    case ERR_NONE:
        return SASL_OK;
    case ERR_USAGE:
        return SASL_BADPARAM; /* "invalid parameter supplied" */
    case ERR_NOACCOUNT:
        return SASL_NOUSER; /* "user not found" */
    case ERR_NOMEM:
        return SASL_NOMEM; /* "no memory available" */
    case ERR_PERSON:
        return SASL_EXPIRED; /* "passphrase expired, has to be reset" */
    case ERR_DENIED:
        return SASL_NOAUTHZ; /* "authorization failure" */
    case ERR_CONFIG:
        return SASL_CONFIGERR; /* "error when parsing configuration file" */
    default:
        return SASL_UNAVAIL; /* "remote authentication server unavailable" */
    }
}

/* "mailbearer: account A, token from S: TEXT", in `buf`. */
static const char *
log_line(const struct exchange *ex, const char *text, char buf[LOG_LINE_MAX])
{
    int n;

    if (ex->account.len == 0)
        n = snprintf(buf, LOG_LINE_MAX, "mailbearer: %s", text);
    else
        n = snprintf(buf, LOG_LINE_MAX, "mailbearer: account %.320s, token from %s: %s",
                     secret_str(&ex->account), token_source_name(ex->kind), text);
    if (n < 0)
        n = 0;
    buf[err_clean(buf, (size_t)n < LOG_LINE_MAX ? (size_t)n : LOG_LINE_MAX - 1)] = '\0';
    return buf;
}

/* Tells the host why; libsasl hands the text to the host's log as well. */
static int
fail(const struct exchange *ex, const sasl_utils_t *utils, const struct err *err)
{
    char text[ERR_LINE_MAX];
    char line[LOG_LINE_MAX];

    err_line(err, text);
    utils->seterror(utils->conn, 0, "%s", log_line(ex, text, line));
    return sasl_code(err->code);
}

static int
fail_text(const struct exchange *ex, const sasl_utils_t *utils, int code,
          const char *text)
{
    struct err err = ERR_INIT;

    err_set(&err, code, "%s", text);
    return fail(ex, utils, &err);
}

/* --- what the host gives --------------------------------------------------------- */

/* A name by prompt or callback. *value_r stays NULL when the host has neither.
 * SASL_OK, SASL_INTERACT or what the host's callback said. */
static int
host_name(const sasl_utils_t *utils, const sasl_interact_t *answers, unsigned long id,
          const char **value_r)
{
    const sasl_interact_t *answer = answer_find(answers, id);
    sasl_callback_ft proc = NULL;
    void *context = NULL;
    int r;

    if (answer != NULL) {
        *value_r = answer->result;
        return SASL_OK;
    }
    r = utils->getcallback(utils->conn, id, &proc, &context);
    if (r == SASL_INTERACT)
        return r;
    if (r != SASL_OK || proc == NULL)
        return SASL_OK;
    return ((sasl_getsimple_t *)(void (*)(void))proc)(context, (int)id, value_r, NULL);
}

static int
host_password(const sasl_utils_t *utils, const sasl_interact_t *answers,
              struct given *given)
{
    const sasl_interact_t *answer = answer_find(answers, SASL_CB_PASS);
    sasl_callback_ft proc = NULL;
    sasl_secret_t *secret = NULL;
    void *context = NULL;
    int r;

    if (answer != NULL) {
        given->pass = answer->result;
        given->pass_len = answer->result != NULL ? answer->len : 0;
        return SASL_OK;
    }
    r = utils->getcallback(utils->conn, SASL_CB_PASS, &proc, &context);
    if (r == SASL_INTERACT)
        return r;
    if (r != SASL_OK || proc == NULL)
        return SASL_OK;
    r = ((sasl_getsecret_t *)(void (*)(void))proc)(utils->conn, context, SASL_CB_PASS,
                                                   &secret);
    if (r == SASL_OK && secret != NULL) {
        given->pass = secret->data;
        given->pass_len = secret->len;
    }
    return r;
}

static void
prompt_add(struct exchange *ex, size_t *count, unsigned long id, const char *challenge,
           const char *prompt)
{
    sasl_interact_t *p = &ex->prompts[(*count)++];

    memset(p, 0, sizeof(*p));
    p->id = id;
    p->challenge = challenge;
    p->prompt = prompt;
}

/* Collects names and password. All that the host wants to be prompted for is asked at
 * once, and before a token is fetched: a second call must not fetch a second one. */
static int
host_ask(struct exchange *ex, const sasl_utils_t *utils, sasl_interact_t **prompt_need,
         struct given *given)
{
    const sasl_interact_t *answers = prompt_need != NULL ? *prompt_need : NULL;
    int authname = host_name(utils, answers, SASL_CB_AUTHNAME, &given->authname);
    int user = host_name(utils, answers, SASL_CB_USER, &given->user);
    int pass = host_password(utils, answers, given);
    size_t count = 0;

    if (prompt_need != NULL)
        *prompt_need = NULL;
    if (authname == SASL_INTERACT)
        prompt_add(ex, &count, SASL_CB_AUTHNAME, "Authentication Name",
                   "User name to sign in with");
    if (user == SASL_INTERACT)
        prompt_add(ex, &count, SASL_CB_USER, "Authorization Name",
                   "Mailbox to use (empty: the same)");
    if (pass == SASL_INTERACT)
        prompt_add(ex, &count, SASL_CB_PASS, "Password",
                   "agent:ACCOUNT, file:PATH or an access token");
    if (authname != SASL_OK && authname != SASL_INTERACT)
        return authname;
    if (user != SASL_OK && user != SASL_INTERACT)
        return user;
    if (pass != SASL_OK && pass != SASL_INTERACT)
        return pass;
    if (count == 0)
        return SASL_OK;
    if (prompt_need == NULL)
        return fail_text(ex, utils, ERR_USAGE, "the mail program takes no prompts");
    prompt_add(ex, &count, SASL_CB_LIST_END, NULL, NULL);
    *prompt_need = ex->prompts;
    return SASL_INTERACT;
}

static bool
name_is_clean(const char *name)
{
    for (; *name != '\0'; name++)
        if ((unsigned char)*name < 0x20 || *name == 0x7f)
            return false;
    return true;
}

/* Checks the names and has libsasl take them over, which sets oparams->authid and ->user.
 * Before that: libsasl cuts white space off, a line end with it. */
static int
names_set(const struct exchange *ex, sasl_client_params_t *params, struct given *given,
          sasl_out_params_t *oparams)
{
    const sasl_utils_t *utils = params->utils;
    unsigned both = SASL_CU_AUTHID | SASL_CU_AUTHZID;
    int r;

    if (given->user != NULL && given->user[0] == '\0')
        given->user = NULL;
    if (given->authname == NULL || given->authname[0] == '\0')
        return fail_text(ex, utils, ERR_USAGE, "the mail program gives no user name");
    if (!name_is_clean(given->authname) ||
        (given->user != NULL && !name_is_clean(given->user)))
        return fail_text(ex, utils, ERR_USAGE, "the user name holds a control character");
    if (given->user == NULL)
        return params->canon_user(utils->conn, given->authname, 0, both, oparams);
    r = params->canon_user(utils->conn, given->authname, 0, SASL_CU_AUTHID, oparams);
    if (r != SASL_OK)
        return r;
    return params->canon_user(utils->conn, given->user, 0, SASL_CU_AUTHZID, oparams);
}

/* --- the steps ------------------------------------------------------------------- */

/* Fetches the token the password stands for and makes the message of it. */
static int
message_make(struct exchange *ex, const struct given *given, const char *authid,
             const char *user, struct err *err)
{
    struct secret password = SECRET_INIT;
    struct token_source source;
    int r;

    r = secret_set(&password, given->pass, given->pass_len);
    if (r != 0) {
        err_set(err, r, "no room for a password of %zu bytes", given->pass_len);
        goto out;
    }
    source = token_source_parse(secret_str(&password), authid);
    ex->kind = source.kind;
    r = secret_append_str(&ex->account,
                          source.kind == TOKEN_AGENT ? source.value : authid);
    if (r != 0) {
        err_set(err, r, "no room for the account's name");
        goto out;
    }
    if (secret_has_control(&password))
        r = err_set(err, ERR_USAGE,
                    "the password holds a control character; it is one "
                    "line: agent:ACCOUNT, file:PATH or an access token");
    if (r == 0)
        r = token_source_fetch(&source, DEADLINE_MS, &ex->token, err);
    if (r == 0)
        r = oauth_message_build(ex->mech, user, &ex->token, &ex->message, err);
    if (r == ERR_USAGE && source.kind == TOKEN_LITERAL)
        err_hint(err, RELAY_HINT);
out:
    secret_clear(&password);
    return r;
}

static int
step_send(struct exchange *ex, sasl_client_params_t *params,
          sasl_interact_t **prompt_need, const char **out, unsigned *out_len,
          sasl_out_params_t *oparams)
{
    const sasl_utils_t *utils = params->utils;
    struct given given = {NULL, NULL, NULL, 0};
    struct err err = ERR_INIT;
    char line[LOG_LINE_MAX];
    int r;

    secret_clear(&ex->account); /* of a first call that failed */
    if ((r = host_ask(ex, utils, prompt_need, &given)) != SASL_OK ||
        (r = names_set(ex, params, &given, oparams)) != SASL_OK)
        return r;
    if (message_make(ex, &given, oparams->authid, oparams->user, &err) != 0) {
        r = fail(ex, utils, &err);
        secret_clear(&ex->token);
        return r;
    }
    utils->log(utils->conn, SASL_LOG_DEBUG, "%s", log_line(ex, "sent", line));
    *out = ex->message.data;
    *out_len = (unsigned)ex->message.len;
    ex->state = STATE_SENT;
    /* Not SASL_OK: the server may still send a refusal to be answered, and mbsync hangs
     * on a challenge after SASL_OK. */
    return SASL_CONTINUE;
}

/* Says in the log what the server says, and to the agent that its token is no good. */
static void
refusal_handle(const struct exchange *ex, const sasl_utils_t *utils, const char *in,
               unsigned in_len)
{
    char refusal[OAUTH_REFUSAL_MAX];
    char line[LOG_LINE_MAX];
    struct err err = ERR_INIT;
    char text[ERR_LINE_MAX];

    err_set(&err, ERR_PERSON, "refused by the server: %s",
            oauth_refusal_text(in, in_len, &ex->token, refusal));
    if (ex->kind == TOKEN_LITERAL)
        err_hint(&err, RELAY_HINT);
    else if (ex->kind == TOKEN_FILE)
        err_hint(&err, "look at what writes the token file");
    else
        err_hint(&err, "if it stays so, run: mailbearer doctor %s",
                 secret_str(&ex->account));
    utils->log(utils->conn, SASL_LOG_WARN, "%s",
               log_line(ex, err_line(&err, text), line));
    if (ex->kind == TOKEN_AGENT)
        token_source_rejected(secret_str(&ex->account), &ex->token);
}

/* The end: what the server sent is a refusal, or it does not matter. */
static int
step_end(struct exchange *ex, const sasl_utils_t *utils, const char *in, unsigned in_len,
         const char **out, unsigned *out_len, sasl_out_params_t *oparams)
{
    size_t len = 0;

    *out = "";
    if (oauth_refusal_is(in, in_len)) {
        refusal_handle(ex, utils, in, in_len);
        *out = oauth_message_abort(ex->mech, &len);
    }
    *out_len = (unsigned)len;
    secret_clear(&ex->token);
    secret_clear(&ex->message);
    ex->state = STATE_DONE;
    oparams->doneflag = 1;
    oparams->mech_ssf = 0;
    oparams->maxoutbuf = 0;
    oparams->encode_context = NULL;
    oparams->encode = NULL;
    oparams->decode_context = NULL;
    oparams->decode = NULL;
    oparams->param_version = 0;
    /* Also after a refusal: the host then sends our answer and hears from the server
     * itself, in its own words, that it failed. */
    return SASL_OK;
}

static int
exchange_step(void *context, sasl_client_params_t *params, const char *in,
              unsigned in_len, sasl_interact_t **prompt_need, const char **out,
              unsigned *out_len, sasl_out_params_t *oparams)
{
    struct exchange *ex = context;

    *out = NULL;
    *out_len = 0;
    switch (ex->state) {
    case STATE_START:
        return step_send(ex, params, prompt_need, out, out_len, oparams);
    case STATE_SENT:
        return step_end(ex, params->utils, in, in_len, out, out_len, oparams);
    default:
        fail_text(ex, params->utils, ERR_PROTOCOL, "a step after the last one");
        return SASL_BADPROT;
    }
}

static int
exchange_new(enum oauth_mech mech, const sasl_utils_t *utils, void **context_r)
{
    struct exchange *ex = utils->malloc(sizeof(*ex));

    if (ex == NULL)
        return SASL_NOMEM;
    memset(ex, 0, sizeof(*ex));
    ex->mech = mech;
    *context_r = ex;
    return SASL_OK;
}

static int
xoauth2_new(void *global, sasl_client_params_t *params, void **context_r)
{
    (void)global;
    return exchange_new(OAUTH_XOAUTH2, params->utils, context_r);
}

static int
oauthbearer_new(void *global, sasl_client_params_t *params, void **context_r)
{
    (void)global;
    return exchange_new(OAUTH_OAUTHBEARER, params->utils, context_r);
}

static void
exchange_dispose(void *context, const sasl_utils_t *utils)
{
    struct exchange *ex = context;

    if (ex == NULL)
        return;
    secret_clear(&ex->account);
    secret_clear(&ex->token);
    secret_clear(&ex->message);
    explicit_bzero(ex, sizeof(*ex));
    utils->free(ex);
}

/* --- entry point ----------------------------------------------------------------- */

/* Stated because NULL means something else to libsasl: it then hides the mechanism from
 * hosts in silence. */
static const unsigned long prompts_required[] = {SASL_CB_AUTHNAME, SASL_CB_PASS,
                                                 SASL_CB_LIST_END};

/* Not SASL_SEC_NOPLAINTEXT: a bearer token in the clear is a password in the clear. But
 * what the server gets works elsewhere too (PASS_CREDENTIALS), and no word list guesses a
 * token (NODICTIONARY). The last is claimed for its effect as well: libsasl ranks by
 * these flags and PLAIN and LOGIN lack it, so that tokens go by XOAUTH2. At equal flags
 * the order of the files in the plugin directory decides (tried with 2.1.28: PLAIN before
 * XOAUTH2). */
#define SECURITY_FLAGS                                                                   \
    (SASL_SEC_NOANONYMOUS | SASL_SEC_NODICTIONARY | SASL_SEC_PASS_CREDENTIALS)
#define FEATURES (SASL_FEAT_WANT_CLIENT_FIRST | SASL_FEAT_ALLOWS_PROXY)

static const sasl_client_plug_t mechanisms[] = {
    {
        .mech_name = "XOAUTH2",
        .security_flags = SECURITY_FLAGS,
        .features = FEATURES,
        .required_prompts = prompts_required,
        .mech_new = xoauth2_new,
        .mech_step = exchange_step,
        .mech_dispose = exchange_dispose,
    },
    {
        .mech_name = "OAUTHBEARER",
        .security_flags = SECURITY_FLAGS,
        .features = FEATURES,
        .required_prompts = prompts_required,
        .mech_new = oauthbearer_new,
        .mech_step = exchange_step,
        .mech_dispose = exchange_dispose,
    },
};

__attribute__((visibility("default"))) sasl_client_plug_init_t sasl_client_plug_init;

int
sasl_client_plug_init(const sasl_utils_t *utils, int max_version, int *version_r,
                      sasl_client_plug_t **mechanisms_r, int *count_r)
{
    if (max_version < SASL_CLIENT_PLUG_VERSION) {
        utils->log(NULL, SASL_LOG_ERR, "mailbearer: libsasl2 is too old for this plugin");
        return SASL_BADVERS;
    }
    *version_r = SASL_CLIENT_PLUG_VERSION;
    /* libsasl only reads it; its type is older than that promise. */
    *mechanisms_r = (sasl_client_plug_t *)(uintptr_t)mechanisms;
    *count_r = (int)(sizeof(mechanisms) / sizeof(mechanisms[0]));
    return SASL_OK;
}
