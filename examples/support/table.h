/* What a program leaves in its folder: NAME.csv, written whole or not at all,
 * and NAME.svg and NAME.png beside it (plot.h). */
#ifndef EXAMPLES_TABLE_H
#define EXAMPLES_TABLE_H

#include <stdio.h>

enum { MAX_PATH = 4200 };

typedef struct {
    FILE *to;   /* write the rows here; they stay in memory until they are saved */
    char *text; /* what was written, after table_save */
    size_t size;
    char name[64], base[MAX_PATH]; /* folder/name, without .csv */
} table;

/* The folder is one that arguments_folder has looked at. header: the first line, or
 * NULL: it is a row like the others. 0, or 1 after reporting; the table can be freed
 * either way. */
int table_open(table *t, const char *folder, const char *name, const char *header);

/* Writes the rows there are so far to FOLDER/NAME.csv, in place of what that was;
 * may be called again. 0, or 1 after reporting. */
int table_save(table *t);

void table_free(table *t);

/* Writes `size` bytes to a file, which is replaced as a whole. 0, or 1 after
 * reporting. */
int file_write(const char *path, const void *bytes, size_t size);

#endif
