/* main.c - `mailbearer-oauth`: what the front hands on, with its arguments. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "../base/complain.h"
#include "../base/json.h"
#include "../base/process.h"
#include "../oauth/crypto.h"
#include "../oauth/http.h"
#include "commands.h"

static int
explain(const char *config, int argc, char **argv)
{
    (void)config; /* knows no accounts */
    return cmd_explain(argc, argv);
}

static const struct command {
    const char *name;
    int (*run)(const char *config, int argc, char **argv);
} commands[] = {
    {"login", cmd_login},   {"logout", cmd_logout}, {"token", cmd_token},
    {"import", cmd_import}, {"status", cmd_status}, {"check", cmd_check},
    {"rekey", cmd_rekey},   {"agent", cmd_agent},   {"explain", explain},
    {"hook", cmd_hook},     {"doctor", cmd_doctor}, {"passwd", cmd_passwd},
};

int
main(int argc, char **argv)
{
    const char *config = NULL;
    struct err err = ERR_INIT;
    int i = 1;

    if (process_begin() != 0)
        return EX_OSERR;
    json_setup();
    crypto_setup(NULL); /* where it fails, OpenSSL only does not wipe what it frees */
    if (http_setup(&err) != 0)
        return complain(NULL, &err);
    if (argc - i >= 2 && strcmp(argv[i], "-c") == 0) {
        config = argv[i + 1];
        i += 2;
    }
    for (size_t n = 0; i < argc && n < sizeof commands / sizeof commands[0]; n++)
        if (strcmp(commands[n].name, argv[i]) == 0)
            return commands[n].run(config, argc - i, argv + i);
    fprintf(stderr,
            "mailbearer: unknown command%s%s\nmailbearer: see: mailbearer --help\n",
            i < argc ? ": " : "", i < argc ? argv[i] : "");
    return EX_USAGE;
}
