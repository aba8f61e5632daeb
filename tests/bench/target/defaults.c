/* The grid that the presets' defaults are chosen from: each preset with three values of the option
 * that matters most beside the learning rate (natgrad-train --sweep), six rates, three seeds, on
 * every task of bench_target for its epochs. What AdamW steps beside a matrix method has AdamW's
 * best rate of the task.
 *
 * The score of a setting is the mean over tasks of log(validation loss / the least of all settings
 * of its preset), losses being medians over the seeds; 0 would be a setting that is the best
 * everywhere. One that leaves the numbers in a task has no score.
 *
 *   bench_defaults [FOLDER [NAME...]]    leaves defaults.csv there; of tasks and methods those
 *                                        named, methods as in "kfac damping=0.01"
 */
#include "tests/bench/target/target.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/median.h"
#include "examples/support/progress.h"
#include "tests/bench/bench.h"

enum { SHOWN = 4 }; /* settings of a preset in the table */

static const char *const grid[] = {
    "sgd momentum=0",         "sgd momentum=0.9",      "sgd momentum=0.95",
    "adamw beta2=0.95",       "adamw beta2=0.99",      "adamw beta2=0.999",
    "muon momentum=0.9",      "muon momentum=0.95",    "muon momentum=0.98",
    "normuon momentum=0.9",   "normuon momentum=0.95", "normuon momentum=0.98",
    "fismo damping=1",        "fismo damping=3",       "fismo damping=10",
    "kfac damping=0.0001",    "kfac damping=0.001",    "kfac damping=0.01",
    "kfac_muon damping=0.01", "kfac_muon damping=0.1", "kfac_muon damping=1",
    "ekfac damping=0.0001",   "ekfac damping=0.001",   "ekfac damping=0.01",
    "shampoo damping=0.0001", "shampoo damping=0.001", "shampoo damping=0.01",
    "soap beta2=0.9",         "soap beta2=0.95",       "soap beta2=0.99",
};

typedef struct {
    double loss[TASKS], spent[TASKS]; /* medians over the seeds; infinity: left the numbers */
    double score;
} outcome;

static struct {
    field who;
    int runs[TASKS]; /* does the task run? */
    outcome at[RACERS][RATES];
    table rows;
    progress bar;
    double done;
} all;

/* ---- Runs ---------------------------------------------------------------------------------- */

/* A setting on a task. One that leaves the numbers at its first seed has no second. */
static void run_setting(race *r, double *loss, double *spent)
{
    double losses[SEEDS], times[SEEDS];
    size_t done = 0;
    ng_error error;
    char note[96];
    snprintf(note, sizeof note, "%s %s lr %g", r->task->name, r->racer->name, r->lr);
    do {
        progress_update(&all.bar, all.done + (double)done, note);
        r->seed = done + 1;
        bench_ok(race_run(r, &error), r->racer->name, error.text);
        fprintf(all.rows.to, "%s,%s,%g,%g,%lu,%.5f,%.6g\n", r->task->name, r->racer->name, r->lr,
                r->rest_lr, r->seed, r->spent, r->loss);
        losses[done] = r->loss;
        times[done++] = r->spent;
    } while (done < SEEDS && isfinite(r->loss));
    all.done += SEEDS;
    *loss = isfinite(losses[done - 1]) ? median_of(losses, done) : (double)INFINITY;
    *spent = median_of(times, done);
}

/* AdamW's rate of the least loss. */
static double find_rest_lr(race *r)
{
    static field adamw;
    double best = INFINITY, lr = 0, loss, spent;
    ng_error error;
    if (adamw.count == 0)
        bench_ok(racers_add(&adamw, "adamw", "adamw", "", &error), "adamw", error.text);
    r->racer = &adamw.racer[0];
    for (int i = 0; i < RATES; i++) {
        r->lr = r->rest_lr = racer_rate(r->racer, i);
        run_setting(r, &loss, &spent);
        lr = loss < best ? r->lr : lr;
        best = fmin(best, loss);
    }
    return lr;
}

