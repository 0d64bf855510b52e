# Makes a completion script: the table's data put into a shell's template.
#
# usage: awk -f generate.awk table mailbearer.SHELL.in
#
# A line of the template that is @NAME@ or @NAME ARGUMENT...@ is replaced: ROWS by the table,
# ZSH_COMMANDS, ZSH_SPECS, ZSH_CASES, FISH_TAKES and FISH_RULES by what those shells have
# syntax for.
BEGIN { FS = "\t" }

function fail(text) {
    print FILENAME ":" FNR ": " text > "/dev/stderr"
    failed = 1
    exit 1
}

FNR == NR && (/^#/ || /^$/) { next }

FNR == NR {
    if (NF != 5 || $0 ~ /['"\\;]/)
        fail("five columns, without quotes, backslashes and semicolons, are needed")
    n++
    program[n] = $1; command[n] = $2; what[n] = $3; value[n] = $4; help[n] = $5
    next
}

function rows(    i) {
    for (i = 1; i <= n; i++)
        printf "%s;%s;%s;%s;%s\n", program[i], command[i], what[i], value[i], help[i]
}

# An action of _arguments.
function zsh_action(v) {
    if (v == "account")
        return "_mailbearer_accounts"
    if (v == "client")
        return "_mailbearer_clients"
    if (v == "file")
        return "_files"
    if (v == "command")
        return "_command_names"
    if (v == "text")
        return " "
    gsub(/,/, " ", v)
    return "(" v ")"
}

# Specifications for _arguments, of one program and command, one a line.
function zsh_specs(p, c,    i) {
    for (i = 1; i <= n; i++) {
        if (program[i] != p || command[i] != c || what[i] == "=")
            continue
        if (what[i] ~ /^-/)
            printf "        '%s[%s]%s' \\\n", what[i], help[i],
                value[i] == "-" ? "" : ":" help[i] ":" zsh_action(value[i])
        else
            printf "        '%s:%s:%s' \\\n", what[i] == "+" ? "*" : what[i], help[i],
                zsh_action(value[i])
    }
}

function zsh_commands(    i) {
    for (i = 1; i <= n; i++)
        if (what[i] == "=")
            printf "        '%s:%s'\n", command[i], help[i]
}

function zsh_cases(    i) {
    for (i = 1; i <= n; i++)
        if (what[i] == "=") {
            print "    " command[i] ")\n        _arguments \\"
            zsh_specs(program[i], command[i])
            print "        '--help[print help]' ;;"
        }
}

# Every option that takes a value.
function fish_takes(    i) {
    printf "set -g __mailbearer_takes"
    for (i = 1; i <= n; i++)
        if (what[i] ~ /^-/ && value[i] != "-")
            printf " %s", what[i]
    print ""
}

# Options of `complete` for a value.
function fish_value(v) {
    if (v == "account")
        return " -a '(__mailbearer_accounts)'"
    if (v == "client")
        return " -a '(__mailbearer_clients)'"
    if (v == "file")
        return " -F"
    if (v == "command")
        return " -a '(__fish_complete_command)'"
    if (v == "text")
        return ""
    gsub(/,/, " ", v)
    return " -a '" v "'"
}

# The same for an option.
function fish_option(o, v) {
    o = o ~ /^--/ ? " -l " substr(o, 3) : " -s " substr(o, 2)
    return v == "-" ? o : o " -r" (v == "file" ? "" : " -f") fish_value(v)
}

# How many numbered operands stand before a row's "+".
function numbered(row,    i, most) {
    for (i = 1; i <= n; i++)
        if (program[i] == program[row] && command[i] == command[row] && what[i] ~ /^[0-9]+$/)
            most++
    return most + 0
}

function fish_rules(    i, c, place) {
    for (i = 1; i <= n; i++) {
        c = "complete -c " program[i]
        place = " -n '__mailbearer_at " command[i]
        if (what[i] == "=")
            print c " -f -n '__mailbearer_at - -eq 0' -a " command[i] " -d '" help[i] "'"
        else if (what[i] ~ /^-/)
            print c (command[i] == "-" ? "" : place "'") fish_option(what[i], value[i]) \
                " -d '" help[i] "'"
        else
            print c (value[i] == "file" ? "" : " -f") place \
                (what[i] == "+" ? " -ge " numbered(i) : " -eq " what[i] - 1) "'" \
                fish_value(value[i])
    }
}

/^@[A-Z_]+( [a-z -]+)?@$/ {
    split(substr($0, 2, length($0) - 2), word, " ")
    if (word[1] == "ROWS")
        rows()
    else if (word[1] == "ZSH_COMMANDS")
        zsh_commands()
    else if (word[1] == "ZSH_SPECS")
        zsh_specs(word[2], "-")
    else if (word[1] == "ZSH_CASES")
        zsh_cases()
    else if (word[1] == "FISH_TAKES")
        fish_takes()
    else if (word[1] == "FISH_RULES")
        fish_rules()
    else
        fail("unknown: " $0)
    next
}

{ print }

END { exit failed }
