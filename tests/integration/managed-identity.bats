#!/usr/bin/env bats
#
# Managed identity: the metadata services of a virtual machine, of Azure Arc and of App
# Service, at their own addresses in a network of its own.

load lib.bash
load agent.bash
load netns.bash

export ARC_ENDPOINT=http://127.0.0.1:40342
export HEADER=CANARY-app-service-header
export OTHER_HEADER=CANARY-another
export KEYS=/var/opt/azcmagent/tokens

setup_file() {
    make_work
    mkdir "$WORK/bin"
    cp "$BUILD/mailbearer" "$BUILD/mailbearer-oauth" "$LIB_DIRECTORY/talk.py" "$WORK/bin/"
    use_copied_programs
    start_private
    export_work
}

teardown_file() {
    stop_all
}

setup() {
    unset IDENTITY_ENDPOINT IDENTITY_HEADER IMDS_ENDPOINT
    in_private begin
}

teardown() {
    stop_agent
    rm -f "$WORK/private/functions" # text of ours, with the word that is looked for
    no_secret_in "$WORK"
}

begin() {
    fresh_ground
    entra_admin identity "{\"system\": \"$APP_CLIENT\"}"
    as_machine
}

# as_machine [LINE...] - the account of the machine.
as_machine() {
    rm -rf "$WORK/store"
    mkdir -m 700 "$WORK/store"
    {
        printf 'store { directory = "%s" }\n' "$WORK/store"
        printf 'account "%s" {\n    provider = microsoft\n' "$RELAY"
        printf '    grant = managed_identity\n'
        [[ $# -eq 0 ]] || printf '    %s\n' "$@"
        printf '}\n'
    } > "$WORK/mailbearer.conf"
    chmod 600 "$WORK/mailbearer.conf"
    entra_admin reset
}

# was_asked JSON - what came to the metadata service; nothing came to the token endpoint.
was_asked() {
    expect "$1" "$(entra_admin state | json_get by_identity)"
    expect_requests 0
}

works() {
    asked token "$RELAY"
    is_token "$(out)"
    token_works "$(out)" "$RELAY"
}

# lives_until SECONDS - from now, more or less.
lives_until() {
    local left=$(($(stored "$RELAY" expires_at) - $(date +%s)))

    ((left > $1 - 60 && left <= $1)) || { echo "it lives for $left s" >&2; return 1; }
}

# --- virtual machines ------------------------------------------------------------------------

as_texts() {
    works
    was_asked '{"imds 200": 1}'
    lives_until 86399
    # kept, not asked for again
    works
    was_asked '{"imds 200": 1}'
    entra_admin identity "{\"system\": \"$APP_CLIENT\", \"texts\": false,
        \"expires_in\": 4000}"
    as_machine
    works
    lives_until 4000
}

@test "IMDS: numbers as texts and as numbers" {
    in_private as_texts
}

user_assigned() {
    entra_admin identity "{\"clients\": [\"$APP_CLIENT\"]}"
    mailbearer token "$RELAY"
    failed 77 'Identity not found' 'managed_identity_client_id of relay@contoso.com'
    as_machine "managed_identity_client_id = $APP_CLIENT"
    works
    was_asked '{"imds 200": 1}'
    as_machine "managed_identity_client_id = $PUBLIC_CLIENT"
    mailbearer token "$RELAY"
    failed 77 'Identity not found' 'managed_identity_client_id of relay@contoso.com'
    was_asked '{"imds 400": 1}'
}

@test "IMDS: a user-assigned identity, and one the machine does not have" {
    in_private user_assigned
}

comes_up() {
    local begin=$SECONDS

    entra_admin identity "{\"system\": \"$APP_CLIENT\", \"statuses\": [404, 410, 429, 500]}"
    works
    was_asked '{"imds 404": 1, "imds 410": 1, "imds 429": 1, "imds 500": 1, "imds 200": 1}'
    # 1, 2, 4 and 8 s between them
    ((SECONDS - begin >= 14 && SECONDS - begin < 25))
}

@test "IMDS: not yet (404, 410, 429, 500): asked again until it answers" {
    in_private comes_up
}

stays_down() {
    local begin=$SECONDS

    entra_admin identity "{\"system\": \"$APP_CLIENT\",
        \"statuses\": [500, 500, 500, 500, 500, 500, 500, 500]}"
    mailbearer token "$RELAY"
    failed 75 'HTTP 500' ''
    ((SECONDS - begin < 32))
    was_asked '{"imds 500": 5}'
    # whoever asks next is not made to wait as long
    begin=$SECONDS
    mailbearer token "$RELAY"
    failed 75 'HTTP 500' ''
    ((SECONDS - begin < 3))
    was_asked '{"imds 500": 5}'
}

@test "IMDS: out of order for longer than the time limit: 75, and no storm" {
    in_private stays_down
}

by_agent() {
    entra_admin identity "{\"system\": \"$APP_CLIENT\", \"statuses\": [404, 500]}"
    start_agent
    agent_gives() {
        [[ $(reply_to "token $RELAY") = OK ]]
    }
    expect_in "$(reply_to "token $RELAY")" 'TEMP '
    retry_until 60 agent_gives
    good_token
    was_asked '{"imds 404": 1, "imds 500": 1, "imds 200": 1}'
}

@test "IMDS: through the agent, which tries again by itself" {
    in_private by_agent
}

# --- Azure Arc ---------------------------------------------------------------------------------

on_arc() {
    rm -rf /var/opt/azcmagent
    export IDENTITY_ENDPOINT=$ARC_ENDPOINT/metadata/identity/oauth2/token
    export IMDS_ENDPOINT=$ARC_ENDPOINT
}

arc() {
    on_arc
    works
    was_asked '{"arc 401": 1, "arc 200": 1}'
    expect '' "$(find "$KEYS" -type f)"
    # a proof is good for one request: the next token needs another
    sleep 1.1
    asked token "$RELAY" --refresh
    was_asked '{"arc 401": 2, "arc 200": 2}'
    start_agent
    rm "$WORK/store/$RELAY.json"
    expect OK "$(reply_to "token $RELAY")"
    was_asked '{"arc 401": 3, "arc 200": 3}'
}

@test "Azure Arc: the challenge is answered, each time anew" {
    in_private arc
}

# lured_to PATH - the service names that file; nothing of it is sent.
lured_to() {
    entra_admin identity "{\"system\": \"$APP_CLIENT\", \"realm\": \"$1\"}"
    as_machine
    mailbearer token "$RELAY"
    failed 78 'the managed identity service asks for a file that is not its own' \
        "nothing was sent; is it Azure Arc's agent that answers?"
    was_asked '{"arc 401": 1}'
}

bad_paths() {
    on_arc
    mkdir -p "$KEYS/deeper"
    lured_to /etc/shadow
    lured_to /etc/ssl/private/other.key
    lured_to "$KEYS/../../../../etc/shadow.key"
    lured_to "$KEYS/deeper/one.key"
    lured_to "$KEYS/one.pem"
    lured_to "$KEYS/.key"
}

@test "Azure Arc: a path that is not of its own keys is refused" {
    in_private bad_paths
}

bad_files() {
    on_arc
    entra_admin identity "{\"system\": \"$APP_CLIENT\", \"realm\": \"$KEYS/none.key\"}"
    mailbearer token "$RELAY"
    failed 78 "$KEYS/none.key: No such file" "add the agent's user to the group himds"
    was_asked '{"arc 401": 1}'
    # larger than any key, and not a key at all
    as_machine
    mkdir -p "$KEYS"
    head -c 5000 /dev/zero | tr '\0' x > "$KEYS/none.key"
    mailbearer token "$RELAY"
    failed 78 "$KEYS/none.key is too large" himds
    was_asked '{"arc 401": 1}'
    # a link that leads away: the first line of another file would be sent
    as_machine
    ln -sf /etc/shadow "$KEYS/none.key"
    mailbearer token "$RELAY"
    failed 78 'a file that is not its own' 'nothing was sent'
    was_asked '{"arc 401": 1}'
}

@test "Azure Arc: a key that is absent, too large, a link" {
    in_private bad_files
}

# --- App Service -------------------------------------------------------------------------------

app_service() {
    export IDENTITY_ENDPOINT=http://169.254.169.254/msi/token
    export IDENTITY_HEADER=$HEADER
    works
    was_asked '{"app_service 200": 1}'
    lives_until 86399
    entra_admin identity "{\"clients\": [\"$APP_CLIENT\"]}"
    as_machine "managed_identity_client_id = $APP_CLIENT"
    works
    was_asked '{"app_service 200": 1}'
    as_machine
    export IDENTITY_HEADER=$OTHER_HEADER
    mailbearer token "$RELAY"
    expect 77 "$RC"
    expect_in "$(cat "$WORK/err")" 'X-IDENTITY-HEADER is wrong'
    was_asked '{"app_service 403": 1}'
    export IDENTITY_ENDPOINT=http://mail.example.com/msi/token
    as_machine
    mailbearer token "$RELAY"
    failed 78 'IDENTITY_ENDPOINT is neither https nor on this machine' 'see the environment'
    was_asked '{}'
}

@test "App Service: its header, its reply without expires_in, a far endpoint refused" {
    in_private app_service
}
