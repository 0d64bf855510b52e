#!/usr/bin/env bats
# mailbearer-fetch: the session as the mail program sees it, all kinds of connections to
# real Dovecot, and what is carried.

load lib.bash
load agent.bash
load dovecot.bash
load fetch.bash

setup_file() {
    make_fetch_ground
    RELAY_USERS=fetchmail write_fetch_accounts
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
    stop_named proxy
}

@test "IMAP by TLS: PREAUTH with the server's capabilities" {
    fetch imap "$RELAY"
    answered 0 'a OK Logout completed'
    [[ $(head -n 1 out.token) = '* PREAUTH [CAPABILITY IMAP4rev1 '*' IDLE '*'] mailbearer ready'$'\r' ]]
    for word in AUTH= STARTTLS LOGINDISABLED SASL-IR COMPRESS; do
        refute grep -q " $word" <(head -n 1 out.token)
    done
}

@test "IMAP by STARTTLS" {
    fetch imap starttls
    answered 0 'a OK Logout completed'
    expect_in "$(tail -n 20 dovecot/log)" 'imap-login: Info: Login: user=<relay@contoso.com>, method=XOAUTH2'
    expect_in "$(grep 'imap-login: Info: Login:' dovecot/log | tail -n 1)" 'TLS'
}

@test "IMAP with a greeting: a sign-in of any kind is taken" {
    SAY='a CAPABILITY\r\nb LOGIN {5+}\r\nalice {3}\r\nx y\r\nc SELECT INBOX\r\nd LOGOUT\r\n' \
        fetch --greeting imap "$RELAY"
    answered 0 'd OK Logout'
    expect '* OK [CAPABILITY IMAP4rev1 ID LITERAL+ SASL-IR AUTH=PLAIN AUTH=LOGIN] mailbearer ready'$'\r' \
        "$(head -n 1 out.token)"
    grep -q '^b OK \[CAPABILITY IMAP4rev1 .*\] signed in' out.token
    grep -q '^c OK \[READ-WRITE\]' out.token
}

@test "POP3 by TLS and STLS: clients that sign in, and clients that do not" {
    inbox 2
    SAY='CAPA\r\nUSER x\r\nPASS y\r\nSTAT\r\nQUIT\r\n' fetch pop3 "$RELAY"
    answered 0 $'\r\n+OK 2 '
    refute grep -qE '^(SASL|STLS)' out.token
    grep -q '^UIDL' out.token
    SAY='STAT\r\nRETR 2\r\nQUIT\r\n' fetch pop3 starttls
    answered 0 'Subject: number 1'
    SAY='APOP x 0123456789abcdef0123456789abcdef\r\nSTAT\r\nQUIT\r\n' fetch pop3 "$RELAY"
    answered 0 $'\r\n+OK 2 '
    SAY='AUTH PLAIN\r\nAHgAeQ==\r\nSTAT\r\nQUIT\r\n' fetch pop3 "$RELAY"
    answered 0 $'\r\n+OK 2 '
}

@test "SMTP by STARTTLS and TLS: with and without a sign-in" {
    inbox 0
    SAY='EHLO me\r\nMAIL FROM:<relay@contoso.com>\r\nRCPT TO:<relay@contoso.com>\r\nDATA\r\nSubject: one\r\n\r\nx\r\n.\r\nQUIT\r\n' \
        fetch smtp "$RELAY"
    answered 0 '250-ENHANCEDSTATUSCODES'
    expect_in "$(cat out.token)" $'250 AUTH PLAIN LOGIN\r\n'
    refute grep -q STARTTLS out.token
    SAY='EHLO me\r\nAUTH LOGIN\r\neA==\r\neQ==\r\nMAIL FROM:<relay@contoso.com>\r\nRCPT TO:<relay@contoso.com>\r\nDATA\r\nSubject: two\r\n\r\nx\r\n.\r\nQUIT\r\n' \
        fetch smtp smtps
    answered 0 '235 2.7.0 Signed in'
    retry_until 5 mail_holds "$RELAY" 'Subject: one'
    retry_until 5 mail_holds "$RELAY" 'Subject: two'
}

