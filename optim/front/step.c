/* The step: every parameter's prepare, and only if all succeed every
 * parameter's commit; over one thread or several, with the same bits. */
#include "optim/front/front.h"

#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/clock.h"
#include "lib/linalg/blas.h"
#include "lib/core/threads.h"
#include "lib/core/try.h"

/* ---- Before: all that is allocated in a step --------------------------------------- */

ng_status ngi_step_reserve(ng_optimizer *optimizer)
{
    size_t count = optimizer->param_count;
    TRY(ngi_array_grow(&optimizer->tasks, &optimizer->task_capacity, count,
                       sizeof *optimizer->tasks, &optimizer->error));
    return ngi_array_grow(&optimizer->turns, &optimizer->turn_capacity, count,
                          sizeof *optimizer->turns, &optimizer->error);
}

/* Scratch for the hungriest parameter or group; options may have changed since
 * the last step. */
static ng_status reserve_work(ng_optimizer *optimizer)
{
    size_t wanted = 0;
    for (size_t g = 0; g < optimizer->group_count; g++) {
        const ng_group *group = optimizer->groups[g];
        for (size_t i = 0; i < group->count && group->method->work != NULL; i++) {
            size_t bytes = group->method->work(group->params[i], group->options);
            wanted = bytes > wanted ? bytes : wanted;
        }
        if (group->count > 0 && group->method->agree_work != NULL) {
            size_t bytes = group->method->agree_work(group->params, group->count, group->options);
            wanted = bytes > wanted ? bytes : wanted;
        }
    }
    for (int i = 0; i < (optimizer->threads > 0 ? optimizer->threads : 1); i++) {
        if (wanted <= optimizer->work[i].size)
            continue;
        ng_work_destroy(&optimizer->work[i]);
        TRY(ng_work_create(&optimizer->work[i], wanted, &optimizer->error));
    }
    return NG_OK;
}

/* What a step costs, roughly: a product with the smaller side, or one pass. */
static double cost(const ng_group *group, const ngi_param *param)
{
    double m = (double)param->w.rows, n = (double)param->w.cols;
    return m * n * (group->method->elementwise ? 1 : (m < n ? m : n));
}

/* Costliest first, then in the order of adding. */
static int by_cost(const void *a, const void *b)
{
    const ngi_turn *x = a, *y = b;
    if (x->cost != y->cost)
        return x->cost < y->cost ? 1 : -1;
    return (x->task > y->task) - (x->task < y->task);
}

static void fill_tasks(ng_optimizer *optimizer)
{
    size_t count = 0;
    for (size_t g = 0; g < optimizer->group_count; g++) {
        ng_group *group = optimizer->groups[g];
        for (size_t i = 0; i < group->count; i++, count++) {
            ngi_task *task = &optimizer->tasks[count];
            task->group = group;
            task->param = group->params[i];
            task->status = NG_OK;
            optimizer->turns[count].cost = cost(group, task->param);
            optimizer->turns[count].task = count;
        }
    }
    if (optimizer->threads > 1 && count > 0)
        qsort(optimizer->turns, count, sizeof *optimizer->turns, by_cost);
}

/* ---- The two halves --------------------------------------------------------------------- */

/* What the method has made is finite: nothing else ever becomes state. */
static ng_status check_state(const ngi_param *param, ng_error *error)
{
    for (size_t i = 0; i < param->tensor_count; i++)
        if (param->tensor[i].fresh && !ng_is_finite(param->tensor[i].next))
            return ng_error_set(error, NG_ERANGE, "its %s would overflow its dtype",
                                param->tensor[i].name);
    return NG_OK;
}

