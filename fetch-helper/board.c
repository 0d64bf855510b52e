/* board.c - see board.h. */
#include "board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define LOCK_BYTE 0 /* of the memory's file: for the board itself */
#define TURN_BYTE 1 /* and following: for the hashers */

struct place {
    int state; /* enum board_state */
    pid_t pid;
    int64_t since_ms;
    bool told; /* that it has to go */
};

/* In shared memory. */
struct shared {
    struct throttle throttle;
    struct throttle_rule by_address, by_name;
    struct place place[];
};

struct board {
    int fd;
    int places, sessions;
    size_t size;
    struct shared *shared;
};

/* One account's tries are never further apart than this, or anybody could keep its owner
 * out; an address gets some free tries, since behind loopback are all local programs. */
#define NAME_MAX_FACTOR 8
#define ADDRESS_MAX_FACTOR 30
#define ADDRESS_FREE 5

/* --- memory and lock -------------------------------------------------------------------
 */

int
board_new(int sessions, int waiting, int failure_ms, struct board **board_r,
          struct err *err)
{
    struct board *b = calloc(1, sizeof *b);
    void *memory = MAP_FAILED;

    if (b == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    b->sessions = sessions;
    b->places = sessions + waiting;
    b->size = sizeof *b->shared + (size_t)b->places * sizeof b->shared->place[0];
    b->fd = memfd_create("mailbearer-fetch", MFD_CLOEXEC);
    if (b->fd != -1 && ftruncate(b->fd, (off_t)b->size) == 0)
        memory = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
    if (memory == MAP_FAILED) {
        err_set(err, ERR_TEMP, "no shared memory: %s", strerror(errno));
        if (b->fd != -1)
            close(b->fd);
        free(b);
        return ERR_TEMP;
    }
    b->shared = memory;
    b->shared->by_address =
        (struct throttle_rule){ADDRESS_FREE, failure_ms, failure_ms * ADDRESS_MAX_FACTOR};
    b->shared->by_name =
        (struct throttle_rule){0, failure_ms, failure_ms * NAME_MAX_FACTOR};
    if (getrandom(&b->shared->throttle.seed, sizeof b->shared->throttle.seed,
                  GRND_NONBLOCK) < 0)
        b->shared->throttle.seed = (uint64_t)deadline_now() ^ (uint64_t)getpid();
    *board_r = b;
    return 0;
}

void
board_free(struct board **board)
{
    struct board *b = *board;

    if (b == NULL)
        return;
    munmap(b->shared, b->size);
    close(b->fd);
    free(b);
    *board = NULL;
}

static int
lock_byte(const struct board *b, int byte, short type, int command)
{
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    return fcntl(b->fd, command, &lock);
}

static void
lock(const struct board *b)
{
    while (lock_byte(b, LOCK_BYTE, F_WRLCK, F_SETLKW) != 0 && errno == EINTR)
        ;
}

static void
unlock(const struct board *b)
{
    lock_byte(b, LOCK_BYTE, F_UNLCK, F_SETLK);
}

/* --- the listener ----------------------------------------------------------------------
 */

int
board_take(struct board *b)
{
    int found = -1;

    lock(b);
    for (int i = 0; i < b->places && found == -1; i++)
        if (b->shared->place[i].state == BOARD_FREE)
            found = i;
    if (found != -1)
        b->shared->place[found] =
            (struct place){.state = BOARD_WAITING, .since_ms = deadline_now()};
    unlock(b);
    return found;
}

void
board_set_pid(struct board *b, int place, pid_t pid)
{
    b->shared->place[place].pid = pid;
}

void
board_leave(struct board *b, pid_t pid)
{
    lock(b);
    for (int i = 0; i < b->places; i++)
        if (b->shared->place[i].pid == pid)
            b->shared->place[i] = (struct place){.state = BOARD_FREE};
    unlock(b);
}

static int
count(const struct board *b, int state)
{
    int n = 0;

    for (int i = 0; i < b->places; i++)
        n += b->shared->place[i].state == state;
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
    struct place *oldest = NULL;
    int64_t before = deadline_now() - ms;
    pid_t pid = 0;

    lock(b);
    for (int i = 0; i < b->places; i++) {
        struct place *p = &b->shared->place[i];

        if (p->state == BOARD_WAITING && !p->told && p->pid > 0 &&
            p->since_ms <= before && (oldest == NULL || p->since_ms < oldest->since_ms))
            oldest = p;
    }
    if (oldest != NULL) {
        oldest->told = true;
        pid = oldest->pid;
    }
    unlock(b);
    return pid;
}

void
board_each(struct board *b, void (*call)(pid_t pid, void *arg), void *arg)
{
    for (int i = 0; i < b->places; i++)
        if (b->shared->place[i].pid > 0)
            call(b->shared->place[i].pid, arg);
}

/* --- a session -------------------------------------------------------------------------
 */

void
board_set_state(struct board *b, int place, enum board_state state)
{
    lock(b);
    b->shared->place[place].state = (int)state;
    unlock(b);
}

bool
board_enter(struct board *b, int place)
{
    bool room;

    lock(b);
    room = count(b, BOARD_IN) < b->sessions;
    if (room)
        b->shared->place[place].state = BOARD_IN;
    unlock(b);
    return room;
}

uint64_t
board_key(const struct board *b, char kind, const void *bytes, size_t len)
{
    return throttle_key(&b->shared->throttle, kind, bytes, len);
}

int64_t
board_delay(struct board *b, uint64_t address, uint64_t name, int64_t most_ms)
{
    struct shared *s = b->shared;
    int64_t now = deadline_now(), one, other = 0;

    lock(b);
    one = throttle_take(&s->throttle, address, &s->by_address, now, most_ms);
    if (one <= most_ms)
        other = throttle_take(&s->throttle, name, &s->by_name, now, most_ms);
    unlock(b);
    return one > other ? one : other;
}

void
board_failed(struct board *b, uint64_t address, uint64_t name)
{
    struct shared *s = b->shared;
    int64_t now = deadline_now();

    lock(b);
    throttle_failed(&s->throttle, address, &s->by_address, now);
    throttle_failed(&s->throttle, name, &s->by_name, now);
    unlock(b);
}

void
board_succeeded(struct board *b, uint64_t address, uint64_t name)
{
    lock(b);
    throttle_forgive(&b->shared->throttle, address);
    throttle_forgive(&b->shared->throttle, name);
    unlock(b);
}

int
board_turn(struct board *b, const struct deadline *deadline)
{
    const struct timespec pause = {0, 10000000};

    for (;;) {
        for (int i = 0; i < BOARD_HASHERS; i++)
            if (lock_byte(b, TURN_BYTE + i, F_WRLCK, F_SETLK) == 0)
                return i;
        if (deadline_passed(deadline))
            return -1;
        nanosleep(&pause, NULL);
    }
}

void
board_end_turn(struct board *b, int turn)
{
    lock_byte(b, TURN_BYTE + turn, F_UNLCK, F_SETLK);
}
