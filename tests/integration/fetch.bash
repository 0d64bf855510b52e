# shellcheck shell=bash
# fetch.bash - what the tests of mailbearer-fetch share: accounts for each kind of
# connection, a Dovecot that takes large messages, odd servers, a mail program in Python.
#
# Used by:  fetch*.bats
# Needs:    lib.bash, agent.bash, dovecot.bash
#
# Standard output of a session is $WORK/out.token, since a mailbox may be in it; standard
# error is $WORK/err.

FETCH=${WORK:-}/bin/mailbearer-fetch

# make_fetch_ground - what setup_file does.
make_fetch_ground() {
    make_ground
    cp "$BUILD/mailbearer-fetch" "$LIB_DIRECTORY"/{through,odd_server,proxy}.py "$WORK/bin/"
    FETCH=$WORK/bin/mailbearer-fetch
    start_dovecot
    DOVECOT_SUBMISSIONS=$(free_ports 1)
    more_dovecot 'submission_max_mail_size = 200M' \
        'service submission-login {' '  inet_listener submissions {' \
        "    port = $DOVECOT_SUBMISSIONS" '    ssl = yes' '  }' '}'
    retry_until 15 port_answers "$DOVECOT_SUBMISSIONS"
    mkdir "$WORK/far" # certificates of somebody else
    "$TESTS/fake/make-ca.sh" "$WORK/far/tls"
}

# more_dovecot LINE... - further settings, and Dovecot started anew.
more_dovecot() {
    printf '%s\n' "$@" >> "$WORK/dovecot/dovecot.conf"
    stop_named dovecot
    /usr/sbin/dovecot -F -c "$WORK/dovecot/dovecot.conf" 3>&- >> "$WORK/dovecot/err" 2>&1 &
    record_pid $! dovecot
    retry_until 15 port_answers "$DOVECOT_IMAPS" &&
        retry_until 15 port_answers "${DOVECOT_SUBMISSION?}"
}

# write_fetch_accounts [LINE...] - relay@contoso.com, with TLS from the start where Dovecot
# has it; `starttls` is the same mailbox by STARTTLS, `smtps` sends by TLS, and `fresh1` ...
# are the same once more, each with a token of its own.
write_fetch_accounts() {
    local name port=${DOVECOT_SUBMISSION?}

    DOVECOT_SUBMISSION='' write_accounts 'defaults {' \
        "    imap = \"localhost:$DOVECOT_IMAPS tls\"" \
        "    pop3 = \"localhost:$DOVECOT_POP3S tls\"" \
        "    smtp = \"localhost:$port starttls\"" \
        "    ca_file = \"$WORK/tls/ca.pem\"" '}' \
        "$(app_account starttls "user = $RELAY" 'allow_users = { fetchmail }' \
            "imap = \"localhost:$DOVECOT_IMAP starttls\"" \
            "pop3 = \"localhost:$DOVECOT_POP3 starttls\"")" \
        "$(app_account smtps "user = $RELAY" \
            "smtp = \"localhost:$DOVECOT_SUBMISSIONS tls\"")" \
        "$(for name in fresh1 fresh2 fresh3 fresh4; do
            app_account "$name" "user = $RELAY"
        done)" "$@"
}

# start_odd KIND [OPTION...] - odd_server.py; sets ODD, its port.
start_odd() {
    local kind=$1 directory=${ODD_DIR:-$WORK}

    shift
    rm -f "$directory/odd.port" "$directory/odd.log"
    "$PYTHON" "$WORK/bin/odd_server.py" --kind "$kind" --dir "$directory" "$@" \
        3>&- >> "$WORK/odd.err" 2>&1 &
    record_pid $! odd
    retry_until 10 test -f "$directory/odd.port"
    # shellcheck disable=SC2034
    ODD=$(< "$directory/odd.port")
}

# odd_log N - the server's N lines about its connections.
odd_log() {
    retry_until 5 odd_lines "$1"
    cat "$WORK/odd.log"
}

odd_lines() {
    [[ -f $WORK/odd.log && $(wc -l < "$WORK/odd.log") -ge $1 ]]
}

# fetch ARGUMENT... - mailbearer-fetch, told $SAY (printf's escapes) and then the end. Sets
# RC.
fetch() {
    RC=0
    # shellcheck disable=SC2059
    printf "${SAY-a LOGOUT\r\n}" |
        timeout 60 "$FETCH" "$@" > "$WORK/out.token" 2> "$WORK/err" || RC=$?
}

# through ACTION... -- COMMAND... - through.py. Sets RC.
through() {
    RC=0
    timeout 120 "$PYTHON" "$WORK/bin/through.py" "$@" > "$WORK/out.token" 2> "$WORK/err" ||
        RC=$?
}

# answered RC TEXT - the session ended so, its answers hold the text, stderr is empty.
answered() {
    expect "$1" "$RC" || { tail -c 800 "$WORK/err" "$WORK/out.token" >&2; return 1; }
    expect_in "$(tr -d '\0' < "$WORK/out.token" | tail -c 5000)" "$2"
    expect '' "$(cat "$WORK/err")"
}

# inbox COUNT [FILE] - the relay's inbox holds so many messages, each FILE or a small one.
inbox() {
    local i dir=$WORK/mail/$RELAY/Maildir

    rm -rf "$dir"
    mkdir -p "$dir"/{cur,new,tmp}
    for ((i = 0; i < $1; i++)); do
        if [[ -n ${2:-} ]]; then
            cp "$2" "$dir/new/$i.test"
        else
            printf 'From: bob@example.net\nSubject: number %d\n\nHello.\n' "$i" \
                > "$dir/new/$i.test"
        fi
    done
    chown -R "$MAIL_USER:$MAIL_USER" "$dir"
}

# make_message FILE SIZE - lines of every byte but NUL, CR and LF; some begin with a dot.
make_message() {
    "$PYTHON" - "$1" "$2" <<'END'
import random, sys
path, size = sys.argv[1], int(sys.argv[2])
rng = random.Random(7)
table = bytes(c if c not in b"\0\r\n" else 46 for c in range(256))
block = []
for _ in range(4000):
    line = rng.randbytes(rng.randrange(0, 300)).translate(table)
    block.append((b"." if rng.random() < 0.05 else b"") + line + b"\r\n")
block = b"".join(block)
with open(path, "wb") as out:
    out.write(b"From: bob@example.net\r\nSubject: large\r\n\r\n")
    while out.tell() < size:
        out.write(b"%d\r\n" % out.tell() + block)
END
}
