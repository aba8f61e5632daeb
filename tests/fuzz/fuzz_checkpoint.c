/* Bytes as a checkpoint of a small optimizer: one chooses its method, one the rest, then the file,
 * its check sum taken as right. Refused with nothing changed, or the next step is finite. */
#include "tests/fuzz/fuzz.h"

enum { ROWS = 3, COLS = 4, ELEMENTS = 12, COUNTS = 64, NUMBERS = 1024 };

typedef struct {
    ng_optimizer *opt;
    ng_group *group;
    ng_fisher *fisher;
    ng_average *average; /* or NULL */
    int captures;
    double w[ELEMENTS], dw[ELEMENTS], bias[ROWS], dbias[ROWS], f[ELEMENTS * ELEMENTS];
    ng_dtype dtype;
} world;

static ng_mat view(const world *t, double *data, size_t rows, size_t cols)
{
    return t->dtype == NG_F32 ? ng_f32((float *)(void *)data, rows, cols)
                              : ng_f64(data, rows, cols);
}

static void fill(ng_mat m, double scale)
{
    for (size_t i = 0; i < m.rows * m.cols; i++)
        ng_mat_set(m, i / m.cols, i % m.cols, scale * (0.25 + (double)(i * i % 7) - 3));
}

/* The group's Fisher matrix, when its method wants one: 2 I + ... */
static void give_fisher(world *t)
{
    ng_mat f = view(t, t->f, ELEMENTS, ELEMENTS);
    for (size_t i = 0; i < ELEMENTS; i++)
        for (size_t j = 0; j < ELEMENTS; j++)
            ng_mat_set(f, i, j, (i == j ? 2 : 0) + 1 / (1 + (double)(i + j)));
    check(ng_fisher_create_dense(&t->fisher, ELEMENTS, t->dtype, NULL) == NG_OK);
    check(ng_fisher_set(t->fisher, f, 1, NULL) == NG_OK);
    check(ng_group_set_fisher(t->group, t->fisher) == NG_OK);
}

/* Method `which`: a preset, or natural behind the last. */
static void open_world(world *t, size_t which, unsigned rest)
{
    ng_natural_options natural;
    void *options = &natural;
    memset(t, 0, sizeof *t);
    t->dtype = rest & 1 ? NG_F64 : NG_F32;
    check(ng_natural_init(&natural) == NG_OK);
    if (which < ng_preset_count())
        check(ng_options_new(&options, ng_preset_get(which)->name, NULL) == NG_OK);
    t->captures = ng_options_want_capture(options);
    check(ng_optimizer_create(&t->opt, NULL) == NG_OK);
    check(ng_optimizer_add_group(t->opt, &t->group, options) == NG_OK);
    ng_mat w = view(t, t->w, ROWS, COLS), dw = view(t, t->dw, ROWS, COLS);
    fill(w, 1);
    fill(dw, 0.1);
    check(ng_group_add(t->group, NULL, "w", w, dw) == NG_OK);
    if (t->captures)
        check(ng_group_add_bias(t->group, 0, view(t, t->bias, 1, ROWS),
                                view(t, t->dbias, 1, ROWS)) == NG_OK);
    if (which == ng_preset_count())
        give_fisher(t);
    else
        ng_options_free(options);
    if (rest >> 3 & 1)
        check(ng_average_create(&t->average, t->opt, 0.5, NULL) == NG_OK);
}

static void close_world(world *t)
{
    ng_average_destroy(t->average);
    ng_optimizer_destroy(t->opt);
    ng_fisher_destroy(t->fisher);
}

static ng_status step(world *t)
{
    double a[2 * COLS], g[2 * ROWS];
    ng_mat inputs = view(t, a, 2, COLS), outputs = view(t, g, 2, ROWS);
    fill(inputs, 0.5);
    fill(outputs, 0.1);
    if (t->captures) {
        ng_status status = ng_group_capture(t->group, 0, inputs, outputs, 2);
        if (status != NG_OK)
            return status;
    }
    return ng_optimizer_step(t->opt);
}

