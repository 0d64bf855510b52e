/* options.c - see options.h. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const char help_text[] =
    "usage: mailbearer-fetch [-c FILE] [-v] [--syslog] [--greeting] imap|pop3|smtp\n"
    "                        [HOST [PORT]] ACCOUNT\n"
    "\n"
    "Signs in to the account's mail server with its OAuth token and carries the session\n"
    "on standard input and output, for mail programs that run a command to connect.\n"
    "\n"
    "  -c FILE      this accounts file\n"
    "  -v           tell on standard error what happens\n"
    "  --syslog     tell syslog, facility mail\n"
    "  --greeting   imap: let the program sign in (anything is taken) instead of "
    "PREAUTH\n"
    "  --version    the version\n"
    "\n"
    "Exit status: 0 the session is over, 64 usage, 66 no such account, 69 no agent and\n"
    "no access to the store, 74 store trouble, 75 try again later, 77 a person must "
    "act,\n"
    "78 accounts file wrong. Manual: mailbearer-fetch(1)\n";

static int
usage(const char *what, const char *word)
{
    fprintf(stderr,
            "mailbearer-fetch: %s%s\n"
            "mailbearer-fetch: to mend it: see mailbearer-fetch --help\n",
            what, word);
    return EX_USAGE;
}

static int
print(const char *text)
{
    fputs(text, stdout);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

/* [HOST [PORT]] ACCOUNT, behind the protocol. */
static int
read_words(int count, char **words, struct options *o)
{
    if (count == 0 || !wire_from_name(words[0], &o->wire))
        return usage("imap, pop3 or smtp is needed", "");
    if (count < 2 || count > 4)
        return usage("an account is needed, with a host and a port before it at most",
                     "");
    o->account = words[count - 1];
    o->host = count > 2 ? words[1] : NULL;
    o->port = count > 3 ? words[2] : NULL;
    for (int i = 1; i < count; i++)
        if (words[i][0] == '\0' || words[i][0] == '-')
            return usage("not a host, port or account: ", words[i]);
    if (o->greeting && o->wire != WIRE_IMAP)
        return usage("--greeting is for imap: the others always greet", "");
    return -1;
}

int
options_read(int argc, char **argv, struct options *options_r)
{
    static const struct option long_options[] = {
        {"syslog", no_argument, NULL, 's'},  {"greeting", no_argument, NULL, 'g'},
        {"version", no_argument, NULL, 'V'}, {"help", no_argument, NULL, 'h'},
        {"verbose", no_argument, NULL, 'v'}, {NULL, 0, NULL, 0}};
    struct options o = {.config = NULL};
    int c, r;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "c:vh", long_options, NULL)) != -1) {
        switch (c) {
        case 'c':
            o.config = optarg;
            break;
        case 'v':
            o.verbose = true;
            break;
        case 's':
            o.to_syslog = true;
            break;
        case 'g':
            o.greeting = true;
            break;
        case 'V':
            return print("mailbearer-fetch " MAILBEARER_VERSION "\n");
        case 'h':
            return print(help_text);
        default:
            return usage("unknown option, or -c without a file", "");
        }
    }
    if ((r = read_words(argc - optind, argv + optind, &o)) < 0)
        *options_r = o;
    return r;
}
