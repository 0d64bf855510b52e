#!/usr/bin/env bats
# asan: no, the plugin is loaded into Postfix, which is not ours
#
# Postfix, smtp(8) chrooted as Debian ships it, sends through Dovecot in the part of Exchange.
# Whatever is wrong, mail is deferred with the reason in the log, never bounced, never lost,
# and goes out by itself once the cause is gone.

load lib.bash
load dovecot.bash
load postfix.bash

setup() {
    make_work
    start_entra
    start_dovecot
    make_postfix
    write_accounts
    export MAILBEARER_SOCKET=$AGENT_SOCKET
}

teardown() {
    [[ -n ${BATS_TEST_COMPLETED:-} ]] || show_logs
    stop_all
}

show_logs() {
    local file

    for file in "$MAILLOG" "$WORK/agent.log" "$WORK/entra.log" "$WORK/dovecot/log"; do
        printf '== %s\n' "${file##*/}" >&2
        grep -v 'login: Info: Disconnected: ' "$file" | tail -n 15 >&2 || :
    done
}

# everything - agent in the jail and Postfix.
everything() {
    start_agent "$AGENT_SOCKET"
    start_postfix
}

# use_socketmap - the agent is Postfix's password table.
use_socketmap() {
    postfix_set smtp_sasl_password_maps=socketmap:unix:/run/mailbearer/agent.sock:sasl
}

# deferred CODE... - the message waits, 4.x.x, and the log says all of the texts.
deferred() {
    local text

    retry_until 30 log_holds status=deferred || return 1
    grep -q 'dsn=4\.[0-9.]*, status=deferred' "$MAILLOG"
    for text; do
        log_holds "$text" || { printf 'not in the mail log: %s\n' "$text" >&2; return 1; }
    done
    expect 1 "$(queue_length)"
    nothing_bounced
    expect 0 "$(mail_count alice@contoso.com)"
}

# goes_out SECONDS - the cause is gone: the queue drains, each message arrives once.
goes_out() {
    drain_queue "$1"
    expect "${2:-1}" "$(mail_count alice@contoso.com)"
    nothing_bounced
}

# nothing_leaked - no secret, no token in what everybody logged, nor in the queue.
nothing_leaked() {
    no_secret_in "$MAILLOG" "$WORK/agent.log" "$WORK/postfix" "$WORK/dovecot/log" \
        "$WORK/entra.log"
}

@test "a message goes out through the chrooted smtp, the token asked from the agent" {
    everything
    submit alice@contoso.com first
    goes_out 20
    smtp_is_chrooted
    mail_holds alice@contoso.com 'Subject: first'
    log_holds 'status=sent'
    log_holds 'Verified TLS connection established to localhost'
    grep -q 'submission-login: Info: Login: user=<relay@contoso.com>, method=XOAUTH2' \
        "$WORK/dovecot/log"
    expect 1 "$(entra_count by_grant/client_credentials)"
    nothing_leaked
}

@test "twenty messages: all arrive, one token request" {
    local i

    everything
    for i in {1..20}; do
        submit alice@contoso.com "number $i"
    done
    goes_out 40 20
    for i in {1..20}; do
        mail_holds alice@contoso.com "Subject: number $i"
    done
    expect 1 "$(entra_count by_grant/client_credentials)"
}

@test "the agent as the password table: socketmap" {
    use_socketmap
    everything
    expect_in "$(ask sasl "[localhost]:$DOVECOT_SUBMISSION")" 'relay@contoso.com:eyJ'
    expect "$(ask sasl "[localhost]:$DOVECOT_SUBMISSION")" "$(ask sasl localhost)"
    submit alice@contoso.com table
    goes_out 20
    smtp_is_chrooted
    mail_holds alice@contoso.com 'Subject: table'
    nothing_leaked
}

@test "tokens short and long: on the AUTH line below 512 bytes, else on a line of their own" {
    local size

    start_postfix
    for size in 200 1500 5000; do
        entra_admin client "{\"client\": \"$APP_CLIENT\", \"token\": \"opaque\",
            \"token_size\": $size}"
        rm -f "$WORK/store/"*
        start_agent "$AGENT_SOCKET"
        expect "$size" "$(($(ask token relay@contoso.com | wc -c) - 1))"
        submit alice@contoso.com "size $size"
        drain_queue 20
        mail_holds alice@contoso.com "Subject: size $size"
        stop_agent
    done
    nothing_bounced
    nothing_leaked
}

@test "socketmap: an account that cannot be used is TEMP or PERM, never NOTFOUND" {
    local key

    use_socketmap
    everything
    key="[localhost]:$DOVECOT_SUBMISSION"
    expect NOTFOUND "$(reply_of sasl '[elsewhere.example]:587' | cut -d ' ' -f 1)"
    entra_admin fault '{"fault": "503"}'
    expect TEMP "$(reply_of sasl "$key" | cut -d ' ' -f 1)"
    submit alice@contoso.com temporary
    deferred
    entra_admin clear
    goes_out 90
}

