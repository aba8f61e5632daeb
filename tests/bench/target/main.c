/* Every preset, and Muon with steps of its dual norm, on every task: at its default learning rate,
 * and at the best of six.
 *
 * A task's goal is the least, over AdamW's six rates, of the median over three seeds of the
 * validation loss after the task's epochs. A setting's time is the median over seeds of the
 * processor time of training until the validation loss, looked at after each epoch, is at the goal.
 * The rates of a preset are its default times 1/8 ... 4. What AdamW steps beside a matrix method
 * has AdamW's best rate of the task where the method has its best, and its default where that has
 * its default.
 *
 * What cannot change a median is not run: a third seed when two have not reached the goal, a run
 * beyond the best setting so far, a third seed beyond the other two. A run ends at four times
 * AdamW's time, or where it cannot reach its goal any more (target.h).
 *
 *   bench_target [FOLDER [NAME...]]    leaves target.csv, target_curves.csv and its picture there;
 *                                      of tasks and methods (AdamW always runs) those named; a
 *                                      method may have settings of its own behind it, "kfac
 *                                      rank=32 inverse_interval=50", and runs for them alone
 */
#include "tests/bench/target/target.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/arguments.h"
#include "examples/support/median.h"
#include "examples/support/progress.h"
#include "lib/core/try.h"
#include "tests/bench/bench.h"

enum { PATIENCE = 4 };

/* What came of one preset on one task; seconds infinite: not reached; NaN: it did not run. */
typedef struct {
    double best, lr; /* seconds and rate */
    double usual;    /* seconds at the default */
} outcome;

static struct {
    field who;
    size_t adamw;
    outcome at[RACERS][TASKS];
    table rows, curves;
    progress bar;
    double done;
} all;

/* ---- A setting: three seeds ---------------------------------------------------------- */

typedef struct {
    double seconds, loss, spent; /* medians */
} medians;

static void write_row(const race *r)
{
    fprintf(all.rows.to, "%s,%s,%g,%g,%lu,%.6g,%.5f,%.5f,%.6g\n", r->task->name, r->racer->name,
            r->lr, r->rest_lr, r->seed, r->goal, r->seconds, r->spent, r->loss);
}

/* How long the next seed may take: where two are there, no longer than the longer one. */
static double seed_limit(const double *seconds, size_t done, double limit)
{
    return done == 2 ? fmin(limit, fmax(seconds[0], seconds[1])) : limit;
}

/* Medians over the seeds, of the loss and the time in all those of the seeds that ran. */
static ng_status run_setting(medians *m, race *r, ng_error *error)
{
    double seconds[SEEDS], loss[SEEDS], spent[SEEDS], limit = r->limit;
    size_t done = 0, missed = 0;
    char note[96];
    ng_status status = NG_OK;
    snprintf(note, sizeof note, "%s %s lr %g", r->task->name, r->racer->name, r->lr);
    for (; done < SEEDS && missed < 2 && status == NG_OK; done++) {
        progress_update(&all.bar, all.done + (double)done, note);
        r->seed = done + 1;
        r->limit = seed_limit(seconds, done, limit);
        status = race_run(r, error);
        write_row(r);
        seconds[done] = r->seconds;
        loss[done] = r->loss;
        spent[done] = r->spent;
        missed += isfinite(r->goal) && isinf(r->seconds);
    }
    all.done += SEEDS;
    r->limit = limit;
    m->seconds = missed >= 2 ? (double)INFINITY : median_of(seconds, done);
    m->loss = median_of(loss, done);
    m->spent = median_of(spent, done);
    return status;
}

/* ---- A task ---------------------------------------------------------------------------- */

/* AdamW's best final loss, the rate that gave it and the time it took. */
static void find_goal(race *r, double *goal, double *lr, double *seconds)
{
    ng_error error;
    medians m;
    *goal = INFINITY;
    *lr = *seconds = 0;
    r->racer = &all.who.racer[all.adamw];
    r->goal = -INFINITY;
    r->limit = INFINITY;
    for (int i = 0; i < RATES; i++) {
        r->lr = r->rest_lr = racer_rate(r->racer, i);
        bench_ok(run_setting(&m, r, &error), "training", error.text);
        if (m.loss < *goal) {
            *goal = m.loss;
            *lr = r->lr;
            *seconds = m.spent;
        }
    }
    if (!isfinite(*goal))
        bench_fail(r->task->name, "AdamW left the numbers at every rate");
}

