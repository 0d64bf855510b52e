/* cmd_explain.c - `mailbearer explain`: what an error means, who can mend it and how.
 *
 * The text is never printed, nor any part of it: people paste whole logs, and a log may
 * hold a token. All output comes from the catalogue.
 */
#include "commands.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../catalogue/catalogue.h"

#define INPUT_MAX ((size_t)1024 * 1024)
#define COLUMNS 79
#define INDENT 4
#define LINE_MAX_LEN 1024 /* meaning and remedy have at most 300 characters */

struct input {
    char *text; /* INPUT_MAX bytes, wiped and freed by input_clear() */
    size_t len;
    bool cut; /* there was more than INPUT_MAX */
};

static int
input_init(struct input *in)
{
    in->len = 0;
    in->cut = false;
    if ((in->text = malloc(INPUT_MAX)) != NULL)
        return EX_OK;
    fputs("mailbearer explain: out of memory\nTry again later.\n", stderr);
    return EX_TEMPFAIL;
}

static void
input_clear(struct input *in)
{
    if (in->text)
        explicit_bzero(in->text, INPUT_MAX);
    free(in->text);
    in->text = NULL;
}

static void
input_add(struct input *in, const char *s, size_t len)
{
    size_t room = INPUT_MAX - in->len;

    if (len > room) {
        len = room;
        in->cut = true;
    }
    memcpy(in->text + in->len, s, len);
    in->len += len;
}

static void
input_join(struct input *in, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (i > 0)
            input_add(in, " ", 1);
        input_add(in, argv[i], strlen(argv[i]));
    }
}

static int
input_read(struct input *in, int fd)
{
    char more;
    ssize_t n;

    for (;;) {
        bool full = in->len == INPUT_MAX;

        n = full ? read(fd, &more, 1) : read(fd, in->text + in->len, INPUT_MAX - in->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        if (full) {
            in->cut = true;
            break;
        }
        in->len += (size_t)n;
    }
    if (n >= 0)
        return EX_OK;
    fprintf(stderr,
            "mailbearer explain: cannot read standard input: %s\n"
            "Give the text as an argument: mailbearer explain 'TEXT'\n",
            strerror(errno));
    return EX_IOERR;
}

/* Prints words folded at COLUMNS. A word that is longer than a line (an address, a
 * command's argument) stays whole, so that it can be copied. */
static void
print_folded(const char *text)
{
    size_t column = 0;

    while (*text) {
        size_t word = strcspn(text, " ");

        if (column > 0 && column + 1 + word > COLUMNS) {
            putchar('\n');
            column = 0;
        }
        if (column == 0)
            printf("%*s", INDENT, "");
        else
            putchar(' ');
        fwrite(text, 1, word, stdout);
        column += word + (column == 0 ? INDENT : 1);
        text += word;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static const char *
who_can_mend(enum catalogue_class class_)
{
    switch (class_) {
    case CATALOGUE_TRANSIENT:
        return "nobody has to, it goes away by itself";
    case CATALOGUE_USER_ACTION:
        return "the account's person";
    case CATALOGUE_CONFIG:
        return "the administrator";
    case CATALOGUE_PERMANENT:
        break;
    }
    return "nobody here, only the provider or time";
}

static const char *
who_says_it(const char *layer)
{
    if (strcmp(layer, "smtp") == 0)
        return "SMTP";
    if (strcmp(layer, "imap") == 0)
        return "IMAP";
    if (strcmp(layer, "pop") == 0)
        return "POP3";
    return "sign-in";
}

static void
print_entry(const struct catalogue_entry *entry, bool first)
{
    const struct catalogue_values nothing_known = {NULL, NULL, NULL, NULL};
    char remedy[LINE_MAX_LEN];
    char line[LINE_MAX_LEN + 64];

    catalogue_remedy(entry, &nothing_known, remedy, sizeof(remedy));
    printf("%s%s (%s)\n", first ? "" : "\n", entry->code, who_says_it(entry->layer));
    snprintf(line, sizeof(line), "Meaning: %s", entry->meaning);
    print_folded(line);
    snprintf(line, sizeof(line), "Who can mend it: %s", who_can_mend(entry->class_));
    print_folded(line);
    snprintf(line, sizeof(line), "Remedy: %s", remedy);
    print_folded(line);
}

static size_t
row_index(const struct catalogue_entry *entry)
{
    size_t i = 0;

    while (catalogue_row(i) && catalogue_row(i) != entry)
        i++;
    return i;
}

/* Prints every known error of the text, each once; *found_r is how many. */
static int
explain(const struct input *in, size_t *found_r)
{
    const struct catalogue_entry *entry;
    bool *seen;
    size_t rows = 0;
    size_t found = 0;
    size_t at = 0;

    while (catalogue_row(rows))
        rows++;
    if ((seen = calloc(rows + 1, sizeof(*seen))) == NULL) {
        fputs("mailbearer explain: out of memory\nTry again later.\n", stderr);
        return EX_TEMPFAIL;
    }
    for (size_t from = 0;
         (entry = catalogue_search(in->text, in->len, from, &at)) != NULL;
         from = at + 1) {
        size_t row = row_index(entry);

        if (!seen[row])
            print_entry(entry, found++ == 0);
        seen[row] = true;
    }
    free(seen);
    *found_r = found;
    return EX_OK;
}

static int
explain_finish(const struct input *in, size_t found)
{
    if (in->cut)
        fputs("mailbearer explain: only the first 1 MB of the text was looked at\n"
              "Give it the lines around the error.\n",
              stderr);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("mailbearer explain: cannot write to standard output\n"
              "Check the disk or the program behind the pipe.\n",
              stderr);
        return EX_IOERR;
    }
    if (found > 0)
        return EX_OK;
    fputs("mailbearer explain: no known error in this text\n"
          "Run: mailbearer doctor ACCOUNT, which tries every step and says which one "
          "fails\n",
          stderr);
    return EX_USAGE;
}

int
cmd_explain(int argc, char **argv)
{
    struct input in = {NULL, 0, false};
    size_t found = 0;
    int r;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        puts("usage: mailbearer explain [TEXT...]");
        return EX_OK;
    }
    if ((r = input_init(&in)) != EX_OK)
        goto out;
    /* No options beyond these: a text may well begin with a dash (-ERR ...). */
    if (argc > 1 && strcmp(argv[1], "--") == 0) {
        argc--;
        argv++;
    }
    if (argc > 1) {
        input_join(&in, argc - 1, argv + 1);
    } else {
        if (isatty(STDIN_FILENO))
            fputs("Paste the error or log lines, then press Ctrl-D.\n", stderr);
        if ((r = input_read(&in, STDIN_FILENO)) != EX_OK)
            goto out;
    }
    if ((r = explain(&in, &found)) == EX_OK)
        r = explain_finish(&in, found);
out:
    input_clear(&in);
    return r;
}
