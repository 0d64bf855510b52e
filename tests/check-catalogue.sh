#!/bin/sh
# The error catalogue and its table generator. Prints TAP.
#
# usage: tests/check-catalogue.sh
#
# Every awk that is installed must make the same table of catalogue.tsv, and must refuse
# each kind of malformed row, planted in a copy, with the number of its line.
set -u
cd "$(dirname "$0")/.." || exit 1
make_table=token-helper/catalogue/make-table.awk
tsv=token-helper/catalogue/catalogue.tsv
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
count=0
status=0

# result NAME: one line of TAP from the status of the command before.
result() {
    r=$?
    count=$((count + 1))
    if [ $r = 0 ]; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        status=1
    fi
}

# run_awk KIND FILE: $tmp/out and $tmp/err hold what the generator said.
run_awk() {
    case $1 in
    busybox) busybox awk -f $make_table "$2" ;;
    *) "$1" -f $make_table "$2" ;;
    esac >"$tmp/out" 2>"$tmp/err"
}

header=$(printf 'layer\tcode\tmatch\tmeaning\tclass\tremedy')
good=$(printf 'smtp\t550 5.9.1\t=\tWhat it means\tconfig\tWhat to do for {mailbox}')

# refuses NAME LINE MESSAGE: a file of comment, header, good row, empty line and LINE (the
# fifth) is refused with that message.
refuses() {
    printf '# comment\n%s\n%s\n\n%s\n' "$header" "$good" "$2" >"$tmp/bad.tsv"
    run_awk "$awk" "$tmp/bad.tsv"
    [ $? = 1 ] && [ ! -s "$tmp/out" ] && [ "$(cat "$tmp/err")" = "$tmp/bad.tsv:5: $3" ]
    result "$awk refuses $1"
    [ "$r" = 0 ] || sed 's/^/# /' "$tmp/err"
}

# row LAYER CODE MATCH MEANING CLASS REMEDY
row() {
    printf '%s\t%s\t%s\t%s\t%s\t%s' "$@"
}

check_good() {
    run_awk "$awk" $tsv && [ ! -s "$tmp/err" ] && [ -s "$tmp/out" ]
    result "$awk makes the table"
    [ -e "$tmp/first" ] || cp "$tmp/out" "$tmp/first"
    cmp -s "$tmp/out" "$tmp/first"
    result "$awk makes the same table as the others"
    printf '%s\n%s\n' "$header" "$good" >"$tmp/small.tsv"
    run_awk "$awk" "$tmp/small.tsv" && grep -q '"550 5.9.1"' "$tmp/out"
    result "$awk takes the good row the faults are planted beside"
    row imap 'A "b" \ ??/' '=' 'M "q" \ ??/' config 'R' >"$tmp/line"
    printf '%s\n%s\n' "$header" "$(cat "$tmp/line")" >"$tmp/small.tsv"
    run_awk "$awk" "$tmp/small.tsv" &&
        [ "$(grep -cF 'M \"q\" \\ \?\?/' "$tmp/out")" = 1 ]
    result "$awk escapes what C would read differently"
}

