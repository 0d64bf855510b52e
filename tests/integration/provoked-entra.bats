#!/usr/bin/env bats
#
# Every error of the token endpoint that the stand-in can be made to answer: the agent is
# asked for a token, and `status` and `token` must say what is wrong and how to mend it. The
# table is ../cases/provoked/entra.tsv; each row has an account of its own.

load lib.bash
load agent.bash
load provoked.bash

setup_file() {
    make_ground
    export USER_SCOPE
    TABLE=$PROVOKED/entra.tsv
    mkdir -p "$WORK/secrets"
    provoked order "$TABLE"
    RELAY_USERS='' write_accounts "$(
        other_provider nowhere nowhere.example.com
        other_provider shared common
        provoked accounts "$TABLE")"
    take_over
    start_agent
    export_work
    export TABLE
}

# other_provider NAME TENANT - the stand-in with another tenant.
other_provider() {
    printf 'provider "%s" {\n    token_endpoint = "%s/%s/oauth2/v2.0/token"\n    scope = "%s"\n}\n' \
        "$1" "$ENTRA_URL" "$2" "$APP_SCOPE"
}

# take_over - those who signed in.
take_over() {
    local account who

    while read -r account _ _ who; do
        [[ $who != person ]] ||
            "$MAILBEARER" -c "$WORK/mailbearer.conf" import refresh-token - "$account" \
                < "$WORK/secrets/$account" > "$WORK/import.out"
    done < <(provoked list "$TABLE")
}

teardown_file() {
    stop_all
}

teardown() {
    no_secret_in "$WORK"
}

@test "token: the code of the exit, the words and the remedy" {
    local account

    mkdir -p "$WORK/token"
    while read -r account _; do
        mailbearer token "$account"
        expect 2 "$(wc -l < "$WORK/err")"
        mv "$WORK/err" "$WORK/token/$account"
        echo "$RC" > "$WORK/token/$account.exit"
    done < <(provoked list "$TABLE")
    provoked check "$TABLE" token "$WORK/token"
}

@test "status: the words and the remedy, for every row" {
    local account

    mkdir -p "$WORK/status"
    while read -r account _; do
        mailbearer status "$account"
        mv "$WORK/out.token" "$WORK/status/$account"
    done < <(provoked list "$TABLE" status)
    provoked check "$TABLE" status "$WORK/status"
}
