#!/usr/bin/env bats
# `mailbearer status`: what it says of refreshes, errors and all that will expire, as text,
# as JSON and for Prometheus; with an agent and without.

load lib.bash
load agent.bash

setup_file() {
    make_ground
}

teardown_file() {
    stop_all
}

setup() {
    fresh_ground
    write_accounts "$(alice_account)"
}

teardown() {
    stop_agent
    no_secret_in "$WORK"
}

# exposition [NAME LABEL=VALUE...] - reads the last output (exposition.py).
exposition() {
    out | "$PYTHON" "$LIB_DIRECTORY/exposition.py" "$@"
}

# status_of ACCOUNT KEY
status_of() {
    asked status "$1" --format json
    out | json_get "accounts/0/$2"
}

# metric NAME [LABEL=VALUE...] - of a fresh `status --format prometheus`.
metric() {
    asked status --format prometheus
    exposition "mailbearer_$1" "${@:2}"
}

# make_certificate DAYS - $WORK/secrets/app.pem and app.key, good for so long.
make_certificate() {
    openssl req -x509 -newkey rsa:2048 -nodes -days "$1" -subj /CN=relay \
        -keyout "$WORK/secrets/app.key" -out "$WORK/secrets/app.pem" 2>/dev/null
    chmod 600 "$WORK/secrets/app.key"
}

# not_after - when that certificate expires, as openssl reads it.
not_after() {
    date -d "$(openssl x509 -noout -enddate -in "$WORK/secrets/app.pem" | cut -d= -f2)" +%s
}

certificate_account() {
    account_section cert 'grant = client_credentials' "client_id = $APP_CLIENT" \
        "client_certificate = \"$WORK/secrets/app.pem\"" \
        "client_key = \"$WORK/secrets/app.key\""
}

@test "the parser of the tests refuses what the format does not allow" {
    local good bad
    local head='# HELP a text\n# TYPE a gauge\n'

    good="$head"'a{x="1\\\\2\\"3\\n4",y=""} 1\na 2.5e3 1700000000\na{x="NaN"} NaN\n'
    printf %b "$good" > "$WORK/out.token"
    expect '{"x": "1\\2\"3\n4", "y": ""}' "$(exposition | head -n 1 | cut -f 2)"
    expect 2.5e3 "$(exposition a)"
    for bad in "${head}a 1" "${head}a 1\nb 2\n" 'a 1\n' '# HELP a t\na 1\n' '# TYPE a gauge\na 1\n' \
        "${head}a one\n" "${head}a{x=1} 1\n" "${head}a{x=\"1} 1\n" "${head}a{x=\"\\\\t\"} 1\n" \
        "${head}a{x=\"1\"x=\"2\"} 1\n" "${head}a{x=\"1\",x=\"2\"} 1\n" "${head}a{1x=\"1\"} 1\n" \
        "${head}a 1\na 1\n" "${head}a{x=\"1\"} 1\na{x=\"1\"} 2\n" "${head}1a 1\n" "${head}a  1\n" \
        "${head}a 1 2 3\n" "${head}a 1.2.3\n" "${head}\na 1\n" "# TYPE a number\n" \
        "${head}# TYPE a gauge\n" "${head}a 1\n# HELP a t\n" "# HELP a t\\\\x\n# TYPE a gauge\na 1\n" \
        "${head}a 1\n# HELP b t\n# TYPE b gauge\nb 1\na{x=\"2\"} 1\n" "#a\n" "${head}a{x=\"\377\"} 1\n"; do
        printf %b "$bad" > "$WORK/out.token"
        refute exposition
    done
}

