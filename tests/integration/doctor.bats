#!/usr/bin/env bats
# mailbearer doctor ACCOUNT: all well against Dovecot; every kind of fault, planted, is found
# and named with its remedy; nothing is sent unless told, no secret is shown, it ends.

load lib.bash
load agent.bash
load dovecot.bash
load exchange.bash
load fetch.bash

setup_file() {
    make_fetch_ground
    start_exchange
    export_work
    export DOVECOT_SUBMISSIONS EXCHANGE_SMTP EXCHANGE_IMAPS EXCHANGE_POP3S EXCHANGE_ADMIN
}

teardown_file() {
    stop_all
}

setup() {
    fresh_ground
    entra_admin clock '{"ahead": 0}'
    exchange_admin clear
    set_client "$APP_CLIENT" '"roles": ["SMTP.SendAsApp", "IMAP.AccessAsApp", "POP.AccessAsApp"],
        "mailboxes": ["relay@contoso.com", "shared@contoso.com"]'
    set_client "$PUBLIC_CLIENT" \
        '"delegated": ["SMTP.Send", "IMAP.AccessAsUser.All", "POP.AccessAsUser.All"]'
    export LC_ALL=C.UTF-8
    unset ODD_DIR
    RELAY_USERS=postfix write_fetch_accounts
}

teardown() {
    stop_named odd
    stop_named proxy
    stop_agent
    no_secret_in doctor.out doctor.err
}

# doctor ARGUMENT... - sets RC; its report is $WORK/doctor.out.
doctor() {
    RC=0
    timeout 70 "$MAILBEARER" -c "$WORK/mailbearer.conf" doctor "$@" \
        > doctor.out 2> doctor.err || RC=$?
    expect '' "$(cat doctor.err)"
    expect '' "$(without_remedy)"
}

# without_remedy - the failures that say no word of what mends them.
without_remedy() {
    awk '/^  ✗/ { failed = $0; next } failed != "" && !/^      to mend it: ./ { print failed }
        { failed = "" } END { if (failed != "") print failed }' doctor.out
}

# says TEXT - a line of the report holds it.
says() {
    grep -qF -- "$1" doctor.out || {
        printf 'not said: %s\n' "$1" >&2
        cat doctor.out >&2
        return 1
    }
}

says_not() {
    refute grep -F -- "$1" doctor.out
}

# ends CODE - it ended so; with 0 there is no failure and no warning.
ends() {
    expect "$1" "$RC" || { cat doctor.out >&2; return 1; }
    [[ $1 != 0 ]] || { says_not '✗' && says_not '!'; }
}

# section CHECK - the lines of that check.
section() {
    awk -v name="$1" '/^[a-z0-9]/ { inside = $0 == name } inside' doctor.out
}