@test "host and port of the command line" {
    fetch imap localhost "$DOVECOT_IMAPS" "$RELAY"
    answered 0 'a OK Logout'
    fetch imap localhost "$RELAY"
    answered 0 'a OK Logout'
    fetch imap localhost 1 "$RELAY"
    answered 75 '* BYE mailbearer: localhost: cannot connect'
    fetch imap localhost http "$RELAY"
    answered 64 '* BYE mailbearer: no such port: http'
}

@test "usage" {
    for words in '' 'imap' 'ftp x' 'imap a b c d' '--nothing imap x' '--greeting pop3 x' \
        'imap -x y'; do
        # shellcheck disable=SC2086
        fetch $words
        expect 64 "$RC"
        expect '' "$(cat out.token)"
        expect_in "$(cat err)" 'mailbearer-fetch: to mend it: '
    done
    fetch --help
    expect 0 "$RC"
    expect_in "$(cat out.token)" 'usage: mailbearer-fetch'
}

@test "80 MB both ways by IMAP, and by POP3, byte for byte" {
    make_message large.eml 80000000
    inbox 0
    through --pipes imap-append large.eml -- "$FETCH" imap "$RELAY"
    answered 0 ''
    through imap-fetch fetched.eml -- "$FETCH" imap starttls
    answered 0 ''
    cmp large.eml fetched.eml
    rm fetched.eml
    through --pipes pop3-fetch fetched.eml -- "$FETCH" pop3 "$RELAY"
    answered 0 ''
    cmp large.eml fetched.eml
    rm fetched.eml
    inbox 0
}

