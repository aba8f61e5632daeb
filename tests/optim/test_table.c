/* A whole model in one table, and stacks by a policy, against the same parameters added one by one.
 */
#include "tests/support/run.h"

#include <stdio.h>

enum { C = 4, L = 2, V = 7 };

static const ng_policy_entry model[] = {
    {.name = "wte", .dims = {V, C}},
    {.name = "qkvw", .dims = {L, 3 * C, C}, .flags = NG_ENTRY_STACK, .blocks = 3},
    {.name = "qkvb", .dims = {L, 3 * C}, .flags = NG_ENTRY_STACK},
    {.name = "gain", .dims = {L}, .flags = NG_ENTRY_STACK},
    {.name = "conv", .dims = {3, 2, 2, 2}},
    {.name = "kernel", .dims = {2, 2, 3}, .flags = NG_ENTRY_IN_OUT},
    {.name = "deep.conv", .dims = {L, 3, 2, 5}, .flags = NG_ENTRY_STACK},
    {.name = "fused", .dims = {C, 6}, .flags = NG_ENTRY_IN_OUT, .blocks = 2},
    {.name = "temperature", .dims = {0}},
    {.name = "lm_head", .dims = {V, C}, .flags = NG_ENTRY_TIED},
    {.name = "fixed", .dims = {3, 3}, .flags = NG_ENTRY_FROZEN},
    {.name = NULL, .dims = {5, C}},
    {.name = NULL, .dims = {5, 3}, .flags = NG_ENTRY_REST},
    {.name = "norm", .dims = {2, 3}, .flags = NG_ENTRY_MATRIX},
    {.name = "fixed.vector", .dims = {3}},
};
enum { ENTRIES = sizeof model / sizeof model[0] };

/* the same, one by one: offsets into the flat array */
static const struct {
    const char *name;
    size_t at, rows, cols, stride;
    int matrix, in_out, entry;
} apart[] = {
    {"wte", 0, 7, 4, 4, 0, 0, 0},
    {"qkvw[0][0]", 28, 4, 4, 4, 1, 0, 1},
    {"qkvw[0][1]", 44, 4, 4, 4, 1, 0, 1},
    {"qkvw[0][2]", 60, 4, 4, 4, 1, 0, 1},
    {"qkvw[1][0]", 76, 4, 4, 4, 1, 0, 1},
    {"qkvw[1][1]", 92, 4, 4, 4, 1, 0, 1},
    {"qkvw[1][2]", 108, 4, 4, 4, 1, 0, 1},
    {"qkvb[0]", 124, 1, 12, 12, 0, 0, 2},
    {"qkvb[1]", 136, 1, 12, 12, 0, 0, 2},
    {"gain[0]", 148, 1, 1, 1, 0, 0, 3},
    {"gain[1]", 149, 1, 1, 1, 0, 0, 3},
    {"conv", 150, 3, 8, 8, 1, 0, 4},
    {"kernel", 174, 4, 3, 3, 1, 1, 5},
    {"deep.conv[0]", 186, 3, 10, 10, 1, 0, 6},
    {"deep.conv[1]", 216, 3, 10, 10, 1, 0, 6},
    {"fused[0]", 246, 4, 3, 6, 1, 1, 7},
    {"fused[1]", 249, 4, 3, 6, 1, 1, 7},
    {"temperature", 270, 1, 1, 1, 0, 0, 8},
    {"#11", 280, 5, 4, 4, 1, 0, 11},
    {"#12", 300, 5, 3, 3, 0, 0, 12},
    {"norm", 315, 2, 3, 3, 1, 0, 13},
    {"fixed.vector", 321, 1, 3, 3, 0, 0, 14},
};
enum { APART = sizeof apart / sizeof apart[0], COUNT = 324, FROZEN = 271 };

typedef struct {
    ng_optimizer *opt;
    ng_group *hidden, *rest;
    ng_policy policy;
    float w[COUNT], dw[COUNT];
    int told;
} world;

static void hear(const char *text, void *data)
{
    ((world *)data)->told += strstr(text, "shape") != NULL; /* an assertion would allocate */
}

