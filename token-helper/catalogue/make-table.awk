# make-table.awk - turns catalogue.tsv into the C source of its tables, on stdout.
#
# usage: awk -f make-table.awk catalogue.tsv > catalogue_table.c
#
# catalogue.tsv says at its top what a row is and how `match` is written;
# catalogue_table.h says what comes out. Runs with mawk, gawk and busybox awk. A row that
# breaks a rule is named with its line number on standard error, nothing is written, and
# the status is 1.

BEGIN {
    FS = "\t"
    GAP = "\\001"; RANGE = "\\002"; RANGE_END = "\\003"; GOES_ON = "\\004"
    for (i = 32; i < 127; i++)
        ascii = ascii sprintf("%c", i)
    class_name["transient"] = "CATALOGUE_TRANSIENT"
    class_name["user-action"] = "CATALOGUE_USER_ACTION"
    class_name["config"] = "CATALOGUE_CONFIG"
    class_name["permanent"] = "CATALOGUE_PERMANENT"
    layers["entra"] = layers["smtp"] = layers["imap"] = layers["pop"] = 1
    placeholders["{mailbox}"] = placeholders["{account}"] = 1
    placeholders["{client_id}"] = placeholders["{tenant}"] = 1
    rows = patterns = names = 0
    count["aadsts"] = count["http"] = 0
}

/^#/ || /^$/ { next }

/[^\t -~]/ { fail("not plain ASCII, or a control character") }

NF != 6 { fail("six columns are needed, this has " NF) }

!header {
    if ($0 != "layer\tcode\tmatch\tmeaning\tclass\tremedy")
        fail("the first line must name the columns: " \
            "layer code match meaning class remedy")
    header = 1
    next
}

{
    check_row()
    layer[rows] = $1; code[rows] = $2
    meaning[rows] = $4; class[rows] = $5; remedy[rows] = $6
    n = split($3, alternative, / \| /)
    for (i = 1; i <= n; i++)
        add_match(alternative[i])
    rows++
}

END {
    if (failed)
        exit 1
    if (!rows) {
        print FILENAME ": no rows" > "/dev/stderr"
        exit 1
    }
    write_rows()
    write_numbers("aadsts")
    write_numbers("http")
    write_names()
    write_patterns()
}

function fail(why)
{
    print FILENAME ":" FNR ": " why > "/dev/stderr"
    failed = 1
    exit 1
}

function check_row(    i)
{
    for (i = 1; i <= 6; i++)
        if ($i == "")
            fail("column " i " is empty")
        else if ($i ~ /^ / || $i ~ / $/)
            fail("column " i " begins or ends with a space")
    if (!($1 in layers))
        fail("unknown layer: " $1)
    if (!($5 in class_name))
        fail("unknown class: " $5)
    if (($1, $2) in code_line)
        fail("duplicate code: " $2 " is also in line " code_line[$1, $2])
    code_line[$1, $2] = FNR
    if (length($4) > 200)
        fail("the meaning is longer than 200 characters: " length($4))
    if (length($6) > 300)
        fail("the remedy is longer than 300 characters: " length($6))
    check_placeholders($6)
}

function check_placeholders(text)
{
    while (match(text, /\{[a-z_]+\}/)) {
        if (!(substr(text, RSTART, RLENGTH) in placeholders))
            fail("unknown placeholder: " substr(text, RSTART, RLENGTH))
        text = substr(text, RSTART + RLENGTH)
    }
}

function add_match(text)
{
    if (text == "=")
        text = $2
    if (text ~ /^AADSTS[0-9]+(-[0-9]+)?$/)
        add_numbers("aadsts", substr(text, 7))
    else if (text ~ /^http:[0-9]+(-[0-9]+)?$/)
        add_numbers("http", substr(text, 6))
    else if (text ~ /^oauth:/)
        add_name(substr(text, 7))
    else
        add_pattern(text)
}

function add_numbers(kind, text,    part, i, n, lo, hi)
{
    n = split(text, part, "-")
    lo = part[1] + 0
    hi = part[n] + 0
    if (hi < lo || hi > 99999999)
        fail("not a range of numbers: " text)
    for (i = 0; i < count[kind]; i++)
        if (lo <= last[kind, i] && first[kind, i] <= hi)
            fail("duplicate match: " text " is also in line " number_line[kind, i])
    # Kept sorted: the look-up is a binary search.
    for (i = count[kind]++; i > 0 && first[kind, i - 1] > lo; i--) {
        first[kind, i] = first[kind, i - 1]
        last[kind, i] = last[kind, i - 1]
        number_row[kind, i] = number_row[kind, i - 1]
        number_line[kind, i] = number_line[kind, i - 1]
    }
    first[kind, i] = lo
    last[kind, i] = hi
    number_row[kind, i] = rows
    number_line[kind, i] = FNR
}

