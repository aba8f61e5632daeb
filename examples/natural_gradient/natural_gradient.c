/* natural_gradient: one model in two parametrisations (Amari 1998).
 *
 * A Gaussian N(mu, sigma^2) is fitted to a target by descent on the divergence
 * KL(target || model), once in the chart (mu, log sigma) and once in its natural
 * parameters (mu / sigma^2, -1 / (2 sigma^2)). The natural gradient follows the
 * same distributions in both, up to the order lr of its finite steps; gradient
 * descent takes a way of its own in each chart, however small its steps.
 *
 * Distances are Fisher and Rao's between Gaussians (Atkinson and Mitchell 1981),
 *     sqrt(2) arcosh(1 + ((mu1 - mu2)^2 / 2 + (sigma1 - sigma2)^2) / (2 sigma1 sigma2)),
 * the largest along the way: between the two charts at the same time lr k, and
 * from the natural gradient flow, which is known: the moments E[x], E[x^2] go
 * straight to the target's, m(t) = m* + exp(-t) (m(0) - m*). */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <natgrad.h>

#include "examples/support/arguments.h"
#include "examples/support/plot.h"
#include "examples/support/progress.h"

enum {
    CHARTS = 2,
    TIME = 4,    /* in units of lr times steps */
    COARSE = 20, /* steps a unit of time: 20, 40, ... 320 */
    RATES = 5,
    DRAWN = 2, /* which of them the picture shows */
    STEPS = TIME * (COARSE << (RATES - 1))
};

typedef struct {
    double mu, sigma;
} gaussian;

static const gaussian start = {-1, 0.7}, target = {1, 0.6};

static void die(const char *what)
{
    exit(program_end(program_error("%s", what)));
}

/* ---- The model ------------------------------------------------------------------------ */

/* A chart: the distribution of parameters u, its inverse, and the derivative j
 * (2 x 2) of (mu, log sigma) by u. */
typedef struct {
    const char *name;
    gaussian (*at)(const double *u);
    void (*parameters)(double *u, gaussian p);
    void (*derivative)(double *j, gaussian p);
} chart;

static gaussian log_at(const double *u)
{
    gaussian p = {u[0], exp(u[1])};
    return p;
}

static void log_parameters(double *u, gaussian p)
{
    u[0] = p.mu;
    u[1] = log(p.sigma);
}

static void log_derivative(double *j, gaussian p)
{
    (void)p;
    j[0] = j[3] = 1;
    j[1] = j[2] = 0;
}

static gaussian natural_at(const double *u)
{
    double variance = -1 / (2 * u[1]);
    gaussian p = {u[0] * variance, sqrt(variance)};
    return p;
}

static void natural_parameters(double *u, gaussian p)
{
    u[0] = p.mu / (p.sigma * p.sigma);
    u[1] = -1 / (2 * p.sigma * p.sigma);
}

static void natural_derivative(double *j, gaussian p)
{
    double variance = p.sigma * p.sigma;
    j[0] = variance;
    j[1] = 2 * p.mu * variance;
    j[2] = 0;
    j[3] = variance;
}

static const chart charts[CHARTS] = {
    {"(mu, log sigma)", log_at, log_parameters, log_derivative},
    {"natural parameters", natural_at, natural_parameters, natural_derivative}};

/* row (1 x 2) <- row j */
static void pull_back(double *row, const double *j)
{
    double a = row[0], b = row[1];
    row[0] = a * j[0] + b * j[2];
    row[1] = a * j[1] + b * j[3];
}

/* The gradient of the divergence, and three scores whose weighted squares have the exact Fisher
 * matrix as mean: they are at most quadratic in x, for which Gauss and Hermite's three nodes are
 * enough. */
