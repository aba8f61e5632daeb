/* The picture of a comparison: training loss by epoch and by time, and how the
 * held-out samples fare. */
#include "examples/train/train.h"

#include <math.h>

enum { WIDTH = 1200 }; /* of the picture, in pixels */

/* Numbers by their column in curves.csv. */
enum { EPOCH = 3, TIME, TRAIN_LOSS, HELD_OUT_LOSS, HELD_OUT_ACCURACY };

static double value(const point *p, int column)
{
    return column == TIME            ? p->seconds
           : column == TRAIN_LOSS    ? p->train_loss
           : column == HELD_OUT_LOSS ? p->loss
                                     : p->score;
}

/* Smallest and largest value in the picture; with `positive`, of those above
 * zero. 0 if there is one at all. */
static int extent(double *low, double *high, const config *c, const run *runs, size_t count,
                  int column, int positive)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < count; i++)
        for (int e = 0; e < runs[i].epochs && runs[i].seed == c->seeds.list[0]; e++) {
            double x = value(&runs[i].points[e], column);
            if (isfinite(x) && (!positive || x > 0)) {
                *low = fmin(*low, x);
                *high = fmax(*high, x);
            }
        }
    return *low <= *high ? 0 : -1;
}

/* One plot command: column y against column x of the first seed of each method. A single epoch is
 * a point, and has to be seen as one. */
static void plot_panel(FILE *script, const config *c, int x, int y)
{
    fputs("plot ", script);
    for (size_t i = 0; i < c->methods.count; i++) {
        plot_style style = plot_method(c->methods.list[i]->name);
        fprintf(script,
                "%s$curves using (strcol(1) eq '%s' && $2 == %lu ? $%d : NaN):%d with linespoints "
                "lw 2 pt %d ps %g lc rgb '%s'",
                i > 0 ? ", " : "", style.name, c->seeds.list[0], x, y, style.point,
                c->how.epochs == 1 ? 1.5 : 0.7, style.colour);
    }
    fputs("\n", script);
}

static void put_head(FILE *script, const config *c, const source *s)
{
    plot_style styles[MAX_METHODS];
    for (size_t i = 0; i < c->methods.count; i++)
        styles[i] = plot_method(c->methods.list[i]->name);
    double top = plot_head(script, WIDTH, styles, c->methods.count,
                           "%s: %zu training samples, batch %zu, seed %lu", s->name,
                           ng_dataset_count(s->train), c->how.batch, c->seeds.list[0]);
    fprintf(script,
            "set nokey\nset multiplot layout 1,3 margins screen 0.07,0.985,0.15,%.3f "
            "spacing screen 0.085\n"
            "set grid lt 1 lw 0.5 lc rgb '#dddddd'\nset border 3\nset tics nomirror out\n",
            top);
}

/* Panel with the epochs below. */
static void by_epoch(FILE *script, const config *c, int column)
{
    fputs("set xlabel 'epoch'\n", script);
    fprintf(script, "set xtics %s\n", c->how.epochs <= 12 ? "1" : "autofreq");
    plot_range(script, 'x', 1, (double)c->how.epochs, 0);
    plot_panel(script, c, EPOCH, column);
}

static int write_script(FILE *script, const config *c, const source *s, const run *runs,
                        size_t count)
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
    by_epoch(script, c, TRAIN_LOSS);
    seconds = 1.06 * fmax(seconds, 1e-3);
    fprintf(script,
            "unset label\nset xlabel 'training time (s)'\nset xtics %.8g\n"
            "set xrange [0:%.8g]\n",
            plot_mark_distance(seconds), seconds);
    plot_panel(script, c, TIME, TRAIN_LOSS);
    if (extent(&low, &high, c, runs, count, column, 0) != 0)
        return -1;
    plot_range(script, 'y', low, high, 0);
    fprintf(script, "set ylabel '%s %s'\n", s->held_out_name,
            s->by_loss ? "loss (nats)" : s->score);
    by_epoch(script, c, column);
    fputs("unset multiplot\n", script);
    return 0;
}

int picture_draw(const config *c, const source *s, const run *runs, size_t count, table *curves)
{
    picture p;
    if (plot_open(&p) != 0)
        return 1;
    plot_table(p.script, "curves", curves);
    if (write_script(p.script, c, s, runs, count) != 0)
        return plot_none(&p, curves, "there is nothing to draw");
    return plot_draw(&p, curves, WIDTH, 400);
}
