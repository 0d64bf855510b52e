#!/bin/sh
# The shells' completions: made from one table, which says what the programs' --help says;
# each shell loads its script and completes commands, options, values and account names.
# Prints TAP. $MAILBEARER_BUILD is where programs and scripts were made.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
build=${MAILBEARER_BUILD:-$here/build}
[ -x "$build/mailbearer-oauth" ] && export MAILBEARER_OAUTH="$build/mailbearer-oauth"
table=$here/packaging/completions/table
scripts=$build/completions
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

# --- the table and --help ---------------------------------------------------------------

# The commands that mailbearer's --help lists.
commands() {
    "$build/mailbearer" --help | sed -n 's/^  \([a-z][a-z-]*\)\( .*\)\{0,1\}$/\1/p' | sort -u
}

# options TEXT: each option that begins a line of it (what it does is two spaces behind), or
# stands in its usage.
options() {
    printf '%s\n' "$1" | awk '
        # The usage goes on in indented lines, up to an empty one.
        /^usage:/ { usage = 1 }
        /^$/ { usage = 0 }
        usage { print }
        !usage && /^ +-/ { sub(/^ +/, ""); sub(/  .*/, ""); print }' |
        grep -oE '(^|[[ |])--?[a-z][a-z0-9-]*' | tr -d '[ |' | sort -u
}

# What --help says, as "program command option", command - for none.
helped() {
    options "$("$build/mailbearer" --help)" | sed 's/^/mailbearer - /'
    options "$("$build/mailbearer-fetch" --help)" | sed 's/^/mailbearer-fetch - /'
    for command in $(commands); do
        echo "mailbearer $command ="
        options "$("$build/mailbearer" "$command" --help)" | sed "s/^/mailbearer $command /"
    done
}

# -c stands in the usage of commands too, and --help in none: both belong to the program.
wanted() {
    {
        helped | grep -vE '^mailbearer [a-z][a-z-]* -c$'
        echo "mailbearer-fetch - --help"
    } | LC_ALL=C sort -u
}

# listed TABLE
listed() {
    awk -F'\t' '!/^#/ && ($3 ~ /^-/ || $3 == "=") { print $1, $2, $3 }' "$1" | LC_ALL=C sort -u
}

differences() {
    wanted >"$dir/wanted"
    listed "$1" | diff "$dir/wanted" - | grep '^[<>]'
}

# The values that --help gives for --format are those of the table.
format_values() {
    for command in token status doctor; do
        "$build/mailbearer" "$command" --help | sed -n 's/^  --format \([a-z0-9|]*\) .*/\1/p' |
            tr '|' ',' | paste -sd, | sed "s/^/$command /"
    done
}

listed_values() {
    awk -F'\t' '$3 == "--format" { print $2, $4 }' "$table"
}

# --- the shells -------------------------------------------------------------------------

# What bash offers for a command line that ends where the cursor is; account names with an
# @ are broken there by readline, as they are here.
in_bash() {
    PATH="$dir/bin:$PATH" bash --norc -c '
        . "$1"
        COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDS=() COMP_CWORD=0
        for word in $2; do COMP_WORDS+=("$word"); done
        [[ $2 != *" " ]] || COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _mailbearer
        printf "%s\n" "${COMPREPLY[@]}"' bash "$scripts/mailbearer.bash" "$1" 2>&1 | sort | paste -sd ' '
}

# The same for zsh, at a terminal of its own: completion needs the line editor. The words that
# are waited for are written in two parts, since the terminal shows what is typed.
in_zsh() {
    PATH="$dir/bin:$PATH" zsh -f -c '
        zmodload zsh/zpty
        zpty shell zsh -f -i
        {
            zpty -w shell "PROMPT=; fpath=($1 \$fpath); autoload -U compinit; compinit -u -d $2/dump"
            zpty -w shell "zstyle \":completion:*\" list-colors no=; LISTMAX=0; stty columns 200; unsetopt zle_bracketed_paste"
            zpty -w shell "comppostfuncs=(_report); _report() { print -rl -- BEG\"\"IN \$offered EN\"\"D; zle .kill-buffer; }"
            zpty -w shell "compadd() { local -a o; builtin compadd -O o \"\$@\"; offered+=(\$o); builtin compadd \"\$@\" }; offered=(); print REA\"\"DY"
            zpty -r -m shell line "*READY*"
            zpty -n -w shell "$3"$'"'\\t'"'
            zpty -r -m shell line "*BEGIN*END*"
            print -r -- "${line##*BEGIN}"
        } always {
            zpty -d shell
        }' zsh "$dir/zsh" "$dir" "$1" 2>&1 | tr -d '\r' | grep -vE '^(END.*|)$' | sort -u | paste -sd ' '
}

in_fish() {
    # shellcheck disable=SC2016
    HOME=$dir PATH="$dir/bin:$PATH" fish --no-config -c '
        source $argv[1]
        complete -C "$argv[2]"' "$scripts/mailbearer.fish" "$1" 2>&1 | cut -f 1 | sort | paste -sd ' '
}

# offers SHELL LINE WORDS
offers() {
    said=$("in_$1" "$2")
    [ "$said" = "$3" ]
    result $? "$1: $2" "expected: $3
     got: $said"
}

for shell in bash zsh fish; do
    command -v $shell >/dev/null || { echo "Bail out! $shell is missing: packaging/install-deps.sh test"; exit 1; }
