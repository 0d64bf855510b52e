#!/usr/bin/env bats
# asan: no, the plugin is loaded into Postfix, which is not ours
#
# What `mailbearer setup` prints for mail servers, and for programs that administrators use,
# is used verbatim with the program itself; tokens have 2.5 kB.

load lib.bash
load agent.bash
load dovecot.bash
load postfix.bash
load netns.bash
load setup.bash
load mta.bash

setup_file() {
    make_world
    export_work
    export PRIVATE_PID
}

teardown_file() {
    stop_all
}

setup() {
    rm -rf "${WORK:?}/home" "$WORK/mail/alice@contoso.com/Maildir"
    mkdir -m 755 "$WORK/home"
    : > "$WORK/dovecot/log"
}

teardown() {
    [[ -n ${BATS_TEST_COMPLETED:-} ]] || show_logs
    stop_named postfix
    stop_named server
    no_secret_in "$WORK/home" "$WORK/dovecot/log"
}

show_logs() {
    local file

    for file in "$WORK/postfix/maillog" "$WORK/agent.log" "$WORK/dovecot/log" "$WORK/err" \
        "$WORK/server.log" "$WORK/smtpd.log"; do
        [[ ! -f $file ]] || { printf '== %s\n' "${file##*/}"; tail -n 15 "$file"; } >&2
    done
}

# --- Postfix -----------------------------------------------------------------------------

# printed_postfix CLIENT... - Postfix as Debian ships it, and what is printed added to it.
printed_postfix() {
    local client

    umount /etc/postfix 2> /dev/null || :
    rm -rf "$WORK/postfix/etc" "$WORK/postfix/maillog"
    make_postfix
    sed -i -E '/^(relayhost|smtp_tls_(security|CAfile)|smtp_sasl_)/d' "$POSTFIX_ETC/main.cf"
    rm "$POSTFIX_ETC/sasl_passwd"
    cp -an /etc/postfix/. "$POSTFIX_ETC/"
    mount --bind "$POSTFIX_ETC" /etc/postfix
    for client; do
        use_printed "${client%:*}" "${client#*:}"
    done
    expect '' "$(postconf -c "$POSTFIX_ETC" 2>&1 > /dev/null)"
    start_postfix
}

# went_out SUBJECT - sent, not bounced, and nothing waits.
went_out() {
    drain_queue 20
    nothing_bounced
    arrived "$1"
    smtp_is_chrooted
    no_secret_in "$WORK/postfix"
}

postfix_relayhost() {
    printed_postfix "postfix:$RELAY"
    submit alice@contoso.com all
    went_out all
    signed_in "$RELAY"
}

@test "postfix" {
    in_world postfix_relayhost
}

postfix_other_senders() {
    printed_postfix "postfix:$RELAY"
    sed -i 's/^#sender_canonical/sender_canonical/' /etc/postfix/main.cf
    run_postfix reload
    submit alice@contoso.com rewritten root@relay.contoso.com
    went_out rewritten
    mail_holds alice@contoso.com "From: $RELAY"
    refute mail_holds alice@contoso.com 'root@relay'
}

@test "postfix: with the lines switched on every sender becomes the mailbox" {
    in_world postfix_other_senders
}

postfix_two_senders() {
    printed_postfix "postfix-senders:$RELAY"
    # As the text says: its lines of the two tables for each further mailbox.
    print_clean postfix-senders second
    cut_setup "$WORK/setup/second" "$WORK/home" < "$WORK/setup/printed"
    cat "$WORK/setup/second/etc/postfix/sender_relay" >> /etc/postfix/sender_relay
    cat "$WORK/setup/second/etc/postfix/sasl_passwd" >> /etc/postfix/sasl_passwd
    run_postfix reload
    submit alice@contoso.com one "$RELAY"
    submit alice@contoso.com two shared@contoso.com
    went_out one
    went_out two
    signed_in "$RELAY"
    signed_in shared@contoso.com
}

@test "postfix-senders: each sender signs in as its own mailbox" {
    in_world postfix_two_senders
}

