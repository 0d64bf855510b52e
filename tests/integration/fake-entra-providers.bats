#!/usr/bin/env bats
# asan: no, none of our C programs runs here
#
# The stand-in's device codes, the providers that are not Microsoft, revocation, metadata.

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

# --- device codes ------------------------------------------------------------------------

# device [WORD...] - asks for a device code.
device() {
    URL=${URL:-$ENTRA_URL/$TENANT/oauth2/v2.0/devicecode} post "client_id=$PUBLIC_CLIENT" \
        "scope=openid profile $USER_SCOPE" "$@"
    DEVICE=$(reply device_code 2> /dev/null || :)
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
    set_client other "\"cloud\": \"$1\", \"secret\": \"CANARY secret\", \"public\": false,
        \"client_auth\": \"any\", \"device\": {}, ${2:-\"redirects\": null}"
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
