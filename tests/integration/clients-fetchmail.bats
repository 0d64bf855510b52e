#!/usr/bin/env bats
# asan: no, a witness is loaded into programs that are not ours
#
# fetchmail with what `mailbearer setup` prints: IMAP, POP3, IDLE, many messages, a mailbox
# that several share.

load lib.bash
load agent.bash
load dovecot.bash
load fetch.bash
load setup.bash
load clients.bash

export SHARED=shared@contoso.com

setup_file() {
    make_clients_ground
    reader_accounts "$(alice_account "allow_users = { $READER_ID }")" \
        "$(app_account "$SHARED" "login_hint = $ALICE" "allow_users = { $READER_ID }")"
    import_alice
    serve_clients
}

teardown_file() {
    stop_all
}

setup() {
    fresh_home
}

teardown() {
    stop_named fetchmail
}

# fetchmail_runs OPTION... - the mail goes to got.token; what fetchmail says is in $WORK/err.
fetchmail_runs() {
    reader_runs fetchmail --nosyslog --mda "cat >> $WORK/home/got.token" "$@"
}

count() {
    grep -c '^Subject: number' "$WORK/home/got.token" || :
}

@test "fetchmail by IMAP" {
    a_letter
    as_printed fetchmail
    fetchmail_runs
    ended 0
    got_letter got.token
    expect 0 "$(mail_count "$RELAY")"
    nothing_shown fetchmail mailbearer-fetch
}

@test "fetchmail by POP3" {
    a_letter
    as_printed fetchmail-pop3
    fetchmail_runs
    ended 0
    got_letter got.token
    expect 0 "$(mail_count "$RELAY")"
    nothing_shown fetchmail mailbearer-fetch
}

@test "fetchmail, the account's servers by STARTTLS" {
    local client

    for client in fetchmail fetchmail-pop3; do
        fresh_home
        a_letter
        as_printed $client stls
        fetchmail_runs
        ended 0
        got_letter got.token
    done
}

@test "fetchmail, nothing there: status 1" {
    local client

    for client in fetchmail fetchmail-pop3; do
        fresh_home
        inbox 0
        as_printed $client
        fetchmail_runs
        ended 1
    done
}

@test "fetchmail keeps what it cannot deliver" {
    a_letter
    as_printed fetchmail
    reader_runs fetchmail --nosyslog --mda false
    expect 1 "$(mail_count "$RELAY")"
}

@test "fetchmail tells what the agent says, never that the mailbox is in use" {
    as_printed fetchmail gone
    fetchmail_runs -v
    ended 2
    said '* BYE mailbearer: nobody has signed in for this account yet -> run: mailbearer login gone'
    refute said 'lock busy'
    fresh_home
    as_printed fetchmail-pop3 gone
    fetchmail_runs -v
    ended 3
    said '-ERR [AUTH] mailbearer: nobody has signed in for this account yet'
    refute said 'lock busy'
    refute test -s got.token
}

@test "fetchmail trusts no server that the account does not" {
    inbox 1
    as_printed fetchmail far
    fetchmail_runs -v
    ended 2
    said '* BYE mailbearer: localhost: TLS failed'
    fresh_home
    as_printed fetchmail-pop3 far
    fetchmail_runs -v
    said '-ERR [SYS/TEMP] mailbearer: localhost: TLS failed'
    refute said 'lock busy'
    expect 1 "$(mail_count "$RELAY")"
}

# As people have it who wrote it before `setup` was there.
@test "fetchmail by POP3 with a dummy password" {
    inbox 2
    echo "poll localhost protocol pop3 service $DOVECOT_POP3 plugin \"$FETCH pop3 %h %p stls\" auth password user \"$RELAY\" password \"dummy\" is me here sslproto ''" > .fetchmailrc
    chmod 600 .fetchmailrc
    chown "$READER_ID" .fetchmailrc
    fetchmail_runs
    ended 0
    expect 2 "$(count)"
    expect 0 "$(mail_count "$RELAY")"
}

# deliver FILE - a message comes into the relay's inbox, as a server does it.
deliver() {
    cp "$1" "$WORK/mail/$RELAY/Maildir/tmp/came"
    chown "$MAIL_USER:$MAIL_USER" "$WORK/mail/$RELAY/Maildir/tmp/came"
    mv "$WORK/mail/$RELAY/Maildir/tmp/came" "$WORK/mail/$RELAY/Maildir/new/$RANDOM.came"
}

got() {
    [[ $(count) = "$1" ]]
}

idles() {
    [[ $(grep -c 'IMAP> A[0-9]* IDLE' "$WORK/err") -ge $1 ]]
}

@test "fetchmail waits with IDLE: new mail is there at once" {
    inbox 1
    as_printed fetchmail-idle
    as_reader timeout 60 fetchmail -v --nodetach --nosyslog \
        --mda "cat >> $WORK/home/got.token" 3>&- > "$WORK/err" 2>&1 &
    record_pid $! fetchmail
    retry_until 20 idles 1
    expect 1 "$(count)"
    printf 'Subject: number 2\n\nthe second\n' > "$WORK/second"
    deliver "$WORK/second"
    retry_until 15 got 2 # the next poll would be after 60 s
    retry_until 10 idles 2
    printf 'Subject: number 3\n\nthe third\n' > "$WORK/second"
    deliver "$WORK/second"
    retry_until 15 got 3
    stop_named fetchmail
    nothing_shown fetchmail mailbearer-fetch
}

@test "fetchmail 7 reads its own configuration" {
    fetchmail --version 2>/dev/null | grep -q '^This is fetchmail release 7' ||
        skip 'no release of fetchmail 7 yet'
    local client

    for client in fetchmail7 fetchmail7-pop3; do
        fresh_home
        a_letter
        as_printed $client
        fetchmail_runs
        ended 0
        got_letter got.token
    done
}

# IMAP takes the shared address, SMTP the address of the person who may send for it.
@test "a shared mailbox: read as the shared address, sent as the delegate" {
    rm -rf "$WORK/mail/$SHARED/Maildir" "$WORK/mail/$ALICE/Maildir"
    inbox 0
    a_text
    as_printed fetchmail "$SHARED"
    as_printed msmtp "$ALICE"
    {
        printf 'From: %s\nTo: %s\nSubject: for all of us\nMIME-Version: 1.0\n' \
            "$SHARED" "$SHARED"
        printf 'Content-Type: text/plain; charset=utf-8\n\n'
        cat "$WORK/text"
    } > message
    READER_INPUT=message reader_runs msmtp --read-recipients
    ended 0
    got_text 'for all of us' "$SHARED"
    mail_holds "$SHARED" "Return-Path: <$ALICE>"
    fetchmail_runs
    ended 0
    got_letter_of message
    expect 0 "$(mail_count "$SHARED")"
}

got_letter_of() {
    "$PYTHON" "$WORK/bin/clients_letter.py" same "$1" got.token
}

# `make check-all` says 10000: that takes one or two minutes.
@test "fetchmail: thousands of messages" {
    local many=${MAILBEARER_MANY:-1000}

    inbox "$many"
    as_printed fetchmail
    READER_TIME=500 fetchmail_runs --silent
    ended 0
    expect "$many" "$(count)"
    expect "$many" "$(grep '^Subject: number' got.token | sort -u | wc -l)"
    expect 0 "$(mail_count "$RELAY")"
}
