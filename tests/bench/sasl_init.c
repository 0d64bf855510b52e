/* sasl_init: what one sasl_client_init() costs in a fresh process. Which plugins there
 * are is said by SASL_PATH. Prints: microseconds, kB resident afterwards, shared objects
 * mapped by it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sasl/sasl.h>

#include "bench.h"

#define LINE_MAX_ 4096

/* Shared objects in our memory: each counts once, at its first mapping (offset 0). */
static int
objects_mapped(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[LINE_MAX_];
    int count = 0;

    if (maps == NULL)
        bench_die("/proc/self/maps");
    while (fgets(line, sizeof(line), maps) != NULL)
        if (strstr(line, ".so") != NULL && strstr(line, " 00000000 ") != NULL)
            count++;
    fclose(maps);
    return count;
}

/* The exact figure: the one in statm is updated late. */
static long
kilobytes_resident(void)
{
    FILE *rollup = fopen("/proc/self/smaps_rollup", "re");
    char line[LINE_MAX_];
    long kb = 0;

    if (rollup == NULL)
        bench_die("/proc/self/smaps_rollup");
    while (fgets(line, sizeof(line), rollup) != NULL)
        if (strncmp(line, "Rss:", 4) == 0)
            kb = strtol(line + 4, NULL, 10);
    fclose(rollup);
    return kb;
}

int
main(void)
{
    int before = objects_mapped();
    double start = bench_now();
    int r = sasl_client_init(NULL);
    double took = bench_now() - start;
    const char **mechanisms = r == SASL_OK ? sasl_global_listmech() : NULL;

    if (mechanisms == NULL) {
        fprintf(stderr, "sasl_client_init: %s\n", sasl_errstring(r, NULL, NULL));
        return 1;
    }
    printf("%.3f %ld %d\n", took, kilobytes_resident(), objects_mapped() - before);
    return 0;
}
