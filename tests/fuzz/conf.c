/* conf.c - see fuzz_conf.h. */
#include "fuzz_conf.h"

#include "accounts/build.h"
#include "accounts/parse.h"
#include "accounts/postfix_keys.h"

struct accounts *
fuzz_accounts(const char *text)
{
    struct raw raw = RAW_INIT;
    struct secret copy = SECRET_INIT;
    struct accounts *accounts = calloc(1, sizeof *accounts);
    struct err err = ERR_INIT;
    char *path = strdup("fuzz.conf");

    FUZZ_CHECK(accounts != NULL && path != NULL);
    fuzz_set(&copy, text, strlen(text));
    FUZZ_CHECK(raw_add_file(&raw, path, 0, 0) == 0);
    if (parse_text(&copy, &raw, 0, &err) != 0 ||
        build_accounts(&raw, accounts, &err) != 0 || key_index_make(accounts) != 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    /* Accounts name the file they are from. */
    accounts->file = calloc(1, sizeof *accounts->file);
    FUZZ_CHECK(accounts->file != NULL);
    accounts->file[0] = raw.file[0].file;
    accounts->file_count = 1;
    raw.file[0].file.path = NULL;
    raw_clear(&raw);
    secret_clear(&copy);
    return accounts;
}
