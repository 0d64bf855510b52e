#!/usr/bin/env bats
#
# The sign-in page in a real browser: Chromium without a screen follows the address, is sent
# back by the stand-in, and shows the page of the listener.

load lib.bash
load agent.bash
load fake-entra.bash
load login.bash

export PERSON=4321                        # anybody but root
FLAGS='--headless --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run --disable-background-networking --disable-component-update --disable-sync --disable-default-apps'

setup_file() {
    make_ground
}

teardown_file() {
    stop_all
}

setup() {
    fresh_login
    chown "$PERSON:$PERSON" "$WORK/store" "$WORK/login.conf"
    rm -rf "${WORK:?}/home"
    mkdir -m 700 "$WORK/home"
    make_browser
    chown -R "$PERSON:$PERSON" "$WORK/home"
}

teardown() {
    stop_browser
    stop_named login
    touch "$WORK/home/page"
    # The profile keeps what the browser was told, which is the browser's own business.
    no_secret_in "$WORK/out" "$WORK/err" "$WORK/entra.log" "$WORK/home/page"
}

needs_chromium() {
    command -v chromium > /dev/null || skip "no chromium here"
}

# make_browser - $WORK/browser: prints the page that the address ends at into home/page.
make_browser() {
    cat > "$WORK/browser" << END
#!/bin/sh
echo \$\$ > "$WORK/home/pid"
echo \$# > "$WORK/home/arguments"
printf '%s\n' "\$1" > "$WORK/home/address.token"
exec timeout 60 chromium $FLAGS --user-data-dir="$WORK/home/profile" --dump-dom "\$1" \\
    > "$WORK/home/page" 2> "$WORK/home/browser.log"
END
    chmod 755 "$WORK/browser"
}

stop_browser() {
    [[ ! -s $WORK/home/pid ]] || stop_pid "$(cat "$WORK/home/pid")"
}

# log_in_as UID [ARGUMENT...] - in the background, with that browser, as start_login does.
log_in_as() {
    env HOME="$WORK/home" BROWSER="$WORK/browser" \
        setpriv --reuid "$1" --regid "$1" --clear-groups -- \
        "$MAILBEARER" -c "$WORK/login.conf" login "${@:2}" \
        < /dev/null 3>&- > "$WORK/out" 2> "$WORK/err" &
    PID=$!
    record_pid $PID login
}

# at_authorize NAME - of the latest request there.
at_authorize() {
    entra_admin state | "$PYTHON" -c 'import json, sys
print(json.dumps([a for a in json.load(sys.stdin)["asked"] if a["endpoint"] == "authorize"][-1]))' |
        json_get "$1"
}

browser_has_ended() {
    [[ -s $WORK/home/pid ]] && none_alive "$(cat "$WORK/home/pid")"
}

# shown TEXT - Chromium showed a page with that text.
shown() {
    retry_until 60 browser_has_ended
    expect_in "$(cat "$WORK/home/page")" "$1"
}

@test "a browser is started, signs in, and shows that it is done" {
    local version

    needs_chromium
    version=$(chromium --version 2> /dev/null | sed -n 's/^Chromium \([0-9]*\)\..*/\1/p')
    [[ -n $version ]]
    log_in_as "$PERSON" "$ALICE" --browser
    retry_until 90 none_alive "$PID" || { cat "$WORK/home/browser.log" >&2; return 1; }
    ends 0
    # by Chromium and nobody else, once
    expect_in "$(at_authorize user_agent)" 'Mozilla/5.0 (X11; Linux '
    expect_in "$(at_authorize user_agent)" "Chrome/$version."
    expect 1 "$(entra_count by_endpoint/authorize)"
    expect 1 "$(entra_count by_endpoint/token)"
    expect 1 "$(entra_count by_grant/authorization_code)"
    # given the address alone, the one that is printed
    expect 1 "$(cat "$WORK/home/arguments")"
    expect "$(grep -m1 '^http' "$WORK/out")" "$(cat "$WORK/home/address.token")"
    shown '<h1>done</h1>'
    shown 'alice@contoso.com has signed in for the account alice@contoso.com.'
    expect_in "$(cat "$WORK/out")" 'alice@contoso.com: alice@contoso.com has signed in.'
    # stored, for that user only
    expect "$PERSON 600" "$(stat -c '%u %a' "$WORK/store/$ALICE.json")"
    as "$PERSON" "$MAILBEARER" -c "$WORK/login.conf" token "$ALICE" > "$WORK/out.token"
    token_works "$(cat "$WORK/out.token")" "$ALICE"
    expect 1 "$(entra_count by_endpoint/token)"
}

@test "refused there: the page says why, the sign-in waits on, nothing is stored" {
    needs_chromium
    set_client "$PUBLIC_CLIENT" '"sign_in": {"do": "refuse"}'
    log_in_as "$PERSON" "$ALICE" --browser
    retry_until 60 grep -qF "mailbearer: $ALICE: AADSTS65004: The person pressed Cancel" \
        "$WORK/err"
    shown 'AADSTS65004: The person pressed Cancel on the consent page (access_denied)'
    refute grep -q '<h1>done</h1>' "$WORK/home/page"
    still_waits
    expect_in "$(at_authorize user_agent)" Chrome/
    expect 0 "$(entra_count by_endpoint/token)"
    # in the same browser once more, by hand
    set_client "$PUBLIC_CLIENT" '"sign_in": {}'
    as "$PERSON" env HOME="$WORK/home" "$WORK/browser" "$(grep -m1 '^http' "$WORK/out")"
    expect_in "$(cat "$WORK/home/page")" '<h1>done</h1>'
    ends 0
    expect 1 "$(entra_count by_endpoint/token)"
}

@test "as root the address is printed and no browser is started" {
    chown 0:0 "$WORK/login.conf"
    log_in_as 0 "$ALICE" --browser
    retry_until 10 grep -q '^http' "$WORK/out"
    # time enough to start one
    sleep 2
    refute test -e "$WORK/home/pid"
    expect 0 "$(entra_count by_endpoint/authorize)"
    ADDRESS=$(grep -m1 '^http' "$WORK/out")
    expect_in "$ADDRESS" "$ENTRA_URL/$TENANT/oauth2/v2.0/authorize?"
    # the listener waits all the same
    kill -0 "$PID"
    visit "$(sent_to)"
    page_is 200 '<h1>done</h1>'
    ends 0
    refute test -e "$WORK/home/pid"
    expect_in "$(at_authorize user_agent)" curl/
    # and what root wrote belongs to the directory's owner
    expect "$PERSON 600" "$(stat -c '%u %a' "$WORK/store/$ALICE.json")"
}
