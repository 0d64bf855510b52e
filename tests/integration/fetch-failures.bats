#!/usr/bin/env bats
# mailbearer-fetch: what goes wrong, told in each protocol's own words with the remedy.

load lib.bash
load agent.bash
load dovecot.bash
load fetch.bash

setup_file() {
    make_fetch_ground
    RELAY_USERS='' write_fetch_accounts
    start_agent
    export_work
    export DOVECOT_SUBMISSIONS
}

teardown_file() {
    stop_all
}

setup() {
    cd "$WORK" || return 1
    unset SAY ODD_DIR
}

teardown() {
    stop_named odd
}

@test "refused for good: one retry with another token, then the server's words" {
    start_odd imap-refuse
    fetch imap localhost "$ODD" fresh1
    answered 77 '* BYE mailbearer: localhost refused the sign-in: NO AUTHENTICATE failed. -> Run: mailbearer doctor fresh1 --imap'
    expect 'AUTHENTICATE XOAUTH2, TOKEN 1
AUTHENTICATE XOAUTH2, TOKEN 2' "$(odd_log 2 | sed 's/, Gone//')"
    stop_named odd
    start_odd pop3-refuse
    fetch pop3 localhost "$ODD" fresh2
    answered 77 '-ERR [AUTH] mailbearer: localhost refused the sign-in: -ERR Authentication failure: unknown user name or bad password. -> Run: mailbearer doctor fresh2 --pop3'
    stop_named odd
    start_odd smtp-refuse --plain
    fetch smtp localhost "$ODD" fresh3
    answered 77 '421 4.3.0 mailbearer: localhost refused the sign-in: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.'
    expect_in "$(cat out.token)" 'Set-CASMailbox'
    (($(wc -c < out.token) <= 512))
    # the agent fetches another token at most every 30 s: no second try with the same one
    fetch smtp localhost "$ODD" fresh3
    answered 77 'SmtpClientAuthentication is disabled'
    expect 3 "$(odd_log 3 | wc -l)"
}

@test "a server that repeats what it was sent: no token in what we say" {
    for wire in imap pop3 smtp; do
        start_odd "$wire-echo"
        fetch -v "$wire" localhost "$ODD" smtps
        expect 77 "$RC"
        expect_in "$(cat out.token)" '(not shown: it repeats the token)'
        mv out.token echo.txt
        no_secret_in echo.txt err
        stop_named odd
    done
}

@test "signed in, but the mailbox is not there" {
    start_odd imap-not-connected
    fetch imap localhost "$ODD" "$RELAY"
    answered 77 '* BYE mailbearer: localhost signed in, but failed: BAD User is authenticated but not connected. -> '
    expect 1 "$(odd_log 1 | wc -l)"
}

@test "a server that is busy: try again" {
    start_odd imap-busy
    fetch imap localhost "$ODD" "$RELAY"
    answered 75 '* BYE mailbearer: localhost takes no session: * BYE Request is throttled.'
    stop_named odd
    start_odd pop3-busy
    fetch pop3 localhost "$ODD" "$RELAY"
    answered 75 '-ERR [SYS/TEMP] mailbearer: localhost takes no session: -ERR [SYS/TEMP] later'
    stop_named odd
    start_odd smtp-busy
    fetch smtp localhost "$ODD" smtps
    answered 75 '421 4.3.0 mailbearer: localhost takes no session: 421 4.3.2 Service not active'
}

@test "a certificate nobody vouches for, a wrong name: refused, told why" {
    ODD_DIR=$WORK/far start_odd imap-good
    fetch imap localhost "$ODD" "$RELAY"
    answered 75 '* BYE mailbearer: localhost: TLS failed (SSL certificate problem: '
    expect_in "$(cat out.token)" 'the CA certificates ('
    expect '' "$(grep -s AUTH far/odd.log)"
    stop_named odd
    start_odd pop3-good --address 127.0.0.2
    fetch pop3 127.0.0.2 "$ODD" "$RELAY"
    answered 75 '-ERR [SYS/TEMP] mailbearer: 127.0.0.2: TLS failed (SSL: no alternative certificate subject name matches target host name'
    expect '' "$(grep -s AUTH odd.log)"
}

@test "no STARTTLS: refused before anything is said" {
    for wire in imap pop3; do
        start_odd "$wire-no-starttls" --plain
        fetch "$wire" localhost "$ODD" starttls
        expect 75 "$RC"
        expect_in "$(cat out.token)" "mailbearer: localhost: port $ODD offers no STARTTLS, and without TLS no token is sent -> "
        refute grep -q AUTH <(odd_log 1)
        stop_named odd
    done
    start_odd smtp-no-starttls --plain
    fetch smtp localhost "$ODD" "$RELAY"
    answered 75 "421 4.3.0 mailbearer: localhost: port $ODD offers no STARTTLS"
    refute grep -q AUTH <(odd_log 1)
}

@test "plaintext injected behind STARTTLS: refused" {
    for wire in imap pop3 smtp; do
        start_odd "$wire-inject" --plain
        account=starttls
        [[ $wire != smtp ]] || account=$RELAY
        fetch "$wire" localhost "$ODD" "$account"
        expect 75 "$RC"
        expect_in "$(cat out.token)" 'mailbearer: localhost: plaintext came behind the answer to STARTTLS -> '
        refute grep -q AUTH <(odd_log 1)
        stop_named odd
    done
}

