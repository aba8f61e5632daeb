/* Every allocation of every call fails once: NG_ENOMEM, the object unchanged,
 * and the next try succeeds. */
#include "tests/fisher/worlds.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 13;
}

/* One shape is enough here: 6 parameters. */
enum { N = 6, M = 2, ROWS = 4 };

typedef struct {
    ng_fisher *f;
    ng_mat x, y, d, a, g, weights, values, p, q;
    ng_random random;
} scene;

enum {
    CREATE,
    TAKE,
    SCORES,
    SET,
    TRACE,
    MUL,
    QUADRATIC,
    SOLVE,
    POWER,
    SAMPLE,
    LOGDET,
    EIGEN,
    TO_DENSE,
    FACTORS,
    LAYER,
    CALLS
};

/* F = 2 I by products */
static ng_status twice(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    (void)data, (void)error;
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            ng_mat_set(y, i, j, 2 * ng_mat_get(x, i, j));
    return NG_OK;
}

/* Matrix-free in float, where it needs more than in double. */
static ng_dtype dtype_of(int i)
{
    return i == FREE ? NG_F32 : NG_F64;
}

static ng_status create(int i, ng_fisher **f, ng_error *error)
{
    ng_fisher_product product = {.mul = twice};
    size_t sizes[3], count = world_blocks(sizes, N);
    return i == DENSE      ? ng_fisher_create_dense(f, N, NG_F64, error)
           : i == DIAGONAL ? ng_fisher_create_diagonal(f, N, NG_F64, error)
           : i == LOWRANK  ? ng_fisher_create_lowrank(f, N, 5, NG_F64, error) /* compresses */
           : i == KRON     ? ng_fisher_create_kron(f, M, 2, 1, NG_F64, error)
           : i == EKFAC    ? ng_fisher_create_ekfac(f, M, 2, 1, 1, NG_F64, error)
           : i == BLOCKS   ? ng_fisher_create_block_diagonal(f, sizes, count, NG_F64, error)
                           : ng_fisher_create_matrix_free(f, N, dtype_of(i), NULL, &product, error);
}

static ng_status create_and_destroy(int i, ng_error *error)
{
    ng_fisher *f = NULL;
    ng_status status = create(i, &f, error);
    if ((f != NULL) != (status == NG_OK))
        status = NG_EARG;
    ng_fisher_destroy(f);
    return status;
}

static ng_status run(int call, int i, scene *s, ng_error *error)
{
    double value;
    switch (call) {
    case CREATE:
        return create_and_destroy(i, error);
    case TAKE:
        return ng_fisher_can(s->f, NG_FISHER_ACCUMULATE_LAYER)
                   ? ng_fisher_accumulate_layer(s->f, s->a, s->g, s->weights, NULL, error)
               : ng_fisher_can(s->f, NG_FISHER_ACCUMULATE)
                   ? ng_fisher_accumulate(s->f, s->x, s->weights, NULL, error)
                   : NG_OK;
    case SCORES:
        return ng_fisher_can(s->f, NG_FISHER_ACCUMULATE)
                   ? ng_fisher_accumulate(s->f, s->x, s->weights, NULL, error)
                   : NG_OK;
    case SET:
        return ng_fisher_can(s->f, NG_FISHER_SET_FACTORS)
                   ? ng_fisher_set_factors(s->f, s->p, s->q, 1, error)
               : ng_fisher_can(s->f, NG_FISHER_SET) ? ng_fisher_set(s->f, s->d, 1, error)
                                                    : NG_OK;
    case TRACE:
        return ng_fisher_trace(s->f, &value, error);
    case MUL:
        return ng_fisher_mul(s->f, s->y, s->x, error);
    case QUADRATIC:
        return ng_fisher_quadratic(s->f, &value, ng_mat_block(s->x, 0, 0, 1, N), error);
    case SOLVE:
        return ng_fisher_solve(s->f, s->y, s->x, 1, error);
    case POWER:
        return i == FREE ? NG_OK : ng_fisher_power(s->f, s->y, s->x, 0.5, 1, error);
    case SAMPLE:
        return i == FREE ? NG_OK : ng_fisher_sample(s->f, s->y, 1, &s->random, error);
    case LOGDET:
        return i == FREE ? NG_OK : ng_fisher_logdet(s->f, &value, 1, error);
    case FACTORS:
        return ng_fisher_can(s->f, NG_FISHER_GET_FACTORS)
                   ? ng_fisher_get_factors(s->f, s->p, s->q, error)
                   : NG_OK;
    case LAYER:
        return ng_fisher_can(s->f, NG_FISHER_INVERSE_LAYER)
                   ? ng_fisher_inverse_layer(s->f, ng_mat_block(s->y, 0, 0, ROWS, 1), s->a, s->g, 1, error)
                   : NG_OK;
    case EIGEN:
        return ng_fisher_eigen(s->f, s->values, ng_mat_none(), error);
    default:
        return ng_fisher_to_dense(s->f, s->d, error);
    }
}

