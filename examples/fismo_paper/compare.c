/* language, images: every optimizer at its rate of the sweep, every seed. */
#include "examples/fismo_paper/fismo_paper.h"

#include <stdlib.h>

enum { EVALUATIONS = 12 };

static void print_rates(const config *c, const chosen *rates)
{
    char usual[MAX_PATH];
    printf("learning rates from %s\n%-12s %10s %10s %8s   %s\n", rates_path(c, usual, sizeof usual),
           "optimizer", "lr", "rest lr", "tried", "range");
    for (size_t i = 0; i < c->methods.count; i++) {
        const chosen *r = &rates[i];
        printf("%-12s %10.4g %10.4g %8zu   %.3g to %.3g%s\n", c->methods.list[i]->name, r->lr,
               r->rest_lr, r->tried, r->lowest, r->highest,
               r->lr > r->lowest && r->lr < r->highest ? "" : ": the best is at the edge");
    }
    fflush(stdout);
}

static int run_one(run *r, const config *c, const task *t)
{
    progress bar;
    char label[64], text[160];
    snprintf(label, sizeof label, "%s %lu", r->method->name, r->seed);
    progress_start(&bar, label, (double)c->steps, "steps");
    int status = run_train(r, c, t, NULL, NULL, &bar);
    const point *p = run_last(r);
    snprintf(text, sizeof text,
             "%-12s seed %lu  train loss %.4f  %s %.4f  accuracy %.4f  %.1f CPU s%s",
             r->method->name, r->seed, p->train_loss, t->held_out_name, p->held_out_loss,
             p->held_out_accuracy, p->cpu, r->failed ? "  diverged" : "");
    if (status == 0 && !program_interrupted())
        progress_line(&bar, text);
    progress_end(&bar);
    return status;
}

static void prepare(run *runs, const config *c, const chosen *rates)
{
    for (size_t i = 0; i < c->methods.count; i++)
        for (size_t k = 0; k < c->seeds.count; k++) {
            run *r = &runs[i * c->seeds.count + k];
            r->method = c->methods.list[i];
            r->lr = rates[i].lr;
            r->rest_lr = rates[i].rest_lr;
            r->seed = c->seeds.list[k];
            r->evaluations = EVALUATIONS;
        }
}

/* Seed by seed, so that what is there after a while, or at ^C, compares all methods. */
static int run_all(run *runs, const config *c, const task *t)
{
    int status = 0;
    for (size_t k = 0; k < c->seeds.count; k++)
        for (size_t i = 0; i < c->methods.count && status == 0 && !program_interrupted(); i++)
            status = run_one(&runs[i * c->seeds.count + k], c, t);
    return status;
}

int compare(const config *c)
{
    task t;
    chosen rates[MAX_METHODS];
    size_t count = c->methods.count * c->seeds.count;
    int status = 0;
    for (size_t i = 0; i < c->methods.count && status == 0; i++)
        status = rates_find(&rates[i], c, c->methods.list[i]);
    if (status != 0 || (status = task_open(&t, c, 0)) != 0)
        return status;
    run *runs = calloc(count, sizeof *runs);
    if (runs == NULL)
        status = program_no_memory();
    else {
        print_rates(c, rates);
        prepare(runs, c, rates);
        status = run_all(runs, c, &t);
    }
    if (status == 0)
        status = report(c, &t, runs, count);
    free(runs);
    task_close(&t);
    return status;
}
