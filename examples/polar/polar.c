/* polar: how accurate each route to the polar factor is, against the condition
 * number of the matrix.
 *
 * X = A diag(s) B with A, B orthonormal and s falling from 1 to 1/kappa on a
 * logarithmic scale, rounded to the route's dtype. Two errors of the computed
 * U, relative to the square root of the rank: orthogonality ||U U^T - I||_F,
 * which a user of Muon sees, and forward ||U - U*||_F against the polar factor
 * U* of the same data: A B for f64, the f64 SVD of the rounded X for f32. Above
 * kappa of about 1e5 f32 data no longer hold the smallest directions: there the
 * library's rank rule cuts, and the errors count the missing ones. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad.h>

#include "examples/support/arguments.h"
#include "examples/support/plot.h"
#include "examples/support/progress.h"
#include "examples/support/threads.h"

typedef struct {
    const char *name;
    ng_dtype dtype;
    ng_polar_options options;
} route;

enum { ROUTES = 10, KAPPAS = 15 }; /* kappa = 10^0, 10^0.5, ... 10^7 */

static void fill_routes(route *r)
{
    static const struct {
        const char *name;
        ng_dtype dtype;
        ng_polar_accuracy accuracy;
        ng_polar_iteration iteration;
        ng_polar_route route;
    } list[ROUTES] = {
        {"exact f32", NG_F32, NG_POLAR_EXACT, NG_ITERATION_MUON, NG_ROUTE_AUTO},
        {"fast f32", NG_F32, NG_POLAR_FAST, NG_ITERATION_MUON, NG_ROUTE_AUTO},
        {"svd f32", NG_F32, NG_POLAR_EXACT, NG_ITERATION_MUON, NG_ROUTE_SVD},
        {"dwh f32", NG_F32, NG_POLAR_EXACT, NG_ITERATION_MUON, NG_ROUTE_DWH},
        {"muon f32", NG_F32, NG_POLAR_NEWTON_SCHULZ, NG_ITERATION_MUON, NG_ROUTE_NEWTON_SCHULZ},
        {"five-step f32", NG_F32, NG_POLAR_NEWTON_SCHULZ, NG_ITERATION_FIVE_STEP,
         NG_ROUTE_NEWTON_SCHULZ},
        {"polar express f32", NG_F32, NG_POLAR_NEWTON_SCHULZ, NG_ITERATION_POLAR_EXPRESS,
         NG_ROUTE_NEWTON_SCHULZ},
        {"gram polar express f32", NG_F32, NG_POLAR_NEWTON_SCHULZ, NG_ITERATION_POLAR_EXPRESS,
         NG_ROUTE_GRAM_NEWTON_SCHULZ},
        {"exact f64", NG_F64, NG_POLAR_EXACT, NG_ITERATION_MUON, NG_ROUTE_AUTO},
        {"gram f64", NG_F64, NG_POLAR_EXACT, NG_ITERATION_MUON, NG_ROUTE_GRAM},
    };
    for (int i = 0; i < ROUTES; i++) {
        r[i].name = list[i].name;
        r[i].dtype = list[i].dtype;
        ng_polar_init(&r[i].options);
        r[i].options.accuracy = list[i].accuracy;
        r[i].options.iteration = list[i].iteration;
        r[i].options.route = list[i].route;
    }
}

static void die(const char *what)
{
    fprintf(stderr, "polar: %s\n", what);
    exit(EXIT_FAILURE);
}

static void must(ng_status status, const ng_error *error)
{
    if (status != NG_OK)
        die(error->text);
}

static ng_mat matrix(size_t rows, size_t cols, ng_dtype dtype)
{
    ng_mat m = {calloc(rows * cols, ng_dtype_size(dtype)), rows, cols, cols, dtype};
    if (m.data == NULL)
        die("out of memory");
    return m;
}

