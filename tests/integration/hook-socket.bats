#!/usr/bin/env bats
# A sandboxed agent has its hooks run elsewhere: passed on over a socket, as
# mailbearer-hook.socket and mailbearer-hook@.service do it.

load lib.bash
load agent.bash

setup_file() {
    make_ground
}

teardown_file() {
    stop_all
}

setup() {
    fresh_ground
    rm -f "$WORK/told" "$WORK/hook.sock"
    : > "$WORK/told"
    cat > "$WORK/bin/hook" <<EOF
#!/bin/sh
awk '/^NoNewPrivs:/ { print "privileges", \$2 }' /proc/self/status >> $WORK/told
printf '%s|' "\$1" "\$MAILBEARER_EVENT" "\$MAILBEARER_ACCOUNT" "\${MAILBEARER_STATE-none}" \\
    "\$MAILBEARER_REASON" "\$MAILBEARER_REMEDY" >> $WORK/told
echo >> $WORK/told
EOF
    chmod 755 "$WORK/bin/hook"
    # The agent as mailbearer.service has it, as far as hooks notice.
    printf '#!/bin/sh\nexec setpriv --no-new-privs "%s" "$@"\n' "$MAILBEARER" > "$WORK/bin/caged"
    chmod 755 "$WORK/bin/caged"
    # shellcheck disable=SC2016
    write_accounts "$(printf 'agent {\n    on_failure = { "%s", "$(id); *" }\n}\n' "$WORK/bin/hook")"
    export MAILBEARER_HOOK_SOCKET=$WORK/hook.sock
    set_client "$APP_CLIENT" '"secret_expired": true'
}

teardown() {
    stop_agent
    stop_named listener
    no_secret_in "$WORK"
}

start_listener() {
    systemd-socket-activate --accept --inetd --listen="$WORK/hook.sock" \
        -E MAILBEARER_OAUTH="$MAILBEARER_OAUTH" \
        "$MAILBEARER" -c "$WORK/mailbearer.conf" hook 3>&- >> "$WORK/listener.log" 2>&1 &
    record_pid $! listener
    retry_until 10 test -S "$WORK/hook.sock"
}

start_caged_agent() {
    MAILBEARER=$WORK/bin/caged start_agent
}

@test "the command runs outside, and is told everything" {
    start_listener
    start_caged_agent
    run_quiet "$MAILBEARER" token "$RELAY"
    expect 77 "$RC"
    retry_until 10 grep -q failure "$WORK/told"
    expect 'privileges 0' "$(sed -n 1p "$WORK/told")"
    # shellcheck disable=SC2016
    expect_in "$(cat "$WORK/told")" '$(id); *|failure|relay@contoso.com|needs-action|'
    expect_in "$(cat "$WORK/told")" 'AADSTS7000222'
    sleep 0.5
    expect 2 "$(wc -l < "$WORK/told")"
    refute agent_log_holds 'is run by the agent itself'
}

@test "what went wrong there is in the agent's log" {
    printf '#!/bin/sh\nexit 3\n' > "$WORK/bin/hook"
    start_listener
    start_caged_agent
    run_quiet "$MAILBEARER" token "$RELAY"
    retry_until 10 agent_log_holds "$RELAY: on_failure: $WORK/bin/hook ended with status 3"
}

@test "where nobody listens the agent runs it itself, and says so" {
    start_caged_agent
    run_quiet "$MAILBEARER" token "$RELAY"
    retry_until 10 grep -q failure "$WORK/told"
    expect 'privileges 1' "$(sed -n 1p "$WORK/told")"
    agent_log_holds "$RELAY: on_failure is run by the agent itself: $WORK/hook.sock: No such file"
}

@test "mailbearer hook takes nothing but an event" {
    printf 'MAILBEARER_EVENT=failure\0PATH=/\0' > "$WORK/event"
    mailbearer hook < "$WORK/event"
    failed 75 "hook: not an event of the agent's" ''
    expect '' "$(cat "$WORK/told")"
    printf 'MAILBEARER_EVENT=other\0MAILBEARER_ACCOUNT=a\0' > "$WORK/event"
    mailbearer hook < "$WORK/event"
    failed 75 "hook: not an event of the agent's" ''
    printf 'MAILBEARER_EVENT=recovery\0MAILBEARER_ACCOUNT=a\0' > "$WORK/event"
    asked hook < "$WORK/event"
    expect '' "$(cat "$WORK/told")"
    mailbearer hook now
    expect 64 "$RC"
}
