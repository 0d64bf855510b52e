#!/bin/sh
# Who may include and link what. Prints TAP.
#
# usage: tests/check-layers.sh            checks the tree and $MAILBEARER_BUILD's binaries, then checks
#                                         that faults planted in a copy of the tree are found
#        tests/check-layers.sh --tree DIR prints what is wrong in the sources below DIR
#
# Includes go one way (the list is in may_include below), each library has one door, and
# what runs in other people's processes does nothing that is the host's to decide.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)

# findings DIR: one line for each wrong include or call below DIR.
findings() {
    (
        cd "$1" || exit 1
        # shellcheck disable=SC2016
        find sasl-plugin token-helper fetch-helper \( -name '*.c' -o -name '*.h' \) -print |
            LC_ALL=C sort | xargs awk '
function may_include(from, to) {
    return index(" " allowed[from] " ", " " to " ") > 0
}

# The layer a path belongs to: its folder, below token-helper/ without that.
function layer_of(path) {
    sub(/^token-helper\//, "", path)
    sub(/\/[^\/]*$/, "", path)
    return path
}

# path with "a/../" taken out
function plain(path) {
    while (sub(/[^\/]+\/\.\.\//, "", path))
        ;
    return path
}

function found(text) {
    print FILENAME ":" FNR ": " text
}

BEGIN {
    allowed["client"] = "client"
    allowed["base"] = "base client"
    allowed["catalogue"] = "catalogue client"
    allowed["accounts"] = "accounts base client"
    allowed["oauth"] = "oauth accounts base client catalogue"
    allowed["agent"] = "agent mail oauth accounts base client catalogue"
    allowed["doctor"] = "doctor mail agent oauth accounts base client catalogue"
    allowed["ports"] = "ports base client"
    allowed["commands"] = "commands ports doctor agent oauth accounts base client catalogue"
    allowed["setup"] = "setup accounts base client"
    allowed["front"] = "front setup accounts base client"
    allowed["sasl-plugin"] = "sasl-plugin client"
    allowed["mail"] = "mail base client catalogue"
    allowed["fetch-helper"] = "fetch-helper ports mail base catalogue client"

    # header prefix -> the only files that may include it
    door["curl/"] = "token-helper/oauth/http.c token-helper/mail/connection.c" \
        " token-helper/doctor/look_private.h"
    door["jansson.h"] = "token-helper/base/json.c"
    door["confuse.h"] = "token-helper/accounts/accounts.c token-helper/accounts/options.c" \
        " token-helper/accounts/options.h"
    door["openssl/"] = "token-helper/oauth/crypto.c token-helper/oauth/crypto_internal.h" \
        " token-helper/oauth/crypto_pem.c token-helper/oauth/crypto_seal.c" \
        " token-helper/oauth/crypto_sign.c fetch-helper/local_tls.c"
    door["crypt.h"] = "token-helper/ports/password_hash.c"
    door["sasl/"] = "sasl-plugin/plugin.c"

    n = split("arpa/inet assert ctype dirent errno fcntl fnmatch getopt grp inttypes limits " \
        "math netdb net/if netinet/in netinet/tcp poll pthread pwd signal spawn stdarg " \
        "stdatomic stdbool stddef malloc stdint stdio stdlib stdnoreturn string strings sys/auxv sys/epoll " \
        "sys/eventfd sys/file sys/inotify sys/mman sys/prctl sys/random sys/resource " \
        "sys/select sys/signalfd sys/socket sys/stat sys/statvfs sys/syscall sys/time " \
        "sys/timerfd sys/types sys/uio sys/un sys/wait sysexits syslog termios time unistd " \
        "wchar", names, " ")
    for (i = 1; i <= n; i++)
        libc[names[i] ".h"] = 1
    # Not in a process that belongs to somebody else: output, its end, children, signals,
    # threads, its environment, its locale and umask.
    n = split("printf fprintf puts fputs perror exit _exit abort atexit fork vfork popen " \
        "system execve execv execvp posix_spawn signal sigaction sigprocmask " \
        "pthread_create getenv setenv putenv setlocale umask chdir syslog openlog", names, " ")
    for (i = 1; i <= n; i++)
        host[names[i]] = 1
}

FNR == 1 {
    from = layer_of(FILENAME)
    folder = FILENAME
    sub(/[^\/]*$/, "", folder)
    in_comment = 0
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, part, "\"")
    to = plain(folder part[2])
    # The tree is compiled with -Itoken-helper, so a name may be relative to that as well.
    if (part[2] !~ /^\./ && part[2] ~ /\//)
        to = "token-helper/" part[2]
    layer = layer_of(to)
    if (!may_include(from, layer))
        found(from " must not include " layer " (" part[2] ")")
    next
}

/^[ \t]*#[ \t]*include[ \t]*</ {
    split($0, part, "[<>]")
    header = part[2]
    for (prefix in door)
        if (index(header, prefix) == 1) {
            if (index(" " door[prefix] " ", " " FILENAME " ") == 0)
                found("<" header "> is for " door[prefix] " alone")
            next
        }
    if (!(header in libc))
        found("<" header "> is not a header of libc that we use")
    next
}

from == "client" || from == "sasl-plugin" {
    line = $0
    # Comments talk about these calls; only code may not make them.
    if (in_comment) {
        if (!sub(/^.*\*\//, "", line))
            next
        in_comment = 0
    }
    gsub(/\/\*([^*]|\*[^\/])*\*\//, "", line)
    if (sub(/\/\*.*$/, "", line))
        in_comment = 1
    gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
    while (match(line, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
        name = substr(line, RSTART, RLENGTH)
        sub(/[ \t]*\($/, "", name)
        # Not a call of libc when it is a member: utils->getenv().
        before = substr(line, 1, RSTART - 1)
        if ((name in host) && before !~ /(->|\.)[ \t]*$/)
            found(name "() is not for code that runs in other people'\''s processes")
        line = substr(line, RSTART + RLENGTH)
    }
}
'
    )
}

if [ "${1:-}" = --tree ]; then
    out=$(findings "$2") || exit 1
    [ -z "$out" ] && exit 0
    printf '%s\n' "$out"
    exit 1
fi

build=${MAILBEARER_BUILD:-$here/build}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
count=0
failures=0

# result STATUS TITLE TEXT
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

# needs FILE ALLOWED...: the file links nothing but libc and the libraries named.
needs() {
    file=$1
    shift
    list=$(readelf -d "$build/$file" 2>&1) || {
        result 1 "$file links only: libc $*" "$list"
        return
    }
    bad=
    for library in $(printf '%s\n' "$list" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'); do
        case " libc ld-linux-x86-64 ld-linux-aarch64 $* " in
        *" ${library%%.so*} "*) ;;
        *) [ "${library#libc.musl-}" != "$library" ] || bad="$bad $library" ;;
        esac
    done
    [ -z "$bad" ]
    result $? "$file links only: libc $*" "it links$bad"
}

# planted TITLE FILE LINE PART: with LINE added to FILE the check must fail and say PART.
planted() {
    rm -rf "$dir/tree"
    mkdir "$dir/tree"
    cp -R "$here/sasl-plugin" "$here/token-helper" "$here/fetch-helper" "$dir/tree"
    printf '%s\n' "$3" >>"$dir/tree/$2"
    said=$("$here/tests/check-layers.sh" --tree "$dir/tree") && said="it found nothing"
    case $said in *"$2:"*"$4"*) ok=0 ;; *) ok=1 ;; esac
    result $ok "found: $1" "$said"
}

echo 1..19
said=$("$here/tests/check-layers.sh" --tree "$here")
result $? "includes and calls in the tree" "$said"
needs libmailbearer.so
needs mailbearer libconfuse libjansson
planted "client includes base" token-helper/client/error.c \
    '#include "../base/log.h"' "client must not include base"
planted "the same by -Itoken-helper" token-helper/client/error.c \
    '#include "base/log.h"' "client must not include base"
planted "base includes accounts" token-helper/base/json.h \
    '#include "../accounts/store.h"' "base must not include accounts"
planted "accounts includes oauth" token-helper/accounts/store.c \
    '#include "../oauth/http.h"' "accounts must not include oauth"
planted "the front includes the agent" token-helper/front/main.c \
    '#include "../agent/agent.h"' "front must not include agent"
planted "the agent includes a command" token-helper/agent/agent.c \
    '#include "../commands/options.h"' "agent must not include commands"
planted "the plugin includes accounts" sasl-plugin/token_source.c \
    '#include "../token-helper/accounts/accounts.h"' "sasl-plugin must not include accounts"
planted "libcurl elsewhere" token-helper/agent/agent.c \
    '#include <curl/curl.h>' "is for token-helper/oauth/http.c"
planted "jansson elsewhere" token-helper/oauth/reply.c \
    '#include <jansson.h>' "is for token-helper/base/json.c alone"
planted "libconfuse elsewhere" token-helper/front/main.c \
    '#include <confuse.h>' "is for token-helper/accounts/accounts.c"
planted "OpenSSL elsewhere" token-helper/front/main.c \
    '#include <openssl/sha.h>' "is for token-helper/oauth/crypto.c"
planted "OpenSSL elsewhere in fetch-helper" fetch-helper/session.c \
    '#include <openssl/ssl.h>' "fetch-helper/local_tls.c alone"
planted "libcrypt elsewhere" fetch-helper/port_gate.c \
    '#include <crypt.h>' "is for token-helper/ports/password_hash.c alone"
planted "SASL elsewhere" token-helper/client/oauth_message.c \
    '#include <sasl/sasl.h>' "is for sasl-plugin/plugin.c alone"
planted "another library" token-helper/client/error.c \
    '#include <zlib.h>' "not a header of libc"
planted "the environment in the plugin" sasl-plugin/plugin.c \
    'void f(void) { /* why */ getenv("X"); }' "getenv() is not for code"
exit $failures