static void differentiate(double *gradient, double *scores, const chart *c, gaussian p)
{
    static const double nodes[] = {-1.7320508075688772, 0, 1.7320508075688772};
    double j[4], off = p.mu - target.mu, variance = p.sigma * p.sigma;
    c->derivative(j, p);
    gradient[0] = off / variance;
    gradient[1] = 1 - (target.sigma * target.sigma + off * off) / variance;
    pull_back(gradient, j);
    for (int i = 0; i < 3; i++) {
        scores[2 * i] = nodes[i] / p.sigma;
        scores[2 * i + 1] = nodes[i] * nodes[i] - 1;
        pull_back(scores + 2 * i, j);
    }
}

static double distance(gaussian a, gaussian b)
{
    double mu = a.mu - b.mu, sigma = a.sigma - b.sigma;
    double x = (mu * mu / 2 + sigma * sigma) / (2 * a.sigma * b.sigma);
    return sqrt(2) * log1p(x + sqrt(x * (x + 2))); /* arcosh(1 + x) */
}

static gaussian flow(double time)
{
    double past = exp(-time), future = -expm1(-time);
    double first = past * start.mu + future * target.mu;
    double second = past * (start.mu * start.mu + start.sigma * start.sigma) +
                    future * (target.mu * target.mu + target.sigma * target.sigma);
    gaussian p = {first, sqrt(second - first * first)};
    return p;
}

/* ---- Descent ------------------------------------------------------------------------------ */

static void must(const ng_optimizer *opt, ng_status status)
{
    if (status != NG_OK)
        die(opt != NULL ? ng_optimizer_error(opt) : "out of memory");
}

static ng_group *add_group(ng_optimizer *opt, ng_fisher *f, double lr)
{
    ng_group *group = NULL;
    ng_natural_options natural;
    ng_sgd_options plain;
    ng_natural_init(&natural);
    natural.lr = lr;
    natural.damping = 0;
    ng_sgd_init(&plain);
    plain.lr = lr;
    plain.momentum = 0;
    if (f == NULL)
        must(opt, ng_optimizer_add_group(opt, &group, &plain));
    else {
        must(opt, ng_optimizer_add_group(opt, &group, &natural));
        must(opt, ng_group_set_fisher(group, f));
    }
    return group;
}

/* path[0 .. steps] <- the distributions of `steps` steps of lr */
static void descend(gaussian *path, const chart *c, int natural, double lr, int steps)
{
    ng_fisher *f = NULL;
    ng_fisher_batch now;
    ng_optimizer *opt;
    ng_error error;
    double u[2], gradient[2], scores[6], weights[] = {1.0 / 6, 2.0 / 3, 1.0 / 6};
    ng_mat w = ng_f64(weights, 1, 3);
    ng_fisher_batch_init(&now);
    now.decay = 0; /* F is that of this step alone */
    if (natural)
        must(NULL, ng_fisher_create_dense(&f, 2, NG_F64, NULL));
    must(NULL, ng_optimizer_create(&opt, NULL));
    ng_group *group = add_group(opt, f, lr);
    must(opt, ng_group_add(group, NULL, "u", ng_f64(u, 1, 2), ng_f64(gradient, 1, 2)));
    c->parameters(u, start);
    for (int k = 0; k <= steps; k++) {
        path[k] = c->at(u);
        if (!(path[k].sigma > 0) || !isfinite(path[k].mu))
            die("a trajectory has left the model");
        differentiate(gradient, scores, c, path[k]);
        if (f != NULL && ng_fisher_accumulate(f, ng_f64(scores, 3, 2), w, &now, &error) != NG_OK)
            die(error.text);
        must(opt, ng_optimizer_step(opt));
    }
    ng_optimizer_destroy(opt);
    ng_fisher_destroy(f);
}

/* ---- What is measured --------------------------------------------------------------------- */

typedef struct {
    double lr;
    int steps;
    gaussian path[2][CHARTS][STEPS + 1]; /* gradient descent, natural gradient */
    double apart[2];                     /* between the charts */
    double from_flow;                    /* of the natural gradient, the farther chart */
} trial;

