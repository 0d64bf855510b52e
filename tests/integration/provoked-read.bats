#!/usr/bin/env bats
#
# Every refusal of Exchange's IMAP and POP3 (../cases/provoked/read.tsv), said by the tunnel
# in the protocol's own words; and what `doctor` makes of them and of those of SMTP.

load lib.bash
load agent.bash
load exchange.bash
load provoked.bash

setup_file() {
    make_ground
    cp "$BUILD/mailbearer-fetch" "$WORK/bin/"
    start_exchange
    export EXCHANGE_ADMIN
    READ=$PROVOKED/read.tsv SMTP=$PROVOKED/smtp.tsv
    provoked order "$READ"
    provoked order "$SMTP"
    RELAY_USERS='' write_accounts "defaults {$(exchange_servers)}" \
        "$(provoked accounts "$READ")" "$(provoked accounts "$SMTP")"
    start_agent
    export_work
    export READ SMTP
}

teardown_file() {
    stop_all
}

teardown() {
    nothing_broke
    no_secret_in "$WORK"
}

# doctor ACCOUNT PROTOCOL - into $WORK/doctor/ACCOUNT.
doctor() {
    LC_ALL=C.UTF-8 mailbearer doctor "$1" "--$2"
    [[ $RC = 75 || $RC = 77 ]] || { echo "$1: doctor ended with $RC" >&2; return 1; }
    mv "$WORK/out.token" "$WORK/doctor/$1"
}

@test "mailbearer-fetch: the server's words, the remedy, the exit" {
    local account layer

    mkdir -p "$WORK/fetch"
    while read -r account layer _; do
        run_quiet "$WORK/bin/mailbearer-fetch" "${layer/#pop/pop3}" "$account" < /dev/null
        mv "$WORK/out.token" "$WORK/fetch/$account"
        echo "$RC" > "$WORK/fetch/$account.exit"
    done < <(provoked list "$READ" fetch)
    provoked check "$READ" fetch "$WORK/fetch"
}

@test "doctor: the server's words and the remedy, reading" {
    local account layer

    mkdir -p "$WORK/doctor"
    while read -r account layer _; do
        doctor "$account" "${layer/#pop/pop3}"
    done < <(provoked list "$READ" doctor)
    provoked check "$READ" doctor "$WORK/doctor"
}

@test "doctor: the server's words and the remedy, sending" {
    local account

    mkdir -p "$WORK/doctor"
    while read -r account _; do
        doctor "$account" smtp
    done < <(provoked list "$SMTP" doctor)
    provoked check "$SMTP" doctor "$WORK/doctor"
}

@test "at least 60 different rows of the catalogue are provoked, and each of them exists" {
    provoked count "$PROVOKED"/*.tsv -- "$TOP/token-helper/catalogue/catalogue.tsv" \
        > "$WORK/counted"
    cat "$WORK/counted"
    (($(tail -n 1 "$WORK/counted") >= 60))
    # a row that does not exist is noticed, and so is a word that is not there
    printf 'layer\tcode\thow\twhere\texit\twords\nsmtp\t999 9.9.9\tghost:\tmaillog\tdeferred\tx\n' \
        > "$WORK/odd.tsv"
    refute provoked count "$WORK/odd.tsv" -- "$TOP/token-helper/catalogue/catalogue.tsv"
    : > "$WORK/odd.log"
    refute provoked log "$WORK/odd.tsv" "$WORK/odd.log" "$WORK"
}
