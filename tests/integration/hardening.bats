#!/usr/bin/env bats
# The agent shut in and besieged: what it may still do, who can keep others from it, where
# tokens are in memory, and that a restart is not noticed.
# asan: no, shadow memory and its quarantine hold copies that are not ours

load lib.bash
load agent.bash

PLUGIN_USER=4711 # stands for postfix
INTRUDER=4712

setup_file() {
    make_ground --tls
    cp "$LIB_DIRECTORY"/{memory_scan,crowd,restart}.py "$WORK/bin/"
    mkdir "$WORK/bin/sasl2"
    cp "$BUILD/libmailbearer.so" "$WORK/bin/sasl2/"
    # shellcheck disable=SC2046
    "${CC:-cc}" -D_GNU_SOURCE -O1 -o "$WORK/bin/sasl_host" "$LIB_DIRECTORY/sasl_host.c" \
        $(pkg-config --cflags --libs libsasl2)
}

teardown_file() {
    stop_all
}

setup() {
    fresh_ground
    rm -rf "$WORK/elsewhere" "$WORK/told" "$WORK/crowd" "$WORK/end"
    mkdir "$WORK/elsewhere"
    # shellcheck disable=SC2034
    RELAY_USERS=$PLUGIN_USER
    write_accounts "$(alice_account "ca_file = \"$WORK/tls/ca.pem\"")"
}

teardown() {
    [[ -n ${BATS_TEST_COMPLETED:-} ]] || tail -n 20 "$WORK/agent.log" >&2 || :
    stop_named crowd
    stop_agent
    no_secret_in "$WORK"
}

# status_of PID FIELD - from /proc/PID/status, blanks squeezed.
status_of() {
    awk -v f="$2:" '$1 == f { $1 = ""; sub(/^ /, ""); print }' "/proc/$1/status"
}

# runner_pid - of the agent's runner: its only child.
runner_pid() {
    pgrep -P "$(agent_pid)"
}

has_landlock() {
    "$PYTHON" -c 'import ctypes, sys
sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 1)'
}

is_ok() {
    expect OK "$(reply_to "$@")"
}

# name_secret FILE - as the relay account's secret, in force by SIGHUP.
name_secret() {
    sed -i "s,client_secret_file = .*,client_secret_file = \"$1\"," "$WORK/mailbearer.conf"
    kill -HUP "$(agent_pid)"
}

# --- what it may do ------------------------------------------------------------------------

@test "started by root with groups and rights, it keeps none of them" {
    local pid task

    give_to 4321
    chown 0 "$WORK/mailbearer.conf"
    run_agent setpriv --groups 4,24,27 -- "$MAILBEARER" agent -c "$WORK/mailbearer.conf" \
        --listen "$WORK/agent.sock"
    is_ok "token $RELAY"
    for pid in "$(agent_pid)" "$(runner_pid)"; do
        expect '4321 4321 4321 4321' "$(status_of "$pid" Uid)"
        expect '4321 4321 4321 4321' "$(status_of "$pid" Gid)"
        expect '' "$(status_of "$pid" Groups)"
        expect 0000000000000000 "$(status_of "$pid" CapPrm)"
        expect 0000000000000000 "$(status_of "$pid" CapEff)"
        expect '0 0' "$(awk '/^Max core file size/ {print $5, $6}' "/proc/$pid/limits")"
        # Not dumpable: its files in /proc are root's.
        expect 0 "$(stat -c %u "/proc/$pid/environ")"
        refute as 4321 cat "/proc/$pid/maps"
    done
    # Every thread, and not the runner: sendmail could not work in it.
    for task in "/proc/$(agent_pid)"/task/*; do
        expect 1 "$(status_of "$(agent_pid)/task/${task##*/}" NoNewPrivs)"
    done
    expect 0 "$(status_of "$(runner_pid)" NoNewPrivs)"
    (($(awk '/^Max open files/ {print $4}' "/proc/$(agent_pid)/limits") <= 16384))
    # What the same test would see of a process that keeps its rights.
    expect '4 24 27 ' "$(setpriv --groups 4,24,27 sed -n 's/^Groups:\t//p' /proc/self/status)"
}

