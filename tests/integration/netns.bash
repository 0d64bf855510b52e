# shellcheck shell=bash
# netns.bash - a network of our own, in which the stand-in has the real host names: what
# the presets say is tested as it is.
#
# Used by:  presets.bats; any test that needs port 443, 169.254.169.254 or a real name
# Needs:    lib.bash; root
#
#   setup_file() { make_work; start_private; export_work; }
#   @test "..." { in_private what_it_does; }
#
# A mount and a network namespace, held by a process that sleeps: nothing outside changes,
# and nothing inside reaches the world. Everything that talks to the stand-in, entra_admin
# too, must run inside.

# Hosts of the presets (token-helper/accounts/providers.c).
REAL_HOSTS=(login.microsoftonline.com login.microsoftonline.us
    login.partner.microsoftonline.cn accounts.google.com oauth2.googleapis.com
    api.login.yahoo.com api.fastmail.com)

# start_private [OPTION...] - makes the namespace and starts the stand-in in it: https on port
# 443 for all REAL_HOSTS, managed identity at 169.254.169.254:80 and 127.0.0.1:40342. Options
# are entra.py's. The authority's certificate is $WORK/tls/ca.pem, for `ca_file`.
start_private() {
    local host
    local -a options=(--tls --port 443 --imds 169.254.169.254:80 --imds 127.0.0.1:40342)

    make_private
    for host in "${REAL_HOSTS[@]}"; do
        options+=(--host "$host")
    done
    in_private start_entra "${options[@]}" "$@"
    # shellcheck disable=SC1091
    . "$WORK/entra.env"
    # shellcheck disable=SC2034
    TOKEN_ENDPOINT=$ENTRA_URL/$TENANT/oauth2/v2.0/token
}

# make_private - the namespace alone; sets PRIVATE_PID, which in_private needs.
make_private() {
    mkdir "$WORK/private"
    {
        echo '127.0.0.1 localhost'
        echo '::1 localhost'
        printf '127.0.0.1 %s\n' "${REAL_HOSTS[@]}"
    } > "$WORK/private/hosts"
    echo 'nameserver 127.0.0.1' > "$WORK/private/resolv.conf"
    # shellcheck disable=SC2016
    unshare --mount --net --propagation private -- bash -c '
        set -e
        mount --bind "$1/hosts" /etc/hosts
        mount --bind "$1/resolv.conf" /etc/resolv.conf
        mount -t tmpfs -o mode=755 tmpfs /var/opt
        ip link set lo up
        ip address add 169.254.169.254/32 dev lo
        : > "$1/ready"
        exec sleep 3600' private "$WORK/private" 3>&- > "$WORK/private/err" 2>&1 &
    export PRIVATE_PID=$!
    record_pid "$PRIVATE_PID" private
    retry_until 10 test -e "$WORK/private/ready" || { cat "$WORK/private/err" >&2; return 1; }
}

# in_private COMMAND... - a command, or a function of this test file, inside. What it sets is
# lost; it runs in $WORK, with set -e as a test does. It has every function, lib.bash's and
# agent.bash's variables, and of the test file's own variables those that are exported.
in_private() {
    export WORK BUILD TESTS
    declare -f > "$WORK/private/functions"
    # shellcheck disable=SC2016
    nsenter --target "$PRIVATE_PID" --mount --net -- bash -c '
        functions=$1
        shift
        cd "$WORK"
        . "$TESTS/integration/lib.bash"
        . "$TESTS/integration/agent.bash"
        . "$functions"
        set -eE
        "$@"' in_private "$WORK/private/functions" "$@"
}
