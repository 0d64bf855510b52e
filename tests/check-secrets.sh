#!/bin/sh
# The canary: every secret and token that the tests use holds the word CANARY, so a leak
# shows as that word in something a test run wrote. Prints TAP.
#
# usage: tests/check-secrets.sh [--list] PATH...
#
# Looks through files and folders (logs, stderr, mail, core files; also compressed or
# base64-encoded forms of the word). With --list it only prints the files that hold it and
# exits 1 if there are any: for the end of an integration test. Where tokens are meant to
# be, nobody looks: folders named `store` or `secrets`, and files ending in .secret or
# .token.
set -u
WORD=CANARY
# The same three ways base64 can show it, depending on where in a group of three it begins.
# (SASL messages in a protocol log are base64.)
CODED='Q0FOQVJZ|NBTkFSW|DQU5BUl'

# leaks PATH...: the files that hold the word, one a line.
leaks() {
    find "$@" \( -type d \( -name store -o -name secrets \) -prune \) -o \
        -type f ! -name '*.secret' ! -name '*.token' -print0 |
        xargs -0 -r grep -laE "$WORD|$CODED" -- 2>/dev/null
    find "$@" \( -type d \( -name store -o -name secrets \) -prune \) -o \
        -type f -name '*.gz' -print | while IFS= read -r file; do
        gzip -dc "$file" 2>/dev/null | grep -qaE "$WORD|$CODED" && printf '%s\n' "$file"
    done
    :
}

if [ "${1:-}" = --list ]; then
    shift
    found=$(leaks "$@")
    [ -z "$found" ] && exit 0
    printf '%s\n' "$found"
    exit 1
fi

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

# planted TITLE FILE: the file (below $dir/plant) must be found.
planted() {
    found=$(leaks "$dir/plant")
    [ "$found" = "$dir/plant/$2" ]
    result $? "found: $1" "it found: $found"
    rm -rf "$dir/plant"
    mkdir "$dir/plant"
}

mkdir "$dir/plant"
echo 1..$(($# + 8))
for path; do
    if [ -e "$path" ]; then
        found=$(leaks "$path")
        [ -z "$found" ]
        result $? "no secret in what the tests wrote to ${path##*/}" "$found"
    else
        result 1 "no secret in what the tests wrote to ${path##*/}" "$path is not there"
    fi
done
echo "Nov 21 mailbearer[1]: token=eyJ0eXAi${WORD}x" >"$dir/plant/mail.log"
planted "in a log" mail.log
printf 'ELF\0\0\1%s\0\377' "$WORD" >"$dir/plant/core"
planted "in a core file" core
mkdir -p "$dir/plant/a/b"
echo "x${WORD}" >"$dir/plant/a/b/stderr"
planted "in a folder below" a/b/stderr
for lead in 'user=a' 'user=ab' 'user=abc'; do
    printf '%s auth=Bearer eyJ%s' "$lead" "$WORD" | base64 -w0 >"$dir/plant/smtp.log"
    planted "in a SASL message of $((${#lead} % 3)) bytes more" smtp.log
done
echo "$WORD" | gzip >"$dir/plant/old.gz"
planted "in a compressed log" old.gz
mkdir -p "$dir/plant/store" "$dir/plant/secrets"
echo "$WORD" | tee "$dir/plant/store/a.json" "$dir/plant/secrets/b" >"$dir/plant/c.secret"
echo "nothing here" >"$dir/plant/log"
found=$(leaks "$dir/plant")
[ -z "$found" ]
result $? "not where secrets are meant to be" "it found: $found"
exit $failures