/* The default first, then the larger rates: each is the limit of those behind it. */
static ng_status run_racer(outcome *o, race *r, double adamw_lr, double seconds, ng_error *error)
{
    static const int order[RATES] = {3, 4, 5, 2, 1, 0};
    medians m;
    *o = (outcome){INFINITY, 0, INFINITY};
    r->rest_lr = adamw_lr;
    r->adamw = seconds;
    for (int i = 0; i < RATES; i++) {
        r->lr = racer_rate(r->racer, order[i]);
        r->limit = fmin(PATIENCE * seconds, o->best);
        TRY(run_setting(&m, r, error));
        if (m.seconds < o->best) {
            o->best = m.seconds;
            o->lr = r->lr;
        }
    }
    r->lr = r->racer->lr;
    r->rest_lr = all.who.racer[all.adamw].lr;
    r->limit = PATIENCE * seconds;
    TRY(run_setting(&m, r, error));
    o->usual = m.seconds;
    return NG_OK;
}

/* The picture's curves: the first seed, at the best rate, a little beyond AdamW's time. */
static ng_status run_curve(race *r, outcome o, double adamw_lr, double seconds, ng_error *error)
{
    r->lr = o.lr > 0 ? o.lr : r->racer->lr;
    r->rest_lr = adamw_lr;
    r->goal = -INFINITY;
    r->limit = 1.5 * seconds;
    r->seed = 1;
    r->curve = &all.curves;
    ng_status status = race_run(r, error);
    r->curve = NULL;
    return status;
}

/* One that cannot take part, for instance for want of captures, says why. */
static void run_one(race *r, size_t p, outcome *o, double adamw_lr, double seconds)
{
    ng_error error;
    r->racer = &all.who.racer[p];
    ng_status status = run_racer(o, r, adamw_lr, seconds, &error);
    if (status == NG_OK)
        status = run_curve(r, *o, adamw_lr, seconds, &error);
    if (status != NG_OK && p == all.adamw)
        bench_fail("adamw", error.text);
    if (status != NG_OK) {
        printf("%-8s %s does not take part: %s\n", r->task->name, r->racer->name, error.text);
        *o = (outcome){NAN, 0, NAN};
    }
}

static void run_task(size_t k)
{
    ng_error error;
    race r = {.task = &tasks[k]};
    double goal, lr, seconds;
    bench_ok(race_open(&r, &error), tasks[k].name, error.text);
    find_goal(&r, &goal, &lr, &seconds);
    printf("%-8s %s: %zu epochs of batch %zu, AdamW's lr %g, goal %.4g in %.2f s\n", tasks[k].name,
           tasks[k].what, tasks[k].epochs, tasks[k].batch, lr, goal, seconds);
    for (size_t p = 0; p < all.who.count; p++) {
        r.goal = goal;
        run_one(&r, p, &all.at[p][k], lr, seconds);
        if (table_save(&all.rows) != 0 || table_save(&all.curves) != 0)
            bench_fail("CSV", "cannot be written");
    }
    race_close(&r);
}

/* ---- Tables ------------------------------------------------------------------------------ */

static int has_run(size_t k)
{
    return all.at[all.adamw][k].best > 0;
}

/* Prints a row, times AdamW's at its best; returns the median. */
static double print_row(size_t p, int usual)
{
    double ratio[TASKS];
    size_t count = 0;
    printf("%-14s", all.who.racer[p].name);
    for (size_t k = 0; k < TASKS; k++) {
        outcome o = all.at[p][k];
        if (!has_run(k))
            continue;
        double value = (usual ? o.usual : o.best) / all.at[all.adamw][k].best;
        if (isfinite(value))
            printf(" %8.2f", value);
        else
            printf(" %8s", isnan(value) ? "none" : "-");
        if (!isnan(value))
            ratio[count++] = value;
    }
    double median = median_of(ratio, count);
    printf(" %8.2f\n", median);
    return median;
}

