#!/usr/bin/env bats
#
# The ways to prove who asks, apart from a plain secret: certificates, federated tokens, a
# provider found by its issuer, HTTP Basic, and passwords of an application.

load lib.bash
load agent.bash
load login.bash

ISSUER=https://cluster.example.com
SUBJECT=system:serviceaccount:mail:relay
AUDIENCE=api://AzureADTokenExchange
SHARED=shared@contoso.com

setup_file() {
    make_ground
    mkdir -m 755 "$WORK/pairs"
    make_pair one
    make_pair two
    # The first one's key, with a certificate that is no longer valid.
    openssl req -new -key "$WORK/pairs/one.key" -subj /CN=old -out "$WORK/pairs/old.csr"
    openssl x509 -req -in "$WORK/pairs/old.csr" -signkey "$WORK/pairs/one.key" -days -1 \
        -out "$WORK/pairs/old.pem" 2> /dev/null
}

teardown_file() {
    stop_all
}

setup() {
    fresh_ground
    unset "${!AZURE_@}" DISPLAY WAYLAND_DISPLAY BROWSER SSH_CONNECTION
    set_client "$APP_CLIENT" "\"certificates\": [\"$WORK/pairs/one.pem\"], \"federated\": [],
        \"sign_in\": {}, \"redirects\": null"
    write_accounts
}

teardown() {
    stop_agent
    stop_named login
    no_secret_in "$WORK"
}

make_pair() {
    openssl req -x509 -nodes -newkey rsa:2048 -days 365 -subj "/CN=$1" \
        -keyout "$WORK/pairs/$1.key" -out "$WORK/pairs/$1.pem" 2> /dev/null
    chmod 600 "$WORK/pairs/$1.key"
}

# certified [CERTIFICATE] [KEY] [LINE...] - an account of the application with that pair.
certified() {
    account_section "$SHARED" 'grant = client_credentials' "client_id = $APP_CLIENT" \
        "client_certificate = \"$WORK/pairs/${1:-one}.pem\"" \
        "client_key = \"$WORK/pairs/${2:-one}.key\"" "${@:3}"
}

# proved KIND ALG HEADERS - by that assertion was the latest request for tokens made, and no
# secret went with it.
proved() {
    expect "$1" "$(last_asked assertion/kind)"
    expect "$2" "$(last_asked assertion/alg)"
    expect "$3" "$(last_asked assertion/headers)"
    expect 0 "$(entra_count by_parameter/client_secret)"
}

# gets_token ACCOUNT [MAILBOX] - it works, and was asked for once.
gets_token() {
    asked token "$1"
    is_token "$(out)"
    token_works "$(out)" "${2:-$1}"
    expect_requests 1
}

# check_finds CODE KIND TEXT... - `check` ends so, with a line of that kind that holds all.
check_finds() {
    local code=$1 line part

    mailbearer check
    expect "$code" "$RC" || { out >&2; return 1; }
    line=$(grep "^$2 " "$WORK/out.token" | grep -F -- "$3")
    for part in "${@:3}"; do
        expect_in "$line" "$part"
    done
}

# --- certificates --------------------------------------------------------------------------

@test "certificate: PS256 with x5t#S256, addressed to the token endpoint, for ten minutes" {
    write_accounts "$(certified)"
    gets_token "$SHARED"
    proved certificate PS256 '["alg", "typ", "x5t#S256"]'
    expect "$TOKEN_ENDPOINT" "$(last_asked assertion/aud)"
    expect 600 "$(last_asked assertion/life)"
    expect '["aud", "exp", "iat", "iss", "jti", "nbf", "sub"]' "$(last_asked assertion/claims)"
    check_finds 0 ok "$SHARED"
}

@test "certificate: an assertion is used once" {
    local first

    write_accounts "$(certified)"
    gets_token "$SHARED"
    first=$(last_asked assertion/jti)
    sleep 1.1
    asked token "$SHARED" --refresh
    expect_requests 2
    [[ $first != "$(last_asked assertion/jti)" ]]
}

@test "certificate: RS256 with x5t by assertion_alg" {
    write_accounts "$(certified one one 'assertion_alg = RS256')"
    gets_token "$SHARED"
    proved certificate RS256 '["alg", "typ", "x5t"]'
    write_accounts "$(certified one one 'assertion_alg = HS256')"
    mailbearer token "$SHARED"
    failed 78 "unknown assertion_alg \`HS256\`; did you mean \`PS256\`?" 'mailbearer.conf(5)'
    expect_requests 1
}

