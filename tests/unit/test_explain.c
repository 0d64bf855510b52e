/* `mailbearer explain`: what is printed where, and the exit status. Each case runs in a
 * process of its own whose standard streams are files. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../token-helper/catalogue/catalogue.h"
#include "../../token-helper/commands/commands.h"

#define OUTPUT_MAX 65536
#define MEGABYTE ((size_t)1024 * 1024)

static const char nothing_found[] =
    "mailbearer explain: no known error in this text\n"
    "Run: mailbearer doctor ACCOUNT, which tries every step and says which one fails\n";

struct result {
    int status;
    char out[OUTPUT_MAX];
    char err[OUTPUT_MAX];
};

static struct result result; /* of the last run */
static char dir[] = "/tmp/test_explain.XXXXXX";

static int
stream_open(int flags, const char *path)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    if (fd == -1)
        fail_msg("cannot open %s", path);
    return fd;
}

static char *
path_in_dir(const char *name, char path[64])
{
    snprintf(path, 64, "%s/%s", dir, name);
    return path;
}

static void
slurp(const char *path, char buf[OUTPUT_MAX])
{
    FILE *f = fopen(path, "re");
    size_t n;

    assert_non_null(f);
    n = fread(buf, 1, OUTPUT_MAX - 1, f);
    assert_true(feof(f));
    buf[n] = '\0';
    fclose(f);
}

/* Runs `explain` with `argv` (NULL at the end), reading `in` and writing `out`. */
static void
run_with(const char *const *argv, const char *in, const char *out)
{
    char err[64];
    char *args[16] = {NULL};
    int argc = 0;
    int status = 0;
    pid_t pid;

    for (; argv[argc]; argc++) {
        assert_in_range(argc, 0, 14);
        args[argc] = strdup(argv[argc]);
    }
    path_in_dir("err", err);
    fflush(NULL);
    pid = fork();
    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        dup2(stream_open(O_RDONLY, in), STDIN_FILENO);
        dup2(stream_open(O_WRONLY | O_CREAT | O_TRUNC, out), STDOUT_FILENO);
        dup2(stream_open(O_WRONLY | O_CREAT | O_TRUNC, err), STDERR_FILENO);
        status = cmd_explain(argc, args);
        fflush(NULL);
        _exit(status);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    result.status = WEXITSTATUS(status);
    slurp(err, result.err);
    for (int i = 0; i < argc; i++)
        free(args[i]);
}

static void
run(const char *const *argv)
{
    char out[64];

    run_with(argv, "/dev/null", path_in_dir("out", out));
    slurp(out, result.out);
}

static void
run_text(const char *text)
{
    run((const char *const[]){"explain", text, NULL});
}

