#!/usr/bin/env bats
# `mailbearer import`: sign-ins taken over from other tools' files.

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
    FILE=$WORK/secrets/tokens
}

teardown() {
    no_secret_in "$WORK"
}

# write_sasl [MEMBERS] - a token file of sasl-xoauth2.
write_sasl() {
    TOKEN=$(sign_in)
    (umask 077 && printf '{\n\t"access_token" : "CANARY-old",\n\t"expiry" : "%s",\n%s\t"refresh_token" : "%s"\n}' \
        "$(($(date +%s) + 3000))" "${1:-}" "$TOKEN" > "$FILE")
}

# write_mutt [EMAIL [CLIENT]] - a decrypted token file of mutt_oauth2.py.
write_mutt() {
    TOKEN=$(sign_in)
    (umask 077 && printf '{"registration": "microsoft", "authflow": "localhostauthcode", "email": "%s", "access_token": "CANARY-old", "access_token_expiration": "2026-11-21T12:00:00.123456", "refresh_token": "%s", "client_id": "%s", "client_secret": ""}' \
        "${1:-$ALICE}" "$TOKEN" "${2:-$PUBLIC_CLIENT}" > "$FILE")
}

# works_with TOKEN - the import said so, the token is stored, and a refresh with it works.
works_with() {
    expect 0 "$RC" || { cat "$WORK/err" >&2; return 1; }
    expect '' "$(cat "$WORK/err")"
    expect "$ALICE: the refresh token is stored; try it: mailbearer token $ALICE" "$(out)"
    expect "$(printf %s "$1" | sha256sum)" "$(stored "$ALICE" refresh_token | tr -d '\n' | sha256sum)"
    expect '' "$(stored "$ALICE" access_token)"
    asked token "$ALICE"
    token_works "$(out)" "$ALICE"
}

not_imported() {
    refute test -e "$(record_file "$ALICE")"
}

@test "sasl-xoauth2: from a file, from standard input, with the keys it may have" {
    write_sasl
    mailbearer import sasl-xoauth2 "$FILE" "$ALICE"
    works_with "$TOKEN"
    write_sasl
    mailbearer import sasl-xoauth2 - "$ALICE" < "$FILE"
    works_with "$TOKEN"
    write_sasl "	\"client_id\" : \"$PUBLIC_CLIENT\", \"user\" : \"$ALICE\", \"token_endpoint\" : \"https://x.example/\",
"
    mailbearer import sasl-xoauth2 "$FILE" "$ALICE"
    works_with "$TOKEN"
}

@test "mutt_oauth2: plain" {
    write_mutt
    mailbearer import mutt_oauth2 "$FILE" "$ALICE"
    works_with "$TOKEN"
}

@test "mutt_oauth2: encrypted with gpg, decrypted by the command" {
    export GNUPGHOME=$WORK/secrets/gnupg

    mkdir -m 700 "$GNUPGHOME"
    gpg --batch --quiet --passphrase '' --quick-generate-key alice@contoso.com 2>"$WORK/gpg.log"
    write_mutt
    gpg --batch --quiet --encrypt --default-recipient-self < "$FILE" > "$WORK/secrets/tokens.gpg" 2>>"$WORK/gpg.log"
    mailbearer import mutt_oauth2 "$WORK/secrets/tokens.gpg" "$ALICE"
    failed 78 "$WORK/secrets/tokens.gpg" ''
    chmod 600 "$WORK/secrets/tokens.gpg"
    mailbearer import mutt_oauth2 "$WORK/secrets/tokens.gpg" "$ALICE"
    failed 78 "$WORK/secrets/tokens.gpg is encrypted" "--decrypt 'gpg --decrypt'"
    not_imported
    # What is encrypted need not be private.
    chmod 644 "$WORK/secrets/tokens.gpg"
    mailbearer import --decrypt 'gpg --batch --quiet --decrypt' mutt_oauth2 "$WORK/secrets/tokens.gpg" "$ALICE"
    works_with "$TOKEN"
    gpgconf --kill gpg-agent
}

