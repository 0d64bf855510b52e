#!/bin/sh
# gcc -fanalyzer over everything that is installed; prints TAP. A warning is a failure unless
# tests/fuzz/analyzer.known says why it is none.
#
# usage: tests/fuzz/check-analyzer.sh BUILD
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failures=0

# warnings LOG: one line for each, "FILE | FUNCTION | WARNING | WHERE: what"
warnings() {
    awk '
        /: In function / {
            name = $0
            sub(/.*In function ./, "", name)
            gsub(/[^A-Za-z0-9_]/, "", name)
        }
        match($0, /\[-Wanalyzer-[a-z-]*\]/) && / warning: / {
            kind = substr($0, RSTART + 12, RLENGTH - 13)
            file = $0
            sub(/:.*/, "", file)
            print file " | " name " | " kind " | " $0
        }' "$1" | sort -u
}

# unknown LOG: those that analyzer.known does not name
unknown() {
    warnings "$1" | awk -F ' [|] ' '
        NR == FNR { if ($0 !~ /^#/) known[$1 FS $2 FS $3] = 1; next }
        !(($1 FS $2 FS $3) in known) { print $4 }' tests/fuzz/analyzer.known -
}

echo 1..2
rm -rf "$build"
if make --no-print-directory -k -j2 BUILD="$build" CC=gcc CFLAGS='-O1 -g -fanalyzer' analyzed \
    >"$dir/log" 2>&1; then
    unknown "$dir/log" >"$dir/unknown"
    if [ -s "$dir/unknown" ]; then
        echo "not ok 1 - the tree"
        sed 's/^/# /' "$dir/unknown"
        failures=1
    else
        echo "ok 1 - the tree: $(warnings "$dir/log" | wc -l) known to be none"
    fi
else
    echo "not ok 1 - the tree does not compile"
    tail -n 40 "$dir/log" | sed 's/^/# /'
    failures=1
fi

cat >"$dir/planted.c" <<'END'
#include <stdlib.h>
void twice(char *p);
void
twice(char *p)
{
    free(p);
    free(p);
}
END
gcc -O1 -fanalyzer -c -o "$dir/planted.o" "$dir/planted.c" >"$dir/log" 2>&1
case $(unknown "$dir/log") in
*"double-"*"free"*) echo "ok 2 - a double free is found" ;;
*)
    echo "not ok 2 - a double free is found"
    sed 's/^/# /' "$dir/log"
    failures=1
    ;;
esac
exit $failures
