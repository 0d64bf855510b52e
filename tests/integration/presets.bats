#!/usr/bin/env bats
#
# Every built-in provider, unmodified: the program asks the real host name, in a network of
# its own, and the stand-in behind that name gives a token that opens the mailbox.

load lib.bash
load agent.bash
load netns.bash

export US=contoso.onmicrosoft.us
export CHINA=contoso.partner.onmschina.cn
export OUTLOOK=alice@outlook.com

setup_file() {
    make_work
    mkdir "$WORK/bin"
    cp "$BUILD/mailbearer" "$BUILD/mailbearer-oauth" "$WORK/bin/"
    use_copied_programs
    start_private
    export_work
}

teardown_file() {
    stop_all
}

setup() {
    in_private begin
}

begin() {
    fresh_ground
    mkdir -m 700 "$WORK/store" "$WORK/secrets"
    in_cloud "$APP_CLIENT" global '"hve": false'
    in_cloud "$PUBLIC_CLIENT" global '"public": true, "secret": null'
}

# preset NAME PROVIDER LINE... - the accounts file: one account.
preset() {
    (
        umask 077
        printf '%s' "$APP_SECRET" > "$WORK/secrets/relay"
        {
            printf 'store { directory = "%s" }\n' "$WORK/store"
            printf 'account "%s" {\n    provider = %s\n' "$1" "$2"
            printf '    ca_file = "%s"\n' "$WORK/tls/ca.pem"
            printf '    %s\n' "${@:3}"
            printf '}\n'
        } > "$WORK/mailbearer.conf"
    )
    rm -rf "$WORK/store"
    mkdir -m 700 "$WORK/store"
    entra_admin reset
}

# in_cloud CLIENT CLOUD [SETTINGS] - where the client is registered from now on.
in_cloud() {
    set_client "$1" "\"cloud\": \"$2\"${3:+, $3}"
}

# as_application PROVIDER TENANT - the account of an application, with a secret.
as_application() {
    preset "$RELAY" "$1" 'grant = client_credentials' "tenant = $2" \
        "client_id = $APP_CLIENT" "client_secret_file = \"$WORK/secrets/relay\""
}

# as_person MAILBOX PROVIDER SCOPE [LINE...] - one that signed in elsewhere.
as_person() {
    preset "$1" "$2" "client_id = $PUBLIC_CLIENT" "${@:4}"
    entra_admin sign-in "{\"client\": \"$PUBLIC_CLIENT\", \"user\": \"$1\",
        \"scope\": \"$3\"}" | json_get refresh_token |
        "$MAILBEARER" -c "$WORK/mailbearer.conf" import refresh-token - "$1" \
            > "$WORK/import.out"
}

# gets_token MAILBOX HOST PATH SCOPE - `token` prints one that opens the mailbox, and this is
# what was asked, once.
gets_token() {
    asked token "$1"
    token_works "$(out)" "$1"
    expect_requests 1
    expect "$2" "$(last_asked host)"
    expect "$2" "$(last_asked sni)"
    expect "$3" "$(last_asked path)"
    expect "$4" "$(last_asked scope)"
    expect "{\"$2\": 1}" "$(entra_admin state | json_get by_host)"
}

# delegated OUTLOOK-HOST - the scope of a person's account.
delegated() {
    echo "https://$1/SMTP.Send https://$1/IMAP.AccessAsUser.All https://$1/POP.AccessAsUser.All offline_access"
}

microsoft() {
    local scope

    as_application microsoft "$TENANT"
    gets_token "$RELAY" login.microsoftonline.com "/$TENANT/oauth2/v2.0/token" \
        https://outlook.office365.com/.default
    scope=$(delegated outlook.office.com)
    as_person "$ALICE" microsoft "$scope"
    gets_token "$ALICE" login.microsoftonline.com /organizations/oauth2/v2.0/token "$scope"
    as_person "$ALICE" microsoft "$scope" "tenant = $TENANT"
    gets_token "$ALICE" login.microsoftonline.com "/$TENANT/oauth2/v2.0/token" "$scope"
}

@test "microsoft" {
    in_private microsoft
}

personal() {
    local scope

    scope=$(delegated outlook.office.com)
    as_person "$OUTLOOK" microsoft-personal "$scope"
    gets_token "$OUTLOOK" login.microsoftonline.com /consumers/oauth2/v2.0/token "$scope"
    expect EwB "$(out | cut -c1-3)"
}

@test "microsoft-personal" {
    in_private personal
}

# government PROVIDER OUTLOOK-HOST
government() {
    local scope

    in_cloud "$APP_CLIENT" us
    in_cloud "$PUBLIC_CLIENT" us
    as_application "$1" "$US"
    gets_token "$RELAY" login.microsoftonline.us "/$US/oauth2/v2.0/token" \
        "https://$2/.default"
    scope=$(delegated "$2")
    as_person "$ALICE" "$1" "$scope"
    gets_token "$ALICE" login.microsoftonline.us /organizations/oauth2/v2.0/token "$scope"
}

@test "microsoft-gcc-high" {
    in_private government microsoft-gcc-high outlook.office365.us
}

