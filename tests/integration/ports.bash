# shellcheck shell=bash
# ports.bash - local ports of mailbearer-fetch, for its tests.
#
# Used by:  ports*.bats
# Needs:    lib.bash, agent.bash, dovecot.bash, fetch.bash

LOCAL_PASSWORD='CANARY local "pass\word" 1'

# make_ports_ground - what setup_file does: Dovecot, accounts, agent, a local password for
# the relay and one for alice, who has her own.
make_ports_ground() {
    make_fetch_ground
    cp "$LIB_DIRECTORY/port_client.py" "$WORK/bin/"
    RELAY_USERS=fetchmail write_fetch_accounts
    start_agent
    set_password "$RELAY" "$LOCAL_PASSWORD"
    set_password starttls 'CANARY another password'
    export_work
    export DOVECOT_SUBMISSIONS
}

# set_password ACCOUNT PASSWORD
set_password() {
    printf '%s\n' "$2" | "$MAILBEARER" -c "$WORK/mailbearer.conf" passwd "$1"
}

# start_port NAME ARGUMENT... - mailbearer-fetch with these arguments; its log is
# $WORK/NAME.log. Sets PORT when it listens on TCP.
start_port() {
    local name=$1

    shift
    : > "$WORK/$name.log"
    "$FETCH" -c "$WORK/mailbearer.conf" -v --user root "$@" 3>&- < /dev/null >> "$WORK/$name.log" 2>&1 &
    record_pid $! "$name"
    LISTENER=$!
    retry_until 10 grep -q 'listening on' "$WORK/$name.log" || { cat "$WORK/$name.log" >&2; return 1; }
    # shellcheck disable=SC2034
    PORT=$(sed -n 's/.*listening on .* port \([0-9]*\)$/\1/p' "$WORK/$name.log" | tail -n 1)
}

# client ACTION ARGUMENT... - port_client.py; what it saw is in $WORK/out.token. Sets RC.
client() {
    RC=0
    timeout 120 "$PYTHON" "$WORK/bin/port_client.py" "$@" > "$WORK/out.token" 2> "$WORK/err" ||
        RC=$?
}

# saw TEXT - the client ended well, and saw it.
saw() {
    expect 0 "$RC" || { cat "$WORK/err" "$WORK/out.token" >&2; return 1; }
    expect_in "$(tr -d '\r' < "$WORK/out.token")" "$1"
}

# port_log TEXT - the log of the port in use says so, soon.
port_log() {
    retry_until 5 grep -qF -- "$1" "$WORK/port.log" || {
        printf 'not in the log: %s\n' "$1" >&2
        cat "$WORK/port.log" >&2
        return 1
    }
}

# sessions - how many processes the listener has.
sessions() {
    pgrep -cP "$LISTENER"
}
