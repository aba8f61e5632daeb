/* Three equations with known solutions. */
#include <math.h>
#include <stdlib.h>

#include "examples/pinn/pinn.h"

static const double pi = 3.14159265358979323846;

/* ---- -Laplace u = 2 pi^2 sin(pi x) sin(pi y) on the unit square, u = 0 around it
 * ----------------- */

static double sines(const double *x)
{
    return sin(pi * x[0]) * sin(pi * x[1]);
}

static void poisson2_inside(double *r, double *seeds, const double *jet, const double *x,
                            size_t point, void *data)
{
    (void)point, (void)data;
    r[0] = -jet[3] - 2 * pi * pi * sines(x);
    seeds[3] = -1;
}

static void boundary_of(double *r, double *seeds, const double *jet, double u)
{
    r[0] = jet[0] - u;
    seeds[0] = 1;
}

static void poisson2_boundary(double *r, double *seeds, const double *jet, const double *x,
                              size_t point, void *data)
{
    (void)point, (void)data;
    boundary_of(r, seeds, jet, sines(x));
}

/* ---- u_t = u_xx / 4, u = exp(-pi^2 t / 4) sin(pi x), from t = 0 on
 * ------------------------------- */

static double cooling(const double *x)
{
    return exp(-pi * pi * x[0] / 4) * sin(pi * x[1]);
}

static void heat_inside(double *r, double *seeds, const double *jet, const double *x, size_t point,
                        void *data)
{
    size_t xx = ng_smooth_pair(2, 1, 1);
    (void)x, (void)point, (void)data;
    r[0] = jet[1] - jet[xx] / 4;
    seeds[1] = 1;
    seeds[xx] = -0.25;
}

static void heat_boundary(double *r, double *seeds, const double *jet, const double *x,
                          size_t point, void *data)
{
    (void)point, (void)data;
    boundary_of(r, seeds, jet, cooling(x));
}

/* ---- -Laplace u = pi^2 u on the five-dimensional cube, u = sum cos(pi x_i)
 * ------------------------ */

static double cosines(const double *x)
{
    double sum = 0;
    for (int i = 0; i < 5; i++)
        sum += cos(pi * x[i]);
    return sum;
}

static void poisson5_inside(double *r, double *seeds, const double *jet, const double *x,
                            size_t point, void *data)
{
    (void)point, (void)data;
    r[0] = -jet[6] - pi * pi * cosines(x);
    seeds[6] = -1;
}

static void poisson5_boundary(double *r, double *seeds, const double *jet, const double *x,
                              size_t point, void *data)
{
    (void)point, (void)data;
    boundary_of(r, seeds, jet, cosines(x));
}

const problem poisson2 = {
    "poisson2", 2,   {32, 1}, 2, NG_SMOOTH_LAPLACIAN, poisson2_inside, poisson2_boundary, sines,
    900,        120, 100,     0};
const problem heat = {
    "heat", 2,   {32, 1}, 2, NG_SMOOTH_HESSIAN, heat_inside, heat_boundary, cooling,
    900,    120, 100,     0};
const problem poisson5 = {"poisson5",
                          5,
                          {48, 48, 1},
                          3,
                          NG_SMOOTH_LAPLACIAN,
                          poisson5_inside,
                          poisson5_boundary,
                          cosines,
                          600,
                          200,
                          100,
                          1};

/* ---- Points -------------------------------------------------------------------------------------
 */

static void uniform(ng_mat x, const ng_random *random)
{
    random->fill_uniform(random->data, x.data, x.rows * x.cols);
}

/* On a face of the cube each, in turn; of the heat equation three: what is not known is u at the
 * end. */
static void onto_faces(ng_mat x, const problem *of)
{
    static const size_t axis[3] = {1, 1, 0}, side[3] = {0, 1, 0};
    for (size_t b = 0; b < x.rows; b++) {
        size_t face = b % (of == &heat ? 3 : 2 * of->d);
        if (of == &heat)
            ng_mat_set(x, b, axis[face], (double)side[face]);
        else
            ng_mat_set(x, b, face / 2, (double)(face % 2));
    }
}