static void open_scene(scene *s, int i)
{
    ng_dtype dtype = dtype_of(i);
    ng_mat *m[] = {&s->x, &s->y, &s->a, &s->g, &s->weights};
    size_t shape[][2] = {{ROWS, N}, {ROWS, N}, {ROWS, 2}, {ROWS, M}, {1, ROWS}};
    for (size_t k = 0; k < 5; k++)
        *m[k] = world_normal(shape[k][0], shape[k][1], dtype, &rng);
    for (size_t r = 0; r < ROWS; r++)
        ng_mat_set(s->weights, 0, r, fabs(ng_mat_get(s->weights, 0, r)));
    s->d = test_mat(N, N, 0, dtype), s->values = test_mat(1, 3, 0, dtype);
    s->p = test_mat(M, M, 0, dtype), s->q = test_mat(3, 3, 0, dtype);
    test_assign(s->d, dense_identity(N));
    test_assign(s->p, dense_identity(M));
    test_assign(s->q, dense_identity(3));
    s->random = world_random(&rng);
    ng_assert_ok(create(i, &s->f, NULL), NULL);
    ng_assert_ok(run(TAKE, i, s, NULL), NULL);
}

static void close_scene(scene *s)
{
    ng_fisher_destroy(s->f);
    test_free(s->x), test_free(s->y), test_free(s->a), test_free(s->g), test_free(s->weights);
    test_free(s->d), test_free(s->values), test_free(s->p), test_free(s->q);
    dense_release();
}

/* _i = representation * CALLS + call */
START_TEST(every_allocation_fails_once)
{
    int call = _i % CALLS, i = _i / CALLS;
    size_t fails = 0;
    for (long fail_at = 1; fail_at < 100; fail_at++, fails++) {
        scene s;
        ng_error error = {NG_OK, ""};
        open_scene(&s, i);
        ng_dtype dtype = dtype_of(i);
        ng_mat before = test_mat(N, N, 0, dtype), after = test_mat(N, N, 0, dtype);
        ng_assert_ok(ng_fisher_to_dense(s.f, before, NULL), NULL);
        fault_once(FAULT_MEMORY, fail_at, FAIL);
        ng_status status = run(call, i, &s, &error);
        int reached = fault_over() >= fail_at;
        if (reached) {
            ck_assert_msg(status == NG_ENOMEM, "call %d, allocation %ld: %s", call, fail_at,
                          ng_status_name(status));
            ck_assert(error.text[0] != 0);
            ng_assert_ok(ng_fisher_to_dense(s.f, after, NULL), NULL);
            ck_assert_msg(test_same_bits(before, after), "call %d changed the object", call);
        }
        ng_assert_ok(run(call, i, &s, &error), &error);
        test_free(before), test_free(after);
        close_scene(&s);
        if (!reached)
            break;
    }
    size_t least = call == CREATE ? (i == LOWRANK || i == FREE ? 1 : 2)
                   : i == FREE    ? (call == SOLVE || call == EIGEN ? 5 : 0)
                                  : (call == SAMPLE || call == POWER ? 2 : 0);
    ck_assert_uint_ge(fails, least);
}
END_TEST

TEST_SUITE(alloc)
{
    TCase *tc = tcase_create("memory");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, every_allocation_fails_once, 0, REPRESENTATIONS * CALLS);
    suite_add_tcase(suite, tc);
}
