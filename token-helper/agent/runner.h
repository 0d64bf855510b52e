/* runner.h - a second process, outside the agent's sandbox, that runs the commands the
 * accounts file names: on_failure, on_recovery and client_secret_command.
 *
 * Used by:  agent/agent.c; through run_program(), agent/hooks.c and oauth/secret_source.c
 * Includes: hook_pass.h, accounts/, base/, client/, libc.
 *
 * It is forked before the agent locks itself in (sandbox.h) and before there are threads,
 * runs as the same user, and ends with the agent. sendmail(1) and gpg(1) work in it.
 * The agent says which command it wants, and the runner runs it only if the accounts
 * file, which it reads itself, names it; of the environment it takes over nothing but the
 * variables of an event (hook_pass.h). So who has taken over the agent cannot leave its
 * sandbox this way.
 *
 *   agent                     runner                      one process for each command
 *   a request: a socket  -->  forks, hands it on    -->   reads the request from it,
 *                                                         run_program(), writes the
 * answer
 *
 * A command's output passes through that process, which is as closed to others as the
 * agent (base/process.h) and wipes it.
 */
#ifndef MAILBEARER_RUNNER_H
#define MAILBEARER_RUNNER_H

#include "../accounts/accounts.h"
#include "../base/run_program.h"

/* Forks the runner, which reads `config` and knows the commands of `accounts`, and from
 * now on has run_program() ask it (run_program_elsewhere()). In the runner `forget` is
 * called with `arg` before anything else: it closes and wipes what is the agent's, and
 * `accounts` with it. Call once, without threads. 0; ERR_TEMP, ERR_NOMEM. */
int runner_start(const char *config, const struct accounts *accounts,
                 void (*forget)(void *arg), void *arg, struct err *err);

/* The accounts file has been read anew: the runner does that too, and adds the commands
 * it finds to those it knows. Does nothing where there is no runner. */
void runner_reload(void);

/* Ends the runner, and waits for it. Does nothing where there is none. */
void runner_end(void);

#endif
