/* Processes that are killed while they save: the old checkpoint or the new one is there, whole. */
#include "tests/optim/checkpoint_world.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIDE = 120 };

/* Steps and saves for ever, and says so after the first time. */
static void save_for_ever(ng_optimizer *opt, int begun)
{
    for (int told = 0;; told = 1)
        if (ng_optimizer_step(opt) != NG_OK || ng_optimizer_save(opt, path, NULL) != NG_OK ||
            (!told && write(begun, "", 1) != 1))
            _exit(1);
}

/* A child that has saved; a busy machine may let it wait for its first turn. */
static pid_t start(ng_optimizer *opt)
{
    int begun[2];
    char byte;
    ck_assert_int_eq(pipe(begun), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        save_for_ever(opt, begun[1]);
    close(begun[1]);
    ck_assert_int_eq(read(begun[0], &byte, 1), 1);
    close(begun[0]);
    return child;
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
        pid_t child = start(opt);
        struct timespec pause = {0, (long)(test_uniform(&rng) * 20e6)};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status)); /* it had not failed */
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
