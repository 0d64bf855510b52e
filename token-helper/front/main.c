/* main.c - `mailbearer`: asks the agent or the store, hands everything else on. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "../base/json.h"
#include "../base/process.h"
#include "front.h"

static const char usage_text[] =
    "usage: mailbearer [-c FILE] COMMAND [ARGUMENT...]\n"
    "\n"
    "  login ACCOUNT            sign a person in: by browser, device code or pasting\n"
    "  logout ACCOUNT           revoke the sign-in and forget the tokens\n"
    "  token ACCOUNT            print a fresh access token\n"
    "  upstream PROTO ACCOUNT   print its server settings (smtp, imap, pop3)\n"
    "  status [ACCOUNT]         how every account is, and what to do\n"
    "  doctor ACCOUNT           check everything up to a real sign-in; what mends it\n"
    "  doctor --postfix         check how Postfix uses it; what mends it\n"
    "  setup [CLIENT ACCOUNT]   print the configuration of a mail program; list them\n"
    "  check                    check the accounts file, the store and the file modes\n"
    "  import FORMAT FILE ACCOUNT\n"
    "                           take over a sign-in; FORMAT is sasl-xoauth2,\n"
    "                           mutt_oauth2 or refresh-token\n"
    "  git-credential get       answer `git send-email` when it asks for a password\n"
    "  passwd ACCOUNT           set its password at local ports of mailbearer-fetch\n"
    "  rekey                    encrypt the store with the present key, or decrypt it\n"
    "  explain [TEXT]           what an error from a log means, and its remedy\n"
    "  agent [--listen PATH]... serve tokens to mail programs, in the foreground\n"
    "  hook                     run on_failure or on_recovery for a sandboxed agent\n"
    "\n"
    "  -c FILE     this accounts file\n"
    "  --version   the version\n"
    "  --help      this text; also after a command\n"
    "\n"
    "Manual: mailbearer(1), mailbearer.conf(5), mailbearer-agent(8),\n"
    "mailbearer-sasl(7)\n";

/* `-c FILE` may also stand behind the command: moves it in front, where mailbearer-oauth
 * looks for it. `explain` takes free text, which is left alone. */
static void
move_config_forward(int argc, char **argv, int command)
{
    if (command >= argc || strcmp(argv[command], "explain") == 0)
        return;
    for (int i = command + 1; i + 1 < argc && strcmp(argv[i], "--") != 0; i++) {
        char *option = argv[i], *file = argv[i + 1];

        if (strcmp(option, "-c") != 0)
            continue;
        memmove(&argv[command + 2], &argv[command], (size_t)(i - command) * sizeof *argv);
        argv[command] = option;
        argv[command + 1] = file;
        return;
    }
}

static int
first_word(int argc, char **argv)
{
    int i = 1;

    while (i < argc && argv[i][0] == '-')
        i += strcmp(argv[i], "-c") == 0 ? 2 : 1;
    return i;
}

int
main(int argc, char **argv)
{
    struct front front = {NULL, argv};
    int i = 1;

    if (process_begin() != 0)
        return EX_OSERR;
    move_config_forward(argc, argv, first_word(argc, argv));
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(usage_text, stdout);
            return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
        }
        if (strcmp(argv[i], "--version") == 0) {
            puts("mailbearer " MAILBEARER_VERSION);
            return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
        }
        if (strcmp(argv[i], "-c") == 0 && i + 1 < argc) {
            front.config = argv[++i];
            continue;
        }
        fprintf(stderr, "mailbearer: unknown option: %s\n%s", argv[i], usage_text);
        return EX_USAGE;
    }
    if (i == argc) {
        fputs(usage_text, stderr);
        return EX_USAGE;
    }
    json_setup();
    if (strcmp(argv[i], "token") == 0)
        return front_token(&front, argc - i, argv + i);
    if (strcmp(argv[i], "upstream") == 0)
        return front_upstream(&front, argc - i, argv + i);
    if (strcmp(argv[i], "git-credential") == 0)
        return front_git_credential(&front, argc - i, argv + i);
    if (strcmp(argv[i], "setup") == 0)
        return front_setup(&front, argc - i, argv + i);
    return run_oauth(&front);
}
