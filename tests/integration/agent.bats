#!/usr/bin/env bats
# The agent: who gets what, what it keeps fresh, what it does when the token endpoint or a
# client misbehaves, and that it ends without losing a token.

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
    [[ -n ${BATS_TEST_COMPLETED:-} ]] || tail -n 20 "$WORK/agent.log" >&2 || :
    stop_agent
    no_secret_in "$WORK"
}

# reply_begins REQUEST TEXT - the reply is not OK, and begins so.
reply_begins() {
    local reply

    reply=$(reply_to "$1" "${@:3}")
    expect "$2" "${reply:0:${#2}}" || { printf '%s\n' "$reply" >&2; return 1; }
}

is_ok() {
    expect OK "$(reply_to "$@")"
}

# --- who gets what -------------------------------------------------------------------------

@test "other users are refused, told nothing, and cause nothing" {
    local request token

    import_alice
    start_agent
    is_ok "token $RELAY"
    good_token
    token=$(sed 's/^OK //' "$WORK/reply.token")
    for request in "token $RELAY" "token $ALICE" "status $RELAY" "upstream smtp $RELAY" \
        "rejected $token $RELAY"; do
        expect "PERM not allowed: uid 4321 may not use this account -> add this user to the account's allow_users in the accounts file" \
            "$(reply_to "$request" 4321)"
    done
    expect_requests 1
    write_accounts "$(app_account keyed 'smtp = "mail.contoso.com:587 starttls"')"
    stop_agent
    start_agent
    reply_begins 'sasl [mail.contoso.com]:587' 'PERM not allowed: uid 4321' 4321
    run_quiet as 4321 "$MAILBEARER" token "$RELAY"
    failed 77 'not allowed' 'allow_users'
    run_quiet as 4321 "$MAILBEARER" status "$RELAY"
    failed 77 'not allowed' 'allow_users'
    run_quiet as 4321 "$MAILBEARER" upstream smtp keyed
    failed 77 'not allowed' 'allow_users'
    expect 'OK mailbearer 0.1.0' "$(reply_to version 4321 > "$WORK/x"; cat "$WORK/reply.token")"
}

@test "allow_users names users and numbers; an unknown name is a warning" {
    write_accounts "$(app_account allowed 'allow_users = { daemon, "4321", nosuchuser7 }')"
    start_agent
    agent_log_holds "allow_users: there is no user \`nosuchuser7\` here"
    is_ok 'token allowed' 1
    good_token
    is_ok 'token allowed' 4321
    is_ok 'status allowed' 4321
    refute grep -q access_token "$WORK/reply.token"
    reply_begins 'token allowed' 'PERM not allowed: uid 4322' 4322
    reply_begins 'token allowed' 'PERM not allowed: uid 2' 2
    is_ok 'token allowed'
    run_quiet as 4321 "$MAILBEARER" token allowed
    is_token "$(out)"
}

@test "uid 65534 gets nothing, even when named" {
    write_accounts "$(app_account open 'allow_users = { nobody, "65534" }')"
    start_agent
    reply_begins 'token open' 'PERM not allowed: uid 65534' 65534
    reply_begins 'status open' 'PERM not allowed: uid 65534' 65534
    expect_requests 0
}

