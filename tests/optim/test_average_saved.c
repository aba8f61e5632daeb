/* Averages of weights inside checkpoints, and files described. */
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

/* The weights of `t` are those of `other`, average swapped in. */
static void assert_same_average(world *t, ng_average *a, world *other, ng_average *b)
{
    ck_assert_uint_eq(ng_average_count(a), ng_average_count(b));
    ck_assert(ng_average_decay(a) == ng_average_decay(b));
    ng_assert_ok(ng_average_swap(a, NULL), NULL);
    ng_assert_ok(ng_average_swap(b, NULL), NULL);
    for (size_t p = 0; p < t->count * EACH; p++) {
        ck_assert(test_same_bits(t->w[p], other->w[p]));
        ck_assert(t->b[p].data == NULL || test_same_bits(t->b[p], other->b[p]));
    }
    ng_assert_ok(ng_average_swap(a, NULL), NULL);
    ng_assert_ok(ng_average_swap(b, NULL), NULL);
}

/* _i & 1: f32; _i & 2: the plain mean (SWA) instead of EMA. Strided weights, biases. */
START_TEST(resumes)
{
    world never, resumed;
    ng_average *a, *b;
    double decay = _i & 2 ? 1 : 0.75;
    ng_dtype dtype = _i & 1 ? NG_F32 : NG_F64;
    world_open(&never, 5, 8, dtype, 0, 1), world_open(&resumed, 5, 8, dtype, 0, 99);
    ng_assert_ok(ng_average_create(&a, never.opt, decay, NULL), NULL);
    ng_assert_ok(ng_average_create(&b, resumed.opt, 0.5, NULL), NULL);
    ng_checkpoint_options o = with(a, 1);
    for (unsigned k = 0; k < 10; k++) {
        world_step(&never, k);
        ng_assert_ok(ng_average_update(a, NULL), NULL);
        if (k == 4) {
            ck_assert_msg(ng_optimizer_save(never.opt, path, &o) == NG_OK, "%s",
                          ng_optimizer_error(never.opt));
            o.average = b;
            ck_assert_msg(ng_optimizer_load(resumed.opt, path, &o) == NG_OK, "%s",
                          ng_optimizer_error(resumed.opt));
            assert_same_average(&never, a, &resumed, b);
        }
        if (k > 4) {
            world_step(&resumed, k);
            ng_assert_ok(ng_average_update(b, NULL), NULL);
        }
    }
    assert_same_average(&never, a, &resumed, b);
    ck_assert(world_is(&resumed, world_snapshot(&never)));
    /* one that is not asked for stays in the file; with options, the decay stays as well */
    ng_assert_ok(load(&resumed, 1), NULL);
    ck_assert_uint_eq(ng_average_count(b), 10);
    ng_assert_ok(ng_average_set(b, 3, 0.25, NULL), NULL);
    o.keep_options = 1;
    ng_assert_ok(ng_optimizer_load(resumed.opt, path, &o), NULL);
    ck_assert(ng_average_count(b) == 5 && ng_average_decay(b) == 0.25);
    ng_average_destroy(a), ng_average_destroy(b);
    world_close(&never), world_close(&resumed);
}
END_TEST

static void refuse(world *t, ng_average *average, ng_status expected, const char *culprit)
{
    ng_checkpoint_options o = with(average, 0);
    unsigned long long count = ng_average_count(average);
    snapshot before = world_snapshot(t);
    ck_assert_int_eq(ng_optimizer_load(t->opt, path, &o), expected);
    ck_assert_msg(strstr(ng_optimizer_error(t->opt), culprit) != NULL, "\"%s\" lacks \"%s\"",
                  ng_optimizer_error(t->opt), culprit);
    ck_assert(world_is(t, before));
    ck_assert_uint_eq(ng_average_count(average), count);
}

