/* cmd_import.c - `mailbearer import`: takes over a refresh token obtained elsewhere. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../accounts/context.h"
#include "../base/complain.h"
#include "../base/file.h"
#include "../base/wallclock.h"
#include "../oauth/store_key.h"
#include "commands.h"
#include "store_sign_in.h"

#define TOKEN_MAX 65536u

static const char help_text[] =
    "usage: mailbearer import refresh-token FILE ACCOUNT\n"
    "\n"
    "Stores the refresh token on the first line of FILE (- is standard input) for "
    "ACCOUNT,\n"
    "an account of grant authorization_code. A refresh token that was there is replaced. "
    "A\n"
    "running agent uses the new one at once. Remove FILE afterwards: it is a secret.\n";

static int
read_token(const char *file, struct secret *token, struct err *err)
{
    struct secret text = SECRET_INIT;
    size_t n;
    int r;

    if (strcmp(file, "-") != 0) {
        r = file_read_secret_line(file, "refresh token", token, err);
        if (r != 0 && err->hint[0] == '\0')
            err_hint(err,
                     "or give it on standard input: mailbearer import refresh-token - "
                     "ACCOUNT < FILE");
        return r;
    }
    if ((r = file_read_fd(STDIN_FILENO, "standard input", TOKEN_MAX, &text, err)) == 0) {
        n = strcspn(secret_str(&text), "\r\n");
        if (n == 0)
            r = err_set(err, ERR_CONFIG, "standard input holds no refresh token");
        else if (secret_set(token, text.data, n) != 0)
            r = err_set(err, ERR_NOMEM, "out of memory");
        else if (secret_has_control(token))
            r = err_set(err, ERR_CONFIG, "the refresh token holds a control character");
    }
    if (r != 0 && err->hint[0] == '\0')
        err_hint(err, "give the refresh token alone, on one line");
    secret_clear(&text);
    return r;
}

/* The old record goes as a whole: its access token may be another person's. */
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
    struct context context = CONTEXT_INIT;
    struct store_key *key = NULL;
    const struct account *account;
    struct secret token = {.max = TOKEN_MAX};
    struct err err = ERR_INIT;
    int r;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help_text, stdout);
        return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
    }
    if (argc != 4 || strcmp(argv[1], "refresh-token") != 0) {
        fputs(help_text, stderr);
        return EX_USAGE;
    }
    context.config = config;
    if ((r = context_accounts(&context, &err)) == 0 &&
        (r = context_account(&context, argv[3], &account, &err)) == 0 &&
        (r = check_grant(account, &err)) == 0 &&
        (r = context_store(&context, &err)) == 0 &&
        (r = store_key_use(context.accounts, &context.store, &key, &err)) == 0 &&
        (r = read_token(argv[2], &token, &err)) == 0 &&
        (r = store_token(&context.store, account->name, &token, &err)) == 0)
        printf("%s: the refresh token is stored; try it: mailbearer token %s\n", argv[3],
               argv[3]);
    secret_clear(&token);
    store_key_free(&key);
    context_close(&context);
    return r == 0 ? EX_OK : complain(argc > 3 ? argv[3] : NULL, &err);
}
