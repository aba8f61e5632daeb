/* The picture of a comparison: training loss by epoch and by time, and how the
 * held-out samples fare. */
#define _POSIX_C_SOURCE 200809L
#include "examples/train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/plot.h"

/* Numbers by their column in curves.csv. */
enum { EPOCH = 3, TIME, TRAIN_LOSS, HELD_OUT_LOSS, HELD_OUT_ACCURACY };

static double value(const point *p, int column)
{
    return column == TIME            ? p->seconds
           : column == TRAIN_LOSS    ? p->train_loss
           : column == HELD_OUT_LOSS ? p->held_out_loss
                                     : p->held_out_accuracy;
}

/* Smallest and largest value in the picture; with `positive`, of those above
 * zero. 0 if there is one at all. */
static int extent(double *low, double *high, const config *c, const run *runs, size_t count,
                  int column, int positive)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < count; i++)
        for (int e = 0; e < runs[i].epochs && runs[i].seed == c->seeds[0]; e++) {
            double x = value(&runs[i].points[e], column);
            if (isfinite(x) && (!positive || x > 0)) {
                *low = fmin(*low, x);
                *high = fmax(*high, x);
            }
        }
    return *low <= *high ? 0 : -1;
}

/* One plot command: column y against column x of the first seed of each method. */
static void plot_panel(FILE *script, const config *c, const char *csv, int x, int y)
{
    fputs("plot ", script);
    for (size_t i = 0; i < c->methods.count; i++) {
        fputs(i > 0 ? ", " : "", script);
        plot_quote(script, csv);
        fprintf(script,
                " using (strcol(1) eq '%s' && $2 == %lu ? $%d : NaN):%d with linespoints "
                "lw 2 pt 7 ps 0.6 lc rgb '%s'",
                c->methods.list[i]->name, c->seeds[0], x, y, plot_colour(i));
    }
    fputs("\n", script);
}

static void put_head(FILE *script, const config *c, const source *s)
{
    const char *names[MAX_METHODS];
    fprintf(script,
            "set datafile separator ','\nset datafile missing NaN\nset nokey\n"
            "set multiplot layout 1,3 margins screen 0.07,0.985,0.15,0.86 spacing screen 0.085\n"
            "set label '%s: %zu training samples, batch %zu, seed %lu' noenhanced "
            "at screen 0.015,0.95 left\n"
            "set grid lt 1 lw 0.5 lc rgb '#dddddd'\nset border 3\nset tics nomirror out\n",
            s->name, ng_dataset_count(s->train), c->batch, c->seeds[0]);
    for (size_t i = 0; i < c->methods.count; i++)
        names[i] = c->methods.list[i]->name;
    plot_legend(script, names, c->methods.count);
}

/* Panel with the epochs below. */
static void by_epoch(FILE *script, const config *c, const char *csv, int column)
{
    fputs("set xlabel 'epoch'\n", script);
    fprintf(script, "set xtics %s\n", c->epochs <= 12 ? "1" : "autofreq");
    plot_range(script, 'x', 1, c->epochs, 0);
    plot_panel(script, c, csv, EPOCH, column);
}

static int write_script(FILE *script, const config *c, const source *s, const run *runs,
                        size_t count, const char *csv)
{
    double low, high, seconds, least;
    int column = s->by_loss ? HELD_OUT_LOSS : HELD_OUT_ACCURACY;
    /* the loss of a classifier runs to zero; that of a text does not */
    int logarithmic =
        !s->by_loss && extent(&low, &high, c, runs, count, TRAIN_LOSS, 1) == 0 && high > 30 * low;
    if (extent(&low, &high, c, runs, count, TRAIN_LOSS, logarithmic) != 0 ||
        extent(&least, &seconds, c, runs, count, TIME, 0) != 0)
        return -1;
    put_head(script, c, s);
    plot_range(script, 'y', low, high, logarithmic);
    fputs("set ylabel 'training loss (nats)'\n", script);
    by_epoch(script, c, csv, TRAIN_LOSS);
    seconds = 1.06 * fmax(seconds, 1e-3);
    fprintf(script,
            "unset label\nset xlabel 'training time (s)'\nset xtics %.8g\n"
            "set xrange [0:%.8g]\n",
            plot_mark_distance(seconds), seconds);
    plot_panel(script, c, csv, TIME, TRAIN_LOSS);
    if (extent(&low, &high, c, runs, count, column, 0) != 0)
        return -1;
    plot_range(script, 'y', low, high, 0);
    fprintf(script, "set ylabel '%s %s'\n", s->held_out_name,
            s->by_loss ? "loss (nats)" : "accuracy");
    by_epoch(script, c, csv, column);
    fputs("unset multiplot\n", script);
    return 0;
}

int picture_draw(const char *path, const config *c, const source *s, const run *runs, size_t count,
                 const char *csv)
{
    char *text = NULL;
    size_t size;
    FILE *script = open_memstream(&text, &size);
    if (script == NULL)
        return -1;
    int nothing = write_script(script, c, s, runs, count, csv) != 0;
    int status = fclose(script) != 0 ? -1 : nothing ? 2 : plot_draw(path, 1200, 400, text);
    free(text);
    return status;
}
