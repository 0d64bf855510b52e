#!/usr/bin/env bats
#
# Signing in with the built-in providers, unmodified, under their real host names.

load lib.bash
load agent.bash
load fake-entra.bash
load login.bash
load netns.bash

export GOOGLE_SECRET=GOCSPX-CANARY-google
export GOOGLE_APP=google-desktop

setup_file() {
    make_work
    start_private
    export CURL_CA_BUNDLE=$WORK/tls/ca.pem
    export_work
}

teardown_file() {
    stop_all
}

setup() {
    unset DISPLAY WAYLAND_DISPLAY BROWSER SSH_CONNECTION
}

teardown() {
    no_secret_in "$WORK/out" "$WORK/err"
    stop_named login
}

# begin PROVIDER CLIENT LINE... - the account alice@contoso.com, and no record.
begin() {
    entra_admin clear
    entra_admin reset
    rm -rf "$WORK/store"
    mkdir -m 700 "$WORK/store"
    {
        printf 'store { directory = "%s" }\n' "$WORK/store"
        printf 'account "%s" {\n    provider = %s\n    client_id = %s\n' \
            alice@contoso.com "$1" "$2"
        printf '    ca_file = "%s"\n' "$WORK/tls/ca.pem"
        printf '    %s\n' "${@:3}"
        printf '}\n'
    } > "$WORK/login.conf"
    chmod 600 "$WORK/login.conf"
}

# asked_at ENDPOINT PATH - of the latest request there.
asked_at() {
    entra_admin state | "$PYTHON" -c 'import json, sys
print(json.dumps([a for a in json.load(sys.stdin)["asked"] if a["endpoint"] == sys.argv[1]][-1]))' \
        "$1" | json_get "$2"
}

# signs_in - by the browser, all the way.
signs_in() {
    start_browser_login alice@contoso.com --browser
    visit "$(sent_to)"
    page_is 200 '<h1>done</h1>'
    ends 0
    token_of alice@contoso.com
}

microsoft() {
    begin microsoft "$PUBLIC_CLIENT" "tenant = $TENANT"
    set_client "$PUBLIC_CLIENT" '"cloud": "global", "public": true, "secret": null,
        "redirects": null, "sign_in": {}, "device": {}'
    signs_in
    expect login.microsoftonline.com "$(asked_at authorize host)"
    expect "/$TENANT/oauth2/v2.0/authorize" "$(asked_at authorize path)"
    expect query "$(asked_at authorize response_mode)"
    expect select_account "$(asked_at authorize prompt)"
    expect "$ALICE" "$(asked_at authorize login_hint)"
    expect "$USER_SCOPE openid profile" "$(asked_at authorize scope)"
    expect "$USER_SCOPE openid profile" "$(asked_at token scope)"
    expect_in "$(cat "$WORK/out")" 'alice@contoso.com: alice@contoso.com has signed in.'
    expect_in "$(cat "$WORK/out")" 'the sign-in ends after 90 days without use'
    # a refresh keeps to the account's scope, and needs nobody; one in the second of the
    # sign-in would count as fresh already
    sleep 1.1
    "$MAILBEARER" -c "$WORK/login.conf" token alice@contoso.com --refresh > "$WORK/token"
    expect "$USER_SCOPE" "$(asked_at token scope)"
    run "$MAILBEARER" -c "$WORK/login.conf" logout alice@contoso.com
    expect 0 "$status"
    expect_in "$output" 'Revoke-MgUserSignInSession -UserId alice@contoso.com'
    nothing_stored
}

@test "microsoft: browser, refresh, logout" {
    in_private microsoft
}

microsoft_device() {
    begin microsoft "$PUBLIC_CLIENT" "tenant = $TENANT"
    set_client "$PUBLIC_CLIENT" '"cloud": "global", "public": true, "secret": null,
        "redirects": null, "device": {"interval": 1, "polls": 2, "user": "alice@contoso.com"}'
    start_login alice@contoso.com
    ends 0
    expect "/$TENANT/oauth2/v2.0/devicecode" "$(asked_at device path)"
    expect_in "$(cat "$WORK/out")" 'alice@contoso.com: alice@contoso.com has signed in.'
    token_of alice@contoso.com
}

@test "microsoft: device code" {
    in_private microsoft_device
}

microsoft_confidential() {
    (umask 077 && printf '%s' "$APP_SECRET" > "$WORK/secret")
    begin microsoft "$APP_CLIENT" "tenant = $TENANT" "client_secret_file = \"$WORK/secret\""
    set_client "$APP_CLIENT" '"cloud": "global", "redirects": null, "sign_in": {}'
    signs_in
    expect 1 "$(entra_count by_parameter/client_secret)"
}

@test "microsoft: a confidential client" {
    in_private microsoft_confidential
}

google() {
    (umask 077 && printf '%s' "$GOOGLE_SECRET" > "$WORK/secret")
    begin google "$GOOGLE_APP" "client_secret_file = \"$WORK/secret\""
    set_client "$GOOGLE_APP" "\"cloud\": \"google\", \"secret\": \"$GOOGLE_SECRET\",
        \"redirects\": {\"native\": [\"http://localhost\"]}, \"sign_in\": {}"
    signs_in
    expect accounts.google.com "$(asked_at authorize host)"
    expect offline "$(asked_at authorize access_type)"
    expect consent "$(asked_at authorize prompt)"
    expect 'https://mail.google.com/ openid email' "$(asked_at authorize scope)"
    expect_in "$(cat "$WORK/out")" 'alice@contoso.com has signed in.'
    run "$MAILBEARER" -c "$WORK/login.conf" logout alice@contoso.com
    expect 0 "$status"
    expect_in "$output" 'the sign-in is revoked, the tokens are forgotten.'
    expect oauth2.googleapis.com "$(asked_at revoke host)"
    expect 1 "$(entra_count by_revoked/refresh_token)"
    # no device codes for mail: said, and what to do
    start_login alice@contoso.com --device
    ends 77
    grep -q 'Google never does for mail' "$WORK/err"
}

@test "google: browser, logout, and no device code" {
    in_private google
}

fastmail() {
    begin fastmail fastmail-app
    set_client fastmail-app '"cloud": "fastmail", "public": true, "redirects": null,
        "sign_in": {}'
    signs_in
    expect_in "$(cat "$WORK/out")" 'signed in; the provider does not tell as whom.'
}

@test "fastmail does not tell who signed in" {
    in_private fastmail
}
