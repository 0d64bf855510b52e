# shellcheck shell=bash
# clients.bash - mail programs run with what `mailbearer setup` prints, and nothing else: as
# a user of their own, who trusts the test's authority, in an empty home directory.
#
# Used by:  clients-*.bats
# Needs:    lib.bash, agent.bash, dovecot.bash, fetch.bash, setup.bash; root, a C compiler
#
# The user exists, and the authority is trusted, in a mount namespace alone, held by a
# process that sleeps: nothing outside changes. exec_witness.c writes down the command line
# of everything that the user starts.

READER_ID=61003

# make_clients_ground - what setup_file does first; then come reader_accounts and
# serve_clients.
make_clients_ground() {
    make_fetch_ground
    "${CC:-cc}" -shared -fPIC -O1 -o "$WORK/bin/witness.so" "$LIB_DIRECTORY/exec_witness.c"
    cp "$LIB_DIRECTORY/clients_letter.py" "$WORK/bin/"
    make_reader
}

# serve_clients - starts the agent.
serve_clients() {
    start_agent
    export_work
    export DOVECOT_SUBMISSIONS READER_PID
}

# reader_accounts [LINE...] - the accounts that the user may have: relay@contoso.com, `stls`
# which is the same by STARTTLS, `big` which is for tokens of another size, `gone` that nobody has signed in, `far` whose servers
# have a certificate that its ca_file does not vouch for.
reader_accounts() {
    local allow="allow_users = { $READER_ID }"

    RELAY_USERS=$READER_ID write_fetch_accounts \
        "$(app_account stls "user = $RELAY" "$allow" \
            "imap = \"localhost:$DOVECOT_IMAP starttls\"" \
            "pop3 = \"localhost:$DOVECOT_POP3 starttls\"" \
            "smtp = \"localhost:$DOVECOT_SUBMISSIONS tls\"")" \
        "$(app_account big "user = $RELAY" "$allow")" \
        "$(account_section gone "client_id = $PUBLIC_CLIENT" "scope = \"$USER_SCOPE\"" \
            "user = $RELAY" "$allow")" \
        "$(app_account far "user = $RELAY" "$allow" \
            "ca_file = \"$WORK/far/tls/ca.pem\"")" "$@"
}

# make_reader - the namespace: a user `reader`, and certificates as a system has them.
make_reader() {
    local hash

    mkdir "$WORK/etc" "$WORK/etc/certs" "$WORK/home"
    cp /etc/passwd /etc/group "$WORK/etc/"
    echo "reader:x:$READER_ID:$READER_ID:A Reader:$WORK/home:/bin/sh" >> "$WORK/etc/passwd"
    echo "reader:x:$READER_ID:" >> "$WORK/etc/group"
    cp "$WORK/tls/ca.pem" "$WORK/etc/certs/ca-certificates.crt"
    # A host that knows its whole name, as alpine wants it.
    printf '127.0.0.1 localhost\n127.0.1.1 %s.contoso.com %s\n' "$(uname -n)" "$(uname -n)" \
        > "$WORK/etc/hosts"
    hash=$(openssl x509 -noout -hash -in "$WORK/tls/ca.pem")
    cp "$WORK/tls/ca.pem" "$WORK/etc/certs/$hash.0"
    # shellcheck disable=SC2016
    unshare --mount --propagation private -- bash -c '
        set -e
        mount --bind "$1/passwd" /etc/passwd
        mount --bind "$1/group" /etc/group
        mount --bind "$1/hosts" /etc/hosts
        mount --bind "$1/certs" /etc/ssl/certs
        : > "$1/ready"
        exec sleep 3600' reader "$WORK/etc" 3>&- > "$WORK/etc/err" 2>&1 &
    READER_PID=$!
    record_pid "$READER_PID" reader
    retry_until 10 test -e "$WORK/etc/ready" || { cat "$WORK/etc/err" >&2; return 1; }
}

# fresh_home - what setup does.
fresh_home() {
    chmod -R u+w "$WORK/home" # programs leave folders without it
    rm -rf "${WORK:?}/home"
    mkdir -m 700 "$WORK/home"
    : > "$WORK/witness.token" # tokens would be in it, if anywhere
    chown "$READER_ID:$READER_ID" "$WORK/home"
    chmod 666 "$WORK/witness.token"
    cd "$WORK/home" || return 1
}

READER_ENV=()

# as_reader COMMAND... - in the home directory. READER_ENV holds further NAME=VALUE words.
as_reader() {
    nsenter --target "$READER_PID" --mount -- \
        setpriv --reuid "$READER_ID" --regid "$READER_ID" --clear-groups -- \
        env -i -C "$WORK/home" HOME="$WORK/home" PATH="$WORK/bin:/usr/bin:/bin" USER=reader \
        LOGNAME=reader TERM=vt100 LANG=C.UTF-8 MAILBEARER_SOCKET="$MAILBEARER_SOCKET" \
        EXEC_WITNESS="$WORK/witness.token" LD_PRELOAD="$WORK/bin/witness.so" \
        "${READER_ENV[@]}" "$@"
}

