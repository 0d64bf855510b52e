# shellcheck shell=bash
# exchange.bash - the stand-in Exchange (../fake/exchange.py) and a way to talk to it.
#
# Used by:  exchange*.bats, provoked-*.bats
# Needs:    lib.bash, start_entra
# Sets:     EXCHANGE_SMTP, EXCHANGE_SMTPS, EXCHANGE_IMAP(S), EXCHANGE_POP3(S), EXCHANGE_ADMIN

# start_exchange [OPTION...] - returns when it listens.
start_exchange() {
    rm -f "$WORK/exchange.env"
    "$PYTHON" "$TESTS/fake/exchange.py" --dir "$WORK" --entra "$ENTRA_ADMIN" "$@" \
        3>&- >> "$WORK/exchange.err" 2>&1 &
    record_pid $! exchange
    retry_until 15 test -f "$WORK/exchange.env" || { cat "$WORK/exchange.err" >&2; return 1; }
    # shellcheck disable=SC1091
    . "$WORK/exchange.env"
}

# exchange_admin COMMAND [JSON] - must be understood.
exchange_admin() {
    local answer

    answer=$(curl -sS --max-time 10 --data-binary "${2:-"{}"}" "$EXCHANGE_ADMIN/admin/$1")
    expect '{}' "$answer"
}

# exchange_state PATH - a value of its state: counters, mailboxes/NAME/sent
exchange_state() {
    curl -sSf --max-time 10 "$EXCHANGE_ADMIN/admin/state" | json_get "$1"
}

# in_mailbox NAME - its mail as JSON.
in_mailbox() {
    curl -sSf --max-time 10 "$EXCHANGE_ADMIN/admin/mail/$1"
}

# mailbox_count NAME
mailbox_count() {
    exchange_state "mailboxes/$1/messages"
}

# last_sign_in KEY - of the latest: protocol, mechanism, user, inline, outcome, why
last_sign_in() {
    exchange_state sign_ins | "$PYTHON" -c 'import json, sys
print(json.dumps(json.load(sys.stdin)[-1][sys.argv[1]]).strip("\""))' "$1"
}

# sign_ins_of MAILBOX - how many there were.
sign_ins_of() {
    exchange_state sign_ins | "$PYTHON" -c 'import json, sys
print(sum(s["user"] == sys.argv[1] for s in json.load(sys.stdin)))' "$1"
}

# exchange_servers - the lines of an account, or of `defaults`, that lead to the stand-in.
exchange_servers() {
    printf '    smtp = "localhost:%s starttls"\n' "$EXCHANGE_SMTP"
    printf '    imap = "localhost:%s tls"\n' "$EXCHANGE_IMAPS"
    printf '    pop3 = "localhost:%s tls"\n' "$EXCHANGE_POP3S"
    printf '    ca_file = "%s/tls/ca.pem"\n' "$WORK"
}

# nothing_broke - the stand-in itself had no mishap.
nothing_broke() {
    expect '' "$(cat "$WORK/exchange.err")"
}

# say SERVER STEP... - a dialogue (dialogue.py) with the server of that name (SMTP, IMAPS);
# leaves what the server said in $WORK/said. The token is $WORK/in.token, the user $AS.
say() {
    local port=EXCHANGE_$1

    "$PYTHON" "$LIB_DIRECTORY/dialogue.py" --server "$1" --port "${!port}" \
        --ca "$WORK/tls/ca.pem" --token "$WORK/in.token" --user "${AS:-relay@contoso.com}" \
        "${@:2}" > "$WORK/said" 2>&1 || { cat "$WORK/said" >&2; return 1; }
}

# was_said TEXT... - the last dialogue holds each.
was_said() {
    local text

    for text; do
        expect_in "$(tr -d '\r' < "$WORK/said")" "$text"
    done
}

# take_token JSON - $WORK/in.token is an access token (entra_admin token).
take_token() {
    new_token "$1" > "$WORK/in.token"
}
