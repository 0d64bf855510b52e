#!/usr/bin/env bats
# asan: no, the plugin is loaded into mbsync and the Cyrus test clients, which are not ours
#
# The plugin in real clients against real Dovecot: IMAP, POP3 and submission, XOAUTH2 and
# OAUTHBEARER, tokens taken and refused.

load lib.bash
load dovecot.bash
load postfix.bash

setup_file() {
    make_work
    start_entra
    start_dovecot
    make_sasl_path
    export_work
    export SASL_PATH=$WORK/sasl2
    export HOME=$WORK # for what clients leave there
}

teardown_file() {
    stop_all
}

setup() {
    TOKEN=$(new_token "{\"client\": \"$PUBLIC_CLIENT\", \"user\": \"alice@contoso.com\"}")
    STALE=$(new_token "{\"client\": \"$PUBLIC_CLIENT\", \"user\": \"alice@contoso.com\",
        \"expires_in\": -1}")
    DELIVERED=$(mail_count alice@contoso.com)
}

# client PROTOCOL MECHANISM PASSWORD [USER] - one of Cyrus's test clients signs in; its output
# is in $output. The password is a label, or a token that is good for this test alone.
client() {
    local program port user=${4:-alice@contoso.com}

    case $1 in
    imap) program=imtest port=$DOVECOT_IMAP ;;
    pop3) program=pop3test port=$DOVECOT_POP3 ;;
    smtp) program=smtptest port=$DOVECOT_SUBMISSION ;;
    esac
    run timeout 20 "/usr/lib/cyrus/bin/$program" -p "$port" -m "$2" -t '' \
        -a "$user" -u "$user" -w "$3" localhost < /dev/null
}

signed_in() {
    expect_in "$output" $'\nAuthenticated.'
}

# refusal - what Dovecot's JSON challenge says, taken out of the protocol.
refusal() {
    printf '%s\n' "$output" | sed -n 's/^S: \(+ \|334 \)\(eyJ.*\)/\2/p' | head -n 1 |
        base64 -d
}

# token_file TOKEN
token_file() {
    (umask 077 && printf '%s\n' "$1" > "$WORK/alice.token")
}

# mbsync_config USER - fetches the inbox into $WORK/synced.
mbsync_config() {
    mkdir -p "$WORK/synced"
    cat > "$WORK/mbsyncrc" <<END
IMAPAccount alice
Host localhost
Port $DOVECOT_IMAPS
SSLType IMAPS
CertificateFile $WORK/tls/ca.pem
User $1
AuthMechs XOAUTH2
PassCmd "cat $WORK/alice.token"

IMAPStore far
Account alice

MaildirStore near
Path $WORK/synced/
Inbox $WORK/synced/inbox

Channel c
Far :far:
Near :near:
Patterns INBOX
Create Near
SyncState *
Sync Pull
END
}

@test "XOAUTH2 by IMAP, POP3 and SMTP" {
    token_file "$TOKEN"
    for protocol in imap pop3 smtp; do
        client $protocol XOAUTH2 "file:$WORK/alice.token"
        signed_in
    done
    grep -q 'pop3-login: Info: Login: user=<alice@contoso.com>, method=XOAUTH2' \
        "$WORK/dovecot/log"
}

@test "OAUTHBEARER by IMAP, POP3 and SMTP" {
    token_file "$TOKEN"
    for protocol in imap pop3 smtp; do
        client $protocol OAUTHBEARER "file:$WORK/alice.token"
        signed_in
    done
    grep -q 'submission-login: Info: Login: user=<alice@contoso.com>, method=OAUTHBEARER' \
        "$WORK/dovecot/log"
}

# imtest overflows a buffer of its own on passwords of 2.5 kB; mbsync takes those, below.
@test "the token itself as the password" {
    local short

    entra_admin client "{\"client\": \"$PUBLIC_CLIENT\", \"token\": \"opaque\"}"
    short=$(new_token "{\"client\": \"$PUBLIC_CLIENT\", \"user\": \"alice@contoso.com\",
        \"size\": 700}")
    entra_admin client "{\"client\": \"$PUBLIC_CLIENT\", \"token\": \"jwt\"}"
    client imap XOAUTH2 "$short"
    signed_in
}

