#!/usr/bin/env bats
# `mailbearer token` and its neighbours without an agent: what is printed, what is asked of
# the token endpoint, what is refused, and what a person is told to do.

load lib.bash
load agent.bash

setup_file() {
    make_ground
}

teardown_file() {
    stop_all
}

setup() {
    fresh_ground
    write_accounts "$(alice_account)"
}

teardown() {
    no_secret_in "$WORK"
}

# --- what is printed -----------------------------------------------------------------------

@test "raw: the token, a newline, nothing else" {
    asked token "$RELAY"
    is_token "$(out)"
    expect 1 "$(wc -l < "$WORK/out.token")"
    token_works "$(out)" "$RELAY"
}

@test "json: account, user, access_token, expires_at, no more" {
    write_accounts "$(app_account shared 'user = shared@contoso.com')"
    asked token shared --format json
    expect '["access_token", "account", "expires_at", "user"]' \
        "$(out | "$PYTHON" -c 'import json, sys
print(json.dumps(sorted(json.load(sys.stdin))))')"
    expect shared "$(out | json_get account)"
    expect shared@contoso.com "$(out | json_get user)"
    is_token "$(out | json_get access_token)"
    local left=$(($(out | json_get expires_at) - $(date +%s)))
    ((left > 3580 && left <= 3600))
    asked token --format=raw shared
    expect "$(out)" "$(asked token shared --format json; out | json_get access_token)"
}

@test "xoauth2 and oauthbearer: the SASL messages, base64" {
    local token

    write_accounts "$(app_account shared 'user = shared@contoso.com')"
    asked token shared
    token=$(out)
    asked token shared --format xoauth2
    expect 1 "$(wc -l < "$WORK/out.token")"
    expect "$(printf 'user=shared@contoso.com\001auth=Bearer %s\001\001' "$token" | sha256sum)" \
        "$(base64 -d < "$WORK/out.token" | sha256sum)"
    asked token shared --format oauthbearer
    expect "$(printf 'n,a=shared@contoso.com,\001auth=Bearer %s\001\001' "$token" | sha256sum)" \
        "$(base64 -d < "$WORK/out.token" | sha256sum)"
}

@test "header: an HTTP Authorization header" {
    asked token "$RELAY"
    is_token "$(out)"
    expect "Authorization: Bearer $(out)" \
        "$(asked token "$RELAY" --format header; out)"
}

@test "the stored token is used again; --refresh fetches another" {
    local first

    asked token "$RELAY"
    first=$(out)
    asked token "$RELAY"
    expect "$first" "$(out)"
    expect_requests 1
    sleep 1.1
    asked token "$RELAY" --refresh
    refute [ "$first" = "$(out)" ]
    is_token "$(out)"
    expect_requests 2
    first=$(out)
    asked token "$RELAY"
    expect "$first" "$(out)"
    expect_requests 2
}

@test "an expired token, and one with too little life, is replaced" {
    asked token "$RELAY"
    expire_stored "$RELAY"
    asked token "$RELAY"
    expect_requests 2
    # One with less than min_remaining (300 s), obtained long ago.
    set_stored "$RELAY" expires_at $(($(date +%s) + 200)) obtained_at $(($(date +%s) - 3399))
    asked token "$RELAY"
    is_token "$(out)"
    expect_requests 3
    # With more than that it is good, though due: the front prints it or its successor.
    set_stored "$RELAY" expires_at $(($(date +%s) + 1800)) obtained_at $(($(date +%s) - 1799))
    asked token "$RELAY"
    expect_requests 3
}

@test "other settings, another token" {
    asked token "$RELAY"
    set_client 22222222-2222-3333-4444-555555555555 '"secret": "two~CANARY"'
    APP_CLIENT=22222222-2222-3333-4444-555555555555 APP_SECRET='two~CANARY' write_accounts
    asked token "$RELAY"
    expect_requests 2
    expect 1 "$(entra_count by_client/22222222-2222-3333-4444-555555555555)"
}

@test "-c stands before the command or behind it" {
    run_quiet "$MAILBEARER" -c "$WORK/mailbearer.conf" token "$RELAY"
    is_token "$(out)"
    run_quiet "$MAILBEARER" token -c "$WORK/mailbearer.conf" "$RELAY"
    is_token "$(out)"
    run_quiet "$MAILBEARER" token "$RELAY" --format raw -c "$WORK/mailbearer.conf"
    is_token "$(out)"
    run_quiet "$MAILBEARER" token "$RELAY" --refresh -c "$WORK/mailbearer.conf"
    is_token "$(out)"
    run_quiet "$MAILBEARER" status -c "$WORK/mailbearer.conf"
    expect 0 "$RC"
    run_quiet "$MAILBEARER" upstream -c "$WORK/mailbearer.conf" smtp "$RELAY"
    failed 78 'has no smtp server' 'add to its section'
}

@test "a proxy in the environment is not used" {
    run_quiet env http_proxy=http://127.0.0.1:9 HTTP_PROXY=http://127.0.0.1:9 \
        https_proxy=http://127.0.0.1:9 ALL_PROXY=http://127.0.0.1:9 \
        all_proxy=http://127.0.0.1:9 "$MAILBEARER" -c "$WORK/mailbearer.conf" token "$RELAY"
    expect 0 "$RC"
    is_token "$(out)"
    expect_requests 1
}

