/* --sweep: the same number of settings for every optimizer, a ladder of
 * learning rates by powers of two times three values of the option that
 * matters most beside it; judged on held-out training samples. */
#include "examples/train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RATES = 6, SECONDS = 3, POINTS = RATES * SECONDS };

/* lr is the second of the ladder's upper half: lr/8, lr/4, lr/2, lr, 2 lr, 4 lr */
typedef struct {
    const char *method;
    double lr;
    const char *option;
    double values[SECONDS];
} grid;

static const grid grids[] = {
    {"sgd", 0.1, "momentum", {0, 0.9, 0.95}},
    {"adamw", 0.002, "beta2", {0.95, 0.99, 0.999}},
    {"muon", 0.02, "momentum", {0.9, 0.95, 0.98}},
    {"fismo", 0.02, "damping", {0.3, 1, 3}},
    {"fismo_paper", 0.02, "momentum", {0.9, 0.95, 0.98}},
    {"kfac", 0.02, "damping", {0.0001, 0.001, 0.01}},
    {"kfac_auto", 1, "model_damping", {0.1, 1, 10}},
    {"kfac_muon", 0.1, "damping", {0.001, 0.01, 0.1}},
    {"ekfac", 0.01, "damping", {0.0001, 0.001, 0.01}},
    {"shampoo", 0.002, "damping", {0.00001, 0.0001, 0.001}},
    {"soap", 0.002, "beta2", {0.9, 0.95, 0.99}},
};

/* A preset without a row has its own rate times two, and three momenta. */
static grid find_grid(const ng_preset *method)
{
    grid other = {method->name, 0, "momentum", {0.9, 0.95, 0.98}};
    void *options;
    for (size_t i = 0; i < sizeof grids / sizeof grids[0]; i++)
        if (strcmp(grids[i].method, method->name) == 0)
            return grids[i];
    if (ng_options_new(&options, method->name, NULL) == NG_OK)
        ng_options_get(options, "lr", &other.lr, NULL);
    ng_options_free(options);
    other.lr *= 2;
    return other;
}

/* Smaller is better: the held-out loss, smoother than the accuracy of a few
 * thousand samples. A failed run is worst of all. */
static double badness(const run *r)
{
    double loss = run_kept(r)->loss;
    return isfinite(loss) ? loss : (double)INFINITY;
}

/* Options of grid point i with its label. */
static void *grid_options(const config *c, const ng_preset *method, const grid *g, int i,
                          char *label, size_t size)
{
    double lr = g->lr * pow(2, i / SECONDS - 3), value = g->values[i % SECONDS];
    void *options = methods_options(&c->methods, method);
    if (options != NULL) {
        ng_options_set(options, "lr", lr, NULL);
        ng_options_set(options, g->option, value, NULL);
    }
    snprintf(label, size, "lr=%g,%s=%g", lr, g->option, value);
    return options;
}

static void write_row(FILE *csv, const run *r, const source *s, int best)
{
    const point none = {NAN, NAN, NAN, NAN, NAN};
    const point *p = r->best > 0 ? &r->points[r->best - 1] : &none; /* also of one that diverged */
    fprintf(csv, "%s,%s,%lu,\"%s\",%d,%.6g,%.6g,%.4f,%.2f,%s,%d\n", s->name, r->method->name,
            r->seed, r->label, r->epochs, p->train_loss, p->loss, p->score, p->seconds,
            r->failed ? "diverged" : "done", best);
    printf("%c %-12s %-26s %10.5f %10.5f %9.4f %8.1f%s\n", best ? '*' : ' ', r->method->name,
           r->label, p->train_loss, p->loss, p->score, p->seconds, r->failed ? "  diverged" : "");
}

/* The best setting of a grid whose edge it lies on: a better one may lie beyond. */
static void say_edge(const grid *g, const run *r, int best)
{
    int rate = best / SECONDS, second = best % SECONDS;
    if (rate > 0 && rate < RATES - 1 && second > 0 && second < SECONDS - 1)
        return;
    printf("note: %s: the best setting lies on the edge of its grid (", r->method->name);
    if (rate == 0 || rate == RATES - 1)
        printf("lr=%g is the %s%s", g->lr * pow(2, rate - 3), rate == 0 ? "lowest" : "highest",
               second == 0 || second == SECONDS - 1 ? ", " : "");
    if (second == 0 || second == SECONDS - 1)
        printf("%s=%g is the %s", g->option, g->values[second], second == 0 ? "lowest" : "highest");
    printf(" tried); a better one may lie beyond\n");
}

/* The run of grid point i. */
static int try(run *r, const config *c, const source *s, const grid *g, int i)
{
    progress bar;
    char name[64];
    void *options = grid_options(c, r->method, g, i, r->label, sizeof r->label);
    if (options == NULL)
        return 1;
    r->seed = c->seeds.list[0];
    r->quiet = 1;
    snprintf(name, sizeof name, "%s %d/%d", r->method->name, i + 1, POINTS);
    progress_start(&bar, name, (double)c->how.epochs * (double)ng_dataset_count(s->train),
                   "samples");
    int status = run_train(r, c, s, options, &bar);
    progress_end(&bar);
    free(options);
    return status;
}

/* All grid points of a method, or those until ^C, and their rows. */
static int sweep_method(const config *c, const source *s, const ng_preset *method, table *t)
{
    run *runs = calloc(POINTS, sizeof *runs);
    const grid g = find_grid(method);
    int best = 0, done = 0, status = runs == NULL && program_no_memory();
    while (status == 0 && done < POINTS && !program_interrupted()) {
        runs[done].method = method;
        status = try(&runs[done], c, s, &g, done);
        if (status == 0 && badness(&runs[done]) < badness(&runs[best]))
            best = done;
        done++;
    }
    for (int i = 0; i < done && status == 0; i++)
        write_row(t->to, &runs[i], s, i == best && isfinite(badness(&runs[i])));
    if (status == 0 && done > 0 && isfinite(badness(&runs[best])))
        say_edge(&g, &runs[best], best);
    for (int i = 0; i < done; i++)
        run_free(&runs[i]);
    free(runs);
    fflush(stdout);
    return status == 0 ? table_save(t) : status;
}

int sweep_all(const config *c)
{
    source s;
    table t;
    int status = arguments_folder(c->out);
    if (status == 0)
        status = source_open(&s, c, HOLD_VALIDATION);
    status = crew_agree(status);
    if (status != 0)
        return status;
    printf("%s: %zu samples to train, %zu to judge by, %zu epochs, batch %zu; best by validation "
           "loss\n",
           s.name, ng_dataset_count(s.train), ng_dataset_count(s.held_out), c->how.epochs,
           c->how.batch);
    printf("  %-12s %-26s %10s %10s %9s %8s\n", "optimizer", "settings", "train loss", "val. loss",
           s.score, "seconds");
    status = table_open(&t, c->out, "sweep",
                        "data,optimizer,seed,settings,epochs,train_loss,validation_loss,"
                        "validation_accuracy,seconds,outcome,best");
    for (size_t i = 0; i < c->methods.count && status == 0 && !program_interrupted(); i++)
        status = sweep_method(c, &s, c->methods.list[i], &t);
    table_free(&t);
    source_close(&s);
    return status;
}
