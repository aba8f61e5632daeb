/* Several options as one text, and what is right where it is wrong. */
#include "tests/support/run.h"

#include <stdio.h>

enum { ROOM = 6000 };

static double value(const void *options, const char *name)
{
    double x = NAN;
    ng_assert_ok(ng_options_get(options, name, &x, NULL), NULL);
    return x;
}

/* As one after the other. */
START_TEST(taken)
{
    static const char *const texts[] = {
        "lr=0.25 metric=kfac damping=0.5 momentum=0.5 inverse_interval=3 root=symmetric",
        "lr=0.25,metric=kfac,\tdamping=0.5\nmomentum=0.5,, inverse_interval=3 root=symmetric \n",
        "  lr=9 lr=0.25 metric=kfac damping=0.5 momentum=0.5 inverse_interval=3 root=symmetric"};
    for (int i = 0; i < 3; i++) {
        ng_steepest_options o, by_one;
        char problem[ROOM] = "before";
        ng_error err = {NG_OK, ""};
        ng_steepest_init(&o), ng_steepest_init(&by_one);
        ng_assert_ok(ng_options_set_all(&o, texts[i], problem, sizeof problem, &err), &err);
        ck_assert_str_eq(problem, "");
        by_one.lr = 0.25, by_one.metric = NG_METRIC_KFAC, by_one.kfac.damping = 0.5;
        by_one.momentum = 0.5, by_one.kfac.inverse_interval = 3;
        by_one.kfac.root = NG_ROOT_SYMMETRIC;
        for (size_t k = 0; k < ng_options_count(&by_one); k++)
            ck_assert(value(&o, ng_options_at(&by_one, k)->name) ==
                      value(&by_one, ng_options_at(&by_one, k)->name));
        ng_assert_ok(ng_options_set_all(&o, " ", NULL, 0, &err), &err);
    }
}
END_TEST

static void wrong(const char *settings, const char *culprit, const char *right)
{
    ng_steepest_options o, before;
    char problem[ROOM], small[20];
    ng_error err = {NG_OK, ""};
    memset(&o, 0, sizeof o); /* padding too */
    ng_steepest_init(&o);
    before = o;
    ng_assert_fails(ng_options_set_all(&o, settings, problem, sizeof problem, &err), NG_EOPTION,
                    &err, culprit);
    ck_assert_int_eq(memcmp(&o, &before, sizeof o), 0);
    ck_assert_msg(strstr(problem, culprit) != NULL && strstr(problem, right) != NULL, "%.200s",
                  problem);
    ck_assert_int_eq(ng_options_set_all(&o, settings, small, sizeof small, NULL), NG_EOPTION);
    ck_assert_uint_eq(strlen(small), sizeof small - 1);
    ck_assert_int_eq(memcmp(small, problem, sizeof small - 1), 0);
    ck_assert_int_eq(ng_options_set_all(&o, settings, NULL, 0, NULL), NG_EOPTION);
}

START_TEST(refused)
{
    char text[400] = "lr=0.1 ";
    wrong("lr=0.5 momentum=1", "momentum = 1", "  momentum = 0 ... 1 (less than it): ");
    wrong("lr=0.5 momentum=x", "momentum = 'x'", "  momentum = 0 ... 1");
    wrong("metric=fsmo", "metric = 'fsmo'", "  metric = identity, ");
    wrong("lr=0.5 nesterov=maybe", "nesterov = 'maybe'", "  nesterov = no, yes: ");
    wrong("lr=-1", "lr = -1", "  lr = 0 ... any: ");
    wrong("lr", "'lr' is not of the form", "  lr = ");
    wrong("=3", "no option ''", "  lr = ");
    wrong("lr=0.1 kl_clip=1", "kl_clip", "identity");
    memset(text + 7, 'a', 300);
    wrong(text, "not of the form", "  lr = ");
    strcpy(text + 300, "=2");
    wrong(text, "too long", "  lr = ");
}
END_TEST

/* Every option in force is there, whatever the error's own text had room for. */
START_TEST(all_listed)
{
    ng_error err = {NG_OK, ""};
    for (size_t i = 0; i < ng_preset_count(); i++) {
        void *o = test_options(ng_preset_get(i)->name, "");
        char problem[ROOM], row[80];
        ck_assert_int_eq(ng_options_set_all(o, "lr=0.1 ir=2", problem, sizeof problem, &err),
                         NG_EOPTION);
        ck_assert_ptr_nonnull(strstr(problem, "'ir'"));
        for (size_t k = 0; k < ng_options_count(o); k++) {
            snprintf(row, sizeof row, "\n  %s = ", ng_options_at(o, k)->name);
            ck_assert_msg(strstr(problem, row) != NULL, "%s lacks %s", ng_preset_get(i)->name, row);
            ck_assert_ptr_nonnull(strstr(problem, ng_options_at(o, k)->doc));
        }
        ck_assert_uint_lt(strlen(problem), 4000);
        free(o);
    }
}
END_TEST

START_TEST(arguments)
{
    ng_sgd_options o;
    char problem[ROOM];
    ng_sgd_init(&o);
    ck_assert_int_eq(ng_options_set_all(NULL, "lr=1", problem, ROOM, NULL), NG_EARG);
    ck_assert_int_eq(ng_options_set_all(&o, NULL, problem, ROOM, NULL), NG_EARG);
    fault_once(FAULT_MEMORY, 1, FAIL);
    ng_status status = ng_options_set_all(&o, "lr=1", problem, ROOM, NULL);
    fault_over();
    ck_assert_int_eq(status, NG_ENOMEM);
    ck_assert(value(&o, "lr") != 1);
}
END_TEST

TEST_SUITE(settings)
{
    TCase *tcase = tcase_create("settings");
    tcase_add_test(tcase, taken);
    tcase_add_test(tcase, refused);
    tcase_add_test(tcase, all_listed);
    tcase_add_test(tcase, arguments);
    suite_add_tcase(suite, tcase);
}
