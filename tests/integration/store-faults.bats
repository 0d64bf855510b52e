#!/usr/bin/env bats
# The disk is full, the store cannot be written, the program is killed at any moment: the
# last good refresh token is never lost, and who is to mend what is said.

load lib.bash
load agent.bash
load kills.bash

OWNER=4321

setup_file() {
    make_ground
}

teardown_file() {
    unmount_store
    stop_all
}

setup() {
    fresh_ground
    set_client "$PUBLIC_CLIENT" '"rotation": "strict"'
    write_accounts "$(alice_account)"
}

teardown() {
    [[ -n ${BATS_TEST_COMPLETED:-} ]] || tail -n 20 "$WORK/agent.log" >&2 || :
    stop_agent
    unmount_store
    no_secret_in "$WORK"
}

unmount_store() {
    while mountpoint -q "${WORK:?}/store" 2>/dev/null; do
        umount -l "$WORK/store"
    done
}

# is_ok REQUEST
is_ok() {
    expect OK "$(reply_to "$@")"
}

# small_disk - the store gets a file system of its own, 1 MB. Skips where root may not mount.
small_disk() {
    mount -t tmpfs -o size=1m,mode=700 none "$WORK/store" 2> "$WORK/mount.err" ||
        skip 'root may not mount here'
}

fill_disk() {
    dd if=/dev/zero of="$WORK/store/ballast" bs=4k 2> "$WORK/dd.err" || :
    refute dd if=/dev/zero of="$WORK/store/more" bs=4k count=1 2>> "$WORK/dd.err"
}

free_disk() {
    rm -f "$WORK/store/ballast" "$WORK/store/more"
}

read_only() {
    mount --bind "$WORK/store" "$WORK/store" 2> "$WORK/mount.err" ||
        skip 'root may not mount here'
    mount -o remount,ro,bind "$WORK/store"
}

# owned_by_a_user - the store is OWNER's, root runs the programs.
owned_by_a_user() {
    give_to "$OWNER"
    chown 0:0 "$WORK/mailbearer.conf"
}

# record_is_as_it_was - byte by byte, mode and owner too.
note_record() {
    cp -p "$(record_file "$ALICE")" "$WORK/before.token"
}

record_is_as_it_was() {
    cmp "$WORK/before.token" "$(record_file "$ALICE")"
    expect "$(stat -c '%a %u %g' "$WORK/before.token")" \
        "$(stat -c '%a %u %g' "$(record_file "$ALICE")")"
}

# signed_in - Alice, with a token that has ended; the counters at nothing.
signed_in() {
    import_alice
    asked token "$ALICE"
    expire_stored "$ALICE"
    note_record
    entra_admin reset
}

# not_asked_now REASON REMEDY - without an agent nothing is asked, since what comes back
# could not be kept.
not_asked_now() {
    mailbearer token "$ALICE"
    failed 74 "$1" 'nothing was asked: a rotated refresh token could not have been kept'
    expect_in "$(cat "$WORK/err")" "$2"
    mailbearer token "$ALICE" --refresh
    failed 74 "$1" "$2"
    expect_requests 0
    record_is_as_it_was
    # An import says that it failed, too, and what is there stays.
    sign_in > "$WORK/secrets/other"
    mailbearer import refresh-token - "$ALICE" < "$WORK/secrets/other"
    expect 74 "$RC"
    expect '' "$(out)"
    expect_in "$(cat "$WORK/err")" "$1"
    record_is_as_it_was
    asked status "$ALICE"
}

# works_again - after the repair.
works_again() {
    asked token "$ALICE"
    token_works "$(out)" "$ALICE"
    expire_stored "$ALICE"
    asked token "$ALICE"
    expect '' "$(find "$WORK/store" -name '*.new')"
}

# --- without an agent ----------------------------------------------------------------------

@test "full disk, no agent: not asked, nothing lost (mount)" {
    small_disk
    signed_in
    fill_disk
    not_asked_now 'No space left on device' 'make room in'
    free_disk
    works_again
}

@test "full disk, no agent: the application's own token is printed all the same (mount)" {
    small_disk
    fill_disk
    mailbearer token "$RELAY"
    expect 0 "$RC"
    is_token "$(out)"
    expect_in "$(cat "$WORK/err")" "$RELAY: the token is good but could not be stored: "
    expect_in "$(cat "$WORK/err")" 'make room on the file system of'
    free_disk
    asked token "$RELAY"
    expect '' "$(find "$WORK/store" -name '*.new')"
}

