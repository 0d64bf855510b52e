#!/usr/bin/env bats
# mailbearer passwd: local passwords of mailbearer-fetch's ports.

load lib.bash
load agent.bash

setup_file() {
    make_work
    mkdir "$WORK/bin"
    cp "$BUILD/mailbearer" "$BUILD/mailbearer-oauth" "$WORK/bin/"
    TOKEN_ENDPOINT=http://127.0.0.1:1/token use_copied_programs
    export TOKEN_ENDPOINT=http://127.0.0.1:1/token
    export WORK
}

teardown_file() {
    stop_all
}

setup() {
    cd "$WORK" || return 1
    use_copied_programs
    rm -rf ports
    RELAY_USERS='' write_accounts "$(app_account second)"
}

# passwd [ARGUMENT...] - with what standard input holds. Sets RC.
passwd() {
    RC=0
    timeout 20 "$MAILBEARER" -c mailbearer.conf passwd "$@" > out.token 2> err || RC=$?
}

@test "one line of standard input; the hash is kept, and nothing else" {
    passwd "$RELAY" < <(printf 'CANARY first password\nsecond line\n')
    expect 0 "$RC"
    expect '' "$(cat out.token err)"
    grep -qE "^$RELAY:\\\$y\\\$[^:]+$" ports
    refute grep -q CANARY ports
    refute grep -q 'client_secret' ports
    before=$(grep "^$RELAY:" ports)
    passwd second < <(printf 'CANARY first password\r\n')
    expect "$before" "$(grep "^$RELAY:" ports)"
    passwd "$RELAY" < <(printf 'CANARY first password')
    expect 0 "$RC"
    refute grep -qF "$before" ports
    expect 2 "$(grep -c ':' <(grep -v '^#' ports))"
    expect '600' "$(stat -c %a ports)"
}

@test "mode, owner and the others' lines stay" {
    printf '# mine\nsecond:%s\n' "\$y\$j9T\$x\$y" > ports
    chown root:mail ports
    chmod 600 ports
    passwd "$RELAY" < <(printf 'CANARY first password\n')
    expect 0 "$RC"
    expect '600 root mail' "$(stat -c '%a %U %G' ports)"
    expect "# mine
second:\$y\$j9T\$x\$y" "$(head -n 2 ports)"
    chmod 646 ports
    cp ports before
    passwd "$RELAY" < <(printf 'CANARY first password\n')
    expect 78 "$RC"
    expect_in "$(cat err)" 'has mode 646: everybody may read or change it'
    cmp before ports
}

@test "empty, short and odd passwords; unknown accounts; usage" {
    for word in '' short 12345678901 'with a	tab and more'; do
        passwd "$RELAY" < <(printf '%s\n' "$word")
        expect 64 "$RC"
        expect_in "$(cat err)" 'mailbearer: to mend it: let one be made: mailbearer passwd --generate ACCOUNT'
    done
    passwd "$RELAY" < <(head -c 100000 /dev/zero | tr '\0' x)
    expect 64 "$RC"
    passwd "$RELAY" < /dev/null
    expect 64 "$RC"
    passwd nobody@contoso.com < <(printf 'CANARY first password\n')
    expect 66 "$RC"
    for words in '' 'a b' '--nothing a' '--generate --delete a'; do
        # shellcheck disable=SC2086
        passwd $words < /dev/null
        expect 64 "$RC"
    done
    refute test -e ports
    passwd --help
    expect 0 "$RC"
    expect_in "$(cat out.token)" 'usage: mailbearer passwd'
}

@test "--generate prints it once, --delete takes the line away" {
    passwd --generate "$RELAY" < /dev/null
    expect 0 "$RC"
    grep -qxE '([a-km-z2-9]{4}-){4}[a-km-z2-9]{4}' out.token
    passwd --delete "$RELAY"
    expect 0 "$RC"
    refute grep -q "^$RELAY" ports
    passwd --delete "$RELAY"
    expect 66 "$RC"
    # a line may outlive its account
    echo "gone@contoso.com:\$y\$x" >> ports
    passwd --delete gone@contoso.com
    expect 0 "$RC"
    refute grep -q gone ports
    # nobody sees a password that could not be set
    mv ports kept
    mkdir ports
    passwd --generate "$RELAY" < /dev/null
    expect 78 "$RC"
    expect '' "$(cat out.token)"
    rmdir ports
}