@test "a reload that names a new folder is refused, with its remedy; a restart takes it" {
    local far

    has_landlock || skip 'the kernel has no Landlock'
    far=$(mktemp -d "${TMPDIR:-/tmp}/mb-far.XXXXXX")
    (umask 077 && printf '%s\n' "$APP_SECRET" | tee "$far/relay.secret" "$WORK/elsewhere/relay.secret" > "$WORK/relay.secret")
    start_agent
    agent_log_holds 'sandbox: closed by Landlock'
    is_ok "token $RELAY"
    # Below the accounts file's own folder, which is open: a reload is enough.
    name_secret "$WORK/elsewhere/relay.secret"
    retry_until 5 agent_log_holds 'read again'
    name_secret "$far/relay.secret"
    retry_until 5 agent_log_holds "$far/relay.secret is in a folder that this agent closed when it started -> restart the agent: systemctl restart mailbearer; the accounts read before stay in force"
    is_ok "token $RELAY"
    stop_agent
    rm -rf "$WORK/store" "$WORK/agent.log"
    mkdir -m 700 "$WORK/store"
    start_agent
    is_ok "token $RELAY"
    good_token
    rm -rf "$far"
}

@test "an included file in a new folder: the same" {
    local far

    has_landlock || skip 'the kernel has no Landlock'
    far=$(mktemp -d "${TMPDIR:-/tmp}/mb-far.XXXXXX")
    start_agent
    printf '# nothing\n' > "$far/more.conf"
    chmod 600 "$far/more.conf"
    printf 'include("%s/more.conf")\n' "$far" >> "$WORK/mailbearer.conf"
    kill -HUP "$(agent_pid)"
    retry_until 5 agent_log_holds 'a file in a folder that is new to the agent can be read after a restart: systemctl restart mailbearer; the accounts read before stay in force'
    is_ok "token $RELAY"
    stop_agent
    start_agent
    is_ok "token $RELAY"
    rm -rf "$far"
}

@test "MAILBEARER_SANDBOX=off: nothing is closed, and the log says so" {
    export MAILBEARER_SANDBOX=off
    start_agent
    unset MAILBEARER_SANDBOX
    agent_log_holds 'sandbox: none, MAILBEARER_SANDBOX says so'
    expect 0 "$(status_of "$(agent_pid)" NoNewPrivs)"
    is_ok "token $RELAY"
}

@test "commands run outside, where the agent itself cannot read" {
    local far

    far=$(mktemp -d "${TMPDIR:-/tmp}/mb-far.XXXXXX")
    (umask 077 && printf '%s\n' "$APP_SECRET" > "$far/s.secret")
    cat > "$WORK/bin/hook" <<EOF
#!/bin/sh
{ grep NoNewPrivs /proc/self/status; test -s $far/s.secret && echo "sees \$MAILBEARER_EVENT"; } >> $WORK/told
EOF
    chmod 755 "$WORK/bin/hook"
    write_accounts "$(printf 'agent {\n    on_failure = { "%s" }\n}\n' "$WORK/bin/hook")" \
        "$(account_section by-command 'grant = client_credentials' \
            "ca_file = \"$WORK/tls/ca.pem\"" "client_id = $APP_CLIENT" \
            "client_secret_command = 'cat $far/s.secret'")" "$(alice_account)"
    start_agent
    is_ok 'token by-command'
    good_token
    run_quiet "$MAILBEARER" token "$ALICE"
    expect 77 "$RC"
    retry_until 5 grep -q sees "$WORK/told"
    expect "$(printf 'NoNewPrivs:\t0\nsees failure')" "$(cat "$WORK/told")"
    expect 1 "$(status_of "$(agent_pid)" NoNewPrivs)"
    # And one that only a reload names.
    write_accounts "$(account_section later 'grant = client_credentials' \
        "ca_file = \"$WORK/tls/ca.pem\"" "client_id = $APP_CLIENT" \
        "client_secret_command = 'cat $far/s.secret; exit 0'")"
    kill -HUP "$(agent_pid)"
    retry_until 5 agent_log_holds 'read again'
    is_ok 'token later'
    rm -rf "$far"
}

