#!/bin/bash
# trial.bash - README.md's sections "Postfix" and "A person's mail", followed word for word on
# a machine where everything else is as it would be: smtp.office365.com and
# outlook.office365.com are a Dovecot, login.microsoftonline.com is the stand-in Entra, and the
# machine trusts their authority. Prints TAP, numbered from COUNT + 1 on.
#
# Run by packaging/debian/readme-trial.sh in a chroot of its own, with a network, processes and
# a /dev of its own, where the packages are installed. There is no init system in there: what
# one does at boot is done here (Postfix is started, mail.log is written), and of all commands
# one is replaced: for `systemctl enable --now` README.md's own command for machines without
# systemd starts the agent.
#
# usage: trial.bash COUNT
set -u
cd "${BASH_SOURCE[0]%/*}/../.." || exit 1
export MAILBEARER_INSTALLED=yes
. tests/integration/lib.bash
. tests/integration/dovecot.bash

COUNT=$1
BROKEN=
HOSTS=(login.microsoftonline.com smtp.office365.com outlook.office365.com)
QUEUE=/var/spool/postfix
MAIL_LOG=/var/log/mail.log

# step TITLE COMMAND... - one test; what comes after a failed one has nothing to work with.
step() {
    local status title=$1

    shift
    COUNT=$((COUNT + 1))
    if [[ -n $BROKEN ]]; then
        echo "not ok $COUNT - $title"
        echo '# not tried: a step before it failed'
        return
    fi
    # In a condition, set -e would do nothing.
    (set -e; "$@") > "$WORK/step" 2>&1 < /dev/null
    status=$?
    if [[ $status -eq 0 ]]; then
        echo "ok $COUNT - $title"
        [[ -z ${VERBOSE:-} ]] || sed 's/^/# /' "$WORK/step"
    else
        echo "not ok $COUNT - $title"
        cut -c 1-300 "$WORK/step" | tail -n 60 | sed 's/^/# /'
        sed 's/^/# mail.log: /' "$MAIL_LOG" | tail -n 20
        BROKEN=yes
    fi
}

# blocks FOLDER SECTION - takes the section's code blocks apart (blocks.awk).
blocks() {
    mkdir "$1"
    awk -v folder="$1" -v section="$2" -f tests/readme/blocks.awk README.md
}

# --- what is there before ---------------------------------------------------------------

# Dovecot's ports are the real ones: imap, imaps, pop3, pop3s, submission.
free_ports() {
    printf '%s\n' 143 993 110 995 587
}

# directory - the stand-in's: the application may send, and nothing else; a device code is
# approved at the second time it is asked about.
directory() {
    cat > "$WORK/directory.json" <<END
{"tenants": {"$TENANT": {"id": "c0ffee00-1111-4222-8333-444455556666"}},
 "clients": {"$APP_CLIENT": {"secret": "$APP_SECRET", "roles": ["SMTP.SendAsApp"],
                             "mailboxes": ["relay@contoso.com"]},
             "$PUBLIC_CLIENT": {"public": true, "device": {"interval": 1, "polls": 2,
                                                           "user": "alice@contoso.com"}}},
 "users": {"relay@contoso.com": {}, "alice@contoso.com": {}}}
END
}

# in_background COMMAND... - a server of the stage; it ends with the trial.
in_background() {
    "$@" >> "$WORK/background" 2>&1 &
}

the_world() {
    local host

    make_certificates "${HOSTS[@]}"
    cp "$WORK/tls/ca.pem" /usr/local/share/ca-certificates/trial.crt
    update-ca-certificates
    in_background tests/fake/dns.py "${HOSTS[@]}"
    in_background tests/fake/syslog.py /dev/log "$MAIL_LOG"
    echo 'nameserver 127.0.0.1' > /etc/resolv.conf
    directory
    start_entra --tls --port 443 --config "$WORK/directory.json"
    start_dovecot
    for host in "${HOSTS[@]}"; do
        getent ahosts "$host"
    done
    openssl s_client -verify_return_error -verify_hostname smtp.office365.com -starttls smtp \
        -connect smtp.office365.com:587 < /dev/null > /dev/null
    openssl s_client -verify_return_error -verify_hostname login.microsoftonline.com \
        -connect login.microsoftonline.com:443 < /dev/null > /dev/null
}

