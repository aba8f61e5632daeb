/* train: compares optimizers on a small net. See --help. */
#include "examples/train/train.h"

#include <stdlib.h>

#include "examples/support/threads.h"

static int compare(const config *given)
{
    config with = *given, *c = &with;
    regime_log log;
    source s;
    size_t count = 0, wanted = c->methods.count * c->seed_count;
    int status = arguments_folder(c->out);
    if (status != 0 || (status = source_open(&s, c, c->validate)) != 0)
        return status;
    if (c->regimes > 0 && regimes_open(c->log = &log, c->out) != 0) {
        source_close(&s);
        return 1;
    }
    run *runs = calloc(wanted, sizeof *runs);
    if (runs == NULL) {
        fputs("train: out of memory\n", stderr);
        status = 1;
    }
    for (size_t m = 0; m < c->methods.count && status == 0; m++)
        for (size_t i = 0; i < c->seed_count && status == 0; i++) {
            progress bar;
            void *options = methods_options(&c->methods, c->methods.list[m]);
            progress_start(&bar, c->methods.list[m]->name,
                           (size_t)c->epochs * ng_dataset_count(s.train), "samples", c->quiet);
            status = options == NULL || run_train(&runs[count++], c, &s, c->methods.list[m],
                                                  options, c->seeds[i], &bar) != 0;
            progress_end(&bar);
            free(options);
        }
    if (c->log != NULL && regimes_close(&log) != 0)
        status = 1;
    if (status == 0)
        status = report_runs(c, &s, runs, count);
    for (size_t i = 0; i < count; i++)
        run_free(&runs[i]);
    free(runs);
    source_close(&s);
    return status;
}

int main(int argc, char **argv)
{
    config c;
    int status = config_parse(&c, argc, argv);
    if (status != 0)
        return status;
    blas_set_threads(c.threads);
    return c.sweep ? sweep_all(&c) : compare(&c);
}
