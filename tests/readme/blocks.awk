# Takes the code blocks out of one section of README.md.
#
# usage: awk -v section=TITLE -v folder=FOLDER -f blocks.awk README.md
#
# TITLE is a heading's text. FOLDER/01, 02, ... hold the blocks without their indentation, in
# their order. Where the line before the block ends with "`PATH`:" the block is the contents of
# that file, and FOLDER/NN.path holds its name; any other block is commands.

/^##* / {
    inside = $0
    sub(/^##* /, "", inside)
    inside = inside == section
    block = ""
    text = ""
}

!inside { next }

/^    / && (block != "" || was_empty) {
    if (block == "") {
        block = sprintf("%s/%02d", folder, ++count)
        if (match(text, /`[~\/][^` ]*`:$/))
            print substr(text, RSTART + 1, RLENGTH - 3) > (block ".path")
    }
    for (; empty_lines > 0; empty_lines--)
        print "" > block
    print substr($0, 5) > block
    was_empty = 0
    next
}

/^ *$/ {
    was_empty = 1
    if (block != "")
        empty_lines++
    next
}

{
    block = ""
    text = $0
    was_empty = empty_lines = 0
}
