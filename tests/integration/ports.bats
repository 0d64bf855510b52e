#!/usr/bin/env bats
# Local ports of mailbearer-fetch: who gets in, what they get, against real Dovecot.

load lib.bash
load agent.bash
load dovecot.bash
load fetch.bash
load ports.bash

setup_file() {
    make_ports_ground
}

teardown_file() {
    stop_all
}

setup() {
    cd "$WORK" || return 1
    PORT= # of the listener a test starts
}

teardown() {
    stop_named port
    stop_named odd
    no_secret_in "$WORK"/*.log
}

@test "IMAP: the local sign-in first, then the server; the account's name or any" {
    inbox 2
    start_port port --listen 127.0.0.1:0 imap
    printf 'a CAPABILITY\r\nb SELECT INBOX\r\nc LOGIN "%s" "%s"\r\nd SELECT INBOX\r\ne LOGOUT\r\n' \
        "$RELAY" 'CANARY local \"pass\\word\" 1' > said
    client say "$PORT" said
    saw 'e OK Logout'
    expect '* OK [CAPABILITY IMAP4rev1 ID LITERAL+ SASL-IR AUTH=PLAIN AUTH=LOGIN] mailbearer ready
* CAPABILITY IMAP4rev1 ID LITERAL+ SASL-IR AUTH=PLAIN AUTH=LOGIN
a OK done
b BAD sign in first' "$(tr -d '\r' < out.token | head -n 4)"
    saw '* 2 EXISTS'
    refute grep -q 'c OK .*AUTH=' out.token
    port_log "$RELAY: signed in from 127.0.0.1"
    stop_named port
    start_port port --listen 127.0.0.1:0 imap "$RELAY"
    printf 'a LOGIN anybody {26+}\r\n%s\r\ne LOGOUT\r\n' "$LOCAL_PASSWORD" > said
    client say "$PORT" said
    saw 'e OK Logout'
}

@test "nothing is asked of the server before the local sign-in" {
    start_odd imap-behind
    start_port port --listen 127.0.0.1:0 imap localhost "$ODD" "$RELAY"
    printf 'a NOOP\r\nb SELECT INBOX\r\nc LOGIN x y\r\nd LOGOUT\r\n' > said
    client say "$PORT" said
    saw 'c NO [AUTHENTICATIONFAILED] wrong name or password'
    refute test -s odd.log
    printf 'a LOGIN x "%s"\r\nx NOOP\r\n' 'CANARY local \"pass\\word\" 1' > said
    client say "$PORT" said
    saw "seen x NOOP"
}

@test "curl: IMAP with LOGIN, PLAIN and quotes; POP3; SMTP" {
    inbox 1
    start_port port --listen 127.0.0.1:0 imap
    for how in '' ';AUTH=PLAIN' ';AUTH=LOGIN'; do
        printf 'user = "%s:%s"\n' "$RELAY" 'CANARY local \"pass\\word\" 1' |
            curl -sS -K - "imap://127.0.0.1:$PORT/INBOX;UID=*" ${how:+--login-options "${how#;}"} > out.token
        grep -q '^Subject: number 0' out.token
    done
    stop_named port
    start_port port --listen 127.0.0.1:0 pop3
    for how in '' 'AUTH=PLAIN' 'AUTH=LOGIN'; do
        printf 'user = "%s:%s"\n' "$RELAY" 'CANARY local \"pass\\word\" 1' |
            curl -sS -K - "pop3://127.0.0.1:$PORT/1" ${how:+--login-options "$how"} > out.token
        grep -q '^Subject: number 0' out.token
    done
    stop_named port
    start_port port --listen 127.0.0.1:0 smtp
    printf 'Subject: by curl\r\n\r\nx\r\n' > letter
    for how in AUTH=PLAIN AUTH=LOGIN; do
        inbox 0
        printf 'user = "%s:%s"\n' "$RELAY" 'CANARY local \"pass\\word\" 1' |
            curl -sS -K - "smtp://127.0.0.1:$PORT/me" --login-options "$how" \
                --mail-from "$RELAY" --mail-rcpt "$RELAY" -T letter
        retry_until 5 mail_holds "$RELAY" 'Subject: by curl'
    done
    printf 'user = "%s:wrong"\n' "$RELAY" > wrong.curl
    RC=0
    curl -sS -K wrong.curl "smtp://127.0.0.1:$PORT/" --mail-from "$RELAY" --mail-rcpt "$RELAY" \
        -T letter 2> err || RC=$?
    expect 67 "$RC"
}

@test "swaks sends, fetchmail and mpop collect" {
    local way

    command -v swaks > /dev/null || skip 'swaks is not installed'
    inbox 0
    start_port port --listen 127.0.0.1:0 smtp
    printf '%s\n%s\n' '--auth-user starttls' '--auth-password "CANARY another password"' > swaksrc
    for way in PLAIN LOGIN; do
        SWAKS_HOME=$WORK timeout 30 swaks --server "127.0.0.1:$PORT" --auth "$way" --auth-user starttls \
            --auth-password "CANARY another password" --from "$RELAY" --to "$RELAY" \
            --header "Subject: by swaks $way" > swaks.token
        retry_until 5 mail_holds "$RELAY" "Subject: by swaks $way"
    done
    stop_named port
    start_port port --listen 127.0.0.1:0 pop3
    mkdir -p home got
    printf '%s\n' "poll 127.0.0.1 service $PORT protocol pop3" \
        "user starttls password \"CANARY another password\" sslproto '' keep" \
        "mda \"cat >> $WORK/got.token; echo >> $WORK/got.token\"" > fetchmailrc
    chmod 600 fetchmailrc
    HOME=$WORK/home timeout 30 fetchmail -f fetchmailrc > fetchmail.out 2>&1
    grep -q '^Subject: by swaks PLAIN' got.token
    printf '%s\n' 'account default' 'host 127.0.0.1' "port $PORT" 'auth plain' 'user starttls' \
        'password "CANARY another password"' 'tls off' "delivery mbox $WORK/mpop.token" \
        "uidls_file $WORK/home/uidls" 'keep on' > mpoprc
    chmod 600 mpoprc
    HOME=$WORK/home timeout 30 mpop -C mpoprc > mpop.out 2>&1
    grep -q '^Subject: by swaks LOGIN' mpop.token
}

@test "wrong passwords, unknown accounts, what is no sign-in: all the same answer" {
    start_port port --listen 127.0.0.1:0 --failure-delay 0 imap
    printf 'a LOGIN %s wrong-password\r\nb LOGIN nobody@contoso.com x\r\nc AUTHENTICATE PLAIN eHh4\r\nd AUTHENTICATE PLAIN\r\n%s\r\ne LOGIN x y\r\n' \
        "$RELAY" "$(printf 'x\0y\0z' | base64)" > said
    client say "$PORT" said
    saw 'a NO [AUTHENTICATIONFAILED] wrong name or password
b NO [AUTHENTICATIONFAILED] wrong name or password
c BAD cancelled
+'" "'
d BAD cancelled
e NO [AUTHENTICATIONFAILED] wrong name or password
* BYE good-bye'
    port_log "$RELAY: wrong name or password from 127.0.0.1 uid 0 (try 1 of 3)"
    port_log 'nobody@contoso.com: wrong name or password from 127.0.0.1 uid 0 (try 2 of 3)'
    stop_named port
    start_port port --listen 127.0.0.1:0 --failure-delay 0 pop3 "$RELAY"
    printf 'CAPA\r\nSTAT\r\nAPOP x 0123456789abcdef0123456789abcdef\r\nPASS x\r\nUSER x\r\nPASS wrong\r\nQUIT\r\n' > said
    client say "$PORT" said
    expect '+OK mailbearer ready
+OK what there is
TOP
UIDL
RESP-CODES
AUTH-RESP-CODE
USER
SASL PLAIN LOGIN
.
-ERR sign in first
-ERR no APOP here
-ERR USER first
+OK go on
-ERR [AUTH] wrong name or password
+OK good-bye' "$(tr -d '\r' < out.token)"
    stop_named port
    start_port port --listen 127.0.0.1:0 --failure-delay 0 smtp "$RELAY"
    printf 'EHLO x\r\nMAIL FROM:<a@b>\r\nAUTH XOAUTH2 eA==\r\nAUTH PLAIN AHgAeQ==\r\nQUIT\r\n' > said
    client say "$PORT" said
    expect '220 localhost ESMTP mailbearer ready
250-localhost
250-8BITMIME
250-ENHANCEDSTATUSCODES
250 AUTH PLAIN LOGIN
530 5.7.0 Sign in first
504 5.5.4 No such mechanism
535 5.7.8 Wrong name or password
221 2.0.0 Good-bye' "$(tr -d '\r' < out.token)"
}

@test "the server's failure is told after the local sign-in, in the protocol's words" {
    start_odd imap-refuse
    start_port port --listen 127.0.0.1:0 imap localhost "$ODD" fresh1
    set_password fresh1 "$LOCAL_PASSWORD"
    printf 'a LOGIN x "%s"\r\n' 'CANARY local \"pass\\word\" 1' > said
    client say "$PORT" said
    saw 'a NO [AUTHENTICATIONFAILED] mailbearer: localhost refused the sign-in: NO AUTHENTICATE failed.'
    saw '* BYE good-bye'
    stop_named port
    plain=$(printf '\0x\0%s' "$LOCAL_PASSWORD" | base64 -w 0)
    start_port port --listen 127.0.0.1:0 imap localhost 1 fresh1
    client say "$PORT" said
    saw 'a NO [UNAVAILABLE] mailbearer: localhost: cannot connect'
    stop_named port
    start_port port --listen 127.0.0.1:0 pop3 localhost 1 fresh1
    printf 'AUTH PLAIN %s\r\n' "$plain" > said
    client say "$PORT" said
    saw '-ERR [SYS/TEMP] mailbearer: localhost: cannot connect'
    stop_named port
    start_port port --listen 127.0.0.1:0 smtp localhost 1 fresh1
    printf 'EHLO x\r\nAUTH PLAIN %s\r\n' "$plain" > said
    client say "$PORT" said
    saw '454 4.7.0 mailbearer: localhost: cannot connect'
}

@test "long lines, NUL bytes and endless ones are refused at the cap" {
    for wire in imap pop3 smtp; do
        start_port port --listen 127.0.0.1:0 "$wire"
        client large "$PORT" 1000000
        saw 'this line cannot be taken: over 8192 bytes, or a NUL in it' ||
            saw 'This line cannot be taken: over 8192 bytes, or a NUL in it' || {
            # what the client still sent may make a reset of the answer
            expect 0 "$RC"
            port_log 'a line is longer than 8192 bytes'
        }
        printf 'NO\0OP\r\n' > said
        client say "$PORT" said
        expect_in "$(tr '[:upper:]' '[:lower:]' < out.token)" 'this line cannot be taken'
        stop_named port
    done
}

@test "passwd: counts at once, and no longer when deleted" {
    start_port port --listen 127.0.0.1:0 --failure-delay 0 imap smtps
    printf 'a LOGIN x CANARY-first-password\r\nb LOGOUT\r\n' > said
    client say "$PORT" said
    saw 'a NO'
    set_password smtps CANARY-first-password
    client say "$PORT" said
    saw 'b OK Logout'
    "$MAILBEARER" -c mailbearer.conf passwd --delete smtps
    client say "$PORT" said
    saw 'a NO'
    password=$("$MAILBEARER" -c mailbearer.conf passwd --generate smtps)
    expect 24 "${#password}"
    printf 'a LOGIN x %s\r\nb LOGOUT\r\n' "$password" > said
    client say "$PORT" said
    saw 'b OK Logout'
}

@test "a ports file that others may read is not used, and the log says why" {
    start_port port --listen 127.0.0.1:0 imap "$RELAY"
    chmod 644 ports
    printf 'a LOGIN x "%s"\r\nb LOGOUT\r\n' 'CANARY local \"pass\\word\" 1' > said
    client say "$PORT" said
    chmod 600 ports
    saw 'a NO [UNAVAILABLE] mailbearer: passwords cannot be checked now'
    port_log "ports file $WORK/ports has mode 644: everybody may read or change it"
    client say "$PORT" said
    saw 'b OK Logout'
}

@test "a UNIX socket: the kernel says who it is, allow_users decides" {
    mkdir -p sock
    chmod 755 sock
    start_port port --listen "$WORK/sock/imap" imap "$RELAY"
    expect 600 "$(stat -c %a sock/imap)"
    printf 'a LOGOUT\r\n' > said
    chmod 644 said
    client say "$WORK/sock/imap" said
    saw '* PREAUTH'
    saw 'a OK Logout'
    stop_named port
    refute test -e sock/imap
    start_port port --listen "$WORK/sock/imap" --mode 666 --group mail imap "$RELAY"
    expect '666 mail' "$(stat -c '%a %G' sock/imap)"
    RC=0
    as "$(id -u fetchmail)" "$PYTHON" bin/port_client.py say "$WORK/sock/imap" said > out.token || RC=$?
    saw 'a OK Logout'
    RC=0
    as 12345 "$PYTHON" bin/port_client.py say "$WORK/sock/imap" said > out.token || RC=$?
    saw '* BYE mailbearer: uid 12345 may not use this account -> add this user to the account'
    stop_named port
    # many accounts: the name says which, and any password does
    start_port port --listen "$WORK/sock/pop3" --mode 666 pop3
    printf 'USER %s\r\nPASS any\r\nSTAT\r\nQUIT\r\n' "$RELAY" > said
    RC=0
    as "$(id -u fetchmail)" "$PYTHON" bin/port_client.py say "$WORK/sock/pop3" said > out.token || RC=$?
    saw '+OK signed in'
    sed -i "s/$RELAY/fresh2/" said
    RC=0
    as "$(id -u fetchmail)" "$PYTHON" bin/port_client.py say "$WORK/sock/pop3" said > out.token || RC=$?
    saw '-ERR [AUTH] mailbearer: '
    refute grep -q 'signed in' out.token
}

@test "sockets passed by a service manager" {
    "$PYTHON" - "$WORK" "$FETCH" <<'END' &
import os, socket, sys
work, fetch = sys.argv[1:]
tcp = socket.create_server(("127.0.0.1", 0))
local = socket.socket(socket.AF_UNIX)
local.bind(work + "/passed.sock")
local.listen()
with open(work + "/passed.port", "w") as out:
    out.write(str(tcp.getsockname()[1]))
fds = [os.dup(tcp.fileno()) for _ in range(20)][-1], local.fileno()
os.dup2(fds[0], 3), os.dup2(fds[1], 4) if fds[1] != 3 else None
os.set_inheritable(3, True), os.set_inheritable(4, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2")
log = os.open(work + "/port.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
os.dup2(log, 2)
os.execv(fetch, [fetch, "-c", work + "/mailbearer.conf", "-v", "--user", "root", "imap", "starttls"])
END
    record_pid $! port
    retry_until 10 grep -q 'listening on 127.0.0.1' port.log
    printf 'a LOGIN x "CANARY another password"\r\nb LOGOUT\r\n' > said
    client say "$(< passed.port)" said
    saw 'b OK Logout'
    printf 'b LOGOUT\r\n' > said
    client say "$WORK/passed.sock" said
    saw '* PREAUTH'
    stop_named port
    test -e passed.sock # it is not ours to remove
    rm passed.sock
}

@test "Accept=yes: a TCP connection on standard input must sign in; one by UNIX is known" {
    install -m 600 tls/server.key own.key
    "$PYTHON" - "$WORK" "$FETCH" > accept.out 2> accept.log <<'END'
import os, socket, ssl, subprocess, sys
work, fetch = sys.argv[1:]
command = [fetch, "-c", work + "/mailbearer.conf", "-v", "--user", "root", "imap"]

def serve(listener, address, words, said, context=None):
    near = socket.socket(listener.family)
    near.settimeout(40)
    near.connect(address)
    far = listener.accept()[0]
    child = subprocess.Popen(command + words, stdin=far, stdout=far)
    far.close()
    if context:
        near = context.wrap_socket(near, server_hostname="localhost")
    near.sendall(said)
    got = b""
    while part := near.recv(65536):
        got += part
    print(got.decode().replace("\r", ""), "status", child.wait(30))

tcp = socket.create_server(("127.0.0.1", 0))
login = b'a LOGIN starttls "CANARY another password"\r\nb LOGOUT\r\n'
serve(tcp, tcp.getsockname(), [], login)
tls = ["--tls-cert", work + "/tls/server.pem", "--tls-key", work + "/own.key", "starttls"]
serve(tcp, tcp.getsockname(), tls, b"t" + login[1:],
      ssl.create_default_context(cafile=work + "/tls/ca.pem"))
serve(tcp, tcp.getsockname(), ["starttls"], b"a SELECT INBOX\r\nb LOGIN x y\r\nc LOGOUT\r\n")
local = socket.socket(socket.AF_UNIX)
local.bind(work + "/accept.sock")
local.listen()
serve(local, work + "/accept.sock", ["starttls"], b"d LOGOUT\r\n")
END
    expect 2 "$(grep -c '^b OK Logout' accept.out)" # in clear, and by TLS
    grep -q '^t OK' accept.out
    expect_in "$(cat accept.out)" 'a BAD sign in first
b NO [AUTHENTICATIONFAILED] wrong name or password
* BYE mailbearer says good-bye
c OK done
 status 0'
    expect_in "$(cat accept.out)" '* PREAUTH'
    expect_in "$(cat accept.out)" 'd OK Logout'
}

@test "several addresses, IPv6 among them; what is taken already; usage" {
    start_port port --listen 127.0.0.1:0 --listen '[::1]:0' --listen "$WORK/third.sock" imap starttls
    retry_until 5 grep -q 'listening on ::1 port' port.log
    retry_until 5 grep -q 'listening on .*/third.sock' port.log
    port=$(sed -n 's/.*listening on ::1 port //p' port.log)
    printf 'user = "x:CANARY another password"\n' |
        curl -sS -g -K - "imap://[::1]:$port/" > out.token
    grep -q INBOX out.token
    port=$(sed -n 's/.*listening on 127.0.0.1 port //p' port.log)
    for words in "--listen 127.0.0.1:$port" "--listen $WORK/third.sock"; do
        # shellcheck disable=SC2086
        fetch -c mailbearer.conf $words imap
        expect 78 "$RC"
    done
    expect_in "$(cat err)" 'third.sock is in use: another process listens there'
    for words in '--listen 1143 imap' '--listen ::1:1143 imap' '--listen 127.0.0.1:x imap' \
        '--listen 127.0.0.1:0 --tls-cert x imap' '--listen 127.0.0.1:0 --starttls imap' \
        '--listen 127.0.0.1:0 --max-sessions 0 imap' '--listen /x/y --mode 999 imap' imap; do
        # shellcheck disable=SC2086
        fetch $words
        expect 64 "$RC"
        expect '' "$(cat out.token)"
    done
}

