/* The step: every parameter's prepare, and only if all succeed every
 * parameter's commit; or, with atomic = parameter, all checks and then both for one after
 * the other. Over one thread or several, with the same bits. */
#include "lib/core/clock.h"
#include "lib/core/threads.h"
#include "lib/core/try.h"
#include "lib/linalg/blas.h"
#include "optim/front/state.h"

/* ---- The two halves of all ------------------------------------------------------------------ */

static void prepare(void *data, size_t index, int worker)
{
    ng_optimizer *optimizer = data;
    const ngi_turn *turn = &optimizer->turns[index];
    if (optimizer->tasks[turn->task].group->joint.again)
        ngi_turn_prepare(optimizer, turn, &optimizer->work[worker]);
}

static void commit(void *data, size_t index, int worker)
{
    ng_optimizer *optimizer = data;
    ngi_turn_commit(optimizer, &optimizer->turns[index], &optimizer->work[worker]);
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

static void check(void *data, size_t index, int worker)
{
    ng_optimizer *optimizer = data;
    ngi_turn_check(optimizer, &optimizer->turns[index], &optimizer->work[worker]);
}

static void run_turn(void *data, size_t index, int worker)
{
    ng_optimizer *optimizer = data;
    ngi_turn_run(optimizer, &optimizer->turns[index], &optimizer->work[worker]);
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
