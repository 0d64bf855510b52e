/* hook_pass.h - an event of the agent's, told to another process that runs its command.
 *
 * Used by:  agent/hooks.c (tells), commands/cmd_hook.c (is told).
 * Includes: base/, client/, libc.
 *
 * Under NoNewPrivileges= sendmail(1) and other set-gid programs do not work, so a
 * sandboxed agent (mailbearer.service) runs no command itself: it connects to the socket
 * named by HOOK_SOCKET_ENV, where `mailbearer hook` is started for each connection
 * (mailbearer-hook.socket). It sends the event's variables, NAME=VALUE with a NUL behind
 * each, and ends its side; the answer is one line, "ok" or what went wrong. It never says
 * which command to run: that is read from the accounts file over there.
 */
#ifndef MAILBEARER_HOOK_PASS_H
#define MAILBEARER_HOOK_PASS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "../client/error.h"
#include "../client/secret.h"

#define HOOK_SOCKET_ENV "MAILBEARER_HOOK_SOCKET"
#define HOOK_MESSAGE_MAX 16384

enum hook_variable {
    HOOK_VAR_EVENT,
    HOOK_VAR_ACCOUNT,
    HOOK_VAR_STATE,
    HOOK_VAR_REASON,
    HOOK_VAR_REMEDY,
    HOOK_VAR_COUNT
};

/* The variables' names, by enum hook_variable. */
extern const char *const hook_variables[HOOK_VAR_COUNT];

/* Which of them "NAME=VALUE" sets; HOOK_VAR_COUNT when none. */
enum hook_variable hook_variable_of(const char *assignment);

/* An environment: those of `own` that are not NULL, then this process's without any of
 * those names. The array is the caller's to free, what it points to is borrowed.
 * NULL: out of memory. */
char **hook_environment(char *const own[HOOK_VAR_COUNT]);

/* Tells the event to whoever listens at `path`, and waits for the answer: `deadline_ms`
 * at most, RUN_HURRY_MS once *hurry (NULL: never) is true. 0:            the command has
 * run, or there is none. ERR_NOAGENT:  nothing listens there; nothing was sent. ERR_TEMP:
 * what the other side says went wrong, or how the connection failed. ERR_TIMEOUT:  no
 * answer in time; the command may still be running. ERR_NOMEM, ERR_USAGE (a path too long
 * for a socket). */
int hook_pass(const char *path, char *const own[HOOK_VAR_COUNT], int deadline_ms,
              const atomic_bool *hurry, struct err *err);

/* The other side: reads an event from `fd` to its end, within `deadline_ms`.
 * *message holds the bytes that own_r points into; variables not told are NULL.
 * 0, ERR_PROTOCOL (no event or account, a name that is none of ours, one twice, a control
 * character, too long), ERR_TIMEOUT, ERR_TEMP (cannot be read), ERR_NOMEM. */
int hook_receive(int fd, int deadline_ms, struct secret *message,
                 char *own_r[HOOK_VAR_COUNT], struct err *err);

#endif
