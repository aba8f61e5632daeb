/* A monitor that looks at the spectra of the weights. */
#include <natgrad/esd_monitor.h>

#include <natgrad/linalg.h>

#include "lib/core/memory.h"
#include "lib/core/try.h"
#include "optim/front/front.h"

ng_status ng_esd_monitor_init_sized(ng_esd_monitor *monitor, size_t size)
{
    ng_esd_monitor defaults = {.size = sizeof defaults, .interval = 1000};
    TRY(ngi_check_struct(monitor, size, sizeof defaults));
    ng_esd_init(&defaults.options);
    *monitor = defaults;
    return NG_OK;
}

static int due(const ng_event *event, const ng_esd_monitor *monitor)
{
    return event != NULL && monitor != NULL && event->kind == NG_EVENT_PARAMETER &&
           monitor->size == sizeof *monitor && monitor->report != NULL && monitor->interval >= 1 &&
           !monitor->options.in_place && (event->step - 1) % (unsigned)monitor->interval == 0;
}

/* Sixteen bits are measured as f32. */
static ng_status measure(ng_esd *esd, const ngi_param *param, const ng_esd_options *options,
                         ngi_pool *pool, ng_error *error)
{
    ng_mat w = ngi_own_weights(param), own = w;
    if (param->half.rows > 0) {
        TRY(ngi_pool_mat(pool, &w, own.rows, own.cols, NG_F32, error));
        TRY(ng_copy(w, own, error));
    }
    return ng_esd_measure(esd, ng_mat_none(), w, options, error);
}

int ng_esd_watch(const ng_event *event, void *data)
{
    const ng_esd_monitor *monitor = data;
    if (!due(event, monitor))
        return 0;
    const ngi_param *param = event->group->params[event->index];
    if (param->w.rows < monitor->options.least || param->w.cols < monitor->options.least)
        return 0;
    ng_esd esd;
    ng_error error = {NG_OK, ""};
    ngi_pool pool = {NULL};
    ng_status status = measure(&esd, param, &monitor->options, &pool, &error);
    status = ngi_pool_close(&pool, status);
    ng_esd_report report = {.size = sizeof report,
                            .step = event->step,
                            .group = event->group,
                            .index = event->index,
                            .name = event->name,
                            .esd = status == NG_OK ? &esd : NULL,
                            .status = status,
                            .error = error.text};
    return monitor->report(&report, monitor->data);
}