@test "TLS on the port: curl, a client that ends without a word, the certificate renewed" {
    inbox 1
    cp tls/server.pem own.pem
    install -m 600 tls/server.key own.key
    start_port port --listen 127.0.0.1:0 --tls-cert own.pem --tls-key own.key imap starttls
    printf 'user = "x:CANARY another password"\ncacert = "%s"\n' "$WORK/tls/ca.pem" > curlrc
    curl -sS -K curlrc "imaps://localhost:$PORT/INBOX;UID=*" > out.token
    grep -q '^Subject: number 0' out.token
    client burst "$PORT" tls/ca.pem x 'CANARY another password'
    saw 'e OK Logout'
    expect 1500 "$(grep -c '^n OK' out.token)"
    refute curl -sS -K curlrc --tls-max 1.1 --ciphers DEFAULT:@SECLEVEL=0 "imaps://localhost:$PORT/" 2> err
    printf 'a LOGIN x y\r\n' > said
    client say "$PORT" said
    refute grep -q mailbearer out.token
    port_log 'TLS with the mail program'
    cp far/tls/server.pem own.pem # somebody else's, with its key
    install -m 600 far/tls/server.key own.key
    kill -HUP "$LISTENER"
    port_log 'certificate and key read anew'
    refute curl -sS -K curlrc "imaps://localhost:$PORT/" 2> err
    sed -i 's,/tls/,/far/tls/,' curlrc
    curl -sS -K curlrc "imaps://localhost:$PORT/" > out.token
    grep -q INBOX out.token
    echo nothing > own.pem
    kill -HUP "$LISTENER"
    port_log 'the certificate stays as it was: TLS certificate own.pem'
    curl -sS -K curlrc "imaps://localhost:$PORT/" > out.token
    chmod 644 own.key
    cp far/tls/server.pem own.pem
    fetch --listen 127.0.0.1:0 --tls-cert own.pem --tls-key own.key imap
    expect 78 "$RC"
    expect_in "$(cat err)" 'TLS key own.key has mode 644: everybody may use it -> chmod 640 own.key'
    chmod 600 own.key
    fetch --listen 127.0.0.1:0 --tls-cert tls/server.pem --tls-key own.key imap
    expect 78 "$RC"
    expect_in "$(cat err)" 'TLS key own.key: '
}

