#!/bin/sh
# The service files: systemd accepts them, the services are well shut in, the generator writes
# what it should, sysusers and tmpfiles are understood, the OpenRC script is a script. Prints
# TAP. $MAILBEARER_BUILD is where they were made.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
build=${MAILBEARER_BUILD:-$here/build}
units=$build/units
exposure_max=1.5
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
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

# verify FOLDER [OPTION]: what systemd says about the units in there, templates as an
# instance. The programs they name are a stand-in's, since ours are not installed.
verify() {
    mkdir -p "$dir/verify"
    rm -rf "$dir/verify"/*
    for unit in "$1"/*; do
        name=${unit##*/}
        case $name in
        *.d) cp -r "$unit" "$dir/verify/" && continue ;;
        *@.*) name=${name%@.*}@imap.${name#*@.} ;;
        esac
        sed "s,^ExecStart=[^ ]*/bin/,ExecStart=$dir/bin/," "$unit" >"$dir/verify/$name"
        # An instance refers to its own instance.
        [ "$name" = "${unit##*/}" ] || cp "$dir/verify/$name" "$dir/verify/${unit##*/}"
    done
    find "$dir/verify" -maxdepth 1 -type f ! -name '*@.*' -print0 |
        SYSTEMD_UNIT_PATH="$dir/verify:" xargs -0 systemd-analyze "${2:---system}" --man=no \
            --recursive-errors=no verify 2>&1 | grep mailbearer
}

# exposure UNIT: systemd's measure, 0 to 10; it has no threshold finer than it prints.
exposure() {
    systemd-analyze security --offline=true --no-pager "$1" |
        sed -n 's/.*Overall exposure level for .*: \([0-9.]*\) .*/\1/p'
}

well_shut_in() {
    said=$(exposure "$1")
    [ -n "$said" ] && awk -v a="$said" -v b="$exposure_max" 'BEGIN { exit !(a <= b) }'
}

# generate MAIN_CF: what the generator writes for it.
generate() {
    rm -rf "$dir/generated"
    mkdir "$dir/generated"
    printf '%s\n' "$1" >"$dir/main.cf"
    MAILBEARER_POSTFIX_MAIN_CF=$dir/main.cf \
        "$here/packaging/systemd/mailbearer-postfix-generator" "$dir/generated" 2>"$dir/err" &&
        grep -v '^#' "$dir/generated/mailbearer.socket.d/postfix.conf" 2>/dev/null
}

listens() {
    printf '[Socket]\nListenStream=%s/run/mailbearer/agent.sock' "$1"
}

command -v systemd-analyze >/dev/null ||
    { echo "Bail out! systemd-analyze is missing: packaging/install-deps.sh test"; exit 1; }
mkdir -p "$dir/bin"
for program in mailbearer mailbearer-fetch; do
    cp /bin/true "$dir/bin/$program"
done
echo 1..22

said=$(verify "$units/system")
[ -z "$said" ]
result $? "systemd accepts the system's units" "$said"
said=$(verify "$units/user" --user)
[ -z "$said" ]
result $? "systemd accepts the user's units" "$said"
mkdir "$dir/bad"
sed 's/^ProtectSystem=strict/ProtectSistem=strict/' "$units/system/mailbearer.service" >"$dir/bad/mailbearer.service"
cp "$units/system/mailbearer.socket" "$units/system/mailbearer-hook.socket" "$units/system/mailbearer-hook@.service" "$dir/bad/"
said=$(verify "$dir/bad")
echo "$said" | grep -q ProtectSistem
result $? "found: a word that systemd does not know" "$said"
for service in mailbearer.service mailbearer-fetch@.service; do
    well_shut_in "$units/system/$service"
    result $? "$service has an exposure of at most $exposure_max" "$said"
done
grep -vE '^(SystemCallFilter|ProtectSystem|PrivateDevices)' "$units/system/mailbearer.service" >"$dir/bad/mailbearer.service"
! well_shut_in "$dir/bad/mailbearer.service"
result $? "found: a service that is not shut in" "$said"
# sendmail(1) is set-gid: nothing in this one may imply NoNewPrivileges=.
said=$(grep -E '^(NoNewPrivileges|SystemCall|RestrictAddressFamilies|RestrictNamespaces|PrivateDevices|ProtectKernel|ProtectClock|MemoryDeny|RestrictRealtime|RestrictSUIDSGID|LockPersonality|ProtectHostname|DynamicUser|CapabilityBoundingSet)' \
    "$units/system/mailbearer-hook@.service" "$units/user/mailbearer.service")
[ -z "$said" ]
result $? "hooks may send mail" "$said"
said=$(grep -c "^Environment=MAILBEARER_HOOK_SOCKET=$(sed -n 's/^ListenStream=//p' "$units/system/mailbearer-hook.socket")$" \
    "$units/system/mailbearer.service")
[ "$said" = 1 ]
result $? "the agent's service knows the hooks' socket" "$said"
[ "$(sed -n 's/^ListenStream=//p' "$units/system/mailbearer.socket")" = \
    "$(sed -n 's/^#define AGENT_SOCKET_SYSTEM "\(.*\)"/\1/p' "$here/token-helper/client/agent_client.h")" ]
result $? "the socket is where clients look" ""

said=$(cd "$units/system" && grep -h ListenStream= mailbearer-fetch@*.socket.d/port.conf | grep -v '=\(127\.0\.0\.1\|\[::1\]\):[0-9]*$')
[ -z "$said" ] && [ "$(find "$units/system" -name port.conf | wc -l)" = 3 ]
result $? "local ports are on loopback" "$said"