@test "certificate: through the agent, and refreshed by it" {
    write_accounts "$(certified)"
    start_agent
    expect OK "$(reply_to "token $SHARED")"
    good_token
    expect_requests 1
    proved certificate PS256 '["alg", "typ", "x5t#S256"]'
    reply_to "rejected $(sed 's/^OK //' "$WORK/reply.token") $SHARED" > "$WORK/x"
    asked token "$SHARED"
    is_token "$(out)"
    expect_requests 2
    expect certificate "$(last_asked assertion/kind)"
}

@test "certificate: an encrypted key, with its passphrase in a file" {
    local remedy='client_key_passphrase_file to a file with the passphrase on its first line'

    write_accounts "$(certified one locked)"
    (umask 077 && echo 'pass CANARY phrase' > "$WORK/secrets/phrase")
    openssl pkcs8 -topk8 -v2 aes-256-cbc -in "$WORK/pairs/one.key" \
        -out "$WORK/pairs/locked.key" -passout "file:$WORK/secrets/phrase"
    chmod 600 "$WORK/pairs/locked.key"
    mailbearer token "$SHARED"
    failed 78 'locked.key is encrypted and there is no passphrase for it' "$remedy"
    check_finds 78 error "$SHARED" 'is encrypted and there is no passphrase' "$remedy"
    write_accounts "$(certified one locked \
        "client_key_passphrase_file = \"$WORK/secrets/phrase\"")"
    gets_token "$SHARED"
    proved certificate PS256 '["alg", "typ", "x5t#S256"]'
    check_finds 0 ok "$SHARED"
    # the wrong one
    rm "$WORK/store/$SHARED.json"
    echo 'another CANARY' > "$WORK/secrets/phrase"
    mailbearer token "$SHARED"
    failed 78 "the passphrase in $WORK/secrets/phrase does not open the private key in $WORK/pairs/locked.key" \
        "openssl pkey -in $WORK/pairs/locked.key -noout"
    check_finds 78 error 'does not open the private key'
    # one that others can read
    chmod 644 "$WORK/secrets/phrase"
    mailbearer token "$SHARED"
    failed 78 "$WORK/secrets/phrase" "chmod 600 $WORK/secrets/phrase"
    expect_requests 1
}

@test "certificate: with another pair's key" {
    write_accounts "$(certified one two)"
    mailbearer token "$SHARED"
    failed 78 "the private key in $WORK/pairs/two.key does not belong to the certificate $WORK/pairs/one.pem" \
        'give the pair that was made together'
    check_finds 78 error "$SHARED" 'does not belong to the certificate'
    start_agent
    expect_in "$(reply_to "token $SHARED")" 'PERM the private key in'
    expect_requests 0
}

@test "certificate: expired" {
    set_client "$APP_CLIENT" "\"certificates\": [\"$WORK/pairs/old.pem\"]"
    write_accounts "$(certified old one)"
    mailbearer token "$SHARED"
    failed 77 "the client certificate $WORK/pairs/old.pem expired on 20" \
        'register the certificate with the application'
    check_finds 77 error "$SHARED" 'expired on 20' 'make a new pair'
    start_agent
    expect_in "$(reply_to "token $SHARED")" 'PERM the client certificate'
    expect_requests 0
}

@test "certificate: soon to expire is a warning" {
    openssl x509 -req -in "$WORK/pairs/old.csr" -signkey "$WORK/pairs/one.key" -days 20 \
        -out "$WORK/pairs/soon.pem" 2> /dev/null
    set_client "$APP_CLIENT" "\"certificates\": [\"$WORK/pairs/soon.pem\"]"
    write_accounts "$(certified soon one)"
    check_finds 0 warning "$SHARED" 'expires in less than 30 days' 'upload it'
    gets_token "$SHARED"
}

@test "certificate: not registered with the application" {
    write_accounts "$(certified two two)"
    check_finds 0 ok "$SHARED"
    mailbearer token "$SHARED"
    failed 77 'AADSTS700027' \
        "Upload client_certificate under Entra > App registrations > $APP_CLIENT > Certificates & secrets"
    expect_requests 1
    start_agent
    expect_in "$(reply_to "token $SHARED")" 'PERM AADSTS700027'
    # an agent that starts tries once, and remembers the answer
    expect_in "$(reply_to "token $SHARED")" 'PERM AADSTS700027'
    expect_requests 2
}

