/* curvature: how the scalar curvature of the Fisher metric grows with the
 * lattice, at criticality and off it (Zhuravlev, arXiv:2603.07651). */
#include <math.h>
#include <stdio.h>

#include "examples/curvature/curvature.h"
#include "examples/curvature/ranks.h"
#include "examples/support/arguments.h"
#include "examples/support/progress.h"

enum { CONTROL_LENGTH = 32 };

typedef struct {
    point points[MAX_SIZES * (2 + CONTROLS)];
    size_t count, exact; /* of them; of those at the first coupling that are exact */
    progress bar;
    double work, done; /* ~ L^2dim */
} run;

static double cost(const config *c, size_t length)
{
    return pow((double)length, 2.0 * (double)ng_lattice_dimension(c->model->lattice));
}

/* What Monte Carlo knows beside R, and how far off the exact value it is. */
static void print_sampled(const run *r, const point *p)
{
    const ng_wolff_result *m = &p->mc;
    printf(
        "mc L=%zu samples=%zu plain=%.10g cross=%.10g corrected=%.10g difference=%.4g sigma=%.4g "
        "mean=%.8g tau_energy=%.3g tau_mode=%.3g resumed=%s\n",
        p->length, m->samples, m->plain, m->cross, m->corrected, m->difference, m->sigma, m->mean,
        m->tau_energy, m->tau_mode, m->resumed ? "yes" : "no");
    for (size_t i = 0; i < r->count; i++)
        if (r->points[i].length == p->length && !r->points[i].sampled)
            printf("mc L=%zu exact=%.10g deviation=%.2f sigma\n", p->length, r->points[i].curvature,
                   (p->curvature - r->points[i].curvature) / p->error);
}

/* 0, also when ^C came in between and there is no point; 1 after reporting. */
static int measure(run *r, const config *c, const engine *e, size_t length, double coupling,
                   const char *prefix)
{
    char note[32];
    ng_error error = {NG_OK, ""};
    point *p = &r->points[r->count];
    *p = (point){.coupling = coupling, .length = length, .method = e->name, .sampled = e->sampled};
    p->sites = pow((double)length, (double)ng_lattice_dimension(c->model->lattice));
    snprintf(note, sizeof note, "L = %zu", length);
    double start = progress_clock();
    progress_update(&r->bar, r->done, note);
    ng_status status = e->run(p, c, &error);
    progress_end(&r->bar);
    if (status == NG_STOPPED)
        return 0;
    if (status != NG_OK)
        return program_error("L = %zu: %s", length, error.text);
    p->seconds = progress_clock() - start;
    if (e->sampled)
        print_sampled(r, p);
    printf("%sL=%zu R=%.*g error=%.3g method=%s seconds=%.3g\n", prefix, length, digits_of(p),
           p->curvature, p->error, p->method, p->seconds);
    fflush(stdout);
    r->count++;
    r->done += cost(c, length);
    return 0;
}

/* Sizes that are also run at each of the couplings off the critical one. */
static size_t control_sizes(const config *c)
{
    size_t count = 0;
    while (c->critical && !c->no_controls && count < c->size_count &&
           c->sizes[count] <= CONTROL_LENGTH)
        count++;
    return count;
}

static size_t controls(const config *c)
{
    size_t count = 0;
    for (int k = 0; k < CONTROLS; k++)
        count += c->model->controls[k] > 0;
    return count;
}

static int run_all(run *r, const config *c)
{
    const engine *exact = engine_find(c->model, c->engine, 0);
    const engine *sampled = engine_find(c->model, NULL, 1);
    int status = 0;
    for (size_t i = 0; i < c->size_count; i++)
        r->work += cost(c, c->sizes[i]) * (double)(1 + (i < control_sizes(c) ? controls(c) : 0));
    for (size_t i = 0; i < c->mc_count; i++)
        r->work += cost(c, c->mc[i]);
    progress_start(&r->bar, "curvature", r->work, "steps");
    for (size_t i = 0; i < c->size_count && status == 0 && !program_interrupted(); i++)
        status = measure(r, c, exact, c->sizes[i], c->coupling, "");
    r->exact = r->count;
    for (size_t i = 0; i < c->mc_count && status == 0 && !program_interrupted(); i++)
        status = measure(r, c, sampled, c->mc[i], c->coupling, "");
    return status;
}

static int run_controls(run *r, const config *c)
{
    const engine *exact = engine_find(c->model, c->engine, 0);
    char prefix[48];
    int status = 0;
    for (int k = 0; k < CONTROLS && status == 0; k++)
        for (size_t i = 0; i < control_sizes(c) && c->model->controls[k] > 0 && status == 0; i++) {
            if (program_interrupted())
                return 0;
            snprintf(prefix, sizeof prefix, "control J=%g ", c->model->controls[k]);
            status = measure(r, c, exact, c->sizes[i], c->model->controls[k], prefix);
        }
    return status;
}

/* ---- What the data say ------------------------------------------------------------ */

static void print_exponents(const point *points, size_t count, const char *prefix)
{
    for (size_t i = 1; i < count; i++)
        printf("%sexponent L=%zu,%zu d=%.4f\n", prefix, points[i - 1].length, points[i].length,
               effective_exponent(&points[i - 1], &points[i]));
}

