/* A monitor that reads a method's Kronecker factors. */
#include <natgrad/regime_monitor.h>

#include <natgrad/linalg.h>

#include "lib/core/mat.h"
#include "lib/core/memory.h"
#include "lib/core/try.h"
#include "optim/front/front.h"

ng_status ng_regime_monitor_init_sized(ng_regime_monitor *monitor, size_t size)
{
    ng_regime_monitor defaults = {.size = sizeof defaults, .interval = 100};
    TRY(ngi_check_struct(monitor, size, sizeof defaults));
    ng_regime_init(&defaults.regime);
    defaults.regime.rcond = 1e-6;
    *monitor = defaults;
    return NG_OK;
}

/* P and Q, an identity in the place of the one that is none. */
static ng_status complete(ng_mat *p, ng_mat *q, const ngi_param *param, ngi_pool *pool,
                          ng_error *error)
{
    int out_in = param->layout == NG_OUT_IN;
    size_t sizes[2] = {out_in ? param->rows : param->cols, out_in ? param->cols : param->rows};
    ng_mat *factors[2] = {p, q};
    for (int i = 0; i < 2; i++)
        if (ngi_is_none(*factors[i])) {
            TRY(ngi_pool_mat(pool, factors[i], sizes[i], sizes[i], NG_F64, error));
            ng_set_identity(*factors[i]);
        }
    return NG_OK;
}

static ng_status examine(ng_regime **regime, ng_regime_report *report, const ngi_param *param,
                         ng_mat p, ng_mat q, const ng_regime_options *options, ng_error *error)
{
    ngi_pool pool = {NULL};
    *regime = NULL;
    ng_status status = complete(&p, &q, param, &pool, error);
    if (status == NG_OK) {
        report->scale_p = ng_trace(p) / (double)p.rows;
        report->scale_q = ng_trace(q) / (double)q.rows;
        status = ng_regime_create_kron(regime, p, q, options, error);
    }
    return ngi_pool_close(&pool, status);
}

static int tell(const ng_event *event, const ngi_param *param, ng_mat p, ng_mat q,
                const ng_regime_monitor *monitor)
{
    ng_error error = {NG_OK, ""};
    ng_regime_report report = {.size = sizeof report,
                               .step = event->step,
                               .group = event->group,
                               .index = event->index,
                               .name = event->name,
                               .error = error.text};
    ng_regime *regime;
    report.status = examine(&regime, &report, param, p, q, &monitor->regime, &error);
    report.regime = regime;
    int stop = monitor->report(&report, monitor->data);
    ng_regime_destroy(regime);
    return stop;
}

int ng_regime_watch(const ng_event *event, void *data)
{
    const ng_regime_monitor *monitor = data;
    if (event == NULL || monitor == NULL || event->kind != NG_EVENT_PARAMETER ||
        monitor->size != sizeof *monitor || monitor->report == NULL || monitor->interval < 1 ||
        (event->step - 1) % (unsigned)monitor->interval != 0 ||
        event->group->method->factor == NULL)
        return 0;
    const ngi_param *param = event->group->params[event->index];
    ng_mat p = event->group->method->factor(param, 1), q = event->group->method->factor(param, 0);
    return param->elsewhere || (ngi_is_none(p) && ngi_is_none(q))
               ? 0
               : tell(event, param, p, q, monitor);
}