@test "a proxy in the accounts file is used" {
    write_accounts "$(app_account proxied 'proxy = "http://127.0.0.1:9"')"
    mailbearer token proxied
    failed 75 'cannot connect' 'check the network'
    expect_requests 0
}

# --- exit codes ----------------------------------------------------------------------------

@test "64: wrong arguments" {
    local -a wrong

    for wrong in "token" "token a b" "token $RELAY --format yaml" "token $RELAY --nonsense" \
        "token $RELAY --format" "upstream" "upstream ftp $RELAY" "upstream smtp" "status a b" \
        "status --format xml" "check it" "import" "import yaml - $RELAY" \
        "import refresh-token -" "nonsense" "agent --listen" "agent here"; do
        # shellcheck disable=SC2086
        mailbearer $wrong < /dev/null
        expect "64 $wrong" "$RC $wrong"
        expect '' "$(out)"
        (($(wc -l < "$WORK/err") >= 2))
    done
    run_quiet "$MAILBEARER"
    expect 64 "$RC"
    run_quiet "$MAILBEARER" -x
    expect 64 "$RC"
    expect_requests 0
}

@test "64: what was wrong, and where help is" {
    mailbearer token "$RELAY" --format yaml
    failed 64 'token: unknown format: yaml' 'mailbearer token --help'
    mailbearer token
    failed 64 'token: one account is needed' 'mailbearer token --help'
    mailbearer token "$RELAY" --nonsense
    failed 64 'token: unknown option, or one without its value' 'mailbearer token --help'
}

