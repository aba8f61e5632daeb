/* Ways into a dense Fisher matrix over ranks: batches of scores, a whole matrix. */
#include "lib/mpi/fisher.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

enum { CHUNK = 128 }; /* of a rank's scores that are on their way at once */

typedef struct {
    ng_mat scores, weights; /* this rank's */
    ng_fisher_batch batch;
    double mass, largest;   /* this rank's, then everybody's: of the weights; of elements */
    size_t most;            /* rows of the rank that has most */
    ngi_blocks own, spread; /* a chunk of scores as columns, here and in blocks */
    double keep, add, weight;
} intake;

static ng_status check_batch(const ng_mpi_fisher *f, const ng_fisher_batch *b, ng_error *error)
{
    if (b->size != sizeof *b)
        return ng_error_set(error, NG_EOPTION, "batch options of %zu bytes, expected %zu", b->size,
                            sizeof *b);
    if (b->normalisation != NG_FISHER_MEAN && b->normalisation != NG_FISHER_SUM)
        return ng_error_set(error, NG_EARG, "unknown normalisation %d", (int)b->normalisation);
    if (f->normalisation >= 0 && f->normalisation != (int)b->normalisation)
        return ng_error_set(error, NG_EARG, "normalisation: a mean and a sum do not mix");
    if (!(b->scale > 0) || !isfinite(b->scale) || !(b->samples >= 0) || !isfinite(b->samples) ||
        !(b->decay >= 0 && b->decay <= 1))
        return ng_error_set(error, NG_EARG, "scale %g, samples %g or decay %g is out of range",
                            b->scale, b->samples, b->decay);
    return NG_OK;
}

static ng_status check_scores(intake *t, const ng_mpi_fisher *f, ng_error *error)
{
    TRY(check_batch(f, &t->batch, error));
    if (t->scores.rows == 0) /* a rank may have none */
        return NG_OK;
    TRY(ngi_mpi_check(t->scores, "scores", t->scores.rows, f->n, error));
    TRY(ngi_mpi_finite(t->scores, "scores", 0, &t->largest, error));
    t->mass = (double)t->scores.rows;
    if (ngi_mpi_none(t->weights))
        return NG_OK;
    double ignored = 0;
    TRY(ngi_mpi_check(t->weights, "weights", 1, t->scores.rows, error));
    TRY(ngi_mpi_finite(t->weights, "weights", 0, &ignored, error));
    t->mass = 0;
    for (size_t i = 0; i < t->scores.rows; i++) {
        double w = ng_mat_get(t->weights, 0, i);
        if (w < 0)
            return ng_error_set(error, NG_EARG, "weights: element %zu is %g", i, w);
        t->mass += w;
    }
    return NG_OK;
}

/* What everybody's rows make of the old F and the new: as ng_fisher_accumulate. */
static ng_status plan(intake *t, const ng_mpi_fisher *f, ng_error *error)
{
    const ng_fisher_batch *b = &t->batch;
    double samples = b->samples > 0 ? b->samples : t->mass;
    int mean = b->normalisation == NG_FISHER_MEAN;
    if (!(t->mass > 0))
        return ng_error_set(error, NG_ENODATA, "no rows, or all weights are 0");
    t->weight = b->decay * f->weight + samples;
    t->keep = mean ? b->decay * f->weight / t->weight : b->decay;
    t->add = b->scale * b->scale * (mean ? 1 / t->weight : 1);
    if (!(t->mass * t->largest * t->largest * fmax(1, t->add) < DBL_MAX / 4 && t->add < DBL_MAX))
        return ng_error_set(error, NG_ERANGE, "squares of the scores (largest %g) overflow",
                            t->largest);
    return NG_OK;
}

static ng_status make_room(intake *t, const ng_mpi_fisher *f, size_t chunk, ng_error *error)
{
    size_t all = chunk * (size_t)f->ranks;
    TRY(ngi_blocks_shape(&t->own, &f->line, f->n, all, f->n, chunk, error));
    TRY(ngi_blocks_shape(&t->spread, &f->grid, f->n, all, f->block, f->block, error));
    TRY(ngi_mpi_room(&t->own.data, ngi_blocks_count(&t->own), error));
    return ngi_mpi_room(&t->spread.data, ngi_blocks_count(&t->spread), error);
}

