/* Gradients over shards. */
#include "tests/mpi/world.h"

static double element(size_t shard, size_t j)
{
    state = 77 * shard + 1009 * j;
    number();
    return number() * ldexp(1, (int)(7 * shard % 23));
}

/* The tree of natgrad-mpi.h to the letter, in the dtype. */
static double tree(size_t low, size_t high, size_t j, ng_dtype dtype)
{
    size_t half = 1;
    double sum;
    if (high - low == 1)
        return dtype == NG_F32 ? (double)(float)element(low, j) : element(low, j);
    while (2 * half < high - low)
        half *= 2;
    sum = tree(low, low + half, j, dtype) + tree(low + half, high, j, dtype);
    return dtype == NG_F32 ? (double)(float)sum : sum;
}

static void shards_run(size_t number_of_shards)
{
    enum { VIEWS = 3 };
    const size_t sizes[VIEWS][2] = {{7, 3}, {1, 1}, {5, 40}};
    ng_mat views[VIEWS];
    ng_mpi_shards *shards;
    ng_error error = {NG_OK, ""};
    size_t first, last;
    for (int v = 0; v < VIEWS; v++)
        views[v] = make(sizes[v][0], sizes[v][1], v == 1 ? NG_F64 : NG_F32);
    ng_status status =
        ng_mpi_shards_create(&shards, MPI_COMM_WORLD, views, VIEWS, number_of_shards, &error);
    if (number_of_shards < (size_t)ranks) {
        CHECK(status == NG_EARG && shards == NULL, "fewer shards than ranks: %s", error.text);
    } else {
        CHECK(status == NG_OK, "%s", error.text);
    }
    for (int batch = 0; batch < 2 && status == NG_OK; batch++) {
        ng_mpi_shards_range(shards, &first, &last);
        for (size_t i = first; i < last; i++) {
            if (i == first && batch == 1 && rank == 0) {
                /* a call too early is refused on all ranks; its partners are below */
                CHECK(ng_mpi_reduce_gradients(shards, 1, &error) == NG_EARG, "%s", error.text);
            }
            for (int v = 0; v < VIEWS; v++)
                for (size_t j = 0; j < views[v].rows * views[v].cols; j++)
                    ng_mat_set(views[v], j / views[v].cols, j % views[v].cols,
                               element(i, j + 1000 * (size_t)v));
            CHECK(ng_mpi_shards_add(shards, &error) == NG_OK, "%s", error.text);
        }
        if (batch == 1 && rank != 0) {
            CHECK(ng_mpi_reduce_gradients(shards, 1, &error) == NG_EARG, "%s", error.text);
        }
        CHECK(ng_mpi_shards_add(shards, &error) == NG_EARG, "a shard too many");
        CHECK(ng_mpi_reduce_gradients(shards, 0.5, &error) == NG_OK, "%s", error.text);
        for (int v = 0; v < VIEWS; v++)
            for (size_t j = 0; j < views[v].rows * views[v].cols; j++) {
                double found = ng_mat_get(views[v], j / views[v].cols, j % views[v].cols);
                double expected =
                    0.5 * tree(0, number_of_shards, j + 1000 * (size_t)v, views[v].dtype);
                CHECK(found == expected, "%zu shards, view %d, element %zu: %.17g, the tree %.17g",
                      number_of_shards, v, j, found, expected);
            }
    }
    ng_mpi_shards_destroy(shards);
    for (int v = 0; v < VIEWS; v++)
        free(views[v].data);
}

void test_shards(void)
{
    for (size_t n = 1; n <= 13; n++)
        shards_run(n);
    shards_run(64);
}