/* 0, or -1 after ^C */
static int run_trial(trial *t, int steps_a_time)
{
    t->lr = 1.0 / steps_a_time;
    t->steps = TIME * steps_a_time;
    for (int natural = 0; natural < 2; natural++)
        for (int c = 0; c < CHARTS; c++) {
            if (program_interrupted())
                return -1;
            descend(t->path[natural][c], &charts[c], natural, t->lr, t->steps);
        }
    for (int k = 0; k <= t->steps; k++) {
        for (int natural = 0; natural < 2; natural++)
            t->apart[natural] =
                fmax(t->apart[natural], distance(t->path[natural][0][k], t->path[natural][1][k]));
        for (int c = 0; c < CHARTS; c++)
            t->from_flow = fmax(t->from_flow, distance(t->path[1][c][k], flow(t->lr * k)));
    }
    return 0;
}

static void print_trials(const trial *t, int count)
{
    printf("largest Fisher-Rao distance along the way, time 0 to %d\n", TIME);
    printf("%-10s %6s %18s %18s %18s\n", "lr", "steps", "natural gradient", "gradient descent",
           "natural from flow");
    for (int i = 0; i < count; i++)
        printf("%-10g %6d %18.3e %18.3e %18.3e\n", t[i].lr, t[i].steps, t[i].apart[1],
               t[i].apart[0], t[i].from_flow);
    if (count == RATES)
        printf("order in lr: natural gradient %.3f, gradient descent %.3f\n",
               log2(t[RATES - 2].apart[1] / t[RATES - 1].apart[1]),
               log2(t[RATES - 2].apart[0] / t[RATES - 1].apart[0]));
}

/* Every trajectory. */
static void write_paths(FILE *out, const trial *t, int count)
{
    for (int i = 0; i < count; i++)
        for (int natural = 0; natural < 2; natural++)
            for (int c = 0; c < CHARTS; c++)
                for (int k = 0; k <= t[i].steps; k++)
                    fprintf(out, "%s,%d,%g,%.6g,%.9g,%.9g\n", natural ? "natural" : "gradient",
                            c + 1, t[i].lr, t[i].lr * k, t[i].path[natural][c][k].mu,
                            t[i].path[natural][c][k].sigma);
    for (int k = 0; k <= TIME * COARSE; k++) {
        gaussian p = flow((double)k / COARSE);
        fprintf(out, "flow,0,0,%.6g,%.9g,%.9g\n", (double)k / COARSE, p.mu, p.sigma);
    }
}

/* ---- The picture -------------------------------------------------------------------------- */

/* Trajectories. The second chart of each method is drawn as points, so that a line below them
 * shows. */
static void plot_paths(FILE *script, double lr)
{
    static const struct {
        const char *method, *name;
        int chart;
    } ways[] = {{"gradient", "gradient descent", 1},
                {"gradient", "gradient descent", 2},
                {"natural", "natural gradient", 1},
                {"natural", "natural gradient", 2}};
    static const char *const in[] = {"", "(μ, log σ)", "natural parameters"};
    fputs("plot ", script);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        int points = ways[i].chart == 2;
        fprintf(script,
                "$paths every %d using ($3 == %g && $2 == %d && strcol(1) eq '%s' ? $5 : NaN):6 "
                "with %s lc rgb '%s' title '%s, %s', ",
                points ? 6 : 1, lr, ways[i].chart, ways[i].method,
                points ? "points pt 6 ps 0.8 lw 1.5" : "lines lw 2",
                plot_method(ways[i].name).colour, ways[i].name, in[ways[i].chart]);
    }
    fputs("$paths using (strcol(1) eq 'flow' ? $5 : NaN):6 with lines lw 1.5 dt 2 "
          "lc rgb '#D55E00' title 'natural gradient flow, exact'\n",
          script);
}

