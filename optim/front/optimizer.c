/* The front: creation, groups, monitors. The step itself is in step.c. */
#include "optim/front/front.h"

#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/clock.h"
#include "lib/core/memory.h"
#include "lib/linalg/blas.h"

enum { MAX_THREADS = 256 };

void ng_optimizer_init(ng_optimizer_options *options)
{
    ng_optimizer_options defaults = {.size = sizeof defaults};
    *options = defaults;
}

ng_status ng_optimizer_create(ng_optimizer **result, const ng_optimizer_options *options)
{
    if (result == NULL)
        return NG_EARG;
    *result = NULL;
    if (options != NULL && (options->size != sizeof *options || options->threads < 0 ||
                            options->threads > MAX_THREADS || !(options->clip_value >= 0) ||
                            !(options->clip_norm >= 0)))
        return NG_EOPTION;
    int threads = options != NULL ? options->threads : 0;
    if (threads > 0 && ngi_blas_threads() == 0)
        return NG_EUNSUPPORTED;
    ng_optimizer *optimizer = calloc(1, sizeof *optimizer);
    if (optimizer == NULL)
        return NG_ENOMEM;
    optimizer->threads = threads;
    optimizer->clip_value = options != NULL ? options->clip_value : 0;
    optimizer->clip_norm = options != NULL ? options->clip_norm : 0;
    optimizer->clip_factor = 1;
    optimizer->work = calloc(threads > 0 ? (size_t)threads : 1, sizeof *optimizer->work);
    if (optimizer->work == NULL) {
        free(optimizer);
        return NG_ENOMEM;
    }
    *result = optimizer;
    return NG_OK;
}

void ng_optimizer_destroy(ng_optimizer *optimizer)
{
    if (optimizer == NULL)
        return;
    for (size_t g = 0; g < optimizer->group_count; g++)
        ngi_group_destroy(optimizer->groups[g]);
    for (int i = 0; i < (optimizer->threads > 0 ? optimizer->threads : 1); i++)
        ng_work_destroy(&optimizer->work[i]);
    free(optimizer->work);
    free(optimizer->tasks);
    free(optimizer->turns);
    free(optimizer->groups);
    free(optimizer->listeners);
    free(optimizer);
}

ng_status ng_optimizer_add_group(ng_optimizer *optimizer, ng_group **group,
                                 const void *method_options)
{
    ng_group *added;
    if (group == NULL)
        return NG_EARG;
    *group = NULL; /* so that a caller who tests only later is refused and not lost */
    if (optimizer == NULL)
        return NG_EARG;
    ng_status status =
        ngi_array_grow(&optimizer->groups, &optimizer->group_capacity, optimizer->group_count,
                       sizeof *optimizer->groups, &optimizer->error);
    if (status == NG_OK)
        status = ngi_group_create(&added, optimizer, method_options);
    if (status == NG_OK)
        *group = optimizer->groups[optimizer->group_count++] = added;
    return status;
}

ng_status ng_optimizer_add_monitor(ng_optimizer *optimizer, ng_monitor monitor, void *data)
{
    if (optimizer == NULL || monitor == NULL)
        return NG_EARG;
    ng_status status = ngi_array_grow(&optimizer->listeners, &optimizer->listener_capacity,
                                      optimizer->listener_count, sizeof *optimizer->listeners,
                                      &optimizer->error);
    if (status == NG_OK) {
        ngi_listener listener = {monitor, data};
        optimizer->listeners[optimizer->listener_count++] = listener;
    }
    return status;
}

ng_status ng_optimizer_set_message(ng_optimizer *optimizer, ng_message message, void *data)
{
    if (optimizer == NULL)
        return NG_EARG;
    optimizer->message = message;
    optimizer->message_data = data;
    return NG_OK;
}

const char *ng_optimizer_error(const ng_optimizer *optimizer)
{
    return optimizer != NULL ? optimizer->error.text : "";
}

unsigned long long ng_optimizer_steps(const ng_optimizer *optimizer)
{
    return optimizer->steps;
}

size_t ng_optimizer_memory(const ng_optimizer *optimizer)
{
    size_t bytes = sizeof *optimizer + optimizer->task_capacity * sizeof *optimizer->tasks +
                   optimizer->turn_capacity * sizeof *optimizer->turns +
                   optimizer->group_capacity * sizeof *optimizer->groups +
                   optimizer->listener_capacity * sizeof *optimizer->listeners;
    for (int i = 0; i < (optimizer->threads > 0 ? optimizer->threads : 1); i++)
        bytes += optimizer->work[i].size;
    for (size_t g = 0; g < optimizer->group_count; g++) {
        const ng_group *group = optimizer->groups[g];
        bytes += sizeof *group + group->method->options_size + group->capacity * sizeof(void *);
        for (size_t i = 0; i < group->count; i++)
            bytes += ngi_param_memory(group->params[i]);
    }
    return bytes;
}

/* ---- Telling the monitors --------------------------------------------------------- */

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
                             : hypot(ng_norm(param->dw), ng_norm(param->dbias));
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
                              .clip_factor = optimizer->clip_factor};
            ng_options_get(group->options, "lr", &event.lr, NULL);
            total.gradient_norm = hypot(total.gradient_norm, event.gradient_norm);
            total.update_norm = hypot(total.update_norm, event.update_norm);
            stop |= deliver(optimizer, &event);
        }
    }
    return stop | deliver(optimizer, &total);
}

ng_status ng_optimizer_step(ng_optimizer *optimizer)
{
    if (optimizer == NULL)
        return NG_EARG;
    double start = ngi_clock();
    ng_status status = ngi_step(optimizer);
    if (status != NG_OK)
        return status;
    optimizer->steps++;
    if (optimizer->message != NULL)
        warn(optimizer);
    if (optimizer->listener_count > 0 && notify(optimizer, ngi_clock() - start))
        return ng_error_set(&optimizer->error, NG_STOPPED, "a monitor asked to stop at step %llu",
                            optimizer->steps);
    return NG_OK;
}
