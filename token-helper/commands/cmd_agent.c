/* cmd_agent.c - `mailbearer agent`. */
#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "../agent/agent.h"
#include "../base/complain.h"
#include "../base/log.h"
#include "commands.h"

static const char help_text[] =
    "usage: mailbearer [-c FILE] agent [--listen PATH]... [--syslog] [-v]\n"
    "\n"
    "Keeps the accounts' tokens fresh and serves them on UNIX sockets, in the\n"
    "foreground. Sockets passed by the service manager are used; with neither these\n"
    "nor --listen, /run/mailbearer/agent.sock (the user's own:\n"
    "$XDG_RUNTIME_DIR/mailbearer/agent.sock).\n"
    "\n"
    "  --listen PATH  listen there; may be repeated. For Postfix in its chroot:\n"
    "                 --listen /var/spool/postfix/run/mailbearer/agent.sock\n"
    "  --syslog       log to syslog, facility mail, instead of standard error\n"
    "  -v             log every request\n"
    "\n"
    "SIGHUP, or a changed accounts file, reloads; SIGTERM ends.\n";

static int
usage(void)
{
    fputs(help_text, stderr);
    return EX_USAGE;
}

int
cmd_agent(const char *config, int argc, char **argv)
{
    static const struct option options[] = {{"listen", required_argument, NULL, 'l'},
                                            {"syslog", no_argument, NULL, 's'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct agent_options o = {.listen_count = 0};
    struct err err = ERR_INIT;
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "vh", options, NULL)) != -1) {
        switch (c) {
        case 'l':
            if (o.listen_count == LISTEN_MAX)
                return usage();
            o.listen[o.listen_count++] = optarg;
            break;
        case 's':
            log_to_syslog("mailbearer");
            break;
        case 'v':
            log_set_level(LOG_LEVEL_DEBUG);
            break;
        case 'h':
            fputs(help_text, stdout);
            return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
        default:
            return usage();
        }
    }
    if (optind != argc)
        return usage();
    if (place_find(config, &o.place, &err) != 0 || agent_run(&o, &err) != 0)
        return complain("agent", &err);
    return EX_OK;
}