# odd_account NAME KIND PORT [LINE...] - an account with one server of that kind.
odd_account() {
    printf 'account "%s" {\n' "$1"
    printf '    provider = standin\n    grant = client_credentials\n    user = %s\n' "$RELAY"
    printf '    client_id = %s\n    client_secret_file = "%s"\n' "$APP_CLIENT" \
        "$WORK/secrets/relay"
    printf '    %s = "%s"\n' "$2" "$3"
    [[ $# -lt 4 ]] || printf '    %s\n' "${@:4}"
    printf '}\n'
}

# at_odd KIND SECURITY [LINE...] - the account `odd` alone, behind an odd server; `tls` means
# from the start.
at_odd() {
    local -a plain=()

    [[ $2 = tls ]] || plain=(--plain)
    start_odd "$1" "${plain[@]}"
    DOVECOT_SUBMISSION='' write_accounts \
        "$(odd_account odd "${1%%-*}" "localhost:$ODD $2" "ca_file = \"$WORK/tls/ca.pem\"" \
            "${@:3}")"
}

# --- all well

@test "relay, no agent: everything is checked, and well" {
    doctor "$RELAY"
    ends 0
    says "✓ $WORK/mailbearer.conf: 7 accounts, mode 0600, owner root"
    says "✓ $WORK/store: mode 0700, owner root"
    says "✓ $RELAY: line 8, mailbox $RELAY, provider standin, grant client_credentials"
    says "· who may have its token from an agent: root, the agent's user, postfix"
    says '· with -c no agent is asked but the one that MAILBEARER_SOCKET names'
    says "✓ token endpoint: connected to localhost port $ENTRA_PORT (127.0.0.1) in "
    says "✓ imap: localhost has 1 IPv4 and 0 IPv6 addresses"
    says "✓ imap: connected to localhost port $DOVECOT_IMAPS (127.0.0.1) in "
    says "✓ smtp: connected to localhost port ${DOVECOT_SUBMISSION?} (127.0.0.1) in "
    expect_in "$(grep 'smtp: connected' doctor.out)" ', TLSv1.3 by STARTTLS'
    says "✓ pop3: certificate CN = localhost, issued by CN = Test authority, 1 in the chain"
    says "; trusted by $WORK/tls/ca.pem"
    says "✓ this machine's clock and localhost agree within "
    says '✓ a token, from the store and the provider; it lives for another 59 min'
    says '✓ it is for Exchange: aud https://outlook.office365.com'
    says '✓ it has the role POP.AccessAsApp'
    says "✓ localhost port $DOVECOT_SUBMISSION answers and offers XOAUTH2 OAUTHBEARER"
    says "✓ signed in as $RELAY by XOAUTH2: 235 2.7.0 Logged in."
    says "✓ takes mail from $RELAY: 250 2.1.0 "
    says '; RSET: nothing was sent'
    says "✓ signed in as $RELAY by XOAUTH2: OK Logged in"
    says '✓ INBOX can be opened: OK [READ-ONLY] Examine completed'
    says "✓ signed in as $RELAY by XOAUTH2: +OK Logged in."
    says '✓ the mailbox can be opened: +OK '
    expect 'nothing wrong was found' "$(tail -n 1 doctor.out)"
    expect 'accounts store files agent network clock grant token smtp imap pop3' \
        "$(grep -o '^[a-z0-9]*$' doctor.out | xargs)"
}

@test "a person's account, by STARTTLS everywhere, through the agent" {
    write_fetch_accounts "$(alice_account "imap = \"localhost:$DOVECOT_IMAP starttls\"" \
        "pop3 = \"localhost:$DOVECOT_POP3 starttls\"")"
    import_alice
    start_agent
    doctor "$ALICE"
    ends 0
    says "✓ $WORK/agent.sock: mailbearer "
    says "✓ it serves $ALICE; state: "
    says '✓ its record can be read, and is not encrypted'
    says '✓ somebody has signed in; the refresh token was used '
    says "✓ it is $ALICE's own"
    says '✓ it has the permission SMTP.Send'
    says '✓ a token, from the agent; it lives for another 59 min'
    says "✓ signed in as $ALICE by XOAUTH2: OK Logged in"
    expect 1 "$(entra_count by_grant/refresh_token)"
}

@test "only what is asked for is signed in to" {
    doctor "$RELAY" --imap
    ends 0
    says '✓ INBOX can be opened'
    expect '' "$(section smtp)$(section pop3)"
    doctor smtps --pop3 --smtp
    ends 0
    expect '' "$(section imap)"
    says '✓ takes mail from'
    says '✓ the mailbox can be opened'
}

@test "an app password: signed in with it, no word of tokens" {
    (umask 077 && printf '%s\n' "$PLAIN_PASSWORD" > secrets/app)
    write_fetch_accounts 'account "plain@contoso.com" {' '    provider = fastmail' \
        '    grant = app_password' "    app_password_file = \"$WORK/secrets/app\"" '}'
    doctor plain@contoso.com
    ends 0
    says '✓ an app password, from its file; no token is used'
    says '✓ signed in as plain@contoso.com by PLAIN: 235 2.7.0 Logged in.'
    says '· not compared: no token endpoint is asked'
    expect '' "$(section token)"
    chmod 644 secrets/app
    doctor plain@contoso.com --imap
    ends 78
    says "to mend it: chmod 600 $WORK/secrets/app"
    says '· not signed in: there is no token (see: grant)'
}

@test "a token that is opaque is said to be" {
    set_client "$APP_CLIENT" '"token": "opaque"'
    doctor "$RELAY" --imap
    ends 0
    says '· not looked into: tokens of personal Microsoft accounts are opaque'
    says '✓ INBOX can be opened'
}

@test "nothing is delivered unless told, then one message" {
    local before

    before=$(mail_count "$ALICE")
    doctor "$RELAY" --smtp
    ends 0
    expect "$before" "$(mail_count "$ALICE")"
    doctor "$RELAY" --send-to "$ALICE" --imap
    ends 0
    says "✓ a message from $RELAY to $ALICE was accepted: 250 2.0.0 "
    says '✓ INBOX can be opened'
    retry_until 10 mail_holds "$ALICE" 'Subject: mailbearer doctor'
    expect $((before + 1)) "$(mail_count "$ALICE")"
    cat "$WORK/mail/$ALICE/Maildir/new/"* > letter.txt
    grep -q "^From: <$RELAY>" letter.txt
    grep -qE '^Message-ID: <[0-9a-f-]{36}@contoso.com>' letter.txt
    grep -qE '^Date: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]+ [A-Z][a-z]{2} 20[0-9]{2} ' letter.txt
}

