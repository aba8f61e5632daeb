/* Every preset, and Muon with steps of its dual norm, on every task: at its default learning rate,
 * and at the best of six.
 *
 * A task's goal is the least, over AdamW's six rates, of the median over three seeds of the
 * validation loss after the task's epochs. A setting's time is the median over seeds of the
 * processor time of training until the validation loss, looked at after each epoch, is at the goal;
 * a run ends where it has taken four times AdamW's, or twice the best setting before it. The rates
 * of a preset are its default times 1/8 ... 4. What AdamW steps beside a matrix method has AdamW's
 * best rate of the task where the method has its best, and its default where that has its default.
 *
 *   bench_target [FOLDER [NAME...]]    leaves target.csv, target_curves.csv and its picture there;
 *                                      of tasks and methods (AdamW always runs) those named
 */
#include "tests/bench/target/target.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/arguments.h"
#include "examples/support/median.h"
#include "examples/support/progress.h"
#include "tests/bench/bench.h"

enum { PRESETS = 32, DEFAULT_RATE = 3, PATIENCE = 4 };

/* What came of one preset on one task; seconds infinite: not reached. */
typedef struct {
    double best, lr; /* seconds and rate */
    double usual;    /* seconds at the default */
} outcome;

static struct {
    racer racer[PRESETS];
    size_t count, adamw;
    outcome at[PRESETS][TASKS];
    table rows, curves;
    progress bar;
    double done;
} all;

static double default_lr(const ng_preset *preset)
{
    void *options;
    double lr = 0;
    bench_ok(ng_options_new(&options, preset->name, NULL), preset->name, NULL);
    bench_ok(ng_options_get(options, "lr", &lr, NULL), preset->name, "lr");
    ng_options_free(options);
    return lr;
}

static double rate(const racer *of, int i)
{
    return of->lr * pow(2, i - DEFAULT_RATE);
}

/* ---- A setting: three seeds ---------------------------------------------------------- */

typedef struct {
    double seconds, loss, spent; /* medians */
} medians;

static void write_row(const race *r)
{
    fprintf(all.rows.to, "%s,%s,%g,%g,%lu,%.6g,%.5f,%.5f,%.6g\n", r->task->name, r->racer->name,
            r->lr, r->rest_lr, r->seed, r->goal, r->seconds, r->spent, r->loss);
}

static medians run_setting(race *r)
{
    double seconds[SEEDS], loss[SEEDS], spent[SEEDS];
    char note[96];
    ng_error error;
    for (unsigned long s = 0; s < SEEDS; s++) {
        snprintf(note, sizeof note, "%s %s lr %g", r->task->name, r->racer->name, r->lr);
        progress_update(&all.bar, all.done++, note);
        r->seed = s + 1;
        bench_ok(race_run(r, &error), "training", error.text);
        write_row(r);
        seconds[s] = r->seconds;
        loss[s] = r->loss;
        spent[s] = r->spent;
    }
    return (medians){median_of(seconds, SEEDS), median_of(loss, SEEDS), median_of(spent, SEEDS)};
}

/* ---- A task ---------------------------------------------------------------------------- */

/* AdamW's best final loss, the rate that gave it and the time it took. */
static void find_goal(race *r, double *goal, double *lr, double *seconds)
{
    *goal = INFINITY;
    *lr = *seconds = 0;
    r->racer = &all.racer[all.adamw];
    for (int i = 0; i < RATES; i++) {
        r->lr = r->rest_lr = rate(r->racer, i);
        r->goal = -INFINITY;
        r->limit = INFINITY;
        medians m = run_setting(r);
        if (m.loss < *goal) {
            *goal = m.loss;
            *lr = r->lr;
            *seconds = m.spent;
        }
    }
    if (!isfinite(*goal))
        bench_fail(r->task->name, "AdamW left the numbers at every rate");
}

static outcome run_racer(race *r, const racer *of, double adamw_lr, double seconds)
{
    outcome o = {INFINITY, 0, INFINITY};
    r->racer = of;
    for (int i = RATES - 1; i >= 0; i--) {
        r->lr = rate(of, i);
        r->rest_lr = adamw_lr;
        r->limit = fmin(PATIENCE * seconds, 2 * o.best);
        double found = run_setting(r).seconds;
        if (found < o.best) {
            o.best = found;
            o.lr = r->lr;
        }
    }
    r->lr = of->lr;
    r->rest_lr = all.racer[all.adamw].lr;
    r->limit = PATIENCE * seconds;
    o.usual = run_setting(r).seconds;
    return o;
}