# reader_runs COMMAND... - the same, with a time limit. Sets RC; what it prints is in
# $WORK/home.out.token, since mail may be in it, what it complains about in $WORK/err.
reader_runs() {
    RC=0
    as_reader timeout --kill-after 5 "${READER_TIME:-60}" "$@" \
        > "$WORK/home.out.token" 2> "$WORK/err" < "${READER_INPUT:-/dev/null}" || RC=$?
}

# as_printed CLIENT [ACCOUNT] - the files are where `mailbearer setup`, run by the user, says,
# the commands have been run, and nothing is changed. The text itself is $WORK/setup/printed.
as_printed() {
    rm -rf "$WORK/setup"
    mkdir "$WORK/setup"
    as_reader mailbearer setup "$1" "${2:-$RELAY}" > "$WORK/setup/printed" || return 1
    cut_setup "$WORK/setup" "$WORK/home" < "$WORK/setup/printed"
    chown -R "$READER_ID:$READER_ID" "$WORK/home"
    [[ ! -f $WORK/setup/commands ]] || as_reader sh -e "$WORK/setup/commands"
}

# a_letter - the relay's inbox holds one message, $WORK/letter, and nothing else.
a_letter() {
    "$PYTHON" "$WORK/bin/clients_letter.py" make "$WORK/letter" 'a letter'
    inbox 1 "$WORK/letter"
}

# a_text - $WORK/text is what the next program sends.
a_text() {
    "$PYTHON" "$WORK/bin/clients_letter.py" text "$WORK/text"
    chmod 644 "$WORK/text"
}

# got_letter FILE... - each is the letter, byte for byte.
got_letter() {
    "$PYTHON" "$WORK/bin/clients_letter.py" same "$WORK/letter" "$@"
}

# got_text SUBJECT [USER] - it was delivered to the relay, byte for byte.
got_text() {
    local user=${2:-$RELAY}

    retry_until 10 mail_holds "$user" "Subject: $1" || {
        tail -n 20 "$WORK/err" "$WORK/home.out.token" >&2
        return 1
    }
    "$PYTHON" "$WORK/bin/clients_letter.py" sent "$WORK/text" "$WORK/mail/$user/Maildir" "$1"
}

# ended RC - the program of reader_runs ended so.
ended() {
    expect "$1" "$RC" || { tail -n 30 "$WORK/err" "$WORK/home.out.token" >&2; return 1; }
}

# said TEXT - the program of reader_runs printed it.
said() {
    grep -qF -- "$1" "$WORK/err" "$WORK/home.out.token" || {
        printf 'not said: %s\n' "$1" >&2
        tail -n 30 "$WORK/err" "$WORK/home.out.token" >&2
        return 1
    }
}

# nothing_shown PROGRAM... - each program was started, and nothing that was had a token on its
# command line or in its environment.
nothing_shown() {
    local program

    for program; do
        grep -qE -- "(^|/)$program " "$WORK/witness.token" || {
            printf 'not started: %s\n' "$program" >&2
            cat "$WORK/witness.token" >&2
            return 1
        }
    done
    refute grep -qE 'CANARY|Q0FOQVJZ|NBTkFSW|DQU5BUl|^environment' "$WORK/witness.token"
}

# screen COMMAND - starts it in a terminal of its own (tmux), which stays when it has ended.
screen() {
    as_reader tmux -S "$WORK/home/.tmux" -f /dev/null new-session -d -x 100 -y 40 \
        "$1 2> $WORK/home/.screen.err; exec sleep 600" 3>&-
}

# keys KEY... - as tmux names them; anything else is typed as it is.
keys() {
    as_reader tmux -S "$WORK/home/.tmux" send-keys "$@"
}

# screen_text - what stands there now.
screen_text() {
    as_reader tmux -S "$WORK/home/.tmux" capture-pane -p
}

# screen_has TEXT - there, or among what went to standard error.
screen_has() {
    { screen_text && cat "$WORK/home/.screen.err"; } | grep -qF -- "$1"
}

# see TEXT - it appears on the screen.
see() {
    retry_until 20 screen_has "$1" || {
        printf 'does not appear: %s\n' "$1" >&2
        screen_text | grep -v '^$' >&2
        cat "$WORK/home/.screen.err" >&2
        return 1
    }
}

# screen_ends - whatever runs there.
screen_ends() {
    as_reader tmux -S "$WORK/home/.tmux" kill-server 2> /dev/null || :
}
