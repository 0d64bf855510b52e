#!/bin/sh
# The documents for users: README.md and docs/*.md. Prints TAP.
#
# usage: tests/check-docs.sh             checks the tree against $MAILBEARER_BUILD's program, then that
#                                        faults planted in a copy are found
#        tests/check-docs.sh --tree DIR  prints what is wrong in DIR's documents
#
# Three things must hold. What is shown as an accounts file is accepted by the program that
# reads it: every code block that begins with `account "`, `provider "`, `defaults`, `agent`,
# `store` or `include` is a whole file (a line of `...` in it stands for a client id). Each
# command and option that is shown exists. Each link leads somewhere.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
build=${MAILBEARER_BUILD:-$here/build}
program=$build/mailbearer
[ -x "$build/mailbearer-oauth" ] && export MAILBEARER_OAUTH="$build/mailbearer-oauth"
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

# documents TREE: their names, below TREE.
documents() {
    (cd "$1" && find README.md docs -name '*.md' | LC_ALL=C sort)
}

# --- what is shown as an accounts file --------------------------------------------------

# blocks FILE FOLDER: one file FOLDER/LINE for each accounts file shown, taken out of its
# indentation; LINE is where it begins. Prints the lines that begin an account or provider
# and are in none.
blocks() {
    awk -v folder="$2" '
function indentation(line) {
    match(line, /^ */)
    return RLENGTH
}

# The text is the first line of an accounts file.
function begins(text) {
    return text ~ /^(account|provider) "/ || text ~ /^(defaults|agent|store) \{/ ||
        text ~ /^include\("/
}

function keep(line) {
    line = substr(line, margin + 1)
    if (line ~ /^ *\.\.\.$/)
        line = "client_id = 1"
    print line > out
}

/^ *```/ {
    fence = !fence
    out = ""
    opening = 1
    next
}

{
    margin_now = indentation($0)
    empty = $0 ~ /^ *$/
    # An indented block begins behind an empty line, or a block of its own in a fence.
    if (out != "" && !fence && !empty && margin_now < margin)
        out = ""
    if (out == "" && !empty && (fence ? opening : was_empty && margin_now >= 4) &&
        begins(substr($0, margin_now + 1))) {
        out = folder "/" FNR
        margin = margin_now
    }
    if (out != "")
        keep($0)
    else if ($0 ~ /^ *(account|provider) "[^"]*" \{/)
        print FNR
    was_empty = empty
    opening = 0
}
' "$1"
}

# make_files FILE: what the values of its *_file, client_certificate and client_key keys
# name; absolute names are moved below $dir/etc first. No secret ends before our time does.
make_files() {
    sed -i -E "s,^( *[a-z_]+ *= *\"?)/,\1$dir/etc/,; s/^( *secret_expires *= *)20/\129/" "$1"
    sed -nE 's/^ *(([a-z_]+_file)|client_certificate|client_key|directory) *= *"?([^"]*)"?$/\1 \3/p' "$1" |
        while read -r key path; do
            case $path in
            /*) ;;
            *) path=${1%/*}/$path ;;
            esac
            mkdir -p "${path%/*}"
            case $key in
            directory) mkdir -p "$path" ;;
            client_certificate) cat "$dir/certificate" "$dir/key" >"$path" ;;
            client_key) cp "$dir/key" "$path" ;;
            encryption_key_file) openssl rand -hex 32 >"$path" ;;
            *) echo secret >"$path" ;;
            esac
        done
}

# accepted FILE: the program reads it and finds nothing wrong but that nobody has signed in.
# Prints its errors. It ends with 78 for a text that is no accounts file, with 77
# where somebody has yet to sign in; what a single account lacks is an error in either case.
accepted() {
    cp "$1" "$dir/mailbearer.conf" && chmod 600 "$dir/mailbearer.conf"
    grep -q '^store ' "$1" ||
        printf 'store {\n    directory = "%s"\n}\n' "$dir/state" >>"$dir/mailbearer.conf"
    (umask 077 && mkdir -p "$dir/state" && make_files "$dir/mailbearer.conf")
    said=$(env AZURE_CLIENT_ID=1 AZURE_TENANT_ID=contoso.com AZURE_AUTHORITY_HOST= \
        AZURE_FEDERATED_TOKEN_FILE="$dir/key" MAILBEARER_SOCKET="$dir/none" \
        "$program" -c "$dir/mailbearer.conf" check 2>&1)
    status=$?
    wanted=$(grep -c '^ *account "' "$dir/mailbearer.conf")
    if printf '%s\n' "$said" | grep '^error' >"$dir/errors"; then
        grep -v ': nobody has signed in for this account yet' "$dir/errors"
    elif [ $status -ne 0 ]; then
        printf 'exit status %s: %s\n' $status "$said"
    fi
    case $status:$said in
    78:* | *"mailbearer.conf: $wanted accounts"*) ;;
    *) printf 'it reads another number of accounts than %s: %s\n' "$wanted" "$said" ;;
    esac
}

# accounts_findings TREE
accounts_findings() {
    documents "$1" | while read -r doc; do
        rm -rf "$dir/blocks"
        mkdir "$dir/blocks"
        blocks "$1/$doc" "$dir/blocks" | while read -r line; do
            echo "$doc:$line: an account that begins no block of its own"
        done
        (cd "$dir/blocks" && find . -type f) | sed 's,^\./,,' | sort -n | while read -r line; do
            accepted "$dir/blocks/$line" | sed "s,^,$doc:$line: ,"
        done
    done
}

# --- commands ---------------------------------------------------------------------------

# code FILE: the text between backquotes and in code blocks, one piece a line, with the
# number of its line in front.
code() {
    awk '
/^ *```/ { fence = !fence; next }
fence || (was_empty || in_block) && /^    / { in_block = 1; print FNR ": " $0; was_empty = 0; next }
/^ *$/ { was_empty = 1; next }
{
    was_empty = in_block = 0
    n = split($0, piece, "`")
    for (i = 2; i <= n; i += 2)
        print FNR ": " piece[i]
}
' "$1"
}

# uses FILE: LINE COMMAND [WORD...] for each time the program is run in its code. What is
# behind the name in other places (a user, a group, a path) is no command.
uses() {
    code "$1" | awk '
{
    line = $1 + 0
    sub(/^[0-9]*: */, "")
    before = ""
    rest = $0
    while ((at = index(rest, "mailbearer ")) > 0) {
        before = before substr(rest, 1, at - 1)
        rest = substr(rest, at + length("mailbearer "))
        words = rest
        sub(/ *([|;&)"#<>]|2>).*/, "", words)
        sub(/^-c [^ ]* /, "", words)
        if (before ~ /(^|[|;&("])[ \t]*(([$#]|sudo|watch) )*$/ && words ~ /^[a-z]/)
            print line, words
        before = before "mailbearer "
    }
}'
}

# commands: those that --help lists.
commands() {
    "$program" --help | sed -n 's/^  \([a-z][a-z-]*\)\( .*\)\{0,1\}$/\1/p'
}

command_findings() {
    commands >"$dir/commands"
    documents "$1" | while read -r doc; do
        uses "$1/$doc" | while read -r line command words; do
            if ! grep -qx -e "$command" "$dir/commands"; then
                echo "$doc:$line: mailbearer has no command $command"
                continue
            fi
            for word in $words; do
                case $word in
                --*)
                    "$program" "$command" --help 2>&1 | grep -q -e "$word" ||
                        echo "$doc:$line: mailbearer $command has no option $word"
                    ;;
                esac
            done
        done
    done
}

# --- links ------------------------------------------------------------------------------

# anchors FILE: what its headings are called in links.
anchors() {
    sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

# links FILE: LINE TARGET, of [text](target), and of names of the tree's files in backquotes.
links() {
    grep -noE '\]\([^)]*\)' "$1" | sed 's/^\([0-9]*\):](\(.*\))$/\1 \2/'
    code "$1" | sed -nE 's,^([0-9]+): (((docs|packaging|tests|sasl-plugin|token-helper|fetch-helper)/[^ ]*|[A-Z]+\.md|LICENSE))$,\1 /\2,p'
}

link_findings() {
    documents "$1" | while read -r doc; do
        links "$1/$doc" | while read -r line target; do
            file=${target%%#*}
            case $target in
            http://* | https://* | mailto:*) continue ;;
            /*) file=$1$file ;;
            '#'*) file=$1/$doc ;;
            *) file=$(dirname "$1/$doc")/$file ;;
            esac
            if [ ! -e "$file" ]; then
                echo "$doc:$line: nothing is at $target"
            elif [ "$target" != "${target#*#}" ] &&
                ! anchors "$file" | grep -qx -e "${target#*#}"; then
                echo "$doc:$line: no heading for $target"
            fi
        done
    done
}

findings() {
    accounts_findings "$1"
    command_findings "$1"
    link_findings "$1"
}

openssl req -x509 -newkey rsa:2048 -sha256 -days 99 -nodes -subj /CN=mailbearer \
    -keyout "$dir/key" -out "$dir/certificate" 2>/dev/null
if [ "${1:-}" = --tree ]; then
    findings "$2"
    exit
fi

# found TITLE FINDING: what is written to README.md on standard input has that one finding.
found() {
    rm -rf "$dir/planted"
    mkdir -p "$dir/planted/docs"
    printf '# Planted\n\n## 2. A heading, with "marks"\n' >"$dir/planted/docs/other.md"
    cat >"$dir/planted/README.md"
    said=$(findings "$dir/planted")
    [ "$said" = "$2" ]
    result $? "$1" "expected: $2
got: $said"
}

[ -x "$program" ] || { echo "Bail out! $program is not there"; exit 1; }
echo 1..18
said=$(accounts_findings "$here")
[ -z "$said" ]
result $? "each accounts file shown is accepted" "$said"
said=$(documents "$here" | while read -r doc; do
    mkdir -p "$dir/all/$doc" && blocks "$here/$doc" "$dir/all/$doc"
done; find "$dir/all" -type f | wc -l)
[ "$said" -ge 20 ]
result $? "accounts files are shown at all" "only $said"
said=$(command_findings "$here")
[ -z "$said" ]
result $? "each command and option shown exists" "$said"
said=$(documents "$here" | while read -r doc; do uses "$here/$doc"; done | wc -l)
[ "$said" -ge 20 ]
result $? "commands are shown at all" "only $said"
said=$(link_findings "$here")
[ -z "$said" ]
result $? "each link leads somewhere" "$said"

found "nothing wrong is nothing found" "" <<'D'
# Title

Mailbearer as a user: `install -g mailbearer relay.secret`, and mailbearer is prose.

    account "a" {
        ...
        tenant = contoso.com
        client_secret_file = /etc/mailbearer/relay.secret

        ca_file = /etc/ssl/x.pem
    }

1. In a list:

       provider "p" { issuer = "https://example.com" scope = "mail" }
       account "b" {
           provider = p
           client_id = 1
       }
   `mailbearer token a --format json | mailbearer explain`

```
defaults {
    client_id = 1
}
account "c" {
    grant = managed_identity
}
```

[other](docs/other.md#2-a-heading-with-marks), [here](#title), [far](https://example.com/x),
`docs/other.md`, $(mailbearer check).
D
found "found: a key that does not exist" \
    "README.md:3: error    $dir/mailbearer.conf:3: unknown key \`alow_users\`; did you mean \`allow_users\`?" <<'D'
text

    account "a" {
        client_id   = 1
        alow_users = { postfix }
    }
D
sed 's/alow/allow/' "$dir/planted/README.md" >"$dir/mended"
found "not found when it is mended" "" <"$dir/mended"
found "found: an unknown provider, in the second account of a block" \
    "README.md:3: error    $dir/mailbearer.conf:3: unknown provider \`mikrosoft\`; did you mean \`microsoft\`?" <<'D'
# x

    account "a" { client_id = 1 }
    account "b" {
        provider = mikrosoft
        client_id = 1
    }
D
found "found: an account that says no secret" \
    "README.md:2: error    $dir/mailbearer.conf:1: account \`a\` has no client secret or certificate -> add client_secret_file, client_secret_command, client_certificate or federated_token_file" <<'D'
```conf
account "a" {
    grant = client_credentials
    tenant = contoso.com
    client_id = 1
}
```
D
found "found: an account in a block that begins otherwise" \
    "README.md:4: an account that begins no block of its own" <<'D'
text

    mailbearer check
    account "a" {
        client_id = 1
    }
D
found "found: a command that does not exist" "README.md:1: mailbearer has no command chekc" <<'D'
Run `mailbearer chekc`.
D
found "found: a command in the middle of a line" "README.md:3: mailbearer has no command tokn" <<'D'
x

    mailbearer check && curl "$(mailbearer tokn a)" | mailbearer explain
D
found "found: a command after -c" "README.md:3: mailbearer has no command tokn" <<'D'
x

    # mailbearer -c FILE tokn a
D
found "found: an option that does not exist" "README.md:1: mailbearer token has no option --fromat" <<'D'
Or `mailbearer token a --fromat json`.
D
found "found: a link to nothing" "README.md:1: nothing is at docs/none.md" <<'D'
See [this](docs/none.md).
D
found "found: the name of a file that is not there" "README.md:1: nothing is at /docs/none.md" <<'D'
See `docs/none.md`.
D
found "found: a link to a heading that is not there" \
    "README.md:1: no heading for docs/other.md#2-a-heading" <<'D'
See [this](docs/other.md#2-a-heading) and [that](docs/other.md#2-a-heading-with-marks).
D
exit $failures
