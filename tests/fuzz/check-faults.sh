#!/bin/sh
# The faults planted in faults_planted.c must be found, and the calls that wrap.c has are those
# the linker is told of. Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
program=${MAILBEARER_BUILD:-build/asan}/tests/faults_planted
count=0
failures=0

result() {
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        printf '%s\n' "$3" | tail -n 40 | sed 's/^/# /'
        failures=1
    fi
}

# planted SCENARIO PART: it must end badly, and say PART.
planted() {
    said=$("$program" "$1" 2>&1) && said="it found nothing: $said"
    case $said in
    "it found nothing"*) ok=1 ;;
    *"$2"*) ok=0 ;;
    *) ok=1 ;;
    esac
    result $ok "found: $1" "$said"
}

echo 1..6
planted "in place" "in place, failing call"
planted memory "memory was lost"
planted descriptor "descriptors before"
planted pointer "pointer, failing call 1: malloc"
planted interrupted "it was not done although nothing failed"
told=$(sed '/^#/d' tests/fuzz/wrap.calls | tr ' ' '\n' | grep . | sort)
missing=$(for call in $told; do
    grep -q "__wrap_$call(\|WRAP(.*\b$call,\|WRAP_MOVE($call," tests/fuzz/wrap.c || echo "$call"
done)
[ -z "$missing" ] && [ "$(printf '%s\n' "$told" | uniq -d)" = "" ]
result $? "wrap.calls and wrap.c agree" "not in wrap.c: $missing"
exit $failures
