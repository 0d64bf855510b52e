/* board_guess.c - who has failed to sign in, and who may check a password. See board.h.
 */
#include <fcntl.h>
#include <time.h>

#include "board_memory.h"

uint64_t
board_key(const struct board *b, char kind, const void *bytes, size_t len)
{
    return throttle_key(&b->shared->throttle, kind, bytes, len);
}

/* --- an account at an address ----------------------------------------------------------
 */

static uint64_t
pair_key(const struct board *b, uint64_t address, uint64_t name)
{
    const uint64_t both[] = {address, name};

    return board_key(b, 'p', both, sizeof both);
}

static struct board_known *
find_known(const struct board *b, uint64_t pair)
{
    for (size_t i = 0; i < BOARD_KNOWN; i++)
        if (b->shared->known[i].pair == pair)
            return &b->shared->known[i];
    return NULL;
}

/* In a free place, or that of the one not seen for longest. */
static void
remember(const struct board *b, uint64_t pair)
{
    struct board_known *k = find_known(b, pair), *known = b->shared->known;

    if (k == NULL) {
        k = &known[0];
        for (size_t i = 1; i < BOARD_KNOWN; i++)
            if (known[i].last_ms < k->last_ms)
                k = &known[i];
    }
    *k = (struct board_known){pair, deadline_now()};
}

/* --- failures --------------------------------------------------------------------------
 */

int64_t
board_delay(struct board *b, uint64_t address, uint64_t name, int64_t most_ms)
{
    struct board_shared *s = b->shared;
    uint64_t pair = pair_key(b, address, name);
    int64_t now = deadline_now(), one, other = 0;

    board_lock(b);
    if (find_known(b, pair) != NULL) {
        one = throttle_take(&s->throttle, pair, &s->by_name, now, most_ms);
    } else {
        one = throttle_take(&s->throttle, address, &s->by_address, now, most_ms);
        if (one <= most_ms)
            other = throttle_take(&s->throttle, name, &s->by_name, now, most_ms);
    }
    board_unlock(b);
    return one > other ? one : other;
}

void
board_failed(struct board *b, uint64_t address, uint64_t name)
{
    struct board_shared *s = b->shared;
    uint64_t pair = pair_key(b, address, name);
    int64_t now = deadline_now();

    board_lock(b);
    if (find_known(b, pair) != NULL) {
        throttle_failed(&s->throttle, pair, &s->by_name, now);
    } else {
        throttle_failed(&s->throttle, address, &s->by_address, now);
        throttle_failed(&s->throttle, name, &s->by_name, now);
    }
    board_unlock(b);
}

void
board_succeeded(struct board *b, uint64_t address, uint64_t name)
{
    struct board_shared *s = b->shared;
    uint64_t pair = pair_key(b, address, name);

    board_lock(b);
    if (find_known(b, pair) != NULL) {
        throttle_forgive(&s->throttle, pair);
    } else {
        throttle_forgive(&s->throttle, address);
        throttle_forgive(&s->throttle, name);
    }
    remember(b, pair);
    board_unlock(b);
}

/* --- turns -----------------------------------------------------------------------------
 */

int
board_turn(struct board *b, const struct deadline *deadline)
{
    const struct timespec pause = {0, 10000000};

    for (;;) {
        for (int i = 0; i < BOARD_HASHERS; i++)
            if (board_lock_byte(b, 1 + i, F_WRLCK, F_SETLK) == 0)
                return i;
        if (deadline_passed(deadline))
            return -1;
        nanosleep(&pause, NULL);
    }
}

void
board_end_turn(struct board *b, int turn)
{
    board_lock_byte(b, 1 + turn, F_UNLCK, F_SETLK);
}
