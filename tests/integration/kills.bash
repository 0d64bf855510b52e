# shellcheck shell=bash
# kills.bash - kill -9 at random moments of a refresh, and what is looked at afterwards.
#
# Used by:  store-faults.bats, ../storm/kill-storm.bats; needs agent.bash.

# run_length COMMAND... - how long an uninterrupted run takes, in milliseconds.
run_length() {
    local start

    start=$(now_ms)
    "$@" > "$WORK/out.token" 2> "$WORK/err" || return 1
    echo $(($(now_ms) - start))
}

# sleep_random MS - up to so many milliseconds.
sleep_random() {
    local ms=$((RANDOM % $1))

    sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
}

# new_is_whole BEFORE - NAME.json.new holds a record with another refresh token.
new_is_whole() {
    local file
    local token

    file=$(record_file "$ALICE").new
    [[ -f $file ]] && token=$(json_get refresh_token < "$file" 2> "$WORK/ignored") &&
        [[ -n $token && $token != "$1" ]]
}

# after_kill BEFORE - the store parses, and the next refresh works; unless the endpoint had
# taken the refresh token in exchange for one that was not yet written. Counts in NOTHING,
# LOST, KEPT.
after_kill() {
    local rotated kept=false

    retry_until 5 nobody_asks
    rotated=$(entra_count by_status/200)
    if [[ $(stored "$ALICE" refresh_token) != "$1" ]] || new_is_whole "$1"; then
        kept=true
    fi
    asked status
    expect '' "$(find "$WORK/store" -name '*.json' ! -perm 600)"
    expire_stored "$ALICE"
    mailbearer token "$ALICE"
    if [[ $rotated = 1 && $kept = false ]]; then
        LOST=$((LOST + 1))
        expect 77 "$RC"
        import_alice
        asked token "$ALICE"
        return
    fi
    expect 0 "$RC" || { cat "$WORK/err" >&2; return 1; }
    token_works "$(out)" "$ALICE"
    if $kept; then
        KEPT=$((KEPT + 1))
    else
        NOTHING=$((NOTHING + 1))
    fi
}

# report WHO - as a TAP comment.
report() {
    printf '# killed %s: %d before the exchange, %d after the write, %d between (signed in again)\n' \
        "$1" "$NOTHING" "$KEPT" "$LOST" >&3
}

begin_kills() {
    NOTHING=0 LOST=0 KEPT=0
    import_alice
    asked token "$ALICE"
    fault '"fault": "slow", "ms": 15'
    expire_stored "$ALICE"
}

# kill_token LENGTH, kill_agent LENGTH - killed within so many milliseconds.
kill_token() {
    local pid

    "$MAILBEARER" -c "$WORK/mailbearer.conf" token "$ALICE" > "$WORK/killed.token" \
        2> "$WORK/err" 3>&- &
    pid=$!
    sleep_random "$1"
    kill -KILL "$pid" 2> "$WORK/ignored" || :
    wait "$pid" 2> "$WORK/ignored" || :
}

kill_agent() {
    local leaver

    start_agent
    retry_until 5 talk ask version
    talk leave "token $ALICE" 3>&- &
    leaver=$!
    sleep_random "$1"
    kill -KILL "$(agent_pid)"
    wait "$leaver" 2> "$WORK/ignored" || :
    retry_until 5 none_alive "$(agent_pid)"
    sed -i '/ agent$/d' "$WORK/pids"
    unset MAILBEARER_SOCKET
}

# one_kill COMMAND LENGTH
one_kill() {
    local before

    before=$(stored "$ALICE" refresh_token)
    expire_stored "$ALICE"
    entra_admin reset
    "$1" "$2"
    after_kill "$before"
}
