#!/bin/sh
# The Arch package, built by the real makepkg (Debian has it), unit tests included, and
# compared with what must be in it. Prints TAP. namcap and Arch's libraries are not to be had
# outside Arch: what these would say is not known.
#
# usage: packaging/arch/check.sh TARBALL FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd)
tarball=$(readlink -f "$1") || exit 64
mkdir -p "$2" && folder=$(readlink -f "$2") || exit 64
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
count=0
failures=0

# check TITLE COMMAND...
check() {
    title=$1
    shift
    count=$((count + 1))
    if "$@" >"$dir/out" 2>&1 </dev/null; then
        echo "ok $count - $title"
    else
        echo "not ok $count - $title"
        tail -n 60 "$dir/out" | cut -c 1-200 | sed 's/^/# /'
        failures=1
    fi
}

# makepkg does not run as root: as root somebody with no rights builds. Not nobody, whom
# the agent never trusts, nor daemon, whom tests take for somebody else.
build() {
    rm -rf "${folder:?}"/* && mkdir "$folder/home" && cp "$tarball" "$folder/" || return 1
    sed "s/@SHA256@/$(sha256sum "$tarball" | cut -d ' ' -f 1)/" "$here/PKGBUILD" >"$folder/PKGBUILD"
    set -- makepkg --nodeps --noconfirm --check
    if [ "$(id -u)" -eq 0 ]; then
        chown -R bin: "$folder"
        set -- setpriv --reuid bin --regid bin --clear-groups "$@"
    fi
    cd "$folder" && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES HOME="$folder/home" \
        CARCH=x86_64 PKGDEST="$folder" BUILDDIR="$folder/build" PKGEXT=.pkg.tar.gz \
        PACKAGER='The mailbearer authors <mailbearer@example.org>' "$@"
}

package() {
    find "$folder" -maxdepth 1 -name 'mailbearer-[0-9]*.pkg.tar.gz'
}

as_expected() {
    tar -tzf "$(package)" | grep -v '/$\|^\.\|^usr/share/doc/' | sed 's,^,/,; s,\.gz$,,' | LC_ALL=C sort |
        diff "$here/files" -
}

owners() {
    said=$(tar -tvzf "$(package)" | awk '$2 != "root/root"')
    echo "$said"
    [ -z "$said" ]
}

described() {
    tar -xOzf "$(package)" .PKGINFO >"$dir/info" && cat "$dir/info" &&
        grep -qx 'license = BSD-2-Clause' "$dir/info" && grep -qx 'depend = libsasl' "$dir/info"
}

command -v makepkg >/dev/null || { echo "Bail out! makepkg is missing: packaging/install-deps.sh packages"; exit 69; }
echo 1..4
check 'built by makepkg, and the unit tests pass' build
[ $failures = 0 ] || exit 1
check 'every file, and no other' as_expected
check 'everything belongs to root' owners
check 'what pacman reads' described
exit $failures
