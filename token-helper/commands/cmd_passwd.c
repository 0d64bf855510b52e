/* cmd_passwd.c - `mailbearer passwd`: the local password of mailbearer-fetch's ports. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "../accounts/context.h"
#include "../base/complain.h"
#include "../ports/password_hash.h"
#include "../ports/ports_file.h"
#include "commands.h"

static const char help_text[] =
    "usage: mailbearer passwd [--generate | --delete] ACCOUNT\n"
    "\n"
    "Sets the password with which a mail program signs in as ACCOUNT at a local port of\n"
    "mailbearer-fetch. It is asked for twice, or is one line of standard input, and has\n"
    "at least 12 characters. Kept as a hash, in the file `ports` beside the accounts\n"
    "file; used from the next sign-in on.\n"
    "\n"
    "  --generate  make one, and print it once\n"
    "  --delete    take the password away: the account cannot sign in there any more\n";

struct request {
    bool generate, remove;
    const char *account;
};

/* -1: go on; else the exit status. */
static int
parse(int argc, char **argv, struct request *q)
{
    static const struct option options[] = {{"generate", no_argument, NULL, 'g'},
                                            {"delete", no_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help_text, stdout);
            return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
        }
        q->generate = q->generate || c == 'g';
        q->remove = q->remove || c == 'd';
        if (c == '?')
            break;
    }
    if (c == -1 && optind == argc - 1 && !(q->generate && q->remove)) {
        q->account = argv[optind];
        return -1;
    }
    fputs(help_text, stderr);
    return EX_USAGE;
}

/* --- the password ----------------------------------------------------------------------
 */

/* One line, byte by byte: what is behind it is not ours. */
static int
read_line(struct secret *line, struct err *err)
{
    ssize_t n = 1;
    char c = 0;
    int r = 0;

    while (r == 0 && (n = read(STDIN_FILENO, &c, 1)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            r = err_set(err, ERR_TEMP, "cannot read the password: %s", strerror(errno));
        else if (c == '\n')
            break;
        else if (line->len > PASSWORD_MAX)
            r = err_set(err, ERR_USAGE, "the password has more than %d bytes",
                        PASSWORD_MAX);
        else if ((r = secret_append_char(line, c)) != 0)
            err_set(err, r, "out of memory");
    }
    explicit_bzero(&c, sizeof c);
    return r;
}

/* On the terminal, unseen. The signals a terminal sends come when it echoes again. */
static int
ask(const char *question, struct secret *line, struct err *err)
{
    struct termios before, silent;
    sigset_t signals, old;
    int r;

    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return err_set(err, ERR_TEMP, "cannot use the terminal: %s", strerror(errno));
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGQUIT);
    sigaddset(&signals, SIGTSTP);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, &old);
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ECHONL | ICANON;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0) {
        r = err_set(err, ERR_TEMP, "cannot use the terminal: %s", strerror(errno));
    } else {
        fputs(question, stderr);
        r = read_line(line, err);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    return r;
}

static int
ask_twice(struct secret *password, struct err *err)
{
    struct secret again = SECRET_INIT;
    int r = ask("New password for the local port: ", password, err);

    if (r == 0)
        r = password_check_new(password, err);
    if (r == 0)
        r = ask("Once more: ", &again, err);
    if (r == 0 && !secret_equal(password, &again))
        r = err_set(err, ERR_USAGE, "the two passwords differ; nothing is changed");
    secret_clear(&again);
    return r;
}

static int
get_password(const struct request *q, struct secret *password, struct err *err)
{
    int r;

    if (q->generate)
        return password_generate(password, err);
    if (isatty(STDIN_FILENO))
        return ask_twice(password, err);
    if ((r = read_line(password, err)) != 0)
        return r;
    if (password->len > 0 && password->data[password->len - 1] == '\r')
        password->data[--password->len] = '\0';
    return password_check_new(password, err);
}

/* --- the file --------------------------------------------------------------------------
 */

static int
set(const struct request *q, const char *path, struct err *err)
{
    struct secret password = SECRET_INIT, hash = SECRET_INIT;
    bool found = false;
    int r = get_password(q, &password, err);

    if (r == 0 && (r = password_hash(&password, &hash, err)) == 0)
        r = ports_file_set(path, q->account, &hash, &found, err);
    /* told when it counts, not before */
    if (r == 0 && q->generate && (puts(secret_str(&password)) < 0 || fflush(stdout) != 0))
        r = err_set(err, ERR_STORE, "cannot print the password: %s", strerror(errno));
    secret_clear(&password);
    secret_clear(&hash);
    return r;
}

static int
remove_line(const struct request *q, const char *path, struct err *err)
{
    bool found = false;
    int r = ports_file_set(path, q->account, NULL, &found, err);

    if (r == 0 && !found)
        r = err_set(err, ERR_NOACCOUNT, "no local password is set, nothing is changed");
    return r;
}

int
cmd_passwd(const char *config, int argc, char **argv)
{
    struct request q = {.account = NULL};
    struct context context = CONTEXT_INIT;
    const struct account *account = NULL;
    char path[PLACE_PATH_MAX];
    struct err err = ERR_INIT;
    int r, status = parse(argc, argv, &q);

    if (status >= 0)
        return status;
    setvbuf(stdout, NULL, _IONBF, 0); /* a buffer would keep the password */
    context.config = config;
    /* a line may outlive its account, and must be removable then */
    if (q.remove)
        r = place_find(config, &context.place, &err);
    else if ((r = context_accounts(&context, &err)) == 0)
        r = context_account(&context, q.account, &account, &err);
    if (r == 0)
        r = ports_file_path(context.place.config, path, sizeof path, &err);
    if (r == 0)
        r = q.remove ? remove_line(&q, path, &err) : set(&q, path, &err);
    context_close(&context);
    return r == 0 ? EX_OK : complain(q.account, &err);
}
