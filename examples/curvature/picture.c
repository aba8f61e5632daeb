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
        /* the exponent from the exact size before, at the geometric mean of both */
        if (i > 0 && points[i - 1].coupling == p->coupling && p->error == 0)
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

static const char *separator(int *curves)
{
    return (*curves)++ > 0 ? ", " : "plot ";
}

/* Exact values, one curve a coupling; they stand in the table one after the other. */
static void exact_curves(FILE *script, int *curves, const config *c, const point *points,
                         size_t count, const char *columns)
{
    size_t curve = 0;
    for (size_t i = 0; i < count; i++) {
        if (points[i].error > 0 || (i > 0 && points[i].coupling == points[i - 1].coupling))
            continue;
        fprintf(script,
                "%scsv using (abs($1 - %.17g) < 1e-12 && strcol(6) ne 'mc' ? %s with linespoints "
                "pt %zu ps 0.7 lw 1.5 lc rgb '%s' title 'J = %.4g%s'",
                separator(curves), points[i].coupling, columns, 7 + 2 * curve, colours[curve],
                points[i].coupling, c->critical && curve == 0 ? ", critical" : "");
        curve++;
    }
}

static void left_panel(FILE *out, const config *c, const growth *g, const point *points,
                       size_t count)
{
    int curves = 0;
    fputs("set logscale xy\nset format '10^{%T}'\nset xlabel 'sites n'\nset ylabel '|R|'\n"
          "set key left top Left reverse\nset xrange [5:*]\n",
          out);
    exact_curves(out, &curves, c, points, count, "$3 : NaN):(abs($4))");
    if (c->mc_count > 0)
        fprintf(out,
                "%scsv using (strcol(6) eq 'mc' ? $3 : NaN):(abs($4)):5 with yerrorbars pt 2 "
                "lc rgb '#CC79A7' title 'Monte Carlo'",
                separator(&curves));
    if (g != NULL)
        fprintf(out,
                ", %.17g*x**%.17g lw 1 dt 3 lc rgb '#000000' title '%.3g n^{%.4g}'"
                ", x*(%.17g + %.17g*log(x)) lw 1 dt 2 lc rgb '#000000' title 'n (%.3g %+.3g ln n)'",
                g->power_a, g->power_d, g->power_a, g->power_d, g->log_a, g->log_b, g->log_a,
                g->log_b);
    fputs("\n", out);
}

/* The exponent of the corrected law, d ln|R| / d ln n, goes on where the data end. */
static void right_panel(FILE *out, const config *c, const growth *g, const point *points,
                        size_t count)
{
    int curves = 0;
    fputs("unset logscale y\nset format '%g'\nset xlabel 'L'\nset xrange [3:128]\n"
          "set xtics (3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)\n"
          "set ylabel 'effective exponent'\nset key right center Left reverse\n"
          "set yrange [0.98:1.18]\n",
          out);
    exact_curves(out, &curves, c, points, count, "$8 : NaN):9");
    fprintf(out, "%s%.17g lw 1 lc rgb '#888888' title 'claim %.4f'", separator(&curves),
            c->model->claim, c->model->claim);
    if (g != NULL)
        fprintf(out,
                ", x < %zu ? NaN : 1 + (%.17g - %.17g/(2*x))/(%.17g + 2*%.17g*log(x) + %.17g/x) "
                "lw 1.5 dt 2 lc rgb '#000000' title 'n (a + b ln n + c/L) fitted from L = %zu'",
                g->from, g->log_b, g->log_c, g->log_a, g->log_b, g->log_c, g->from);
    fputs("\nunset multiplot\n", out);
}

int draw_picture(const config *c, const growth *const fits[2], const point *points, size_t count)
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
    snprintf(path, sizeof path, "%s/curvature.csv", c->out);
    fputs("set datafile separator ','\nset samples 400\nset grid lc rgb '#cccccc'\ncsv = ", out);
    plot_quote(out, path);
    fprintf(out, "\nset multiplot layout 1,2 title 'Fisher curvature, %s'\n", c->model->doc);
    left_panel(out, c, fits[0], points, count);
    right_panel(out, c, ng_lattice_dimension(c->model->lattice) == 2 ? fits[1] : NULL, points,
                count);
    if (fclose(out) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/curvature", c->out);
    int drawn = plot_draw(path, 1000, 440, script);
    free(script);
    if (drawn == 1)
        fputs("curvature: no gnuplot, no picture\n", stderr);
    else if (drawn != 0)
        fputs("curvature: gnuplot failed\n", stderr);
    return drawn < 0 ? -1 : 0;
}
