/* --regimes: regimes.csv, a row a layer and report of the metric's Kronecker
 * factors, and its picture. */
#include "examples/train/train.h"

#include <string.h>

int regimes_open(regime_log *log, const char *out)
{
    memset(log, 0, sizeof *log);
    return table_open(&log->t, out, "regimes",
                      "optimizer,seed,step,layer,parameters,rank,scale_p,scale_q,cond,functional,"
                      "beta_star,alpha_scalar,alpha_scalar_unit,beta_used,alpha_dir_min,"
                      "alpha_dir_max,spread,deviation,status");
}

/* A curve of the picture, once; of the first seed and the first few. */
static void remember(regime_log *log, const char *layer)
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

static int write_row(const ng_regime_report *report, void *data)
{
    regime_log *log = data;
    const ng_regime *r = report->regime;
    fprintf(log->t.to, "%s,%lu,%llu,%s,", log->method->name, log->seed, report->step, report->name);
    if (r == NULL) {
        log->no_memory |= report->status == NG_ENOMEM;
        fprintf(log->t.to, ",,%.8g,%.8g,,,,,,,,,,,%s\n", report->scale_p, report->scale_q,
                ng_status_name(report->status));
        return 0;
    }
    remember(log, report->name);
    fprintf(log->t.to, "%zu,%zu,%.8g,%.8g,%.8g,%s,%.8g,%.8g,%.8g,%.8g,%.8g,%.8g,%.8g,%.8g,NG_OK\n",
            r->n, r->rank, report->scale_p, report->scale_q, r->cond, r->functional->name,
            r->beta_star, r->alpha_scalar, r->alpha_scalar_unit, r->beta,
            ng_mat_get(r->alpha_dir, 0, 0), ng_mat_get(r->alpha_dir, 0, r->rank - 1), r->spread,
            r->deviation_fraction);
    return 0;
}

ng_status regimes_watch(regime_log *log, ng_optimizer *optimizer, int interval,
                        const ng_preset *method, unsigned long seed)
{
    ng_regime_monitor_init(&log->monitor);
    log->monitor.interval = interval;
    log->monitor.report = write_row;
    log->monitor.data = log;
    log->method = method;
    log->seed = seed;
    return ng_optimizer_add_monitor(optimizer, ng_regime_watch, &log->monitor);
}

/* y: what gnuplot shows of a row */
static void panel(FILE *script, const regime_log *log, const char *y, const char *label,
                  int logarithmic)
{
    fprintf(script, "set ylabel '%s'\n", label);
    fputs(logarithmic ? "set logscale y\nset format y '10^{%T}'\n"
                      : "unset logscale y\nset format y '%g'\nset yrange [0:1]\n",
          script);
    fputs("plot ", script);
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
    fputs("\n", script);
}

static int draw(regime_log *log)
{
    picture p;
    if (plot_open(&p) != 0)
        return 1;
    if (log->curve_count == 0)
        return plot_none(&p, &log->t, "no layer has Kronecker factors with a regime");
    plot_table(p.script, "rows", &log->t);
    plot_head(p.script, 1200, NULL, 0, "regimes of the layers' Kronecker factors, seed %lu",
              log->first_seed);
    fputs("set grid\nset border 3\nset tics nomirror out\nset xlabel 'step'\nset nokey\n"
          "set multiplot layout 1,3 margins screen 0.075,0.84,0.15,0.88 spacing screen 0.085\n",
          p.script);
    panel(p.script, log, "$9", "condition number of P x Q", 1);
    fputs("unset label\n", p.script);
    panel(p.script, log, "1 - $13", "1 - alpha_{scalar} (A) of F/(tr F/n)", 1);
    fputs("set key at screen 0.995,0.88 right top font ',9' samplen 1.5\n", p.script);
    panel(p.script, log, "$18", "deviation fraction", 0);
    fputs("unset multiplot\n", p.script);
    return plot_draw(&p, &log->t, 1200, 400);
}

int regimes_close(regime_log *log, int status)
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