@test "a delegate's token opens the shared mailbox, not another's" {
    token_file "$TOKEN"
    client imap XOAUTH2 "file:$WORK/alice.token" shared@contoso.com
    signed_in
    client imap XOAUTH2 "file:$WORK/alice.token" relay@contoso.com
    refute signed_in 2> /dev/null
    expect_in "$output" 'Authentication failed.'
}

@test "XOAUTH2 refused: the empty answer brings the server's own words" {
    token_file "$STALE"
    client imap XOAUTH2 "file:$WORK/alice.token"
    expect_in "$(refusal)" '"status":"401"'
    expect_in "$output" 'NO [AUTHENTICATIONFAILED] Authentication failed.'
    client smtp XOAUTH2 "file:$WORK/alice.token"
    expect_in "$(refusal)" '"status":"401"'
    expect_in "$output" '535 5.7.8 Authentication failed.'
    client pop3 XOAUTH2 "file:$WORK/alice.token"
    expect_in "$(refusal)" '"status":"401"'
    expect_in "$output" '-ERR [AUTH] Authentication failed.'
}

@test "OAUTHBEARER refused: the kvsep answer brings the server's own words" {
    token_file "$STALE"
    client imap OAUTHBEARER "file:$WORK/alice.token"
    expect_in "$(refusal)" '"status":"invalid_token"'
    expect_in "$output" 'C: AQ=='
    expect_in "$output" 'NO [AUTHENTICATIONFAILED] Authentication failed.'
    client smtp OAUTHBEARER "file:$WORK/alice.token"
    expect_in "$(refusal)" '"status":"invalid_token"'
    expect_in "$output" '535 5.7.8 Authentication failed.'
}

@test "a Graph token is refused" {
    token_file "$(new_token "{\"client\": \"$PUBLIC_CLIENT\", \"user\": \"alice@contoso.com\",
        \"scope\": \"SMTP.Send\"}")"
    client imap XOAUTH2 "file:$WORK/alice.token"
    expect_in "$(refusal)" '"status":"401"'
    refute signed_in 2> /dev/null
}

@test "mbsync, the token from PassCmd, fetches mail" {
    token_file "$TOKEN"
    mkdir -p "$WORK/mail/alice@contoso.com/Maildir"/{cur,new,tmp}
    printf 'From: bob@example.net\nSubject: for mbsync\n\nHello.\n' \
        > "$WORK/mail/alice@contoso.com/Maildir/new/1.test"
    chown -R "$MAIL_USER:$MAIL_USER" "$WORK/mail/alice@contoso.com"
    expect $((DELIVERED + 1)) "$(mail_count alice@contoso.com)"
    mbsync_config alice@contoso.com
    timeout 30 mbsync -c "$WORK/mbsyncrc" -a
    grep -rq 'Subject: for mbsync' "$WORK/synced"
}

@test "mbsync, an expired token: it says so and ends" {
    token_file "$STALE"
    mbsync_config alice@contoso.com
    run timeout 20 mbsync -c "$WORK/mbsyncrc" -a
    expect 1 "$status"
    expect_in "$output" 'Authentication failed'
    refute expect_in "$output" "$STALE" 2> /dev/null
}

@test "IMAP through the agent; a refused token is replaced for the next sign-in" {
    RELAY_USERS=root write_accounts
    start_agent
    client imap XOAUTH2 agent: relay@contoso.com
    signed_in
    entra_admin expire "{\"client\": \"$APP_CLIENT\"}" > /dev/null
    client imap XOAUTH2 agent:relay@contoso.com relay@contoso.com
    expect_in "$(refusal)" '"status":"401"'
    retry_until 10 refreshed
    client imap XOAUTH2 agent: relay@contoso.com
    signed_in
    no_secret_in "$WORK/agent.log"
}

refreshed() {
    [[ $(entra_count by_grant/client_credentials) = 2 ]]
}
