#!/usr/bin/env bats
# asan: no, none of our C programs runs here
#
# The stand-in for Entra is strict, rotates refresh tokens as told, and fails on demand:
# what the other tests take for granted.

# fake-entra.bash uses and sets these.
# shellcheck disable=SC2034,SC2153
load lib.bash
load fake-entra.bash

setup_file() {
    make_work
    start_entra
    export_work
}

teardown_file() {
    stop_all
}

setup() {
    entra_admin clear
    retry_until 5 nobody_asks
    entra_admin reset
    entra_admin client "{\"client\": \"$APP_CLIENT\", \"secret_expired\": false,
        \"disabled\": false, \"token_size\": 2500, \"expires_in\": 3599, \"token\": \"jwt\"}"
    entra_admin client "{\"client\": \"$PUBLIC_CLIENT\", \"rotation\": \"keep\"}"
    entra_admin user '{"user": "alice@contoso.com", "disabled": false}'
    CURL=()
    APP=(grant_type=client_credentials "client_id=$APP_CLIENT" "client_secret=$APP_SECRET"
        "scope=$APP_SCOPE")
}

sign_in() {
    entra_admin sign-in "{\"client\": \"$PUBLIC_CLIENT\", \"user\": \"alice@contoso.com\"}" |
        json_get refresh_token
}

refresh() {
    post grant_type=refresh_token "client_id=$PUBLIC_CLIENT" "refresh_token=$1" \
        "scope=${2:-$USER_SCOPE}"
}

@test "client credentials: a JWT for Exchange, no refresh token" {
    post "${APP[@]}"
    granted
    expect 3599 "$(reply expires_in)"
    expect '' "$(reply refresh_token)"
    expect https://outlook.office365.com "$(claims aud)"
    expect '["SMTP.SendAsApp", "IMAP.AccessAsApp", "POP.AccessAsApp"]' "$(claims roles)"
    expect app "$(claims idtyp)"
    expect "$APP_CLIENT" "$(claims appid)"
}

