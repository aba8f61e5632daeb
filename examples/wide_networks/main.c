/* wide_networks: nets of finite width against the kernels of infinite width (Yang 2019,
 * arXiv:1902.04760), and what gradient descent and natural gradient do with the modes of the
 * tangent kernel. Fisher matrix and tangent kernel are J^T J and J J^T. */
#include <math.h>
#include <stdio.h>

#include "examples/support/program.h"
#include "examples/wide_networks/wide.h"

enum { POINTS = 10, DIM = 20 };
static const size_t widths[] = {64, 128, 256, 512, 1024, 2048};
enum { WIDTHS = sizeof widths / sizeof *widths };

/* rows with |x|^2 = cols */
static ng_mat round_rows(paper *p, size_t rows, size_t cols, size_t stream)
{
    ng_mat x = paper_mat(rows, cols);
    paper_normal(x, paper_random(p, stream));
    for (size_t i = 0; i < rows; i++) {
        ng_mat row = ng_mat_block(x, i, 0, 1, cols);
        ng_scale(row, sqrt((double)cols) / ng_norm(row));
    }
    return x;
}

/* |a - b| / |b| */
static double off(ng_mat a, ng_mat b)
{
    double square = 0;
    for (size_t i = 0; i < a.rows; i++)
        for (size_t j = 0; j < a.cols; j++)
            square += pow(ng_mat_get(a, i, j) - ng_mat_get(b, i, j), 2);
    return sqrt(square) / ng_norm(b);
}

/* ---- Spectra -----------------------------------------------------------------------------------
 */

/* The k largest eigenvalues of F = J^T J / k by all of F, and of J J^T / k: largest difference */
static void spectra(paper *p)
{
    enum { WIDTH = 24, D = 5, P = WIDTH * (D + 1) };
    ng_error error = {NG_OK, ""};
    ng_fisher *f;
    ng_mat x = round_rows(p, POINTS, D, 1), j = paper_mat(POINTS, P), y = paper_mat(1, POINTS);
    ng_mat u = paper_mat(WIDTH, D), v = paper_mat(1, WIDTH), dense = paper_mat(P, P);
    ng_mat small = paper_mat(POINTS, POINTS), by_f = paper_mat(1, P), by_k = paper_mat(1, POINTS);
    paper_normal(u, paper_random(p, 2)), paper_normal(v, paper_random(p, 3));
    nets_shallow(y, j, u, v, x);
    paper_must(ng_fisher_create_lowrank(&f, P, POINTS, NG_F64, &error), &error);
    paper_must(ng_fisher_accumulate(f, j, ng_mat_none(), NULL, &error), &error);
    paper_must(ng_fisher_to_dense(f, dense, &error), &error);
    paper_must(ng_fisher_gram(f, small, &error), &error);
    ng_mat step = paper_mat(1, P), woodbury = paper_mat(1, P), g = paper_mat(1, P);
    ng_gemm(g, y, NG_NOTRANS, j, NG_NOTRANS, 1.0 / POINTS, 0, NULL);
    paper_must(ng_fisher_solve(f, woodbury, g, 1e-3, &error), &error);
    ng_fisher_destroy(f);
    paper_must(ng_eigenvalues(by_f, dense, &error), &error);
    paper_must(ng_eigenvalues(by_k, small, &error), &error);
    double worst = 0, largest = ng_mat_get(by_f, 0, P - 1);
    for (size_t i = 0; i < POINTS; i++)
        worst = fmax(worst, fabs(ng_mat_get(by_f, 0, P - POINTS + i) - ng_mat_get(by_k, 0, i)));
    target_print("wide_networks", "spectra_of_F_and_NTK_apart", 0, worst / largest, 1e-13);
    target_print("wide_networks", "other_eigenvalues_of_F", 0,
                 ng_max_abs(ng_mat_block(by_f, 0, 0, 1, P - POINTS)) / largest, 1e-13);
    paper_must(ng_fisher_create_dense(&f, P, NG_F64, &error), &error);
    paper_must(ng_fisher_accumulate(f, j, ng_mat_none(), NULL, &error), &error);
    paper_must(ng_fisher_solve(f, step, g, 1e-3, &error), &error);
    ng_fisher_destroy(f);
    target_print("wide_networks", "natural_step_by_P_and_by_k_apart", 0, off(woodbury, step),
                 1e-10);
}

/* ---- Width -------------------------------------------------------------------------------------
 */

