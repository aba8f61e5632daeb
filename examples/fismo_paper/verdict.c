#include "examples/fismo_paper/verdict.h"

#include <math.h>
#include <string.h>

#include "examples/support/median.h"

/* Section "Experiments" of the paper: what is better than what. */
typedef struct {
    task_kind kind;
    quantity what;
    const char *better, *worse;
} claim;

static const claim claims[] = {
    {TASK_TEXT, TRAIN_LOSS, "fismo", "muon"},
    {TASK_TEXT, TRAIN_LOSS, "fismo_paper", "muon"},
    {TASK_TEXT, TRAIN_LOSS, "muon", "shampoo"},
    {TASK_TEXT, TRAIN_LOSS, "muon", "adamw"},
    {TASK_TEXT, TRAIN_LOSS, "muon", "sgd"},
    {TASK_TEXT, HELD_OUT_LOSS, "fismo", "muon"},
    {TASK_TEXT, HELD_OUT_LOSS, "fismo_paper", "muon"},
    {TASK_TEXT, HELD_OUT_LOSS, "muon", "shampoo"},
    {TASK_TEXT, HELD_OUT_LOSS, "muon", "adamw"},
    {TASK_TEXT, HELD_OUT_LOSS, "muon", "sgd"},
    {TASK_PICTURES, ACCURACY, "fismo", "muon"},
    {TASK_PICTURES, ACCURACY, "fismo_paper", "muon"},
    {TASK_PICTURES, ACCURACY, "fismo", "shampoo"},
    {TASK_PICTURES, ACCURACY, "fismo", "adamw"},
    {TASK_PICTURES, ACCURACY, "fismo", "sgd"},
    {TASK_PICTURES, ROUGHNESS, "fismo", "muon"},
    {TASK_PICTURES, ROUGHNESS, "fismo_paper", "muon"},
};
enum { CLAIMS = sizeof claims / sizeof *claims };

static const char *const names[] = {[TRAIN_LOSS] = "training loss",
                                    [HELD_OUT_LOSS] = "held-out loss",
                                    [ACCURACY] = "accuracy",
                                    [ROUGHNESS] = "roughness"};

double quantity_of(const run *r, quantity what)
{
    const point *p = run_last(r);
    double rises = 0;
    if (what != ROUGHNESS)
        return what == TRAIN_LOSS      ? p->train_loss
               : what == HELD_OUT_LOSS ? p->held_out_loss
                                       : p->held_out_accuracy;
    for (size_t k = 1; k < r->count; k++)
        rises += fmax(0, r->points[k].held_out_loss - r->points[k - 1].held_out_loss);
    return r->failed ? (double)NAN : rises;
}

double quantity_median(const run *runs, size_t seeds, quantity what)
{
    double values[MAX_SEEDS];
    for (size_t i = 0; i < seeds; i++)
        values[i] = quantity_of(&runs[i], what);
    return median_of(values, seeds);
}

/* A run that left the numbers is worse than any other. */
static int is_better(double a, double b, quantity what)
{
    return !isnan(a) && (isnan(b) || (what == ACCURACY ? a > b : a < b));
}

static const run *find(const config *c, const run *runs, const char *method)
{
    for (size_t i = 0; i < c->methods.count; i++)
        if (strcmp(c->methods.list[i]->name, method) == 0)
            return &runs[i * c->seeds];
    return NULL;
}

/* One row; 1 if the claim holds. */
static int judge(const config *c, const claim *q, const run *a, const run *b)
{
    size_t agree = 0;
    double x = quantity_median(a, c->seeds, q->what), y = quantity_median(b, c->seeds, q->what);
    int middle = is_better(x, y, q->what);
    for (size_t i = 0; i < c->seeds; i++)
        agree +=
            (size_t)is_better(quantity_of(&a[i], q->what), quantity_of(&b[i], q->what), q->what);
    int holds = middle && agree == c->seeds;
    printf("| %s %s %s | %s | %.4f | %.4f | %zu of %zu | %s |\n", q->better,
           q->what == ACCURACY ? "above" : "below", q->worse, names[q->what], x, y, agree, c->seeds,
           holds    ? "holds"
           : middle ? "holds for the medians only"
                    : "does not hold");
    return holds;
}

void verdicts(const config *c, const task *t, const run *runs)
{
    const claim *failed[CLAIMS];
    size_t asked = 0, missed = 0;
    fputs("\n| claim of the paper | in | first | second | seeds that agree | verdict |\n"
          "|---|---|---|---|---|---|\n",
          stdout);
    for (size_t i = 0; i < CLAIMS; i++) {
        const run *a = find(c, runs, claims[i].better), *b = find(c, runs, claims[i].worse);
        if (claims[i].kind != c->kind || a == NULL || b == NULL)
            continue;
        asked++;
        if (!judge(c, &claims[i], a, b))
            failed[missed++] = &claims[i];
    }
    printf("\n%s: %zu of %zu claims of the paper hold here", t->name, asked - missed, asked);
    for (size_t i = 0; i < missed; i++)
        printf("%s %s against %s in %s", i == 0 ? "; not" : ",", failed[i]->better,
               failed[i]->worse, names[failed[i]->what]);
    printf(".\n");
}
