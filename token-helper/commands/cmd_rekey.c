/* cmd_rekey.c - `mailbearer rekey`: every record as the accounts file wants it now. */
#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "../accounts/context.h"
#include "../accounts/store_upkeep.h"
#include "../base/complain.h"
#include "../client/deadline.h"
#include "../oauth/store_key.h"
#include "commands.h"

#define LOCK_WAIT_MS 30000

static const char help_text[] =
    "usage: mailbearer rekey [--old-key FILE]\n"
    "\n"
    "Encrypts the stored tokens with the key that the accounts file names (store {\n"
    "encryption_key_file }), or, where it names none, takes the encryption off.\n"
    "\n"
    "  --old-key FILE  the key they were encrypted with, when it is another one\n"
    "\n"
    "Restart the agent afterwards: it reads the key when it starts.\n";

/* -1: go on; else the exit status. */
static int
parse(int argc, char **argv, const char **old_key)
{
    static const struct option options[] = {{"old-key", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help_text, stdout);
            return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
        }
        if (c == 'o') {
            *old_key = optarg;
            continue;
        }
        fputs(help_text, stderr);
        return EX_USAGE;
    }
    if (optind == argc)
        return -1;
    fputs(help_text, stderr);
    return EX_USAGE;
}

/* Goes on where it can; the status is the first failure's. */
static int
rekey_all(const struct store *store, char *const *names, size_t count)
{
    size_t changed = 0;
    int status = EX_OK;

    for (size_t i = 0; i < count; i++) {
        struct deadline deadline = deadline_in(LOCK_WAIT_MS);
        struct err err = ERR_INIT;
        bool different = false;

        if (store_rekey(store, names[i], &deadline, &different, &err) != 0) {
            int s = complain(names[i], &err);

            status = status == EX_OK ? s : status;
        }
        changed += different;
    }
    printf("%zu of %zu records are now %s\n", changed, count,
           store->cipher != NULL ? "encrypted with the present key" : "in clear");
    return status;
}

int
cmd_rekey(const char *config, int argc, char **argv)
{
    struct context context = CONTEXT_INIT;
    struct store_key *key = NULL, *old = NULL;
    const char *old_file = NULL;
    struct err err = ERR_INIT;
    char **names = NULL;
    size_t count = 0;
    int status = parse(argc, argv, &old_file);

    if (status >= 0)
        return status;
    context.config = config;
    if (context_accounts(&context, &err) != 0 || context_store(&context, &err) != 0 ||
        store_key_use(context.accounts, &context.store, &key, &err) != 0 ||
        (old_file != NULL && store_key_load(old_file, &old, &err) != 0) ||
        store_accounts(&context.store, &names, &count, &err) != 0) {
        status = complain(NULL, &err);
    } else {
        if (old != NULL)
            context.store.old_cipher = store_key_cipher(old);
        status = rekey_all(&context.store, names, count);
    }
    store_accounts_free(names, count);
    store_key_free(&old);
    store_key_free(&key);
    context_close(&context);
    return fflush(stdout) == 0 ? status : EX_IOERR;
}
