#!/usr/bin/env bats
# agent { probe }: the agent signs in at the accounts' servers now and then, and tells what
# only they know.

load lib.bash
load agent.bash
load dovecot.bash
load fetch.bash

setup_file() {
    make_ground
    cp "$LIB_DIRECTORY/odd_server.py" "$WORK/bin/"
    start_dovecot
    export_work
}

teardown_file() {
    stop_all
}

setup() {
    fresh_ground
    allow '"relay@contoso.com", "shared@contoso.com"'
    cat > bin/hook <<END
#!/bin/sh
echo "\$MAILBEARER_EVENT \$MAILBEARER_ACCOUNT \$MAILBEARER_STATE \$MAILBEARER_REASON" >> $WORK/told
END
    chmod 755 bin/hook
    : > told
}

teardown() {
    stop_agent
    stop_named odd
    no_secret_in "$WORK/agent.log" "$WORK/told" "$WORK/err"
}

# allow MAILBOXES - what Dovecot opens for the application's tokens.
allow() {
    set_client "$APP_CLIENT" "\"mailboxes\": [$1]"
}

# start_probing HOURS [SECTION...] - the agent with relay@contoso.com at Dovecot.
start_probing() {
    write_accounts 'agent {' "    probe = $1" "    on_failure = { \"$WORK/bin/hook\" }" \
        "    on_recovery = { \"$WORK/bin/hook\" }" '}' "${@:2}"
    start_agent
}

state_of() {
    "$MAILBEARER" -c mailbearer.conf status "$1" --format json | json_get accounts/0/state
}

is_in_state() {
    [[ $(state_of "$1") = "$2" ]]
}

signs_in() {
    grep -q "user=<relay@contoso.com>.*Login\|Login: user=<relay@contoso.com>" dovecot/log
}

log_holds_twice() {
    (($(log_lines "$1") >= 2))
}

@test "all well: it signs in, nothing is told, nothing is sent, no token is wasted" {
    : > dovecot/log
    start_probing 0.001
    retry_until 20 signs_in
    : > dovecot/log
    retry_until 20 signs_in
    expect '' "$(cat told)"
    expect 1 "$(entra_count requests)"
    expect ok "$(state_of "$RELAY")"
    refute agent_log_holds 'tried at its server'
}

@test "a mailbox withdrawn: the next token is tried, then told once; over when it is back" {
    start_probing 0.001
    retry_until 20 is_in_state "$RELAY" ok
    allow ''
    retry_until 20 is_in_state "$RELAY" needs-action
    expect 1 "$(log_lines "$RELAY: the present token was reported as refused, fetching another")"
    expect 1 "$(log_lines "$RELAY: tried at its server: localhost refused the sign-in: 535 5.7.8")"
    expect 2 "$(entra_count requests)"
    retry_until 5 test -s told
    expect_in "$(cat told)" "failure $RELAY needs-action localhost refused the sign-in: "
    "$MAILBEARER" -c mailbearer.conf status "$RELAY" > out.txt
    expect_in "$(cat out.txt)" 'localhost refused the sign-in: '
    # tokens are handed out all the same
    asked token "$RELAY"
    sleep 4 # another turn: it is not told again, and no further token is fetched
    expect 1 "$(wc -l < told)"
    expect 2 "$(entra_count requests)"
    allow '"relay@contoso.com"'
    retry_until 20 is_in_state "$RELAY" ok
    retry_until 5 grep -q "^recovery $RELAY ok" told
    expect 2 "$(wc -l < told)"
    agent_log_holds "$RELAY: localhost takes the sign-in again"
}

@test "a token that is refused once: the next one works, and that is all" {
    start_odd imap-refuse-once
    start_probing 0.001 "$(app_account odd "user = $RELAY" "imap = \"localhost:$ODD tls\"" \
        "ca_file = \"$WORK/tls/ca.pem\"")"
    retry_until 20 agent_log_holds 'odd: the present token was reported as refused'
    retry_until 20 odd_lines 2
    sleep 0.5
    expect '' "$(cat told)"
    expect ok "$(state_of odd)"
}

# is_connected PORT - somebody is.
is_connected() {
    ss -Htn state established "dport = :$1" | grep -q .
}

@test "a server that is silent or not there: logged, nobody is told, others are served" {
    start_odd smtp-silent
    start_probing 0.001 "$(app_account odd "user = $RELAY" "smtp = \"localhost:$ODD tls\"" \
        "ca_file = \"$WORK/tls/ca.pem\"")" \
        "$(app_account down "user = $RELAY" 'imap = "localhost:1 tls"')"
    retry_until 20 agent_log_holds 'down: could not be tried at its server: localhost'
    SECONDS=0
    asked token "$RELAY"
    asked token odd
    ((SECONDS < 3))
    retry_until 30 agent_log_holds 'odd: could not be tried at its server: localhost: no answer in time'
    expect '' "$(cat told)"
    expect ok "$(state_of odd)"
    # and the end does not wait for a sign-in that is under way
    retry_until 30 is_connected "$ODD"
    SECONDS=0
    stop_agent
    ((SECONDS <= 4))
}

@test "an account that nobody signed in is not tried; without probe nothing is" {
    : > dovecot/log
    start_probing 0.001 "$(alice_account "smtp = \"localhost:$DOVECOT_SUBMISSION starttls\"" \
        "ca_file = \"$WORK/tls/ca.pem\"")"
    retry_until 20 signs_in
    sleep 4
    refute grep -q alice dovecot/log
    stop_agent
    start_probing 0
    : > dovecot/log
    sleep 5
    refute signs_in
}

@test "read again without the account while it is tried; and with another server" {
    start_odd smtp-silent
    start_probing 0.001 "$(app_account odd "user = $RELAY" "smtp = \"localhost:$ODD tls\"" \
        "ca_file = \"$WORK/tls/ca.pem\"")"
    sleep 5
    write_accounts 'agent {' '    probe = 0.001' '}'
    kill -HUP "$(agent_pid)"
    retry_until 10 agent_log_holds 'read again, 1 accounts'
    : > dovecot/log
    retry_until 30 signs_in
    expect ok "$(state_of "$RELAY")"
}
