/* What a caller adds to a model file. */
#define _POSIX_C_SOURCE 200809L
#include "lib/train/model_file/model_file.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

ng_status ng_model_extra_create(ng_model_extra **extra, ng_error *error)
{
    *extra = calloc(1, sizeof **extra);
    return *extra != NULL ? NG_OK : ng_error_set(error, NG_ENOMEM, "no memory for an extra");
}

void ng_model_extra_destroy(ng_model_extra *extra)
{
    if (extra == NULL)
        return;
    for (size_t i = 0; i < extra->tensor_count; i++)
        free(extra->tensors[i].name);
    for (size_t i = 0; i < extra->text_count; i++) {
        free(extra->texts[i].key);
        free(extra->texts[i].text);
    }
    free(extra->tensors);
    free(extra->texts);
    free(extra);
}

/* *name <- a copy of a name with a section. */
static ng_status copy_name(char **copy, const char *name, ng_error *error)
{
    if (name == NULL || strchr(name, '/') == NULL)
        return ng_error_set(error, NG_EARG, "'%.60s': the name of an extra is SECTION/NAME",
                            name != NULL ? name : "NULL");
    *copy = strdup(name);
    return *copy != NULL ? NG_OK : ng_error_set(error, NG_ENOMEM, "no memory for a name");
}

static ng_status add(ng_model_extra *extra, const char *name, ng_tensor_dtype dtype, ng_mat mat,
                     ng_error *error)
{
    ngi_extra_tensor *grown =
        realloc(extra->tensors, (extra->tensor_count + 1) * sizeof *extra->tensors);
    if (grown == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for an extra tensor");
    extra->tensors = grown;
    ngi_extra_tensor *t = &grown[extra->tensor_count];
    *t = (ngi_extra_tensor){.dtype = dtype, .mat = mat};
    TRY(copy_name(&t->name, name, error));
    extra->tensor_count++;
    return NG_OK;
}

ng_status ng_model_extra_add(ng_model_extra *extra, const char *name, ng_mat mat, ng_error *error)
{
    TRY(ng_mat_check(mat, name != NULL ? name : "NULL", error));
    return add(extra, name, mat.dtype == NG_F32 ? NG_TENSOR_F32 : NG_TENSOR_F64, mat, error);
}

ng_status ng_model_extra_add_bytes(ng_model_extra *extra, const char *name, const void *bytes,
                                   size_t size, ng_error *error)
{
    const ng_mat row = {(void *)bytes, 1, size, size, NG_F32}; /* read only */
    if (bytes == NULL && size > 0)
        return ng_error_set(error, NG_EARG, "'%.60s': no bytes", name != NULL ? name : "NULL");
    return add(extra, name, NG_TENSOR_U8, row, error);
}

ng_status ng_model_extra_add_text(ng_model_extra *extra, const char *key, const char *text,
                                  ng_error *error)
{
    ngi_extra_text t = {NULL, NULL};
    if (text == NULL)
        return ng_error_set(error, NG_EARG, "'%.60s': no text", key != NULL ? key : "NULL");
    ngi_extra_text *grown = realloc(extra->texts, (extra->text_count + 1) * sizeof *grown);
    if (grown == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for an extra text");
    extra->texts = grown;
    TRY(copy_name(&t.key, key, error));
    t.text = strdup(text);
    if (t.text == NULL) {
        free(t.key);
        return ng_error_set(error, NG_ENOMEM, "no memory for an extra text");
    }
    grown[extra->text_count++] = t;
    return NG_OK;
}