static void plot_orders(FILE *script, const trial *t, int count)
{
    fputs("$rates << EOD\n", script);
    for (int i = 0; i < count; i++)
        fprintf(script, "%g,%g,%g\n", t[i].lr, t[i].apart[0], t[i].apart[1]);
    fprintf(script,
            "EOD\nset logscale xy\nset format y '10^{%%T}'\nset xrange [0.0025:0.06]\n"
            "set yrange [0.001:10]\nset xtics (0.003125, 0.00625, 0.0125, 0.025, 0.05)\n"
            "set title 'distance between the two parametrisations'\nset xlabel 'lr'\n"
            "set ylabel 'largest Fisher-Rao distance'\n"
            "plot $rates using 1:2 with linespoints lw 2 pt 7 lc rgb '%s' "
            "title 'gradient descent', "
            "$rates using 1:3 with linespoints lw 2 pt 7 lc rgb '%s' "
            "title 'natural gradient', %g * x with lines dt 3 lc rgb '#555555' title 'slope 1'\n",
            plot_method("gradient descent").colour, plot_method("natural gradient").colour,
            0.6 * t[count - 1].apart[1] / t[count - 1].lr);
}

static int draw(table *paths, const trial *t, int count)
{
    picture p;
    double lr = t[count > DRAWN ? DRAWN : count - 1].lr;
    if (plot_open(&p) != 0)
        return 1;
    plot_table(p.script, "paths", paths);
    fprintf(p.script,
            "set grid lc rgb '#bbbbbb'\n"
            "set multiplot layout 1,2\nset key bottom right samplen 2 spacing 1.15\n"
            "set title 'fitting a Gaussian: the distributions passed (lr = %g)'\n"
            "set xlabel 'μ'\nset ylabel 'σ'\nset xrange [-1.3:1.3]\nset yrange [0:1.6]\n"
            "set label 'start' at %g,%g offset -2,-1\n"
            "set label 'target' at %g,%g offset 0.8,0.6\n"
            "set object circle at %g,%g size 0.025 fs solid fc rgb 'black' front\n"
            "set object circle at %g,%g size 0.025 fs solid fc rgb 'black' front\n",
            lr, start.mu, start.sigma, target.mu, target.sigma, start.mu, start.sigma, target.mu,
            target.sigma);
    plot_paths(p.script, lr);
    fputs("unset label\nunset object\n", p.script);
    plot_orders(p.script, t, count);
    fputs("unset multiplot\n", p.script);
    return plot_draw(&p, paths, 1200, 480);
}

/* ---- The program -------------------------------------------------------------------------- */

/* How many trials were run to their end: all of them but for ^C. */
static int run_trials(trial *t)
{
    progress bar;
    int count = 0;
    progress_start(&bar, "fitting", RATES, "rates");
    while (count < RATES && run_trial(&t[count], COARSE << count) == 0)
        progress_update(&bar, ++count, "");
    progress_end(&bar);
    return count;
}

static int run(const char *folder)
{
    static trial t[RATES];
    table paths;
    int count = run_trials(t);
    if (count == 0)
        return 0;
    print_trials(t, count);
    int status = table_open(&paths, folder, "natural_gradient", "method,chart,lr,time,mu,sigma");
    if (status == 0) {
        write_paths(paths.to, t, count);
        status = table_save(&paths);
    }
    if (status == 0)
        status = draw(&paths, t, count);
    table_free(&paths);
    return status;
}

static void help(void)
{
    printf("Usage: natural_gradient [OPTION]...\n"
           "Fits a Gaussian in two parametrisations: the natural gradient passes the same\n"
           "distributions in both, gradient descent does not.\n\n");
    arguments_help();
}

int main(int argc, char **argv)
{
    static const argument options[] = {{NULL}};
    arguments a = {.program = "natural_gradient", .help = help, .options = options};
    int status = arguments_read(NULL, &a, argc, argv);
    if (status == 0)
        status = arguments_folder(a.out);
    if (status == 0) {
        program_catch_interrupt();
        status = run(a.out);
    }
    return program_end(status);
}
