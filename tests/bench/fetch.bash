# shellcheck shell=bash
# fetch.bash - what the tunnel costs, beside curl straight to the server: a mailbox of
# 500 MB, and one of a single line, which is the time to the first byte.
#
# Used by:  run
# Needs:    lib.bash, agent.bash, dovecot.bash, fetch.bash of the integration tests

MESSAGES=10
MESSAGE_BYTES=50000000

# big_inbox COUNT BYTES - so many messages of that size for the relay's mailbox.
big_inbox() {
    {
        printf 'From: bob@example.net\nSubject: large\n\n'
        yes 'seventy-two characters of nothing in particular, again and again, line' |
            head -c "$2"
    } > "$WORK/large"
    inbox "$1" "$WORK/large"
    rm "$WORK/large"
}

# curl_config MESSAGES - what curl reads, so that no token is in its arguments.
curl_config() {
    (umask 077 && {
        printf 'url = "imaps://localhost:%s/INBOX;MAILINDEX=[1-%s]"\n' "$DOVECOT_IMAPS" "$1"
        printf 'user = "%s"\noauth2-bearer = "%s"\n' "$RELAY" \
            "$("$MAILBEARER" token -c "$WORK/mailbearer.conf" "$RELAY")"
        printf 'cacert = "%s"\noutput = "/dev/null"\nsilent\nfail\n' "$WORK/tls/ca.pem"
        # shellcheck disable=SC1003
        printf 'write-out = "%%{size_download}\\n"\n'
    } > "$WORK/curl.token")
}

# beside_curl ROUNDS MESSAGES - what curl and what the tunnel took, from the start of the
# program to its end, sign-in included: microseconds; sets `took`.
beside_curl() {
    curl_config "$2"
    mapfile -t took < <("$BENCH/compare" "$1" 0 "$(command -v curl)" -q -K "$WORK/curl.token" -- \
        "$BENCH/fetch_mail" "$2" "$FETCH" imap "$RELAY")
}

bench_fetch() {
    local -a took

    make_fetch_ground && write_fetch_accounts && start_agent || return 1
    inbox 1
    beside_curl "$(rounds 31)" 1
    figure "one line of mail through the tunnel / curl to the server" \
        "$(ratio "${took[1]:-}" "${took[0]:-}")" 1.3 x \
        "${took[1]:-} / ${took[0]:-} us"
    big_inbox "$MESSAGES" "$MESSAGE_BYTES"
    beside_curl "$(rounds 5)" "$MESSAGES"
    # the time it may take is the throughput it must reach, turned over
    figure "500 MB through the tunnel: time / curl's (throughput 0.9)" \
        "$(ratio "${took[1]:-}" "${took[0]:-}")" 1.11 x "${took[1]:-} / ${took[0]:-} us"
    stop_agent
    stop_named dovecot
    stop_named smarthost
}
