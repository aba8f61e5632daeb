/* sketching: least squares by sketches, coordinate by coordinate (Song, Ye, Yin and Zhang 2023,
 * arXiv:2302.00248), and what its correction of 2026 says of the proof. */
#include <math.h>
#include <stdio.h>

#include <natgrad/sketch.h>

#include "examples/support/paper.h"
#include "examples/support/program.h"

enum { ROWS = 4096, SIZES = 4 };

/* |x' - x|_inf sqrt(m) / (|r| |A^+|): what is known, means of 40 draws */
static const struct {
    size_t d, m;
    double known[NG_SKETCH_KINDS];
} sizes[SIZES] = {{16, 256, {2.16, 1.88, 2.16, 2.30}},
                  {16, 1024, {2.16, 1.74, 2.32, 2.90}},
                  {64, 256, {2.93, 2.91, 3.11, 2.85}},
                  {64, 1024, {2.72, 2.68, 2.89, 4.40}}};
static double worst[SIZES][NG_SKETCH_KINDS], share[SIZES][NG_SKETCH_KINDS];

/* A = [I; 0], and b = d^-1/2 on the d rows below: x = 0, |r| = 1, |A^+| = 1. Columns [A b]. */
static ng_mat problem(size_t d)
{
    ng_mat ab = paper_mat(ROWS, d + 1);
    for (size_t i = 0; i < d; i++) {
        ng_mat_set(ab, i, i, 1);
        ng_mat_set(ab, d + i, d, 1 / sqrt((double)d));
    }
    return ab;
}

/* Room for the sketched problem and its singular value decomposition. */
typedef struct {
    ng_mat sab, u, s, vt, x, middle;
} room;

/* x <- (S A)^+ S b: of all x with the least |S A x - S b| the shortest. */
static void solve(room *r, size_t d)
{
    ng_error error = {NG_OK, ""};
    const size_t m = r->sab.rows;
    paper_must(ng_svd(r->u, r->s, r->vt, NULL, ng_mat_block(r->sab, 0, 0, m, d), NULL, &error),
               &error);
    ng_gemm(r->middle, r->u, NG_TRANS, ng_mat_block(r->sab, 0, d, m, 1), NG_NOTRANS, 1, 0, NULL);
    for (size_t k = 0; k < d; k++) {
        double value = ng_mat_get(r->s, 0, k), lost = 1e-10 * ng_mat_get(r->s, 0, 0);
        ng_mat_set(r->middle, k, 0, value > lost ? ng_mat_get(r->middle, k, 0) / value : 0);
    }
    ng_gemm(r->x, r->vt, NG_TRANS, r->middle, NG_NOTRANS, 1, 0, NULL);
}

static void measure_kind(paper *p, int size, ng_sketch_kind kind, ng_mat ab, room *r)
{
    const size_t d = sizes[size].d, m = sizes[size].m;
    double sum = 0, squares = 0, ratio = 0, n = (double)p->samples;
    char name[64];
    for (size_t t = 0; t < p->samples; t++) {
        ng_error error = {NG_OK, ""};
        ng_sketch *s;
        paper_must(
            ng_sketch_create(&s, kind, m, ROWS,
                             paper_random(p, 1 + (size_t)size * 1000 + (size_t)kind * 100000 + t),
                             &error),
            &error);
        paper_must(ng_sketch_apply(s, r->sab, ab, &error), &error);
        ng_sketch_destroy(s);
        solve(r, d);
        double e = ng_max_abs(r->x) * sqrt((double)m);
        sum += e;
        squares += e * e;
        worst[size][kind] = fmax(worst[size][kind], e);
        ratio += e > 0 ? ng_max_abs(r->x) / ng_norm(r->x) / n : 0;
    }
    const double mean = sum / n, spread = sqrt(fmax(0, squares / n - mean * mean));
    share[size][kind] = ratio;
    printf(" %9.2f (%.2f)", mean, worst[size][kind]);
    fprintf(p->rows.to, "%zu,%zu,%s,%.6g,%.6g,%.6g,%.6g\n", d, m, ng_sketch_kind_name(kind), mean,
            spread, worst[size][kind], ratio);
    snprintf(name, sizeof name, "%s_d=%zu_m=%zu", ng_sketch_kind_name(kind), d, m);
    printf("\n");
    /* both are means of draws */
    target_print("sketching", name, sizes[size].known[kind], mean,
                 4 * spread * sqrt(1 / n + 1.0 / 40));
}

static void table_of_errors(paper *p)
{
    for (int i = 0; i < SIZES && !program_interrupted(); i++) {
        const size_t d = sizes[i].d, m = sizes[i].m;
        ng_mat ab = problem(d);
        room r = {paper_mat(m, d + 1), paper_mat(m, d), paper_mat(1, d),
                  paper_mat(d, d),     paper_mat(d, 1), paper_mat(d, 1)};
        for (int k = 0; k < NG_SKETCH_KINDS; k++) {
            printf("d = %zu, m = %zu, %-9s", d, m, ng_sketch_kind_name((ng_sketch_kind)k));
            measure_kind(p, i, (ng_sketch_kind)k, ab, &r);
        }
    }
    target_print("sketching", "count_largest_over_length_d=64_m=1024", 0.62,
                 share[3][NG_SKETCH_COUNT], 0.1);
    target_print("sketching", "dense_largest_over_length_d=64_m=1024", 0.325,
                 share[3][NG_SKETCH_GAUSSIAN], 0.04);
    verdict_print("sketching", "a coordinate's error falls like 1/sqrt(m) for dense sketches",
                  worst[3][NG_SKETCH_SRHT] < 6 && worst[3][NG_SKETCH_GAUSSIAN] < 6 ? VERDICT_YES
                                                                                   : VERDICT_NO);
    verdict_print("sketching", "the same for CountSketch",
                  share[3][NG_SKETCH_COUNT] > 1.4 * share[3][NG_SKETCH_SRHT] ? VERDICT_NO
                                                                             : VERDICT_YES);
}

