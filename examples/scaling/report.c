/* The table on standard output, DIR/scaling.csv and its picture. */
#include <math.h>

#include "examples/scaling/scaling.h"
#include "examples/support/plot.h"
#include "examples/support/program.h"

static const char *const labels[WAYS] = {"replicate", "hybrid, a tenth", "owner"};

static void write_row(FILE *csv, const model *m, const way *w, const plan *p, double alone)
{
    fprintf(csv, "%s,%s,%zu,%zu,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g\n", m->name, w->name, p->ranks,
            p->divided, p->step, p->weights, p->gradients, (p->step + p->weights) / alone, p->sent,
            p->memory, p->imbalance);
}

/* 1, 8, 64 and 1,024 ranks */
static int is_shown(size_t ranks)
{
    return ranks == 1 || ranks == 8 || ranks == 64 || ranks == MAX_RANKS;
}

static int one_way(FILE *csv, const constants *c, const model *m, const way *w)
{
    plan first, p;
    if (plan_make(&first, c, m, w, 1) != 0)
        return 1;
    for (size_t ranks = 1; ranks <= MAX_RANKS; ranks *= 2) {
        if (plan_make(&p, c, m, w, ranks) != 0)
            return 1;
        write_row(csv, m, w, &p, first.step);
        if (is_shown(ranks))
            printf("plan model=%s way=%s ranks=%zu step=%.3f weights=%.3f gradients=%.3f "
                   "sent_GB=%.3f memory_GB=%.3f\n",
                   m->name, w->name, ranks, p.step / first.step, p.weights / first.step,
                   p.gradients / first.step, 1e-9 * p.sent, 1e-9 * p.memory);
        if (w->share == 0 && (ranks == 8 || ranks == 64))
            printf("imbalance model=%s ranks=%zu most=%.3f of the lower bound\n", m->name, ranks,
                   p.imbalance);
    }
    return 0;
}

static int draw(table *rows)
{
    picture p;
    if (plot_open(&p) != 0)
        return 1;
    plot_table(p.script, "rows", rows);
    fputs("set grid lc rgb '#cccccc'\nset logscale xy\nset xlabel 'ranks'\nset xrange [0.8:1300]\n"
          "set format y '%g'\nset key bottom left Left reverse\n"
          "set multiplot layout 2,3 title 'A step of Muon and AdamW on p ranks: seconds over one "
          "rank''s, memory of a rank'\n",
          p.script);
    for (int panel = 0; panel < 6; panel++) {
        const model *m = &models[panel % 3];
        fprintf(p.script, "set title '%s'\nset ylabel '%s'\n%s\nplot ", m->title,
                panel < 3 ? "step and exchange" : "GB a rank",
                panel < 3 ? "set yrange [1e-3:3]" : "unset logscale y\nset yrange [0:*]");
        for (int w = 0; w < WAYS; w++)
            fprintf(p.script,
                    "%s$rows using (strcol(1) eq '%s' && strcol(2) eq '%s' ? $3 : NaN):(%s) with "
                    "linespoints lw 1.5 pt %d ps 0.6 lc rgb '%s' title '%s'",
                    w > 0 ? ", " : "", m->name, ways[w].name, panel < 3 ? "$8" : "1e-9*$10",
                    5 + 2 * w, plot_colour((size_t)w), labels[w]);
        fputs("\n", p.script);
    }
    fputs("unset multiplot\n", p.script);
    return plot_draw(&p, rows, 1200, 700);
}

int report_tables(const char *out, const constants *c)
{
    table rows;
    int status =
        table_open(&rows, out, "scaling",
                   "model,way,ranks,divided,step,weights,gradients,relative,sent,memory,imbalance");
    for (model *m = models; m->name != NULL && status == 0; m++) {
        model_fill(m);
        printf("model %s weights=%.0f matrices=%zu\n", m->name, m->weights, m->count);
        for (int w = 0; w < WAYS && status == 0; w++)
            status = one_way(rows.to, c, m, &ways[w]);
    }
    if (status == 0)
        status = table_save(&rows);
    if (status == 0)
        status = draw(&rows);
    table_free(&rows);
    return status;
}
