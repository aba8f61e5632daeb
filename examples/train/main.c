/* train: compares optimizers on a small net. See --help. */
#include "examples/train/train.h"

#include <stdlib.h>

#include "examples/support/threads.h"

static int run_one(run *r, const config *c, const source *s)
{
    progress bar;
    void *options = methods_options(&c->methods, r->method);
    if (options == NULL)
        return 1;
    progress_start(&bar, r->method->name, c->epochs * (double)ng_dataset_count(s->train),
                   "samples");
    int status = run_train(r, c, s, options, &bar);
    progress_end(&bar);
    free(options);
    return status;
}

/* Every method with every seed, until all are there or ^C. */
static int run_all(run *runs, size_t *count, const config *c, const source *s, regime_log *log)
{
    for (size_t m = 0; m < c->methods.count; m++)
        for (size_t i = 0; i < c->seeds.count && !program_interrupted(); i++) {
            run *r = &runs[(*count)++];
            r->method = c->methods.list[m];
            r->seed = c->seeds.list[i];
            r->log = log;
            if (run_one(r, c, s) != 0)
                return 1;
        }
    return 0;
}

static int report(const config *c, const source *s, run *runs, regime_log *log)
{
    size_t count = 0;
    int status = run_all(runs, &count, c, s, log);
    if (log != NULL)
        status = regimes_close(log, status);
    if (status == 0)
        status = report_runs(c, s, runs, count);
    for (size_t i = 0; i < count; i++)
        run_free(&runs[i]);
    return status;
}

static int compare(const config *c)
{
    regime_log log;
    source s;
    int status = arguments_folder(c->out);
    if (status != 0 || (status = source_open(&s, c, c->validate)) != 0)
        return status;
    run *runs = calloc(c->methods.count * c->seeds.count, sizeof *runs);
    if (runs == NULL)
        status = program_no_memory();
    else if (c->regimes == 0)
        status = report(c, &s, runs, NULL);
    else if (regimes_open(&log, c->out) == 0)
        status = report(c, &s, runs, &log);
    else
        status = regimes_close(&log, 1);
    free(runs);
    source_close(&s);
    return status;
}

int main(int argc, char **argv)
{
    config c;
    int status = config_parse(&c, argc, argv);
    if (status == 0) {
        blas_set_threads(c.threads);
        program_catch_interrupt();
        status = c.sweep ? sweep_all(&c) : compare(&c);
    }
    return program_end(status);
}