@test "--send-to takes an address and nothing else" {
    local before

    before=$(find "$WORK/mail" -type f | wc -l)
    doctor "$RELAY" --send-to $'a@b>\r\nRCPT TO:<alice@contoso.com'
    ends 64
    says '✗ --send-to: no address: a@b>??RCPT TO:<alice@contoso.com'
    expect "$before" "$(find "$WORK/mail" -type f | wc -l)"
}

@test "JSON: one object, every finding with its five members" {
    doctor "$RELAY" --format json
    expect 0 "$RC"
    "$PYTHON" - doctor.out <<'END'
import json, sys
report = json.load(open(sys.argv[1]))
assert set(report) == {"findings", "status"} and report["status"] == 0, report
for finding in report["findings"]:
    assert set(finding) == {"check", "level", "finding", "remedy", "code"}, finding
    assert finding["level"] in ("ok", "note"), finding
    assert finding["code"] == 0 and finding["finding"], finding
assert {f["check"] for f in report["findings"]} == {
    "accounts", "store", "files", "agent", "network", "clock", "grant", "token", "smtp",
    "imap", "pop3"}, report
END
    set_client "$APP_CLIENT" '"secret_expired": true'
    rm -rf store/*
    doctor "$RELAY" --format json
    expect 77 "$RC"
    "$PYTHON" - doctor.out <<'END'
import json, sys
report = json.load(open(sys.argv[1]))
failed = [f for f in report["findings"] if f["level"] == "failure"]
assert report["status"] == 77 and len(failed) == 1, failed
assert failed[0]["check"] == "grant" and failed[0]["code"] == 77, failed
assert "AADSTS7000222" in failed[0]["finding"] and failed[0]["remedy"], failed
END
}

# --- accounts, store, files, agent

@test "no such account, no such file, a wrong one: 66, 78" {
    doctor nobody@contoso.com
    ends 66
    says "✗ no such account in $WORK/mailbearer.conf"
    expect 'accounts' "$(grep -o '^[a-z0-9]*$' doctor.out | xargs)"
    echo 'nonsense = 1' >> mailbearer.conf
    doctor "$RELAY"
    ends 78
    # shellcheck disable=SC2016
    says 'unknown section `nonsense`'
    rm mailbearer.conf
    doctor "$RELAY"
    ends 78
}

@test "a secret that others can read, one that has expired: named before anything is asked" {
    chmod 644 secrets/relay
    doctor "$RELAY" --imap
    ends 78
    says "to mend it: chmod 600 $WORK/secrets/relay"
    chmod 600 secrets/relay
    sed -i 's/^    allow_users = .*/&\n    secret_expires = 2020-01-01/' mailbearer.conf
    doctor "$RELAY" --imap
    ends 77
    says '✗ its client secret has expired'
    says 'to mend it: make a new one, put it in place, and change secret_expires'
    says '✓ INBOX can be opened' # it goes on, and the date may be what is wrong
}

@test "a damaged record: 74, and the servers are looked at all the same" {
    echo broken > store/relay@contoso.com.json
    chmod 600 store/relay@contoso.com.json
    doctor "$RELAY" --imap
    ends 74
    says "✓ localhost port $DOVECOT_IMAPS answers and offers XOAUTH2"
    says '· not signed in: there is no token (see: grant)'
}

@test "nobody has signed in: 77 and how" {
    write_fetch_accounts "$(alice_account)"
    doctor "$ALICE" --imap
    ends 77
    expect_in "$(section store)" '✗'
    says "mailbearer login $ALICE"
}

@test "the last error is told" {
    set_client "$APP_CLIENT" '"secret_expired": true'
    doctor "$RELAY" --imap
    ends 77
    set_client "$APP_CLIENT" '"secret_expired": false'
    doctor "$RELAY" --imap
    says '! the last refresh failed at 20'
    says 'AADSTS7000222'
}

