/* Names from outside, in tables and on terminals. */
#ifndef EXAMPLES_CELL_H
#define EXAMPLES_CELL_H

#include <stdio.h>

/* text <- a name for people: without control characters, cut. */
enum { SHOWN = 25 };
const char *shown(char text[SHOWN], const char *name);

/* A cell of a table: quoted where it must be. */
void put_cell(FILE *to, const char *text);

#endif
