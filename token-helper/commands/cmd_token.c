/* cmd_token.c - `mailbearer token` without an agent: refresh under the account's lock. */
#include <getopt.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../accounts/context.h"
#include "../base/complain.h"
#include "../base/file.h"
#include "../base/log.h"
#include "../base/token_format.h"
#include "../base/wallclock.h"
#include "../client/deadline.h"
#include "../oauth/acquire.h"
#include "../oauth/store_key.h"
#include "commands.h"

#define TOKEN_DEADLINE_MS 30000

/* The front has looked at the arguments already: what is wrong here is its fault. */
static int
parse(int argc, char **argv, enum token_format *format, bool *refresh)
{
    static const struct option options[] = {{"format", required_argument, NULL, 'f'},
                                            {"refresh", no_argument, NULL, 'r'},
                                            {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'r')
            *refresh = true;
        else if (c != 'f' ||
                 (*format = token_format_from_name(optarg)) == TOKEN_FORMAT_COUNT)
            return -1;
    }
    return argc - optind == 1 ? optind : -1;
}

/* A token is printed all the same, so these are warnings. */
static void
warn_about(const char *account, const struct acquire *a)
{
    char line[ERR_LINE_MAX];

    if (a->unsaved)
        log_warning("%s: the token is good but could not be stored: %s", account,
                    err_line(&a->trouble, line));
    else if (a->trouble.code != ERR_NONE)
        log_warning("%s: the token before is still good and was used: %s", account,
                    err_line(&a->trouble, line));
}

static int
print(enum token_format format, const struct account *account,
      const struct record *record, struct err *err)
{
    struct secret out = SECRET_INIT;
    int r = token_format(format, account->name, account->user, &record->access_token,
                         record->expires_at, &out, err);

    if (r == 0 && (r = file_write_fd(STDOUT_FILENO, "standard output", out.data, out.len,
                                     err)) != 0)
        err_hint(err, "look where standard output goes: the token was not delivered");
    secret_clear(&out);
    return r;
}

int
cmd_token(const char *config, int argc, char **argv)
{
    struct deadline deadline = deadline_in(TOKEN_DEADLINE_MS);
    struct acquire_want want = {.may_lose_memory = true};
    enum token_format format = TOKEN_RAW;
    struct context context = CONTEXT_INIT;
    const struct account *account;
    struct store_key *key = NULL;
    struct acquire acquire;
    struct err err = ERR_INIT;
    bool refresh = false;
    int name = parse(argc, argv, &format, &refresh), r;

    if (name < 0)
        return EX_USAGE;
    log_set_level(LOG_LEVEL_WARNING);
    context.config = config;
    acquire_init(&acquire, NULL);
    want.due_is_stale = true;
    if (refresh) {
        want.newer_than = wallclock_now();
        want.ignore_failure = true;
    }
    if ((r = context_accounts(&context, &err)) == 0 &&
        (r = context_account(&context, argv[name], &account, &err)) == 0 &&
        (r = context_store(&context, &err)) == 0 &&
        (r = store_key_use(context.accounts, &context.store, &key, &err)) == 0) {
        acquire_init(&acquire, account);
        want.mended_at = accounts_changed_at(context.accounts);
        r = acquire_token(&acquire, &context.store, &want, &deadline, &err);
        if (r == 0) {
            warn_about(account->name, &acquire);
            r = print(format, account, &acquire.record, &err);
        }
    }
    acquire_clear(&acquire);
    context_close(&context);
    store_key_free(&key);
    return r == 0 ? EX_OK : complain(argv[name], &err);
}
