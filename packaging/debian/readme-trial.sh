#!/bin/sh
# README.md, tried as a new administrator would: in a clean chroot with Postfix and Dovecot
# the packages are installed and the section "Postfix" is followed, word for word, until a
# message has gone out. Prints TAP. As root; needs debootstrap, unshare and a Debian mirror.
#
# usage: packaging/debian/readme-trial.sh TARBALL FOLDER [RELEASE...]     (default: bookworm)
#
# FOLDER is that of check.sh: its chroots are used, and its packages where they were built from
# the same tarball. Otherwise the packages are built first. With $VERBOSE set, what the
# commands say is shown. The trial has a network of its own,
# in which stand-ins have the names of the real servers (tests/readme/trial.bash).
set -u
if [ -z "${MAILBEARER_NAMESPACE:-}" ]; then
    MAILBEARER_NAMESPACE=1 exec unshare --mount --propagation private "$0" "$@"
fi
tarball=$(readlink -f "$1") || exit 64
mkdir -p "$2" && folder=$(readlink -f "$2") || exit 64
shift 2
[ $# -gt 0 ] || set -- bookworm
# shellcheck source=packaging/debian/chroots.sh
. "$(dirname "$0")/chroots.sh"
# How many trial.bash prints.
steps=17

# made: the packages of this tarball, in $folder/$release/packages.
made() {
    cmp -s "$tarball" "$folder/$release/packages"/mailbearer_*.orig.tar.gz && return
    build_needs && build 2 && keep_packages 2
}

# machine: Debian with Postfix and Dovecot, the programs that README.md has settings for, and
# what the stand-ins need; kept for the next time.
machine() {
    packages='postfix dovecot-core dovecot-submissiond dovecot-imapd dovecot-pop3d libsasl2-modules
        fetchmail msmtp mutt isync python3 openssl ca-certificates procps'
    [ "$packages" = "$(cat "$folder/$release/machine.done" 2>/dev/null)" ] ||
        rm -f "$folder/$release/machine.done"
    layer machine "$base" || return 1
    [ ! -e "$folder/$release/machine.done" ] || return 0
    apt "$folder/$release/machine" update '' &&
        apt "$folder/$release/machine" install "$packages" &&
        echo "$packages" >"$folder/$release/machine.done"
}

# fresh: that machine as new, with the source in /root/mailbearer, and the packages where `make
# deb` leaves them.
fresh() {
    layer readme "$folder/$release/machine" || return 1
    root=$folder/$release/readme
    apt "$root" update '' &&
        cp -r "$folder/$release/source" "$root/root/mailbearer" &&
        mkdir -p "$root/root/mailbearer/build/deb" &&
        cp "$folder/$release/packages"/*.deb "$root/root/mailbearer/build/deb/"
}

# installed: by the command that README.md has for it; the answer to apt's question is yes.
installed() {
    line=$(sed -n 's/^    \(apt install .*\)/\1/p' "$root/root/mailbearer/README.md")
    echo "$line"
    [ -n "$line" ] && inside "$root" sh -c 'echo "APT::Get::Assume-Yes true;" >/etc/apt/apt.conf.d/yes' &&
        inside "$root" bash -c "cd /root/mailbearer && $line"
}

# trial: the rest happens in there, and is told from there.
trial() {
    [ ! "$broken" ] || return
    # shellcheck disable=SC2016
    unshare --mount --net --uts --pid --fork --kill-child sh -c '
        ip link set lo up && hostname relay.contoso.com && mount -t proc proc "$1/proc" &&
            mount -t tmpfs -o mode=755 tmpfs "$1/dev" || exit 1
        for node in null zero full random urandom tty; do
            : >"$1/dev/$node" && mount --bind "/dev/$node" "$1/dev/$node" || exit 1
        done
        mkdir "$1/dev/pts" && mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/dev/pts" || exit 1
        ln -s pts/ptmx "$1/dev/ptmx" && ln -s /proc/self/fd "$1/dev/fd" && ln -s /proc/self/fd/0 "$1/dev/stdin"
        exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
            LC_ALL=C.UTF-8 "VERBOSE=$3" /root/mailbearer/tests/readme/trial.bash "$2"' sh "$root" "$count" "${VERBOSE:-}" \
        2>"$folder/log" || { failures=1 && sed "s/^/# /" "$folder/log"; }
    count=$((count + steps))
}

[ "$(id -u)" -eq 0 ] || { echo "Bail out! needs root"; exit 77; }
command -v debootstrap >/dev/null || { echo "Bail out! debootstrap is missing"; exit 69; }
echo "1..$(($# * (5 + steps)))"
for release; do
    begin_release "$release"
    check 'a clean chroot' base
    check 'the packages' made
    check 'a machine with Postfix and Dovecot' machine
    check 'the machine, as new' fresh
    check 'README, Install: the packages are installed' installed
    trial
done
exit "$failures"
