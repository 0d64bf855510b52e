#!/usr/bin/env bats
# asan: no, none of our C programs runs here
#
# The stand-in's ways to know a client: certificates and federated tokens, the clouds it is
# registered in, and the machine itself (managed identity). The assertions are signed by
# openssl; what checks them is not.

# fake-entra.bash uses and sets these.
# shellcheck disable=SC2034,SC2153
load lib.bash
load fake-entra.bash

TYPE=urn:ietf:params:oauth:client-assertion-type:jwt-bearer
ISSUER=https://cluster.example.com
SUBJECT=system:serviceaccount:mail:relay
AUDIENCE=api://AzureADTokenExchange

setup_file() {
    make_work
    make_pair rsa -newkey rsa:2048 -days 30
    make_pair strange -newkey rsa:2048 -days 30
    mkdir "$WORK/store"
    start_entra --imds 0
    export_work
    export ISSUER SUBJECT AUDIENCE
}

teardown_file() {
    stop_all
}

setup() {
    fresh_stand_in
    set_client "$APP_CLIENT" "\"certificates\": [\"$WORK/rsa.pem\"]"
    entra_admin identity
    HEADER='{"alg": "PS256", "typ": "JWT", "x5t#S256": "'$(thumbprint rsa sha256)'"}'
    NOW=$(date +%s)
    CLAIMS=("aud=\"$TOKEN_ENDPOINT\"" "iss=\"$APP_CLIENT\"" "sub=\"$APP_CLIENT\""
        "jti=\"$RANDOM-$RANDOM-$RANDOM\"" "nbf=$NOW" "iat=$NOW" "exp=$((NOW + 600))")
    ALG=PS256
    KEY=rsa
}

make_pair() {
    openssl req -x509 -nodes -subj "/CN=$1" -keyout "$WORK/$1.key" -out "$WORK/$1.pem" \
        "${@:2}" 2> /dev/null
}

base64url() {
    base64 -w0 | tr '+/' '-_' | tr -d '='
}

# thumbprint NAME sha1|sha256
thumbprint() {
    openssl x509 -in "$WORK/$1.pem" -outform DER | openssl dgst "-$2" -binary | base64url
}

# sign TEXT - by KEY, as ALG says.
sign() {
    local -a pss=(-sigopt rsa_padding_mode:pss -sigopt "rsa_pss_saltlen:${SALT:-32}")

    [[ $ALG = PS256 ]] || pss=()
    printf '%s' "$1" | openssl dgst -sha256 -sign "$WORK/$KEY.key" "${pss[@]}" | base64url
}

