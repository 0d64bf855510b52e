#!/bin/sh
# The tarball that `make dist` makes of what is committed: the same each time, whole, and all
# that is needed to build, test and install. Prints TAP.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
version=$(git -C "$here" show HEAD:Makefile | sed -n 's/^VERSION = //p')
tree=$dir/mailbearer-$version
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
        tail -n 40 "$dir/out" | sed 's/^/# /'
        failures=1
    fi
}

run_make() {
    env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES make --no-print-directory "$@"
}

# Another time zone, umask and locale make no difference.
twice() {
    (umask 022 && cd "$here" && TZ=UTC run_make BUILD="$dir/1" dist) &&
        sleep 1 && (umask 077 && cd "$here" && TZ=Asia/Kolkata LC_ALL=C run_make BUILD="$dir/2" dist) &&
        cmp "$dir/1/mailbearer-$version.tar.gz" "$dir/2/mailbearer-$version.tar.gz" &&
        tar -C "$dir" -xzf "$dir/1/mailbearer-$version.tar.gz"
}

whole() {
    (cd "$tree" && find . ! -type d | sed 's,^\./,,' | LC_ALL=C sort) >"$dir/there"
    git -C "$here" ls-tree -r --name-only HEAD | LC_ALL=C sort | diff - "$dir/there"
}

versions_agree() {
    sed q "$tree/packaging/debian/changelog" | grep "^mailbearer ($version-[0-9]*)" ||
        { echo "packaging/debian/changelog: the first entry is not of $version"; return 1; }
}

installs() {
    run_make -C "$tree" BUILD="$dir/build" DESTDIR="$dir/stage" install &&
        "$dir/stage/usr/local/bin/mailbearer" --version | grep -qx "mailbearer $version"
}

git -C "$here" rev-parse -q --verify HEAD >/dev/null || { echo "Bail out! no git here"; exit 1; }
echo 1..6
check 'made twice, it is the same' twice
check 'every file that is committed, and no other' whole
check 'the packages have the version of the Makefile' versions_agree
check 'everything builds' run_make -C "$tree" BUILD="$dir/build" -j2 WERROR=1 all
check 'the unit tests pass' run_make -C "$tree" BUILD="$dir/build" -j2 check-unit
check 'it installs' installs
exit $failures
