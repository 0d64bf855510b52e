#!/usr/bin/env bats
# mailbearer-fetch under real mail programs: fetchmail, mutt and mbsync as they are.

load lib.bash
load agent.bash
load dovecot.bash
load fetch.bash

setup_file() {
    make_fetch_ground
    RELAY_USERS=fetchmail write_fetch_accounts
    start_agent
    export_work
    export DOVECOT_SUBMISSIONS
    mkdir "$WORK/home"
    chown fetchmail "$WORK/home"
}

teardown_file() {
    stop_all
}

setup() {
    cd "$WORK/home" || return 1
    rm -rf "${WORK:?}/home"/*
}

teardown() {
    stop_named odd
}

# fetchmail_with LINES - as its own user, as Debian's service runs it. Sets RC; what it says
# is in $WORK/err, the mail in $WORK/home/got.token.
fetchmail_with() {
    printf '%s\n' "$1" > rc
    chown fetchmail rc
    chmod 600 rc
    RC=0
    timeout 100 setpriv --reuid fetchmail --regid "$(id -g fetchmail)" --clear-groups \
        env HOME="$WORK/home" MAILBEARER_SOCKET="$MAILBEARER_SOCKET" \
        fetchmail -v --nodetach --nosyslog -f rc --pidfile "$WORK/home/pid" \
        > "$WORK/err" 2>&1 || RC=$?
}

fetchmail_ended() {
    expect "$1" "$RC" || { tail -n 40 "$WORK/err" >&2; return 1; }
}

received() {
    grep -c '^Subject: number' got.token || :
}

@test "fetchmail by IMAP" {
    inbox 3
    fetchmail_with "poll localhost protocol imap service $DOVECOT_IMAPS plugin \"$FETCH imap %h %p $RELAY\" auth ssh user \"$RELAY\" is me here sslproto '' keep mda \"cat >> $WORK/home/got.token\""
    fetchmail_ended 0
    expect 3 "$(received)"
}

@test "fetchmail by POP3, without a sign-in and with a dummy password" {
    inbox 2
    fetchmail_with "poll localhost protocol pop3 service $DOVECOT_POP3S plugin \"$FETCH pop3 %h %p $RELAY\" auth ssh user \"$RELAY\" is me here sslproto '' keep mda \"cat >> $WORK/home/got.token\""
    fetchmail_ended 0
    expect 2 "$(received)"
    fetchmail_with "poll localhost protocol pop3 service $DOVECOT_POP3 plugin \"$FETCH pop3 %h %p starttls\" auth password user \"$RELAY\" password \"dummy\" is me here sslproto '' fetchall mda \"cat >> $WORK/home/got.token\""
    fetchmail_ended 0
    expect 4 "$(received)"
    expect 0 "$(mail_count "$RELAY")"
}

@test "fetchmail, nothing there: status 1" {
    inbox 0
    fetchmail_with "poll localhost protocol imap service $DOVECOT_IMAPS plugin \"$FETCH imap %h %p $RELAY\" auth ssh user \"$RELAY\" is me here sslproto ''"
    fetchmail_ended 1
}

@test "fetchmail reports failures, none as a mailbox that is in use" {
    fetchmail_with "poll localhost protocol imap plugin \"$FETCH imap nobody\" auth ssh user \"$RELAY\" is me here sslproto ''"
    fetchmail_ended 2
    expect_in "$(cat "$WORK/err")" '* BYE mailbearer: '
    start_odd pop3-refuse
    fetchmail_with "poll localhost protocol pop3 service $ODD plugin \"$FETCH pop3 %h %p $RELAY\" auth ssh user \"$RELAY\" is me here sslproto ''"
    fetchmail_ended 3
    expect_in "$(cat "$WORK/err")" '-ERR [AUTH] mailbearer: localhost refused the sign-in'
    refute grep -qi 'lock busy' "$WORK/err"
    fetchmail_with "poll localhost protocol pop3 plugin \"$FETCH pop3 %h 1 $RELAY\" auth ssh user \"$RELAY\" is me here sslproto ''"
    expect_in "$(cat "$WORK/err")" '-ERR [SYS/TEMP] mailbearer: localhost: cannot connect'
    refute grep -qi 'lock busy' "$WORK/err"
}

@test "mutt reads by an IMAP tunnel and sends by an SMTP tunnel" {
    inbox 2
    cat > muttrc <<END
set tunnel="$FETCH imap $RELAY"
set folder=imap://$RELAY@localhost/ spoolfile=imap://$RELAY@localhost/INBOX
set header_cache="" message_cachedir="" record="" copy=no confirmappend=no
set mbox_type=mbox quit=yes wait_key=no
set confirmcreate=no
push "<copy-message><kill-line>$WORK/home/got.token<enter><exit>"
END
    HOME=$WORK/home TERM=vt100 timeout 40 script -qec "mutt -n -F muttrc" /dev/null \
        < /dev/null > mutt.out 2>&1 || { cat -v mutt.out >&2; false; }
    grep -q '^Subject: number' got.token
    cat > sendrc <<END
set tunnel="$FETCH smtp $RELAY"
set smtp_url=smtp://localhost/ from=$RELAY record="" copy=no ssl_starttls=no
END
    echo Hello | HOME=$WORK/home timeout 40 mutt -n -F sendrc -s 'sent by mutt' "$RELAY"
    retry_until 10 mail_holds "$RELAY" 'Subject: sent by mutt'
}

@test "mbsync by a tunnel, both ways" {
    inbox 2
    mkdir -p near
    cat > mbsyncrc <<END
IMAPAccount relay
Tunnel "$FETCH imap $RELAY"

IMAPStore far
Account relay

MaildirStore near
Path $WORK/home/near/
Inbox $WORK/home/near/inbox

Channel c
Far :far:
Near :near:
Patterns INBOX
Create Near
SyncState *
Sync All
END
    HOME=$WORK/home timeout 60 mbsync -c mbsyncrc -a
    expect 2 "$(grep -rl '^Subject: number' near/inbox | wc -l)"
    printf 'From: a@b.example\nSubject: number from here\n\nx\n' > near/inbox/cur/1.here:2,S
    HOME=$WORK/home timeout 60 mbsync -c mbsyncrc -a
    mail_holds "$RELAY" 'Subject: number from here'
}

@test "Python's own client by a command" {
    inbox 1
    "$PYTHON" - "$FETCH imap $RELAY" <<'END'
import imaplib, sys
with imaplib.IMAP4_stream(sys.argv[1]) as server:
    assert server.state == "AUTH", server.state
    assert server.select("INBOX")[1] == [b"1"]
END
}