# jwt NAME=JSON... - an assertion of HEADER and CLAIMS, each of them changed or added, or
# taken away by NAME=.
jwt() {
    local text

    text=$("$PYTHON" -c 'import json, sys
claims = dict(one.split("=", 1) for one in sys.argv[1:])
print(json.dumps({k: json.loads(v) for k, v in claims.items() if v}))' "${CLAIMS[@]}" "$@")
    text=$(printf '%s' "$HEADER" | base64url).$(printf '%s' "$text" | base64url)
    printf '%s.%s' "$text" "$(sign "$text")"
}

# prove JWT [NAME=VALUE...] - client credentials by that assertion.
prove() {
    post grant_type=client_credentials "client_id=$APP_CLIENT" "scope=$APP_SCOPE" \
        "client_assertion_type=$TYPE" "client_assertion=$1" "${@:2}"
}

# --- certificates ------------------------------------------------------------------------

@test "certificate: PS256 with x5t#S256, RS256 with x5t" {
    prove "$(jwt)"
    granted
    expect "$APP_CLIENT" "$(claims appid)"
    expect certificate "$(last_asked assertion/kind)"
    expect PS256 "$(last_asked assertion/alg)"
    expect 600 "$(last_asked assertion/life)"
    expect '["alg", "typ", "x5t#S256"]' "$(last_asked assertion/headers)"
    expect "$TOKEN_ENDPOINT" "$(last_asked assertion/aud)"
    ALG=RS256 HEADER='{"alg": "RS256", "typ": "JWT", "x5t": "'$(thumbprint rsa sha1)'"}'
    prove "$(jwt 'jti="another"')"
    granted
    expect RS256 "$(last_asked assertion/alg)"
}

@test "certificate: not registered, another key's, another algorithm's thumbprint" {
    HEADER='{"alg": "PS256", "typ": "JWT", "x5t#S256": "'$(thumbprint strange sha256)'"}'
    KEY=strange
    prove "$(jwt)"
    refused 401 invalid_client 700027
    HEADER='{"alg": "PS256", "typ": "JWT", "x5t#S256": "'$(thumbprint rsa sha256)'"}'
    prove "$(jwt)"
    refused 401 invalid_client 700027
    KEY=rsa
    ALG=RS256
    prove "$(jwt)"
    refused 401 invalid_client 700027
    HEADER='{"alg": "RS256", "typ": "JWT", "x5t#S256": "'$(thumbprint rsa sha256)'"}'
    prove "$(jwt)"
    refused 401 invalid_client 700027
    HEADER='{"alg": "PS256", "typ": "JWT", "x5t": "'$(thumbprint rsa sha1)'"}'
    ALG=PS256
    prove "$(jwt)"
    refused 401 invalid_client 700027
    HEADER='{"alg": "none", "typ": "JWT", "x5t#S256": "'$(thumbprint rsa sha256)'"}'
    prove "$(jwt)"
    refused 401 invalid_client 700027
}

@test "certificate: a signature that is spoilt, or salted otherwise" {
    local text

    text=$(jwt)
    prove "${text%.*}.$(sign "something else")"
    refused 401 invalid_client 700027
    prove "${text%????}"
    refused 401 invalid_client 700027
    prove "$(SALT=20 jwt)"
    refused 401 invalid_client 700027
    HEADER='{"alg": "RS256", "x5t": "'$(thumbprint rsa sha1)'"}'
    prove "$(ALG=RS256 KEY=strange jwt)"
    refused 401 invalid_client 700027
    prove "$(ALG=PS256 jwt)"
    refused 401 invalid_client 700027
    prove "$text"
    granted
}

@test "certificate: audience, issuer, subject" {
    prove "$(jwt 'aud="https://login.microsoftonline.com/x/oauth2/v2.0/token"')"
    refused 401 invalid_client 700023
    prove "$(jwt "aud=\"$TOKEN_ENDPOINT/\"")"
    refused 401 invalid_client 700023
    prove "$(jwt "iss=\"$PUBLIC_CLIENT\"")"
    refused 401 invalid_client 700021
    prove "$(jwt "sub=\"$PUBLIC_CLIENT\"")"
    refused 401 invalid_client 700021
    prove "$(jwt sub=)"
    refused 400 invalid_request 50027
}

@test "certificate: too early, too late, too long, used before, no id" {
    prove "$(jwt "exp=$((NOW - 400))" "nbf=$((NOW - 900))")"
    refused 401 invalid_client 700024
    prove "$(jwt "nbf=$((NOW + 400))" "exp=$((NOW + 900))")"
    refused 401 invalid_client 700024
    prove "$(jwt "exp=$((NOW + 4000))")"
    refused 401 invalid_client 700024
    prove "$(jwt "exp=$NOW")"
    refused 401 invalid_client 700024
    prove "$(jwt "exp=\"$((NOW + 600))\"")"
    refused 400 invalid_request 50027
    prove "$(jwt jti=)"
    refused 400 invalid_request 50027
    prove "$(jwt)"
    granted
    prove "$(jwt)"
    refused 401 invalid_client 50013
}

@test "certificate: outside its own dates" {
    openssl req -new -key "$WORK/rsa.key" -subj /CN=old -out "$WORK/old.csr"
    openssl x509 -req -in "$WORK/old.csr" -signkey "$WORK/rsa.key" -days -1 \
        -out "$WORK/old.pem" 2> /dev/null
    set_client "$APP_CLIENT" "\"certificates\": [\"$WORK/old.pem\"]"
    HEADER='{"alg": "PS256", "typ": "JWT", "x5t#S256": "'$(thumbprint old sha256)'"}'
    prove "$(jwt)"
    refused 401 invalid_client 1000502
}

