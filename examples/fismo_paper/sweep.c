/* Learning rates: the same walk for every optimizer, judged on validation
 * samples; and the reading of what a sweep wrote. */
#include "examples/fismo_paper/fismo_paper.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The grid counts in quarters of a decade from the preset's own rate. */
enum { COARSE = 2, REACH = 4, FARTHEST = 12, MAX_TRIALS = 2 * FARTHEST + 1 };

static const char header[] = "task,optimizer,lr,rest_lr,seed,steps,train_loss,validation_loss,"
                             "validation_accuracy,cpu_seconds,outcome";

typedef struct {
    const config *c;
    const task *t;
    const ng_preset *method;
    table *csv;
    double start, rest_lr;
    run *r;
    double loss[2 * FARTHEST + 1]; /* validation loss by position + FARTHEST; NaN: not tried */
    int low, high, best;           /* positions tried; that of the lowest loss */
} walk;

static double rate_at(const walk *w, int position)
{
    char text[32];
    snprintf(text, sizeof text, "%.3g", w->start * pow(10, position / 4.0));
    return strtod(text, NULL);
}

static int write_row(const walk *w)
{
    const run *r = w->r;
    const point *p = run_last(r);
    fprintf(w->csv->to, "%s,%s,%g,%g,%lu,%zu,%.6g,%.6g,%.4f,%.2f,%s\n", w->t->name, r->method->name,
            r->lr, r->rest_lr, r->seed, w->c->steps, p->train_loss, p->held_out_loss,
            p->held_out_accuracy, p->cpu, r->failed ? "diverged" : "done");
    printf("%-12s %10.4g %10.4g %12.4f %12.4f %9.4f %8.1f%s\n", r->method->name, r->lr, r->rest_lr,
           p->train_loss, p->held_out_loss, p->held_out_accuracy, p->cpu,
           r->failed ? "  diverged" : "");
    fflush(stdout);
    return table_save(w->csv);
}

/* One more rate. 0 or 1. */
static int try(walk *w, int position)
{
    progress bar;
    char label[64];
    run *r = w->r;
    r->method = w->method;
    r->lr = rate_at(w, position);
    r->rest_lr = w->rest_lr;
    r->seed = 1;
    r->evaluations = 1;
    snprintf(label, sizeof label, "%s %.3g", w->method->name, r->lr);
    progress_start(&bar, label, (double)w->c->steps, "steps");
    int status = run_train(r, w->c, w->t, NULL, NULL, &bar);
    progress_end(&bar);
    if (status == 0 && !program_interrupted())
        status = write_row(w);
    if (status != 0 || program_interrupted())
        return status;
    double loss = run_last(r)->held_out_loss;
    w->loss[position + FARTHEST] = isfinite(loss) ? loss : (double)INFINITY;
    w->low = position < w->low ? position : w->low;
    w->high = position > w->high ? position : w->high;
    if (isnan(w->loss[w->best + FARTHEST]) ||
        w->loss[position + FARTHEST] < w->loss[w->best + FARTHEST])
        w->best = position;
    return 0;
}

static int go_on(int status)
{
    return status == 0 && !program_interrupted();
}

/* Half decades over two decades, further at an edge while the best lies there,
 * then the quarters beside the best. */
static int walk_all(walk *w)
{
    int status = 0;
    for (int k = -REACH; k <= REACH && go_on(status); k += COARSE)
        status = try(w, k);
    while (go_on(status) && w->best == w->low && w->low - COARSE >= -FARTHEST)
        status = try(w, w->low - COARSE);
    while (go_on(status) && w->best == w->high && w->high + COARSE <= FARTHEST)
        status = try(w, w->high + COARSE);
    int middle = w->best;
    if (go_on(status) && middle > w->low)
        status = try(w, middle - 1);
    if (go_on(status) && middle < w->high)
        status = try(w, middle + 1);
    return status;
}

