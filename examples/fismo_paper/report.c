/* What a comparison leaves behind: table, CSV, picture. */
#define _POSIX_C_SOURCE 200809L
#include "examples/fismo_paper/fismo_paper.h"

#include <math.h>
#include <stdlib.h>

#include "examples/fismo_paper/verdict.h"
#include "examples/support/median.h"
#include "examples/support/plot.h"

static void print_table(const config *c, const task *t, const run *runs)
{
    printf("\n%s: %zu training samples, %zu held out, %zu steps of batch %zu, medians of %zu "
           "seed%s\n| optimizer | lr | training loss | held-out loss | lowest and highest | "
           "accuracy | roughness | CPU s |\n|---|---|---|---|---|---|---|---|\n",
           t->name, ng_dataset_count(t->train), ng_dataset_count(t->held_out), c->steps, c->batch,
           c->seeds, c->seeds > 1 ? "s" : "");
    for (size_t i = 0; i < c->methods.count; i++) {
        const run *r = &runs[i * c->seeds];
        double low = NAN, high = NAN, cpu[MAX_SEEDS];
        for (size_t k = 0; k < c->seeds; k++) {
            double loss = run_last(&r[k])->held_out_loss;
            low = fmin(low, loss);
            high = fmax(high, loss);
            cpu[k] = run_last(&r[k])->cpu;
        }
        printf("| %s | %.4g | %.4f | %.4f | %.4f %.4f | %.4f | %.4f | %.1f |\n", r->method->name,
               r->lr, quantity_median(r, c->seeds, TRAIN_LOSS),
               quantity_median(r, c->seeds, HELD_OUT_LOSS), low, high,
               quantity_median(r, c->seeds, ACCURACY), quantity_median(r, c->seeds, ROUGHNESS),
               median_of(cpu, c->seeds));
    }
    for (size_t i = 0; i < c->methods.count * c->seeds; i++)
        if (runs[i].failed)
            printf("%s, seed %lu, left the numbers: %s\n", runs[i].method->name, runs[i].seed,
                   runs[i].why);
}

static int write_csv(const config *c, const task *t, const char *name, const run *runs,
                     size_t count)
{
    FILE *csv = out_open(c, name);
    if (csv == NULL)
        return 1;
    fputs("task,optimizer,lr,rest_lr,seed,step,cpu_seconds,train_loss,held_out_loss,"
          "held_out_accuracy\n",
          csv);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < runs[i].count; k++) {
            const point *p = &runs[i].points[k];
            fprintf(csv, "%s,%s,%g,%g,%lu,%zu,%.4f,%.8g,%.8g,%.8g\n", t->name, runs[i].method->name,
                    runs[i].lr, runs[i].rest_lr, runs[i].seed, p->step, p->cpu, p->train_loss,
                    p->held_out_loss, p->held_out_accuracy);
        }
    return out_close(csv, c, name);
}

/* ---- The picture: seed 1 ------------------------------------------------------------- */

static void plot_panel(FILE *script, const config *c, const char *csv, const char *label,
                       int column)
{
    fprintf(script, "set ylabel '%s'\nset xlabel 'step'\nplot ", label);
    for (size_t i = 0; i < c->methods.count; i++) {
        fputs(i > 0 ? ", " : "", script);
        plot_quote(script, csv);
        fprintf(script,
                " using (strcol(2) eq '%s' && $5 == 1 ? $6 : NaN):%d with lines lw 2 lc rgb '%s'",
                c->methods.list[i]->name, column, plot_colour(i));
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

static void draw(const config *c, const task *t, const run *runs, size_t count)
{
    char csv[MAX_PATH], name[64], *text = NULL;
    const char *names[MAX_METHODS];
    size_t size;
    int pictures = c->kind == TASK_PICTURES;
    FILE *script = open_memstream(&text, &size);
    if (script == NULL)
        return;
    for (size_t i = 0; i < c->methods.count; i++)
        names[i] = c->methods.list[i]->name;
    snprintf(name, sizeof name, "%s.csv", t->name);
    out_path(csv, sizeof csv, c, name);
    fprintf(script,
            "set datafile separator ','\nset nokey\nset xrange [0:%zu]\n"
            "set multiplot layout 1,2 margins screen 0.07,0.985,0.15,0.86 spacing screen 0.085\n"
            "set label '%s, batch %zu, seed 1' noenhanced at screen 0.015,0.95 left\n"
            "set grid lt 1 lw 0.5 lc rgb '#dddddd'\nset border 3\nset tics nomirror out\n",
            c->steps, t->name, c->batch);
    plot_legend(script, names, c->methods.count);
    range_of(script, runs, count, offsetof(point, train_loss));
    plot_panel(script, c, csv, "training loss", 8);
    fputs("unset label\n", script);
    range_of(script, runs, count,
             pictures ? offsetof(point, held_out_accuracy) : offsetof(point, held_out_loss));
    plot_panel(script, c, csv, pictures ? "held-out accuracy" : "held-out loss", pictures ? 10 : 9);
    fputs("unset multiplot\n", script);
    out_draw(c, t->name, 1100, 400, script, &text);
}

int report(const config *c, const task *t, const run *runs, size_t count)
{
    char name[64];
    snprintf(name, sizeof name, "%s.csv", t->name);
    print_table(c, t, runs);
    verdicts(c, t, runs);
    int status = write_csv(c, t, name, runs, count);
    if (status == 0)
        draw(c, t, runs, count);
    return status;
}