/* A random matrix with orthonormal rows or columns: a polar factor itself. */
static ng_mat orthonormal(size_t rows, size_t cols, unsigned long long *state)
{
    ng_mat noise = matrix(rows, cols, NG_F64), q = matrix(rows, cols, NG_F64);
    ng_error error;
    for (size_t i = 0; i < rows * cols; i++) {
        double sum = -6; /* twelve uniform numbers: normal enough for a random subspace */
        for (int k = 0; k < 12; k++) {
            *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
            sum += (double)(*state >> 11) * 0x1p-53;
        }
        ((double *)noise.data)[i] = sum;
    }
    must(ng_polar(q, NULL, noise, NULL, NULL, &error), &error);
    free(noise.data);
    return q;
}

typedef struct {
    size_t m, n;
    ng_mat a, b, exact; /* double */
} problem;

static problem make_problem(size_t m, size_t n, unsigned long long seed)
{
    problem p = {.m = m, .n = n};
    ng_error error;
    p.a = orthonormal(m, m, &seed);
    p.b = orthonormal(m, n, &seed);
    p.exact = matrix(m, n, NG_F64);
    must(ng_gemm(p.exact, p.a, NG_NOTRANS, p.b, NG_NOTRANS, 1, 0, &error), &error);
    return p;
}

/* x <- a diag(s) b */
static void compose(ng_mat x, const problem *p, double kappa)
{
    ng_mat scaled = matrix(p->m, p->n, NG_F64), x64 = matrix(p->m, p->n, NG_F64);
    ng_error error;
    ng_copy(scaled, p->b, NULL);
    for (size_t i = 0; i < p->m; i++)
        ng_scale(ng_mat_block(scaled, i, 0, 1, p->n), pow(kappa, -(double)i / (double)(p->m - 1)));
    must(ng_gemm(x64, p->a, NG_NOTRANS, scaled, NG_NOTRANS, 1, 0, &error), &error);
    must(ng_copy(x, x64, &error), &error);
    free(scaled.data);
    free(x64.data);
}

typedef struct {
    double orthogonality, forward;
    size_t rank;
} errors;

static errors measure(const route *r, const problem *p, double kappa)
{
    ng_mat x = matrix(p->m, p->n, r->dtype), u = matrix(p->m, p->n, r->dtype);
    ng_mat u64 = matrix(p->m, p->n, NG_F64), gram = matrix(p->m, p->m, NG_F64);
    ng_polar_info info;
    ng_error error;
    compose(x, p, kappa);
    must(ng_polar(u, &info, x, &r->options, NULL, &error), &error);
    ng_mat exact = matrix(p->m, p->n, NG_F64);
    if (r->dtype == NG_F64)
        ng_copy(exact, p->exact, NULL);
    else {
        ng_copy(u64, x, NULL);
        must(ng_polar(exact, NULL, u64, NULL, NULL, &error), &error);
    }
    ng_copy(u64, u, NULL);
    ng_syrk(gram, u64, NG_NOTRANS, 1, 0, NULL);
    ng_mirror(gram);
    ng_add_diagonal(gram, -1);
    ng_axpby(u64, exact, -1, 1, NULL);
    double scale = sqrt((double)p->m);
    errors e = {ng_norm(gram) / scale, ng_norm(u64) / scale, info.rank};
    free(x.data);
    free(u.data);
    free(u64.data);
    free(gram.data);
    free(exact.data);
    return e;
}

/* Colours that colour-blind readers tell apart (Okabe and Ito); f64 is dashed. */
static const char *const colours[8] = {"#D55E00", "#009E73", "#56B4E9", "#E69F00",
                                       "#CC79A7", "#0072B2", "#000000", "#999999"};

static void plot_panel(FILE *script, const char *csv, const route *routes, int column,
                       const char *title)
{
    fprintf(script, "set ylabel '%s'\nplot ", title);
    for (int i = 0; i < ROUTES; i++) {
        fputs(i > 0 ? ", " : "", script);
        plot_quote(script, csv);
        fprintf(script,
                " using (strcol(1) eq '%s' ? $2 : NaN):%d with linespoints lw 1.5 ps 0.7 "
                "pt %d dt %d lc rgb '%s' title '%s'",
                routes[i].name, column, i % 7 + 4, routes[i].dtype == NG_F64 ? 2 : 1,
                colours[i % 8], routes[i].name);
    }
    fputs("\n", script);
}

