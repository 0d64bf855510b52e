#!/usr/bin/env bash
# demo.sh - Postfix, unchanged and chrooted, sends a mail with an OAuth token, and fetchmail,
# as unchanged, fetches it back. A story with its proofs: what is done, what happened, and the log lines that show it.
#
# Run by `make demo`, as root. Nothing outside a temporary directory is touched; what is
# started is stopped by its own pid, also on Ctrl-C. KEEP=1 keeps the directory.
set -euo pipefail

cd "${BASH_SOURCE[0]%/*}/../integration"
. ./lib.bash
. ./dovecot.bash
. ./postfix.bash
. ./agent.bash
. ./setup.bash

STEP=0

# step TITLE - a heading with a number.
step() {
    STEP=$((STEP + 1))
    printf '\n%d. %s\n' "$STEP" "$1"
}

# say TEXT... - told by us.
say() {
    printf '%s\n' "$*" | fold -s -w 84 | sed 's/^/   /'
}

# proof - told by somebody else: files, commands' output, log lines on standard input. The
# temporary directory is written $DIR, long lines are wrapped.
proof() {
    local line

    sed "s|$WORK|\$DIR|g" | while IFS= read -r line; do
        printf '%s\n' "$line" | fold -s -w 92 | sed '1s/^/     | /; 2,$s/^/     :     /'
    done
}

# log_lines FILE PATTERN - what a log says since the last mark_logs.
log_lines() {
    local mark

    mark=$(cat "$WORK/mark.${1##*/}" 2>/dev/null || echo 0)
    tail -n +$((mark + 1)) "$1" | grep -E "$2"
}

# wait_for_line SECONDS FILE PATTERN
wait_for_line() {
    retry_until "$1" log_lines "$2" "$3" || fail "no line with \`$3' in ${2##*/}"
}

mark_logs() {
    local file

    for file in "$MAILLOG" "$WORK/entra.log" "$WORK/dovecot/log" "$WORK/agent.log"; do
        wc -l < "$file" > "$WORK/mark.${file##*/}"
    done
}

fail() {
    printf '\nThe demo failed: %s\n' "$1" >&2
    tail -n 20 "${MAILLOG:-/dev/null}" "$WORK/agent.log" "$WORK/entra.log" \
        "$WORK/dovecot/log" >&2 || :
    exit 1
}

finish() {
    local status=$?

    # A second Ctrl-C must not leave servers behind.
    trap - EXIT
    trap '' INT TERM
    [[ -z ${WORK:-} ]] || stop_all
    if [[ $status -eq 0 ]]; then
        printf '\nAll servers are stopped%s. The demo worked.\n' \
            "$([[ -n ${KEEP:-} ]] || echo ', the temporary directory is gone')"
    else
        printf '\nThe demo ended in step %d (status %d); all servers are stopped.\n' \
            "$STEP" "$status" >&2
    fi
    exit "$status"
}

check_place() {
    local program

    [[ $EUID -eq 0 ]] || { echo 'The demo needs root: Postfix does.' >&2; exit 77; }
    for program in "$PYTHON" openssl curl postfix dovecot fetchmail pgrep; do
        command -v "$program" > /dev/null || {
            echo "$program is missing: packaging/install-deps.sh demo" >&2
            exit 69
        }
    done
    [[ -x $MAILBEARER ]] || { echo "$MAILBEARER is missing: make" >&2; exit 69; }
}

begin() {
    printf 'mailbearer: Postfix sends mail with OAuth 2.0 tokens\n\n'
    say "Everything happens on loopback and below one temporary directory (\$DIR = $WORK)."
}

entra_and_exchange() {
    step 'A stand-in for Microsoft Entra issues tokens'
    start_entra --tls || fail 'the stand-in did not start'
    say "It listens at $ENTRA_URL with a certificate of a test authority, knows the" \
        'tenant contoso.onmicrosoft.com and one application, and is as strict as the real one:'
    curl -s --cacert "$WORK/tls/ca.pem" -d "client_id=$APP_CLIENT" \
        -d grant_type=client_credentials "$TOKEN_ENDPOINT" | json_get error_description |
        sed -n 1p | proof

    step 'A real Dovecot plays Exchange Online'
    start_dovecot || fail 'Dovecot did not start'
    say "Submission with STARTTLS on port $DOVECOT_SUBMISSION, IMAP with TLS on port" \
        "$DOVECOT_IMAPS. It asks the stand-in whether a token is good for a mailbox."
    grep -m1 'starting up' "$WORK/dovecot/log" | proof
}

agent_in_the_jail() {
    step 'The agent owns the secret and listens inside the jail of Postfix'
    make_postfix || fail 'the jail could not be made'
    set_client "$APP_CLIENT" '"mailboxes": ["relay@contoso.com", "alice@contoso.com"]'
    write_accounts "$(app_account alice@contoso.com "imap = \"localhost:$DOVECOT_IMAPS tls\"" \
        "ca_file = \"$WORK/tls/ca.pem\"")"
    say 'The accounts file (the secret itself is in another file):'
    grep -v '^ *#' "$WORK/mailbearer.conf" | proof
    start_agent "$AGENT_SOCKET" || fail 'the agent did not start'
    say 'Its socket is found by the compiled-in path, /run/mailbearer/agent.sock, once a' \
        'process has the queue directory as its root:'
    echo "${AGENT_SOCKET#"$QUEUE"} below $QUEUE" | proof
    say 'It speaks the socketmap protocol of Postfix, so postmap can ask it:'
    {
        echo "\$ postmap -q relay@contoso.com socketmap:unix:$AGENT_SOCKET:status"
        ask status relay@contoso.com
    } | proof
}

