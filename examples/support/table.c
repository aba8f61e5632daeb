#define _POSIX_C_SOURCE 200809L
#include "examples/support/table.h"

#include <stdlib.h>
#include <string.h>
#include <natgrad/file.h>

#include "examples/support/program.h"

int file_write(const char *path, const void *bytes, size_t size)
{
    ng_file *file;
    ng_error error;
    if (program_hushed())
        return 0;
    ng_status status = ng_file_create(&file, path, &error);
    if (status == NG_OK) {
        ng_file_write(file, bytes, size, NULL); /* commit knows whether it failed */
        status = ng_file_commit(file, &error);
    }
    return status == NG_OK ? 0 : program_error("cannot write %s", error.text);
}

int table_open(table *t, const char *folder, const char *name, const char *header)
{
    memset(t, 0, sizeof *t);
    snprintf(t->name, sizeof t->name, "%s", name);
    snprintf(t->base, sizeof t->base, "%s/%s", folder, name);
    t->to = open_memstream(&t->text, &t->size);
    if (t->to == NULL)
        return program_no_memory();
    if (header != NULL)
        fprintf(t->to, "%s\n", header);
    return 0;
}

int table_save(table *t)
{
    char path[MAX_PATH + 8];
    if (fflush(t->to) != 0 || ferror(t->to))
        return program_no_memory();
    snprintf(path, sizeof path, "%s.csv", t->base);
    return file_write(path, t->text, t->size);
}

void table_free(table *t)
{
    if (t->to != NULL)
        fclose(t->to);
    free(t->text);
    t->to = NULL;
    t->text = NULL;
}
