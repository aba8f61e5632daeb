/* natgrad/train/model_file.h: a trained model in a file, with what its inputs and outputs mean.
 *
 *   ng_model_save(model, ng_dataset_schema(train), "iris.safetensors", NULL, &error);
 *   ...
 *   ng_model_load(&model, &schema, NULL, "iris.safetensors", NULL, &error);
 *   ng_dataset_open_like(&data, schema, "csv:new.csv", NULL, &error);
 *
 * and the model says of the new rows what it would have said before it was saved,
 * bit for bit on the same machine.
 *
 * The file is of the safetensors format (natgrad/tensors.h), written whole or not at
 * all (natgrad/file.h). It holds every parameter under its own name, F32 or F64, a
 * matrix [rows, cols] and a vector [n]; "crc32", the last four bytes, little-endian:
 * CRC-32 (as in zlib) of the file before them; and in __metadata__
 *   natgrad_model         "1", the format
 *   library               who wrote it
 *   kind, dtype           "mlp", "f32"
 *   option.inputs, ...    every option of that kind: numbers, lists of numbers with
 *                         blanks between, names
 *   schema                ng_schema_write: names of features, labels and targets,
 *                         scaling, task; not there for a model without one
 * and whatever a caller adds (ng_model_extra), under names with a slash. */
#ifndef NATGRAD_TRAIN_MODEL_FILE_H
#define NATGRAD_TRAIN_MODEL_FILE_H

#include <natgrad/tensors.h>
#include <natgrad/train/model.h>
#include <natgrad/train/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- What a caller adds ----------------------------------------------------------- */

/* Further tensors and texts for a file: an optimizer's state, where a training
 * stands, a posterior. Names and keys are "SECTION/NAME", so that nobody's are the
 * model's or another's. The library does not look into them: who reads one checks it. */
typedef struct ng_model_extra ng_model_extra;

NG_API ng_status ng_model_extra_create(ng_model_extra **extra, ng_error *error);

/* NULL is fine. */
NG_API void ng_model_extra_destroy(ng_model_extra *extra);

/* A matrix [rows, cols] of either dtype, or bytes (U8, [size]). Names are copied, the
 * numbers borrowed until the last save. NG_EARG: a name without a slash, or no data;
 * NG_EDTYPE, NG_ESHAPE, NG_ENOMEM. A name that is there twice is said by the save. */
NG_API ng_status ng_model_extra_add(ng_model_extra *extra, const char *name, ng_mat mat,
                                    ng_error *error);
NG_API ng_status ng_model_extra_add_bytes(ng_model_extra *extra, const char *name,
                                          const void *bytes, size_t size, ng_error *error);

/* A text under its key, both copied. */
NG_API ng_status ng_model_extra_add_text(ng_model_extra *extra, const char *key, const char *text,
                                         ng_error *error);

/* ---- Save ------------------------------------------------------------------------- */

/* schema and extra may be NULL. NG_EIO (with the path and the system's reason),
 * NG_ENONFINITE (a parameter holds NaN or infinity; the old file is worth more),
 * NG_ESHAPE (the schema is of another number of features, classes or targets), NG_EARG
 * (a name in extra twice, or not UTF-8), NG_ENOMEM; then PATH is as it was.
 * NG_EUNSUPPORTED on a machine that is not little-endian. A model whose buffers exceed the
 * usual room of a load is saved like any other: who loads it gives more, or a smaller
 * max_batch. */
NG_API ng_status ng_model_save(const ng_model *model, const ng_schema *schema, const char *path,
                               const ng_model_extra *extra, ng_error *error);

/* ---- Load ------------------------------------------------------------------------- */

typedef struct {
    size_t size;      /* set by ng_model_load_init */
    size_t max_batch; /* samples the buffers have room for; default 0: as it was saved */
    size_t room;      /* most bytes for these buffers; default 2^30 */
} ng_model_load_options;

/* Fills in the defaults; NG_EOPTION, nothing written, for a struct of another size. */
NG_API ng_status ng_model_load_init_sized(ng_model_load_options *options, size_t size);
static inline ng_status ng_model_load_init(ng_model_load_options *options)
{
    return ng_model_load_init_sized(options, sizeof *options);
}

/* *model <- the model of a file, *schema <- its schema, NULL where it has none, *file
 * <- the open file, in which whoever added tensors or texts finds them
 * (ng_tensors_find, ng_tensors_text). The caller destroys the first two and closes the
 * third; schema and file may be NULL, and options, for the defaults.
 *
 * Nothing in a file is believed before it is checked: weights are allocated when the
 * file is seen to hold as many numbers as its options say, the buffers when they fit
 * into options->room. All texts name the file.
 *
 * NG_EIO; NG_EFORMAT: truncated, damaged, no model, of a later format, an option that
 * lacks or is none, a tensor that is nobody's; NG_EOPTION: an option out of its range;
 * NG_ENODATA, NG_ESHAPE, NG_EDTYPE: a parameter that lacks or is of another shape or
 * type, a schema that does not fit the model; NG_ENONFINITE: a NaN or infinity in a
 * parameter; NG_ERANGE: more room; NG_ENOMEM; NG_EUNSUPPORTED as above. Then all three
 * are NULL. A file without crc32, written by others, is taken. */
NG_API ng_status ng_model_load(ng_model **model, ng_schema **schema, ng_tensors **file,
                               const char *path, const ng_model_load_options *options,
                               ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
