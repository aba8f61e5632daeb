/* langevin: a hidden direction from samples by normalised SGD of one sample a step, which samples a
 * stationary law about it, and the average of its path (Wei, Damian and Lee 2026,
 * arXiv:2603.06028). y = h_k(theta* x), h_k the normalised Hermite polynomial: the averaged iterate
 * finds theta* for odd k, the top eigenvector of the averaged second moment for even k. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <natgrad/average.h>
#include <natgrad/langevin.h>

#include "examples/support/paper.h"
#include "examples/support/program.h"

typedef struct {
    int k; /* information exponent, 3 or 4 */
    size_t d, n, steps;
    double eta;
    ng_mat x;             /* n x d */
    double *y;            /* theta* is the first axis */
    ng_mat first, second; /* averages of theta and theta theta^T */
    double squares;       /* sum of theta_1^2 */
} problem;

/* One vector under the method langevin. */
typedef struct {
    ng_mat w, g; /* 1 x d */
    ng_optimizer *opt;
} sampler;

static void check(const sampler *s, ng_status status)
{
    if (status != NG_OK)
        exit(program_end(program_error("%s", ng_optimizer_error(s->opt))));
}

static sampler open_sampler(size_t d, const ng_langevin_options *o, ng_fisher *f, size_t seed)
{
    ng_optimizer_options options;
    ng_error error = {NG_OK, ""};
    ng_group *group;
    sampler s = {.w = paper_mat(1, d), .g = paper_mat(1, d)};
    ng_optimizer_init(&options);
    options.seed = seed;
    paper_must(ng_optimizer_create(&s.opt, &options), &error);
    check(&s, ng_optimizer_add_group(s.opt, &group, o));
    check(&s, ng_group_add(group, NULL, "theta", s.w, s.g));
    check(&s, ng_group_set_fisher(group, f));
    return s;
}

static double hermite(int k, double z)
{
    return k == 3 ? (z * z * z - 3 * z) / sqrt(6) : (z * z * z * z - 6 * z * z + 3) / sqrt(24);
}

static double hermite_slope(int k, double z)
{
    return sqrt(k) * (k == 3 ? (z * z - 1) / sqrt(2) : (z * z * z - 3 * z) / sqrt(6));
}

static problem make(paper *p, int k, size_t d, size_t n, size_t steps, double eta)
{
    problem q = {.k = k, .d = d, .n = n, .steps = steps, .eta = eta};
    q.x = paper_mat(n, d);
    q.y = paper_mat(1, n).data;
    q.first = paper_mat(1, d);
    q.second = paper_mat(d, d);
    paper_normal(q.x, paper_random(p, (size_t)k));
    for (size_t i = 0; i < n; i++)
        q.y[i] = hermite(k, ng_mat_get(q.x, i, 0));
    return q;
}

