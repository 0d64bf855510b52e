/* test_board.c - what the sessions of a listener share, seen by several processes. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../fetch-helper/board.h"

static struct board *board;
static struct err err;

static int
setup(void **state)
{
    (void)state;
    return board_new(2, 3, 100, &board, &err);
}

static int
teardown(void **state)
{
    (void)state;
    board_free(&board);
    return 0;
}

/* Runs it in a process of its own; what it returns. */
static int
elsewhere(int (*what)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(what());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
places(void **state)
{
    (void)state;
    assert_false(board_any(board));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(board_take(board), i);
        board_set_pid(board, i, 100 + i);
    }
    assert_int_equal(board_take(board), -1);
    assert_int_equal(board_count(board, BOARD_WAITING), 5);
    board_leave(board, 103);
    assert_int_equal(board_take(board), 3);
    assert_true(board_any(board));
}

static int
enter_two(void)
{
    int in = 0;

    for (int i = 0; i < 3; i++)
        in |= board_enter(board, i) ? 1 << i : 0;
    return in;
}

static void
so_many_may_be_signed_in(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        board_set_pid(board, board_take(board), 100 + i);
    assert_false(board_is_full(board));
    assert_int_equal(elsewhere(enter_two), 3);
    assert_true(board_is_full(board));
    assert_int_equal(board_count(board, BOARD_WAITING), 1);
    board_leave(board, 100);
    assert_false(board_is_full(board));
    assert_true(board_enter(board, 2));
}

static void
the_oldest_that_says_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        board_set_pid(board, board_take(board), 100 + i);
    board_set_state(board, 0, BOARD_CHECKING);
    assert_int_equal(board_oldest(board, 60000), 0);
    assert_int_equal(board_oldest(board, 0), 101);
    assert_int_equal(board_oldest(board, 0), 102); /* each is told once */
    assert_int_equal(board_oldest(board, 0), 0);
    board_set_state(board, 0, BOARD_WAITING);
    assert_int_equal(board_oldest(board, 0), 100);
}

static int
fail_six_times(void)
{
    for (int i = 0; i < 6; i++)
        board_failed(board, 1, 2);
    return 0;
}

static void
failures_are_shared(void **state)
{
    int64_t wait;

    (void)state;
    assert_int_equal(board_delay(board, 1, 2, 15000), 0);
    assert_int_equal(elsewhere(fail_six_times), 0);
    /* the account's: 8 times the first at most; the address's begins with the sixth */
    wait = board_delay(board, 7, 2, 15000);
    assert_true(wait > 700 && wait <= 800);
    wait = board_delay(board, 1, 8, 15000);
    assert_true(wait > 0 && wait <= 100);
    board_succeeded(board, 1, 2);
    assert_int_equal(board_delay(board, 1, 2, 15000), 0);
}

static int
succeed(void)
{
    board_succeeded(board, 1, 2);
    return 0;
}

/* Others' guesses at an account do not keep out who has signed in to it before; their own
 * at that address do slow them down. */
static void
who_is_known_does_not_wait_for_others(void **state)
{
    int64_t wait;

    (void)state;
    assert_int_equal(elsewhere(succeed), 0);
    for (int i = 0; i < 6; i++)
        board_failed(board, 7, 2);
    assert_true(board_delay(board, 7, 2, 15000) > 700);
    assert_int_equal(board_delay(board, 1, 2, 15000), 0);
    assert_true(board_delay(board, 1, 3, 15000) == 0); /* the address is not slow */
    for (int i = 0; i < 6; i++)
        board_failed(board, 1, 2);
    wait = board_delay(board, 1, 2, 15000);
    assert_true(wait > 700 && wait <= 800);
    assert_int_equal(board_delay(board, 1, 3, 15000), 0);
    board_succeeded(board, 1, 2);
    assert_int_equal(board_delay(board, 1, 2, 15000), 0);
    /* and its success does not help those who guess */
    assert_true(board_delay(board, 7, 2, 15000) > 700);
}

static void
many_are_known(void **state)
{
    (void)state;
    board_succeeded(board, 1, 2);
    for (uint64_t i = 0; i < 1000; i++)
        board_succeeded(board, 1, 1000 + i);
    board_failed(board, 7, 1999);
    assert_int_equal(board_delay(board, 1, 1999, 15000), 0);
    board_failed(board, 7, 2);
    assert_true(board_delay(board, 1, 2, 15000) > 0); /* forgotten */
}

static int
name_another_process(void)
{
    board_set_pid(board, 0, 1);
    board_leave(board, 100);
    return 0;
}

/* A session that is taken over cannot have the listener signal whom it likes. */
static void
processes_are_the_listeners_affair(void **state)
{
    (void)state;
    board_set_pid(board, board_take(board), 100);
    assert_int_equal(elsewhere(name_another_process), 0);
    board_set_state(board, 0, BOARD_WAITING);
    assert_int_equal(board_oldest(board, 0), 100);
    assert_int_equal(board_take(board), 1);
}

/* In a process of its own: takes a turn, tells which, and keeps it until it is killed. */
static pid_t
take_turn(int *turn_r)
{
    struct deadline now = deadline_in(0);
    int turn = -1;
    int ends[2];
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    if ((pid = fork()) == 0) {
        turn = board_turn(board, &now);
        if (write(ends[1], &turn, sizeof turn) == sizeof turn)
            pause();
        _exit(0);
    }
    assert_int_equal(read(ends[0], &turn, sizeof turn), sizeof turn);
    *turn_r = turn;
    close(ends[0]);
    close(ends[1]);
    return pid;
}

static void
end_process(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
turns_are_limited_and_come_back(void **state)
{
    struct deadline soon = deadline_in(50);
    pid_t pids[BOARD_HASHERS];
    int turn = -1;

    (void)state;
    for (int i = 0; i < BOARD_HASHERS; i++) {
        pids[i] = take_turn(&turn);
        assert_int_equal(turn, i);
    }
    assert_int_equal(board_turn(board, &soon), -1);
    end_process(pids[2]); /* even one that is killed gives its turn back */
    assert_int_equal(turn = board_turn(board, &soon), 2);
    board_end_turn(board, turn);
    for (int i = 0; i < BOARD_HASHERS; i++)
        if (i != 2)
            end_process(pids[i]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(places),
        T(so_many_may_be_signed_in),
        T(the_oldest_that_says_nothing),
        T(failures_are_shared),
        T(who_is_known_does_not_wait_for_others),
        T(many_are_known),
        T(processes_are_the_listeners_affair),
        T(turns_are_limited_and_come_back),
    };

    return cmocka_run_group_tests_name("board", tests, NULL, NULL);
}
