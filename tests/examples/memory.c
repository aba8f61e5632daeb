/* The table of doc/methods.md: bytes a weight that each preset takes for a GPT of 4 layers of width
 * 128 in f32, as ng_options_memory says. Hidden matrices go to the preset, the rest to AdamW. */
#include <natgrad.h>
#include <stdio.h>
#include <stdlib.h>

enum { LAYERS = 4, C = 128, VOCABULARY = 96, CONTEXT = 64 };

static const struct {
    size_t rows, cols, count;
    int hidden;
} shapes[] = {{VOCABULARY, C, 1, 0},  {CONTEXT, C, 1, 0},    {1, C, 4 * LAYERS + 2, 0},
              {3 * C, C, LAYERS, 1},  {1, 3 * C, LAYERS, 0}, {C, C, LAYERS, 1},
              {1, C, 2 * LAYERS, 0},  {4 * C, C, LAYERS, 1}, {1, 4 * C, LAYERS, 0},
              {C, 4 * C, LAYERS, 1}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static void check(ng_status status, const ng_error *error)
{
    if (status == NG_OK)
        return;
    fprintf(stderr, "memory: %s\n", error->text);
    exit(1);
}

typedef struct {
    double weights, state, step, parameter;
} total;

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static total measure(const void *hidden, const void *rest)
{
    ng_error error = {NG_OK, ""};
    total t = {0, 0, 0, 0};
    double spare = 0, work = 0, both = 0;
    for (int i = 0; i < SHAPES; i++) {
        double count = (double)shapes[i].count;
        ng_memory m;
        check(ng_options_memory(&m, shapes[i].hidden ? hidden : rest, shapes[i].rows,
                                shapes[i].cols, NG_F32, &error),
              &error);
        t.weights += count * (double)(shapes[i].rows * shapes[i].cols);
        t.state += count * (double)m.state;
        spare += count * (double)m.spare;
        work = larger(work, (double)m.work);
        both = larger(both, (double)m.work + (double)m.spare);
    }
    t.step = t.state + spare + work;
    t.parameter = t.state + both;
    return t;
}

/* the least memory that an option makes of a preset */
static const struct {
    const char *option, *value;
} lean[] = {{"rank", "32"}, {"one_sided", "always"}};

static void row(const char *name, const total *t)
{
    printf("| `%s` | %.1f | %.1f | %.1f |\n", name, t->state / t->weights, t->step / t->weights,
           t->parameter / t->weights);
}

int main(void)
{
    ng_error error = {NG_OK, ""};
    ng_adamw_options rest;
    check(ng_adamw_init(&rest), &error);
    printf("| preset | state | `atomic = step` | `atomic = parameter` |\n|---|---|---|---|\n");
    for (size_t i = 0; i < ng_preset_count(); i++) {
        const char *name = ng_preset_get(i)->name;
        char label[64];
        void *options;
        check(ng_options_new(&options, name, &error), &error);
        total t = measure(options, &rest);
        row(name, &t);
        ng_options_free(options);
        for (size_t k = 0; k < sizeof lean / sizeof lean[0]; k++) {
            check(ng_options_new(&options, name, &error), &error);
            if (ng_options_set_text(options, lean[k].option, lean[k].value, NULL) == NG_OK &&
                ng_options_check(options, NULL) == NG_OK) {
                snprintf(label, sizeof label, "%s, %s = %s", name, lean[k].option, lean[k].value);
                t = measure(options, &rest);
                row(label, &t);
            }
            ng_options_free(options);
        }
    }
    return 0;
}
