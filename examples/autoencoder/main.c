/* autoencoder: the command line and the order of events. See --help. */
#include "examples/autoencoder/autoencoder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/images.h"
#include "examples/support/median.h"
#include "examples/support/threads.h"

static const char reference[] = "adamw", default_optimizers[] = "adamw,fismo";

/* Where the task is far from what a preset was tuned for: the loss is a sum over 784 outputs, and
 * the Fisher matrix with it. Found on validation data; the search replaces lr. */
static const char *const task[] = {"kfac.lr=0.4", "kfac.damping=0.03", "kfac.kl_clip=0.1"};
enum { TASK = sizeof task / sizeof *task };

static void print_help(void)
{
    printf(
        "Usage: autoencoder [OPTION]...\n"
        "Train the deep autoencoder 784-400-200-100-30-100-200-400-784 (tanh, Bernoulli\n"
        "loss) and say how long each optimizer takes to the loss AdamW ends with.\n\n"
        "  --data=SOURCE        digits        drawn digits: 8,000 to train, 2,000 to test\n"
        "                       mnist[:DIR]   IDX files in DIR, or $NATGRAD_DATA/mnist-t10k\n"
        "  --samples=N          the first N of the training set (default: all)\n"
        "  --optimizer=NAMES    comma-separated, or all; adamw among them (default: %s)\n"
        "  --epochs=N           of AdamW, at most of the others; 0: learning rates only\n"
        "                       (default: 50)\n"
        "  --search-epochs=N    of one trial of a learning rate; 0: no search, the preset's\n"
        "                       or the one set (default: 10)\n"
        "  --seed=LIST          a run each: 1 or 1,2,7 or 1-5 (default: 1-3)\n"
        "  --batch=N            samples a step (default: 256)\n"
        "  --set NAME.OPTION=X  an option of one optimizer, listed below; repeatable\n"
        "  --threads=N          of the BLAS (default: 1)\n\n"
        "The learning rate of every optimizer is found on the last eighth of the training\n"
        "set: from the preset's down by factors of two as long as that helps, else up. Every\n"
        "optimizer then stops at the median of AdamW's last training losses.\n"
        "Matrix methods (all but sgd, adamw, ivon) step the hidden weights; biases and the last\n"
        "layer go to adamw with lr 0.001, or as --set adamw.OPTION says. Methods that ask for "
        "statistics of the layers (kfac)\n"
        "step whole layers, with the Fisher matrix of targets drawn from the model on a\n"
        "quarter of each batch. Settings of this task, which --set overrides:\n ",
        default_optimizers);
    for (size_t i = 0; i < TASK; i++)
        printf(" %s", task[i]);
    printf("\n\n");
    arguments_help();
    methods_print();
}

static const argument options[] = {
    {"data", ARGUMENT_TEXT, .offset = offsetof(config, data)},
    {"samples", ARGUMENT_COUNT, .offset = offsetof(config, samples), 16, 1 << 30},
    {"optimizer", ARGUMENT_METHODS, .offset = offsetof(config, methods)},
    {"epochs", ARGUMENT_INT, .offset = offsetof(config, epochs), 0, MAX_EPOCHS},
    {"search-epochs", ARGUMENT_INT, .offset = offsetof(config, search_epochs), 0, MAX_EPOCHS},
    {"seed", ARGUMENT_SEEDS, .offset = offsetof(config, seeds)},
    {"threads", ARGUMENT_COUNT, .offset = offsetof(config, threads), 1, 1024},
    {"batch", ARGUMENT_COUNT, .offset = offsetof(config, batch), 1, 1 << 20},
    {"set", ARGUMENT_SETTING, .offset = offsetof(config, methods)},
    {NULL},
};

/* AdamW first: the others stop where it ends. */
static int reference_first(methods *m)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->list[i]->name, reference) == 0) {
            const ng_preset *found = m->list[i];
            memmove(m->list + 1, m->list, i * sizeof *m->list);
            m->list[0] = found;
            return 0;
        }
    return arguments_usage("--optimizer: %s is what the others are measured by", reference);
}

static int parse(config *c, int argc, char **argv)
{
    arguments a = {
        .program = "autoencoder", .help = print_help, .help_on = methods_help, .options = options};
    *c = (config){.data = "digits",
                  .epochs = 50,
                  .search_epochs = 10,
                  .seeds = {{1, 2, 3}, 3},
                  .batch = 256,
                  .threads = 1};
    program_start(a.program);
    int status = methods_parse(&c->methods, default_optimizers);
    for (size_t i = 0; i < TASK && status == 0; i++)
        status = methods_set(&c->methods, task[i]);
    c->methods.own = c->methods.setting_count;
    if (status == 0)
        status = arguments_read(c, &a, argc, argv);
    c->out = a.out;
    if (status == 0)
        status = methods_check(&c->methods);
    return status == 0 && c->epochs > 0 ? reference_first(&c->methods) : status;
}

