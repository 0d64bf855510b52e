#!/usr/bin/env bats
# asan: no, the plugin is loaded into Postfix, which is not ours
#
# The tunnel, mail programs behind it, and Postfix with the plugin against the stand-in
# Exchange: two-line POP3 sign-in, no challenge at a refusal, sessions cut, three submissions.

load lib.bash
load agent.bash
load exchange.bash
load postfix.bash
load fetch.bash

setup_file() {
    make_ground
    cp "$BUILD/mailbearer-fetch" "$LIB_DIRECTORY/through.py" "$WORK/bin/"
    start_exchange
    entra_admin client "{\"client\": \"$APP_CLIENT\",
        \"mailboxes\": [\"$RELAY\", \"shared@contoso.com\"]}"
    RELAY_USERS=postfix write_accounts "defaults {$(exchange_servers)}" \
        "$(app_account plain "user = $RELAY" "smtp = \"localhost:$EXCHANGE_SMTPS tls\"" \
            "imap = \"localhost:$EXCHANGE_IMAP starttls\"" \
            "pop3 = \"localhost:$EXCHANGE_POP3 starttls\"")" \
        "$(app_account bob 'user = bob@contoso.com' "imap = \"localhost:$EXCHANGE_IMAPS tls\"")"
    DOVECOT_SUBMISSION=$EXCHANGE_SMTP make_postfix
    postfix_set 'smtp_destination_rate_delay=0s' minimal_backoff_time=1s \
        maximal_backoff_time=2s queue_run_delay=1s
    start_agent "$AGENT_SOCKET"
    start_postfix
    export_work
    export POSTFIX_MASTER
}

teardown_file() {
    stop_all
}

setup() {
    cd "$WORK" || return 1
    FETCH=$WORK/bin/mailbearer-fetch
    unset SAY
    exchange_admin clear
    exchange_admin reset
    exchange_admin empty "{\"mailbox\": \"$RELAY\"}"
    exchange_admin empty '{"mailbox": "alice@contoso.com"}'
    exchange_admin mailbox "{\"mailbox\": \"$RELAY\", \"rate\": 1000, \"rate_delay\": 0.5,
        \"connections\": 3}"
}

teardown() {
    nothing_broke
    no_secret_in agent.log exchange.log err postfix/maillog
}

mail() {
    exchange_admin deliver "{\"mailbox\": \"$RELAY\", \"text\": \"From: bob@example.net\\nTo: $RELAY\\nSubject: $1\\n\\n.Hello.\\n\"}"
}

@test "IMAP by TLS and STARTTLS: the mailbox is there, a message is fetched" {
    mail first
    through imap-fetch got.eml -- "$FETCH" imap "$RELAY"
    answered 0 ''
    expect $'.Hello.\r' "$(tail -n 1 got.eml)"
    SAY='a SELECT INBOX\r\nb FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]\r\nc LOGOUT\r\n' \
        fetch imap plain
    answered 0 'Subject: first'
    expect_in "$(head -n 1 out.token)" '* PREAUTH [CAPABILITY IMAP4 IMAP4rev1 '
    expect false "$(last_sign_in inline)"
}

@test "POP3: the token on a line of its own, and the mail comes" {
    mail second
    through pop3-fetch got.eml -- "$FETCH" pop3 "$RELAY"
    answered 0 ''
    expect $'.Hello.\r' "$(tail -n 1 got.eml)"
    SAY='USER x\r\nPASS y\r\nSTAT\r\nDELE 1\r\nQUIT\r\n' fetch pop3 plain
    answered 0 '+OK 1 '
    expect 0 "$(mailbox_count "$RELAY")"
    expect false "$(last_sign_in inline)"
}

