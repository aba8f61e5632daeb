/* Checkpoints (natgrad/checkpoint.h): what is resumed is what was stopped, and
 * what does not belong is named. */
#include "tests/optim/checkpoint_world.h"

/* ---- Resuming ------------------------------------------------------------------------------ */

/* i & 1: f32; i & 2: stopped between capture or accumulate and the step */
START_TEST(resumes_bit_for_bit)
{
    ng_dtype dtype = _i & 1 ? NG_F32 : NG_F64;
    int halfway = _i & 2;
    world never, stopped, resumed;
    world_open(&never, 0, KINDS, dtype, 0, 1);
    world_open(&stopped, 0, KINDS, dtype, 0, 1);
    world_open(&resumed, 0, KINDS, dtype, 2, 99);
    for (unsigned k = 0; k < 5; k++) {
        world_step(&never, k);
        world_step(&stopped, k);
    }
    world_step(&resumed, 50);
    for (size_t g = 0; g < never.count; g++) { /* what a schedule did */
        ng_assert_ok(ng_group_set(never.group[g], "lr", 1.0 / 3 / 7), NULL);
        ng_assert_ok(ng_group_set(stopped.group[g], "lr", 1.0 / 3 / 7), NULL);
    }
    if (halfway) {
        world_feed(&never, 40);
        world_feed(&stopped, 40);
        ng_assert_ok(ng_optimizer_accumulate(never.opt), NULL);
        ng_assert_ok(ng_optimizer_accumulate(stopped.opt), NULL);
    }
    save(&stopped, 1);
    ck_assert_msg(load(&resumed, 1) == NG_OK, "%s", ng_optimizer_error(resumed.opt));
    ck_assert(world_is(&resumed, world_snapshot(&stopped)));
    for (unsigned k = 5; k < 12; k++) {
        world_feed(&never, k);
        world_feed(&resumed, k);
        if (halfway && k == 5) {
            ng_assert_ok(ng_optimizer_accumulate(never.opt), NULL);
            ng_assert_ok(ng_optimizer_accumulate(resumed.opt), NULL);
        }
        world_finish(&never);
        world_finish(&resumed);
        ck_assert_msg(world_is(&resumed, world_snapshot(&never)), "step %u", k);
    }
    world_close(&never);
    world_close(&stopped);
    world_close(&resumed);
}
END_TEST

/* Everything but the counts, through the public calls. */
static void copy_state(world *to, world *from)
{
    const char *param, *name, *other;
    ng_mat a, b;
    size_t i;
    for (i = 0; ng_optimizer_tensor(from->opt, &param, &name, &a, i) == NG_OK; i++) {
        ng_assert_ok(ng_optimizer_tensor(to->opt, &param, &other, &b, i), NULL);
        ck_assert_str_eq(name, other);
        test_assign(b, a);
    }
    ck_assert_uint_gt(i, 5 * WORLD_PARAMS);
    for (size_t p = 0; p < WORLD_PARAMS; p++) {
        test_assign(to->w[p], from->w[p]);
        if (to->b[p].data != NULL)
            test_assign(to->b[p], from->b[p]);
    }
    for (size_t g = 0; g < KINDS; g++)
        if (from->natural[g]) {
            double damping;
            ng_assert_ok(ng_group_get(from->group[g], "damping", &damping), NULL);
            ng_assert_ok(ng_group_set(to->group[g], "damping", damping), NULL);
        }
}

