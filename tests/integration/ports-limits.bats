#!/usr/bin/env bats
# Local ports of mailbearer-fetch: guessing is slow, strangers cannot use it up, and many
# sessions cost little.
# asan: no, memory and times are measured

load lib.bash
load agent.bash
load dovecot.bash
load fetch.bash
load ports.bash

# kB each session may have of its own
PRIVATE_DIRTY_MAX=3072

setup_file() {
    make_ports_ground
}

teardown_file() {
    stop_all
}

setup() {
    cd "$WORK" || return 1
    PORT= # of the listener a test starts
}

teardown() {
    stop_named port
    stop_named odd
    stop_named client
    no_secret_in "$WORK"/*.log
}

# waits - the milliseconds of each guess.
waits() {
    sed -n 's/^\([0-9]*\) .*/\1/p' out.token
}

@test "guessing is slower each time, also from new connections and at once" {
    start_port port --listen 127.0.0.1:0 --failure-delay 100 imap
    client guess "$PORT" 6 "$RELAY"
    expect 0 "$RC"
    expect 6 "$(grep -c 'NO \[AUTHENTICATIONFAILED\]' out.token)"
    mapfile -t ms < <(waits)
    # 0 100 200 400 800 800, and the hash each time
    ((ms[1] >= 100 && ms[2] >= 200 && ms[3] >= 400 && ms[4] >= 800 && ms[5] >= 800))
    # ten at once take their turns: 9 waits of 800 ms at least
    client guess-at-once "$PORT" 10 "$RELAY"
    (($(< out.token) >= 7200))
    # another account is not slowed by that (its address is, by less)
    start=$(now_ms)
    printf 'a LOGIN starttls "CANARY another password"\r\nb LOGOUT\r\n' > said
    client say "$PORT" said
    saw 'b OK Logout'
    (($(now_ms) - start < 6000))
}

@test "who knows the password is let in, after waiting, and is forgiven" {
    start_port port --listen 127.0.0.1:0 --failure-delay 4000 imap
    client guess "$PORT" 1 "$RELAY"
    printf 'a LOGIN %s "%s"\r\nb LOGOUT\r\n' "$RELAY" 'CANARY local \"pass\\word\" 1' > said
    start=$(now_ms)
    client say "$PORT" said
    saw 'b OK Logout'
    (($(now_ms) - start >= 3000))
    start=$(now_ms)
    client say "$PORT" said
    saw 'b OK Logout'
    (($(now_ms) - start < 3500))
}

@test "one user's guesses over loopback do not keep out another user's program" {
    printf 'a LOGIN %s "%s"\r\nb LOGOUT\r\n' "$RELAY" 'CANARY local \"pass\\word\" 1' > said
    start_port port --listen 127.0.0.1:0 --failure-delay 16000 imap
    client say "$PORT" said # it is known from now on
    saw 'b OK Logout'
    RC=0
    as 12345 timeout 60 "$PYTHON" bin/port_client.py guess "$PORT" 8 "$RELAY" > out.token || RC=$?
    expect 0 "$RC"
    saw 'a NO [UNAVAILABLE] mailbearer: too many failures lately'
    port_log "$RELAY: wrong name or password from 127.0.0.1 uid 12345 (try 1 of 3)"
    start=$(now_ms)
    client say "$PORT" said
    saw 'b OK Logout'
    (($(now_ms) - start < 4000))
}

@test "unknown accounts are slowed as known ones are, and so are three tries at once" {
    start_port port --listen 127.0.0.1:0 --failure-delay 100 imap
    client guess "$PORT" 4 nobody@contoso.com
    mapfile -t ms < <(waits)
    ((ms[1] >= 100 && ms[2] >= 200 && ms[3] >= 400))
    client wrong "$PORT" 5 "$RELAY"
    expect 3 "$(grep -c 'AUTHENTICATIONFAILED' out.token)"
    expect '* BYE good-bye' "$(tail -n 1 out.token | tr -d '\r')"
    port_log 'nobody@contoso.com: wrong name or password from 127.0.0.1 uid 0 (try 1 of 3)'
    port_log "$RELAY: wrong name or password from 127.0.0.1 uid 0 (try 3 of 3)"
}

@test "waiting longer than 15 s is refused at once, without a look at the password" {
    start_port port --listen 127.0.0.1:0 --failure-delay 16000 imap
    client guess "$PORT" 2 "$RELAY"
    saw 'a NO [UNAVAILABLE] mailbearer: too many failures lately'
    (($(waits | tail -n 1) < 2000))
    port_log 'not looked at: too many failures lately'
}

@test "a client that says nothing has until the deadline" {
    for wire in imap pop3 smtp; do
        start_port port --listen 127.0.0.1:0 --sign-in-time 1 "$wire"
        : > said
        RC=0
        timeout 20 "$PYTHON" - "$PORT" > out.token <<'END' || RC=$?
import socket, sys, time
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
    start = time.monotonic()
    got = b""
    while part := s.recv(4096):
        got += part
    print(got.decode().replace("\r", "") + "%d" % (time.monotonic() - start))
END
        expect 0 "$RC"
        grep -qi 'too slow' out.token
        grep -qx '[1-9]' out.token
        stop_named port
    done
}

