/* good_regulator: from a substrate to an observer that models its environment.
 *
 * All spins of the observer are boundary, so what it sees are samples x of all
 * of them from an environment q, and its model p_theta(x) ~ exp(sum theta_e T_e) is
 * an exponential family. Its prediction error is the cross-entropy -E_q log p_theta.
 * The environment is known: an Ising model on the same spins, so the floor is exact:
 *     H(q)                    when q is of the model's form,
 *     H(q) + KL(q || p*)      when q also has terms the observer has not,
 * p* the fitted model. H and KL are sums over all states of the spins, found here apart
 * from the library's log Z. */
#include "examples/observers/regulator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/observers/substrate.h"

static const char *const worlds[WORLDS] = {"realisable", "not realisable"};

/* ---- Exact sums over states -------------------------------------------------------------- */

static int parity(uint32_t bits)
{
    int odd = 0;
    for (; bits != 0; bits &= bits - 1)
        odd = !odd;
    return odd;
}

/* log p of every state; bit i set is x_i = -1 */
static double *log_probabilities(const topology *t, const double *theta)
{
    size_t states = (size_t)1 << t->spins;
    double *log_p = memory(states, sizeof *log_p), most = -HUGE_VAL, sum = 0;
    for (size_t x = 0; x < states; x++) {
        for (size_t k = 0; k < t->count; k++)
            log_p[x] += parity((uint32_t)x & t->edges[k]) ? -theta[k] : theta[k];
        most = fmax(most, log_p[x]);
    }
    for (size_t x = 0; x < states; x++)
        sum += exp(log_p[x] - most);
    for (size_t x = 0; x < states; x++)
        log_p[x] -= most + log(sum);
    return log_p;
}

/* -sum p log q, over states */
static double cross(const double *log_p, const double *log_q, size_t states)
{
    double sum = 0;
    for (size_t x = 0; x < states; x++)
        sum -= exp(log_p[x]) * log_q[x];
    return sum;
}

static double divergence(const double *log_p, const double *log_q, size_t states)
{
    double sum = 0;
    for (size_t x = 0; x < states; x++)
        sum += exp(log_p[x]) * (log_p[x] - log_q[x]);
    return sum;
}

/* ---- Environments ------------------------------------------------------------------------ */

/* The first terms are the observer's, so that its statistics come first. */
typedef struct {
    topology t;
    ng_family *family;
    double theta[MAX_EDGES];
} environment;

/* A term of three spins and a field for every spin: none is the observer's unless it has it. */
static void add_others(topology *t)
{
    for (size_t i = 0; i < 2 * t->spins; i++) {
        size_t a = i / 2, b = (a + 1) % t->spins, c = (a + 2) % t->spins, k = 0;
        uint32_t edge = UINT32_C(1) << a;
        if (i % 2 == 1)
            edge |= UINT32_C(1) << b | UINT32_C(1) << c;
        while (k < t->count && t->edges[k] != edge)
            k++;
        if (k == t->count && t->count < MAX_EDGES)
            t->edges[t->count++] = edge;
    }
}

/* theta ~ N(0, 1/4) */
static void create_environment(environment *e, const topology *observer, int others,
                               const ng_random *random)
{
    ng_error error;
    e->t = *observer;
    if (others)
        add_others(&e->t);
    random->fill_normal(random->data, e->theta, e->t.count);
    for (size_t k = 0; k < e->t.count; k++)
        e->theta[k] *= 0.5;
    must(ng_family_create_ising(&e->family, e->t.spins, e->t.edges, e->t.count, &error), &error);
    must(ng_family_set(e->family, e->theta, &error), &error);
}

/* ---- Learning ------------------------------------------------------------------------------ */

typedef struct {
    descent *way;
    double floor;
} recorder;

static int record(void *data, const ng_fit_event *event)
{
    recorder *r = data;
    r->way->above[event->step] = event->cross_entropy - r->floor;
    r->way->points = event->step + 1;
    return event->step == TRACE;
}

static void reset(ng_family *family)
{
    double zero[MAX_EDGES] = {0};
    ng_error error;
    must(ng_family_set(family, zero, &error), &error);
}

/* From theta = 0. The number of steps; gradient descent may be stopped on its way. */
static size_t learn(ng_family *family, const double *moments, ng_fit_method method, recorder *r)
{
    ng_fit_options options;
    ng_error error;
    size_t steps = 0;
    ng_fit_init(&options);
    options.method = method;
    options.max_steps = 2 * TRACE;
    if (r != NULL) {
        options.monitor = record;
        options.data = r;
    }
    reset(family);
    ng_status status = ng_family_fit(family, &steps, moments, &options, &error);
    if (status != NG_STOPPED && !(status == NG_ENOCONV && method == NG_FIT_GRADIENT))
        must(status, &error);
    return steps;
}

