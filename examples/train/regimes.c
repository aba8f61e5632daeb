/* --regimes: regimes.csv, a row a layer and report of the metric's Kronecker
 * factors, and its picture. */
#define _POSIX_C_SOURCE 200809L
#include "examples/train/train.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/plot.h"

int regimes_open(regime_log *log, const char *out)
{
    memset(log, 0, sizeof *log);
    snprintf(log->path, sizeof log->path, "%s/regimes", out);
    char csv[sizeof log->path + 8];
    snprintf(csv, sizeof csv, "%s.csv", log->path);
    log->csv = fopen(csv, "w");
    if (log->csv == NULL) {
        fprintf(stderr, "train: cannot write %s: %s\n", csv, strerror(errno));
        return 1;
    }
    fputs("optimizer,seed,step,layer,parameters,rank,scale_p,scale_q,cond,functional,beta_star,"
          "alpha_scalar,alpha_scalar_unit,beta_used,alpha_dir_min,alpha_dir_max,spread,deviation,"
          "status\n",
          log->csv);
    return 0;
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
    fprintf(log->csv, "%s,%lu,%llu,%s,", log->method->name, log->seed, report->step, report->name);
    if (r == NULL) {
        fprintf(log->csv, ",,%.8g,%.8g,,,,,,,,,,,%s\n", report->scale_p, report->scale_q,
                ng_status_name(report->status));
        return 0;
    }
    remember(log, report->name);
    fprintf(log->csv, "%zu,%zu,%.8g,%.8g,%.8g,%s,%.8g,%.8g,%.8g,%.8g,%.8g,%.8g,%.8g,%.8g,NG_OK\n",
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
static void panel(FILE *script, const regime_log *log, const char *csv, const char *y,
                  const char *label, int logarithmic)
{
    fprintf(script, "set ylabel '%s'\n", label);
    fputs(logarithmic ? "set logscale y\nset format y '10^{%T}'\n"
                      : "unset logscale y\nset format y '%g'\nset yrange [0:1]\n",
          script);
    fputs("plot ", script);
    for (size_t i = 0; i < log->curve_count; i++) {
        fputs(i > 0 ? ", " : "", script);
        plot_quote(script, csv);
        fprintf(script,
                " using (strcol(1) eq '%s' && strcol(4) eq '%s' && $2 == %lu ? $3 : NaN):(%s) "
                "with linespoints lw 2 pt 7 ps 0.4 lt %zu title '%s %s' noenhanced",
                log->curves[i].method->name, log->curves[i].layer, log->first_seed, y, i + 1,
                log->curves[i].method->name, log->curves[i].layer);
    }
    fputs("\n", script);
}

int regimes_close(regime_log *log)
{
    char csv[sizeof log->path + 8], *text = NULL;
    size_t size;
    snprintf(csv, sizeof csv, "%s.csv", log->path);
    if (fclose(log->csv) != 0) {
        fprintf(stderr, "train: cannot write %s: %s\n", csv, strerror(errno));
        return 1;
    }
    FILE *script = log->curve_count > 0 ? open_memstream(&text, &size) : NULL;
    if (script == NULL) {
        printf("regimes: %s (no picture: no layer has Kronecker factors with a regime)\n", csv);
        return 0;
    }
    fputs("set datafile separator ','\nset datafile missing NaN\nset grid\nset border 3\n"
          "set tics nomirror out\nset xlabel 'step'\nset nokey\nset colorsequence podo\n"
          "set multiplot layout 1,3 margins screen 0.075,0.84,0.15,0.93 spacing screen 0.085\n",
          script);
    panel(script, log, csv, "$9", "condition number of P x Q", 1);
    panel(script, log, csv, "1 - $13", "1 - alpha_{scalar} (A) of F/(tr F/n)", 1);
    fputs("set key at screen 0.995,0.93 right top font ',9' samplen 1.5\n", script);
    panel(script, log, csv, "$18", "deviation fraction", 0);
    fputs("unset multiplot\n", script);
    int status = fclose(script) != 0 ? -1 : plot_draw(log->path, 1200, 400, text);
    free(text);
    if (status == 0)
        printf("regimes: %s, %s.svg, %s.png\n", csv, log->path, log->path);
    else
        printf("regimes: %s (no picture: gnuplot %s)\n", csv,
               status == 1 ? "is not installed" : "failed");
    return 0;
}
