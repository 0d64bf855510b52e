#!/usr/bin/env bats
# Fifty processes find the token expired at the same moment: one token request, no failure,
# and a refresh token that is still alive, however the provider rotates it. With the lock
# taken away the same test must fail, or it would prove nothing.

load lib.bash
load agent.bash

MANY=50
ROUNDS=10

setup_file() {
    make_ground
}

teardown_file() {
    stop_all
}

setup() {
    fresh_ground
    write_accounts "$(alice_account)"
    # Slow enough that all of them are there before the first is answered.
    fault '"fault": "slow", "ms": 250'
}

teardown() {
    stop_agent
    no_secret_in "$WORK"
}

# one_of_many NUMBER COMMAND...
one_of_many() {
    local rc=0

    "${@:2}" > "$WORK/many/$1.token" 2> "$WORK/many/$1.err" 3>&- || rc=$?
    echo "$rc" > "$WORK/many/$1.rc"
}

# ask_many COMMAND... - starts it MANY times at once and waits for all. FAILURES is how many
# failed, ANSWERS how many different tokens there were.
ask_many() {
    local i
    local -a pids=()

    rm -rf "$WORK/many"
    mkdir "$WORK/many"
    for ((i = 0; i < MANY; i++)); do
        one_of_many "$i" "$@" &
        pids+=($!)
    done
    wait "${pids[@]}"
    FAILURES=$((MANY - $(cat "$WORK"/many/*.rc | grep -cx 0 || :)))
    ANSWERS=$(cat "$WORK"/many/*.token | sort -u | wc -l)
}

token_command() {
    TOKEN=("$MAILBEARER" -c "$WORK/mailbearer.conf" token "$ALICE")
}

# ten_rounds MODE - each: expire, ask; one request, no failure, one token for all.
ten_rounds() {
    local round

    set_client "$PUBLIC_CLIENT" "\"rotation\": \"$1\""
    token_command
    import_alice
    for ((round = 1; round <= ROUNDS; round++)); do
        ((round == 1)) || expire_stored "$ALICE"
        entra_admin reset
        ask_many "${TOKEN[@]}"
        expect "round $round: 1 requests, 0 failures, 1 tokens" \
            "round $round: $(entra_count requests) requests, $FAILURES failures, $ANSWERS tokens" || {
            cat "$WORK"/many/*.err | sort | uniq -c >&2
            return 1
        }
        expect '' "$(cat "$WORK"/many/*.err)"
        is_token "$(cat "$WORK/many/0.token")"
    done
    # Alive after all that.
    expire_stored "$ALICE"
    asked token "$ALICE"
    token_works "$(out)" "$ALICE"
}

with_agent() {
    start_agent
    ten_rounds "$1"
}

@test "without an agent, the refresh token stays good" {
    ten_rounds keep
}

@test "without an agent, strict rotation" {
    ten_rounds strict
}

@test "without an agent, reuse revokes the family" {
    ten_rounds family
}

@test "through the agent, the refresh token stays good" {
    with_agent keep
}

@test "through the agent, strict rotation" {
    with_agent strict
}

@test "through the agent, reuse revokes the family" {
    with_agent family
}

# either_way NUMBER COMMAND... - every second one goes to the agent.
either_way() {
    if ((BASHPID % 2)); then
        "$@"
    else
        env -u MAILBEARER_SOCKET "$@"
    fi
}

@test "the agent and processes without one, at once, reuse revokes the family" {
    local round

    set_client "$PUBLIC_CLIENT" '"rotation": "family"'
    token_command
    import_alice
    start_agent
    for round in 1 2 3 4 5; do
        ((round == 1)) || expire_stored "$ALICE"
        entra_admin reset
        ask_many either_way "${TOKEN[@]}"
        expect "1 requests, 0 failures, 1 tokens" \
            "$(entra_count requests) requests, $FAILURES failures, $ANSWERS tokens"
    done
}

@test "fifty processes and an endpoint that fails: asked once" {
    token_command
    import_alice
    entra_admin clear
    # longer than fifty processes take on a busy machine
    fault '"fault": "503", "retry_after": 60'
    ask_many "${TOKEN[@]}"
    expect "1 requests, 50 failures" "$(entra_count requests) requests, $FAILURES failures"
    expect 50 "$(cat "$WORK"/many/*.rc | grep -cx 75)"
    expect 0 "$(cat "$WORK"/many/*.token | wc -c)"
}

@test "fifty processes with --refresh at the same moment: a few requests at most" {
    set_client "$PUBLIC_CLIENT" '"rotation": "family"'
    token_command
    import_alice
    asked token "$ALICE"
    sleep 1.1
    entra_admin reset
    ask_many "${TOKEN[@]}" --refresh
    expect 0 "$FAILURES"
    (($(entra_count requests) <= 3))
}

# --- that the test can fail ----------------------------------------------------------------

# no_lock - LOCKLESS is the environment in which flock(2) always succeeds and locks nothing.
no_lock() {
    cat > "$WORK/no_lock.c" <<'END'
#include <sys/file.h>
int
flock(int fd, int operation)
{
    (void)fd;
    (void)operation;
    return 0;
}
END
    "${CC:-cc}" -shared -fPIC -o "$WORK/no_lock.so" "$WORK/no_lock.c"
    LOCKLESS=(env LD_PRELOAD="$WORK/no_lock.so"
        ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1}:verify_asan_link_order=0")
}

# without_lock MODE - one round of the same; sets FAILURES and REQUESTS.
without_lock() {
    set_client "$PUBLIC_CLIENT" "\"rotation\": \"$1\""
    token_command
    import_alice
    no_lock
    ask_many "${LOCKLESS[@]}" "${TOKEN[@]}"
    REQUESTS=$(entra_count requests)
    # The library did nothing else: there was no crash and no message of the loader's.
    expect '' "$(cat "$WORK"/many/*.rc | grep -vxE '0|77|74' || :)"
    refute grep -q 'LD_PRELOAD' "$WORK"/many/*.err
}

@test "without the lock there are more requests" {
    without_lock keep
    ((REQUESTS > 1))
}

@test "without the lock strict rotation refuses" {
    without_lock strict
    ((REQUESTS > 1))
    ((FAILURES > 0))
}

@test "without the lock the family dies" {
    without_lock family
    ((REQUESTS > 1))
    ((FAILURES > 0))
    sleep 11
    mailbearer token "$ALICE" --refresh
    expect 77 "$RC"
    # An import mends it.
    import_alice
    asked token "$ALICE"
}
