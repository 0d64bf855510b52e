# shellcheck shell=bash
# agent.bash - what the tests of the programs themselves share: accounts that sign in, a
# store to look into, and commands run as somebody else.
#
# Used by:  token.bats, agent.bats, single-flight.bats, store-faults.bats
# Needs:    lib.bash
#
# The programs are copied into $WORK/bin, where every user may run them.

# shellcheck disable=SC2034
{
    ALICE=alice@contoso.com
    RELAY=relay@contoso.com
}

use_copied_programs() {
    MAILBEARER=$WORK/bin/mailbearer
    export MAILBEARER_OAUTH=$WORK/bin/mailbearer-oauth
}

[[ ! -x ${WORK:-/nowhere}/bin/mailbearer ]] || use_copied_programs

# make_ground - what setup_file does: $WORK, the programs, the stand-in.
make_ground() {
    make_work
    mkdir "$WORK/bin"
    cp "$BUILD/mailbearer" "$BUILD/mailbearer-oauth" "$LIB_DIRECTORY/talk.py" "$WORK/bin/"
    use_copied_programs
    start_entra "$@"
    export_work
}

nobody_asks() {
    [[ $(entra_count concurrent) = 0 ]]
}

somebody_asks() {
    refute nobody_asks
}

# fresh_ground - what setup does: the stand-in as it was in the beginning, an empty store.
fresh_ground() {
    unset MAILBEARER_SOCKET
    cd "$WORK" || return 1
    entra_admin clear
    retry_until 5 nobody_asks
    entra_admin reset
    set_client "$APP_CLIENT" '"secret": "relay~CANARY+value/with=odd%41 signs&more",
        "secret_expired": false, "disabled": false, "expires_in": 3599,
        "refresh_in": null, "rotation": "keep", "token": "jwt", "token_size": 2500'
    set_client "$PUBLIC_CLIENT" '"disabled": false, "expires_in": 3599, "refresh_in": null,
        "rotation": "keep", "token": "jwt", "token_size": 2500'
    entra_admin user '{"user": "alice@contoso.com", "disabled": false}'
    rm -rf "$WORK/store" "$WORK/secrets" "$WORK/agent.log" "$WORK"/*.sock
    : > "$WORK/err"
    : > "$WORK/out.token"
    RELAY_USERS=
}

# set_client ID SETTINGS, fault SETTINGS - JSON members for the admin interface.
set_client() {
    entra_admin client "{\"client\": \"$1\", $2}"
}

fault() {
    entra_admin fault "{$1}"
}

# expect_requests N - so many came to the token endpoint since the last reset.
expect_requests() {
    expect "$1" "$(entra_count requests)"
}

# alice_account [LINE...] - the section of an account that a person signs in for.
alice_account() {
    account_section "$ALICE" "client_id = $PUBLIC_CLIENT" "scope = \"$USER_SCOPE\"" "$@"
}

# app_account NAME [LINE...] - one of the application, with its secret file.
app_account() {
    account_section "$1" 'grant = client_credentials' "client_id = $APP_CLIENT" \
        "client_secret_file = \"$WORK/secrets/relay\"" "${@:2}"
}

# account_section NAME LINE... - NAME as it stands between the double quotes.
account_section() {
    printf 'account "%s" {\n    provider = standin\n' "$1"
    printf '    %s\n' "${@:2}"
    printf '}\n'
}

# mailbearer ARGUMENT... - the program with this test's accounts file and no agent. Sets RC;
# leaves standard output in $WORK/out.token, standard error in $WORK/err.
mailbearer() {
    run_quiet "$MAILBEARER" -c "$WORK/mailbearer.conf" "$@"
}

# run_quiet COMMAND... - the same for any command.
run_quiet() {
    RC=0
    "$@" > "$WORK/out.token" 2> "$WORK/err" || RC=$?
}

# asked ARGUMENT... - as mailbearer, and it must succeed without a word on standard error.
asked() {
    mailbearer "$@"
    expect 0 "$RC" || { cat "$WORK/err" >&2; return 1; }
    expect '' "$(cat "$WORK/err")"
}

out() {
    cat "$WORK/out.token"
}

# failed CODE WHAT REMEDY - the last command ended with that status, printed nothing, and
# said two lines: what, with the first text in it, and what to do, with the second.
failed() {
    local -a lines

    mapfile -t lines < "$WORK/err"
    expect "$1" "$RC" || { cat "$WORK/err" >&2; return 1; }
    expect '' "$(out)"
    expect_in "${lines[0]:-}" "mailbearer: "
    expect_in "${lines[0]:-}" "$2"
    expect_in "${lines[1]:-(no second line)}" 'mailbearer: to mend it: '
    expect_in "${lines[1]:-}" "$3"
    expect 2 "${#lines[@]}"
}

# mend - does literally what the second line says.
mend() {
    local line

    line=$(sed -n '2s/^mailbearer: to mend it: //p' "$WORK/err")
    [[ -n $line ]] && bash -c "$line"
}

# is_token TEXT - one token of the stand-in's, and nothing else.
is_token() {
    [[ $1 =~ ^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.CANARY[A-Za-z0-9_-]+$ ]] || {
        printf 'not a token: %.60s\n' "$1" >&2
        return 1
    }
}

# token_works TOKEN MAILBOX - Exchange would open the mailbox for it. The token goes by
# standard input.
token_works() {
    expect true "$(printf %s "$1" |
        curl -sSf --data-urlencode token@- "$ENTRA_ADMIN/introspect/$2" | json_get active)"
}

# sign_in [USER] - prints a refresh token.
sign_in() {
    entra_admin sign-in "{\"client\": \"$PUBLIC_CLIENT\", \"user\": \"${1:-$ALICE}\"}" |
        json_get refresh_token
}

# import_alice - a sign-in of hers, taken over.
import_alice() {
    sign_in | "$MAILBEARER" -c "$WORK/mailbearer.conf" import refresh-token - "$ALICE" \
        > "$WORK/import.out"
}

# record_file ACCOUNT
record_file() {
    echo "$WORK/store/$1.json"
}

# stored ACCOUNT KEY - a value of the account's record.
stored() {
    json_get "$2" < "$(record_file "$1")"
}

# set_stored ACCOUNT KEY NUMBER... - changes times in a record, in place.
set_stored() {
    local file key

    file=$(record_file "$1")
    shift
    while [[ $# -gt 0 ]]; do
        key=$1
        grep -q "\"$key\": *[0-9]" "$file" || { echo "no $key in the record" >&2; return 1; }
        sed -i -E "s/(\"$key\": *)[0-9]+/\1$2/" "$file"
        shift 2
    done
}

# expire_stored ACCOUNT - its access token ended.
expire_stored() {
    set_stored "$1" expires_at 1000
}

# as UID COMMAND... - with that uid, the same gid, and no further groups.
as() {
    setpriv --reuid "$1" --regid "$1" --clear-groups -- "${@:2}"
}

# now_ms - milliseconds of the wall clock.
now_ms() {
    echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# agent_pid - of the agent started last.
agent_pid() {
    sed -n 's/ agent$//p' "$WORK/pids" | tail -n 1
}

agent_log_holds() {
    grep -qF -- "$1" "$WORK/agent.log"
}

# log_lines TEXT - how many lines of the agent's log hold it.
log_lines() {
    grep -cF -- "$1" "$WORK/agent.log" || :
}

# give_to UID - gives store and secrets to a user, who may then read the accounts.
give_to() {
    chown -R "$1:$1" "$WORK/store" "$WORK/secrets" "$WORK/mailbearer.conf"
}

# talk COMMAND ARGUMENT... - talk.py, at the agent's socket.
talk() {
    "$PYTHON" "$WORK/bin/talk.py" "$1" "$MAILBEARER_SOCKET" "${@:2}"
}

# talk_as UID COMMAND ARGUMENT...
talk_as() {
    as "$1" "$PYTHON" "$WORK/bin/talk.py" "$2" "$MAILBEARER_SOCKET" "${@:3}"
}

# reply_to REQUEST [UID] - the agent's whole reply. A reply of OK keeps only its first word
# and is put into $WORK/reply.token: it may be a token, and what is compared is printed.
reply_to() {
    if [[ $# -gt 1 ]]; then
        talk_as "$2" ask "$1" > "$WORK/reply.token"
    else
        talk ask "$1" > "$WORK/reply.token"
    fi
    sed 's/^OK .*/OK/' "$WORK/reply.token"
}

# good_token - the last reply was one.
good_token() {
    is_token "$(sed -n 's/^OK //p' "$WORK/reply.token")"
}

# run_agent COMMAND... - any command that becomes an agent listening at $WORK/agent.sock.
run_agent() {
    "$@" 3>&- >> "$WORK/agent.log" 2>&1 &
    record_pid $! agent
    export MAILBEARER_SOCKET=$WORK/agent.sock
    retry_until 10 test -S "$MAILBEARER_SOCKET" || { cat "$WORK/agent.log" >&2; return 1; }
}

# is_sanitized - the programs were built with AddressSanitizer.
is_sanitized() {
    grep -qa __asan_init "$WORK/bin/mailbearer-oauth"
}

# repeat N COMMAND... - N times, as long as it succeeds.
repeat() {
    local left=$1

    shift
    while ((left-- > 0)); do
        "$@" || return 1
    done
}
