/* Layers of a model's file, measured by a few threads, the costliest first. A thread holds one
 * layer at a time, in the precision it is computed in: f64, or f32 of everything else. */
#define _POSIX_C_SOURCE 200809L
#include "examples/spectrum/spectrum.h"

#include <ctype.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/progress.h"

/* ---- Names ---------------------------------------------------------------------------------- */

static size_t skip_zeros(const char *text)
{
    size_t zeros = strspn(text, "0");
    return isdigit((unsigned char)text[zeros]) || zeros == 0 ? zeros : zeros - 1;
}

/* As strcmp, but numbers in the names are compared as numbers. */
static int compare_names(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            a += skip_zeros(a);
            b += skip_zeros(b);
            size_t la = strspn(a, "0123456789"), lb = strspn(b, "0123456789");
            int order = la != lb ? (la > lb) - (la < lb) : strncmp(a, b, la);
            if (order != 0)
                return order;
            a += la;
            b += lb;
        } else if (*a != *b)
            break;
        else {
            a++;
            b++;
        }
    }
    return (unsigned char)*a - (unsigned char)*b;
}

static int by_name(const void *a, const void *b)
{
    const char *x = ((const layer *)a)->tensor->name, *y = ((const layer *)b)->tensor->name;
    int order = compare_names(x, y);
    return order != 0 ? order : strcmp(x, y);
}

/* ---- Which are layers ------------------------------------------------------------------------ */

static int is_number(ng_tensor_dtype dtype)
{
    return dtype == NG_TENSOR_F64 || dtype == NG_TENSOR_F32 || dtype == NG_TENSOR_F16 ||
           dtype == NG_TENSOR_BF16;
}

static void judge(layer *l, const config *c)
{
    const ng_tensor *t = l->tensor;
    const int state = strncmp(t->name, "optimizer/", 10) == 0;
    l->kind = state ? LAYER_STATE : LAYER_VECTOR;
    if (state || t->rank < 2)
        return;
    l->rows = t->shape[0];
    l->cols = t->count > 0 ? t->count / t->shape[0] : 0;
    size_t m = l->rows < l->cols ? l->rows : l->cols, n = l->rows < l->cols ? l->cols : l->rows;
    l->kind = !is_number(t->dtype) ? LAYER_OTHER : m < c->least ? LAYER_SMALL : LAYER_LEFT;
    l->cost = (double)m * (double)m * ((double)n + 1.5 * (double)m);
}

int model_open(model *m, const config *c)
{
    ng_error error;
    memset(m, 0, sizeof *m);
    ng_status status = ng_tensors_open(&m->file, c->model, &error);
    if (status != NG_OK) /* the system's reasons name the file themselves */
        return status == NG_EIO ? program_error("%s", error.text)
                                : program_error("%s: %s", c->model, error.text);
    m->count = ng_tensors_count(m->file);
    m->layer = calloc(m->count + 1, sizeof *m->layer);
    if (m->layer == NULL)
        return program_no_memory();
    for (size_t i = 0; i < m->count; i++) {
        m->layer[i].tensor = ng_tensors_get(m->file, i);
        judge(&m->layer[i], c);
    }
    qsort(m->layer, m->count, sizeof *m->layer, by_name);
    return 0;
}

void model_close(model *m)
{
    for (size_t i = 0; i < m->count && m->layer != NULL; i++)
        free(m->layer[i].values);
    free(m->layer);
    ng_tensors_close(m->file);
}

/* ---- One layer --------------------------------------------------------------------------------
 */

/* data <- the tensor's elements from `first` on, as those of w */
static ng_status read_piece(const ng_tensors *file, const ng_tensor *t, ng_mat w, size_t first,
                            size_t count, ng_error *error)
{
    enum { HALVES = 1 << 16 };
    uint16_t bits[HALVES];
    char *data = (char *)w.data + first * ng_dtype_size(w.dtype);
    size_t size = ng_tensor_dtype_bits(t->dtype) / 8;
    if (size == ng_dtype_size(w.dtype))
        return ng_tensors_read(file, data, t, first * size, count * size, error);
    ng_status status = ng_tensors_read(file, bits, t, first * size, count * size, error);
    if (status != NG_OK)
        return status;
    ng_mat half = t->dtype == NG_TENSOR_F16 ? ng_f16(bits, 1, count) : ng_bf16(bits, 1, count);
    return ng_copy(ng_f32((float *)(void *)data, 1, count), half, error);
}

