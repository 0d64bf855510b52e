#!/bin/sh
# The SELinux module and the AppArmor profiles: both compile, name the paths of the prefix they
# are made for, and faults planted in a copy are found. Prints TAP. packaging/selinux/check.sh
# looks at what the module allows once it is part of a policy.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
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
        tail -n 40 "$dir/out" | sed 's/^/# /'
        failures=1
    fi
}

# made WORDS: make with the paths of a prefix that nobody has; nothing of the tree is built.
made() {
    (cd "$here" && env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES make -s BUILD="$dir/build" \
        PREFIX=/opt/mb LIBEXECDIR=/opt/mb/libexec/x SYSCONFDIR=/opt/etc LOCALSTATEDIR=/opt/var "$@")
}

# Every path of the table, and the type in the jail.
contexts() {
    cat "$dir/build/selinux/mailbearer.fc"
    ! grep '@' "$dir/build/selinux/mailbearer.fc" &&
        cat >"$dir/wanted" <<'E' &&
/opt/mb/bin/mailbearer mailbearer_exec_t
/opt/mb/bin/mailbearer-fetch mailbearer_fetch_exec_t
/opt/mb/libexec/x/mailbearer-oauth mailbearer_exec_t
/opt/etc/mailbearer/mailbearer.conf mailbearer_conf_t
/opt/var/lib/mailbearer/relay@contoso.com.json mailbearer_var_lib_t
/run/mailbearer/agent.sock mailbearer_runtime_t
/var/spool/postfix/run/mailbearer/agent.sock mailbearer_runtime_t
/var/spool/postfix/run/mailbearer mailbearer_runtime_t
E
        while read -r path type; do
            said=$(label "$path")
            [ "$said" = "$type" ] || { echo "$path is $said"; return 1; }
        done <"$dir/wanted"
    [ "$(label /opt/mb/bin/mailbearer-other)" = none ]
}

# label PATH: the last line that matches counts, as in libselinux among equals.
label() {
    awk -v path="$1" '/^\// { if (path ~ "^" $1 "$") found = $NF }
        END { if (!match(found, /[a-z_]+_t/)) print "none"; else print substr(found, RSTART, RLENGTH) }' \
        "$dir/build/selinux/mailbearer.fc"
}

# bad FILE EXPRESSION: the module is not made of a copy that was changed so.
bad_module() {
    mkdir -p "$dir/bad" && rm -rf "$dir/bad"/* && cp "$dir/build/selinux"/mailbearer.?? "$dir/bad/" &&
        rm -f "$dir/bad"/*.pp && sed -i "$2" "$dir/bad/$1" && ! cmp -s "$dir/bad/$1" "$dir/build/selinux/$1" &&
        ! (cd "$dir/bad" && env -u MAKEFLAGS make -s -f "$devel" NAME= mailbearer.pp)
}

parsed() {
    apparmor_parser --skip-kernel-load --skip-cache --skip-read-cache "$@"
}

profiles() {
    for profile in mailbearer-agent mailbearer-fetch; do
        parsed --quiet "$dir/build/apparmor/$profile" || return 1
        [ "$(parsed --names "$dir/build/apparmor/$profile" 2>/dev/null)" = "$profile" ] || return 1
    done
}

profile_paths() {
    ! grep -n '@[A-Z]*DIR@' "$dir/build/apparmor"/* &&
        grep -qx '  /opt/mb/libexec/x/mailbearer-oauth mrix,' "$dir/build/apparmor/mailbearer-agent" &&
        grep -qx '  deny /opt/var/lib/mailbearer/\*\* rwklx,' "$dir/build/apparmor/mailbearer-fetch"
}

# The service of each drop-in is there, and so is the profile it names.
drop_ins() {
    for name in agent:mailbearer.service fetch:mailbearer-fetch@.service; do
        [ -f "$here/packaging/systemd/${name#*:}" ] &&
            grep -qx "AppArmorProfile=-mailbearer-${name%%:*}" "$dir/build/apparmor/${name%%:*}.conf" || return 1
    done
}

bad_profile() {
    sed 's/^  network netlink raw,/  netwrok netlink raw,/' "$dir/build/apparmor/mailbearer-agent" >"$dir/bad-profile"
    ! cmp -s "$dir/bad-profile" "$dir/build/apparmor/mailbearer-agent" && ! parsed --quiet "$dir/bad-profile"
}

files() {
    (cd "$dir/stage" && find . ! -type d | LC_ALL=C sort)
}

installed() {
    made DESTDIR="$dir/stage" install-selinux install-apparmor && files >"$dir/there" && diff - "$dir/there" <<'E'
./opt/etc/apparmor.d/mailbearer-agent
./opt/etc/apparmor.d/mailbearer-fetch
./opt/mb/lib/systemd/system/mailbearer-fetch@.service.d/apparmor.conf
./opt/mb/lib/systemd/system/mailbearer.service.d/apparmor.conf
./opt/mb/share/selinux/devel/include/distributed/mailbearer.if
./opt/mb/share/selinux/packages/targeted/mailbearer.pp.bz2
E
}

uninstalled() {
    made DESTDIR="$dir/stage" uninstall-selinux uninstall-apparmor && [ -z "$(files)" ] &&
        [ -z "$(find "$dir/stage" -name '*.d' -path '*mailbearer*')" ]
}

devel=/usr/share/selinux/devel/Makefile
for needed in $devel /usr/bin/checkmodule /usr/bin/semodule_package; do
    [ -e "$needed" ] || { echo "Bail out! $needed is missing: packaging/install-deps.sh test"; exit 1; }
done
PATH=$PATH:/usr/sbin:/sbin
command -v apparmor_parser >/dev/null || { echo "Bail out! apparmor_parser is missing: packaging/install-deps.sh test"; exit 1; }
echo 1..12
check 'SELinux: the module compiles' made selinux
check 'SELinux: paths and their types' contexts
check 'SELinux: found, a type that is not declared' bad_module mailbearer.te 's/^type mailbearer_conf_t;$//'
check 'SELinux: found, a path with a type that is not there' bad_module mailbearer.te 's/^type mailbearer_runtime_t;$//'
check 'SELinux: found, an interface that is not there' bad_module mailbearer.te 's/^auth_use_nsswitch/auth_use_nsswich/; s/auth_use_nsswitch(/auth_use_nswitch(/'
check 'AppArmor: made' made apparmor
check 'AppArmor: the profiles compile, and have the names that are used' profiles
check 'AppArmor: paths' profile_paths
check 'AppArmor: services run in them' drop_ins
check 'AppArmor: found, a word that it does not know' bad_profile
check 'installed' installed
check 'and taken away' uninstalled
exit $failures
