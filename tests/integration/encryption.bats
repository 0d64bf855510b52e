#!/usr/bin/env bats
#
# The store encrypted at rest: what is written, read and converted, with which key, and what
# is said when it is the wrong one.

load lib.bash
load agent.bash
load login.bash

setup_file() {
    make_ground
}

teardown_file() {
    stop_all
}

setup() {
    fresh_ground
    unset DISPLAY WAYLAND_DISPLAY BROWSER SSH_CONNECTION
    mkdir -p "$WORK/secrets"
    chmod 700 "$WORK/secrets"
    new_key one
    new_key two
    accounts
}

teardown() {
    stop_agent
    stop_named login
    no_secret_in "$WORK"
}

new_key() {
    (umask 077 && openssl rand -hex 32 > "$WORK/secrets/$1.key")
}

# accounts [KEY] - the accounts file, with the store encrypted by that key, or in clear.
accounts() {
    write_accounts "$(alice_account)"
    [[ $# -eq 0 ]] || sed -i \
        "s,^store {\$,&\n    encryption_key_file = \"$WORK/secrets/$1.key\"," \
        "$WORK/mailbearer.conf"
}

# is_sealed ACCOUNT - its record is encrypted.
is_sealed() {
    expect 2 "$(stored "$1" version)"
    expect A256GCM "$(stored "$1" cipher)"
    expect '["version", "cipher", "key_id", "data"]' \
        "$("$PYTHON" -c 'import json, sys; print(json.dumps(list(json.load(sys.stdin))))' \
            < "$(record_file "$1")")"
}

is_clear() {
    expect 1 "$(stored "$1" version)"
    grep -q CANARY "$(record_file "$1")"
}

# nothing_readable - no token stands in any file of the store, whatever its name.
nothing_readable() {
    expect '' "$(grep -rlaE 'CANARY|Q0FOQVJZ|NBTkFSW|DQU5BUl' "$WORK/store")"
}

# both_accounts - a token of each, stored; two requests.
both_accounts() {
    import_alice
    asked token "$ALICE"
    asked token "$RELAY"
    expect_requests 2
}

# gives ACCOUNT - a token that works, without asking the provider.
gives() {
    local before

    before=$(entra_count requests)
    asked token "$1"
    token_works "$(out)" "$1"
    expect "$before" "$(entra_count requests)"
}

sums() {
    (cd "$WORK/store" && sha256sum ./*.json)
}

# --- written and read --------------------------------------------------------------------------

@test "what is written is encrypted, and every command reads it" {
    accounts one
    import_alice
    is_sealed "$ALICE"
    nothing_readable
    asked token "$ALICE"
    token_works "$(out)" "$ALICE"
    asked token "$RELAY"
    is_sealed "$ALICE"
    is_sealed "$RELAY"
    nothing_readable
    expect_requests 2
    gives "$ALICE"
    gives "$RELAY"
    expect 600 "$(stat -c %a "$(record_file "$ALICE")")"
    mailbearer check
    expect 0 "$RC"
    refute grep -q 'in clear' "$WORK/out.token"
    asked status
    expect_in "$(out)" "$ALICE"
    asked status "$ALICE" --format json
    expect ok "$(out | json_get accounts/0/state)"
    expect true "$(out | json_get accounts/0/refresh_token)"
    expect "$ALICE" "$(out | json_get accounts/0/account)"
    asked logout "$ALICE"
    refute test -e "$(record_file "$ALICE")"
    asked status "$ALICE" --format json
    expect signed-out "$(out | json_get accounts/0/state)"
    is_sealed "$RELAY"
}

@test "rotated refresh tokens are written encrypted" {
    set_client "$PUBLIC_CLIENT" '"rotation": "strict"'
    accounts one
    import_alice
    asked token "$ALICE"
    sleep 1.1
    asked token "$ALICE" --refresh
    sleep 1.1
    asked token "$ALICE" --refresh
    token_works "$(out)" "$ALICE"
    expect_requests 3
    is_sealed "$ALICE"
    nothing_readable
}

@test "two writes of one record are never alike" {
    accounts one
    import_alice
    asked token "$ALICE"
    cp "$(record_file "$ALICE")" "$WORK/before"
    sleep 1.1
    asked token "$ALICE" --refresh
    expect "$(json_get key_id < "$WORK/before")" "$(stored "$ALICE" key_id)"
    [[ $(json_get data < "$WORK/before" | cut -c1-16) != "$(stored "$ALICE" data | cut -c1-16)" ]]
}

@test "the agent reads, serves and writes it" {
    accounts one
    both_accounts
    start_agent
    expect OK "$(reply_to "token $ALICE")"
    good_token
    expect OK "$(reply_to "token $RELAY")"
    good_token
    expect_requests 2
    reply_to "rejected $(sed 's/^OK //' "$WORK/reply.token") $RELAY" > "$WORK/x"
    expect OK "$(reply_to "token $RELAY")"
    expect_requests 3
    asked status "$ALICE"
    expect_in "$(out)" ok
    stop_agent
    is_sealed "$RELAY"
    nothing_readable
    unset MAILBEARER_SOCKET
    gives "$RELAY"
}

@test "a sign-in is stored encrypted" {
    write_login_accounts
    sed -i "s,^store {,& encryption_key_file = \"$WORK/secrets/one.key\"\n," \
        "$WORK/login.conf"
    set_client "$PUBLIC_CLIENT" '"redirects": null, "sign_in": {}'
    start_browser_login "$ALICE" --browser
    visit "$(sent_to)"
    page_is 200 '<h1>done</h1>'
    ends 0
    is_sealed "$ALICE"
    nothing_readable
    token_of "$ALICE"
}

# --- converted ---------------------------------------------------------------------------------

@test "switched on: check says what is in clear, rekey encrypts it" {
    both_accounts
    is_clear "$ALICE"
    is_clear "$RELAY"
    accounts one
    mailbearer check
    expect 0 "$RC"
    expect 2 "$(grep -c '^warning .*: its tokens are still stored in clear' "$WORK/out.token")"
    grep -q "^warning  $ALICE: its tokens are still stored in clear.*mailbearer rekey" \
        "$WORK/out.token"
    # in use all the same
    gives "$ALICE"
    asked rekey
    expect '2 of 2 records are now encrypted with the present key' "$(out)"
    is_sealed "$ALICE"
    is_sealed "$RELAY"
    nothing_readable
    gives "$ALICE"
    gives "$RELAY"
    asked check
    refute grep -q 'in clear' "$WORK/out.token"
    asked rekey
    expect '0 of 2 records are now encrypted with the present key' "$(out)"
}

@test "a record in clear is encrypted when it is written next" {
    both_accounts
    accounts one
    sleep 1.1
    asked token "$RELAY" --refresh
    is_sealed "$RELAY"
    is_clear "$ALICE"
    mailbearer check
    expect 0 "$RC"
    expect 1 "$(grep -c 'still stored in clear' "$WORK/out.token")"
}

@test "rekey --old-key: another key, then none at all" {
    local id

    accounts one
    both_accounts
    id=$(stored "$ALICE" key_id)
    accounts two
    asked rekey --old-key "$WORK/secrets/one.key"
    expect '2 of 2 records are now encrypted with the present key' "$(out)"
    is_sealed "$ALICE"
    [[ $(stored "$ALICE" key_id) != "$id" ]]
    nothing_readable
    gives "$ALICE"
    gives "$RELAY"
    accounts
    asked rekey --old-key "$WORK/secrets/two.key"
    expect '2 of 2 records are now in clear' "$(out)"
    is_clear "$ALICE"
    is_clear "$RELAY"
    gives "$ALICE"
    gives "$RELAY"
}

@test "rekey goes on after a record that it cannot read" {
    accounts one
    both_accounts
    printf '{' > "$(record_file "$RELAY")"
    accounts two
    mailbearer rekey --old-key "$WORK/secrets/one.key"
    expect 74 "$RC"
    expect '1 of 2 records are now encrypted with the present key' "$(out)"
    expect_in "$(cat "$WORK/err")" "$RELAY"
    gives "$ALICE"
}

# --- wrong keys --------------------------------------------------------------------------------

# nothing_with CODE TEXT REMEDY - what reads tokens fails so, and the store stays as it is.
nothing_with() {
    local before

    before=$(sums)
    mailbearer token "$ALICE"
    failed "$1" "$2" "$3"
    mailbearer token "$RELAY" --refresh
    failed "$1" "$2" "$3"
    mailbearer status "$ALICE"
    failed "$1" "$2" "$3"
    mailbearer rekey
    expect "$1" "$RC"
    expect_in "$(cat "$WORK/err")" "$2"
    mailbearer check
    expect "$1" "$RC"
    expect_in "$(out)" "$2"
    expect "$before" "$(sums)"
    expect_requests 2
}

@test "another key: said clearly, nothing is asked and nothing changed" {
    accounts one
    both_accounts
    accounts two
    nothing_with 78 "the store was encrypted with another key than the one in $WORK/secrets/two.key" \
        'set encryption_key_file to the key file that it was written with'
    (umask 077 && sign_in > "$WORK/secrets/new")
    mailbearer import refresh-token "$WORK/secrets/new" "$ALICE"
    failed 78 'was encrypted with another key' 'set encryption_key_file to the key file'
    write_login_accounts
    sed -i "s,^store {,& encryption_key_file = \"$WORK/secrets/two.key\"\n," \
        "$WORK/login.conf"
    run_quiet "$MAILBEARER" -c "$WORK/login.conf" login "$ALICE" --browser < /dev/null
    failed 78 'was encrypted with another key' 'set encryption_key_file to the key file'
    start_agent
    expect_in "$(reply_to "token $RELAY")" 'PERM '
    expect_in "$(cat "$WORK/reply.token")" 'was encrypted with another key'
    expect_requests 2
    stop_agent
    unset MAILBEARER_SOCKET
    accounts one
    gives "$RELAY"
}

@test "no key at all, and the wrong old one" {
    local before

    accounts one
    both_accounts
    accounts
    before=$(sums)
    mailbearer token "$ALICE"
    expect 78 "$RC"
    expect_in "$(cat "$WORK/err")" encrypt
    expect_in "$(cat "$WORK/err")" encryption_key_file
    mailbearer rekey
    expect 78 "$RC"
    expect_in "$(out)" '0 of 2 records are now in clear'
    mailbearer rekey --old-key "$WORK/secrets/two.key"
    expect 78 "$RC"
    expect_in "$(cat "$WORK/err")" 'encrypted with another key'
    expect "$before" "$(sums)"
    expect_requests 2
}

@test "a key file that others can read, that is none, that is not there" {
    accounts one
    both_accounts
    chmod 640 "$WORK/secrets/one.key"
    nothing_with 78 "$WORK/secrets/one.key" "chmod 600 $WORK/secrets/one.key"
    chmod 600 "$WORK/secrets/one.key"
    cp "$WORK/secrets/one.key" "$WORK/secrets/kept"
    echo 'a pass phrase' > "$WORK/secrets/one.key"
    nothing_with 78 'holds neither 32 bytes, nor 64 hexadecimal digits' 'openssl rand -hex 32'
    printf '%064d\n' 0 > "$WORK/secrets/one.key"
    nothing_with 78 'is not random' 'openssl rand -hex 32'
    rm "$WORK/secrets/one.key"
    nothing_with 78 "$WORK/secrets/one.key" ''
    run_quiet "$MAILBEARER" -c "$WORK/mailbearer.conf" agent --listen "$WORK/agent.sock"
    expect 78 "$RC"
    expect_in "$(cat "$WORK/err")" "$WORK/secrets/one.key"
    cp "$WORK/secrets/kept" "$WORK/secrets/one.key"
    chmod 600 "$WORK/secrets/one.key"
    gives "$ALICE"
}

@test "a key in bytes and in base64, as systemd's credentials may have it" {
    accounts one
    import_alice
    asked token "$ALICE"
    cp "$WORK/secrets/one.key" "$WORK/secrets/kept"
    "$PYTHON" -c 'import sys
sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))' \
        < "$WORK/secrets/kept" > "$WORK/secrets/one.key"
    expect 32 "$(stat -c %s "$WORK/secrets/one.key")"
    gives "$ALICE"
    base64 -w0 < "$WORK/secrets/one.key" > "$WORK/secrets/coded"
    cp "$WORK/secrets/coded" "$WORK/secrets/one.key"
    gives "$ALICE"
}

@test "a record changed on the disk, or put in another's place, is refused" {
    accounts one
    both_accounts
    cp "$(record_file "$RELAY")" "$WORK/store/kept"
    cp "$(record_file "$ALICE")" "$(record_file "$RELAY")"
    mailbearer token "$RELAY"
    failed 74 'was changed, or is another account' ''
    mailbearer status "$RELAY"
    failed 74 'was changed, or is another account' ''
    "$PYTHON" -c 'import json, sys
record = json.load(open(sys.argv[1]))
data = record["data"]
record["data"] = data[:40] + ("A" if data[40] != "A" else "B") + data[41:]
json.dump(record, open(sys.argv[2], "w"))' "$WORK/store/kept" "$(record_file "$RELAY")"
    mailbearer token "$RELAY"
    failed 74 'was changed, or is another account' ''
    cp "$WORK/store/kept" "$(record_file "$RELAY")"
    gives "$RELAY"
    expect_requests 2
}

@test "logout forgets what it cannot read" {
    accounts one
    both_accounts
    accounts two
    mailbearer logout "$ALICE"
    failed 78 'the tokens are forgotten, but the sign-in is not revoked: ' \
        "end it in the account settings of $ALICE at the provider"
    expect_in "$(cat "$WORK/err")" 'encrypted with another key'
    refute test -e "$(record_file "$ALICE")"
    is_sealed "$RELAY"
}
