#!/usr/bin/env bats
# asan: no, a witness is loaded into programs that are not ours
#
# Programs that people read and write with, and what sends for them, with what `mailbearer
# setup` prints: mutt, neomutt, aerc, alpine, s-nail, msmtp.

load lib.bash
load agent.bash
load dovecot.bash
load fetch.bash
load setup.bash
load clients.bash

export NOBODY='nobody has signed in for this account yet'

setup_file() {
    make_clients_ground
    reader_accounts
    serve_clients
}

teardown_file() {
    stop_all
}

setup() {
    fresh_home
    a_letter
    a_text
    # What they ask for when they write; and where they leave their drafts.
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nexec cp "%s" "$1"\n' "$WORK/text" > "$WORK/bin/editor"
    chmod 755 "$WORK/bin/editor"
    READER_ENV=(EDITOR="$WORK/bin/editor" SHELL=/bin/sh TMPDIR="$WORK/home")
}

teardown() {
    screen_ends
}

# mutt_like PROGRAM CLIENT ACCOUNT - as it is printed, the program shows the letter and copies
# it into a folder, then sends a text.
mutt_like() {
    fresh_home
    a_letter
    as_printed "$2" "$3"
    screen "$1 -e 'set confirmcreate=no wait_key=no delete=no mbox_type=Maildir'"
    see 'a letter'
    keys C C-u "$WORK/home/saved" Enter
    retry_until 10 saved
    keys q
    screen_ends
    got_letter "$(find saved -type f)"
    READER_INPUT=$WORK/text reader_runs "$1" -s "by $1 $2 $3" "$RELAY"
    ended 0
    got_text "by $1 $2 $3"
    nothing_shown "$1" "mailbearer(-fetch)?"
}

saved() {
    [[ -n $(find saved/new saved/cur -type f) ]]
}

@test "a token on a command line or in the environment would be found" {
    as_reader /bin/echo hello
    nothing_shown echo
    refute nothing_shown mutt
    as_reader sh -c '/bin/echo eyJCANARY > /dev/null'
    refute nothing_shown echo
    fresh_home
    READER_ENV+=(TOKEN=eyJCANARY)
    as_reader /bin/echo hello
    refute nothing_shown echo
}

@test "mutt reads and sends" {
    mutt_like mutt mutt stls
    mutt_like mutt mutt "$RELAY"
}

@test "neomutt reads and sends" {
    mutt_like neomutt neomutt stls
    mutt_like neomutt neomutt "$RELAY"
}

@test "mutt by tunnels" {
    mutt_like mutt mutt-tunnel "$RELAY"
}

@test "neomutt by tunnels" {
    mutt_like neomutt mutt-tunnel "$RELAY"
}

# mutt_fails PROGRAM CLIENT ACCOUNT TEXT TEXT - it says the first where it should read, the
# second where it should send.
mutt_fails() {
    fresh_home
    as_printed "$2" "$3"
    screen "$1 -e 'set wait_key=no'"
    see "$4"
    screen_ends
    READER_INPUT=$WORK/text reader_runs "$1" -s 'must not be sent' "$RELAY"
    ended 1
    said "$5"
    refute mail_holds "$RELAY" 'must not be sent'
}

@test "mutt and neomutt fail" {
    mutt_fails mutt mutt gone "$NOBODY" "$NOBODY"
    mutt_fails neomutt neomutt gone "$NOBODY" "$NOBODY"
}

@test "mutt and neomutt trust no other server" {
    mutt_fails mutt mutt far 'This certificate belongs to' 'Untrusted server certificate'
    mutt_fails neomutt neomutt far 'This certificate belongs to' 'TLS failed'
}

@test "mutt and neomutt fail by tunnels" {
    mutt_fails mutt mutt-tunnel gone 'returned error 77' "$NOBODY"
    mutt_fails neomutt mutt-tunnel gone 'Unable to open mailbox' "$NOBODY"
}

