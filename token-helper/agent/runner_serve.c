/* runner_serve.c - see runner.h: the process that runs commands. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "../base/log.h"
#include "runner_private.h"

/* --- which commands may be run ------------------------------------------------------ */

static void
words_free(char **words)
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        free(words[i]);
    free(words);
}

static bool
same_words(char *const *a, char *const *b, size_t b_count)
{
    for (size_t i = 0; i < b_count; i++)
        if (a[i] == NULL || strcmp(a[i], b[i]) != 0)
            return false;
    return a[b_count] == NULL;
}

static bool
commands_hold(const struct runner_commands *cs, char *const *words, size_t count)
{
    for (size_t i = 0; i < cs->count; i++)
        if (same_words(cs->command[i], words, count))
            return true;
    return false;
}

/* False: out of memory. */
static bool
commands_add(struct runner_commands *cs, char *const *words, size_t count)
{
    char ***more, **copy;

    if (count == 0 || commands_hold(cs, words, count))
        return true;
    if ((copy = calloc(count + 1, sizeof *copy)) == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if ((copy[i] = strdup(words[i])) == NULL)
            goto fail;
    if ((more = realloc(cs->command, (cs->count + 1) * sizeof *more)) == NULL)
        goto fail;
    cs->command = more;
    cs->command[cs->count++] = copy;
    return true;
fail:
    words_free(copy);
    return false;
}

/* A secret's command is run as secret_source.c asks for it: by a shell. */
bool
runner_commands_learn(struct runner_commands *cs, const struct accounts *accounts)
{
    const struct name_list *hooks[] = {&accounts->agent.on_failure,
                                       &accounts->agent.on_recovery};
    char sh[] = "/bin/sh", c[] = "-c";
    bool good = true;

    for (size_t i = 0; i < 2; i++)
        good = good && commands_add(cs, hooks[i]->names, hooks[i]->count);
    for (size_t i = 0; i < accounts->count && good; i++) {
        char *words[] = {sh, c, accounts->account[i].client_secret_command};

        if (words[2] != NULL)
            good = commands_add(cs, words, 3);
    }
    return good;
}

bool
runner_commands_allow(const struct runner_commands *cs, char *const *words)
{
    size_t count = 0;

    while (words[count] != NULL)
        count++;
    return commands_hold(cs, words, count);
}

void
runner_commands_free(struct runner_commands *cs)
{
    for (size_t i = 0; i < cs->count; i++)
        words_free(cs->command[i]);
    free(cs->command);
    *cs = (struct runner_commands){NULL, 0};
}

/* --- one command, in a process of its own ------------------------------------------- */

/* A request as it came: what it points to is in `words`. */
struct order {
    struct runner_request q;
    struct secret words;
    char **argv;
    char *own[HOOK_VAR_COUNT];
    char **environment;
};

/* Takes the words apart. False: not what the agent sends, or out of memory. */
static bool
order_parse(struct order *o)
{
    size_t at = 0;

    if (o->words.len == 0 || o->words.data[o->words.len - 1] != '\0' || o->q.argc == 0 ||
        o->q.argc > o->words.len ||
        (o->argv = calloc((size_t)o->q.argc + 1, sizeof *o->argv)) == NULL)
        return false;
    for (uint32_t i = 0; i < o->q.argc + o->q.own_count; i++) {
        char *word = o->words.data + at;
        enum hook_variable v;

        if (at >= o->words.len)
            return false;
        at += strlen(word) + 1;
        if (i < o->q.argc) {
            o->argv[i] = word;
            continue;
        }
        if ((v = hook_variable_of(word)) == HOOK_VAR_COUNT || o->own[v] != NULL)
            return false;
        o->own[v] = word;
    }
    o->q.name[sizeof o->q.name - 1] = '\0';
    return (o->environment = hook_environment(o->own)) != NULL;
}

static int
order_receive(int fd, struct order *o, struct err *err)
{
    struct deadline deadline = deadline_in(RUNNER_ASK_MS);
    int r = runner_receive(fd, &o->q, sizeof o->q, &deadline);

    o->words.max = RUNNER_WORDS_MAX;
    if (r == 0 && (r = secret_reserve(&o->words, o->q.words_len)) == 0 &&
        (r = runner_receive(fd, o->words.data, o->q.words_len, &deadline)) == 0)
        o->words.len = o->q.words_len;
    if (r != 0 || !order_parse(o))
        return err_set(err, ERR_PROTOCOL, "not a request of the agent's");
    return 0;
}

static int
order_run(const struct order *o, int fd, const struct runner_commands *commands,
          struct secret *output, struct err *err)
{
    const char *name = o->q.name[0] != '\0' ? o->q.name : o->argv[0];

    if (!runner_commands_allow(commands, o->argv)) {
        err_set(err, ERR_TEMP, "%s is not run: the accounts file does not name it", name);
        err_hint(err, "restart the agent");
        return ERR_TEMP;
    }
    output->max = o->q.output_max;
    return run_program(&(struct program){.argv = o->argv,
                                         .environment = o->environment,
                                         .name = name,
                                         .input = -1,
                                         .output = o->q.output_max > 0 ? output : NULL,
                                         .deadline_ms = o->q.deadline_ms,
                                         .gone_fd = fd},
                       err);
}

/* Without freeing what ends with the process; secrets are wiped. */
static void
serve_one(int fd, const struct runner_commands *commands)
{
    struct order o = {.words = SECRET_INIT};
    struct secret output = SECRET_INIT;
    struct runner_answer answer = {.err = ERR_INIT};
    struct deadline deadline;

    signal(SIGCHLD, SIG_DFL); /* its command's end is waited for */
    answer.result = order_receive(fd, &o, &answer.err);
    if (answer.result == 0)
        answer.result = order_run(&o, fd, commands, &output, &answer.err);
    answer.output_len = answer.result == 0 ? (uint32_t)output.len : 0;
    deadline = deadline_in(RUNNER_ASK_MS);
    if (runner_send(fd, &answer, sizeof answer, &deadline) == 0)
        (void)runner_send(fd, secret_str(&output), answer.output_len, &deadline);
    secret_clear(&output);
    secret_clear(&o.words);
}

/* --- the runner --------------------------------------------------------------------- */

/* The agent's next word, and a descriptor where one came with it (else -1). 0: the agent
 * has gone. */
static char
hear(int control, int *fd_r)
{
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } u;
    char what = 0;
    struct iovec iov = {&what, 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = u.room,
                         .msg_controllen = sizeof u.room};
    struct cmsghdr *c;
    ssize_t n;

    *fd_r = -1;
    do
        n = recvmsg(control, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n != 1)
        return 0;
    c = CMSG_FIRSTHDR(&msg);
    if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(fd_r, CMSG_DATA(c), sizeof(int));
    return what;
}