@test "STARTTLS on the port: nothing before it, and nothing smuggled in" {
    install -m 600 tls/server.key own.key
    start_port port --listen 127.0.0.1:0 --starttls --tls-cert tls/server.pem --tls-key own.key imap
    client starttls "$PORT" tls/ca.pem starttls 'CANARY another password'
    saw '* OK [CAPABILITY IMAP4rev1 ID STARTTLS LOGINDISABLED] mailbearer ready
a NO [PRIVACYREQUIRED] STARTTLS first
b OK go on
TLSv1.3
* CAPABILITY IMAP4rev1 ID LITERAL+ SASL-IR AUTH=PLAIN AUTH=LOGIN
c OK done'
    saw 'd OK Logout'
    client inject "$PORT"
    expect '* OK [CAPABILITY IMAP4rev1 ID STARTTLS LOGINDISABLED] mailbearer ready' "$(tr -d '\r' < out.token)"
    port_log 'plaintext came behind the command to start TLS'
    stop_named port
    for wire in pop3 smtp; do
        start_port port --listen 127.0.0.1:0 --starttls --tls-cert tls/server.pem --tls-key own.key "$wire" starttls
        printf 'user = "x:CANARY another password"\ncacert = "%s"\n' "$WORK/tls/ca.pem" > curlrc
        [[ $wire = pop3 ]] || printf 'request = "NOOP"\n' >> curlrc
        curl -sS --ssl-reqd -K curlrc "$wire://localhost:$PORT/" > out.token
        port_log 'starttls: signed in as'
        printf 'USER x\r\nAUTH PLAIN AHgAeQ==\r\nCAPA\r\nQUIT\r\n' > said
        [[ $wire = pop3 ]] || printf 'EHLO x\r\nAUTH PLAIN AHgAeQ==\r\nMAIL FROM:<a@b>\r\nQUIT\r\n' > said
        client say "$PORT" said
        expect "$(clear_answers $wire)" "$(tail -n +2 out.token | tr -d '\r')"
        stop_named port
    done
}