@test "--help and --version print and end with 0" {
    local word

    for word in token upstream status check import agent; do
        mailbearer "$word" --help
        expect 0 "$RC"
        expect_in "$(out)" "usage: mailbearer"
        expect '' "$(cat "$WORK/err")"
    done
    run_quiet "$MAILBEARER" --version
    [[ $(out) =~ ^mailbearer\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    run_quiet "$MAILBEARER" --help
    expect 0 "$RC"
}

@test "66: no such account" {
    mailbearer token nobody@contoso.com
    failed 66 "nobody@contoso.com: no such account in $WORK/mailbearer.conf" 'mailbearer status'
    mailbearer upstream smtp nobody@contoso.com
    failed 66 'no such account' 'mailbearer status'
    mailbearer status nobody@contoso.com
    failed 66 'no such account' 'mailbearer status'
    mailbearer import refresh-token - nobody@contoso.com <<< CANARY
    failed 66 'no such account' 'mailbearer status'
    expect_requests 0
}

@test "69: somebody else's store and no agent" {
    chown 4321:4321 "$WORK/mailbearer.conf"
    run_quiet as 4321 "$MAILBEARER" -c "$WORK/mailbearer.conf" token "$RELAY"
    failed 69 "state directory $WORK/store belongs to uid 0" 'start the agent: mailbearer agent'
    expect_requests 0
}

@test "69: an agent is named and does not listen, and there is no accounts file" {
    run_quiet env HOME="$WORK/nobody" MAILBEARER_SOCKET="$WORK/none.sock" \
        setpriv --reuid 4321 --regid 4321 --clear-groups "$MAILBEARER" token "$RELAY"
    failed 69 "$WORK/none.sock" 'mailbearer-agent(8)'
}

@test "74: a damaged record is said so and kept" {
    asked token "$RELAY"
    echo '{"version":1,' > "$(record_file "$RELAY")"
    mailbearer token "$RELAY"
    failed 74 "the record $WORK/store/$RELAY.json cannot be used" 'restore it from a backup'
    expect '{"version":1,' "$(cat "$(record_file "$RELAY")")"
    expect_requests 1
}

@test "74: a record of a newer version is not touched" {
    asked token "$RELAY"
    sed -i 's/"version": *1/"version":9/' "$(record_file "$RELAY")"
    cp "$(record_file "$RELAY")" "$WORK/before.token"
    mailbearer token "$RELAY" --refresh
    failed 74 'a newer mailbearer wrote it (version 9' 'install the newer mailbearer'
    cmp "$WORK/before.token" "$(record_file "$RELAY")"
    expect_requests 1
}

@test "74: a record, and a state directory, that others may read or change" {
    asked token "$RELAY"
    chmod 640 "$(record_file "$RELAY")"
    mailbearer token "$RELAY"
    failed 74 "$RELAY.json has mode 640" "chmod 600 '$WORK/store/$RELAY.json'"
    mend
    asked token "$RELAY"
    chmod 777 "$WORK/store"
    mailbearer token "$RELAY"
    failed 74 "$WORK/store" "chmod 700 $WORK/store"
    mend
    asked token "$RELAY"
    expect_requests 1
}

@test "75: nobody answers, 5xx, 429" {
    local status

    TOKEN_ENDPOINT=http://127.0.0.1:9/x write_accounts
    mailbearer token "$RELAY"
    failed 75 "$RELAY: 127.0.0.1:9: cannot connect" 'check the network'
    for status in 500 503 429; do
        rm -rf "$WORK/store"
        entra_admin clear
        fault "\"fault\": \"$status\""
        write_accounts
        mailbearer token "$RELAY"
        failed 75 "HTTP $status" ''
    done
}

@test "75: the name of the endpoint is not found" {
    TOKEN_ENDPOINT=https://login.invalid/x write_accounts
    mailbearer token "$RELAY"
    failed 75 'login.invalid: name not found' 'check /etc/resolv.conf'
}

@test "77: nobody has signed in; revoked; secret expired; user disabled" {
    mailbearer token "$ALICE"
    failed 77 "$ALICE: nobody has signed in for this account yet" "mailbearer login $ALICE"
    expect_requests 0
    import_alice
    entra_admin revoke "{\"client\": \"$PUBLIC_CLIENT\"}" > "$WORK/revoked"
    mailbearer token "$ALICE"
    failed 77 AADSTS50173 'mailbearer login'
    [[ -n $(stored "$ALICE" refresh_token) ]]
    import_alice
    entra_admin user '{"user": "alice@contoso.com", "disabled": true}'
    mailbearer token "$ALICE"
    failed 77 AADSTS50057 ''
    set_client "$APP_CLIENT" '"secret_expired": true'
    mailbearer token "$RELAY"
    failed 77 AADSTS7000222 'secret'
}

@test "77: after a refusal nothing is asked for five minutes, unless by hand" {
    set_client "$APP_CLIENT" '"secret_expired": true'
    sleep 1.1 # the files are older than the failure
    mailbearer token "$RELAY"
    failed 77 AADSTS7000222 'secret'
    mailbearer token "$RELAY"
    failed 77 AADSTS7000222 'secret'
    expect_requests 1
    expect 300 $(($(stored "$RELAY" failure/retry_at) - $(stored "$RELAY" failure/at)))
    mailbearer token "$RELAY" --refresh
    failed 77 AADSTS7000222 'secret'
    expect_requests 1
    sleep 12
    mailbearer token "$RELAY"
    failed 77 AADSTS7000222 'secret'
    expect_requests 1
    mailbearer token "$RELAY" --refresh
    failed 77 AADSTS7000222 'secret'
    expect_requests 2
    set_client "$APP_CLIENT" '"secret_expired": false'
    set_stored "$RELAY" retry_at $(($(date +%s) - 1))
    asked token "$RELAY"
    is_token "$(out)"
    expect_requests 3
    expect '' "$(stored "$RELAY" failure)"
}

@test "77: the repaired accounts file is tried at once" {
    set_client "$APP_CLIENT" '"secret": "other~CANARY"'
    mailbearer token "$RELAY"
    failed 77 AADSTS7000215 'secret'
    sleep 1.1
    APP_SECRET='other~CANARY' write_accounts
    asked token "$RELAY"
    is_token "$(out)"
}

@test "77: the repaired secret file is tried at once" {
    set_client "$APP_CLIENT" '"secret": "other~CANARY"'
    mailbearer token "$RELAY"
    failed 77 AADSTS7000215 'secret'
    sleep 1.1
    echo 'other~CANARY' > "$WORK/secrets/relay"
    asked token "$RELAY"
    is_token "$(out)"
    expect_requests 2
}

@test "78: the accounts file is missing or wrong: file, line, the nearest key" {
    run_quiet "$MAILBEARER" -c "$WORK/none.conf" token "$RELAY"
    failed 78 "there is no accounts file $WORK/none.conf" 'mailbearer.conf(5)'
    write_accounts 'account "x" {' '    client_idd = 1' '}'
    mailbearer token "$RELAY"
    failed 78 "mailbearer.conf:$(grep -n client_idd "$WORK/mailbearer.conf" | cut -d: -f1): " 'correct it there'
    expect_in "$(cat "$WORK/err")" 'did you mean'
    mailbearer status
    failed 78 client_idd 'correct it there'
    mailbearer import refresh-token - "$ALICE" <<< CANARY
    failed 78 client_idd 'correct it there'
    run_quiet timeout 10 "$MAILBEARER" -c "$WORK/mailbearer.conf" agent --listen "$WORK/a.sock"
    failed 78 client_idd 'correct it there'
    refute test -e "$WORK/a.sock"
}

@test "78: the secret file is missing or empty" {
    rm "$WORK/secrets/relay"
    mailbearer token "$RELAY"
    failed 78 "cannot open client secret $WORK/secrets/relay" ''
    (umask 077 && : > "$WORK/secrets/relay")
    mailbearer token "$RELAY"
    failed 78 "client secret $WORK/secrets/relay is empty" 'first line'
    expect_requests 0
}

@test "where the network's program is missing, that is said" {
    MAILBEARER_OAUTH=$WORK/none mailbearer token "$RELAY"
    failed 78 "cannot run $WORK/none" 'install mailbearer completely'
}

# --- whatever the endpoint sends, standard output is empty ---------------------------------

@test "every spoilt reply: nothing on standard output, two lines, temporary" {
    local name number=0

    for name in html invalid_json not_object empty_body reset close truncate big \
        no_access_token empty_access_token null_access_token number_access_token \
        crlf_access_token control_access_token nul_access_token huge_access_token \
        wrong_token_type negative_expires_in huge_expires_in; do
        rm -rf "$WORK/store"
        write_accounts
        entra_admin clear
        fault "\"fault\": \"$name\""
        mailbearer token "$RELAY"
        failed 75 "$RELAY: " '' || { echo "fault: $name" >&2; false; }
        refute grep -qaE '[[:cntrl:]]' <(tr -d '\n' < "$WORK/err")
        number=$((number + 1))
        expect_requests "$number"
    done
}

@test "a redirect is not followed" {
    local status

    for status in 307 308 302; do
        rm -rf "$WORK/store"
        write_accounts
        entra_admin clear
        fault "\"fault\": \"redirect\", \"status\": $status, \"location\": \"$ENTRA_TRAP/token\""
        mailbearer token "$RELAY"
        failed 75 "redirects elsewhere (HTTP $status)" 'proxy'
    done
    expect 0 "$(entra_count trap_hits)"
}

@test "odd replies that are still good" {
    local name

    for name in lower_token_type no_token_type no_expires_in string_expires_in \
        null_expires_in 'fields", "set": {"expires_in": 123456789012}, "x": "'; do
        rm -rf "$WORK/store"
        write_accounts
        entra_admin clear
        fault "\"fault\": \"$name\""
        mailbearer token "$RELAY" --format json
        expect "0 $name" "$RC $name" || { cat "$WORK/err"; false; }
        is_token "$(out | json_get access_token)"
        local left=$(($(out | json_get expires_at) - $(date +%s)))
        ((left > 0 && left <= 2 * 86400))
    done
}

@test "the old refresh token is kept when the reply brings none" {
    local name before

    for name in no_refresh_token empty_refresh_token null_refresh_token; do
        import_alice
        before=$(stored "$ALICE" refresh_token)
        entra_admin clear
        fault "\"fault\": \"$name\", \"count\": 1"
        asked token "$ALICE"
        is_token "$(out)"
        expect "$before" "$(stored "$ALICE" refresh_token)"
        expire_stored "$ALICE"
        asked token "$ALICE"
        refute [ "$before" = "$(stored "$ALICE" refresh_token)" ]
    done
}

@test "a token that hangs is given up after 30 s at most, with 75" {
    local start

    fault '"fault": "hang"'
    start=$SECONDS
    mailbearer token "$RELAY"
    failed 75 'no answer in time' 'check the network'
    ((SECONDS - start <= 30))
}

@test "standard output closed, or full: not 0" {
    asked token "$RELAY"
    RC=0
    "$MAILBEARER" -c "$WORK/mailbearer.conf" token "$RELAY" > /dev/full 2> "$WORK/err" || RC=$?
    : > "$WORK/out.token"
    failed 74 'cannot write standard output: No space left on device' ''
    RC=0
    "$MAILBEARER" -c "$WORK/mailbearer.conf" token "$RELAY" >&- 2> "$WORK/err" || RC=$?
    expect 74 "$RC"
    for RC in 0 1; do
        # Not from the store as well.
        expire_stored "$RELAY"
        RC=0
        "$MAILBEARER" -c "$WORK/mailbearer.conf" token "$RELAY" > /dev/full 2> "$WORK/err" || RC=$?
        expect 74 "$RC"
    done
    RC=0
    "$MAILBEARER" -c "$WORK/mailbearer.conf" status > /dev/full 2> "$WORK/err" || RC=$?
    expect 74 "$RC"
    RC=0
    "$MAILBEARER" -c "$WORK/mailbearer.conf" check > /dev/full 2> "$WORK/err" || RC=$?
    expect 74 "$RC"
}

# --- secrets -------------------------------------------------------------------------------

# with_secret SECRET - the stand-in's application has it, and the secret file too.
with_secret() {
    set_client "$APP_CLIENT" "\"secret\": $("$PYTHON" -c 'import json, sys
print(json.dumps(sys.argv[1]))' "$1")"
    (umask 077 && printf '%s\n' "$1" > "$WORK/secrets/relay")
}

@test "secrets with every kind of sign, by form and by HTTP Basic" {
    local secret

    for secret in 'a+b&c=d%41 e CANARY' 'CANARY~ünï€𝄞/ß' "CANARY'\"\\\`\$(x)#;{}" \
        ' CANARY with spaces ' 'CANARY:colon:'; do
        rm -rf "$WORK/store"
        write_accounts
        with_secret "$secret"
        asked token "$RELAY"
        is_token "$(out)"
        rm -rf "$WORK/store"
        write_accounts
        with_secret "$secret"
        sed -i 's/^provider "standin" {/&\n    client_auth = basic/' "$WORK/mailbearer.conf"
        asked token "$RELAY"
        is_token "$(out)"
    done
    expect 5 "$(entra_count by_parameter/client_secret)"
    expect_requests 10
}

@test "a secret in the accounts file" {
    write_accounts
    sed -i "s|client_secret_file = .*|client_secret = '${APP_SECRET/&/\\&}'|" "$WORK/mailbearer.conf"
    mkdir -p "$WORK/secrets"
    mv "$WORK/mailbearer.conf" "$WORK/secrets/"
    run_quiet "$MAILBEARER" -c "$WORK/secrets/mailbearer.conf" token "$RELAY"
    expect 0 "$RC"
    is_token "$(out)"
    chmod 644 "$WORK/secrets/mailbearer.conf"
    run_quiet "$MAILBEARER" -c "$WORK/secrets/mailbearer.conf" token "$RELAY"
    failed 78 "$WORK/secrets/mailbearer.conf has mode 644" "chmod 600 $WORK/secrets/mailbearer.conf"
}

@test "a line end of another system at the end of a secret file" {
    printf '%s\r\nsecond line\n' "$APP_SECRET" > "$WORK/secrets/relay"
    asked token "$RELAY"
    is_token "$(out)"
    rm -rf "$WORK/store"
    write_accounts
    printf '%s' "$APP_SECRET" > "$WORK/secrets/relay"
    asked token "$RELAY"
    is_token "$(out)"
}

# command_account COMMAND - an account whose secret that prints.
command_account() {
    write_accounts "$(account_section by-command 'grant = client_credentials' \
        "client_id = $APP_CLIENT" "client_secret_command = '$1'")"
}

@test "client_secret_command prints the secret" {
    command_account "cat \"$WORK/secrets/relay\"; echo more; exit 0"
    asked token by-command
    is_token "$(out)"
}

@test "client_secret_command fails, prints nothing, is not there, prints too much" {
    command_account "echo CANARY; exit 3"
    mailbearer token by-command
    failed 75 'client_secret_command ended with status 3' 'run that command'
    command_account 'kill -9 $$'
    rm -rf "$WORK/store" && mkdir -m 700 "$WORK/store"
    mailbearer token by-command
    failed 75 'client_secret_command was ended by signal 9' 'run that command'
    command_account true
    rm -rf "$WORK/store" && mkdir -m 700 "$WORK/store"
    mailbearer token by-command
    failed 78 'client_secret_command printed nothing' ''
    command_account 'printf "CANARY\001\n"'
    rm -rf "$WORK/store" && mkdir -m 700 "$WORK/store"
    mailbearer token by-command
    failed 78 'client_secret_command printed a control character' ''
    command_account 'yes CANARY'
    rm -rf "$WORK/store" && mkdir -m 700 "$WORK/store"
    mailbearer token by-command
    failed 75 'printed more than 65536 bytes' 'run that command'
    command_account '/nonexistent/command 2> /dev/null'
    rm -rf "$WORK/store" && mkdir -m 700 "$WORK/store"
    mailbearer token by-command
    failed 75 'client_secret_command ended with status 127' 'run that command'
    expect_requests 0
}

@test "client_secret_command hangs: given up after 10 s, with all it started" {
    local start

    command_account "sleep 4242 & echo \$! > $WORK/child; sleep 4243"
    start=$(now_ms)
    mailbearer token by-command
    failed 75 'client_secret_command took longer than 10 s' 'run that command'
    (($(now_ms) - start < 12000))
    retry_until 2 none_alive "$(cat "$WORK/child")"
    # Also when the command itself has ended and left something that holds its output.
    rm -rf "$WORK/store"
    command_account "sleep 4244 & echo \$! > $WORK/child; cat $WORK/secrets/relay"
    mailbearer token by-command
    failed 75 'client_secret_command took longer than 10 s' 'run that command'
    retry_until 2 none_alive "$(cat "$WORK/child")"
}

@test "the secret command sees no secret of ours" {
    command_account "tr \"\\\\0\" \"\\\\n\" < /proc/self/environ > $WORK/environ; ls -l /proc/self/fd > $WORK/fds; cat $WORK/secrets/relay"
    asked token by-command
    test -s "$WORK/environ"
    # Descriptors of its own, and of ours only standard error.
    refute grep -qE "$WORK/store|socket:|anon_inode" "$WORK/fds"
}

# --- names ---------------------------------------------------------------------------------

@test "account names with spaces, quotes, slashes, dots, UTF-8 stay in the store" {
    local name escaped before
    local -a sections=() names=('with two  spaces' "it's" 'say "x"' '../../outside' '..' '.' \
        '.hidden' 'a/b' '/etc/passwd' 'jürgen@contoso.com' '日本' 'back\slash' '%2e%2e' \
        "\$(id)" 'a;b|c' 'tilde~' 'Case' 'case' '-dash')

    for name in "${names[@]}"; do
        escaped=${name//\\/\\\\}
        escaped=${escaped//\"/\\\"}
        escaped=${escaped//\$/\\\$}
        sections+=("$(app_account "$escaped" 'user = relay@contoso.com')")
    done
    write_accounts "${sections[@]}"
    before=$(find "$WORK" -path "$WORK/store" -prune -o -print | sort)
    for name in "${names[@]}"; do
        asked token -- "$name"
        is_token "$(out)"
    done
    expect "$before" "$(find "$WORK" -path "$WORK/store" -prune -o -print | sort)"
    expect "${#names[@]}" "$(find "$WORK/store" -name '*.json' | wc -l)"
    expect '' "$(find "$WORK/store" -mindepth 1 ! -name '*.json' ! -name '*.lock')"
    expect '' "$(find "$WORK/store" -mindepth 1 -printf '%P\n' | LC_ALL=C grep -v '^[A-Za-z0-9@%+=_-][A-Za-z0-9@%._+=-]*$')"
    expect '' "$(find "$WORK/store" -type f ! -perm 600)"
    # Each has its own record.
    asked token -- "${names[3]}"
    expect "${#names[@]}" "$(entra_count requests)"
    asked status --format json
    expect "$((${#names[@]} + 1))" "$(out | "$PYTHON" -c 'import json, sys
print(len({a["account"] for a in json.load(sys.stdin)["accounts"]}))')"
}

@test "a name too long for a file is refused with its line" {
    write_accounts "$(app_account "$(printf 'x%.0s' {1..240})@contoso.com")"
    mailbearer token "$RELAY"
    failed 78 "mailbearer.conf:" ''
    expect_in "$(cat "$WORK/err")" 'too long'
}

@test "control characters in names, values and secrets are refused in one clear line" {
    local where

    for where in "account \"a$(printf '\001')b\" {" "    user = \"eve$(printf '\r')x\"" \
        "    user = \"$(printf '\302\205')\"" "    user = a$(printf '\033')b"; do
        write_accounts 'account "spare" {' "    client_id = 1" '    provider = standin' "$where" '}'
        mailbearer token "$RELAY"
        expect 78 "$RC"
        expect '' "$(out)"
        expect_in "$(head -n 1 "$WORK/err")" 'mailbearer.conf:'
        expect_in "$(head -n 1 "$WORK/err")" 'control character'
        refute grep -qaE '[[:cntrl:]]' <(tr -d '\n' < "$WORK/err")
    done
    write_accounts
    printf 'CANARY\001x\n' > "$WORK/secrets/relay"
    mailbearer token "$RELAY"
    failed 78 "client secret $WORK/secrets/relay holds a control character" 'write it again'
    printf 'CANARY\0x\n' > "$WORK/secrets/relay"
    mailbearer token "$RELAY"
    failed 78 "client secret $WORK/secrets/relay holds a control character" 'write it again'
    expect_requests 0
}

@test "control characters on the command line do not reach the terminal" {
    mailbearer token "$(printf 'x\033[31m\ny')"
    expect 66 "$RC"
    expect 2 "$(wc -l < "$WORK/err")"
    refute grep -qaE '[[:cntrl:]]' <(tr -d '\n' < "$WORK/err")
}

# --- modes ---------------------------------------------------------------------------------

@test "an accounts or secret file that others or another group may read: the hint mends it" {
    local file mode group

    for file in "$WORK/mailbearer.conf" "$WORK/secrets/relay"; do
        for mode in 644 640 604 660 602; do
            for group in 0 12; do
                rm -rf "$WORK/store" && mkdir -m 700 "$WORK/store"
                chown "0:$group" "$file"
                chmod "$mode" "$file"
                mailbearer token "$RELAY"
                failed 78 "$file has mode $mode" "$file"
                mend
                asked token "$RELAY"
                is_token "$(out)"
            done
        done
    done
}

@test "the hint mends a file whose name has spaces and quotes" {
    local file="$WORK/secrets/it's a \$secret"

    cp "$WORK/secrets/relay" "$file"
    chmod 644 "$file"
    write_accounts
    sed -i "s|client_secret_file = .*|client_secret_file = \"$WORK/secrets/it's a \\\\\$secret\"|" "$WORK/mailbearer.conf"
    mailbearer token "$RELAY"
    failed 78 "$file has mode 644" chmod
    mend
    expect 600 "$(stat -c %a "$file")"
    asked token "$RELAY"
}

@test "a secret file of another user is refused" {
    chown 4321 "$WORK/secrets/relay"
    mailbearer token "$RELAY"
    failed 78 "client secret $WORK/secrets/relay belongs to uid 4321" "chown 0 $WORK/secrets/relay"
    mend
    asked token "$RELAY"
}

@test "a secret that is a FIFO or a folder does not hang" {
    rm "$WORK/secrets/relay"
    mkfifo -m 600 "$WORK/secrets/relay"
    mailbearer token "$RELAY"
    failed 78 "client secret $WORK/secrets/relay is not a regular file" ''
    rm "$WORK/secrets/relay"
    mkdir "$WORK/secrets/relay"
    mailbearer token "$RELAY"
    failed 78 "client secret $WORK/secrets/relay is not a regular file" ''
}

@test "a symbolic link in the store is not followed" {
    asked token "$RELAY"
    mv "$(record_file "$RELAY")" "$WORK/elsewhere.token"
    ln -s "$WORK/elsewhere.token" "$(record_file "$RELAY")"
    cp "$WORK/elsewhere.token" "$WORK/copy.token"
    mailbearer token "$RELAY" --refresh
    failed 74 'it is a symbolic link' "rm '$WORK/store/$RELAY.json'"
    cmp "$WORK/copy.token" "$WORK/elsewhere.token"
}

# --- import --------------------------------------------------------------------------------

@test "import from standard input and from a file, then a token" {
    sign_in > "$WORK/secrets/refresh"
    chmod 600 "$WORK/secrets/refresh"
    mailbearer import refresh-token - "$ALICE" < "$WORK/secrets/refresh"
    expect 0 "$RC"
    expect_in "$(out)" 'the refresh token is stored'
    asked token "$ALICE"
    token_works "$(out)" "$ALICE"
    sign_in > "$WORK/secrets/refresh"
    mailbearer import refresh-token "$WORK/secrets/refresh" "$ALICE"
    expect 0 "$RC"
    expect "$(cat "$WORK/secrets/refresh")" "$(stored "$ALICE" refresh_token)"
    expect '' "$(stored "$ALICE" access_token)"
    expect 600 "$(stat -c %a "$(record_file "$ALICE")")"
    asked token "$ALICE"
    token_works "$(out)" "$ALICE"
}

@test "import: refused for client credentials, empty, with control characters, readable by others" {
    mailbearer import refresh-token - "$RELAY" <<< CANARY
    failed 78 'this account signs in by itself' 'grant = authorization_code'
    mailbearer import refresh-token - "$ALICE" < /dev/null
    failed 78 'standard input holds no refresh token' ''
    mailbearer import refresh-token - "$ALICE" <<< "$(printf 'CANARY\001')"
    failed 78 'the refresh token holds a control character' ''
    echo 'CANARY refresh' > "$WORK/secrets/refresh"
    chmod 644 "$WORK/secrets/refresh"
    mailbearer import refresh-token "$WORK/secrets/refresh" "$ALICE"
    failed 78 'has mode 644' 'chmod 600'
    mailbearer import refresh-token "$WORK/secrets/none" "$ALICE"
    failed 78 "cannot open refresh token $WORK/secrets/none" ''
    refute test -e "$(record_file "$ALICE")"
}

@test "import: a public client sends no secret, a confidential one does" {
    import_alice
    asked token "$ALICE"
    expect 0 "$(entra_count by_parameter/client_secret)"
    set_client "$APP_CLIENT" '"rotation": "strict"'
    write_accounts "$(account_section web "client_id = $APP_CLIENT" 'user = alice@contoso.com' \
        "client_secret_file = \"$WORK/secrets/relay\"" "scope = \"$USER_SCOPE\"")"
    entra_admin sign-in "{\"client\": \"$APP_CLIENT\", \"user\": \"$ALICE\"}" | json_get refresh_token |
        "$MAILBEARER" -c "$WORK/mailbearer.conf" import refresh-token - web > "$WORK/import.out"
    asked token web
    expire_stored web
    asked token web
    token_works "$(out)" "$ALICE"
    expect 2 "$(entra_count by_parameter/client_secret)"
}

# --- status, check, upstream ---------------------------------------------------------------

status_of() {
    asked status "$1" --format json
    out | json_get "accounts/0/$2"
}

@test "status: idle, ok, signed-out, failing, needs-action" {
    expect idle "$(status_of "$RELAY" state)"
    expect signed-out "$(status_of "$ALICE" state)"
    expect false "$(status_of "$ALICE" refresh_token)"
    asked status "$ALICE"
    expect_in "$(out)" "$ALICE: signed-out"
    expect_in "$(out)" 'to mend it: mailbearer '
    asked token "$RELAY"
    expect ok "$(status_of "$RELAY" state)"
    expect standin "$(status_of "$RELAY" provider)"
    expect client_credentials "$(status_of "$RELAY" grant)"
    asked status
    expect_in "$(out)" "$RELAY: ok"
    expect_in "$(out)" 'token good for 59 min, fetched '
    expire_stored "$RELAY"
    expect idle "$(status_of "$RELAY" state)"
    fault '"fault": "503", "retry_after": 100'
    mailbearer token "$RELAY"
    expect failing "$(status_of "$RELAY" state)"
    expect temporary "$(status_of "$RELAY" error/class)"
    expect 1 "$(status_of "$RELAY" error/count)"
    asked status "$RELAY"
    expect_in "$(out)" 'last refresh failed '
    expect_in "$(out)" 'HTTP 503'
    expect_in "$(out)" 'not asked again for '
    entra_admin clear
    set_client "$APP_CLIENT" '"secret_expired": true'
    rm -rf "$WORK/store"
    write_accounts
    mailbearer token "$RELAY"
    expect needs-action "$(status_of "$RELAY" state)"
    expect action "$(status_of "$RELAY" error/class)"
    asked status "$RELAY"
    expect_in "$(out)" "$RELAY: needs-action"
    expect_in "$(out)" 'AADSTS7000222'
    expect_in "$(out)" 'to mend it: '
}

@test "status: one broken record does not hide the others" {
    asked token "$RELAY"
    write_accounts "$(app_account zebra)"
    echo nonsense > "$(record_file "$RELAY")"
    mailbearer status --format json
    expect 74 "$RC"
    expect zebra "$(out | json_get accounts/0/account)"
    expect 2 "$(wc -l < "$WORK/err")"
    mailbearer status
    expect 74 "$RC"
    expect_in "$(out)" 'zebra: idle'
}

@test "status: what the secret's date says" {
    write_accounts "$(app_account soon "secret_expires = $(date -u -d '+10 days' +%F)")" \
        "$(app_account over "secret_expires = 2020-01-31")"
    asked status soon
    expect_in "$(out)" 'the client secret expires in 9 days'
    asked status over
    expect_in "$(out)" 'the client secret has expired (2020-01-31)'
}

@test "check: all is well" {
    write_accounts
    mailbearer check
    expect 0 "$RC"
    expect_in "$(out)" "ok       $WORK/mailbearer.conf: 1 accounts"
    expect_in "$(out)" "ok       $RELAY"
    expect_in "$(out)" "ok       $WORK/store: the state directory"
    expect_in "$(out)" 'warning  agent: '
    expect_requests 0
}

@test "check: the first error decides the exit code, all are listed" {
    write_accounts "$(alice_account)" "$(app_account zebra 'allow_users = { nosuchuser7 }')"
    mailbearer check
    expect 77 "$RC"
    expect_in "$(out)" "error    $ALICE: nobody has signed in"
    expect_in "$(out)" 'warning  zebra: allow_users names nosuchuser7'
    chmod 644 "$WORK/secrets/relay"
    mailbearer check
    expect 77 "$RC"
    expect_in "$(out)" "error    $RELAY: client secret $WORK/secrets/relay has mode 644"
    expect_in "$(out)" "-> chmod 600"
    chmod 600 "$WORK/secrets/relay"
    asked token "$RELAY"
    echo broken > "$(record_file "$RELAY")"
    write_accounts "$(app_account late 'secret_expires = 2020-01-31')"
    mailbearer check
    expect 77 "$RC"
    expect_in "$(out)" "error    late: its client secret has expired"
    expect_in "$(out)" "error    $RELAY: the record $WORK/store/$RELAY.json cannot be used"
    write_accounts
    mailbearer check
    expect 74 "$RC"
    chmod 644 "$WORK/mailbearer.conf"
    mailbearer check
    expect 78 "$RC"
    expect_in "$(out)" "error    accounts file $WORK/mailbearer.conf has mode 644"
    expect_requests 1
}

@test "upstream prints one line of JSON, without a secret" {
    write_accounts "$(app_account full 'user = shared@contoso.com' 'smtp = "mail.contoso.com:587 starttls"' \
        'imap = "[::1]:993 tls"' 'proxy = "socks5h://127.0.0.1:1080"')" \
        "$(account_section office 'client_id = 1' | sed 's/standin/microsoft/')"
    asked upstream smtp full
    expect 1 "$(wc -l < "$WORK/out.token")"
    expect shared@contoso.com "$(out | json_get user)"
    expect mail.contoso.com "$(out | json_get host)"
    expect 587 "$(out | json_get port)"
    expect starttls "$(out | json_get security)"
    expect socks5h://127.0.0.1:1080 "$(out | json_get proxy)"
    expect xoauth2 "$(out | json_get auth)"
    asked upstream imap full
    expect ::1 "$(out | json_get host)"
    expect tls "$(out | json_get security)"
    mailbearer upstream pop3 full
    failed 78 'full has no pop3 server' 'add to its section: pop3 = '
    asked upstream imap office
    expect outlook.office365.com "$(out | json_get host)"
    expect 993 "$(out | json_get port)"
    asked upstream smtp office
    expect smtp.office365.com "$(out | json_get host)"
    expect_requests 0
}

# --- root and the state directory's owner --------------------------------------------------

@test "root becomes the owner of the state directory; files are the owner's, 0600" {
    local file

    write_accounts "$(account_section by-command 'grant = client_credentials' \
        "client_id = $APP_CLIENT" "client_secret_command = 'id -u > $WORK/secrets/uid; id -G >> $WORK/secrets/uid; cat $WORK/secrets/relay'")" \
        "$(alice_account)"
    give_to 4321
    # Root reads its own accounts file, which its owner may read again through a group; here
    # it is the owner's.
    chown 0 "$WORK/mailbearer.conf"
    asked token by-command
    is_token "$(out)"
    expect "$(printf '4321\n4321')" "$(cat "$WORK/secrets/uid")"
    sign_in > "$WORK/secrets/refresh"
    mailbearer import refresh-token - "$ALICE" < "$WORK/secrets/refresh"
    expect 0 "$RC"
    asked token "$ALICE"
    for file in "$WORK"/store/*; do
        expect '600 4321 4321' "$(stat -c '%a %u %g' "$file")"
    done
    asked status "$ALICE"
    # A secret that only root may read is not read.
    write_accounts
    chown 0:0 "$WORK/secrets/relay"
    chown 4321 "$WORK/store"
    mailbearer token "$RELAY"
    failed 74 "cannot open client secret $WORK/secrets/relay: Permission denied" ''
}

@test "a state directory that is missing is made, 0700, its parents too" {
    write_accounts
    sed -i "s|directory = .*|directory = \"$WORK/store/a/b/c\"|" "$WORK/mailbearer.conf"
    asked token "$RELAY"
    is_token "$(out)"
    expect 700 "$(stat -c %a "$WORK/store/a/b/c")"
}

@test "umask has no say in the store's modes" {
    local mask

    for mask in 000 077 277 777; do
        rm -rf "$WORK/store"
        write_accounts
        (umask "$mask" && asked token "$RELAY") || { cat "$WORK/err"; false; }
        expect '' "$(find "$WORK/store" -type f ! -perm 600)"
    done
}

@test "no secret in the arguments or environment of what runs" {
    fault '"fault": "slow", "ms": 700, "count": 1'
    "$MAILBEARER" -c "$WORK/mailbearer.conf" token "$RELAY" > "$WORK/out.token" 2> "$WORK/err" 3>&- &
    record_pid $! token
    retry_until 5 somebody_asks
    tr '\0' '\n' < "/proc/$!/cmdline" > "$WORK/cmdline"
    tr '\0' '\n' < "/proc/$!/environ" > "$WORK/environ" || :
    test -s "$WORK/cmdline"
    wait $!
    sed -i '/ token$/d' "$WORK/pids"
    is_token "$(out)"
}

@test "every help fits a terminal of 80 columns" {
    local word
    for word in '' login logout token upstream status check import git-credential rekey explain agent; do
        # shellcheck disable=SC2086
        "$MAILBEARER" $word --help > "$WORK/help"
        test -s "$WORK/help"
        expect '' "$(awk 'length($0) > 80' "$WORK/help")"
    done
    "$MAILBEARER" > "$WORK/help" 2>&1 || expect 64 "$?"
    grep -q '^usage: mailbearer' "$WORK/help"
    expect '' "$(awk 'length($0) > 80' "$WORK/help")"
}