@test "on a terminal: twice and unseen; two that differ change nothing" {
    cat > typed.py <<'END'
import os, pty, sys, time
answers = [a.encode() + b"\n" for a in sys.argv[1].split("/")]
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen = b""
for answer in answers:
    while not seen.endswith(b": "):
        seen += os.read(fd, 1000)
    time.sleep(0.1)
    os.write(fd, answer)
    seen += b"~"
try:
    while part := os.read(fd, 1000):
        seen += part
except OSError:
    pass
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
    "$PYTHON" typed.py 'CANARY first one/CANARY first one' "$MAILBEARER" -c mailbearer.conf passwd "$RELAY" > seen
    expect 'New password for the local port: ~
Once more: ~' "$(tr -d '\r' < seen)"
    cp ports before
    RC=0
    "$PYTHON" typed.py 'CANARY first one/CANARY other one' "$MAILBEARER" -c mailbearer.conf passwd "$RELAY" > seen || RC=$?
    expect 64 "$RC"
    expect_in "$(cat seen)" 'the two passwords differ; nothing is changed'
    cmp before ports
    RC=0
    "$PYTHON" typed.py 'short' "$MAILBEARER" -c mailbearer.conf passwd "$RELAY" > seen || RC=$?
    expect 64 "$RC"
    refute grep -q CANARY seen
}

@test "twenty at once: no line is lost" {
    local -a accounts=()
    local i

    for ((i = 0; i < 20; i++)); do
        accounts+=("$(app_account "many$i")")
    done
    write_accounts "${accounts[@]}"
    for ((i = 0; i < 20; i++)); do
        echo 'CANARY password' | "$MAILBEARER" -c mailbearer.conf passwd "many$i" 3>&- &
    done
    wait
    expect 20 "$(grep -c '^many' ports)"
    expect '' "$(find . -maxdepth 1 -name 'ports.*')"
}

@test "as another user, beside their own accounts file" {
    home=$WORK/home
    mkdir -p "$home/.config/mailbearer" "$home/.local/state/mailbearer"
    sed "s,$WORK/store,$home/.local/state/mailbearer," mailbearer.conf > "$home/.config/mailbearer/mailbearer.conf"
    install -m 600 secrets/relay "$home/secret"
    sed -i "s,$WORK/secrets/relay,$home/secret," "$home/.config/mailbearer/mailbearer.conf"
    chmod 600 "$home/.config/mailbearer/mailbearer.conf"
    chown -R 12345:12345 "$home"
    echo 'CANARY password' | as 12345 env HOME="$home" "$MAILBEARER" passwd "$RELAY"
    expect '600 12345' "$(stat -c '%a %u' "$home/.config/mailbearer/ports")"
}

# check - mailbearer check; sets RC.
check() {
    RC=0
    timeout 20 "$MAILBEARER" -c mailbearer.conf check > out.token 2> err || RC=$?
}

@test "check looks at the local passwords too: modes, lines, accounts that are gone" {
    check
    expect 0 "$RC"
    refute grep -q 'local' out.token
    passwd "$RELAY" < <(printf 'CANARY first password\n')
    check
    expect 0 "$RC"
    expect_in "$(cat out.token)" 'ok       1 passwords of local ports'
    echo "gone@contoso.com:\$y\$x" >> ports
    check
    expect 0 "$RC"
    expect_in "$(cat out.token)" "warning  ports has a local password for gone@contoso.com, which is no account -> run: mailbearer passwd --delete gone@contoso.com"
    echo nonsense >> ports
    check
    expect 78 "$RC"
    expect_in "$(cat out.token)" "error    ports file ports, line 4: not ACCOUNT:HASH"
    sed -i '/nonsense/d' ports
    chmod 640 ports
    check
    expect 78 "$RC"
    expect_in "$(cat out.token)" "error    ports file ports has mode 640: its group may read or change it"
    expect_in "$(cat out.token)" "ok       $RELAY" # the rest is looked at all the same
}
