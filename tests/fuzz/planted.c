/* planted.c - a target with faults, which check-corpus.sh must see: it knows by them that
 * a replay can fail. */
#include "fuzz.h"

static char *volatile lost;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    volatile unsigned bits = 40;

    FUZZ_CHECK(strcmp(text, "wrong") != 0);
    if (strcmp(text, "overrun") == 0)
        text[size + 1] = '\0';
    if (strcmp(text, "shift") == 0)
        bits = 1u << bits; // NOLINT(clang-analyzer-*): it is planted
    if (strcmp(text, "leak") == 0) {
        lost = strdup(text);
        lost = NULL;
    }
    free(text);
    return 0;
}