@test "certificate: a missing file, one that is none, a key others can read" {
    write_accounts "$(certified none one)"
    mailbearer token "$SHARED"
    failed 78 "cannot open client certificate $WORK/pairs/none.pem: No such file" \
        'correct client_certificate; uid 0 must be able to read that file'
    cp "$WORK/pairs/one.key" "$WORK/pairs/key.pem"
    write_accounts "$(certified key one)"
    mailbearer token "$SHARED"
    failed 78 "$WORK/pairs/key.pem holds no certificate in PEM form" 'CERTIFICATE-----'
    write_accounts "$(certified one open)"
    cp "$WORK/pairs/one.key" "$WORK/pairs/open.key"
    chmod 644 "$WORK/pairs/open.key"
    mailbearer token "$SHARED"
    failed 78 "$WORK/pairs/open.key" "chmod 600 $WORK/pairs/open.key"
    check_finds 78 error "$SHARED" "chmod 600 $WORK/pairs/open.key"
    expect_requests 0
}

@test "certificate: a person's sign-in with a confidential client, code and refresh" {
    write_login_accounts "$(printf 'account certified {\n provider = entra\n')" \
        " client_id = $APP_CLIENT" " login_hint = \"$ALICE\"" \
        " client_certificate = \"$WORK/pairs/one.pem\"" \
        " client_key = \"$WORK/pairs/one.key\"" '}'
    start_browser_login certified --browser
    visit "$(sent_to)"
    page_is 200 '<h1>done</h1>'
    ends 0
    expect authorization_code "$(last_asked grant)"
    proved certificate PS256 '["alg", "typ", "x5t#S256"]'
    sleep 1.1
    run_quiet "$MAILBEARER" -c "$WORK/login.conf" token certified --refresh
    expect 0 "$RC"
    token_works "$(out)" "$ALICE"
    expect refresh_token "$(last_asked grant)"
    proved certificate PS256 '["alg", "typ", "x5t#S256"]'
    expect 1 "$(entra_count by_grant/refresh_token)"
    # refused when the certificate is no longer registered
    set_client "$APP_CLIENT" '"certificates": []'
    sleep 1.1
    run_quiet "$MAILBEARER" -c "$WORK/login.conf" token certified --refresh
    failed 77 AADSTS700027 'Upload client_certificate'
}

# --- federated tokens ----------------------------------------------------------------------

# mount_token [SUBJECT] - as the cluster would put it there, readable by all.
mount_token() {
    mkdir -p "$WORK/secrets"
    entra_admin federated "{\"issuer\": \"$ISSUER\", \"subject\": \"${1:-$SUBJECT}\",
        \"audience\": \"$AUDIENCE\"}" | json_get token > "$WORK/secrets/cluster"
    chmod 644 "$WORK/secrets/cluster"
}

trust_cluster() {
    set_client "$APP_CLIENT" "\"certificates\": [], \"federated\": [{\"issuer\": \"$ISSUER\",
        \"subject\": \"$SUBJECT\", \"audience\": \"$AUDIENCE\"}]"
}

@test "federated token: read again at each use" {
    trust_cluster
    write_accounts "$(account_section "$SHARED" 'grant = client_credentials' \
        "client_id = $APP_CLIENT" "federated_token_file = \"$WORK/secrets/cluster\"")"
    mount_token
    gets_token "$SHARED"
    proved federated RS256 '["alg", "kid", "typ"]'
    local first
    first=$(last_asked assertion/jti)
    mount_token
    sleep 1.1
    asked token "$SHARED" --refresh
    expect_requests 2
    [[ $first != "$(last_asked assertion/jti)" ]]
    # the agent as well
    start_agent
    first=$(last_asked assertion/jti)
    mount_token
    rm "$WORK/store/$SHARED.json"
    expect OK "$(reply_to "token $SHARED")"
    expect_requests 3
    [[ $first != "$(last_asked assertion/jti)" ]]
}

