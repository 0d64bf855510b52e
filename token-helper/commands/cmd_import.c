/* cmd_import.c - `mailbearer import`: takes over a sign-in from another tool. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <sys/stat.h>

#include "../accounts/context.h"
#include "../base/complain.h"
#include "../base/file.h"
#include "../base/run_program.h"
#include "../base/wallclock.h"
#include "../oauth/store_key.h"
#include "commands.h"
#include "import_formats.h"
#include "store_sign_in.h"

#define DECRYPT_MS 120000 /* a person may have to type a passphrase */

static const char help_text[] =
    "usage: mailbearer import [--decrypt COMMAND] FORMAT FILE ACCOUNT\n"
    "\n"
    "Takes over the refresh token in FILE (- is standard input) for ACCOUNT, an\n"
    "account of grant authorization_code. A refresh token that was there is\n"
    "replaced; a running agent uses the new one at once. Remove FILE afterwards: it\n"
    "is a secret, and using the token in two places may end it.\n"
    "\n"
    "  sasl-xoauth2   a token file of the SASL plugin of that name\n"
    "  mutt_oauth2    a token file of mutt_oauth2.py\n"
    "  refresh-token  the refresh token on the first line\n"
    "\n"
    "  --decrypt COMMAND  read the output of COMMAND, which gets FILE on its\n"
    "                     standard input (run by sh -c): 'gpg --decrypt'\n";

struct import_options {
    enum import_format format;
    const char *format_name;
    const char *file;
    const char *account;
    const char *decrypt; /* NULL: FILE is not encrypted */
};

static int
usage(void)
{
    fputs(help_text, stderr);
    return EX_USAGE;
}

/* -1: go on; else the exit status. */
static int
parse(int argc, char **argv, struct import_options *o)
{
    static const struct option options[] = {{"decrypt", required_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help_text, stdout);
            return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
        }
        if (c != 'd')
            return usage();
        o->decrypt = optarg;
    }
    if (argc - optind != 3)
        return usage();
    o->format_name = argv[optind];
    o->format = import_format_from_name(o->format_name);
    o->file = argv[optind + 1];
    o->account = argv[optind + 2];
    return o->format == IMPORT_FORMAT_COUNT ? usage() : -1;
}

/* --- reading
 * ---------------------------------------------------------------------------- */

static bool
is_stdin(const struct import_options *o)
{
    return strcmp(o->file, "-") == 0;
}

/* True when a person at the terminal can answer what the command asks, and end it. */
static bool
at_terminal(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    bool yes = fd >= 0 && tcgetpgrp(fd) == getpgrp();

    if (fd >= 0)
        close(fd);
    return yes;
}

static int
open_encrypted(const char *path, int *fd_r, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0)
        return err_set(err, ERR_CONFIG, "cannot open token file %s: %s", path,
                       strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(err, ERR_CONFIG, "token file %s is not a regular file", path);
    }
    *fd_r = fd;
    return 0;
}

static int
decrypt(const struct import_options *o, struct secret *text, struct err *err)
{
    char shell[] = "/bin/sh", flag[] = "-c", *command = strdup(o->decrypt);
    char *argv[] = {shell, flag, command, NULL};
    struct program program = {.argv = argv,
                              .name = "the command of --decrypt",
                              .input = STDIN_FILENO,
                              .output = text,
                              .deadline_ms = DECRYPT_MS,
                              .foreground = at_terminal()};
    int r = 0;

    if (command == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (!is_stdin(o))
        r = open_encrypted(o->file, &program.input, err);
    if (r == 0 && (r = run_program(&program, err)) != 0 && r != ERR_NOMEM) {
        r = err->code = ERR_CONFIG; /* waiting does not mend it */
        err_hint(err, "decrypt it first: COMMAND < FILE | mailbearer import %s - %s",
                 o->format_name, o->account);
    }
    if (!is_stdin(o) && program.input >= 0)
        close(program.input);
    free(command);
    return r;
}

/* `was_root`: the file had to be read by the store's owner, who may not be allowed to;
 * that is what a shell's redirection is for. */
static int
read_file(const struct import_options *o, bool was_root, struct imported *imported,
          struct err *err)
{
    const char *what = o->format == IMPORT_REFRESH_TOKEN ? "refresh token" : "token file";
    const char *name = is_stdin(o) ? "standard input" : o->file;
    struct secret text = {.max = IMPORT_FILE_MAX};
    int r;

    if (o->decrypt != NULL)
        r = decrypt(o, &text, err);
    else if (is_stdin(o))
        r = file_read_fd(STDIN_FILENO, name, IMPORT_FILE_MAX, &text, err);
    else
        r = file_read_private(o->file, what, IMPORT_FILE_MAX, &text, err);
    if (r != 0 && !is_stdin(o) &&
        (err->hint[0] == '\0' || (was_root && geteuid() != 0 && o->decrypt == NULL)))
        err_hint(err, "or give it on standard input: mailbearer import %s - %s < FILE",
                 o->format_name, o->account);
    if (r == 0)
        r = import_parse(o->format, &text,
                         o->decrypt != NULL ? "what the command printed" : name, imported,
                         err);
    secret_clear(&text);
    return r;
}

/* --- storing
 * ---------------------------------------------------------------------------- */

/* Nothing of the record before is kept: its access token may be another person's. */
static int
store_token(const struct store *store, const char *account, struct secret *token,
            struct err *err)
{
    struct record record = RECORD_INIT;
    int r;

    secret_move(&record.refresh_token, token);
    record.refresh_token_at = wallclock_now();
    r = store_sign_in(store, account, &record, err);
    record_clear(&record);
    return r;
}

static int
check_grant(const struct account *account, struct err *err)
{
    if (account->grant == GRANT_AUTHORIZATION_CODE)
        return 0;
    err_set(err, ERR_CONFIG,
            "%s:%d: this account signs in by itself and has no refresh token",
            account->file, account->line);
    err_hint(err, "set grant = authorization_code if a person's sign-in is meant");
    return ERR_CONFIG;
}

int
cmd_import(const char *config, int argc, char **argv)
{
    struct import_options o = {.decrypt = NULL};
    struct context context = CONTEXT_INIT;
    struct imported imported = IMPORTED_INIT;
    const struct account *account;
    struct store_key *key = NULL;
    struct err err = ERR_INIT;
    bool was_root = geteuid() == 0;
    int r = parse(argc, argv, &o);

    if (r >= 0)
        return r;
    context.config = config;
    if ((r = context_accounts(&context, &err)) == 0 &&
        (r = context_account(&context, o.account, &account, &err)) == 0 &&
        (r = check_grant(account, &err)) == 0 &&
        (r = context_store(&context, &err)) == 0 &&
        (r = store_key_use(context.accounts, &context.store, &key, &err)) == 0 &&
        (r = read_file(&o, was_root, &imported, &err)) == 0 &&
        (r = import_check(&imported, account, &err)) == 0 &&
        (r = store_token(&context.store, account->name, &imported.refresh_token, &err)) ==
            0)
        printf("%s: the refresh token is stored; try it: mailbearer token %s\n",
               o.account, o.account);
    imported_clear(&imported);
    context_close(&context);
    store_key_free(&key);
    return r == 0 ? EX_OK : complain(o.account, &err);
}