/* One kind of net: the error of one draw of that width. */
typedef double draw_error(void *data, size_t width, const ng_random *random);

/* slope: of log error against log width, by least squares; constant: the mean of error sqrt(width);
 * and their deviations. Widths double. */
typedef struct {
    double slope, slope_off, constant, constant_off;
} line;

static line fall(paper *p, const char *name, draw_error *draw, void *data, size_t stream)
{
    const double n = (double)p->samples;
    line l = {0, 0, 0, 0};
    printf("%-12s", name);
    for (size_t w = 0; w < WIDTHS && !program_interrupted(); w++) {
        const double root = sqrt((double)widths[w]);
        const double share = ((double)w - (WIDTHS - 1) / 2.0) / (17.5 * log(2));
        double mean = 0, squares = 0;
        for (size_t t = 0; t < p->samples; t++) {
            double e = draw(data, widths[w], paper_random(p, stream + w * 10000 + t));
            mean += e / n;
            squares += e * e / n;
        }
        printf(" %8.4f", mean);
        fprintf(p->rows.to, "%s,%zu,%.6g,%.6g\n", name, widths[w], mean, mean * root);
        l.constant += mean * root / WIDTHS;
        l.slope += share * log(mean);
        const double variance = (squares / (mean * mean) - 1) / (n - 1);
        l.slope_off += share * share * variance;
        l.constant_off += pow(mean * root / WIDTHS, 2) * variance;
    }
    l.slope_off = sqrt(l.slope_off);
    l.constant_off = sqrt(l.constant_off);
    printf("   width^%.3f, %.2f / sqrt(width)\n", l.slope, l.constant);
    return l;
}

typedef struct {
    ng_mat x, exact, found, other;
    size_t hidden;
    ng_wide_activation activation;
    const ng_wide_rnn *rnn;
} net_case;

static double mlp_error(void *data, size_t width, const ng_random *random)
{
    net_case *c = data;
    nets_mlp(c->found, c->other, c->x, c->hidden, width, random);
    return off(c->found, c->exact);
}

static double feature_error(void *data, size_t width, const ng_random *random)
{
    net_case *c = data;
    nets_features(c->found, c->x, c->activation, width, random);
    return off(c->found, c->exact);
}

static double rnn_error(void *data, size_t width, const ng_random *random)
{
    net_case *c = data;
    nets_rnn(c->found, c->x, c->rnn, width, random);
    return off(c->found, c->exact);
}

static net_case make_case(ng_mat x, size_t k)
{
    net_case c = {.x = x, .exact = paper_mat(k, k), .found = paper_mat(k, k)};
    c.other = paper_mat(k, k);
    return c;
}

static void slope_target(const char *name, line l)
{
    char text[80];
    snprintf(text, sizeof text, "%s_slope", name);
    target_print("wide_networks", text, -0.5, l.slope, 4 * l.slope_off);
}

/* ReLU, ten inputs of length sqrt(20) in 20 dimensions */
static void feed_forward(paper *p)
{
    static const struct {
        size_t hidden;
        double constant;
    } known[] = {{1, 2.0}, {3, 3.2}};
    for (int i = 0; i < 2; i++) {
        ng_error error = {NG_OK, ""};
        ng_wide_mlp mlp;
        char name[64];
        double apart = 0;
        net_case c = make_case(round_rows(p, POINTS, DIM, 4), POINTS);
        ng_wide_mlp_init(&mlp);
        mlp.hidden = c.hidden = known[i].hidden;
        paper_must(ng_wide_mlp_kernels(&mlp, ng_mat_none(), c.exact, c.x, &error), &error);
        for (size_t k = 0; k < POINTS; k++)
            apart = fmax(apart, fabs(ng_mat_get(c.exact, k, k) - (double)mlp.hidden - 1));
        snprintf(name, sizeof name, "relu_%zu", mlp.hidden);
        line l = fall(p, name, mlp_error, &c, 1000000 * (size_t)(i + 1));
        slope_target(name, l);
        snprintf(name, sizeof name, "relu_%zu_constant", mlp.hidden);
        target_print("wide_networks", name, known[i].constant, l.constant,
                     0.1 * known[i].constant + 4 * l.constant_off);
        snprintf(name, sizeof name, "relu_%zu_diagonal", mlp.hidden);
        target_print("wide_networks", name, (double)mlp.hidden + 1, (double)mlp.hidden + 1 + apart,
                     1e-12);
    }
}

