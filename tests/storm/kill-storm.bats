#!/usr/bin/env bats
# A thousand kill -9 at random moments of a refresh, at an endpoint that rotates strictly:
# afterwards the store always parses and the newest token written works. Between the
# endpoint's rotation and the flushed record lies a window in which the token exists nowhere
# else; how long it is, is reported. For `make check-storm`: store-faults.bats has a few of
# these for every day.

load ../integration/lib.bash
load ../integration/agent.bash
load ../integration/kills.bash

KILLS_TOKEN=${KILLS_TOKEN:-700}
KILLS_AGENT=${KILLS_AGENT:-300}

setup_file() {
    make_ground --lifetime 7200
}

teardown_file() {
    stop_all
}

setup() {
    fresh_ground
    set_client "$PUBLIC_CLIENT" '"rotation": "strict"'
    write_accounts "$(alice_account)"
}

teardown() {
    [[ -n ${BATS_TEST_COMPLETED:-} ]] || tail -n 20 "$WORK/agent.log" >&2 || :
    stop_agent
    no_secret_in "$WORK"
}

# begin_storm - the endpoint answers as fast as it can: what is measured is ours.
begin_storm() {
    begin_kills
    entra_admin clear
}

# median_length COMMAND... - of five runs with a token that has ended.
median_length() {
    for _ in 1 2 3 4 5; do
        expire_stored "$ALICE"
        run_length "$@"
    done | sort -n | sed -n 3p
}

# window KILLS LENGTH - the share that fell between tells how long it is.
window() {
    printf '# the window between rotation and flushed record: about %d microseconds of %d ms\n' \
        $((LOST * $2 * 1000 / $1)) "$2" >&3
}

@test "kill -9 of mailbearer token at random moments: $KILLS_TOKEN" {
    local length

    begin_storm
    length=$(median_length "$MAILBEARER" -c "$WORK/mailbearer.conf" token "$ALICE")
    repeat "$KILLS_TOKEN" one_kill kill_token "$length"
    report 'mailbearer token'
    window "$KILLS_TOKEN" "$length"
    ((NOTHING > 0 && KEPT > 0 && LOST < KILLS_TOKEN / 2))
    expect '' "$(find "$WORK/store" -name '*.new')"
}

@test "kill -9 of the agent at random moments: $KILLS_AGENT" {
    local length

    begin_storm
    start_agent
    length=$(median_length talk ask "token $ALICE")
    stop_agent
    unset MAILBEARER_SOCKET
    repeat "$KILLS_AGENT" one_kill kill_agent "$length"
    report 'the agent'
    window "$KILLS_AGENT" "$length"
    ((NOTHING > 0 && LOST < KILLS_AGENT / 2))
    expect '' "$(find "$WORK/store" -name '*.new')"
}
