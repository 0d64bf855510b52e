#!/usr/bin/env bats
# asan: no, none of our C programs runs here
#
# The stand-in's authorization endpoint with its redirects and pages, and codes.

# fake-entra.bash uses and sets these.
# shellcheck disable=SC2034,SC2153
load lib.bash
load fake-entra.bash
load fake-entra-sign-in.bash

setup_file() {
    make_work
    start_entra
    export_work
}

teardown_file() {
    stop_all
}

setup() {
    fresh_stand_in
    set_client "$PUBLIC_CLIENT" '"redirects": null'
    ASK=("client_id=$PUBLIC_CLIENT" response_type=code "redirect_uri=$REDIRECT"
        response_mode=query "scope=openid profile email $USER_SCOPE" "state=$STATE"
        "code_challenge=$CHALLENGE" code_challenge_method=S256)
}

# --- the authorization endpoint ----------------------------------------------------------

@test "a code, and tokens for it" {
    code login_hint=alice@contoso.com prompt=select_account nonce=n-1
    expect "$STATE" "$(told state)"
    [[ -n $(told session_state) ]]
    expect_in "$(cat "$WORK/head")" "Location: http://localhost:40123/?code="
    expect select_account "$(last_asked prompt)"
    expect alice@contoso.com "$(last_asked login_hint)"
    expect "openid profile email $USER_SCOPE" "$(last_asked scope)"
    redeem
    granted
    [[ -n $(reply refresh_token) ]]
    expect alice@contoso.com "$(claims upn)"
    expect "SMTP.Send IMAP.AccessAsUser.All POP.AccessAsUser.All" "$(claims scp)"
    expect alice@contoso.com "$(id_claim preferred_username)"
    expect alice@contoso.com "$(id_claim email)"
    expect c0ffee00-1111-4222-8333-444455556666 "$(id_claim tid)"
    expect "$PUBLIC_CLIENT" "$(id_claim aud)"
    expect n-1 "$(id_claim nonce)"
    [[ -n $(id_claim sub) && -n $(id_claim oid) ]]
    post grant_type=refresh_token "client_id=$PUBLIC_CLIENT" \
        "refresh_token=$(reply refresh_token)" "scope=$USER_SCOPE"
    granted
}

@test "what the scope leaves out is not in the reply" {
    code "scope=https://outlook.office.com/SMTP.Send"
    redeem
    granted
    expect '' "$(reply refresh_token)"
    expect '' "$(reply id_token)"
    code "scope=openid https://outlook.office.com/SMTP.Send"
    redeem
    expect '' "$(id_claim preferred_username)"
    expect '' "$(id_claim email)"
    [[ -n $(id_claim sub) ]]
}

@test "client and tenant: wrong ones are a page" {
    but client_id=99999999-0000-0000-0000-000000000000
    page_says 400 AADSTS700016
    but -client_id
    page_says 400 AADSTS900144
    URL=$ENTRA_URL/fabrikam.example/oauth2/v2.0/authorize but
    page_says 400 AADSTS90002
    set_client "$PUBLIC_CLIENT" '"disabled": true'
    but
    page_says 400 AADSTS7000112
    set_client "$PUBLIC_CLIENT" '"disabled": false, "one_tenant": true'
    URL=$ENTRA_URL/common/oauth2/v2.0/authorize but
    page_says 400 AADSTS50194
    but
    expect 302 "$STATUS"
    set_client "$PUBLIC_CLIENT" '"one_tenant": false, "personal": false'
    URL=$ENTRA_URL/consumers/oauth2/v2.0/authorize but
    page_says 400 AADSTS9002332
    set_client "$PUBLIC_CLIENT" '"personal": "only"'
    but
    page_says 400 AADSTS9002331
}

@test "only GET, only what is encoded, each parameter once" {
    URL=$ENTRA_URL/$TENANT/oauth2/v2.0/authorize post "${ASK[@]}"
    page_says 400 AADSTS900561
    URL="$ENTRA_URL/$TENANT/oauth2/v2.0/authorize?scope=a:b" send
    page_says 400 AADSTS9002313
    browse "${ASK[@]}" "${ASK[0]}"
    page_says 400 AADSTS9000411
}