check_columns() {
    refuses 'a missing column' "$(printf 'smtp\t1.2.3\t=\tm\tconfig')" \
        'six columns are needed, this has 5'
    refuses 'a column too many' "$(row smtp '5.9.2 x' = m config r)$(printf '\tx')" \
        'six columns are needed, this has 7'
    refuses 'an empty meaning' "$(row smtp '5.9.2 x' = '' config r)" 'column 4 is empty'
    refuses 'an empty remedy' "$(row smtp '5.9.2 x' = m config '')" 'column 6 is empty'
    refuses 'an empty match' "$(row smtp '5.9.2 x' '' m config r)" 'column 3 is empty'
    refuses 'a space at an end' "$(row smtp '5.9.2 x' = m config 'r ')" \
        'column 6 begins or ends with a space'
    refuses 'an unknown class' "$(row smtp '5.9.2 x' = m fatal r)" 'unknown class: fatal'
    refuses 'an unknown layer' "$(row ftp '5.9.2 x' = m config r)" 'unknown layer: ftp'
    refuses 'a meaning that is too long' \
        "$(row smtp '5.9.2 x' = "$(printf '%0201d' 0)" config r)" \
        'the meaning is longer than 200 characters: 201'
    refuses 'a remedy that is too long' \
        "$(row smtp '5.9.2 x' = m config "$(printf '%0301d' 0)")" \
        'the remedy is longer than 300 characters: 301'
    refuses 'an unknown placeholder' "$(row smtp '5.9.2 x' = m config 'a {user} b')" \
        'unknown placeholder: {user}'
    refuses 'text that is not ASCII' \
        "$(row smtp '5.9.2 x' = "$(printf 'm\303\251')" config r)" \
        'not plain ASCII, or a control character'
    refuses 'a control character' "$(row smtp '5.9.2 x' = "$(printf 'm\001')" config r)" \
        'not plain ASCII, or a control character'
    refuses 'a carriage return' "$(row smtp '5.9.2 x' = m config "$(printf 'r\r')")" \
        'not plain ASCII, or a control character'
}

check_matches() {
    refuses 'a code that is there already' \
        "$(row smtp '550 5.9.1' '5.9.2 x' m config r)" \
        'duplicate code: 550 5.9.1 is also in line 3'
    refuses 'a text that is there already' "$(row smtp x '550 5.9.1' m config r)" \
        'duplicate match: 550 5.9.1 is also in line 3'
    refuses 'a text that differs in case only' \
        "$(row smtp x 'Abcde | aBCDE' m config r)" \
        'duplicate match: abcde is also in line 5'
    refuses 'overlapping numbers' \
        "$(row entra x 'AADSTS50000-50010 | AADSTS50010' m config r)" \
        'duplicate match: 50010 is also in line 5'
    refuses 'a number that is too large' "$(row entra AADSTS999999999 = m config r)" \
        'not a range of numbers: 999999999'
    refuses 'a range that runs backwards' \
        "$(row entra x 'AADSTS50010-50000' m config r)" \
        'not a range of numbers: 50010-50000'
    refuses 'a text range that runs backwards' "$(row smtp x '5.9.[9-2]' m config r)" \
        'not a range of numbers: 9-2'
    refuses 'an OAuth name twice' "$(row entra x 'oauth:a_b | oauth:a_b' m config r)" \
        'duplicate match: a_b is also in line 5'
    refuses 'an OAuth name the search cannot see' "$(row entra x 'oauth:ab' m config r)" \
        'not an OAuth error name: ab'
    refuses 'a text with two gaps' "$(row smtp x '5.9.2 ... a ... b' m config r)" \
        'more than one gap: 5.9.2 ... a ... b'
    refuses 'a gap at the end' "$(row smtp x '5.9.2 ...' m config r)" \
        'not a text to look for: 5.9.2 ...'
    refuses 'a text that is too short' "$(row smtp x 'abcd' m config r)" \
        'not a text to look for: abcd'
}

check_files() {
    printf 'layer\tcode\tmeaning\tmatch\tclass\tremedy\n%s\n' "$good" >"$tmp/bad.tsv"
    ! run_awk "$awk" "$tmp/bad.tsv" && grep -q ':1: the first line must name' "$tmp/err"
    result "$awk refuses another header"
    printf '%s\n' "$header" >"$tmp/bad.tsv"
    ! run_awk "$awk" "$tmp/bad.tsv" && grep -q ': no rows$' "$tmp/err"
    result "$awk refuses a file without rows"
}

awks=0
for awk in mawk gawk busybox awk; do
    command -v $awk >/dev/null || continue
    awks=$((awks + 1))
    check_good
    check_columns
    check_matches
    check_files
done
[ $awks -gt 0 ]
result 'an awk is installed'
echo "1..$count"
exit $status