/* A host's own format: counts, then tensors. */
START_TEST(hosts_may_copy)
{
    world from, to;
    double counts[512];
    world_open(&from, 0, KINDS, NG_F32, 0, 1);
    world_open(&to, 0, KINDS, NG_F32, 0, 1);
    for (unsigned k = 0; k < 3; k++)
        world_step(&from, k);
    world_feed(&from, 3);
    ng_assert_ok(ng_optimizer_accumulate(from.opt), NULL);
    size_t n = ng_optimizer_counts(from.opt, counts, 512);
    ck_assert_uint_eq(n, 2 + 2 * KINDS + 2 * WORLD_PARAMS);
    ng_assert_ok(ng_optimizer_set_counts(to.opt, counts, n), NULL);
    copy_state(&to, &from);
    world_finish(&from);
    world_finish(&to);
    ck_assert(world_is(&to, world_snapshot(&from)));
    snapshot before = world_snapshot(&to);
    ck_assert_int_eq(ng_optimizer_set_counts(to.opt, counts, n - 1), NG_EARG);
    counts[0] = 0.5;
    ck_assert_int_eq(ng_optimizer_set_counts(to.opt, counts, n), NG_EARG);
    counts[0] = 3;
    counts[4] = NAN;
    ck_assert_int_eq(ng_optimizer_set_counts(to.opt, counts, n), NG_EARG);
    counts[4] = 3;
    counts[5] = 7; /* sgd captures nothing */
    ck_assert_int_eq(ng_optimizer_set_counts(to.opt, counts, n), NG_EARG);
    ck_assert(world_is(&to, before));
    world_close(&from);
    world_close(&to);
}
END_TEST

/* ---- What options choose -------------------------------------------------------------------- */

START_TEST(own_options_may_stay)
{
    world a, b;
    ng_checkpoint_options o;
    double lr;
    world_open(&a, 1, 3, NG_F64, 0, 1);
    world_open(&b, 1, 3, NG_F64, 0, 1);
    world_step(&a, 0);
    ng_assert_ok(ng_group_set(a.group[0], "lr", 0.1), NULL);
    ng_assert_ok(ng_group_set(b.group[0], "lr", 0.7), NULL);
    save(&a, 0);
    ng_checkpoint_init(&o);
    o.keep_options = 1;
    snapshot weights = {NULL, 0};
    snap_mat(&weights, b.w[0]);
    ng_assert_ok(ng_optimizer_load(b.opt, path, &o), NULL);
    ng_assert_ok(ng_group_get(b.group[0], "lr", &lr), NULL);
    ng_assert_rel(lr, 0.7, 0);
    ng_assert_ok(load(&b, 0), NULL);
    ng_assert_ok(ng_group_get(b.group[0], "lr", &lr), NULL);
    ng_assert_rel(lr, 0.1, 0);
    ck_assert_int_eq(memcmp(weights.bytes, b.w[0].data, weights.size), 0); /* not asked for */
    free(weights.bytes);
    snapshot before = world_snapshot(&b);
    ck_assert_int_eq(load(&b, 1), NG_ENODATA);
    ck_assert(strstr(ng_optimizer_error(b.opt), "layer0.\xce\xb1/weight/weights") != NULL);
    ck_assert(world_is(&b, before));
    world_close(&a);
    world_close(&b);
}
END_TEST

static size_t state_save(const void *data, void *out, size_t size)
{
    if (out != NULL && size >= 5)
        memcpy(out, data, 5);
    return 5;
}

static int state_load(void *data, const void *in, size_t size)
{
    if (size != 5 || *(const char *)in == 'X')
        return -1;
    memcpy(data, in, size);
    return 0;
}

START_TEST(random_numbers_go_along)
{
    char bytes[5] = "seed";
    ng_random random = {.save = state_save, .load = state_load, .data = bytes};
    ng_checkpoint_options o;
    world t;
    ng_checkpoint_init(&o);
    world_open(&t, 1, 2, NG_F32, 0, 1);
    world_step(&t, 0);
    save(&t, 0);
    o.random = &random;
    ck_assert_int_eq(ng_optimizer_load(t.opt, path, &o), NG_ENODATA);
    ng_assert_ok(ng_optimizer_save(t.opt, path, &o), NULL);
    memcpy(bytes, "other", 5);
    ng_assert_ok(load(&t, 0), NULL); /* not asked for */
    ck_assert_int_eq(memcmp(bytes, "other", 5), 0);
    ng_assert_ok(ng_optimizer_load(t.opt, path, &o), NULL);
    ck_assert_int_eq(memcmp(bytes, "seed", 5), 0);
    bytes[0] = 'X'; /* saved, but refused */
    ng_assert_ok(ng_optimizer_save(t.opt, path, &o), NULL);
    world_step(&t, 1);
    snapshot before = world_snapshot(&t);
    ck_assert_int_eq(ng_optimizer_load(t.opt, path, &o), NG_EFORMAT);
    ck_assert(world_is(&t, before));
    random.save = NULL;
    ck_assert_int_eq(ng_optimizer_save(t.opt, path, &o), NG_EARG);
    world_close(&t);
}
END_TEST