@test "redirect URI: any port of http://localhost, its path as registered" {
    local uri

    for uri in http://localhost http://localhost/ http://localhost:1/ http://localhost:65535; do
        but "redirect_uri=$uri"
        expect 302 "$STATUS"
    done
    for uri in http://localhost/x http://127.0.0.1 "http://[::1]" https://localhost \
        http://localhost.example.com http://localhost@example.com 'http://localhost#x' \
        http://localhost:x http://localhost:99999 'http://localhost?a=b' 'http://localhost '; do
        but "redirect_uri=$uri"
        page_says 400 AADSTS50011
    done
    set_client "$PUBLIC_CLIENT" '"redirects": {"native": [
        "http://localhost:9090/register_app/", "https://mail.example.com/done"]}'
    for uri in http://localhost:9090/register_app/ http://localhost:7/register_app/ \
        https://mail.example.com/done; do
        but "redirect_uri=$uri"
        expect 302 "$STATUS"
    done
    for uri in http://localhost:9090/register_app http://localhost:9090/ \
        http://localhost:9090/Register_app/ https://mail.example.com/done/ \
        https://mail.example.com:444/done http://mail.example.com/done; do
        but "redirect_uri=$uri"
        page_says 400 AADSTS50011
    done
}

@test "redirect URI: the port of an address counts, but at other providers" {
    set_client "$PUBLIC_CLIENT" '"redirects": {"native": ["http://127.0.0.1:5000/x"]}'
    but redirect_uri=http://127.0.0.1:5000/x
    expect 302 "$STATUS"
    but redirect_uri=http://127.0.0.1:5001/x
    page_says 400 AADSTS50011
    set_client "$PUBLIC_CLIENT" '"cloud": "generic"'
    URL=$ENTRA_URL/generic/authorize but redirect_uri=http://127.0.0.1:5001/x
    expect 302 "$STATUS"
    URL=$ENTRA_URL/generic/authorize but redirect_uri=http://127.0.0.1:5001/y
    page_says 400 'not one of the application'
}

@test "redirect URI: none registered, none given" {
    but -redirect_uri
    page_says 400 AADSTS900971
    set_client "$PUBLIC_CLIENT" '"redirects": {"native": []}'
    but
    page_says 400 AADSTS500113
}

@test "what else is wrong goes back to the application" {
    but response_type=token
    sent_back unsupported_response_type AADSTS700051
    but -response_type
    sent_back invalid_request AADSTS900144
    but response_mode=fragment
    sent_back invalid_request AADSTS90023
    but prompt=maybe
    sent_back invalid_request AADSTS90023
    but -scope
    sent_back invalid_request AADSTS900144
    but scope=https://outlook.office.com/SMTP.Sned
    sent_back invalid_scope AADSTS70011
    but "scope=https://outlook.office.com/SMTP.Send https://graph.microsoft.com/User.Read"
    sent_back invalid_scope AADSTS28000
}

@test "PKCE: S256, of the right size, and needed" {
    but -code_challenge -code_challenge_method
    sent_back invalid_request AADSTS9002325
    but -code_challenge_method
    sent_back invalid_request AADSTS9002325
    but "code_challenge=$VERIFIER" code_challenge_method=plain
    sent_back invalid_request AADSTS9002325
    but -code_challenge
    sent_back invalid_request AADSTS501491
    but "code_challenge=${CHALLENGE}A"
    sent_back invalid_request AADSTS501491
}

@test "behaviour: refused, policy, another user, spoilt redirects, late" {
    sign_in_does() {
        set_client "$PUBLIC_CLIENT" "\"sign_in\": {$1}"
        but login_hint=alice@contoso.com
    }
    sign_in_does '"do": "refuse"'
    sent_back access_denied AADSTS65004
    expect cancel "$(told error_subcode)"
    sign_in_does '"do": "error", "number": 53003'
    sent_back invalid_grant AADSTS53003
    sign_in_does '"user": "bob@contoso.com"'
    CODE=$(told code)
    redeem
    expect bob@contoso.com "$(claims upn)"
    sign_in_does '"tamper": "state"'
    expect "${STATE}x" "$(told state)"
    sign_in_does '"tamper": "no_state"'
    expect '' "$(told state)"
    [[ -n $(told code) ]]
    sign_in_does '"tamper": "no_code"'
    expect '' "$(told code)"
    expect "$STATE" "$(told state)"
    sign_in_does '"do": "nothing"'
    page_says 200 'Pick an account'
    SECONDS=0
    sign_in_does '"delay": 2'
    expect 302 "$STATUS"
    ((SECONDS >= 1))
}