/* The picture's curves: the first seed, at the best rate, a little beyond AdamW's time. */
static void run_curve(race *r, outcome o, double adamw_lr, double seconds)
{
    ng_error error;
    r->lr = o.lr > 0 ? o.lr : r->racer->lr;
    r->rest_lr = adamw_lr;
    r->goal = -INFINITY;
    r->limit = 1.5 * seconds;
    r->seed = 1;
    r->curve = &all.curves;
    bench_ok(race_run(r, &error), "training", error.text);
    r->curve = NULL;
}

static void run_task(size_t k)
{
    ng_dataset_options split;
    ng_dataset *data;
    ng_error error;
    race r = {.task = &tasks[k]};
    double goal, lr, seconds;
    bench_ok(ng_dataset_init(&split), tasks[k].name, NULL);
    bench_ok(tasks[k].open(&data, &tasks[k], &error), tasks[k].name, error.text);
    bench_ok(ng_dataset_split(&r.train, &r.held_out, data, &split, &error), tasks[k].name,
             error.text);
    find_goal(&r, &goal, &lr, &seconds);
    printf("%-8s %s: %zu epochs of batch %zu, AdamW's lr %g, goal %.4g in %.2f s\n", tasks[k].name,
           tasks[k].what, tasks[k].epochs, tasks[k].batch, lr, goal, seconds);
    for (size_t p = 0; p < all.count; p++) {
        r.goal = goal;
        all.at[p][k] = run_racer(&r, &all.racer[p], lr, seconds);
        run_curve(&r, all.at[p][k], lr, seconds);
    }
    ng_dataset_destroy(r.train);
    ng_dataset_destroy(r.held_out);
    ng_dataset_destroy(data);
    if (table_save(&all.rows) != 0 || table_save(&all.curves) != 0)
        bench_fail("CSV", "cannot be written");
}

/* ---- Tables ------------------------------------------------------------------------------ */

/* Prints a row, times AdamW's at its best; returns the median. */
static double print_row(size_t p, int usual)
{
    double ratio[TASKS];
    size_t count = 0;
    printf("%-14s", all.racer[p].name);
    for (size_t k = 0; k < TASKS; k++) {
        outcome o = all.at[p][k];
        double value = (usual ? o.usual : o.best) / all.at[all.adamw][k].best;
        if (isfinite(value))
            printf(" %8.2f", value);
        else
            printf(" %8s", "-");
        if (!isnan(value)) /* a task that did not run */
            ratio[count++] = value;
    }
    double median = median_of(ratio, count);
    printf(" %8.2f\n", median);
    return median;
}

static void print_table(const char *title, int usual)
{
    static char claim[PRESETS][80]; /* the harness keeps their addresses */
    double median[PRESETS];
    printf("\n%s\n%-14s", title, "");
    for (size_t k = 0; k < TASKS; k++)
        printf(" %8s", tasks[k].name);
    printf(" %8s\n", "median");
    for (size_t p = 0; p < all.count; p++)
        median[p] = print_row(p, usual);
    for (size_t p = 0; p < all.count && !usual; p++) {
        snprintf(claim[p], sizeof claim[p], "target_%s", all.racer[p].name);
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
static const racer variants[] = {{"muon_dual", NULL, "length", "dual", 0.1}};
enum { VARIANTS = sizeof variants / sizeof variants[0] };

static void choose_racers(int argc, char **argv)
{
    racer every[PRESETS];
    size_t count = 0;
    int any = 0;
    for (size_t i = 0; i < ng_preset_count() && i < PRESETS - VARIANTS; i++) {
        const ng_preset *preset = ng_preset_get(i);
        every[count++] = (racer){preset->name, preset, NULL, NULL, default_lr(preset)};
    }
    for (size_t i = 0; i < VARIANTS; i++) {
        every[count] = variants[i];
        every[count++].preset = ng_preset_find("muon");
    }
    for (size_t i = 0; i < count; i++)
        any |= is_named(every[i].name, argc, argv);
    for (size_t i = 0; i < count; i++) {
        int adamw = strcmp(every[i].name, "adamw") == 0;
        if (any && !adamw && !is_named(every[i].name, argc, argv))
            continue;
        all.adamw = adamw ? all.count : all.adamw;
        all.racer[all.count++] = every[i];
    }
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
                   TASKS * SEEDS * ((double)RATES + (double)all.count * (RATES + 1)), "runs");
    for (size_t k = 0; k < TASKS; k++)
        if (task_runs(k, argc, argv))
            run_task(k);
    progress_end(&all.bar);
    print_table("Processor time to the goal over AdamW's, each at its best of six rates", 0);
    print_table("The same, each at its default", 1);
    int status = target_picture(&all.curves);
    table_free(&all.rows);
    table_free(&all.curves);
    return status != 0 ? EXIT_FAILURE : bench_end();
}
