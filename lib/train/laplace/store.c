/* A posterior in a safetensors file, beside its model's weights: F, tau and s, from
 * which the rest is found again. */
#include <float.h>
#include <stdio.h>
#include <string.h>

#include <natgrad/linalg.h>
#include <natgrad/number.h>

#include "lib/core/try.h"
#include "lib/train/laplace/laplace.h"
#include "lib/train/model/model.h"

/* ---- Numbers, as texts ------------------------------------------------------------------ */

enum { NUMBERS = 8 };

static const struct {
    const char *key;
    double low, high;
} keys[NUMBERS] = {
    {"laplace/prior_precision", 1e-10, 1e10},
    {"laplace/noise_variance", 1e-12, 1e12},
    {"laplace/evidence", -DBL_MAX, DBL_MAX},
    {"laplace/log_likelihood", -DBL_MAX, DBL_MAX},
    {"laplace/effective", 0, DBL_MAX},
    {"laplace/samples", 1, 9007199254740992.0},
    {"laplace/rounds", 0, 1000},
    {"laplace/converged", 0, 1},
};

static void pack(double *v, const ng_laplace_info *info)
{
    const double numbers[NUMBERS] = {
        info->prior_precision, info->noise_variance,  info->evidence,       info->log_likelihood,
        info->effective,       (double)info->samples, (double)info->rounds, info->converged};
    memcpy(v, numbers, sizeof numbers);
}

static void unpack(ng_laplace_info *info, const double *v)
{
    info->prior_precision = v[0];
    info->noise_variance = v[1];
    info->evidence = v[2];
    info->log_likelihood = v[3];
    info->effective = v[4];
    info->samples = (size_t)v[5];
    info->rounds = (size_t)v[6];
    info->converged = (int)v[7];
}

/* ---- Matrices ------------------------------------------------------------------------------- */

/* A matrix of a block, size x size. */
typedef struct {
    char name[64];
    size_t size;
} entry;

/* Entry i of a block: F of the last layer, P and Q of any. */
static int entry_of(entry *e, const ng_laplace *l, const ngi_block *b, size_t i)
{
    const ngi_linear *layer = &l->model->linear[b->layer];
    size_t out = layer->g.cols, in = ng_fisher_size(b->f) / out;
    int kron = l->info.structure == NG_LAPLACE_KRON;
    snprintf(e->name, sizeof e->name, "laplace/%s/%s", layer->name,
             !kron    ? "fisher"
             : i == 0 ? "p"
                      : "q");
    e->size = !kron ? out * in : i == 0 ? out : in;
    return i < (kron ? 2 : 1);
}

static ng_status add_texts(const ng_laplace *l, ng_model_extra *extra, ng_error *error)
{
    double numbers[NUMBERS];
    pack(numbers, &l->info);
    TRY(ng_model_extra_add_text(extra, "laplace/structure",
                                ng_laplace_structure_name((size_t)l->info.structure), error));
    for (size_t i = 0; i < NUMBERS; i++) {
        char text[NG_NUMBER_SIZE];
        ng_number_write(text, sizeof text, numbers[i]);
        TRY(ng_model_extra_add_text(extra, keys[i].key, text, error));
    }
    return NG_OK;
}

/* m[0], m[1] <- the matrices of a block, as large as its entries; get: from F, else into it. */
static ng_status exchange(const ng_laplace *l, const ngi_block *b, ng_mat *m, int get,
                          ng_error *error)
{
    double samples = (double)l->info.samples;
    if (l->info.structure == NG_LAPLACE_KRON)
        return get ? ng_fisher_get_factors(b->f, m[0], m[1], error)
                   : ng_fisher_set_factors(b->f, m[0], m[1], samples, error);
    return get ? ng_fisher_to_dense(b->f, m[0], error) : ng_fisher_set(b->f, m[0], samples, error);
}

/* Room for the matrices of a block. */
static ng_status make_room(ng_mat *m, const ng_laplace *l, const ngi_block *b, ngi_heap *heap,
                           ng_error *error)
{
    entry e;
    for (size_t i = 0; entry_of(&e, l, b, i); i++)
        TRY(ngi_heap_mat(heap, &m[i], e.size, e.size, error));
    return NG_OK;
}

static ng_status add_block(ng_laplace *l, const ngi_block *b, ng_model_extra *extra,
                           ng_error *error)
{
    ng_mat m[2];
    entry e;
    TRY(make_room(m, l, b, &l->memory, error)); /* borrowed until the model is saved */
    TRY(exchange(l, b, m, 1, error));
    for (size_t i = 0; entry_of(&e, l, b, i); i++)
        TRY(ng_model_extra_add(extra, e.name, m[i], error));
    return NG_OK;
}

