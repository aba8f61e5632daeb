/* --regimes: regimes.csv, a row a layer and report of the metric's Kronecker
 * factors, and its picture. */
#include "examples/train/train.h"

#include <math.h>

int regimes_open(regime_log *log, const char *out)
{
    return layers_open(&log->layers, out, "regimes",
                       "optimizer,seed,step,layer,parameters,rank,scale_p,scale_q,cond,functional,"
                       "beta_star,alpha_scalar,alpha_scalar_unit,beta_used,alpha_dir_min,"
                       "alpha_dir_max,spread,deviation,status");
}

static int write_row(const ng_regime_report *report, void *data)
{
    layer_log *log = data;
    const ng_regime *r = report->regime;
    layers_row(log, report->step, report->name);
    if (r == NULL) {
        log->no_memory |= report->status == NG_ENOMEM;
        fprintf(log->t.to, ",,%.8g,%.8g,,,,,,,,,,,%s\n", report->scale_p, report->scale_q,
                ng_status_name(report->status));
        return 0;
    }
    layers_remember(log, report->name);
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
    log->monitor.data = &log->layers;
    layers_run(&log->layers, method, seed);
    return ng_optimizer_add_monitor(optimizer, ng_regime_watch, &log->monitor);
}

static int draw(layer_log *log)
{
    static const char powers[] = "set logscale y\nset format y '10^{%T}'";
    picture p;
    if (plot_open(&p) != 0)
        return 1;
    if (log->curve_count == 0)
        return plot_none(&p, &log->t, "no layer has Kronecker factors with a regime");
    plot_table(p.script, "rows", &log->t);
    layers_begin(&p, log, "regimes of the layers' Kronecker factors", 3);
    layers_panel(&p, log, "$9", "condition number of P x Q", powers, (double)NAN, 0);
    layers_panel(&p, log, "1 - $13", "1 - alpha_{scalar} (A) of F/(tr F/n)", powers, (double)NAN,
                 0);
    layers_panel(&p, log, "$18", "deviation fraction",
                 "unset logscale y\nset format y '%g'\nset yrange [0:1]", (double)NAN, 1);
    return plot_draw(&p, &log->t, 1200, 400);
}

int regimes_close(regime_log *log, int status)
{
    return layers_close(&log->layers, status, draw);
}
