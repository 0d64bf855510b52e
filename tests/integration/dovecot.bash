# shellcheck shell=bash
# dovecot.bash - a private Dovecot in the part of Exchange Online: IMAP, POP3 and submission
# with XOAUTH2 and OAUTHBEARER, tokens checked by asking the stand-in (introspection).
#
# Needs:   lib.bash, start_entra
# Sets:    DOVECOT_IMAP(S), DOVECOT_POP3(S), DOVECOT_SUBMISSION (STARTTLS)
# Mail of USER is in $WORK/mail/USER/Maildir; what has no mailbox goes to postmaster@contoso.com.
#
# Each mailbox has a passdb of its own, because the question "may this token open that
# mailbox" names the mailbox and Dovecot's introspection request does not.

MAIL_USER=mail
MAILBOXES=(relay@contoso.com alice@contoso.com shared@contoso.com)
PLAIN_PASSWORD=CANARY-plain-password

# oauth2_settings FILE URL-SUFFIX
oauth2_settings() {
    cat > "$1" <<END
introspection_mode = post
introspection_url = $ENTRA_ADMIN/introspect$2
force_introspection = yes
username_attribute = username
active_attribute = active
active_value = true
timeout_msecs = 5000
END
}

# dovecot_passdbs - one for each mailbox, a last one that refuses, and passwords for PLAIN.
dovecot_passdbs() {
    local mailbox

    for mailbox in "${MAILBOXES[@]}"; do
        oauth2_settings "$WORK/dovecot/oauth2-$mailbox" "/$mailbox"
        cat <<END
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  username_filter = $mailbox
  args = $WORK/dovecot/oauth2-$mailbox
}
END
    done
    oauth2_settings "$WORK/dovecot/oauth2-others" ""
    cat <<END
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  username_filter = ${MAILBOXES[*]/#/!}
  args = $WORK/dovecot/oauth2-others
}
passdb {
  driver = static
  mechanisms = plain login
  args = password=$PLAIN_PASSWORD
}
userdb {
  driver = static
  args = uid=$MAIL_USER gid=$MAIL_USER home=$WORK/mail/%u allow_all_users=yes
}
END
}

# dovecot_settings - the main file, on standard output.
dovecot_settings() {
    cat <<END
base_dir = $WORK/dovecot/run
state_dir = $WORK/dovecot/state
instance_name = mailbearer-test
log_path = $WORK/dovecot/log
protocols = imap pop3 submission
listen = 127.0.0.1
hostname = localhost
postmaster_address = postmaster@contoso.com
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:$WORK/mail/%u/Maildir
auth_mechanisms = xoauth2 oauthbearer plain
auth_failure_delay = 0
auth_verbose = yes
disable_plaintext_auth = yes
ssl = yes
ssl_cert = <$WORK/tls/server.pem
ssl_key = <$WORK/tls/server.key
submission_relay_host = 127.0.0.1
submission_relay_port = $(< "$WORK/smarthost.port")
service imap-login {
  inet_listener imap {
    port = $DOVECOT_IMAP
  }
  inet_listener imaps {
    port = $DOVECOT_IMAPS
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = $DOVECOT_POP3
  }
  inet_listener pop3s {
    port = $DOVECOT_POP3S
    ssl = yes
  }
}
# A refused sign-in would make the next one from 127.0.0.1 wait 4, 8, 15 seconds.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service submission-login {
  inet_listener submission {
    port = $DOVECOT_SUBMISSION
  }
}
END
    dovecot_passdbs
}

if [[ $(/usr/sbin/dovecot --version 2>/dev/null) = 2.[4-9]* ]]; then
    # shellcheck source=dovecot24.bash
    . "$LIB_DIRECTORY/dovecot24.bash"
fi

# start_smarthost - what Dovecot's submission service hands messages to.
start_smarthost() {
    local mailbox

    for mailbox in "${MAILBOXES[@]}" postmaster@contoso.com; do
        mkdir -p "$WORK/mail/$mailbox"
    done
    chown -R "$MAIL_USER:$MAIL_USER" "$WORK/mail"
    rm -f "$WORK/smarthost.port"
    "$PYTHON" "$TESTS/fake/smarthost.py" --mail "$WORK/mail" --user "$MAIL_USER" \
        --catch-all postmaster@contoso.com --port-file "$WORK/smarthost.port" \
        3>&- >> "$WORK/smarthost.err" 2>&1 &
    record_pid $! smarthost
    retry_until 10 test -f "$WORK/smarthost.port"
}

# start_dovecot - returns when all its ports answer.
start_dovecot() {
    local port
    local -a ports

    make_certificates
    start_smarthost || return 1
    mapfile -t ports < <(free_ports 5)
    DOVECOT_IMAP=${ports[0]} DOVECOT_IMAPS=${ports[1]} DOVECOT_POP3=${ports[2]}
    DOVECOT_POP3S=${ports[3]} DOVECOT_SUBMISSION=${ports[4]}
    mkdir -p "$WORK/dovecot/run" "$WORK/dovecot/state"
    dovecot_settings > "$WORK/dovecot/dovecot.conf"
    /usr/sbin/dovecot -F -c "$WORK/dovecot/dovecot.conf" 3>&- >> "$WORK/dovecot/err" 2>&1 &
    record_pid $! dovecot
    for port in "${ports[@]}"; do
        retry_until 15 port_answers "$port" || {
            cat "$WORK/dovecot/err" "$WORK/dovecot/log" >&2
            return 1
        }
    done
}

# mail_count USER - messages in the user's inbox.
mail_count() {
    find "$WORK/mail/$1/Maildir/new" "$WORK/mail/$1/Maildir/cur" -type f 2>/dev/null | wc -l
}

# mail_holds USER TEXT - a message in the user's inbox holds the text.
mail_holds() {
    grep -rqF -- "$2" "$WORK/mail/$1/Maildir/new" "$WORK/mail/$1/Maildir/cur" 2>/dev/null
}

# fetch_mail USER TOKEN - the newest message, by IMAP with XOAUTH2 (Python's own client).
fetch_mail() {
    TOKEN=$2 "$PYTHON" - "$DOVECOT_IMAPS" "$1" "$WORK/tls/ca.pem" <<'END'
import imaplib, os, ssl, sys
port, user, ca = sys.argv[1:]
message = "user=%s\1auth=Bearer %s\1\1" % (user, os.environ["TOKEN"])
with imaplib.IMAP4_SSL("localhost", int(port),
                       ssl_context=ssl.create_default_context(cafile=ca)) as server:
    server.authenticate("XOAUTH2", lambda _: message.encode())
    count = int(server.select("INBOX", readonly=True)[1][0])
    print(server.fetch(str(count), "(RFC822)")[1][0][1].decode().replace("\r\n", "\n"))
END
}
