# What Doxygen reads in place of a public header: plain comments become its own.
# The first one is about the file; one behind a declaration on its line belongs
# to that, any other to what follows; rules ("---- Groups ----") to nothing.
# Inside, lines indented by two or more or with gaps of three are code, formulas
# and tables, and stay as they are; in the rest nothing is a command.

function escaped(text) {
    gsub(/\\/, "\\\\\\\\", text)
    gsub(/@/, "\\\\@", text)
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    gsub(/>/, "\\&gt;", text)
    gsub(/#/, "\\\\#", text)
    gsub(/%/, "%%", text)
    return text
}
# One line of a comment, without stars. Blank lines wait until it is known
# whether a verbatim part goes on behind them.
function say(text) {
    if (text ~ /^[ \t]*$/) { blank++; return }
    as_is = text ~ /^  |[^ ]   / # or columns of a table
    if (verbatim && !as_is) { print "@endverbatim"; verbatim = 0 }
    for (; blank > 0; blank--) print ""
    if (as_is && !verbatim) { print "@verbatim"; verbatim = 1 }
    print verbatim ? text : escaped(text)
}
function finish() {
    if (verbatim) print "@endverbatim"
    verbatim = blank = inside = 0
    print "*/"
}
# The body of a comment that began on this line.
function begin(text, where) {
    end = index(text, "*/")
    if (end) {
        print where escaped(substr(text, 1, end - 1)) "*/" substr(text, end + 2)
        return
    }
    inside = 1
    behind = where ~ /</
    print where escaped(text)
}

FNR == 1 && /^\/\*/ {
    name = FILENAME
    sub(/.*\/include\//, "", name)
    sub(/^\/\* *[^ ]*: */, "")
    print "/** @file " name
    inside = 1
    behind = 0
    if (index($0, "*/")) { sub(/\*\/.*/, ""); say($0); finish() } else say($0)
    next
}
inside {
    text = $0
    last = index(text, "*/")
    if (last) text = substr(text, 1, last - 1)
    sub(/^[ \t]*\* ?/, "", text) || sub(/^[ \t]+/, "", text)
    if (behind) sub(/^ +/, "", text)
    say(text)
    if (last) finish()
    next
}
/^[ \t]*\/\* *----/ { print; next }
/^[ \t]*\/\*/ {
    match($0, /\/\*/)
    begin(substr($0, RSTART + 2), substr($0, 1, RSTART - 1) "/**")
    next
}
/\/\*/ && !/^#/ {
    match($0, /\/\*/)
    begin(substr($0, RSTART + 2), substr($0, 1, RSTART - 1) "/**<")
    next
}
{ print }
