#!/usr/bin/env bats
# asan: no, a witness is loaded into programs that are not ours
#
# Programs that fetch, copy or sort mail, with what `mailbearer setup` prints: mbsync,
# OfflineIMAP, getmail, mpop, fdm, imapfilter, nmh.

load lib.bash
load agent.bash
load dovecot.bash
load postfix.bash
load fetch.bash
load setup.bash
load clients.bash

setup_file() {
    make_clients_ground
    make_sasl_path
    reader_accounts
    serve_clients
}

teardown_file() {
    stop_all
}

setup() {
    fresh_home
    a_letter
    # shellcheck disable=SC2034
    READER_ENV=(SASL_PATH="$WORK/sasl2")
}

# fetched FOLDER - the one message below it is the letter.
fetched() {
    local -a files

    mapfile -t files < <(find "$1" -type f -not -name '.*')
    expect 1 "${#files[@]}"
    got_letter "${files[0]}"
}

# fetches ACCOUNT CLIENT FOLDER PROGRAM... - as it is printed, the program fetches the letter,
# and no token was on a command line.
fetches() {
    fresh_home
    a_letter
    as_printed "$2" "$1"
    reader_runs "${@:4}"
    ended 0
    fetched "$3"
    nothing_shown "${4##*/}" "mailbearer(-fetch)?"
}

# fails ACCOUNT CLIENT STATUS TEXT PROGRAM... - the program says so and fetches nothing.
fails() {
    fresh_home
    a_letter
    as_printed "$2" "$1"
    reader_runs "${@:5}"
    ended "$3"
    said "$4"
    refute grep -rqF 'Subject: a letter' "$WORK/home"
}

export NOBODY='nobody has signed in for this account yet'
export BYE="mailbearer: nobody has signed in for this account yet -> run: mailbearer login gone"
export FAR='localhost: TLS failed'

# put_back FOLDER COMMAND... - a message that is put into the Maildir folder reaches the
# server, byte for byte.
put_back() {
    "$PYTHON" "$WORK/bin/clients_letter.py" make "$WORK/reply" 'from here'
    cp "$WORK/reply" "$1/cur/1.here:2,S"
    chown -R "$READER_ID:$READER_ID" "$WORK/home"
    reader_runs "${@:2}"
    ended 0
    "$PYTHON" "$WORK/bin/clients_letter.py" same "$WORK/reply" \
        "$(grep -rlF 'Subject: from here' "$WORK/mail/$RELAY/Maildir"/{cur,new})"
}

@test "mbsync with the plugin, both ways" {
    fetches stls mbsync Mail/stls/INBOX mbsync -a
    fetches "$RELAY" mbsync "Mail/$RELAY/INBOX" mbsync -a
    put_back "Mail/$RELAY/INBOX" mbsync -a
}

@test "mbsync with the plugin fails" {
    fails gone mbsync 1 "$NOBODY" mbsync -a
    said 'PassCmd exited with status 77'
    fails far mbsync 1 'unable to get local issuer certificate' mbsync -a
}

@test "mbsync by a tunnel, both ways" {
    fetches stls mbsync-tunnel Mail/stls/INBOX mbsync -a
    fetches "$RELAY" mbsync-tunnel "Mail/$RELAY/INBOX" mbsync -a
    put_back "Mail/$RELAY/INBOX" mbsync -a
}

@test "mbsync by a tunnel fails" {
    fails gone mbsync-tunnel 1 "BYE response: $BYE" mbsync -a
    fails far mbsync-tunnel 1 "BYE response: mailbearer: $FAR" mbsync -a
}

@test "OfflineIMAP, both ways" {
    fetches "$RELAY" offlineimap OfflineIMAP offlineimap -o
    put_back OfflineIMAP/INBOX offlineimap -o
}

@test "OfflineIMAP fails" {
    fails gone offlineimap 1 "$NOBODY" offlineimap -o
    fails far offlineimap 1 CERTIFICATE_VERIFY_FAILED offlineimap -o
}

