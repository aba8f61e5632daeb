/* Tables with a row a layer, on the way through a run, and their pictures. */
#include "examples/train/train.h"

#include <math.h>
#include <string.h>

int layers_open(layer_log *log, const char *out, const char *name, const char *header)
{
    memset(log, 0, sizeof *log);
    return table_open(&log->t, out, name, header);
}

int layers_close(layer_log *log, int status, int (*draw)(layer_log *log))
{
    if (status == 0 && log->no_memory)
        status = program_no_memory();
    if (status == 0)
        status = table_save(&log->t);
    if (status == 0 && !program_hushed())
        status = draw(log);
    table_free(&log->t);
    return status;
}

void layers_run(layer_log *log, const ng_preset *method, unsigned long seed)
{
    log->method = method;
    log->seed = seed;
}

void layers_row(layer_log *log, unsigned long long step, const char *layer)
{
    log->last = step > log->last ? step : log->last;
    fprintf(log->t.to, "%s,%lu,%llu,%s,", log->method->name, log->seed, step, layer);
}

void layers_remember(layer_log *log, const char *layer)
{
    for (size_t i = 0; i < log->curve_count; i++)
        if (strcmp(log->curves[i].layer, layer) == 0 && log->curves[i].method == log->method)
            return;
    if (log->curve_count == MAX_CURVES || (log->curve_count > 0 && log->seed != log->first_seed))
        return;
    log->first_seed = log->seed;
    log->curves[log->curve_count].method = log->method;
    snprintf(log->curves[log->curve_count++].layer, sizeof log->curves->layer, "%s", layer);
}

/* 1, 2 or 5 times a power of ten: about five of them to `last` */
static double interval(double last)
{
    double power = pow(10, floor(log10(last / 5))), share = last / 5 / power;
    return (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10) * power;
}

void layers_begin(picture *p, const layer_log *log, const char *title, int panels)
{
    plot_head(p->script, 1200, NULL, 0, "%s, seed %lu", title, log->first_seed);
    fprintf(p->script,
            "set grid\nset border 3\nset tics nomirror out\nset xrange [0:*]\nset xtics %g\n"
            "set xlabel 'step'\nset nokey\n"
            "set multiplot layout 1,%d margins screen 0.075,0.84,0.15,0.88 spacing screen 0.085\n",
            interval((double)log->last), panels);
}

void layers_panel(picture *p, const layer_log *log, const char *y, const char *label,
                  const char *axis, double level, int last)
{
    FILE *script = p->script;
    if (last)
        fputs("set key at screen 0.995,0.88 right top font ',9' samplen 1.5\n", script);
    fprintf(script, "set ylabel '%s'\n%s\nplot ", label, axis);
    if (!isnan(level))
        fprintf(script, "%g dt 2 lc rgb '#888888' notitle, ", level);
    for (size_t i = 0, layer = 0; i < log->curve_count; i++) {
        char title[128];
        plot_style style = plot_method(log->curves[i].method->name);
        layer = i > 0 && log->curves[i].method == log->curves[i - 1].method ? layer + 1 : 0;
        snprintf(title, sizeof title, "%s %s", style.name, log->curves[i].layer);
        fprintf(script, "%s$rows using (strcol(1) eq '%s' && strcol(4) eq ", i > 0 ? ", " : "",
                style.name);
        plot_quote(script, log->curves[i].layer);
        fprintf(script,
                " && $2 == %lu ? $3 : NaN):(%s) with linespoints lw 2 pt %zu ps 0.7 dt %zu "
                "lc rgb '%s' title ",
                log->first_seed, y, layer + 4, layer % 5 + 1, style.colour);
        plot_quote(script, title);
        fputs(" noenhanced", script);
    }
    fprintf(script, "\n%s\n", last ? "unset multiplot" : "unset label");
}