@test "kill -9 of the agent takes the runner and its commands along" {
    local agent runner command

    write_accounts "$(account_section by-command 'grant = client_credentials' \
        "client_id = $APP_CLIENT" "client_secret_command = 'sleep 60'")"
    start_agent
    talk leave 'token by-command'
    agent=$(agent_pid)
    runner=$(runner_pid)
    retry_until 5 pgrep -P "$runner"
    mapfile -t command < <(descendants "$runner")
    ((${#command[@]} >= 3))
    kill -9 "$agent"
    retry_until 6 none_alive "${command[@]}"
}

# --- who keeps others out ------------------------------------------------------------------

@test "4,000 idle, half-open, garbage-sending and slow clients: others are served" {
    start_agent
    is_ok "token $RELAY"
    "$PYTHON" "$WORK/bin/crowd.py" "$MAILBEARER_SOCKET" 1000 1000 "token $RELAY" > "$WORK/crowd"
    cat "$WORK/crowd" >&3
    # Idle ones may stay until they stall at their first request; garbage is closed at once.
    grep -q 'garbage 0' "$WORK/crowd"
    (($(sed -n 's/.*longest \([0-9]*\)$/\1/p' "$WORK/crowd") < 200000))
    (($(sed -n 's/.*p99 \([0-9]*\) .*/\1/p' "$WORK/crowd") < 50000))
    # Who never finishes a request is gone after 10 s, however slowly it goes on.
    talk crowd 200 '25:tok' < <(sleep 12) > "$WORK/crowd"
    expect 'here 200' "$(tr '\n' ' ' < "$WORK/crowd" | sed 's/ $//')"
}

@test "a user who takes all connections gets 1,024, and the others are served" {
    start_agent
    is_ok "token $RELAY" "$PLUGIN_USER"
    mkfifo "$WORK/end"
    as "$INTRUDER" "$PYTHON" "$WORK/bin/crowd.py" "$MAILBEARER_SOCKET" 1500 hold \
        < "$WORK/end" > "$WORK/crowd" 3>&- &
    record_pid $! crowd
    exec 6> "$WORK/end"
    retry_until 30 grep -q here "$WORK/crowd"
    (($(talk_as "$PLUGIN_USER" slowest 200 "token $RELAY") < 200))
    (($(talk slowest 20 "token $RELAY") < 200))
    (($(find "/proc/$(agent_pid)/fd" -lname 'socket:*' | wc -l) < 1024 + 20))
    expect 1 "$(log_lines "uid $INTRUDER has more than 1024 connections: the longest idle are dropped")"
    # The others' connections are none of those dropped.
    expect "$(printf 'OK\nOK')" "$(talk_as "$PLUGIN_USER" pause 2 "token $RELAY")"
    exec 6>&-
    rm "$WORK/end"
}

@test "where all connections of a user wait for an answer, its new ones are closed" {
    import_alice
    start_agent
    is_ok "token $ALICE"
    fault "\"fault\": \"hang\", \"client\": \"$APP_CLIENT\""
    mkfifo "$WORK/end"
    setpriv --reuid "$PLUGIN_USER" --regid "$PLUGIN_USER" --clear-groups -- \
        "$PYTHON" "$WORK/bin/crowd.py" "$MAILBEARER_SOCKET" 1030 wait "token $RELAY" \
        < "$WORK/end" > "$WORK/crowd" 3>&- &
    record_pid $! crowd
    exec 6> "$WORK/end"
    retry_until 15 grep -q here "$WORK/crowd"
    (($(talk slowest 50 "token $ALICE") < 200))
    exec 6>&-
    retry_until 5 grep -q left "$WORK/crowd"
    expect 'here left 1024' "$(tr '\n' ' ' < "$WORK/crowd" | sed 's/ $//')"
    rm "$WORK/end"
    kill -TERM "$(agent_pid)"
}

@test "root is not bound by that" {
    start_agent
    mkfifo "$WORK/end"
    talk crowd 1500 '' < "$WORK/end" > "$WORK/crowd" 3>&- &
    record_pid $! crowd
    exec 6> "$WORK/end"
    retry_until 30 grep -q here "$WORK/crowd"
    (($(find "/proc/$(agent_pid)/fd" -lname 'socket:*' | wc -l) >= 1500))
    expect 0 "$(log_lines 'has more than')"
    exec 6>&-
    rm "$WORK/end"
}

@test "-v logs uid, account and outcome of every request, and never a token" {
    run_agent "$MAILBEARER" agent -v -c "$WORK/mailbearer.conf" --listen "$WORK/agent.sock"
    is_ok "token $RELAY" "$PLUGIN_USER"
    talk_as "$INTRUDER" ask "token $RELAY" "status $RELAY" 'token nobody' 'nonsense' 'version' \
        "rejected CANARY~made-up $RELAY" > "$WORK/reply.token"
    agent_log_holds "uid $PLUGIN_USER: token $RELAY: OK"
    agent_log_holds "uid $INTRUDER: token $RELAY: uid $INTRUDER may not use this account"
    agent_log_holds "uid $INTRUDER: status $RELAY: uid $INTRUDER may not use this account"
    agent_log_holds "uid $INTRUDER: rejected $RELAY: uid $INTRUDER may not use this account"
    agent_log_holds "uid $INTRUDER: request -: no such account"
    agent_log_holds "uid $INTRUDER: request -: not a request this agent knows"
    agent_log_holds "uid $INTRUDER: version -: OK"
    # Without -v none of it.
    stop_agent
    rm "$WORK/agent.log"
    start_agent
    is_ok "token $RELAY" "$PLUGIN_USER"
    expect 0 "$(log_lines "uid $PLUGIN_USER")"
}

# --- memory --------------------------------------------------------------------------------

# copies PID... - counts the secrets listed in $WORK/wanted.secret.
copies() {
    "$PYTHON" "$WORK/bin/memory_scan.py" "$@" < "$WORK/wanted.secret" | tr '\n' ' ' |
        sed 's/ $//'
}

# want WORD - adds both accounts' present tokens to that list, as WORD-relay and so on.
want() {
    is_ok "token $RELAY"
    sed -n "s/^OK /$1-relay /p" "$WORK/reply.token" >> "$WORK/wanted.secret"
    is_ok "token $ALICE"
    sed -n "s/^OK /$1-alice /p" "$WORK/reply.token" >> "$WORK/wanted.secret"
    printf '%s-refresh %s\n' "$1" "$(stored "$ALICE" refresh_token)" >> "$WORK/wanted.secret"
}

# were_asked N - so many requests came to the token endpoint.
were_asked() {
    [[ $(entra_count requests) = "$1" ]]
}

# read_again N - so often the agent took the accounts file over again.
read_again() {
    [[ $(log_lines 'read again') -ge $1 ]]
}

# no_copy PID - of anything in that list.
no_copy() {
    refute grep -q ' [1-9]' <(copies "$1")
}

# stopped PID
stopped() {
    [[ $(ps -o stat= -p "$1") = T* ]]
}

@test "a token is in its mail program only until the exchange is disposed of" {
    local host

    start_agent
    is_ok "token $RELAY" "$PLUGIN_USER"
    sed -n 's/^OK /token /p' "$WORK/reply.token" > "$WORK/wanted.secret"
    mkfifo "$WORK/input"
    setpriv --reuid "$PLUGIN_USER" --regid "$PLUGIN_USER" --clear-groups -- \
        "$WORK/bin/sasl_host" -w "$WORK/bin/sasl2" XOAUTH2 \
        < "$WORK/input" > "$WORK/host.token" 2> "$WORK/host.err" 3>&- &
    host=$!
    record_pid $host crowd
    printf 'user relay@contoso.com\npassword agent:%s\n' "$RELAY" > "$WORK/input"
    retry_until 10 stopped "$host"
    grep -q '^start [01] ' "$WORK/host.token"
    # It is there now, which shows that the search finds it.
    expect_in 'token 1 token 2 token 3' "$(copies "$host")"
    kill -CONT "$host"
    retry_until 10 no_copy "$host"
    stopped "$host"
    expect 'token 0' "$(copies "$host")"
    kill -CONT "$host"
    wait "$host"
    rm "$WORK/input"
}

@test "the agent holds one copy of each token, and of a secret file none" {
    local pids

    import_alice
    start_agent
    : > "$WORK/wanted.secret"
    want old
    printf 'secret %s\n' "$APP_SECRET" >> "$WORK/wanted.secret"
    pids="$(agent_pid) $(runner_pid)"
    # shellcheck disable=SC2086
    expect 'old-relay 1 old-alice 1 old-refresh 1 secret 0' "$(copies $pids)"
    # Others in their place: of the old ones nothing is left.
    set_client "$PUBLIC_CLIENT" '"rotation": "strict"'
    is_ok "rejected $(sed -n 's/^old-relay //p' "$WORK/wanted.secret") $RELAY"
    is_ok "rejected $(sed -n 's/^old-alice //p' "$WORK/wanted.secret") $ALICE"
    retry_until 5 were_asked 4
    want new
    is_ok "token $RELAY" "$PLUGIN_USER"
    # shellcheck disable=SC2086
    expect 'old-relay 0 old-alice 0 old-refresh 0 secret 0 new-relay 1 new-alice 1 new-refresh 1' \
        "$(copies $pids)"
}

@test "a secret in the accounts file: one copy, in the agent and not in the runner" {
    local pid

    write_accounts "$(account_section inline 'grant = client_credentials' \
        "ca_file = \"$WORK/tls/ca.pem\"" "client_id = $APP_CLIENT" \
        "client_secret = \"$APP_SECRET\"")"
    start_agent
    is_ok 'token inline'
    printf 'secret %s\n' "$APP_SECRET" > "$WORK/wanted.secret"
    pid=$(agent_pid)
    expect 'secret 1' "$(copies "$pid")"
    expect 'secret 0' "$(copies "$(runner_pid)")"
    kill -HUP "$pid"
    retry_until 5 agent_log_holds 'read again'
    is_ok 'token inline'
    expect 'secret 1' "$(copies "$pid")"
    expect 'secret 0' "$(copies "$(runner_pid)")"
    write_accounts
    kill -HUP "$pid"
    retry_until 5 read_again 2
    expect 'secret 0' "$(copies "$pid")"
}

# --- upgrades ------------------------------------------------------------------------------

@test "ten restarts under load: no question fails" {
    start_agent # fetches the token, so that none of it is asked of the network later
    is_ok "token $RELAY"
    stop_agent
    rm -f "$WORK/agent.sock"
    "$PYTHON" "$WORK/bin/restart.py" "$WORK/agent.sock" 10 "token $RELAY" "$WORK/pids" \
        "$WORK/agent.log" "$MAILBEARER" -c "$WORK/mailbearer.conf" agent > "$WORK/load"
    cat "$WORK/load" >&3
    expect_in "$(cat "$WORK/load")" ' failed 0 '
    (($(awk '{print $2}' "$WORK/load") > 1000))
    (($(awk '{print $6}' "$WORK/load") < 5000))
    expect 12 "$(grep -cx ended "$WORK/agent.log")"
    expect_requests 1
}

@test "a store of version 1 is served; one of a newer version is refused and not touched" {
    mkdir -p "$WORK/store"
    cp "$TESTS/cases/store-versions/1.json" "$(record_file "$RELAY")"
    chmod 600 "$(record_file "$RELAY")"
    start_agent
    is_ok "token $RELAY"
    stop_agent
    expect 1 "$(stored "$RELAY" version)"
    (($(stored "$RELAY" serial) > 7))
    cp "$TESTS/cases/store-versions/newer.json" "$(record_file "$RELAY")"
    chmod 600 "$(record_file "$RELAY")"
    start_agent
    reply_to "token $RELAY" > "$WORK/reply"
    expect_in "$(cat "$WORK/reply")" 'a newer mailbearer wrote it (version 3, this one reads 1)'
    expect_in "$(cat "$WORK/reply")" 'install the newer mailbearer again'
    stop_agent
    unset MAILBEARER_SOCKET
    mailbearer token "$RELAY"
    failed 74 'a newer mailbearer wrote it' 'install the newer mailbearer again'
    cmp "$TESTS/cases/store-versions/newer.json" "$(record_file "$RELAY")"
}