static size_t fuzz_seed(unsigned char *out, size_t room, size_t i)
{
    char path[4096];
    world t;
    ng_checkpoint_options o;
    size_t which = i / 4;
    if (which > ng_preset_count())
        return 0;
    out[0] = (unsigned char)which;
    out[1] = (unsigned char)(i % 4 | (i & 2) << 2); /* with weights the average too */
    open_world(&t, which, out[1]);
    for (int k = 0; k < 3; k++)
        check(step(&t) == NG_OK);
    check(t.average == NULL || ng_average_update(t.average, NULL) == NG_OK);
    check(ng_checkpoint_init(&o) == NG_OK);
    o.weights = out[1] >> 1 & 1;
    o.average = t.average;
    if (o.weights)
        check(ng_optimizer_accumulate(t.opt) == NG_OK);
    snprintf(path, sizeof path, "%s/made", getenv("FUZZ_SEEDS"));
    check(ng_optimizer_save(t.opt, path, &o) == NG_OK);
    close_world(&t);
    return 2 + fuzz_take(out + 2, room - 2, path);
}

/* All that a load may change, as numbers; how many. */
static size_t numbers(double *out, const world *t)
{
    const char *parameter, *name;
    ng_mat m;
    size_t n = ng_optimizer_counts(t->opt, out, COUNTS);
    check(n <= COUNTS);
    memcpy(out + n, t->w, sizeof t->w);
    memcpy(out + n + ELEMENTS, t->bias, sizeof t->bias);
    n += ELEMENTS + ROWS;
    out[n++] = (double)ng_average_count(t->average);
    out[n++] = ng_average_decay(t->average);
    for (size_t i = 0; t->average != NULL &&
                       ng_average_tensor(t->average, &parameter, &name, &m, i, NULL) == NG_OK;
         i++)
        for (size_t k = 0; k < m.rows * m.cols; k++) {
            out[n++] = ng_mat_get(m, k / m.cols, k % m.cols);
            check(isfinite(out[n - 1]));
        }
    for (size_t i = 0; ng_optimizer_tensor(t->opt, &parameter, &name, &m, i) == NG_OK; i++)
        for (size_t k = 0; k < m.rows * m.cols; k++) {
            check(n < NUMBERS);
            out[n++] = ng_mat_get(m, k / m.cols, k % m.cols);
        }
    return n;
}

static int all_finite(const world *t)
{
    ng_mat w = view(t, (double *)(uintptr_t)t->w, ROWS, COLS);
    for (size_t i = 0; i < ELEMENTS; i++)
        if (!isfinite(ng_mat_get(w, i / COLS, i % COLS)))
            return 0;
    return 1;
}

static void hear(const char *text, void *data)
{
    check(strchr(text, '\n') == NULL && strlen(text) < 512);
    ++*(size_t *)data;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char bytes[FUZZ_ROOM];
    static double before[NUMBERS], after[NUMBERS];
    fuzz_bytes b = {data, size};
    ng_checkpoint_options o;
    world t;
    size_t which = fuzz_byte(&b) % (ng_preset_count() + 1);
    unsigned rest = fuzz_byte(&b);
    if (b.size > sizeof bytes)
        return 0;
    memcpy(bytes, b.at, b.size);
    fuzz_sum(bytes, b.size, 4);
    open_world(&t, which, rest);
    check(ng_checkpoint_init(&o) == NG_OK);
    o.weights = rest >> 1 & 1;
    o.keep_options = rest >> 2 & 1;
    o.average = t.average;
    o.partial = rest >> 4 & 1;
    size_t lines = 0, n = numbers(before, &t);
    ng_status described = ng_checkpoint_describe(fuzz_file(0, bytes, b.size), hear, &lines, NULL);
    check(described == NG_OK ? lines > 0 : lines == 0);
    ng_status status = ng_optimizer_load(t.opt, fuzz_file(0, bytes, b.size), &o);
    if (status != NG_OK) {
        check(ng_optimizer_error(t.opt)[0] != '\0' && status != NG_EIO);
        check(numbers(after, &t) == n && memcmp(before, after, n * sizeof *before) == 0);
    }
    for (int i = 0; i < 2; i++) {
        status = step(&t);
        check(status == NG_OK || ng_optimizer_error(t.opt)[0] != '\0');
        check(all_finite(&t));
    }
    numbers(after, &t);
    close_world(&t);
    return 0;
}
