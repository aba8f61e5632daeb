/* tucker: the long-range part of Newton's kernel in Chebyshev polynomials and Tucker's format
 * (arXiv:2503.01696): error against degree, ranks, and a lattice of charges at once. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/tucker/tucker.h"

enum { LATTICE = 10, DEGREE = 65 };

/* ---- One dimension ------------------------------------------------------------------------------
 */

static double gaussian(void *data, double x)
{
    const double t = *(double *)data;
    return exp(-t * t * x * x);
}

static void one_dimension(paper *p)
{
    static const struct {
        double t, expected, decades;
        size_t m;
    } rows[] = {{8, 1.7e-3, 0.05, 33}, {8, 2.4e-9, 0.05, 65}, {16, 3.6e-5, 0.05, 65},
                {16, 2e-15, 0.6, 129}, {32, 2e-4, 0.05, 129}, {32, 2e-13, 0.6, 257}};
    double exact[129], found[129], worst = 0, t = 8, newton = 0;
    char name[48];
    gaussian_coefficients(exact, 129, t);
    interpolate(found, 129, gaussian, &t);
    for (size_t j = 0; j < 129; j++)
        worst = fmax(worst, fabs(exact[j] - found[j]));
    for (double r = 0.02; r <= 1.8; r *= 1.01) {
        double sum = 0;
        for (size_t k = 0; k < TERMS; k++)
            sum += newton_weight(k) * exp(-pow(newton_t(k) * r, 2));
        newton = fmax(newton, fabs(sum * r - 1));
    }
    target_print("tucker", "newton_by_86_gaussians_log10", log10(1.2e-5), log10(newton), 0.05);
    target_print("tucker", "interpolant_is_bessel_series", 0, worst, 1e-14);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(name, sizeof name, "truncation_t<=%g_m=%zu_log10", rows[i].t, rows[i].m);
        target_print("tucker", name, log10(rows[i].expected),
                     log10(truncation(newton_t(newton_terms(rows[i].t) - 1), rows[i].m)),
                     rows[i].decades);
    }
    for (double far = 4; far <= 32; far *= 2)
        for (size_t m = 9; m <= 257; m += 8)
            fprintf(p->rows.to, "degree,%g,%zu,%.4g\n", far, m, fmax(truncation(far, m), 1e-17));
}

/* ---- Ranks
 * ------------------------------------------------------------------------------------------ */

/* factors (m x terms) of the long-range part, and its weights */
static ng_mat long_range(double weights[TERMS], double t_max, size_t m)
{
    const size_t terms = newton_terms(t_max);
    ng_mat factors = paper_mat(m, terms);
    double c[600];
    for (size_t k = 0; k < terms; k++) {
        gaussian_coefficients(c, m, newton_t(k));
        weights[k] = newton_weight(k);
        for (size_t j = 0; j < m; j++)
            ng_mat_set(factors, j, k, c[j]);
    }
    return factors;
}

static void ranks(paper *p)
{
    static const double expected[4] = {7, 9, 10, 12};
    double weights[TERMS];
    size_t again[2];
    int less = 1;
    puts("ranks at 1e-7\nt_max  terms  reduced HOSVD  HOSVD");
    for (int i = 0; i < 4; i++) {
        const double t_max = 4 << i;
        char name[40];
        ng_mat factors = long_range(weights, t_max, (size_t)33 << i);
        size_t reduced = reduced_rank(factors, weights, 1e-7),
               whole = rank_of_terms(factors, weights, 1e-7);
        printf("%-6g %-6zu %-14zu %zu\n", t_max, newton_terms(t_max), reduced, whole);
        fprintf(p->rows.to, "rank,%g,%zu,%zu\nhosvd,%g,%zu,%zu\n", t_max, newton_terms(t_max),
                reduced, t_max, newton_terms(t_max), whole);
        snprintf(name, sizeof name, "rank_t_max=%g", t_max);
        target_print("tucker", name, expected[i], (double)reduced, 0);
        less = less && whole < reduced;
    }
    again[0] = reduced_rank(long_range(weights, 8, 129), weights, 1e-7);
    again[1] = reduced_rank(long_range(weights, 8, 257), weights, 1e-7);
    target_print("tucker", "rank_of_twice_the_degree", (double)again[0], (double)again[1], 0);
    verdict_print("tucker", "ranks about ten, whatever the degree, for 64 to 69 terms",
                  again[0] == again[1] ? VERDICT_YES : VERDICT_NO);
    verdict_print("tucker", "the reduced HOSVD finds the ranks of the HOSVD",
                  less ? VERDICT_NO : VERDICT_YES);
}

