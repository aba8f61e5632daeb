/* Option tables and presets: every method through the same checks. */
#include "tests/support/support.h"

#include <natgrad.h>

enum { PRESETS = 10 };

/* where a value beyond the range lies, for an option with room beyond it */
static double above(const ng_option *o)
{
    return o->below ? o->max : o->kind == NG_OPTION_REAL ? (double)INFINITY : o->max + 1;
}

static void *fresh(const ng_preset *preset)
{
    void *options = malloc(preset->size);
    memset(options, 0x5a, preset->size);
    preset->init(options);
    return options;
}

/* ---- Tables ---------------------------------------------------------------------------- */

START_TEST(presets)
{
    static const char *const names[PRESETS] = {"sgd",         "adamw", "muon",      "fismo",
                                               "fismo_paper", "kfac",  "kfac_muon", "ekfac",
                                               "shampoo",     "soap"};
    int count = 0;
    while (ng_presets[count].name != NULL)
        count++;
    ck_assert_int_eq(count, PRESETS);
    for (int i = 0; i < PRESETS; i++) {
        const ng_preset *preset = ng_preset_find(names[i]);
        ck_assert_ptr_nonnull(preset);
        ck_assert_str_eq(preset->name, names[i]);
        ck_assert_str_eq(ng_method_name(preset->method), i < 2 ? names[i] : "steepest");
        ck_assert(preset->doc != NULL && preset->doc[0] != '\0' &&
                  strchr(preset->doc, '\n') == NULL);
    }
    ck_assert_ptr_null(ng_preset_find("no such"));
    ck_assert_ptr_null(ng_preset_find(NULL));
}
END_TEST

static size_t field_size(const ng_option *o)
{
    return o->kind == NG_OPTION_REAL ? sizeof(double) : sizeof(int);
}

START_TEST(table)
{
    const ng_preset *preset = &ng_presets[_i];
    size_t count, entries = 0;
    const ng_option *options = ng_method_options(preset->method, &count);
    ck_assert_ptr_eq(ng_method_options(preset->method, NULL), options);
    for (const ng_option *o = options; o->name != NULL; o++, entries++) {
        ck_assert(o->name[0] != '\0' && o->doc != NULL && o->doc[0] != '\0');
        ck_assert(strchr(o->doc, '\n') == NULL);
        ck_assert_msg(o->value >= o->min && (o->below ? o->value < o->max : o->value <= o->max),
                      "%s: default out of range", o->name);
        ck_assert_uint_ge(o->offset, sizeof(size_t) + sizeof(void *));
        ck_assert_uint_le(o->offset + field_size(o), preset->size);
        for (const ng_option *p = options; p < o; p++) {
            ck_assert_str_ne(p->name, o->name);
            ck_assert(p->offset + field_size(p) <= o->offset ||
                      o->offset + field_size(o) <= p->offset);
        }
        if (o->kind == NG_OPTION_SWITCH)
            ck_assert(o->min == 0 && o->max == 1);
        if (o->kind != NG_OPTION_CHOICE)
            continue;
        double choices = 0;
        while (o->choices[(int)choices] != NULL)
            choices++;
        ck_assert_msg(o->min == 0 && o->max == choices - 1, "%s: range and choices", o->name);
    }
    ck_assert_uint_eq(entries, count);
}
END_TEST

/* Every field of the struct is in the table: as many bytes, up to padding. */
START_TEST(table_is_complete)
{
    const ng_preset *preset = &ng_presets[_i];
    size_t bytes = sizeof(size_t) + sizeof(void *);
    for (const ng_option *o = ng_method_options(preset->method, NULL); o->name != NULL; o++)
        bytes += field_size(o);
    ck_assert_uint_le(preset->size - bytes, 2 * sizeof(int));
}
END_TEST

