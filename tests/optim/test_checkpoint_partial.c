/* Checkpoints of other models, in part. */
#include "tests/optim/damage_world.h"

#include <math.h>

static ng_checkpoint_options with(ng_average *average, int weights)
{
    ng_checkpoint_options o;
    ng_checkpoint_init(&o);
    o.average = average;
    o.weights = weights;
    return o;
}

static char told[20000];

static void hear(const char *text, void *data)
{
    (void)data;
    if (strlen(text) < 512 && strlen(told) + strlen(text) + 2 < sizeof told)
        strcat(strcat(told, text), "\n"); /* an assertion would allocate */
}

typedef struct {
    ng_optimizer *opt;
    ng_policy policy;
    float w[4][12], dw[4][12];
} layers;

/* Each 3 x 4, under the matrix method; "-d" under AdamW, "=c" as "c" of 2 x 6. */
static void open_layers(layers *x, const char *preset, const char *const *names, size_t count,
                        unsigned seed)
{
    test_rng rng = {seed};
    ng_assert_ok(ng_optimizer_create(&x->opt, NULL), NULL);
    ng_assert_ok(ng_policy_init_presets(&x->policy, x->opt, preset, "adamw"), NULL);
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 12; k++)
            x->w[i][k] = (float)test_normal(&rng);
    for (size_t i = 0; i < count; i++) {
        size_t wide = names[i][0] == '=', rows = 3 - wide, cols = 4 + 2 * wide;
        ng_assert_ok(ng_group_add(names[i][0] == '-' ? x->policy.rest : x->policy.matrix, NULL,
                                  names[i] + wide, ng_f32(x->w[i], rows, cols),
                                  ng_f32(x->dw[i], rows, cols)),
                     NULL);
    }
}

/* One gradient for all layers. */
static void step_layers(layers *x, unsigned seed)
{
    for (size_t i = 0; i < 4; i++) {
        test_rng rng = {seed};
        for (size_t k = 0; k < 12; k++)
            x->dw[i][k] = (float)test_normal(&rng);
    }
    ck_assert_msg(ng_optimizer_step(x->opt) == NG_OK, "%s", ng_optimizer_error(x->opt));
}

static ng_status load_partly(layers *x)
{
    ng_checkpoint_options o = with(NULL, 1);
    o.partial = 1;
    o.report = hear;
    told[0] = '\0';
    return ng_optimizer_load(x->opt, path, &o);
}

/* One added, one removed, one of another shape, in another order: what matches steps on as it would
 * have, and the others as if nothing had been. */
START_TEST(in_part)
{
    static const char *const preset[] = {"muon", "fismo", "adamw", "soap"};
    static const char *const old[] = {"a", "gone", "=c", "-d"}, *const new[] = {"new", "-d", "c",
                                                                                "a"};
    layers x, y, alone;
    double lr;
    ng_checkpoint_options o = with(NULL, 1);
    open_layers(&x, preset[_i], old, 4, 1), open_layers(&y, preset[_i], new, 4, 2);
    open_layers(&alone, preset[_i], new, 4, 2);
    for (unsigned k = 0; k < 7; k++)
        step_layers(&x, k);
    step_layers(&y, 20), step_layers(&alone, 20);
    ng_assert_ok(ng_group_get(y.policy.matrix, "lr", &lr), NULL);
    ng_assert_ok(ng_group_set(x.policy.matrix, "lr", lr / 2), NULL);
    ng_assert_ok(ng_optimizer_save(x.opt, path, &o), NULL);
    ng_assert_ok(ng_group_set(x.policy.matrix, "lr", lr), NULL);
    ck_assert_int_lt(ng_optimizer_load(y.opt, path, &o), 0); /* all or nothing, without it */
    ck_assert_int_eq(memcmp(y.w, alone.w, sizeof y.w), 0);
    ck_assert_msg(load_partly(&y) == NG_OK, "%s", ng_optimizer_error(y.opt));
    ck_assert_str_eq(told, "'new' left: it is not in the file\n'c' left: another shape\n'a' taken\n"
                           "'-d' taken\n'gone' is in the file alone\n");
    ck_assert_uint_eq(ng_optimizer_steps(y.opt), 7);
    for (unsigned k = 30; k < 36; k++) {
        ck_assert_int_eq(memcmp(y.w[0], alone.w[0], sizeof y.w[0]), 0);
        ck_assert_int_eq(memcmp(y.w[1], x.w[3], sizeof y.w[0]), 0);
        ck_assert_int_eq(memcmp(y.w[2], alone.w[2], sizeof y.w[0]), 0);
        ck_assert_int_eq(memcmp(y.w[3], x.w[0], sizeof y.w[0]), 0);
        step_layers(&x, k), step_layers(&y, k), step_layers(&alone, k);
    }
    ng_optimizer_destroy(x.opt), ng_optimizer_destroy(y.opt), ng_optimizer_destroy(alone.opt);
}
END_TEST