/* ---- Other models ------------------------------------------------------------------------------
 */

typedef struct {
    const char *preset, *settings, *name;
    size_t rows, cols, groups;
    ng_dtype dtype;
    ng_layout layout;
    int bias;
    ng_status status;
    const char *culprit;
} model;

static const model models[] = {
    {"kfac", "", "w", 4, 3, 1, NG_F32, NG_OUT_IN, 0, NG_OK, ""},
    {"ekfac", "", "w", 4, 3, 1, NG_F32, NG_OUT_IN, 0, NG_EOPTION, "metric = kfac"},
    {"adamw", "", "w", 4, 3, 1, NG_F32, NG_OUT_IN, 0, NG_EOPTION, "method = steepest"},
    {"kfac", "", "v", 4, 3, 1, NG_F32, NG_OUT_IN, 0, NG_EARG, "name = w in the checkpoint, v here"},
    {"kfac", "", "w", 4, 5, 1, NG_F32, NG_OUT_IN, 0, NG_ESHAPE,
     "'w': shape = 4 x 3 in the checkpoint, 4 x 5 here"},
    {"kfac", "", "w", 4, 3, 1, NG_F64, NG_OUT_IN, 0, NG_EDTYPE, "'w': dtype = F32"},
    {"kfac", "", "w", 4, 3, 1, NG_F32, NG_IN_OUT, 0, NG_EARG, "layout = out_in"},
    {"kfac", "", "w", 4, 3, 1, NG_F32, NG_OUT_IN, 1, NG_EARG, "bias = no in the checkpoint"},
    {"kfac", "", "w", 4, 3, 2, NG_F32, NG_OUT_IN, 0, NG_EARG, "groups = 1 in the checkpoint, 2"},
    {"kfac", "damping_kind=exact_eigen", "w", 4, 3, 1, NG_F32, NG_OUT_IN, 0, NG_EOPTION,
     "damping_kind"},
    {"kfac", "", NULL, 4, 3, 1, NG_F32, NG_OUT_IN, 0, NG_EARG,
     "parameters = 1 in the checkpoint, 0"},
};
enum { MODELS = sizeof models / sizeof models[0] };

static ng_optimizer *open_model(const model *m, ng_mat *buffers)
{
    ng_optimizer *opt;
    ng_group *group;
    void *options = test_options(m->preset, m->settings);
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    for (int i = 0; i < 4; i++)
        buffers[i] = test_mat(i < 2 ? m->rows : 1, i < 2 ? m->cols : m->rows, 0, m->dtype);
    for (size_t g = 0; g < m->groups; g++) {
        ng_assert_ok(ng_optimizer_add_group(opt, &group, options), NULL);
        if (g > 0 || m->name == NULL)
            continue;
        ng_assert_ok(ng_group_add(group, NULL, m->name, buffers[0], buffers[1]), NULL);
        ng_assert_ok(ng_group_set_layout(group, 0, m->layout), NULL);
        if (m->bias)
            ng_assert_ok(ng_group_add_bias(group, 0, buffers[2], buffers[3]), NULL);
    }
    free(options);
    return opt;
}

