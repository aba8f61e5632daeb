/* Options by name: numbers and text there and back, what is refused, and of a group. */
#include "tests/support/run.h"

#define PRESETS (int)ng_preset_count()

/* where a value beyond the range lies, for an option with room beyond it */
static double above(const ng_option *o)
{
    return o->below ? o->max : o->kind == NG_OPTION_REAL ? (double)INFINITY : o->max + 1;
}

static void *fresh(const ng_preset *preset)
{
    return test_options(preset->name, "");
}

static size_t field_size(const ng_option *o)
{
    return o->kind == NG_OPTION_REAL ? sizeof(double) : sizeof(int);
}

/* ---- Get, set, text --------------------------------------------------------------- */

/* what the text says is what was there, to the bit, also for awkward numbers */
START_TEST(round_trip)
{
    static const double numbers[] = {
        0.02, 1. / 3, 0x1p-40, 0.1 + 0.2, 5e-324, 0, 1.7976931348623157e308};
    const ng_preset *preset = ng_preset_get((size_t)_i);
    void *from = fresh(preset), *to = fresh(preset);
    ng_error err = {NG_OK, ""};
    ng_assert_ok(ng_options_check(from, &err), &err);
    size_t count = ng_options_count(from);
    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < 7; k++) {
            const ng_option *o = ng_options_at(from, i);
            if (strcmp(o->name, "metric") == 0 || strcmp(o->name, "ball") == 0)
                break; /* they decide what there is */
            char text[64];
            double value, back, wanted = o->kind == NG_OPTION_REAL ? numbers[k] : k;
            if (wanted > o->max || wanted < o->min)
                continue;
            ng_assert_ok(ng_options_set(from, o->name, wanted, &err), &err);
            ng_assert_ok(ng_options_get(from, o->name, &value, &err), &err);
            ck_assert(value == wanted);
            ng_assert_ok(ng_options_get_text(from, o->name, text, sizeof text, &err), &err);
            ng_assert_ok(ng_options_set_text(to, o->name, text, &err), &err);
            ng_assert_ok(ng_options_get(to, o->name, &back, &err), &err);
            ck_assert_msg(back == value, "%s = %.17g became \"%s\", %.17g", o->name, value, text,
                          back);
        }
    free(from);
    free(to);
}
END_TEST

START_TEST(readable_text)
{
    ng_steepest_options o;
    char text[32];
    ng_steepest_init_fismo(&o);
    o.lr = 0.02;
    ng_assert_ok(ng_options_get_text(&o, "lr", text, sizeof text, NULL), NULL);
    ck_assert_str_eq(text, "0.02");
    ng_assert_ok(ng_options_get_text(&o, "nesterov", text, sizeof text, NULL), NULL);
    ck_assert_str_eq(text, "no");
    ng_assert_ok(ng_options_get_text(&o, "ball", text, sizeof text, NULL), NULL);
    ck_assert_str_eq(text, "spectral");
    ng_assert_ok(ng_options_set_text(&o, "nesterov", "yes", NULL), NULL);
    ck_assert_int_eq(o.nesterov, 1);
}
END_TEST

/* ---- Refusals ----------------------------------------------------------------------- */

START_TEST(unknown_names)
{
    const ng_preset *preset = ng_preset_get((size_t)_i);
    void *options = fresh(preset), *before = fresh(preset);
    ng_error err = {NG_OK, ""};
    double value = 5;
    char text[8] = "old";
    /* the text lists the options there are, in order, as far as it has room */
    for (size_t i = 0; i < 5 && i < ng_options_count(options); i++)
        ng_assert_fails(ng_options_set(options, "learning_rate", 1, &err), NG_EOPTION, &err,
                        ng_options_at(options, i)->name);
    ng_assert_fails(ng_options_set_text(options, "LR", "1", &err), NG_EOPTION, &err, "'LR'");
    ng_assert_fails(ng_options_get(options, "", &value, &err), NG_EOPTION, &err, "lr");
    ng_assert_fails(ng_options_get_text(options, "x", text, 8, &err), NG_EOPTION, &err, "'x'");
    ck_assert_int_ne(ng_options_set(options, NULL, 1, &err), NG_OK);
    ck_assert_int_eq(ng_options_set(options, "x", 1, NULL), NG_EOPTION);
    ck_assert(value == 5 && strcmp(text, "old") == 0);
    ck_assert_mem_eq(options, before, preset->size);
    free(options);
    free(before);
}
END_TEST

START_TEST(out_of_range)
{
    const ng_preset *preset = ng_preset_get((size_t)_i);
    void *options = fresh(preset), *before = fresh(preset);
    ng_error err = {NG_OK, ""};
    for (size_t n = 0; n < ng_options_count(options); n++) {
        const ng_option *o = ng_options_at(options, n);
        double bad[] = {-1, NAN, INFINITY, -INFINITY, above(o), 0.5};
        for (int i = 0; i < (o->kind == NG_OPTION_REAL ? 5 : 6); i++)
            ng_assert_fails(ng_options_set(options, o->name, bad[i], &err), NG_EOPTION, &err,
                            o->name);
        static const char *const texts[] = {"", "abc", "1x", "nan", "inf", "-1", "no such", NULL};
        for (int i = 0; i < 8; i++)
            ng_assert_fails(ng_options_set_text(options, o->name, texts[i], &err), NG_EOPTION, &err,
                            o->name);
        if (o->kind == NG_OPTION_CHOICE)
            for (int i = 0; o->choices[i] != NULL; i++)
                ng_assert_fails(ng_options_set_text(options, o->name, "wrong", &err), NG_EOPTION,
                                &err, o->choices[i]);
    }
    ck_assert_mem_eq(options, before, preset->size);
    free(options);
    free(before);
}
END_TEST

