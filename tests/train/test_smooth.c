/* The smooth net: jets against differences of its values, rows against
 * differences of its jets, and what is refused. */
#include <natgrad-train.h>

#include "tests/support/dense.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 71;
}

/* inputs, then widths; 0 ends */
static const size_t nets[][5] = {
    {1, 1, 0}, {2, 5, 1, 0}, {3, 4, 6, 3, 0}, {1, 3, 3, 2, 0}, {5, 7, 1, 0}};
enum {
    NETS = sizeof nets / sizeof *nets,
    BATCH = 3,
    ORDERS = 4,
    ACTIVATIONS = 3,
    ALL = NETS * ORDERS * ACTIVATIONS
};

typedef struct {
    ng_smooth *net;
    size_t d, k, n, jet;
    ng_mat w, x; /* strided points */
} world;

static ng_smooth *create(const size_t *shape, ng_smooth_activation phi, ng_smooth_order order)
{
    ng_smooth_options o;
    ng_smooth *net;
    ng_error err;
    ng_smooth_init(&o);
    o.inputs = shape[0];
    o.widths = shape + 1;
    for (o.layers = 0; shape[1 + o.layers] > 0;)
        o.layers++;
    o.activation = phi;
    o.order = order;
    o.max_batch = BATCH + 2;
    ng_assert_ok(ng_smooth_create(&net, &o, &err), &err);
    return net;
}

static world begin(int i)
{
    const size_t *shape = nets[i % NETS];
    world v = {.net = create(shape, (ng_smooth_activation)(i / NETS / ORDERS),
                             (ng_smooth_order)(i / NETS % ORDERS))};
    v.d = shape[0];
    for (size_t l = 1; shape[l] > 0; l++)
        v.k = shape[l];
    v.n = ng_smooth_count(v.net);
    v.jet = ng_smooth_jet(v.net);
    v.w = dense_scale(0.6, dense_normal(1, v.n, &rng));
    v.x = test_mat(BATCH, v.d, 2, NG_F64);
    test_fill_normal(v.x, &rng);
    return v;
}

static void end(world *v)
{
    test_free(v->x);
    ng_smooth_destroy(v->net);
    dense_release();
}

static ng_mat jets_at(const world *v, ng_mat w, ng_mat x)
{
    ng_mat jets = dense_mat(x.rows, v->k * v->jet);
    ng_error err;
    ng_assert_ok(ng_smooth_forward(v->net, jets, w, x, &err), &err);
    return jets;
}

/* By hand in plain loops: the value alone. */
static double value_at(const world *v, const size_t *shape, ng_smooth_activation phi,
                       const double *x, size_t output)
{
    double a[16], z[16];
    size_t k = 0, in = shape[0];
    memcpy(a, x, in * sizeof *a);
    for (size_t l = 1; shape[l] > 0; in = shape[l++])
        for (size_t o = 0; o < shape[l]; o++, k++) {
            z[o] = 0;
            for (size_t j = 0; j < in; j++)
                z[o] += ng_mat_get(v->w, 0, k++) * a[j];
            z[o] += ng_mat_get(v->w, 0, k);
            if (o + 1 == shape[l])
                for (size_t j = 0; j < shape[l]; j++)
                    a[j] = shape[l + 1] == 0       ? z[j]
                           : phi == NG_SMOOTH_TANH ? tanh(z[j])
                           : phi == NG_SMOOTH_SIN  ? sin(z[j])
                                                   : z[j] / (1 + exp(-z[j]));
        }
    return a[output];
}

/* The value moved by s along input i and t along input j. */
static double moved(const world *v, int c, size_t b, size_t o, size_t i, double s, size_t j,
                    double t)
{
    double x[8];
    for (size_t k = 0; k < v->d; k++)
        x[k] = ng_mat_get(v->x, b, k);
    x[i] += s;
    x[j] += t;
    return value_at(v, nets[c % NETS], (ng_smooth_activation)(c / NETS / ORDERS), x, o);
}

static double second(const world *v, int c, size_t b, size_t o, size_t i, size_t j)
{
    double h = 1e-3, sum = 0; /* Richardson: two steps, error O(h^4) */
    for (int k = 0; k < 2; k++, h *= 2)
        sum += (k == 0 ? 4.0 / 3 : -1.0 / 3) / (4 * h * h) *
               (moved(v, c, b, o, i, h, j, h) - moved(v, c, b, o, i, h, j, -h) -
                moved(v, c, b, o, i, -h, j, h) + moved(v, c, b, o, i, -h, j, -h));
    return sum;
}

