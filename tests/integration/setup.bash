# shellcheck shell=bash
# setup.bash - use what `mailbearer setup` prints, verbatim.
#
# Used by:  setup.bats, clients*.bats
# Needs:    lib.bash; $WORK/mailbearer.conf

# print_setup CLIENT ACCOUNT - its text, on standard output.
print_setup() {
    "$MAILBEARER" -c "$WORK/mailbearer.conf" setup "$1" "$2"
}

# cut_setup ROOT HOME - cuts the text on standard input into its parts: a file ~/NAME below
# HOME, any other PATH below ROOT, appended where it is there, with the mode it asks for; the
# commands into ROOT/commands; what stands before the first part into ROOT/notes.
cut_setup() {
    awk -v root="$1" -v home="$2" '
function quoted(text) {
    gsub(/\047/, "\047\\\047\047", text)
    return "\047" text "\047"
}
BEGIN {
    out = root "/notes"
    system("mkdir -p " quoted(root))
}
/^# --- FILE: / {
    out = $4
    if (!sub(/^~/, home, out))
        out = root (out ~ /^\// ? "" : "/") out
    folder = out
    sub(/\/[^\/]*$/, "", folder)
    system("mkdir -p " quoted(folder))
    if ($5 != "")
        system("touch " quoted(out) " && chmod " $5 " " quoted(out))
    next
}
/^# --- COMMANDS$/ { out = root "/commands"; next }
{ print >> out; fflush(out) }'
}

# use_setup CLIENT ACCOUNT ROOT HOME - prints and cuts; the two folders are made.
use_setup() {
    mkdir -p "$3" "$4"
    print_setup "$1" "$2" > "$3/printed" || return 1
    cut_setup "$3" "$4" < "$3/printed"
}