done
for program in mailbearer mailbearer-fetch; do
    [ -x "$build/$program" ] || { echo "Bail out! $build/$program is not there"; exit 1; }
done

# Programs to be found, with accounts of their own. The agent is nobody.
mkdir -p "$dir/bin" "$dir/zsh" "$dir/state"
chmod 700 "$dir/state"
cp "$scripts/mailbearer.zsh" "$dir/zsh/_mailbearer"
cat >"$dir/accounts" <<F
store { directory = "$dir/state" }
account "alice@contoso.com" { client_id = 1 }
account "bob@contoso.com" { client_id = 1 }
F
sed 's/alice/carol/' "$dir/accounts" >"$dir/other"
chmod 600 "$dir/accounts" "$dir/other"
cat >"$dir/bin/mailbearer" <<F
#!/bin/sh
export MAILBEARER_SOCKET=$dir/none
[ "\$1" = -c ] || set -- -c $dir/accounts "\$@"
exec "$build/mailbearer" "\$@"
F
chmod 755 "$dir/bin/mailbearer"
cd "$dir" || exit 1
echo 1..40

said=$(differences "$table")
[ -s "$dir/wanted" ] && [ -z "$said" ]
result $? "the table has every command and option of --help, and no other" "$said"
sed '/--refresh/d' "$table" >"$dir/less"
said=$(differences "$dir/less")
[ "$said" = "< mailbearer token --refresh" ]
result $? "found: an option that the table lacks" "$said"
{ cat "$table" && printf 'mailbearer\ttoken\t--fresh\t-\tno such option\n'; } >"$dir/more"
said=$(differences "$dir/more")
[ "$said" = "> mailbearer token --fresh" ]
result $? "found: an option that does not exist" "$said"
said=$(format_values)
[ "$said" = "$(listed_values)" ]
result $? "the values of --format" "$said"
printf 'mailbearer\ttoken\t--x\n' >"$dir/bad"
said=$(awk -f "$here/packaging/completions/generate.awk" "$dir/bad" "$here/packaging/completions/mailbearer.bash.in" 2>&1 >/dev/null)
[ "$said" = "$dir/bad:1: five columns, without quotes, backslashes and semicolons, are needed" ]
result $? "found: a line without its columns" "$said"

said=$(bash -n "$scripts/mailbearer.bash" 2>&1 && bash --norc -c ". '$scripts/mailbearer.bash'; complete -p mailbearer mailbearer-fetch" 2>&1)
[ "$said" = "complete -F _mailbearer mailbearer
complete -F _mailbearer mailbearer-fetch" ]
result $? "bash loads its script" "$said"
said=$(zsh -n "$scripts/mailbearer.zsh" 2>&1; zsh -f -c "fpath=($dir/zsh \$fpath); autoload -U compinit; compinit -u -d $dir/dump; print \$_comps[mailbearer] \$_comps[mailbearer-fetch]" 2>&1)
[ "$said" = "_mailbearer _mailbearer" ]
result $? "zsh loads its script" "$said"
said=$(fish -n "$scripts/mailbearer.fish" 2>&1)
[ -z "$said" ]
result $? "fish loads its script" "$said"

offers bash 'mailbearer to' token
offers bash 'mailbearer log' 'login logout'
offers bash 'mailbearer token --' '--format --help --refresh --version'
offers bash 'mailbearer token --format o' oauthbearer
offers bash 'mailbearer token ' 'alice@contoso.com bob@contoso.com'
offers bash 'mailbearer token --format json a' alice@contoso.com
offers bash "mailbearer -c $dir/other token c" carol@contoso.com
offers bash 'mailbearer upstream ' 'imap pop3 smtp'
offers bash 'mailbearer upstream imap b' bob@contoso.com
offers bash 'mailbearer import sasl-xoauth2 acc' accounts
offers bash 'mailbearer token alice@contoso.com ' ''
offers bash 'mailbearer setup mutt' 'mutt mutt-tunnel'
offers bash 'mailbearer setup mutt b' bob@contoso.com
offers bash 'mailbearer-fetch ' 'imap pop3 smtp'
offers bash 'mailbearer-fetch imap host 993 a' alice@contoso.com

offers zsh 'mailbearer to' token
offers zsh 'mailbearer token ' 'alice@contoso.com bob@contoso.com'
offers zsh 'mailbearer token --format o' oauthbearer
offers zsh "mailbearer -c $dir/other token c" carol@contoso.com
offers zsh 'mailbearer upstream ' 'imap pop3 smtp'
offers zsh 'mailbearer setup swak' 'swaks swaks-port'
offers zsh 'mailbearer-fetch imap a' alice@contoso.com

offers fish 'mailbearer to' token
offers fish 'mailbearer log' 'login logout'
offers fish 'mailbearer token --re' --refresh
offers fish 'mailbearer token --format o' oauthbearer
offers fish 'mailbearer token ' 'alice@contoso.com bob@contoso.com'
offers fish "mailbearer -c $dir/other token c" carol@contoso.com
offers fish 'mailbearer upstream imap b' bob@contoso.com
offers fish 'mailbearer setup swak' 'swaks swaks-port'
offers fish 'mailbearer-fetch ' 'imap pop3 smtp'
offers fish 'mailbearer-fetch imap host 993 a' alice@contoso.com
exit $failures