@test "--decrypt: any program, any place for the option, standard input, any format" {
    write_mutt
    tr 'A-Za-z' 'N-ZA-Mn-za-m' < "$FILE" > "$WORK/secrets/turned"
    mailbearer import --decrypt "tr 'A-Za-z' 'N-ZA-Mn-za-m'" mutt_oauth2 - "$ALICE" < "$WORK/secrets/turned"
    works_with "$TOKEN"
    mailbearer import mutt_oauth2 "$WORK/secrets/turned" "$ALICE" --decrypt="tr 'A-Za-z' 'N-ZA-Mn-za-m' | cat"
    works_with "$TOKEN"
    sign_in > "$WORK/secrets/line"
    mailbearer import --decrypt cat refresh-token "$WORK/secrets/line" "$ALICE"
    works_with "$(cat "$WORK/secrets/line")"
}

@test "--decrypt: a command that fails, prints nothing, too much, or is not there" {
    write_mutt
    mailbearer import --decrypt 'cat >/dev/null; exit 2' mutt_oauth2 "$FILE" "$ALICE"
    failed 78 'the command of --decrypt ended with status 2' "decrypt it first: COMMAND < FILE | mailbearer import mutt_oauth2 - $ALICE"
    mailbearer import --decrypt true mutt_oauth2 "$FILE" "$ALICE"
    failed 78 'what the command printed is not a token file of mutt_oauth2' ''
    mailbearer import --decrypt 'head -c 70000 /dev/zero' mutt_oauth2 "$FILE" "$ALICE"
    failed 78 'the command of --decrypt printed more than 65536 bytes' ''
    mailbearer import --decrypt cat mutt_oauth2 "$WORK/secrets/none" "$ALICE"
    failed 78 "cannot open token file $WORK/secrets/none" ''
    mailbearer import --decrypt cat mutt_oauth2 "$WORK/secrets" "$ALICE"
    failed 78 "token file $WORK/secrets is not a regular file" ''
    mailbearer import --decrypt 'nosuchprogram7 2>/dev/null' mutt_oauth2 "$FILE" "$ALICE"
    failed 78 'the command of --decrypt ended with status 127' ''
    not_imported
}

@test "--decrypt: the command may ask at the terminal" {
    write_mutt
    cat > "$WORK/bin/ask" <<'EOF'
#!/bin/sh
printf 'passphrase? ' > /dev/tty
read -r answer < /dev/tty
[ "$answer" = please ] && cat
EOF
    chmod 755 "$WORK/bin/ask"
    "$PYTHON" - "$MAILBEARER" -c "$WORK/mailbearer.conf" import --decrypt "$WORK/bin/ask" \
        mutt_oauth2 "$FILE" "$ALICE" > "$WORK/terminal.token" <<'EOF'
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
seen, end, asked = b'', time.time() + 30, False
while time.time() < end:
    if not select.select([fd], [], [], 1)[0]:
        continue
    try:
        part = os.read(fd, 4096)
    except OSError:
        break
    if not part:
        break
    seen += part
    if b'passphrase? ' in seen and not asked:
        asked = True
        os.write(fd, b'please\n')
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if asked else 9)
EOF
    expect_in "$(cat "$WORK/terminal.token")" 'the refresh token is stored'
    expect "$(printf %s "$TOKEN" | sha256sum)" "$(stored "$ALICE" refresh_token | tr -d '\n' | sha256sum)"
}