@test "an agent that is not there, that does not know the account" {
    MAILBEARER_SOCKET=$WORK/none.sock doctor "$RELAY" --imap
    expect 0 "$RC"
    says "! no agent at $WORK/none.sock: "
    says '✓ a token, from the store and the provider'
    start_agent
    write_fetch_accounts "$(app_account new "user = $RELAY")"
    sed 's/^account "new" {/account "newer" {/' mailbearer.conf > other.conf
    chmod 600 other.conf
    timeout 70 "$MAILBEARER" -c "$WORK/other.conf" doctor newer --imap > doctor.out || RC=$?
    expect 78 "$RC"
    says '✗ the agent does not know newer'
    says 'send it SIGHUP'
}

@test "an agent that does not answer: told once, with where, and on without it" {
    "$PYTHON" -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(9)
time.sleep(60)' "$WORK/mute.sock" 3>&- &
    record_pid $! mute
    retry_until 10 test -S mute.sock
    MAILBEARER_SOCKET=$WORK/mute.sock doctor "$RELAY" --imap
    stop_named mute
    ends 75
    says "✗ $WORK/mute.sock: the agent did not answer in time"
    says 'to mend it: look into its log, then start it anew: systemctl restart mailbearer'
    expect 1 "$(grep -c '✗' doctor.out)"
    says '✓ INBOX can be opened'
}

@test "an account that only the agent has: asked there, as the user whom it allows" {
    RELAY_USERS=4711 write_fetch_accounts
    start_agent
    chmod 666 agent.sock
    mkdir -p home
    RC=0
    : > doctor.err
    HOME=$WORK/home XDG_CONFIG_HOME='' as 4711 "$MAILBEARER" doctor "$RELAY" --imap \
        > doctor.out || RC=$?
    ends 0
    says "perhaps the system's agent has it"
    says '· the accounts file and the store are the agent'\''s'
    says '✓ a token, from the agent'
    says '✓ INBOX can be opened'
    RC=0
    HOME=$WORK/home XDG_CONFIG_HOME='' as 4712 "$MAILBEARER" doctor "$RELAY" --imap \
        > doctor.out || RC=$?
    ends 77
    says 'uid 4712'
    says 'allow_users'
    says_not '✓ INBOX'
}

# beside_postfix SOCKET... - doctor as user 4711, whom the system's agent may serve, where
# Postfix's queue is, and that agent listens at these sockets. Nothing outside changes.
beside_postfix() {
    # shellcheck disable=SC2016
    unshare --mount --propagation private -- bash -c '
        mount -t tmpfs -o mode=755 tmpfs /run
        mount -t tmpfs -o mode=755 tmpfs /var/spool
        mkdir -p /run/mailbearer /var/spool/postfix/run/mailbearer
        [ -z "$STALE" ] || "$PYTHON" -c "import socket
import os; socket.socket(socket.AF_UNIX).bind(\"$STALE\"); os.chmod(\"$STALE\", 0o666)"
        "$MAILBEARER" -c mailbearer.conf agent "${@/#/--listen=}" 3>&- >> agent.log 2>&1 &
        agent=$!
        until [ -S "$1" ]; do sleep 0.05; done
        HOME=$WORK/home XDG_CONFIG_HOME= XDG_RUNTIME_DIR=/nowhere setpriv --reuid 4711 \
            --regid 4711 --clear-groups -- "$MAILBEARER" doctor "$RELAY" --imap
        status=$?
        kill $agent
        wait $agent
        exit $status' beside "$@"
}

@test "the socket in Postfix's chroot" {
    local jail=/var/spool/postfix/run/mailbearer/agent.sock

    RELAY_USERS=4711 write_fetch_accounts
    mkdir -p home
    export MAILBEARER RELAY PYTHON STALE=
    : > doctor.err
    RC=0
    beside_postfix /run/mailbearer/agent.sock "$jail" > doctor.out || RC=$?
    ends 0
    says "✓ the system's agent: mailbearer "
    says "✓ the socket in Postfix's chroot: mailbearer "
    says '✓ INBOX can be opened'
    beside_postfix /run/mailbearer/agent.sock > doctor.out || RC=$?
    ends 0
    says "· Postfix is here, and there is no socket in its chroot ($jail)"
    STALE=$jail beside_postfix /run/mailbearer/agent.sock > doctor.out || RC=$?
    expect 0 "$RC"
    says "! no agent at $jail: Connection refused"
    says 'to mend it: start it: systemctl start mailbearer'
}

# --- clock and network

@test "the clock, against the token endpoint's" {
    entra_admin clock '{"ahead": -120}'
    doctor "$RELAY" --imap
    expect 0 "$RC"
    expect_in "$(section clock)" "! this machine's clock is 1"
    expect_in "$(section clock)" 's ahead of localhost'
    entra_admin clock '{"ahead": 4000}'
    doctor "$RELAY" --imap
    ends 77
    expect_in "$(section clock)" "✗ this machine's clock is "
    expect_in "$(section clock)" 's behind localhost'
    says 'to mend it: set it, and have it kept: systemctl enable --now systemd-timesyncd'
}

@test "nobody listens, no such name" {
    DOVECOT_SUBMISSION='' write_accounts "$(odd_account odd imap 'localhost:1 tls')" \
        "$(odd_account nameless imap 'imap.invalid:993 tls')"
    doctor odd
    ends 75
    says '✗ imap: cannot connect to localhost port 1 ('
    says '· not tried: it was not reached (see: network)'
    says '✓ a token, from the store and the provider' # the rest is looked at
    doctor nameless
    ends 75
    says '✗ imap: imap.invalid has no address: '
}

@test "a certificate of an authority that is not known, of another name, of no trust" {
    start_odd imap-good
    DOVECOT_SUBMISSION='' write_accounts \
        "$(odd_account far imap "localhost:$ODD tls" "ca_file = \"$WORK/far/tls/ca.pem\"")" \
        "$(odd_account system imap "localhost:$ODD tls")" \
        "$(odd_account gone imap "localhost:$ODD tls" "ca_file = \"$WORK/none.pem\"")"
    doctor far
    ends 75
    says '✗ imap: the certificate of localhost is not trusted: SSL certificate problem: '
    says '; it is issued by CN = Test authority for DNS:localhost, '
    says "to mend it: if that issuer is your own, or a proxy's that inspects TLS: name its"
    doctor system
    ends 75
    says '; it is issued by CN = Test authority for DNS:localhost, '
    doctor gone
    ends 78
    says "✗ ca_file $WORK/none.pem: No such file or directory"
    stop_named odd
    start_odd imap-good --address 127.0.0.2
    DOVECOT_SUBMISSION='' write_accounts \
        "$(odd_account odd imap "127.0.0.2:$ODD tls" "ca_file = \"$WORK/tls/ca.pem\"")"
    doctor odd
    ends 75
    says '✗ imap: the certificate of 127.0.0.2 is not trusted: SSL: no alternative certificate'
    says "to mend it: the name must be one of the certificate's"
    expect '' "$(grep -s AUTH odd.log)"
}

