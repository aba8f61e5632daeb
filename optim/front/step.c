/* The step: every parameter's prepare, and only if all succeed every
 * parameter's commit; or, with atomic = parameter, all checks and then both for one after
 * the other. Over one thread or several, with the same bits. */
#include "optim/front/state.h"

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/clock.h"
#include "lib/core/threads.h"
#include "lib/core/try.h"
#include "lib/linalg/blas.h"

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
        if (param->tensor[i].fresh && !ng_is_finite(ngi_newest(&param->tensor[i])))
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
    return group->method->ready != NULL
               ? group->method->ready(task->param, group->joint.options, error)
               : NG_OK;
}

static ng_status call_prepare(ngi_task *task, ng_work *work, ng_error *error)
{
    const ng_group *group = task->group;
    ngi_blas_join(); /* a helper's callbacks are the step's */
    ng_status status = group->method->prepare(task->param, group->joint.options, work, error);
    ngi_blas_part();
    return status;
}

/* Element-wise methods convert as they go (optim/methods/elementwise.h). */
static int takes_whole(const ngi_task *task)
{
    return !task->group->method->elementwise;
}

static ng_status prepare_in(ngi_task *task, ng_work *work, ng_error *error)
{
    if (takes_whole(task))
        TRY(ngi_narrow_open(task->param, 0, work, error));
    ng_status status = call_prepare(task, work, error);
    if (takes_whole(task))
        ngi_narrow_close(task->param, 0);
    return status == NG_OK ? check_state(task->param, error) : status;
}

static ng_status prepare_whole(ngi_task *task, ng_work *work, ng_error *error)
{
    if (task->param->elsewhere)
        return ngi_check_gradient(task->param, INFINITY, error);
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
        ngi_report_reset(task->param, optimizer->listener_count > 0);
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
    const ngi_turn *turn = &optimizer->turns[index];
    if (optimizer->tasks[turn->task].group->joint.again)
        prepare_turn(optimizer, turn, &optimizer->work[worker]);
}

/* The spare copy becomes the state: by exchange, or by a copy where it is lent. */
static void take_fresh(ngi_tensor *tensor, int lent)
{
    ng_mat now = tensor->now;
    tensor->renewed = 0;
    if (!tensor->fresh || tensor->triangle != NGI_WHOLE)
        return;
    if (lent) {
        ng_copy(now, tensor->next, NULL);
        return;
    }
    tensor->now = tensor->next;
    tensor->next = now;
}

/* What narrow_open takes of work was reserved. */
static void commit_task(ngi_task *task, ng_work *work)
{
    ngi_param *param = task->param;
    double start = ngi_clock();
    size_t mark = work->used;
    if (param->elsewhere)
        ngi_param_restore(param); /* to be given the owner's */
    else {
        if (takes_whole(task))
            ngi_narrow_open(param, 1, work, NULL);
        task->group->method->commit(param, task->group->joint.options);
        if (takes_whole(task))
            ngi_narrow_close(param, 1);
    }
    work->used = mark;
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
    ng_work *work = &optimizer->work[worker];
    if (!optimizer->tasks[turn->task].param->lent)
        work->used = 0;
    for (size_t i = 0; i < turn->count; i++)
        commit_task(&optimizer->tasks[turn->task + i], work);
}

/* The first failure in the order of adding, whichever thread met it. */
static ng_status first_failure(ng_optimizer *optimizer)
{
    for (size_t i = 0; i < optimizer->task_count; i++)
        if (optimizer->tasks[i].status != NG_OK) {
            optimizer->error = optimizer->tasks[i].error;
            optimizer->culprit = optimizer->tasks[i].param;
            return optimizer->tasks[i].status;
        }
    return NG_OK;
}

static ng_status agree(ng_optimizer *optimizer)
{
    for (size_t g = 0; g < optimizer->group_count; g++) {
        ng_group *group = optimizer->groups[g];
        ng_error inner = {NG_OK, ""};
        int waits = group->joint.again;
        group->joint.again = 0;
        if (!waits || group->active_count == 0 || group->method->agree == NULL)
            continue;
        optimizer->work[0].used = 0;
        ng_status status =
            group->method->agree(group->active, group->active_count, group->joint.options,
                                 &group->joint, &optimizer->work[0], &inner);
        if (status != NG_OK)
            return ng_error_set(&optimizer->error, status, "group of '%.60s' (%s): %.170s",
                                group->active[0]->name, group->method->name, inner.text);
    }
    return NG_OK;
}

