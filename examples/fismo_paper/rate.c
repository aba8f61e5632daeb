/* rate: how fast gradients shrink. The problem is f(W) = 1/4 ||W W^T - A||_F^2,
 * W of M x R, A = V V^T for a V of orthonormal columns scaled so that A's
 * eigenvalues are 1 ... 2: not convex (saddle points at W = 0 and wherever W
 * spans some of A's eigenvectors only), minimum 0. Its gradient is
 * (W W^T - A) W; a batch of B samples sees it with noise of standard deviation
 * SIGMA / sqrt(B) in each entry. lr is LR / sqrt(T) in all T steps, as in the
 * paper's theorem, which bounds the mean of the gradient's nuclear norm by
 * c1 / sqrt(T) + c2 sigma sqrt(R) / sqrt(B): a floor that only B lowers. */
#include "examples/fismo_paper/fismo_paper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/target.h"

enum { M = 32, R = 8, PROBES = 128 };
static const double LR = 1, SIGMA = 1, START = 0.1, TOLERANCE = 0.1;
static const char *const presets[] = {"muon", "fismo", "fismo_paper"};
static const size_t batches[] = {1, 4, 16, 64, 256, 0}; /* 0: no noise */
enum {
    PRESETS = sizeof presets / sizeof *presets,
    LENGTHS = 3, /* a factor of four apart */
    BATCHES = sizeof batches / sizeof *batches
};

typedef struct {
    ng_random random;
    double a[M * M], e[M * M], w[M * R], exact[M * R], noisy[M * R], noise[M * R];
    double u[M * R], s[R], vt[R * R];
    ng_error error;
} problem;

/* Mean nuclear norm of the gradient by preset, seed, length and batch. */
typedef struct {
    size_t lengths[LENGTHS];
    double norm[PRESETS][MAX_SEEDS][LENGTHS][BATCHES];
    size_t done; /* of them, in that order; all but for ^C */
} world;

/* ---- The problem ---------------------------------------------------------------------- */

/* A and the starting point of a seed. */
static ng_status set_up(problem *p, unsigned long seed)
{
    ng_mat v = ng_f64(p->exact, M, R), u = ng_f64(p->u, M, R), w = ng_f64(p->w, M, R);
    ng_rng_destroy(&p->random);
    ng_status status = ng_rng_create(&p->random, seed, &p->error);
    if (status != NG_OK)
        return status;
    p->random.fill_normal(p->random.data, p->exact, M * R);
    p->random.fill_normal(p->random.data, p->w, M * R);
    ng_scale(w, START);
    status = ng_svd(u, ng_f64(p->s, 1, R), ng_f64(p->vt, R, R), NULL, v, NULL, &p->error);
    for (size_t i = 0; i < M * R; i++)
        p->u[i] *= sqrt(1 + (double)(i % R) / (R - 1));
    if (status == NG_OK)
        status = ng_syrk(ng_f64(p->a, M, M), u, NG_NOTRANS, 1, 0, &p->error);
    if (status == NG_OK)
        ng_mirror(ng_f64(p->a, M, M));
    return status;
}

/* exact <- (W W^T - A) W */
static ng_status gradient(problem *p)
{
    ng_mat e = ng_f64(p->e, M, M), w = ng_f64(p->w, M, R);
    ng_status status = ng_gemm(e, w, NG_NOTRANS, w, NG_TRANS, 1, 0, &p->error);
    if (status == NG_OK)
        status = ng_axpby(e, ng_f64(p->a, M, M), -1, 1, &p->error);
    if (status == NG_OK)
        status = ng_gemm(ng_f64(p->exact, M, R), e, NG_NOTRANS, w, NG_NOTRANS, 1, 0, &p->error);
    return status;
}

static ng_status nuclear_norm(problem *p, double *norm)
{
    ng_status status = ng_svd(ng_f64(p->u, M, R), ng_f64(p->s, 1, R), ng_f64(p->vt, R, R), NULL,
                              ng_f64(p->exact, M, R), NULL, &p->error);
    *norm = 0;
    for (size_t i = 0; i < R; i++)
        *norm += p->s[i];
    return status;
}

