/* Who is told of a step: monitors, and the message callback. */
#include "optim/front/front.h"

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

ng_status ng_optimizer_add_monitor(ng_optimizer *optimizer, ng_monitor monitor, void *data)
{
    if (optimizer == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(optimizer);
    ngi_listener listener = {monitor, data};
    if (monitor == NULL)
        return ng_error_set(error, NG_EARG, "a monitor is NULL");
    TRY(ngi_array_grow(&optimizer->listeners, &optimizer->listener_capacity,
                       optimizer->listener_count, sizeof *optimizer->listeners, error));
    optimizer->listeners[optimizer->listener_count++] = listener;
    return NG_OK;
}

ng_status ng_optimizer_set_message(ng_optimizer *optimizer, ng_message message, void *data)
{
    if (optimizer == NULL)
        return NG_EARG;
    ngi_begin(optimizer);
    optimizer->message = message;
    optimizer->message_data = data;
    return NG_OK;
}

/* ---- After a step --------------------------------------------------------------------- */

static int deliver(const ng_optimizer *optimizer, const ng_event *event)
{
    int stop = 0;
    for (size_t i = 0; i < optimizer->listener_count; i++)
        stop |= optimizer->listeners[i].call(event, optimizer->listeners[i].data) != 0;
    return stop;
}

static double gradient_norm(const ng_optimizer *optimizer, const ngi_param *param)
{
    return optimizer->staged ? param->gradient_norm
                             : hypot(ng_norm(param->g), ng_norm(param->g_bias));
}

/* Warns of roots that are out of date. */
static void warn(const ng_optimizer *optimizer)
{
    ng_error note;
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++) {
            const ngi_param *param = optimizer->groups[g]->params[i];
            if (param->report.stale == 0)
                continue;
            ng_error_set(&note, NG_OK,
                         "step %llu: parameter '%.60s' goes on with %d roots of an earlier step: "
                         "every solver failed",
                         optimizer->steps, param->name, param->report.stale);
            optimizer->message(note.text, optimizer->message_data);
        }
}

static int notify(const ng_optimizer *optimizer, double seconds)
{
    ng_event total = {.size = sizeof total,
                      .kind = NG_EVENT_STEP,
                      .step = optimizer->steps,
                      .name = "",
                      .method = "",
                      .route = "",
                      .seconds = seconds,
                      .clip_factor = optimizer->clip_factor};
    int stop = 0;
    for (size_t g = 0; g < optimizer->group_count; g++) {
        const ng_group *group = optimizer->groups[g];
        for (size_t i = 0; i < group->count; i++) {
            const ngi_param *param = group->params[i];
            const ng_polar_info *polar = &param->report.polar;
            ng_event event = {.size = sizeof event,
                              .kind = NG_EVENT_PARAMETER,
                              .step = optimizer->steps,
                              .group = group,
                              .index = i,
                              .name = param->name,
                              .method = group->method->name,
                              .gradient_norm = gradient_norm(optimizer, param),
                              .update_norm = param->report.update_norm,
                              .seconds = param->report.seconds,
                              .route = polar->route,
                              .rank = polar->rank,
                              .orthogonality_error = polar->orthogonality_error,
                              .condition = polar->condition,
                              .stale = param->report.stale,
                              .clip_factor = optimizer->clip_factor,
                              .status = param->report.status};
            total.status = total.status == NG_OK ? event.status : total.status;
            ng_options_get(group->options, "lr", &event.lr, NULL);
            event.lr *= optimizer->multiplier;
            total.gradient_norm = hypot(total.gradient_norm, event.gradient_norm);
            total.update_norm = hypot(total.update_norm, event.update_norm);
            stop |= deliver(optimizer, &event);
        }
    }
    return stop | deliver(optimizer, &total);
}

int ngi_tell(const ng_optimizer *optimizer, double seconds)
{
    if (optimizer->message != NULL)
        warn(optimizer);
    return optimizer->listener_count > 0 && notify(optimizer, seconds);
}
