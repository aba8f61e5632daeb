/* survey: topologies x couplings, what the spectrum of F says about each. */
#include "examples/observers/observers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/progress.h"

static const char *const names[] = {"P3", "P5", "S4", "S6", "T8", "C4", "C6",
                                    "K3", "K4", "K5", "G6", "G8", "H6"};
static const double couplings[] = {0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5};
static const char *const kinds[] = {"trees", "cycles", "complete", "random graphs", "3-body"};

enum {
    NAMES = sizeof names / sizeof *names,
    COUPLINGS = sizeof couplings / sizeof *couplings,
    KINDS = sizeof kinds / sizeof *kinds,
    DRAWN = 3, /* the coupling whose directions the picture shows */
    MAX_FUNCTIONALS = 16,
    VERDICTS = 4
};

typedef struct {
    topology t;
    ng_regime *at[COUPLINGS];
    double curvature[COUPLINGS];
} observer;

typedef struct {
    observer observers[NAMES];
    size_t functionals, verdicts[MAX_FUNCTIONALS][VERDICTS];
} world;

/* ---- The numbers ------------------------------------------------------------------------- */

static void examine(observer *o, const config *c, const char *name, const ng_random *random)
{
    ng_regime_options options;
    ng_error error;
    ng_regime_init(&options);
    options.beta = c->beta;
    topology_parse(&o->t, name, random);
    for (size_t j = 0; j < COUPLINGS; j++) {
        ng_family *family;
        ng_mat f = topology_fisher(&family, &o->t, couplings[j]);
        must(ng_regime_create(&o->at[j], f, &options, &error), &error);
        o->curvature[j] = scalar_curvature(family, f);
        ng_family_destroy(family);
        free(f.data);
    }
}

/* One row for each functional. */
static void write_rows(FILE *csv, world *w, const observer *o, size_t j)
{
    const ng_regime *r = o->at[j];
    double most = ng_mat_get(r->alpha_dir, 0, r->rank - 1), least = ng_mat_get(r->alpha_dir, 0, 0);
    for (size_t k = 0; k < w->functionals; k++) {
        ng_minimum best;
        ng_error error;
        must(ng_functional_minimum(ng_functional_get(k), &best, r->spectrum, &error), &error);
        w->verdicts[k][best.verdict]++;
        fprintf(csv, "%s,%zu,%g,%.15g,%.15g,%.15g,%s,%.15g,%.15g,%.15g,%.15g,%.15g,%.15g,%.15g,",
                o->t.name, o->t.count, couplings[j], r->cond, r->lambda_min, r->lambda_max,
                ng_functional_get(k)->name, best.beta, ng_regime_alpha_scalar(best.beta), r->beta,
                least, most, r->spread, r->deviation_fraction);
        if (isnan(o->curvature[j])) /* whatever its sign */
            fprintf(csv, "nan,%s\n", ng_verdict_name(best.verdict));
        else
            fprintf(csv, "%.15g,%s\n", o->curvature[j], ng_verdict_name(best.verdict));
    }
}

static void print_observers(const world *w)
{
    printf("%-6s %6s %5s %12s %12s %12s %12s %8s %9s\n", "graph", "params", "J", "cond",
           "beta* (A)", "alpha_scalar", "alpha_dir", "spread", "deviation");
    for (size_t i = 0; i < NAMES; i++)
        for (size_t j = 0; j < COUPLINGS; j += DRAWN) {
            const observer *o = &w->observers[i];
            const ng_regime *r = o->at[j];
            printf("%-6s %6zu %5g %12.6g %12.6g %12.6f %5.3f-%5.3f %9.4f %9.4f\n", o->t.name,
                   o->t.count, couplings[j], r->cond, r->beta_star, r->alpha_scalar,
                   ng_mat_get(r->alpha_dir, 0, 0), ng_mat_get(r->alpha_dir, 0, r->rank - 1),
                   r->spread, r->deviation_fraction);
        }
}