@test "root starts it, the state directory's owner runs it and may ask" {
    local file

    write_accounts "$(app_account mine)" "$(alice_account)"
    import_alice
    give_to 4321
    chown 0 "$WORK/mailbearer.conf"
    start_agent
    expect '4321 4321 4321 4321' "$(awk '/^Uid:/ {print $2, $3, $4, $5}' "/proc/$(agent_pid)/status")"
    expect '4321 4321 4321 4321' "$(awk '/^Gid:/ {print $2, $3, $4, $5}' "/proc/$(agent_pid)/status")"
    expect '' "$(awk '/^Groups:/ {print $2}' "/proc/$(agent_pid)/status")"
    is_ok 'token mine' 4321
    is_ok 'token mine'
    is_ok "token $ALICE"
    reply_begins 'token mine' 'PERM not allowed: uid 4322' 4322
    for file in "$WORK"/store/*.json; do
        expect '600 4321 4321' "$(stat -c '%a %u %g' "$file")"
    done
    # The accounts file is root's and this agent cannot read it again: said, and served on.
    kill -HUP "$(agent_pid)"
    retry_until 5 agent_log_holds 'the accounts read before stay in force'
    is_ok 'token mine'
}

@test "every socket of several answers; the modes let everybody connect" {
    start_agent "$WORK/one.sock" "$WORK/folder/two.sock" "$WORK/jail/run.sock"
    local path

    for path in "$WORK/one.sock" "$WORK/folder/two.sock" "$WORK/jail/run.sock"; do
        MAILBEARER_SOCKET=$path is_ok "token $RELAY"
        expect 666 "$(stat -c %a "$path")"
    done
    expect_requests 1
    stop_agent
    refute test -e "$WORK/one.sock"
    refute test -e "$WORK/folder/two.sock"
}

@test "a socket from the service manager" {
    run_agent "$PYTHON" "$WORK/bin/talk.py" activate "$WORK/agent.sock" \
        "$MAILBEARER" agent -c "$WORK/mailbearer.conf"
    retry_until 5 is_ok "token $RELAY"
    agent_log_holds 'listening on a passed socket'
    refute grep -q 'LISTEN_' "/proc/$(agent_pid)/environ" || :
    # It is the service manager's: it stays.
    stop_agent
    test -S "$WORK/agent.sock"
    rm "$WORK/agent.sock"
}

@test "a second agent on the same socket is refused, a dead one's socket is replaced" {
    start_agent
    run_quiet timeout 10 "$MAILBEARER" agent -c "$WORK/mailbearer.conf" --listen "$WORK/agent.sock"
    failed 78 "$WORK/agent.sock is in use: another agent listens there" '--listen PATH'
    is_ok "token $RELAY"
    kill -KILL "$(agent_pid)"
    retry_until 5 none_alive "$(agent_pid)"
    sed -i '/ agent$/d' "$WORK/pids"
    test -S "$WORK/agent.sock"
    start_agent
    retry_until 5 is_ok "token $RELAY"
    stop_agent
    echo precious > "$WORK/agent.sock"
    run_quiet timeout 10 "$MAILBEARER" agent -c "$WORK/mailbearer.conf" --listen "$WORK/agent.sock"
    expect 78 "$RC"
    expect_in "$(cat "$WORK/err")" "$WORK/agent.sock is there and is no socket"
    expect precious "$(cat "$WORK/agent.sock")"
    rm "$WORK/agent.sock"
}

@test "a path too long for a socket is a usage error" {
    run_quiet timeout 10 "$MAILBEARER" agent -c "$WORK/mailbearer.conf" \
        --listen "$WORK/$(printf 'x%.0s' {1..120})"
    expect 64 "$RC"
    expect_in "$(cat "$WORK/err")" 'socket path longer than 107 bytes'
}

# --- requests ------------------------------------------------------------------------------

@test "version, unknown requests, a key that is missing" {
    start_agent
    expect OK "$(reply_to version)"
    expect 'OK mailbearer 0.1.0' "$(cat "$WORK/reply.token")"
    expect OK "$(reply_to 'version -')"
    local request

    for request in nonsense 'nonsense x' token '' ' ' "upstream $RELAY" "upstream ftp $RELAY" \
        "TOKEN $RELAY" rejected 'rejected x'; do
        expect 'PERM not a request this agent knows -> the requests are: token, sasl, rejected, upstream, status, version' \
            "$(reply_to "$request")"
    done
    for request in 'token nobody' 'status nobody' 'sasl nobody' 'rejected x nobody' \
        'upstream smtp nobody' 'token ' "token $RELAY " "token  $RELAY" \
        "token $(printf 'x%.0s' {1..2000})"; do
        expect 'NOTFOUND ' "$(reply_to "$request")"
    done
    expect 'NOTFOUND ' "$(printf 'token relay@contoso.com\0' | "$PYTHON" -c 'import sys
data = sys.stdin.buffer.read()
sys.stdout.buffer.write(b"%d:%s," % (len(data), data))' | talk raw 1 | sed -n 's/^9:\(.*\),/\1/p')"
}

@test "requests one behind the other are answered in turn; byte by byte as well" {
    start_agent
    talk ask version "token $RELAY" 'token nobody' "token $RELAY" version > "$WORK/reply.token"
    expect 'OK OK NOTFOUND OK OK' "$(cut -d' ' -f1 "$WORK/reply.token" | tr '\n' ' ' | sed 's/ $//')"
    expect "$(sed -n 2p "$WORK/reply.token")" "$(sed -n 4p "$WORK/reply.token")"
    talk drip "token $RELAY" > "$WORK/reply.token"
    good_token
}

@test "what is no request is refused and the connection closed" {
    local text

    start_agent
    for text in 'GET / HTTP/1.0' '99999999999:' '-5:abc,' '05:token,' '3:abc;' ':' \
        '16385:x' '123456'; do
        expect_in "$(printf '%s' "$text" | talk raw 2)" 'PERM '
        expect_in "$(printf '%s' "$text" | talk raw 2)" '(closed)'
    done
    head -c 100000 /dev/urandom | talk raw 2 > "$WORK/reply"
    # As long as is allowed, and not longer.
    "$PYTHON" -c 'import sys; sys.stdout.write("16384:token " + "x" * 16378 + ",")' |
        talk raw 2 | grep -q '^9:NOTFOUND ,'
    is_ok "token $RELAY"
}

@test "rejected: the current token is replaced, once in 30 s, another one is not" {
    local first second

    start_agent
    is_ok "token $RELAY"
    first=$(sed 's/^OK //' "$WORK/reply.token")
    is_ok "rejected other~CANARY $RELAY"
    is_ok "token $RELAY"
    expect "$first" "$(sed 's/^OK //' "$WORK/reply.token")"
    expect_requests 1
    is_ok "rejected $first $RELAY"
    is_ok "token $RELAY"
    second=$(sed 's/^OK //' "$WORK/reply.token")
    is_token "$second"
    refute [ "$first" = "$second" ]
    expect_requests 2
    is_ok "rejected $second $RELAY"
    is_ok "rejected $first $RELAY"
    is_ok "token $RELAY"
    expect "$second" "$(sed 's/^OK //' "$WORK/reply.token")"
    expect_requests 2
}

@test "sasl: the account's server in every form, any case; ambiguous is PERM, unknown NOTFOUND" {
    local key

    write_accounts "$(app_account one 'smtp = "mail.contoso.com:587 starttls"' 'user = relay@contoso.com')" \
        "$(app_account two 'smtp = "shared.contoso.com:587 starttls"')" \
        "$(app_account three 'smtp = "shared.contoso.com:587 starttls"')" \
        "$(app_account four 'postfix_keys = { "sender@contoso.com" }')"
    start_agent
    for key in '[mail.contoso.com]:587' mail.contoso.com:587 mail.contoso.com '[MAIL.contoso.COM]:587'; do
        is_ok "sasl $key"
        is_token "$(sed -n 's/^OK relay@contoso.com://p' "$WORK/reply.token")"
    done
    is_ok 'sasl sender@contoso.com'
    is_token "$(sed -n 's/^OK four://p' "$WORK/reply.token")"
    reply_begins 'sasl [shared.contoso.com]:587' 'PERM '
    expect 'NOTFOUND ' "$(reply_to 'sasl [other.contoso.com]:587')"
    expect 'NOTFOUND ' "$(reply_to 'sasl [mail.contoso.com]:25')"
    # A listed key whose account fails defers: never NOTFOUND.
    set_client "$APP_CLIENT" '"secret_expired": true'
    rm -rf "$WORK/store" && mkdir -m 700 "$WORK/store"
    stop_agent
    start_agent
    reply_begins 'sasl mail.contoso.com' 'PERM AADSTS7000222'
    entra_admin clear
    fault '"fault": "503"'
    reply_begins 'sasl sender@contoso.com' 'TEMP '
    expect "$(ask sasl '[other.contoso.com]:587' 2>&1 || :)" ''
}

@test "mailbearer token, status and upstream are answered by the agent" {
    import_alice
    write_accounts "$(alice_account 'imap = "mail.contoso.com:993 tls"')"
    start_agent
    # A store that cannot be read shows that it was the agent.
    is_ok "token $ALICE"
    chmod 000 "$WORK/store"
    as 0 true
    asked token "$ALICE" --format json
    expect "$ALICE" "$(out | json_get user)"
    is_token "$(out | json_get access_token)"
    (($(out | json_get expires_at) > $(date +%s) + 3500))
    asked token "$ALICE" --format header
    expect_in "$(out)" 'Authorization: Bearer '
    asked token "$ALICE" --format xoauth2
    expect_in "$(out | base64 -d | tr '\001' '|')" "user=$ALICE|auth=Bearer "
    asked status "$ALICE" --format json
    expect ok "$(out | json_get accounts/0/state)"
    asked upstream imap "$ALICE"
    expect mail.contoso.com "$(out | json_get host)"
    chmod 700 "$WORK/store"
    expect_requests 1
    asked token "$ALICE" --refresh
    is_token "$(out)"
    expect_requests 2
    # An account the agent does not know may be in the file by now.
    mailbearer token nobody
    failed 66 'no such account' ''
}

# --- accounts and store change -------------------------------------------------------------

reloaded() {
    (($(log_lines ': read again,') >= $1))
}

# is_unknown ACCOUNT
is_unknown() {
    expect 'NOTFOUND ' "$(reply_to "token $1")" 2> "$WORK/err"
}

@test "SIGHUP, or a changed file, is read again; a bad one changes nothing" {
    start_agent
    expect 'NOTFOUND ' "$(reply_to 'token added')"
    write_accounts "$(app_account added)"
    kill -HUP "$(agent_pid)"
    retry_until 5 is_ok 'token added'
    write_accounts "$(app_account added)" "$(app_account third)"
    retry_until 5 is_ok 'token third'
    echo 'acount "typing error" {' >> "$WORK/mailbearer.conf"
    kill -HUP "$(agent_pid)"
    retry_until 5 agent_log_holds 'the accounts read before stay in force'
    agent_log_holds 'mailbearer.conf:'
    is_ok 'token third'
    is_ok 'token added'
    # Said once, not every second.
    sleep 2.5
    (($(log_lines 'stay in force') <= 2))
    chmod 644 "$WORK/mailbearer.conf"
    retry_until 5 agent_log_holds 'has mode 644'
    is_ok 'token third'
    rm "$WORK/mailbearer.conf"
    retry_until 5 agent_log_holds 'there is no accounts file'
    is_ok 'token third'
    sleep 2.5
    (($(log_lines 'there is no accounts file') <= 2))
    # Mended: what was taken out is gone, what stays keeps its token.
    write_accounts "$(app_account third)"
    retry_until 10 is_unknown added
    is_ok 'token third'
    is_ok "token $RELAY"
    expect_requests 3
}

@test "allow_users that change are in force after the reload" {
    RELAY_USERS=4321 write_accounts
    start_agent
    is_ok "token $RELAY" 4321
    RELAY_USERS=4322 write_accounts
    retry_until 5 is_ok "token $RELAY" 4322
    reply_begins "token $RELAY" 'PERM not allowed' 4321
}

@test "an included file that changes is read again" {
    app_account included > "$WORK/more.conf"
    chmod 600 "$WORK/more.conf"
    write_accounts "include(\"$WORK/more.conf\")"
    start_agent
    is_ok 'token included'
    app_account included-later >> "$WORK/more.conf"
    retry_until 5 is_ok 'token included-later'
    # Spoilt, said once, and noticed when it alone is mended.
    echo '}' >> "$WORK/more.conf"
    retry_until 5 agent_log_holds "$WORK/more.conf:"
    sleep 4
    expect 1 "$(log_lines 'stay in force')"
    app_account included-last > "$WORK/more.conf"
    retry_until 6 is_ok 'token included-last'
}

@test "a new sign-in is used at once; a store file that is taken away is noticed" {
    start_agent
    reply_begins "token $ALICE" 'PERM nobody has signed in for this account yet -> run: mailbearer login'
    import_alice
    is_ok "token $ALICE"
    good_token
    expect_requests 1
    entra_admin revoke "{\"user\": \"$ALICE\"}" > "$WORK/revoked"
    import_alice
    is_ok "token $ALICE"
    expect_requests 2
    rm "$(record_file "$ALICE")"
    reply_begins "token $ALICE" 'PERM nobody has signed in'
    import_alice
    is_ok "token $ALICE"
}

@test "an account that is removed while somebody waits for it" {
    fault '"fault": "slow", "ms": 4000'
    write_accounts "$(app_account four 'postfix_keys = { "sender@contoso.com" }')"
    start_agent
    talk ask "token $RELAY" > "$WORK/waiting.token" &
    record_pid $! waiting
    talk ask "sasl sender@contoso.com" > "$WORK/postfix.token" &
    record_pid $! postfix
    retry_until 5 somebody_asks
    printf 'store { directory = "%s" }\nprovider "standin" { token_endpoint = "%s" }\n' \
        "$WORK/store" "$TOKEN_ENDPOINT" > "$WORK/mailbearer.conf"
    retry_until 5 grep -q NOTFOUND "$WORK/waiting.token"
    # Postfix would take NOTFOUND for "no sign-in needed", and its mail would bounce.
    retry_until 5 grep -q 'TEMP the account was removed' "$WORK/postfix.token"
    stop_named waiting
    stop_named postfix
    retry_until 8 nobody_asks
    expect OK "$(reply_to version)"
}

# --- keeping fresh -------------------------------------------------------------------------

@test "tokens are replaced ahead of time: by refresh_in, and when they are short-lived" {
    set_client "$APP_CLIENT" '"refresh_in": 3'
    set_client "$PUBLIC_CLIENT" '"expires_in": 15, "rotation": "family"'
    write_accounts "$(alice_account)" "$(app_account sleeping)"
    import_alice
    start_agent
    is_ok "token $RELAY"
    is_ok "token $ALICE"
    expect_requests 2
    sleep 14
    # Each twice, and nobody had to wait: a token just fetched is not fetched again.
    expect 2 "$(entra_count "by_client/$APP_CLIENT")"
    expect 2 "$(entra_count "by_client/$PUBLIC_CLIENT")"
    refute test -e "$WORK/store/sleeping.json"
    (($(talk slowest 5 "token $ALICE") < 200))
}

@test "while refreshing fails a token is served as long as it lives" {
    local token now

    start_agent
    is_ok "token $RELAY"
    token=$(cat "$WORK/reply.token")
    now=$(date +%s)
    fault '"fault": "503"'
    # Due, then too short for ordinary use, then nearly over.
    set_stored "$RELAY" expires_at $((now + 400)) obtained_at $((now - 3199))
    is_ok "token $RELAY"
    expect "$token" "$(cat "$WORK/reply.token")"
    set_stored "$RELAY" expires_at $((now + 60)) obtained_at $((now - 3539))
    is_ok "token $RELAY"
    expect "$token" "$(cat "$WORK/reply.token")"
    is_ok "token $RELAY"
    (($(entra_count requests) >= 2))
    agent_log_holds 'HTTP 503'
    set_stored "$RELAY" expires_at $(($(date +%s) + 20))
    reply_begins "token $RELAY" 'TEMP the token endpoint answered HTTP 503'
}

@test "while refreshing hangs the old token is served after 5 s, not after 20" {
    local token start now

    start_agent
    is_ok "token $RELAY"
    token=$(cat "$WORK/reply.token")
    now=$(date +%s)
    fault '"fault": "hang"'
    set_stored "$RELAY" expires_at $((now + 100)) obtained_at $((now - 3499))
    start=$SECONDS
    is_ok "token $RELAY"
    expect "$token" "$(cat "$WORK/reply.token")"
    ((SECONDS - start <= 7))
}

# ask_for SECONDS REQUEST - asks again and again so long; the replies are not looked at.
ask_for() {
    local end=$((SECONDS + $1))

    while ((SECONDS < end)); do
        reply_to "$2" > "$WORK/ignored"
        sleep 0.2
    done
}

@test "429: not asked before Retry-After is over" {
    fault '"fault": "429", "retry_after": 6, "count": 1'
    start_agent
    reply_begins "token $RELAY" 'TEMP the token endpoint answered HTTP 429'
    ask_for 4 "token $RELAY"
    expect_requests 1
    retry_until 6 is_ok "token $RELAY"
    expect_requests 2
}

@test "429 is honoured by a process without an agent as well, and by --refresh" {
    fault '"fault": "429", "retry_after": 30, "count": 1'
    mailbearer token "$RELAY"
    failed 75 'HTTP 429' ''
    mailbearer token "$RELAY" --refresh
    failed 75 'HTTP 429' ''
    start_agent
    reply_begins "token $RELAY" 'TEMP the token endpoint answered HTTP 429'
    expect_requests 1
}

@test "5xx: asked ever more seldom, and again soon after recovery" {
    fault '"fault": "503"'
    start_agent
    ask_for 9 "token $RELAY"
    # At 0, 2, 6 s, give or take a fifth.
    (($(entra_count requests) >= 3 && $(entra_count requests) <= 4))
    expect 1 "$(log_lines 'HTTP 503')"
    entra_admin clear
    retry_until 12 is_ok "token $RELAY"
    fault '"fault": "503"'
    expire_stored "$RELAY"
    entra_admin reset
    # The success ended the back-off: it begins at 2 s again.
    ask_for 3 "token $RELAY"
    expect 2 "$(entra_count requests)"
}

@test "invalid_grant: PERM with what to do, asked once, and again after a sign-in" {
    import_alice
    entra_admin revoke "{\"user\": \"$ALICE\", \"number\": 50173}" > "$WORK/revoked"
    start_agent
    reply_begins "token $ALICE" 'PERM AADSTS50173: '
    expect_in "$(cat "$WORK/reply.token")" ' -> '
    expect_in "$(cat "$WORK/reply.token")" 'mailbearer login'
    ask_for 3 "token $ALICE"
    expect_requests 1
    expect 1 "$(log_lines AADSTS50173)"
    refute [ '' = "$(stored "$ALICE" refresh_token)" ]
    import_alice
    is_ok "token $ALICE"
    expect_requests 2
}

@test "a refusal is tried again when the accounts file or the secret file changes" {
    set_client "$APP_CLIENT" '"secret": "other~CANARY"'
    start_agent
    reply_begins "token $RELAY" 'PERM AADSTS7000215'
    sleep 1.1
    reply_begins "token $RELAY" 'PERM AADSTS7000215'
    reply_begins "token $RELAY" 'PERM AADSTS7000215'
    (($(entra_count requests) <= 2))
    APP_SECRET='other~CANARY' write_accounts "$(alice_account)"
    retry_until 4 is_ok "token $RELAY"
    set_client "$APP_CLIENT" '"secret": "third~CANARY"'
    expire_stored "$RELAY"
    sleep 1.1
    reply_begins "token $RELAY" 'PERM AADSTS7000215'
    sleep 1.1
    echo 'third~CANARY' > "$WORK/secrets/relay"
    is_ok "token $RELAY"
}

@test "a secret file that is missing or open to others: PERM, and served once mended" {
    chmod 644 "$WORK/secrets/relay"
    start_agent
    reply_begins "token $RELAY" "PERM client secret $WORK/secrets/relay has mode 644"
    chmod 600 "$WORK/secrets/relay"
    retry_until 4 is_ok "token $RELAY"
}

@test "a damaged record is refused with its remedy and served once mended" {
    import_alice
    cp "$(record_file "$ALICE")" "$WORK/good.token"
    echo '{' > "$(record_file "$ALICE")"
    start_agent
    reply_begins "token $ALICE" "TEMP the record $WORK/store/$ALICE.json cannot be used"
    expect '{' "$(cat "$(record_file "$ALICE")")"
    expect_requests 0
    cp "$WORK/good.token" "$(record_file "$ALICE")"
    retry_until 4 is_ok "token $ALICE"
}

# --- a token endpoint that misbehaves ------------------------------------------------------

# second_app - another application, OTHER_CLIENT, so that faults can be told apart.
second_app() {
    OTHER_CLIENT=33333333-2222-3333-4444-555555555555
    set_client "$OTHER_CLIENT" "\"secret\": \"relay~CANARY+value/with=odd%41 signs&more\""
}

@test "the endpoint hangs and drips: others are served in milliseconds, waiters in 30 s" {
    local start

    second_app
    import_alice
    write_accounts "$(alice_account)" "$(app_account dripping | sed "s/$APP_CLIENT/$OTHER_CLIENT/")" \
        "$(app_account another-hanging)"
    fault "\"fault\": \"hang\", \"client\": \"$APP_CLIENT\""
    fault "\"fault\": \"drip\", \"client\": \"$OTHER_CLIENT\""
    start_agent
    start=$SECONDS
    talk ask "token $RELAY" > "$WORK/hanging.token" &
    record_pid $! waiting
    talk ask 'token dripping' > "$WORK/dripping.token" &
    record_pid $! waiting
    talk ask 'token another-hanging' > "$WORK/another.token" &
    record_pid $! waiting
    retry_until 5 expect_concurrent 3
    # A refresh goes through meanwhile, and what is there is there at once.
    is_ok "token $ALICE"
    good_token
    (($(talk slowest 200 "token $ALICE") < 200))
    (($(talk slowest 20 "status $RELAY") < 200))
    expire_stored "$ALICE"
    (($(talk slowest 1 "token $ALICE") < 1000))
    retry_until 30 test -s "$WORK/hanging.token" -a -s "$WORK/dripping.token" -a -s "$WORK/another.token"
    ((SECONDS - start <= 30))
    expect_in "$(cut -c1-8 < "$WORK/hanging.token")" 'TIMEOUT '
    expect_in "$(cut -c1-8 < "$WORK/dripping.token")" 'TIMEOUT '
    expect_in "$(cat "$WORK/hanging.token")" 'no answer in time'
    expect 1 "$(log_lines "$RELAY: ")"
}

expect_concurrent() {
    [[ $(entra_count concurrent) = "$1" ]]
}

@test "spoilt replies: TEMP, one clear line in the log, good again afterwards" {
    local name
    local -a sections=() names=(html invalid_json not_object empty_body reset close truncate \
        big no_access_token empty_access_token null_access_token number_access_token \
        crlf_access_token control_access_token nul_access_token huge_access_token \
        wrong_token_type negative_expires_in redirect 500 503 reset_after close_after)

    # A client each: what is tried again meanwhile must not take another one's fault.
    for name in "${names[@]}"; do
        set_client "app-$name" '"secret": "relay~CANARY+value/with=odd%41 signs&more"'
        sections+=("$(app_account "fault-$name" | sed "s/$APP_CLIENT/app-$name/")")
    done
    write_accounts "${sections[@]}"
    start_agent
    for name in "${names[@]}"; do
        fault "\"fault\": \"$name\", \"count\": 1, \"location\": \"$ENTRA_TRAP/x\",
            \"client\": \"app-$name\""
        reply_begins "token fault-$name" 'TEMP ' || { echo "fault: $name" >&2; false; }
        expect_in "$(cat "$WORK/reply.token")" ' -> '
        expect 1 "$(log_lines "fault-$name: ")"
        expect 1 "$(entra_count "by_fault/$name")"
        expect 1 "$(entra_count "by_client/app-$name")"
    done
    expect 0 "$(entra_count trap_hits)"
    refute grep -qaP '[\x00-\x09\x0b-\x1f\x7f]' "$WORK/agent.log"
    sleep 2.6
    for name in "${names[@]}"; do
        is_ok "token fault-$name" || { echo "fault: $name" >&2; false; }
        good_token
        expect 1 "$(log_lines "fault-$name: new access token")"
    done
}

@test "a reply without a refresh token keeps the old one" {
    local name

    import_alice
    start_agent
    for name in no_refresh_token empty_refresh_token null_refresh_token; do
        entra_admin clear
        fault "\"fault\": \"$name\", \"count\": 1"
        expire_stored_or_new
        is_ok "token $ALICE"
        good_token
        [[ -n $(stored "$ALICE" refresh_token) ]]
    done
    expire_stored "$ALICE"
    is_ok "token $ALICE"
    expect_requests 4
}

expire_stored_or_new() {
    [[ -z $(stored "$ALICE" expires_at) ]] || expire_stored "$ALICE"
}

@test "a reply that gets lost: the refresh token is not sent a second time" {
    local name

    # libcurl by itself repeats a request when a kept connection breaks before the reply.
    set_client "$PUBLIC_CLIENT" '"rotation": "family"'
    import_alice
    start_agent
    is_ok "token $ALICE"
    for name in reset close; do
        fault "\"fault\": \"$name\", \"count\": 1"
        entra_admin reset
        expire_stored "$ALICE"
        reply_begins "token $ALICE" 'TEMP '
        expect_requests 1
        retry_until 6 is_ok "token $ALICE"
    done
}

@test "the endpoint is away and comes back" {
    start_agent
    stop_named entra
    reply_begins "token $RELAY" 'TEMP localhost'
    expect_in "$(cat "$WORK/reply.token")" 'cannot connect'
    start_entra --port "$ENTRA_PORT" --admin-port "${ENTRA_ADMIN##*:}"
    retry_until 8 is_ok "token $RELAY"
}

# --- clients that misbehave ----------------------------------------------------------------

@test "a thousand idle clients, half requests, garbage: the service goes on" {
    local kind
    local -a text=('' '25:tok' 'nonsense')

    import_alice
    start_agent
    is_ok "token $ALICE"
    for kind in 0 1 2; do
        mkfifo "$WORK/end.$kind"
        talk crowd "$((kind == 0 ? 1000 : 200))" "${text[kind]}" \
            < "$WORK/end.$kind" > "$WORK/crowd.$kind" 2>> "$WORK/crowd.err" 3>&- &
        record_pid $! crowd
    done
    exec 6> "$WORK/end.0" 7> "$WORK/end.1" 8> "$WORK/end.2"
    retry_until 60 grep -q here "$WORK/crowd.0"
    retry_until 60 grep -q here "$WORK/crowd.1"
    retry_until 60 grep -q here "$WORK/crowd.2"
    (($(talk slowest 100 "token $ALICE") < 200))
    expire_stored "$ALICE"
    (($(talk slowest 1 "token $ALICE") < 1000))
    # One that has asked may stay as long as it likes; those who never finish a request go.
    expect "$(printf 'OK\nOK')" "$(talk pause 12.5 "token $ALICE")"
    exec 6>&- 7>&- 8>&-
    retry_until 10 grep -qx '[0-9]*' "$WORK/crowd.0"
    retry_until 10 grep -qx '[0-9]*' "$WORK/crowd.1"
    retry_until 10 grep -qx '[0-9]*' "$WORK/crowd.2"
    expect '1000 200 200' "$(tail -qn 1 "$WORK"/crowd.[012] | tr '\n' ' ' | sed 's/ $//')"
    rm "$WORK"/end.? "$WORK"/crowd.?
    expect '' "$(cat "$WORK/crowd.err")"
}

@test "clients that go away while they wait, and ones that do not read their reply" {
    fault '"fault": "slow", "ms": 600'
    start_agent
    repeat 20 talk leave "token $RELAY"
    is_ok "token $RELAY"
    expect_requests 1
    "$PYTHON" -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.setblocking(False)
try:
    while True:
        s.send(b"23:token relay@contoso.com," * 50)
except BlockingIOError:
    pass
time.sleep(1)' "$MAILBEARER_SOCKET" &
    record_pid $! greedy
    (($(talk slowest 50 "token $RELAY") < 200))
    stop_named greedy
    is_ok "token $RELAY"
}

@test "five hundred clients wait for one refresh" {
    import_alice
    set_client "$PUBLIC_CLIENT" '"rotation": "family"'
    fault '"fault": "slow", "ms": 1500, "count": 1'
    start_agent
    "$PYTHON" -c 'import socket, sys
request = b"%d:%s," % (len(sys.argv[2]), sys.argv[2].encode())
many = []
for _ in range(500):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(sys.argv[1])
    s.sendall(request)
    many.append(s)
replies = set()
for s in many:
    data = b""
    while not data.endswith(b","):
        data += s.recv(65536)
    replies.add(data)
print(len(replies), len([r for r in replies if b":OK " in r]))' \
        "$MAILBEARER_SOCKET" "token $ALICE" > "$WORK/crowd"
    expect '1 1' "$(cat "$WORK/crowd")"
    expect_requests 1
}

# --- its end, and what it shows of itself --------------------------------------------------

@test "SIGTERM in the middle of a refresh: the rotated token is stored before the end" {
    local before

    set_client "$PUBLIC_CLIENT" '"rotation": "family"'
    import_alice
    before=$(stored "$ALICE" refresh_token)
    fault '"fault": "slow", "ms": 1500, "count": 1'
    start_agent
    talk ask "token $ALICE" > "$WORK/waiting.token" &
    record_pid $! waiting
    retry_until 5 somebody_asks
    kill -TERM "$(agent_pid)"
    retry_until 10 none_alive "$(agent_pid)"
    refute [ "$before" = "$(stored "$ALICE" refresh_token)" ]
    agent_log_holds ended
    expect OK "$(cut -c1-2 < "$WORK/waiting.token")"
    stop_named waiting
    expire_stored "$ALICE"
    asked token "$ALICE"
    expect_requests 2
}

@test "SIGTERM while the endpoint hangs: a second one ends it at once" {
    fault '"fault": "hang"'
    start_agent
    talk leave "token $RELAY"
    retry_until 5 somebody_asks
    kill -TERM "$(agent_pid)"
    sleep 0.5
    kill -TERM "$(agent_pid)"
    retry_until 3 none_alive "$(agent_pid)"
}

@test "a sign-in and other commands while the agent runs wait for nobody" {
    fault "\"fault\": \"hang\", \"client\": \"$APP_CLIENT\""
    start_agent
    talk leave "token $RELAY"
    retry_until 5 somebody_asks
    local start

    start=$(now_ms)
    import_alice
    asked status
    (($(now_ms) - start < 2000))
}

@test "no core file, not to be looked into, nothing secret in its arguments, environment or log" {
    local pid

    import_alice
    give_to 4321
    chown 0 "$WORK/mailbearer.conf"
    run_agent "$MAILBEARER" agent -v -c "$WORK/mailbearer.conf" --listen "$WORK/agent.sock"
    is_ok "token $RELAY"
    is_ok "token $ALICE"
    is_ok "rejected $(sed 's/^OK //' "$WORK/reply.token") $ALICE"
    is_ok "token $ALICE"
    reply_begins "rejected CANARY~token nobody" 'NOTFOUND '
    agent_log_holds "uid 0: token $ALICE: OK"
    pid=$(agent_pid)
    expect '0 0' "$(awk '/^Max core file size/ {print $5, $6}' "/proc/$pid/limits")"
    tr '\0' '\n' < "/proc/$pid/cmdline" > "$WORK/cmdline"
    tr '\0' '\n' < "/proc/$pid/environ" > "$WORK/environ"
    test -s "$WORK/cmdline"
    if ! is_sanitized; then
        # Its files belong to root though it runs as 4321: that is how the kernel says that
        # it is not dumpable, and 4321 may not look.
        expect 0 "$(stat -c %u "/proc/$pid/environ")"
        refute as 4321 cat "/proc/$pid/environ"
        refute as 4321 cat "/proc/$pid/maps"
    fi
    # Descriptors: none of what it holds is passed on to the commands it runs (token.bats).
    expect "$(find "/proc/$pid/fd" | wc -l)" "$(sleep 1.5; find "/proc/$pid/fd" | wc -l)"
}

@test "idle it does nothing" {
    local before after

    import_alice
    start_agent
    is_ok "token $ALICE"
    is_ok "token $RELAY"
    sleep 1
    before=$(awk '{print $14 + $15}' "/proc/$(agent_pid)/stat")
    sleep 3
    after=$(awk '{print $14 + $15}' "/proc/$(agent_pid)/stat")
    ((after - before <= 3))
    expect_requests 2
}

@test "a secret command that hangs holds up nobody else" {
    import_alice
    write_accounts "$(alice_account)" "$(account_section by-command 'grant = client_credentials' \
        "client_id = $APP_CLIENT" "client_secret_command = 'sleep 60'")"
    start_agent
    talk ask 'token by-command' > "$WORK/waiting.token" &
    record_pid $! waiting
    sleep 0.5
    is_ok "token $ALICE"
    (($(talk slowest 50 "token $ALICE") < 200))
    retry_until 13 test -s "$WORK/waiting.token"
    expect_in "$(cat "$WORK/waiting.token")" 'TIMEOUT client_secret_command took longer than 10 s'
}