/* ---- Tensors
 * ----------------------------------------------------------------------------------------- */

static void formats(paper *p)
{
    const size_t m = 33;
    double weights[TERMS], *tensor = paper_mat(m, m * m).data, last;
    ng_mat f = long_range(weights, 4, m);
    const ng_mat factors[3] = {f, f, f};
    tucker t;
    int falls = 1;
    from_terms(tensor, factors, weights);
    hosvd(&t, tensor, m, 1e-7);
    target_print("tucker", "hosvd_error_within_1e-7", 0, tucker_error(&t, tensor), 1e-7);
    hosvd(&t, tensor, m, 3e-4); /* where Gram matrices still see all there is to gain */
    double first = tucker_error(&t, tensor), error = last = first;
    for (int sweep = 0; sweep < 4; sweep++) {
        error = als_sweep(&t, tensor);
        falls = falls && error <= last * (1 + 1e-6);
        last = error;
    }
    printf("HOSVD error %.3e at ranks %zu %zu %zu, after four sweeps of ALS %.3e\n", first,
           t.rank[0], t.rank[1], t.rank[2], error);
    target_print("tucker", "als_never_worse", 1, falls && error <= first, 0);
    /* of a matrix HOSVD's bases are the singular vectors, and Kronecker eigenbases of G G^T and G^T
     * G */
    ng_mat g = paper_mat(7, 7), gram = paper_mat(7, 7), u = paper_mat(7, 7), s = paper_mat(1, 7),
           vt = paper_mat(7, 7), overlap = paper_mat(7, 7);
    ng_error e = {NG_OK, ""};
    double worst = 0;
    paper_normal(g, paper_random(p, 1));
    ng_syrk(gram, g, NG_NOTRANS, 1, 0, NULL);
    paper_must(ng_svd(u, s, vt, NULL, g, NULL, &e), &e);
    ng_gemm(overlap, mode_basis(gram, 0), NG_NOTRANS, u, NG_NOTRANS, 1, 0, NULL);
    for (size_t i = 0; i < 7; i++)
        worst = fmax(worst, fabs(fabs(ng_mat_get(overlap, i, 6 - i)) - 1));
    target_print("tucker", "matrix_bases_are_singular_vectors", 0, worst, 1e-10);
}

/* ---- A lattice of charges
 * ------------------------------------------------------------------------------- */

static double place(size_t i)
{
    return ((double)i - (LATTICE - 1) / 2.0) * 0.18;
}

static double row_of_charges(void *data, double x)
{
    const double t = *(double *)data;
    double sum = 0;
    for (size_t i = 0; i < LATTICE; i++)
        sum += exp(-pow(t * (x - place(i)), 2));
    return sum;
}

static double direct(const double x[3], size_t terms)
{
    double sum = 0;
    for (size_t i = 0; i < LATTICE * LATTICE * LATTICE; i++) {
        double r2 = pow(x[0] - place(i / 100), 2) + pow(x[1] - place(i / 10 % 10), 2) +
                    pow(x[2] - place(i % 10), 2);
        for (size_t k = 0; k < terms; k++)
            sum += newton_weight(k) * exp(-pow(newton_t(k), 2) * r2);
    }
    return sum;
}

