/* signature: a mass tensor M' = F S F with signs S = diag(+-1) of one observer.
 * g(beta) = M' + beta F turns from indefinite to positive definite at beta_c, the largest
 * -d of the eigenvalues d of F^1/2 S F^1/2. These are as many negative ones as S has
 * (Sylvester), and lie between lambda_min and lambda_max in size (Ostrowski). */
#include "examples/observers/observers.h"

#include <math.h>
#include <stdlib.h>

#include "examples/support/plot.h"
#include "examples/support/progress.h"

enum { ALL = 12, SOME = 1024 }; /* up to 2^ALL patterns all of them, else that many random ones */

/* What the patterns with one number of minus signs have in common. */
typedef struct {
    size_t patterns, wrong; /* those that break one of the three statements */
    double least, most, sum;
    ng_signature *example; /* the first of them */
} class;

typedef struct {
    topology t;
    ng_regime *regime;
    class of[MAX_EDGES + 1];
    size_t patterns;
} world;

/* ---- The numbers ------------------------------------------------------------------------------
 */

static int holds(const world *w, const ng_signature *s, size_t minus)
{
    const ng_regime *r = w->regime;
    double rounding = 1e-12 * r->lambda_max;
    if (s->negative != minus || (minus == 0) != !(s->beta_c > 0))
        return 0;
    if (minus == 0)
        return ng_signature_negative(s, 0) == 0;
    return s->beta_c >= r->lambda_min - rounding && s->beta_c <= r->lambda_max + rounding &&
           ng_signature_negative(s, s->beta_c * (1 - 1e-9)) > 0 &&
           ng_signature_negative(s, s->beta_c * (1 + 1e-9)) == 0;
}

static void take(world *w, FILE *csv, const int *signs, double coupling)
{
    ng_signature *s;
    ng_error error;
    char pattern[MAX_EDGES + 1] = "";
    size_t minus = 0, n = w->t.count;
    for (size_t k = 0; k < n; k++) {
        pattern[k] = signs[k] < 0 ? '-' : '+';
        minus += signs[k] < 0;
    }
    must(ng_signature_create(&s, w->regime, signs, &error), &error);
    fprintf(csv, "%s,%zu,%g,%s,%zu,%zu,%.15g,%.15g\n", w->t.name, n, coupling, pattern, minus,
            s->negative, ng_mat_get(s->eigenvalues, 0, 0), s->beta_c);
    class *c = &w->of[minus];
    c->least = c->patterns == 0 ? s->beta_c : fmin(c->least, s->beta_c);
    c->most = fmax(c->most, s->beta_c);
    c->sum += s->beta_c;
    c->wrong += !holds(w, s, minus);
    c->patterns++;
    if (c->example == NULL)
        c->example = s;
    else
        ng_signature_destroy(s);
}

/* Pattern i: its bits when all are taken, otherwise i mod (n + 1) minus signs at random places. */
static void choose(int *signs, size_t n, size_t i, const ng_random *random)
{
    size_t order[MAX_EDGES];
    for (size_t k = 0; k < n; k++) {
        order[k] = k;
        signs[k] = n <= ALL && i >> k & 1 ? -1 : 1;
    }
    if (n <= ALL)
        return;
    ng_rng_shuffle(random, order, n);
    for (size_t k = 0; k < i % (n + 1); k++)
        signs[order[k]] = -1;
}

static void print(const world *w, double coupling)
{
    size_t wrong = 0;
    printf("%s, J = %g: %zu parameters, lambda %.6g ... %.6g, %zu sign patterns\n", w->t.name,
           coupling, w->t.count, w->regime->lambda_min, w->regime->lambda_max, w->patterns);
    printf("%6s %9s %12s %12s %12s\n", "minus", "patterns", "beta_c min", "mean", "max");
    for (size_t k = 0; k <= w->t.count; k++) {
        const class *c = &w->of[k];
        wrong += c->wrong;
        if (c->patterns > 0)
            printf("%6zu %9zu %12.6f %12.6f %12.6f\n", k, c->patterns, c->least,
                   c->sum / (double)c->patterns, c->most);
    }
    printf("as many negative eigenvalues as minus signs, lambda_min <= beta_c <= lambda_max, "
           "indefinite below beta_c and definite above: %zu of %zu\n",
           w->patterns - wrong, w->patterns);
    if (wrong > 0)
        die("%s", "a sign pattern breaks a theorem");
}

/* ---- The picture -------------------------------------------------------------------------------
 */