@test "TLS where there is none, and the other way round" {
    start_odd imap-good --plain
    fetch imap localhost "$ODD" "$RELAY"
    answered 75 '* BYE mailbearer: localhost: TLS failed ('
}

@test "a server that talks without end, or in lines of 1 MB" {
    start_odd imap-endless
    fetch imap localhost "$ODD" "$RELAY"
    expect 75 "$RC"
    stop_named odd
    start_odd pop3-no-newline
    fetch pop3 localhost "$ODD" "$RELAY"
    expect 75 "$RC"
    stop_named odd
    start_odd imap-long-line
    fetch imap localhost "$ODD" "$RELAY"
    answered 75 '* BYE mailbearer: a line is longer than 65536 bytes'
}

@test "a client's line of 1 MB, a NUL, no newline: refused at the cap" {
    head -c 1000000 /dev/zero | tr '\0' x > long.txt
    through say long.txt -- "$FETCH" pop3 "$RELAY"
    answered 75 $'\r\n-ERR this line cannot be taken: over 8192 bytes, or a NUL in it'
    through --pipes say long.txt -- "$FETCH" smtp "$RELAY"
    answered 75 $'\r\n421 4.3.0 This line cannot be taken: over 8192 bytes, or a NUL in it'
    through --pipes say long.txt -- "$FETCH" --greeting imap "$RELAY"
    answered 75 $'\r\n* BYE this line cannot be taken: over 8192 bytes, or a NUL in it'
    printf 'USER a\0b\r\n' > nul.txt
    through say nul.txt -- "$FETCH" pop3 "$RELAY"
    answered 75 $'\r\n-ERR this line cannot be taken: over 8192 bytes, or a NUL in it'
}

@test "behind the sign-in a NUL and a line of 1 MB are carried" {
    { printf 'EHLO x\r\nNO\0OP\r\n'; } > nul.txt
    start_odd imap-good
    { printf 'x '; head -c 1000000 /dev/zero; printf '\r\n'; } > long.txt
    through say long.txt -- "$FETCH" imap localhost "$ODD" "$RELAY"
    expect 0 "$RC"
    expect 1 "$(grep -ac '^seen x' out.token)"
    (($(wc -c < out.token) > 1000000))
}

@test "the agent says a person must act: its remedy, in each protocol" {
    entra_admin client "{\"client\": \"$APP_CLIENT\", \"secret_expired\": true}"
    fetch imap fresh4
    answered 77 '* BYE mailbearer: '
    expect_in "$(cat out.token)" 'AADSTS7000222'
    expect_in "$(cat out.token)" ' -> '
    SAY='STAT\r\n' fetch pop3 fresh4
    answered 77 '-ERR [AUTH] mailbearer: '
    fetch smtp fresh4
    answered 77 '421 4.3.0 mailbearer: '
    entra_admin client "{\"client\": \"$APP_CLIENT\", \"secret_expired\": false}"
}

@test "Entra cannot be reached: try again" {
    RELAY_USERS='' write_fetch_accounts
    sed "s|token_endpoint = .*|token_endpoint = \"http://127.0.0.1:1/\"|" mailbearer.conf > down.conf
    sed -i "s|$WORK/store|$WORK/store/down|" down.conf
    mkdir -p "$WORK/store/down"
    chmod 700 "$WORK/store/down" && chmod 600 down.conf
    MAILBEARER_SOCKET='' fetch -c down.conf pop3 "$RELAY"
    answered 75 '-ERR [SYS/TEMP] mailbearer: '
}

@test "what stood in the logs: no secret" {
    no_secret_in agent.log dovecot/log odd.err
}

@test "--syslog: facility mail, what failed with its remedy, and nothing on standard error" {
    "$PYTHON" - "$WORK/syslog" 3>&- > syslog.txt 2>&1 <<'END' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(8192).decode(), flush=True)
END
    record_pid $! syslog
    retry_until 5 test -S syslog
    # /dev with a log in it, for these processes alone
    mkdir -p devices
    touch devices/{null,zero,random,urandom,log}
    # shellcheck disable=SC2016
    in_devices='
        for d in null zero random urandom; do mount --bind "/dev/$d" "$0/devices/$d"; done
        mount --bind "$0/syslog" "$0/devices/log"
        mount --rbind "$0/devices" /dev
        exec "$@"'
    RC=0
    unshare --mount -- bash -c "$in_devices" "$WORK" "$FETCH" --syslog imap localhost 1 fresh4 \
        < /dev/null > out.token 2> err || RC=$?
    answered 75 '* BYE mailbearer: localhost: cannot connect'
    # <19>: mail.err
    retry_until 5 grep -qE '^<19>.* mailbearer-fetch\[[0-9]+\]: fresh4: localhost: cannot connect .* -> check the network' syslog.txt
    RC=0
    printf 'a LOGOUT\r\n' | unshare --mount -- bash -c "$in_devices" "$WORK" "$FETCH" -v --syslog imap fresh4 \
        > out.token 2> err || RC=$?
    answered 0 'a OK Logout'
    # <22>: mail.info
    retry_until 5 grep -qE '^<22>.* mailbearer-fetch\[[0-9]+\]: fresh4: session over' syslog.txt
    no_secret_in syslog.txt
    stop_named syslog
}