static void open_world(world *x)
{
    test_rng rng = {3};
    void *muon = test_options("muon", ""), *adamw = test_options("adamw", "");
    x->told = 0;
    ng_assert_ok(ng_optimizer_create(&x->opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(x->opt, &x->hidden, muon), NULL);
    ng_assert_ok(ng_optimizer_add_group(x->opt, &x->rest, adamw), NULL);
    ng_assert_ok(ng_optimizer_set_message(x->opt, hear, x), NULL);
    ng_policy_init(&x->policy, x->hidden, x->rest);
    for (int i = 0; i < COUNT; i++)
        x->w[i] = (float)test_normal(&rng);
    free(muon), free(adamw);
}

static ng_status add_all(world *x, ng_place *places)
{
    return ng_policy_add_all(&x->policy, places, model, ENTRIES, ng_f32(x->w, 1, COUNT),
                             ng_f32(x->dw, 1, COUNT));
}

static void add_apart(world *x)
{
    for (int i = 0; i < APART; i++) {
        size_t index;
        ng_group *group = apart[i].matrix ? x->hidden : x->rest;
        ng_assert_ok(
            ng_group_add(
                group, &index, apart[i].name,
                ng_f32_strided(x->w + apart[i].at, apart[i].rows, apart[i].cols, apart[i].stride),
                ng_f32_strided(x->dw + apart[i].at, apart[i].rows, apart[i].cols, apart[i].stride)),
            NULL);
        ng_assert_ok(ng_group_set_layout(group, index, (ng_layout)apart[i].in_out), NULL);
    }
}

static void steps(world *x)
{
    test_rng rng = {4};
    for (int t = 0; t < 3; t++) {
        for (int i = 0; i < COUNT; i++)
            x->dw[i] = (float)test_normal(&rng);
        ck_assert_msg(ng_optimizer_step(x->opt) == NG_OK, "%s", ng_optimizer_error(x->opt));
    }
}

static void assert_same(world *x, world *y)
{
    char a[4000], b[4000];
    ng_optimizer_describe(x->opt, a, sizeof a);
    ng_optimizer_describe(y->opt, b, sizeof b);
    ck_assert_msg(strcmp(a, b) == 0, "another table");
    steps(x), steps(y);
    ck_assert_int_eq(memcmp(x->w, y->w, sizeof x->w), 0);
}

START_TEST(conformance)
{
    world x, y, before;
    ng_place places[ENTRIES];
    size_t next[2] = {0, 0};
    open_world(&x), open_world(&y);
    before = x;
    ck_assert_msg(add_all(&x, places) == NG_OK, "%s", ng_optimizer_error(x.opt));
    ck_assert_int_eq(x.told, 2); /* "fused" and "#11" have no word that is known */
    add_apart(&y);
    for (int i = 0; i < ENTRIES; i++) {
        size_t count = 0;
        int matrix = 0;
        for (int k = 0; k < APART; k++)
            if (apart[k].entry == i)
                count++, matrix = apart[k].matrix;
        ck_assert_ptr_eq(places[i].group, count == 0 ? NULL : matrix ? x.hidden : x.rest);
        ck_assert_uint_eq(places[i].count, count);
        ck_assert_uint_eq(places[i].first, count == 0 ? 0 : next[matrix]);
        next[matrix] += count;
    }
    assert_same(&x, &y);
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(x.w[i] == before.w[i], i >= FROZEN && i < FROZEN + 9);
    ng_optimizer_destroy(x.opt), ng_optimizer_destroy(y.opt);
}
END_TEST

/* Pointers of their own, in double, without flat arrays; rules come before words. */
START_TEST(pointers)
{
    world x;
    double w[24], dw[24] = {0};
    const ng_policy_entry table[] = {{.name = "blocks.weight",
                                      .dims = {2, 4, 3},
                                      .flags = NG_ENTRY_STACK,
                                      .dtype = NG_F64,
                                      .data = w,
                                      .gradient = dw}};
    ng_place place;
    open_world(&x);
    ng_policy_rule rule = {"blocks*", x.rest};
    x.policy.rules = &rule, x.policy.rule_count = 1;
    ck_assert_msg(ng_policy_add_all(&x.policy, &place, table, 1, ng_mat_none(), ng_mat_none()) ==
                      NG_OK,
                  "%s", ng_optimizer_error(x.opt));
    ck_assert(place.group == x.rest && place.first == 0 && place.count == 2);
    ng_optimizer_destroy(x.opt);
}
END_TEST

/* A policy's stack is its matrix's: a stack of vectors is element-wise, and is not divided. */
START_TEST(stacks)
{
    static const size_t three[] = {C, C, C};
    world x, y;
    ng_group *group;
    size_t first;
    open_world(&x), open_world(&y);
    for (int i = 0; i < 2; i++) {
        world *t = i ? &y : &x;
        ng_stack w = ng_stack_f32(t->w, L, 3 * C, C), dw = ng_stack_f32(t->dw, L, 3 * C, C);
        ng_stack b = ng_stack_f32(t->w + 96, L, 1, 3 * C),
                 db = ng_stack_f32(t->dw + 96, L, 1, 3 * C);
        if (i) {
            ng_assert_ok(ng_group_add_stack(y.hidden, NULL, "qkvw", w, dw, three, 3, NG_OUT_IN),
                         NULL);
            ng_assert_ok(ng_group_add_stack(y.rest, NULL, "qkvb", b, db, NULL, 0, NG_OUT_IN), NULL);
            continue;
        }
        ng_assert_ok(
            ng_policy_add_stack(&x.policy, &group, &first, "qkvw", w, dw, three, 3, NG_OUT_IN),
            NULL);
        ck_assert(group == x.hidden && first == 0);
        ng_assert_ok(
            ng_policy_add_stack(&x.policy, &group, &first, "qkvb", b, db, three, 3, NG_OUT_IN),
            NULL);
        ck_assert(group == x.rest && first == 0);
    }
    assert_same(&x, &y);
    ck_assert_int_eq(ng_policy_add_stack(NULL, NULL, NULL, "w", ng_stack_f32(x.w, 1, 2, 2),
                                         ng_stack_f32(x.dw, 1, 2, 2), NULL, 0, NG_OUT_IN),
                     NG_EARG);
    ng_optimizer_destroy(x.opt), ng_optimizer_destroy(y.opt);
}
END_TEST

/* ---- Refusals: all or nothing
 * --------------------------------------------------------------------- */

static size_t lines(const world *x)
{
    char text[6000];
    size_t n = 0;
    ng_optimizer_describe(x->opt, text, sizeof text);
    for (const char *c = text; *c != '\0'; c++)
        n += *c == '\n';
    return n;
}

START_TEST(refusals)
{
    static const struct {
        ng_policy_entry entry; /* behind a good one */
        ng_status expected;
        const char *culprit;
    } bad[] = {{{.name = "x", .dims = {2, 0, 2}}, NG_ESHAPE, "'x': a dimension of 0"},
               {{.name = "x", .dims = {0}, .flags = NG_ENTRY_STACK}, NG_ESHAPE, "0 dimensions"},
               {{.name = "x", .dims = {(size_t)-1, 2}}, NG_ESHAPE, "many elements"},
               {{.name = "x", .dims = {300, 2}}, NG_ESHAPE, "'x': the flat array ends"},
               {{.name = "x", .dims = {4, 2}, .blocks = 3}, NG_ESHAPE, "4 outputs in 3 blocks"},
               {{.name = "x", .dims = {4, 2}}, NG_ESHAPE, "288 weights and 288 gradients"},
               {{.name = "wte", .dims = {V, C}}, NG_EARG, "'wte' was added before"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        world x;
        ng_policy_entry table[2] = {model[0], bad[i].entry};
        open_world(&x);
        ng_status status = ng_policy_add_all(&x.policy, NULL, table, 2, ng_f32(x.w, 1, COUNT),
                                             ng_f32(x.dw, 1, COUNT));
        ck_assert_msg(status == bad[i].expected, "%zu: %s", i, ng_status_name(status));
        ck_assert_msg(strstr(ng_optimizer_error(x.opt), bad[i].culprit) != NULL, "%s",
                      ng_optimizer_error(x.opt));
        ck_assert_uint_eq(lines(&x), 1);
        ng_optimizer_destroy(x.opt);
    }
}
END_TEST

START_TEST(arguments)
{
    world x;
    open_world(&x);
    ng_mat flat = ng_f32(x.w, 1, COUNT), square = ng_f32(x.w, 2, 2), none = ng_mat_none();
    ck_assert_int_eq(ng_policy_add_all(NULL, NULL, model, 1, flat, flat), NG_EARG);
    ck_assert_int_eq(ng_policy_add_all(&x.policy, NULL, NULL, 1, flat, flat), NG_EARG);
    ck_assert_int_eq(ng_policy_add_all(&x.policy, NULL, model, 1, square, flat), NG_ESHAPE);
    ck_assert_int_eq(ng_policy_add_all(&x.policy, NULL, model, 1, none, none), NG_EARG);
    ck_assert_int_eq(ng_policy_add_all(&x.policy, NULL, NULL, 0, none, none), NG_OK);
    ng_policy_rule rule = {"w*", NULL};
    x.policy.rules = &rule, x.policy.rule_count = 1;
    ck_assert_int_eq(add_all(&x, NULL), NG_EARG);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), "rule 0"));
    ck_assert_uint_eq(lines(&x), 1);
    ng_optimizer_destroy(x.opt);
}
END_TEST