@test "pages: another factor, consent by a form, only an administrator" {
    local flow

    ASK+=(login_hint=alice@contoso.com)
    set_client "$PUBLIC_CLIENT" '"sign_in": {"do": "mfa"}'
    but
    page_says 200 'More information required'
    flow=$(sed -n 's/.*id="accept" href="\([^"]*\)".*/\1/p' "$WORK/reply")
    URL=$ENTRA_URL${flow//&amp;/'&'} send
    expect 302 "$STATUS"
    CODE=$(told code)
    redeem
    granted
    URL=$ENTRA_URL${flow//&amp;/'&'} send
    page_says 400 AADSTS90013
    set_client "$PUBLIC_CLIENT" '"sign_in": {"do": "consent"}'
    but
    page_says 200 '<form method="post"'
    flow=$(sed -n 's/.*name="flow" value="\([^"]*\)".*/\1/p' "$WORK/reply")
    URL=$ENTRA_URL/login/flow post "flow=$flow" answer=accept
    expect 302 "$STATUS"
    [[ -n $(told code) ]]
    but
    flow=$(sed -n 's/.*name="flow" value="\([^"]*\)".*/\1/p' "$WORK/reply")
    URL=$ENTRA_URL/login/flow post "flow=$flow" answer=cancel
    sent_back access_denied AADSTS65004
    set_client "$PUBLIC_CLIENT" '"sign_in": {"do": "admin_consent"}'
    but
    page_says 200 AADSTS90094
    flow=$(sed -n 's/.*id="cancel" href="\([^"]*\)".*/\1/p' "$WORK/reply")
    URL=$ENTRA_URL${flow//&amp;/'&'} send
    sent_back access_denied AADSTS65004
}

@test "prompt=none where somebody would have to be asked" {
    but prompt=none
    expect 302 "$STATUS"
    [[ -n $(told code) ]]
    set_client "$PUBLIC_CLIENT" '"sign_in": {"do": "consent"}'
    but prompt=none
    sent_back login_required AADSTS50058
}

@test "users: unknown, disabled, in the wrong place" {
    but login_hint=eve@contoso.com
    page_says 400 AADSTS50034
    entra_admin user '{"user": "bob@contoso.com", "disabled": true}'
    but login_hint=bob@contoso.com
    page_says 400 AADSTS50057
    entra_admin user '{"user": "bob@contoso.com", "disabled": false}'
    but login_hint=alice@outlook.com
    page_says 400 AADSTS50020
    URL=$ENTRA_URL/consumers/oauth2/v2.0/authorize but login_hint=alice@contoso.com
    page_says 400 AADSTS50020
}

@test "a personal account: opaque token, its own tenant" {
    URL=$ENTRA_URL/consumers/oauth2/v2.0/authorize code login_hint=alice@outlook.com
    URL=$ENTRA_URL/consumers/oauth2/v2.0/token redeem
    granted
    expect EwB "$(reply access_token | cut -c1-3)"
    expect 9188040d-6c67-4c5b-b112-36a304b66dad "$(id_claim tid)"
    expect alice@outlook.com "$(id_claim preferred_username)"
}

# --- codes -------------------------------------------------------------------------------

@test "a code is good once, for its client, tenant and redirect URI, and not for long" {
    code
    redeem "redirect_uri=$REDIRECT/"
    refused 400 invalid_grant 500112
    redeem -redirect_uri
    refused 400 invalid_request 900144
    redeem -code
    refused 400 invalid_request 900144
    redeem "client_id=$APP_CLIENT" "client_secret=$APP_SECRET"
    refused 400 invalid_grant 70000 bad_token
    redeem code=unknown
    refused 400 invalid_grant 70000 bad_token
    URL=$ENTRA_URL/common/oauth2/v2.0/token redeem
    refused 400 invalid_grant 700005
    redeem
    granted
    redeem
    refused 400 invalid_grant 54005
    set_client "$PUBLIC_CLIENT" '"code_life": 0'
    code
    redeem
    refused 400 invalid_grant 70008 bad_token
}

@test "a code's verifier" {
    code
    redeem -code_verifier
    refused 400 invalid_grant 501481
    redeem "code_verifier=${VERIFIER}x"
    refused 400 invalid_grant 501481
    redeem code_verifier=short
    refused 400 invalid_grant 501481
    redeem
    granted
}

@test "a secret: never from a public client, always from a web application" {
    code
    redeem "client_secret=x"
    refused 401 invalid_client 700025
    redeem client_assertion=x client_assertion_type=y
    refused 401 invalid_client 700025
    set_client "$PUBLIC_CLIENT" "\"redirects\": {\"web\": [\"http://localhost\"]},
        \"secret\": \"$APP_SECRET\""
    code
    redeem
    refused 401 invalid_client 7000218
    redeem client_secret=wrong
    refused 401 invalid_client 7000215
    redeem "client_secret=$APP_SECRET"
    granted
    post grant_type=refresh_token "client_id=$PUBLIC_CLIENT" \
        "refresh_token=$(reply refresh_token)"
    refused 401 invalid_client 7000218
}

@test "a page's code is for pages" {
    code
    CURL=(-H 'Origin: https://page.example.com')
    redeem
    refused 400 invalid_request 9002326
    CURL=()
    set_client "$PUBLIC_CLIENT" '"redirects": {"spa": ["http://localhost"]}'
    code
    redeem
    refused 400 invalid_request 9002327
    CURL=(-H 'Origin: https://page.example.com')
    redeem
    granted
}