/* Of the fitted observer: the exact cross-entropy in the environment. */
static double prediction_error(const ng_family *family, const double *moments)
{
    double value;
    ng_error error;
    must(ng_family_cross_entropy(family, &value, moments, &error), &error);
    return value;
}

/* Says whether a statement with this error holds; the program ends if not. */
static void hold(double size, double tolerance)
{
    printf(" (%.1e, %s %.0e)\n", size, size <= tolerance ? "within" : "NOT within", tolerance);
    if (!(size <= tolerance))
        die("%s", "a statement does not hold");
}

/* Fits the observer in a known environment; it stays at p*. */
static void regulate(findings *found, ng_family *family, const topology *t, const environment *e,
                     int world)
{
    size_t states = (size_t)1 << t->spins;
    const double *moments = ng_family_mean(e->family); /* more than the observer's: its are first */
    double *q = log_probabilities(&e->t, e->theta), zero[MAX_EDGES] = {0};
    double *first = log_probabilities(t, zero);
    learn(family, moments, NG_FIT_NATURAL, NULL);
    double *p = log_probabilities(t, ng_family_theta(family));
    double entropy = cross(q, q, states), kl = divergence(q, p, states);
    recorder natural = {&found->way[world][0], world == 0 ? entropy : entropy + kl};
    recorder plain = {&found->way[world][1], natural.floor};
    double start = prediction_error(family, moments);
    reset(family);
    start = prediction_error(family, moments);
    learn(family, moments, NG_FIT_GRADIENT, &plain);
    size_t steps = learn(family, moments, NG_FIT_NATURAL, &natural);
    double end = prediction_error(family, moments);
    printf("\n%s environment, %zu terms: prediction error %.6f nats before learning\n",
           worlds[world], e->t.count, start);
    printf("  natural gradient  %zu steps: %.12f\n", steps, end);
    printf("  gradient descent  %zu steps: %.12f\n", plain.way->points - 1,
           natural.floor + plain.way->above[plain.way->points - 1]);
    if (world == 0)
        printf("  floor H(q)                 %.12f", entropy);
    else
        printf("  floor H(q) + KL(q || p*)   %.12f = %.6f + %.6f", natural.floor, entropy, kl);
    hold(fabs(end - natural.floor), 1e-8);
    printf("  Pythagoras: KL(q || p_0) = KL(q || p*) + KL(p* || p_0)");
    hold(fabs(divergence(q, first, states) - kl - divergence(p, first, states)), 1e-10);
    free(q);
    free(p);
    free(first);
}

/* The observer sees samples only. Its prediction error on them is at most that of q itself, whose
 * mean is H(q). */
static void regulate_samples(ng_family *family, const topology *t, environment *e, const config *c,
                             const ng_random *random)
{
    ng_mat x = ng_f64(memory(c->samples * t->spins, sizeof(double)), c->samples, t->spins);
    double moments[MAX_EDGES], square = 0, *q = log_probabilities(&e->t, e->theta);
    size_t states = (size_t)1 << t->spins;
    double entropy = cross(q, q, states);
    ng_error error;
    must(ng_family_sample(e->family, x, random, &error), &error);
    must(ng_family_moments(family, moments, x, &error), &error);
    size_t steps = learn(family, moments, NG_FIT_NATURAL, NULL);
    double end = prediction_error(family, moments);
    double *p = log_probabilities(t, ng_family_theta(family));
    for (size_t s = 0; s < states; s++)
        square += exp(q[s]) * (q[s] + entropy) * (q[s] + entropy);
    double deviation = sqrt(square / (double)c->samples);
    printf("\n%zu samples of the %s environment\n", c->samples, worlds[0]);
    printf("  natural gradient  %zu steps: %.6f on the samples, %.6f in the environment\n", steps,
           end, cross(q, p, states));
    printf("  H(q) %.6f, standard error %.6f: the samples' lies %.2f of them away", entropy,
           deviation, (end - entropy) / deviation);
    hold(fabs(end - entropy) / deviation, 4);
    free(p);
    free(q);
    free(x.data);
}

/* ---- What the fitted observer is ------------------------------------------------------------ */

