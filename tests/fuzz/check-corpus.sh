#!/bin/sh
# Every input that is kept for a fuzz target goes through it once more, without the fuzzer:
# prints TAP, one test a target, then checks that planted faults are found.
#
# usage: tests/fuzz/check-corpus.sh [TARGET]...       (default: all)
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${MAILBEARER_BUILD:-build/asan}/tests
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
        printf '%s\n' "$3" | tail -n 60 | sed 's/^/# /'
        failures=1
    fi
}

replay() {
    target=$1
    set -- "tests/fuzz/corpus/$target"
    for seed in $(tests/fuzz/run seeds "$target"); do
        set -- "$@" "$seed"
    done
    [ -d "tests/fuzz/corpus/$target" ] || {
        result 1 "$target" "there is no tests/fuzz/corpus/$target"
        return
    }
    said=$("$build/replay_$target" "$@" 2>&1)
    result $? "$target: $(printf '%s\n' "$said" | tail -n 1)" "$said"
}

# planted TEXT PART: this input must end the replay, which says PART.
planted() {
    printf %s "$1" >"$dir/input"
    said=$("$build/replay_planted" "$dir/input" 2>&1) && said="it found nothing"
    case $said in *"$2"*) ok=0 ;; *) ok=1 ;; esac
    result $ok "found: $1" "$said"
}

if [ $# -eq 0 ]; then
    for source in tests/fuzz/fuzz_*.c; do
        target=${source#tests/fuzz/fuzz_}
        set -- "$@" "${target%.c}"
    done
fi
echo "1..$(($# + 5))"
for target in "$@"; do
    replay "$target"
done
printf harmless >"$dir/input"
said=$("$build/replay_planted" "$dir/input" 2>&1)
result $? "nothing found in a harmless input" "$said"
planted wrong "does not hold: strcmp"
planted overrun "heap-buffer-overflow"
planted shift "shift exponent 40 is too large"
planted leak "detected memory leaks"
exit $failures