postfix_table() {
    local socket=$WORK/postfix/queue/run/mailbearer/agent.sock

    write_own_host
    printed_postfix "postfix-socketmap:$RELAY"
    submit alice@contoso.com table
    went_out table
    signed_in "$RELAY"
    [[ ! -e /etc/postfix/sasl_passwd ]]
    # From outside of the jail, by proxymap.
    sed -i -e 's/^smtp_sasl_password_maps/#&/' -e 's/^#\(.*proxy\)/\1/' /etc/postfix/main.cf
    mv "$socket" "$socket.moved"
    run_postfix reload
    submit alice@contoso.com proxied
    drain_queue 20
    mv "$socket.moved" "$socket"
    arrived proxied
}

# write_own_host - one account alone has the host: the agent answers for it.
write_own_host() {
    cp "$WORK/mailbearer.conf" "$WORK/mailbearer.conf.both"
    sed -i '/^account "second"/,/^}/d' "$WORK/mailbearer.conf"
    retry_until 10 agent_answers_for "[localhost]:$DOVECOT_SUBMISSION"
}

agent_answers_for() {
    ask sasl "$1" /run/mailbearer/agent.sock | grep -q "^$RELAY:"
}

@test "postfix-socketmap: the agent is the table, in the jail and outside of it" {
    in_world postfix_table
    mv "$WORK/mailbearer.conf.both" "$WORK/mailbearer.conf"
}

postfix_own_transport() {
    printed_postfix "postfix-transport:$RELAY"
    # What is not this sender's goes as before: here, to a server with no sign-in at all.
    postconf -e "relayhost = [localhost]:$(< "$WORK/smarthost.port")" \
        smtp_tls_security_level=none
    run_postfix reload
    submit alice@contoso.com mine "$RELAY"
    submit alice@contoso.com others root@relay.contoso.com
    went_out mine
    went_out others
    log_holds 'postfix/mailbearer/smtp'
    expect 1 "$(grep -c 'Login: user=' "$WORK/dovecot/log")"
    expect 2 "$(postconf -hx mailbearer_destination_concurrency_limit)"
}

@test "postfix-transport: only its own mail signs in" {
    in_world postfix_own_transport
}

postfix_defers() {
    printed_postfix "postfix-transport:$RELAY"
    printf '%s mailbearer:[localhost]:%s\n' "$RELAY" "$(< "$WORK/smarthost.port")" \
        > /etc/postfix/sender_transport
    run_postfix reload
    submit alice@contoso.com kept "$RELAY"
    retry_until 20 log_holds status=deferred
    expect 1 "$(queue_length)"
    expect 0 "$(mail_count alice@contoso.com)"
    postsuper -c "$POSTFIX_ETC" -d ALL
}

@test "postfix-transport: a server without TLS gets neither token nor mail" {
    in_world postfix_defers
}

# --- other mail servers -------------------------------------------------------------------

exim_sends() {
    use_printed exim
    {
        printf 'primary_hostname = relay.contoso.com\ndomainlist local_domains =\n'
        printf 'spool_directory = %s/exim\nlog_file_path = %s/exim.%%s\n' "$WORK" "$WORK"
        printf 'keep_environment =\nbegin routers\n'
        cat /etc/exim4/conf.d/router/150_mailbearer
        printf 'begin transports\n'
        cat /etc/exim4/conf.d/transport/30_mailbearer
        printf 'begin retry\n* * F,1h,1s\nbegin authenticators\n'
        cat /etc/exim4/conf.d/auth/30_mailbearer
    } > /etc/exim4/exim4.conf
    touch "$WORK"/exim.{main,panic}
    mkdir -p "$WORK/exim"
    chown Debian-exim: "$WORK"/exim "$WORK"/exim.{main,panic}
    letter exim | exim4 -odi -f "$RELAY" alice@contoso.com 2> "$WORK/err"
    arrived exim || { cat "$WORK/exim.main" >&2; return 1; }
    signed_in "$RELAY"
    expect_in "$(cat "$WORK/exim.main")" ' A=mailbearer_xoauth2 '
    # The line for other senders: they become the mailbox, the recipient stays.
    sed -i "s/^begin retry/begin rewrite\n$(sed -n 's/^#  *\(\*.*\)/\1/p' "$WORK/setup/printed")\n&/" \
        /etc/exim4/exim4.conf
    letter rewritten | exim4 -odi -f root@relay.contoso.com alice@contoso.com 2>> "$WORK/err"
    arrived rewritten || { cat "$WORK/exim.main" >&2; return 1; }
    # No token: the message waits.
    stop_named agent
    mv "$WORK/mailbearer.conf" "$WORK/mailbearer.conf.away"
    letter later | exim4 -odi -f "$RELAY" alice@contoso.com 2>> "$WORK/err"
    mv "$WORK/mailbearer.conf.away" "$WORK/mailbearer.conf"
    expect 1 "$(exim4 -bpc)"
    start_world_agent
    exim4 -qff
    arrived later
    expect 0 "$(exim4 -bpc)"
    no_secret_in "$WORK/exim" "$WORK"/exim.{main,panic}
}

