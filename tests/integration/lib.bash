# shellcheck shell=bash
# lib.bash - what the integration tests and the demo share: a temporary directory, processes
# that are stopped by their own pid, the stand-in Entra, the agent.
#
# Used by:  *.bats, dovecot.bash, postfix.bash, ../demo/demo.sh
# MAILBEARER_BUILD or BUILD names the build directory (default: build in the tree's top). With
# MAILBEARER_INSTALLED set, the installed programs are used and the build directory is not.
#
# Every server started here is recorded by record_pid() and ended by stop_all(), which
# teardown calls always. Waiting is done by retry_until(), with a deadline.

LIB_DIRECTORY=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
TESTS=${LIB_DIRECTORY%/*}
TOP=${TESTS%/*}
BUILD=${MAILBEARER_BUILD:-${BUILD:-build}}
[[ $BUILD = /* ]] || BUILD=$TOP/$BUILD
PYTHON=${PYTHON:-/usr/bin/python3}
MAILBEARER=$BUILD/mailbearer
# The front looks for mailbearer-oauth in libexec; in a build tree it has to be told.
export MAILBEARER_OAUTH=$BUILD/mailbearer-oauth
if [[ -n ${MAILBEARER_INSTALLED:-} ]]; then
    BUILD=/nonexistent
    MAILBEARER=$(command -v mailbearer)
    unset MAILBEARER_OAUTH
fi

# The stand-in's default directory (../fake/entra/directory.py). Secrets and tokens hold the
# word that tests/check-secrets.sh looks for.
# shellcheck disable=SC2034
{
    TENANT=contoso.onmicrosoft.com
    APP_CLIENT=11111111-2222-3333-4444-555555555555
    APP_SECRET='relay~CANARY+value/with=odd%41 signs&more'
    APP_SCOPE=https://outlook.office365.com/.default
    PUBLIC_CLIENT=66666666-7777-8888-9999-000000000000
    USER_SCOPE='https://outlook.office.com/SMTP.Send https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/POP.AccessAsUser.All offline_access'
}

# make_work - a new directory $WORK that servers under other users can pass through.
make_work() {
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/mb.XXXXXX")
    chmod 755 "$WORK"
    : > "$WORK/pids"
}

# record_pid PID NAME - stop_all will end it.
record_pid() {
    printf '%s %s\n' "$1" "$2" >> "$WORK/pids"
}

# descendants PID - the process and all it started, one pid a line.
descendants() {
    local child

    echo "$1"
    for child in $(pgrep -P "$1"); do
        descendants "$child"
    done
}

# none_alive PID... - all have ended; one that nobody has collected yet (Z) has.
none_alive() {
    local pid state

    for pid; do
        state=$(ps -o stat= -p "$pid") || continue
        [[ $state = Z* ]] || return 1
    done
}

# stop_pid PID - TERM, then KILL after 5 s; returns when what it had started is gone too.
stop_pid() {
    local tries=100
    local -a all

    kill -0 "$1" 2>/dev/null || return 0
    mapfile -t all < <(descendants "$1")
    kill -TERM "$1" 2>/dev/null || :
    until none_alive "${all[@]}"; do
        if ((tries-- == 0)); then
            kill -KILL "${all[@]}" 2>/dev/null
        elif ((tries < -50)); then
            return 1
        fi
        sleep 0.05
    done
    # Our own child is collected, so that its pid cannot be another process's later.
    wait "$1" 2>/dev/null || :
}

# stop_named NAME - ends the recorded processes of that name, and forgets them.
stop_named() {
    local pid name

    while read -r pid name; do
        [[ $name != "$1" ]] || stop_pid "$pid"
    done < "$WORK/pids"
    sed -i "/ $1\$/d" "$WORK/pids"
}

# stop_all - ends everything, last started first, and removes $WORK (kept when KEEP is set).
stop_all() {
    local pid name

    [[ -n ${WORK:-} && -d $WORK ]] || return 0
    while read -r pid name; do
        stop_pid "$pid"
    done < <(tac "$WORK/pids")
    if [[ -z ${KEEP:-} ]]; then
        rm -rf "$WORK"
    fi
    WORK=
}

# retry_until SECONDS COMMAND... - runs it until it succeeds; 1 after the deadline.
retry_until() {
    local end=$((SECONDS + $1))

    shift
    until "$@" > /dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

# free_ports N - N different free loopback ports, one a line.
free_ports() {
    "$PYTHON" -c 'import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print("\n".join(str(s.getsockname()[1]) for s in held))' "$1"
}

# port_answers PORT
port_answers() {
    (exec 3<> "/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# make_certificates [HOST...] - $WORK/tls with ca.pem, server.pem, server.key.
make_certificates() {
    "$TESTS/fake/make-ca.sh" "$WORK/tls" "$@"
}

# start_entra [OPTION...] - the stand-in token endpoint (../fake/entra.py). Sets ENTRA_URL,
# ENTRA_PORT, ENTRA_ADMIN, ENTRA_TRAP and TOKEN_ENDPOINT. Options are entra.py's, e.g. --tls.
start_entra() {
    rm -f "$WORK/entra.env"
    "$PYTHON" "$TESTS/fake/entra.py" --dir "$WORK" "$@" 3>&- >> "$WORK/entra.err" 2>&1 &
    record_pid $! entra
    retry_until 15 test -f "$WORK/entra.env" || { cat "$WORK/entra.err" >&2; return 1; }
    # shellcheck disable=SC1091
    . "$WORK/entra.env"
    TOKEN_ENDPOINT=$ENTRA_URL/$TENANT/oauth2/v2.0/token
}

# entra_admin WORD [JSON] - a command of the admin interface; prints the reply unless it is
# an empty object.
entra_admin() {
    local answer

    if [[ $1 = state ]]; then
        curl -sSf --max-time 10 "$ENTRA_ADMIN/admin/state"
        return
    fi
    answer=$(curl -sSf --max-time 10 --data-binary "${2:-"{}"}" "$ENTRA_ADMIN/admin/$1") ||
        return 1
    [[ $answer = '{}' ]] || printf '%s\n' "$answer"
}

# json_get PATH - a value out of the JSON on standard input: names and indexes by dots;
# a missing one is printed as nothing.
json_get() {
    "$PYTHON" -c 'import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("/"):
    if isinstance(value, list):
        value = value[int(key)]
    else:
        value = value.get(key)
    if value is None:
        sys.exit(0)
print(value if isinstance(value, str) else json.dumps(value))' "$1"
}

# entra_count PATH - a counter, 0 when nothing was counted: requests, by_grant/refresh_token
entra_count() {
    local value

    value=$(entra_admin state | json_get "$1")
    echo "${value:-0}"
}

# last_asked PATH - of the latest request at any of the stand-in's endpoints: host, sni, path,
# scope, prompt, assertion/alg (../fake/entra/asked.py)
last_asked() {
    entra_admin state | json_get asked | "$PYTHON" -c 'import json, sys
print(json.dumps(json.load(sys.stdin)[-1]))' | json_get "$1"
}

# new_token JSON - an access token from the admin interface, e.g. '{"client": "..."}'.
new_token() {
    entra_admin token "$1" | json_get access_token
}

# write_accounts [LINE...] - $WORK/mailbearer.conf: the stand-in as provider "standin" and the
# account relay@contoso.com (client credentials, allow_users { postfix }); with
# DOVECOT_SUBMISSION set, its smtp server is Dovecot. Further lines are appended as they are.
write_accounts() {
    local smtp=

    mkdir -p "$WORK/store" "$WORK/secrets"
    chmod 700 "$WORK/store" "$WORK/secrets"
    [[ -z ${DOVECOT_SUBMISSION:-} ]] || smtp="localhost:$DOVECOT_SUBMISSION starttls"
    (umask 077 && printf '%s\n' "$APP_SECRET" > "$WORK/secrets/relay")
    {
        printf 'store {\n    directory = "%s"\n}\n' "$WORK/store"
        printf 'provider "standin" {\n    token_endpoint = "%s"\n    scope = "%s"\n}\n' \
            "$TOKEN_ENDPOINT" "$APP_SCOPE"
        printf 'account "relay@contoso.com" {\n    provider = standin\n'
        printf '    grant = client_credentials\n    client_id = %s\n' "$APP_CLIENT"
        printf '    client_secret_file = "%s"\n' "$WORK/secrets/relay"
        printf '    allow_users = { %s }\n' "${RELAY_USERS-postfix}"
        [[ -z $smtp ]] || printf '    smtp = "%s"\n' "$smtp"
        [[ ! -f $WORK/tls/ca.pem ]] || printf '    ca_file = "%s"\n' "$WORK/tls/ca.pem"
        printf '}\n'
        [[ $# -eq 0 ]] || printf '%s\n' "$@"
    } > "$WORK/mailbearer.conf.new"
    chmod 600 "$WORK/mailbearer.conf.new"
    mv "$WORK/mailbearer.conf.new" "$WORK/mailbearer.conf"
}

# start_agent [SOCKET...] - mailbearer agent, listening on $WORK/agent.sock or the sockets
# named. Sets MAILBEARER_SOCKET to the first. Its log is $WORK/agent.log.
start_agent() {
    local path
    local -a listen=()

    [[ $# -gt 0 ]] || set -- "$WORK/agent.sock"
    for path in "$@"; do
        mkdir -p "${path%/*}"
        listen+=(--listen "$path")
    done
    "$MAILBEARER" -c "$WORK/mailbearer.conf" agent "${listen[@]}" \
        3>&- >> "$WORK/agent.log" 2>&1 &
    record_pid $! agent
    export MAILBEARER_SOCKET=$1
    retry_until 10 agent_is_settled $! "$1"
    [[ -S $1 ]] || { cat "$WORK/agent.log" >&2; return 1; }
}

# agent_is_settled PID SOCKET - it listens, or has given up.
agent_is_settled() {
    [[ -S $2 ]] || none_alive "$1"
}

# stop_agent - as an administrator would.
stop_agent() {
    stop_named agent
}

# ask MAP KEY [SOCKET] - one question to the agent; prints what postmap prints.
ask() {
    postmap -q "$2" "socketmap:unix:${3:-$MAILBEARER_SOCKET}:$1"
}

# reply_of MAP KEY [SOCKET] - the agent's whole reply, status and text, as it was sent.
reply_of() {
    "$PYTHON" -c 'import socket, sys
path, text = sys.argv[1], " ".join(sys.argv[2:]).encode()
with socket.socket(socket.AF_UNIX) as agent:
    agent.settimeout(60)
    agent.connect(path)
    agent.sendall(b"%d:%s," % (len(text), text))
    reply = b""
    while b":" not in reply or len(reply) < len(reply.split(b":")[0]) + int(reply.split(b":")[0]) + 2:
        part = agent.recv(65536)
        if not part:
            sys.exit("the agent closed the connection")
        reply += part
print(reply.partition(b":")[2][:-1].decode())' "${3:-$MAILBEARER_SOCKET}" "$1" "$2"
}

# export_work - makes what setup_file started known to a file's tests (bats runs each in a
# process of its own).
export_work() {
    local name

    for name in WORK TOKEN_ENDPOINT "${!ENTRA_@}" "${!DOVECOT_@}" "${!EXCHANGE_@}" \
        "${!POSTFIX_@}" QUEUE MAILLOG AGENT_SOCKET MAILBEARER_SOCKET; do
        # shellcheck disable=SC2163
        [[ -z ${!name:-} ]] || export "$name"
    done
}

# refute COMMAND... - it fails. (A `!` in front would not fail a bats test.)
refute() {
    if "$@"; then
        printf 'succeeded: %s\n' "$*" >&2
        return 1
    fi
}

# expect TEXT TEXT - the two are equal.
expect() {
    [[ $1 = "$2" ]] || {
        printf 'expected: %s\n     got: %s\n' "$1" "$2" >&2
        return 1
    }
}

# expect_in TEXT PART - the text holds the part.
expect_in() {
    [[ $1 = *"$2"* ]] || {
        printf 'expected in it: %s\n           got: %s\n' "$2" "$1" >&2
        return 1
    }
}

# no_secret_in PATH... - no secret or token in what was written there.
no_secret_in() {
    expect '' "$("$TESTS/check-secrets.sh" --list "$@")"
}
