/* The calls that predict: logits, probabilities, variances. */
#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/laplace/laplace.h"
#include "lib/train/model/model.h"

static int given(ng_mat m)
{
    return m.data != NULL;
}

static ng_status check_output(ng_mat m, const char *name, size_t batch, size_t cols,
                              ng_error *error)
{
    if (!given(m))
        return NG_OK;
    TRY(ng_mat_check(m, name, error));
    if (m.rows != batch || m.cols != cols)
        return ng_error_set(error, NG_ESHAPE, "%s: %zu x %zu, expected %zu x %zu", name, m.rows,
                            m.cols, batch, cols);
    return NG_OK;
}

/* z (batch x k) <- the logits of the input buffer's samples, c (batch x k^2) <- their covariance */
static ng_status find(ng_mat *z, ng_mat *c, ng_laplace *l, size_t batch, ngi_heap *heap,
                      ng_error *error)
{
    TRY(ng_model_forward(l->model, batch, error));
    ng_mat logits = ng_model_output(l->model);
    TRY(ngi_heap_mat(heap, z, batch, logits.cols, error));
    TRY(ngi_heap_mat(heap, c, batch, logits.cols * logits.cols, error));
    TRY(ng_copy(*z, logits, error));
    if (!ng_is_finite(*z))
        return ng_error_set(error, NG_ENONFINITE, "NaN or infinity in the logits");
    return ngi_laplace_covariance(*c, l, heap, error);
}

static ng_status logits(ng_laplace *l, ng_mat mean, ng_mat covariance, size_t batch, ngi_heap *heap,
                        ng_error *error)
{
    size_t k = l->model->logits.cols;
    ng_mat z, c;
    TRY(check_output(mean, "mean", batch, k, error));
    TRY(check_output(covariance, "covariance", batch, k * k, error));
    TRY(find(&z, &c, l, batch, heap, error));
    if (given(mean))
        TRY(ng_copy(mean, z, error));
    return given(covariance) ? ng_copy(covariance, c, error) : NG_OK;
}

ng_status ng_laplace_logits(ng_laplace *laplace, ng_mat mean, ng_mat covariance, size_t batch,
                            ng_error *error)
{
    ngi_heap heap = {NULL};
    return ngi_heap_close(&heap, logits(laplace, mean, covariance, batch, &heap, error));
}

static ng_status predict(ng_laplace *l, ng_mat mean, ng_mat variance, size_t batch, ngi_heap *heap,
                         ng_error *error)
{
    size_t k = l->model->logits.cols;
    double noise = l->likelihood->noise ? l->info.noise_variance : 0;
    ng_mat z, c, p;
    TRY(check_output(mean, "mean", batch, k, error));
    TRY(check_output(variance, "variance", batch, k, error));
    TRY(ngi_heap_mat(heap, &p, batch, k, error));
    TRY(find(&z, &c, l, batch, heap, error));
    for (size_t i = 0; i < batch; i++) {
        const double *of = (const double *)c.data + i * k * k;
        l->likelihood->probit(k, (double *)p.data + i * k, (const double *)z.data + i * k, of);
        for (size_t j = 0; j < k && given(variance); j++)
            ng_mat_set(variance, i, j, fmax(of[j * k + j], 0) + noise);
    }
    return given(mean) ? ng_copy(mean, p, error) : NG_OK;
}

ng_status ng_laplace_predict(ng_laplace *laplace, ng_mat mean, ng_mat variance, size_t batch,
                             ng_error *error)
{
    ngi_heap heap = {NULL};
    return ngi_heap_close(&heap, predict(laplace, mean, variance, batch, &heap, error));
}

/* ---- Draws ------------------------------------------------------------------------------- */

typedef struct {
    ng_mat values, vectors, half; /* 1 x k, k x k: of a covariance; diag(root) vectors */
    ng_mat normal, drawn;         /* draws x k */
} scratch;

static ng_status allocate(scratch *s, size_t draws, size_t k, ngi_heap *heap, ng_error *error)
{
    TRY(ngi_heap_mat(heap, &s->values, 1, k, error));
    TRY(ngi_heap_mat(heap, &s->vectors, k, k, error));
    TRY(ngi_heap_mat(heap, &s->half, k, k, error));
    TRY(ngi_heap_mat(heap, &s->normal, draws, k, error));
    return ngi_heap_mat(heap, &s->drawn, draws, k, error);
}

/* z (1 x k) <- the mean behind the likelihood over draws of N(z, c), c k x k */
static ng_status average(double *z, const ngi_likelihood *likelihood, ng_mat c, scratch *s,
                         const ng_random *random, ng_error *error)
{
    size_t k = c.cols, draws = s->normal.rows;
    double *drawn = s->drawn.data;
    TRY(ng_eigh(s->values, s->vectors, NULL, c, NULL, error));
    for (size_t i = 0; i < k; i++)
        TRY(ng_axpby(ng_mat_block(s->half, i, 0, 1, k), ng_mat_block(s->vectors, i, 0, 1, k),
                     sqrt(fmax(ng_mat_get(s->values, 0, i), 0)), 0, error));
    random->fill_normal(random->data, s->normal.data, draws * k);
    TRY(ng_gemm(s->drawn, s->normal, NG_NOTRANS, s->half, NG_NOTRANS, 1, 0, error));
    for (size_t i = 0; i < draws; i++) {
        for (size_t j = 0; j < k; j++)
            drawn[i * k + j] += z[j];
        likelihood->mean(k, drawn + i * k, drawn + i * k);
    }
    for (size_t j = 0; j < k; j++) {
        z[j] = 0;
        for (size_t i = 0; i < draws; i++)
            z[j] += drawn[i * k + j] / (double)draws;
    }
    return NG_OK;
}

static ng_status sample(ng_laplace *l, ng_mat mean, size_t batch, size_t draws,
                        const ng_random *random, ngi_heap *heap, ng_error *error)
{
    size_t k = l->model->logits.cols;
    scratch s;
    ng_mat z, c;
    TRY(check_output(mean, "mean", batch, k, error));
    TRY(allocate(&s, draws, k, heap, error));
    TRY(find(&z, &c, l, batch, heap, error));
    for (size_t i = 0; i < batch; i++) {
        ng_mat of = ng_f64((double *)c.data + i * k * k, k, k);
        TRY(average((double *)z.data + i * k, l->likelihood, of, &s, random, error));
    }
    return given(mean) ? ng_copy(mean, z, error) : NG_OK;
}

ng_status ng_laplace_sample(ng_laplace *laplace, ng_mat mean, size_t batch, size_t draws,
                            const ng_random *random, ng_error *error)
{
    ngi_heap heap = {NULL};
    if (random == NULL || random->fill_normal == NULL)
        return ng_error_set(error, NG_EARG, "random: no fill_normal");
    if (draws == 0)
        return ng_error_set(error, NG_EARG, "draws: 0");
    return ngi_heap_close(&heap, sample(laplace, mean, batch, draws, random, &heap, error));
}
