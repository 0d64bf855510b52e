#!/usr/bin/env bats
# asan: no, none of our C programs runs here
#
# The stand-in's endpoints for people: authorization with its redirects and codes, device
# codes, other providers, revocation and metadata.

load lib.bash
load fake-entra.bash

REDIRECT=http://localhost:40123
VERIFIER=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk
CHALLENGE=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM   # RFC 7636, appendix B
STATE='state of "ours" & more'

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

# but WORD... - ASK, with each NAME=VALUE changed or added and each -NAME taken away; browses.
but() {
    local word name
    local -a rest=("${ASK[@]}")

    for word; do
        name=${word#-}
        name=${name%%=*}
        mapfile -t rest < <(printf '%s\n' "${rest[@]}" | grep -v "^$name=")
        [[ $word = -* ]] || rest+=("$word")
    done
    browse "${rest[@]}"
}

# code - a code from the authorization endpoint.
code() {
    but "$@"
    expect 302 "$STATUS"
    CODE=$(told code)
    [[ -n $CODE ]]
}

# redeem [WORD...] - the request for tokens, changed as by but().
redeem() {
    local word name
    local -a rest=(grant_type=authorization_code "client_id=$PUBLIC_CLIENT" "code=$CODE"
        "redirect_uri=$REDIRECT" "code_verifier=$VERIFIER")

    for word; do
        name=${word#-}
        name=${name%%=*}
        mapfile -t rest < <(printf '%s\n' "${rest[@]}" | grep -v "^$name=")
        [[ $word = -* ]] || rest+=("$word")
    done
    post "${rest[@]}"
}

# id_claim NAME - of the id_token.
id_claim() {
    reply id_token | "$PYTHON" -c 'import base64, sys
part = sys.stdin.read().split(".")[1]
sys.stdout.buffer.write(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))' |
        json_get "$1"
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
    URL=$ENTRA_URL${flow//&amp;/&} send
    expect 302 "$STATUS"
    CODE=$(told code)
    redeem
    granted
    URL=$ENTRA_URL${flow//&amp;/&} send
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
    URL=$ENTRA_URL${flow//&amp;/&} send
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

# --- device codes ------------------------------------------------------------------------

# device [WORD...] - asks for a device code.
device() {
    URL=${URL:-$ENTRA_URL/$TENANT/oauth2/v2.0/devicecode} post "client_id=$PUBLIC_CLIENT" \
        "scope=openid profile $USER_SCOPE" "$@"
    DEVICE=$(reply device_code)
}

poll() {
    post grant_type=urn:ietf:params:oauth:grant-type:device_code \
        "client_id=$PUBLIC_CLIENT" "device_code=$DEVICE" "$@"
}

@test "device code: pending, approved, redeemed once" {
    set_client "$PUBLIC_CLIENT" '"device": {"interval": 1}'
    device
    expect 200 "$STATUS"
    expect https://microsoft.com/devicelogin "$(reply verification_uri)"
    expect 1 "$(reply interval)"
    expect 900 "$(reply expires_in)"
    expect_in "$(reply message)" "enter the code $(reply user_code)"
    poll
    refused 400 authorization_pending 70016
    entra_admin device "{\"client\": \"$PUBLIC_CLIENT\", \"do\": \"approve\",
        \"user\": \"alice@contoso.com\"}"
    sleep 1
    poll
    granted
    expect alice@contoso.com "$(claims upn)"
    expect alice@contoso.com "$(id_claim preferred_username)"
    [[ -n $(reply refresh_token) ]]
    poll
    refused 400 bad_verification_code 70018
    expect redeemed "$(entra_admin state | json_get devices/0/status)"
}

@test "device code: declined, expired, blocked, unknown, another tenant's" {
    local row

    for row in 'decline authorization_declined 65004' 'expire expired_token 70020'; do
        # shellcheck disable=SC2086
        set -- $row
        set_client "$PUBLIC_CLIENT" "\"device\": {\"polls\": 1, \"do\": \"$1\"}"
        device
        poll
        refused 400 "$2" "$3"
    done
    set_client "$PUBLIC_CLIENT" '"device": {"polls": 1, "do": "block"}'
    device
    poll
    refused 400 invalid_grant 53003 message_only
    set_client "$PUBLIC_CLIENT" '"device": {"life": 0, "expired": 70019}'
    device
    poll
    refused 400 code_expired 70019
    DEVICE=unknown poll
    refused 400 bad_verification_code 70018
    set_client "$PUBLIC_CLIENT" '"device": {}'
    device
    URL=$ENTRA_URL/common/oauth2/v2.0/token poll
    refused 400 invalid_request 90132
}

@test "device code: polling too fast, slow_down on demand, no interval told" {
    set_client "$PUBLIC_CLIENT" '"device": {"interval": null}'
    device
    expect '' "$(reply interval)"
    poll
    refused 400 authorization_pending 70016
    poll
    expect 400 "$STATUS"
    expect slow_down "$(reply error)"
    expect '' "$(reply error_codes)"
    expect 10 "$(entra_admin state | json_get devices/-1/pace)"
    set_client "$PUBLIC_CLIENT" '"device": {"interval": 1, "slow_down": 1}'
    device
    poll
    expect slow_down "$(reply error)"
    sleep 1
    poll
    expect slow_down "$(reply error)"
}

@test "device code: who may ask" {
    device client_secret=x
    refused 401 invalid_client 90136
    URL=$ENTRA_URL/$TENANT/oauth2/v2.0/devicecode post "client_id=$PUBLIC_CLIENT"
    refused 400 invalid_request 900144
    URL=$ENTRA_URL/$TENANT/oauth2/v2.0/devicecode send -X GET
    refused 400 invalid_request 900561
    URL=$ENTRA_URL/$TENANT/oauth2/v2.0/devicecode post client_id=x "scope=$USER_SCOPE"
    refused 400 unauthorized_client 700016
    set_client "$PUBLIC_CLIENT" '"public_flows": false'
    device
    poll
    refused 401 invalid_client 7000218
    poll client_secret=x
    refused 401 invalid_client 700025
    set_client "$PUBLIC_CLIENT" '"public": false'
    poll client_secret=x
    refused 401 invalid_client 90136
    set_client "$PUBLIC_CLIENT" '"public_flows": true, "device": {"polls": 1}'
    device
    poll
    granted
    expect '' "$(reply error)"
}

@test "faults at the other endpoints" {
    entra_admin fault '{"fault": "503", "endpoint": "device", "count": 1}'
    device
    expect 503 "$STATUS"
    device
    expect 200 "$STATUS"
    entra_admin fault '{"fault": "error", "error": "slow_down", "count": 1}'
    poll
    expect slow_down "$(reply error)"
    entra_admin fault '{"fault": "500", "endpoint": "authorize", "count": 1}'
    but
    expect 500 "$STATUS"
}

# --- other providers ---------------------------------------------------------------------

# plainly STATUS ERROR - the reply is that refusal, without Microsoft's numbers.
plainly() {
    expect "$1" "$STATUS"
    expect "$2" "$(reply error)"
    expect '' "$(reply error_codes)"
    refute grep -q AADSTS "$WORK/reply"
}

other_client() {
    set_client other "\"cloud\": \"$1\", \"secret\": \"CANARY secret\", ${2:-\"public\": false}"
    ASK=(client_id=other response_type=code "redirect_uri=$REDIRECT" "scope=${3:-mail}"
        "state=$STATE" "code_challenge=$CHALLENGE" code_challenge_method=S256)
    URL=$ENTRA_URL/$1/authorize
}

@test "generic: the secret by HTTP Basic alone, codes, plain errors" {
    other_client generic '"client_auth": "basic"' 'mail offline_access'
    code login_hint=alice@contoso.com
    URL=$ENTRA_URL/generic/token
    redeem client_id=other 'client_secret=CANARY secret'
    plainly 401 invalid_client
    CURL=(-u other:CANARY+secret)
    redeem -client_id
    granted
    [[ -n $(reply refresh_token) ]]
    redeem -client_id
    plainly 400 invalid_grant
    CURL=(-u other:wrong)
    redeem -client_id
    plainly 401 invalid_client
    grep -qi '^www-authenticate: Basic' "$WORK/head"
    CURL=()
    URL=$ENTRA_URL/generic/authorize but client_id=unknown
    page_says 400 'No such application'
    URL=$ENTRA_URL/generic/authorize but response_type=token
    sent_back unsupported_response_type "response_type must be"
}

@test "generic: device code" {
    other_client generic '"public": true, "device": {"polls": 2, "interval": 1}'
    URL=$ENTRA_URL/generic/device post client_id=other scope=mail
    expect_in "$(reply verification_uri_complete)" "user_code=$(reply user_code)"
    DEVICE=$(reply device_code)
    URL=$ENTRA_URL/generic/token
    poll client_id=other || :
    plainly 400 invalid_request
    device_poll() {
        post grant_type=urn:ietf:params:oauth:grant-type:device_code client_id=other \
            "device_code=$DEVICE"
    }
    device_poll
    plainly 400 authorization_pending
    sleep 1
    device_poll
    granted
    set_client other '"device": {"polls": 1, "do": "decline"}'
    URL=$ENTRA_URL/generic/device post client_id=other scope=mail
    DEVICE=$(reply device_code)
    device_poll
    plainly 400 access_denied
}

@test "revocation: the refresh token is dead afterwards" {
    local token access

    other_client generic '' 'mail offline_access'
    code
    URL=$ENTRA_URL/generic/token
    redeem client_id=other 'client_secret=CANARY secret'
    token=$(reply refresh_token)
    access=$(reply access_token)
    fresh() {
        post grant_type=refresh_token client_id=other 'client_secret=CANARY secret' \
            "refresh_token=$token"
    }
    revoke() {
        URL=$ENTRA_URL/generic/revoke post client_id=other "$@"
    }
    fresh
    granted
    revoke "token=$token"
    plainly 401 invalid_client
    revoke 'client_secret=CANARY secret'
    plainly 400 invalid_request
    revoke 'client_secret=CANARY secret' token=unknown
    expect 200 "$STATUS"
    fresh
    granted
    revoke 'client_secret=CANARY secret' "token=$token" token_type_hint=refresh_token
    expect 200 "$STATUS"
    expect refresh_token "$(last_asked token_type_hint)"
    fresh
    plainly 400 invalid_grant
    revoke 'client_secret=CANARY secret' "token=$access"
    expect 200 "$STATUS"
    expect '{"unknown": 1, "refresh_token": 1, "access_token": 1}' \
        "$(entra_admin state | json_get by_revoked)"
}

@test "google: offline access needs both words, the device flow refuses mail" {
    other_client google '' https://mail.google.com/
    google_code() {
        URL=$ENTRA_URL/google/authorize code "$@"
        URL=$ENTRA_URL/google/token redeem client_id=other 'client_secret=CANARY secret'
    }
    google_code
    granted
    expect '' "$(reply refresh_token)"
    google_code access_type=offline
    expect '' "$(reply refresh_token)"
    google_code access_type=offline prompt=consent redirect_uri=http://127.0.0.1:7/x || :
    plainly 400 invalid_grant
    google_code access_type=offline prompt=consent
    granted
    expect ya29.CANARY "$(reply access_token | cut -c1-11)"
    local token
    token=$(reply refresh_token)
    [[ -n $token ]]
    URL=$ENTRA_URL/google/authorize but "scope=https://mail.google.com/ offline_access"
    sent_back invalid_scope 'not valid'
    URL=$ENTRA_URL/google/device post client_id=other scope=https://mail.google.com/
    plainly 400 invalid_scope
    expect 'Invalid device flow scope: https://mail.google.com/' "$(reply error_description)"
    URL=$ENTRA_URL/google/device post client_id=other "scope=openid email"
    expect https://www.google.com/device "$(reply verification_url)"
    expect '' "$(reply verification_uri)"
    URL=$ENTRA_URL/google/revoke post token=unknown
    plainly 400 invalid_token
    URL=$ENTRA_URL/google/revoke post "token=$token"
    expect 200 "$STATUS"
    URL=$ENTRA_URL/google/token post grant_type=refresh_token client_id=other \
        'client_secret=CANARY secret' "refresh_token=$token"
    plainly 400 invalid_grant
}

# --- metadata ----------------------------------------------------------------------------

@test "metadata: both forms, another issuer, one form alone" {
    look() {
        URL=$ENTRA_URL$1 send
    }
    look /generic/.well-known/openid-configuration
    expect "$ENTRA_URL/generic" "$(reply issuer)"
    expect "$ENTRA_URL/generic/token" "$(reply token_endpoint)"
    expect "$ENTRA_URL/generic/authorize" "$(reply authorization_endpoint)"
    expect "$ENTRA_URL/generic/device" "$(reply device_authorization_endpoint)"
    expect "$ENTRA_URL/generic/revoke" "$(reply revocation_endpoint)"
    look /.well-known/oauth-authorization-server/generic
    expect "$ENTRA_URL/generic" "$(reply issuer)"
    look "/$TENANT/v2.0/.well-known/openid-configuration"
    expect "$ENTRA_URL/c0ffee00-1111-4222-8333-444455556666/v2.0" "$(reply issuer)"
    expect "$TOKEN_ENDPOINT" "$(reply token_endpoint)"
    expect '' "$(reply revocation_endpoint)"
    look /common/v2.0/.well-known/openid-configuration
    expect "$ENTRA_URL/{tenantid}/v2.0" "$(reply issuer)"
    look "/.well-known/oauth-authorization-server/$TENANT/v2.0"
    expect "$TOKEN_ENDPOINT" "$(reply token_endpoint)"
    look /fabrikam.example/v2.0/.well-known/openid-configuration
    refused 400 invalid_request 90002
    entra_admin metadata '{"issuer": "https://evil.example.com", "remove": ["token_endpoint"]}'
    look /generic/.well-known/openid-configuration
    expect https://evil.example.com "$(reply issuer)"
    expect '' "$(reply token_endpoint)"
    entra_admin metadata '{"only": "rfc8414"}'
    look /generic/.well-known/openid-configuration
    expect 404 "$STATUS"
    look /.well-known/oauth-authorization-server/generic
    expect 200 "$STATUS"
    look /nowhere
    page_says 404 'Nothing is at this path'
}

@test "no code and no device code in its log or its state" {
    code
    redeem
    device
    entra_admin state > "$WORK/state"
    no_secret_in "$WORK/entra.log" "$WORK/state"
    grep -q "GET localhost:$ENTRA_PORT /$TENANT/oauth2/v2.0/authorize -> 302" "$WORK/entra.log"
    expect '{"authorize": 1, "token": 1, "device": 1}' "$(json_get by_endpoint < "$WORK/state")"
}