@test "no STARTTLS, no TLS at all, another protocol" {
    for wire in imap pop3 smtp; do
        at_odd "$wire-no-starttls" starttls
        doctor odd
        ends 75
        says "✗ $wire: localhost port $ODD offers no STARTTLS, and without TLS no token is sent"
        refute grep -q AUTH odd.log
        stop_named odd
    done
    start_odd imap-good --plain
    DOVECOT_SUBMISSION='' write_accounts "$(odd_account odd imap "localhost:$ODD tls")"
    doctor odd
    ends 75
    says "✗ imap: TLS with localhost port $ODD failed ("
    # shellcheck disable=SC2016
    says 'to mend it: check `tls` against `starttls`'
}

@test "a server that is busy says so, with what is known of those words" {
    at_odd smtp-busy tls
    doctor odd
    ends 75
    says '✗ smtp: localhost takes no session: 421 4.3.2 Service not active'
    says 'to mend it: Nothing to do: Postfix tries again'
    stop_named odd
    at_odd pop3-busy tls
    doctor odd
    ends 75
    says '✗ pop3: localhost takes no session: -ERR [SYS/TEMP] later'
    says 'to mend it: Nothing to do: try again later, with growing pauses'
}

@test "a clock that stands before the certificate's first day" {
    mkdir -p early/tls
    cp tls/ca.pem early/tls
    openssl req -new -key tls/server.key -subj /CN=localhost -out early/csr
    printf '%s\n' '[ca]' default_ca=d '[d]' database=early/index new_certs_dir=early \
        rand_serial=yes default_md=sha256 policy=p x509_extensions=x '[p]' \
        commonName=supplied '[x]' subjectAltName=DNS:localhost > early/ca.conf
    : > early/index
    openssl ca -batch -config early/ca.conf -cert tls/ca.pem -keyfile tls/ca.key -notext \
        -startdate 20400102030405Z -enddate 20410101000000Z -in early/csr \
        -out early/tls/server.pem 2> early/log || { cat early/log >&2; return 1; }
    cp tls/server.key early/tls
    ODD_DIR=$WORK/early at_odd imap-good tls
    doctor odd
    ends 75
    says '✗ imap: the certificate of localhost is not trusted: '
    says "to mend it: it begins at 2040-01-02T03:04:05Z only, and this machine's clock shows 20"
}

