/* The fit: options, weights and prior by turns. */
#include <math.h>

#include "lib/core/try.h"
#include "lib/train/laplace/laplace.h"
#include "lib/train/model/model.h"

/* ---- Options ------------------------------------------------------------------------ */

ng_status ng_laplace_init_sized(ng_laplace_options *options, size_t size)
{
    const ng_laplace_options defaults = {
        .size = sizeof defaults, .refit = 1, .rounds = 50, .most = 4096};
    if (options == NULL || size != sizeof defaults)
        return NG_EOPTION;
    *options = defaults;
    return NG_OK;
}

static ng_status check_real(double value, const char *name, double low, double high,
                            ng_error *error)
{
    if (value == 0 || (value >= low && value <= high))
        return NG_OK;
    return ng_error_set(error, NG_EOPTION, "%s: %g is neither 0 nor in %g ... %g", name, value, low,
                        high);
}

static ng_status check_options(const ng_laplace_options *o, ng_error *error)
{
    if (o->size != sizeof *o)
        return ng_error_set(error, NG_EOPTION,
                            "options of %zu bytes, expected %zu: call ng_laplace_init", o->size,
                            sizeof *o);
    if (ng_laplace_structure_name((size_t)o->structure) == NULL)
        return ng_error_set(error, NG_EOPTION, "structure: %d is none", (int)o->structure);
    if (o->rounds < 1 || o->rounds > 1000)
        return ng_error_set(error, NG_EOPTION, "rounds: %zu is not in 1 ... 1000", o->rounds);
    if (o->most < 1)
        return ng_error_set(error, NG_EOPTION, "most: 0");
    TRY(check_real(o->prior_precision, "prior_precision", 1e-10, 1e10, error));
    return check_real(o->noise_variance, "noise_variance", 1e-12, 1e12, error);
}

/* ---- The fit ----------------------------------------------------------------------------- */

/* F, tau and s at the model's weights, those of the last layer in w. */
static ng_status appraise(ng_laplace *l, const ng_laplace_options *o, const ngi_samples *s,
                          ng_mat w, ng_error *error)
{
    double loss;
    TRY(ngi_head_read(l->model, w, error));
    TRY(ngi_head_pass(l, s, &loss, ng_mat_none(), ng_mat_none(), w, error));
    TRY(ngi_laplace_curvature(l, s, error));
    return ngi_laplace_evidence(l, o, loss, error);
}

static double change(const ng_laplace_info *a, const ng_laplace_info *b)
{
    return fmax(fabs(log(a->prior_precision / b->prior_precision)),
                fabs(log(a->noise_variance / b->noise_variance)));
}

/* The last layer at the optimum of the tau and s there are, then F and, as options
 * say, the tau and s of the evidence there. */
static ng_status settle(ng_laplace *l, const ng_laplace_options *o, const ngi_samples *s, ng_mat w,
                        ng_error *error)
{
    TRY(ngi_head_newton(l, s, w, error));
    TRY(ngi_head_write(l->model, w, error));
    return appraise(l, o, s, w, error);
}

/* By turns until they agree; at last the weights and F of the tau that stays. */
static ng_status refit(ng_laplace *l, const ng_laplace_options *o, const ngi_samples *s, ng_mat w,
                       ng_error *error)
{
    ng_laplace_options last = *o;
    l->info.converged = 0;
    while (!l->info.converged && l->info.rounds < o->rounds) {
        ng_laplace_info before = l->info;
        TRY(settle(l, o, s, w, error));
        l->info.rounds++;
        l->info.converged = change(&l->info, &before) < 1e-4;
    }
    last.prior_precision = l->info.prior_precision;
    last.noise_variance = l->info.noise_variance;
    return settle(l, &last, s, w, error);
}

static ng_status fit(ng_laplace *l, const ng_laplace_options *o, const ngi_samples *s, ng_mat w,
                     ng_error *error)
{
    l->info.samples = s->count;
    if (o->prior_precision > 0)
        l->info.prior_precision = o->prior_precision;
    if (o->noise_variance > 0 && l->likelihood->noise)
        l->info.noise_variance = o->noise_variance;
    TRY(appraise(l, o, s, w, error));
    if (o->refit)
        TRY(refit(l, o, s, w, error));
    return ngi_laplace_finish(l, error);
}

/* The weights are as before when it fails. */
static ng_status fit_samples(ng_laplace *l, const ng_laplace_options *o, const ngi_samples *s,
                             ngi_heap *heap, ng_error *error)
{
    ng_mat w, before;
    TRY(ngi_heap_mat(heap, &w, l->model->logits.cols, s->a.cols, error));
    TRY(ngi_heap_mat(heap, &before, w.rows, w.cols, error));
    TRY(ngi_head_read(l->model, before, error));
    ng_status status = fit(l, o, s, w, error);
    if (status != NG_OK)
        ngi_head_write(l->model, before, NULL);
    return status;
}

/* All of F for very many weights would be no answer but silence. */
static ng_status check_size(const ng_model *model, const ng_laplace_options *o, ng_error *error)
{
    const ngi_linear *head = &model->linear[model->layers - 1];
    size_t c = head->a.cols + (head->bias != NG_MODEL_NONE), n = ngi_times(head->g.cols, c);
    int all = o->structure == NG_LAPLACE_LAST || o->refit;
    if (all && n > o->most)
        return ng_error_set(error, NG_ERANGE,
                            "%s: %zu weights, and most = %zu; kron without refit takes any number",
                            head->name, n, o->most);
    return NG_OK;
}

static ng_status fit_data(ng_laplace **laplace, ng_model *model, const ng_dataset *data,
                          const ng_laplace_options *o, ngi_samples *s, ng_error *error)
{
    ngi_heap heap = {NULL};
    TRY(ngi_laplace_create(laplace, model, o->structure, error));
    TRY(ngi_samples_gather(s, *laplace, data, error));
    return ngi_heap_close(&heap, fit_samples(*laplace, o, s, &heap, error));
}

ng_status ng_laplace_fit(ng_laplace **laplace, ng_model *model, const ng_dataset *data,
                         const ng_laplace_options *options, ng_error *error)
{
    ng_laplace_options o;
    ngi_samples s = {0};
    *laplace = NULL;
    TRY(ng_laplace_init(&o));
    if (options != NULL)
        o = *options;
    if (model == NULL || data == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", model == NULL ? "model" : "data");
    TRY(check_options(&o, error));
    TRY(check_size(model, &o, error));
    ng_status status = fit_data(laplace, model, data, &o, &s, error);
    ngi_samples_free(&s);
    return ngi_laplace_built(laplace, status);
}
