/* Files that a run leaves behind. */
#define _POSIX_C_SOURCE 200809L
#include "examples/fismo_paper/fismo_paper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/plot.h"

void out_path(char *path, size_t size, const config *c, const char *name)
{
    snprintf(path, size, "%s/%s", c->out, name);
}

static void cannot_write(const config *c, const char *name)
{
    fprintf(stderr, "fismo_paper: cannot write %s/%s: %s\n", c->out, name, strerror(errno));
}

FILE *out_open(const config *c, const char *name)
{
    char path[MAX_PATH];
    out_path(path, sizeof path, c, name);
    FILE *csv = fopen(path, "w");
    if (csv == NULL)
        cannot_write(c, name);
    return csv;
}

int out_close(FILE *csv, const config *c, const char *name)
{
    int failed = ferror(csv);
    failed = fclose(csv) != 0 || failed;
    if (failed)
        cannot_write(c, name);
    return failed;
}

void out_draw(const config *c, const char *name, int width, int height, FILE *script, char **text)
{
    char path[MAX_PATH];
    out_path(path, sizeof path, c, name);
    int status = fclose(script) != 0 ? -1 : plot_draw(path, width, height, *text);
    free(*text);
    if (status == 0)
        printf("data: %s.csv; picture: %s.svg, %s.png\n", path, path, path);
    else
        printf("data: %s.csv (no picture: gnuplot %s)\n", path,
               status == 1 ? "is not installed" : "failed");
}
