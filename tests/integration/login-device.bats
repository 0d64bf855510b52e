#!/usr/bin/env bats
#
# A person signs in by typing a code on another device; and which way is chosen where.

load lib.bash
load fake-entra.bash
load login.bash

setup_file() {
    make_work
    start_entra
    export_work
}

teardown_file() {
    stop_all
}

setup() {
    fresh_login
    device '"interval": 1'
}

teardown() {
    no_secret_in "$WORK/out" "$WORK/err"
    stop_named login
}

# device SETTINGS - of the device endpoint, for the public client.
device() {
    set_client "$PUBLIC_CLIENT" "\"device\": {$1}"
}

# shown PATH - of the latest device code, as the stand-in knows it.
shown() {
    entra_admin state | json_get devices | "$PYTHON" -c 'import json, sys
print(json.dumps(json.load(sys.stdin)[-1]))' | json_get "$1"
}

# --- the code ----------------------------------------------------------------------------

@test "a code is shown, and typed in elsewhere" {
    start_login "$ALICE" --device
    retry_until 10 grep -q 'and type the code' "$WORK/out"
    expect_in "$(cat "$WORK/out")" '    https://microsoft.com/devicelogin'
    expect_in "$(cat "$WORK/out")" "    $(shown user_code)"
    grep -qE "mailbearer: $ALICE: waiting for the sign-in, 1[45]:[0-9]{2} left" "$WORK/err"
    entra_admin device "{\"do\": \"approve\", \"user_code\": \"$(shown user_code)\",
        \"user\": \"$ALICE\"}"
    ends 0
    expect_in "$(cat "$WORK/out")" 'alice@contoso.com: alice@contoso.com has signed in.'
    token_of "$ALICE"
    expect 0 "$(entra_count by_parameter/client_secret)"
}

@test "a missing interval is five seconds" {
    device '"interval": null, "polls": 2, "user": "alice@contoso.com"'
    start_login "$ALICE" --device
    ends 0
    "$PYTHON" -c 'import sys
gap = float(sys.argv[1])
assert 4.9 <= gap < 7, gap' "$(shown polls/1)"
}

@test "slow_down makes it slower for good" {
    device '"interval": 1, "slow_down": 1, "polls": 3, "user": "alice@contoso.com"'
    start_login "$ALICE" --device
    ends 0
    expect 6 "$(shown pace)"
    "$PYTHON" -c 'import sys
first, second, third = map(float, sys.argv[1:])
assert second - first >= 5.9 and third - second >= 5.9, sys.argv' \
        "$(shown polls/0)" "$(shown polls/1)" "$(shown polls/2)"
}

@test "declined, ended, and by somebody else" {
    device '"interval": 1, "polls": 1, "do": "decline"'
    start_login "$ALICE" --device
    ends 77
    grep -q 'the sign-in was declined' "$WORK/err"
    device '"interval": 1, "polls": 1, "do": "expire"'
    start_login "$ALICE" --device
    ends 77
    grep -q 'the code ended before anybody signed in' "$WORK/err"
    device '"interval": 1, "life": 2'
    start_login "$ALICE" --device
    ends 77
    grep -q 'the code ended before anybody signed in' "$WORK/err"
    device '"interval": 1, "polls": 1, "user": "bob@contoso.com"'
    start_login "$ALICE" --device
    ends 77
    grep -q 'bob@contoso.com signed in, but this account is for alice@contoso.com' \
        "$WORK/err"
    nothing_stored
}

@test "a policy against device codes: the other ways are named" {
    device '"interval": 1, "polls": 1, "do": "block"'
    start_login "$ALICE" --device
    ends 77
    grep -q AADSTS53003 "$WORK/err"
    grep -q "mailbearer login $ALICE --browser, or --paste" "$WORK/err"
    nothing_stored
}

@test "an application that may not use device codes" {
    set_client "$PUBLIC_CLIENT" \
        '"public_flows": false, "device": {"interval": 1, "polls": 1, "user": "alice@contoso.com"}'
    start_login "$ALICE" --device
    ends 77
    grep -q AADSTS7000218 "$WORK/err"
    grep -q 'Allow public client flows = Yes' "$WORK/err"
}

