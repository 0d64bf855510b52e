/* runner_private.h - what runner.c (the agent's side) and runner_serve.c share.
 *
 * Both sides are one program's, forked, so structs go over the socket as they are.
 */
#ifndef MAILBEARER_RUNNER_PRIVATE_H
#define MAILBEARER_RUNNER_PRIVATE_H

#include <stdint.h>

#include "../client/deadline.h"
#include "hook_pass.h"
#include "runner.h"

#define RUNNER_ASK_MS 5000 /* for the request, and for the answer's way */
#define RUNNER_WORDS_MAX (256u * 1024u)

/* What the agent sends over the control socket, one byte a message: */
#define RUNNER_RUN 'r'    /* with a socket for the request and its answer */
#define RUNNER_RELOAD 'c' /* the accounts file has changed */

/* A request: this, then `words_len` bytes, each word with a NUL behind it: first the
 * command's, then the event's variables. */
struct runner_request {
    uint32_t words_len, argc, own_count;
    uint32_t output_max; /* 0: its output goes where our standard error goes */
    int32_t deadline_ms;
    char name[128]; /* how error texts call it; "": by its first word */
};

/* The answer: this, then `output_len` bytes. */
struct runner_answer {
    int result;
    uint32_t output_len;
    struct err err;
};

/* The commands that may be run: each is an array of words that ends with NULL. */
struct runner_commands {
    char ***command;
    size_t count;
};

/* Adds those that the accounts file names and that are not there yet. False: out of
 * memory. */
bool runner_commands_learn(struct runner_commands *cs, const struct accounts *accounts);
/* May this be run, word for word? */
bool runner_commands_allow(const struct runner_commands *cs, char *const *words);
void runner_commands_free(struct runner_commands *cs);

/* All of `len` bytes within the deadline. 0, ERR_TIMEOUT, or ERR_TEMP: an error, or the
 * end of the other side. */
int runner_send(int fd, const void *bytes, size_t len, const struct deadline *deadline);
int runner_receive(int fd, void *bytes, size_t len, const struct deadline *deadline);

/* Life of the runner: returns its exit status when the agent has gone. */
int runner_serve(int control, const char *config, const struct accounts *accounts,
                 void (*forget)(void *arg), void *arg);

#endif