@test "by a proxy; one that is not there" {
    "$PYTHON" bin/proxy.py --dir "$WORK" 3>&- >> odd.err 2>&1 &
    record_pid $! proxy
    retry_until 10 test -f proxy.port
    PROXY=$(< proxy.port)
    DOVECOT_SUBMISSION='' write_accounts 'defaults {' "    ca_file = \"$WORK/tls/ca.pem\"" '}' \
        "$(odd_account good imap "localhost:$DOVECOT_IMAPS tls" \
            "proxy = \"http://127.0.0.1:$PROXY\"")" \
        "$(odd_account bad imap "localhost:$DOVECOT_IMAPS tls" \
            'proxy = "http://127.0.0.1:1"')"
    doctor good
    ends 0
    says "(by proxy http://127.0.0.1:$PROXY) in "
    doctor bad
    ends 75
    says 'the proxy'
}

@test "a proxy that does not let it pass" {
    local way

    rm -f proxy.port
    "$PYTHON" bin/proxy.py --dir "$WORK" --refuse 3>&- >> odd.err 2>&1 &
    record_pid $! proxy
    retry_until 10 test -f proxy.port
    PROXY=$(< proxy.port)
    for way in http socks5h; do
        DOVECOT_SUBMISSION='' write_accounts 'defaults {' "    ca_file = \"$WORK/tls/ca.pem\"" \
            '}' "$(odd_account odd imap "localhost:$DOVECOT_IMAPS tls" \
                "proxy = \"$way://127.0.0.1:$PROXY\"")"
        doctor odd
        ends 75
        says "✗ imap: the proxy does not connect to localhost port $DOVECOT_IMAPS ("
        says "to mend it: have the proxy $way://127.0.0.1:$PROXY let CONNECT to that port pass"
    done
}

# --- grant and token

@test "the secret has expired: the provider's words, and on to the servers" {
    set_client "$APP_CLIENT" '"secret_expired": true'
    doctor "$RELAY"
    ends 77
    expect_in "$(section grant)" 'AADSTS7000222'
    expect_in "$(section grant)" 'to mend it: '
    says_not '✓ INBOX'
    says "✓ localhost port $DOVECOT_SUBMISSION answers and offers XOAUTH2"
    says '· not signed in: there is no token (see: grant)'
}

@test "a token for Graph: the usual mistake, by name" {
    printf '%s\n' "$(odd_account graph imap "localhost:$DOVECOT_IMAPS tls" \
        "ca_file = \"$WORK/tls/ca.pem\"" 'scope = "https://graph.microsoft.com/.default"')" \
        >> mailbearer.conf
    doctor graph
    ends 78
    says '✗ it is for Microsoft Graph (aud https://graph.microsoft.com): Exchange refuses it. This is the usual mistake'
    # shellcheck disable=SC2016
    says 'to mend it: leave `scope` out, or set scope = "https://outlook.office365.com/.default"'
    expect_in "$(section imap)" '✗ localhost refused the sign-in: '
    says '· what was changed in Entra or Exchange less than 2 hours ago may not be in effect'
}

@test "somebody else signed in" {
    write_fetch_accounts "$(alice_account 'user = relay@contoso.com')"
    import_alice
    doctor "$ALICE" --imap
    ends 77
    says "! $ALICE signed in, and the mailbox is $RELAY"
    says "login_hint = $ALICE"
    # a shared mailbox: right for IMAP, not for SMTP
    write_fetch_accounts "$(alice_account 'user = shared@contoso.com' "login_hint = $ALICE")"
    doctor "$ALICE" --imap
    ends 0
    says "✓ $ALICE signed in, for the mailbox shared@contoso.com"
    doctor "$ALICE" --smtp
    expect 0 "$RC"
    says "! $ALICE signed in, for the mailbox shared@contoso.com: SMTP refuses that"
}

