/* natgrad/regime_monitor.h: the regimes of a training run, layer by layer.
 *
 *   ng_regime_monitor watch;
 *   ng_regime_monitor_init(&watch);
 *   watch.interval = 50;
 *   watch.report = write_a_line;        int (const ng_regime_report *, void *data)
 *   ng_optimizer_add_monitor(opt, ng_regime_watch, &watch);
 *
 * Every parameter whose metric keeps Kronecker factors (fismo, kfac) is reported
 * as F = P (x) Q of its factors after the step, undamped; others are not. Factors
 * that a metric scales to mean eigenvalue 1 have lost their units: then
 * alpha_scalar_unit is the number to read. A report costs an eigendecomposition
 * of each factor, in double. */
#ifndef NATGRAD_REGIME_MONITOR_H
#define NATGRAD_REGIME_MONITOR_H

#include <natgrad/optimizer.h>
#include <natgrad/regime.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t size; /* sizeof this struct in the library */
    unsigned long long step;
    const ng_group *group;
    size_t index;            /* in its group */
    const char *name;        /* of the parameter */
    const ng_regime *regime; /* for the duration of the call; NULL if there is none */
    double scale_p, scale_q; /* mean eigenvalues tr P / m and tr Q / c; an absent factor is I */
    ng_status status;        /* NG_OK, or why there is no regime: NG_ESINGULAR, NG_ENOMEM, ... */
    const char *error;       /* its text, or "" */
} ng_regime_report;

typedef struct {
    size_t size;              /* set by ng_regime_monitor_init */
    int interval;             /* reports at steps 1, 1 + interval, ...; >= 1, default 100 */
    ng_regime_options regime; /* rcond: 1e-6 here, because young factors are singular */
    /* non-zero asks to stop */
    int (*report)(const ng_regime_report *report, void *data);
    void *data; /* the callback's own */
} ng_regime_monitor;

NG_API ng_status ng_regime_monitor_init_sized(ng_regime_monitor *monitor, size_t size);
static inline ng_status ng_regime_monitor_init(ng_regime_monitor *monitor)
{
    return ng_regime_monitor_init_sized(monitor, sizeof *monitor);
}

/* An ng_monitor whose data is an ng_regime_monitor, borrowed; asks to stop when
 * the callback does. Without a callback, or with another size, does nothing. */
NG_API int ng_regime_watch(const ng_event *event, void *monitor);

#ifdef __cplusplus
}
#endif
#endif
