# shellcheck shell=bash
# scale.bash - one agent with 10,000 accounts: its start, memory, answers; a day of its
# refreshes.
#
# Used by:  run
# Needs:    lib.bash of the integration tests, run's functions
#
# The agent has one CPU, the client another, where there are two. Answers a second are
# counted by the agent's own CPU time: what one core gives, whoever else is busy.

SCALE_ACCOUNTS=10000

# fill_store COUNT - a1's record, which came by the real flow, for all the others too.
fill_store() {
    local i record

    "$MAILBEARER" token -c "$WORK/mailbearer.conf" "$ACCOUNT" > /dev/null || return 1
    record=$(< "$WORK/state/$ACCOUNT.json")
    (
        umask 077
        for ((i = 2; i <= $1; i++)); do
            printf '%s\n' "$record" > "$WORK/state/a$i@bench.test.json"
        done
    )
}

# agent_pid, agent_kb (resident), agent_ticks (CPU time, clock ticks)
agent_pid() {
    sed -n 's/ agent$//p' "$WORK/pids"
}

agent_kb() {
    awk '/^VmRSS/ { print $2 }' "/proc/$(agent_pid)/status"
}

agent_ticks() {
    sed 's/.*) //' "/proc/$(agent_pid)/stat" | awk '{ print $12 + $13 }'
}

# pinned COMMAND... - on the client's CPU.
pinned() {
    if [[ $(nproc) -ge 2 ]]; then
        taskset -c 0 "$@"
    else
        "$@"
    fi
}

# start_scale COUNT - accounts, store, agent, each account asked once. Sets started_ms.
start_scale() {
    local began

    rm -rf "$WORK/state"
    bench_accounts "$1"
    fill_store "$1" || return 1
    began=${EPOCHREALTIME/./}
    start_agent || return 1
    started_ms=$(((${EPOCHREALTIME/./} - began) / 1000))
    [[ $(nproc) -lt 2 ]] || taskset -acp 1 "$(agent_pid)" > /dev/null
    pinned "$BENCH/load" "$MAILBEARER_SOCKET" 2000 $((($1 + 1999) / 2000)) "$1" 0 > "$WORK/warm"
}

# closed_loop CLIENTS ACCOUNTS - sets per_second (by the wall clock), per_core (by the
# agent's CPU time) and bad (answers that were no token).
closed_loop() {
    local seconds ticks

    seconds=$(rounds 4)
    ticks=$(agent_ticks)
    read -r per_second bad < <(pinned "$BENCH/closed" "$MAILBEARER_SOCKET" "$1" "$seconds" "$2")
    ticks=$(($(agent_ticks) - ticks))
    per_core=$(awk -v n="$per_second" -v s="$seconds" -v t="$ticks" -v hz="$(getconf CLK_TCK)" \
        'BEGIN { if (t > 0) printf "%.0f", n * s * hz / t }')
}

bench_day() {
    local -a day

    read -ra day < <("$BENCH/day" $SCALE_ACCOUNTS "$1")
    figure "a day, tokens of $2: busiest second / average" "${day[3]:-}" 3 x \
        "${day[2]:-?}; ${day[7]:-?} with those somebody waited for"
    figure "  requests / necessary" "${day[1]:-}" 1.4 x "${day[0]:-?}"
    figure "  expired tokens handed out" "${day[4]:-}" 0 ""
    figure "  tokens below min_remaining handed out, nothing wrong" "${day[5]:-}" 0 "" \
        "${day[6]:-?} questions had no token: one was being fetched, or the provider was away"
}

bench_scale() {
    local started_ms per_second per_core bad p99 largest

    start_scale $SCALE_ACCOUNTS || return 1
    figure "10,000 accounts: start" "$started_ms" 1000 ms
    closed_loop 32 $SCALE_ACCOUNTS
    figure "  cached answers: us of one core each (40,000/s)" \
        "$(ratio 1000000 "$per_core")" 25 us "$per_core/s a core, $per_second/s now"
    figure "  answers without a token" "$bad" 0 ""
    pinned "$BENCH/load" "$MAILBEARER_SOCKET" "$LOAD_RATE" "$(rounds "$LOAD_SECONDS")" \
        $SCALE_ACCOUNTS 0 > "$WORK/load"
    read -r _ _ _ p99 largest _ < "$WORK/load"
    figure "  99th percentile at $LOAD_RATE/s, open loop" "$p99" 1 ms "largest ${largest:-?}"
    figure "  resident, all tokens in memory" \
        "$(awk -v kb="$(agent_kb)" 'BEGIN { printf "%.1f", kb / 1024 }')" 64 MB
    stop_agent
    bench_day spread "all ages"
    bench_day together "one age"
}

# Curves for docs/scaling.md.
scale_curves() {
    local n started_ms per_second per_core bad p99

    printf 'accounts  start ms  resident MB  answers/s of one core\n'
    for n in 10 100 1000 $SCALE_ACCOUNTS; do
        start_scale "$n" || return 1
        closed_loop 32 "$n"
        printf '%8d %9d %12s %22s\n' "$n" "$started_ms" \
            "$(awk -v kb="$(agent_kb)" 'BEGIN { printf "%.1f", kb / 1024 }')" "$per_core"
        [[ $n -eq $SCALE_ACCOUNTS ]] || stop_agent
    done
    printf 'clients  answers/s of one core\n'
    for n in 1 4 16 64 256 512; do
        closed_loop "$n" $SCALE_ACCOUNTS
        printf '%7d %22s\n' "$n" "$per_core"
    done
    printf 'questions/s  99th percentile ms\n'
    for n in 500 1000 2000 5000; do
        p99=$(pinned "$BENCH/load" "$MAILBEARER_SOCKET" "$n" "$(rounds 4)" $SCALE_ACCOUNTS 0 |
            cut -d ' ' -f 4)
        printf '%11d %19s\n' "$n" "$p99"
    done
}