@test "prometheus: valid, and says what json says" {
    import_alice
    asked token "$ALICE"
    asked status --format json
    cp "$WORK/out.token" "$WORK/status.json"
    asked status --format prometheus
    exposition > "$WORK/samples"
    expect "$(json_get accounts/0/obtained_at < "$WORK/status.json")" \
        "$(exposition mailbearer_last_refresh_timestamp_seconds account="$ALICE")"
    expect "$(json_get accounts/0/refresh_token_at < "$WORK/status.json")" \
        "$(exposition mailbearer_refresh_token_last_used_timestamp_seconds account="$ALICE")"
    local left
    left=$(exposition mailbearer_token_expires_seconds account="$ALICE")
    ((left > 3580 && left <= 3600))
    expect 0 "$(exposition mailbearer_refresh_failures account="$ALICE")"
    expect 0 "$(exposition mailbearer_tokens_unsaved account="$ALICE")"
    # One state each, out of five.
    expect 10 "$(grep -c '^mailbearer_account_state' "$WORK/samples")"
    expect 2 "$(grep '^mailbearer_account_state' "$WORK/samples" | grep -c '1$')"
    expect 1 "$(exposition mailbearer_account_state account="$ALICE" state=ok)"
    expect 0 "$(exposition mailbearer_account_state account="$ALICE" state=idle)"
    expect 1 "$(exposition mailbearer_account_state account="$RELAY" state=idle)"
    # What is unknown has no sample.
    expect '' "$(exposition mailbearer_token_expires_seconds account="$RELAY")"
    refute grep -q secret_expires "$WORK/samples"
    refute grep -q certificate "$WORK/samples"
}

@test "prometheus: an ended token, failures, and one account alone" {
    asked token "$RELAY"
    expire_stored "$RELAY"
    fault '"fault": "503"'
    mailbearer token "$RELAY"
    expect 0 "$(metric token_expires_seconds account="$RELAY")"
    expect 1 "$(metric refresh_failures account="$RELAY")"
    expect 1 "$(metric account_state account="$RELAY" state=failing)"
    asked status "$ALICE" --format prometheus
    expect '' "$(exposition mailbearer_refresh_failures account="$RELAY")"
    expect 1 "$(exposition mailbearer_account_state account="$ALICE" state=signed-out)"
}

@test "prometheus: names with everything in them stay one label" {
    local name='a\b"c{}=,# x'

    write_accounts "$(app_account 'a\\b\"c{}=,# x' "secret_expires = 2031-02-03")" \
        "$(app_account 'jürgen')"
    expect 1 "$(metric account_state account="$name" state=idle)"
    expect 1927843200 "$(metric secret_expires_timestamp_seconds account="$name")"
    expect 1 "$(metric account_state account=jürgen state=idle)"
}

@test "prometheus: through the agent it is the same" {
    import_alice
    start_agent
    run_quiet "$MAILBEARER" token "$ALICE"
    expect 0 "$RC"
    asked status --format prometheus
    expect 1 "$(exposition mailbearer_account_state account="$ALICE" state=ok)"
    expect 0 "$(exposition mailbearer_tokens_unsaved account="$ALICE")"
    expect 1 "$(exposition mailbearer_account_state account="$RELAY" state=idle)"
}

@test "prometheus: one broken record does not hide the others, and is not silent" {
    asked token "$RELAY"
    echo nonsense > "$(record_file "$RELAY")"
    mailbearer status --format prometheus
    expect 74 "$RC"
    expect_in "$(cat "$WORK/err")" "$RELAY: "
    expect 1 "$(exposition mailbearer_account_state account="$ALICE" state=signed-out)"
    expect '' "$(exposition mailbearer_account_state account="$RELAY" state=ok)"
    echo nonsense > "$(record_file "$ALICE")"
    mailbearer status --format prometheus
    expect 74 "$RC"
    expect 4 "$(wc -l < "$WORK/err")"
    expect '' "$(out)"
}

@test "a format that is none is refused" {
    mailbearer status --format promotheus
    expect 64 "$RC"
    expect '' "$(out)"
    expect_in "$(cat "$WORK/err")" 'usage: mailbearer status'
}

