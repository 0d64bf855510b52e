/* fuzz_settings.c - an account's server as the agent tells it, and as the command line
 * changes it. */
#include "fuzz.h"

#include "../../fetch-helper/settings.h"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_setup();
    return 0;
}

static void
check(const struct settings *s)
{
    FUZZ_CHECK(s->server.user != NULL && s->server.host != NULL && s->json != NULL);
    FUZZ_CHECK(s->server.port >= 1 && s->server.port <= 65535);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char known[] =
        "{\"user\":\"u\",\"host\":\"h\",\"port\":993,\"security\":"
        "\"tls\",\"auth\":\"xoauth2\"}";
    struct settings s = {.json = NULL};
    struct err err = ERR_INIT;
    char *text = fuzz_copy(data, size), *word = fuzz_string(data, size);
    int r = settings_parse(text, size, &s, &err);

    fuzz_result(r, &err, MAY(ERR_PROTOCOL));
    FUZZ_CHECK((r == 0) == (s.json != NULL));
    if (r == 0)
        check(&s);
    settings_clear(&s);
    err = (struct err)ERR_INIT;
    FUZZ_CHECK(settings_parse(known, sizeof known - 1, &s, NULL) == 0);
    fuzz_result(settings_override(&s, NULL, word, &err), &err, MAY(ERR_USAGE));
    check(&s);
    settings_clear(&s);
    free(text);
    free(word);
    return 0;
}