static double dot(const double *a, const double *b, size_t d)
{
    double s[4] = {0};
    size_t i = 0;
    for (; i + 4 <= d; i += 4)
        for (size_t j = 0; j < 4; j++)
            s[j] += a[i + j] * b[i + j];
    for (; i < d; i++)
        s[0] += a[i] * b[i];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

/* g <- the gradient of one sample's correlation, less its sign: -y h_k'(theta x) x */
static void gradient(sampler *s, const problem *q, size_t i)
{
    const double *x = (const double *)q->x.data + i * q->d;
    double *g = s->g.data;
    const double a = -q->y[i] * hermite_slope(q->k, dot(s->w.data, x, q->d));
    for (size_t j = 0; j < q->d; j++)
        g[j] = a * x[j];
}

/* The second moment is averaged over every d-th step, as far apart as it changes: as the mean of
 * scores it is a Fisher matrix. */
static void average(problem *q, const sampler *s, size_t t, ng_average *mean, ng_fisher *moment)
{
    ng_error error = {NG_OK, ""};
    const double first = ng_mat_get(s->w, 0, 0);
    paper_must(ng_average_update(mean, &error), &error);
    q->squares += first * first;
    if (q->k % 2 == 0 && t % q->d == 0)
        paper_must(ng_fisher_accumulate(moment, s->w, ng_mat_none(), NULL, &error), &error);
}

static void walk_on(paper *p, problem *q, sampler *s, ng_average *mean, ng_fisher *moment)
{
    enum { AT_ONCE = 4096 };
    double u[AT_ONCE];
    const char *parameter, *name;
    ng_error error = {NG_OK, ""};
    const ng_random *random = paper_random(p, 10 + (size_t)q->k);
    const size_t every = q->steps / 200 + 1;
    paper_normal(s->w, random);
    ng_scale(s->w, 1 / ng_norm(s->w));
    paper_must(ng_average_tensor(mean, &parameter, &name, &q->first, 0, &error), &error);
    for (size_t t = 0; t < q->steps && !program_interrupted(); t++) {
        if (t % AT_ONCE == 0)
            random->fill_uniform(random->data, u, AT_ONCE);
        gradient(s, q, (size_t)(u[t % AT_ONCE] * (double)q->n));
        check(s, ng_optimizer_step(s->opt));
        average(q, s, t, mean, moment);
        if (t % every == 0)
            fprintf(p->rows.to, "%d,%g,%zu,%.6g,%.6g\n", q->k, q->eta, t, ng_mat_get(s->w, 0, 0),
                    ng_mat_get(q->first, 0, 0) / ng_norm(q->first));
    }
}

/* Steps of single samples, without other noise. */
static void walk(paper *p, problem *q)
{
    ng_error error = {NG_OK, ""};
    ng_langevin_options o;
    ng_average *mean;
    ng_fisher *moment;
    ng_langevin_init(&o);
    o.lr = q->eta;
    o.temperature = 0;
    o.manifold = NG_MANIFOLD_SPHERE;
    sampler s = open_sampler(q->d, &o, NULL, p->seed);
    paper_must(ng_average_create(&mean, s.opt, 1, &error), &error);
    paper_must(ng_fisher_create_dense(&moment, q->d, NG_F64, &error), &error);
    walk_on(p, q, &s, mean, moment);
    ng_mat first = paper_mat(1, q->d);
    ng_copy(first, q->first, NULL);
    q->first = first;
    if (q->k % 2 == 0)
        paper_must(ng_fisher_to_dense(moment, q->second, &error), &error);
    ng_fisher_destroy(moment);
    ng_average_destroy(mean);
    ng_optimizer_destroy(s.opt);
}

/* theta_1 of the average, of length 1; and of the top eigenvector, without its sign */
static double averaged(const problem *q)
{
    return ng_mat_get(q->first, 0, 0) / ng_norm(q->first);
}

static double top(const problem *q)
{
    ng_error error = {NG_OK, ""};
    ng_mat values = paper_mat(1, q->d), vectors = paper_mat(q->d, q->d);
    paper_must(ng_eigh(values, vectors, NULL, q->second, NULL, &error), &error);
    return fabs(ng_mat_get(vectors, q->d - 1, 0));
}

/* ---- Stages ------------------------------------------------------------------------------------
 */

static void odd(paper *p)
{
    problem q = make(p, 3, 100, 100000, p->samples * 1000, 0.005);
    walk(p, &q);
    double a = averaged(&q), rms = sqrt(q.squares / (double)q.steps);
    printf("k = 3, d = 100: averaged iterate %.3f, iterate rms %.3f\n", a, rms);
    /* what noise leaves in the average, 1 - a, falls like 1 / steps */
    target_print("langevin", "k=3_averaged_iterate", 0.99, a, 0.01 + 50 / (double)p->samples);
    target_print("langevin", "k=3_iterate_rms", 0.24, rms, 0.08);
    problem fast = make(p, 3, 100, 100000, p->samples * 1000, 0.02);
    walk(p, &fast);
    double wrong = averaged(&fast);
    printf("the same with a step of 0.02 instead of 0.005: %.3f\n", wrong);
    verdict_print("langevin", "large steps end at the wrong sign, k = 3",
                  wrong < -0.2 ? VERDICT_YES : VERDICT_NO);
    verdict_print("langevin", "odd k: the averaged iterate finds what iterates do not",
                  a > 0.95 && rms < 0.5 ? VERDICT_YES : VERDICT_NO);
}

static void even(paper *p)
{
    problem q = make(p, 4, 50, 25000, p->samples * 125, 0.02);
    walk(p, &q);
    double t = top(&q), a = fabs(averaged(&q)), rms = sqrt(q.squares / (double)q.steps);
    printf("k = 4, d = 50: top eigenvector %.3f, averaged iterate %.3f, iterate rms %.3f\n", t, a,
           rms);
    target_print("langevin", "k=4_top_eigenvector", 0.996, t, 0.015);
    target_print("langevin", "k=4_iterate_rms", 0.27, rms, 0.08);
    verdict_print("langevin", "even k: the second moment finds what the first does not",
                  t > 0.95 && a < 0.95 ? VERDICT_YES : VERDICT_NO);
}

/* Langevin dynamics of the population, U = -m^k, against the stationary density exp(m^k /
 * temperature) (1 - m^2)^((d-3)/2) of m = theta_1. */
static void stationary(paper *p)
{
    enum { D = 10, K = 3, STEPS = 400000 };
    const double eps = 3;
    double mean = 0, square = 0, exact[3] = {0};
    ng_langevin_options o;
    ng_langevin_init(&o);
    o.lr = 0.002 * eps;
    o.temperature = 1 / (2 * eps); /* of the paper's noise: dt = lr / eps */
    o.manifold = NG_MANIFOLD_SPHERE;
    sampler s = open_sampler(D, &o, NULL, p->seed);
    ng_mat_set(s.w, 0, 0, 1);
    for (int t = 0; t < STEPS; t++) {
        const double m = ng_mat_get(s.w, 0, 0);
        ng_mat_set(s.g, 0, 0, -K * m * m);
        check(&s, ng_optimizer_step(s.opt));
        mean += m / STEPS;
        square += m * m / STEPS;
    }
    ng_optimizer_destroy(s.opt);
    for (int i = 0; i < 20000; i++) {
        double m = -1 + (i + 0.5) / 10000,
               w = exp(2 * eps * m * m * m) * pow(1 - m * m, (D - 3) / 2.0);
        exact[0] += w;
        exact[1] += w * m;
        exact[2] += w * m * m;
    }
    target_print("langevin", "stationary_mean", exact[1] / exact[0], mean, 0.03);
    target_print("langevin", "stationary_mean_square", exact[2] / exact[0], square, 0.02);
}

/* ---- A known Gaussian --------------------------------------------------------------------------
 */

enum { GAUSSIAN = 20, GAUSSIAN_STEPS = 40000 };

/* Of its directions' precisions h, 1 to 10^4: squares h E x^2 and the correlation of steps. */
typedef struct {
    double stiff, soft, correlation;
} spread;

static spread sample_gaussian(paper *p, double lr, ng_fisher *f, const double *h)
{
    ng_langevin_options o;
    double squares[2] = {0}, ahead = 0, before = 0;
    ng_langevin_init(&o);
    o.lr = lr;
    o.damping = 0;
    sampler s = open_sampler(GAUSSIAN, &o, f, p->seed + 1);
    for (int t = 0; t < GAUSSIAN_STEPS; t++) {
        const double soft = ng_mat_get(s.w, 0, 0), stiff = ng_mat_get(s.w, 0, GAUSSIAN - 1);
        for (size_t i = 0; i < GAUSSIAN; i++)
            ng_mat_set(s.g, 0, i, h[i] * ng_mat_get(s.w, 0, i));
        check(&s, ng_optimizer_step(s.opt));
        squares[0] += soft * soft / GAUSSIAN_STEPS;
        squares[1] += stiff * stiff / GAUSSIAN_STEPS;
        ahead += soft * before / GAUSSIAN_STEPS;
        before = soft;
    }
    ng_optimizer_destroy(s.opt);
    return (spread){squares[1] * h[GAUSSIAN - 1], squares[0] * h[0], ahead / squares[0]};
}

/* Steps of lr are exact chains: with the metric F a factor 1 - lr and squares 1 / (1 - lr / 2) in
 * every direction; without, lr h instead of lr. */
static void riemannian(paper *p)
{
    const double lr = 0.2;
    double h[GAUSSIAN];
    ng_error error = {NG_OK, ""};
    ng_fisher *f;
    ng_mat precision = paper_mat(GAUSSIAN, GAUSSIAN);
    for (size_t i = 0; i < GAUSSIAN; i++) {
        h[i] = pow(10, 4 * (double)i / (GAUSSIAN - 1));
        ng_mat_set(precision, i, i, h[i]);
    }
    paper_must(ng_fisher_create_dense(&f, GAUSSIAN, NG_F64, &error), &error);
    paper_must(ng_fisher_set(f, precision, 1, &error), &error);
    spread with = sample_gaussian(p, lr, f, h),
           without = sample_gaussian(p, lr / h[GAUSSIAN - 1], NULL, h);
    ng_fisher_destroy(f);
    /* deviations of 2 / ((steps lr)) under the correlation (1 - lr)^2, four of them */
    const double all = 1 / (1 - lr / 2), off = 4 * sqrt(2 / (GAUSSIAN_STEPS * lr));
    printf("a Gaussian of precisions 1 to 10^4, h E x^2 of the softest and the stiffest direction: "
           "%.3f and %.3f with its Fisher metric, %.3f and %.3f without\n",
           with.soft, with.stiff, without.soft, without.stiff);
    target_print("langevin", "riemannian_softest", all, with.soft, off);
    target_print("langevin", "riemannian_stiffest", all, with.stiff, off);
    target_print("langevin", "riemannian_correlation", 1 - lr, with.correlation, off);
    target_print("langevin", "euclidean_stiffest", all, without.stiff, off);
    verdict_print("langevin", "with its Fisher metric all directions mix at one rate",
                  fabs(with.soft - all) < off && fabs(with.stiff - all) < off ? VERDICT_YES
                                                                              : VERDICT_NO);
    verdict_print("langevin", "without it the softest direction mixes in as many steps",
                  fabs(without.soft - 1) < off ? VERDICT_YES : VERDICT_NO);
}

static void draw(FILE *out, paper *p)
{
    (void)p;
    fputs("set multiplot layout 1,2\nset grid lc rgb '#cccccc'\nset yrange [-1:1]\nset xlabel "
          "'steps'\n"
          "set key bottom right\nset format x '%.0s%c'\n",
          out);
    fputs("set title 'k = 3'\n"
          "plot $rows using ($2 == 0.005 ? $3 : NaN):4 with points pt 7 ps 0.4 lc rgb '#0072B2' "
          "title 'iterate', "
          "$rows using ($2 == 0.005 ? $3 : NaN):5 with points pt 7 ps 0.5 lc rgb '#D55E00' title "
          "'its average, of length 1', "
          "$rows using ($1 == 3 && $2 == 0.02 ? $3 : NaN):5 with points pt 5 ps 0.4 lc rgb "
          "'#009E73' title 'the same, steps four times as large'\n"
          "set title 'k = 4'\nset key bottom right\n"
          "plot $rows using ($1 == 4 ? $3 : NaN):4 with points pt 7 ps 0.4 lc rgb '#0072B2' title "
          "'iterate', "
          "$rows using ($1 == 4 ? $3 : NaN):5 with points pt 7 ps 0.5 lc rgb '#D55E00' title "
          "'its average, of length 1'\n",
          out);
    fputs("unset multiplot\n", out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {odd, even, stationary, riemannian, NULL};
    paper p = {.name = "langevin",
               .about =
                   "A hidden direction by averages of normalised SGD, a sampler on the sphere.",
               .header = "k,eta,step,iterate,average",
               .counted = "thousands of steps at k = 3",
               .samples = 8000,
               .least = 1,
               .most = 100000,
               .seed = 1,
               .stages = stages,
               .draw = draw,
               .width = 1000,
               .height = 420};
    return paper_main(&p, argc, argv);
}