@test "the certificate's end: text, json and prometheus, without an agent and with one" {
    local day

    write_accounts
    make_certificate 100
    write_accounts "$(certificate_account)"
    expect "$(not_after)" "$(status_of cert certificate_expires)"
    expect "$(not_after)" "$(metric certificate_expires_timestamp_seconds account=cert)"
    asked status cert
    day=$(date -u -d "@$(not_after)" +%F)
    [[ $(out) =~ "the client certificate expires in "(99|100)" days ($day)" ]]
    refute grep -q 'make a new one' "$WORK/out.token"
    make_certificate 10
    asked status cert
    [[ $(out) =~ "the client certificate expires in "(9|10)" days" ]]
    expect_in "$(out)" 'make a new one before'
    start_agent
    retry_until 5 agent_knows_the_end
    expect "$(not_after)" "$(status_of cert certificate_expires)"
    grep -qE 'cert: the client certificate expires in (9|10) days' "$WORK/agent.log"
    rm "$WORK/secrets/app.pem"
    stop_agent
    unset MAILBEARER_SOCKET
    expect '' "$(status_of cert certificate_expires)"
    expect idle "$(status_of cert state)"
}

agent_knows_the_end() {
    [[ -n $(status_of cert certificate_expires) ]]
}

@test "the secret's end is always shown, the advice when it is near" {
    write_accounts "$(app_account later "secret_expires = $(date -u -d '+100 days' +%F)")"
    asked status later
    expect_in "$(out)" 'the client secret expires in 99 days'
    refute grep -q 'make a new one' "$WORK/out.token"
}

@test "the refresh token's last use, and Microsoft's 90 days" {
    local used

    # The preset's endpoint is not asked for a status.
    write_accounts 'account "ms" {' "    client_id = $PUBLIC_CLIENT" '}' "$(alice_account)"
    echo CANARY-refresh | "$MAILBEARER" -c "$WORK/mailbearer.conf" import refresh-token - ms \
        > "$WORK/import.out"
    used=$(status_of ms refresh_token_at)
    expect $((used + 90 * 86400)) "$(status_of ms refresh_token_expires)"
    expect $((used + 90 * 86400)) \
        "$(metric refresh_token_expires_timestamp_seconds account=ms)"
    asked status ms
    expect_in "$(out)" "the refresh token was last used $(date -u -d "@$used" +%FT%TZ), unused it expires $(date -u -d "@$((used + 90 * 86400))" +%F)"
    set_stored ms refresh_token_at $(($(date +%s) - 91 * 86400))
    asked status ms
    expect_in "$(out)" 'the refresh token has probably expired: not used since '
    # Of others' refresh tokens it is not known.
    import_alice
    asked status "$ALICE"
    expect_in "$(out)" 'the refresh token was last used '
    refute grep -q 'unused it expires' "$WORK/out.token"
    expect '' "$(status_of "$ALICE" refresh_token_expires)"
}

@test "the last error with its class and its remedy" {
    fault '"fault": "503"'
    mailbearer token "$RELAY"
    asked status "$RELAY"
    expect_in "$(out)" '(temporary, 1 in a row): '
    entra_admin clear
    rm -rf "$WORK/store"
    write_accounts
    set_client "$APP_CLIENT" '"secret_expired": true'
    mailbearer token "$RELAY"
    asked status "$RELAY"
    expect_in "$(out)" '(a person must act, 1 in a row): '
    expect_in "$(out)" 'to mend it: '
}

@test "json of an account that only the agent knows, without an accounts file" {
    start_agent
    RC=0
    HOME=$WORK/nowhere XDG_CONFIG_HOME='' as 4321 "$MAILBEARER" status "$RELAY" --format json \
        > "$WORK/out.token" 2> "$WORK/err" || RC=$?
    expect 77 "$RC"
    write_accounts "$(app_account shared 'allow_users = { 4321 }')"
    retry_until 5 agent_has_account shared
    RC=0
    HOME=$WORK/nowhere XDG_CONFIG_HOME='' as 4321 "$MAILBEARER" status shared --format json \
        > "$WORK/out.token" 2> "$WORK/err" || RC=$?
    expect 0 "$RC"
    expect shared "$(out | json_get accounts/0/account)"
}

agent_has_account() {
    [[ $(ask status "$1" | json_get account) = "$1" ]]
}