START_TEST(another_model_is_named)
{
    ng_mat one[4], two[4];
    ng_optimizer *saved = open_model(&models[0], one), *opt = open_model(&models[_i], two);
    ng_assert_ok(ng_optimizer_save(saved, path, NULL), NULL);
    ng_status status = ng_optimizer_load(opt, path, NULL);
    ck_assert_msg(status == models[_i].status &&
                      strstr(ng_optimizer_error(opt), models[_i].culprit) != NULL,
                  "%s: %s", ng_status_name(status), ng_optimizer_error(opt));
    ng_optimizer_destroy(saved);
    ng_optimizer_destroy(opt);
    for (int i = 0; i < 4; i++) {
        test_free(one[i]);
        test_free(two[i]);
    }
}
END_TEST

START_TEST(what_cannot_be_saved)
{
    world t;
    world_open(&t, 1, 3, NG_F32, 0, 1);
    world_step(&t, 0);
    save(&t, 1);
    double kept = ng_mat_get(t.w[1], 1, 2);
    ng_mat_set(t.w[1], 1, 2, NAN);
    ng_checkpoint_options o;
    ng_checkpoint_init(&o);
    o.weights = 1;
    ck_assert_int_eq(ng_optimizer_save(t.opt, path, &o), NG_ENONFINITE);
    ck_assert(strstr(ng_optimizer_error(t.opt), "layer1.\xce\xb1/weight/weights") != NULL);
    ng_mat_set(t.w[1], 1, 2, kept);
    ng_assert_ok(load(&t, 1), NULL); /* the old one is there */
    o.size = 1;
    ck_assert_int_eq(ng_optimizer_save(t.opt, path, &o), NG_EOPTION);
    ck_assert_int_eq(ng_optimizer_save(NULL, path, NULL), NG_EARG);
    ck_assert_int_eq(ng_optimizer_load(t.opt, NULL, NULL), NG_EARG);
    float x[2] = {0, 0}, dx[2] = {0, 0};
    ng_assert_ok(ng_group_add(t.group[0], NULL, "\xff", ng_f32(x, 1, 2), ng_f32(dx, 1, 2)), NULL);
    ck_assert_int_eq(ng_optimizer_save(t.opt, path, NULL), NG_EARG);
    ck_assert(strstr(ng_optimizer_error(t.opt), "UTF-8") != NULL);
    world_close(&t);
}
END_TEST

/* ---- Another reader ----------------------------------------------------------------------------
 */

static const char reader[] =
    "import json, struct, sys, zlib\n"
    "blob = open(sys.argv[1], 'rb').read()\n"
    "n, = struct.unpack('<Q', blob[:8])\n"
    "assert blob[8:9] == b'{' and n % 8 == 0\n"
    "head, data = json.loads(blob[8:8 + n]), blob[8 + n:]\n"
    "meta = head.pop('__metadata__')\n"
    "assert all(type(x) is str for pair in meta.items() for x in pair)\n"
    "assert blob[-4:] == struct.pack('<I', zlib.crc32(blob[:-4]))\n"
    "assert head.pop('crc32')['data_offsets'] == [len(data) - 4, len(data)]\n"
    "end, data = 0, data[:-4]\n"
    "assert meta['natgrad_format'] == '2' and meta['steps'] == '3'\n"
    "assert meta['group.0.method'] == 'sgd' and float(meta['group.0.option.momentum']) == 0.9\n"
    "assert meta['group.3.option.metric'] == 'fismo' and meta['group.3.parameters'] == '2'\n"
    "assert meta['group.0.parameter.1.name'].startswith('layer1.') and meta['clip_norm'] == '20'\n"
    "sizes = {'F32': 4, 'F64': 8, 'U8': 1}\n"
    "for name, t in sorted(head.items(), key=lambda x: x[1]['data_offsets']):\n"
    "    begin, stop = t['data_offsets']\n"
    "    count = 1\n"
    "    for s in t['shape']: count *= s\n"
    "    size = sizes[t['dtype']]\n"
    "    assert begin == end and stop - begin == count * size and begin % size == 0\n"
    "    end = stop\n"
    "    print(name.encode().hex(), t['dtype'], 'x'.join(map(str, t['shape'])), "
    "data[begin:stop].hex())\n"
    "assert end == len(data)\n"
    "print('end')\n";