START_TEST(defaults)
{
    ng_sgd_options sgd;
    ng_adamw_options adamw;
    ng_steepest_options plain;
    const void *all[] = {&sgd, &adamw, &plain};
    static const char *const names[] = {"sgd", "adamw", "muon"};
    ng_sgd_init(&sgd);
    ng_adamw_init(&adamw);
    ng_steepest_init(&plain);
    ck_assert(plain.metric == NG_METRIC_IDENTITY && plain.ball == NG_BALL_NONE);
    for (int i = 0; i < 3; i++) {
        const ng_option *o = ng_method_options(ng_preset_find(names[i])->method, NULL);
        for (double value; o->name != NULL; o++) {
            ng_assert_ok(ng_options_get(all[i], o->name, &value, NULL), NULL);
            ck_assert_msg(value == o->value, "%s: %g, not %g", o->name, value, o->value);
        }
        ng_assert_ok(ng_options_check(all[i], NULL), NULL);
    }
}
END_TEST

/* The conventions that DESIGN pins. */
START_TEST(pinned)
{
    ng_steepest_options muon, fismo, paper;
    ng_steepest_init_muon(&muon);
    ng_steepest_init_fismo(&fismo);
    ng_steepest_init_fismo_paper(&paper);
    ck_assert(muon.metric == NG_METRIC_IDENTITY && muon.ball == NG_BALL_SPECTRAL);
    ck_assert(muon.shape_scale == NG_SHAPE_SCALE_ORIGINAL && muon.nesterov == 1);
    ck_assert(fismo.metric == NG_METRIC_FISMO && fismo.ball == NG_BALL_SPECTRAL);
    ck_assert(fismo.momentum_space == NG_MOMENTUM_GRADIENT && fismo.root == NG_ROOT_CHOLESKY);
    ck_assert(fismo.gradient_scale == NG_GRADIENT_SCALE_RMS && fismo.nesterov == 0);
    ck_assert(fismo.shape_scale == NG_SHAPE_SCALE_NONE && fismo.weight_decay == 0);
    ck_assert(paper.momentum_space == NG_MOMENTUM_WHITENED && paper.root == NG_ROOT_SYMMETRIC);
    ck_assert(paper.gradient_scale == NG_GRADIENT_SCALE_NONE && paper.nesterov == 0);
    ck_assert(muon.polar == NG_POLAR_EXACT && fismo.polar == NG_POLAR_EXACT);
    ck_assert(muon.metric_scale == NG_METRIC_SCALE_AUTO);
}
END_TEST

/* ---- Get, set, text --------------------------------------------------------------- */

/* what the text says is what was there, to the bit, also for awkward numbers */
START_TEST(round_trip)
{
    static const double numbers[] = {
        0.02, 1. / 3, 0x1p-40, 0.1 + 0.2, 5e-324, 0, 1.7976931348623157e308};
    const ng_preset *preset = &ng_presets[_i];
    void *from = fresh(preset), *to = fresh(preset);
    ng_error err = {NG_OK, ""};
    ng_assert_ok(ng_options_check(from, &err), &err);
    for (const ng_option *o = ng_method_options(preset->method, NULL); o->name != NULL; o++)
        for (int k = 0; k < 7; k++) {
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
    const ng_preset *preset = &ng_presets[_i];
    void *options = fresh(preset), *before = fresh(preset);
    ng_error err = {NG_OK, ""};
    double value = 5;
    char text[8] = "old";
    /* the text lists the options there are, in order, as far as it has room */
    const ng_option *entries = ng_method_options(preset->method, NULL);
    for (size_t i = 0; i < 5 && entries[i].name != NULL; i++)
        ng_assert_fails(ng_options_set(options, "learning_rate", 1, &err), NG_EOPTION, &err,
                        entries[i].name);
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
    const ng_preset *preset = &ng_presets[_i];
    void *options = fresh(preset), *before = fresh(preset);
    ng_error err = {NG_OK, ""};
    for (const ng_option *o = ng_method_options(preset->method, NULL); o->name != NULL; o++) {
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
    const ng_preset *preset = &ng_presets[_i];
    for (const ng_option *o = ng_method_options(preset->method, NULL); o->name != NULL; o++) {
        char *options = fresh(preset);
        ng_error err = {NG_OK, ""};
        double real = NAN;
        int integer = (int)o->max + 1;
        memcpy(options + o->offset, o->kind == NG_OPTION_REAL ? (void *)&real : (void *)&integer,
               field_size(o));
        ng_assert_fails(ng_options_check(options, &err), NG_EOPTION, &err, o->name);
        free(options);
    }
}
END_TEST

START_TEST(foreign_structs)
{
    ng_error err = {NG_OK, ""};
    ng_sgd_options o;
    double value;
    char text[16];
    memset(&o, 0x5a, sizeof o);
    ck_assert_int_eq(ng_options_check(&o, &err), NG_EOPTION);
    memset(&o, 0, sizeof o);
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "init");
    ng_sgd_init(&o);
    o.method = ng_preset_find("adamw")->method;
    o.size--;
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "size");
    ng_sgd_init(&o);
    o.size += 8;
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "size");
    ng_assert_fails(ng_options_get(&o, "lr", &value, &err), NG_EOPTION, &err, "size");
    ng_assert_fails(ng_options_get_text(&o, "lr", text, 16, &err), NG_EOPTION, &err, "size");
    ng_sgd_init(&o);
    o.method = ng_preset_find("muon")->method;
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "size");
    ck_assert_int_eq(ng_options_check(NULL, &err), NG_EARG);
    ck_assert_int_eq(ng_options_set(NULL, "lr", 1, &err), NG_EARG);
}
END_TEST

