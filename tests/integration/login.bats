#!/usr/bin/env bats
#
# A person signs in with a browser, played by curl, or by pasting the address it ends at.

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
}

teardown() {
    # Everything the programs printed; the codes, tokens and secrets hold the canary.
    no_secret_in "$WORK/out" "$WORK/err"
    stop_named login
}

# --- the browser -------------------------------------------------------------------------

@test "a browser comes back: signed in, said so, and the account works" {
    start_browser_login "$ALICE" --browser
    [[ $REDIRECT_URI =~ ^http://localhost:[0-9]+$ ]]
    visit "$(sent_to)"
    page_is 200 '<h1>done</h1>'
    page_is 200 'alice@contoso.com has signed in for the account alice@contoso.com.'
    ends 0
    expect_in "$(cat "$WORK/out")" 'alice@contoso.com: alice@contoso.com has signed in.'
    expect_in "$(cat "$WORK/out")" 'https://outlook.office.com/SMTP.Send'
    [[ $(cat "$WORK/out") =~ until\ +20[0-9]{2}-[0-9]{2}-[0-9]{2}T ]]
    expect_in "$(cat "$WORK/out")" "stored in    $WORK/store"
    expect 600 "$(stat -c %a "$WORK/store/$ALICE.json")"
    token_of "$ALICE"
    expect 1 "$(entra_count by_grant/authorization_code)"
    expect 0 "$(entra_count by_parameter/client_secret)"
}

@test "what the browser is asked with" {
    start_browser_login "$ALICE" --browser
    expect code "$(parameter response_type "$ADDRESS")"
    expect S256 "$(parameter code_challenge_method "$ADDRESS")"
    expect 43 "$(parameter code_challenge "$ADDRESS" | tr -d '\n' | wc -c)"
    expect 43 "$(parameter state "$ADDRESS" | tr -d '\n' | wc -c)"
    expect "$ALICE" "$(parameter login_hint "$ADDRESS")"
    expect "$USER_SCOPE openid profile" "$(parameter scope "$ADDRESS")"
    expect "$PUBLIC_CLIENT" "$(parameter client_id "$ADDRESS")"
}

@test "the page needs nothing from elsewhere, runs nothing and is not kept" {
    start_browser_login "$ALICE" --browser
    visit "$(sent_to)"
    expect_in "$(cat "$WORK/head")" "Content-Security-Policy: default-src 'none'"
    expect_in "$(cat "$WORK/head")" 'Cache-Control: no-store'
    expect_in "$(cat "$WORK/head")" 'Referrer-Policy: no-referrer'
    refute grep -qiE 'http|src=|<script|code=|state=' "$WORK/page"
    ends 0
}

@test "::1 answers as well" {
    start_browser_login "$ALICE" --browser
    [[ -e /proc/net/if_inet6 ]] || skip "no IPv6 here"
    local to
    to=$(sent_to)
    visit "${to/localhost/[::1]}"
    page_is 200 '<h1>done</h1>'
    ends 0
}

@test "a registered redirect_uri keeps its port and path" {
    local port
    port=$(free_ports 1)
    write_login_accounts "account registered {" " provider = entra" \
        " client_id = $PUBLIC_CLIENT" " login_hint = \"$ALICE\"" \
        " redirect_uri = \"http://localhost:$port/register_microsoft_graph_api/\"" "}"
    set_client "$PUBLIC_CLIENT" \
        "\"redirects\": {\"native\": [\"http://localhost:$port/register_microsoft_graph_api/\"]}"
    start_browser_login registered --browser
    expect "http://localhost:$port/register_microsoft_graph_api/" "$REDIRECT_URI"
    visit "http://localhost:$port/?code=x"
    page_is 404 'Nothing is at this path.'
    visit "$(sent_to)"
    page_is 200 '<h1>done</h1>'
    ends 0
}

@test "a path is kept and any port taken where the registered one has none" {
    write_login_accounts "account registered {" " provider = entra" \
        " client_id = $PUBLIC_CLIENT" " login_hint = \"$ALICE\"" \
        " redirect_uri = \"http://localhost/back\"" "}"
    set_client "$PUBLIC_CLIENT" '"redirects": {"native": ["http://localhost/back"]}'
    start_browser_login registered --browser
    [[ $REDIRECT_URI =~ ^http://localhost:[0-9]+/back$ ]]
    visit "$(sent_to)"
    page_is 200 '<h1>done</h1>'
    ends 0
}

@test "a taken port is said, and nothing begins" {
    write_login_accounts "account registered {" " provider = entra" \
        " client_id = $PUBLIC_CLIENT" " redirect_uri = \"http://localhost:$ENTRA_PORT/\"" "}"
    run "$MAILBEARER" -c "$WORK/login.conf" login registered --browser < /dev/null
    expect 75 "$status"
    expect_in "$output" "cannot listen on localhost, port $ENTRA_PORT: Address already in use"
    expect_in "$output" "sign in with --paste"
}

@test "an https redirect_uri behind a proxy: --listen" {
    local port to
    port=$(free_ports 1)
    write_login_accounts "account proxied {" " provider = entra" \
        " client_id = $PUBLIC_CLIENT" " login_hint = \"$ALICE\"" \
        " redirect_uri = \"https://mail.example.com/sign-in/back\"" "}"
    set_client "$PUBLIC_CLIENT" \
        '"redirects": {"native": ["https://mail.example.com/sign-in/back"]}'
    run "$MAILBEARER" -c "$WORK/login.conf" login proxied --browser < /dev/null
    expect 78 "$status"
    expect_in "$output" 'to https://mail.example.com/sign-in/back, which is not here'
    expect_in "$output" '--listen 127.0.0.1:PORT'
    start_browser_login proxied --listen "127.0.0.1:$port"
    expect https://mail.example.com/sign-in/back "$REDIRECT_URI"
    to=$(sent_to)
    visit "${to/https:\/\/mail.example.com/http://127.0.0.1:$port}"
    page_is 200 '<h1>done</h1>'
    ends 0
}

# --- what is not the answer --------------------------------------------------------------

@test "what is not the answer gets a page and a line, and does not end the sign-in" {
    local to base
    start_browser_login "$ALICE" --browser
    base=$REDIRECT_URI
    to=$(sent_to)
    visit "$base/elsewhere?code=x&state=y"
    page_is 404 'Nothing is at this path.'
    visit "$base/favicon.ico"
    page_is 404 'Nothing is at this path.'
    visit "$base/?code=x&state=wrong"
    page_is 403 'this answer belongs to another sign-in'
    visit "$base/?code=x"
    page_is 403 'this answer belongs to another sign-in'
    visit "$base/"
    page_is 400 'this answer holds no code'
    visit "$to&state=again"
    page_is 400 'the address names a parameter twice'
    visit "$base/?code=%zz"
    page_is 400 'the address is badly encoded'
    visit "$to" -X POST -d x
    page_is 405 'Only GET is answered here.'
    grep -q '^Allow: GET' "$WORK/head"
    visit "$base/?code=$(head -c 9000 /dev/zero | tr '\0' a)"
    page_is 431 'The request is too long.'
    visit "$base/?error=access_denied&state=wrong"
    page_is 403 'this answer belongs to another sign-in'
    still_waits
    expect 0 "$(entra_count by_grant/authorization_code)"
    for line in 'a page came back on another path: refused' \
        'this answer belongs to another sign-in' 'this answer holds no code' \
        'the address names a parameter twice' 'a request that is not GET came: refused' \
        'a request too long came: refused'; do
        grep -qF "mailbearer: $ALICE: $line" "$WORK/err"
    done
    refute grep -q favicon "$WORK/err"
    visit "$to"
    page_is 200 '<h1>done</h1>'
    ends 0
    token_of "$ALICE"
}

@test "the provider's error is shown, and the person may try again" {
    set_client "$PUBLIC_CLIENT" '"sign_in": {"do": "refuse"}'
    start_browser_login "$ALICE" --browser
    visit "$(sent_to)"
    page_is 403 'AADSTS65004: The person pressed Cancel on the consent page (access_denied)'
    grep -qF "mailbearer: $ALICE: AADSTS65004: The person pressed Cancel" "$WORK/err"
    still_waits
    set_client "$PUBLIC_CLIENT" '"sign_in": {}'
    visit "$(sent_to)"
    page_is 200 '<h1>done</h1>'
    ends 0
}

@test "a slow browser holds up nobody" {
    start_browser_login "$ALICE" --browser
    exec 7<> "/dev/tcp/127.0.0.1/${REDIRECT_URI##*:}"
    printf 'GET /?code=x&sta' >&7
    visit "$(sent_to)"
    page_is 200 '<h1>done</h1>'
    exec 7>&-
    ends 0
}

@test "more connections than places: the oldest gives way" {
    local fd
    local -a held=()
    start_browser_login "$ALICE" --browser
    for _ in {1..40}; do
        exec {fd}<> "/dev/tcp/127.0.0.1/${REDIRECT_URI##*:}"
        printf 'GET /' >&"$fd"
        held+=("$fd")
    done
    visit "$(sent_to)"
    page_is 200 '<h1>done</h1>'
    for fd in "${held[@]}"; do
        exec {fd}>&-
    done
    ends 0
}

@test "a second answer while the first is looked at" {
    local to
    entra_admin fault '{"fault": "slow", "ms": 2000, "count": 1}'
    start_browser_login "$ALICE" --browser
    to=$(sent_to)
    curl -s --max-time 10 -o "$WORK/first" "$to" 3>&- &
    retry_until 5 test "$(entra_count by_endpoint/authorize)" = 1
    sleep 0.5
    visit "$to"
    page_is 409 'The sign-in has been answered already'
    ends 0
    retry_until 5 grep -q '<h1>done</h1>' "$WORK/first"
    grep -qF 'a second answer came: refused' "$WORK/err"
}

# --- refused -----------------------------------------------------------------------------

@test "somebody else signed in: refused, nothing stored" {
    set_client "$PUBLIC_CLIENT" '"sign_in": {"user": "bob@contoso.com"}'
    start_browser_login "$ALICE" --browser
    visit "$(sent_to)"
    page_is 403 'bob@contoso.com signed in, but this account is for alice@contoso.com'
    ends 77
    grep -qF 'bob@contoso.com signed in, but this account is for alice@contoso.com: refused' \
        "$WORK/err"
    expect_in "$(cat "$WORK/err")" 'or set login_hint = "bob@contoso.com"'
    nothing_stored
}

@test "case makes no difference to who somebody is" {
    write_login_accounts "account shout {" " provider = entra" \
        " client_id = $PUBLIC_CLIENT" " login_hint = \"ALICE@Contoso.COM\"" "}"
    set_client "$PUBLIC_CLIENT" "\"sign_in\": {\"user\": \"$ALICE\"}"
    start_browser_login shout --browser
    visit "$(sent_to)"
    page_is 200 'alice@contoso.com has signed in'
    ends 0
}

@test "a code the provider does not take ends it, with the reason on the page" {
    local to
    start_browser_login "$ALICE" --browser
    to=$(sent_to)
    visit "${REDIRECT_URI}/?code=made-up&state=$(parameter state "$to")"
    page_is 403 '<h1>refused</h1>'
    ends 77
    nothing_stored
}

@test "the token endpoint is out of order: temporary, nothing stored" {
    entra_admin fault '{"fault": "reset", "count": 5}'
    start_browser_login "$ALICE" --browser
    visit "$(sent_to)"
    page_is 503 '<h1>not done</h1>'
    ends 75
    nothing_stored
}

@test "no refresh token came: refused" {
    write_login_accounts "account brief {" " provider = brief" " client_id = generic-public" \
        " login_hint = \"$ALICE\"" "}" \
        "provider brief {" " issuer = \"$ENTRA_URL/generic\"" " scope = mail" "}"
    start_browser_login brief --browser
    visit "$(sent_to)"
    page_is 403 'the provider gave no refresh token'
    ends 77
    nothing_stored
}

@test "interrupted, or the terminal gone: no record, no listener" {
    local port signal
    for signal in INT HUP TERM; do
        start_browser_login "$ALICE" --browser
        port=${REDIRECT_URI##*:}
        port_answers "$port"
        kill "-$signal" "$PID"
        ends $((128 + $(kill -l "$signal")))
        nothing_stored
        refute port_answers "$port"
    done
}

@test "an old record stays when a new sign-in fails" {
    local before
    start_browser_login "$ALICE" --browser
    visit "$(sent_to)"
    ends 0
    before=$(sha256sum < "$WORK/store/$ALICE.json")
    set_client "$PUBLIC_CLIENT" '"sign_in": {"user": "bob@contoso.com"}'
    start_browser_login "$ALICE" --browser
    visit "$(sent_to)"
    ends 77
    expect "$before" "$(sha256sum < "$WORK/store/$ALICE.json")"
}

# --- the program that opens it -----------------------------------------------------------

@test "as root the address is printed and no browser started" {
    printf '#!/bin/sh\n: > "%s/started"\n' "$WORK" > "$WORK/browser"
    chmod 755 "$WORK/browser"
    BROWSER=$WORK/browser DISPLAY=:0 start_browser_login "$ALICE" --browser
    expect_in "$(cat "$WORK/out")" 'open this address in a browser:'
    expect_in "$(cat "$WORK/out")" \
        "ssh -L ${REDIRECT_URI##*:}:localhost:${REDIRECT_URI##*:} $(hostname)"
    visit "$(sent_to)"
    ends 0
    [[ ! -e $WORK/started ]]
}

@test "a browser is started, and drives the sign-in by itself" {
    mkdir -p "$WORK/person/store"
    sed "s,$WORK/store,$WORK/person/store," "$WORK/login.conf" > "$WORK/person/login.conf"
    cat > "$WORK/person/browser" << 'END'
#!/bin/sh
# no shell was in between: the address is one argument
[ $# = 2 ] && [ "$1" = --new ] || exit 9
curl -sL --max-time 10 -o "$(dirname "$0")/page" "$2"
END
    chmod 755 "$WORK/person/browser"
    chmod 600 "$WORK/person/login.conf"
    chmod 700 "$WORK/person/store"
    chown -R 4321:4321 "$WORK/person"
    BROWSER="/nonexistent/one:$WORK/person/browser --new %s" timeout 30 setpriv --reuid 4321 \
        --regid 4321 --clear-groups "$MAILBEARER" -c "$WORK/person/login.conf" login "$ALICE" \
        < /dev/null > "$WORK/out" 2> "$WORK/err"
    expect_in "$(cat "$WORK/out")" 'a browser is being opened'
    grep -q '^http' "$WORK/out"
    expect_in "$(cat "$WORK/out")" 'alice@contoso.com has signed in.'
    retry_until 5 grep -q '<h1>done</h1>' "$WORK/person/page"
    expect 4321 "$(stat -c %u "$WORK/person/store/$ALICE.json")"
}

@test "a browser that fails is told, and the address works" {
    mkdir -p "$WORK/person2/store"
    sed "s,$WORK/store,$WORK/person2/store," "$WORK/login.conf" > "$WORK/person2/login.conf"
    chmod 600 "$WORK/person2/login.conf"
    chmod 700 "$WORK/person2/store"
    chown -R 4321:4321 "$WORK/person2"
    BROWSER=false setpriv --reuid 4321 --regid 4321 --clear-groups \
        "$MAILBEARER" -c "$WORK/person2/login.conf" login "$ALICE" --browser \
        < /dev/null 3>&- > "$WORK/out" 2> "$WORK/err" &
    PID=$!
    record_pid $PID login
    retry_until 10 grep -q '^http' "$WORK/out"
    ADDRESS=$(grep -m1 '^http' "$WORK/out")
    retry_until 5 grep -q "the browser's program ended with status 1" "$WORK/err"
    visit "$(sent_to)"
    page_is 200 '<h1>done</h1>'
    ends 0
}

# --- pasting -----------------------------------------------------------------------------

# start_paste - signs in by --paste with a pipe as its standard input, descriptor 8.
start_paste() {
    rm -f "$WORK/typed"
    mkfifo "$WORK/typed"
    "$MAILBEARER" -c "$WORK/login.conf" login "$@" --paste \
        < "$WORK/typed" 3>&- > "$WORK/out" 2> "$WORK/err" &
    PID=$!
    record_pid $PID login
    exec 8> "$WORK/typed"
    retry_until 10 grep -q '^http' "$WORK/out"
    ADDRESS=$(grep -m1 '^http' "$WORK/out")
}

@test "--paste takes the address the browser ended at" {
    start_paste "$ALICE"
    expect http://localhost "$(parameter redirect_uri "$ADDRESS")"
    expect_in "$(cat "$WORK/out")" 'ssh -L PORT:localhost:PORT'
    printf ' <%s>\r\n' "$(sent_to)" >&8
    ends 0
    expect_in "$(cat "$WORK/out")" 'alice@contoso.com has signed in.'
    token_of "$ALICE"
}

@test "--paste asks again for what is not the answer" {
    start_paste "$ALICE"
    printf '%s\n' 'no address' "$ADDRESS" 'http://localhost/?code=x&state=wrong' \
        "http://localhost/?error=access_denied&state=$(parameter state "$ADDRESS")" '' >&8
    retry_until 5 grep -q '(access_denied)' "$WORK/err"
    for line in 'that is not the address the browser was sent back to' \
        'there is no code in that address' 'that address belongs to another sign-in'; do
        grep -qF "mailbearer: $ALICE: $line" "$WORK/err"
    done
    still_waits
    printf '%s' "$(sent_to | sed 's/^[^?]*?//')" >&8
    exec 8>&-
    ends 0
}

@test "--paste ends with its input: what was wrong last is the reason" {
    start_paste "$ALICE"
    printf '%s\n' "http://localhost/?error=access_denied&state=$(parameter state "$ADDRESS")" >&8
    exec 8>&-
    ends 77
    expect_in "$(tail -n 2 "$WORK/err")" 'The person or a policy refused the sign-in'
    nothing_stored
    start_paste "$ALICE"
    exec 8>&-
    ends 77
    grep -q 'no address was given' "$WORK/err"
}

# --- other clients and providers ---------------------------------------------------------

@test "a confidential client sends its secret with the code" {
    (umask 077 && printf '%s\n' "$APP_SECRET" > "$WORK/secret")
    write_login_accounts "account confidential {" " provider = entra" \
        " client_id = $APP_CLIENT" " client_secret_file = \"$WORK/secret\"" \
        " login_hint = \"$ALICE\"" "}"
    start_browser_login confidential --browser
    visit "$(sent_to)"
    page_is 200 '<h1>done</h1>'
    ends 0
    expect 1 "$(entra_count by_parameter/client_secret)"
    token_of confidential
}

@test "an issuer's endpoints are found, and who signed in is asked of it" {
    start_browser_login generic --browser
    expect 'mail offline_access openid profile email' "$(parameter scope "$ADDRESS")"
    visit "$(sent_to)"
    page_is 200 'alice@contoso.com has signed in for the account generic.'
    ends 0
    token_of generic
    set_client generic-public '"sign_in": {"user": "bob@contoso.com"}'
    start_browser_login generic --browser
    visit "$(sent_to)"
    page_is 403 'bob@contoso.com signed in, but'
    ends 77
}

@test "metadata of another issuer is refused before anybody is bothered" {
    entra_admin metadata '{"issuer": "https://elsewhere.example.com"}'
    run "$MAILBEARER" -c "$WORK/login.conf" login generic --browser < /dev/null
    expect 78 "$status"
    expect_in "$output" 'is another issuer'
    refute grep -q '^http' <<< "$output"
}

@test "an encrypted store keeps what a sign-in brought, and forgets it without the key" {
    (umask 077 && head -c 32 /dev/urandom > "$WORK/key")
    sed -i "s,^store {,&\n encryption_key_file = \"$WORK/key\"\n," "$WORK/login.conf"
    start_browser_login "$ALICE" --browser
    visit "$(sent_to)"
    page_is 200 '<h1>done</h1>'
    ends 0
    refute grep -q refresh_token "$WORK/store/$ALICE.json"
    token_of "$ALICE"
    (umask 077 && head -c 32 /dev/urandom > "$WORK/key")
    run "$MAILBEARER" -c "$WORK/login.conf" login "$ALICE" --browser < /dev/null
    expect 78 "$status"
    refute grep -q '^http' <<< "$output"
    run "$MAILBEARER" -c "$WORK/login.conf" logout "$ALICE"
    expect 78 "$status"
    expect_in "$output" 'the tokens are forgotten, but the sign-in is not revoked'
    nothing_stored
}

@test "what cannot be: usage, grant, account, store" {
    write_login_accounts "account app {" " provider = entra" " grant = client_credentials" \
        " client_id = x" " client_secret_file = \"$WORK/secret\"" "}"
    run "$MAILBEARER" -c "$WORK/login.conf" login
    expect 64 "$status"
    expect_in "$output" 'usage: mailbearer'
    run "$MAILBEARER" -c "$WORK/login.conf" login "$ALICE" --device --paste
    expect 64 "$status"
    expect_in "$output" 'give one of --browser, --device, --paste'
    run "$MAILBEARER" -c "$WORK/login.conf" login "$ALICE" --paste --listen 127.0.0.1:1
    expect 64 "$status"
    run "$MAILBEARER" -c "$WORK/login.conf" login "$ALICE" --listen nowhere
    expect 64 "$status"
    expect_in "$output" '--listen nowhere: not ADDRESS:PORT'
    run "$MAILBEARER" -c "$WORK/login.conf" login nobody@contoso.com
    expect 66 "$status"
    run "$MAILBEARER" -c "$WORK/login.conf" login app
    expect 78 "$status"
    expect_in "$output" 'nobody signs in for this account: its grant is client_credentials'
    run "$MAILBEARER" login --help
    expect 0 "$status"
    expect_in "$output" '--listen ADDRESS:PORT'
    printf 'not a record' > "$WORK/store/$ALICE.json"
    chmod 600 "$WORK/store/$ALICE.json"
    run "$MAILBEARER" -c "$WORK/login.conf" login "$ALICE" --browser
    expect 74 "$status"
    expect_in "$output" 'move it away and sign in again'
    expect 'not a record' "$(cat "$WORK/store/$ALICE.json")"
}

# --- logout ------------------------------------------------------------------------------

@test "logout revokes where the provider can, and forgets" {
    start_browser_login generic --browser
    visit "$(sent_to)"
    ends 0
    run "$MAILBEARER" -c "$WORK/login.conf" logout generic
    expect 0 "$status"
    expect 'generic: the sign-in is revoked, the tokens are forgotten.' "$output"
    expect 1 "$(entra_count by_revoked/refresh_token)"
    nothing_stored
    run "$MAILBEARER" -c "$WORK/login.conf" token generic
    expect 77 "$status"
    run "$MAILBEARER" -c "$WORK/login.conf" logout generic
    expect 0 "$status"
    expect 'generic: there were no tokens.' "$output"
}

@test "logout forgets also when the provider cannot be asked, and says so" {
    start_browser_login generic --browser
    visit "$(sent_to)"
    ends 0
    entra_admin fault '{"fault": "reset", "count": 5, "endpoint": "revoke"}'
    run "$MAILBEARER" -c "$WORK/login.conf" logout generic
    expect 75 "$status"
    expect_in "$output" 'the tokens are forgotten, but the sign-in is not revoked'
    nothing_stored
}

@test "logout where nothing can be revoked says what to do instead" {
    start_browser_login "$ALICE" --browser
    visit "$(sent_to)"
    ends 0
    run "$MAILBEARER" -c "$WORK/login.conf" logout "$ALICE"
    expect 0 "$status"
    expect_in "$output" "$ALICE: the tokens are forgotten."
    expect_in "$output" 'The provider has no revocation endpoint'
    nothing_stored
    run "$MAILBEARER" -c "$WORK/login.conf" logout
    expect 64 "$status"
    run "$MAILBEARER" -c "$WORK/login.conf" logout nobody
    expect 66 "$status"
}

@test "a running agent serves a new sign-in at once, and nothing after a logout" {
    "$MAILBEARER" -c "$WORK/login.conf" agent --listen "$WORK/agent.sock" \
        3>&- > "$WORK/agent.log" 2>&1 &
    record_pid $! agent
    retry_until 10 test -S "$WORK/agent.sock"
    export MAILBEARER_SOCKET=$WORK/agent.sock
    expect_in "$(reply_of token "$ALICE")" 'PERM nobody has signed in for this account yet'
    start_browser_login "$ALICE" --browser
    visit "$(sent_to)"
    ends 0
    [[ $(reply_of token "$ALICE") = 'OK '* ]]
    "$MAILBEARER" -c "$WORK/login.conf" logout "$ALICE"
    expect_in "$(reply_of token "$ALICE")" 'PERM nobody has signed in for this account yet'
    stop_named agent
    unset MAILBEARER_SOCKET
}
