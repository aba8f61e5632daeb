/* Files, gzipped or not, read with every failure told apart and named. */
#ifndef NGI_TRAIN_FILE_H
#define NGI_TRAIN_FILE_H

#include <stddef.h>

#include <natgrad/status.h>

typedef struct {
    void *gz;         /* zlib's gzFile */
    const char *path; /* borrowed */
    ng_error *error;  /* where failures go; may be NULL */
} ngi_file;

ng_status ngi_file_open(ngi_file *file, const char *path, ng_error *error);

/* Also for a file that is not open; then it can be closed again. */
void ngi_file_close(ngi_file *file);

/* The status, with the text "path: ..."; the front of a long path is cut. */
ng_status ngi_file_fail(const ngi_file *file, ng_status status, const char *format, ...)
    NG_PRINTF(3, 4);

/* Up to `size` bytes; *got < size only at the end of the file. */
ng_status ngi_file_read(ngi_file *file, void *bytes, size_t *got, size_t size);

/* What is left of the file, but at most `limit` bytes, in a block from malloc
 * that grows as the bytes arrive and has one byte of room behind them. */
ng_status ngi_file_load(ngi_file *file, unsigned char **bytes, size_t *got, size_t limit);

#endif
