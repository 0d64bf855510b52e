#!/usr/bin/env bats
# asan: no, the plugin is loaded into Postfix, which is not ours
#
# Every refusal of Exchange's SMTP, and every failure on the way to it: a message for each row
# of ../cases/provoked/smtp.tsv, each from a mailbox of its own, all through one Postfix. The
# mail log must hold the right words, and `explain` must make the right thing of them.

load lib.bash
load agent.bash
load exchange.bash
load postfix.bash
load provoked.bash

setup_file() {
    make_ground
    start_exchange
    TABLE=$PROVOKED/smtp.tsv
    export EXCHANGE_ADMIN
    provoked order "$TABLE"
    RELAY_USERS=postfix write_accounts "defaults {$(exchange_servers)}" \
        "$(provoked accounts "$TABLE")"
    DOVECOT_SUBMISSION=$EXCHANGE_SMTP make_postfix
    # each sender signs in by itself; no row's failure stops another's delivery
    postfix_set smtp_sender_dependent_authentication=yes \
        smtp_destination_concurrency_failed_cohort_limit=0 \
        'transport_maps=inline:{contoso.com=discard:}' \
        minimal_backoff_time=300s maximal_backoff_time=300s queue_run_delay=300s
    (umask 077 && provoked passwords "$TABLE" > "$POSTFIX_ETC/sasl_passwd")
    start_agent "$AGENT_SOCKET"
    start_postfix
    export_work
    export TABLE POSTFIX_MASTER
}

teardown_file() {
    stop_all
}

# write_from AUTHOR ACCOUNT - a message by sendmail(1), to the account's name at example.net.
write_from() {
    printf 'From: %s\nTo: %s@example.net\nSubject: provoked\n\nHello.\n' "$1" "${2%@*}" |
        sendmail -C "$POSTFIX_ETC" -f "$2" -i "${2%@*}@example.net"
}

all_were_tried() {
    [[ $(grep -oE 'to=<smtp[0-9]+@example\.net>.* status=' "$MAILLOG" | cut -d '>' -f 1 | sort -u |
        wc -l) -ge $1 ]]
}

@test "the mail log: the server's words, deferred or bounced, for every row" {
    local account author count=0

    while IFS=$'\t' read -r account _ author _; do
        write_from "$author" "$account"
        count=$((count + 1))
    done < <(provoked list "$TABLE" maillog)
    retry_until 60 all_were_tried "$count"
    mkdir -p "$WORK/log"
    provoked log "$TABLE" "$MAILLOG" "$WORK/log"
}

@test "explain: each row's lines of the mail log, understood" {
    local account

    mkdir -p "$WORK/explained"
    while read -r account _; do
        "$MAILBEARER" explain < "$WORK/log/$account" > "$WORK/explained/$account" || :
    done < <(provoked list "$TABLE" maillog)
    provoked explained "$TABLE" "$WORK/explained"
}

@test "no secret in the logs, no mishap of the stand-in" {
    nothing_broke
    no_secret_in "$MAILLOG" "$WORK/agent.log" "$WORK/exchange.log" "$WORK/log"
}
