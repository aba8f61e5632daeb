/* What a comparison leaves behind: the table, curves.csv, the picture and a
 * line a run for machines. */
#include "examples/autoencoder/autoencoder.h"

#include <math.h>

#include "examples/support/median.h"
#include "examples/support/plot.h"

enum { WIDTH = 1100 }; /* of the picture, in pixels */

/* The first epoch at whose end the training loss was at most target; -1 never. */
static int reached(const run *r, double target)
{
    for (int e = 0; e <= r->epochs; e++)
        if (r->points[e].train_loss <= target)
            return e;
    return -1;
}

/* ---- The table: medians over seeds ------------------------------------------------- */

typedef enum { EPOCHS, SECONDS, CPU, CPU_AN_EPOCH, TRAIN_LOSS, TEST_LOSS } column;

static double value(const run *r, double target, column what)
{
    int at = reached(r, target);
    const point *last = &r->points[r->epochs];
    if (what == CPU_AN_EPOCH)
        return r->epochs > 0 ? last->cpu / r->epochs : (double)NAN;
    if (what == TRAIN_LOSS || what == TEST_LOSS)
        return r->failed            ? (double)NAN
               : what == TRAIN_LOSS ? last->train_loss
                                    : last->held_out_loss;
    if (at < 0)
        return (double)NAN;
    return what == EPOCHS ? at : what == SECONDS ? r->points[at].seconds : r->points[at].cpu;
}

static double median(const run *runs, size_t count, const ng_preset *method, double target,
                     column what)
{
    double values[MAX_SEEDS];
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (runs[i].method == method && n < MAX_SEEDS)
            values[n++] = value(&runs[i], target, what);
    return median_of(values, n);
}

/* A number of so many digits after the point, or a dash for a run that did not get there. */
static void cell(double x, int width, int digits)
{
    if (isnan(x))
        printf(" %*s", width, "-");
    else
        printf(" %*.*f", width, digits, x);
}

static void print_table(const config *c, const pictures *p, const run *runs, size_t count,
                        double target)
{
    printf("\n%s: %zu pictures, batch %zu, at most %d epochs, medians of %zu seeds; epochs and "
           "seconds until the training loss is %.2f\n",
           c->data, ng_dataset_count(p->train), c->batch, c->epochs, c->seeds.count, target);
    printf("%-12s %9s %7s %9s %9s %10s %11s %10s\n", "optimizer", "lr", "epochs", "seconds",
           "CPU s", "CPU s/ep.", "last train", "last test");
    for (size_t i = 0; i < c->methods.count; i++) {
        const ng_preset *m = c->methods.list[i];
        double lr = 0;
        for (size_t k = 0; k < count; k++)
            lr = runs[k].method == m ? runs[k].lr : lr;
        printf("%-12s %9.4g", m->name, lr);
        cell(median(runs, count, m, target, EPOCHS), 7, 0);
        cell(median(runs, count, m, target, SECONDS), 9, 1);
        cell(median(runs, count, m, target, CPU), 9, 1);
        cell(median(runs, count, m, target, CPU_AN_EPOCH), 10, 3);
        cell(median(runs, count, m, target, TRAIN_LOSS), 11, 2);
        cell(median(runs, count, m, target, TEST_LOSS), 10, 2);
        printf("\n");
    }
    for (size_t i = 0; i < count; i++)
        if (runs[i].failed)
            printf("%s, seed %lu, stopped in epoch %d: %s\n", runs[i].method->name, runs[i].seed,
                   runs[i].epochs + 1, runs[i].why);
}

/* ---- curves.csv and the picture ------------------------------------------------------ */

static void write_curves(FILE *csv, const run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (int e = 0; e <= runs[i].epochs; e++) {
            const point *p = &runs[i].points[e];
            fprintf(csv, "%s,%.8g,%lu,%d,%.4f,%.4f,%.8g,%.8g\n", runs[i].method->name, runs[i].lr,
                    runs[i].seed, e, p->seconds, p->cpu, p->train_loss, p->held_out_loss);
        }
}