static ng_status descend(problem *p, ng_optimizer *opt, double *mean, size_t steps, size_t batch)
{
    size_t every = steps > PROBES ? steps / PROBES : 1, probes = 0;
    double norm, deviation = batch > 0 ? SIGMA / sqrt((double)batch) : 0;
    ng_status status = NG_OK;
    *mean = 0;
    for (size_t t = 0; t < steps && status == NG_OK; t++) {
        status = gradient(p);
        if (status == NG_OK && t % every == 0) {
            status = nuclear_norm(p, &norm);
            *mean += norm;
            probes++;
        }
        p->random.fill_normal(p->random.data, p->noise, M * R);
        for (size_t i = 0; i < M * R; i++)
            p->noisy[i] = p->exact[i] + deviation * p->noise[i];
        if (status == NG_OK && (status = ng_optimizer_step(opt)) != NG_OK)
            ng_error_set(&p->error, status, "%s", ng_optimizer_error(opt));
    }
    *mean /= (double)probes;
    return status;
}

/* *mean: NaN if the run leaves the numbers. */
static ng_status run_one(problem *p, double *mean, const ng_preset *preset, unsigned long seed,
                         size_t steps, size_t batch)
{
    ng_optimizer *opt = NULL;
    ng_group *group;
    void *options;
    ng_status status = ng_options_new(&options, preset->name, &p->error);
    if (status == NG_OK)
        status = set_up(p, seed);
    if (status == NG_OK)
        status = ng_optimizer_create(&opt, NULL);
    if (status == NG_OK) {
        ng_options_set(options, "lr", LR / sqrt((double)steps), NULL);
        ng_options_set(options, "weight_decay", 0, NULL);
        ng_options_set_text(options, "shape_scale", "none", NULL);
        status = ng_optimizer_add_group(opt, &group, options);
        if (status == NG_OK)
            status = ng_group_add(group, NULL, "W", ng_f64(p->w, M, R), ng_f64(p->noisy, M, R));
        if (status != NG_OK)
            ng_error_set(&p->error, status, "%s", ng_optimizer_error(opt));
    }
    if (status == NG_OK)
        status = descend(p, opt, mean, steps, batch);
    ng_optimizer_destroy(opt);
    free(options);
    if (!ng_trainer_diverged(status))
        return status;
    *mean = NAN;
    return NG_OK;
}

/* ---- What the numbers say ---------------------------------------------------------------- */

typedef struct {
    double mean, deviation; /* over seeds */
} estimate;

static estimate over_seeds(const double *values, size_t n)
{
    estimate e = {0, 0};
    for (size_t i = 0; i < n; i++)
        e.mean += values[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        e.deviation += (values[i] - e.mean) * (values[i] - e.mean) / (double)(n > 1 ? n - 1 : 1);
    e.deviation = sqrt(e.deviation);
    return e;
}

/* Least-squares slope of log y against log x; NaN if any y is not positive. */
static double slope(const size_t *x, const double *y, size_t n)
{
    double mx = 0, my = 0, xx = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        mx += log((double)x[i]) / (double)n;
        my += (y[i] > 0 ? log(y[i]) : (double)NAN) / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        xx += (log((double)x[i]) - mx) * (log((double)x[i]) - mx);
        xy += (log((double)x[i]) - mx) * (log(y[i]) - my);
    }
    return xy / xx;
}

/* Slope in T at a batch. */
static estimate length_slope(const world *w, size_t preset, size_t seeds, size_t batch)
{
    double slopes[MAX_SEEDS], y[LENGTHS];
    for (size_t s = 0; s < seeds; s++) {
        for (size_t k = 0; k < LENGTHS; k++)
            y[k] = w->norm[preset][s][k][batch];
        slopes[s] = slope(w->lengths, y, LENGTHS);
    }
    return over_seeds(slopes, seeds);
}

/* Slope in B, after the longest runs, of what the noise adds. */
static estimate batch_slope(const world *w, size_t preset, size_t seeds)
{
    double slopes[MAX_SEEDS], y[BATCHES];
    for (size_t s = 0; s < seeds; s++) {
        const double *norm = w->norm[preset][s][LENGTHS - 1];
        for (size_t k = 0; k < BATCHES - 1; k++)
            y[k] = norm[k] - norm[BATCHES - 1];
        slopes[s] = slope(batches, y, BATCHES - 1);
    }
    return over_seeds(slopes, seeds);
}

