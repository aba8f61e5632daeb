/* --spectra: spectra.csv, a row a layer and report of the spectrum of its weights, and its picture.
 */
#include "examples/train/train.h"

#include <math.h>

int spectra_open(spectra_log *log, const char *out)
{
    return layers_open(&log->layers, out, "spectra",
                       "optimizer,seed,step,layer,n,m,alpha,sigma,ks,xmin,spikes,alpha_hat,"
                       "stable_rank,lambda_max,erg_count,gap,status");
}

/* What does not exist is left out. */
static void put(FILE *to, double value)
{
    if (!isnan(value))
        fprintf(to, "%.8g", value);
    fputc(',', to);
}

static int write_row(const ng_esd_report *report, void *data)
{
    layer_log *log = data;
    const ng_esd *e = report->esd;
    layers_row(log, report->step, report->name);
    if (e == NULL) {
        log->no_memory |= report->status == NG_ENOMEM;
        fprintf(log->t.to, ",,,,,,,,,,,,%s\n", ng_status_name(report->status));
        return 0;
    }
    if (!isnan(e->tail.alpha)) /* a curve without points is an error of gnuplot's */
        layers_remember(log, report->name);
    const double columns[] = {(double)e->n,
                              (double)e->m,
                              e->tail.alpha,
                              e->tail.sigma,
                              e->tail.ks,
                              e->tail.xmin,
                              isnan(e->tail.alpha) ? (double)NAN : (double)e->tail.spikes,
                              e->alpha_hat,
                              e->stable_rank,
                              e->lambda_max,
                              isnan(e->erg.gap) ? (double)NAN : (double)e->erg.count,
                              e->erg.gap};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        put(log->t.to, columns[i]);
    fputs("NG_OK\n", log->t.to);
    return 0;
}

ng_status spectra_watch(spectra_log *log, ng_optimizer *optimizer, int interval,
                        const ng_preset *method, unsigned long seed)
{
    ng_esd_monitor_init(&log->monitor);
    log->monitor.interval = interval;
    log->monitor.report = write_row;
    log->monitor.data = &log->layers;
    layers_run(&log->layers, method, seed);
    return ng_optimizer_add_monitor(optimizer, ng_esd_watch, &log->monitor);
}

static int draw(layer_log *log)
{
    picture p;
    if (plot_open(&p) != 0)
        return 1;
    if (log->curve_count == 0)
        return plot_none(&p, &log->t, "no layer has ten eigenvalues with a tail");
    plot_table(p.script, "rows", &log->t);
    layers_begin(&p, log, "spectra of the layers' weights", 3);
    layers_panel(&p, log, "$7", "exponent alpha of the tail", "set format y '%g'\nset yrange [0:*]",
                 2, 0);
    layers_panel(&p, log, "$16", "trace-log gap", "set yrange [*:*]", 0, 0);
    layers_panel(&p, log, "$13", "stable rank", "set yrange [0:*]", (double)NAN, 1);
    return plot_draw(&p, &log->t, 1200, 400);
}

int spectra_close(spectra_log *log, int status)
{
    return layers_close(&log->layers, status, draw);
}