@test "an assertion that is none, or comes with a secret" {
    prove not.a.jwt
    refused 400 invalid_request 50027
    prove "$(jwt)x=."
    refused 400 invalid_request 50027
    prove "$(jwt)" "client_secret=$APP_SECRET"
    refused 400 invalid_request 9002324
    TYPE=urn:other prove "$(jwt)"
    refused 400 invalid_request 90013
    post grant_type=client_credentials "client_id=$APP_CLIENT" "scope=$APP_SCOPE" \
        "client_assertion=$(jwt)"
    refused 400 invalid_request 900144
    post grant_type=client_credentials "client_id=$APP_CLIENT" "scope=$APP_SCOPE" \
        "client_assertion_type=$TYPE"
    refused 400 invalid_request 900144
    refute set_client "$APP_CLIENT" '"certificates": ["/nowhere"]' 2> /dev/null
}

# --- federated tokens --------------------------------------------------------------------

# cluster_token [JSON MEMBERS] - what an external issuer gives.
cluster_token() {
    entra_admin federated "{\"issuer\": \"$ISSUER\", \"subject\": \"$SUBJECT\",
        \"audience\": \"$AUDIENCE\"${1:+, $1}}" | json_get token
}

@test "federated: issuer, subject and audience as registered, again and again" {
    local token

    token=$(cluster_token)
    prove "$token"
    refused 400 invalid_request 70021
    set_client "$APP_CLIENT" "\"federated\": [{\"issuer\": \"$ISSUER\",
        \"subject\": \"$SUBJECT\", \"audience\": \"$AUDIENCE\"}]"
    prove "$token"
    granted
    expect federated "$(last_asked assertion/kind)"
    prove "$token"
    granted
    prove "$(SUBJECT=${SUBJECT^} cluster_token)"
    refused 400 invalid_request 70021
    prove "$(AUDIENCE=other cluster_token)"
    refused 400 invalid_request 70021
    prove "$(ISSUER=$ISSUER/ cluster_token)"
    refused 400 invalid_request 70021
}

@test "federated: expired, signed by somebody else" {
    set_client "$APP_CLIENT" "\"federated\": [{\"issuer\": \"$ISSUER\",
        \"subject\": \"$SUBJECT\", \"audience\": \"$AUDIENCE\"}]"
    prove "$(cluster_token '"expires_in": -400')"
    refused 401 invalid_client 700024
    cluster_token > "$WORK/one.token"
    HEADER='{"alg": "RS256"}' ALG=RS256
    prove "$(jwt "iss=\"$ISSUER\"" "sub=\"$SUBJECT\"" "aud=\"$AUDIENCE\"")"
    refused 401 invalid_client 700027
}

# --- clouds ------------------------------------------------------------------------------

# at HOST [PATH] - the requests that follow are for that host.
at() {
    CURL=(-H "Host: $1")
    URL=$ENTRA_URL${2:-/contoso.onmicrosoft.us/oauth2/v2.0/token}
}

@test "an application of one cloud is unknown in another" {
    APP=(grant_type=client_credentials "client_id=$APP_CLIENT" "client_secret=$APP_SECRET")
    at login.microsoftonline.us
    post "${APP[@]}" scope=https://outlook.office365.us/.default
    refused 400 invalid_client 900382
    post grant_type=refresh_token "client_id=$PUBLIC_CLIENT" refresh_token=x
    refused 400 unauthorized_client 700016
    at login.microsoftonline.us "/$TENANT/oauth2/v2.0/token"
    post "${APP[@]}" scope=https://outlook.office365.us/.default
    refused 400 invalid_request 90002
    set_client "$APP_CLIENT" '"cloud": "us"'
    at login.microsoftonline.us
    post "${APP[@]}" scope=https://outlook.office365.us/.default
    granted
    expect https://outlook.office365.us "$(claims aud)"
    expect login.microsoftonline.us "$(last_asked host)"
    post "${APP[@]}" scope=https://outlook-dod.office365.us/.default
    granted
    post "${APP[@]}" "scope=$APP_SCOPE"
    refused 400 invalid_resource 500011
    at login.microsoftonline.com "/$TENANT/oauth2/v2.0/token"
    post "${APP[@]}" "scope=$APP_SCOPE"
    refused 400 invalid_client 900382
    set_client "$APP_CLIENT" '"cloud": "china"'
    at login.partner.microsoftonline.cn /contoso.partner.onmschina.cn/oauth2/v2.0/token
    post "${APP[@]}" scope=https://partner.outlook.cn/.default
    granted
    expect '{"login.microsoftonline.us": 6, "login.microsoftonline.com": 1, "login.partner.microsoftonline.cn": 1}' \
        "$(entra_admin state | json_get by_host)"
}

