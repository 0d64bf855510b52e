/* fuzz_import.c - token files of other tools, in each format. */
#include "fuzz_conf.h"

#include "base/json.h"
#include "commands/import_formats.h"

static struct accounts *accounts;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_setup();
    accounts = fuzz_accounts("account \"a@b.example\" { client_id = 1 tenant = t }\n");
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct secret text = SECRET_INIT;

    fuzz_set(&text, data, size);
    for (int format = 0; format < IMPORT_FORMAT_COUNT; format++) {
        struct imported imported = IMPORTED_INIT;
        struct err err = ERR_INIT;
        int r = import_parse((enum import_format)format, &text, "FILE", &imported, &err);

        fuzz_result(r, &err, MAY(ERR_CONFIG));
        if (size >= 64)
            fuzz_not_in(&err, (const char *)data, size);
        FUZZ_CHECK((r == 0) == (imported.refresh_token.len > 0));
        FUZZ_CHECK(!secret_has_control(&imported.refresh_token));
        if (r == 0) {
            r = import_check(&imported, &accounts->account[0], &err);
            fuzz_result(r, &err, MAY(ERR_CONFIG));
        }
        imported_clear(&imported);
    }
    secret_clear(&text);
    return 0;
}
