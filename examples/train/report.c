/* What a comparison leaves behind: a table, curves.csv and lines for machines.
 * The picture is picture.c's. */
#include "examples/train/train.h"

#include <math.h>
#include <string.h>

#include "examples/support/median.h"

/* ---- The table: medians over seeds ------------------------------------------------- */

/* Median over the method's runs of one number of their last point. */
static double median(const run *runs, size_t count, const ng_preset *method, size_t offset)
{
    double values[MAX_SEEDS];
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (runs[i].method == method && n < MAX_SEEDS)
            memcpy(&values[n++], (const char *)run_kept(&runs[i]) + offset, sizeof(double));
    return median_of(values, n);
}

static void print_table(const config *c, const source *s, const run *runs, size_t count)
{
    printf("\n%s: %zu training samples, %zu held out, %zu epoch%s, batch %zu%s\n", s->name,
           ng_dataset_count(s->train), ng_dataset_count(s->held_out), c->how.epochs,
           c->how.epochs > 1 ? "s" : "", c->how.batch,
           c->seeds.count > 1 ? ", medians over seeds" : "");
    printf("%-12s %12s %s loss %s %-8s %9s\n", "optimizer", "train loss", s->held_out_name,
           s->held_out_name, s->score, "seconds");
    int width = (int)strlen(s->held_out_name);
    for (size_t i = 0; i < c->methods.count; i++)
        printf("%-12s %12.4g %*.4g %*.4f %9.2f\n", c->methods.list[i]->name,
               median(runs, count, c->methods.list[i], offsetof(point, train_loss)), width + 5,
               median(runs, count, c->methods.list[i], offsetof(point, loss)), width + 9,
               median(runs, count, c->methods.list[i], offsetof(point, score)),
               median(runs, count, c->methods.list[i], offsetof(point, seconds)));
    for (size_t i = 0; i < count; i++)
        if (runs[i].failed)
            printf("%s, seed %lu, stopped in epoch %d: %s\n", runs[i].method->name, runs[i].seed,
                   runs[i].epochs + 1, runs[i].why);
}

/* ---- curves.csv ------------------------------------------------------------------------ */

static void write_curves(FILE *csv, const run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (int e = 0; e < runs[i].epochs; e++) {
            const point *p = &runs[i].points[e];
            fprintf(csv, "%s,%lu,%d,%.4f,%.8g,%.8g,%.6f\n", runs[i].method->name, runs[i].seed,
                    e + 1, p->seconds, p->train_loss, p->loss, p->score);
        }
}

/* curves.csv and its picture */
static int leave_curves(const config *c, const source *s, const run *runs, size_t count)
{
    char header[128];
    table curves;
    snprintf(header, sizeof header, "optimizer,seed,epoch,seconds,train_loss,%s_loss,%s_%s",
             s->held_out_name, s->held_out_name, s->score);
    int status = arguments_folder(c->out);
    if (status != 0)
        return status;
    if ((status = table_open(&curves, c->out, "curves", header)) == 0) {
        write_curves(curves.to, runs, count);
        status = table_save(&curves);
    }
    if (status == 0)
        status = picture_draw(c, s, runs, count, &curves);
    table_free(&curves);
    return status;
}

/* ---- All of it -------------------------------------------------------------------------- */

static void print_final(const source *s, const run *r)
{
    const point *p = run_kept(r);
    printf("final optimizer=%s data=%s seed=%lu epochs=%d train_loss=%.4f", r->method->name,
           s->name, r->seed, r->epochs, p->train_loss);
    if (s->by_loss)
        printf(" %s_loss=%.4f", s->held_out_name, p->loss);
    printf(" %s_%s=%.4f", s->held_out_name, s->score, p->score);
    if (s->test != NULL)
        printf(" test_loss=%.4f test_%s=%.4f", r->test_loss, s->score, r->test_score);
    printf(" seconds=%.2f\n", p->seconds);
}

int report_runs(const config *c, const source *s, const run *runs, size_t count)
{
    print_table(c, s, runs, count);
    int status = leave_curves(c, s, runs, count);
    for (size_t i = 0; i < count && status == 0; i++)
        print_final(s, &runs[i]);
    return status;
}
