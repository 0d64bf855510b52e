# shellcheck shell=bash
# mta.bash - mail servers run with what `mailbearer setup` prints, and nothing else, in a
# world of their own: own /etc, /run and /var/spool, own network, own users.
#
# Used by:  clients-mta.bats
# Needs:    lib.bash, agent.bash, dovecot.bash, fetch.bash, netns.bash, setup.bash; root
#
# A mail server that would replace the machine's own is unpacked, never installed: its
# package's /usr lies over the system's for one test alone.
#
#   setup_file() { make_world; }
#   @test "..." { in_world what_it_does; }
#   @test "..." { with_packages "nullmailer" what_it_does; }

# The users of the packages that are unpacked only.
WORLD_USERS=(Debian-exim:61101 opensmtpd:61102 opensmtpq:61103 nullmail:61104 smmta:61105
    smmsp:61106 writer:61107)

# unpack_package NAME - below $BUILD/packages/NAME, once, and so the libraries it needs that
# are not installed; NAME.layers lists both, as overlayfs wants them. Fails where it cannot
# be had.
unpack_package() {
    local to=$BUILD/packages/$1 deb library

    [[ ! -f $to.layers ]] || return 0
    deb=$(mktemp -d "$WORK/deb.XXXXXX")
    chmod 777 "$deb"
    (cd "$deb" && timeout 100 apt-get -q download "$1") >> "$WORK/packages.log" 2>&1 || return 1
    mkdir -p "$to"
    dpkg -x "$deb"/*.deb "$to" || return 1
    printf '%s' "$to/usr:" > "$to.layers.new"
    for library in $(dpkg-deb -f "$deb"/*.deb Depends | tr ',' '\n' |
        sed -n 's/^ *\(lib[^ |(]*\).*/\1/p'); do
        [[ $(dpkg-query -W -f '${Status}' "$library" 2> /dev/null) != *' installed' ]] || continue
        unpack_package "$library" || return 1
        cat "$BUILD/packages/$library.layers" >> "$to.layers.new"
    done
    rm -rf "$deb"
    mv "$to.layers.new" "$to.layers"
}