@test "federated token: absent, empty, another subject's" {
    trust_cluster
    write_accounts "$(account_section "$SHARED" 'grant = client_credentials' \
        "client_id = $APP_CLIENT" "federated_token_file = \"$WORK/secrets/cluster\"")"
    mailbearer token "$SHARED"
    failed 78 "$WORK/secrets/cluster: No such file" 'or correct federated_token_file'
    : > "$WORK/secrets/cluster"
    rm -f "$WORK/store/$SHARED.json"
    mailbearer token "$SHARED"
    failed 75 "federated token $WORK/secrets/cluster is empty" ''
    expect_requests 0
    rm -f "$WORK/store/$SHARED.json"
    mount_token system:serviceaccount:mail:other
    mailbearer token "$SHARED"
    failed 77 AADSTS70021 'Compare iss, sub and aud of federated_token_file letter by letter'
    # mended by a new file, which is tried from the next second on, not after five minutes
    mount_token
    sleep 1.1
    asked token "$SHARED"
    token_works "$(out)" "$SHARED"
}

@test "azure_environment: all of it from AZURE_*" {
    trust_cluster
    write_accounts
    printf 'account "%s" {\n provider = microsoft\n grant = client_credentials\n%s\n}\n' \
        "$SHARED" ' azure_environment = true' >> "$WORK/mailbearer.conf"
    mount_token
    export AZURE_CLIENT_ID=$APP_CLIENT AZURE_TENANT_ID=$TENANT
    export AZURE_AUTHORITY_HOST=$ENTRA_URL/ AZURE_FEDERATED_TOKEN_FILE=$WORK/secrets/cluster
    gets_token "$SHARED"
    proved federated RS256 '["alg", "kid", "typ"]'
    expect "/$TENANT/oauth2/v2.0/token" "$(last_asked path)"
    expect "$APP_SCOPE" "$(last_asked scope)"
    start_agent
    asked token "$SHARED"
    stop_agent
    unset MAILBEARER_SOCKET
    for name in AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_FEDERATED_TOKEN_FILE; do
        run_quiet env -u $name "$MAILBEARER" -c "$WORK/mailbearer.conf" token "$SHARED"
        failed 78 "$name is not set" 'set it for the process that reads this file, or add '
        run_quiet env "$name=" "$MAILBEARER" -c "$WORK/mailbearer.conf" check
        expect 78 "$RC"
        expect_in "$(out)" "$name is not set"
    done
    expect_requests 1
}

# --- providers found by their issuer ---------------------------------------------------------

# found_by ISSUER [LINE...] - alice's account at a provider of that issuer; signed in.
found_by() {
    set_client generic-app '"cloud": "generic", "public": false, "client_auth": "any",
        "secret": "CANARY se+cr/et:%=&"'
    write_accounts "$(printf 'provider "found" {\n issuer = "%s"\n' "$1")" \
        ' scope = "mail offline_access"' "${@:2}" '}' \
        "$(printf 'account "%s" {\n provider = found\n client_id = generic-app\n' "$ALICE")" \
        " client_secret_file = \"$WORK/secrets/generic\"" '}'
    (umask 077 && printf '%s\n' 'CANARY se+cr/et:%=&' > "$WORK/secrets/generic")
    entra_admin sign-in "{\"client\": \"generic-app\", \"user\": \"$ALICE\",
        \"scope\": \"mail offline_access\"}" | json_get refresh_token |
        "$MAILBEARER" -c "$WORK/mailbearer.conf" import refresh-token - "$ALICE" \
            > "$WORK/import.out"
    entra_admin metadata
}

@test "issuer: OpenID's place, then RFC 8414's" {
    found_by "$ENTRA_URL/generic"
    asked token "$ALICE"
    token_works "$(out)" "$ALICE"
    expect '{"openid": 1, "token": 1}' "$(entra_admin state | json_get by_endpoint)"
    expect /generic/token "$(last_asked path)"
    entra_admin reset
    entra_admin metadata '{"only": "rfc8414"}'
    sleep 1.1
    asked token "$ALICE" --refresh
    token_works "$(out)" "$ALICE"
    expect '["/generic/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/generic", "/generic/token"]' \
        "$(entra_admin state | "$PYTHON" -c 'import json, sys
print(json.dumps([a["path"] for a in json.load(sys.stdin)["asked"]]))')"
    start_agent
    asked token "$ALICE"
}

