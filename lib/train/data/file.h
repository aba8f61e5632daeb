/* Files, gzipped or not, read with every failure told apart and named. */
#ifndef NGI_TRAIN_FILE_H
#define NGI_TRAIN_FILE_H

#include <stddef.h>

#include <natgrad/status.h>

/* A gzip stream that has given EXPANDED_FLOOR bytes, and more than
 * EXPANDED_MOST times what was read of the file for them, is refused: no file
 * of numbers or text is like that, but zeros in bulk are. */
enum { NGI_EXPANDED_FLOOR = 1 << 26, NGI_EXPANDED_MOST = 200 };

typedef struct {
    void *gz;         /* zlib's gzFile */
    const char *path; /* borrowed */
    size_t given;     /* bytes so far */
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

/* Exactly `size` bytes; fewer are NG_EFORMAT: "ends within <what>". */
ng_status ngi_file_exactly(ngi_file *file, void *bytes, size_t size, const char *what);

/* NG_EFORMAT unless nothing is left behind the elements a head promised. */
ng_status ngi_file_finished(ngi_file *file, size_t elements);

/* What is left of the file in a block from malloc, which grows by half as the
 * bytes arrive; nobody's memory is more than half as large again as the file.
 * After `limit` bytes it stops. */
ng_status ngi_file_load(ngi_file *file, unsigned char **bytes, size_t *got, size_t limit);

/* Reads the file again from its first byte; NG_EIO where it cannot (a pipe). */
ng_status ngi_file_rewind(ngi_file *file);

#endif
