/* Natural gradients by a sketch of the Fisher matrix's rows. */
#include "tests/fisher/worlds.h"
#include "tests/optim/natural_world.h"

enum { N = 12, ROWS = 512 };
static const size_t (*const shapes)[2] = crew_shapes[2];

static test_rng rng;

static void reseed(void)
{
    rng.state = 47;
}

static ng_fisher *lowrank(size_t rows, ng_dtype dtype)
{
    ng_fisher *f;
    ng_mat b = world_normal(rows, N, dtype, &rng);
    ng_assert_ok(ng_fisher_create_lowrank(&f, N, rows, dtype, NULL), NULL);
    ng_assert_ok(ng_fisher_accumulate(f, b, ng_mat_none(), NULL, NULL), NULL);
    test_free(b);
    return f;
}

static ng_natural_options sketching(int rows, ng_sketch_kind kind)
{
    ng_natural_options o;
    ng_natural_init(&o);
    ck_assert(o.sketch == 0 && o.sketch_kind == NG_SKETCH_SRHT);
    o.damping = 0.1;
    o.sketch = rows;
    o.sketch_kind = kind;
    return o;
}

/* the weights after `steps` steps of gradient g from zero, by an optimizer of that seed */
static ng_mat walk(const ng_natural_options *o, ng_fisher *f, ng_mat g, unsigned long long seed,
                   int steps)
{
    static const char *const names[] = {"first", "second", "third"};
    ng_optimizer_options options;
    ng_dtype dtype = ng_fisher_dtype(f);
    crew c = {.count = 3};
    ng_optimizer_init(&options);
    options.seed = seed;
    ng_assert_ok(ng_optimizer_create(&c.opt, &options), NULL);
    ng_assert_ok(ng_optimizer_add_group(c.opt, &c.group, o), NULL);
    for (size_t i = 0; i < c.count; i++) {
        c.w[i] = test_mat(shapes[i][0], shapes[i][1], i, dtype);
        c.dw[i] = test_mat(shapes[i][0], shapes[i][1], 0, dtype);
        ng_assert_ok(ng_group_add(c.group, NULL, names[i], c.w[i], c.dw[i]), NULL);
    }
    ng_assert_ok(ng_group_set_fisher(c.group, f), NULL);
    for (int t = 0; t < steps; t++)
        crew_step(&c, g);
    ng_mat w = crew_weights(&c);
    crew_close(&c);
    return w;
}

/* A sketch with as many rows as there are is none: the same bits. _i: dtype */
START_TEST(as_many_rows)
{
    ng_fisher *f = lowrank(20, (ng_dtype)_i);
    ng_mat g = dense_normal(1, N, &rng);
    ng_natural_options exact = sketching(0, NG_SKETCH_SRHT), all = sketching(20, NG_SKETCH_COUNT);
    ck_assert(test_same_bits(walk(&exact, f, g, 0, 3), walk(&all, f, g, 0, 3)));
    ng_fisher_destroy(f);
}
END_TEST

/* A sketch a step, by the seed and the number of the step alone. _i: kind, dtype */
START_TEST(drawn_by_seed_and_step)
{
    ng_fisher *f = lowrank(ROWS, (ng_dtype)(_i / NG_SKETCH_KINDS));
    ng_mat g = dense_normal(1, N, &rng);
    ng_natural_options o = sketching(30, (ng_sketch_kind)(_i % NG_SKETCH_KINDS));
    ng_mat one = walk(&o, f, g, 5, 1), two = walk(&o, f, g, 5, 2);
    ck_assert(test_same_bits(two, walk(&o, f, g, 5, 2)));
    ck_assert(!test_same_bits(two, walk(&o, f, g, 6, 2)));
    ck_assert(!test_same_bits(two, dense_scale(2, one)));
    ng_fisher_destroy(f);
}
END_TEST

/* what a step is off the exact one, mean square over seeds */
static double spread(ng_fisher *f, ng_mat g, ng_sketch_kind kind, int rows)
{
    enum { SEEDS = 40 };
    ng_natural_options none = sketching(0, kind), o = sketching(rows, kind);
    ng_mat exact = walk(&none, f, g, 0, 1);
    double sum = 0;
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        ng_mat d = dense_add(1, walk(&o, f, g, seed, 1), -1, exact);
        sum += dense_dot(d, d) / dense_dot(exact, exact) / SEEDS;
    }
    return sum;
}