static void print_verdicts(const world *w)
{
    printf("\nwhere tau(beta) is least, of %d observers:\n%-20s", NAMES * COUPLINGS, "functional");
    for (int v = 0; v < VERDICTS; v++)
        printf(" %11s", ng_verdict_name((ng_verdict)v));
    printf("\n");
    for (size_t k = 0; k < w->functionals; k++) {
        printf("%-20s", ng_functional_get(k)->name);
        for (int v = 0; v < VERDICTS; v++)
            printf(" %11zu", w->verdicts[k][v]);
        printf("   %s\n", ng_functional_get(k)->doc);
    }
}

/* ---- The picture -------------------------------------------------------------------------- */

static void plot_scalar(FILE *script, const world *w)
{
    double largest = 2;
    for (size_t k = 0; k < KINDS; k++) {
        fprintf(script, "$kind%zu << EOD\n", k);
        for (size_t i = 0; i < NAMES; i++)
            for (size_t j = 0; j < COUPLINGS && strcmp(w->observers[i].t.kind, kinds[k]) == 0;
                 j++) {
                const ng_regime *r = w->observers[i].at[j];
                fprintf(script, "%.8g %.8g\n", r->cond, r->alpha_scalar);
                largest = fmax(largest, r->cond);
            }
        fputs("EOD\n", script);
    }
    fprintf(script,
            "set title 'alpha\\_scalar of functional A'\nset logscale x\n"
            "set format x '10^{%%T}'\nset xrange [0.7:%.4g]\nset yrange [-0.05:1]\n"
            "set xlabel 'condition number of F'\nset ylabel 'alpha\\_scalar'\n"
            "set arrow 1 from 2,-0.05 to 2,1 nohead dt 2 lc rgb '#555555'\n"
            "set label 1 'threshold 2' at 2,0.94 offset 0.6,0 tc rgb '#555555'\n"
            "set key top right reverse Left samplen 1\nplot ",
            3 * largest);
    for (size_t k = 0; k < KINDS; k++)
        fprintf(script, "%s$kind%zu using 1:2 with points pt %zu ps 0.9 lc rgb '%s' title '%s'",
                k > 0 ? ", " : "", k, 2 * k + 5, plot_colour(k), kinds[k]);
    fputs("\nunset arrow 1\nunset label 1\nunset logscale x\nset format x '%g'\nset key off\n",
          script);
}

/* Eigenvalues that are equal lie on each other: the area says how many. */
static void plot_directions(FILE *script, const world *w, const config *c)
{
    fputs("$directions << EOD\n", script);
    for (size_t i = 0; i < NAMES; i++) {
        const ng_regime *r = w->observers[i].at[DRAWN];
        const double *a = r->alpha_dir.data;
        for (size_t k = 0, equal; k < r->rank; k += equal) {
            for (equal = 1; k + equal < r->rank && a[k + equal] - a[k] < 1e-6;)
                equal++;
            size_t colour = 0;
            while (colour + 1 < KINDS && strcmp(kinds[colour], w->observers[i].t.kind) != 0)
                colour++;
            fprintf(script, "%zu %.8g %.4g %lu\n", i, a[k], 0.6 * sqrt((double)equal),
                    strtoul(plot_colour(colour) + 1, NULL, 16));
        }
    }
    fputs("EOD\nset xtics (", script);
    for (size_t i = 0; i < NAMES; i++)
        fprintf(script, "%s'%s' %zu", i > 0 ? ", " : "", names[i], i);
    fprintf(script,
            ")\nset xrange [-0.7:%d-0.3]\nset yrange [0:1]\nset xlabel 'observer'\n"
            "set title 'alpha\\_dir along eigenvectors, J = %g, β = ",
            NAMES, couplings[DRAWN]);
    if (c->beta < 0)
        fputs("√(λ_{min} λ_{max})'\n", script);
    else
        fprintf(script, "%g'\n", c->beta);
    fputs("set ylabel 'alpha\\_dir (area: multiplicity)'\n"
          "plot 0.5 with lines dt 2 lc rgb '#555555', $directions using 1:2:3:4 "
          "with points pt 7 ps variable lc rgb variable\nset xtics autofreq\n",
          script);
}