@test "SMTP by STARTTLS and TLS: a message is taken; another sender's is refused behind the dot" {
    local account

    for account in "$RELAY" plain; do
        SAY='EHLO me\r\nMAIL FROM:<relay@contoso.com>\r\nRCPT TO:<alice@contoso.com>\r\nDATA\r\nFrom: relay@contoso.com\r\n\r\nx\r\n.\r\nQUIT\r\n' \
            fetch smtp "$account"
        answered 0 '250 2.0.0 OK <'
    done
    expect 2 "$(mailbox_count alice@contoso.com)"
    SAY='EHLO me\r\nMAIL FROM:<relay@contoso.com>\r\nRCPT TO:<alice@contoso.com>\r\nDATA\r\nFrom: eve@contoso.com\r\n\r\nx\r\n.\r\nQUIT\r\n' \
        fetch smtp "$RELAY"
    answered 0 '554 5.2.252 SendAsDenied; relay@contoso.com not allowed to send as eve@contoso.com;'
    expect 2 "$(mailbox_count alice@contoso.com)"
}

@test "refused without a challenge: one more try with another token, then the words" {
    exchange_admin fail "{\"fail\": \"imap_refused\", \"mailbox\": \"$RELAY\", \"count\": 1}"
    fetch imap "$RELAY"
    answered 0 'a OK LOGOUT completed.'
    expect 2 "$(sign_ins_of "$RELAY")"
    fetch imap bob
    answered 77 '* BYE mailbearer: localhost refused the sign-in: NO AUTHENTICATE failed. -> '
}

@test "the token's life ends during IDLE: the server's BYE reaches the mail program" {
    through idle -- "$FETCH" imap "$RELAY" &
    retry_until 10 session_open
    exchange_admin expire "{\"mailbox\": \"$RELAY\"}"
    wait $!
    expect_in "$(cat out.token)" '* BYE Session invalidated - AccessTokenExpired'
}

session_open() {
    [[ $(exchange_state "mailboxes/$RELAY/sessions") = 1 ]]
}

@test "fetchmail through the tunnel: one message, by IMAP and by POP3" {
    local wire

    for wire in imap pop3; do
        mail "$wire"
        printf '%s\n' "poll localhost protocol $wire plugin \"$FETCH -c $WORK/mailbearer.conf $wire %h %p $RELAY\" service $(port_of "$wire") $([[ $wire = pop3 ]] || echo auth ssh) user \"$RELAY\" password \"none\" is root here sslproto '' mda \"cat >> $WORK/$wire.eml\"" > rc
        chmod 600 rc
        MAILBEARER_SOCKET=$AGENT_SOCKET timeout 60 fetchmail --nodetach --nosyslog -f rc \
            --pidfile "$WORK/fetchmail.pid" > err 2>&1 || { cat err >&2; return 1; }
        grep -q "^Subject: $wire" "$wire.eml"
        expect 0 "$(mailbox_count "$RELAY")"
    done
}

port_of() {
    if [[ $1 = imap ]]; then echo "$EXCHANGE_IMAPS"; else echo "$EXCHANGE_POP3S"; fi
}

@test "Postfix sends: the plugin's token is good, the message arrives" {
    submit alice@contoso.com first
    drain_queue 20
    expect_in "$(in_mailbox alice@contoso.com)" 'Subject: first'
    expect XOAUTH2 "$(last_sign_in mechanism)"
    expect false "$(last_sign_in inline)"
    log_holds 'status=sent (250 2.0.0 OK <'
}

# slowly N - so many messages at once to a mailbox that takes a second for each.
slowly() {
    local i

    exchange_admin mailbox "{\"mailbox\": \"$RELAY\", \"rate\": 0}"
    : > "$MAILLOG"
    for ((i = 0; i < $1; i++)); do
        submit alice@contoso.com "number $i"
    done
    drain_queue 40
    expect "$1" "$(mailbox_count alice@contoso.com)"
    nothing_bounced
}

@test "Postfix with more than three submissions at once: 432, deferred, and all arrive" {
    slowly 8
    log_holds 'said: 432 4.3.2 Concurrent connections limit exceeded.'
    grep -q 'dsn=4\.3\.2, status=deferred' "$MAILLOG"
}

@test "Postfix with a concurrency limit of 2: never 432" {
    postfix_set smtp_destination_concurrency_limit=2
    run_postfix reload
    slowly 8
    refute log_holds 432
}