static void refuse_partly(layers *x, ng_status expected, const char *culprit)
{
    layers before = *x;
    double counts[2][40];
    size_t n = ng_optimizer_counts(x->opt, counts[0], 40);
    ng_status status = load_partly(x);
    ck_assert_msg(status == expected, "%s: %s", ng_status_name(status), ng_optimizer_error(x->opt));
    ck_assert_msg(strstr(ng_optimizer_error(x->opt), culprit) != NULL, "%s",
                  ng_optimizer_error(x->opt));
    ng_optimizer_counts(x->opt, counts[1], 40);
    ck_assert(memcmp(counts[0], counts[1], n * sizeof(double)) == 0 && told[0] == '\0' &&
              memcmp(x->w, before.w, sizeof x->w) == 0);
}

START_TEST(in_part_refused)
{
    static const char *const names[] = {"a", "b", "-c"}, *const others[] = {"x", "y", "-z"};
    layers x, y, z, fismo;
    ng_average *a;
    ng_checkpoint_options o = with(NULL, 1);
    open_layers(&x, "muon", names, 3, 1), open_layers(&y, "muon", others, 3, 2);
    open_layers(&fismo, "fismo", names, 3, 2), open_layers(&z, "muon", names, 2, 3);
    step_layers(&x, 1);
    ng_assert_ok(ng_optimizer_save(x.opt, path, &o), NULL);
    refuse_partly(&y, NG_ENODATA, "no parameter");
    ng_assert_ok(load_partly(&fismo), NULL);
    ck_assert_str_eq(told, "'a' left: another metric\n'b' left: another metric\n'-c' taken\n");
    blob b = read_blob();
    for (size_t size = 0; size < b.size; size += 1 + b.size / 60) {
        write_blob(b.bytes, size);
        refuse_partly(&z, NG_EFORMAT, "");
    }
    free(b.bytes);
    ng_assert_ok(ng_optimizer_accumulate(x.opt), NULL);
    ng_assert_ok(ng_optimizer_save(x.opt, path, &o), NULL);
    refuse_partly(&z, NG_EUNSUPPORTED, "sums");
    ng_optimizer_drop(x.opt);
    o.weights = 0;
    ng_assert_ok(ng_optimizer_save(x.opt, path, &o), NULL);
    refuse_partly(&z, NG_ENODATA, "a/weights");
    ng_assert_ok(ng_average_create(&a, z.opt, 0.5, NULL), NULL);
    o.average = a, o.partial = 1;
    ck_assert_int_eq(ng_optimizer_load(z.opt, path, &o), NG_EUNSUPPORTED);
    ng_average_destroy(a);
    o = with(NULL, 1);
    ng_assert_ok(ng_optimizer_save(x.opt, path, &o), NULL);
    for (long at = 1, calls = at; calls >= at - 1; at++) {
        layers before = z;
        fault_once(FAULT_MEMORY, at, FAIL);
        ng_status status = load_partly(&z);
        calls = fault_over();
        ck_assert_int_eq(status, calls >= at ? NG_ENOMEM : NG_OK);
        ck_assert(status == NG_OK || memcmp(z.w, before.w, sizeof z.w) == 0);
    }
    ng_optimizer_destroy(x.opt), ng_optimizer_destroy(y.opt);
    ng_optimizer_destroy(z.opt), ng_optimizer_destroy(fismo.opt);
}
END_TEST

TEST_SUITE(checkpoint_partial)
{
    TCase *tcase = tcase_create("checkpoint_partial");
    tcase_add_checked_fixture(tcase, open_files, close_files);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, in_part, 0, 4);
    tcase_add_test(tcase, in_part_refused);
    suite_add_tcase(suite, tcase);
}