/* S = M^1/2, M = [[I - rho (e v^T + v e^T), alpha v], [alpha v^T, 1]], e the first axis, v
 * orthogonal to it, keeps all fixed vectors to 10 % and still |e^T (S A)^+ S b| = alpha rho / (1 -
 * rho^2) for every d, A the first d axes, b the last: of no help is that v was drawn. */
static double counterexample(paper *p, size_t d, double *least, double *most)
{
    const double rho = 0.05, alpha = 0.05;
    ng_error error = {NG_OK, ""};
    ng_mat m = paper_mat(d + 1, d + 1), v = paper_mat(1, d), root = paper_mat(d + 1, d + 1);
    ng_mat values = paper_mat(1, d + 1), vectors = paper_mat(d + 1, d + 1);
    paper_normal(v, paper_random(p, 900000 + d));
    ng_mat_set(v, 0, 0, 0);
    ng_scale(v, 1 / ng_norm(v));
    for (size_t i = 0; i <= d; i++)
        ng_mat_set(m, i, i, 1);
    for (size_t i = 1; i < d; i++) {
        double x = ng_mat_get(v, 0, i);
        ng_mat_set(m, i, 0, -rho * x), ng_mat_set(m, 0, i, -rho * x);
        ng_mat_set(m, i, d, alpha * x), ng_mat_set(m, d, i, alpha * x);
    }
    paper_must(ng_eigh(values, vectors, NULL, m, NULL, &error), &error);
    *least = sqrt(ng_mat_get(values, 0, 0));
    *most = sqrt(ng_mat_get(values, 0, d));
    for (size_t k = 0; k <= d; k++)
        ng_scale(ng_mat_block(vectors, k, 0, 1, d + 1), pow(ng_mat_get(values, 0, k), 0.25));
    ng_gemm(root, vectors, NG_TRANS, vectors, NG_NOTRANS, 1, 0, NULL);
    room r = {
        root,           paper_mat(d + 1, d), paper_mat(1, d), paper_mat(d, d), paper_mat(d, 1),
        paper_mat(d, 1)};
    solve(&r, d);
    return fabs(ng_mat_get(r.x, 0, 0));
}

static void correction(paper *p)
{
    static const size_t dimensions[] = {10, 100, 400};
    int same = 1;
    for (int i = 0; i < 3; i++) {
        char name[64];
        double least, most, x = counterexample(p, dimensions[i], &least, &most);
        snprintf(name, sizeof name, "counterexample_d=%zu", dimensions[i]);
        same &= target_print("sketching", name, 0.0025 / 0.9975, x, 1e-10);
        snprintf(name, sizeof name, "counterexample_singular_values_d=%zu", dimensions[i]);
        target_print("sketching", name, 1, fabs(least - 1) > fabs(most - 1) ? least : most, 0.1);
    }
    verdict_print("sketching", "what holds for fixed vectors bounds a coordinate of the solution",
                  same ? VERDICT_NO : VERDICT_YES);
}

/* Gaussian instead of random signs before H: two weights more than twice apart. */
static void imbalance(paper *p)
{
    enum { DRAWS = 200000 };
    const ng_random *random = paper_random(p, 999999);
    const double exact = 2 - 4 / 3.14159265358979323846 * atan(2);
    double g[2], count = 0;
    for (int i = 0; i < DRAWS; i++) {
        random->fill_normal(random->data, g, 2);
        double ratio = fabs(g[0] / g[1]);
        count += ratio > 2 || ratio < 0.5;
    }
    target_print("sketching", "imbalance_formula", 0.59033, exact, 1e-5);
    target_print("sketching", "imbalance_simulated", exact, count / DRAWS,
                 4 * sqrt(exact * (1 - exact) / DRAWS));
}

static void draw(FILE *out, paper *p)
{
    (void)p;
    fputs("set grid lc rgb '#cccccc'\nset xrange [-0.6:3.6]\nset yrange [0:9]\nset key top "
          "left\nset ylabel "
          "'largest error of a coordinate, times {/Symbol \\326}m'\n"
          "set xtics ('d = 16, m = 256' 0, 'd = 16, m = 1024' 1, 'd = 64, m = 256' 2, 'd = 64, m = "
          "1024' 3)\nplot ",
          out);
    for (int k = 0; k < NG_SKETCH_KINDS; k++)
        fprintf(out,
                "%s$rows using (strcol(3) eq '%s' ? ($1 > 16 ? 2 : 0) + ($2 > 256 ? 1 : 0) + %g : "
                "NaN):4:4:6 with yerrorbars "
                "pt %d lc rgb '%s' title '%s: mean, to the largest'",
                k > 0 ? ", " : "", ng_sketch_kind_name((ng_sketch_kind)k), 0.12 * k - 0.18, k + 4,
                plot_colour((size_t)k), ng_sketch_kind_name((ng_sketch_kind)k));
    fputs("\n", out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {table_of_errors, correction, imbalance, NULL};
    paper p = {.name = "sketching",
               .about = "Least squares by sketches, coordinate by coordinate.",
               .header = "d,m,sketch,mean,spread,largest,share",
               .counted = "draws of each sketch",
               .samples = 40,
               .least = 1,
               .most = 1000,
               .seed = 1,
               .stages = stages,
               .draw = draw,
               .width = 800,
               .height = 460};
    return paper_main(&p, argc, argv);
}