/* The agent has said whatever is to be said about a file that cannot be read. */
static void
learn_again(struct runner_commands *commands, const char *config)
{
    struct accounts *accounts = NULL;

    if (accounts_read(config, &accounts, NULL) != 0)
        return;
    if (!runner_commands_learn(commands, accounts))
        log_error("out of memory: new commands of %s are not known", config);
    accounts_free(&accounts);
}

/* A signal for the agent's group (^C, the service manager) must not end what its last
 * hooks are run by. */
static void
set_up_signals(void)
{
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGCHLD, SIG_IGN); /* nobody waits for those that serve one command */
}

int
runner_serve(int control, const char *config, const struct accounts *accounts,
             void (*forget)(void *arg), void *arg)
{
    struct runner_commands commands = {NULL, 0};
    bool good = runner_commands_learn(&commands, accounts);
    char what;
    int fd;

    set_up_signals();
    prctl(PR_SET_NAME, "mailbearer-run", 0L, 0L, 0L);
    forget(arg);
    while (good && (what = hear(control, &fd)) != 0) {
        if (what == RUNNER_RELOAD) {
            learn_again(&commands, config);
        } else if (fd >= 0 && fork() == 0) {
            close(control);
            serve_one(fd, &commands);
            _exit(0);
        }
        if (fd >= 0)
            close(fd);
    }
    runner_commands_free(&commands);
    return 0;
}