/* Left: beta_c of all patterns. */
static void plot_critical(FILE *script, const world *w, const config *c)
{
    double top = 1.15 * w->regime->lambda_max, n = (double)w->t.count;
    fprintf(script,
            "set title '%s, J = %g: β_c of %zu sign patterns'\nset xlabel 'minus signs'\n"
            "set ylabel 'β_c'\nset xrange [-0.5:%g]\nset yrange [%g:%g]\n"
            "set label 1 'λ_{max}' at graph 0.01,first %.8g offset 0,0.6 tc rgb '#555555'\n"
            "set label 2 'λ_{min}' at graph 0.01,first %.8g offset 0,0.6 tc rgb '#555555'\n"
            "set key off\n",
            w->t.name, c->coupling, w->patterns, n + 0.5, -0.05 * top, top, w->regime->lambda_max,
            w->regime->lambda_min);
    fprintf(script,
            "plot %.15g with lines dt 2 lc rgb '#555555', %.15g with lines dt 2 lc rgb '#555555', "
            "$rows skip 1 using 5:8 with points pt 7 ps 0.6 lc rgb '%s'\n",
            w->regime->lambda_max, w->regime->lambda_min, plot_colour(0));
}

/* Right: the number of negative eigenvalues of g(beta), for one pattern of each of a few classes.
 */
static void plot_stairs(FILE *script, const world *w)
{
    size_t n = w->t.count, drawn = 0, step = n > 5 ? (n + 4) / 5 : 1;
    double top = 1.15 * w->regime->lambda_max;
    for (size_t k = n; k >= 1 && k <= n; k -= step) {
        const ng_signature *s = w->of[k].example;
        if (s == NULL)
            continue;
        fprintf(script, "$stairs%zu << EOD\n0,%zu\n", drawn++, s->negative);
        for (size_t i = s->negative; i-- > 0;)
            fprintf(script, "%.8g,%zu\n", -ng_mat_get(s->eigenvalues, 0, i), i);
        fprintf(script, "%.8g,0\nEOD\n", 2 * top);
    }
    fprintf(script,
            "unset label 1\nunset label 2\n"
            "set title 'indefinite to definite: one pattern each'\nset xlabel 'β'\n"
            "set ylabel 'negative eigenvalues of F S F + β F'\nset xrange [0:%g]\n"
            "set yrange [-0.3:%g]\nset key top right samplen 2\nplot ",
            top, (double)n + 0.5);
    for (size_t i = 0, k = n; i < drawn; i++, k -= step)
        fprintf(script, "%s$stairs%zu using 1:2 with steps lw 2 lc rgb '%s' title '%zu minus'",
                i > 0 ? ", " : "", i, plot_colour(i), k);
    fputs("\n", script);
}

static void draw(const world *w, const config *c, table *rows)
{
    picture p;
    picture_open(&p);
    plot_table(p.script, "rows", rows);
    fputs("set grid lc rgb '#999999'\nset multiplot layout 1,2\n", p.script);
    plot_critical(p.script, w, c);
    plot_stairs(p.script, w);
    fputs("unset multiplot\n", p.script);
    picture_draw(&p, rows, 1200, 460);
}

int signature(const config *c)
{
    static world w;
    ng_error error;
    ng_random random;
    ng_family *family;
    int signs[MAX_EDGES];
    progress bar;
    must(ng_rng_create(&random, c->seed, &error), &error);
    topology_parse(&w.t, c->graph, &random);
    ng_mat f = topology_fisher(&family, &w.t, c->coupling);
    must(ng_regime_create(&w.regime, f, NULL, &error), &error);
    w.patterns = w.t.count <= ALL ? (size_t)1 << w.t.count : SOME;
    table rows;
    rows_open(&rows, c, "graph,params,J,signs,minus,negative,d_min,beta_c");
    progress_start(&bar, "signature", (double)w.patterns, "patterns");
    for (size_t i = 0; i < w.patterns; i++) {
        choose(signs, w.t.count, i, &random);
        take(&w, rows.to, signs, c->coupling);
        progress_update(&bar, (double)(i + 1), w.t.name);
    }
    progress_end(&bar);
    rows_save(&rows);
    print(&w, c->coupling);
    draw(&w, c, &rows);
    table_free(&rows);
    for (size_t k = 0; k <= w.t.count; k++)
        ng_signature_destroy(w.of[k].example);
    ng_regime_destroy(w.regime);
    ng_family_destroy(family);
    ng_rng_destroy(&random);
    free(f.data);
    return 0;
}