@test "exim (unpacked)" {
    with_packages exim4-daemon-light exim_sends
}

sendmail_sends() {
    mkdir -p /etc/mail /var/spool/mqueue /var/spool/mqueue-client
    cat > /etc/mail/sendmail.mc <<'END'
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`debian')dnl
define(`confDOMAIN_NAME', `relay.contoso.com')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confSERVICE_SWITCH_FILE', `/etc/mail/service.switch')dnl
FEATURE(`nocanonify')dnl
FEATURE(`nouucp', `reject')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
END
    use_printed sendmail
    m4 /etc/mail/sendmail.mc > /etc/mail/sendmail.cf
    : > /etc/mail/local-host-names
    echo 'hosts files' > /etc/mail/service.switch # there is no name server
    letter sendmail |
        /usr/libexec/sendmail/sendmail -Am -odi -i -v -f "$RELAY" alice@contoso.com \
            > "$WORK/server.log" 2>&1
    arrived sendmail
    signed_in "$RELAY"
    no_secret_in "$WORK/server.log"
}

@test "sendmail (unpacked)" {
    with_packages 'sendmail-bin sendmail-base sendmail-cf' sendmail_sends
}

# --- programs -----------------------------------------------------------------------------

# writer COMMAND... - a person who may have the relay's token, in the home directory.
writer() {
    setpriv --reuid writer --regid writer --clear-groups -- env -i -C "$WORK/home" \
        HOME="$WORK/home" USER=writer PATH="$WORK/bin:/usr/bin:/bin" LANG=C.UTF-8 \
        EMAIL="$RELAY" "${WRITER_ENV[@]}" "$@"
}

# writer_uses CLIENT... - the files that the writer is told to make are there.
writer_uses() {
    local client PRINT_AS=writer

    for client; do
        use_printed "$client"
    done
}

# as_writer COMMAND... - sets RC; what it prints is home/out, what it complains err.
as_writer() {
    chown -R writer: "$WORK/home"
    RC=0
    writer timeout 60 "$@" > "$WORK/home/out" 2> "$WORK/err" || RC=$?
}

worked() {
    expect 0 "$RC" || { cat "$WORK/err" "$WORK/home/out" >&2; return 1; }
}

curl_commands() {
    writer_uses curl
    as_writer sh -e "$WORK/setup/commands"
    worked
    arrived 'test by curl' "$RELAY"
    signed_in "$RELAY"
    expect_in "$(cat "$WORK/home/out")" '* LIST '
    grep -q 'pop3-login: Info: Login' "$WORK/dovecot/log"
}

@test "curl" {
    in_world curl_commands
}

swaks_tunnel() {
    writer_uses swaks
    as_writer sh -e "$WORK/setup/commands"
    worked
    arrived test "$RELAY"
    signed_in "$RELAY"
}

@test "swaks, through the tunnel" {
    in_world swaks_tunnel
}

dovecot_copies() {
    local i

    mkdir -p "$WORK/mail/$RELAY/Maildir/"{cur,new,tmp}
    for i in 1 2 3; do
        letter "number $i" > "$WORK/mail/$RELAY/Maildir/new/$i.test"
    done
    chown -R mail:mail "$WORK/mail/$RELAY"
    writer_uses dovecot
    as_writer sh -e "$WORK/setup/commands"
    worked
    for i in 1 2 3; do
        grep -rqx "Subject: number $i" "$WORK/home/Mail/$RELAY"
    done
    [[ ! -e $WORK/home/.cache/mailbearer-dovecot/token ]]
}

@test "dovecot, doveadm backup by imapc" {
    in_world dovecot_copies
}

# a_patch - a commit's patch in the home directory.
a_patch() {
    letter "[PATCH] $1" > "$WORK/home/0001.patch"
    printf -- '---\n file | 1 +\n\n--\n2.39\n' >> "$WORK/home/0001.patch"
}

