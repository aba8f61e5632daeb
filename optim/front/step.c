/* The step: every parameter's prepare, and only if all succeed every
 * parameter's commit; or, with atomic = parameter, all checks and then both for one after
 * the other. Over one thread or several, with the same bits. */
#include "optim/front/state.h"

#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/clock.h"
#include "lib/core/size.h"
#include "lib/core/threads.h"
#include "lib/core/try.h"
#include "lib/linalg/blas.h"

/* ---- Before: all that is allocated in a step --------------------------------------- */

ng_status ngi_step_reserve(ng_optimizer *optimizer)
{
    size_t count = optimizer->param_count;
    TRY(ngi_array_grow(&optimizer->tasks, &optimizer->task_capacity, count,
                       sizeof *optimizer->tasks, &optimizer->error));
    return ngi_array_grow(&optimizer->turns, &optimizer->turn_capacity, count,
                          sizeof *optimizer->turns, &optimizer->error);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Bytes of a thread for the step of parameter i and of those that share its inputs. */
static size_t work_of(const ng_group *group, size_t i)
{
    size_t scratch = 0, lent = 0;
    for (size_t k = i; k <= i + group->params[i]->followers; k++) {
        const ngi_param *param = group->params[k];
        if (group->method->work != NULL)
            scratch = larger(scratch, group->method->work(param, group->options));
        lent = ngi_size_add(lent, param->lent ? ngi_param_spare(param) : 0);
    }
    return ngi_size_add(lent, scratch);
}

/* Scratch for the hungriest turn or group; options may have changed since the last step. */
static ng_status reserve_work(ng_optimizer *optimizer)
{
    size_t wanted = 0;
    for (size_t g = 0; g < optimizer->group_count; g++) {
        const ng_group *group = optimizer->groups[g];
        for (size_t i = 0; i < group->count; i += 1 + group->params[i]->followers)
            wanted = larger(wanted, work_of(group, i));
        if (group->count > 0 && group->method->agree_work != NULL)
            wanted = larger(wanted, group->method->agree_work(group->params, group->count,
                                                              group->options));
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

/* The parameter's turn, or its place in that of its leader. */
static void add_task(ng_optimizer *optimizer, ng_group *group, ngi_param *param)
{
    size_t count = optimizer->task_count++;
    ngi_task *task = &optimizer->tasks[count];
    ngi_turn anew = {0, count, 0};
    task->group = group;
    task->param = param;
    task->status = NG_OK;
    if (param->leader == NULL)
        optimizer->turns[optimizer->turn_count++] = anew;
    ngi_turn *turn = &optimizer->turns[optimizer->turn_count - 1];
    turn->cost += cost(group, param);
    turn->count++;
}

static void reset_report(ngi_param *param, int wanted)
{
    ngi_report report = {.polar = {.route = ""}, .wanted = wanted};
    param->report = report;
    for (size_t i = 0; i < param->tensor_count; i++)
        param->tensor[i].fresh = 0;
}

static void leave_out(ngi_param *param)
{
    reset_report(param, 0);
    param->gradient_norm = 0;
    param->g = param->g_bias = ng_mat_none();
}

/* Of all parameters that are neither frozen nor skipped. */
static void fill_tasks(ng_optimizer *optimizer)
{
    optimizer->task_count = optimizer->turn_count = 0;
    for (size_t g = 0; g < optimizer->group_count; g++) {
        ng_group *group = optimizer->groups[g];
        group->active_count = 0;
        for (size_t i = 0; i < group->count; i++) {
            ngi_param *param = group->params[i];
            if (!ngi_active(param)) {
                leave_out(param);
                continue;
            }
            group->active[group->active_count++] = param;
            add_task(optimizer, group, param);
        }
    }
    if (optimizer->threads > 1 && optimizer->turn_count > 0)
        qsort(optimizer->turns, optimizer->turn_count, sizeof *optimizer->turns, by_cost);
}

/* ---- The two halves --------------------------------------------------------------------- */

static void set_outcome(ngi_task *task, ng_status status, const ng_error *inner)
{
    const ngi_param *param = task->param;
    task->status = status;
    if (status != NG_OK)
        ng_error_set(&task->error, status, "parameter '%.60s' (%zu x %zu, %s): %.150s", param->name,
                     param->w.rows, param->w.cols, task->group->method->name, inner->text);
}

/* What the method has made is finite: nothing else ever becomes state. */
static ng_status check_state(const ngi_param *param, ng_error *error)
{
    for (size_t i = 0; i < param->tensor_count; i++)
        if (param->tensor[i].fresh && !ng_is_finite(param->tensor[i].next))
            return ng_error_set(error, NG_ERANGE, "its %s would overflow its dtype",
                                param->tensor[i].name);
    return NG_OK;
}

static ng_status check_ready(const ngi_task *task, ng_error *error)
{
    const ng_group *group = task->group;
    for (size_t i = 0; i < task->param->tensor_count; i++) {
        const ngi_tensor *tensor = &task->param->tensor[i];
        if (tensor->foreign)
            TRY(ngi_legal_check(tensor->legal, tensor->now, tensor->name, error));
    }
    return group->method->ready != NULL ? group->method->ready(task->param, group->options, error)
                                        : NG_OK;
}

static ng_status call_prepare(ngi_task *task, ng_work *work, ng_error *error)
{
    const ng_group *group = task->group;
    ngi_blas_join(); /* a helper's callbacks are the step's */
    ng_status status = group->method->prepare(task->param, group->options, work, error);
    ngi_blas_part();
    return status;
}

static ng_status prepare_in(ngi_task *task, ng_work *work, ng_error *error)
{
    TRY(call_prepare(task, work, error));
    return check_state(task->param, error);
}

static ng_status prepare_whole(ngi_task *task, ng_work *work, ng_error *error)
{
    TRY(check_ready(task, error));
    return prepare_in(task, work, error);
}

/* Runs what follows a first failure of the turn no more: it would read what is not there. */
static void prepare_turn(ng_optimizer *optimizer, const ngi_turn *turn, ng_work *work)
{
    for (size_t i = 0; i < turn->count; i++) {
        ngi_task *task = &optimizer->tasks[turn->task + i];
        ng_error inner = {NG_OK, ""};
        double start = ngi_clock();
        reset_report(task->param, optimizer->listener_count > 0);
        work->used = 0;
        set_outcome(task, prepare_whole(task, work, &inner), &inner);
        task->param->report.seconds = ngi_clock() - start;
        if (task->status != NG_OK)
            return;
    }
}

static void prepare(void *data, size_t index, int worker)
{
    ng_optimizer *optimizer = data;
    prepare_turn(optimizer, &optimizer->turns[index], &optimizer->work[worker]);
}

/* The spare copy becomes the state: by exchange, or by a copy where it is lent. */
static void take_fresh(ngi_tensor *tensor, int lent)
{
    ng_mat now = tensor->now;
    if (!tensor->fresh)
        return;
    if (lent) {
        ng_copy(now, tensor->next, NULL);
        return;
    }
    tensor->now = tensor->next;
    tensor->next = now;
}

static void commit_task(ngi_task *task)
{
    ngi_param *param = task->param;
    double start = ngi_clock();
    task->group->method->commit(param, task->group->options);
    for (size_t i = 0; i < param->tensor_count; i++) {
        take_fresh(&param->tensor[i], param->lent);
        param->tensor[i].foreign = 0;
    }
    param->step++;
    param->captured = 0;
    param->report.seconds += ngi_clock() - start;
}

static void commit(void *data, size_t index, int worker)
{
    ng_optimizer *optimizer = data;
    const ngi_turn *turn = &optimizer->turns[index];
    (void)worker;
    for (size_t i = 0; i < turn->count; i++)
        commit_task(&optimizer->tasks[turn->task + i]);
}

/* The first failure in the order of adding, whichever thread met it. */
static ng_status first_failure(ng_optimizer *optimizer)
{
    for (size_t i = 0; i < optimizer->task_count; i++)
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
        if (group->active_count == 0 || group->method->agree == NULL)
            continue;
        optimizer->work[0].used = 0;
        ng_status status =
            group->method->agree(group->active, group->active_count, group->options, &group->joint,
                                 &optimizer->work[0], &inner);
        if (status != NG_OK)
            return ng_error_set(&optimizer->error, status, "group of '%.60s' (%s): %.170s",
                                group->active[0]->name, group->method->name, inner.text);
    }
    return NG_OK;
}

static ng_status run_halves(ng_optimizer *optimizer)
{
    size_t count = optimizer->turn_count;
    ngi_threads_run(optimizer->threads, count, prepare, optimizer);
    TRY(first_failure(optimizer));
    TRY(agree(optimizer));
    ngi_threads_run(optimizer->threads, count, commit, optimizer);
    return NG_OK;
}

/* ---- atomic = parameter ------------------------------------------------------------------- */

static ng_status check_lent(const ngi_task *task, ng_error *error)
{
    TRY(check_ready(task, error));
    return ngi_check_gradient(task->param, INFINITY, error);
}

/* All that can be known without spare copies: of a parameter that needs none, everything. */
static void check(void *data, size_t index, int worker)
{
    ng_optimizer *optimizer = data;
    const ngi_turn *turn = &optimizer->turns[index];
    if (!optimizer->tasks[turn->task].param->lent) {
        prepare_turn(optimizer, turn, &optimizer->work[worker]);
        return;
    }
    for (size_t i = 0; i < turn->count; i++) {
        ngi_task *task = &optimizer->tasks[turn->task + i];
        ng_error inner = {NG_OK, ""};
        set_outcome(task, check_lent(task, &inner), &inner);
    }
}

static ng_status prepare_alone(ngi_task *task, ng_work *work, ng_error *error)
{
    const ng_group *group = task->group;
    ngi_param *const alone[] = {task->param};
    ngi_joint nothing = {.fisher = NULL};
    size_t mark = work->used;
    TRY(ngi_param_lend(task->param, work, error));
    TRY(prepare_in(task, work, error));
    if (group->method->agree != NULL)
        TRY(group->method->agree(alone, 1, group->options, &nothing, work, error));
    work->used = mark + ngi_param_spare(task->param);
    return NG_OK;
}

/* Until one fails; its status. */
static ng_status prepare_lent(ng_optimizer *optimizer, const ngi_turn *turn, ng_work *work)
{
    work->used = 0;
    for (size_t i = 0; i < turn->count; i++) {
        ngi_task *task = &optimizer->tasks[turn->task + i];
        ng_error inner = {NG_OK, ""};
        double start = ngi_clock();
        reset_report(task->param, optimizer->listener_count > 0);
        set_outcome(task, prepare_alone(task, work, &inner), &inner);
        task->param->report.seconds = ngi_clock() - start;
        TRY(task->status);
    }
    return NG_OK;
}

/* The step passes the parameter by. */
static void leave_alone(ngi_param *param, ng_status status)
{
    reset_report(param, param->report.wanted);
    param->report.status = status;
    param->captured = 0;
}

/* Those that share inputs do it together or not at all. */
static void run_turn(void *data, size_t index, int worker)
{
    ng_optimizer *optimizer = data;
    const ngi_turn *turn = &optimizer->turns[index];
    int lent = optimizer->tasks[turn->task].param->lent;
    ng_status status =
        lent ? prepare_lent(optimizer, turn, &optimizer->work[worker]) : NG_OK;
    if (status == NG_OK)
        commit(data, index, worker);
    for (size_t i = 0; i < turn->count && lent; i++) {
        ngi_param *param = optimizer->tasks[turn->task + i].param;
        if (status != NG_OK)
            leave_alone(param, status);
        ngi_param_withdraw(param);
    }
}

/* What fails after the checks stays in its task. */
static ng_status run_singly(ng_optimizer *optimizer)
{
    size_t count = optimizer->turn_count;
    ngi_threads_run(optimizer->threads, count, check, optimizer);
    TRY(first_failure(optimizer));
    ngi_threads_run(optimizer->threads, count, run_turn, optimizer);
    return NG_OK;
}

/* ---- The whole ------------------------------------------------------------------------------ */

/* With the BLAS settings of the optimizer's threads, restored whatever happens. */
static ng_status run(ng_optimizer *optimizer)
{
    ngi_blas_use use = optimizer->threads > 0 ? NGI_BLAS_SINGLE : NGI_BLAS_AS_IT_IS;
    ngi_blas_enter(use);
    ng_status status =
        optimizer->atomic == NG_ATOMIC_STEP ? run_halves(optimizer) : run_singly(optimizer);
    ngi_blas_leave(use);
    return status;
}

static ng_status step(ng_optimizer *optimizer)
{
    TRY(reserve_work(optimizer));
    TRY(ngi_gradients_stage(optimizer));
    fill_tasks(optimizer);
    if (optimizer->task_count > 0)
        TRY(run(optimizer));
    ngi_gradients_reset(optimizer);
    optimizer->steps++;
    return NG_OK;
}

/* ---- One factor on every lr ------------------------------------------------------------------ */

static void restore_lr(ng_optimizer *optimizer, size_t groups)
{
    for (size_t g = 0; g < groups; g++)
        ng_options_set(optimizer->groups[g]->options, "lr", optimizer->groups[g]->own_lr, NULL);
}

static ng_status multiply_lr(ng_group *group, double factor, ng_error *error)
{
    TRY(ng_options_get(group->options, "lr", &group->own_lr, error));
    TRY(ng_options_set(group->options, "lr", group->own_lr * factor, error));
    ng_status status = ng_options_check(group->options, error);
    if (status != NG_OK)
        ng_options_set(group->options, "lr", group->own_lr, NULL);
    return status;
}

/* The step with it; whatever happens groups have their own again. */
static ng_status step_multiplied(ng_optimizer *optimizer)
{
    ng_status status = NG_OK;
    size_t groups = 0;
    if (optimizer->multiplier == 1)
        return step(optimizer);
    while (groups < optimizer->group_count &&
           (status = multiply_lr(optimizer->groups[groups], optimizer->multiplier,
                                 &optimizer->error)) == NG_OK)
        groups++;
    if (groups == optimizer->group_count)
        status = step(optimizer);
    restore_lr(optimizer, groups);
    return status;
}

ng_status ng_optimizer_step(ng_optimizer *optimizer)
{
    if (optimizer == NULL)
        return NG_EARG;
    double start = ngi_clock();
    ngi_begin(optimizer);
    TRY(step_multiplied(optimizer));
    ng_status status = first_failure(optimizer); /* of those that were left alone */
    ng_error error = optimizer->error;
    int stop = ngi_tell(optimizer, ngi_clock() - start);
    optimizer->error = error; /* whatever monitors called */
    if (status != NG_OK)
        return status;
    if (stop)
        return ng_error_set(&optimizer->error, NG_STOPPED, "a monitor asked to stop at step %llu",
                            optimizer->steps);
    return NG_OK;
}
