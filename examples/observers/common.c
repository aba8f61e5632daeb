/* Errors, tables and pictures of the three programs. */
#define _POSIX_C_SOURCE 200809L
#include "examples/observers/observers.h"

#include <stdlib.h>

#include "examples/support/arguments.h"
#include "examples/support/plot.h"

void die(const char *format, const char *what)
{
    fputs("observers: ", stderr);
    fprintf(stderr, format, what);
    fputs("\n", stderr);
    exit(EXIT_FAILURE);
}

void must(ng_status status, const ng_error *error)
{
    if (status != NG_OK)
        die("%s", error->text);
}

void *memory(size_t count, size_t size)
{
    void *data = calloc(count, size);
    if (data == NULL)
        die("%s", "out of memory");
    return data;
}

FILE *table_open(const config *c, const char *header)
{
    FILE *csv = arguments_table(c->out);
    if (csv == NULL)
        exit(EXIT_FAILURE);
    fprintf(csv, "%s\n", header);
    return csv;
}

void table_close(FILE *csv)
{
    int failed = ferror(csv);
    if (fclose(csv) != 0 || failed)
        die("%s", "cannot write the table");
}

void picture_open(picture *p)
{
    p->text = NULL;
    p->script = open_memstream(&p->text, &p->size);
    if (p->script == NULL)
        die("%s", "out of memory");
}

void picture_draw(picture *p, const config *c, int width, int height)
{
    if (fclose(p->script) != 0)
        die("%s", "out of memory");
    int status = plot_draw(c->out, width, height, p->text);
    free(p->text);
    printf(status == 0 ? "picture: %s.svg, %s.png\n"
                       : "no picture (gnuplot is missing or failed)\n",
           c->out, c->out);
}
