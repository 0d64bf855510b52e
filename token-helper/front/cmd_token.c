/* cmd_token.c - `mailbearer token`: the agent, else the store, else a refresh.
 *
 * Nothing but the token is ever on standard output: mail programs take it as it comes,
 * and mutt does not look at the exit status.
 */
#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "../base/complain.h"
#include "get_token.h"

static const char help_text[] =
    "usage: mailbearer token ACCOUNT [--format FORMAT] [--refresh]\n"
    "\n"
    "Prints a fresh access token for ACCOUNT, and nothing else.\n"
    "\n"
    "  --format raw           the token (default)\n"
    "  --format json          account, user, access_token, expires_at (epoch seconds)\n"
    "  --format xoauth2       the SASL XOAUTH2 message, base64\n"
    "  --format oauthbearer   the SASL OAUTHBEARER message, base64\n"
    "  --format header        an HTTP Authorization header\n"
    "  --refresh              fetch a new token even if the present one is good\n"
    "\n"
    "Exit status: 0 printed, 66 no such account, 69 no agent and no access to the\n"
    "store, 74 store trouble, 75 try again later, 77 a person must act, 78 accounts\n"
    "file wrong.\n";

static int
usage(const char *what, const char *word)
{
    struct err err = ERR_INIT;

    err_set(&err, ERR_USAGE, "token: %s%s", what, word);
    err_hint(&err, "see: mailbearer token --help");
    return complain(NULL, &err);
}

/* -1: go on; else the exit status. */
static int
parse(int argc, char **argv, struct wanted *w)
{
    static const struct option options[] = {{"format", required_argument, NULL, 'f'},
                                            {"refresh", no_argument, NULL, 'r'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int c;

    opterr = 0;
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help_text, stdout);
            return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
        }
        if (c == 'r')
            w->refresh = true;
        else if (c != 'f')
            return usage("unknown option, or one without its value", "");
        else if ((w->format = token_format_from_name(optarg)) == TOKEN_FORMAT_COUNT)
            return usage("unknown format: ", optarg);
    }
    if (argc - optind != 1)
        return usage("one account is needed", "");
    w->account = argv[optind];
    return -1;
}

int
front_token(const struct front *front, int argc, char **argv)
{
    struct wanted w = {.format = TOKEN_RAW};
    int status = parse(argc, argv, &w);

    return status >= 0 ? status : get_token(front, &w);
}