@test "socketmap: an expired client secret is PERM and names AADSTS7000222" {
    local key answer

    use_socketmap
    everything
    key="[localhost]:$DOVECOT_SUBMISSION"
    entra_admin client "{\"client\": \"$APP_CLIENT\", \"secret_expired\": true}"
    answer=$(reply_of sasl "$key")
    expect PERM "${answer%% *}"
    expect_in "$answer" AADSTS7000222
    submit alice@contoso.com permanent
    deferred AADSTS7000222
    entra_admin client "{\"client\": \"$APP_CLIENT\", \"secret_expired\": false}"
    write_accounts
    goes_out 60
}

@test "the agent is down" {
    start_postfix
    submit alice@contoso.com waits
    deferred 'remote authentication server unavailable' \
        'no agent at /run/mailbearer/agent.sock'
    start_agent "$AGENT_SOCKET"
    goes_out 30
    smtp_is_chrooted
}

@test "the agent goes away and comes back under a running smtp" {
    everything
    submit alice@contoso.com before
    goes_out 20
    stop_agent
    submit alice@contoso.com between
    retry_until 30 log_holds status=deferred
    expect 1 "$(queue_length)"
    start_agent "$AGENT_SOCKET"
    goes_out 30 2
}

@test "the token endpoint answers 503" {
    entra_admin fault '{"fault": "503"}'
    everything
    submit alice@contoso.com waits
    deferred 'remote authentication server unavailable' 503
    entra_admin clear
    goes_out 90
    nothing_leaked
}

@test "the token endpoint never answers" {
    local start=$SECONDS

    entra_admin fault '{"fault": "hang"}'
    everything
    submit alice@contoso.com waits
    deferred 'remote authentication server unavailable'
    ((SECONDS - start < 30))
    entra_admin clear
    goes_out 90
}

@test "nothing listens where the token endpoint should be" {
    local right=$TOKEN_ENDPOINT

    TOKEN_ENDPOINT=http://127.0.0.1:$(free_ports 1)/$TENANT/oauth2/v2.0/token
    write_accounts
    everything
    submit alice@contoso.com waits
    deferred 'remote authentication server unavailable'
    TOKEN_ENDPOINT=$right
    write_accounts
    goes_out 60
}

@test "Entra refuses: the log names the reason and the remedy" {
    entra_admin client "{\"client\": \"$APP_CLIENT\", \"secret_expired\": true}"
    everything
    submit alice@contoso.com waits
    deferred 'passphrase expired, has to be reset' AADSTS7000222 secret
    entra_admin client "{\"client\": \"$APP_CLIENT\", \"secret_expired\": false}"
    write_accounts
    goes_out 60
    nothing_leaked
}

@test "the account is not in the accounts file" {
    write_sasl_passwd ghost@contoso.com:agent:
    everything
    submit alice@contoso.com waits
    deferred 'user not found' ghost@contoso.com
    write_sasl_passwd relay@contoso.com:agent:
    run_postfix reload
    goes_out 30
}

@test "postfix is not among allow_users" {
    RELAY_USERS=daemon write_accounts
    everything
    submit alice@contoso.com waits
    deferred 'authorization failure' relay@contoso.com
    expect 0 "$(entra_count requests)"
    write_accounts
    goes_out 60
}

@test "the mail server refuses the token: a fresh one is fetched and the mail goes out" {
    everything
    submit alice@contoso.com first
    goes_out 20
    entra_admin expire > /dev/null
    submit alice@contoso.com second
    retry_until 30 log_holds 'SASL authentication failed'
    goes_out 60 2
    expect 2 "$(entra_count by_grant/client_credentials)"
    log_holds '535 5.7.8'
    log_holds 401
    nothing_leaked
}

@test "the token belongs to another mailbox: deferred with the server's own 535" {
    write_accounts 'account "alice@contoso.com" {' '    provider = standin' \
        '    grant = client_credentials' "    client_id = $APP_CLIENT" \
        "    client_secret_file = \"$WORK/secrets/relay\"" '    allow_users = { postfix }' '}'
    write_sasl_passwd alice@contoso.com:agent:
    everything
    submit alice@contoso.com waits
    deferred '535 5.7.8'
    write_sasl_passwd relay@contoso.com:agent:
    run_postfix reload
    goes_out 30
}

@test "a token from a file, written by somebody else" {
    write_sasl_passwd relay@contoso.com:file:/etc/relay.token
    start_postfix
    submit alice@contoso.com waits
    deferred 'token file /etc/relay.token'
    (umask 077 && new_token "{\"client\": \"$APP_CLIENT\"}" > "$QUEUE/etc/relay.token")
    chown postfix "$QUEUE/etc/relay.token"
    goes_out 30
}