@test "80 MB by SMTP, byte for byte; 40 MB to Dovecot's submission" {
    [[ -f large.eml ]] || make_message large.eml 80000000
    start_odd smtp-sink
    through --pipes smtp-send large.eml a@b.example c@d.example -- \
        "$FETCH" smtp localhost "$ODD" smtps
    answered 0 ''
    "$PYTHON" - large.eml sink <<'END'
import sys
sent, got = (open(p, "rb").read() for p in sys.argv[1:])
assert got.endswith(b"\r\n.\r\n")
assert (b"\r\n" + got[:-3]).replace(b"\r\n..", b"\r\n.")[2:] == sent
END
    rm large.eml sink
    make_message half.eml 40000000
    inbox 0
    through smtp-send half.eml "$RELAY" "$RELAY" -- "$FETCH" smtp "$RELAY"
    answered 0 ''
    retry_until 10 mail_holds "$RELAY" 'Subject: large'
    "$PYTHON" - half.eml "$WORK/mail/$RELAY/Maildir"/*/* <<'END'
import sys
sent, got = (open(p, "rb").read().replace(b"\r\n", b"\n") for p in sys.argv[1:])
assert sent.split(b"\n\n", 1)[1] == got.split(b"\n\n", 1)[1]
END
    rm half.eml
    inbox 0
}

@test "a sign-in and more in one segment, in two, and a byte at a time" {
    inbox 1
    printf 'USER x\r\nPASS y\r\nSTAT\r\nRETR 1\r\nQUIT\r\n' > pop.txt
    through say pop.txt -- "$FETCH" pop3 "$RELAY"
    answered 0 'Subject: number 0'
    cut -d' ' -f1,2 out.token | tail -n +2 > one.txt
    for size in 3 10 15 16 17 25; do
        through in-two pop.txt "$size" -- "$FETCH" pop3 "$RELAY"
        answered 0 'Subject: number 0'
        cut -d' ' -f1,2 out.token | tail -n +2 | diff one.txt -
    done
    through --pipes slowly pop.txt -- "$FETCH" pop3 "$RELAY"
    answered 0 'Subject: number 0'
}

@test "a client that pipelines 2,000 commands and reads late" {
    inbox 1
    for ((i = 0; i < 2000; i++)); do
        printf 'NOOP\r\nTOP 1 100\r\n'
    done > many.txt
    { printf 'USER x\r\nPASS y\r\n'; cat many.txt; printf 'QUIT\r\n'; } > pop.txt
    through --pipes say pop.txt -- "$FETCH" pop3 "$RELAY"
    answered 0 '+OK Logging out'
    expect 2000 "$(grep -c '^Subject: number 0' out.token)"
}

@test "what the server sends behind its OK reaches the client" {
    start_odd imap-behind
    SAY='x NOOP\r\n' fetch imap localhost "$ODD" "$RELAY"
    answered 0 'seen x NOOP'
    expect '* PREAUTH [CAPABILITY IMAP4rev1] mailbearer ready * OK [ALERT] closing * 3 EXISTS seen x NOOP ' \
        "$(tr -d '\r' < out.token | tr '\n' ' ')"
}

@test "OAUTHBEARER where only that is offered; two lines always" {
    for wire in imap pop3 smtp; do
        start_odd "$wire-bearer"
        SAY='MAIL x\r\n' fetch "$wire" localhost "$ODD" smtps
        answered 0 'seen '
        expect_in "$(odd_log 1)" 'OAUTHBEARER, TOKEN 1, > '
        stop_named odd
    done
}

@test "a token never goes as a password, and a password goes as PLAIN" {
    start_odd imap-passwords
    fetch imap localhost "$ODD" "$RELAY"
    answered 77 '* BYE mailbearer: localhost cannot take a token: no AUTH=XOAUTH2 in CAPABILITY -> '
    expect 'Gone' "$(odd_log 1)"
    (umask 077 && printf '%s\n' "$PLAIN_PASSWORD" > secrets/app)
    write_fetch_accounts "$(account_section "$ALICE" 'grant = app_password' \
        "app_password_file = \"$WORK/secrets/app\"" | grep -v provider)"
    mv mailbearer.conf app.conf
    RELAY_USERS=fetchmail write_fetch_accounts
    MAILBEARER_SOCKET='' fetch -c app.conf imap "$ALICE"
    answered 0 'a OK Logout'
    MAILBEARER_SOCKET='' SAY='STAT\r\nQUIT\r\n' fetch -c app.conf pop3 "$ALICE"
    answered 0 '+OK 0 0'
    MAILBEARER_SOCKET='' SAY='EHLO x\r\nQUIT\r\n' fetch -c app.conf smtp "$ALICE"
    answered 0 '250 AUTH PLAIN LOGIN'
    grep -q 'imap-login: Info: Login: user=<alice@contoso.com>, method=PLAIN' dovecot/log
}

@test "a server that closes in mid-message" {
    start_odd imap-cut
    SAY='x FETCH 1 BODY[]\r\n' fetch imap localhost "$ODD" "$RELAY"
    answered 0 'line 2000 of the message'
    size=$(tail -c +2 out.token | wc -c)
    ((size > 40000 && size < 60000))
}

@test "a connection that is reset: what came is handed on, and the status tells" {
    start_odd imap-reset
    SAY='x FETCH 1 BODY[]\r\n' fetch imap localhost "$ODD" "$RELAY"
    answered 75 '+ half'
}

@test "a long IDLE, cut when the token ends" {
    IDLE=3 start_odd imap-expire
    through idle -- "$FETCH" imap localhost "$ODD" "$RELAY"
    answered 0 '* BYE Session invalidated - AccessTokenExpired'
}

@test "the mail program goes away: so do we, and the server has all it said" {
    inbox 0
    printf 'EHLO x\r\nMAIL FROM:<relay@contoso.com>\r\nRCPT TO:<relay@contoso.com>\r\nDATA\r\nSubject: last words\r\n\r\nx\r\n.\r\nQUIT\r\n' \
        > leave.txt
    for how in '' --pipes; do
        # shellcheck disable=SC2086
        through $how leave leave.txt -- "$FETCH" smtp "$RELAY"
        ((RC == 0 || RC == 75))
    done
    printf 'a IDLE\r\n' > leave.txt
    SECONDS=0
    SAY='a NOOP\r\nb LOGOUT\r\n' fetch imap "$RELAY"
    answered 0 'b OK'
    ((SECONDS < 20))
}

@test "through an HTTP proxy and a SOCKS proxy, refused by either" {
    local way

    "$PYTHON" bin/proxy.py --dir "$WORK" 3>&- >> odd.err 2>&1 &
    record_pid $! proxy
    retry_until 10 test -f proxy.port
    for way in http socks5h; do
        write_fetch_accounts "$(app_account "by $way" "user = $RELAY" \
            "proxy = \"$way://127.0.0.1:$(< proxy.port)\"")"
        mv mailbearer.conf "$way.conf"
    done
    RELAY_USERS=fetchmail write_fetch_accounts
    for way in http socks5h; do
        no_agent_fetch "$way.conf" imap "by $way"
        answered 0 'a OK Logout'
        SAY='EHLO x\r\nQUIT\r\n' no_agent_fetch "$way.conf" smtp "by $way"
        answered 0 '250 AUTH'
    done
    expect_in "$(cat proxy.log)" "http localhost $DOVECOT_IMAPS"
    expect_in "$(cat proxy.log)" "socks localhost $DOVECOT_IMAPS"
    expect_in "$(cat proxy.log)" "http localhost ${DOVECOT_SUBMISSION?}"
    stop_named proxy
    rm proxy.port
    "$PYTHON" bin/proxy.py --dir "$WORK" --refuse 3>&- >> odd.err 2>&1 &
    record_pid $! proxy
    retry_until 10 proxy_is_new
    # (the token is still in the store)
    for way in http socks5h; do
        sed -i "s/127.0.0.1:[0-9]*\"$/127.0.0.1:$(< proxy.port)\"/" "$way.conf"
        no_agent_fetch "$way.conf" imap "by $way"
        answered 75 '* BYE mailbearer: localhost: '
    done
}

proxy_is_new() {
    [[ -f proxy.port ]] && port_answers "$(< proxy.port)"
}

# no_agent_fetch FILE ARGUMENT... - with that accounts file and no agent.
no_agent_fetch() {
    MAILBEARER_SOCKET='' fetch -c "$@"
}

@test "no agent: settings and token come from mailbearer, a refused token is renewed" {
    cp mailbearer.conf own.conf
    no_agent_fetch own.conf imap "$RELAY"
    answered 0 'a OK Logout'
    start_odd imap-refuse-once
    before=$(entra_count by_grant/client_credentials)
    SAY='x NOOP\r\n' no_agent_fetch own.conf imap localhost "$ODD" "$RELAY"
    answered 0 'seen x NOOP'
    expect $((before + 1)) "$(entra_count by_grant/client_credentials)"
    expect_in "$(odd_log 2)" 'TOKEN 2, > x NOOP'
    no_agent_fetch own.conf imap nobody
    answered 66 "* BYE mailbearer: no such account in own.conf"
    no_agent_fetch absent.conf pop3 "$RELAY"
    answered 78 '-ERR [AUTH] mailbearer: '
}

@test "an expired token is renewed once, at the agent" {
    fetch imap fresh1
    answered 0 'a OK Logout'
    entra_admin expire "{\"client\": \"$APP_CLIENT\"}" > /dev/null
    before=$(entra_count by_grant/client_credentials)
    fetch -v imap fresh1
    expect 0 "$RC"
    expect_in "$(cat out.token)" 'a OK Logout'
    expect_in "$(cat err)" 'refused the sign-in: NO [AUTHENTICATIONFAILED] Authentication failed.'
    expect_in "$(cat err)" '"status":"401"'
    expect_in "$(cat err)" 'asking for a fresh token'
    expect $((before + 1)) "$(entra_count by_grant/client_credentials)"
    no_secret_in err
}

@test "-v tells names and outcomes, never a token; without it nothing" {
    fetch -v imap "$RELAY"
    expect 0 "$RC"
    expect_in "$(cat err)" "$RELAY: localhost port $DOVECOT_IMAPS: connected, TLS verified"
    expect_in "$(cat err)" "$RELAY: signed in as $RELAY by XOAUTH2"
    expect_in "$(cat err)" 'session over, 10 bytes to the server'
    no_secret_in err
    fetch imap nobody
    answered 66 '* BYE mailbearer: '
}

@test "another user, who has no accounts file, gets the token from the agent or not" {
    FETCH_AS=(setpriv --reuid fetchmail --regid "$(id -g fetchmail)" --clear-groups)
    RC=0
    printf 'a LOGOUT\r\n' | "${FETCH_AS[@]}" env HOME=/nonexistent "$FETCH" imap "$RELAY" \
        > out.token 2> err || RC=$?
    answered 0 'a OK Logout'
    RC=0
    printf 'a LOGOUT\r\n' | "${FETCH_AS[@]}" env HOME=/nonexistent "$FETCH" imap fresh2 \
        > out.token 2> err || RC=$?
    answered 77 '* BYE mailbearer: not allowed: '
}