static ng_status load(ng_mat w, const model *m, const layer *l, ng_error *error)
{
    enum { PIECE = 1 << 16 };
    ng_status status = NG_OK;
    for (size_t first = 0; first < l->tensor->count && status == NG_OK; first += PIECE) {
        size_t left = l->tensor->count - first;
        status = read_piece(m->file, l->tensor, w, first, left < PIECE ? left : PIECE, error);
    }
    for (size_t i = 0; i < l->rows && status == NG_OK; i++)
        if (!ng_is_finite(ng_mat_block(w, i, 0, 1, l->cols)))
            status = ng_error_set(error, NG_ENONFINITE, "not finite, first in row %zu", i);
    return status;
}

static ng_status measure_loaded(layer *l, ng_mat w, const config *c, uint64_t stream,
                                ng_error *error)
{
    ng_esd_options o;
    ng_random random;
    ng_esd_init(&o);
    o.least = c->least;
    o.in_place = 1;
    size_t m = w.rows < w.cols ? w.rows : w.cols;
    l->values = malloc(m * sizeof *l->values);
    if (l->values == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu eigenvalues", m);
    if (c->plain)
        return ng_esd_measure(&l->esd, ng_f64(l->values, 1, m), w, &o, error);
    ng_status status = ng_rng_create_stream(&random, c->seeds.list[0], stream, error);
    if (status != NG_OK)
        return status;
    o.random = &random;
    status = ng_esd_measure(&l->esd, ng_f64(l->values, 1, m), w, &o, error);
    ng_rng_destroy(&random);
    return status;
}

static void measure(const model *m, layer *l, const config *c)
{
    ng_error error = {NG_OK, ""};
    const int wide = l->tensor->dtype == NG_TENSOR_F64;
    const size_t size = ng_dtype_size(wide ? NG_F64 : NG_F32);
    void *data = l->tensor->count <= SIZE_MAX / size ? malloc(l->tensor->count * size) : NULL;
    ng_mat w = {data, l->rows, l->cols, l->cols, wide ? NG_F64 : NG_F32};
    ng_status status = data == NULL ? ng_error_set(&error, NG_ENOMEM, "no memory for %zu bytes",
                                                   l->tensor->count * size)
                                    : load(w, m, l, &error);
    if (status == NG_OK)
        status = measure_loaded(l, w, c, (uint64_t)(l - m->layer), &error);
    free(data);
    l->kind = status == NG_OK ? LAYER_MEASURED : LAYER_BAD;
    l->status = status;
    snprintf(l->why, sizeof l->why, "%s", status == NG_OK ? "" : error.text);
}

/* ---- All of them ------------------------------------------------------------------------------
 */

typedef struct {
    model *m;
    const config *c;
    layer **order; /* the costliest first */
    size_t count, next, done;
    double finished;
    progress bar;
    pthread_mutex_t lock;
} work;

static int by_cost(const void *a, const void *b)
{
    const layer *x = *(layer *const *)a, *y = *(layer *const *)b;
    return (x->cost < y->cost) - (x->cost > y->cost);
}

static void *worker(void *data)
{
    work *w = data;
    for (;;) {
        pthread_mutex_lock(&w->lock);
        layer *l = w->next < w->count && !program_interrupted() ? w->order[w->next++] : NULL;
        pthread_mutex_unlock(&w->lock);
        if (l == NULL)
            return NULL;
        measure(w->m, l, w->c);
        pthread_mutex_lock(&w->lock);
        char note[SHOWN];
        w->finished += l->cost;
        progress_update(&w->bar, w->finished, shown(note, l->tensor->name));
        pthread_mutex_unlock(&w->lock);
    }
}

static void run(work *w, int threads)
{
    enum { MOST = 64 };
    pthread_t thread[MOST];
    int started = 0;
    while (started + 1 < threads && started < MOST &&
           pthread_create(&thread[started], NULL, worker, w) == 0)
        started++;
    worker(w);
    while (started > 0)
        pthread_join(thread[--started], NULL);
}

int model_measure(model *m, const config *c)
{
    work w = {.m = m, .c = c, .order = malloc((m->count + 1) * sizeof *w.order)};
    double total = 0;
    if (w.order == NULL)
        return program_no_memory();
    for (size_t i = 0; i < m->count; i++)
        if (m->layer[i].kind == LAYER_LEFT) {
            w.order[w.count++] = &m->layer[i];
            total += m->layer[i].cost;
        }
    qsort(w.order, w.count, sizeof *w.order, by_cost);
    pthread_mutex_init(&w.lock, NULL);
    progress_start(&w.bar, "spectra", total, "products");
    run(&w, c->threads);
    progress_end(&w.bar);
    pthread_mutex_destroy(&w.lock);
    free(w.order);
    for (size_t i = 0; i < m->count; i++) {
        const layer *l = &m->layer[i];
        m->measured += l->kind == LAYER_MEASURED;
        m->incomplete |= l->status == NG_ENOMEM || l->status == NG_EIO;
        if (l->kind == LAYER_BAD)
            program_error("%s: %s", l->tensor->name, l->why);
    }
    return 0;
}
