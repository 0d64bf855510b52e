#!/usr/bin/env bats
# `mailbearer git-credential`: git asks for a password, and gets a token.

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
    write_accounts "$(app_account "box" 'user = shared@contoso.com' 'smtp = "smtp.contoso.com:587 starttls"')"
}

teardown() {
    stop_agent
    no_secret_in "$WORK"
}

# credential VERB LINE... - asks as git does.
credential() {
    printf '%s\n' "${@:2}" '' > "$WORK/request.token"
    run_quiet "$MAILBEARER" -c "$WORK/mailbearer.conf" git-credential "$1" < "$WORK/request.token"
}

value() {
    sed -n "s/^$1=//p" "$WORK/out.token"
}

# answered USER - the last answer was one, complete, for this user.
answered() {
    local left

    expect 0 "$RC" || { cat "$WORK/err" >&2; return 1; }
    expect '' "$(cat "$WORK/err")"
    expect 3 "$(wc -l < "$WORK/out.token")"
    expect "$1" "$(value username)"
    is_token "$(value password)"
    left=$(($(value password_expiry_utc) - $(date +%s)))
    ((left > 3500 && left <= 3600))
}

silent() {
    expect 0 "$RC"
    expect '' "$(out)"
    expect '' "$(cat "$WORK/err")"
}

@test "get: by a refresh, from the store, from the agent" {
    credential get protocol=smtp host=smtp.office365.com:587 "username=$RELAY"
    answered "$RELAY"
    expect_requests 1
    token_works "$(value password)" "$RELAY"
    cp "$WORK/out.token" "$WORK/first.token"
    credential get protocol=smtp host=smtp.office365.com:587 "username=$RELAY"
    cmp "$WORK/first.token" "$WORK/out.token"
    start_agent
    credential get protocol=smtp host=smtp.office365.com:587 "username=$RELAY"
    cmp "$WORK/first.token" "$WORK/out.token"
    expect_requests 1
}

@test "get: keys git may add are ignored; the user is the account's mailbox" {
    credential get 'capability[]=authtype' 'capability[]=state' protocol=smtp host=smtp.contoso.com \
        username=box path=x 'wwwauth[]=Basic realm="x"' ephemeral=1
    answered shared@contoso.com
    credential get username=box
    answered shared@contoso.com
}

@test "get: without a user name it is the only account, or nobody's" {
    credential get protocol=smtp host=h
    expect 64 "$RC"
    expect '' "$(out)"
    expect_in "$(cat "$WORK/err")" 'git gave no user name, and there are 2 accounts'
    expect_in "$(cat "$WORK/err")" 'git config sendemail.smtpUser ACCOUNT'
    write_accounts
    credential get protocol=smtp host=h
    answered "$RELAY"
}

@test "get: no token for another protocol or another server" {
    local with

    for with in store agent; do
        [[ $with = store ]] || start_agent
        credential get protocol=https host=github.com username=box
        silent
        credential get protocol=https host=smtp.contoso.com username=box
        silent
        credential get protocol=smtp host=smtp.contoso.com.evil.example:587 username=box
        expect 77 "$RC"
        expect '' "$(out)"
        expect_in "$(cat "$WORK/err")" "box: smtp.contoso.com.evil.example:587 is not this account's smtp server, which is smtp.contoso.com"
        credential get protocol=smtps host=SMTP.contoso.com:465 username=box
        answered shared@contoso.com
    done
    expect_requests 1
}

@test "get: failures are on standard error, nothing on standard output" {
    credential get protocol=smtp host=h username=nobody@contoso.com
    expect 66 "$RC"
    expect '' "$(out)"
    expect_in "$(cat "$WORK/err")" 'no such account'
    set_client "$APP_CLIENT" '"secret_expired": true'
    credential get protocol=smtp host=h "username=$RELAY"
    expect 77 "$RC"
    expect '' "$(out)"
    expect_in "$(cat "$WORK/err")" 'AADSTS7000222'
    credential get protocol=smtp nonsense
    expect 64 "$RC"
    expect_in "$(cat "$WORK/err")" "a line without '='"
    head -c 70000 /dev/zero | tr '\0' 'x' > "$WORK/request.token"
    run_quiet "$MAILBEARER" -c "$WORK/mailbearer.conf" git-credential get < "$WORK/request.token"
    expect 64 "$RC"
    expect '' "$(out)"
}

@test "store and words of a later git do nothing; wrong arguments are refused" {
    credential store protocol=smtp host=h "username=$RELAY" password=CANARY
    silent
    credential capability protocol=smtp
    silent
    run_quiet "$MAILBEARER" git-credential < /dev/null
    expect 64 "$RC"
    run_quiet "$MAILBEARER" git-credential get more < /dev/null
    expect 64 "$RC"
    run_quiet "$MAILBEARER" git-credential --help
    expect 0 "$RC"
    expect_in "$(out)" 'usage: mailbearer git-credential'
    expect_requests 0
}

@test "erase: the agent fetches another token, for the account or its mailbox" {
    start_agent
    credential get protocol=smtp host=smtp.contoso.com username=box
    answered shared@contoso.com
    cp "$WORK/out.token" "$WORK/first.token"
    # Another token than the present one, or another protocol, is none of its business.
    credential erase protocol=smtp host=smtp.contoso.com username=box password=CANARY
    silent
    credential erase protocol=https host=smtp.contoso.com username=box "password=$(value password)"
    silent
    sleep 1.1
    expect_requests 1
    # As git does it: with the answer it had.
    { cat "$WORK/first.token"; printf 'protocol=smtp\nhost=smtp.contoso.com\n\n'; } > "$WORK/request.token"
    run_quiet "$MAILBEARER" -c "$WORK/mailbearer.conf" git-credential erase < "$WORK/request.token"
    silent
    credential get protocol=smtp host=smtp.contoso.com username=box
    answered shared@contoso.com
    refute cmp -s "$WORK/first.token" "$WORK/out.token"
    expect_requests 2
}

@test "erase without an agent, of a user nobody knows, or of half a credential is silent" {
    credential erase protocol=smtp host=h "username=$RELAY" password=CANARY
    silent
    start_agent
    credential erase protocol=smtp host=h username=nobody password=CANARY
    silent
    credential erase protocol=smtp host=h "username=$RELAY"
    silent
    credential erase protocol=smtp host=h "username=$RELAY" 'password=a CANARY b'
    silent
    expect_requests 0
}

@test "git itself: credential fill, reject" {
    local -x GIT_CONFIG_NOSYSTEM=1 HOME=$WORK GIT_TERMINAL_PROMPT=0

    start_agent
    printf '[credential]\n\thelper = "!%s -c %s git-credential"\n' "$MAILBEARER" "$WORK/mailbearer.conf" \
        > "$WORK/.gitconfig"
    printf 'protocol=smtp\nhost=smtp.contoso.com:587\nusername=box\n\n' |
        git credential fill > "$WORK/out.token"
    expect shared@contoso.com "$(value username)"
    is_token "$(value password)"
    cp "$WORK/out.token" "$WORK/first.token"
    git credential approve < "$WORK/first.token"
    git credential reject < "$WORK/first.token"
    retry_until 5 asked_again
    printf 'protocol=smtp\nhost=smtp.contoso.com:587\nusername=box\n\n' |
        git credential fill > "$WORK/out.token"
    is_token "$(value password)"
    refute expect "$(sha256sum < "$WORK/first.token")" "$(sha256sum < "$WORK/out.token")"
}

asked_again() {
    expect_requests 2
}