START_TEST(refusals)
{
    world x, y;
    ng_average *a, *b;
    world_open(&x, 1, 3, NG_F32, 0, 1), world_open(&y, 1, 3, NG_F32, 0, 1);
    ng_assert_ok(ng_average_create(&a, x.opt, 0.9, NULL), NULL);
    ng_assert_ok(ng_average_create(&b, y.opt, 0.9, NULL), NULL);
    world_step(&x, 0);
    save(&x, 1);
    refuse(&x, a, NG_ENODATA, "average");
    ng_assert_ok(ng_average_update(a, NULL), NULL);
    ng_checkpoint_options o = with(b, 1);
    ck_assert_int_eq(ng_optimizer_save(x.opt, path, &o), NG_EARG);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), "not of this optimizer"));
    refuse(&x, b, NG_EARG, "not of this optimizer");
    o.average = a;
    ng_assert_ok(ng_average_swap(a, NULL), NULL);
    ck_assert_int_eq(ng_optimizer_save(x.opt, path, &o), NG_EARG);
    refuse(&x, a, NG_EARG, "swapped");
    ng_assert_ok(ng_average_swap(a, NULL), NULL);
    ng_assert_ok(ng_optimizer_save(x.opt, path, &o), NULL);
    float w = 1, dw = 0;
    ng_assert_ok(ng_group_add(x.group[0], NULL, "late", ng_f32(&w, 1, 1), ng_f32(&dw, 1, 1)), NULL);
    ck_assert_int_eq(ng_optimizer_save(x.opt, path, &o), NG_EARG);
    ck_assert_ptr_nonnull(strstr(ng_optimizer_error(x.opt), "added"));
    ng_average_destroy(a), ng_average_destroy(b);
    world_close(&x), world_close(&y);
}
END_TEST

/* Count and decay that no average has, and tensors that are not finite. */
START_TEST(hostile)
{
    static const double wrong[][2] = {{-1, 0.5}, {0.5, 0.5}, {1e300, 0.5}, {3, -0.5},
                                      {3, 2},    {3, NAN},   {NAN, 0.5},   {INFINITY, 0.5}};
    world x;
    ng_average *a;
    world_open(&x, 1, 3, NG_F64, 0, 1);
    ng_assert_ok(ng_average_create(&a, x.opt, 0.9, NULL), NULL);
    world_step(&x, 0);
    ng_assert_ok(ng_average_update(a, NULL), NULL);
    ng_checkpoint_options o = with(a, 0);
    ng_assert_ok(ng_optimizer_save(x.opt, path, &o), NULL);
    ng_tensors *file;
    ng_assert_ok(ng_tensors_open(&file, path, NULL), NULL);
    size_t pair = ng_tensors_find(file, "average")->begin;
    size_t first = ng_tensors_find(file, "layer0.\xce\xb1/weight/average")->begin;
    ng_tensors_close(file);
    blob b = read_blob();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        memcpy(b.bytes + pair, wrong[i], sizeof wrong[i]);
        seal(b.bytes, b.size);
        write_blob(b.bytes, b.size);
        refuse(&x, a, NG_EARG, "no average counts");
    }
    memcpy(b.bytes + pair, (double[2]){1, 0.9}, 16);
    memcpy(b.bytes + first, (double[1]){NAN}, 8);
    seal(b.bytes, b.size);
    write_blob(b.bytes, b.size);
    refuse(&x, a, NG_ENONFINITE, "weight/average");
    free(b.bytes);
    ng_average_destroy(a);
    world_close(&x);
}
END_TEST

START_TEST(memory_fails)
{
    world x;
    ng_average *a;
    world_open(&x, 6, 7, NG_F32, 0, 1);
    ng_assert_ok(ng_average_create(&a, x.opt, 0.9, NULL), NULL);
    world_step(&x, 0);
    ng_assert_ok(ng_average_update(a, NULL), NULL);
    ng_checkpoint_options o = with(a, 1);
    for (int loading = 0; loading < 2; loading++)
        for (long at = 1, calls = at; calls >= at - 1; at++) {
            snapshot before = world_snapshot(&x);
            fault_once(FAULT_MEMORY, at, FAIL);
            ng_status status =
                loading ? ng_optimizer_load(x.opt, path, &o) : ng_optimizer_save(x.opt, path, &o);
            calls = fault_over();
            ck_assert_int_eq(status, calls >= at ? NG_ENOMEM : NG_OK);
            ck_assert(world_is(&x, before));
        }
    ng_average_destroy(a);
    world_close(&x);
}
END_TEST