START_TEST(derivatives)
{
    ng_smooth_order order = (ng_smooth_order)(_i / NETS % ORDERS);
    world v = begin(_i);
    ng_mat found = jets_at(&v, v.w, v.x), want = dense_mat(BATCH, found.cols);
    size_t d = v.d;
    for (size_t b = 0; b < BATCH; b++)
        for (size_t o = 0; o < v.k; o++) {
            double laplacian = 0;
            ng_mat_set(want, b, o * v.jet, moved(&v, _i, b, o, 0, 0, 0, 0));
            for (size_t i = 0; i < d; i++) {
                double h = 1e-3, slope = 4.0 / 3 *
                                             (moved(&v, _i, b, o, i, h, 0, 0) -
                                              moved(&v, _i, b, o, i, -h, 0, 0)) /
                                             (2 * h) -
                                         (moved(&v, _i, b, o, i, 2 * h, 0, 0) -
                                          moved(&v, _i, b, o, i, -2 * h, 0, 0)) /
                                             (12 * h);
                if (order >= NG_SMOOTH_GRADIENT)
                    ng_mat_set(want, b, o * v.jet + 1 + i, slope);
                laplacian += second(&v, _i, b, o, i, i);
                for (size_t j = 0; j < d && order == NG_SMOOTH_HESSIAN; j++)
                    ng_mat_set(want, b, o * v.jet + ng_smooth_pair(d, i, j),
                               second(&v, _i, b, o, i, j));
            }
            if (order == NG_SMOOTH_LAPLACIAN)
                ng_mat_set(want, b, o * v.jet + 1 + d, laplacian);
        }
    ng_assert_mat(found, want, 1e-8);
    end(&v);
}
END_TEST

/* Rows against central differences by every weight; their sum is the gradient; the factors make it.
 */
START_TEST(rows)
{
    world v = begin(_i);
    ng_mat seeds = dense_normal(BATCH, v.k * v.jet, &rng), want = dense_mat(BATCH, v.n);
    ng_mat found = test_mat(BATCH, v.n, 3, NG_F64), sum = dense_mat(1, v.n), g = dense_mat(1, v.n);
    ng_error err;
    for (size_t j = 0; j < v.n; j++) {
        double w = ng_mat_get(v.w, 0, j), h = 1e-3;
        for (int k = -2; k <= 2; k++) {
            static const double weight[] = {1.0 / 12, -2.0 / 3, 0, 2.0 / 3, -1.0 / 12};
            ng_mat_set(v.w, 0, j, w + k * h);
            ng_mat at = jets_at(&v, v.w, v.x);
            for (size_t b = 0; b < BATCH; b++)
                ng_mat_set(want, b, j,
                           ng_mat_get(want, b, j) +
                               weight[k + 2] / h *
                                   dense_dot(dense_of(ng_mat_block(at, b, 0, 1, at.cols)),
                                             dense_of(ng_mat_block(seeds, b, 0, 1, at.cols))));
        }
        ng_mat_set(v.w, 0, j, w);
    }
    jets_at(&v, v.w, v.x);
    ng_assert_ok(ng_smooth_rows(v.net, found, v.w, seeds, &err), &err);
    ng_assert_mat(found, want, 1e-9);
    for (size_t b = 0; b < BATCH; b++)
        sum = dense_add(1, sum, 1, ng_mat_block(found, b, 0, 1, v.n));
    ng_assert_ok(ng_smooth_gradient(v.net, g, v.w, seeds, &err), &err);
    ng_assert_mat(g, sum, 1e-13);
    ng_mat a, back;
    for (size_t l = 0; ng_smooth_factors(v.net, &a, &back, l, NULL) == NG_OK; l++)
        ng_assert_mat(dense_mul(back, 1, a, 0), ng_smooth_layer(v.net, g, l), 1e-13);
    test_free(found);
    end(&v);
}
END_TEST

START_TEST(initialise)
{
    enum { IN = 40, OUT = 50 };
    static const size_t shape[] = {IN, OUT, 1, 0};
    ng_smooth *net = create(shape, NG_SMOOTH_TANH, NG_SMOOTH_VALUE);
    ng_random random;
    ng_mat w = dense_mat(1, ng_smooth_count(net));
    double sum = 0;
    ck_assert_uint_eq(ng_smooth_count(net), OUT * (IN + 1) + OUT + 1);
    ng_assert_ok(ng_rng_create(&random, 3, NULL), NULL);
    ng_assert_ok(ng_smooth_initialise(net, w, &random, NULL), NULL);
    ng_mat first = ng_smooth_layer(net, w, 0);
    for (size_t i = 0; i < OUT; i++) {
        ck_assert(ng_mat_get(first, i, IN) == 0);
        for (size_t j = 0; j < IN; j++)
            sum += pow(ng_mat_get(first, i, j), 2);
    }
    ng_assert_rel(sum / (IN * OUT), 2.0 / (IN + OUT), 5 * sqrt(2.0 / (IN * OUT)));
    ng_rng_destroy(&random);
    ng_smooth_destroy(net);
    dense_release();
}
END_TEST