/* Runs with `before` bytes of 'x', then `text`, on standard input. */
static void
run_stdin(size_t before, const char *text)
{
    char in[64];
    char out[64];
    FILE *f = fopen(path_in_dir("in", in), "we");

    assert_non_null(f);
    for (size_t i = 0; i < before; i++)
        fputc('x', f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    run_with((const char *const[]){"explain", NULL}, in, path_in_dir("out", out));
    slurp(out, result.out);
}

static void
test_prints_meaning_who_and_remedy(void **state)
{
    (void)state;
    run_text("AADSTS7000222");
    assert_string_equal(
        result.out,
        "AADSTS7000222 (sign-in)\n"
        "    Meaning: The client secret has expired\n"
        "    Who can mend it: the administrator\n"
        "    Remedy: Entra > App registrations > <client_id> > Certificates & secrets >\n"
        "    New client secret: put its Value into the file of client_secret_file and\n"
        "    its date into secret_expires; a certificate lasts longer\n");
    assert_string_equal(result.err, "");
    assert_int_equal(result.status, 0);
}

static void
test_says_who_can_mend_each_class(void **state)
{
    (void)state;
    run_text("454 4.7.0");
    assert_non_null(strstr(result.out, "454 4.7.0 (SMTP)\n"));
    assert_non_null(
        strstr(result.out, "mend it: nobody has to, it goes away by itself\n"));
    run_text("-ERR [AUTH] no");
    assert_non_null(strstr(result.out, "-ERR [AUTH] (POP3)\n"));
    assert_non_null(strstr(result.out, "mend it: the account's person\n"));
    run_text("* BAD User is authenticated but not connected.");
    assert_non_null(strstr(result.out, " (IMAP)\n"));
    assert_non_null(strstr(result.out, "mend it: the administrator\n"));
    run_text("552 5.3.4");
    assert_non_null(
        strstr(result.out, "mend it: nobody here, only the provider or time\n"));
}

static void
test_arguments_are_joined(void **state)
{
    (void)state;
    run((const char *const[]){"explain", "535", "5.7.139", "account", "locked", NULL});
    assert_int_equal(result.status, 0);
    assert_ptr_equal(strstr(result.out, "535 5.7.139 ... account locked (SMTP)\n"),
                     result.out);
    run((const char *const[]){"explain", "--", "-ERR", "[IN-USE]", NULL});
    assert_ptr_equal(strstr(result.out, "-ERR [IN-USE] (POP3)\n"), result.out);
    run((const char *const[]){"explain", "-ERR", "[IN-USE]", NULL});
    assert_ptr_equal(strstr(result.out, "-ERR [IN-USE] (POP3)\n"), result.out);
}

static void
test_reads_standard_input_without_arguments(void **state)
{
    (void)state;
    run_stdin(0, "said: 535\n  5.7.3 Authentication unsuccessful\n");
    assert_int_equal(result.status, 0);
    assert_ptr_equal(strstr(result.out, "535 5.7.3 (SMTP)\n"), result.out);
    assert_string_equal(result.err, "");
}

static void
test_each_error_once_in_order(void **state)
{
    const char *second;

    (void)state;
    run_text("AADSTS50057 535 5.7.3 AADSTS50057 535 5.7.3");
    assert_ptr_equal(strstr(result.out, "AADSTS50057 (sign-in)\n"), result.out);
    second = strstr(result.out, "\n\n535 5.7.3 (SMTP)\n");
    assert_non_null(second);
    assert_null(strstr(result.out + 1, "AADSTS50057"));
    assert_null(strstr(second + 3, "535 5.7.3"));
}

static void
test_nothing_found(void **state)
{
    (void)state;
    run_text("all is well");
    assert_string_equal(result.out, "");
    assert_string_equal(result.err, nothing_found);
    assert_int_equal(result.status, 64);
    run_stdin(0, "");
    assert_string_equal(result.err, nothing_found);
    assert_int_equal(result.status, 64);
    run_text("");
    assert_int_equal(result.status, 64);
}

static void
test_only_the_first_megabyte_is_read(void **state)
{
    (void)state;
    run_stdin(MEGABYTE - 14, " AADSTS50057 ");
    assert_int_equal(result.status, 0);
    assert_string_equal(result.err, "");
    run_stdin(MEGABYTE, " AADSTS50057 ");
    assert_int_equal(result.status, 64);
    assert_string_equal(result.out, "");
    assert_ptr_equal(strstr(result.err,
                            "mailbearer explain: only the first 1 MB of the text "
                            "was looked at\n"),
                     result.err);
}

static void
test_only_the_first_megabyte_of_arguments_is_read(void **state)
{
    char *filler = malloc(MEGABYTE);

    (void)state;
    assert_non_null(filler);
    memset(filler, 'x', MEGABYTE);
    filler[MEGABYTE - 12] = '\0'; /* and one space that joins */
    run((const char *const[]){"explain", filler, "AADSTS50057", NULL});
    assert_int_equal(result.status, 0);
    assert_string_equal(result.err, "");
    filler[MEGABYTE - 12] = 'x';
    filler[MEGABYTE - 1] = '\0';
    run((const char *const[]){"explain", filler, "AADSTS50057", NULL});
    assert_int_equal(result.status, 64);
    assert_non_null(
        strstr(result.err, "only the first 1 MB of the text was looked at\n"));
    free(filler);
}

/* People paste whole logs; a token in one must not reach another log. */
static void
test_the_text_is_never_printed(void **state)
{
    static const char token[] = "eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJjYW5hcnkifQ.c2lnbmF0dXJl";
    char text[300];

    (void)state;
    snprintf(text, sizeof(text), "auth=Bearer %s\n535 5.7.3 refused %s", token, token);
    run_text(text);
    assert_int_equal(result.status, 0);
    assert_null(strstr(result.out, "eyJ"));
    assert_null(strstr(result.err, "eyJ"));
    run_text(token);
    assert_int_equal(result.status, 64);
    assert_string_equal(result.out, "");
    assert_string_equal(result.err, nothing_found);
}

static void
test_every_row_fits_80_columns(void **state)
{
    size_t lines = 0;

    (void)state;
    for (size_t i = 0; catalogue_row(i); i += 1) {
        run_text(catalogue_row(i)->code);
        assert_int_equal(result.status, 0);
        assert_ptr_equal(strstr(result.out, catalogue_row(i)->code), result.out);
        for (char *line = strtok(result.out, "\n"); line; line = strtok(NULL, "\n")) {
            /* A word that is longer than a line stands alone, whole. */
            if (strlen(line) > 79 && strchr(line + 4, ' '))
                fail_msg("too long: %s", line);
            lines++;
        }
    }
    assert_in_range(lines, 1000, 4000);
}

static void
test_a_full_disk_and_an_unreadable_input_are_errors(void **state)
{
    char out[64];

    (void)state;
    run_with((const char *const[]){"explain", "AADSTS50057", NULL}, "/dev/null",
             "/dev/full");
    assert_int_equal(result.status, 74);
    assert_ptr_equal(strstr(result.err, "mailbearer explain: cannot write to standard "
                                        "output\n"),
                     result.err);
    run_with((const char *const[]){"explain", NULL}, dir, path_in_dir("out", out));
    assert_int_equal(result.status, 74);
    assert_string_equal(result.err,
                        "mailbearer explain: cannot read standard input: Is a directory\n"
                        "Give the text as an argument: mailbearer explain 'TEXT'\n");
}

static void
test_help(void **state)
{
    (void)state;
    run_text("--help");
    assert_int_equal(result.status, 0);
    assert_string_equal(result.out, "usage: mailbearer explain [TEXT...]\n");
}

static int
set_up(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int
tear_down(void **state)
{
    static const char *const names[] = {"in", "out", "err"};
    char path[64];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(path_in_dir(names[i], path));
    return rmdir(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prints_meaning_who_and_remedy),
        cmocka_unit_test(test_says_who_can_mend_each_class),
        cmocka_unit_test(test_arguments_are_joined),
        cmocka_unit_test(test_reads_standard_input_without_arguments),
        cmocka_unit_test(test_each_error_once_in_order),
        cmocka_unit_test(test_nothing_found),
        cmocka_unit_test(test_only_the_first_megabyte_is_read),
        cmocka_unit_test(test_only_the_first_megabyte_of_arguments_is_read),
        cmocka_unit_test(test_the_text_is_never_printed),
        cmocka_unit_test(test_every_row_fits_80_columns),
        cmocka_unit_test(test_a_full_disk_and_an_unreadable_input_are_errors),
        cmocka_unit_test(test_help),
    };

    return cmocka_run_group_tests_name("explain", tests, set_up, tear_down);
}
