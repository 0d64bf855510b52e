# shellcheck shell=bash
# fake-entra.bash - what the tests of the stand-in itself share: requests by curl, and what
# its replies must look like.
#
# Used by:  fake-entra*.bats, login.bats
# Needs:    lib.bash

nobody_asks() {
    [[ $(entra_count concurrent) = 0 ]]
}

# post NAME=VALUE... - encodes and posts; sets STATUS and leaves the reply in $WORK/reply.
# CURL holds further options, URL another address.
post() {
    local field
    local -a form=()

    for field; do
        form+=(--data-urlencode "$field")
    done
    send "${form[@]}"
}

# send CURL-OPTION... - the same, as it is.
send() {
    STATUS=$(curl -s --max-time 5 -o "$WORK/reply" -D "$WORK/head" -w '%{http_code}' \
        "${CURL[@]}" "$@" "${URL:-$TOKEN_ENDPOINT}")
}

reply() {
    json_get "$1" < "$WORK/reply"
}

# refused STATUS ERROR NUMBER [SUBERROR] - the reply is that refusal, in Entra's shape.
refused() {
    expect "$1" "$STATUS"
    expect "$2" "$(reply error)"
    expect "[$3]" "$(reply error_codes)"
    expect "${4:-}" "$(reply suberror)"
    expect_in "$(reply error_description)" "AADSTS$3: "
    "$PYTHON" -c 'import json, re, sys
reply = json.load(open(sys.argv[1]))
assert re.fullmatch(r"AADSTS\d+: .*\r\nTrace ID: %s\r\nCorrelation ID: %s\r\nTimestamp: %s"
                    % tuple(map(re.escape, (reply["trace_id"], reply["correlation_id"],
                                            reply["timestamp"]))),
                    reply["error_description"])
assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", reply["timestamp"])
assert reply["error_uri"].endswith("/error?code=%d" % reply["error_codes"][0])
' "$WORK/reply"
}

granted() {
    expect 200 "$STATUS"
    expect Bearer "$(reply token_type)"
    [[ -n $(reply access_token) ]]
}

claims() {
    reply access_token | "$PYTHON" -c 'import base64, json, sys
part = sys.stdin.read().split(".")[1]
print(json.dumps(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))))' |
        json_get "$1"
}

# fresh_stand_in - no faults, nothing counted, the two clients as in the beginning.
fresh_stand_in() {
    entra_admin clear
    retry_until 5 nobody_asks
    entra_admin reset
    entra_admin metadata
    set_client "$APP_CLIENT" '"public": false, "secret_expired": false, "disabled": false,
        "certificates": [], "federated": [], "one_tenant": false, "personal": true,
        "sign_in": {}, "device": {}, "hve": false, "cloud": "global", "token": "jwt"'
    set_client "$PUBLIC_CLIENT" '"public": true, "public_flows": null, "disabled": false,
        "one_tenant": false, "personal": true, "sign_in": {}, "device": {}, "cloud": "global",
        "code_life": 600, "rotation": "keep"'
    CURL=()
}

# set_client ID SETTINGS - JSON members for the admin interface.
set_client() {
    entra_admin client "{\"client\": \"$1\", $2}"
}

# told NAME - a parameter of the address the browser was sent to.
told() {
    sed -n 's/^[Ll]ocation: //p' "$WORK/head" | tr -d '\r' | "$PYTHON" -c 'import sys
from urllib.parse import parse_qs, urlsplit
print(parse_qs(urlsplit(sys.stdin.read().strip()).query).get(sys.argv[1], [""])[0])' "$1"
}

# browse NAME=VALUE... - as a browser that is sent to the authorization endpoint.
browse() {
    local field
    local -a query=()

    for field; do
        query+=(--data-urlencode "$field")
    done
    URL=${URL:-$ENTRA_URL/$TENANT/oauth2/v2.0/authorize} send -G "${query[@]}"
}

# page_says STATUS TEXT - the reply is a page with that text, and nobody is sent anywhere.
page_says() {
    expect "$1" "$STATUS"
    grep -qi '^content-type: text/html' "$WORK/head"
    refute grep -qi '^location:' "$WORK/head"
    expect_in "$(cat "$WORK/reply")" "$2"
}

# sent_back ERROR TEXT - the application is told an error, with its state.
sent_back() {
    expect 302 "$STATUS"
    expect "$1" "$(told error)"
    expect_in "$(told error_description)" "$2"
    expect 'state of "ours" & more' "$(told state)"
    expect '' "$(told code)"
}
