/* cmd_hook.c - `mailbearer hook`: runs on_failure or on_recovery for a sandboxed agent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <sys/socket.h>

#include "../accounts/context.h"
#include "../agent/hook_pass.h"
#include "../agent/hooks.h"
#include "../base/complain.h"
#include "../base/run_program.h"
#include "commands.h"

#define TELL_MS 10000

static const char help_text[] =
    "usage: mailbearer [-c FILE] hook\n"
    "\n"
    "Runs the on_failure or on_recovery command of the accounts file for the event on\n"
    "standard input, which the agent tells: mailbearer-hook@.service does it, since\n"
    "the agent's own service is sandboxed and cannot send mail.\n";

/* The command for the event; NULL: none. *ours: the event is known. */
static const struct name_list *
command_for(const struct accounts *accounts, const char *event, bool *ours)
{
    bool recovery = strcmp(event, "MAILBEARER_EVENT=recovery") == 0;
    const struct name_list *list =
        recovery ? &accounts->agent.on_recovery : &accounts->agent.on_failure;

    *ours = recovery || strcmp(event, "MAILBEARER_EVENT=failure") == 0 ||
            strcmp(event, "MAILBEARER_EVENT=expiry") == 0;
    return list->count > 0 ? list : NULL;
}

static int
run(const struct name_list *command, char *const own[HOOK_VAR_COUNT], struct err *err)
{
    char **argv = calloc(command->count + 1, sizeof *argv);
    char **environment = hook_environment(own);
    int r;

    if (argv == NULL || environment == NULL) {
        r = err_set(err, ERR_NOMEM, "out of memory");
        goto out;
    }
    memcpy(argv, command->names, command->count * sizeof *argv);
    r = run_program(&(struct program){.argv = argv,
                                      .environment = environment,
                                      .name = argv[0],
                                      .input = -1,
                                      .deadline_ms = HOOK_DEADLINE_MS},
                    err);
out:
    free(environment);
    free(argv);
    return r;
}

/* As the store's owner, like every command that an accounts file names. */
static int
handle(const char *config, struct err *err)
{
    struct context context = CONTEXT_INIT;
    struct secret message = SECRET_INIT;
    char *own[HOOK_VAR_COUNT];
    const struct name_list *command;
    bool ours = false;
    int r;

    context.config = config;
    if ((r = hook_receive(STDIN_FILENO, TELL_MS, &message, own, err)) != 0 ||
        (r = context_accounts(&context, err)) != 0 ||
        (r = place_enter(context_state_directory(&context), err)) != 0)
        goto out;
    command = command_for(context.accounts, own[HOOK_VAR_EVENT], &ours);
    if (!ours)
        r = err_set(err, ERR_PROTOCOL, "not an event of the agent's");
    else if (command != NULL)
        r = run(command, own, err);
out:
    context_close(&context);
    secret_clear(&message);
    return r;
}

/* The agent waits for it at the other end; nobody does where it is a file or a pipe. */
static void
answer(int r, const struct err *err)
{
    char line[ERR_LINE_MAX];
    const char *text = r == 0 ? "ok" : err_line(err, line);

    (void)!send(STDIN_FILENO, text, strlen(text), MSG_NOSIGNAL);
}

int
cmd_hook(const char *config, int argc, char **argv)
{
    struct err err = ERR_INIT;
    int r;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help_text, stdout);
        return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
    }
    if (argc > 1) {
        fputs(help_text, stderr);
        return EX_USAGE;
    }
    r = handle(config, &err);
    answer(r, &err);
    return r == 0 ? EX_OK : complain("hook", &err);
}