START_TEST(no_memory)
{
    for (long at = 1, calls = at; calls >= at - 1; at++) {
        world x;
        open_world(&x);
        fault_once(FAULT_MEMORY, at, FAIL);
        ng_status status = add_all(&x, NULL);
        calls = fault_over();
        ck_assert_int_eq(status, calls >= at ? NG_ENOMEM : NG_OK);
        ck_assert_uint_eq(lines(&x), status == NG_OK ? APART + 1 : 1);
        ck_assert(status == NG_OK || ng_optimizer_error(x.opt)[0] != '\0');
        ng_optimizer_destroy(x.opt);
    }
}
END_TEST

/* ---- Groups by text ------------------------------------------------------------------------- */

/* The number of groups. */
static size_t groups(const ng_optimizer *opt)
{
    return (ng_optimizer_counts(opt, NULL, 0) - 2) / 2;
}

START_TEST(presets)
{
    world x, y;
    open_world(&x), open_world(&y);
    ng_optimizer_destroy(y.opt);
    ng_assert_ok(ng_optimizer_create(&y.opt, NULL), NULL);
    ng_assert_ok(ng_policy_init_presets(&y.policy, y.opt, " muon ", "adamw"), NULL);
    ck_assert_uint_eq(groups(y.opt), 2);
    ck_assert_str_eq(ng_optimizer_error(y.opt), "");
    memcpy(y.w, x.w, sizeof y.w);
    ng_assert_ok(add_all(&x, NULL), NULL);
    ng_assert_ok(add_all(&y, NULL), NULL);
    assert_same(&x, &y);
    double lr = 0;
    ng_policy policy;
    ng_assert_ok(ng_policy_init_presets(&policy, x.opt, "fismo\tlr=0.125 ball=frobenius",
                                        "sgd lr=0.25,momentum=0.5"),
                 NULL);
    ng_assert_ok(ng_group_get(policy.matrix, "lr", &lr), NULL);
    ck_assert(lr == 0.125);
    ng_assert_ok(ng_group_get(policy.rest, "lr", &lr), NULL);
    ck_assert(lr == 0.25);
    ng_optimizer_destroy(x.opt), ng_optimizer_destroy(y.opt);
}
END_TEST

