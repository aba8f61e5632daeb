/* natgrad-predict: what a trained model says of data. See --help. */
#include "examples/predict/predict.h"

#include <string.h>

#include "examples/support/reading.h"
#include "examples/support/threads.h"

static void print_help(void)
{
    printf(
        "Usage: natgrad-predict [OPTION]... MODEL DATA\n"
        "Predict with a trained model. MODEL is a file of natgrad-train or ng_model_save. Where\n"
        "the data have labels or targets, say how good the predictions are: loss, accuracy,\n"
        "precision and recall, confusion matrix, calibration; of values RMSE and R^2.\n\n"
        "DATA is KIND:WHAT, listed below, or WHAT alone for the kind the model was trained on.\n"
        "Columns are found by their names, in any order; words, missing values and scaling are\n"
        "those of the training. Labels or targets may be missing.\n\n"
        "In DIR: predictions.csv, with the probability of each class or the values; of labelled\n"
        "data confusion.csv and calibration.csv with their pictures, or of values the picture\n"
        "of predictions.csv.\n\n"
        "  --read NAME=X        how DATA are read, listed below; repeatable\n"
        "  --batch=N            samples at a time (default: as in training; other numbers may\n"
        "                       differ in the last digit)\n"
        "  --uncertainty[=DATA] count the uncertainty of the weights in (Laplace's "
        "approximation):\n"
        "                       probabilities are less sure, values get a deviation. It is the\n"
        "                       one in MODEL, or fitted to DATA: what the model was trained on\n"
        "  --save=FILE          with --uncertainty: the model and its uncertainty\n"
        "  --threads=N          of the BLAS (default: 1)\n");
    arguments_help();
    printf("\nSources (DATA):\n");
    reading_help_sources();
    printf("\nHow they are read (--read NAME=X, repeatable):\n");
    reading_help_options();
}

static const argument options[] = {
    {"read", ARGUMENT_OWN, .offset = offsetof(config, reading), .take = reading_take},
    {"uncertainty", ARGUMENT_TEXT, .offset = offsetof(config, uncertainty), .bare = ""},
    {"save", ARGUMENT_TEXT, .offset = offsetof(config, save)},
    {"batch", ARGUMENT_COUNT, .offset = offsetof(config, batch), 1, 1 << 20},
    {"threads", ARGUMENT_INT, .offset = offsetof(config, threads), 1, 1024},
    {NULL},
};

static int parse(config *c, int argc, char **argv)
{
    arguments a = {
        .program = "natgrad-predict", .help = print_help, .options = options, .operands = 2};
    memset(c, 0, sizeof *c);
    c->threads = 1;
    ng_dataset_init(&c->reading);
    int status = arguments_read(c, &a, argc, argv);
    if (status == 0 && a.operand[1] == NULL)
        return arguments_usage("expected MODEL and DATA");
    if (status == 0 && c->save != NULL && c->uncertainty == NULL)
        return arguments_usage("--save: there is nothing to save without --uncertainty");
    c->model = a.operand[0];
    c->data = a.operand[1];
    c->out = a.out;
    return status;
}

static int predict(const config *c)
{
    prediction p;
    int status = arguments_folder(c->out);
    if (status != 0)
        return status;
    status = prediction_open(&p, c);
    if (status == 0)
        status = prediction_make(&p);
    if (status == 0)
        status = report(&p, c);
    prediction_close(&p);
    return status;
}

int main(int argc, char **argv)
{
    config c;
    int status = parse(&c, argc, argv);
    if (status == 0) {
        blas_set_threads(c.threads);
        program_catch_interrupt();
        status = predict(&c);
    }
    return program_end(status);
}