@test "microsoft-dod" {
    in_private government microsoft-dod outlook-dod.office365.us
}

china() {
    local scope

    in_cloud "$APP_CLIENT" china
    in_cloud "$PUBLIC_CLIENT" china
    as_application microsoft-china "$CHINA"
    gets_token "$RELAY" login.partner.microsoftonline.cn "/$CHINA/oauth2/v2.0/token" \
        https://partner.outlook.cn/.default
    scope=$(delegated partner.outlook.cn)
    as_person "$ALICE" microsoft-china "$scope"
    gets_token "$ALICE" login.partner.microsoftonline.cn /organizations/oauth2/v2.0/token \
        "$scope"
}

@test "microsoft-china" {
    in_private china
}

hve() {
    set_client "$APP_CLIENT" '"hve": true'
    as_application microsoft-hve "$TENANT"
    gets_token "$RELAY" login.microsoftonline.com "/$TENANT/oauth2/v2.0/token" \
        https://outlook.office.com/.default
    as_person "$ALICE" microsoft-hve "https://outlook.office.com/.default offline_access"
    gets_token "$ALICE" login.microsoftonline.com /organizations/oauth2/v2.0/token \
        "https://outlook.office.com/.default offline_access"
}

@test "microsoft-hve" {
    in_private hve
}

# elsewhere PROVIDER HOST PATH SCOPE SETTINGS [LINE...]
elsewhere() {
    in_cloud "$PUBLIC_CLIENT" "$1" "$5"
    as_person "$ALICE" "$1" "$4" "${@:6}"
    gets_token "$ALICE" "$2" "$3" "$4"
}

@test "google, whose desktop clients have a secret" {
    in_private elsewhere google oauth2.googleapis.com /token https://mail.google.com/ \
        '"public": false, "secret": "relay~CANARY+value/with=odd%41 signs&more"' \
        "client_secret_file = \"$WORK/secrets/relay\""
}

@test "yahoo, with a secret" {
    in_private elsewhere yahoo api.login.yahoo.com /oauth2/get_token mail-w \
        '"public": false, "secret": "relay~CANARY+value/with=odd%41 signs&more"' \
        "client_secret_file = \"$WORK/secrets/relay\""
}

@test "fastmail, without one" {
    in_private elsewhere fastmail api.fastmail.com /oauth/refresh \
        'https://www.fastmail.com/dev/protocol-imap https://www.fastmail.com/dev/protocol-pop https://www.fastmail.com/dev/protocol-smtp' \
        '"public": true'
}

wrong_cloud() {
    in_cloud "$APP_CLIENT" us
    as_application microsoft "$TENANT"
    mailbearer token "$RELAY"
    failed 77 AADSTS900382 'cloud'
    in_cloud "$APP_CLIENT" global
    as_application microsoft-gcc-high "$TENANT"
    mailbearer token "$RELAY"
    failed 77 AADSTS90002 'tenant'
}

@test "an application of another cloud" {
    in_private wrong_cloud
}

untrusted() {
    as_application microsoft "$TENANT"
    sed -i /ca_file/d "$WORK/mailbearer.conf"
    mailbearer token "$RELAY"
    failed 75 certificate certificate
    expect_requests 0
}

@test "without the test's authority nobody is believed" {
    in_private untrusted
}

# as_machine PROVIDER [LINE...]
as_machine() {
    preset "$RELAY" "$1" 'grant = managed_identity' "${@:2}"
}

# machine_token COUNTER-JSON - `token` prints one that opens the mailbox; what was asked.
machine_token() {
    asked token "$RELAY"
    token_works "$(out)" "$RELAY"
    expect_requests 0
    expect "$1" "$(entra_admin state | json_get by_identity)"
}

imds() {
    entra_admin identity "{\"system\": \"$APP_CLIENT\"}"
    as_machine microsoft
    machine_token '{"imds 200": 1}'
    entra_admin identity "{\"clients\": [\"$APP_CLIENT\"]}"
    as_machine microsoft "managed_identity_client_id = $APP_CLIENT"
    machine_token '{"imds 200": 1}'
    entra_admin identity
    as_machine microsoft
    mailbearer token "$RELAY"
    failed 77 'Identity not found' 'switch System assigned on, or add the identity under User assigned'
}

@test "managed identity at 169.254.169.254" {
    in_private imds
}

arc() {
    entra_admin identity "{\"system\": \"$APP_CLIENT\"}"
    as_machine microsoft
    export IDENTITY_ENDPOINT=http://127.0.0.1:40342/metadata/identity/oauth2/token
    export IMDS_ENDPOINT=http://127.0.0.1:40342
    machine_token '{"arc 401": 1, "arc 200": 1}'
    entra_admin identity "{\"system\": \"$APP_CLIENT\", \"realm\": \"/etc/shadow\"}"
    as_machine microsoft
    mailbearer token "$RELAY"
    failed 78 'a file that is not its own' Arc
    expect '{"arc 401": 1}' "$(entra_admin state | json_get by_identity)"
}

@test "managed identity of Azure Arc, in its own directory" {
    in_private arc
}
