# shellcheck shell=bash
# login.bash - what the tests of `mailbearer login` and `logout` share: an accounts file with
# the stand-in's providers, a sign-in in the background, a browser played by curl.
#
# Used by:  login.bats, login-device.bats
# Needs:    lib.bash, fake-entra.bash

ALICE=alice@contoso.com

# write_login_accounts [LINE...] - $WORK/login.conf: "entra" (endpoints given) and "generic"
# (found by its issuer), and for each the account of alice@contoso.com.
write_login_accounts() {
    local entra=$ENTRA_URL/$TENANT/oauth2/v2.0

    mkdir -p "$WORK/store"
    chmod 700 "$WORK/store"
    cat > "$WORK/login.conf" << END
store { directory = "$WORK/store" }
provider "entra" {
    token_endpoint = "$entra/token"
    authorization_endpoint = "$entra/authorize"
    device_authorization_endpoint = "$entra/devicecode"
    scope = "$USER_SCOPE openid profile"
}
provider "generic" {
    issuer = "$ENTRA_URL/generic"
    scope = "mail offline_access"
}
account "$ALICE" {
    provider = entra
    client_id = $PUBLIC_CLIENT
}
account "generic" {
    provider = generic
    client_id = generic-public
    login_hint = "$ALICE"
}
END
    [[ $# -eq 0 ]] || printf '%s\n' "$@" >> "$WORK/login.conf"
    chmod 600 "$WORK/login.conf"
}

# fresh_login - no sign-in, no record, the stand-in as in the beginning.
fresh_login() {
    fresh_stand_in
    set_client "$PUBLIC_CLIENT" '"redirects": null'
    set_client generic-public '"cloud": "generic", "public": true, "redirects": null,
        "sign_in": {}, "device": {}'
    rm -rf "$WORK/store" "$WORK/out" "$WORK/err"
    unset DISPLAY WAYLAND_DISPLAY BROWSER SSH_CONNECTION
    write_login_accounts "$@"
}

# start_login [ARGUMENT...] - in the background; PID, $WORK/out, $WORK/err.
start_login() {
    : > "$WORK/out" # what the last one said is not this one's
    # A background job of a shell ignores SIGINT, and everything below nohup SIGHUP; a
    # command in a terminal does not.
    env --default-signal=INT,HUP,TERM "$MAILBEARER" -c "$WORK/login.conf" login "$@" \
        < /dev/null 3>&- > "$WORK/out" 2> "$WORK/err" &
    PID=$!
    record_pid $PID login
}

# start_browser_login [ARGUMENT...] - and ADDRESS, which it prints.
start_browser_login() {
    start_login "$@"
    retry_until 10 grep -q '^http' "$WORK/out" || { cat "$WORK/out" "$WORK/err" >&2; return 1; }
    ADDRESS=$(grep -m1 '^http' "$WORK/out")
    # shellcheck disable=SC2034
    REDIRECT_URI=$(parameter redirect_uri "$ADDRESS")
}

# parameter NAME ADDRESS - of its query.
parameter() {
    "$PYTHON" -c 'import sys
from urllib.parse import parse_qs, urlsplit
print(parse_qs(urlsplit(sys.argv[2]).query).get(sys.argv[1], [""])[0])' "$1" "$2"
}

# sent_to [ADDRESS] - where the provider sends the browser.
sent_to() {
    curl -s --max-time 10 -o /dev/null -w '%{redirect_url}' "${1:-$ADDRESS}"
}

# visit ADDRESS [CURL-OPTION...] - a page of the listener: STATUS, $WORK/page, $WORK/head.
visit() {
    STATUS=$(curl -s --max-time 10 -o "$WORK/page" -D "$WORK/head" -w '%{http_code}' \
        "${@:2}" "$1")
}

# page_is STATUS TEXT
page_is() {
    expect "$1" "$STATUS"
    expect_in "$(cat "$WORK/page")" "$2"
}

# ends STATUS - the sign-in ends so.
ends() {
    local status=0

    wait "$PID" || status=$?
    [[ $status = "$1" ]] || { cat "$WORK/out" "$WORK/err" >&2; expect "$1" "$status"; }
}

# still_waits - it runs, and nothing is stored.
still_waits() {
    kill -0 "$PID"
    nothing_stored
}

# nothing_stored - no record, not even a part of one; a lock's file is none.
nothing_stored() {
    expect '' "$(find "$WORK/store" -type f ! -name '*.lock')"
}

# token_of ACCOUNT - works, without asking the provider again.
token_of() {
    local before after token

    before=$(entra_count requests)
    token=$("$MAILBEARER" -c "$WORK/login.conf" token "$1")
    after=$(entra_count requests)
    [[ -n $token ]]
    expect "$before" "$after"
}

# on_terminal [ARGUMENT...] - the same on a terminal of its own; descriptor 8 is the keyboard,
# $WORK/out the screen.
on_terminal() {
    rm -f "$WORK/keyboard"
    mkfifo "$WORK/keyboard"
    : > "$WORK/err"
    "$PYTHON" -c 'import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' \
        "$MAILBEARER" -c "$WORK/login.conf" login "$@" \
        < "$WORK/keyboard" 3>&- > "$WORK/out" 2>&1 &
    PID=$!
    record_pid $PID login
    exec 8> "$WORK/keyboard"
}