static void plot_verdicts(FILE *script, const world *w)
{
    static const char *const colours[VERDICTS] = {"#D55E00", "#56B4E9", "#0072B2", "#bbbbbb"};
    fputs("$verdicts << EOD\n", script);
    for (size_t k = 0; k < w->functionals; k++) {
        fprintf(script, "%s", ng_functional_get(k)->name);
        for (int v = 0; v < VERDICTS; v++)
            fprintf(script, " %zu", w->verdicts[k][v]);
        fputs("\n", script);
    }
    fprintf(script,
            "EOD\nset title 'where the best β lies, %d observers'\nset style fill solid\n"
            "set xrange [0:%d]\nset yrange [%g:-1.6]\nset xlabel 'observers'\nunset ylabel\n"
            "set key top center horizontal samplen 1 noautotitle\nset xtics 20\nset ytics (",
            NAMES * COUPLINGS, NAMES * COUPLINGS, (double)w->functionals - 0.4);
    for (size_t k = 0; k < w->functionals; k++)
        fprintf(script, "%s'%s' %zu", k > 0 ? ", " : "", ng_functional_get(k)->name, k);
    fputs(")\nset ytics noenhanced\nplot ", script);
    for (int v = 0; v < VERDICTS; v++) {
        fputs(v > 0 ? ", " : "", script);
        fputs("$verdicts using (0", script);
        for (int u = 0; u < v; u++)
            fprintf(script, "+$%d", u + 2);
        fputs("):0:(0", script);
        for (int u = 0; u < v; u++)
            fprintf(script, "+$%d", u + 2);
        fputs("):(0", script);
        for (int u = 0; u <= v; u++)
            fprintf(script, "+$%d", u + 2);
        fprintf(script, "):($0-0.35):($0+0.35) with boxxyerror lc rgb '%s' title '%s'", colours[v],
                ng_verdict_name((ng_verdict)v));
    }
    fputs("\n", script);
}

static void draw(const world *w, const config *c, const table *rows)
{
    picture p;
    picture_open(&p);
    fputs("set grid lc rgb '#999999'\nset multiplot layout 1,3\n", p.script);
    plot_scalar(p.script, w);
    plot_directions(p.script, w, c);
    plot_verdicts(p.script, w);
    fputs("unset multiplot\n", p.script);
    picture_draw(&p, rows, 1500, 460);
}

int survey(const config *c)
{
    static world w;
    ng_error error;
    ng_random random;
    progress bar;
    table rows;
    rows_open(&rows, c,
              "graph,params,J,cond,lambda_min,lambda_max,functional,beta_star,"
              "alpha_scalar,beta_used,alpha_dir_min,alpha_dir_max,spread,"
              "deviation,R,verdict");
    must(ng_rng_create(&random, c->seed, &error), &error);
    while (w.functionals < ng_functional_count() && w.functionals < MAX_FUNCTIONALS)
        w.functionals++;
    progress_start(&bar, "survey", NAMES, "observers");
    for (size_t i = 0; i < NAMES; i++) {
        examine(&w.observers[i], c, names[i], &random);
        for (size_t j = 0; j < COUPLINGS; j++)
            write_rows(rows.to, &w, &w.observers[i], j);
        progress_update(&bar, (double)(i + 1), names[i]);
    }
    progress_end(&bar);
    rows_save(&rows);
    print_observers(&w);
    print_verdicts(&w);
    draw(&w, c, &rows);
    table_free(&rows);
    for (size_t i = 0; i < NAMES; i++)
        for (size_t j = 0; j < COUPLINGS; j++)
            ng_regime_destroy(w.observers[i].at[j]);
    ng_rng_destroy(&random);
    return 0;
}