# clear_answers WIRE - what a port with STARTTLS says in clear, behind its greeting.
clear_answers() {
    case $1 in
    pop3)
        printf '%s\n' '-ERR STLS first' '-ERR STLS first' '+OK what there is' TOP UIDL RESP-CODES \
            AUTH-RESP-CODE STLS . '+OK good-bye' ;;
    smtp)
        printf '%s\n' 250-localhost 250-8BITMIME 250-ENHANCEDSTATUSCODES '250 STARTTLS' \
            '530 5.7.0 STARTTLS first' '530 5.7.0 Sign in first' '221 2.0.0 Good-bye' ;;
    esac
}

@test "80 MB over a TLS port, both ways" {
    install -m 600 tls/server.key own.key
    make_message large.eml 80000000
    inbox 0
    start_port port --listen 127.0.0.1:0 --tls-cert tls/server.pem --tls-key own.key imap starttls
    printf 'user = "x:CANARY another password"\ncacert = "%s"\n' "$WORK/tls/ca.pem" > curlrc
    curl -sS -K curlrc -T large.eml "imaps://localhost:$PORT/INBOX"
    curl -sS -K curlrc "imaps://localhost:$PORT/INBOX;UID=*" > fetched.eml
    cmp large.eml fetched.eml
    rm large.eml fetched.eml
    inbox 0
}

