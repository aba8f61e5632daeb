/* Processes that are killed while they save: the old checkpoint or the new one is there, whole. */
#include "tests/optim/checkpoint_world.h"
#include "tests/support/child.h"

enum { SIDE = 120 };

static void save_once(void *opt)
{
    if (ng_optimizer_step(opt) != NG_OK || ng_optimizer_save(opt, path, NULL) != NG_OK)
        _exit(1);
}

START_TEST(killed_while_saving)
{
    ng_mat w = test_mat(SIDE, SIDE, 0, NG_F64), dw = test_mat(SIDE, SIDE, 0, NG_F64);
    test_rng rng = {5};
    ng_optimizer *opt;
    ng_group *group;
    void *options = test_options("adamw", "");
    int kills = getenv("NG_NIGHTLY") != NULL ? 200 : 20, inside = 0;
    unsigned long long steps = 0;
    test_fill_normal(dw, &rng);
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, options), NULL);
    ng_assert_ok(ng_group_add(group, NULL, "w", w, dw), NULL);
    ng_assert_ok(ng_optimizer_save(opt, path, NULL), NULL);
    for (int i = 0; i < kills; i++) {
        test_kill(test_child(save_once, opt), &rng);
        inside += sweep_temporaries();
        ck_assert_msg(ng_optimizer_load(opt, path, NULL) == NG_OK, "kill %d: %s", i,
                      ng_optimizer_error(opt));
        ck_assert_uint_ge(ng_optimizer_steps(opt), steps);
        steps = ng_optimizer_steps(opt);
    }
    fprintf(stderr, "%d kills, %d of them while a file was begun, %llu checkpoints\n", kills,
            inside, steps);
    ck_assert_int_gt(inside, kills / 10);
    ck_assert_uint_gt(steps, 0);
    ng_optimizer_destroy(opt);
    free(options);
    test_free(w);
    test_free(dw);
}
END_TEST

TEST_SUITE(checkpoint_kill)
{
    TCase *tcase = tcase_create("kill");
    tcase_add_checked_fixture(tcase, open_files, close_files);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, killed_while_saving);
    suite_add_tcase(suite, tcase);
}
