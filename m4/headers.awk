# The public headers and what each is for, the first sentence of its first
# comment: -v form=man as items of a man page, form=doxygen as the main page.
function item() {
    if (text == "") return
    sub(/[.:;,] *$/, "", text)
    if (form == "man") {
        gsub(/\\/, "\\e", text)
        gsub(/-/, "\\-", text)
        printf ".TP\n.B <%s>\n%s.\n", name, text
    } else {
        gsub(/[<>@#&]/, "\\\\&", text)
        printf "<tr><td>@ref %s</td><td>%s</td></tr>\n", name, text
    }
    text = ""
}
BEGIN { if (form == "doxygen") print "/** @mainpage " title "\n<table>" }
FNR == 1 {
    item()
    name = FILENAME
    sub(/.*include\//, "", name)
    text = $0
    if (!sub(/^\/\* *[^ ]*: */, "", text)) text = ""
    open = text != ""
}
open && FNR > 1 {
    line = $0
    if (line !~ /^ \* [^ ]/) open = 0
    else { sub(/^ \* /, "", line); text = text " " line }
}
open && match(text, /[.:;]( |$)/) { text = substr(text, 1, RSTART); open = 0 }
open && match(text, /\*\//) { text = substr(text, 1, RSTART - 1); open = 0 }
END { item(); if (form == "doxygen") print "</table>\n*/" }
