/* Option tables and presets: every method through the same checks. */
#include "tests/support/run.h"

#define PRESETS (int)ng_preset_count()

static void *fresh(const ng_preset *preset)
{
    void *options = malloc(preset->size);
    memset(options, 0x5a, preset->size);
    ng_assert_ok(preset->init(options, preset->size), NULL);
    return options;
}

/* Calls visit with the options of every pair of metric and ball in force, or once where the method
 * has none. */
static void for_all_pairs(void *options, void (*visit)(void *options))
{
    double metric, ball;
    if (ng_options_get(options, "metric", &metric, NULL) != NG_OK) {
        visit(options);
        return;
    }
    ng_options_get(options, "ball", &ball, NULL);
    for (int m = 0; ng_options_set(options, "metric", m, NULL) == NG_OK; m++)
        for (int b = 0; ng_options_set(options, "ball", b, NULL) == NG_OK; b++)
            visit(options);
    ng_options_set(options, "metric", metric, NULL);
    ng_options_set(options, "ball", ball, NULL);
}

/* ---- Tables ---------------------------------------------------------------------------- */

START_TEST(presets)
{
    static const char *const names[] = {"sgd",   "adamw",       "ivon", "muon",      "normuon",
                                        "fismo", "fismo_paper", "kfac", "kfac_auto", "kfac_muon",
                                        "ekfac", "shampoo",     "soap"};
    ck_assert_uint_eq(ng_preset_count(), sizeof names / sizeof *names);
    ck_assert_ptr_null(ng_preset_get(ng_preset_count()));
    for (size_t i = 0; i < ng_preset_count(); i++) {
        const ng_preset *preset = ng_preset_find(names[i]);
        ck_assert_ptr_eq(preset, ng_preset_get(i));
        ck_assert_str_eq(preset->name, names[i]);
        ck_assert_str_eq(ng_method_name(preset->method), i < 3 ? names[i] : "steepest");
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

static void check_row(const ng_option *o, size_t size)
{
    ck_assert(o->name[0] != '\0' && o->doc != NULL && o->doc[0] != '\0');
    ck_assert(strchr(o->doc, '\n') == NULL);
    ck_assert_msg(o->value >= o->min && (o->below ? o->value < o->max : o->value <= o->max),
                  "%s: default out of range", o->name);
    ck_assert_uint_ge(o->offset, sizeof(size_t) + sizeof(void *));
    ck_assert_uint_le(o->offset + field_size(o), size);
    if (o->kind == NG_OPTION_SWITCH)
        ck_assert(o->min == 0 && o->max == 1);
    if (o->kind != NG_OPTION_CHOICE)
        return;
    double choices = 0;
    while (o->choices[(int)choices] != NULL)
        choices++;
    ck_assert_msg(o->min == 0 && o->max == choices - 1, "%s: range and choices", o->name);
}

/* Whatever the metric and ball, no two options in force share a name or a byte. */
static void check_rows(void *options)
{
    for (size_t i = 0; i < ng_options_count(options); i++) {
        const ng_option *o = ng_options_at(options, i);
        check_row(o, *(size_t *)options);
        for (size_t k = 0; k < i; k++) {
            const ng_option *p = ng_options_at(options, k);
            ck_assert_str_ne(p->name, o->name);
            ck_assert(p->offset + field_size(p) <= o->offset ||
                      o->offset + field_size(o) <= p->offset);
        }
    }
}

START_TEST(table)
{
    const ng_preset *preset = ng_preset_get((size_t)_i);
    void *options = fresh(preset);
    size_t count, entries = 0;
    const ng_option *own = ng_method_options(preset->method, &count);
    ck_assert_ptr_eq(ng_method_options(preset->method, NULL), own);
    for (; own[entries].name != NULL; entries++) /* the method's come first */
        ck_assert_ptr_eq(ng_options_at(options, entries), &own[entries]);
    ck_assert_uint_eq(entries, count);
    for_all_pairs(options, check_rows);
    free(options);
}
END_TEST

/* Every byte of the struct is that of an option, up to padding. */
static char *touched;

static void touch(void *options)
{
    for (size_t i = 0; i < ng_options_count(options); i++) {
        const ng_option *o = ng_options_at(options, i);
        memset(touched + o->offset, 1, field_size(o));
    }
}

START_TEST(table_is_complete)
{
    const ng_preset *preset = ng_preset_get((size_t)_i);
    void *options = fresh(preset);
    size_t run = 0;
    touched = calloc(1, preset->size);
    memset(touched, 1, sizeof(size_t) + sizeof(void *));
    for_all_pairs(options, touch);
    for (size_t i = 0; i < preset->size; i++) {
        run = touched[i] ? 0 : run + 1;
        ck_assert_msg(run <= sizeof(int), "%s: byte %zu is of no option", preset->name, i);
    }
    free(touched);
    free(options);
}
END_TEST

static void check_defaults(void *options)
{
    for (size_t i = 0; i < ng_options_count(options); i++) {
        const ng_option *o = ng_options_at(options, i);
        double value;
        ng_assert_ok(ng_options_get(options, o->name, &value, NULL), NULL);
        if (strcmp(o->name, "metric") != 0 && strcmp(o->name, "ball") != 0)
            ck_assert_msg(value == o->value, "%s: %g, not %g", o->name, value, o->value);
    }
}

START_TEST(defaults)
{
    ng_sgd_options sgd;
    ng_adamw_options adamw;
    ng_natural_options natural;
    ng_steepest_options plain;
    void *all[] = {&sgd, &adamw, &natural, &plain};
    ng_assert_ok(ng_sgd_init(&sgd), NULL);
    ng_assert_ok(ng_adamw_init(&adamw), NULL);
    ng_assert_ok(ng_natural_init(&natural), NULL);
    ng_assert_ok(ng_steepest_init(&plain), NULL);
    ck_assert(plain.metric == NG_METRIC_IDENTITY && plain.ball == NG_BALL_NONE);
    for (int i = 0; i < 4; i++) {
        ng_assert_ok(ng_options_check(all[i], NULL), NULL);
        for_all_pairs(all[i], check_defaults);
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
    ck_assert(muon.spectral.shape_scale == NG_SHAPE_SCALE_ORIGINAL && muon.nesterov == 1);
    ck_assert(fismo.metric == NG_METRIC_FISMO && fismo.ball == NG_BALL_SPECTRAL);
    ck_assert(fismo.momentum_space == NG_MOMENTUM_GRADIENT && fismo.fismo.root == NG_ROOT_INVERSE);
    ck_assert(fismo.gradient_scale == NG_GRADIENT_SCALE_RMS && fismo.nesterov == 0);
    ck_assert(fismo.spectral.shape_scale == NG_SHAPE_SCALE_NONE && fismo.weight_decay == 0);
    ck_assert(paper.momentum_space == NG_MOMENTUM_WHITENED &&
              paper.fismo.root == NG_ROOT_SYMMETRIC);
    ck_assert(paper.gradient_scale == NG_GRADIENT_SCALE_NONE && paper.nesterov == 0);
    ck_assert(muon.spectral.polar == NG_POLAR_FAST && fismo.spectral.polar == NG_POLAR_FAST);
    ck_assert(paper.spectral.polar == NG_POLAR_EXACT);
    ck_assert(fismo.fismo.one_sided == NG_ONE_SIDED_AUTO &&
              paper.fismo.one_sided == NG_ONE_SIDED_NEVER);
    ck_assert(fismo.fismo.refresh_p == 10 && fismo.fismo.refresh_q == 10 &&
              paper.fismo.refresh_p == 1);
    ck_assert(fismo.fismo.metric_scale == NG_METRIC_SCALE_AUTO);
}
END_TEST

/* ---- Whose they are ----------------------------------------------------------------------- */

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

/* A name of another metric or ball: whose it is, and nothing is written. */
START_TEST(foreign_names)
{
    static const char *const damped[] = {"fismo", "kfac", "ekfac", "shampoo", "soap", "type2"};
    ng_error err = {NG_OK, ""};
    ng_steepest_options o, before;
    char text[16];
    double value;
    ng_steepest_init_muon(&o);
    before = o;
    ng_assert_fails(ng_options_set(&o, "damping", 3, &err), NG_EOPTION, &err, "metric identity");
    for (size_t i = 0; i < sizeof damped / sizeof *damped; i++)
        ck_assert_msg(strstr(err.text, damped[i]) != NULL, "%s", err.text);
    ck_assert_ptr_null(strstr(err.text, "momentum"));
    ng_assert_fails(ng_options_set_text(&o, "exponent", "1", &err), NG_EOPTION, &err, "shampoo");
    ck_assert_ptr_null(strstr(err.text, "kfac"));
    ng_assert_fails(ng_options_get(&o, "refresh_p", &value, &err), NG_EOPTION, &err, "fismo");
    ng_assert_fails(ng_options_get_text(&o, "beta", text, 16, &err), NG_EOPTION, &err, "type2");
    ck_assert_mem_eq(&o, &before, sizeof o);
    o.ball = NG_BALL_FROBENIUS;
    ng_assert_fails(ng_options_set(&o, "polar", 1, &err), NG_EOPTION, &err, "ball spectral");
    o.metric = NG_METRIC_KFAC; /* another metric, another set */
    ng_assert_ok(ng_options_set(&o, "damping", 3, &err), &err);
    ck_assert(o.kfac.damping == 3 && o.fismo.damping == before.fismo.damping);
    ng_assert_ok(ng_options_set_text(&o, "metric", "fismo", &err), &err);
    ng_assert_ok(ng_options_get(&o, "damping", &value, &err), &err);
    ck_assert(value == before.fismo.damping);
}
END_TEST

/* What is not in force is not checked: its values do nothing. */
START_TEST(others_are_not_checked)
{
    ng_error err = {NG_OK, ""};
    ng_steepest_options o;
    ng_steepest_init_muon(&o);
    o.kfac.damping = -1;
    ng_assert_ok(ng_options_check(&o, &err), &err);
    o.metric = NG_METRIC_KFAC;
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "damping");
    o.metric = (ng_metric)77;
    ng_assert_fails(ng_options_check(&o, &err), NG_EOPTION, &err, "metric");
    ck_assert_uint_gt(ng_options_count(&o), 0);
}
END_TEST

START_TEST(combinations)
{
    static const char *const bad[][3] = {
        {"muon", "kl_clip=0.1", "kl_clip"},
        {"muon", "ball=none kl_clip=0.1", "kl_clip"},
        {"muon", "grafting=sgd", "grafting"},
        {"muon", "ball=none length=dual", "length"},
        {"normuon", "ball=none", "row_normalisation"},
        {"muon", "ball=none agreement=yes", "agreement"},
        {"muon", "ball=none shape_scale=original", "shape_scale"},
        {"fismo_paper", "root=cholesky", "symmetric"},
        {"fismo", "refresh_tolerance=0.1", "symmetric"},
        {"kfac", "momentum_space=whitened", "symmetric"},
        {"kfac", "damping_kind=exact_eigen one_sided=auto", "one_sided"},
        {"kfac", "damping_kind=exact_eigen momentum_space=whitened", "gradient"},
        {"ekfac", "momentum_space=whitened", "ekfac"},
        {"soap", "momentum_space=whitened", "soap"},
        {"shampoo", "kl_clip=1", "grafting"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        test_options_refused(bad[i][0], bad[i][1], bad[i][2]);
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
    tcase_add_test(tcase, foreign_structs);
    tcase_add_test(tcase, foreign_names);
    tcase_add_test(tcase, others_are_not_checked);
    tcase_add_test(tcase, combinations);
    suite_add_tcase(suite, tcase);
}