postfix_itself() {
    step 'A private Postfix, its smtp service chrooted as Debian ships it'
    start_postfix || fail 'Postfix did not start'
    say 'main.cf, as far as it concerns us:'
    grep -E '^(relayhost|smtp_sasl|smtp_tls_(sec|CA))' "$POSTFIX_ETC/main.cf" | proof
    say 'master.cf (the fifth column: chroot, yes):'
    grep -E '^smtp +unix' "$POSTFIX_ETC/master.cf" | proof
    say 'The password map holds no password. It says where the token is:'
    proof < "$POSTFIX_ETC/sasl_passwd"
}

first_message() {
    step 'A message: sendmail, Postfix, XOAUTH2, Dovecot, mailbox'
    mark_logs
    submit alice@contoso.com 'Hello from the relay'
    drain_queue 30 || fail "the message is still queued: $(delay_reasons)"
    say 'Postfix sent it:'
    log_lines "$MAILLOG" 'Verified TLS|status=' | proof
    say 'Its smtp process runs in the jail (/proc/PID/root):'
    smtp_is_chrooted || fail 'smtp is not chrooted'
    smtp_roots | sort -u | proof
    say 'Entra was asked once for a token:'
    log_lines "$WORK/entra.log" 'POST .*-> 200' | proof
    say 'Dovecot took it, with XOAUTH2:'
    log_lines "$WORK/dovecot/log" 'submission-login: Info: (Login|Logged in):' | proof
    say 'And here is the message, fetched by IMAP from the mailbox it landed in:'
    fetch_mail alice@contoso.com "$(new_token \
        "{\"client\": \"$PUBLIC_CLIENT\", \"user\": \"alice@contoso.com\"}")" | proof
}

second_message() {
    step 'The token expires; the next message shows the refresh'
    mark_logs
    entra_admin expire "{\"client\": \"$APP_CLIENT\"}" > /dev/null
    say 'Every access token issued so far is void from now on. The agent does not know.'
    submit alice@contoso.com 'Hello again'
    wait_for_line 30 "$MAILLOG" 'status=deferred'
    say 'The server refuses the old token. The mail waits in the queue (it is never bounced' \
        'for this), the log has the reason, and the plugin tells the agent:'
    log_lines "$MAILLOG" 'warning: SASL|status=deferred' | proof
    say 'The agent fetches a new token:'
    wait_for_line 40 "$WORK/entra.log" 'POST .*-> 200'
    log_lines "$WORK/entra.log" 'POST .*-> 200' | proof
    drain_queue 60 || fail "the message is still queued: $(delay_reasons)"
    say 'Postfix tries again by itself, and the mail goes out:'
    log_lines "$MAILLOG" 'status=sent' | proof
    expect 2 "$(mail_count alice@contoso.com)" || fail 'a message is missing'
    say 'Both messages are in the mailbox:'
    grep -rh '^Subject: ' "$WORK/mail/alice@contoso.com/Maildir/new" \
        "$WORK/mail/alice@contoso.com/Maildir/cur" | sort | proof
}

fetched_back() {
    step 'Fetched back: fetchmail, unchanged, reads the mailbox'
    mark_logs
    say 'fetchmail 6.4 knows no OAuth 2.0. It gets the configuration that' \
        '"mailbearer setup fetchmail alice@contoso.com" prints, as it is:'
    use_setup fetchmail alice@contoso.com "$WORK/fetch" "$WORK/fetch/home" ||
        fail 'setup printed nothing'
    proof < "$WORK/fetch/home/.fetchmailrc"
    say 'mailbearer-fetch signs in for it, with a token from the agent, and hands it the' \
        'session. What fetchmail says:'
    HOME=$WORK/fetch/home fetchmail --nodetach --nosyslog --pidfile "$WORK/fetch/pid" \
        --mda "cat >> $WORK/fetch/mail" < /dev/null 2>&1 | proof
    say 'Dovecot saw a sign-in with XOAUTH2 from an unchanged fetchmail:'
    log_lines "$WORK/dovecot/log" 'imap-login: Info: (Login|Logged in):' | proof
    expect 2 "$(grep -c '^Subject: Hello' "$WORK/fetch/mail")" || fail 'a message is missing'
    expect 0 "$(mail_count alice@contoso.com)" || fail 'the mailbox is not empty'
    say 'Both messages are here, and gone from the server:'
    grep '^Subject: ' "$WORK/fetch/mail" | proof
}

what_was_not_seen() {
    step 'What nobody wrote down'
    no_secret_in "$MAILLOG" "$WORK/agent.log" "$WORK/entra.log" "$WORK/dovecot/log" \
        "$WORK/postfix" || fail 'a secret or a token is in a log'
    nothing_bounced || fail 'a message was bounced'
    say 'No secret and no token is in any log or in the queue, no message was bounced.' \
        "Entra issued $(entra_count by_status/200) tokens for the two of them."
}

check_place
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
make_work
begin
entra_and_exchange
agent_in_the_jail
postfix_itself
first_message
second_message
# With Dovecot 2.4 the application can open the relay's mailbox only (dovecot24.bash).
[[ -n ${APPLICATION_MAILBOX:-} ]] || fetched_back
what_was_not_seen