git_by_msmtp() {
    writer_uses git-msmtp
    a_patch msmtp
    as_writer git send-email --quiet --confirm=never --to alice@contoso.com 0001.patch
    worked
    arrived '[PATCH] msmtp'
    signed_in "$RELAY"
}

@test "git send-email by msmtp" {
    in_world git_by_msmtp
}

git_by_helper() {
    # shellcheck disable=SC2034
    local PRINT_AS=writer

    mkdir -p "$WORK/perl/Authen/SASL/Perl"
    cp "$TESTS/integration/XOAUTH2.pm" "$WORK/perl/Authen/SASL/Perl/"
    chmod -R a+rX "$WORK/perl"
    WRITER_ENV=(PERL5LIB="$WORK/perl")
    # The limit that the text tells of: one line, and Dovecot takes no long one.
    use_printed git "$RELAY"
    a_patch helper
    as_writer git send-email --quiet --confirm=never --to alice@contoso.com 0001.patch
    refute worked 2> /dev/null
    expect_in "$(cat "$WORK/err")" 'Line too long'
    expect 0 "$(mail_count alice@contoso.com)"
    rm "$WORK/home/.gitconfig"
    use_printed git second
    set_client "$APP_CLIENT" '"token_size": 200, "token": "opaque"'
    "$MAILBEARER" token --refresh second > "$WORK/setup.token"
    as_writer git send-email --quiet --confirm=never --to alice@contoso.com 0001.patch
    set_client "$APP_CLIENT" '"token_size": 2500, "token": "jwt"'
    worked
    arrived '[PATCH] helper'
    signed_in shared@contoso.com
}

@test "git send-email by the credential helper, with Authen::SASL's newer mechanism" {
    in_world git_by_helper
}

emacs_sends() {
    writer_uses emacs
    as_writer sh -e "$WORK/setup/commands"
    worked
    cat > "$WORK/home/send.el" <<'END'
(load "~/.emacs.d/init.el")
(with-temp-buffer
  (insert "From: relay@contoso.com\nTo: alice@contoso.com\nSubject: emacs\n"
          mail-header-separator "\nHello.\n")
  (smtpmail-send-it))
END
    as_writer emacs -Q --batch -l send.el
    worked
    arrived emacs
    signed_in "$RELAY"
}

@test "emacs, smtpmail sends with a long token" {
    in_world emacs_sends
}