@test "the secret by HTTP Basic, both parts encoded first" {
    local encoded

    encoded=$("$PYTHON" -c 'import sys, urllib.parse
print(urllib.parse.quote_plus(sys.argv[1]))' "$APP_SECRET")
    CURL=(-u "$APP_CLIENT:$encoded")
    post "${APP[0]}" "${APP[3]}"
    CURL=()
    granted
    CURL=(-u "$APP_CLIENT:$APP_SECRET")
    post "${APP[0]}" "${APP[3]}"
    CURL=()
    refused 400 invalid_request 9002313
    CURL=(-u "$APP_CLIENT:$encoded")
    post "${APP[@]}"
    CURL=()
    refused 400 invalid_request 9002313
}

@test "only POST" {
    send -X GET
    refused 400 invalid_request 900561
}

@test "only application/x-www-form-urlencoded" {
    CURL=(-H 'Content-Type: application/json')
    post "${APP[@]}"
    CURL=()
    refused 400 invalid_request 900144
    CURL=(-H 'Content-Type: application/x-www-form-urlencoded; charset=utf-8')
    post "${APP[@]}"
    CURL=()
    granted
}

@test "what is not percent-encoded is refused" {
    send -d 'grant_type=client credentials'
    refused 400 invalid_request 9002313
    send -d 'grant_type=x&scope=https://outlook.office365.com/.default'
    refused 400 invalid_request 9002313
    send -d 'grant_type=%4'
    refused 400 invalid_request 9002313
    send -d 'grant_type=%FF%FE'
    refused 400 invalid_request 9002313
    send -d 'grant_type'
    refused 400 invalid_request 9002313
}

@test "a parameter given twice is refused" {
    post "${APP[@]}" "scope=$APP_SCOPE"
    refused 400 invalid_request 9000411
}

@test "a parameter that is missing or empty" {
    post "${APP[@]:1}"
    refused 400 invalid_request 900144
    post "${APP[0]}" "${APP[@]:2}"
    refused 400 invalid_request 900144
    post "${APP[@]:0:3}"
    refused 400 invalid_request 900144
    post "${APP[@]:0:3}" scope=
    refused 400 invalid_request 90014
    post grant_type=refresh_token "client_id=$PUBLIC_CLIENT"
    refused 400 invalid_request 900144
}

@test "a grant nobody knows" {
    post grant_type=password "${APP[@]:1}"
    refused 400 unsupported_grant_type 70003
}

@test "tenants: unknown, by id, shared" {
    URL=$ENTRA_URL/fabrikam.example/oauth2/v2.0/token post "${APP[@]}"
    refused 400 invalid_request 90002
    URL=$ENTRA_URL/c0ffee00-1111-4222-8333-444455556666/oauth2/v2.0/token post "${APP[@]}"
    granted
    URL=$ENTRA_URL/common/oauth2/v2.0/token post "${APP[@]}"
    refused 400 invalid_request 9001023
    URL=$ENTRA_URL/contoso.onmicrosoft.com/oauth2/token post "${APP[@]}"
    refused 400 invalid_request 9002313
}

@test "clients: unknown, disabled" {
    post "${APP[0]}" client_id=99999999-0000-0000-0000-000000000000 "${APP[@]:2}"
    refused 400 unauthorized_client 700016
    entra_admin client "{\"client\": \"$APP_CLIENT\", \"disabled\": true}"
    post "${APP[@]}"
    refused 400 unauthorized_client 7000112
}

@test "secrets: wrong, expired, missing, one too many" {
    post "${APP[@]:0:2}" client_secret=wrong "${APP[3]}"
    refused 401 invalid_client 7000215
    post "${APP[@]:0:2}" "${APP[3]}"
    refused 401 invalid_client 7000216
    post grant_type=refresh_token "${APP[1]}" refresh_token=x
    refused 401 invalid_client 7000218
    post grant_type=refresh_token "client_id=$PUBLIC_CLIENT" refresh_token=x client_secret=y
    refused 401 invalid_client 700025
    post grant_type=client_credentials "client_id=$PUBLIC_CLIENT" "${APP[3]}"
    refused 401 invalid_client 7000216
    entra_admin client "{\"client\": \"$APP_CLIENT\", \"secret_expired\": true}"
    post "${APP[@]}"
    refused 401 invalid_client 7000222
}

@test "scope of an application: Exchange and /.default, nothing else" {
    post "${APP[@]:0:3}" scope=https://outlook.office365.com/SMTP.SendAsApp
    refused 400 invalid_scope 1002012
    post "${APP[@]:0:3}" scope=https://outlook.office.com/.default
    refused 400 invalid_scope 70011
    post "${APP[@]:0:3}" "scope=$APP_SCOPE https://graph.microsoft.com/.default"
    refused 400 invalid_scope 28000
    post "${APP[@]:0:3}" "scope=$APP_SCOPE offline_access"
    refused 400 invalid_scope 28000
    post "${APP[@]:0:3}" scope=https://example.com/.default
    refused 400 invalid_resource 500011
}

@test "a Graph scope gives a token that Exchange does not take" {
    local token

    post "${APP[@]:0:3}" scope=https://graph.microsoft.com/.default
    granted
    expect https://graph.microsoft.com "$(claims aud)"
    token=$(reply access_token)
    expect false "$(curl -s -d "token=$token" "$ENTRA_ADMIN/introspect" | json_get active)"
    refresh "$(sign_in)" "SMTP.Send offline_access"
    granted
    expect 00000003-0000-0000-c000-000000000000 "$(claims aud)"
}

@test "scopes of a user: one resource, known, consented" {
    local token

    token=$(sign_in)
    refresh "$token" "https://outlook.office.com/SMTP.Send https://graph.microsoft.com/User.Read"
    refused 400 invalid_scope 28000
    refresh "$token" https://outlook.office.com/SMTP.Sned
    refused 400 invalid_scope 70011
    entra_admin client "{\"client\": \"$PUBLIC_CLIENT\", \"delegated\": [\"SMTP.Send\"]}"
    refresh "$token" https://outlook.office.com/IMAP.AccessAsUser.All
    refused 400 invalid_grant 65001 consent_required
    refresh "$token" https://outlook.office.com/SMTP.Send
    granted
    expect SMTP.Send "$(claims scp)"
    expect alice@contoso.com "$(claims upn)"
    entra_admin client "{\"client\": \"$PUBLIC_CLIENT\", \"delegated\":
        [\"SMTP.Send\", \"IMAP.AccessAsUser.All\", \"POP.AccessAsUser.All\"]}"
}

@test "rotation keep: a new refresh token each time, the old one stays good" {
    local token

    token=$(sign_in)
    refresh "$token"
    granted
    refute test "$token" = "$(reply refresh_token)"
    refresh "$token"
    granted
}

@test "rotation none: no refresh token in the reply" {
    local token

    entra_admin client "{\"client\": \"$PUBLIC_CLIENT\", \"rotation\": \"none\"}"
    token=$(sign_in)
    refresh "$token"
    granted
    expect '' "$(reply refresh_token)"
    refresh "$token"
    granted
}

@test "rotation strict: the old one is refused, the new one works" {
    local old new

    entra_admin client "{\"client\": \"$PUBLIC_CLIENT\", \"rotation\": \"strict\"}"
    old=$(sign_in)
    refresh "$old"
    new=$(reply refresh_token)
    refresh "$old"
    refused 400 invalid_grant 70000 bad_token
    refresh "$new"
    granted
}

@test "rotation family: reuse ends all of them" {
    local old new

    entra_admin client "{\"client\": \"$PUBLIC_CLIENT\", \"rotation\": \"family\"}"
    old=$(sign_in)
    refresh "$old"
    new=$(reply refresh_token)
    refresh "$old"
    refused 400 invalid_grant 70000 bad_token
    refresh "$new"
    refused 400 invalid_grant 50173 bad_token
}

@test "refresh tokens: unknown, another client's, revoked, expired, user disabled" {
    local token

    refresh 1.AXunknown
    refused 400 invalid_grant 70000 bad_token
    token=$(sign_in)
    post grant_type=refresh_token "${APP[@]:1:2}" "refresh_token=$token"
    refused 400 invalid_grant 70000 bad_token
    entra_admin user '{"user": "alice@contoso.com", "disabled": true}'
    refresh "$token"
    refused 400 invalid_grant 50057 user_disabled
    entra_admin user '{"user": "alice@contoso.com", "disabled": false}'
    entra_admin revoke '{"user": "alice@contoso.com"}'
    refresh "$token"
    refused 400 invalid_grant 50173 bad_token
    token=$(sign_in)
    entra_admin revoke '{"user": "alice@contoso.com", "number": 700082}'
    refresh "$token"
    refused 400 invalid_grant 700082 bad_token
}

@test "introspection: whose mailbox, expiry, expired now" {
    local token

    token=$(new_token "{\"client\": \"$APP_CLIENT\", \"expires_in\": 2}")
    asked() {
        curl -s -d "token=$token" "$ENTRA_ADMIN/introspect/$1" | json_get "$2"
    }
    expect true "$(asked relay@contoso.com active)"
    expect relay@contoso.com "$(asked relay@contoso.com username)"
    expect "$APP_CLIENT" "$(asked alice@contoso.com username)"
    sleep 2.1
    expect false "$(asked relay@contoso.com active)"
    token=$(new_token "{\"client\": \"$PUBLIC_CLIENT\", \"user\": \"alice@contoso.com\"}")
    expect shared@contoso.com "$(asked shared@contoso.com username)"
    expect alice@contoso.com "$(asked relay@contoso.com username)"
    entra_admin expire '{"user": "alice@contoso.com"}'
    expect false "$(asked alice@contoso.com active)"
}

@test "tokens of any size, opaque ones too" {
    local token

    for size in 1500 2500 6000; do
        token=$(new_token "{\"client\": \"$APP_CLIENT\", \"size\": $size}")
        ((${#token} > size - 4 && ${#token} <= size))
    done
    entra_admin client "{\"client\": \"$APP_CLIENT\", \"token\": \"opaque\"}"
    post "${APP[@]}"
    granted
    token=$(reply access_token)
    expect EwB "${token:0:3}"
    expect 2500 "${#token}"
}

@test "refusals on demand, for one client, so many times" {
    entra_admin fault "{\"fault\": \"aadsts\", \"number\": 90033, \"count\": 2,
        \"client\": \"$APP_CLIENT\", \"retry_after\": 7}"
    refresh "$(sign_in)"
    granted
    post "${APP[@]}"
    refused 503 temporarily_unavailable 90033
    grep -qi '^retry-after: 7' "$WORK/head"
    post "${APP[@]}"
    refused 503 temporarily_unavailable 90033
    post "${APP[@]}"
    granted
}

@test "any AADSTS number" {
    local row

    for row in '7000222 401 invalid_client' '700016 400 unauthorized_client' \
        '90002 400 invalid_request' '50196 400 invalid_grant' '50000 500 server_error'; do
        # shellcheck disable=SC2086
        set -- $row
        entra_admin fault "{\"fault\": \"aadsts\", \"number\": $1, \"count\": 1}"
        post "${APP[@]}"
        refused "$2" "$3" "$1"
    done
    entra_admin fault '{"fault": "aadsts", "number": 123456, "count": 1, "status": 400,
        "error": "invalid_grant", "suberror": "basic_action", "extra": {"claims": "{}"}}'
    post "${APP[@]}"
    refused 400 invalid_grant 123456 basic_action
    expect '{}' "$(reply claims)"
}

@test "faults of the service and of the way" {
    fault() {
        entra_admin fault "$1"
        post "${APP[@]}"
    }
    fault '{"fault": "429", "count": 1}'
    expect 429 "$STATUS"
    grep -qi '^retry-after: 60' "$WORK/head"
    fault '{"fault": "500", "count": 1}'
    expect 500 "$STATUS"
    fault '{"fault": "html", "count": 1}'
    expect 200 "$STATUS"
    grep -qi '^content-type: text/html' "$WORK/head"
    fault '{"fault": "invalid_json", "count": 1}'
    refute reply access_token 2> /dev/null
    fault '{"fault": "big", "count": 1}'
    (($(stat -c %s "$WORK/reply") > 10000000))
    CURL=(--max-time 1)
    fault '{"fault": "hang", "count": 1}' || expect 28 $?
    fault '{"fault": "drip", "count": 1}' || expect 28 $?
    CURL=()
    fault '{"fault": "reset", "count": 1}' || expect 56 $?
    fault '{"fault": "close", "count": 1}' || expect 52 $?
    fault '{"fault": "truncate", "count": 1}' || expect 18 $?
    expect '{"429": 1, "500": 1, "html": 1, "invalid_json": 1, "big": 1, "hang": 1, "drip": 1, "reset": 1, "close": 1, "truncate": 1}' \
        "$(entra_admin state | json_get by_fault)"
}

@test "a redirect counts who followed it" {
    entra_admin fault "{\"fault\": \"redirect\", \"count\": 2, \"location\": \"$ENTRA_TRAP/x\"}"
    post "${APP[@]}"
    expect 307 "$STATUS"
    expect 0 "$(entra_count trap_hits)"
    CURL=(-L)
    post "${APP[@]}"
    CURL=()
    expect 1 "$(entra_count trap_hits)"
}

@test "spoilt replies" {
    spoilt() {
        entra_admin fault "{\"fault\": \"$1\", \"count\": 1}"
        refresh "$(sign_in)"
        expect 200 "$STATUS"
    }
    spoilt null_access_token
    expect '' "$(reply access_token)"
    spoilt crlf_access_token
    expect_in "$(reply access_token)" $'\r\n'
    spoilt control_access_token
    expect_in "$(reply access_token)" $'\x01'
    spoilt huge_access_token
    expect 70000 "$(reply access_token | tr -d '\n' | wc -c)"
    spoilt empty_refresh_token
    expect '' "$(reply refresh_token)"
    grep -q '"refresh_token": ""' "$WORK/reply"
    spoilt no_refresh_token
    refute grep -q '"refresh_token"' "$WORK/reply"
    spoilt string_expires_in
    grep -q '"expires_in": "3599"' "$WORK/reply"
    spoilt wrong_token_type
    expect mac "$(reply token_type)"
}

@test "counters: clients, grants, names of parameters, how many at once" {
    local i

    entra_admin fault '{"fault": "slow", "ms": 500}'
    for i in 1 2 3 4 5 6 7 8; do
        curl -s -o /dev/null -d "grant_type=refresh_token&client_id=$PUBLIC_CLIENT&i=$i" \
            "$TOKEN_ENDPOINT" 3>&- &
    done
    wait
    expect 8 "$(entra_count requests)"
    expect 8 "$(entra_count concurrent_maximum)"
    expect 8 "$(entra_count "by_client/$PUBLIC_CLIENT")"
    expect 8 "$(entra_count by_grant/refresh_token)"
    expect '{"grant_type": 8, "client_id": 8, "i": 8}' \
        "$(entra_admin state | json_get by_parameter)"
}

@test "the admin interface refuses what it does not know" {
    refute entra_admin fault '{"fault": "nonesuch"}' 2> /dev/null
    refute entra_admin client "{\"client\": \"$APP_CLIENT\", \"secrt\": \"x\"}" 2> /dev/null
    refute entra_admin expire '{"name": "x"}' 2> /dev/null
    refute entra_admin sign-in "{\"client\": \"$PUBLIC_CLIENT\", \"user\": \"eve\"}" 2> /dev/null
}

@test "TLS with an authority of its own" {
    # A second stand-in; what it sets is forgotten with the subshell.
    (
        make_work
        trap stop_all EXIT
        start_entra --tls --host login.example.com
        expect https "${ENTRA_URL%%:*}"
        CURL=(--cacert "$WORK/tls/ca.pem")
        post "${APP[@]}"
        granted
        CURL+=(--resolve "login.example.com:$ENTRA_PORT:127.0.0.1")
        URL=https://login.example.com:$ENTRA_PORT/$TENANT/oauth2/v2.0/token post "${APP[@]}"
        granted
        CURL=()
        post "${APP[@]}" || expect 60 $?
    )
}

@test "no secret and no token in its log" {
    post "${APP[@]}"
    refresh "$(sign_in)"
    no_secret_in "$WORK/entra.log"
    grep -q "grant=client_credentials .*parameters=client_id,client_secret,grant_type,scope" \
        "$WORK/entra.log"
}

@test "ends by itself" {
    mkdir "$WORK/short"
    timeout 10 "$PYTHON" "$TESTS/fake/entra.py" --dir "$WORK/short" --lifetime 1
}
