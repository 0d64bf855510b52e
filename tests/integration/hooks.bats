#!/usr/bin/env bats
# on_failure and on_recovery: run once for each change, told why, never waited for.

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
    rm -f "$WORK/told" "$WORK/gate"
    : > "$WORK/told"
    cat > "$WORK/bin/hook" <<EOF
#!/bin/sh
printf '%s|' "\$1" "\$MAILBEARER_EVENT" "\$MAILBEARER_ACCOUNT" "\${MAILBEARER_STATE-none}" \\
    "\$MAILBEARER_REASON" "\$MAILBEARER_REMEDY" >> $WORK/told
echo >> $WORK/told
EOF
    chmod 755 "$WORK/bin/hook"
    write_accounts "$(hooks "$WORK/bin/hook")"
}

teardown() {
    stop_agent
    no_secret_in "$WORK"
}

# hooks PROGRAM - the section that runs it for both events, with an argument no shell has
# looked at.
hooks() {
    # shellcheck disable=SC2016
    printf 'agent {\n    on_failure = { "%s", "$(id); *" }\n    on_recovery = { "%s", "well" }\n}\n' \
        "$1" "$1"
}

told() {
    wc -l < "$WORK/told"
}

is_told() {
    [[ $(told) -ge $1 ]]
}

# expect_told N - so many calls, and no more within the next moment.
expect_told() {
    retry_until 10 is_told "$1"
    sleep 0.5
    expect "$1" "$(told)"
}

# relay_token - asks the agent; what comes does not matter here.
relay_token() {
    run_quiet "$MAILBEARER" token "$RELAY"
}

break_secret() {
    set_client "$APP_CLIENT" '"secret_expired": true'
}

mend_secret() {
    set_client "$APP_CLIENT" '"secret_expired": false'
}

# try_again - makes the agent look again in spite of the failure: a changed secret file.
try_again() {
    sleep 1.1
    touch "$WORK/secrets/relay"
}

@test "failure once, recovery once, and what they are told" {
    start_agent
    relay_token
    expect 0 "$RC"
    expect_told 0
    break_secret
    "$MAILBEARER" -c "$WORK/mailbearer.conf" token "$RELAY" --refresh > "$WORK/out.token" 2>&1 || :
    sleep 1
    expire_stored "$RELAY"
    relay_token
    expect 77 "$RC"
    expect_told 1
    # shellcheck disable=SC2016
    expect_in "$(cat "$WORK/told")" '$(id); *|failure|relay@contoso.com|needs-action|'
    expect_in "$(cat "$WORK/told")" 'AADSTS7000222'
    refute grep -q '||' "$WORK/told"
    # Again, and again the same: not told again.
    try_again
    relay_token
    expect 77 "$RC"
    try_again
    relay_token
    expect_told 1
    mend_secret
    try_again
    relay_token
    expect 0 "$RC"
    expect_told 2
    expect 'well|recovery|relay@contoso.com|ok|||' "$(sed -n 2p "$WORK/told")"
    agent_log_holds "$RELAY: works again"
    # Failing anew is told anew.
    break_secret
    expire_stored "$RELAY"
    relay_token
    expect_told 3
}

@test "nobody has signed in: told when somebody asks" {
    write_accounts "$(hooks "$WORK/bin/hook")" "$(alice_account)"
    start_agent
    sleep 2
    expect 0 "$(told)"
    run_quiet "$MAILBEARER" token "$ALICE"
    expect 77 "$RC"
    expect_told 1
    expect_in "$(cat "$WORK/told")" '|failure|alice@contoso.com|signed-out|'
    import_alice
    run_quiet "$MAILBEARER" token "$ALICE"
    expect 0 "$RC"
    expect_told 2
}

@test "temporary trouble is not told at once" {
    start_agent
    fault '"fault": "503"'
    relay_token
    expect 75 "$RC"
    entra_admin clear
    retry_until 20 relay_works
    expect_told 0
}

relay_works() {
    relay_token
    [[ $RC = 0 ]]
}

@test "a hook that hangs delays nobody, and ends with the agent" {
    local start

    cat > "$WORK/bin/hook" <<EOF
#!/bin/sh
echo \$\$ >> $WORK/told
trap '' TERM HUP INT
sleep 300
EOF
    break_secret
    start_agent
    relay_token
    expect 77 "$RC"
    retry_until 10 is_told 1
    mend_secret
    try_again
    start=$(now_ms)
    relay_token
    expect 0 "$RC"
    (($(now_ms) - start < 5000))
    # The recovery waits behind it.
    expect_told 1
    start=$(now_ms)
    stop_agent
    (($(now_ms) - start < 8000))
    none_alive "$(head -n 1 "$WORK/told")"
    agent_log_holds "$RELAY: on_recovery is not run: the agent ends"
    agent_log_holds "had not ended when the agent did"
}

@test "a hook that fails, prints, or is not there is in the log, and nothing else happens" {
    printf '#!/bin/sh\necho it says this\nexit 3\n' > "$WORK/bin/hook"
    break_secret
    start_agent
    relay_token
    expect 77 "$RC"
    retry_until 5 agent_log_holds "$RELAY: on_failure: $WORK/bin/hook ended with status 3"
    agent_log_holds 'it says this'
    rm "$WORK/bin/hook"
    mend_secret
    try_again
    relay_token
    expect 0 "$RC"
    retry_until 5 agent_log_holds "$RELAY: on_recovery: cannot run $WORK/bin/hook: No such file"
}

@test "commands given later are used after a reload; an account told about stays so" {
    break_secret
    write_accounts
    start_agent
    relay_token
    expect 77 "$RC"
    write_accounts "$(hooks "$WORK/bin/hook")"
    sleep 2
    relay_token
    expect 77 "$RC"
    expect_told 0
    mend_secret
    try_again
    relay_token
    expect 0 "$RC"
    expect_told 1
    expect_in "$(cat "$WORK/told")" 'well|recovery|'
}

@test "expiry is told once for each threshold, with the failure's command" {
    write_accounts "$(hooks "$WORK/bin/hook")" \
        "$(app_account soon "secret_expires = $(date -u -d '+5 days' +%F)")" \
        "$(app_account later "secret_expires = $(date -u -d '+50 days' +%F)")"
    start_agent
    retry_until 10 is_told 1
    # shellcheck disable=SC2016
    expect_in "$(cat "$WORK/told")" '$(id); *|expiry|soon|none|the client secret expires in 4 days'
    expect_in "$(cat "$WORK/told")" '|make a new secret for the application'
    agent_log_holds 'soon: the client secret expires in 4 days'
    # A reload repeats nothing; a nearer date is another.
    kill -HUP "$(agent_pid)"
    expect_told 1
    write_accounts "$(hooks "$WORK/bin/hook")" \
        "$(app_account soon "secret_expires = $(date -u +%F)")"
    retry_until 10 is_told 2
    expect_in "$(tail -n 1 "$WORK/told")" 'the client secret has expired'
}