# What the agent has is asked for once; so the first to ask for `big` gets a large token.
@test "a token of 6,000 bytes: by tunnels, with mutt; some programs say that it is too big" {
    set_client "$APP_CLIENT" '"token_size": 6000'
    [[ $(as_reader mailbearer token big | wc -c) -gt 6000 ]]
    mutt_like mutt mutt-tunnel big
    mutt_like neomutt mutt-tunnel big
    mutt_like mutt mutt big
    fresh_home
    as_printed msmtp big
    letter_to 'must not be sent'
    READER_INPUT=message reader_runs msmtp -t
    ended 65
    said 'longer than 4094 characters'
    a_letter
    as_printed neomutt big
    screen neomutt
    see 'Unable to open mailbox'
    refute screen_has 'a letter'
}

# letter_to SUBJECT - a whole message, from the relay to itself, in the file `message`.
letter_to() {
    {
        printf 'From: %s\nTo: %s\nSubject: %s\nMIME-Version: 1.0\n' "$RELAY" "$RELAY" "$1"
        printf 'Content-Type: text/plain; charset=utf-8\n\n'
        cat "$WORK/text"
    } > message
}

@test "msmtp sends" {
    local account

    for account in stls "$RELAY"; do
        fresh_home
        as_printed msmtp "$account"
        letter_to "by msmtp $account"
        READER_INPUT=message reader_runs msmtp -t
        ended 0
        got_text "by msmtp $account"
        nothing_shown msmtp mailbearer
    done
}

@test "msmtp fails" {
    letter_to 'must not be sent'
    as_printed msmtp gone
    READER_INPUT=message reader_runs msmtp -t
    ended 78
    said "$NOBODY"
    rm .msmtprc
    as_printed msmtp far
    READER_INPUT=message reader_runs msmtp -t
    ended 69
    said 'TLS certificate verification failed'
    refute mail_holds "$RELAY" 'must not be sent'
}

@test "s-nail sends" {
    as_printed s-nail
    READER_INPUT=$WORK/text reader_runs s-nail -s 'by s-nail' "$RELAY"
    ended 0
    got_text 'by s-nail'
    nothing_shown s-nail sendmail mailbearer # the name it gives to msmtp
}

@test "s-nail fails" {
    as_printed s-nail gone
    READER_INPUT=$WORK/text reader_runs s-nail -Ssendwait -s 'must not be sent' "$RELAY"
    refute expect 0 "$RC"
    said "$NOBODY"
    refute mail_holds "$RELAY" 'must not be sent'
}

@test "aerc reads and sends" {
    as_printed aerc
    screen aerc
    see 'a letter'
    keys ":pipe -b -m cp /dev/stdin $WORK/home/saved" Enter
    retry_until 10 test -s saved
    got_letter saved
    keys ":compose -H \"To: $RELAY\" -H \"Subject: by aerc\"" Enter
    see 'Send this email?'
    keys :send Enter
    got_text 'by aerc'
    keys :quit Enter
    nothing_shown aerc msmtp mailbearer
}

@test "aerc fails" {
    as_printed aerc gone
    screen aerc
    see 'failed to read password: exit status 77'
    refute screen_has 'a letter'
    screen_ends
    rm -r .config .msmtprc
    # It trusts the system's certificates; the environment can name others.
    as_printed aerc
    READER_ENV+=(SSL_CERT_FILE="$WORK/far/tls/ca.pem" SSL_CERT_DIR="$WORK/far")
    screen aerc
    see 'signed by unknown authority'
}

# alpine_opens - past the words with which it welcomes a new user.
alpine_opens() {
    screen 'alpine -i'
    see 'GREETING TEXT'
    keys e
}

# It writes `format=flowed`, in which blanks at the end of a line mean something else.
@test "alpine reads and sends" {
    sed -i 's/ *$//' "$WORK/text"
    as_printed alpine
    alpine_opens
    see 'a letter'
    keys E C-u saved Enter
    see 'exported to file "saved"'
    got_letter saved
    cp "$WORK/text" body
    keys c
    see 'COMPOSE MESSAGE'
    keys "$RELAY" Enter Enter Enter 'by alpine' Enter
    keys C-r
    see 'File to insert'
    keys body Enter
    see 'The end.'
    keys C-x
    see 'Send message'
    keys y
    see '"sent-mail"'
    keys y
    got_text 'by alpine'
    nothing_shown alpine mailbearer-fetch msmtp mailbearer
}

@test "alpine fails" {
    as_printed alpine gone
    alpine_opens
    see "No such host as localhost.invalid" # and no connection in clear
    refute screen_has 'a letter'
}
