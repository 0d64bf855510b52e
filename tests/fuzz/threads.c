/* threads.c - the plugin in a host with 16 threads, each of them signing in again and
 * again.
 *
 * For ThreadSanitizer (make check-tsan) and, with one thread, for MemorySanitizer. Linked
 * with the plugin's own objects, so that all of it is instrumented.
 *
 * usage: threads [THREADS]
 */
#include <pthread.h>
#include <unistd.h>

#include "fuzz.h"
#include "host.h"

#define THREADS_MOST 64
#define ROUNDS 60

static const sasl_client_plug_t *plugs;

/* By the agent and by a literal token, accepted and refused, both mechanisms. */
static void *
run(void *number)
{
    int first = (int)(intptr_t)number;

    for (int i = first; i < first + ROUNDS; i++) {
        bool literal = i % 3 == 0;
        int code = host_exchange(
            plugs, i % 2, literal ? HOST_TOKEN : "agent:alice@b.example", i % 5 == 0);

        if (code != SASL_OK) {
            fprintf(stderr, "exchange %d ended with %d\n", i, code);
            abort();
        }
    }
    return NULL;
}

int
main(int argc, char **argv)
{
    int count = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 16, agent;
    char path[64];
    pthread_t thread[THREADS_MOST];

    FUZZ_CHECK(count >= 1 && count <= THREADS_MOST);
    snprintf(path, sizeof path, "/tmp/mailbearer-threads.%ld", (long)getpid());
    setenv("MAILBEARER_SOCKET", path, 1);
    agent = host_agent_begin(path);
    plugs = host_plugs();
    for (int i = 0; i < count; i++)
        FUZZ_CHECK(pthread_create(&thread[i], NULL, run, (void *)(intptr_t)i) == 0);
    for (int i = 0; i < count; i++)
        pthread_join(thread[i], NULL);
    host_agent_end(agent);
    unlink(path);
    printf("1..1\nok 1 - %d exchanges in %d threads\n", count * ROUNDS, count);
    return 0;
}
