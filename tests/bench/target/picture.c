/* Validation loss against processor time, a panel a task. */
#include "tests/bench/target/target.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/plot.h"

enum { WIDTH = 1200, HEIGHT = 700, MOST = 32 };

typedef struct {
    double low, high, end; /* of loss and time */
} extent;

static int read_row(const char *line, char name[32], char method[64], double *seconds, double *loss)
{
    return sscanf(line, "%31[^,],%63[^,],%*d,%lf,%lf", name, method, seconds, loss) == 4 &&
           isfinite(*loss);
}

/* Does the method (NULL: any) have a finite loss on the task? */
static int has_curve(const char *text, const char *name, const char *method)
{
    char found[32], who[64];
    double seconds, loss;
    for (const char *line = text; line != NULL; line = strchr(line + 1, '\n'))
        if (read_row(line + (*line == '\n'), found, who, &seconds, &loss) &&
            strcmp(found, name) == 0 && (method == NULL || strcmp(who, method) == 0))
            return 1;
    return 0;
}

/* From the least loss to AdamW's after its first epoch: what lies above says nothing. */
static extent extent_of(const char *text, const char *name)
{
    extent e = {INFINITY, 0, 0};
    char found[32], method[64];
    double seconds, loss, first = 0;
    for (const char *line = text; line != NULL; line = strchr(line + 1, '\n')) {
        if (!read_row(line + (*line == '\n'), found, method, &seconds, &loss) ||
            strcmp(found, name) != 0)
            continue;
        e.low = fmin(e.low, loss);
        e.end = fmax(e.end, seconds);
        if (strcmp(method, "adamw") == 0 && first == 0)
            first = loss;
    }
    e.high = fmax(first, 1.05 * e.low);
    return e;
}

static void panel(FILE *script, const char *text, const task *t, const plot_style *styles,
                  size_t count)
{
    extent e = extent_of(text, t->name);
    plot_title(script, "%s", t->name);
    plot_range(script, 'y', e.low, e.high, e.high > 10 * e.low);
    fprintf(script, "set xrange [0:%.8g]\nset xtics %.8g\nplot ", e.end, plot_mark_distance(e.end));
    for (size_t i = 0, drawn = 0; i < count; i++) {
        if (!has_curve(text, t->name, styles[i].name))
            continue;
        fprintf(script,
                "%s$curves using 4:(strcol(1) eq '%s' && strcol(2) eq '%s' ? $5 : 1/0) with "
                "linespoints lw 1.5 pt %d ps 0.4 lc rgb '%s'",
                drawn++ > 0 ? ", " : "", t->name, styles[i].name, styles[i].point,
                styles[i].colour);
    }
    fputs("\n", script);
}

int target_picture(table *curves, const racer *racers, size_t count)
{
    picture p;
    plot_style styles[MOST];
    size_t panels = 0;
    count = count < MOST ? count : MOST;
    if (plot_open(&p) != 0)
        return 1;
    for (size_t i = 0; i < count; i++)
        styles[i] = plot_method(racers[i].name);
    for (size_t k = 0; k < TASKS; k++)
        panels += (size_t)has_curve(curves->text, tasks[k].name, NULL);
    if (panels == 0)
        return plot_none(&p, curves, "no curve");
    plot_table(p.script, "curves", curves);
    double top = plot_head(p.script, WIDTH, styles, count,
                           "Validation loss against processor time (s), each at its best of six "
                           "learning rates");
    fprintf(p.script,
            "set nokey\nset multiplot layout %d,%d margins screen 0.05,0.985,0.06,%.3f "
            "spacing screen 0.045,0.10\n"
            "set grid lt 1 lw 0.5 lc rgb '#dddddd'\nset border 3\nset tics nomirror out\n",
            panels > 4 ? 2 : 1, panels > 4 ? 4 : (int)panels, top - 0.03);
    for (size_t k = 0; k < TASKS; k++)
        if (has_curve(curves->text, tasks[k].name, NULL)) {
            panel(p.script, curves->text, &tasks[k], styles, count);
            fputs("unset label\n", p.script); /* the head's: once */
        }
    fputs("unset multiplot\n", p.script);
    return plot_draw(&p, curves, WIDTH, HEIGHT);
}
