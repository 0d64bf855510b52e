#!/bin/sh
# The SELinux module as part of a whole policy, Debian's: it links with the other modules, no
# neverallow of theirs forbids it, and who may do what is asked of the result. Prints TAP.
# Nothing is loaded; the kernel needs no SELinux.
#
# usage: packaging/selinux/check.sh MODULE FOLDER
#
# FOLDER keeps the policy for the next time (70 MB).
set -u
module=$(readlink -f "$1") || exit 64
mkdir -p "$2" && folder=$(readlink -f "$2") || exit 64
policy=$folder/policy
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

# The package is unpacked, not installed: it would make itself this system's policy.
modules() {
    [ ! -e "$folder/modules/base.pp" ] || return 0
    rm -rf "$folder/deb" "$folder/modules" && mkdir -p "$folder/deb" "$folder/modules" || return 1
    (cd "$folder/deb" && apt-get -q -o APT::Sandbox::User=root download selinux-policy-default &&
        dpkg -x selinux-policy-default_*.deb .) || return 1
    for file in "$folder/deb/usr/share/selinux/default"/*.pp.bz2; do
        name=${file##*/}
        bunzip2 -c "$file" >"$folder/modules/${name%.bz2}" || return 1
    done
    rm -rf "$folder/deb"
}

linked() {
    rm -f "$policy"
    set -- "$module"
    for file in "$folder/modules"/*.pp; do
        case $file in */base.pp) ;; *) set -- "$@" "$file" ;; esac
    done
    semodule_link -o "$dir/linked.pp" "$folder/modules/base.pp" "$@" && semodule_expand "$dir/linked.pp" "$policy"
}

# allowed SOURCE TARGET CLASS PERMISSION: without a boolean having to be set.
allowed() {
    sesearch -A -s "$1" -t "$2" -c "$3" -p "$4" "$policy" | grep -v '\]:' | grep '^allow'
}

forbidden() {
    said=$(sesearch -A -s "$1" -t "$2" -c "$3" -p "$4" "$policy") || return 1
    said=$(echo "$said" | grep -v '\]:False$')
    echo "$said"
    [ -z "$said" ]
}

postfix_asks() {
    allowed postfix_smtp_t mailbearer_t unix_stream_socket connectto &&
        allowed postfix_smtp_t mailbearer_runtime_t sock_file write &&
        allowed postfix_smtp_t mailbearer_runtime_t dir search &&
        allowed postfix_smtp_t postfix_spool_t dir search
}

# Nobody of Postfix gets at a refresh token; the tunnel neither.
store_is_closed() {
    for who in postfix_smtp_t postfix_master_t mailbearer_fetch_t fetchmail_t; do
        forbidden "$who" mailbearer_var_lib_t file read && forbidden "$who" mailbearer_var_lib_t file write || return 1
    done
    forbidden postfix_smtp_t mailbearer_conf_t file read
}

agent() {
    for port in http_port_t http_cache_port_t smtp_port_t pop_port_t dns_port_t; do
        allowed mailbearer_t "$port" tcp_socket name_connect || return 1
    done
    allowed mailbearer_t mailbearer_var_lib_t file write && allowed mailbearer_t mailbearer_conf_t file read &&
        allowed mailbearer_t shell_exec_t file execute && allowed mailbearer_t bin_t file execute &&
        sesearch -T -s mailbearer_t -c process "$policy" | grep 'sendmail_exec_t:process'
}

agent_is_confined() {
    forbidden mailbearer_t mailbearer_conf_t file write && forbidden mailbearer_t shadow_t file read &&
        forbidden mailbearer_t mail_spool_t file read && forbidden mailbearer_t user_home_t file read &&
        forbidden mailbearer_t ssh_port_t tcp_socket name_bind && forbidden mailbearer_t ssh_home_t file read &&
        ! seinfo -a unconfined_domain_type -x "$policy" | grep mailbearer
}

any_port_is_a_boolean() {
    sesearch -A -b mailbearer_connect_any -s mailbearer_t -c tcp_socket -p name_connect "$policy" |
        grep 'port_type:tcp_socket name_connect; \[ mailbearer_connect_any \]:True'
}

ports() {
    for port in unreserved_port_t pop_port_t smtp_port_t; do
        allowed mailbearer_fetch_t "$port" tcp_socket name_bind || return 1
    done
    allowed mailbearer_fetch_t mailbearer_t unix_stream_socket connectto &&
        forbidden mailbearer_fetch_t ssh_port_t tcp_socket name_bind
}

started() {
    sesearch -T -s init_t -t mailbearer_exec_t -c process "$policy" | grep -F 'process mailbearer_t;' &&
        sesearch -T -s init_t -t mailbearer_fetch_exec_t -c process "$policy" | grep -F 'process mailbearer_fetch_t;' &&
        allowed init_t mailbearer_t process2 nnp_transition &&
        allowed init_t mailbearer_t unix_stream_socket listen && allowed init_t mailbearer_runtime_t sock_file create &&
        allowed init_t mailbearer_fetch_t tcp_socket listen
}

PATH=$PATH:/usr/sbin:/sbin
for tool in semodule_link semodule_expand sesearch bunzip2; do
    command -v $tool >/dev/null || { echo "Bail out! $tool is missing: packaging/install-deps.sh packages"; exit 69; }
done
echo 1..9
check 'the modules of a policy' modules
check 'they link and expand with ours' linked
[ $failures = 0 ] || exit 1
check 'smtp(8) reaches the agent, in the jail too' postfix_asks
check 'the store is closed to Postfix and the tunnel' store_is_closed
check 'the agent has what it needs' agent
check 'the agent has no more' agent_is_confined
check 'connecting to other ports is a boolean' any_port_is_a_boolean
check 'the local ports of mailbearer-fetch' ports
check 'systemd makes the sockets and starts both in their domains' started
exit $failures
