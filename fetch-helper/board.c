/* board.c - see board.h. */
#include "board_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

/* One account's tries are never further apart than this, or anybody could keep its owner
 * out; an address gets some free tries, since behind loopback are all local programs. */
#define NAME_MAX_FACTOR 8
#define ADDRESS_MAX_FACTOR 30
#define ADDRESS_FREE 5

/* --- memory and lock -------------------------------------------------------------------
 */

static void
set_rules(struct board_shared *s, int failure_ms)
{
    s->by_address =
        (struct throttle_rule){ADDRESS_FREE, failure_ms, failure_ms * ADDRESS_MAX_FACTOR};
    s->by_name = (struct throttle_rule){0, failure_ms, failure_ms * NAME_MAX_FACTOR};
    if (getrandom(&s->throttle.seed, sizeof s->throttle.seed, GRND_NONBLOCK) < 0)
        s->throttle.seed = (uint64_t)deadline_now() ^ (uint64_t)getpid();
}

/* Sealed: in a file that a session makes shorter the listener would die of SIGBUS. */
static int
share(struct board *b)
{
    void *memory;

    b->size = sizeof *b->shared + (size_t)b->places * sizeof b->shared->state[0];
    b->fd = memfd_create("mailbearer-fetch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (b->fd == -1 || ftruncate(b->fd, (off_t)b->size) != 0 ||
        fcntl(b->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return -1;
    memory = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
    if (memory == MAP_FAILED)
        return -1;
    b->shared = memory;
    return 0;
}

int
board_new(int sessions, int waiting, int failure_ms, struct board **board_r,
          struct err *err)
{
    struct board *b = calloc(1, sizeof *b);
    int r = 0;

    if (b == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    b->fd = -1;
    b->sessions = sessions;
    b->places = sessions + waiting;
    b->process = calloc((size_t)b->places, sizeof *b->process);
    if (b->process == NULL)
        r = err_set(err, ERR_NOMEM, "out of memory");
    else if (share(b) != 0)
        r = err_set(err, ERR_TEMP, "no shared memory: %s", strerror(errno));
    if (r != 0) {
        board_free(&b);
        return r;
    }
    set_rules(b->shared, failure_ms);
    *board_r = b;
    return 0;
}

void
board_free(struct board **board)
{
    struct board *b = *board;

    if (b == NULL)
        return;
    if (b->shared != NULL)
        munmap(b->shared, b->size);
    if (b->fd != -1)
        close(b->fd);
    free(b->process);
    free(b);
    *board = NULL;
}

int
board_lock_byte(const struct board *b, int byte, short type, int command)
{
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    return fcntl(b->fd, command, &lock);
}

void
board_lock(const struct board *b)
{
    while (board_lock_byte(b, 0, F_WRLCK, F_SETLKW) != 0 && errno == EINTR)
        ;
}

void
board_unlock(const struct board *b)
{
    board_lock_byte(b, 0, F_UNLCK, F_SETLK);
}

/* --- the listener ----------------------------------------------------------------------
 */

int
board_take(struct board *b)
{
    int found = -1;

    board_lock(b);
    for (int i = 0; i < b->places && found == -1; i++)
        if (b->shared->state[i] == BOARD_FREE && b->process[i].pid == 0)
            found = i;
    if (found != -1) {
        b->shared->state[found] = BOARD_WAITING;
        b->process[found] = (struct board_process){.since_ms = deadline_now()};
    }
    board_unlock(b);
    return found;
}

void
board_set_pid(struct board *b, int place, pid_t pid)
{
    b->process[place].pid = pid;
}

void
board_leave(struct board *b, pid_t pid)
{
    for (int i = 0; i < b->places; i++)
        if (b->process[i].pid == pid) {
            b->process[i].pid = 0;
            board_set_state(b, i, BOARD_FREE);
        }
}

static int
count(const struct board *b, int state)
{
    int n = 0;

    for (int i = 0; i < b->places; i++)
        n += b->shared->state[i] == state;
    return n;
}

int
board_count(struct board *b, enum board_state state)
{
    return count(b, (int)state);
}

bool
board_any(struct board *b)
{
    return count(b, BOARD_FREE) < b->places;
}

bool
board_is_full(struct board *b)
{
    return count(b, BOARD_IN) >= b->sessions;
}

pid_t
board_oldest(struct board *b, int ms)
{
    struct board_process *oldest = NULL;
    int64_t before = deadline_now() - ms;

    board_lock(b);
    for (int i = 0; i < b->places; i++) {
        struct board_process *p = &b->process[i];

        if (b->shared->state[i] == BOARD_WAITING && !p->told && p->pid > 0 &&
            p->since_ms <= before && (oldest == NULL || p->since_ms < oldest->since_ms))
            oldest = p;
    }
    board_unlock(b);
    if (oldest == NULL)
        return 0;
    oldest->told = true;
    return oldest->pid;
}

void
board_each(struct board *b, void (*call)(pid_t pid, void *arg), void *arg)
{
    for (int i = 0; i < b->places; i++)
        if (b->process[i].pid > 0)
            call(b->process[i].pid, arg);
}

/* --- a session -------------------------------------------------------------------------
 */

void
board_set_state(struct board *b, int place, enum board_state state)
{
    board_lock(b);
    b->shared->state[place] = (int)state;
    board_unlock(b);
}

bool
board_enter(struct board *b, int place)
{
    bool room;

    board_lock(b);
    room = count(b, BOARD_IN) < b->sessions;
    if (room)
        b->shared->state[place] = BOARD_IN;
    board_unlock(b);
    return room;
}