/* The line about a tensor, as the reader prints it, is among its lines. */
static void listed(const char *lines, const char *name, ng_mat m, int vector)
{
    size_t size = ng_dtype_size(m.dtype);
    char *line = malloc(2 * strlen(name) + 2 * m.rows * m.cols * size + 100), *p = line;
    for (const char *c = name; *c != '\0'; c++)
        p += sprintf(p, "%02x", (unsigned char)*c);
    p += vector ? sprintf(p, " F%zu %zu ", 8 * size, m.cols)
                : sprintf(p, " F%zu %zux%zu ", 8 * size, m.rows, m.cols);
    for (size_t i = 0; i < m.rows; i++)
        for (size_t k = 0; k < m.cols * size; k++)
            p += sprintf(p, "%02x", ((unsigned char *)m.data)[i * m.stride * size + k]);
    sprintf(p, "\n");
    ck_assert_msg(strstr(lines, line) != NULL, "the reader has no '%s', or other values", name);
    free(line);
}

START_TEST(python_reads_it)
{
    if (system("python3 -c pass 2>/dev/null") != 0) {
        fprintf(stderr, "python_reads_it: skipped, no python3\n");
        return;
    }
    world t;
    char command[300], script[100], name[200];
    const char *param, *own;
    double counts[512];
    ng_mat m;
    size_t room = 1 << 20, i = 0, lines = 0;
    world_open(&t, 0, KINDS, _i ? NG_F32 : NG_F64, 0, 1);
    for (unsigned k = 0; k < 3; k++)
        world_step(&t, k);
    save(&t, 1);
    sprintf(script, "%s/reader.py", folder);
    FILE *f = fopen(script, "w");
    fputs(reader, f);
    fclose(f);
    sprintf(command, "python3 %s %s", script, path);
    FILE *pipe = popen(command, "r");
    char *text = calloc(room, 1);
    ck_assert_uint_lt(fread(text, 1, room, pipe), room);
    ck_assert_int_eq(pclose(pipe), 0);
    unlink(script);
    for (const char *c = text; *c != '\0'; c++)
        lines += *c == '\n';
    for (; ng_optimizer_tensor(t.opt, &param, &own, &m, i) == NG_OK; i++) {
        sprintf(name, "%s/%s", param, own);
        listed(text, name, m, 0);
    }
    for (size_t p = 0; p < WORLD_PARAMS; p++) {
        sprintf(name, "layer%zu.\xce\xb1/weight/weights", p);
        listed(text, name, t.w[p], 0);
        sprintf(name, "layer%zu.\xce\xb1/weight/bias", p);
        if (t.b[p].data != NULL)
            listed(text, name, t.b[p], 1);
        i += 1 + (t.b[p].data != NULL);
    }
    listed(text, "counts", ng_f64(counts, 1, ng_optimizer_counts(t.opt, counts, 512)), 1);
    ck_assert_uint_eq(lines, i + 2); /* counts, "end": nothing else */
    free(text);
    world_close(&t);
}
END_TEST

TEST_SUITE(checkpoint)
{
    TCase *tcase = tcase_create("checkpoint");
    tcase_add_checked_fixture(tcase, open_files, close_files);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, resumes_bit_for_bit, 0, 4);
    tcase_add_test(tcase, hosts_may_copy);
    tcase_add_test(tcase, own_options_may_stay);
    tcase_add_test(tcase, random_numbers_go_along);
    tcase_add_loop_test(tcase, another_model_is_named, 0, MODELS);
    tcase_add_test(tcase, what_cannot_be_saved);
    tcase_add_loop_test(tcase, python_reads_it, 0, 2);
    suite_add_tcase(suite, tcase);
}