void solver_draw(solver *s)
{
    uniform(s->inner, s->random);
    uniform(s->outer, s->random);
    onto_faces(s->outer, s->of);
}

/* In the plane: the middles of a square of cells; evenly along the faces. */
static void even(solver *s)
{
    size_t side = (size_t)(sqrt((double)s->inner.rows) + 0.5);
    for (size_t b = 0; b < s->inner.rows; b++) {
        ng_mat_set(s->inner, b, 0, ((double)(b / side) + 0.5) / (double)side);
        ng_mat_set(s->inner, b, 1, ((double)(b % side) + 0.5) / (double)side);
    }
    for (size_t b = 0; b < s->outer.rows; b++) {
        size_t faces = s->of == &heat ? 3 : 4;
        double place = ((double)(b / faces) + 0.5) / (double)(s->outer.rows / faces);
        ng_mat_set(s->outer, b, 0, place);
        ng_mat_set(s->outer, b, 1, place);
    }
    onto_faces(s->outer, s->of);
}

/* First-layer weights twice as wide as usual, and biases that spread its units over the cube. */
static void widen(solver *s)
{
    ng_mat first = ng_smooth_layer(s->judge, s->c.w, 0);
    double bias;
    for (size_t i = 0; i < first.rows; i++) {
        ng_scale(ng_mat_block(first, i, 0, 1, s->of->d), 2);
        s->random->fill_normal(s->random->data, &bias, 1);
        ng_mat_set(first, i, s->of->d, bias);
    }
}

void solver_open(solver *s, const problem *of, const paper *p, size_t seed)
{
    ng_error error = {NG_OK, ""};
    size_t tests = of->d == 2 ? 2500 : 4000;
    double m = (double)of->inner, b = (double)of->outer;
    s->of = of;
    s->random = paper_random(p, 1000 * (of->d + of->layers + of->order) + seed);
    ng_smooth_init(&s->net);
    s->net.inputs = of->d;
    s->net.widths = of->widths;
    s->net.layers = of->layers;
    s->inner = paper_mat(of->inner, of->d);
    s->outer = paper_mat(of->outer, of->d);
    s->test = paper_mat(tests, of->d);
    s->jets = paper_mat(tests, 1);
    s->truth = paper_mat(tests, 1);
    uniform(s->test, s->random);
    for (size_t k = 0; k < tests; k++)
        ng_mat_set(s->truth, k, 0, of->solution((double *)s->test.data + k * of->d));
    collocation_open(&s->c, &s->net);
    collocation_add(&s->c, &s->net, of->order, s->inner, 1, 1 / m, of->inside, NULL);
    collocation_add(&s->c, &s->net, NG_SMOOTH_VALUE, s->outer, 1, of->weight / b, of->boundary,
                    NULL);
    s->net.order = NG_SMOOTH_VALUE;
    s->net.max_batch = tests;
    paper_must(ng_smooth_create(&s->judge, &s->net, &error), &error);
    paper_must(ng_smooth_initialise(s->judge, s->c.w, s->random, &error), &error);
    widen(s);
    if (of->anew)
        solver_draw(s);
    else
        even(s);
}

void solver_close(solver *s)
{
    ng_smooth_destroy(s->judge);
    collocation_close(&s->c);
}

double solver_error(solver *s)
{
    ng_error error = {NG_OK, ""};
    if (!ng_is_finite(s->c.w) ||
        ng_smooth_forward(s->judge, s->jets, s->c.w, s->test, &error) != NG_OK)
        return INFINITY;
    ng_lincomb(s->jets, 1, s->jets, -1, s->truth, NULL);
    return ng_norm(s->jets) / ng_norm(s->truth);
}