@test "network faults while waiting are told and outlived" {
    entra_admin fault '{"fault": "reset", "count": 2, "grant": "urn:ietf:params:oauth:grant-type:device_code"}'
    device '"interval": 1, "polls": 1, "user": "alice@contoso.com"'
    start_login "$ALICE" --device
    ends 0
    expect 1 "$(grep -c 'the provider is asked again' "$WORK/err")"
    token_of "$ALICE"
}

@test "Google gives no device code for mail: explained" {
    set_client google-app '"cloud": "google", "public": true, "redirects": null'
    write_login_accounts "provider goo {" " token_endpoint = \"$ENTRA_URL/google/token\"" \
        " device_authorization_endpoint = \"$ENTRA_URL/google/device\"" \
        " scope = \"https://mail.google.com/\"" "}" \
        "account goo {" " provider = goo" " client_id = google-app" "}"
    start_login goo --device
    ends 77
    grep -q '(invalid_scope, HTTP 400)' "$WORK/err"
    grep -q 'Google never does for mail' "$WORK/err"
    grep -q 'mailbearer login goo --browser, or --paste' "$WORK/err"
}

@test "a provider that puts the code into an address" {
    set_client generic-public '"device": {"interval": 1, "polls": 1, "user": "alice@contoso.com"}'
    start_login generic --device
    ends 0
    expect_in "$(cat "$WORK/out")" "?user_code=$(shown user_code)"
    token_of generic
}

@test "a provider without device codes" {
    entra_admin metadata '{"remove": ["device_authorization_endpoint"]}'
    start_login generic --device
    ends 78
    grep -q 'provider .generic. has no device_authorization_endpoint' "$WORK/err"
}

# --- by the place ------------------------------------------------------------------------

@test "a terminal without a screen: a code; the time that is left counts down" {
    device '"interval": 1, "polls": 3, "user": "alice@contoso.com"'
    SSH_CONNECTION='192.0.2.1 5 192.0.2.2 22' on_terminal "$ALICE"
    ends 0
    expect_in "$(cat "$WORK/out")" 'and type the code'
    tr '\r' '\n' < "$WORK/out" | grep -qE '^Waiting for the sign-in, 14:5[0-9] left'
    [[ $(grep -c $'\rWaiting' "$WORK/out") -ge 1 ]]
    token_of "$ALICE"
}

@test "device codes are blocked: pasting is next, on a terminal" {
    device '"interval": 1, "polls": 1, "do": "block"'
    on_terminal "$ALICE"
    retry_until 20 grep -q 'Paste it here' "$WORK/out"
    expect_in "$(cat "$WORK/out")" AADSTS53003
    expect_in "$(cat "$WORK/out")" 'another way is tried'
    printf '%s\n' "$(sent_to "$(grep -m1 '^http.*authorize' "$WORK/out" | tr -d '\r')")" >&8
    ends 0
    token_of "$ALICE"
    : > "$WORK/out" # the terminal showed what was pasted, the code
}

@test "device codes are blocked, and nobody can paste: the reason is the end" {
    device '"interval": 1, "polls": 1, "do": "block"'
    start_login "$ALICE"
    ends 77
    grep -q AADSTS53003 "$WORK/err"
    refute grep -q 'another way is tried' "$WORK/err"
}

@test "a declined sign-in is not tried another way" {
    device '"interval": 1, "polls": 1, "do": "decline"'
    on_terminal "$ALICE"
    ends 77
    refute grep -q 'Paste it here' "$WORK/out"
}

@test "a screen: a browser; its port taken: a code" {
    DISPLAY=:0 start_browser_login "$ALICE"
    visit "$(sent_to)"
    page_is 200 '<h1>done</h1>'
    ends 0
    write_login_accounts "account fixed {" " provider = entra" " client_id = $PUBLIC_CLIENT" \
        " login_hint = \"$ALICE\"" " redirect_uri = \"http://localhost:$ENTRA_PORT/\"" "}"
    device '"interval": 1, "polls": 1, "user": "alice@contoso.com"'
    DISPLAY=:0 start_login fixed
    ends 0
    grep -q 'Address already in use' "$WORK/err"
    expect_in "$(cat "$WORK/out")" 'and type the code'
}
