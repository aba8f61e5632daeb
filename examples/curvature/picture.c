/* The table and the picture: |R| against n, exponents against L. */
#include <math.h>

#include "examples/curvature/curvature.h"
#include "examples/support/plot.h"

static void write_rows(FILE *csv, const point *points, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const point *p = &points[i];
        fprintf(csv, "%.17g,%zu,%.0f,%.*g,%.3g,%s,%.4g", p->coupling, p->length, p->sites,
                digits_of(p), p->curvature, p->error, p->method, p->seconds);
        /* the exponent from the exact size before, at the geometric mean of both */
        if (i > 0 && points[i - 1].coupling == p->coupling && !p->sampled)
            fprintf(csv, ",%.6g,%.8g\n", sqrt((double)p->length * (double)points[i - 1].length),
                    effective_exponent(&points[i - 1], p));
        else
            fputs(",,\n", csv);
    }
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
        if (points[i].sampled || (i > 0 && points[i].coupling == points[i - 1].coupling))
            continue;
        fprintf(script,
                "%s$rows using (abs($1 - %.17g) < 1e-12 && strcol(6) ne 'mc' ? %s with linespoints "
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
                "%s$rows using (strcol(6) eq 'mc' ? $3 : NaN):(abs($4)):5 with yerrorbars pt 2 "
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
          "set ylabel 'effective exponent'\nset key right top Left reverse font ',9' samplen 2\n"
          "set yrange [0.98:1.2]\n",
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

static int draw_picture(const config *c, const growth *const fits[2], const point *points,
                        size_t count, table *rows)
{
    picture p;
    if (plot_open(&p) != 0)
        return 1;
    if (c->size_count + c->mc_count < 2 || count < 2)
        return plot_none(&p, rows, "one size makes none");
    plot_table(p.script, "rows", rows);
    fprintf(p.script,
            "set samples 400\nset grid lc rgb '#cccccc'\n"
            "set multiplot layout 1,2 title 'Fisher curvature, %s'\n",
            c->model->doc);
    left_panel(p.script, c, fits[0], points, count);
    right_panel(p.script, c, ng_lattice_dimension(c->model->lattice) == 2 ? fits[1] : NULL, points,
                count);
    return plot_draw(&p, rows, 1200, 460);
}

int leave_files(const config *c, const growth *const fits[2], const point *points, size_t count)
{
    table rows;
    int status =
        table_open(&rows, c->out, "curvature", "J,L,n,R,error,method,seconds,middle,exponent");
    if (status == 0) {
        write_rows(rows.to, points, count);
        status = table_save(&rows);
    }
    if (status == 0)
        status = draw_picture(c, fits, points, count, &rows);
    table_free(&rows);
    return status;
}
