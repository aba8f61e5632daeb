/* A small world: four layers of awkward shapes, one with a bias, and a vector. */
#include "tests/mpi/world.h"

int rank, ranks, failures;
const size_t shapes[LAYERS][2] = {{1, 1}, {7, 3}, {4, 9}, {6, 6}, {3, 7}};

unsigned long long state;

double number(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0 - 0.5;
}

ng_mat make(size_t rows, size_t cols, ng_dtype dtype)
{
    size_t stride = cols + rows % 2; /* some strided */
    ng_mat m = {calloc(rows * stride, sizeof(double)), rows, cols, stride, dtype};
    return m;
}

void fill(ng_mat m)
{
    for (size_t i = 0; i < m.rows; i++)
        for (size_t j = 0; j < m.cols; j++)
            ng_mat_set(m, i, j, number());
}

int same(ng_mat a, ng_mat b)
{
    size_t item = ng_dtype_size(a.dtype);
    for (size_t i = 0; i < a.rows; i++)
        if (memcmp((char *)a.data + i * a.stride * item, (char *)b.data + i * b.stride * item,
                   a.cols * item) != 0)
            return 0;
    return 1;
}

int listen(const ng_event *event, void *data)
{
    *(double *)data += event->update_norm * (double)(event->index + 1);
    return 0;
}

void open_world(world *x, const setup *s)
{
    ng_error error = {NG_OK, ""};
    ng_optimizer_options all;
    ng_adamw_options adam;
    void *options;
    char name[16];
    ng_optimizer_init(&all);
    all.clip_norm = s->clip_norm;
    all.threads = s->threads;
    memset(x, 0, sizeof *x);
    state = 7;
    CHECK(ng_options_new(&options, s->preset, &error) == NG_OK, "%s", error.text);
    CHECK(ng_options_set_all(options, s->settings, NULL, 0, &error) == NG_OK, "%s", error.text);
    CHECK(ng_optimizer_create(&x->opt, &all) == NG_OK, "create");
    CHECK(ng_optimizer_add_group(x->opt, &x->groups[0], options) == NG_OK, "%s",
          ng_optimizer_error(x->opt));
    for (int i = 0; i < LAYERS; i++) {
        x->w[i] = make(shapes[i][0], shapes[i][1], s->dtype);
        x->dw[i] = make(shapes[i][0], shapes[i][1], s->dtype);
        fill(x->w[i]);
        snprintf(name, sizeof name, "layer%d", i);
        CHECK(ng_group_add(x->groups[0], NULL, name, x->w[i], x->dw[i]) == NG_OK, "%s",
              ng_optimizer_error(x->opt));
    }
    x->b = make(1, 6, s->dtype);
    x->db = make(1, 6, s->dtype);
    if (ng_options_want_capture(options)) {
        CHECK(ng_group_add_bias(x->groups[0], 3, x->b, x->db) == NG_OK, "%s",
              ng_optimizer_error(x->opt));
    }
    x->vector = make(1, 50, s->dtype);
    x->dvector = make(1, 50, s->dtype);
    ng_adamw_init(&adam);
    CHECK(ng_optimizer_add_group(x->opt, &x->groups[1], &adam) == NG_OK, "adamw");
    CHECK(ng_group_add(x->groups[1], NULL, "vector", x->vector, x->dvector) == NG_OK, "vector");
    ng_options_free(options);
}

void close_world(world *x)
{
    ng_optimizer_destroy(x->opt);
    for (int i = 0; i < LAYERS; i++) {
        free(x->w[i].data);
        free(x->dw[i].data);
    }
    free(x->b.data);
    free(x->db.data);
    free(x->vector.data);
    free(x->dvector.data);
}

ng_status attach(world *x)
{
    return ng_mpi_optimizer_attach(x->opt, MPI_COMM_WORLD, NULL);
}

/* Gradients, micro-batches and captures of step t. */
void load_batch(world *x, const setup *s, int t)
{
    state = 1000 + (unsigned)t;
    for (int k = 0; k < s->micro + 1; k++) {
        for (int i = 0; i < LAYERS; i++)
            fill(x->dw[i]);
        fill(x->db);
        fill(x->dvector);
        if (k < s->micro) {
            CHECK(ng_optimizer_accumulate(x->opt) == NG_OK, "%s", ng_optimizer_error(x->opt));
        }
    }
    for (size_t i = 0; i < LAYERS; i++) {
        ng_mat a = make(SAMPLES, shapes[i][1], s->dtype), g = make(SAMPLES, shapes[i][0], s->dtype);
        fill(a);
        fill(g);
        ng_status status = ng_group_capture(x->groups[0], i, a, g, 1);
        CHECK(status == NG_OK || status == NG_EUNSUPPORTED, "%s", ng_optimizer_error(x->opt));
        free(a.data);
        free(g.data);
    }
}

int same_worlds(const world *x, const world *y)
{
    int alike = same(x->b, y->b) && same(x->vector, y->vector);
    for (int i = 0; i < LAYERS; i++)
        alike &= same(x->w[i], y->w[i]);
    return alike;
}

ng_status step(world *x, const setup *s, int t)
{
    ng_optimizer_set_multiplier(x->opt, t < 10 ? (t + 1) / 10.0 : 1); /* a warm-up */
    load_batch(x, s, t);
    return ng_optimizer_step(x->opt);
}

/* The text is the same on all ranks. */
void same_text(const char *text)
{
    char first[256] = "";
    snprintf(first, sizeof first, "%s", text);
    MPI_Bcast(first, sizeof first, MPI_CHAR, 0, MPI_COMM_WORLD);
    CHECK(strcmp(first, text) == 0, "\"%s\", on rank 0 \"%s\"", text, first);
}
