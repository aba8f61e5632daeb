/* condition: singular values of the updates W_before - W_after of the
 * transformer's hidden matrices while it trains, in double: of differences of
 * single-precision weights the small ones would be rounding. q, k and v count as
 * three matrices; weight decay is off, since it is no part of D. */
#include "examples/fismo_paper/fismo_paper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/median.h"
#include "examples/support/target.h"

enum { MEASURED = 20, MAX_MATRICES = 512 };

/* What runs, and the condition numbers the paper has for it (its figure of
 * update condition numbers); 0 where it says nothing. */
static const struct {
    const char *name, *preset, *option, *value;
    double low, high;
} variants[] = {
    {"adamw", "adamw", NULL, NULL, 1e8, INFINITY},
    {"muon newton_schulz", "muon", "polar", "newton_schulz", 1, 10},
    {"muon exact", "muon", "polar", "exact", 1, 1.001},
    {"fismo", "fismo", NULL, NULL, 1e2, 1e3},
    {"fismo_paper", "fismo_paper", NULL, NULL, 1e2, 1e3},
    {"fismo_paper damping 0.01", "fismo_paper", "damping", "0.01", 1e2, 1e3},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

typedef struct {
    int variant;
    unsigned long seed;
    size_t step;
    char matrix[48];
    double largest, smallest;
} measurement;

typedef struct {
    const config *c;
    int variant;
    unsigned long seed;
    ng_mat kept[MAX_MATRICES]; /* weights before the step, owned */
    size_t which[MAX_MATRICES], matrices;
    measurement *list;
    size_t count, room;
} journal;

static double cond(const measurement *m)
{
    return m->smallest > 0 ? m->largest / m->smallest : (double)INFINITY;
}

/* ---- Measuring ------------------------------------------------------------------------ */

static ng_mat matrix(size_t rows, size_t cols)
{
    return ng_f64(malloc(rows * cols * sizeof(double)), rows, cols);
}

/* The hidden matrices: what a matrix method steps, also where AdamW steps all. */
static ng_status find_matrices(journal *g, ng_model *model, ng_error *error)
{
    ng_model_linear head;
    ng_model_param p;
    ng_model_layer(model, &head, ng_model_layers(model) - 1, NULL);
    for (size_t i = 0; i < ng_model_parameters(model) && g->matrices < MAX_MATRICES; i++) {
        ng_model_parameter(model, &p, i, NULL);
        if (i == head.weight || ng_policy_elementwise(p.name, p.w))
            continue;
        ng_mat copy = matrix(p.w.rows, p.w.cols);
        if (copy.data == NULL)
            return ng_error_set(error, NG_ENOMEM, "no memory for %s", p.name);
        g->which[g->matrices] = i;
        g->kept[g->matrices++] = copy;
    }
    return NG_OK;
}

static ng_status before(ng_model *model, void *data, ng_error *error)
{
    journal *g = data;
    ng_model_param p;
    ng_status status = g->matrices == 0 ? find_matrices(g, model, error) : NG_OK;
    for (size_t i = 0; i < g->matrices && status == NG_OK; i++) {
        ng_model_parameter(model, &p, g->which[i], NULL);
        status = ng_copy(g->kept[i], p.w, error);
    }
    return status;
}

static ng_status record(journal *g, size_t step, const char *name, size_t block, ng_mat d,
                        ng_error *error)
{
    size_t k = d.rows < d.cols ? d.rows : d.cols;
    ng_mat u = matrix(d.rows, k), s = matrix(1, k), vt = matrix(k, d.cols);
    if (g->count == g->room) {
        g->room = g->room > 0 ? 2 * g->room : 1024;
        void *more = realloc(g->list, g->room * sizeof *g->list);
        if (more == NULL)
            return ng_error_set(error, NG_ENOMEM, "no memory for %zu numbers", g->room);
        g->list = more;
    }
    ng_status status = u.data == NULL || s.data == NULL || vt.data == NULL
                           ? ng_error_set(error, NG_ENOMEM, "no memory for %s", name)
                           : ng_svd(u, s, vt, NULL, d, NULL, error);
    if (status == NG_OK) {
        measurement *m = &g->list[g->count++];
        *m = (measurement){.variant = g->variant, .seed = g->seed, .step = step};
        snprintf(m->matrix, sizeof m->matrix, "%s[%zu]", name, block);
        m->largest = ng_mat_get(s, 0, 0);
        m->smallest = ng_mat_get(s, 0, k - 1);
    }
    free(u.data);
    free(s.data);
    free(vt.data);
    return status;
}

static ng_status after(ng_model *model, size_t step, void *data, ng_error *error)
{
    journal *g = data;
    ng_model_param p;
    ng_status status = NG_OK;
    size_t every = g->c->steps / MEASURED;
    if (step % every != 0)
        return NG_OK;
    for (size_t i = 0; i < g->matrices && status == NG_OK; i++) {
        ng_model_parameter(model, &p, g->which[i], NULL);
        status = ng_axpby(g->kept[i], p.w, -1, 1, error);
        for (size_t b = 0; b < p.blocks && status == NG_OK; b++) {
            size_t rows = p.w.rows / p.blocks;
            double *d = (double *)g->kept[i].data + b * rows * p.w.cols;
            status = record(g, step, p.name, b, ng_f64(d, rows, p.w.cols), error);
        }
    }
    return status;
}

/* ---- Running --------------------------------------------------------------------------- */

static int run_variant(journal *g, const task *t, int variant, unsigned long seed)
{
    const watcher watch = {before, after, g};
    const ng_preset *preset = ng_preset_find(variants[variant].preset);
    const char *option = variants[variant].option;
    void *options = methods_options(&g->c->methods, preset);
    chosen best;
    progress bar;
    run *r = calloc(1, sizeof *r);
    int status = r == NULL || options == NULL || rates_find(&best, g->c, preset) != 0;
    if (r == NULL)
        program_no_memory();
    if (status == 0) {
        ng_options_set(options, "weight_decay", 0, NULL);
        if (option != NULL)
            ng_options_set_text(options, option, variants[variant].value, NULL);
        r->method = preset;
        r->lr = best.lr;
        r->rest_lr = best.rest_lr;
        r->seed = g->seed = seed;
        r->evaluations = 1;
        g->variant = variant;
        progress_start(&bar, variants[variant].name, (double)g->c->steps, "steps");
        status = run_train(r, g->c, t, options, &watch, &bar);
        progress_end(&bar);
        if (r->failed)
            printf("%s, seed %lu, left the numbers: %s\n", variants[variant].name, seed, r->why);
    }
    for (size_t i = 0; i < g->matrices; i++)
        free(g->kept[i].data);
    g->matrices = 0;
    free(options);
    free(r);
    return status;
}

/* ---- Reporting --------------------------------------------------------------------------- */

typedef struct {
    double median, low, high, inside; /* inside: the share in the paper's range */
} summary;

/* Of a variant; at one step, or at all of them (0). */
static summary summarise(const journal *g, int variant, size_t step)
{
    summary s = {NAN, INFINITY, 0, 0};
    double *values = malloc((g->count + 1) * sizeof *values);
    size_t n = 0;
    for (size_t i = 0; i < g->count && values != NULL; i++) {
        double x = cond(&g->list[i]);
        if (g->list[i].variant != variant || (step > 0 && g->list[i].step != step))
            continue;
        values[n++] = x;
        s.low = fmin(s.low, x);
        s.high = fmax(s.high, x);
        s.inside += x >= variants[variant].low && x <= variants[variant].high;
    }
    s.inside /= n > 0 ? (double)n : 1;
    s.median = median_of(values, n);
    free(values);
    return s;
}

/* The verdict lines are of what was found, medians[VARIANTS]. */
static void print_verdicts(const double *medians)
{
    char text[128];
    for (int v = 0; v < VARIANTS; v++) {
        int holds = medians[v] >= variants[v].low && medians[v] <= variants[v].high;
        snprintf(text, sizeof text, "condition of updates of %s from %g to %g", variants[v].name,
                 variants[v].low, variants[v].high);
        verdict_print("fismo", text, holds ? VERDICT_YES : VERDICT_NO);
    }
    for (int v = 3; v < VARIANTS; v++) {
        int holds = medians[2] < medians[1] && medians[1] < medians[v] && medians[v] < medians[0];
        snprintf(text, sizeof text,
                 "condition of updates: muon exact < muon newton_schulz < %s < adamw",
                 variants[v].name);
        verdict_print("fismo", text, holds ? VERDICT_YES : VERDICT_NO);
    }
    /* a polar factor of full rank: rounding apart, all singular values are one */
    target_print("fismo", "condition_muon_exact", 1, medians[2], 1e-5);
}

static void print_report(const journal *g)
{
    double medians[VARIANTS];
    printf("\ncondition numbers of updates, %zu steps, %d of them looked at\n"
           "| optimizer | median | lowest | highest | paper | updates inside | verdict |\n"
           "|---|---|---|---|---|---|---|\n",
           g->c->steps, MEASURED);
    for (int v = 0; v < VARIANTS; v++) {
        summary s = summarise(g, v, 0);
        int holds = s.median >= variants[v].low && s.median <= variants[v].high;
        medians[v] = s.median;
        printf("| %s | %.4g | %.4g | %.4g | %g to %g | %.0f %% | %s |\n", variants[v].name,
               s.median, s.low, s.high, variants[v].low, variants[v].high, 100 * s.inside,
               holds                        ? "holds"
               : s.median < variants[v].low ? "does not hold: smaller"
                                            : "does not hold: larger");
    }
    fputs("\n", stdout);
    print_verdicts(medians);
}

static void write_rows(FILE *csv, const journal *g)
{
    for (size_t i = 0; i < g->count; i++) {
        const measurement *m = &g->list[i];
        fprintf(csv, "%s,%lu,%zu,%s,%.9g,%.9g,%.9g\n", variants[m->variant].name, m->seed, m->step,
                m->matrix, m->largest, m->smallest, cond(m));
    }
}

/* $d0, $d1, ... <- medians over matrices and seeds against steps. Returns the largest of those
 * behind the first step looked at: AdamW's first update is of signs, and as good as singular. */
static double plot_data(FILE *script, const journal *g)
{
    size_t every = g->c->steps / MEASURED;
    double high = 10;
    for (int v = 0; v < VARIANTS; v++) {
        fprintf(script, "$d%d << EOD\n", v);
        for (size_t k = every; k <= g->c->steps; k += every) {
            double x = summarise(g, v, k).median;
            fprintf(script, "%zu %s", k, isfinite(x) ? "" : "NaN\n");
            if (isfinite(x))
                fprintf(script, "%.8g\n", x);
            if (isfinite(x) && k > every)
                high = fmax(high, x);
        }
        fputs("EOD\n", script);
    }
    return high;
}

static int draw(const journal *g, table *rows)
{
    enum { WIDTH = 900 };
    plot_style styles[VARIANTS];
    picture p;
    if (plot_open(&p) != 0)
        return 1;
    for (int v = 0; v < VARIANTS; v++) {
        styles[v] = plot_method(variants[v].name);
        styles[v].point = 4 + v;
    }
    double high = plot_data(p.script, g);
    double top = plot_head(p.script, WIDTH, styles, VARIANTS,
                           "FISMO's paper: condition numbers of updates, medians over matrices");
    fprintf(p.script,
            "set nokey\nset tmargin at screen %.3f\nset grid lt 1 lw 0.5 lc rgb '#dddddd'\n"
            "set border 3\nset tics nomirror out\nset xrange [0:%zu]\nset xlabel 'step'\n"
            "set ylabel 'condition number of the update'\nset datafile missing NaN\n",
            top, g->c->steps);
    plot_range(p.script, 'y', 1, high, 1);
    fputs("plot ", p.script);
    for (int v = 0; v < VARIANTS; v++)
        fprintf(p.script, "%s$d%d using 1:2 with linespoints pt %d ps 0.8 lw 2 lc rgb '%s'",
                v > 0 ? ", " : "", v, styles[v].point, styles[v].colour);
    fputs("\n", p.script);
    return plot_draw(&p, rows, WIDTH, 460);
}

/* What there is: the verdicts only if it is everything. */
static int leave(const journal *g)
{
    table rows;
    int status = table_open(&rows, g->c->out, "condition",
                            "optimizer,seed,step,matrix,largest,smallest,condition");
    if (status == 0) {
        write_rows(rows.to, g);
        status = table_save(&rows);
    }
    if (status == 0)
        status = draw(g, &rows);
    if (status == 0 && !program_interrupted())
        print_report(g);
    table_free(&rows);
    return status;
}

int condition(const config *c)
{
    config own = *c;
    journal g = {.c = &own};
    task t;
    own.dtype = NG_F64;
    int status = task_open(&t, c, 0);
    if (status != 0)
        return status;
    for (size_t k = 0; k < c->seeds.count && status == 0; k++)
        for (int v = 0; v < VARIANTS && status == 0 && !program_interrupted(); v++)
            status = run_variant(&g, &t, v, c->seeds.list[k]);
    if (status == 0)
        status = leave(&g);
    free(g.list);
    task_close(&t);
    return status;
}