static void print_winner(const growth *g, const point *first, const point *last, const char *power,
                         const char *log_law)
{
    int log_wins = g->log_rms < g->power_rms;
    printf("Over L = %zu ... %zu, |R| = %s describes the data better than %s: relative residuals "
           "%.2g against %.2g (rms).\n",
           first->length, last->length, log_wins ? log_law : power, log_wins ? power : log_law,
           fmin(g->log_rms, g->power_rms), fmax(g->log_rms, g->power_rms));
}

/* With a correction, and ever more of the small sizes left out: a law that holds
 * keeps its numbers. *last is the last that there are points for, or untouched. */
static int print_corrected(growth *last, const point *points, size_t count)
{
    int found = 0;
    growth g;
    for (size_t least = FIRST_LARGE, first = 0;; least *= 2) {
        while (first < count && points[first].length < least)
            first++;
        if (fit_growth(&g, points + first, count - first, 1) != 0)
            return found;
        printf("fit L>=%zu power_c A=%.6g d=%.4f c=%.4g rms=%.3g\n", points[first].length,
               g.power_a, g.power_d, g.power_c, g.power_rms);
        printf("fit L>=%zu nlogn_c a=%.6g b=%.6g c=%.4g rms=%.3g\n", points[first].length, g.log_a,
               g.log_b, g.log_c, g.log_rms);
        print_winner(&g, &points[first], &points[count - 1], "A n^d (1 + c/L)",
                     "n (a + b ln n + c/L)");
        *last = g;
        found = 1;
    }
}

/* fits[0]: the two laws; fits[1]: corrected ones; NULL where there are too few sizes. */
static void print_fits(growth *g, const growth *fits[2], const config *c, const point *points,
                       size_t count)
{
    fits[0] = fit_growth(&g[0], points, count, 0) == 0 ? &g[0] : NULL;
    fits[1] = NULL;
    if (fits[0] == NULL) {
        printf("No fits: they want three sizes or more, R of one sign.\n");
        return;
    }
    printf("fit power A=%.6g d=%.4f rms=%.3g\n", g[0].power_a, g[0].power_d, g[0].power_rms);
    printf("fit nlogn a=%.6g b=%.6g rms=%.3g\n", g[0].log_a, g[0].log_b, g[0].log_rms);
    print_winner(&g[0], points, &points[count - 1], "A n^d", "n (a + b ln n)");
    if (print_corrected(&g[1], points, count))
        fits[1] = &g[1];
    if (c->critical)
        printf("The claimed exponent is %.4f; between the last two sizes it is %.4f.\n",
               c->model->claim, effective_exponent(&points[count - 2], &points[count - 1]));
}

/* A power law would have one exponent. */
static void print_range(const point *points, size_t count)
{
    size_t low = 0, high = 0;
    double e[MAX_SIZES];
    for (size_t i = 1; i < count; i++) {
        e[i] = effective_exponent(&points[i - 1], &points[i]);
        if (!isfinite(e[i]))
            continue;
        low = low == 0 || e[i] < e[low] ? i : low;
        high = high == 0 || e[i] > e[high] ? i : high;
    }
    if (low != high)
        printf("From L = %zu on the effective exponent runs from %.4f (L = %zu, %zu) to %.4f "
               "(L = %zu, %zu).\n",
               points[0].length, e[low], points[low - 1].length, points[low].length, e[high],
               points[high - 1].length, points[high].length);
}

static void print_controls(const run *r, size_t main_count)
{
    for (size_t i = main_count; i < r->count; i++)
        if ((i + 1 == r->count || r->points[i + 1].coupling != r->points[i].coupling) &&
            i > main_count && r->points[i - 1].coupling == r->points[i].coupling)
            printf("Off the critical point, J = %g: R/n = %.6g, exponent %.4f at L = %zu, %zu.\n",
                   r->points[i].coupling, r->points[i].curvature / r->points[i].sites,
                   effective_exponent(&r->points[i - 1], &r->points[i]), r->points[i - 1].length,
                   r->points[i].length);
}

static int report(const run *r, const config *c, size_t main_count)
{
    growth g[2];
    const growth *fits[2];
    /* sizes of --mc come after those of --exact: fits are over the exact ones */
    print_exponents(r->points, r->exact, "");
    size_t first = first_large(r->points, r->exact);
    print_fits(g, fits, c, r->points + first, r->exact - first);
    if (r->exact > first)
        print_range(r->points + first, r->exact - first);
    print_controls(r, main_count);
    return c->exchange != NULL && c->exchange->rank > 0 ? 0
                                                        : leave_files(c, fits, r->points, r->count);
}

int main(int argc, char **argv)
{
    static run r;
    config c = {.model = NULL};
    int status = ranks_begin(&c.exchange, &argc, &argv);
    if (status == 0)
        status = config_parse(&c, argc, argv);
    if (status == 0)
        status = arguments_folder(c.out);
    if (status == 0) {
        program_catch_interrupt();
        status = run_all(&r, &c);
    }
    size_t main_count = r.count;
    if (status == 0)
        status = run_controls(&r, &c);
    if (status == 0)
        status = report(&r, &c, main_count);
    return program_end(status);
}