emacs_reads() {
    mkdir -p "$WORK/mail/$RELAY/Maildir/"{cur,new,tmp}
    letter 'read by gnus' > "$WORK/mail/$RELAY/Maildir/new/1.test"
    chown -R mail:mail "$WORK/mail/$RELAY"
    writer_uses emacs
    as_writer sh -e "$WORK/setup/commands"
    cat > "$WORK/home/read.el" <<'END'
(load "~/.emacs.d/init.el")
(require 'nnimap)
(nnheader-init-server-buffer)
(setq server (nth 1 gnus-select-method))
(nnimap-open-server server (nthcdr 2 gnus-select-method))
(nnimap-request-group "INBOX" server)
(with-temp-buffer
  (nnimap-request-article 1 "INBOX" server (current-buffer))
  (princ (buffer-string)))
END
    as_writer emacs -Q --batch -l read.el
    worked
    expect_in "$(cat "$WORK/home/out")" 'Subject: read by gnus'
}

@test "emacs, Gnus reads by the tunnel" {
    in_world emacs_reads
}

# --- by local port ------------------------------------------------------------------------

nullmailer_sends() {
    local queue=/var/spool/nullmailer

    local_port nullmailer
    fill_in /etc/nullmailer/remotes
    chown -R nullmail: /etc/nullmailer
    mkdir -p "$queue"/{queue,tmp,failed} "$WORK/setup/wait"
    mkfifo -m 622 "$queue/trigger"
    chown -R nullmail: "$queue"
    printf 'root@relay.contoso.com\nalice@contoso.com\n\n%s\n' "$(letter nullmailer)" \
        > "$queue/queue/1.1"
    chown nullmail: "$queue/queue/1.1"
    setpriv --reuid nullmail --regid nullmail --clear-groups \
        /usr/sbin/nullmailer-send > "$WORK/nullmailer.log" 2>&1 3>&- &
    record_pid $! server
    arrived nullmailer || { cat "$WORK/nullmailer.log" >&2; return 1; }
    signed_in "$RELAY"
    retry_until 10 expect '' "$(ls "$queue/queue")"
}

@test "nullmailer, by local port (unpacked)" {
    with_packages nullmailer nullmailer_sends
}

opensmtpd_sends() {
    mkdir -p /var/spool/smtpd
    local_port opensmtpd
    fill_in /etc/smtpd.mailbearer
    printf 'listen on lo port 2526\n' | cat - /etc/smtpd.conf > "$WORK/smtpd.conf"
    cp "$WORK/smtpd.conf" /etc/smtpd.conf
    mkdir -p /var/lib/opensmtpd/empty
    chmod 711 /var/spool/smtpd
    /usr/sbin/smtpd -d -f /etc/smtpd.conf > "$WORK/smtpd.log" 2>&1 3>&- &
    record_pid $! server
    retry_until 10 port_answers 2526
    letter opensmtpd > "$WORK/letter"
    # By SMTP: smtpctl would have to be setgid.
    curl -sS --crlf --max-time 30 --mail-from root@relay.contoso.com \
        --mail-rcpt alice@contoso.com --upload-file "$WORK/letter" smtp://127.0.0.1:2526
    arrived opensmtpd || { cat "$WORK/smtpd.log" >&2; return 1; }
    signed_in "$RELAY"
}

@test "opensmtpd, by local port with TLS (unpacked)" {
    with_packages opensmtpd opensmtpd_sends
}

swaks_by_port() {
    PORT_FILES=writer_uses local_port swaks-port
    fill_in "$WORK/home/.swaksrc"
    as_writer sh -e "$WORK/setup/then"
    worked
    arrived test "$RELAY"
    signed_in "$RELAY"
    sed -i 's/^--auth-password .*/--auth-password wrong-password/' "$WORK/home/.swaksrc"
    as_writer sh -e "$WORK/setup/then"
    refute worked 2> /dev/null
}

@test "swaks by local port" {
    in_world swaks_by_port
}

# What a portal does with its settings, in Python.
portal_sends() {
    local_port liferay
    fill_in "$WORK/setup/files/portal-ext.properties"
    "$PYTHON" - "$WORK/setup/files/portal-ext.properties" <<'END'
import smtplib, sys
settings = dict(line.strip().split("=", 1) for line in open(sys.argv[1]) if "=" in line)
value = lambda name: settings["mail.session.mail.smtp." + name]
with smtplib.SMTP(value("host"), int(value("port")), "portal") as server:
    server.login(value("user"), value("password"))
    sender = settings["admin.email.from.address"]
    server.sendmail(sender, ["alice@contoso.com"],
                    "From: %s\r\nSubject: portal\r\n\r\nHello.\r\n" % sender)
END
    arrived portal
    signed_in "$RELAY"
}

@test "liferay's settings, by local port" {
    in_world portal_sends
}

# as_told PROTOCOL - curl signs in at the local port with the account's name and password.
as_told() {
    sed "s/^/user = \"$RELAY:/; s/\$/\"/" "$WORK/setup/password.token" |
        curl -sS --max-time 20 -K - "$1" > "$WORK/home/out" 2> "$WORK/err"
}

every_port() {
    mkdir -p "$WORK/mail/$RELAY/Maildir/"{cur,new,tmp}
    letter 'at a port' > "$WORK/mail/$RELAY/Maildir/new/1.test"
    chown -R mail:mail "$WORK/mail/$RELAY"
    local_port local-port
    while read -r command; do
        eval "$command" 3>&- 2>> "$WORK/server.log"
        record_pid $! server
    done < <(grep ' &$' "$WORK/setup/then")
    retry_until 10 port_answers 1143
    retry_until 10 port_answers 1110
    as_told 'imap://127.0.0.1:1143/INBOX;MAILINDEX=1'
    grep -qa 'Subject: at a port' "$WORK/home/out"
    as_told pop3://127.0.0.1:1110/1
    grep -qa 'Subject: at a port' "$WORK/home/out"
    sed -i 's/$/x/' "$WORK/setup/password.token"
    refute as_told pop3://127.0.0.1:1110/1
    expect '' "$(cat "$WORK/home/out")"
}

@test "any program, by local ports for IMAP and POP3" {
    in_world every_port
}
