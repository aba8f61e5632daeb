/* Bytes as the file of a training: refused with nothing changed, or it goes on, to finite weights
 * or an error that says why. The first byte: bit 0 whether the file gets the check sum that belongs
 * to it, the others which training it is to be. */
#include "tests/fuzz/fuzz.h"

#include <natgrad-train.h>

enum { ROWS = 12, COLS = 2, KINDS = 4 };

static const char *const presets[KINDS] = {"sgd", "adamw", "fismo", "kfac"};

typedef struct {
    ng_dataset *data;
    ng_model *model;
    ng_trainer *trainer;
    void *method;
} world;

static void make(world *w, unsigned kind, size_t epochs)
{
    static const size_t widths[2] = {3, 2};
    float x[ROWS][COLS];
    int labels[ROWS];
    ng_mlp_options net;
    ng_trainer_options o;
    for (int i = 0; i < ROWS; i++) {
        labels[i] = i % 2;
        for (int j = 0; j < COLS; j++)
            x[i][j] = (float)((7 * i + 3 * j) % 11) / 5 - 1 + (float)labels[i];
    }
    check(ng_dataset_from_labels(&w->data, ng_f32(&x[0][0], ROWS, COLS), labels, 2, NULL) == NG_OK);
    check(ng_mlp_init(&net) == NG_OK && ng_trainer_init(&o) == NG_OK);
    net.inputs = COLS;
    net.widths = widths;
    net.layers = 2;
    check(ng_model_create_mlp(&w->model, &net, NULL) == NG_OK);
    check(ng_options_new(&w->method, presets[kind % KINDS], NULL) == NG_OK);
    o.method = w->method;
    o.batch = 5;
    o.epochs = epochs;
    o.ema = kind & 2 ? 0.9 : 0;
    o.patience = kind & 1 ? 2 : 0;
    check(ng_trainer_create(&w->trainer, w->model, &o, NULL) == NG_OK);
}

static void destroy(world *w)
{
    ng_trainer_destroy(w->trainer);
    ng_model_destroy(w->model);
    ng_options_free(w->method);
    ng_dataset_destroy(w->data);
}

static size_t fuzz_seed(unsigned char *out, size_t room, size_t i)
{
    char path[4096];
    world w;
    if (i >= KINDS)
        return 0;
    snprintf(path, sizeof path, "%s/made", getenv("FUZZ_SEEDS"));
    make(&w, (unsigned)i, 2);
    check(ng_trainer_fit(w.trainer, w.data, w.data) == NG_OK);
    check(ng_trainer_save(w.trainer, path, NULL) == NG_OK);
    destroy(&w);
    out[0] = (unsigned char)(1 + 2 * i);
    return 1 + fuzz_take(out + 1, room - 1, path);
}

/* All weights are views of one array that begins at the first. */
static ng_mat weights(const ng_model *model)
{
    ng_model_param first, p;
    size_t n = 0;
    check(ng_model_parameter(model, &first, 0, NULL) == NG_OK);
    for (size_t i = 0; i < ng_model_parameters(model); i++) {
        check(ng_model_parameter(model, &p, i, NULL) == NG_OK);
        n += p.w.rows * p.w.cols;
    }
    return ng_f32(first.w.data, 1, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char bytes[FUZZ_ROOM];
    float before[64];
    world w;
    if (size == 0 || size > sizeof bytes)
        return 0;
    memcpy(bytes, data + 1, size - 1);
    if (data[0] & 1)
        fuzz_sum(bytes, size - 1, 4);
    make(&w, data[0] >> 1, 3);
    ng_mat all = weights(w.model);
    check(all.cols <= 64);
    memcpy(before, all.data, all.cols * sizeof *before);
    ng_status status = ng_trainer_load(w.trainer, fuzz_file(1, bytes, size - 1));
    if (status != NG_OK) {
        check(status < 0 && ng_trainer_error(w.trainer)[0] != '\0');
        check(memcmp(before, all.data, all.cols * sizeof *before) == 0);
        check(ng_optimizer_steps(ng_trainer_optimizer(w.trainer)) == 0);
    }
    status = ng_trainer_fit(w.trainer, w.data, w.data);
    check(status == NG_OK || (status < 0 && ng_trainer_error(w.trainer)[0] != '\0'));
    check(ng_is_finite(all));
    destroy(&w);
    return 0;
}
