# shellcheck shell=bash
# fetch.bash - what the tests of mailbearer-fetch share: accounts for each kind of
# connection, a Dovecot that takes large messages, a client in Python.
#
# Used by:  fetch*.bats
# Needs:    lib.bash, agent.bash, dovecot.bash

FETCH=$BUILD/mailbearer-fetch

# more_dovecot LINE... - further settings, and Dovecot started anew.
more_dovecot() {
    printf '%s\n' "$@" >> "$WORK/dovecot/dovecot.conf"
    stop_named dovecot
    /usr/sbin/dovecot -F -c "$WORK/dovecot/dovecot.conf" 3>&- >> "$WORK/dovecot/err" 2>&1 &
    record_pid $! dovecot
    retry_until 15 port_answers "$DOVECOT_IMAPS" && retry_until 15 port_answers "$DOVECOT_SUBMISSION"
}

# start_servers - the stand-in and Dovecot, which also offers submission by TLS.
start_servers() {
    start_entra
    start_dovecot
    DOVECOT_SUBMISSIONS=$(free_ports 1)
    more_dovecot 'submission_max_mail_size = 200M' \
        'service submission-login {' '  inet_listener submissions {' \
        "    port = $DOVECOT_SUBMISSIONS" '    ssl = yes' '  }' '}'
    retry_until 15 port_answers "$DOVECOT_SUBMISSIONS"
}

# write_fetch_accounts [LINE...] - relay@contoso.com with TLS from the start where Dovecot
# has it; the account `starttls` is the same mailbox by STARTTLS, `smtps` sends by TLS.
write_fetch_accounts() {
    DOVECOT_SUBMISSION='' write_accounts 'defaults {' \
        "    imap = \"localhost:$DOVECOT_IMAPS tls\"" \
        "    pop3 = \"localhost:$DOVECOT_POP3S tls\"" \
        "    smtp = \"localhost:$DOVECOT_SUBMISSION starttls\"" \
        "    ca_file = \"$WORK/tls/ca.pem\"" '}' \
        "$(app_account starttls "user = $RELAY" \
            "imap = \"localhost:$DOVECOT_IMAP starttls\"" \
            "pop3 = \"localhost:$DOVECOT_POP3 starttls\"")" \
        "$(app_account smtps "user = $RELAY" \
            "smtp = \"localhost:$DOVECOT_SUBMISSIONS tls\"")" "$@"
}