@test "somebody else's, and another application's, is refused" {
    write_mutt eve@contoso.com
    mailbearer import mutt_oauth2 "$FILE" "$ALICE"
    failed 78 "the refresh token is for eve@contoso.com, and the account is for $ALICE" 'login_hint = "eve@contoso.com"'
    write_mutt "$ALICE" 99999999-0000-0000-0000-000000000000
    mailbearer import mutt_oauth2 "$FILE" "$ALICE"
    failed 78 'the refresh token belongs to client_id 99999999-0000-0000-0000-000000000000' 'set client_id = "99999999-0000-0000-0000-000000000000"'
    write_sasl '"user": "eve@contoso.com",'
    mailbearer import sasl-xoauth2 "$FILE" "$ALICE"
    failed 78 'the refresh token is for eve@contoso.com' ''
    not_imported
    # Who signs in need not be the mailbox.
    write_accounts "$(account_section "$ALICE" "client_id = $PUBLIC_CLIENT" "scope = \"$USER_SCOPE\"" \
        'user = shared@contoso.com' "login_hint = $ALICE")"
    write_mutt
    mailbearer import mutt_oauth2 "$FILE" "$ALICE"
    expect 0 "$RC"
}

@test "files that are not what they should be change nothing" {
    local text

    import_alice
    cp "$(record_file "$ALICE")" "$WORK/secrets/before"
    for text in '' '{}' '[]' 'CANARY' '{"refresh_token": 1}' '{"refresh_token": ""}' \
        '{"access_token": "CANARY"}' '{"refresh_token": "CANARY' '{"refresh_token": "a\nCANARY"}'; do
        (umask 077 && printf %s "$text" > "$FILE")
        for format in sasl-xoauth2 mutt_oauth2; do
            mailbearer import "$format" "$FILE" "$ALICE"
            failed 78 '' ''
        done
    done
    (umask 077 && head -c 70000 /dev/zero | tr '\0' ' ' > "$FILE")
    mailbearer import mutt_oauth2 "$FILE" "$ALICE"
    failed 78 "$FILE" ''
    write_sasl
    chmod 640 "$FILE"
    mailbearer import sasl-xoauth2 "$FILE" "$ALICE"
    failed 78 'has mode 640' 'chmod 600'
    cmp "$(record_file "$ALICE")" "$WORK/secrets/before"
}

@test "wrong arguments" {
    local words

    for words in '' 'sasl-xoauth2' "sasl-xoauth2 - $ALICE more" "sasl_xoauth2 - $ALICE" "mutt_oauth2 -" \
        "--decrypt" "--decrypt cat mutt_oauth2 -" "--descript cat mutt_oauth2 - $ALICE"; do
        # shellcheck disable=SC2086
        mailbearer import $words < /dev/null
        expect 64 "$RC"
        expect '' "$(out)"
        expect_in "$(cat "$WORK/err")" 'usage: mailbearer import'
    done
    mailbearer import --help
    expect 0 "$RC"
    expect_in "$(out)" 'mutt_oauth2'
}

@test "a running agent uses what was imported at once" {
    start_agent
    run_quiet "$MAILBEARER" token "$ALICE"
    expect 77 "$RC"
    write_sasl
    mailbearer import sasl-xoauth2 "$FILE" "$ALICE"
    expect 0 "$RC"
    run_quiet "$MAILBEARER" token "$ALICE"
    expect 0 "$RC"
    token_works "$(out)" "$ALICE"
    stop_agent
}

@test "started as root, the store's owner reads the file; standard input is the way round" {
    give_to 4321
    chown 0:0 "$WORK/mailbearer.conf"
    write_sasl
    chmod 600 "$FILE"
    chown 0:0 "$FILE"
    mailbearer import sasl-xoauth2 "$FILE" "$ALICE"
    expect 2 "$(wc -l < "$WORK/err")"
    refute [ "$RC" = 0 ]
    expect_in "$(cat "$WORK/err")" "mailbearer import sasl-xoauth2 - $ALICE < FILE"
    mailbearer import sasl-xoauth2 - "$ALICE" < "$FILE"
    expect 0 "$RC"
    expect 4321 "$(stat -c %u "$(record_file "$ALICE")")"
}
