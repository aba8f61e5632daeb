/* What a comparison leaves behind: table, CSV, picture. */
#include "examples/fismo_paper/fismo_paper.h"

#include <math.h>

#include "examples/fismo_paper/verdict.h"
#include "examples/support/median.h"

static void print_table(const config *c, const task *t, const run *runs)
{
    printf("\n%s: %zu training samples, %zu held out, %zu steps of batch %zu, medians of %zu "
           "seed%s\n| optimizer | lr | training loss | held-out loss | lowest and highest | "
           "accuracy | roughness | CPU s |\n|---|---|---|---|---|---|---|---|\n",
           t->name, ng_dataset_count(t->train), ng_dataset_count(t->held_out), c->steps, c->batch,
           c->seeds.count, c->seeds.count > 1 ? "s" : "");
    for (size_t i = 0; i < c->methods.count; i++) {
        const run *r = &runs[i * c->seeds.count];
        double low = NAN, high = NAN, cpu[MAX_SEEDS];
        for (size_t k = 0; k < c->seeds.count; k++) {
            double loss = run_last(&r[k])->held_out_loss;
            low = fmin(low, loss);
            high = fmax(high, loss);
            cpu[k] = run_last(&r[k])->cpu;
        }
        printf("| %s | %.4g | %.4f | %.4f | %.4f %.4f | %.4f | %.4f | %.1f |\n", r->method->name,
               r->lr, quantity_median(r, c->seeds.count, TRAIN_LOSS),
               quantity_median(r, c->seeds.count, HELD_OUT_LOSS), low, high,
               quantity_median(r, c->seeds.count, ACCURACY),
               quantity_median(r, c->seeds.count, ROUGHNESS), median_of(cpu, c->seeds.count));
    }
    for (size_t i = 0; i < c->methods.count * c->seeds.count; i++)
        if (runs[i].failed)
            printf("%s, seed %lu, left the numbers: %s\n", runs[i].method->name, runs[i].seed,
                   runs[i].why);
}

static void write_csv(FILE *csv, const task *t, const run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < runs[i].count; k++) {
            const point *p = &runs[i].points[k];
            fprintf(csv, "%s,%s,%g,%g,%lu,%zu,%.4f,%.8g,%.8g,%.8g\n", t->name, runs[i].method->name,
                    runs[i].lr, runs[i].rest_lr, runs[i].seed, p->step, p->cpu, p->train_loss,
                    p->held_out_loss, p->held_out_accuracy);
        }
}

/* ---- The picture: the first seed ------------------------------------------------------ */

enum { WIDTH = 1100 }; /* pixels */

static void plot_panel(FILE *script, const config *c, const char *label, int column)
{
    fprintf(script, "set ylabel '%s'\nset xlabel 'step'\nplot ", label);
    for (size_t i = 0; i < c->methods.count; i++) {
        plot_style style = plot_method(c->methods.list[i]->name);
        fprintf(script,
                "%s$rows using (strcol(2) eq '%s' && $5 == %lu ? $6 : NaN):%d with linespoints "
                "lw 2 pt %d ps 0.6 lc rgb '%s'",
                i > 0 ? ", " : "", style.name, c->seeds.list[0], column, style.point, style.colour);
    }
    fputs("\n", script);
}

/* From the second evaluation on: the first is before any step. */
static void range_of(FILE *script, const run *runs, size_t count, size_t offset)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 1; k < runs[i].count; k++) {
            double x = *(const double *)((const char *)&runs[i].points[k] + offset);
            low = fmin(low, x);
            high = fmax(high, x);
        }
    if (low <= high)
        plot_range(script, 'y', low, high, 0);
}

static void write_script(FILE *script, const config *c, const task *t, const run *runs,
                         size_t count)
{
    plot_style styles[MAX_METHODS];
    int pictures = c->kind == TASK_PICTURES;
    for (size_t i = 0; i < c->methods.count; i++)
        styles[i] = plot_method(c->methods.list[i]->name);
    double top =
        plot_head(script, WIDTH, styles, c->methods.count, "FISMO's paper, %s: batch %zu, seed %lu",
                  t->name, c->batch, c->seeds.list[0]);
    fprintf(script,
            "set nokey\nset xrange [0:%zu]\n"
            "set multiplot layout 1,2 margins screen 0.07,0.985,0.15,%.3f spacing screen 0.085\n"
            "set grid lt 1 lw 0.5 lc rgb '#dddddd'\nset border 3\nset tics nomirror out\n",
            c->steps, top);
    range_of(script, runs, count, offsetof(point, train_loss));
    plot_panel(script, c, "training loss", 8);
    fputs("unset label\n", script);
    range_of(script, runs, count,
             pictures ? offsetof(point, held_out_accuracy) : offsetof(point, held_out_loss));
    plot_panel(script, c, pictures ? "held-out accuracy" : "held-out loss", pictures ? 10 : 9);
    fputs("unset multiplot\n", script);
}

static int draw(const config *c, const task *t, const run *runs, size_t count, table *rows)
{
    picture p;
    if (plot_open(&p) != 0)
        return 1;
    plot_table(p.script, "rows", rows);
    write_script(p.script, c, t, runs, count);
    return plot_draw(&p, rows, WIDTH, 400);
}

int report(const config *c, const task *t, const run *runs, size_t count)
{
    table rows;
    print_table(c, t, runs);
    int status = table_open(&rows, c->out, t->name,
                            "task,optimizer,lr,rest_lr,seed,step,cpu_seconds,train_loss,"
                            "held_out_loss,held_out_accuracy");
    if (status == 0) {
        write_csv(rows.to, t, runs, count);
        status = table_save(&rows);
    }
    if (status == 0)
        status = draw(c, t, runs, count, &rows);
    if (status == 0 && !program_interrupted())
        verdicts(c, t, runs);
    table_free(&rows);
    return status;
}