/* One panel: training loss against a column of the CSV, first seed of each method. */
static void plot_panel(FILE *script, const config *c, const char *label, int x)
{
    fprintf(script, "set xlabel '%s'\nplot ", label);
    for (size_t i = 0; i < c->methods.count; i++) {
        plot_style style = plot_method(c->methods.list[i]->name);
        fprintf(script,
                "$curves using (strcol(1) eq '%s' && $3 == %lu && $4 > 0 ? $%d : NaN):7 with "
                "linespoints lw 2 pt %d ps 0.6 lc rgb '%s', ",
                style.name, c->seeds.list[0], x, style.point, style.colour);
    }
    fputs("target with lines lw 1 dt 2 lc rgb '#888888'\n", script);
}

static void write_script(FILE *script, const config *c, const pictures *p, double low, double high,
                         double target)
{
    plot_style styles[MAX_METHODS];
    for (size_t i = 0; i < c->methods.count; i++)
        styles[i] = plot_method(c->methods.list[i]->name);
    double top = plot_head(script, WIDTH, styles, c->methods.count,
                           "autoencoder, %s: %zu pictures, batch %zu, seed %lu", c->data,
                           ng_dataset_count(p->train), c->batch, c->seeds.list[0]);
    fprintf(script,
            "set nokey\ntarget = %.8g\n"
            "set multiplot layout 1,2 margins screen 0.07,0.985,0.15,%.3f spacing screen 0.085\n"
            "set grid lt 1 lw 0.5 lc rgb '#dddddd'\nset border 3\nset tics nomirror out\n",
            target, top);
    plot_range(script, 'y', low, high, 1);
    fputs("set format y '%g'\nset ytics (20,30,50,70,100,150,200,300,500)\nset ylabel 'training "
          "loss (nats a picture)'\n"
          "set xrange [0:*]\n",
          script);
    plot_panel(script, c, "epoch", 4);
    fputs("unset label\n", script);
    plot_panel(script, c, "training time, processor (s)", 6);
    fputs("unset multiplot\n", script);
}

static int draw(const config *c, const pictures *p, const run *runs, size_t count, table *curves,
                double target)
{
    picture out;
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++)
        for (int e = 1; e <= runs[i].epochs; e++) {
            low = fmin(low, runs[i].points[e].train_loss);
            high = fmax(high, runs[i].points[e].train_loss);
        }
    if (plot_open(&out) != 0)
        return 1;
    if (!(low > 0 && low <= high))
        return plot_none(&out, curves, "there is nothing to draw");
    plot_table(out.script, "curves", curves);
    target = isfinite(target) ? target : low;
    write_script(out.script, c, p, fmin(low, target), fmin(high, 4 * low), target);
    return plot_draw(&out, curves, WIDTH, 400);
}

static int leave_curves(const config *c, const pictures *p, const run *runs, size_t count,
                        double target)
{
    table curves;
    int status = table_open(&curves, c->out, "curves",
                            "optimizer,lr,seed,epoch,seconds,cpu_seconds,train_loss,test_loss");
    if (status == 0) {
        write_curves(curves.to, runs, count);
        status = table_save(&curves);
    }
    if (status == 0)
        status = draw(c, p, runs, count, &curves, target);
    table_free(&curves);
    return status;
}

/* ---- All of it -------------------------------------------------------------------------- */

int report_runs(const config *c, const pictures *p, const run *runs, size_t count, double target)
{
    print_table(c, p, runs, count, target);
    int status = leave_curves(c, p, runs, count, target);
    for (size_t i = 0; i < count && status == 0; i++) {
        const point *last = &runs[i].points[runs[i].epochs];
        printf("final optimizer=%s data=%s seed=%lu lr=%g target=%.4f reached=%d epochs=%d "
               "train_loss=%.4f test_loss=%.4f seconds=%.2f cpu=%.2f\n",
               runs[i].method->name, c->data, runs[i].seed, runs[i].lr, target,
               reached(&runs[i], target), runs[i].epochs, last->train_loss, last->held_out_loss,
               last->seconds, last->cpu);
    }
    return status;
}