/* The tensors of an average in the hands of a host. */
START_TEST(tensors)
{
    world x;
    ng_average *a;
    ng_mat m;
    ng_error error = {NG_OK, ""};
    const char *parameter, *name;
    size_t i, biases = 0;
    world_open(&x, 5, 8, NG_F64, 0, 1);
    ng_assert_ok(ng_average_create(&a, x.opt, 0.9, NULL), NULL);
    ng_assert_ok(ng_average_update(a, NULL), NULL);
    for (i = 0; ng_average_tensor(a, &parameter, &name, &m, i, &error) == NG_OK; i++) {
        size_t p = i - biases - (strcmp(name, "bias_average") == 0);
        biases += strcmp(name, "bias_average") == 0;
        ck_assert(test_same_bits(m, strcmp(name, "average") == 0 ? x.w[p] : x.b[p]));
    }
    ck_assert_int_eq(error.status, NG_ENODATA);
    ck_assert(i == 3 * EACH + biases && biases == 2 * EACH);
    ng_assert_fails(ng_average_tensor(a, NULL, &name, &m, 0, &error), NG_EARG, &error, "place");
    ng_assert_fails(ng_average_tensor(NULL, &parameter, &name, &m, 0, &error), NG_EARG, &error,
                    "NULL");
    ng_assert_fails(ng_average_set(a, 1, 2, &error), NG_EOPTION, &error, "decay");
    ng_assert_fails(ng_average_set(NULL, 1, 0.5, &error), NG_EARG, &error, "NULL");
    ng_assert_ok(ng_average_swap(a, NULL), NULL);
    ng_assert_fails(ng_average_set(a, 1, 0.5, &error), NG_EARG, &error, "swapped");
    ng_assert_ok(ng_average_swap(a, NULL), NULL);
    ck_assert(ng_average_decay(NULL) == 0);
    ng_average_destroy(a);
    world_close(&x);
}
END_TEST

/* ---- What is in a file ----------------------------------------------------------------------- */

static char told[20000];

static void hear(const char *text, void *data)
{
    (void)data;
    if (strlen(text) < 512 && strlen(told) + strlen(text) + 2 < sizeof told)
        strcat(strcat(told, text), "\n"); /* an assertion would allocate */
}

START_TEST(described)
{
    static const char *const expected[] = {
        "\nsteps = 2\n",
        "clip_norm = 20\n",
        "\ngroups = 2\n",
        "group.0.method = adamw\n",
        "group.1.method = steepest\n",
        "group.1.option.weight_decay = 0.1\n",
        "\ngroup.0.parameter.1 = 'layer1.\xce\xb1/weight', 5 x 3, F32, in_out, bias no\n",
        "\n'counts' F64 [14]\n",
        "/first_moment' F32 [4, 6]\n",
        "\n'average' F64 [2]\n",
        "'layer3.\xce\xb1/weight/average' F32 [5, 3]\n",
        "\n'crc32' U8 [4]\n"};
    world x;
    ng_average *a;
    ng_error error = {NG_OK, ""};
    world_open(&x, 1, 3, NG_F32, 0, 1);
    ng_assert_ok(ng_average_create(&a, x.opt, 0.9, NULL), NULL);
    world_step(&x, 0), world_step(&x, 1);
    ng_checkpoint_options o = with(a, 0);
    ng_assert_ok(ng_optimizer_save(x.opt, path, &o), NULL);
    for (long at = 1, calls = at; calls >= at - 1; at++) {
        told[0] = '\0';
        fault_once(FAULT_MEMORY, at, FAIL);
        ng_status status = ng_checkpoint_describe(path, hear, NULL, &error);
        calls = fault_over();
        ck_assert_int_eq(status, calls >= at ? NG_ENOMEM : NG_OK);
        ck_assert(status == NG_OK || told[0] == '\0');
    }
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        ck_assert_msg(strstr(told, expected[i]) != NULL, "no '%s' in\n%s", expected[i], told);
    blob b = read_blob();
    told[0] = '\0';
    b.bytes[b.size / 2] ^= 1;
    write_blob(b.bytes, b.size);
    ng_assert_fails(ng_checkpoint_describe(path, hear, NULL, &error), NG_EFORMAT, &error, "");
    for (size_t size = 0; size < b.size; size += 1 + b.size / 50) {
        write_blob(b.bytes, size);
        ck_assert_int_eq(ng_checkpoint_describe(path, hear, NULL, &error), NG_EFORMAT);
    }
    ck_assert(told[0] == '\0');
    ng_assert_fails(ng_checkpoint_describe("/", hear, NULL, &error), NG_EIO, &error, "/");
    ng_assert_fails(ng_checkpoint_describe(path, NULL, NULL, &error), NG_EARG, &error, "hears");
    ck_assert_int_eq(ng_checkpoint_describe(NULL, hear, NULL, NULL), NG_EARG);
    free(b.bytes);
    ng_average_destroy(a);
    world_close(&x);
}
END_TEST

TEST_SUITE(average_saved)
{
    TCase *tcase = tcase_create("average_saved");
    tcase_add_checked_fixture(tcase, open_files, close_files);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, resumes, 0, 4);
    tcase_add_test(tcase, refusals);
    tcase_add_test(tcase, hostile);
    tcase_add_test(tcase, memory_fails);
    tcase_add_test(tcase, tensors);
    tcase_add_test(tcase, described);
    suite_add_tcase(suite, tcase);
}