@test "unwritable directory, no agent: not asked, nothing lost" {
    owned_by_a_user
    signed_in
    chmod 500 "$WORK/store"
    not_asked_now 'Permission denied' 'give access to, the state directory'
    rm "$WORK"/store/*.lock
    not_asked_now 'Permission denied' 'give access to, the state directory'
    chmod 700 "$WORK/store"
    works_again
    expect '' "$(find "$WORK/store" -type f ! '(' -user "$OWNER" -perm 600 ')')"
}

@test "read-only file system, no agent: not asked, nothing lost (mount)" {
    signed_in
    read_only
    not_asked_now 'Read-only file system' 'give access to, the state directory'
    unmount_store
    works_again
}

@test "a good token is printed whatever the store's trouble" {
    owned_by_a_user
    import_alice
    asked token "$ALICE"
    cp "$WORK/out.token" "$WORK/first.token"
    chmod 500 "$WORK/store"
    asked token "$ALICE"
    cmp "$WORK/first.token" "$WORK/out.token"
    chmod 700 "$WORK/store"
}

# --- the agent -----------------------------------------------------------------------------

# served_from_memory REASON - the agent refreshes, says that it cannot write, and serves;
# the record on the disk is the old one.
served_from_memory() {
    is_ok "token $ALICE"
    good_token
    token_works "$(sed 's/^OK //' "$WORK/reply.token")" "$ALICE"
    cp "$WORK/reply.token" "$WORK/first.token"
    expect_requests 1
    agent_log_holds "$ALICE: tokens are only in memory, the store cannot be written: "
    agent_log_holds "$1"
    record_is_as_it_was
    asked status "$ALICE" --format json
    expect true "$(out | json_get accounts/0/unsaved)"
    asked status "$ALICE"
    expect_in "$(out)" "tokens are only in the agent's memory"
    is_ok "token $ALICE"
    cmp "$WORK/first.token" "$WORK/reply.token"
    expect_requests 1
    expect 1 "$(log_lines 'tokens are only in memory')"
}

# saved_now - the store has what was in memory.
saved_now() {
    refute cmp -s "$WORK/before.token" "$(record_file "$ALICE")"
    expect '' "$(find "$WORK/store" -name '*.new')"
    stop_agent
    works_again
}

@test "full disk, agent: served from memory, written as soon as there is room (mount)" {
    small_disk
    signed_in
    fill_disk
    start_agent
    served_from_memory 'No space left on device'
    free_disk
    retry_until 35 agent_log_holds 'the store can be written again, tokens are saved'
    saved_now
}

@test "unwritable directory, agent: served from memory, saved at the agent's end" {
    owned_by_a_user
    signed_in
    chmod 500 "$WORK/store"
    start_agent
    served_from_memory 'Permission denied'
    # Once more in memory: what is newest there is what counts.
    set_client "$PUBLIC_CLIENT" '"rotation": "family"'
    is_ok "rejected $(sed 's/^OK //' "$WORK/reply.token") $ALICE"
    is_ok "token $ALICE"
    expect_requests 2
    refute cmp "$WORK/first.token" "$WORK/reply.token"
    chmod 700 "$WORK/store"
    stop_agent
    saved_now
    expect '' "$(find "$WORK/store" -type f ! '(' -user "$OWNER" -perm 600 ')')"
}

@test "read-only file system, agent: served from memory, the record stays (mount)" {
    signed_in
    read_only
    start_agent
    served_from_memory 'Read-only file system'
    unmount_store
    # The agent still holds the directory it opened, which is read-only for ever there.
    stop_agent
    record_is_as_it_was
}

@test "a new sign-in wins over what the agent could not write" {
    owned_by_a_user
    signed_in
    chmod 500 "$WORK/store"
    start_agent
    served_from_memory 'Permission denied'
    chmod 700 "$WORK/store"
    sign_in > "$WORK/secrets/other"
    mailbearer import refresh-token - "$ALICE" < "$WORK/secrets/other"
    expect 0 "$RC"
    expect "$(cat "$WORK/secrets/other")" "$(stored "$ALICE" refresh_token)"
    is_ok "token $ALICE"
    refute cmp "$WORK/first.token" "$WORK/reply.token"
    expect_requests 2
    stop_agent
    works_again
}

# --- kill -9: kills.bash; a thousand of them: make check-storm ------------------------------

@test "kill -9 of mailbearer token at 40 random moments" {
    begin_kills
    repeat 40 one_kill kill_token \
        "$(run_length "$MAILBEARER" -c "$WORK/mailbearer.conf" token "$ALICE")"
    report 'mailbearer token'
    ((NOTHING > 0 && LOST < 40))
    expect '' "$(find "$WORK/store" -name '*.new')"
}

@test "kill -9 of the agent at 20 random moments" {
    local length

    begin_kills
    start_agent
    length=$(run_length talk ask "token $ALICE")
    stop_agent
    unset MAILBEARER_SOCKET
    repeat 20 one_kill kill_agent "$length"
    report 'the agent'
    ((LOST < 20))
    expect '' "$(find "$WORK/store" -name '*.new')"
}