ng_status ng_laplace_add(ng_laplace *laplace, ng_model_extra *extra, ng_error *error)
{
    for (size_t i = 0; i < laplace->blocks; i++)
        TRY(add_block(laplace, &laplace->block[i], extra, error));
    return add_texts(laplace, extra, error);
}

/* ---- Reading ----------------------------------------------------------------------------------
 */

static ng_status read_structure(ng_laplace_structure *structure, const ng_tensors *tensors,
                                ng_error *error)
{
    const char *name, *text = ng_tensors_text(tensors, "laplace/structure");
    if (text == NULL)
        return ng_error_set(error, NG_ENODATA, "laplace/structure: the file has no error bars");
    for (size_t i = 0; (name = ng_laplace_structure_name(i)) != NULL; i++)
        if (strcmp(name, text) == 0) {
            *structure = (ng_laplace_structure)i;
            return NG_OK;
        }
    return ng_error_set(error, NG_EFORMAT, "laplace/structure: '%.40s' is none", text);
}

static ng_status read_numbers(ng_laplace *l, const ng_tensors *tensors, ng_error *error)
{
    double v[NUMBERS];
    for (size_t i = 0; i < NUMBERS; i++) {
        const char *text = ng_tensors_text(tensors, keys[i].key);
        size_t length = text != NULL ? ng_number_read(&v[i], text) : 0;
        if (length == 0 || text[length] != 0 || !(v[i] >= keys[i].low && v[i] <= keys[i].high))
            return ng_error_set(error, NG_EFORMAT, "%s: '%.40s' is not a number in %g ... %g",
                                keys[i].key, text != NULL ? text : "", keys[i].low, keys[i].high);
    }
    unpack(&l->info, v);
    return NG_OK;
}

static ng_status read_mat(ng_mat m, const char *name, const ng_tensors *tensors, ng_error *error)
{
    const ng_tensor *t = ng_tensors_find(tensors, name);
    if (t == NULL)
        return ng_error_set(error, NG_EFORMAT, "%s: not in the file", name);
    if (t->dtype != NG_TENSOR_F64 || t->rank != 2 || t->shape[0] != m.rows || t->shape[1] != m.cols)
        return ng_error_set(error, NG_EFORMAT, "%s: not F64 of %zu x %zu", name, m.rows, m.cols);
    TRY(ng_tensors_read_mat(tensors, m, t, error));
    if (!ng_is_finite(m))
        return ng_error_set(error, NG_EFORMAT, "%s: NaN or infinity", name);
    return NG_OK;
}

static ng_status read_block(const ng_laplace *l, const ngi_block *b, const ng_tensors *tensors,
                            ngi_heap *heap, ng_error *error)
{
    ng_error why = {NG_OK, ""};
    ng_mat m[2];
    entry e;
    TRY(make_room(m, l, b, heap, error));
    for (size_t i = 0; entry_of(&e, l, b, i); i++)
        TRY(read_mat(m[i], e.name, tensors, error));
    ng_status status = exchange(l, b, m, 0, &why);
    if (status == NG_OK || status == NG_ENOMEM)
        return status == NG_OK ? NG_OK : ng_error_set(error, status, "%s", why.text);
    return ng_error_set(error, NG_EFORMAT, "%.60s: not a Fisher matrix: %.150s", e.name, why.text);
}

static ng_status read_all(ng_laplace **laplace, ng_model *model, const ng_tensors *tensors,
                          ng_error *error)
{
    ng_laplace_structure structure = NG_LAPLACE_LAST;
    TRY(read_structure(&structure, tensors, error));
    TRY(ngi_laplace_create(laplace, model, structure, error));
    TRY(read_numbers(*laplace, tensors, error));
    for (size_t i = 0; i < (*laplace)->blocks; i++) {
        ngi_heap heap = {NULL};
        TRY(ngi_heap_close(&heap,
                           read_block(*laplace, &(*laplace)->block[i], tensors, &heap, error)));
    }
    ng_status status = ngi_laplace_finish(*laplace, error);
    return status == NG_ESINGULAR
               ? ng_error_set(error, NG_EFORMAT, "laplace: F is not positive semi-definite")
               : status;
}

ng_status ng_laplace_read(ng_laplace **laplace, ng_model *model, const ng_tensors *tensors,
                          ng_error *error)
{
    *laplace = NULL;
    return ngi_laplace_built(laplace, read_all(laplace, model, tensors, error));
}