static void print_table(const char *title, int usual)
{
    static char claim[RACERS][80]; /* the harness keeps their addresses */
    double median[RACERS];
    int whole = 1;
    printf("\n%s\n%-14s", title, "");
    for (size_t k = 0; k < TASKS; k++) {
        if (has_run(k))
            printf(" %8s", tasks[k].name);
        whole &= has_run(k);
    }
    printf(" %8s\n", "median");
    for (size_t p = 0; p < all.who.count; p++)
        median[p] = print_row(p, usual);
    for (size_t p = 0; p < all.who.count && whole && !usual;
         p++) { /* of some tasks it is no claim */
        snprintf(claim[p], sizeof claim[p], "target_%s", all.who.racer[p].name);
        bench_state(claim[p], "median", median[p]);
    }
}

/* Is the name among the arguments? */
static int is_named(const char *name, int argc, char **argv)
{
    int named = 0;
    for (int i = 2; i < argc; i++)
        named |= strcmp(argv[i], name) == 0;
    return named;
}

/* Without names of tasks all of them run. */
static int task_runs(size_t k, int argc, char **argv)
{
    int any = 0;
    for (size_t i = 0; i < TASKS; i++)
        any |= is_named(tasks[i].name, argc, argv);
    return !any || is_named(tasks[k].name, argc, argv);
}

/* Muon's length is 1, that of its gradients' nuclear norm another unit. */
static const racer variants[] = {{"muon_dual", NULL, "length=dual lr=0.1", 0}};
enum { VARIANTS = sizeof variants / sizeof variants[0] };

/* AdamW's place is kept: the others' times are over its own. */
static void add(const char *name, const char *preset, const char *settings)
{
    ng_error error;
    if (strcmp(name, "adamw") == 0)
        all.adamw = all.who.count;
    bench_ok(racers_add(&all.who, name, preset, settings, &error), name, error.text);
}

/* "kfac rank=32": a preset with settings behind it; 0: no preset. */
static int add_with_settings(const char *text)
{
    ng_error error;
    int is = strchr(text, ' ') != NULL && racer_preset(text) != NULL;
    if (is)
        bench_ok(racers_add_text(&all.who, text, &error), text, error.text);
    return is;
}

/* AdamW, and the methods named; without names all of them. */
static void choose_racers(int argc, char **argv)
{
    int any = 0;
    for (int i = 2; i < argc; i++)
        any |= ng_preset_find(argv[i]) != NULL || add_with_settings(argv[i]);
    for (size_t i = 0; i < VARIANTS; i++)
        any |= is_named(variants[i].name, argc, argv);
    for (size_t i = 0; i < ng_preset_count(); i++) {
        const char *name = ng_preset_get(i)->name;
        if (!any || strcmp(name, "adamw") == 0 || is_named(name, argc, argv))
            add(name, name, "");
    }
    for (size_t i = 0; i < VARIANTS; i++)
        if (!any || is_named(variants[i].name, argc, argv))
            add(variants[i].name, "muon", variants[i].settings);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    char csv[MAX_PATH];
    snprintf(csv, sizeof csv, "%s/bench-target.csv", folder);
    bench_begin(2, (char *[]){argv[0], csv, NULL}, "target", 1);
    choose_racers(argc, argv);
    if (table_open(&all.rows, folder, "target",
                   "task,method,lr,rest_lr,seed,goal,seconds_to_goal,seconds,loss") != 0 ||
        table_open(&all.curves, folder, "target_curves", "task,method,epoch,seconds,loss") != 0)
        return EXIT_FAILURE;
    progress_start(&all.bar, "target",
                   TASKS * SEEDS * ((double)RATES + (double)all.who.count * (RATES + 1)), "runs");
    for (size_t k = 0; k < TASKS; k++)
        if (task_runs(k, argc, argv))
            run_task(k);
    progress_end(&all.bar);
    print_table("Processor time to the goal over AdamW's, each at its best of six rates", 0);
    print_table("The same, each at its default", 1);
    int status = target_picture(&all.curves, all.who.racer, all.who.count);
    table_free(&all.rows);
    table_free(&all.curves);
    return status != 0 ? EXIT_FAILURE : bench_end();
}