/* ---- Data ---------------------------------------------------------------------------- */

static int open_pictures(pictures *p, const config *c)
{
    ng_error error = {NG_OK, ""};
    ng_status status = NG_OK;
    progress bar;
    progress_start(&bar, "reading", 0, "");
    if (strcmp(c->data, "digits") == 0)
        status = images_digits(&p->train, &p->held_out, &error);
    else if (strcmp(c->data, "mnist") == 0)
        status = images_mnist(&p->train, &p->held_out, NULL, &error);
    else if (strncmp(c->data, "mnist:", 6) == 0)
        status = images_mnist(&p->train, &p->held_out, c->data + 6, &error);
    else
        return arguments_usage("--data=%s: expected digits or mnist", c->data);
    progress_end(&bar);
    if (status == NG_OK && c->samples > 0 && c->samples < ng_dataset_count(p->train)) {
        ng_dataset *all = p->train;
        status = ng_dataset_view(&p->train, all, 0, c->samples, &error);
        ng_dataset_destroy(all);
    }
    if (status == NG_OK && ng_dataset_features(p->train) != PIXELS)
        status = ng_error_set(&error, NG_ESHAPE, "%s: pictures of %zu numbers, not %d", c->data,
                              ng_dataset_features(p->train), PIXELS);
    return status != NG_OK ? program_error("%s", error.text) : 0;
}

/* ---- Running -------------------------------------------------------------------------- */

/* All seeds of one method at its rate, down to the target; *done is raised by each. */
static int run_method(run *runs, size_t *done, const config *c, const pictures *p,
                      const ng_preset *method, double lr, double target)
{
    int status = 0;
    for (size_t i = 0; i < c->seeds.count && status == 0 && !program_interrupted(); i++) {
        progress bar;
        run *r = &runs[(*done)++];
        r->method = method;
        r->seed = c->seeds.list[i];
        r->lr = lr;
        progress_start(&bar, method->name, c->epochs * (double)ng_dataset_count(p->train),
                       "pictures");
        status = run_train(r, c, p, c->epochs, target, &bar);
        progress_end(&bar);
    }
    return status;
}

static double last_loss(const run *runs, size_t count)
{
    double losses[MAX_SEEDS];
    for (size_t i = 0; i < count; i++)
        losses[i] = runs[i].failed ? (double)NAN : runs[i].points[runs[i].epochs].train_loss;
    return median_of(losses, count);
}

/* Every method: its rate, then its runs, if --epochs asks for some; until ^C. */
static int run_all(run *runs, size_t *done, double *target, const config *c, const pictures *p)
{
    int status = 0;
    for (size_t m = 0; m < c->methods.count && status == 0 && !program_interrupted(); m++) {
        double lr;
        status = search_lr(&lr, c, c->methods.list[m], p->train);
        if (status == 0 && c->epochs > 0 && !program_interrupted())
            status = run_method(runs, done, c, p, c->methods.list[m], lr, *target);
        if (status == 0 && m == 0)
            *target = last_loss(runs, *done);
    }
    return status;
}

static int compare(const config *c, const pictures *p)
{
    size_t done = 0;
    run *runs = calloc(c->methods.count * c->seeds.count, sizeof *runs);
    double target = -INFINITY;
    if (runs == NULL)
        return program_no_memory();
    printf("%-12s %10s %12s %12s %9s   (%d epochs)\n", "optimizer", "lr", "train loss", "val. loss",
           "CPU s", c->search_epochs);
    int status = run_all(runs, &done, &target, c, p);
    if (status == 0 && done > 0)
        status = report_runs(c, p, runs, done, target);
    free(runs);
    return status;
}

int main(int argc, char **argv)
{
    config c;
    pictures p = {NULL, NULL};
    int status = parse(&c, argc, argv);
    if (status == 0 && c.epochs > 0)
        status = arguments_folder(c.out);
    if (status == 0) {
        blas_set_threads((int)c.threads);
        program_catch_interrupt();
        status = open_pictures(&p, &c);
    }
    if (status == 0)
        status = compare(&c, &p);
    ng_dataset_destroy(p.train);
    ng_dataset_destroy(p.held_out);
    return program_end(status);
}