static void draw(const char *base, const char *csv, const route *routes, const problem *p)
{
    char *script = NULL;
    size_t size;
    FILE *out = open_memstream(&script, &size);
    if (out == NULL)
        die("out of memory");
    fprintf(out,
            "set datafile separator ','\nset logscale xy\nset format '10^{%%T}'\n"
            "set grid lc rgb '#bbbbbb'\nset xlabel 'condition number'\nset yrange [1e-17:10]\n"
            "set multiplot layout 1,2 title 'polar factor, %zu x %zu, log spectrum'\n"
            "set key off\nset lmargin at screen 0.07\nset rmargin at screen 0.39\n",
            p->m, p->n);
    plot_panel(out, csv, routes, 3, "orthogonality error");
    fputs("set key at screen 0.99,0.9 right top\nset lmargin at screen 0.47\n"
          "set rmargin at screen 0.79\n",
          out);
    plot_panel(out, csv, routes, 4, "forward error");
    fputs("unset multiplot\n", out);
    if (fclose(out) != 0)
        die("out of memory");
    int status = plot_draw(base, 1200, 480, script);
    free(script);
    printf(status == 0 ? "picture: %s.svg, %s.png\n"
                       : "no picture (gnuplot is missing or failed)\n",
           base, base);
}

static void run(const char *base, size_t m, size_t n)
{
    route routes[ROUTES];
    problem p = make_problem(m, n, 1);
    progress bar;
    char csv[4096];
    snprintf(csv, sizeof csv, "%s.csv", base);
    FILE *out = arguments_table(base);
    if (out == NULL)
        exit(EXIT_FAILURE);
    fill_routes(routes);
    fprintf(out, "route,kappa,orthogonality_error,forward_error,rank\n");
    printf("%-24s %9s %14s %14s %6s\n", "route", "kappa", "orthogonality", "forward", "rank");
    progress_start(&bar, "polar", ROUTES * KAPPAS, "matrices", 0);
    for (int i = 0; i < ROUTES; i++)
        for (int k = 0; k < KAPPAS; k++) {
            double kappa = pow(10, 0.5 * k);
            errors e = measure(&routes[i], &p, kappa);
            fprintf(out, "%s,%.6g,%.6g,%.6g,%zu\n", routes[i].name, kappa, e.orthogonality,
                    e.forward, e.rank);
            if (k % 2 == 0) {
                progress_end(&bar);
                printf("%-24s %9.0e %14.2e %14.2e %6zu\n", routes[i].name, kappa, e.orthogonality,
                       e.forward, e.rank);
            }
            progress_update(&bar, (size_t)(i * KAPPAS + k + 1), routes[i].name);
        }
    progress_end(&bar);
    if (fclose(out) != 0)
        die("cannot write the table");
    draw(base, csv, routes, &p);
    free(p.a.data);
    free(p.b.data);
    free(p.exact.data);
}

static void help(void)
{
    printf("Usage: polar [--rows=M] [--cols=N] [--out=BASE]\n"
           "Accuracy of every route to the polar factor against the condition number.\n\n"
           "  --rows=M     rows, 2 to 20000 (default: 96)\n"
           "  --cols=N     columns, at least as many (default: 288)\n"
           "  --out=BASE   writes BASE.csv, BASE.svg, BASE.png (default: polar)\n"
           "  --help, --version\n");
}

typedef struct {
    size_t rows, cols;
    const char *base;
} config;

int main(int argc, char **argv)
{
    static const argument options[] = {
        {"rows", ARGUMENT_COUNT, .offset = offsetof(config, rows), 2, 20000},
        {"cols", ARGUMENT_COUNT, .offset = offsetof(config, cols), 2, 20000},
        {"out", ARGUMENT_BASE, .offset = offsetof(config, base)},
        {NULL}};
    arguments a = {.program = "polar", .help = help, .options = options};
    config c = {96, 288, "polar"};
    int status = arguments_read(&c, &a, argc, argv);
    if (status == 0 && c.cols < c.rows)
        status = arguments_usage("--rows=%zu: more than the %zu columns", c.rows, c.cols);
    if (status != 0)
        return status;
    blas_set_threads(1);
    run(c.base, c.rows, c.cols);
    return EXIT_SUCCESS;
}
