# shellcheck shell=bash
# fake-entra-sign-in.bash - a browser and a client at the stand-in, played by curl.
#
# Used by:  fake-entra-sign-in.bats, fake-entra-providers.bats
# Needs:    lib.bash, fake-entra.bash

# shellcheck disable=SC2034
{
    REDIRECT=http://localhost:40123
    VERIFIER=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk
    CHALLENGE=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM   # RFC 7636, appendix B
    STATE='state of "ours" & more'
}

# but WORD... - ASK, with each NAME=VALUE changed or added and each -NAME taken away; browses.
but() {
    local word name
    local -a rest=("${ASK[@]}")

    for word; do
        name=${word#-}
        name=${name%%=*}
        mapfile -t rest < <(printf '%s\n' "${rest[@]}" | grep -v "^$name=")
        [[ $word = -* ]] || rest+=("$word")
    done
    browse "${rest[@]}"
}

# code - a code from the authorization endpoint.
code() {
    but "$@"
    expect 302 "$STATUS"
    CODE=$(told code)
    [[ -n $CODE ]]
}

# redeem [WORD...] - the request for tokens, changed as by but().
redeem() {
    local word name
    local -a rest=(grant_type=authorization_code "client_id=$PUBLIC_CLIENT" "code=$CODE"
        "redirect_uri=$REDIRECT" "code_verifier=$VERIFIER")

    for word; do
        name=${word#-}
        name=${name%%=*}
        mapfile -t rest < <(printf '%s\n' "${rest[@]}" | grep -v "^$name=")
        [[ $word = -* ]] || rest+=("$word")
    done
    post "${rest[@]}"
}

# id_claim NAME - of the id_token.
id_claim() {
    reply id_token | "$PYTHON" -c 'import base64, sys
part = sys.stdin.read().split(".")[1]
sys.stdout.buffer.write(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))' |
        json_get "$1"
}
