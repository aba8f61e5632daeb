/* The front: creation, the all-or-nothing step, monitors. It calls every
 * parameter's prepare, and only if all succeed every parameter's commit. */
#include "optim/front.h"

#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/clock.h"

void ng_optimizer_init(ng_optimizer_options *options)
{
    options->size = sizeof *options;
}

ng_status ng_optimizer_create(ng_optimizer **optimizer, const ng_optimizer_options *options)
{
    if (optimizer == NULL)
        return NG_EARG;
    *optimizer = NULL;
    if (options != NULL && options->size != sizeof *options)
        return NG_EOPTION;
    *optimizer = calloc(1, sizeof **optimizer);
    return *optimizer != NULL ? NG_OK : NG_ENOMEM;
}

void ng_optimizer_destroy(ng_optimizer *optimizer)
{
    if (optimizer == NULL)
        return;
    for (size_t g = 0; g < optimizer->group_count; g++)
        ngi_group_destroy(optimizer->groups[g]);
    ng_work_destroy(&optimizer->work);
    free(optimizer->groups);
    free(optimizer->listeners);
    free(optimizer);
}

ng_status ng_optimizer_add_group(ng_optimizer *optimizer, ng_group **group,
                                 const void *method_options)
{
    ng_group *added;
    if (optimizer == NULL || group == NULL)
        return NG_EARG;
    void *items = optimizer->groups;
    ng_status status = ngi_grow(&items, &optimizer->group_capacity, optimizer->group_count,
                                sizeof *optimizer->groups, &optimizer->error);
    optimizer->groups = items;
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
    void *items = optimizer->listeners;
    ng_status status = ngi_grow(&items, &optimizer->listener_capacity, optimizer->listener_count,
                                sizeof *optimizer->listeners, &optimizer->error);
    optimizer->listeners = items;
    if (status == NG_OK) {
        ngi_listener listener = {monitor, data};
        optimizer->listeners[optimizer->listener_count++] = listener;
    }
    return status;
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
    size_t bytes = sizeof *optimizer + optimizer->work.size;
    for (size_t g = 0; g < optimizer->group_count; g++) {
        const ng_group *group = optimizer->groups[g];
        bytes += sizeof *group + group->method->options_size + group->capacity * sizeof(void *);
        for (size_t i = 0; i < group->count; i++)
            bytes += ngi_param_memory(group->params[i]);
    }
    return bytes;
}

/* ---- The step ------------------------------------------------------------------ */

/* Scratch for the hungriest parameter; options may have changed since the last
 * step. All allocation of a step happens here. */
static ng_status reserve(ng_optimizer *optimizer)
{
    size_t wanted = 0;
    for (size_t g = 0; g < optimizer->group_count; g++) {
        const ng_group *group = optimizer->groups[g];
        for (size_t i = 0; i < group->count && group->method->work != NULL; i++) {
            size_t bytes = group->method->work(group->params[i], group->options);
            wanted = bytes > wanted ? bytes : wanted;
        }
    }
    if (wanted <= optimizer->work.size)
        return NG_OK;
    ng_work_destroy(&optimizer->work);
    return ng_work_create(&optimizer->work, wanted, &optimizer->error);
}

static ng_status prepare(ng_optimizer *optimizer, ng_group *group, ngi_param *param)
{
    ng_error inner = {NG_OK, ""};
    ngi_report report = {.polar = {.route = ""}, .wanted = optimizer->listener_count > 0};
    double start = ngi_clock();
    param->report = report;
    optimizer->work.used = 0;
    ng_status status = group->method->prepare(param, group->options, &optimizer->work, &inner);
    if (status != NG_OK)
        return ng_error_set(&optimizer->error, status, "parameter '%.60s' (%zu x %zu, %s): %.150s",
                            param->name, param->w.rows, param->w.cols, group->method->name,
                            inner.text);
    param->report.seconds = ngi_clock() - start;
    return NG_OK;
}

static void swap(ngi_tensor *tensor)
{
    ng_mat now = tensor->now;
    if (tensor->next.data != NULL) {
        tensor->now = tensor->next;
        tensor->next = now;
    }
}

static void commit(const ng_group *group, ngi_param *param)
{
    double start = ngi_clock();
    group->method->commit(param, group->options);
    for (int i = 0; i < NGI_TENSORS; i++)
        swap(&param->tensor[i]);
    param->step++;
    param->report.seconds += ngi_clock() - start;
}

/* ---- Telling the monitors --------------------------------------------------------- */

static int deliver(const ng_optimizer *optimizer, const ng_event *event)
{
    int stop = 0;
    for (size_t i = 0; i < optimizer->listener_count; i++)
        stop |= optimizer->listeners[i].call(event, optimizer->listeners[i].data) != 0;
    return stop;
}

static int notify(const ng_optimizer *optimizer, double seconds)
{
    ng_event total = {.size = sizeof total,
                      .kind = NG_EVENT_STEP,
                      .step = optimizer->steps,
                      .name = "",
                      .method = "",
                      .route = "",
                      .seconds = seconds};
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
                              .gradient_norm = ng_norm(param->dw),
                              .update_norm = param->report.update_norm,
                              .seconds = param->report.seconds,
                              .route = polar->route,
                              .rank = polar->rank,
                              .orthogonality_error = polar->orthogonality_error,
                              .condition = polar->condition};
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
    ng_status status = reserve(optimizer);
    for (size_t g = 0; g < optimizer->group_count && status == NG_OK; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count && status == NG_OK; i++)
            status = prepare(optimizer, optimizer->groups[g], optimizer->groups[g]->params[i]);
    if (status != NG_OK)
        return status;
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            commit(optimizer->groups[g], optimizer->groups[g]->params[i]);
    optimizer->steps++;
    if (optimizer->listener_count > 0 && notify(optimizer, ngi_clock() - start))
        return ng_error_set(&optimizer->error, NG_STOPPED, "a monitor asked to stop at step %llu",
                            optimizer->steps);
    return NG_OK;
}
