# make-templates.awk - turns the templates of `mailbearer setup` into C, on stdout.
#
# usage: awk -f make-templates.awk names.def CLIENT.tmpl... > templates.c
#
# README.md says what a template is; templates.h says what comes out. Templates are given
# in the order of their names. Runs with mawk, gawk and busybox awk. A line that breaks a
# rule is named on standard error with its file and number, nothing is written, and the
# status is 1.

BEGIN {
    DEPTH_MAX = 6
    bit["smtp"] = "SETUP_NEEDS_SMTP"; bit["imap"] = "SETUP_NEEDS_IMAP"
    bit["pop3"] = "SETUP_NEEDS_POP3"; bit["token"] = "SETUP_NEEDS_TOKEN"
    count = 0
}

FNR == 1 { file_ends() }

FILENAME ~ /\.def$/ {
    if (match($0, /^SETUP_(NAME|QUOTING)\([A-Za-z0-9_]+\)$/)) {
        word = $0
        gsub(/^.*\(|\)$/, "", word)
        if ($0 ~ /NAME/)
            names[word] = 1
        else
            kinds[word] = 1
    }
    next
}

FNR == 1 { file_begins() }

{
    where = FILENAME ":" FNR
    check_text($0)
    if (in_header && header($0))
        next
    in_header = 0
    take($0)
}

END {
    if (failed)
        exit 1
    file_ends()
    if (!count) {
        where = "make-templates.awk"
        fail("no templates")
    }
    write_all()
}

function fail(why)
{
    print where ": " why > "/dev/stderr"
    failed = 1
    exit 1
}

function file_begins(    name)
{
    name = FILENAME
    sub(/^.*\//, "", name)
    where = FILENAME ":1"
    if (!sub(/\.tmpl$/, "", name) || name !~ /^[a-z0-9][a-z0-9-]*$/ || length(name) > 20)
        fail("a template is called CLIENT.tmpl, in small letters, digits and hyphens")
    client[count] = name
    folder = FILENAME
    sub(/[^\/]*$/, "", folder)
    title[count] = quoting[count] = needs[count] = text[count] = ""
    in_header = 1
    depth = parts = 0
    open = 1
}

function file_ends()
{
    if (!open)
        return
    where = client[count] ".tmpl"
    if (title[count] == "" || quoting[count] == "")
        fail("@title and @quoting are needed")
    if (depth > 0)
        fail("@if without @end@, opened at " opened[depth])
    if (!parts)
        fail("it has no part: # --- FILE: PATH or # --- COMMANDS")
    if (needs[count] == "")
        needs[count] = "0"
    open = 0
    count++
}

function check_text(line)
{
    if (line ~ /[^\t -~]/)
        fail("not plain ASCII, or a control character")
    if (line ~ /[ \t]$/)
        fail("a blank at the end")
}

# A directive of the first lines; 0 when it is none.
function header(line,    n, i, word)
{
    if (line ~ /^@#/)
        return 1
    if (line ~ /^@title .*@$/)
        title[count] = directive(line, title[count])
    else if (line ~ /^@quoting .*@$/)
        quoting[count] = directive(line, quoting[count])
    else if (line ~ /^@needs .*@$/) {
        n = split(directive(line, needs[count]), word, / /)
        for (i = 1; i <= n; i++) {
            if (!(word[i] in bit))
                fail("unknown need: " word[i])
            needs[count] = needs[count] (i > 1 ? " | " : "") bit[word[i]]
        }
        return 1
    } else
        return 0
    if (length(title[count]) > 56)
        fail("the title is longer than 56 characters")
    if (quoting[count] != "" && !(quoting[count] in kinds))
        fail("unknown quoting: " quoting[count])
    return 1
}

# What a directive says, which must not have been said before.
function directive(line, before)
{
    if (before != "")
        fail("said twice: " line)
    sub(/^@[a-z]+ /, "", line)
    sub(/@$/, "", line)
    return line
}

function take(line)
{
    if (line ~ /^@#/)
        return
    if (line ~ /^@include [a-z0-9-]+\.inc@$/) {
        include(folder substr(line, 10, length(line) - 10))
        return
    }
    if (line ~ /^# --- /) {
        if (line !~ /^# --- FILE: [^ ]+( 0?[0-7][0-7][0-7])?$/ && line != "# --- COMMANDS")
            fail("a part begins with `# --- FILE: PATH [MODE]` or `# --- COMMANDS`")
        parts++
    } else if (!parts && line !~ /^[#@]/ && line != "")
        fail("before the first part, lines begin with #")
    if (line ~ /^@(if|else|end|include|title|needs|quoting)([ @]|$)/)
        condition(line)
    else
        check_names(line)
    text[count] = text[count] "\n    \"" c_text(line) "\\n\""
}

function include(path,    line, result, from, number)
{
    from = where
    while ((result = (getline line < path)) > 0) {
        where = path ":" ++number
        check_text(line)
        if (line ~ /^@include/)
            fail("an included file includes no other")
        take(line)
    }
    close(path)
    where = from
    if (result < 0)
        fail("cannot read " path)
}

function condition(line,    name)
{
    if (line ~ /^@if (not )?[A-Z][A-Z0-9_]*@$/) {
        name = line
        sub(/^@if (not )?/, "", name)
        sub(/@$/, "", name)
        if (!(name in names))
            fail("unknown name: " name)
        if (++depth > DEPTH_MAX)
            fail("@if more than " DEPTH_MAX " deep")
        opened[depth] = where
        else_seen[depth] = 0
    } else if (line == "@else@" && depth > 0 && !else_seen[depth])
        else_seen[depth] = 1
    else if (line == "@end@" && depth > 0)
        depth--
    else
        fail("not understood, or out of place: " line)
}

function check_names(line,    name, kind)
{
    while (match(line, /@[A-Z][A-Z0-9_]*(:[a-z]*)?@/)) {
        name = substr(line, RSTART + 1, RLENGTH - 2)
        kind = ""
        if (name ~ /:/) {
            kind = name
            sub(/^[^:]*:/, "", kind)
            sub(/:.*/, "", name)
            if (!(kind in kinds))
                fail("unknown quoting: " kind)
        }
        if (!(name in names))
            fail("unknown name: " name)
        line = substr(line, RSTART + RLENGTH)
    }
}

# As a C text. By hand: the awks do not agree on backslashes in gsub().
function c_text(line,    i, c, out)
{
    if (line !~ /["\\\t]/)
        return line
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        out = out (c == "\t" ? "\\t" : c == "\"" || c == "\\" ? "\\" c : c)
    }
    return out
}

function write_all(    i)
{
    print "/* Made by make-templates.awk from the *.tmpl files. */"
    print "#include \"templates.h\"\n"
    print "const struct setup_template setup_templates[] = {"
    for (i = 0; i < count; i++)
        print "    {\"" client[i] "\", \"" c_text(title[i]) "\", \"" quoting[i] "\", " \
            needs[i] "," text[i] "},"
    print "};"
    print "const size_t setup_template_count = " count ";"
}