START_TEST(presets_refused)
{
    static const struct {
        const char *matrix, *rest, *culprit;
        ng_status status;
    } wrong[] = {
        {"moun lr=1", "adamw", "moun", NG_EOPTION},
        {"muon", "adamw lr=wide", "wide", NG_EOPTION},
        {"", "adamw", "''", NG_EOPTION},
        {"muon lr", "adamw", "name=value", NG_EOPTION},
        {NULL, "adamw", "NULL", NG_EARG},
        {"muon", NULL, "NULL", NG_EARG},
        {"a name of more than sixty-three bytes, as nobody calls a preset; muon", "adamw", "more",
         NG_EOPTION},
        {"muon", "thenameisasinglewordofmorethansixtythreebytesandnobodycallsapresetthatway",
         "thename", NG_EOPTION},
    };
    world x;
    open_world(&x);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ng_policy policy;
        ck_assert_int_eq(ng_policy_init_presets(&policy, x.opt, wrong[i].matrix, wrong[i].rest),
                         wrong[i].status);
        if (i != 6)
            ck_assert_msg(strstr(ng_optimizer_error(x.opt), wrong[i].culprit) != NULL, "%zu: %s", i,
                          ng_optimizer_error(x.opt));
        ck_assert_uint_eq(groups(x.opt), 2);
        ck_assert_int_eq(ng_policy_add_all(&policy, NULL, model, 0, ng_mat_none(), ng_mat_none()),
                         NG_EARG);
    }
    ck_assert_int_eq(ng_policy_init_presets(&x.policy, NULL, "muon", "adamw"), NG_EARG);
    ck_assert_int_eq(ng_policy_init_presets_sized(&x.policy, 1, x.opt, "muon", "adamw"),
                     NG_EOPTION);
    for (long at = 1, calls = at; calls >= at - 1; at++) {
        fault_once(FAULT_MEMORY, at, FAIL);
        ng_status status = ng_policy_init_presets(&x.policy, x.opt, "muon", "adamw");
        calls = fault_over();
        ck_assert_int_eq(status, calls >= at ? NG_ENOMEM : NG_OK);
        ck_assert_uint_eq(groups(x.opt), status == NG_OK ? 4 : 2);
    }
    ng_optimizer_destroy(x.opt);
}
END_TEST

TEST_SUITE(table)
{
    TCase *tcase = tcase_create("table");
    tcase_add_test(tcase, conformance);
    tcase_add_test(tcase, pointers);
    tcase_add_test(tcase, stacks);
    tcase_add_test(tcase, refusals);
    tcase_add_test(tcase, arguments);
    tcase_add_test(tcase, no_memory);
    tcase_add_test(tcase, presets);
    tcase_add_test(tcase, presets_refused);
    suite_add_tcase(suite, tcase);
}