static const char *verdict(double found, double claimed)
{
    return isnan(found)                  ? "no power law"
           : found < claimed - TOLERANCE ? "falls faster: inside the bound"
           : found > claimed + TOLERANCE ? "falls more slowly than the bound's term"
                                         : "holds";
}

static void print_table(const world *w, size_t seeds)
{
    printf("f(W) = 1/4 ||W W^T - A||^2, W %d x %d, noise %g/sqrt(B) an entry, lr %g/sqrt(T); mean "
           "nuclear norm\nof the gradient over T steps, means of %zu seeds\n| optimizer | T |",
           M, R, SIGMA, LR, seeds);
    for (size_t b = 0; b < BATCHES; b++)
        printf(batches[b] > 0 ? " B = %zu |" : " no noise |", batches[b]);
    fputs("\n|---|---|", stdout);
    for (size_t b = 0; b < BATCHES; b++)
        fputs("---|", stdout);
    fputs("\n", stdout);
    for (size_t i = 0; i < PRESETS; i++)
        for (size_t k = 0; k < LENGTHS; k++) {
            printf("| %s | %zu |", presets[i], w->lengths[k]);
            for (size_t b = 0; b < BATCHES; b++) {
                double values[MAX_SEEDS];
                for (size_t s = 0; s < seeds; s++)
                    values[s] = w->norm[i][s][k][b];
                printf(" %.4f |", over_seeds(values, seeds).mean);
            }
            fputs("\n", stdout);
        }
}

static void print_row(const char *preset, const char *what, estimate e, double claimed)
{
    printf("| %s | %s | %.3f | %.3f | %g | %s |\n", preset, what, e.mean, e.deviation, claimed,
           verdict(e.mean, claimed));
}

/* A floor that T does not move is exponent 0. The theorem is an upper bound:
 * gradients may fall faster. What noise adds also shrinks with lr, hence with
 * T, as long as it is above the floor, and then depends less on B. */
static void print_verdicts(const world *w, size_t seeds)
{
    char floor[64], name[64];
    snprintf(floor, sizeof floor, "T at B = %zu", batches[0]);
    printf("\n| optimizer | exponent of | fitted | deviation over seeds | paper | verdict (within "
           "%g) |\n|---|---|---|---|---|---|\n",
           TOLERANCE);
    for (size_t i = 0; i < PRESETS; i++) {
        print_row(presets[i], "T without noise", length_slope(w, i, seeds, BATCHES - 1), -0.5);
        print_row(presets[i], floor, length_slope(w, i, seeds, 0), 0);
        print_row(presets[i], "B: what noise adds in the longest runs", batch_slope(w, i, seeds),
                  -0.5);
    }
    fputs("\n", stdout);
    for (size_t i = 0; i < PRESETS; i++) {
        snprintf(name, sizeof name, "exponent_of_T_%s", presets[i]);
        target_print("fismo", name, -0.5, length_slope(w, i, seeds, BATCHES - 1).mean, TOLERANCE);
    }
}

/* ---- CSV and picture ---------------------------------------------------------------------- */

static void write_rows(FILE *csv, const config *c, const world *w)
{
    size_t left = w->done;
    for (size_t i = 0; i < PRESETS; i++)
        for (size_t s = 0; s < c->seeds.count; s++)
            for (size_t k = 0; k < LENGTHS; k++)
                for (size_t b = 0; b < BATCHES && left > 0; b++, left--)
                    fprintf(csv, "%s,%lu,%zu,%zu,%.9g,%.9g\n", presets[i], c->seeds.list[s],
                            w->lengths[k], batches[b], LR / sqrt((double)w->lengths[k]),
                            w->norm[i][s][k][b]);
}