static void prepare(void *data, size_t index, int worker)
{
    ng_optimizer *optimizer = data;
    ngi_task *task = &optimizer->tasks[optimizer->turns[index].task];
    ngi_param *param = task->param;
    ng_work *work = &optimizer->work[worker];
    ngi_report report = {.polar = {.route = ""}, .wanted = optimizer->listener_count > 0};
    ng_error inner = {NG_OK, ""};
    double start = ngi_clock();
    param->report = report;
    for (size_t i = 0; i < param->tensor_count; i++)
        param->tensor[i].fresh = 0;
    work->used = 0;
    ngi_blas_join(); /* a helper's callbacks are the step's */
    task->status = task->group->method->prepare(param, task->group->options, work, &inner);
    ngi_blas_part();
    if (task->status == NG_OK)
        task->status = check_state(param, &inner);
    if (task->status != NG_OK)
        ng_error_set(&task->error, task->status, "parameter '%.60s' (%zu x %zu, %s): %.150s",
                     param->name, param->w.rows, param->w.cols, task->group->method->name,
                     inner.text);
    param->report.seconds = ngi_clock() - start;
}

static void swap_fresh(ngi_tensor *tensor)
{
    ng_mat now = tensor->now;
    if (tensor->fresh) {
        tensor->now = tensor->next;
        tensor->next = now;
    }
}

static void commit(void *data, size_t index, int worker)
{
    ng_optimizer *optimizer = data;
    ngi_task *task = &optimizer->tasks[optimizer->turns[index].task];
    ngi_param *param = task->param;
    double start = ngi_clock();
    (void)worker;
    task->group->method->commit(param, task->group->options);
    for (size_t i = 0; i < param->tensor_count; i++)
        swap_fresh(&param->tensor[i]);
    param->step++;
    param->captured = 0;
    param->report.seconds += ngi_clock() - start;
}

/* The first failure in the order of adding, whichever thread met it. */
static ng_status first_failure(ng_optimizer *optimizer, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (optimizer->tasks[i].status != NG_OK) {
            optimizer->error = optimizer->tasks[i].error;
            return optimizer->tasks[i].status;
        }
    return NG_OK;
}

static ng_status agree(ng_optimizer *optimizer)
{
    for (size_t g = 0; g < optimizer->group_count; g++) {
        ng_group *group = optimizer->groups[g];
        ng_error inner = {NG_OK, ""};
        if (group->count == 0 || group->method->agree == NULL)
            continue;
        optimizer->work[0].used = 0;
        ng_status status = group->method->agree(group->params, group->count, group->options,
                                                &group->joint, &optimizer->work[0], &inner);
        if (status != NG_OK)
            return ng_error_set(&optimizer->error, status, "group of '%.60s' (%s): %.170s",
                                group->params[0]->name, group->method->name, inner.text);
    }
    return NG_OK;
}

static ng_status run_halves(ng_optimizer *optimizer)
{
    size_t count = optimizer->param_count;
    ngi_threads_run(optimizer->threads, count, prepare, optimizer);
    TRY(first_failure(optimizer, count));
    TRY(agree(optimizer));
    ngi_threads_run(optimizer->threads, count, commit, optimizer);
    return NG_OK;
}

/* With the BLAS settings of the optimizer's threads, restored whatever happens. */
static ng_status run(ng_optimizer *optimizer)
{
    ngi_blas_use use = optimizer->threads > 0 ? NGI_BLAS_SINGLE : NGI_BLAS_AS_IT_IS;
    ngi_blas_enter(use);
    ng_status status = run_halves(optimizer);
    ngi_blas_leave(use);
    return status;
}

static ng_status step(ng_optimizer *optimizer)
{
    TRY(reserve_work(optimizer));
    TRY(ngi_gradients_stage(optimizer));
    fill_tasks(optimizer);
    if (optimizer->param_count > 0)
        TRY(run(optimizer));
    ngi_gradients_reset(optimizer);
    return NG_OK;
}

ng_status ng_optimizer_step(ng_optimizer *optimizer)
{
    if (optimizer == NULL)
        return NG_EARG;
    double start = ngi_clock();
    ngi_begin(optimizer);
    TRY(step(optimizer));
    optimizer->steps++;
    if (ngi_tell(optimizer, ngi_clock() - start))
        return ng_error_set(&optimizer->error, NG_STOPPED, "a monitor asked to stop at step %llu",
                            optimizer->steps);
    return NG_OK;
}
