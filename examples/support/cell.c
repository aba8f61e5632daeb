#include "examples/support/cell.h"

#include <ctype.h>
#include <string.h>

const char *shown(char text[SHOWN], const char *name)
{
    snprintf(text, SHOWN, "%s", name);
    for (char *c = text; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c))
            *c = '?';
    return text;
}

void put_cell(FILE *to, const char *text)
{
    int plain = text[0] != '\0' && text[strcspn(text, ",\"\r\n#")] == '\0' &&
                !isspace((unsigned char)text[0]) && !isspace((unsigned char)text[strlen(text) - 1]);
    if (plain) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}