@test "real hosts have their own paths only" {
    set_client other '"cloud": "google", "secret": "CANARY", "public": false'
    at oauth2.googleapis.com /token
    post grant_type=refresh_token client_id=other client_secret=CANARY refresh_token=x
    expect invalid_grant "$(reply error)"
    at oauth2.googleapis.com "/$TENANT/oauth2/v2.0/token"
    post grant_type=refresh_token client_id=other client_secret=CANARY refresh_token=x
    expect 400 "$STATUS"
    expect invalid_request "$(reply error)"
    at login.microsoftonline.com /google/token
    post grant_type=refresh_token client_id=other client_secret=CANARY refresh_token=x
    refused 400 invalid_request 9002313
    at api.login.yahoo.com /oauth2/get_token
    post grant_type=refresh_token client_id=other client_secret=CANARY refresh_token=x
    expect 400 "$STATUS"
    expect unauthorized_client "$(reply error)"
    at api.fastmail.com /oauth/token
    post grant_type=refresh_token client_id=other client_secret=CANARY refresh_token=x
    expect invalid_request "$(reply error)"
}

@test "High Volume Email: a scope of its own, for those who may" {
    APP=(grant_type=client_credentials "client_id=$APP_CLIENT" "client_secret=$APP_SECRET")
    post "${APP[@]}" scope=https://outlook.office.com/.default
    refused 400 invalid_scope 70011
    set_client "$APP_CLIENT" '"hve": true'
    post "${APP[@]}" scope=https://outlook.office.com/.default
    granted
    expect '["Mail.Send"]' "$(claims roles)"
}

# --- managed identity --------------------------------------------------------------------

# machine PATH QUERY [CURL OPTION...]
machine() {
    STATUS=$(curl -s --max-time 5 -o "$WORK/reply" -D "$WORK/head" -w '%{http_code}' \
        "${@:3}" "$ENTRA_IMDS$1?$2")
}

imds() {
    machine /metadata/identity/oauth2/token \
        "api-version=2018-02-01&resource=https%3A%2F%2Foutlook.office365.com$1" "${@:2}"
}

arc() {
    machine /metadata/identity/oauth2/token \
        "api-version=2020-06-01&resource=https%3A%2F%2Foutlook.office365.com$1" \
        -H Metadata:true "${@:2}"
}

# denied STATUS ERROR
denied() {
    expect "$1" "$STATUS"
    expect "$2" "$(reply error)"
}

@test "IMDS: a token of the machine, numbers as texts" {
    imds '' -H Metadata:true
    denied 400 invalid_request
    expect 'Identity not found' "$(reply error_description)"
    entra_admin identity "{\"system\": \"$APP_CLIENT\"}"
    imds '' -H Metadata:true
    expect 200 "$STATUS"
    grep -q '"expires_in": "86399"' "$WORK/reply"
    grep -qE '"expires_on": "[0-9]+"' "$WORK/reply"
    grep -q '"refresh_token": ""' "$WORK/reply"
    expect https://outlook.office365.com "$(claims aud)"
    expect "$APP_CLIENT" "$(claims appid)"
    entra_admin identity "{\"system\": \"$APP_CLIENT\", \"texts\": false}"
    imds '' -H Metadata:true
    grep -q '"expires_in": 86399' "$WORK/reply"
    expect '{"imds 400": 1, "imds 200": 2}' "$(entra_admin state | json_get by_identity)"
}