/* *lr <- the method's best rate. */
static int sweep_method(double *lr, const config *c, const task *t, const ng_preset *method,
                        table *csv, double rest_lr)
{
    walk w = {.c = c, .t = t, .method = method, .csv = csv, .r = calloc(1, sizeof *w.r)};
    void *options = methods_options(&c->methods, method);
    w.rest_lr = ng_method_elementwise(method->method) ? 0 : rest_lr;
    for (int i = 0; i < 2 * FARTHEST + 1; i++)
        w.loss[i] = NAN;
    int status =
        w.r == NULL || options == NULL || ng_options_get(options, "lr", &w.start, NULL) != NG_OK;
    if (w.r == NULL)
        program_no_memory();
    if (status == 0)
        status = walk_all(&w);
    if (go_on(status) && !isfinite(w.loss[w.best + FARTHEST]))
        status = program_error("%s diverges at every rate", method->name);
    *lr = rate_at(&w, w.best);
    free(options);
    free(w.r);
    return status;
}

/* AdamW first: its rate is that of what the matrix methods leave to it. */
static int sweep_all(const config *c, const task *t, table *csv)
{
    const ng_preset *adamw = ng_preset_find("adamw");
    double rest_lr, lr;
    int status = sweep_method(&rest_lr, c, t, adamw, csv, 0);
    for (size_t i = 0; i < c->methods.count && go_on(status); i++)
        if (c->methods.list[i] != adamw)
            status = sweep_method(&lr, c, t, c->methods.list[i], csv, rest_lr);
    return status;
}

int sweep(const config *c)
{
    task t;
    table csv;
    char name[64];
    int status = task_open(&t, c, 1);
    if (status != 0)
        return status;
    snprintf(name, sizeof name, "rates-%s", t.name);
    status = table_open(&csv, c->out, name, header);
    if (status == 0) {
        printf("%s: %zu samples to train, %zu to judge by, %zu steps of batch %zu, seed 1\n"
               "%-12s %10s %10s %12s %12s %9s %8s\n",
               t.name, ng_dataset_count(t.train), ng_dataset_count(t.held_out), c->steps, c->batch,
               "optimizer", "lr", "rest lr", "train loss", "validation", "accuracy", "CPU s");
        status = sweep_all(c, &t, &csv);
    }
    table_free(&csv);
    task_close(&t);
    return status;
}

/* ---- Reading it back -------------------------------------------------------------------- */

const char *rates_path(const config *c, char *path, size_t size)
{
    snprintf(path, size, FISMO_PAPER_FOLDER "/rates-%s.csv", task_name(c));
    return c->rates != NULL ? c->rates : path;
}

static int complain(const char *path, const char *what, const char *method)
{
    return program_error("%s: %s%s", path, what, method);
}

/* One line of a sweep; -1 if it is none. */
static int take_row(chosen *best, double *loss, const char *line, const char *method)
{
    char task_[16], name[32], outcome[16];
    double lr, rest_lr, train, validation, accuracy, cpu;
    unsigned long seed;
    size_t steps;
    if (sscanf(line, "%15[^,],%31[^,],%lf,%lf,%lu,%zu,%lf,%lf,%lf,%lf,%15[a-z]", task_, name, &lr,
               &rest_lr, &seed, &steps, &train, &validation, &accuracy, &cpu, outcome) != 11 ||
        !(lr > 0) || !(rest_lr >= 0))
        return -1;
    if (strcmp(name, method) != 0)
        return 0;
    best->tried++;
    best->lowest = fmin(best->lowest, lr);
    best->highest = fmax(best->highest, lr);
    if (strcmp(outcome, "done") == 0 && validation < *loss) {
        *loss = validation;
        best->lr = lr;
        best->rest_lr = rest_lr;
    }
    return 0;
}

int rates_find(chosen *best, const config *c, const ng_preset *method)
{
    char usual[MAX_PATH], line[512];
    const char *path = rates_path(c, usual, sizeof usual);
    double loss = INFINITY;
    FILE *csv = fopen(path, "r");
    if (csv == NULL)
        return complain(path, strerror(errno), "");
    *best = (chosen){.lowest = INFINITY};
    int bad = fgets(line, sizeof line, csv) == NULL ||
              strncmp(line, header, sizeof header - 1) != 0 || line[sizeof header - 1] != '\n';
    while (!bad && fgets(line, sizeof line, csv) != NULL)
        bad = take_row(best, &loss, line, method->name) != 0;
    fclose(csv);
    if (bad)
        return complain(path, "not what --sweep writes", "");
    return isfinite(loss) ? 0 : complain(path, "no learning rate for ", method->name);
}