@test "another address than loopback: only with TLS and --allow-remote" {
    install -m 600 tls/server.key own.key
    make_private_net
    fetch --listen '*:0' imap
    expect 64 "$RC"
    expect_in "$(cat err)" 'others can reach this address'
    expect_in "$(cat err)" '--allow-remote'
    in_net fetch --listen 192.0.2.1:0 --allow-remote imap
    fetch --listen '*:0' --tls-cert tls/server.pem --tls-key own.key imap
    expect 64 "$RC"
    expect_in "$(cat err)" 'give --allow-remote as well'
    # in the namespace Dovecot is not there: the local sign-in alone is looked at
    nsenter --target "$NET_PID" --net -- "$FETCH" -c mailbearer.conf -v --user root --listen 192.0.2.1:0 \
        --allow-remote --tls-cert tls/server.pem --tls-key own.key imap starttls \
        3>&- > port.log 2>&1 < /dev/null &
    record_pid $! port
    port_log 'listening on 192.0.2.1 port'
    port=$(sed -n 's/.*listening on 192.0.2.1 port //p' port.log)
    printf 'user = "x:CANARY wrong password"\ncacert = "%s"\n' "$WORK/tls/ca.pem" > curlrc
    RC=0
    nsenter --target "$NET_PID" --net -- curl -sS -K curlrc --connect-to "localhost:$port:192.0.2.1:$port" \
        "imaps://localhost:$port/" 2> err || RC=$?
    expect 67 "$RC"
    port_log 'starttls: wrong name or password from 192.0.2.1'
    RC=0
    nsenter --target "$NET_PID" --net -- curl -sS --max-time 3 -K curlrc "imap://192.0.2.1:$port/" 2> err || RC=$?
    ((RC != 0 && RC != 67))
}

