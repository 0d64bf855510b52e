# shellcheck shell=bash
# postfix.bash - Postfix delivers 2,000 messages, signed in with XOAUTH2 through the agent,
# and 2,000 with PLAIN, in turn; the server's own check costs the same for both: nothing.
#
# Used by:  run
# Needs:    lib.bash, postfix.bash of the integration tests

# relay_settings - two transports that differ in the sign-in alone.
relay_settings() {
    local name
    local -a mechanism=([0]=plain [1]=xoauth2)

    postfix_set "relayhost =" "smtp_tls_security_level = none" \
        "smtp_sasl_security_options = noanonymous" "smtp_sasl_password_maps =" \
        "transport_maps = inline:{plain.test=plain:[127.0.0.1]:$1, xoauth2.test=xoauth2:[127.0.0.1]:$1}" \
        "default_process_limit = 200" "qmgr_message_active_limit = 20000" \
        "minimal_backoff_time = 1000s" "maximal_backoff_time = 1000s" "queue_run_delay = 1000s"
    for name in "${mechanism[@]}"; do
        printf '%s unix - - y - - smtp\n -o smtp_sasl_mechanism_filter=%s\n' "$name" "$name"
        printf ' -o smtp_sasl_password_maps=texthash:%s/%s_passwd\n' "$POSTFIX_ETC" "$name"
    done >> "$POSTFIX_ETC/master.cf"
    printf '127.0.0.1:smtp inet n - n - - smtpd\n' | sed "s/smtp inet/$2 inet/" >> "$POSTFIX_ETC/master.cf"
    (
        umask 077
        printf '[127.0.0.1]:%s user:password\n' "$1" > "$POSTFIX_ETC/plain_passwd"
        printf '[127.0.0.1]:%s %s:agent:\n' "$1" "$ACCOUNT" > "$POSTFIX_ETC/xoauth2_passwd"
    )
}

# deliver NAME - queues the messages while the transport rests, lets it go, and prints the
# microseconds until the sink has had the last one.
deliver() {
    local began lines

    lines=$(wc -l < "$WORK/sink.times")
    postfix_set "defer_transports = $1"
    run_postfix reload
    smtp-source -s 10 -m "$POSTFIX_MESSAGES" -l 2000 -f relay@contoso.com -t "x@$1.test" \
        "127.0.0.1:$inlet" || return 1
    retry_until 60 queue_has "$POSTFIX_MESSAGES" || return 1
    postfix_set "defer_transports ="
    run_postfix reload
    began=${EPOCHREALTIME/./}
    postqueue -c "$POSTFIX_ETC" -f
    retry_until 120 has_lines $((lines + 1)) || return 1
    retry_until 30 queue_is_empty
    echo $(($(tail -n 1 "$WORK/sink.times") - began))
}

has_lines() {
    [[ $(wc -l < "$WORK/sink.times") -ge $1 ]]
}

queue_has() {
    [[ $(queue_length) -eq $1 ]]
}

bench_postfix() {
    local inlet i took plain xoauth2

    POSTFIX_MESSAGES=$(rounds 2000)
    : > "$WORK/sink.times"
    "$BENCH/sink" "$WORK/sink.port" "$POSTFIX_MESSAGES" "$WORK/sink.times" 2> "$WORK/sink.err" &
    record_pid $! sink
    retry_until 10 test -s "$WORK/sink.port"
    inlet=$(free_ports 1)
    DOVECOT_SUBMISSION=$(< "$WORK/sink.port")
    make_postfix || return 1
    relay_settings "$DOVECOT_SUBMISSION" "$inlet"
    bench_accounts 10
    sed -i 's/^defaults {/&\n    allow_users = { postfix }/' "$WORK/mailbearer.conf"
    start_agent "$AGENT_SOCKET" && start_postfix || return 1
    for ((i = 0; i < 5; i++)); do
        for name in plain xoauth2; do
            took=$(deliver $name) || return 1
            # the first of each fills caches
            ((i == 0)) || echo "$took" >> "$WORK/took.$name"
        done
    done
    plain=$(sort -n "$WORK/took.plain" | sed -n 2p)
    xoauth2=$(sort -n "$WORK/took.xoauth2" | sed -n 2p)
    figure "Postfix, $POSTFIX_MESSAGES messages: XOAUTH2 by the agent / PLAIN" \
        "$(ratio "$xoauth2" "$plain")" 1.05 x "$xoauth2 / $plain us"
    nothing_bounced || return 1
}