@test "issuer: another one in the metadata is refused, and nothing is sent there" {
    found_by "$ENTRA_URL/generic"
    entra_admin metadata "{\"issuer\": \"https://evil.example.com\",
        \"set\": {\"token_endpoint\": \"$ENTRA_TRAP/token\"}}"
    mailbearer token "$ALICE"
    failed 78 "the metadata of $ENTRA_URL/generic is another issuer's: https://evil.example.com" \
        'set issuer as the provider spells it'
    expect 0 "$(entra_count by_endpoint/token)"
    rm -f "$WORK/x"
    start_agent
    expect_in "$(reply_to "token $ALICE")" "PERM the metadata of $ENTRA_URL/generic is another"
    expect 0 "$(entra_count by_endpoint/token)"
}

@test "issuer: metadata without a token endpoint, in clear, none at all" {
    found_by "$ENTRA_URL/generic"
    entra_admin metadata '{"remove": ["token_endpoint"]}'
    mailbearer token "$ALICE"
    failed 78 'names no usable token endpoint' 'give token_endpoint in the provider section'
    found_by "$ENTRA_URL/generic"
    entra_admin metadata '{"set": {"token_endpoint": "http://idp.example.com/token"}}'
    mailbearer token "$ALICE"
    failed 78 'names no usable token endpoint' 'give token_endpoint in the provider section'
    found_by "$ENTRA_URL/nowhere"
    mailbearer token "$ALICE"
    failed 75 "$ENTRA_URL/nowhere: no metadata (HTTP 404)" 'check issuer'
    expect 0 "$(entra_count by_endpoint/token)"
}

@test "client_auth: the secret in HTTP Basic, and not in the form" {
    found_by "$ENTRA_URL/generic" ' client_auth = basic'
    set_client generic-app '"client_auth": "basic"'
    asked token "$ALICE"
    token_works "$(out)" "$ALICE"
    expect 0 "$(entra_count by_parameter/client_secret)"
    # a provider that wants it so refuses the form
    found_by "$ENTRA_URL/generic" ' client_auth = post'
    set_client generic-app '"client_auth": "basic"'
    mailbearer token "$ALICE"
    expect 77 "$RC"
    expect_in "$(cat "$WORK/err")" invalid_client
    expect 1 "$(entra_count by_parameter/client_secret)"
}

# --- passwords of an application --------------------------------------------------------------

@test "app password: printed, served by the agent, stored nowhere" {
    write_accounts "$(account_section "$ALICE" 'grant = app_password' \
        "app_password_file = \"$WORK/secrets/app\"" 'smtp = "smtp.example.com:587 starttls"')"
    mailbearer token "$ALICE"
    failed 78 "cannot open app password $WORK/secrets/app: No such file" \
        "put the password there, on one line; uid 0 must be able to read it"
    (umask 077 && printf 'abcd CANARY efgh\nsecond line\n' > "$WORK/secrets/app")
    asked token "$ALICE"
    expect 'abcd CANARY efgh' "$(out)"
    asked check
    start_agent
    talk ask "token $ALICE" > "$WORK/reply.token"
    expect 'OK abcd CANARY efgh' "$(cat "$WORK/reply.token")"
    talk ask 'sasl [smtp.example.com]:587' > "$WORK/reply.token"
    expect "OK $ALICE:abcd CANARY efgh" "$(cat "$WORK/reply.token")"
    asked token "$ALICE"
    expect 'abcd CANARY efgh' "$(out)"
    # a new one is noticed without a restart
    echo 'new CANARY one' > "$WORK/secrets/app"
    agent_gives() {
        talk ask "token $ALICE" > "$WORK/reply.token"
        [[ $(cat "$WORK/reply.token") = "OK $1" ]]
    }
    retry_until 20 agent_gives 'new CANARY one'
    refute grep -rq CANARY "$WORK/store"
    expect_requests 0
}

@test "app password: a file that others can read" {
    write_accounts "$(account_section "$ALICE" 'grant = app_password' \
        "app_password_file = \"$WORK/secrets/app\"")"
    echo 'CANARY' > "$WORK/secrets/app"
    chmod 644 "$WORK/secrets/app"
    mailbearer token "$ALICE"
    failed 78 "$WORK/secrets/app" "chmod 600 $WORK/secrets/app"
    start_agent
    expect_in "$(reply_to "token $ALICE")" PERM
}