/* The Jacobian of the mean parameters by central differences, J^T J against F^2. */
static void mass(ng_family *family, ng_mat f)
{
    size_t n = f.rows;
    const double h = 1e-5;
    double theta[MAX_EDGES], up[MAX_EDGES];
    ng_mat j = ng_f64(memory(n * n, sizeof(double)), n, n);
    ng_mat m = ng_f64(memory(n * n, sizeof(double)), n, n);
    ng_mat square = ng_f64(memory(n * n, sizeof(double)), n, n);
    ng_error error;
    memcpy(theta, ng_family_theta(family), n * sizeof *theta);
    for (size_t a = 0; a < n; a++) {
        double here = theta[a];
        theta[a] = here + h;
        must(ng_family_set(family, theta, &error), &error);
        memcpy(up, ng_family_mean(family), n * sizeof *up);
        theta[a] = here - h;
        must(ng_family_set(family, theta, &error), &error);
        for (size_t b = 0; b < n; b++)
            ng_mat_set(j, b, a, (up[b] - ng_family_mean(family)[b]) / (2 * h));
        theta[a] = here;
    }
    must(ng_family_set(family, theta, &error), &error);
    must(ng_gemm(m, j, NG_TRANS, j, NG_NOTRANS, 1, 0, &error), &error);
    must(ng_gemm(square, f, NG_NOTRANS, f, NG_NOTRANS, 1, 0, &error), &error);
    double size = ng_norm(square);
    must(ng_axpby(m, square, -1, 1, &error), &error);
    printf("\nmass tensor: ||J^T J - F^2|| / ||F^2||, J by central differences");
    hold(ng_norm(m) / size, 1e-8);
    free(j.data);
    free(m.data);
    free(square.data);
}

static void print_regime(const ng_regime *r)
{
    printf("\nthe fitted observer: F has eigenvalues %.6g ... %.6g, condition number %.4g\n",
           r->lambda_min, r->lambda_max, r->cond);
    printf("  functional %s: minimum %s, beta* %.6g, alpha_scalar %.6f (for F / (tr F / n): "
           "%.6f)\n",
           r->functional->name, ng_verdict_name(r->verdict), r->beta_star, r->alpha_scalar,
           r->alpha_scalar_unit);
    printf("  beta %.6g: alpha_dir spread %.4f, %zu of %zu directions above %g\n", r->beta,
           r->spread, r->above, r->rank, r->alpha_c);
    printf("  deviation of M = F^2 from kappa F: %.4f\n", r->deviation_fraction);
    printf("  %12s %12s\n", "lambda", "alpha_dir");
    for (size_t k = 0; k < r->rank; k++)
        printf("  %12.6g %12.6f\n", ng_mat_get(r->spectrum, 0, k), ng_mat_get(r->alpha_dir, 0, k));
}

static void leave(const findings *found, const config *c)
{
    static const char *const methods[2] = {"natural", "gradient"};
    table t;
    rows_open(&t, c, "environment,method,step,above_floor");
    for (int w = 0; w < WORLDS; w++)
        for (int m = 0; m < 2; m++)
            for (size_t k = 0; k < found->way[w][m].points; k++)
                fprintf(t.to, "%s,%s,%zu,%.6g\n", worlds[w], methods[m], k,
                        found->way[w][m].above[k]);
    rows_save(&t);
    regulator_picture(found, &t);
    table_free(&t);
}

int good_regulator(const config *c)
{
    static findings found;
    topology t;
    environment e[WORLDS];
    ng_family *family;
    ng_random random;
    ng_regime_options options;
    ng_error error;
    must(ng_rng_create(&random, c->seed, &error), &error);
    substrate_observer(&t, c, &random);
    must(ng_family_create_ising(&family, t.spins, t.edges, t.count, &error), &error);
    for (int w = 0; w < WORLDS; w++) {
        create_environment(&e[w], &t, w, &random);
        regulate(&found, family, &t, &e[w], w);
    }
    regulate_samples(family, &t, &e[0], c, &random);
    learn(family, ng_family_mean(e[0].family), NG_FIT_NATURAL, NULL);
    ng_mat f = ng_f64(memory(t.count * t.count, sizeof(double)), t.count, t.count);
    must(ng_family_fisher(family, f, &error), &error);
    mass(family, f);
    ng_regime_init(&options);
    options.beta = c->beta;
    must(ng_regime_create(&found.regime, f, &options, &error), &error);
    print_regime(found.regime);
    leave(&found, c);
    ng_regime_destroy(found.regime);
    for (int w = 0; w < WORLDS; w++)
        ng_family_destroy(e[w].family);
    ng_family_destroy(family);
    ng_rng_destroy(&random);
    free(f.data);
    return 0;
}