/* E phi phi of one layer */
static void processes(paper *p)
{
    for (int i = 0; i < NG_WIDE_ACTIVATIONS; i++) {
        ng_error error = {NG_OK, ""};
        ng_wide_mlp mlp;
        char name[64];
        net_case c = make_case(round_rows(p, POINTS, DIM, 4), POINTS);
        ng_wide_mlp_init(&mlp);
        mlp.activation = c.activation = (ng_wide_activation)i;
        mlp.var_w = 1;
        paper_must(ng_wide_mlp_kernels(&mlp, c.exact, ng_mat_none(), c.x, &error), &error);
        snprintf(name, sizeof name, "gp_%s", ng_wide_activation_name(c.activation));
        slope_target(name, fall(p, name, feature_error, &c, 1000000 * (size_t)(i + 3)));
    }
}

/* Yang's setting, two sequences of five tokens in three dimensions, drawn ones */
static void recurrent_net(paper *p)
{
    ng_error error = {NG_OK, ""};
    ng_wide_rnn rnn;
    net_case c = make_case(paper_mat(10, 3), 2);
    paper_normal(c.x, paper_random(p, 5));
    ng_wide_rnn_init(&rnn);
    rnn.steps = 5, rnn.pooled = 1;
    c.rnn = &rnn;
    paper_must(ng_wide_rnn_kernels(&rnn, ng_mat_none(), c.exact, c.x, &error), &error);
    line l = fall(p, "rnn_erf", rnn_error, &c, 6000000);
    slope_target("rnn_erf", l);
    /* 1.54 to 1.93 on two pictures, which are not here */
    target_print("wide_networks", "rnn_erf_constant", 1.73, l.constant, 0.2 + 4 * l.constant_off);
}

static void draw(FILE *out, paper *p)
{
    static const char *const nets[] = {"relu_1", "relu_3", "rnn_erf", "gp_step"};
    static const char *const titles[] = {"NTK, ReLU, 1 hidden layer", "NTK, ReLU, 3 hidden layers",
                                         "NTK, recurrent, erf", "GP, step"};
    (void)p;
    fputs("set multiplot layout 1,3\nset grid lc rgb '#cccccc'\nset logscale xy\n"
          "set xlabel 'width'\nset title 'relative error of the kernel'\nset key bottom left\n"
          "set xrange [50:2600]\nset yrange [0.004:1]\nset format y '10^{%T}'\nplot ",
          out);
    for (int i = 0; i < 4; i++)
        fprintf(out,
                "$rows using (strcol(1) eq '%s' ? $2 : NaN):3 with points pt %d lc rgb '%s' title "
                "'%s', ",
                nets[i], i + 4, plot_colour((size_t)i), titles[i]);
    fputs("2 / sqrt(x) dt 2 lc rgb '#888888' title '2 / {/Symbol \\326}width'\n"
          "unset logscale x\nset xrange [0:*]\nset yrange [1e-4:1.5]\nset xlabel 'steps'\n",
          out);
    for (int natural = 0; natural < 2; natural++) {
        fprintf(out, "set title 'residual by mode, %s'\nset key bottom %s\nplot ",
                natural ? "natural gradient" : "gradient descent", "left");
        for (int i = 1; i < 10; i += 2)
            fprintf(out,
                    "%s$rows using (strcol(1) eq '%s_%d' ? $2 : NaN):3 with points pt 7 ps 0.4 lc "
                    "rgb '%s' title 'mode %d', '' using (strcol(1) eq '%s_%d' ? $2 : NaN):4 with "
                    "lines lc rgb '%s' notitle",
                    i > 1 ? ", " : "", natural ? "ngd" : "gd", i, plot_colour((size_t)i / 2), i,
                    natural ? "ngd" : "gd", i, plot_colour((size_t)i / 2));
        fputs("\n", out);
    }
    fputs("unset multiplot\n", out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {spectra,       feed_forward, processes,
                                              recurrent_net, modes_stage,  NULL};
    paper p = {.name = "wide_networks",
               .about = "Nets of finite width against the kernels of infinite width.",
               .header = "case,x,found,known",
               .counted = "nets of each width",
               .samples = 20,
               .least = 2,
               .most = 1000,
               .seed = 1,
               .stages = stages,
               .draw = draw,
               .width = 1200,
               .height = 420};
    return paper_main(&p, argc, argv);
}
