/* run_program.h - run another program and wait for its end, with one deadline.
 *
 * Used by:  agent/hooks.c, agent/runner_serve.c, commands/, doctor/,
 * oauth/secret_source.c Includes: client/, libc. Blocks: the agent calls it off its event
 * loop.
 *
 * No shell is involved unless the caller asks for one by name. The program gets the three
 * standard descriptors and no other, no signal blocked, and a process group of its own,
 * which is killed when the deadline passes.
 */
#ifndef MAILBEARER_RUN_PROGRAM_H
#define MAILBEARER_RUN_PROGRAM_H

#include <stdatomic.h>
#include <stdbool.h>

#include "../client/error.h"
#include "../client/secret.h"

struct program {
    char *const *argv; /* ends with NULL; argv[0] is a path: none is searched for */
    char *const *environment; /* ends with NULL; NULL: this process's own */
    const char *name;         /* how error texts call it */
    int input;                /* its standard input, borrowed; -1: /dev/null */
    struct secret *output;    /* collects its standard output, at most up to its maximum;
                                 NULL: that goes where our standard error goes */
    int deadline_ms;
    bool silent;     /* its standard error is /dev/null, not ours */
    bool foreground; /* stays in our process group, so that it may ask at the terminal;
                        then only the program itself is killed */
    const atomic_bool *hurry; /* once true, RUN_HURRY_MS are left; NULL: never */
    int gone_fd;              /* a socket: when its other side has closed, as hurry once
                                 true; 0: none */
};

#define RUN_HURRY_MS 2000

/* 0: it ended with status 0.
 * ERR_TEMP:    it cannot be started, ended otherwise (err tells how), or printed more
 *              than `output` may hold.
 * ERR_TIMEOUT: the deadline passed; it has been killed.
 * ERR_NOMEM.
 * err never holds what it printed. On failure *output is empty. */
int run_program(const struct program *program, struct err *err);

/* From now on `run` does what run_program() is asked for in this process, and returns as
 * it does: for a process that cannot run programs itself any more (agent/runner.h). Call
 * it before there are threads. NULL: run_program() does it itself, as in the beginning.
 */
void run_program_elsewhere(int (*run)(const struct program *program, struct err *err));

#endif
