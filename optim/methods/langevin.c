/* Langevin dynamics (natgrad/langevin.h). */
#include <natgrad/langevin.h>

#include <float.h>
#include <math.h>
#include <stddef.h>

#include <natgrad/linalg.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "optim/front/method.h"
#include "optim/methods/noise.h"
#include "optim/front/vector.h"

static ng_status create(ngi_param *param, const void *options, ng_error *error)
{
    (void)options;
    if (param->half.rows > 0)
        return ng_error_set(error, NG_EDTYPE, "langevin: '%.60s' has sixteen bits", param->name);
    ngi_param_update(param);
    return NG_OK;
}

static ng_status prepare(ngi_param *param, const void *options, ng_work *work, ng_error *error)
{
    (void)options, (void)work;
    return ngi_check_gradient(param, INFINITY, error);
}

static const char *joint_by(const void *options)
{
    (void)options;
    return "the noise";
}

static size_t agree_work(ngi_param *const *params, size_t count, const void *options)
{
    size_t n = ngi_vector_length(params, count);
    (void)options;
    return ngi_size_mul(3, ng_work_mat_size(1, n, params[0]->w.dtype));
}

static ng_mat gradient(ngi_param *param)
{
    return param->g;
}

static ng_status check_fisher(ngi_param *const *params, size_t count, const ng_fisher *f,
                              const ng_langevin_options *o, ng_error *error)
{
    size_t n = ngi_vector_length(params, count);
    for (size_t i = 0; i < count; i++)
        if (params[i]->w.dtype != (f != NULL ? ng_fisher_dtype(f) : params[0]->w.dtype))
            return ng_error_set(error, NG_EDTYPE, "'%.60s' differs in dtype from %s",
                                params[i]->name, f != NULL ? "the Fisher matrix" : "the first");
    if (f == NULL)
        return NG_OK;
    if (n != ng_fisher_size(f))
        return ng_error_set(error, NG_ESHAPE,
                            "the Fisher matrix is for %zu parameters, the group has %zu",
                            ng_fisher_size(f), n);
    if (o->manifold != NG_MANIFOLD_EUCLIDEAN || !ng_fisher_can(f, NG_FISHER_POWER))
        return ng_error_set(error, NG_EUNSUPPORTED, "a %s Fisher matrix %s", ng_fisher_name(f),
                            o->manifold != NG_MANIFOLD_EUCLIDEAN ? "on a sphere"
                                                                 : "cannot take a root");
    return NG_OK;
}

/* What a step is made of: 1 x n */
typedef struct {
    ng_mat g, d, noise;
} step;

/* noise <- normal numbers, of covariance (F + damping I)^-1 with a Fisher matrix */
static ng_status draw(step *s, const ngi_param *first, ng_fisher *f, double damping,
                      ng_error *error)
{
    ngi_noise state;
    const ng_random random = ngi_noise_open(&state, first, "langevin");
    if (f != NULL)
        return ng_fisher_sample(f, s->noise, damping, &random, error);
    ngi_noise_normal(&state, s->noise);
    return NG_OK;
}

/* d <- the step */
static ng_status direct(step *s, const ngi_param *first, ng_fisher *f, const ng_langevin_options *o,
                        ng_error *error)
{
    if (f != NULL)
        TRY(ng_fisher_solve(f, s->d, s->g, o->damping, error));
    else
        TRY(ng_copy(s->d, s->g, error));
    ng_scale(s->d, -o->lr);
    if (o->temperature == 0)
        return NG_OK;
    TRY(draw(s, first, f, o->damping, error));
    return ng_axpby(s->d, s->noise, sqrt(2 * o->lr) * sqrt(o->temperature), 1, error);
}

/* d <- the way from w (in g) to where w + P d meets the sphere: (q - 1) w + q P d, q = |w| / |w + P
 * d|, whose two parts are orthogonal */
static ng_status retract(step *s, ng_error *error)
{
    double radius = ng_norm(s->g);
    if (radius == 0)
        return ng_error_set(error, NG_ESINGULAR, "the weights are 0: a sphere without radius");
    TRY(ng_axpby(s->noise, s->g, 1 / radius, 0, error));
    TRY(ng_axpby(s->d, s->noise, -ng_dot(s->noise, s->d), 1, error));
    double across = ng_norm(s->d), length = hypot(radius, across);
    if (!isfinite(length))
        return ng_error_set(error, NG_ERANGE, "the step overflows");
    return ng_axpby(s->d, s->noise, -radius * (across / length) * (across / (length + radius)),
                    radius / length, error);
}

static ng_status agree(ngi_param *const *params, size_t count, const void *options,
                       ngi_joint *joint, ng_work *work, ng_error *error)
{
    const ng_langevin_options *o = options;
    ng_dtype dtype = params[0]->w.dtype;
    size_t n = ngi_vector_length(params, count);
    step s;
    TRY(check_fisher(params, count, joint->fisher, o, error));
    TRY(ng_work_mat(work, &s.g, 1, n, dtype, error));
    TRY(ng_work_mat(work, &s.d, 1, n, dtype, error));
    TRY(ng_work_mat(work, &s.noise, 1, n, dtype, error));
    TRY(ngi_vector_gather(s.g, params, count, gradient, error));
    TRY(direct(&s, params[0], joint->fisher, o, error));
    if (o->manifold == NG_MANIFOLD_SPHERE) {
        TRY(ngi_vector_gather(s.g, params, count, ngi_vector_weights, error));
        TRY(retract(&s, error));
    }
    TRY(ngi_vector_scatter(params, count, ngi_vector_update, s.d, error));
    TRY(ngi_vector_check(params, count, 1, 1, error));
    ngi_vector_settle(params, count, 1);
    return NG_OK;
}

static void commit(ngi_param *param, const void *options)
{
    (void)options;
    ng_axpby(param->w, param->update, 1, 1, NULL);
}

/* ---- The tables ------------------------------------------------------------------------- */

static const char *const manifolds[] = {"euclidean", "sphere", NULL};

#define FIELD(field) #field, .offset = offsetof(ng_langevin_options, field)
static const ng_option table[] = {
    {FIELD(lr), .kind = NG_OPTION_REAL, .value = 0.001, .min = 0, .max = DBL_MAX,
     .doc = "time of a step"},
    {FIELD(temperature), .kind = NG_OPTION_REAL, .value = 1, .min = 0, .max = DBL_MAX,
     .doc = "the law is exp(-loss / temperature)"},
    {FIELD(damping), .kind = NG_OPTION_REAL, .value = 0.001, .min = 0, .max = DBL_MAX,
     .doc = "added to the diagonal of the Fisher matrix, if there is one"},
    {FIELD(manifold), .kind = NG_OPTION_CHOICE, .value = NG_MANIFOLD_EUCLIDEAN, .min = 0, .max = 1,
     .choices = manifolds, .doc = "where the group's weights, one vector, are kept"},
    {.name = NULL},
};

static unsigned fisher_calls(const void *options)
{
    (void)options;
    return NG_FISHER_SOLVE;
}

const ng_method ngi_method_langevin = {
    .name = "langevin",
    .elementwise = 1,
    .fisher_calls = fisher_calls,
    .options_size = sizeof(ng_langevin_options),
    .options = table,
    .create = create,
    .joint = joint_by,
    .prepare = prepare,
    .agree_work = agree_work,
    .agree = agree,
    .commit = commit,
};

ng_status ng_langevin_init_sized(ng_langevin_options *options, size_t size)
{
    return ngi_method_defaults(options, size, &ngi_method_langevin);
}
