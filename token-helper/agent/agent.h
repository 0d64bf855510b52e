/* agent.h - the agent: owns the tokens, answers the plugin and everybody else.
 *
 * Used by:  commands/cmd_agent.c
 */
#ifndef MAILBEARER_AGENT_H
#define MAILBEARER_AGENT_H

#include "../accounts/place.h"
#include "listen.h"

struct agent_options {
    struct place place;
    const char *listen[LISTEN_MAX]; /* --listen PATH */
    size_t listen_count;
};

/* Runs until SIGTERM or SIGINT; refreshes under way are finished first (a second signal
 * ends at once). SIGHUP, or a changed accounts file, reloads; a bad file changes nothing
 * and is logged.
 * 0, or why it could not start: ERR_CONFIG, ERR_STORE, ERR_USAGE, ERR_DENIED, ERR_NOMEM.
 */
int agent_run(const struct agent_options *options, struct err *err);

#endif
