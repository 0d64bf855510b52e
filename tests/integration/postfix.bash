# shellcheck shell=bash
# postfix.bash - a private Postfix instance whose smtp(8) runs chrooted, as Debian ships it.
#
# Needs: lib.bash; the packages postfix and (for the plugin) $BUILD/libmailbearer.so
# Sets:  POSTFIX_ETC, QUEUE (the jail), MAILLOG, AGENT_SOCKET (the compiled-in path, in the jail)
#
# Nothing outside $WORK is touched. The plugin is found by SASL_PATH, which Postfix hands to
# its daemons because import_environment says so; libsasl reads it before the chroot.

postfix_paths() {
    # shellcheck disable=SC2034
    AGENT_SOCKET=$WORK/postfix/queue/run/mailbearer/agent.sock
    POSTFIX_ETC=$WORK/postfix/etc
    QUEUE=$WORK/postfix/queue
    MAILLOG=$WORK/postfix/maillog
}

# make_sasl_path - $WORK/sasl2 with our plugin beside the system's.
make_sasl_path() {
    local file

    mkdir -p "$WORK/sasl2"
    for file in /usr/lib/*/sasl2/*.so /usr/lib/sasl2/*.so; do
        [[ ! -f $file ]] || ln -sf "$file" "$WORK/sasl2/"
    done
    if [[ -f $BUILD/libmailbearer.so ]]; then
        cp "$BUILD/libmailbearer.so" "$WORK/sasl2/"
    fi
}

# postfix_settings - main.cf, on standard output. Short back-off, for the tests' sake, and one
# address for each try: where /etc/hosts has `::1 localhost`, localhost is two addresses.
postfix_settings() {
    cat <<END
compatibility_level = 3.6
queue_directory = $QUEUE
data_directory = $WORK/postfix/data
maillog_file = $MAILLOG
maillog_file_prefixes = /var, /dev/stdout, $WORK
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME SASL_PATH=$WORK/sasl2
myhostname = relay.contoso.com
mydestination =
alias_maps =
inet_interfaces = loopback-only
inet_protocols = ipv4
relayhost = [localhost]:$DOVECOT_SUBMISSION
smtp_host_lookup = native
smtp_mx_address_limit = 1
smtp_tls_security_level = secure
smtp_tls_CAfile = $WORK/tls/ca.pem
smtp_tls_loglevel = 1
smtp_sasl_auth_enable = yes
smtp_sasl_mechanism_filter = xoauth2
smtp_sasl_tls_security_options = noanonymous
smtp_sasl_password_maps = texthash:$POSTFIX_ETC/sasl_passwd
minimal_backoff_time = 2s
maximal_backoff_time = 4s
queue_run_delay = 2s
END
}

# make_postfix - configuration and jail. postfix_set changes settings afterwards.
make_postfix() {
    postfix_paths
    mkdir -p "$POSTFIX_ETC" "$QUEUE" "$WORK/postfix/data"
    chown postfix: "$WORK/postfix/data"
    make_sasl_path
    postfix_settings > "$POSTFIX_ETC/main.cf"
    # Debian's own table of services, without the listener on port 25.
    sed '/^smtp *inet /d' /usr/share/postfix/master.cf.dist > "$POSTFIX_ETC/master.cf"
    cp /etc/postfix/dynamicmaps.cf "$POSTFIX_ETC/" 2>/dev/null || : > "$POSTFIX_ETC/dynamicmaps.cf"
    write_sasl_passwd relay@contoso.com:agent:
    # The jail is filled by Debian's own script; since 3.9.1 Postfix runs it at each start.
    grep -q 'run by postfix-script' /usr/lib/postfix/configure-instance.sh ||
        MAIL_CONFIG=$POSTFIX_ETC /usr/lib/postfix/configure-instance.sh - \
            > "$WORK/postfix/jail.out" 2>&1
}

# write_sasl_passwd VALUE - for the relay host.
write_sasl_passwd() {
    (umask 077 && printf '[localhost]:%s %s\n' "$DOVECOT_SUBMISSION" "$1" \
        > "$POSTFIX_ETC/sasl_passwd")
}

# postfix_set NAME=VALUE... - before start_postfix, or followed by reload_postfix.
postfix_set() {
    postconf -c "$POSTFIX_ETC" -e "$@"
}

# run_postfix WORD - start, stop, reload, flush. Its own messages are in the log.
run_postfix() {
    postfix -c "$POSTFIX_ETC" "$1" 3>&- >> "$WORK/postfix/out" 2>&1
}

# start_postfix - the daemons; makes configuration and jail where that was not done.
start_postfix() {
    [[ -n ${POSTFIX_ETC:-} && -f $POSTFIX_ETC/main.cf ]] || make_postfix || return 1
    run_postfix start || { cat "$WORK/postfix/out" >&2; return 1; }
    retry_until 10 test -s "$QUEUE/pid/master.pid"
    POSTFIX_MASTER=$(tr -d ' ' < "$QUEUE/pid/master.pid")
    record_pid "$POSTFIX_MASTER" postfix
}

# submit RECIPIENT SUBJECT [SENDER] - by sendmail(1), as any program on the host would.
submit() {
    printf 'From: %s\nTo: %s\nSubject: %s\n\nA message for the test: %s.\n' \
        "${3:-relay@contoso.com}" "$1" "$2" "$2" |
        sendmail -C "$POSTFIX_ETC" -f "${3:-relay@contoso.com}" -i "$1"
}

# queue_json - what waits, one JSON object a line (postqueue -j).
queue_json() {
    postqueue -c "$POSTFIX_ETC" -j
}

queue_is_empty() {
    [[ -z $(queue_json) ]]
}

# queue_length - messages that wait.
queue_length() {
    queue_json | wc -l
}

# delay_reasons - why each recipient waits, a line each.
delay_reasons() {
    queue_json | "$PYTHON" -c 'import json, sys
for line in sys.stdin:
    for recipient in json.loads(line)["recipients"]:
        print(recipient.get("delay_reason", ""))'
}

# deferred_with TEXT - something waits for a reason that holds the text.
deferred_with() {
    delay_reasons | grep -qF -- "$1"
}

# drain_queue SECONDS - waits until nothing does any more. Nobody flushes: Postfix tries
# again by itself.
drain_queue() {
    retry_until "$1" queue_is_empty
}

# log_holds TEXT - the mail log has it.
log_holds() {
    grep -qF -- "$1" "$MAILLOG"
}

# nothing_bounced - neither bounced nor lost: what was accepted was sent or still waits.
nothing_bounced() {
    ! grep -E 'status=(bounced|undeliverable)|/bounce\[' "$MAILLOG"
}

# smtp_pids - the smtp(8) processes of this instance.
smtp_pids() {
    pgrep -P "$POSTFIX_MASTER" -x smtp
}

# smtp_roots - the root directories of those processes, as the kernel says; "hidden" where a
# container does not let root look (no CAP_SYS_PTRACE).
smtp_roots() {
    local pid

    for pid in $(smtp_pids); do
        readlink "/proc/$pid/root" || echo hidden
    done
}

# smtp_is_chrooted - every smtp(8) has the queue directory as its root. Where that is hidden,
# the socket tells: it was found by a path that leads nowhere outside the jail.
smtp_is_chrooted() {
    local root

    root=$(smtp_roots | sort -u)
    [[ $root = "$QUEUE" ]] || { [[ $root = hidden ]] && [[ ! -e /run/mailbearer/agent.sock ]]; }
}