@test "a permission that is missing: with a failure where it is asked for" {
    set_client "$PUBLIC_CLIENT" '"delegated": ["SMTP.Send"]'
    write_fetch_accounts "$(account_section "$ALICE" "client_id = $PUBLIC_CLIENT" \
        'scope = "https://outlook.office.com/SMTP.Send offline_access"')"
    entra_admin sign-in "{\"client\": \"$PUBLIC_CLIENT\", \"user\": \"$ALICE\",
        \"scope\": \"https://outlook.office.com/SMTP.Send offline_access\"}" |
        json_get refresh_token | "$MAILBEARER" -c mailbearer.conf import refresh-token - \
        "$ALICE" > import.out
    doctor "$ALICE"
    ends 0
    says '· imap is not tried: the token has no IMAP.AccessAsUser.All (to insist: --imap)'
    says '✓ takes mail from'
    doctor "$ALICE" --imap
    ends 77
    says '✗ it has no permission IMAP.AccessAsUser.All; it has: SMTP.Send'
    says 'Delegated permissions > IMAP.AccessAsUser.All'
}

@test "no roles: a warning, since Exchange's RBAC gives none" {
    set_client "$APP_CLIENT" '"roles": []'
    doctor "$RELAY"
    expect 0 "$RC"
    says '! it has no roles: right for Exchange RBAC for applications, which is for SMTP'
    says '· imap is not tried: the token has no IMAP.AccessAsApp (to insist: --imap)'
    says '✓ takes mail from'
}

# --- the servers' refusals

@test "XOAUTH2 is not offered" {
    for wire in imap pop3 smtp; do
        at_odd "$wire-passwords" tls
        doctor odd
        ends 77
        says "✓ localhost port $ODD answers and offers PLAIN LOGIN"
        expect_in "$(section "$wire")" '✗ localhost cannot take a token: '
        refute grep -qE 'AUTH' odd.log
        stop_named odd
    done
}

@test "SMTP sign-in is switched off: the server's words, the exact command, the delay" {
    at_odd smtp-refuse tls
    doctor odd
    ends 77
    says '· the token was refused: another one is asked for'
    says '✗ localhost refused the sign-in: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.'
    says "Set-CASMailbox $RELAY -SmtpClientAuthenticationDisabled \$false"
    says 'less than 2 hours ago'
    expect 'AUTH XOAUTH2, TOKEN 1
AUTH XOAUTH2, TOKEN 2' "$(grep AUTH odd.log | sed 's/, Gone//')"
}

@test "refused for good by IMAP and POP3: no advice to run what is running" {
    at_odd imap-refuse tls
    doctor odd
    ends 77
    says '✗ localhost refused the sign-in: NO AUTHENTICATE failed.'
    says_not 'mailbearer doctor odd'
    says 'New-ServicePrincipal'
    stop_named odd
    at_odd pop3-refuse tls
    doctor odd
    ends 77
    says '✗ localhost refused the sign-in: -ERR Authentication failure: unknown user name or bad password.'
    says "Set-CASMailbox $RELAY -PopEnabled \$true"
    says_not 'mailbearer doctor odd'
}

@test "a token that is refused, and the next one is not; by the agent too" {
    at_odd imap-refuse-once tls
    doctor odd
    says '· the token was refused: another one is asked for'
    says '· the fresh token was accepted'
    says "✓ signed in as $RELAY by XOAUTH2: OK AUTHENTICATE completed."
    stop_named odd
    at_odd imap-refuse-once tls
    start_agent
    doctor odd
    says '· the fresh token was accepted'
    agent_log_holds 'odd: the present token was reported as refused, fetching another'
}

# at_exchange - relay@contoso.com there.
at_exchange() {
    DOVECOT_SUBMISSION='' write_accounts "defaults {$(exchange_servers)}"
}

@test "an application that Exchange does not know: the commands with its own ids, said once" {
    local id new

    set_client "$APP_CLIENT" '"mailboxes": []'
    at_exchange
    doctor "$RELAY"
    ends 77
    id=$(sed -n 's/.*Exchange knows that by the object id of its enterprise application, //p' \
        doctor.out)
    [[ $id =~ ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$ ]]
    new="New-ServicePrincipal -AppId $APP_CLIENT -ObjectId $id"
    says "$new, then Add-MailboxPermission $RELAY -User $id -AccessRights FullAccess"
    says "Test-ServicePrincipalAuthorization $id -Resource $RELAY"
    expect 3 "$(grep -c '✗ localhost refused the sign-in: ' doctor.out)"
    expect 1 "$(grep -c 'the token was refused: another one is asked for' doctor.out)"
    expect 1 "$(grep -c 'less than 2 hours ago' doctor.out)"
    expect 2 "$(entra_count by_grant/client_credentials)"
}