make_private_net() {
    unshare --net -- bash -c "ip link set lo up
        ip link add dummy0 type dummy 2>/dev/null && ip address add 192.0.2.1/24 dev dummy0 &&
            ip link set dummy0 up || ip address add 192.0.2.1/32 dev lo
        : > $WORK/net.ready; exec sleep 600" 3>&- > net.err 2>&1 &
    NET_PID=$!
    record_pid "$NET_PID" net
    retry_until 10 test -e net.ready
}

in_net() {
    nsenter --target "$NET_PID" --net -- timeout 5 "$FETCH" "${@:2}" > out.token 2> err || RC=$?
    expect 64 "$RC"
    expect_in "$(cat err)" 'others can reach this address'
}

# sockets_of PID
sockets_of() {
    find "/proc/$1/fd" -type l -printf '%l\n' | grep '^socket:'
}

@test "no password or token in arguments, environment or log" {
    start_port port --listen 127.0.0.1:0 imap "$RELAY"
    "$PYTHON" bin/port_client.py idle-in "$PORT" x "$LOCAL_PASSWORD" > out.token 3>&- &
    record_pid $! idle
    retry_until 10 grep -q '^in' out.token
    session=$(pgrep -P "$LISTENER")
    cat "/proc/$session/cmdline" "/proc/$LISTENER/cmdline" "/proc/$session/environ" > looked
    no_secret_in looked port.log
    refute grep -q CANARY looked
    # nobody else's to trace; the listening sockets are not its own any more
    expect 0 "$(stat -c %u "/proc/$session/environ")"
    sockets_of "$LISTENER" > listening
    test -s listening
    refute grep -qFx -f listening <(sockets_of "$session")
    grep -q '^NoNewPrivs:.*1' "/proc/$session/status"
    stop_named idle
}

