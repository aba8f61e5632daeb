/* Two pictures: alpha and gap by depth, and the tails with their fits. */
#include <math.h>

#include "examples/spectrum/spectrum.h"

/* ---- By depth ---------------------------------------------------------------------------------
 */

int picture_depth(const model *m, table *t)
{
    picture pic;
    size_t depth = 0;
    double most = 7;
    if (plot_open(&pic) != 0)
        return 1;
    FILE *s = pic.script;
    fputs("$layers << EOD\n", s);
    for (size_t i = 0; i < m->count; i++) {
        const ng_esd *e = &m->layer[i].esd;
        if (m->layer[i].kind != LAYER_MEASURED)
            continue;
        fprintf(s, "%zu %.6g %.6g %.6g\n", ++depth, e->tail.alpha, e->tail.sigma, e->erg.gap);
        most = fmax(most, e->tail.alpha + e->tail.sigma);
    }
    fprintf(
        s,
        "EOD\nset datafile missing 'nan'\nset multiplot layout 1,2\nset border 3\nset tics "
        "nomirror out\n"
        "set xrange [0.5:%g]\nset xlabel 'layer'\nset ylabel 'alpha'\nset yrange [1:%g]\n"
        "set key top right\nplot 2 with lines dt 2 lc rgb '#009E73' title '2: ideal', 6 with lines "
        "dt 3 lc "
        "rgb '#D55E00' title '6: under-trained above', "
        "$layers using 1:2:3 with yerrorbars pt 7 ps 0.7 lc rgb '#0072B2' notitle\n"
        "set ylabel 'trace-log gap'\nset yrange [*:*]\nset nokey\n"
        "plot 0 with lines dt 2 lc rgb '#009E73', $layers using 1:4 with linespoints pt 7 ps 0.7 "
        "lc rgb '#0072B2'\nunset multiplot\n",
        (double)depth + 0.5, fmin(most, 20));
    return plot_draw(&pic, t, 1000, 400);
}

/* ---- Tails ------------------------------------------------------------------------------------
 */

enum { PANELS = 12, ACROSS = 4, MARKS = 300 };

/* $esdK <- eigenvalue, share of those that are as large or larger; fewer marks in the bulk */
static void put_tail(FILE *s, const layer *l, size_t k)
{
    const size_t m = l->esd.m;
    fprintf(s, "$esd%zu << EOD\n", k);
    for (size_t left = m, step = 1; left > 0; left = left > step ? left - step : 0) {
        step = (m - (m - left)) / MARKS + 1;
        if (l->values[m - left] > 0)
            fprintf(s, "%.6g %.6g\n", l->values[m - left], (double)left / (double)m);
    }
    fputs("EOD\n", s);
}

static void put_panel(FILE *s, const layer *l, size_t k)
{
    const ng_power_law *tail = &l->esd.tail;
    char name[SHOWN];
    put_tail(s, l, k);
    shown(name, l->tensor->name);
    if (isnan(tail->alpha))
        plot_title(s, "%s, no tail", name);
    else
        plot_title(s, "%s, alpha %.2f", name, tail->alpha);
    fprintf(s, "set xrange [%.6g:%.6g]\n", fmax(l->values[0], l->esd.lambda_max * 1e-5) * 0.7,
            l->esd.lambda_max * 1.5);
    fprintf(s, "plot $esd%zu using 1:2 with points pt 7 ps 0.35 lc rgb '#0072B2' notitle", k);
    if (!isnan(tail->alpha))
        fprintf(s,
                ", [%.9g:%.9g] %.9g * (x / %.9g)**(%.9g) with lines lw 2 lc rgb '#D55E00' notitle, "
                "'-' using 1:2 with lines dt 2 lc rgb '#000000' notitle\n%.9g 1\n%.9g %.9g\ne",
                tail->xmin, l->esd.lambda_max, (double)tail->spikes / (double)l->esd.m, tail->xmin,
                1 - tail->alpha, tail->xmin, tail->xmin, 0.5 / (double)l->esd.m);
    fputs("\n", s);
}

int picture_esd(const model *m, table *t)
{
    picture pic;
    size_t shown_so_far = 0, seen = 0;
    const size_t panels = m->measured < PANELS ? m->measured : PANELS;
    const size_t across = panels < ACROSS ? panels : ACROSS, down = (panels + across - 1) / across;
    if (plot_open(&pic) != 0)
        return 1;
    fprintf(pic.script,
            "set multiplot layout %zu,%zu\nset border 3\nset tics nomirror out\nset logscale xy\n"
            "set format xy '10^{%%L}'\nset xlabel 'eigenvalue'\nset ylabel 'share above'\n",
            down, across);
    for (size_t i = 0; i < m->count; i++) {
        if (m->layer[i].kind != LAYER_MEASURED)
            continue;
        /* evenly over the depth */
        if (seen++ * panels / m->measured >= shown_so_far)
            put_panel(pic.script, &m->layer[i], shown_so_far++);
    }
    fputs("unset multiplot\n", pic.script);
    return plot_draw(&pic, t, 340 * (int)across, 300 * (int)down);
}