@test "silent strangers are sent away for those who come after, sessions are not" {
    start_port port --listen 127.0.0.1:0 --max-sessions 2 imap "$RELAY"
    "$PYTHON" bin/port_client.py idle-in "$PORT" x "$LOCAL_PASSWORD" > in.token 3>&- &
    record_pid $! client
    retry_until 10 grep -q '^in' in.token
    # 8 places for those who have not signed in yet
    "$PYTHON" bin/port_client.py hold "$PORT" 12 > hold.out 3>&- &
    record_pid $! client
    retry_until 5 all_places_taken
    start=$(now_ms)
    printf 'a LOGIN x "%s"\r\nb LOGOUT\r\n' 'CANARY local \"pass\\word\" 1' > said
    client say "$PORT" said
    saw 'b OK Logout'
    (($(now_ms) - start < 15000))
    refute grep -q '^end' in.token
}

all_places_taken() {
    [[ $(sessions) -ge 9 ]]
}

@test "more than --max-sessions: told in the protocol's words, and room again afterwards" {
    start_port port --listen 127.0.0.1:0 --max-sessions 1 imap "$RELAY"
    start_crowd 1
    retry_until 10 grep -q '^in 1' in.token
    : > said
    client say "$PORT" said
    saw '* BYE mailbearer: too many sessions -> '
    port_log 'a mail program was turned away: too many sessions'
    end_crowd
    printf 'a LOGIN x "%s"\r\nb LOGOUT\r\n' 'CANARY local \"pass\\word\" 1' > said
    retry_until 10 signs_in
    stop_named port
    start_port port --listen "$WORK/one.sock" --max-sessions 1 smtp "$RELAY"
    "$PYTHON" -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.recv(99); time.sleep(30)' \
        "$WORK/one.sock" 3>&- &
    record_pid $! client
    retry_until 10 has_sessions 1
    : > said
    retry_until 10 is_busy
}

# start_crowd N - so many sessions; end_crowd lets them say good-bye.
start_crowd() {
    rm -f go
    mkfifo go
    "$PYTHON" bin/port_client.py crowd "$PORT" "$1" x "$LOCAL_PASSWORD" < go > in.token 2> err 3>&- &
    record_pid $! client
    exec 7> go
}

end_crowd() {
    echo go >&7
    exec 7>&-
}

signs_in() {
    client say "$PORT" said
    saw 'b OK Logout'
}

has_sessions() {
    [[ $(sessions) = "$1" ]]
}

is_busy() {
    client say "$WORK/one.sock" said
    saw '421 4.3.0 mailbearer: too many sessions'
}

@test "no more descriptors: it goes on when there are some again" {
    start_port port --listen 127.0.0.1:0 imap "$RELAY"
    soft=0 # the lowest number that is free
    while [[ -e /proc/$LISTENER/fd/$soft ]]; do
        soft=$((soft + 1))
    done
    prlimit --pid "$LISTENER" --nofile="$soft:1024"
    printf 'a LOGIN x "%s"\r\nb LOGOUT\r\n' 'CANARY local \"pass\\word\" 1' > said
    "$PYTHON" bin/port_client.py say "$PORT" said > late.token 3>&- &
    record_pid $! client
    port_log 'cannot accept a connection: Too many open files'
    before=$(awk '{print $14 + $15}' "/proc/$LISTENER/stat")
    sleep 1
    (($(awk '{print $14 + $15}' "/proc/$LISTENER/stat") - before < 20))
    prlimit --pid "$LISTENER" --nofile=1024:1024
    retry_until 10 grep -q 'b OK Logout' late.token
}

@test "the end: SIGTERM ends listener and sessions; SIGHUP ends nothing" {
    start_port port --listen 127.0.0.1:0 imap "$RELAY"
    "$PYTHON" bin/port_client.py idle-in "$PORT" x "$LOCAL_PASSWORD" > in.token 3>&- &
    record_pid $! client
    retry_until 10 grep -q '^in' in.token
    kill -HUP "$LISTENER" "$(pgrep -P "$LISTENER")"
    sleep 0.3
    expect 1 "$(sessions)"
    start=$(now_ms)
    kill -TERM "$LISTENER"
    retry_until 4 none_alive "$LISTENER"
    (($(now_ms) - start < 4000))
    retry_until 2 grep -q '^end' in.token
    port_log 'session over'
    port_log 'ended'
    wait "$LISTENER"
}

@test "200 sessions at once, each with 3 MB of its own at most" {
    more_dovecot 'mail_max_userip_connections = 1000' 'default_client_limit = 2000' \
        'service imap-login {' '  service_count = 0' '  process_limit = 4' \
        '  client_limit = 1000' '}' 'service imap {' '  process_limit = 500' '}'
    # as where no ca_file is given: all authorities of the system are loaded
    cat /etc/ssl/certs/ca-certificates.crt tls/ca.pem > all.pem
    sed "s,ca_file = .*,ca_file = \"$WORK/all.pem\"," mailbearer.conf > all.conf
    chmod 600 all.conf
    mv all.conf mailbearer.conf
    stop_agent
    start_agent
    start_port port --listen 127.0.0.1:0 --max-sessions 200 imap "$RELAY"
    start_crowd 200
    retry_until 100 grep -q '^in' in.token
    expect 'in 200' "$(cat in.token)"
    expect 200 "$(sessions)"
    for pid in $(pgrep -P "$LISTENER"); do
        awk '/^Private_Dirty/ {print $2}' "/proc/$pid/smaps_rollup"
    done | sort -n > dirty
    expect 200 "$(wc -l < dirty)"
    echo "# Private_Dirty of 200 sessions, kB: least $(head -n 1 dirty), median $(sed -n 100p dirty), most $(tail -n 1 dirty)" >&3
    (($(tail -n 1 dirty) <= PRIVATE_DIRTY_MAX))
    end_crowd
    retry_until 60 grep -q '^ended 200' in.token
    retry_until 20 has_sessions 0
}