START_TEST(combinations)
{
    ng_error err = {NG_OK, ""};
    ng_steepest_options o;
    ng_steepest_init_fismo_paper(&o);
    o.root = NG_ROOT_CHOLESKY;
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "symmetric");
    for (int ball = NG_BALL_NONE; ball <= NG_BALL_FROBENIUS; ball++)
        for (int scale = NG_SHAPE_SCALE_ORIGINAL; scale <= NG_SHAPE_SCALE_MATCH_RMS_ADAMW;
             scale++) {
            ng_steepest_init_muon(&o);
            o.ball = (ng_ball)ball;
            o.shape_scale = (ng_shape_scale)scale;
            ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "shape_scale");
        }
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
    ck_assert_int_eq(ng_group_set(x.group, "ball", NG_BALL_NONE), NG_EOPTION);
    ng_assert_ok(ng_group_get(x.group, "ball", &value), NULL);
    ck_assert(value == NG_BALL_SPECTRAL);
    ng_assert_ok(ng_group_set(x.group, "metric", NG_METRIC_FISMO), NULL);
    ng_assert_ok(ng_group_add(x.group, NULL, "w", ng_f64(x.w, 2, 2), ng_f64(x.dw, 2, 2)), NULL);
    const ng_option *o = ng_method_options(ng_preset_find("muon")->method, NULL);
    int fixed = 0;
    for (; o->name != NULL; o++)
        if (o->fixed) {
            fixed++;
            ng_assert_ok(ng_group_get(x.group, o->name, &value), NULL);
            ck_assert_int_eq(ng_group_set(x.group, o->name, value), NG_OK);
            ck_assert_int_eq(ng_group_set(x.group, o->name, value == 0 ? 1 : 0), NG_EOPTION);
            ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), o->name));
        }
    ck_assert_int_ge(fixed, 1);
    ng_assert_ok(ng_group_get(x.group, "metric", &value), NULL);
    ck_assert(value == NG_METRIC_FISMO);
    ng_assert_ok(ng_optimizer_step(x.opt), NULL);
    ng_optimizer_destroy(x.opt);
    free(options);
}
END_TEST

TEST_SUITE(options)
{
    TCase *tcase = tcase_create("tables");
    tcase_add_test(tcase, presets);
    tcase_add_loop_test(tcase, table, 0, PRESETS);
    tcase_add_loop_test(tcase, table_is_complete, 0, PRESETS);
    tcase_add_test(tcase, defaults);
    tcase_add_test(tcase, pinned);
    tcase_add_loop_test(tcase, round_trip, 0, PRESETS);
    tcase_add_test(tcase, readable_text);
    tcase_add_loop_test(tcase, unknown_names, 0, PRESETS);
    tcase_add_loop_test(tcase, out_of_range, 0, PRESETS);
    tcase_add_loop_test(tcase, check_reads_fields, 0, PRESETS);
    tcase_add_test(tcase, foreign_structs);
    tcase_add_test(tcase, combinations);
    tcase_add_test(tcase, group_set);
    tcase_add_test(tcase, group_set_combinations);
    suite_add_tcase(suite, tcase);
}
