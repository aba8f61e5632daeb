/* A monitor that reads the Kronecker factors of ng_steepest's metrics. */
#include <natgrad/regime_monitor.h>

#include <stdint.h>
#include <stdlib.h>

#include "lib/core/try.h"
#include "optim/front/front.h"
#include "optim/steepest/factors.h"

ng_status ng_regime_monitor_init_sized(ng_regime_monitor *monitor, size_t size)
{
    ng_regime_monitor defaults = {.size = sizeof defaults, .interval = 100};
    TRY(ngi_check_struct(monitor, size, sizeof defaults));
    ng_regime_init(&defaults.regime);
    defaults.regime.rcond = 1e-6;
    *monitor = defaults;
    return NG_OK;
}

/* The factor of this side, or an identity in its place, whose memory is *own. */
static ng_status factor(ng_mat *f, double **own, const ngi_param *param, ng_side side,
                        ng_error *error)
{
    size_t n = side == NG_LEFT ? param->rows : param->cols;
    *own = NULL;
    if (ngi_kron_has(param, side)) {
        *f = ngi_side_tensor(param, ngi_factor, side)->now;
        return NG_OK;
    }
    *own = n <= SIZE_MAX / sizeof **own / n ? calloc(n * n, sizeof **own) : NULL;
    if (*own == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a %zu x %zu identity", n, n);
    *f = ng_f64(*own, n, n);
    ng_set_identity(*f);
    return NG_OK;
}

static int tell(const ng_event *event, const ngi_param *param, const ng_regime_monitor *monitor)
{
    ng_side out = ngi_output_side(param);
    ng_error error = {NG_OK, ""};
    ng_regime_report report = {.size = sizeof report,
                               .step = event->step,
                               .group = event->group,
                               .index = event->index,
                               .name = event->name,
                               .error = error.text};
    ng_mat p, q;
    double *own_p, *own_q = NULL;
    ng_regime *regime = NULL;
    report.status = factor(&p, &own_p, param, out, &error);
    if (report.status == NG_OK)
        report.status = factor(&q, &own_q, param, ngi_other(out), &error);
    if (report.status == NG_OK) {
        report.scale_p = ng_trace(p) / (double)p.rows;
        report.scale_q = ng_trace(q) / (double)q.rows;
        report.status = ng_regime_create_kron(&regime, p, q, &monitor->regime, &error);
    }
    report.regime = regime;
    int stop = monitor->report(&report, monitor->data);
    ng_regime_destroy(regime);
    free(own_p);
    free(own_q);
    return stop;
}

int ng_regime_watch(const ng_event *event, void *data)
{
    const ng_regime_monitor *monitor = data;
    if (event == NULL || monitor == NULL || event->kind != NG_EVENT_PARAMETER ||
        monitor->size != sizeof *monitor || monitor->report == NULL || monitor->interval < 1 ||
        (event->step - 1) % (unsigned)monitor->interval != 0 ||
        event->group->method != &ngi_method_steepest)
        return 0;
    const ngi_param *param = event->group->params[event->index];
    if (!ngi_kron_has(param, NG_LEFT) && !ngi_kron_has(param, NG_RIGHT))
        return 0;
    return tell(event, param, monitor);
}
