/* Before a step: its scratch, and who takes part, those that share inputs in one turn. */
#include <stdlib.h>

#include "lib/core/size.h"
#include "lib/core/try.h"
#include "optim/front/front.h"

/* ---- All that is allocated in a step ------------------------------------------------ */

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
        size_t own = group->method->elementwise ? 0 : ngi_narrow_work(param);
        if (group->method->work != NULL)
            own = ngi_size_add(own, group->method->work(param, group->options));
        scratch = larger(scratch, param->elsewhere ? 0 : own);
        lent = ngi_size_add(lent, param->lent ? ngi_param_spare(param) : 0);
    }
    return ngi_size_add(lent, scratch);
}

ng_status ngi_tasks_reserve(ng_optimizer *optimizer)
{
    size_t wanted = 0;
    for (size_t g = 0; g < optimizer->group_count; g++) {
        const ng_group *group = optimizer->groups[g];
        for (size_t i = 0; i < group->count; i += 1 + group->params[i]->followers)
            wanted = larger(wanted, work_of(group, i));
        if (group->count > 0 && group->method->agree_work != NULL)
            wanted = larger(wanted,
                            group->method->agree_work(group->params, group->count, group->options));
    }
    for (int i = 0; i < (optimizer->threads > 0 ? optimizer->threads : 1); i++) {
        if (wanted <= optimizer->work[i].size)
            continue;
        ng_work_destroy(&optimizer->work[i]);
        TRY(ng_work_create(&optimizer->work[i], wanted, &optimizer->error));
    }
    return NG_OK;
}

/* ---- Who is in the step, in which order ---------------------------------------------- */

/* A product with the smaller side, or one pass. */
double ngi_task_cost(const ng_group *group, const ngi_param *param)
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
    turn->cost += ngi_task_cost(group, param);
    turn->count++;
}

void ngi_report_reset(ngi_param *param, int wanted)
{
    ngi_report report = {.polar = {.route = ""}, .wanted = wanted};
    param->report = report;
    for (size_t i = 0; i < param->tensor_count; i++)
        ngi_tensor_revert(&param->tensor[i]);
}

static void leave_out(ngi_param *param)
{
    ngi_report_reset(param, 0);
    param->gradient_norm = 0;
    param->g = param->g_bias = ng_mat_none();
}

void ngi_tasks_fill(ng_optimizer *optimizer)
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