static void plot_panel(FILE *script, const world *w, int by_batch)
{
    double low = INFINITY, high = 0;
    size_t n = by_batch ? BATCHES - 1 : LENGTHS;
    for (size_t i = 0; i < PRESETS; i++) {
        fprintf(script, "$p%d%zu << EOD\n", by_batch, i);
        for (size_t k = 0; k < n; k++) {
            const double(*norm)[BATCHES] = w->norm[i][0];
            double y = by_batch ? norm[LENGTHS - 1][k] : norm[k][BATCHES - 1];
            fprintf(script, "%zu %.8g\n", by_batch ? batches[k] : w->lengths[k], y);
            low = fmin(low, y);
            high = fmax(high, y);
        }
        fputs("EOD\n", script);
    }
    const size_t *x = by_batch ? batches : w->lengths;
    plot_range(script, 'y', low, high, 1);
    plot_range(script, 'x', (double)x[0], (double)x[n - 1], 1);
    fprintf(script,
            "set format y '%%g'\nset ytics (0.1, 0.2, 0.5, 1, 2, 5, 10, 20)\nset format x "
            "'%%g'\nset xlabel '%s'\nplot ",
            by_batch ? "batch B, longest runs" : "steps T, no noise");
    for (size_t i = 0; i < PRESETS; i++) {
        plot_style style = plot_method(presets[i]);
        fprintf(script, "$p%d%zu using 1:2 with linespoints pt %d lw 2 lc rgb '%s', ", by_batch, i,
                style.point, style.colour);
    }
    fprintf(script, "%.8g*sqrt(%zu.0/x) with lines dt 2 lc rgb '#888888'\n", high, x[0]);
}

static int draw(const config *c, const world *w, table *rows)
{
    enum { WIDTH = 1000 };
    plot_style styles[PRESETS];
    picture p;
    if (plot_open(&p) != 0)
        return 1;
    if (w->done < PRESETS * c->seeds.count * LENGTHS * BATCHES)
        return plot_none(&p, rows, "not all runs were made");
    for (size_t i = 0; i < PRESETS; i++)
        styles[i] = plot_method(presets[i]);
    double top = plot_head(p.script, WIDTH, styles, PRESETS,
                           "FISMO's paper: how fast gradients shrink, seed %lu; dashed: exponent "
                           "-1/2",
                           c->seeds.list[0]);
    fprintf(p.script,
            "set nokey\nset multiplot layout 1,2 margins screen 0.08,0.985,0.15,%.3f spacing "
            "screen 0.085\n"
            "set grid lt 1 lw 0.5 lc rgb '#dddddd'\nset border 3\nset tics nomirror out\n"
            "set ylabel 'mean nuclear norm of the gradient'\n",
            top);
    plot_panel(p.script, w, 0);
    fputs("unset label\nunset ylabel\n", p.script);
    plot_panel(p.script, w, 1);
    fputs("unset multiplot\n", p.script);
    return plot_draw(&p, rows, WIDTH, 420);
}

/* ---- All of it ------------------------------------------------------------------------------ */

static ng_status run_all(problem *p, world *w, const config *c)
{
    progress bar;
    size_t seeds = c->seeds.count;
    ng_status status = NG_OK;
    progress_start(&bar, "rate", (double)(PRESETS * seeds * LENGTHS * BATCHES), "runs");
    for (size_t i = 0; i < PRESETS; i++)
        for (size_t s = 0; s < seeds; s++)
            for (size_t k = 0; k < LENGTHS; k++)
                for (size_t b = 0; b < BATCHES && status == NG_OK && !program_interrupted(); b++) {
                    status = run_one(p, &w->norm[i][s][k][b], ng_preset_find(presets[i]),
                                     c->seeds.list[s], w->lengths[k], batches[b]);
                    w->done += status == NG_OK;
                    progress_update(&bar, (double)w->done, presets[i]);
                }
    progress_end(&bar);
    return status;
}

static int leave(const config *c, const world *w)
{
    table rows;
    int status =
        table_open(&rows, c->out, "rate", "optimizer,seed,steps,batch,lr,mean_nuclear_norm");
    if (status == 0) {
        write_rows(rows.to, c, w);
        status = table_save(&rows);
    }
    if (status == 0)
        status = draw(c, w, &rows);
    if (status == 0 && !program_interrupted()) {
        print_table(w, c->seeds.count);
        print_verdicts(w, c->seeds.count);
    }
    table_free(&rows);
    return status;
}

int rate(const config *c)
{
    static world w;
    problem *p = calloc(1, sizeof *p);
    int status = 0;
    if (p == NULL)
        return program_no_memory();
    for (size_t k = 0; k < LENGTHS; k++)
        w.lengths[k] = c->steps >> 2 * (LENGTHS - 1 - k);
    if (run_all(p, &w, c) != NG_OK)
        status = program_error("%s", p->error.text);
    else
        status = leave(c, &w);
    ng_rng_destroy(&p->random);
    free(p);
    return status;
}
