#include "examples/fismo_paper/verdict.h"

#include <math.h>
#include <string.h>

#include "examples/support/median.h"
#include "examples/support/target.h"

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
            return &runs[i * c->seeds.count];
    return NULL;
}

static verdict_kind judge(const config *c, const claim *q, const run *a, const run *b)
{
    size_t agree = 0, seeds = c->seeds.count;
    double x = quantity_median(a, seeds, q->what), y = quantity_median(b, seeds, q->what);
    int middle = is_better(x, y, q->what);
    for (size_t i = 0; i < seeds; i++)
        agree +=
            (size_t)is_better(quantity_of(&a[i], q->what), quantity_of(&b[i], q->what), q->what);
    verdict_kind found = !middle ? VERDICT_NO : agree == seeds ? VERDICT_YES : VERDICT_PARTLY;
    printf("| %s %s %s | %s | %.4f | %.4f | %zu of %zu | %s |\n", q->better,
           q->what == ACCURACY ? "above" : "below", q->worse, names[q->what], x, y, agree, seeds,
           found == VERDICT_YES      ? "holds"
           : found == VERDICT_PARTLY ? "holds for the medians only"
                                     : "does not hold");
    return found;
}

/* The claim is about this task, and both methods ran. */
static int applies(const claim *q, const config *c, const run *runs)
{
    return q->kind == c->kind && find(c, runs, q->better) != NULL &&
           find(c, runs, q->worse) != NULL;
}

static void print_verdict(const claim *q, const task *t, verdict_kind found)
{
    char text[128];
    snprintf(text, sizeof text, "%s: %s %s %s in %s", t->name, q->better,
             q->what == ACCURACY ? "above" : "below", q->worse, names[q->what]);
    verdict_print("fismo", text, found);
}

void verdicts(const config *c, const task *t, const run *runs)
{
    verdict_kind found[CLAIMS];
    size_t asked = 0, held = 0;
    fputs("\n| claim of the paper | in | first | second | seeds that agree | verdict |\n"
          "|---|---|---|---|---|---|\n",
          stdout);
    for (size_t i = 0; i < CLAIMS; i++)
        if (applies(&claims[i], c, runs)) {
            found[i] = judge(c, &claims[i], find(c, runs, claims[i].better),
                             find(c, runs, claims[i].worse));
            asked++;
            held += found[i] == VERDICT_YES;
        }
    printf("\n%s: %zu of %zu claims of the paper hold here.\n", t->name, held, asked);
    for (size_t i = 0; i < CLAIMS; i++)
        if (applies(&claims[i], c, runs))
            print_verdict(&claims[i], t, found[i]);
}