START_TEST(refused)
{
    static const size_t widths[] = {4, 1}, none[] = {4, 0};
    ng_smooth_options o;
    ng_smooth *net;
    ng_error err;
    ng_mat w = dense_mat(1, 17), x = dense_mat(2, 2), jets = dense_mat(2, 4), a, g;
    ng_smooth_init(&o);
    o.widths = widths, o.layers = 2, o.max_batch = 2;
    ng_assert_fails(ng_smooth_create(&net, &o, &err), NG_EOPTION, &err, "inputs");
    ck_assert_ptr_null(net);
    o.inputs = 2, o.layers = 0;
    ng_assert_fails(ng_smooth_create(&net, &o, &err), NG_EOPTION, &err, "layers");
    o.layers = 2, o.widths = none;
    ng_assert_fails(ng_smooth_create(&net, &o, &err), NG_EOPTION, &err, "widths");
    o.widths = NULL;
    ng_assert_fails(ng_smooth_create(&net, &o, &err), NG_EOPTION, &err, "widths");
    o.widths = widths, o.order = (ng_smooth_order)7;
    ng_assert_fails(ng_smooth_create(&net, &o, &err), NG_EOPTION, &err, "order 7");
    o.order = NG_SMOOTH_HESSIAN, o.inputs = 1024, o.max_batch = 1 << 24;
    ng_assert_fails(ng_smooth_create(&net, &o, &err), NG_ERANGE, &err, "BLAS");
    o.size--;
    ng_assert_fails(ng_smooth_create(&net, &o, &err), NG_EOPTION, &err, "bytes");
    ck_assert_int_eq(ng_smooth_init_sized(&o, 1), NG_EOPTION);
    ng_smooth_init(&o);
    o.inputs = 2, o.widths = widths, o.layers = 2, o.max_batch = 2;
    ng_assert_ok(ng_smooth_create(&net, &o, &err), &err);
    ng_assert_fails(ng_smooth_rows(net, w, w, jets, &err), NG_ENODATA, &err, "forward");
    ng_assert_fails(ng_smooth_factors(net, &a, &g, 0, &err), NG_ENODATA, &err, "gradient");
    ng_assert_fails(ng_smooth_factors(net, &a, &g, 2, &err), NG_EARG, &err, "layer");
    ng_assert_fails(ng_smooth_forward(net, jets, x, x, &err), NG_ESHAPE, &err, "w is");
    ng_assert_fails(ng_smooth_forward(net, x, w, x, &err), NG_ESHAPE, &err, "jets");
    ng_assert_fails(ng_smooth_forward(net, jets, w, dense_mat(3, 2), &err), NG_ESHAPE, &err,
                    "3 points");
    ng_assert_fails(ng_smooth_forward(NULL, jets, w, x, &err), NG_EARG, &err, "no net");
    ng_assert_ok(ng_smooth_forward(net, jets, w, x, &err), &err);
    ng_assert_fails(ng_smooth_gradient(net, w, w, x, &err), NG_ESHAPE, &err, "seeds");
    ng_assert_fails(ng_smooth_initialise(net, w, NULL, &err), NG_EARG, &err, "normal");
    ng_fill(w, 1e308);
    ng_fill(x, 1e200);
    ng_assert_fails(ng_smooth_forward(net, jets, w, x, &err), NG_ERANGE, &err, "finite");
    ck_assert(ng_smooth_layer(net, x, 0).data == NULL);
    ng_smooth_destroy(net);
    ng_smooth_destroy(NULL);
    dense_release();
}
END_TEST

START_TEST(memory)
{
    static const size_t widths[] = {4, 1};
    ng_smooth_options o;
    ng_smooth *net = NULL;
    ng_smooth_init(&o);
    o.inputs = 2, o.widths = widths, o.layers = 2, o.max_batch = 2;
    for (int k = 1, status = NG_ENOMEM; status != NG_OK; k++) {
        fault_once(FAULT_MEMORY, k, FAIL);
        status = ng_smooth_create(&net, &o, NULL);
        fault_over();
        ck_assert(status == NG_OK || (status == NG_ENOMEM && net == NULL));
    }
    ng_smooth_destroy(net);
}
END_TEST

TEST_SUITE(smooth)
{
    TCase *tcase = tcase_create("smooth");
    tcase_add_checked_fixture(tcase, reseed, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, derivatives, 0, ALL);
    tcase_add_loop_test(tcase, rows, 0, ALL);
    tcase_add_test(tcase, initialise);
    tcase_add_test(tcase, refused);
    tcase_add_test(tcase, memory);
    suite_add_tcase(suite, tcase);
}