# The ports that docs/ports.md and `mailbearer setup` speak of; both addresses of each.
said=$(for port in smtp:2525 imap:1143 pop3:1110; do
    conf=$units/system/mailbearer-fetch@${port%:*}.socket.d/port.conf
    grep -qx "ListenStream=127.0.0.1:${port#*:}" "$conf" && grep -qx "ListenStream=\[::1\]:${port#*:}" "$conf" &&
        grep -q "127.0.0.1:${port#*:} ${port%:*}" "$here/token-helper/setup/local-port.tmpl" &&
        grep -q "^| port .*| ${port#*:} |" "$here/docs/ports.md" || echo "${port%:*}: not port ${port#*:} everywhere"
done)
[ -z "$said" ]
result $? "local ports are those that documents and setup name" "$said"

said=$(generate 'myhostname = x')
[ "$said" = "$(listens /var/spool/postfix)" ]
result $? "generator: Postfix's own queue directory" "$said"
said=$(generate "queue_directory = /srv/q
 # queue_directory = /not/this
queue_directory=/srv/mail-q/a_b.c")
[ "$said" = "$(listens /srv/mail-q/a_b.c)" ]
result $? "generator: another, the last one counts" "$said"
# shellcheck disable=SC2016
for path in '$data_directory/q' 'relative/q' '/a b' '/a/../b' '/a%i'; do
    said=$said$(generate "queue_directory = $path")
    grep -q 'not a plain path' "$dir/err" || said="$said nothing said about $path"
    [ -z "$(ls "$dir/generated")" ] || said="$said something written for $path"
    said=${said#"$(listens /srv/mail-q/a_b.c)"}
done
[ -z "$said" ]
result $? "generator: nothing for what is no plain path, and says so" "$said"
rm -rf "$dir/generated" && mkdir "$dir/generated"
said=$(MAILBEARER_POSTFIX_MAIN_CF=$dir/absent \
    "$here/packaging/systemd/mailbearer-postfix-generator" "$dir/generated" 2>&1; ls "$dir/generated")
[ -z "$said" ]
result $? "generator: nothing where there is no Postfix" "$said"
mkdir -p "$dir/bad/mailbearer.socket.d"
cp -r "$units/system"/* "$dir/bad/"
generate 'a = b' >/dev/null
cp "$dir/generated/mailbearer.socket.d/postfix.conf" "$dir/bad/mailbearer.socket.d/"
mkdir -p "$dir/whole" && cp -r "$dir/bad/." "$dir/whole/"
sed -i "s,^ExecStart=[^ ]*/bin/,ExecStart=$dir/bin/," "$dir/whole"/*.service
said=$(SYSTEMD_UNIT_PATH="$dir/whole:" systemd-analyze --man=no verify mailbearer.socket 2>&1 | grep mailbearer)
[ -z "$said" ]
result $? "systemd accepts the drop-in" "$said"

said=$(systemd-sysusers --root="$dir" --dry-run "$units"/sysusers/*.conf 2>&1)
echo "$said" | grep -q 'mailbearer (mailbearer agent)\|mailbearer. (mailbearer agent)' &&
    echo "$said" | grep -q 'mailbearer-fetch. (mailbearer-fetch local ports)'
result $? "systemd-sysusers understands the users" "$said"
mkdir -p "$dir/root/etc"
printf 'root:x:0:0::/:/bin/sh\nmailbearer:x:%s:%s::/:/bin/false\n' "$(id -u)" "$(id -g)" >"$dir/root/etc/passwd"
printf 'root:x:0:\nmailbearer:x:%s:\n' "$(id -g)" >"$dir/root/etc/group"
said=$(systemd-tmpfiles --root="$dir/root" --create "$units/tmpfiles/mailbearer.conf" 2>&1)
said=$said$(stat -c ' %a %n' "$dir/root/etc/mailbearer" "$dir/root/var/lib/mailbearer" | sed "s,$dir/root,,")
[ "$said" = " 751 /etc/mailbearer
 700 /var/lib/mailbearer" ]
result $? "systemd-tmpfiles makes the folders" "$said"

said=$(sh -n "$here/packaging/openrc/mailbearer" 2>&1)
result $? "the OpenRC script parses" "$said"
# What OpenRC would start, for a host with a Postfix.
said=$(cd "$here/packaging/openrc" && sh -c 'mailbearer_jails="/var/spool/postfix /srv/q"; . ./mailbearer; echo "$command $command_args"')
[ "$said" = "/usr/bin/mailbearer agent --syslog --listen /run/mailbearer/agent.sock --listen /var/spool/postfix/run/mailbearer/agent.sock --listen /srv/q/run/mailbearer/agent.sock" ]
result $? "the OpenRC script listens in each jail" "$said"
said=$(cd "$here/packaging/openrc" && sh -c 'checkpath() { echo "$*"; }; mailbearer_jails=/q; . ./mailbearer; start_pre')
echo "$said" | grep -q 'root:mailbearer --mode 0751 /etc/mailbearer' &&
    echo "$said" | grep -q 'mailbearer:mailbearer --mode 0700 /var/lib/mailbearer'
result $? "the OpenRC script makes the same folders" "$said"
said=$(find "$units/system" "$units/user" -name '*.d' -prune -o -type f -exec grep -L '^Documentation=man:' {} +)
[ -z "$said" ]
result $? "every unit names its manual" "$said"
exit $failures