# ids PID - its uids, its gids and its further groups.
ids() {
    sed -n 's/^\(Uid\|Gid\|Groups\):[[:space:]]*//p' "/proc/$1/status" | tr -s '\t \n' ' '
}

@test "started as root: key and sockets are opened, then it is a user like any other" {
    install -m 600 tls/server.key own.key # root's alone
    chown fetchmail ports
    start_port port --user fetchmail --listen 127.0.0.1:0 --tls-cert tls/server.pem --tls-key own.key imap starttls
    uid=$(id -u fetchmail) gid=$(id -g fetchmail)
    groups=$(id -G fetchmail | tr ' ' '\n' | sort -n | tr '\n' ' ')
    expect "$uid $uid $uid $uid $gid $gid $gid $gid $groups" "$(ids "$LISTENER")"
    grep -q '^CapEff:.*0000000000000000' "/proc/$LISTENER/status"
    expect 0 "$(stat -c %u "/proc/$LISTENER/environ")" # fetchmail's other processes cannot trace it
    port_log "serving as uid $uid"
    printf 'user = "x:CANARY another password"\ncacert = "%s"\n' "$WORK/tls/ca.pem" > curlrc
    curl -sS -K curlrc "imaps://localhost:$PORT/" > out.token
    grep -q INBOX out.token
    kill -HUP "$LISTENER"
    port_log 'the certificate stays as it was: TLS key own.key: Permission denied'
    curl -sS -K curlrc "imaps://localhost:$PORT/" > out.token
    chown root ports
    stop_named port
    fetch --listen 127.0.0.1:0 --user nobody-by-that-name imap
    expect 64 "$RC"
    expect_in "$(cat err)" 'no such user: nobody-by-that-name'
    RC=0
    as 12345 "$FETCH" --listen 127.0.0.1:0 --user fetchmail imap 2> err || RC=$?
    expect 64 "$RC"
    expect_in "$(cat err)" 'only root can become fetchmail'
    refute test -e "$WORK/odd.sock"
    fetch --listen "$WORK/odd.sock" --user nobody-by-that-name imap
    expect 64 "$RC"
    refute test -e "$WORK/odd.sock"
}