# As its unit does.
postfix_as_installed() {
    expect y "$(postconf -F -h smtp/unix/chroot)"
    /usr/lib/postfix/configure-instance.sh -
    postfix start
}

# --- Postfix ----------------------------------------------------------------------------

# write_file BLOCK - its file gets the block's text, as an editor would leave it.
write_file() {
    local path

    path=$(sed "s,^~/,$HOME/," "$1.path")
    mkdir -p "${path%/*}"
    cat "$1" > "$path"
    ls -l "$path"
}

# follow BLOCK - its commands, on the way a person would go: each must do.
follow() {
    bash -evc "$(< "$1")" <<< "$APP_SECRET"
}

# agent_alone - by the command for machines without systemd.
agent_alone() {
    local -a command

    read -ra command < "$(grep -l '^mailbearer agent ' "$WORK"/postfix/0?)"
    "${command[@]}" >> "$WORK/agent.log" 2>&1 &
    record_pid $! agent
    retry_until 10 test -S "$QUEUE/run/mailbearer/agent.sock" || { cat "$WORK/agent.log"; return 1; }
}

secret_and_agent() {
    expect 'systemctl enable --now mailbearer.socket mailbearer.service' \
        "$(tail -n 1 "$WORK/postfix/02")"
    sed '$d' "$WORK/postfix/02" > "$WORK/commands"
    follow "$WORK/commands"
    agent_alone
}

delivered() {
    retry_until 20 mail_holds postmaster@contoso.com "$1"
    mailq | grep 'Mail queue is empty'
}

by_xoauth2() {
    grep -E 'submission-login: Info: (Login|Logged in): user=<relay@contoso.com>, method=XOAUTH2,' \
        "$WORK/dovecot/log"
    grep 'relay=smtp.office365.com.*status=sent' "$MAIL_LOG"
}

# of_package PACKAGE PATH
of_package() {
    dpkg -S "$2" | grep "^$1[:,]"
}

# The jail, the plugin and the agent are what the packages brought.
chrooted() {
    local pid plugin agent

    pid=$(pgrep -x smtp)
    ls -l "/proc/$pid/root"
    expect "$QUEUE" "$(readlink "/proc/$pid/root")"
    plugin=$(sed -n 's,.* \(/.*/libmailbearer.so\)$,\1,p' "/proc/$pid/maps" | sort -u)
    of_package libsasl2-modules-mailbearer "$plugin"
    agent=$(sed -n 's/ agent$//p' "$WORK/pids")
    ls -l "/proc/$agent/exe"
    of_package mailbearer "$(readlink "/proc/$agent/exe")"
}

nothing_secret() {
    no_secret_in "$MAIL_LOG" "$WORK/agent.log" /var/spool/postfix/deferred
}

# Without the agent nothing goes out: it was the token that did it.
waits() {
    stop_agent
    printf 'Subject: second\n\nIt waits.\n' | sendmail -f relay@contoso.com you@example.com
    retry_until 20 grep -q status=deferred "$MAIL_LOG"
    refute mail_holds postmaster@contoso.com 'It waits.'
    # README.md, "When something fails"; the first of its commands needs the agent.
    sed 1d "$WORK/fails/01" > "$WORK/commands"
    follow "$WORK/commands" | tee "$WORK/explained"
    grep 'client secret' "$WORK/explained"
    grep 'agent' "$WORK/explained"
}

goes() {
    agent_alone
    follow "$WORK/works/01" | tee "$WORK/known"
    expect 2 "$(grep -c '^eyJ' "$WORK/known")"
    postqueue -f
    delivered 'It waits.'
}

# --- a person ---------------------------------------------------------------------------

# as_alice COMMAND... - from her home.
as_alice() {
    (cd /home/alice && setpriv --reuid alice --regid alice --init-groups \
        env -i PATH="$PATH" HOME=/home/alice USER=alice LOGNAME=alice TERM=xterm LC_ALL=C.UTF-8 "$@")
}