@test "signed in, but the rights are missing: the delay is named; not for a recipient" {
    at_exchange
    exchange_admin fail '{"fail": "sender_rights"}'
    doctor "$RELAY" --smtp
    ends 77
    says '✗ localhost refuses the mailbox as sender: 550 5.7.60 SMTP; Client does not have'
    says 'less than 2 hours ago'
    exchange_admin clear
    exchange_admin fail '{"protocol": "imap", "at": "command", "text":
        "BAD User is authenticated but not connected."}'
    doctor "$RELAY" --imap
    ends 77
    says "Set-CASMailbox $RELAY -ImapEnabled \$true; compare"
    says_not 'mailbearer doctor'
    says 'less than 2 hours ago'
    exchange_admin clear
    exchange_admin fail '{"protocol": "smtp", "at": "rcpt", "text": "550 5.4.1 denied"}'
    doctor "$RELAY" --smtp --send-to x@example.net
    ends 77
    says '✗ localhost refuses the recipient: 550 5.4.1 denied'
    says_not 'less than 2 hours ago'
}

@test "signed in, but the mailbox is not opened" {
    at_odd imap-not-connected tls
    doctor odd
    ends 77
    says '✗ localhost signed in, but failed: BAD User is authenticated but not connected.'
    says "Set-CASMailbox $RELAY -ImapEnabled \$true"
}

@test "a server that repeats what it was sent: no token in the report" {
    for wire in imap pop3 smtp; do
        at_odd "$wire-echo" tls
        doctor odd
        ends 77
        says '(not shown: it repeats the token)'
        no_secret_in doctor.out
        stop_named odd
    done
}

# --- it ends

@test "servers that are silent, drip or never end: over within 60 s, all named" {
    local silent drip endless port=$ENTRA_PORT
    local start=$SECONDS

    start_odd smtp-silent
    silent=$ODD
    start_odd imap-drip
    drip=$ODD
    start_odd pop3-endless
    endless=$ODD
    fault '"fault": "hang", "count": 20'
    DOVECOT_SUBMISSION='' write_accounts 'defaults {' "    ca_file = \"$WORK/tls/ca.pem\"" '}' \
        "$(app_account slow "smtp = \"localhost:$silent tls\"" "imap = \"localhost:$drip tls\"" \
            "pop3 = \"localhost:$endless tls\"")"
    doctor slow
    expect 75 "$RC" || { cat doctor.out >&2; return 1; }
    ((SECONDS - start <= 60))
    says "✗ smtp: localhost port $silent accepts the connection and is silent"
    says "✗ imap: localhost port $drip accepts the connection and is silent"
    expect_in "$(grep '✗ pop3:' doctor.out)" "localhost"
    expect_in "$(section grant)" '✗ '
    expect "$port" "$ENTRA_PORT"
}

# in_the_dark COMMAND... - in a network of its own, with a name server that never answers.
in_the_dark() {
    echo 'nameserver 127.0.0.1' > resolv.conf
    # shellcheck disable=SC2016
    unshare --mount --net --propagation private -- bash -c '
        mount --bind resolv.conf /etc/resolv.conf
        ip link set lo up
        "$0" -c "import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((\"127.0.0.1\", 53))
open(\"dark\", \"w\").close()
time.sleep(100)" 3>&- &
        server=$!
        until [ -e dark ]; do sleep 0.05; done
        "$@"
        status=$?
        kill $server
        exit $status' "$PYTHON" "$@"
}

@test "a name server that never answers: over within 60 s, named" {
    local start=$SECONDS

    DOVECOT_SUBMISSION='' write_accounts 'defaults {' \
        '    smtp = "smtp.mail.test:587 starttls"' '    imap = "imap.mail.test:993 tls"' \
        '    pop3 = "pop3.mail.test:995 tls"' '}' "$(app_account dark)"
    sed -i 's,token_endpoint = .*,token_endpoint = "https://login.mail.test/token",' \
        mailbearer.conf
    rm -f dark
    RC=0
    : > doctor.err
    in_the_dark timeout 70 "$MAILBEARER" -c mailbearer.conf doctor dark > doctor.out || RC=$?
    expect 75 "$RC" || { cat doctor.out >&2; return 1; }
    ((SECONDS - start <= 60))
    says '✗ token endpoint: the name server does not answer for login.mail.test'
    says '✗ smtp: the name server does not answer for smtp.mail.test'
    says '✗ pop3: the name server does not answer for pop3.mail.test'
    says '· not tried: it was not reached (see: network)'
}

@test "what the agent and the servers logged: no secret" {
    no_secret_in dovecot/log odd.err
}
