/* Every allocation of every call fails once: NG_ENOMEM with a text, nothing
 * leaks (the sanitizers look), and the next try succeeds. */
#include "tests/geometry/worlds.h"

enum { N = 4 };
enum {
    CREATE,
    KRON,
    SPECTRUM,
    DIRECTION,
    ALPHA,
    SIDE,
    METRIC,
    MUL,
    SOLVE,
    DEVIATION,
    SIGNATURE,
    SIGNED_METRIC,
    CALLS
};

/* frees what was made */
static ng_status made(ng_regime *r, ng_status status)
{
    int half_built = (r != NULL) != (status == NG_OK);
    ng_regime_destroy(r);
    return half_built ? NG_EARG : status;
}

static ng_status run(int call, const ng_regime *r, ng_mat f, ng_error *error)
{
    static double w[N] = {3, 1, 2, 5}, x[N] = {1, 2, 3, 4}, y[N], g[N * N], value;
    static const int signs[N] = {1, -1, 1, 1};
    ng_mat half = ng_mat_block(f, 0, 0, 2, 2), row = ng_f64(x, 1, N), out = ng_f64(y, 1, N);
    ng_regime *fresh = NULL;
    ng_signature *s = NULL;
    ng_status status;
    switch (call) {
    case CREATE:
        status = ng_regime_create(&fresh, f, NULL, error);
        return made(fresh, status);
    case KRON:
        status = ng_regime_create_kron(&fresh, half, half, NULL, error);
        return made(fresh, status);
    case SPECTRUM:
        status = ng_regime_create_spectrum(&fresh, ng_f64(w, 1, N), NULL, error);
        return made(fresh, status);
    case DIRECTION:
        return ng_regime_direction(r, out, 1, error);
    case ALPHA:
        return ng_regime_alpha(r, &value, row, 1, error);
    case SIDE:
        return ng_regime_side(r, &value, row, 1, 0.5, error);
    case METRIC:
        return ng_regime_metric(r, ng_f64(g, N, N), 1, error);
    case MUL:
        return ng_regime_mul(r, out, row, 1, error);
    case SOLVE:
        return ng_regime_solve(r, out, row, 1, error);
    case DEVIATION:
        return ng_regime_deviation(r, ng_f64(g, N, N), error);
    case SIGNATURE:
        status = ng_signature_create(&s, r, signs, error);
        if ((s != NULL) != (status == NG_OK))
            status = NG_EARG;
        ng_signature_destroy(s);
        return status;
    default:
        return ng_signature_metric(r, ng_f64(g, N, N), signs, 1, error);
    }
}

/* _i = kind of regime * CALLS + call */
START_TEST(every_allocation_fails_once)
{
    int call = _i % CALLS;
    test_rng rng = {3};
    double w[N] = {1, 2, 3, 5};
    ng_mat f = world_spd(w, N, &rng), half = ng_mat_block(f, 0, 0, 2, 2);
    ng_regime *r;
    ng_assert_ok(_i < CALLS ? ng_regime_create(&r, f, NULL, NULL)
                            : ng_regime_create_kron(&r, half, half, NULL, NULL),
                 NULL);
    long fail_at = 1;
    for (; fail_at < 100; fail_at++) {
        ng_error error = {NG_OK, ""};
        fault_once(FAULT_MEMORY, fail_at, FAIL);
        ng_status status = run(call, r, f, &error);
        if (fault_over() < fail_at)
            break;
        ck_assert_msg(status == NG_ENOMEM, "call %d, allocation %ld: %s", call, fail_at,
                      ng_status_name(status));
        ck_assert(error.text[0] != 0);
        ng_assert_ok(run(call, r, f, &error), &error);
    }
    ck_assert_int_ge(fail_at, 3);
    ck_assert_int_lt(fail_at, 100);
    ng_regime_destroy(r);
    dense_release();
}
END_TEST

TEST_SUITE(alloc)
{
    TCase *tc = tcase_create("memory");
    tcase_add_loop_test(tc, every_allocation_fails_once, 0, 2 * CALLS);
    suite_add_tcase(suite, tc);
}
