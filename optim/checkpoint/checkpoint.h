/* What the parts of a checkpoint know of each other:
 *   checkpoint.c          save and load
 *   checkpoint_entries.c  the list of what is in a file, from the optimizer
 *   checkpoint_header.c   the safetensors header: names, shapes, offsets (JSON)
 *   checkpoint_model.c    groups, options and parameters (JSON)
 *   checkpoint_file.c     files, whole or not at all
 * JSON is jansson's; without it checkpoint_none.c is all there is. */
#ifndef NGI_CHECKPOINT_H
#define NGI_CHECKPOINT_H

#include <jansson.h>
#include <stdint.h>

#include "optim/front/state.h"

/* One tensor of a file. */
typedef struct {
    char *name;
    const char *dtype;         /* "F64", "F32", "U8" */
    size_t item;               /* bytes of an element */
    size_t rows, cols, stride; /* stride in elements, of data */
    int vector;                /* its shape is [cols] instead of [rows, cols] */
    int optional, taken;       /* may be missing; is loaded */
    void *data;                /* borrowed */
    size_t begin;              /* in the tensors' part of the file */
} ngi_entry;

typedef struct {
    ngi_entry *items;
    size_t count, capacity;
    size_t bytes;   /* of all of them */
    double *counts; /* owned */
    size_t count_size;
    unsigned char *random; /* owned, or NULL */
} ngi_entries;

/* Everything that is in a file of this optimizer, largest elements first so that all are aligned.
 * save: weights and random only if options ask, data and places of all; load: those two optional,
 * sums if `summed`. */
ng_status ngi_entries_save(ngi_entries *list, ng_optimizer *optimizer,
                           const ng_checkpoint_options *options);
ng_status ngi_entries_load(ngi_entries *list, ng_optimizer *optimizer,
                           const ng_checkpoint_options *options, int summed);
void ngi_entries_free(ngi_entries *list);

/* Bytes of an entry in a file. */
size_t ngi_entry_bytes(const ngi_entry *entry);

/* CRC-32 (ISO 3309, as in zlib) of the bytes since begin. */
typedef struct {
    uint32_t value, table[256];
} ngi_crc;

void ngi_crc_begin(ngi_crc *crc);
void ngi_crc_add(ngi_crc *crc, const void *bytes, size_t size);

/* ---- Header -------------------------------------------------------------------------- */

/* Its text, NULL without memory; free() it. (json_dumps of jansson 2.14 may leave out a key where
 * memory fails.) */
char *ngi_json_text(const json_t *json);

/* Was it memory that a parser lacked? Then it may say nothing at all. */
static inline int ngi_json_starved(const json_error_t *error)
{
    return json_error_code(error) == json_error_out_of_memory || error->text[0] == '\0';
}

/* The header's text, padded to a multiple of 8 bytes; free() it. */
ng_status ngi_header_write(char **text, size_t *size, const ngi_entries *list, const char *model,
                           uint32_t crc, unsigned long long steps, ng_error *error);

/* A header that was read. */
typedef struct {
    json_t *root;
    const char *model, *writer, *steps; /* parts of root */
    uint32_t crc;
} ngi_header;

/* Checks everything that can be without an optimizer: tensors side by side fill `bytes`. */
ng_status ngi_header_read(ngi_header *header, const char *text, size_t size, size_t bytes,
                          ng_error *error);
void ngi_header_free(ngi_header *header);

/* Finds every entry and its place, and nothing else in the file. */
ng_status ngi_header_match(const ngi_header *header, ngi_entries *list, ng_error *error);

/* Place and size of a U8 or F64 vector; NG_EFORMAT if there is none. */
ng_status ngi_header_vector(const ngi_header *header, const char *name, const char *dtype,
                            size_t *begin, size_t *count, ng_error *error);

/* ---- Model ---------------------------------------------------------------------------- */

/* Groups, options, parameters as JSON text; free() it. */
ng_status ngi_model_write(char **text, ng_optimizer *optimizer);

/* Same groups and parameters? NG_OK or the first difference. *model is the text parsed, for
 * ngi_model_options; json_decref it on every path. */
ng_status ngi_model_compare(json_t **model, const char *text, ng_optimizer *optimizer);

/* A copy of the group's options with those of the file; free() it. */
ng_status ngi_model_options(void **options, const json_t *model, size_t group,
                            ng_optimizer *optimizer);
/* Clipping of the file. */
ng_status ngi_model_clipping(double *value, double *norm, const json_t *model, ng_error *error);

/* ---- Files ---------------------------------------------------------------------------- */

/* Header (its length before it) and tensors into path, whole or not at all. */
ng_status ngi_blob_write(const char *path, const char *header, size_t size, const ngi_entries *list,
                         ng_error *error);

/* The whole file: its header's text and its tensors, both to free(). */
ng_status ngi_blob_read(const char *path, char **header, size_t *size, unsigned char **data,
                        size_t *bytes, ng_error *error);

#endif