function add_name(text)
{
    # The search takes a word for an OAuth error only when it has an underscore.
    if (text !~ /^[a-z]+(_[a-z]+)+$/ || length(text) > 40)
        fail("not an OAuth error name: " text)
    if (text in name_line)
        fail("duplicate match: " text " is also in line " name_line[text])
    name_line[text] = FNR
    name[names] = text
    name_row[names++] = rows
}

# Translates one text of the `match` column into the bytes catalogue_search.c reads.
function add_pattern(text,    rest, out, weight, gaps, lead)
{
    text = tolower(text)
    if (text in pattern_line)
        fail("duplicate match: " text " is also in line " pattern_line[text])
    pattern_line[text] = FNR
    if (length(text) < 5 || text !~ /^[^ ]/ || text ~ /  / || text ~ /\.\.\. *$/)
        fail("not a text to look for: " text)
    lead = substr(text, 1, 1)
    for (rest = text; rest != ""; ) {
        if (substr(rest, 1, 5) == " ... ") {
            if (gaps++)
                fail("more than one gap: " text)
            out = out GAP
            rest = substr(rest, 6)
        } else if (match(rest, /^\[[0-9]+-[0-9]+\]/)) {
            out = out RANGE check_range(substr(rest, 2, RLENGTH - 2)) RANGE_END
            weight += 3
            rest = substr(rest, RLENGTH + 1)
        } else if (rest == "*" || substr(rest, 1, 6) == "* ... ") {
            out = out GOES_ON
            rest = substr(rest, 2)
        } else {
            out = out escape(substr(rest, 1, 1))
            weight++
            rest = substr(rest, 2)
        }
    }
    pattern[patterns] = out
    pattern_lead[patterns] = index(ascii, lead) + 31
    pattern_weight[patterns] = weight
    pattern_row[patterns++] = rows
}

function check_range(text,    part)
{
    split(text, part, "-")
    if (part[1] + 0 >= part[2] + 0 || length(part[2]) > 9)
        fail("not a range of numbers: " text)
    return text
}

# One character of a C string. A "?" is escaped because "??" may begin a trigraph.
function escape(c)
{
    return (c == "\\" || c == "\"" || c == "?") ? "\\" c : c
}

function quote(text,    i, out)
{
    for (i = 1; i <= length(text); i++)
        out = out escape(substr(text, i, 1))
    return "\"" out "\""
}

function write_rows(    i)
{
    print "/* Made from catalogue.tsv by make-table.awk: change those. */"
    print "#include \"catalogue_table.h\"\n"
    print "const struct catalogue_entry catalogue_rows[] = {"
    for (i = 0; i < rows; i++)
        printf "    {%s, %s,\n     %s,\n     %s,\n     %s},\n", \
            quote(layer[i]), quote(code[i]), quote(meaning[i]), \
            class_name[class[i]], quote(remedy[i])
    print "};\nconst size_t catalogue_row_count = " rows ";\n"
}

# An empty table of C needs a member; the count leaves it out.
function write_numbers(kind,    i)
{
    print "const struct catalogue_number catalogue_" kind "_numbers[] = {"
    for (i = 0; i < count[kind]; i++)
        print "    {" first[kind, i] ", " last[kind, i] ", " number_row[kind, i] "},"
    if (!count[kind])
        print "    {0, 0, 0},"
    print "};\nconst size_t catalogue_" kind "_count = " count[kind] ";\n"
}

function write_names(    i)
{
    print "const struct catalogue_name catalogue_names[] = {"
    for (i = 0; i < names; i++)
        print "    {\"" name[i] "\", " name_row[i] "},"
    if (!names)
        print "    {0, 0},"
    print "};\nconst size_t catalogue_name_count = " names ";\n"
}

function write_patterns(    c, i, n, starts)
{
    print "const struct catalogue_pattern catalogue_patterns[] = {"
    for (c = 0; c <= 128; c++) {
        starts = starts (c % 16 ? " " : "\n    ") n + 0 ","
        for (i = 0; i < patterns; i++)
            if (pattern_lead[i] == c) {
                printf "    {\"%s\", %d, %d},\n", pattern[i], pattern_row[i], \
                    pattern_weight[i]
                n++
            }
    }
    if (!patterns)
        print "    {\"\", 0, 0},"
    print "};\n\nconst uint16_t catalogue_pattern_first[129] = {" starts "\n};"
}
