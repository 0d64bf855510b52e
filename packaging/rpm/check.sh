#!/bin/sh
# The rpm packages: built with the unit tests, compared with what must be in them, looked at
# with rpmlint. Prints TAP.
#
# usage: packaging/rpm/check.sh TARBALL FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd)
tarball=$(readlink -f "$1") || exit 64
mkdir -p "$2" && folder=$(readlink -f "$2") || exit 64
version=${tarball##*/mailbearer-}
version=${version%.tar.gz}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
isa=$(rpm --eval '%{?__isa_name}-%{?__isa_bits}')
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

packages() {
    find "$folder/RPMS" -name '*.rpm' | LC_ALL=C sort
}

package() {
    packages | grep "/$1-$version-"
}

# What is different in each build, or each document added, is left out.
listed() {
    for package in $(packages); do
        rpm -qp --qf '[%{=NAME} %{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILENAMES}\n]' "$package"
    done | grep -v '/\.build-id\|/share/doc/.*\.md$' | sed "s,-$version,-VERSION," | LC_ALL=C sort
}

as_expected() {
    listed | diff "$here/files" -
}

# has PACKAGE QUERY WORDS: rpm's answer has a line that is these words.
has() {
    rpm -qp "$2" "$(package "$1")" | grep -Fx -- "$3" || { rpm -qp "$2" "$(package "$1")"; return 1; }
}

plugin_provides_nothing() {
    ! rpm -qp --provides "$(package cyrus-sasl-mailbearer)" | grep '\.so'
}

# In the order in which rpm runs them: users before files.
scriptlets() {
    has mailbearer --scripts ': sysusers_create_compat mailbearer' &&
        has mailbearer-fetch --scripts ': sysusers_create_compat mailbearer-fetch' &&
        has mailbearer --scripts ': systemd_post mailbearer.socket mailbearer.service mailbearer-hook.socket' &&
        has mailbearer --scripts ': systemd_postun_with_restart mailbearer.service' &&
        has mailbearer-selinux --scripts \
            ': selinux_modules_install /usr/share/selinux/packages/targeted/mailbearer.pp.bz2'
}

debris() {
    ! packages | xargs rpm -qp --qf '[%{FILENAMES}\n]' | grep -E '^/usr/local|/debian|\.la$'
}

# Programs and policy name each other where they were installed.
unpacked() {
    mkdir "$dir/root" && for package in $(packages); do
        (cd "$dir/root" && rpm2cpio "$package" | cpio -idm --quiet) || return 1
    done
    "$dir/root/usr/bin/mailbearer" --version | grep -qx "mailbearer $version" &&
        "$dir/root/usr/bin/mailbearer-fetch" --version &&
        strings "$dir/root/usr/bin/mailbearer" | grep -x '/usr/libexec/mailbearer/mailbearer-oauth' &&
        bunzip2 -c "$dir/root/usr/share/selinux/packages/targeted/mailbearer.pp.bz2" |
        strings | grep '^/usr/libexec/mailbearer/mailbearer-oauth'
}

looked_at() {
    rpmlint --config "$here/rpmlint.toml" "$folder/RPMS" "$folder/SRPMS" "$here/mailbearer.spec" >"$dir/lint" 2>&1
    cat "$dir/lint"
    grep -q ' 0 errors, 0 warnings' "$dir/lint"
}

# What rpmlint does not like is seen.
found() {
    sed 's/^URL:.*/URL: nowhere/; s/^%description$/%description\nxxx    \t/' "$here/mailbearer.spec" >"$dir/bad.spec"
    rpmlint --config "$here/rpmlint.toml" "$dir/bad.spec" | grep 'mixed-use-of-spaces-and-tabs'
}

for tool in rpmbuild rpmlint cpio; do
    command -v $tool >/dev/null || { echo "Bail out! $tool is missing: packaging/install-deps.sh packages"; exit 69; }
done
echo 1..10
check 'built, and the unit tests pass' "$here/build.sh" "$tarball" "$folder"
[ $failures = 0 ] || exit 1
check 'every file, with mode and owner, and no other' as_expected
check 'nothing in places that are not for packages' debris
check 'what was installed runs and finds its parts' unpacked
check 'the plugin belongs to cyrus-sasl' has cyrus-sasl-mailbearer --requires "cyrus-sasl-lib($isa)"
check 'the plugin is no library for others' plugin_provides_nothing
check 'the tunnel needs the command of its own version' has mailbearer-fetch --requires "mailbearer($isa) = $version-1"
check 'users, units and the policy module' scriptlets
check 'rpmlint' looked_at
check 'found: a specification that is not in order' found
exit $failures
