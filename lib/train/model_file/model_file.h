/* What the parts of a model file know of each other:
 *   extra.c          what the caller adds
 *   architecture.c   kind and options as texts of the header, and back
 *   save.c, load.c   the whole */
#ifndef NGI_TRAIN_MODEL_FILE_H
#define NGI_TRAIN_MODEL_FILE_H

#include <natgrad/train/model_file.h>

#include "lib/train/model/model.h"

extern const char ngi_model_file_key[], ngi_model_file_format[];
extern const char ngi_model_file_schema[], ngi_model_file_crc[];

/* ---- Extra ------------------------------------------------------------------- */

typedef struct {
    char *name; /* owned */
    ng_tensor_dtype dtype;
    ng_mat mat; /* borrowed; of bytes 1 x size, and no matrix */
} ngi_extra_tensor;

typedef struct {
    char *key, *text; /* owned */
} ngi_extra_text;

struct ng_model_extra {
    ngi_extra_tensor *tensors;
    ngi_extra_text *texts;
    size_t tensor_count, text_count;
};

/* The text with the file in front, unless it names it. */
void ngi_name_file(ng_error *error, const char *path);

/* ---- Architecture ---------------------------------------------------------------- */

/* Its texts into a file that is announced. */
ng_status ngi_architecture_write(ng_tensors_writer *writer, const ng_model *model, ng_error *error);

/* *kind and *options <- those of a file; free the options. Every field is read, none
 * is checked: ngi_model_create does. */
ng_status ngi_architecture_read(const ngi_model_kind **kind, void **options, const ng_tensors *file,
                                ng_error *error);

/* NG_ESHAPE unless a model with that loss, inputs and outputs may have this schema. */
ng_status ngi_model_fits(const ng_model *model, const ng_schema *schema, ng_error *error);

#endif
