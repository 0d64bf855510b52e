#!/bin/sh
# The Debian packages, in clean chroots: built twice, looked at, installed, upgraded, tried,
# removed, purged. Prints TAP. As root; needs debootstrap, unshare and a Debian mirror.
#
# usage: packaging/debian/check.sh TARBALL FOLDER [RELEASE...]     (default: bookworm trixie)
#
# FOLDER keeps the chroots for the next time (a gigabyte a release) and gets the packages, in
# FOLDER/RELEASE/packages. $MAILBEARER_MIRROR is where Debian comes from.
#
# Everything is done in a mount and process namespace of its own: nothing stays mounted and
# nothing goes on running, however this ends.
set -u
if [ -z "${MAILBEARER_NAMESPACE:-}" ]; then
    MAILBEARER_NAMESPACE=1 exec unshare --mount --propagation private "$0" "$@"
fi
tarball=$(readlink -f "$1") || exit 64
mkdir -p "$2" && folder=$(readlink -f "$2") || exit 64
shift 2
[ $# -gt 0 ] || set -- bookworm trixie
packages='libsasl2-modules-mailbearer mailbearer mailbearer-fetch'
version=${tarball##*/mailbearer-}
version=${version%.tar.gz}
# shellcheck source=packaging/debian/chroots.sh
. "$(dirname "$0")/chroots.sh"

same_twice() {
    one=$folder/$release/build1/home/builder1/out/place1
    two=$folder/$release/build2/home/builder2/out/place2
    (cd "$one" && sha256sum -- *.deb *.dsc *.debian.tar.*) >"$folder/one" &&
        (cd "$two" && sha256sum -- *.deb *.dsc *.debian.tar.*) >"$folder/two" || return 1
    diff "$folder/one" "$folder/two" || return 1
    keep_packages 1
}

debug_symbols() {
    for package in $packages; do
        ls "$folder/$release/packages/$package-dbgsym_$version"-*.deb || return 1
    done
}

look() {
    mkdir -p "$folder/$release/tools/tmp/packages" &&
        cp "$folder/$release/packages"/* "$folder/$release/tools/tmp/packages/" &&
        inside "$folder/$release/tools" sh -c 'lintian --allow-root -EviIL +pedantic \
            --fail-on error,warning /tmp/packages/*.changes'
}

# What can be read by anybody else, or written, must not be what a package of ours leaves;
# what dpkg and apt keep for themselves is left out.
files() {
    (cd "$root" && find . -xdev \( -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache \
        -o -path ./var/log -o -path ./tmp -o -path ./proc -o -path ./dev -o -path ./run -o -path ./sys \
        -o -path './etc/*-' -o -path ./etc/ld.so.cache -o -path ./var/lib/systemd/catalog \) -prune -o -print) |
        LC_ALL=C sort
}

# prepare: a chroot with what ours depends on, the packages at hand, and what is there noted.
prepare() {
    layer system "$base" || return 1
    root=$folder/$release/system
    mkdir -p "$root/packages" && cp "$folder/$release/packages"/*.deb "$root/packages/" || return 1
    rm -f "$root/packages"/*dbgsym*
    apt "$root" update '' && apt "$root" install 'systemd libsasl2-modules' || return 1
    # The libraries alone: packages that depend on the same are installed, and removed again.
    inside "$root" sh -c 'apt-get -q -y --no-install-recommends install /packages/*.deb' || return 1
    # shellcheck disable=SC2086
    inside "$root" dpkg --purge $packages || return 1
    files >"$folder/$release/files.before"
}

install_ours() {
    inside "$root" sh -c 'apt-get -q -y --no-install-recommends install /packages/*.deb'
}

# upgrade: the same with a higher version number.
upgrade() {
    # shellcheck disable=SC2016
    inside "$root" sh -c 'set -e; mkdir -p /newer; cd /newer
        for deb in /packages/*.deb; do
            rm -rf tree; dpkg-deb -R "$deb" tree
            sed -i -E "s/^(Version: .*)/\1+newer/; s/(mailbearer \(= [^)]*)\)/\1+newer)/" tree/DEBIAN/control
            dpkg-deb --root-owner-group -b tree "$(basename "$deb" .deb)+newer.deb" >/dev/null
        done
        rm -rf tree
        echo kept >/var/lib/mailbearer/kept; echo kept >/etc/mailbearer/kept
        apt-get -q -y --no-install-recommends install /newer/*.deb
        dpkg-query -W -f "\${Version}\n" mailbearer | grep -F +newer
        grep -q kept /var/lib/mailbearer/kept && grep -q kept /etc/mailbearer/kept
        mailbearer --version'
}

removed() {
    # shellcheck disable=SC2086
    inside "$root" dpkg --remove $packages || return 1
    inside "$root" sh -c '[ -e /etc/mailbearer/kept ] && [ -e /var/lib/mailbearer/kept ] && ! [ -e /usr/bin/mailbearer ]'
}

# The users stay, as policy wants it; nothing else does.
purged() {
    # shellcheck disable=SC2086
    inside "$root" dpkg --purge $packages || return 1
    rm -rf "$root/newer"
    files >"$folder/$release/files.after"
    diff "$folder/$release/files.before" "$folder/$release/files.after" &&
        inside "$root" getent passwd mailbearer mailbearer-fetch
}

# tried TEST: an autopkgtest, with what its Depends say.
tried() {
    needs=$(awk -v test="$1" '/^Tests:/ { ours = $2 == test } /^Depends:/ { on = ours } /^[A-Z]/ && !/^Depends:/ { on = 0 }
        on { sub(/^Depends:/, ""); gsub(/,/, " "); sub(/@/, ""); print }' \
        "$folder/$release/source/packaging/debian/tests/control")
    # shellcheck disable=SC2086
    inside "$root" apt-get -q -y --no-install-recommends install $needs &&
        rm -rf "$root/source" && cp -r "$folder/$release/source" "$root/source" &&
        cp -r "$root/source/packaging/debian" "$root/source/debian" &&
        inside "$root" sh -c "cd /source && debian/tests/$1"
}

[ "$(id -u)" -eq 0 ] || { echo "Bail out! needs root"; exit 77; }
command -v debootstrap >/dev/null || { echo "Bail out! debootstrap is missing"; exit 69; }
echo "1..$(($# * 15))"
for release; do
    begin_release "$release"
    check 'a clean chroot' base
    check 'what the build needs' build_needs
    check 'built' build 1
    check 'built again, elsewhere' build 2
    check 'the same, bit for bit' same_twice
    check 'debug symbols' debug_symbols
    check 'lintian' look
    check 'another chroot' prepare
    check 'installed' install_ours
    check 'upgraded' upgrade
    check 'removed, what the administrator has stays' removed
    check 'purged, nothing stays' purged
    check 'installed again' install_ours
    check 'autopkgtest installed' tried installed
    check 'autopkgtest relay' tried relay
done
exit "$failures"