static void run_task(size_t k)
{
    race r = {.task = &tasks[k], .goal = -INFINITY, .limit = INFINITY};
    ng_error error;
    bench_ok(race_open(&r, &error), tasks[k].name, error.text);
    double rest_lr = find_rest_lr(&r);
    for (size_t p = 0; p < all.who.count; p++) {
        r.racer = &all.who.racer[p];
        r.rest_lr = rest_lr;
        for (int i = 0; i < RATES; i++) {
            outcome *o = &all.at[p][i];
            r.lr = racer_rate(r.racer, i);
            run_setting(&r, &o->loss[k], &o->spent[k]);
        }
        if (table_save(&all.rows) != 0)
            bench_fail("CSV", "cannot be written");
    }
    race_close(&r);
}

/* ---- Scores -------------------------------------------------------------------------------- */

static int same_preset(size_t p, size_t q)
{
    return all.who.racer[p].preset == all.who.racer[q].preset;
}

static double least_loss(size_t p, size_t k)
{
    double least = INFINITY;
    for (size_t q = 0; q < all.who.count; q++)
        for (int i = 0; i < RATES && same_preset(p, q); i++)
            least = fmin(least, all.at[q][i].loss[k]);
    return least;
}

static void find_scores(size_t p)
{
    for (int i = 0; i < RATES; i++) {
        outcome *o = &all.at[p][i];
        double sum = 0, count = 0;
        for (size_t k = 0; k < TASKS; k++)
            if (all.runs[k]) {
                sum += log(o->loss[k] / least_loss(p, k));
                count++;
            }
        o->score = isfinite(sum) ? sum / count : (double)INFINITY;
    }
}

static void print_setting(const racer *of, int i, const outcome *o)
{
    printf("%8.3f  %-28s lr %-9g", o->score, of->name, racer_rate(of, i));
    for (size_t k = 0; k < TASKS; k++)
        if (all.runs[k])
            printf(" %9.4g", o->loss[k]);
    printf("%s\n", i == DEFAULT_RATE ? "  (rate of today)" : "");
}

/* The best settings of the preset of racer p, which is its first. */
static void print_preset(size_t p)
{
    double last = -INFINITY;
    for (int shown = 0; shown < SHOWN; shown++) {
        size_t best = p;
        int rate = -1;
        for (size_t q = p; q < all.who.count; q++)
            for (int i = 0; i < RATES && same_preset(p, q); i++)
                if (all.at[q][i].score > last &&
                    (rate < 0 || all.at[q][i].score < all.at[best][rate].score)) {
                    best = q;
                    rate = i;
                }
        if (rate < 0)
            return;
        last = all.at[best][rate].score;
        print_setting(&all.who.racer[best], rate, &all.at[best][rate]);
    }
}

static void print_scores(void)
{
    printf("\n%8s  %-28s %-12s", "score", "setting", "");
    for (size_t k = 0; k < TASKS; k++)
        if (all.runs[k])
            printf(" %9s", tasks[k].name);
    printf("\n");
    for (size_t p = 0; p < all.who.count; p++)
        find_scores(p);
    for (size_t p = 0; p < all.who.count; p++)
        if (p == 0 || !same_preset(p, p - 1))
            print_preset(p);
}

/* ---- Arguments ----------------------------------------------------------------------------- */

static void choose(int argc, char **argv)
{
    int any = 0;
    ng_error error;
    for (int a = 2; a < argc; a++) {
        for (size_t k = 0; k < TASKS; k++)
            if (strcmp(argv[a], tasks[k].name) == 0)
                any = all.runs[k] = 1;
        if (racer_preset(argv[a]) != NULL)
            bench_ok(racers_add_text(&all.who, argv[a], &error), argv[a], error.text);
    }
    for (size_t k = 0; k < TASKS && !any; k++)
        all.runs[k] = 1;
    for (size_t i = 0; i < sizeof grid / sizeof *grid && argc < 3; i++)
        bench_ok(racers_add_text(&all.who, grid[i], &error), grid[i], error.text);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    size_t count = 0;
    choose(argc, argv);
    if (table_open(&all.rows, folder, "defaults", "task,method,lr,rest_lr,seed,seconds,loss") != 0)
        return EXIT_FAILURE;
    for (size_t k = 0; k < TASKS; k++)
        count += (size_t)all.runs[k];
    progress_start(&all.bar, "defaults", (double)(count * SEEDS * RATES * (1 + all.who.count)),
                   "runs");
    for (size_t k = 0; k < TASKS; k++)
        if (all.runs[k])
            run_task(k);
    progress_end(&all.bar);
    print_scores();
    table_free(&all.rows);
    return EXIT_SUCCESS;
}
