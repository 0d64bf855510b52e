/* options.c - see options.h. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char help_text[] =
    "usage: mailbearer-fetch [-c FILE] [-v] [--syslog] [--greeting] imap|pop3|smtp\n"
    "                        [HOST [PORT]] ACCOUNT\n"
    "       mailbearer-fetch --listen ADDRESS:PORT|PATH... [OPTION...] imap|pop3|smtp\n"
    "                        [[HOST [PORT]] ACCOUNT]\n"
    "\n"
    "Signs in to the account's mail server with its OAuth token and carries the session\n"
    "on standard input and output, for mail programs that run a command to connect.\n"
    "With --listen it is a local port, for those that know host, port, name, password:\n"
    "over TCP they sign in with what `mailbearer passwd ACCOUNT` has set, over a UNIX\n"
    "socket allow_users decides. Without ACCOUNT the name they give is the account.\n"
    "\n"
    "  -c FILE      this accounts file\n"
    "  -v           tell on standard error what happens\n"
    "  --syslog     tell syslog, facility mail\n"
    "  --greeting   imap: let the program sign in (anything is taken) instead of "
    "PREAUTH\n"
    "  --version    the version\n"
    "\n"
    "  --listen ADDRESS:PORT, --listen PATH\n"
    "               serve here, in the foreground; may be repeated\n"
    "  --mode MODE, --group GROUP\n"
    "               of the socket at PATH (0600, and this process's group)\n"
    "  --user USER  whom root becomes (mailbearer-fetch, if there is one)\n"
    "  --max-sessions N      at once (200)\n"
    "  --sign-in-time S      seconds a program has to sign in (60)\n"
    "  --failure-delay MS    wait after a wrong password, then twice that ... (1000)\n"
    "  --tls-cert FILE, --tls-key FILE\n"
    "               TLS from the start; PEM\n"
    "  --starttls   with them: STARTTLS (STLS) instead\n"
    "  --allow-remote\n"
    "               an address others can reach is no mistake; needs TLS\n"
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

int
options_need_account(void)
{
    return usage("an account is needed, with a host and a port before it at most", "");
}

/* A number from least to most, times `factor`. */
static bool
read_number(const char *text, long least, long most, int factor, int *number_r)
{
    char *end = NULL;
    long n = text[0] >= '0' && text[0] <= '9' ? strtol(text, &end, 10) : -1;

    if (end == NULL || *end != '\0' || n < least || n > most)
        return false;
    *number_r = (int)n * factor;
    return true;
}

static bool
read_mode(const char *text, mode_t *mode_r)
{
    size_t n = strlen(text);

    if (n < 3 || n > 4 || text[strspn(text, "01234567")] != '\0')
        return false;
    *mode_r = (mode_t)strtol(text, NULL, 8);
    return (*mode_r & ~(mode_t)0777) == 0;
}

/* Those of local ports. -1: taken. */
static int
read_port_option(int c, struct options *o)
{
    bool good = true;

    switch (c) {
    case 'l':
        if (o->listen_count == OPTIONS_LISTEN_MAX)
            return usage("too many sockets to listen on", "");
        o->listen[o->listen_count++] = optarg;
        break;
    case 'm':
        good = read_mode(optarg, &o->mode);
        break;
    case 'G':
        o->group = optarg;
        break;
    case 'u':
        o->user = optarg;
        break;
    case 'n':
        good = read_number(optarg, 1, 10000, 1, &o->max_sessions);
        break;
    case 't':
        good = read_number(optarg, 1, 3600, 1000, &o->sign_in_ms);
        break;
    case 'd':
        good = read_number(optarg, 0, 60000, 1, &o->failure_ms);
        break;
    case 'C':
        o->tls_cert = optarg;
        break;
    case 'K':
        o->tls_key = optarg;
        break;
    default:
        return usage("unknown option, or one without what it needs", "");
    }
    return good ? -1 : usage("this does not fit its option: ", optarg);
}

static int
check_tls(const struct options *o)
{
    if ((o->tls_cert == NULL) != (o->tls_key == NULL))
        return usage("--tls-cert and --tls-key go together", "");
    if (o->starttls && o->tls_cert == NULL)
        return usage("--starttls needs --tls-cert and --tls-key", "");
    return -1;
}

/* [HOST [PORT]] ACCOUNT, behind the protocol. */
static int
read_words(int count, char **words, struct options *o)
{
    if (count == 0 || !wire_from_name(words[0], &o->wire))
        return usage("imap, pop3 or smtp is needed", "");
    if (count > 4)
        return options_need_account();
    o->account = count > 1 ? words[count - 1] : NULL;
    o->host = count > 2 ? words[1] : NULL;
    o->port = count > 3 ? words[2] : NULL;
    for (int i = 1; i < count; i++)
        if (words[i][0] == '\0' || words[i][0] == '-')
            return usage("not a host, port or account: ", words[i]);
    if (o->greeting && o->wire != WIRE_IMAP)
        return usage("--greeting is for imap: the others always greet", "");
    return check_tls(o);
}

int
options_read(int argc, char **argv, struct options *options_r)
{
    static const struct option long_options[] = {
        {"syslog", no_argument, NULL, 's'},
        {"greeting", no_argument, NULL, 'g'},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {"verbose", no_argument, NULL, 'v'},
        {"listen", required_argument, NULL, 'l'},
        {"mode", required_argument, NULL, 'm'},
        {"group", required_argument, NULL, 'G'},
        {"user", required_argument, NULL, 'u'},
        {"max-sessions", required_argument, NULL, 'n'},
        {"sign-in-time", required_argument, NULL, 't'},
        {"failure-delay", required_argument, NULL, 'd'},
        {"tls-cert", required_argument, NULL, 'C'},
        {"tls-key", required_argument, NULL, 'K'},
        {"starttls", no_argument, NULL, 'S'},
        {"allow-remote", no_argument, NULL, 'R'},
        {NULL, 0, NULL, 0}};
    struct options o = {
        .mode = 0600, .max_sessions = 200, .sign_in_ms = 60000, .failure_ms = 1000};
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
        case 'S':
            o.starttls = true;
            break;
        case 'R':
            o.allow_remote = true;
            break;
        default:
            if ((r = read_port_option(c, &o)) >= 0)
                return r;
        }
    }
    if ((r = read_words(argc - optind, argv + optind, &o)) < 0)
        *options_r = o;
    return r;
}