/* Rows begin ... of this rank, each times the root of its weight, as columns; zeros behind the
 * last. */
static void load_chunk(const intake *t, size_t n, size_t begin, size_t chunk)
{
    for (size_t c = 0; c < chunk; c++) {
        ng_mat to = ng_f64(t->own.data + c * n, 1, n);
        if (begin + c >= t->scores.rows) {
            ng_fill(to, 0);
            continue;
        }
        ng_copy(to, ng_mat_block(t->scores, begin + c, 0, 1, n), NULL);
        if (!ngi_mpi_none(t->weights))
            ng_scale(to, sqrt(ng_mat_get(t->weights, 0, begin + c)));
    }
}

static ng_status accumulate(ng_mpi_fisher *f, intake *t, ng_error *error)
{
    const ng_fisher_batch *b = &t->batch;
    ng_status status = check_scores(t, f, error);
    const double told[] = {b->normalisation, b->scale, b->samples, b->decay};
    TRY(ngi_mpi_agree(f, status, told, 4, error));
    t->mass = ngi_mpi_sum(f, t->mass);
    t->largest = ngi_mpi_largest(f, t->largest);
    t->most = (size_t)ngi_mpi_largest(f, (double)t->scores.rows);
    TRY(plan(t, f, error)); /* the same on all ranks */
    size_t chunk = t->most < CHUNK ? t->most : CHUNK;
    TRY(ngi_mpi_agree(f, make_room(t, f, chunk, error), NULL, 0, error));
    for (size_t begin = 0; begin < t->most; begin += chunk) {
        load_chunk(t, f->n, begin, chunk);
        ngi_blocks_move(&t->spread, &t->own);
        ngi_blocks_syrk(&f->f, &t->spread, t->add, begin == 0 ? t->keep : 1);
    }
    f->weight = t->weight;
    f->normalisation = (int)b->normalisation;
    f->has_data = 1;
    return NG_OK;
}

ng_status ng_mpi_fisher_accumulate(ng_mpi_fisher *f, ng_mat scores, ng_mat weights,
                                   const ng_fisher_batch *batch, ng_error *error)
{
    intake t = {.scores = scores, .weights = weights};
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "accumulate: f is NULL");
    ng_fisher_batch_init(&t.batch);
    if (batch != NULL)
        t.batch = *batch;
    ng_status status = accumulate(f, &t, error);
    free(t.own.data);
    free(t.spread.data);
    return status;
}

static ng_status check_set(const ng_mpi_fisher *f, ng_mat dense, double samples, ng_error *error)
{
    double largest = 0;
    if (!(samples > 0) || !isfinite(samples))
        return ng_error_set(error, NG_EARG, "samples %g is not positive", samples);
    TRY(ngi_mpi_check(dense, "dense", f->n, f->n, error));
    TRY(ngi_mpi_finite(dense, "dense", 1, &largest, error));
    for (size_t i = 0; i < f->n; i++)
        if (ng_mat_get(dense, i, i) < 0)
            return ng_error_set(error, NG_EINDEFINITE, "dense: diagonal element %zu is %g", i,
                                ng_mat_get(dense, i, i));
    return NG_OK;
}

ng_status ng_mpi_fisher_set(ng_mpi_fisher *f, ng_mat dense, double samples, ng_error *error)
{
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "set: f is NULL");
    TRY(ngi_mpi_agree(f, check_set(f, dense, samples, error), &samples, 1, error));
    double *to = f->f.data;
    for (int j = 0; j < f->f.cols; j++)
        for (int i = 0; i < f->f.rows; i++) {
            size_t row = ngi_blocks_row(&f->f, i), col = ngi_blocks_col(&f->f, j);
            *to++ = row >= col ? ng_mat_get(dense, row, col) : 0;
        }
    f->weight = samples;
    f->has_data = 1;
    return NG_OK;
}