/* Of all ranks, which have the same groups: where agree may fail, once more together. */
static ng_status agree_together(ng_optimizer *optimizer)
{
    int may_fail = 0;
    for (size_t g = 0; g < optimizer->group_count; g++)
        may_fail |= !ngi_is_divided(optimizer->groups[g]);
    ngi_exchange_lengths(optimizer);
    ng_status status = agree(optimizer);
    return may_fail ? ngi_exchange_agree(optimizer, status, 0) : status;
}

/* Does a group want to be prepared with other options? */
static int again(const ng_optimizer *optimizer)
{
    for (size_t g = 0; g < optimizer->group_count; g++)
        if (optimizer->groups[g]->joint.again)
            return 1;
    return 0;
}

/* What prepare has made in the place of the state: the old one again. */
static void revert(ng_optimizer *optimizer)
{
    for (size_t i = 0; i < optimizer->task_count; i++)
        ngi_report_reset(optimizer->tasks[i].param, optimizer->tasks[i].param->report.wanted);
}

static ng_status prepare_all(ng_optimizer *optimizer)
{
    do {
        ngi_threads_run(optimizer->threads, optimizer->turn_count, prepare, optimizer);
        TRY(ngi_exchange_agree(optimizer, first_failure(optimizer), ngi_exchange_mark(optimizer)));
        TRY(agree_together(optimizer));
    } while (again(optimizer));
    return NG_OK;
}

static ng_status run_halves(ng_optimizer *optimizer)
{
    ng_status status = prepare_all(optimizer);
    if (status != NG_OK) {
        revert(optimizer);
        return status;
    }
    ngi_threads_run(optimizer->threads, optimizer->turn_count, commit, optimizer);
    ngi_exchange_weights(optimizer);
    ngi_exchange_bases(optimizer);
    ngi_exchange_reports(optimizer);
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
        TRY(group->method->agree(alone, 1, group->joint.options, &nothing, work, error));
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
        ngi_report_reset(task->param, optimizer->listener_count > 0);
        set_outcome(task, prepare_alone(task, work, &inner), &inner);
        task->param->report.seconds = ngi_clock() - start;
        TRY(task->status);
    }
    return NG_OK;
}

/* The step passes the parameter by. */
static void leave_alone(ngi_param *param, ng_status status)
{
    ngi_report_reset(param, param->report.wanted);
    param->report.status = status;
    param->captured = 0;
}

/* Those that share inputs do it together or not at all. */
static void run_turn(void *data, size_t index, int worker)
{
    ng_optimizer *optimizer = data;
    const ngi_turn *turn = &optimizer->turns[index];
    int lent = optimizer->tasks[turn->task].param->lent;
    ng_status status = lent ? prepare_lent(optimizer, turn, &optimizer->work[worker]) : NG_OK;
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

static ng_status begin(ng_optimizer *optimizer)
{
    ngi_options_open(optimizer);
    TRY(ngi_exchange_compare(optimizer));
    if (optimizer->shards.added > 0)
        return ng_error_set(&optimizer->error, NG_EARG,
                            "shards were added: ng_optimizer_reduce comes before the step");
    TRY(ngi_tasks_reserve(optimizer));
    TRY(ngi_gradients_stage(optimizer));
    ngi_tasks_fill(optimizer);
    return NG_OK;
}

/* No rank waits for one that has failed: that one tells the others in the place of its step. */
static ng_status step(ng_optimizer *optimizer)
{
    ng_status status = begin(optimizer);
    TRY(status == NG_OK && optimizer->task_count > 0
            ? run(optimizer)
            : ngi_exchange_agree(optimizer, status, ngi_exchange_mark(optimizer)));
    ngi_options_keep(optimizer);
    ngi_gradients_reset(optimizer);
    ngi_restore_all(optimizer); /* those that were skipped */
    optimizer->steps++;
    return NG_OK;
}

/* The step with it; whatever happens groups have their own again. */
static ng_status step_multiplied(ng_optimizer *optimizer)
{
    ng_status status = NG_OK;
    size_t groups = 0;
    if (optimizer->multiplier == 1)
        return step(optimizer);
    while (groups < optimizer->group_count &&
           (status = ngi_lr_multiply(optimizer->groups[groups], optimizer->multiplier,
                                     &optimizer->error)) == NG_OK)
        groups++;
    status = groups == optimizer->group_count ? step(optimizer)
                                              : ngi_exchange_agree(optimizer, status, 0);
    ngi_lr_restore(optimizer, groups);
    return status;
}

ng_status ng_optimizer_step(ng_optimizer *optimizer)
{
    if (optimizer == NULL)
        return NG_EARG;
    double start = ngi_clock();
    ngi_begin(optimizer);
    optimizer->culprit = NULL;
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
