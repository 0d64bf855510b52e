#!/bin/sh
# The plugin exports its entry point and nothing else, and loads with every symbol resolved
# by libc alone. Prints TAP. $MAILBEARER_BUILD is where it was built; CC compiles the planted faults.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
build=${MAILBEARER_BUILD:-$here/build}
plugin=$build/libmailbearer.so
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

# The names a shared object defines for others, one a line (absolute symbols are versions).
exports() {
    nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u
}

only_entry_point() {
    [ "$(exports "$1")" = sasl_client_plug_init ]
}

# The memory of a stack that must not be executable, and of relocations made in advance.
hardened() {
    readelf -lW "$1" | grep -q 'GNU_RELRO' && readelf -dW "$1" | grep -q 'BIND_NOW\|NOW' &&
        ! readelf -lW "$1" | grep 'GNU_STACK' | grep -q 'RWE'
}

# load FILE SYMBOL: opens it as a mail program's libsasl2 does, everything resolved at once.
load() {
    "$dir/load" "$1" "$2" 2>&1
}

cat >"$dir/load.c" <<'C'
#include <dlfcn.h>
#include <stdio.h>
int
main(int argc, char **argv)
{
    void *object = argc == 3 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;

    if (object == NULL || dlsym(object, argv[2]) == NULL) {
        printf("%s\n", dlerror());
        return 1;
    }
    return 0;
}
C
cat >"$dir/leaky.c" <<'C'
int sasl_client_plug_init(void);
int helper(void);
int sasl_client_plug_init(void) { return 0; }
int helper(void) { return 1; }
C
cat >"$dir/unresolved.c" <<'C'
int sasl_client_plug_init(void);
int not_in_libc(void);
int sasl_client_plug_init(void) { return not_in_libc(); }
C
cc=${CC:-cc}
if ! $cc -o "$dir/load" "$dir/load.c" -ldl ||
    ! $cc -shared -fPIC -o "$dir/leaky.so" "$dir/leaky.c" ||
    ! $cc -shared -fPIC -o "$dir/unresolved.so" "$dir/unresolved.c" ||
    ! $cc -shared -fPIC -Wl,-z,execstack,-z,norelro,-z,lazy -o "$dir/soft.so" "$dir/leaky.c"; then
    echo "Bail out! cannot compile"
    exit 1
fi

echo 1..9
only_entry_point "$plugin"
result $? "the plugin exports sasl_client_plug_init alone" "$(exports "$plugin" 2>&1)"
said=$(load "$plugin" sasl_client_plug_init)
result $? "it loads with every symbol resolved" "$said"
! said=$(load "$plugin" sasl_server_plug_init)
result $? "it has no server side" "sasl_server_plug_init is there"
for file in libmailbearer.so mailbearer mailbearer-oauth; do
    hardened "$build/$file"
    result $? "$file: relocations read-only, no executable stack" "$(readelf -lWd "$build/$file" 2>&1 | head -40)"
done
! only_entry_point "$dir/leaky.so"
result $? "found: one more exported name" "$(exports "$dir/leaky.so")"
! load "$dir/unresolved.so" sasl_client_plug_init >/dev/null
result $? "found: a symbol that nobody has" "it loaded"
! hardened "$dir/soft.so"
result $? "found: an executable stack" ""
exit $failures