# her_file BLOCK - written by her.
her_file() {
    local path

    path=$(sed 's,^~/,/home/alice/,' "$1.path")
    as_alice mkdir -p "${path%/*}"
    as_alice tee "$path" < "$1"
    as_alice chmod 600 "$path"
}

# a_letter - in her mailbox.
a_letter() {
    mkdir -p "$WORK/mail/alice@contoso.com/Maildir"/{cur,new,tmp}
    printf 'From: bob@example.net\nTo: alice@contoso.com\nSubject: %s\n\nHello.\n' "$1" \
        > "$WORK/mail/alice@contoso.com/Maildir/new/$1"
    chown -R "$MAIL_USER:$MAIL_USER" "$WORK/mail/alice@contoso.com"
}

signs_in() {
    useradd -m alice
    as_alice mkdir -p .config/mailbearer
    as_alice tee .config/mailbearer/mailbearer.conf < "$WORK/person/01"
    as_alice bash -evc "$(< "$WORK/person/02")"
}

fetchmail_fetches() {
    a_letter by-fetchmail
    her_file "$WORK/person/03"
    as_alice fetchmail --nosyslog --mda 'cat >> /home/alice/fetched'
    grep '^Subject: by-fetchmail' /home/alice/fetched
}

mutt_reads_and_sends() {
    a_letter by-mutt
    her_file "$WORK/person/04"
    as_alice script -qec "mutt -e 'set confirmcreate=no wait_key=no delete=no mbox_type=Maildir' \
        -e 'push C<kill-line>/home/alice/saved<enter><quit>'" /dev/null > "$WORK/screen"
    grep -r '^Subject: by-mutt' /home/alice/saved
    as_alice bash -c 'echo Sent by mutt. | mutt -s mutt postmaster@contoso.com'
    retry_until 10 mail_holds postmaster@contoso.com 'Sent by mutt.'
}

msmtp_sends() {
    her_file "$WORK/person/05"
    as_alice bash -c 'printf "Subject: msmtp\n\nSent by msmtp.\n" | msmtp postmaster@contoso.com'
    retry_until 10 mail_holds postmaster@contoso.com 'Sent by msmtp.'
}

# README.md leaves the local side to the reader.
mbsync_syncs() {
    a_letter by-mbsync
    her_file "$WORK/person/06"
    printf '%s\n' '' 'MaildirStore here' 'Path ~/Mail/' 'Inbox ~/Mail/INBOX' '' \
        'Channel mail' 'Far :contoso:' 'Near :here:' 'Create Near' |
        as_alice tee -a .mbsyncrc
    as_alice mkdir Mail
    as_alice mbsync mail
    grep -r '^Subject: by-mbsync' /home/alice/Mail/INBOX
}

make_work
trap stop_all EXIT
blocks "$WORK/postfix" Postfix
blocks "$WORK/works" 'How to know it works'
blocks "$WORK/fails" 'When something fails'
blocks "$WORK/person" "A person's mail"
step 'the stand-ins have the real names' the_world
step 'Postfix runs, smtp chrooted, as Debian installs it' postfix_as_installed
step 'README, Postfix: the accounts file' write_file "$WORK/postfix/01"
step 'README, Postfix: secret and agent' secret_and_agent
step 'README, Postfix: main.cf' follow "$WORK/postfix/03"
step 'README, Postfix: doctor finds nothing wrong, a message is sent' follow "$WORK/postfix/04"
step 'the message is delivered' delivered 'Sent with a token.'
step 'by XOAUTH2' by_xoauth2
step 'smtp is chrooted; plugin and agent are the packages' chrooted
step 'README, When something fails: without the agent mail waits, and is explained' waits
step 'README, How to know it works; the mail that waited goes' goes
step 'no secret in logs and queue' nothing_secret
step "README, A person's mail: signs in" signs_in
step "README, A person's mail: fetchmail" fetchmail_fetches
step "README, A person's mail: mutt" mutt_reads_and_sends
step "README, A person's mail: msmtp" msmtp_sends
step "README, A person's mail: mbsync" mbsync_syncs
[[ -z $BROKEN ]]