/* By 1/m where m is much larger than N; of srht, without replacement, by (1 - m / ROWS) / m, of
 * pooled by (1 + 2 m / ROWS) / m. _i: kind */
START_TEST(falls_like_one_over_m)
{
    ng_sketch_kind kind = (ng_sketch_kind)_i;
    ng_fisher *f = lowrank(ROWS, NG_F64);
    ng_mat g = dense_normal(1, N, &rng);
    double few = spread(f, g, kind, 128), many = spread(f, g, kind, 256);
    double ratio = kind == NG_SKETCH_SRHT ? 3 : kind == NG_SKETCH_POOLED ? 1.5 : 2;
    ng_assert_rel(few / many, ratio, 0.4);
    ng_assert_le(many, 0.15);
    ng_fisher_destroy(f);
}
END_TEST

/* The step is as long as the sketched model says. */
START_TEST(trust_region)
{
    ng_fisher *f = lowrank(ROWS, NG_F64);
    ng_mat g = dense_normal(1, N, &rng);
    ng_natural_options o = sketching(30, NG_SKETCH_SRHT);
    ng_mat loose = walk(&o, f, g, 1, 1);
    o.kl_radius = -dense_dot(loose, g) / 8; /* a quarter of 1/2 <D, g> */
    ng_assert_mat(walk(&o, f, g, 1, 1), dense_scale(0.5, loose), 1e-13);
    ng_fisher_destroy(f);
}
END_TEST

START_TEST(refusals)
{
    ng_natural_options o = sketching(5, NG_SKETCH_SRHT);
    ng_fisher *f = crew_fisher(crew_definite(N, &rng), NG_F64), *rows = lowrank(8, NG_F64);
    crew c;
    crew_open(&c, &o, NG_F64, shapes, f);
    ng_mat before = crew_weights(&c), g = dense_normal(1, N, &rng);
    crew_write(&c, c.dw, g);
    crew_refuse(&c, ng_optimizer_step(c.opt), NG_EUNSUPPORTED, "sketch = 5: a dense Fisher");
    ng_assert_ok(ng_group_set_fisher(c.group, rows), NULL);
    ng_assert_ok(ng_group_set(c.group, "damping", 0), NULL);
    crew_refuse(&c, ng_optimizer_step(c.opt), NG_ESINGULAR, "singular");
    ng_assert_ok(ng_group_set(c.group, "damping", 0.1), NULL);
    crew_refuse(&c, ng_group_set(c.group, "sketch", -1), NG_EOPTION, "sketch");
    crew_refuse(&c, ng_group_set(c.group, "sketch", 2.5), NG_EOPTION, "sketch");
    crew_refuse(&c, ng_group_set(c.group, "sketch_kind", 4), NG_EOPTION, "sketch_kind");
    ck_assert(test_same_bits(before, crew_weights(&c)));
    /* each allocation of a step fails once, and then it is the step it would have been */
    for (long at = 1;; at++) {
        fault_once(FAULT_MEMORY, at, FAIL);
        ng_status status = ng_optimizer_step(c.opt);
        if (fault_over() < at) {
            ck_assert_int_eq(status, NG_OK);
            break;
        }
        ck_assert_int_eq(status, NG_ENOMEM);
        ck_assert(test_same_bits(before, crew_weights(&c)));
    }
    ck_assert(test_same_bits(dense_add(1, crew_weights(&c), -1, before),
                             dense_add(1, walk(&o, rows, g, 0, 1), -1, dense_mat(1, N))));
    crew_close(&c);
    ng_fisher_destroy(f), ng_fisher_destroy(rows);
}
END_TEST

TEST_SUITE(natural_sketch)
{
    TCase *tc = tcase_create("sketched steps");
    tcase_add_checked_fixture(tc, reseed, dense_release);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, as_many_rows, 0, 2);
    tcase_add_loop_test(tc, drawn_by_seed_and_step, 0, 2 * NG_SKETCH_KINDS);
    tcase_add_loop_test(tc, falls_like_one_over_m, 0, NG_SKETCH_KINDS);
    tcase_add_test(tc, trust_region);
    tcase_add_test(tc, refusals);
    suite_add_tcase(suite, tc);
}
