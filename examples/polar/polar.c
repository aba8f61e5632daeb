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
#include "examples/support/target.h"
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
    exit(program_end(program_error("%s", what)));
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

/* ---- The picture ------------------------------------------------------------------------ */

/* Colours that colour-blind readers tell apart (Okabe and Ito); f64 is dashed. */
static const char *const colours[8] = {"#D55E00", "#009E73", "#56B4E9", "#E69F00",
                                       "#CC79A7", "#0072B2", "#000000", "#999999"};

static void plot_panel(FILE *script, const route *routes, int column, const char *title)
{
    fprintf(script, "set ylabel '%s'\nplot ", title);
    for (int i = 0; i < ROUTES; i++)
        fprintf(script,
                "%s$polar using (strcol(1) eq '%s' ? $2 : NaN):%d with linespoints lw 1.5 ps 0.7 "
                "pt %d dt %d lc rgb '%s' title '%s'",
                i > 0 ? ", " : "", routes[i].name, column, i % 7 + 4,
                routes[i].dtype == NG_F64 ? 2 : 1, colours[i % 8], routes[i].name);
    fputs("\n", script);
}

static int draw(table *t, const route *routes, const problem *p)
{
    picture out;
    if (plot_open(&out) != 0)
        return 1;
    plot_table(out.script, "polar", t);
    fprintf(out.script,
            "set logscale xy\nset format '10^{%%T}'\nset grid lc rgb '#bbbbbb'\n"
            "set xlabel 'condition number'\nset yrange [1e-17:10]\n"
            "set multiplot layout 1,2 title 'polar factor, %zu x %zu, log spectrum'\n"
            "set key off\nset lmargin at screen 0.07\nset rmargin at screen 0.39\n",
            p->m, p->n);
    plot_panel(out.script, routes, 3, "orthogonality error");
    fputs("set key at screen 0.99,0.9 right top\nset lmargin at screen 0.47\n"
          "set rmargin at screen 0.79\n",
          out.script);
    plot_panel(out.script, routes, 4, "forward error");
    fputs("unset multiplot\n", out.script);
    return plot_draw(&out, t, 1200, 480);
}

/* ---- What is promised ------------------------------------------------------------------- */

/* Orthogonality errors at kappa = 10, where every singular value of X / ||X||_F is above 0.01.
 * With singular values of U within d of 1 they are at most 2 d + d^2. */
static const struct {
    const char *route, *paper, *name;
    double most;
} promises[] = {
    {"exact f32", "natgrad", "exact_f32", 1e-6},
    {"exact f64", "natgrad", "exact_f64", 1e-13},
    {"muon f32", "muon", "singular_values_0.68_to_1.1344", 0.538},
    {"five-step f32", "five_step", "singular_values_within_0.032", 0.066},
    {"polar express f32", "polar_express", "singular_values_within_0.0053", 0.0107},
};

static void check_promises(const route *r, double kappa, double error)
{
    for (size_t i = 0; i < sizeof promises / sizeof *promises && kappa == 10; i++)
        if (strcmp(promises[i].route, r->name) == 0)
            target_print(promises[i].paper, promises[i].name, 0, error, promises[i].most);
}

/* ---- The program ------------------------------------------------------------------------ */

typedef struct {
    size_t rows, cols, threads, seed;
} config;

/* Rows of the table until all are there or ^C; those of found are measured. */
static void measure_all(table *t, errors found[ROUTES][KAPPAS], const route *routes,
                        const problem *p)
{
    progress bar;
    progress_start(&bar, "polar", ROUTES * KAPPAS, "matrices");
    for (int i = 0; i < ROUTES; i++)
        for (int k = 0; k < KAPPAS && !program_interrupted(); k++) {
            double kappa = pow(10, 0.5 * k);
            errors e = found[i][k] = measure(&routes[i], p, kappa);
            fprintf(t->to, "%s,%.6g,%.6g,%.6g,%zu\n", routes[i].name, kappa, e.orthogonality,
                    e.forward, e.rank);
            if (k % 2 == 0) {
                progress_end(&bar);
                printf("%-24s %9.0e %14.2e %14.2e %6zu\n", routes[i].name, kappa, e.orthogonality,
                       e.forward, e.rank);
            }
            progress_update(&bar, i * KAPPAS + k + 1, routes[i].name);
        }
    progress_end(&bar);
}

static int run(const config *c, const char *folder)
{
    route routes[ROUTES];
    errors found[ROUTES][KAPPAS] = {{{0, 0, 0}}};
    table t;
    int status =
        table_open(&t, folder, "polar", "route,kappa,orthogonality_error,forward_error,rank");
    if (status == 0) {
        problem p = make_problem(c->rows, c->cols, c->seed);
        fill_routes(routes);
        printf("%-24s %9s %14s %14s %6s\n", "route", "kappa", "orthogonality", "forward", "rank");
        measure_all(&t, found, routes, &p);
        status = table_save(&t);
        if (status == 0)
            status = draw(&t, routes, &p);
        for (int i = 0; i < ROUTES && !program_interrupted(); i++)
            for (int k = 0; k < KAPPAS; k++)
                check_promises(&routes[i], pow(10, 0.5 * k), found[i][k].orthogonality);
        free(p.a.data);
        free(p.b.data);
        free(p.exact.data);
    }
    table_free(&t);
    return status;
}

static void help(void)
{
    printf("Usage: polar [OPTION]...\n"
           "Accuracy of every route to the polar factor against the condition number.\n\n"
           "  --rows=M             rows, 2 to 20000 (default: 96)\n"
           "  --cols=N             columns, at least as many (default: 288)\n"
           "  --seed=N             of the matrices (default: 1)\n"
           "  --threads=N          of the BLAS (default: 1)\n");
    arguments_help();
}

int main(int argc, char **argv)
{
    static const argument options[] = {
        {"rows", ARGUMENT_COUNT, .offset = offsetof(config, rows), 2, 20000},
        {"cols", ARGUMENT_COUNT, .offset = offsetof(config, cols), 2, 20000},
        {"seed", ARGUMENT_COUNT, .offset = offsetof(config, seed), 0, 4294967295u},
        {"threads", ARGUMENT_COUNT, .offset = offsetof(config, threads), 1, 1024},
        {NULL}};
    arguments a = {.program = "polar", .help = help, .options = options};
    config c = {96, 288, 1, 1};
    int status = arguments_read(&c, &a, argc, argv);
    if (status == 0 && c.cols < c.rows)
        status = arguments_usage("--rows=%zu: more than the %zu columns", c.rows, c.cols);
    if (status == 0)
        status = arguments_folder(a.out);
    if (status == 0) {
        blas_set_threads((int)c.threads);
        program_catch_interrupt();
        status = run(&c, a.out);
    }
    return program_end(status);
}
