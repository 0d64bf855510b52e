#!/bin/sh
# The manual pages: no warning from mandoc, and nothing in them that the program does not
# have, or the other way round. Prints TAP.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
pages="token-helper/man/mailbearer.1 token-helper/man/mailbearer.conf.5
token-helper/man/mailbearer-agent.8 sasl-plugin/mailbearer-sasl.7
fetch-helper/mailbearer-fetch.1"
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

# The operating system's own base documents are not ours to follow: -Wall would ask an mdoc
# page for an RCS id.
lint() {
    [ -s "$1" ] && mandoc -Tlint -Wwarning "$1"
}

# A page as plain text, without the overstriking of a terminal.
text() {
    mandoc -Tutf8 "$here/$1" 2>/dev/null | sed "s/.$(printf '\b')//g"
}

# Subcommands the two programs know: each is a file cmd_NAME.c.
commands() {
    (cd "$here/token-helper" && find front commands -name 'cmd_*.c') |
        sed 's/.*cmd_\(.*\)\.c/\1/; s/_/-/g' | sort -u
}

# Words of the accounts file that the sources know: keys of raw.c, providers' names.
known_words() {
    sed -n 's/^ *\[KEY_[A-Z0-9_]*\] = {"\([a-z0-9_]*\)".*/\1/p' \
        "$here/token-helper/accounts/raw.c"
    sed -n 's/^ *\.name = "\([a-z-]*\)".*/\1/p' "$here/token-helper/accounts/providers.c"
}

# Words that the page explains, as items of its lists.
explained_words() {
    sed -n 's/^\.It Sy //p' "$1" | sed 's/ , Sy /\n/g' | sort -u
}

# differences PAGE: keys and providers that only one side has; "<" are the program's.
differences() {
    known_words | sort -u >"$dir/known"
    explained_words "$1" | diff "$dir/known" - | grep '^[<>]'
}

cat >"$dir/bad.1" <<'P'
.Dd November 21, 2026
.Dt BAD 1
.Os
.Sh NAME
.Nm bad
.Nd a page with a list that never ends
.Bl -tag
.It word
P

set -f
# shellcheck disable=SC2086
set -- $pages
set +f
echo 1..$(($# + 7))
for page; do
    said=$(lint "$here/$page" 2>&1)
    result $? "$page" "$said"
done
said=
for command in $(commands); do
    text token-helper/man/mailbearer.1 |
        grep -qE "mailbearer( .*)? $command( |$)" || said="$said $command"
done
[ -z "$said" ] && [ -n "$(commands)" ]
result $? "mailbearer(1) shows every subcommand" "missing:$said"
said=
for status in 0 64 66 69 74 75 77 78; do
    text token-helper/man/mailbearer.1 |
        grep -qE "^ *$status( |$)" || said="$said $status"
done
[ -z "$said" ]
result $? "mailbearer(1) lists every exit status" "missing:$said"
page=token-helper/man/mailbearer.conf.5
said=$(differences "$here/$page")
[ -s "$dir/known" ] && [ -z "$said" ]
result $? "mailbearer.conf(5) explains each key and provider, and no other" "$said"
grep -v '^\.It Sy tenant$' "$here/$page" >"$dir/less.5"
said=$(differences "$dir/less.5")
printf '%s\n' "$said" | grep -qx '< tenant'
result $? "found: a key that no page explains" "$said"
{ cat "$here/$page" && echo ".It Sy tennant"; } >"$dir/more.5"
said=$(differences "$dir/more.5")
printf '%s\n' "$said" | grep -qx '> tennant'
result $? "found: a key that does not exist" "$said"
! said=$(lint "$dir/bad.1" 2>&1)
result $? "found: a page with a fault" "$said"
! said=$(lint "$dir/absent.1" 2>&1)
result $? "found: a page that is not there" "$said"
exit $failures
