# The man page of a program, from what its --help prints, which comes from its
# tables: awk -v name=natgrad-predict -v version=0.2.0 -f m4/program.awk
#
# The help is a line of usage; a paragraph whose first sentence says what the program
# is for; lines of "  --option=X   what it does", continued further right; headings
# that end with a colon; and paragraphs.
function escape(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    return text ~ /^[.']/ ? "\\&" text : text
}
function put(text) { print escape(text) }
function paragraph() { if (!open) print ".PP"; open = 1 }
BEGIN { open = 1 }
NR == 1 {
    usage = $0
    sub(/^Usage: [^ ]* /, "", usage)
    next
}
NR == 2 {
    what = $0
    sub(/\. .*/, "", what); sub(/\.$/, "", what)
    printf ".TH %s 1 \"\" \"natgrad %s\" \"natgrad\"\n.SH NAME\n", toupper(escape(name)), version
    printf "%s \\- %s\n.SH SYNOPSIS\n.B %s\n", escape(name), escape(tolower(substr(what, 1, 1)) substr(what, 2)), escape(name)
    put(usage)
    print ".SH DESCRIPTION"
}
/^$/ { open = 0; next }
/^  ? ? ? ? ?[^ ].*[^ ]  +[^ ]/ || /^  -/ { # an entry, perhaps with its text on the next line
    if (!entries++ && /^  -/) print ".SH OPTIONS"
    text = substr($0, 3)
    tag = text
    sub(/  +[^ ].*/, "", tag)
    rest = substr(text, length(tag) + 1)
    sub(/^ +/, "", rest)
    print ".TP"
    print ".B " escape(tag)
    if (rest != "") put(rest)
    open = 1
    next
}
/^ / { sub(/^ +/, ""); put($0); next } # continued
/:$/ { sub(/:$/, ""); print ".SS " escape($0); open = 1; next }
{ paragraph(); put($0) }