/* A product lattice: the factors of the sum are sums of factors, 3 LATTICE for LATTICE^3 charges.
 */
static void lattice(paper *p)
{
    const size_t m = DEGREE, terms = newton_terms(8);
    double weights[TERMS], c[DEGREE], *tensor = paper_mat(m, m * m).data, worst = 0, largest = 0;
    ng_mat f = paper_mat(m, terms), points = paper_mat(p->samples, 3);
    const ng_mat factors[3] = {f, f, f};
    tucker t;
    for (size_t k = 0; k < terms; k++) {
        double rate = newton_t(k);
        interpolate(c, m, row_of_charges, &rate);
        weights[k] = newton_weight(k);
        for (size_t j = 0; j < m; j++)
            ng_mat_set(f, j, k, c[j]);
    }
    from_terms(tensor, factors, weights);
    hosvd(&t, tensor, m, 1e-7);
    const ng_random *random = paper_random(p, 2);
    random->fill_uniform(random->data, points.data, p->samples * 3);
    for (size_t i = 0; i < p->samples; i++) {
        double *x = (double *)points.data + 3 * i;
        for (int j = 0; j < 3; j++)
            x[j] = 2 * x[j] - 1;
        double exact = direct(x, terms);
        worst = fmax(worst, fabs(tucker_value(&t, x) - exact));
        largest = fmax(largest, fabs(exact));
    }
    printf("lattice of %d charges: ranks %zu %zu %zu, %zu numbers for %zu in the tensor; error "
           "%.2e of the "
           "largest potential\n",
           LATTICE * LATTICE * LATTICE, t.rank[0], t.rank[1], t.rank[2],
           t.rank[0] * t.rank[1] * t.rank[2] + 3 * t.rank[0] * m, m * m * m, worst / largest);
    target_print("tucker", "lattice_against_direct_sum", 0, worst / largest, 1e-6);
}

static void draw(FILE *out, paper *p)
{
    (void)p;
    fputs("set multiplot layout 1,2\nset grid lc rgb '#cccccc'\nset logscale y\nset format y "
          "'10^{%T}'\n"
          "set title 'exp(-t²x²) by m Chebyshev polynomials'\nset xlabel 'm'\nset ylabel 'largest "
          "error'\n"
          "set yrange [1e-16:1e4]\nset xtics (33, 65, 129, 257)\nset key top right\nplot ",
          out);
    for (int i = 0; i < 4; i++)
        fprintf(
            out,
            "%s$rows using (strcol(1) eq 'degree' && $2 == %d ? $3 : NaN):4 with lines lw 2 lc rgb "
            "'%s' title 't = %d'",
            i > 0 ? ", " : "", 4 << i, plot_colour((size_t)i), 4 << i);
    fputs("\nunset logscale y\nset format y '%g'\nset xtics auto\nset logscale x 2\nset yrange "
          "[0:*]\n"
          "set title 'Tucker rank of the long-range part at 1e-7'\nset xlabel 't_{max}'\nset "
          "ylabel ''\n"
          "set key bottom right\n"
          "plot $rows using (strcol(1) eq 'rank' ? $2 : NaN):4 with linespoints lw 2 pt 7 lc rgb "
          "'#0072B2' title 'reduced HOSVD', $rows using (strcol(1) eq 'hosvd' ? $2 : NaN):4 with "
          "linespoints lw 2 pt 5 lc rgb '#D55E00' title 'HOSVD'\nunset multiplot\n",
          out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {one_dimension, ranks, formats, lattice, NULL};
    paper p = {.name = "tucker",
               .about = "Newton's kernel in Chebyshev polynomials and Tucker's format.",
               .header = "what,t,m,value",
               .counted = "points where the lattice's potential is compared",
               .samples = 200,
               .least = 1,
               .most = 100000,
               .seed = 1,
               .stages = stages,
               .draw = draw,
               .width = 1000,
               .height = 420};
    return paper_main(&p, argc, argv);
}