@test "IMDS: what it refuses" {
    entra_admin identity "{\"system\": \"$APP_CLIENT\", \"clients\": [\"$PUBLIC_CLIENT\"]}"
    imds ''
    denied 400 invalid_request
    imds '' -H Metadata:true -H 'X-Forwarded-For: 10.0.0.1'
    denied 400 invalid_request
    imds '' -H Metadata:true -X POST
    expect 405 "$STATUS"
    imds '&client_id=unknown' -H Metadata:true
    denied 400 invalid_request
    imds "&client_id=$PUBLIC_CLIENT" -H Metadata:true
    expect 200 "$STATUS"
    expect "$PUBLIC_CLIENT" "$(reply client_id)"
    machine /metadata/identity/oauth2/token api-version=2018-02-01 -H Metadata:true
    denied 400 invalid_resource
    machine /metadata/identity/oauth2/token \
        'api-version=2018-02-01&resource=https%3A%2F%2Foutlook.office.com' -H Metadata:true
    denied 400 invalid_resource
    machine /metadata/identity/oauth2/token \
        'resource=https%3A%2F%2Foutlook.office365.com' -H Metadata:true
    denied 400 invalid_request
    machine /elsewhere api-version=2018-02-01 -H Metadata:true
    denied 404 not_found
}

@test "IMDS: not yet, gone, too many, broken" {
    local status

    entra_admin identity "{\"system\": \"$APP_CLIENT\", \"statuses\": [404, 410, 429, 500],
        \"retry_after\": 3}"
    for status in 404 410 429 500; do
        imds '' -H Metadata:true
        expect "$status" "$STATUS"
        grep -qi '^retry-after: 3' "$WORK/head"
    done
    imds '' -H Metadata:true
    expect 200 "$STATUS"
}

@test "Azure Arc: a file to read, once" {
    local path proof

    entra_admin identity "{\"system\": \"$APP_CLIENT\", \"directory\": \"$WORK/store\"}"
    arc ''
    denied 401 unauthorized
    path=$(sed -n 's/^WWW-Authenticate: Basic realm=//p' "$WORK/head" | tr -d '\r')
    [[ $path = "$WORK/store/"*.key ]]
    proof=$(cat "$path")
    arc '' -H "Authorization: Basic wrong"
    denied 401 unauthorized
    arc '' -H "Authorization: Basic $proof"
    expect 200 "$STATUS"
    expect "$APP_CLIENT" "$(claims appid)"
    refute test -e "$path"
    arc '' -H "Authorization: Basic $proof"
    denied 401 unauthorized
    path=$(sed -n 's/^WWW-Authenticate: Basic realm=//p' "$WORK/head" | tr -d '\r')
    arc '&client_id=x' -H "Authorization: Basic $(cat "$path")"
    denied 400 invalid_request
    entra_admin identity "{\"system\": \"$APP_CLIENT\", \"directory\": \"$WORK/store\",
        \"realm\": \"/etc/shadow\"}"
    arc ''
    grep -q '^WWW-Authenticate: Basic realm=/etc/shadow' "$WORK/head"
}

@test "App Service: its header, no expires_in" {
    local query='api-version=2019-08-01&resource=https%3A%2F%2Foutlook.office365.com'

    entra_admin identity "{\"system\": \"$APP_CLIENT\", \"header\": \"CANARY-x\"}"
    machine /msi/token "$query" -H 'X-IDENTITY-HEADER: CANARY-x'
    expect 200 "$STATUS"
    grep -qE '"expires_on": "[0-9]+"' "$WORK/reply"
    refute grep -q '"expires_in"' "$WORK/reply"
    machine /msi/token "$query" -H 'X-IDENTITY-HEADER: other'
    denied 403 forbidden
    machine /msi/token "$query" -H Metadata:true
    denied 403 forbidden
    machine /msi/token "${query/2019-08-01/2018-02-01}" -H 'X-IDENTITY-HEADER: CANARY-x'
    denied 400 invalid_request
    refute entra_admin identity '{"sytem": "x"}' 2> /dev/null
}

@test "names in TLS, for tests that ask which host was meant" {
    (
        make_work
        trap stop_all EXIT
        start_entra --tls --host login.microsoftonline.com
        CURL=(--cacert "$WORK/tls/ca.pem"
            --connect-to "login.microsoftonline.com:443:127.0.0.1:$ENTRA_PORT")
        URL=https://login.microsoftonline.com/$TENANT/oauth2/v2.0/token
        post grant_type=client_credentials "client_id=$APP_CLIENT" \
            "client_secret=$APP_SECRET" "scope=$APP_SCOPE"
        granted
        expect login.microsoftonline.com "$(last_asked sni)"
        expect login.microsoftonline.com "$(last_asked host)"
        expect '{"login.microsoftonline.com": 1}' "$(entra_admin state | json_get by_sni)"
    )
}
