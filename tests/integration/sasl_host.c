/* sasl_host.c - a mail program of no more than its SASL part, for tests of the plugin
 * against the real libsasl2.
 *
 * Used by:  hardening.bats, which compiles it
 *
 * usage: sasl_host [-p] [-s] [-w] DIR MECHANISMS < input
 *   -p  answer prompts (SASL_INTERACT) instead of giving callbacks for name and password
 *   -s  secure: ask for the property noplaintext
 *   -w  stop (SIGSTOP) after the exchange, and again after sasl_dispose()
 * DIR holds the plugins, nothing else is loaded; MECHANISMS is what the server offers.
 *
 * input:  lines of a word and its value (which may be empty): user NAME, authzid NAME,
 *         password TEXT, challenge TEXT (a step fed with TEXT), empty (one fed with NULL)
 * prints: a line each: mech NAME, start CODE TEXT, step CODE TEXT, out HEX, detail TEXT,
 *         log LEVEL TEXT, prompted ID
 * exit:   0 no code was below SASL_OK, 1 one was, 2 usage
 */
#include <sasl/sasl.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALUE_MAX 65536
#define STEPS_MAX 8

static const char *plugin_dir;
static char user[VALUE_MAX];
static char authzid[VALUE_MAX];
static char password[VALUE_MAX];
static char *steps[STEPS_MAX]; /* "" stands for `empty` */
static int step_count;
static sasl_secret_t *secret;

static int
path_get(void *context, const char **path_r)
{
    (void)context;
    *path_r = plugin_dir;
    return SASL_OK;
}

static int
log_print(void *context, int level, const char *text)
{
    (void)context;
    printf("log %d %s\n", level, text);
    return SASL_OK;
}

static int
name_get(void *context, int id, const char **result_r, unsigned *len_r)
{
    (void)context;
    *result_r = id == SASL_CB_USER ? authzid : user;
    if (len_r != NULL)
        *len_r = (unsigned)strlen(*result_r);
    return SASL_OK;
}

static int
secret_get(sasl_conn_t *conn, void *context, int id, sasl_secret_t **secret_r)
{
    (void)conn;
    (void)context;
    (void)id;
    *secret_r = secret;
    return SASL_OK;
}

static void
input_read(void)
{
    static char line[VALUE_MAX + 32];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        char *value;

        line[strcspn(line, "\n")] = '\0';
        value = strchr(line, ' ');
        value = value != NULL ? value + 1 : line + strlen(line);
        if (strncmp(line, "user ", 5) == 0)
            snprintf(user, sizeof(user), "%s", value);
        else if (strncmp(line, "authzid ", 8) == 0)
            snprintf(authzid, sizeof(authzid), "%s", value);
        else if (strncmp(line, "password ", 9) == 0)
            snprintf(password, sizeof(password), "%s", value);
        else if (strncmp(line, "challenge ", 10) == 0 && step_count < STEPS_MAX)
            steps[step_count++] = strdup(value);
        else if (strcmp(line, "empty") == 0 && step_count < STEPS_MAX)
            steps[step_count++] = strdup("");
    }
    secret = calloc(1, sizeof(*secret) + strlen(password) + 1);
    if (secret == NULL)
        exit(2);
    secret->len = strlen(password);
    memcpy(secret->data, password, strlen(password) + 1);
}

static void
prompts_answer(sasl_interact_t *prompts)
{
    for (; prompts != NULL && prompts->id != SASL_CB_LIST_END; prompts++) {
        printf("prompted %#lx\n", prompts->id);
        prompts->result = prompts->id == SASL_CB_PASS       ? password
                          : prompts->id == SASL_CB_AUTHNAME ? user
                                                            : authzid;
        prompts->len = (unsigned)strlen(prompts->result);
    }
}

/* Prints what came of a call. True when the exchange can go on. */
static int
outcome_print(sasl_conn_t *conn, const char *what, int code, const char *out,
              unsigned len)
{
    printf("%s %d %s\n", what, code, sasl_errstring(code, NULL, NULL));
    if (code < SASL_OK) {
        printf("detail %s\n", sasl_errdetail(conn));
        return 0;
    }
    printf("out ");
    for (unsigned i = 0; out != NULL && i < len; i++)
        printf("%02x", (unsigned char)out[i]);
    printf("\n");
    return 1;
}

static int
exchange(sasl_conn_t *conn, const char *mechanisms)
{
    sasl_interact_t *prompts = NULL;
    const char *mech = "";
    const char *out = NULL;
    unsigned len = 0;
    int code;

    do {
        prompts_answer(prompts);
        code = sasl_client_start(conn, mechanisms, &prompts, &out, &len, &mech);
    } while (code == SASL_INTERACT);
    printf("mech %s\n", code < SASL_OK || mech == NULL ? "-" : mech);
    if (!outcome_print(conn, "start", code, out, len))
        return 1;
    for (int i = 0; i < step_count; i++) {
        const char *in = steps[i][0] != '\0' ? steps[i] : NULL;

        code = sasl_client_step(conn, in, in != NULL ? (unsigned)strlen(in) : 0, &prompts,
                                &out, &len);
        if (!outcome_print(conn, "step", code, out, len))
            return 1;
    }
    return 0;
}

#define PROC(f) ((int (*)(void))(void (*)(void))(f))

int
main(int argc, char **argv)
{
    sasl_security_properties_t props = {0, 0, 0, 0, NULL, NULL};
    int prompts = 0;
    int waits = 0;
    int c;
    int failed;
    sasl_conn_t *conn = NULL;

    while ((c = getopt(argc, argv, "psw")) != -1) {
        if (c == 'p')
            prompts = 1;
        else if (c == 's')
            props.security_flags = SASL_SEC_NOPLAINTEXT;
        else if (c == 'w')
            waits = 1;
        else
            return 2;
    }
    if (argc - optind != 2)
        return 2;
    plugin_dir = argv[optind];
    input_read();
    sasl_callback_t callbacks[] = {
        {SASL_CB_GETPATH, PROC(path_get), NULL},
        {SASL_CB_LOG, PROC(log_print), NULL},
        {SASL_CB_AUTHNAME, prompts ? NULL : PROC(name_get), NULL},
        {SASL_CB_PASS, prompts ? NULL : PROC(secret_get), NULL},
        {authzid[0] != '\0' ? SASL_CB_USER : SASL_CB_LIST_END,
         prompts ? NULL : PROC(name_get), NULL},
        {SASL_CB_LIST_END, NULL, NULL},
    };
    if (sasl_client_init(callbacks) != SASL_OK ||
        sasl_client_new("smtp", "localhost", NULL, NULL, callbacks, 0, &conn) !=
            SASL_OK ||
        sasl_setprop(conn, SASL_SEC_PROPS, &props) != SASL_OK)
        return 2;
    failed = exchange(conn, argv[optind + 1]);
    fflush(stdout);
    if (waits)
        raise(SIGSTOP);
    sasl_dispose(&conn);
    if (waits)
        raise(SIGSTOP);
    sasl_client_done();
    free(secret);
    while (step_count > 0)
        free(steps[--step_count]);
    return failed;
}