@test "TLS is for TCP: a UNIX socket of the same port speaks in clear, account or not" {
    install -m 600 tls/server.key own.key
    printf 'a LOGIN %s any\r\nb LOGOUT\r\n' "$RELAY" > said
    start_port port --listen "$WORK/plain.sock" --tls-cert tls/server.pem --tls-key own.key imap
    client say "$WORK/plain.sock" said
    saw 'b OK Logout'
    stop_named port
    start_port port --listen "$WORK/plain.sock" --starttls --tls-cert tls/server.pem --tls-key own.key imap
    client say "$WORK/plain.sock" said
    saw 'b OK Logout'
}

@test "a name that would be an option of another program is no account" {
    start_port port --listen "$WORK/dash.sock" pop3
    printf 'USER --help\r\nPASS any\r\nQUIT\r\n' > said
    client say "$WORK/dash.sock" said
    saw '-ERR [AUTH] mailbearer: '
    expect_in "$(cat out.token)" 'no such account'
}

@test "a service manager that passes no sockets: told, not waited for" {
    RC=0
    LISTEN_FDS=0 timeout 5 sh -c 'LISTEN_PID=$$ exec "$@"' - "$FETCH" --user root imap 2> err || RC=$?
    expect 78 "$RC"
    expect_in "$(cat err)" 'the service manager has passed no sockets'
}
