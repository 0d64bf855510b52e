/* board.h - what the sessions of one listener know of each other: how many are signed in,
 * who has failed lately, how many passwords are being checked.
 *
 * Used by:  listener.c (makes it, before its children), port_gate.c; a single session
 *           (systemd's Accept=yes) has one to itself.
 * Includes: throttle, client/, libc.
 *
 * Shared memory of fixed size. It is locked with fcntl(2) locks, which the kernel takes
 * back from a process that dies. Which process has which place only the listener knows.
 */
#ifndef MAILBEARER_BOARD_H
#define MAILBEARER_BOARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../token-helper/client/deadline.h"
#include "../token-helper/client/error.h"
#include "throttle.h"

#define BOARD_HASHERS 4 /* password checks at once: 16 MB each */

struct board;

enum board_state {
    BOARD_FREE,
    BOARD_WAITING,  /* for the client's sign-in: may be sent away for another one */
    BOARD_CHECKING, /* its password is looked at */
    BOARD_IN        /* signed in: counts towards max_sessions */
};

/* `sessions` is how many may be signed in, `waiting` how many more may be on their way;
 * failure_ms how long the first failure of an account delays its next try.
 * 0, ERR_NOMEM, ERR_TEMP. */
int board_new(int sessions, int waiting, int failure_ms, struct board **board_r,
              struct err *err);
void board_free(struct board **board);

/* --- the listener ---------------------------------------------------------------------
 */

/* A place for a new session, -1 when there is none. board_set_pid() names its process. */
int board_take(struct board *board);
void board_set_pid(struct board *board, int place, pid_t pid);
/* The process has ended. */
void board_leave(struct board *board, pid_t pid);

int board_count(struct board *board, enum board_state state);
bool board_any(struct board *board);     /* is there any session? */
bool board_is_full(struct board *board); /* as many are signed in as may be */
/* Of those waiting, the process that has done so longest, if for `ms` at least; else 0.
 * It is told once. */
pid_t board_oldest(struct board *board, int ms);
/* Every process; `arg` goes to each call. */
void board_each(struct board *board, void (*call)(pid_t pid, void *arg), void *arg);

/* --- a session ------------------------------------------------------------------------
 */

void board_set_state(struct board *board, int place, enum board_state state);

/* Signed in. False: there are enough already. */
bool board_enter(struct board *board, int place);

/* Keys for throttling. */
uint64_t board_key(const struct board *board, char kind, const void *bytes, size_t len);

/* How long this try has to wait (milliseconds), 0: not at all; above most_ms: refused.
 * An account that has signed in from an address before waits there for failures of its
 * own at that address alone, so that others' guesses cannot keep it out. */
int64_t board_delay(struct board *board, uint64_t address, uint64_t name,
                    int64_t most_ms);
void board_failed(struct board *board, uint64_t address, uint64_t name);
void board_succeeded(struct board *board, uint64_t address, uint64_t name);

/* One of BOARD_HASHERS turns to check a password, its number; -1: the deadline passed. */
int board_turn(struct board *board, const struct deadline *deadline);
void board_end_turn(struct board *board, int turn);

#endif
