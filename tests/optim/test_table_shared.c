/* Blocks of a table that share their inputs. */
#include "tests/support/run.h"

enum { C = 4, L = 2, V = 7 };

/* Blocks that share their inputs by the table, fed by their place, against the calls by hand. */
START_TEST(shared)
{
    static const ng_policy_entry table[] = {
        {.name = "wte", .dims = {V, C}},
        {.name = "qkvw",
         .dims = {L, 3 * C, C},
         .flags = NG_ENTRY_STACK | NG_ENTRY_SHARED,
         .blocks = 3},
        {.name = "fused", .dims = {C, 6}, .flags = NG_ENTRY_IN_OUT | NG_ENTRY_SHARED, .blocks = 2},
        {.name = "plain", .dims = {C, C}, .flags = NG_ENTRY_SHARED},
    };
    enum { SUM = V * C + L * 3 * C * C + C * 6 + C * C, SAMPLES = 5 };
    static const char *const kind[] = {"kfac", "ekfac", "muon"};
    float w[2][SUM], dw[SUM], a[L * SAMPLES * C], g[L * SAMPLES * 3 * C];
    ng_optimizer *opt[2];
    ng_policy policy[2];
    ng_place at[2][4];
    test_rng rng = {5};
    for (size_t i = 0; i < SUM; i++)
        w[0][i] = w[1][i] = (float)test_normal(&rng);
    for (int k = 0; k < 2; k++) {
        ng_policy_entry mine[4];
        memcpy(mine, table, sizeof mine);
        for (int i = 0; i < 4 && k > 0; i++)
            mine[i].flags &= ~(unsigned)NG_ENTRY_SHARED;
        ng_assert_ok(ng_optimizer_create(&opt[k], NULL), NULL);
        ng_assert_ok(ng_policy_init_presets(&policy[k], opt[k], kind[_i], "adamw"), NULL);
        ng_assert_ok(
            ng_policy_add_all(&policy[k], at[k], mine, 4, ng_f32(w[k], 1, SUM), ng_f32(dw, 1, SUM)),
            NULL);
    }
    ck_assert(_i == 2 ? ng_optimizer_memory(opt[0]) == ng_optimizer_memory(opt[1])
                      : ng_optimizer_memory(opt[0]) < ng_optimizer_memory(opt[1]));
    for (int step = 0; step < 4; step++) {
        for (size_t i = 0; i < SUM; i++)
            dw[i] = (float)test_normal(&rng);
        for (size_t i = 0; i < sizeof a / sizeof *a; i++)
            a[i] = (float)test_normal(&rng);
        for (size_t i = 0; i < sizeof g / sizeof *g; i++)
            g[i] = (float)test_normal(&rng);
        for (int k = 0; k < 2; k++) {
            for (int i = 1; i < 4 && _i < 2; i++)
                ng_assert_ok(ng_place_capture(at[k][i], ng_stack_f32(a, i == 1 ? L : 1, SAMPLES, C),
                                              ng_stack_f32(g, i == 1 ? L : 1, SAMPLES,
                                                           i == 1   ? 3 * C
                                                           : i == 2 ? 6
                                                                    : C),
                                              SAMPLES),
                             NULL);
            ng_assert_ok(ng_optimizer_step(opt[k]), NULL);
        }
        ck_assert_int_eq(memcmp(w[0], w[1], sizeof w[0]), 0);
    }
    ng_place nowhere = {NULL, 0, 0};
    ck_assert_int_eq(ng_place_capture(nowhere, ng_stack_f32(a, 1, SAMPLES, C),
                                      ng_stack_f32(g, 1, SAMPLES, C), 1),
                     NG_EARG);
    ng_optimizer_destroy(opt[0]), ng_optimizer_destroy(opt[1]);
}
END_TEST

TEST_SUITE(table_shared)
{
    TCase *tcase = tcase_create("table_shared");
    tcase_add_loop_test(tcase, shared, 0, 3);
    suite_add_tcase(suite, tcase);
}
