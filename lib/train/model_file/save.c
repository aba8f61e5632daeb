/* A model into a file (natgrad/train/model_file.h). */
#include "lib/train/model_file/model_file.h"

#include <stdlib.h>

#include <natgrad/linalg.h>
#include <natgrad/version.h>

#include "lib/core/try.h"

const char ngi_model_file_key[] = "natgrad_model", ngi_model_file_format[] = "1";
const char ngi_model_file_schema[] = "schema", ngi_model_file_crc[] = "crc32";

static ng_status check(const ng_model *model, const ng_schema *schema, ng_error *error)
{
    for (size_t i = 0; i < model->params; i++)
        if (!ng_is_finite(model->param[i].w))
            return ng_error_set(error, NG_ENONFINITE, "NaN or infinity in %s: not saved",
                                model->param[i].name);
    return schema != NULL ? ngi_model_fits(model, schema, error) : NG_OK;
}

/* ---- Announcing --------------------------------------------------------------------- */

static ng_status announce_schema(ng_tensors_writer *file, const ng_schema *schema, ng_error *error)
{
    if (schema == NULL)
        return NG_OK;
    size_t size = ng_schema_write(schema, NULL, 0) + 1;
    char *text = malloc(size);
    if (text == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for the text of a schema");
    ng_schema_write(schema, text, size);
    ng_status status = ng_tensors_writer_add_text(file, ngi_model_file_schema, text, error);
    free(text);
    return status;
}

static ng_status announce_texts(ng_tensors_writer *file, const ng_model *model,
                                const ng_schema *schema, const ng_model_extra *extra,
                                ng_error *error)
{
    TRY(ng_tensors_writer_add_text(file, ngi_model_file_key, ngi_model_file_format, error));
    TRY(ng_tensors_writer_add_text(file, "library", ng_version(), error));
    TRY(ngi_architecture_write(file, model, error));
    TRY(announce_schema(file, schema, error));
    for (size_t i = 0; extra != NULL && i < extra->text_count; i++)
        TRY(ng_tensors_writer_add_text(file, extra->texts[i].key, extra->texts[i].text, error));
    return NG_OK;
}

/* Biases and norms are vectors; a weight with one output is a matrix. */
static int is_vector(const ng_model *model, size_t param)
{
    for (size_t i = 0; i < model->layers; i++)
        if (model->linear[i].weight == param)
            return 0;
    return model->param[param].w.rows == 1;
}

static ng_status announce_param(ng_tensors_writer *file, const ng_model *model, size_t i,
                                ng_error *error)
{
    const ngi_model_parameter *p = &model->param[i];
    const size_t shape[2] = {p->w.rows, p->w.cols}, vector = (size_t)is_vector(model, i);
    return ng_tensors_writer_add(file, p->name,
                                 model->dtype == NG_F32 ? NG_TENSOR_F32 : NG_TENSOR_F64,
                                 shape + vector, 2 - vector, error);
}

static ng_status announce_extra(ng_tensors_writer *file, const ngi_extra_tensor *t, ng_error *error)
{
    const size_t shape[2] = {t->mat.rows, t->mat.cols}, bytes = t->dtype == NG_TENSOR_U8;
    return ng_tensors_writer_add(file, t->name, t->dtype, shape + bytes, 2 - bytes, error);
}

/* ---- The tensors of one type: announced, or written ----------------------------------- */

static ng_status put_params(ng_tensors_writer *file, const ng_model *model, int announce,
                            ng_error *error)
{
    for (size_t i = 0; i < model->params; i++)
        TRY(announce ? announce_param(file, model, i, error)
                     : ng_tensors_writer_write_mat(file, model->param[i].w, error));
    return NG_OK;
}

static ng_status put_extra(ng_tensors_writer *file, const ng_model_extra *extra,
                           ng_tensor_dtype dtype, int announce, ng_error *error)
{
    for (size_t i = 0; extra != NULL && i < extra->tensor_count; i++) {
        const ngi_extra_tensor *t = &extra->tensors[i];
        if (t->dtype == dtype)
            TRY(announce ? announce_extra(file, t, error)
                : dtype == NG_TENSOR_U8
                    ? ng_tensors_writer_write(file, t->mat.data, t->mat.cols, error)
                    : ng_tensors_writer_write_mat(file, t->mat, error));
    }
    return NG_OK;
}

/* Larger elements first, so that all lie where they may. */
static ng_status put_all(ng_tensors_writer *file, const ng_model *model,
                         const ng_model_extra *extra, int announce, ng_error *error)
{
    static const ng_tensor_dtype order[] = {NG_TENSOR_F64, NG_TENSOR_F32, NG_TENSOR_U8};
    const ng_tensor_dtype own = model->dtype == NG_F32 ? NG_TENSOR_F32 : NG_TENSOR_F64;
    for (int i = 0; i < 3; i++) {
        if (order[i] == own)
            TRY(put_params(file, model, announce, error));
        TRY(put_extra(file, extra, order[i], announce, error));
    }
    return NG_OK;
}

static ng_status write_all(ng_tensors_writer *file, const ng_model *model, const ng_schema *schema,
                           const ng_model_extra *extra, ng_error *error)
{
    const size_t four = 4;
    uint32_t crc;
    unsigned char bytes[4];
    TRY(announce_texts(file, model, schema, extra, error));
    TRY(put_all(file, model, extra, 1, error));
    TRY(ng_tensors_writer_add(file, ngi_model_file_crc, NG_TENSOR_U8, &four, 1, error));
    TRY(put_all(file, model, extra, 0, error));
    TRY(ng_tensors_writer_crc(file, &crc, error));
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(crc >> 8 * i);
    return ng_tensors_writer_write(file, bytes, sizeof bytes, error);
}

ng_status ng_model_save(const ng_model *model, const ng_schema *schema, const char *path,
                        const ng_model_extra *extra, ng_error *error)
{
    ng_tensors_writer *file;
    if (model == NULL || path == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", model == NULL ? "model" : "path");
    TRY(check(model, schema, error));
    TRY(ng_tensors_writer_create(&file, path, error));
    ng_status status = write_all(file, model, schema, extra, error);
    if (status == NG_OK)
        return ng_tensors_writer_commit(file, error);
    ng_tensors_writer_discard(file);
    return status;
}
