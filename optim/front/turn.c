/* One turn of a step, a parameter and those that share its inputs: all prepared, all committed; or,
 * with spare copies lent, both for one turn before the next begins. */
#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/clock.h"
#include "lib/core/try.h"
#include "lib/linalg/blas.h"
#include "optim/front/state.h"

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
void ngi_turn_prepare(ng_optimizer *optimizer, const ngi_turn *turn, ng_work *work)
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

void ngi_turn_commit(ng_optimizer *optimizer, const ngi_turn *turn, ng_work *work)
{
    if (!optimizer->tasks[turn->task].param->lent)
        work->used = 0;
    for (size_t i = 0; i < turn->count; i++)
        commit_task(&optimizer->tasks[turn->task + i], work);
}

/* ---- Spare copies lent ------------------------------------------------------------------------
 */

static ng_status check_lent(const ngi_task *task, ng_error *error)
{
    TRY(check_ready(task, error));
    return ngi_check_gradient(task->param, INFINITY, error);
}

void ngi_turn_check(ng_optimizer *optimizer, const ngi_turn *turn, ng_work *work)
{
    if (!optimizer->tasks[turn->task].param->lent) {
        ngi_turn_prepare(optimizer, turn, work);
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

void ngi_turn_run(ng_optimizer *optimizer, const ngi_turn *turn, ng_work *work)
{
    int lent = optimizer->tasks[turn->task].param->lent;
    ng_status status = lent ? prepare_lent(optimizer, turn, work) : NG_OK;
    if (status == NG_OK)
        ngi_turn_commit(optimizer, turn, work);
    for (size_t i = 0; i < turn->count && lent; i++) {
        ngi_param *param = optimizer->tasks[turn->task + i].param;
        if (status != NG_OK)
            leave_alone(param, status);
        ngi_param_withdraw(param);
    }
}
