/* board_memory.h - between board.c (places) and board_guess.c (failures, turns).
 *
 * Used by:  these two.
 * Includes: board.h, throttle.h.
 *
 * A session that is taken over can write all that is shared, so nothing is in there that
 * the listener would act on outside the board: processes are known to the listener alone.
 */
#ifndef MAILBEARER_BOARD_MEMORY_H
#define MAILBEARER_BOARD_MEMORY_H

#include <stddef.h>

#include "board.h"

#define BOARD_KNOWN 256 /* places from which an account has signed in */

/* Who has signed in from where: failures of others do not slow them down. */
struct board_known {
    uint64_t pair;
    int64_t last_ms;
};

/* In shared memory. */
struct board_shared {
    struct throttle throttle;
    struct throttle_rule by_address, by_name;
    struct board_known known[BOARD_KNOWN];
    int state[]; /* of each place; enum board_state */
};

/* The listener's own, of each place. */
struct board_process {
    pid_t pid; /* 0: none yet */
    int64_t since_ms;
    bool told; /* that it has to go */
};

struct board {
    int fd;
    int places, sessions;
    size_t size;
    struct board_shared *shared;
    struct board_process *process;
};

/* fcntl(2) on one byte of the memory's file: 0 is the board's, those behind it are the
 * hashers'. */
int board_lock_byte(const struct board *board, int byte, short type, int command);

void board_lock(const struct board *board);
void board_unlock(const struct board *board);

#endif
