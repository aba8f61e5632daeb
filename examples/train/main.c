/* natgrad-train: the order of events. See --help. */
#include "examples/train/train.h"

#include <stdlib.h>

#include "examples/support/threads.h"

static int run_one(run *r, const config *c, const source *s)
{
    progress bar;
    void *options = methods_options(&c->methods, r->method);
    if (options == NULL)
        return 1;
    progress_start(&bar, r->method->name,
                   (double)c->how.epochs * (double)ng_dataset_count(s->train), "samples");
    int status = run_train(r, c, s, options, &bar);
    progress_end(&bar);
    free(options);
    return status;
}

/* Beside the runs: what is written on the way. */
typedef struct {
    keeper keep;
    record record;
    regime_log *regimes; /* or NULL */
    spectra_log *spectra;
} desk;

/* Every method with every seed, until all are there or ^C. */
static int run_all(run *runs, size_t *count, const config *c, const source *s, desk *d)
{
    for (size_t m = 0; m < c->methods.count; m++)
        for (size_t i = 0; i < c->seeds.count && !program_interrupted(); i++) {
            run *r = &runs[(*count)++];
            r->method = c->methods.list[m];
            r->seed = c->seeds.list[i];
            r->regimes = d->regimes;
            r->spectra = d->spectra;
            r->keep = c->save != NULL ? &d->keep : NULL;
            r->record = c->log != NULL ? &d->record : NULL;
            r->resume = c->resume;
            if (run_one(r, c, s) != 0)
                return 1;
        }
    return 0;
}

static int close_layers(desk *d, int status)
{
    if (d->regimes != NULL)
        status = regimes_close(d->regimes, status);
    return d->spectra != NULL ? spectra_close(d->spectra, status) : status;
}

static int report(const config *c, const source *s, run *runs, desk *d)
{
    size_t count = 0;
    int status = run_all(runs, &count, c, s, d);
    status = close_layers(d, status);
    if (status == 0 && d->keep.kept[0] != '\0')
        printf("model: %s (%s)\n", c->save, d->keep.kept);
    if (status == 0 && d->keep.kept[0] != '\0' && !program_hushed())
        status = bars_keep(c, s);
    if (status == 0 && !program_hushed())
        status = report_runs(c, s, runs, count);
    for (size_t i = 0; i < count; i++)
        run_free(&runs[i]);
    return status;
}

/* The runs, with files open for what they write. */
static int work(const config *c, const source *s, run *runs)
{
    desk d = {.regimes = NULL};
    regime_log regimes;
    spectra_log spectra;
    int status = keep_open(&d.keep, c);
    if (status == 0 && c->log != NULL)
        status = record_open(&d.record, c->log, s);
    if (status == 0 && c->regimes > 0) {
        d.regimes = &regimes;
        status = regimes_open(&regimes, c->out);
    }
    if (status == 0 && c->spectra > 0) {
        d.spectra = &spectra;
        status = spectra_open(&spectra, c->out);
    }
    if (crew_agree(status) == 0)
        status = report(c, s, runs, &d);
    else
        close_layers(&d, 1);
    return record_close(&d.record, status);
}

static int compare(const config *c)
{
    source s;
    int status = source_open(&s, c,
                             c->validate           ? HOLD_VALIDATION
                             : c->how.patience > 0 ? HOLD_BOTH
                                                   : HOLD_TEST);
    status = crew_agree(status);
    if (status != 0)
        return status;
    run *runs = calloc(c->methods.count * c->seeds.count, sizeof *runs);
    status = runs != NULL ? work(c, &s, runs) : program_no_memory();
    free(runs);
    source_close(&s);
    return status;
}

/* A rate first, if it is asked for. */
static int train(config *c)
{
    int status = arguments_folder(c->out);
    if (status == 0)
        status = rate_search(c);
    return status == 0 && !program_interrupted() ? compare(c) : status;
}

int main(int argc, char **argv)
{
    config c;
    crew_begin();
    int status = config_parse(&c, argc, argv);
    if (status == 0)
        status = crew_start(&argc, &argv, c.shards);
    if (status == 0) {
        blas_set_threads(c.threads);
        if (!crew_shards) /* mpirun ends its ranks itself */
            program_catch_interrupt();
        status = c.sweep ? sweep_all(&c) : train(&c);
    }
    status = program_end(status);
    crew_end();
    return status;
}
