/* replay.c - runs a fuzz target over files, without the fuzzer.
 *
 * usage: TARGET FILE|DIRECTORY...     each file, and each file in the directories
 *        TARGET                       standard input
 *
 * Prints how many inputs there were. A property that does not hold, or a sanitizer's
 * finding, ends it with a signal or another status than 0; the input's name comes first.
 */
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>
#include <sys/stat.h>

#include "fuzz.h"

#define INPUT_MAX ((size_t)1 << 20)

static const char *running; /* told when it ends here */
static unsigned long count;

static void
run_stream(FILE *in, const char *name)
{
    uint8_t *bytes = malloc(INPUT_MAX), *exact;
    size_t n;

    FUZZ_CHECK(bytes != NULL);
    n = fread(bytes, 1, INPUT_MAX, in);
    exact = malloc(n > 0 ? n : 1);
    FUZZ_CHECK(exact != NULL);
    memcpy(exact, bytes, n);
    free(bytes);
    running = name;
    LLVMFuzzerTestOneInput(exact, n);
    running = NULL;
    free(exact);
    count++;
}

static void
run_file(const char *path)
{
    FILE *in = fopen(path, "rb");

    if (in == NULL) {
        perror(path);
        exit(1);
    }
    run_stream(in, path);
    fclose(in);
}

static void
run_directory(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    char name[PATH_MAX];

    if (dir == NULL) {
        perror(path);
        exit(1);
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        run_file(name);
    }
    closedir(dir);
}

/* Sanitizers end the process so as well (see below): which input was it? */
static void
on_abort(int number)
{
    static const char words[] = "while running ";

    (void)number;
    if (running != NULL) {
        (void)!write(STDERR_FILENO, words, sizeof words - 1);
        (void)!write(STDERR_FILENO, running, strlen(running));
        (void)!write(STDERR_FILENO, "\n", 1);
    }
}

const char *__asan_default_options(void);
const char *__msan_default_options(void);

const char *
__asan_default_options(void)
{
    return "abort_on_error=1:detect_stack_use_after_return=1:strict_string_checks=1";
}

const char *
__msan_default_options(void)
{
    return "abort_on_error=1";
}

int
main(int argc, char **argv)
{
    struct stat st;

    signal(SIGABRT, on_abort);
    if (LLVMFuzzerInitialize != NULL)
        LLVMFuzzerInitialize(&argc, &argv);
    if (argc < 2)
        run_stream(stdin, "standard input");
    for (int i = 1; i < argc; i++) {
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
            run_directory(argv[i]);
        else
            run_file(argv[i]);
    }
    printf("%lu inputs\n", count);
    return 0;
}
