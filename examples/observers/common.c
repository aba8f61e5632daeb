/* Errors, tables and pictures of the three programs. */
#include "examples/observers/observers.h"

#include <stdlib.h>

#include "examples/support/program.h"

static void leave(int status)
{
    if (status != 0)
        exit(program_end(status));
}

void die(const char *format, const char *what)
{
    char text[512];
    snprintf(text, sizeof text, format, what);
    leave(program_error("%s", text));
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
        leave(program_no_memory());
    return data;
}

void rows_open(table *t, const config *c, const char *header)
{
    leave(table_open(t, c->out, c->name, header));
}

void rows_save(table *t)
{
    leave(table_save(t));
}

void picture_open(picture *p)
{
    leave(plot_open(p));
}

void picture_draw(picture *p, const table *t, int width, int height)
{
    leave(plot_draw(p, t, width, height));
}