@test "OfflineIMAP by a tunnel, both ways" {
    fetches "$RELAY" offlineimap-tunnel OfflineIMAP offlineimap -o
    put_back OfflineIMAP/INBOX offlineimap -o
}

@test "OfflineIMAP by a tunnel fails" {
    fails gone offlineimap-tunnel 1 "* BYE $BYE" offlineimap -o
    fails far offlineimap-tunnel 1 "* BYE mailbearer: $FAR" offlineimap -o
}

@test "getmail" {
    fetches "$RELAY" getmail Maildir getmail
    expect 1 "$(mail_count "$RELAY")"
    reader_runs getmail # what it has it does not fetch again
    ended 0
    fetched Maildir
}

@test "getmail fails" {
    fails gone getmail 127 '/bin/sh exited with 77' getmail
    fails far getmail 127 CERTIFICATE_VERIFY_FAILED getmail
}

@test "mpop" {
    fetches stls mpop Maildir mpop
    fetches "$RELAY" mpop Maildir mpop
    expect 0 "$(mail_count "$RELAY")"
}

@test "mpop fails" {
    fails gone mpop 78 "$NOBODY" mpop
    fails far mpop 69 'TLS certificate verification failed' mpop
    expect 1 "$(mail_count "$RELAY")"
}

# fdm ends with 0 whatever happens.
@test "fdm by IMAP" {
    fetches "$RELAY" fdm Maildir fdm fetch
    expect 0 "$(mail_count "$RELAY")"
    fails gone fdm 0 'gone: not PREAUTH' fdm fetch
    fails far fdm 0 'far: not PREAUTH' fdm fetch
}

@test "fdm by POP3" {
    fetches "$RELAY" fdm-pop3 Maildir fdm fetch
    expect 0 "$(mail_count "$RELAY")"
    fails gone fdm-pop3 0 "-ERR [AUTH] $BYE" fdm fetch
    fails far fdm-pop3 0 "-ERR [SYS/TEMP] mailbearer: $FAR" fdm fetch
}

# A rule behind the printed text, as its last line suggests.
@test "imapfilter moves a message" {
    as_printed imapfilter
    echo 'account.INBOX:contain_subject("a letter"):move_messages(account.Sorted)' \
        >> .imapfilter/config.lua
    reader_runs imapfilter
    ended 0
    expect 0 "$(mail_count "$RELAY")"
    got_letter "$(grep -rlF 'Subject: a letter' "$WORK/mail/$RELAY/Maildir/.Sorted"/{cur,new})"
    nothing_shown imapfilter mailbearer
}

@test "imapfilter fails" {
    fails gone imapfilter 2 "$NOBODY" imapfilter
    said 'no token: mailbearer status tells why'
    # It trusts the system's certificates, or those that an option names.
    fails "$RELAY" imapfilter 5 'certificate verify failed' \
        imapfilter -t "$WORK/far/tls/ca.pem"
}

@test "nmh fetches and sends" {
    fetches "$RELAY" nmh Mail/inbox /usr/bin/mh/inc
    expect 0 "$(mail_count "$RELAY")"
    a_text
    {
        printf 'From: %s\nTo: %s\nSubject: from nmh\n\n' "$RELAY" "$RELAY"
        cat "$WORK/text"
    } > draft
    chown "$READER_ID" draft
    reader_runs /usr/bin/mh/send "$WORK/home/draft"
    ended 0
    got_text 'from nmh'
    nothing_shown send msmtp mailbearer
}

@test "nmh fails" {
    fails gone nmh 1 "-ERR [AUTH] $BYE" /usr/bin/mh/inc
    fails far nmh 1 "-ERR [SYS/TEMP] mailbearer: $FAR" /usr/bin/mh/inc
    expect 1 "$(mail_count "$RELAY")"
}

@test "Python's own client by a command" {
    as_reader python3 - "mailbearer-fetch imap $RELAY" <<'END'
import imaplib, sys
with imaplib.IMAP4_stream(sys.argv[1]) as server:
    assert server.state == "AUTH", server.state
    assert server.select("INBOX")[1] == [b"1"]
END
}
