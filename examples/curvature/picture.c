/* The table and the picture: |R| against n, exponents against L. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdlib.h>

#include "examples/curvature/curvature.h"
#include "examples/support/plot.h"

int write_csv(const config *c, const point *points, size_t count)
{
    char name[4200];
    snprintf(name, sizeof name, "%s/curvature.csv", c->out);
    FILE *csv = fopen(name, "w");
    if (csv == NULL) {
        perror(name);
        return -1;
    }
    fputs("J,L,n,R,error,method,seconds,middle,exponent\n", csv);
    for (size_t i = 0; i < count; i++) {
        const point *p = &points[i];
        fprintf(csv, "%.17g,%zu,%.0f,%.15g,%.3g,%s,%.4g", p->coupling, p->length, p->sites,
                p->curvature, p->error, p->method, p->seconds);
        /* the exponent from the size before, at the geometric mean of both */
        if (i > 0 && points[i - 1].coupling == p->coupling)
            fprintf(csv, ",%.6g,%.8g\n", sqrt((double)p->length * (double)points[i - 1].length),
                    effective_exponent(&points[i - 1], p));
        else
            fputs(",,\n", csv);
    }
    if (fclose(csv) != 0) {
        perror(name);
        return -1;
    }
    return 0;
}

static const char *const colours[CONTROLS + 1] = {"#D55E00", "#0072B2", "#009E73"};

/* One curve a coupling; they stand in the table one after the other. */
static void curves(FILE *script, const config *c, const point *points, size_t count,
                   const char *columns)
{
    size_t curve = 0;
    char csv[4200];
    snprintf(csv, sizeof csv, "%s/curvature.csv", c->out);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && points[i].coupling == points[i - 1].coupling)
            continue;
        fputs(curve > 0 ? ", " : "plot ", script);
        plot_quote(script, csv);
        fprintf(script,
                " using (abs($1 - %.17g) < 1e-12 ? %s with linespoints pt %zu ps 0.8 lw 1.5 lc rgb "
                "'%s' title 'J = %s%.4g'",
                points[i].coupling, columns, 7 + 2 * curve, colours[curve],
                c->critical && i == 0 ? "J_c = " : "", points[i].coupling);
        curve++;
    }
}

int draw_picture(const config *c, const fits *f, const point *points, size_t count)
{
    char *script = NULL, path[4200];
    size_t size;
    if (c->size_count + c->mc_count < 2) {
        fputs("curvature: one size makes no picture\n", stderr);
        return 0;
    }
    FILE *out = open_memstream(&script, &size);
    if (out == NULL)
        return -1;
    fprintf(out,
            "set datafile separator ','\nset grid lc rgb '#bbbbbb'\nset multiplot layout 1,2 "
            "title 'Fisher curvature, %s'\nset logscale xy\nset format '10^{%%T}'\n"
            "set xlabel 'sites n'\nset ylabel '|R|'\nset key right bottom Left reverse\n"
            "set autoscale x noextend\n",
            c->model->doc);
    curves(out, c, points, count, "$3 : NaN):(abs($4))");
    if (f != NULL)
        fprintf(
            out,
            ", x*(%.17g + %.17g*log(x)) lw 1 dt 2 lc rgb '#000000' title 'n (%.3g + %.3g ln n)'",
            f->log_a, f->log_b, f->log_a, f->log_b);
    fputs("\nunset logscale y\nset format '%g'\nset xlabel 'L'\n"
          "set xtics (3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)\n"
          "set ylabel 'effective exponent'\nset key right top\nset yrange [0.9:1.3]\n",
          out);
    curves(out, c, points, count, "$8 : NaN):9");
    fprintf(out, ", %.17g lw 1 dt 2 lc rgb '#000000' title 'claim %.4f'\nunset multiplot\n",
            c->model->claim, c->model->claim);
    if (fclose(out) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/curvature", c->out);
    int drawn = plot_draw(path, 1000, 420, script);
    free(script);
    if (drawn == 1)
        fputs("curvature: no gnuplot, no picture\n", stderr);
    else if (drawn != 0)
        fputs("curvature: gnuplot failed\n", stderr);
    return drawn < 0 ? -1 : 0;
}