# make_world - what setup_file does: the world, in it Dovecot, the stand-in and the agent at
# the system's socket.
make_world() {
    local user id

    make_work
    mkdir "$WORK/bin" "$WORK/etc" "$WORK/private"
    cp "$BUILD"/mailbearer{,-oauth,-fetch} "$LIB_DIRECTORY"/{talk,through,odd_server,proxy}.py \
        "$WORK/bin/"
    use_copied_programs
    cp -a /etc/. "$WORK/etc/"
    echo '127.0.0.1 localhost relay.contoso.com' > "$WORK/etc/hosts"
    echo 'options timeout:1 attempts:1' > "$WORK/etc/resolv.conf" # nobody answers
    for user in "${WORLD_USERS[@]}"; do
        id=${user#*:}
        user=${user%:*}
        echo "$user:x:$id:$id:The $user:$WORK/home:/bin/sh" >> "$WORK/etc/passwd"
        echo "$user:x:$id:" >> "$WORK/etc/group"
    done
    hold_world || return 1
    in_private fill_world
}

# hold_world - the namespaces, held by a process that sleeps.
hold_world() {
    # shellcheck disable=SC2016
    unshare --mount --net --propagation private -- bash -c '
        set -e
        ip link set lo up
        mount --bind "$1/etc" /etc
        for i in /run /var/spool /var/log /var/mail; do
            mount -t tmpfs -o mode=755 tmpfs "$i"
        done
        : > "$1/private/ready"
        exec sleep 3600' world "$WORK" 3>&- > "$WORK/private/err" 2>&1 &
    export PRIVATE_PID=$!
    record_pid "$PRIVATE_PID" private
    retry_until 20 test -e "$WORK/private/ready" || { cat "$WORK/private/err" >&2; return 1; }
}

# fill_world - inside: what all tests share. Its variables are left in $WORK/vars.
fill_world() {
    # For its variables, which do not come along.
    # shellcheck disable=SC1091
    . "$TESTS/integration/dovecot.bash"
    start_entra
    set_client "$APP_CLIENT" '"token_size": 2500'
    start_dovecot
    world_accounts
    mkdir -p /run/mailbearer
    start_world_agent
    ln -s "$WORK/dovecot/run" /run/dovecot
    for name in "${!DOVECOT_@}" "${!ENTRA_@}" TOKEN_ENDPOINT; do
        printf 'export %s=%q\n' "$name" "${!name}"
    done > "$WORK/vars"
}

# start_world_agent - at the system's socket and in Postfix's jail.
start_world_agent() {
    start_agent /run/mailbearer/agent.sock "$WORK/postfix/queue/run/mailbearer/agent.sock"
}

# world_accounts - relay@contoso.com and, as `second`, shared@contoso.com, at Dovecot.
world_accounts() {
    local users='postfix, Debian-exim, mail, opensmtpd, nullmail, writer'
    local port=$DOVECOT_SUBMISSION

    DOVECOT_SUBMISSION='' RELAY_USERS=$users write_accounts 'defaults {' \
        "    imap = \"localhost:$DOVECOT_IMAPS tls\"" \
        "    pop3 = \"localhost:$DOVECOT_POP3S tls\"" \
        "    smtp = \"localhost:$port starttls\"" \
        "    ca_file = \"$WORK/tls/ca.pem\"" '}' \
        "$(app_account second 'user = shared@contoso.com' "allow_users = { $users }")"
}

# in_world FUNCTION [ARGUMENT...] - as in_private, with what fill_world left behind.
in_world() {
    # shellcheck disable=SC1091
    . "$WORK/vars"
    export -n MAILBEARER_SOCKET
    in_private "$@"
}

# with_packages "NAME..." FUNCTION - as in_world, with these packages' /usr over the
# system's. The test is skipped where that cannot be.
with_packages() {
    local name layers=

    for name in $1; do
        unpack_package "$name" || skip "the package $name cannot be had here"
        layers+=$(< "$BUILD/packages/$name.layers")
    done
    # A library of two packages comes twice, which overlayfs refuses.
    layers=$(tr ':' '\n' <<< "$layers" | awk 'NF && !seen[$0]++ { printf "%s:", $0 }')
    in_private overlay_works "$layers" || skip "no overlay file system can be mounted here"
    in_world under_layers "$layers" "${@:2}"
}

overlay_works() {
    unshare --mount --propagation private -- \
        mount -t overlay overlay -o "lowerdir=$1/usr" /usr 2> /dev/null
}

under_layers() {
    # shellcheck disable=SC2016
    unshare --mount --propagation private -- bash -c '
        mount -t overlay overlay -o "lowerdir=$1/usr" /usr
        shift
        . "$TESTS/integration/lib.bash"
        . "$TESTS/integration/agent.bash"
        . "$WORK/private/functions"
        set -eE
        "$@"' under_layers "$@"
}

# print_clean CLIENT ACCOUNT - the text is $WORK/setup/printed, and no secret is in it. The
# system's agent is asked, as by anybody who has no accounts file. PRINT_AS is a command in
# front, for another user than root.
print_clean() {
    rm -rf "${WORK:?}/setup"
    mkdir "$WORK/setup"
    "${PRINT_AS[@]}" "$MAILBEARER" setup "$@" > "$WORK/setup/printed" &&
        no_secret_in "$WORK/setup"
}

# use_printed CLIENT [ACCOUNT] - the files are where the text says, nothing changed; the
# commands are in $WORK/setup/commands. An account of a test's own needs its own files first.
use_printed() {
    print_clean "$1" "${2:-$RELAY}" || return 1
    mkdir -p "$WORK/setup/files" "$WORK/home"
    cut_setup "$WORK/setup/files" "$WORK/home" < "$WORK/setup/printed"
    [[ ! -e $WORK/setup/files/commands ]] || mv "$WORK/setup/files/commands" "$WORK/setup/"
    if [[ -d $WORK/setup/files/etc ]]; then
        (cd "$WORK/setup/files" && find etc -type f) | while read -r file; do
            mkdir -p "/${file%/*}"
            cat "$WORK/setup/files/$file" >> "/$file"
            chmod --reference="$WORK/setup/files/$file" "/$file"
        done
    fi
}

# letter SUBJECT [FROM] - a message, on standard output.
letter() {
    printf 'From: %s\nTo: alice@contoso.com\nSubject: %s\n\nHello, by %s.\n' \
        "${2:-$RELAY}" "$1" "$1"
}

# arrived SUBJECT [USER] - the message is in the mailbox.
arrived() {
    retry_until "${TIME:-20}" mail_holds "${2:-alice@contoso.com}" "Subject: $1"
}

# signed_in USER - Dovecot let that user send.
signed_in() {
    grep -q "submission-login: Info: Login: user=<$1>, method=[XO]" "$WORK/dovecot/log"
}

# local_port CLIENT - the printed files are there, and the port of the printed commands
# listens. The commands behind it are left in $WORK/setup/then. PORT_FILES is the function
# that makes the files.
local_port() {
    local port

    mkdir -p /etc/mailbearer
    cp "$WORK/mailbearer.conf" /etc/mailbearer/mailbearer.conf
    rm -f /etc/mailbearer/ports
    "${PORT_FILES:-use_printed}" "$1"
    sed '/ &$/q' "$WORK/setup/commands" > "$WORK/setup/start"
    sed '1,/ &$/d' "$WORK/setup/commands" > "$WORK/setup/then"
    port=$(sed -n 's/.*--listen 127\.0\.0\.1:\([0-9]*\) .*/\1/p' "$WORK/setup/start")
    # shellcheck disable=SC1091
    . "$WORK/setup/start" > "$WORK/setup/password.token" 2> "$WORK/server.log" 3>&-
    record_pid $! server
    retry_until 10 port_answers "$port" || { cat "$WORK/server.log" >&2; return 1; }
}

# fill_in FILE... - the local password where the text says LOCAL-PASSWORD.
fill_in() {
    local password

    password=$(head -n 1 "$WORK/setup/password.token")
    [[ -n $password ]]
    sed -i "s/LOCAL-PASSWORD/$password/" "$@"
}