/* values written straight into the struct are found by the check */
START_TEST(check_reads_fields)
{
    const ng_preset *preset = ng_preset_get((size_t)_i);
    void *good = fresh(preset);
    for (size_t i = 0; i < ng_options_count(good); i++) {
        const ng_option *o = ng_options_at(good, i);
        char *options = fresh(preset);
        ng_error err = {NG_OK, ""};
        double real = NAN;
        int integer = (int)o->max + 1;
        memcpy(options + o->offset, o->kind == NG_OPTION_REAL ? (void *)&real : (void *)&integer,
               field_size(o));
        ng_assert_fails(ng_options_check(options, &err), NG_EOPTION, &err, o->name);
        free(options);
    }
    free(good);
}
END_TEST

/* ---- Groups -------------------------------------------------------------------------------------
 */

typedef struct {
    ng_optimizer *opt;
    ng_group *group;
    double w[4], dw[4];
} world;

static void open_world(world *x, const void *options)
{
    ng_assert_ok(ng_optimizer_create(&x->opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(x->opt, &x->group, options), NULL);
    for (int i = 0; i < 4; i++) {
        x->w[i] = 0;
        x->dw[i] = 1;
    }
}

START_TEST(group_set)
{
    world x;
    double value;
    void *options = fresh(ng_preset_find("sgd"));
    ng_assert_ok(ng_options_set(options, "momentum", 0, NULL), NULL);
    ng_assert_ok(ng_options_set(options, "lr", 0.5, NULL), NULL);
    open_world(&x, options);
    ng_assert_ok(ng_options_set(options, "lr", 100, NULL), NULL); /* they were copied */
    free(options);
    ng_assert_ok(ng_group_add(x.group, NULL, "w", ng_f64(x.w, 2, 2), ng_f64(x.dw, 2, 2)), NULL);
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    ck_assert(x.w[3] == -0.5);
    ng_assert_ok(ng_group_set(x.group, "lr", 2), NULL);
    ck_assert(x.w[3] == -0.5);
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    ck_assert(x.w[3] == -2.5);
    ck_assert_int_eq(ng_group_set(x.group, "lr", -1), NG_EOPTION);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), "lr"));
    ck_assert_int_eq(ng_group_set(x.group, "lr", NAN), NG_EOPTION);
    ck_assert_int_eq(ng_group_set(x.group, "momentum", 1), NG_EOPTION);
    ck_assert_int_eq(ng_group_set(x.group, "speed", 1), NG_EOPTION);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), "weight_decay_kind"));
    ck_assert_int_eq(ng_group_get(x.group, "speed", &value), NG_EOPTION);
    ng_assert_ok(ng_group_get(x.group, "lr", &value), NULL);
    ck_assert(value == 2);
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    ck_assert(x.w[3] == -4.5);
    ng_optimizer_destroy(x.opt);
}
END_TEST

/* An illegal combination leaves the old value; fixed options before parameters
 * only, though setting what is there already is no change. */
START_TEST(group_set_combinations)
{
    world x;
    double value;
    void *options = fresh(ng_preset_find("muon"));
    open_world(&x, options);
    ck_assert_int_eq(ng_group_set(x.group, "kl_clip", 1), NG_EOPTION);
    ng_assert_ok(ng_group_get(x.group, "kl_clip", &value), NULL);
    ck_assert(value == 0);
    ck_assert_int_eq(ng_group_set(x.group, "damping", 3), NG_EOPTION);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), "kfac"));
    ng_assert_ok(ng_group_set(x.group, "metric", NG_METRIC_FISMO), NULL);
    ng_assert_ok(ng_group_add(x.group, NULL, "w", ng_f64(x.w, 2, 2), ng_f64(x.dw, 2, 2)), NULL);
    ng_steepest_options same; /* as the group's are */
    int fixed = 0;
    ng_steepest_init_muon(&same);
    same.metric = NG_METRIC_FISMO;
    for (size_t i = 0; i < ng_options_count(&same); i++) {
        const ng_option *o = ng_options_at(&same, i);
        if (o->fixed) {
            fixed++;
            ng_assert_ok(ng_group_get(x.group, o->name, &value), NULL);
            ck_assert_int_eq(ng_group_set(x.group, o->name, value), NG_OK);
            ck_assert_int_eq(ng_group_set(x.group, o->name, value == 0 ? 1 : 0), NG_EOPTION);
            ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), o->name));
        }
    }
    ck_assert_int_ge(fixed, 1);
    ng_assert_ok(ng_group_get(x.group, "metric", &value), NULL);
    ck_assert(value == NG_METRIC_FISMO);
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    ng_optimizer_destroy(x.opt);
    free(options);
}
END_TEST

TEST_SUITE(option_values)
{
    TCase *tcase = tcase_create("values");
    tcase_add_loop_test(tcase, round_trip, 0, PRESETS);
    tcase_add_test(tcase, readable_text);
    tcase_add_loop_test(tcase, unknown_names, 0, PRESETS);
    tcase_add_loop_test(tcase, out_of_range, 0, PRESETS);
    tcase_add_loop_test(tcase, check_reads_fields, 0, PRESETS);
    tcase_add_test(tcase, group_set);
    tcase_add_test(tcase, group_set_combinations);
    suite_add_tcase(suite, tcase);
}
