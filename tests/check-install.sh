#!/bin/sh
# `make install` and `make uninstall`: the right files with the right modes, and the one takes
# away what the other has put there and nothing else. Prints TAP. $MAILBEARER_BUILD is where it was
# built; it is installed from a copy, as the paths in the unit files depend on the prefix.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
build=${MAILBEARER_BUILD:-$here/build}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
stage=$dir/stage
count=0
failures=0

result() {
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        printf '%s\n' "$3" | sed 's/^/# /'
        failures=1
    fi
}

# Only the files that depend on the prefix are made again: `all` is told to be there.
run() {
    (cd "$here" && env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES make -s BUILD="$dir/build" \
        -o "$dir/build/libmailbearer.so" -o "$dir/build/mailbearer" -o "$dir/build/mailbearer-oauth" \
        -o "$dir/build/mailbearer-fetch" DESTDIR="$stage" "$@") 2>&1 | grep -v '^  GEN  '
}

files() {
    (cd "$stage" && find . ! -type d | LC_ALL=C sort)
}

# manifest PREFIX UNITS USER_UNITS GENERATORS SYSUSERS TMPFILES: what must be installed.
manifest() {
    cat <<F
.$1/bin/mailbearer
.$1/bin/mailbearer-fetch
.$1/libexec/mailbearer-oauth
.$1/share/bash-completion/completions/mailbearer
.$1/share/bash-completion/completions/mailbearer-fetch
.$1/share/fish/vendor_completions.d/mailbearer-fetch.fish
.$1/share/fish/vendor_completions.d/mailbearer.fish
.$1/share/man/man1/mailbearer-fetch.1
.$1/share/man/man1/mailbearer.1
.$1/share/man/man5/mailbearer.conf.5
.$1/share/man/man7/mailbearer-sasl.7
.$1/share/man/man8/mailbearer-agent.8
.$1/share/zsh/site-functions/_mailbearer
.$2/mailbearer-fetch@.service
.$2/mailbearer-fetch@.socket
.$2/mailbearer-fetch@imap.socket.d/port.conf
.$2/mailbearer-fetch@pop3.socket.d/port.conf
.$2/mailbearer-fetch@smtp.socket.d/port.conf
.$2/mailbearer-hook.socket
.$2/mailbearer-hook@.service
.$2/mailbearer.service
.$2/mailbearer.socket
.$3/mailbearer.service
.$3/mailbearer.socket
.$4/mailbearer-postfix-generator
.$5/mailbearer-fetch.conf
.$5/mailbearer.conf
.$6/mailbearer.conf
./plugins/libmailbearer.so
F
    (cd "$here" && ls README.md CHANGELOG.md SECURITY.md docs/*.md) | sed "s,^,.$1/share/doc/mailbearer/,"
}

pc() {
    pkg-config --variable="$1" systemd 2>/dev/null || true
}

mkdir -p "$dir/build"
for file in libmailbearer.so mailbearer mailbearer-oauth mailbearer-fetch; do
    cp -p "$build/$file" "$dir/build/" || { echo "Bail out! $build/$file is not there"; exit 1; }
done
echo 1..12

said=$(run SASL_PLUGIN_DIR=/plugins install)
[ -z "$said" ]
result $? "install" "$said"
l=/usr/local/lib
manifest /usr/local $l/systemd/system $l/systemd/user $l/systemd/system-generators $l/sysusers.d \
    $l/tmpfiles.d | LC_ALL=C sort >"$dir/wanted"
said=$(files | diff "$dir/wanted" -)
[ -z "$said" ]
result $? "every file, and no other" "$said"
said=$(cd "$stage" && find . -type f ! -path '*/bin/*' ! -path '*/libexec/*' ! -path '*-generators/*' ! -perm 644 &&
    find usr/local/bin usr/local/libexec usr/local/lib/systemd/system-generators -type f ! -perm 755)
[ -z "$said" ]
result $? "modes" "$said"
said=$(cd "$stage" && grep -rn '/usr/bin/' usr/local/lib)
[ -z "$said" ] && grep -q '^ExecStart=/usr/local/bin/mailbearer agent$' "$stage$l/systemd/system/mailbearer.service"
result $? "units name the programs of this prefix" "$said"
said=$("$stage/usr/local/bin/mailbearer" --version)
[ "$said" = "mailbearer $(sed -n 's/^VERSION = //p' "$here/Makefile")" ]
result $? "what was installed runs" "$said"
files >"$dir/once"
said=$(run SASL_PLUGIN_DIR=/plugins install; files | diff "$dir/once" -)
[ -z "$said" ]
result $? "again, over itself" "$said"

echo planted >"$stage/usr/local/share/doc/mailbearer/docs/planted"
mkdir -p "$stage/usr/local/bin/other" "$stage/etc/mailbearer"
echo kept >"$stage/etc/mailbearer/mailbearer.conf"
said=$(run SASL_PLUGIN_DIR=/plugins uninstall)
[ -z "$said" ]
result $? "uninstall" "$said"
said=$(cd "$stage" && find . | LC_ALL=C sort)
[ "$said" = ".
./etc
./etc/mailbearer
./etc/mailbearer/mailbearer.conf
./usr
./usr/local
./usr/local/bin
./usr/local/bin/other
./usr/local/share
./usr/local/share/doc
./usr/local/share/doc/mailbearer
./usr/local/share/doc/mailbearer/docs
./usr/local/share/doc/mailbearer/docs/planted" ]
result $? "nothing of ours is left, and what others put there is" "$said"
said=$(run SASL_PLUGIN_DIR=/plugins uninstall)
[ -z "$said" ]
result $? "uninstall where nothing is" "$said"

# Without DESTDIR: folders that bear our name go, others stay, empty or not.
rm -rf "$stage" && mkdir -p "$stage"
said=$(run DESTDIR= PREFIX="$stage" SASL_PLUGIN_DIR="$stage/plugins" install
    run DESTDIR= PREFIX="$stage" SASL_PLUGIN_DIR="$stage/plugins" uninstall)
said=$said$(cd "$stage" && find . ! -type d; find . -name '*mailbearer*')
[ -z "$said" ] && [ -d "$stage/bin" ]
result $? "into a folder of one's own, and out of it" "$said"

# As a distribution does.
rm -rf "$stage"
said=$(run PREFIX=/usr SASL_PLUGIN_DIR=/plugins install)
units=$(pc systemdsystemunitdir) users=$(pc systemduserunitdir) generators=$(pc systemdsystemgeneratordir)
sysusers=$(pc sysusersdir) tmpfiles=$(pc tmpfilesdir)
u=/usr/lib/systemd
manifest /usr "${units:-$u/system}" "${users:-$u/user}" "${generators:-$u/system-generators}" \
    "${sysusers:-/usr/lib/sysusers.d}" "${tmpfiles:-/usr/lib/tmpfiles.d}" | LC_ALL=C sort >"$dir/wanted"
said=$said$(files | diff "$dir/wanted" -)
[ -z "$said" ]
result $? "PREFIX=/usr: where systemd says that units belong" "$said"
said=$(run PREFIX=/usr SASL_PLUGIN_DIR=/plugins uninstall; find "$stage" ! -path "$stage")
[ -z "$said" ]
result $? "and nothing is left of it" "$said"
exit $failures
