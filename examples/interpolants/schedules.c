/* The schedules of the published code, and the world. */
#include <math.h>
#include <string.h>

#include "examples/interpolants/interpolants.h"

ends world;

/* ---- gamma, and gamma gamma' --------------------------------------------------------------- */

typedef struct {
    double value, rate; /* gamma, gamma gamma' */
} width;

static width root(double t)
{
    return (width){sqrt(t * (1 - t)), (1 - 2 * t) / 2};
}

static width parabola(double t)
{
    return (width){t * (1 - t), t * (1 - t) * (1 - 2 * t)};
}

static width sine(double t)
{
    const double pi = acos(-1), s = sin(pi * t);
    return (width){s * s, s * s * pi * sin(2 * pi * t)};
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* a plateau between two logistic flanks, zero at both ends */
static width plateau(double t)
{
    const double f = 10, up = logistic(f * (t - 0.5) + 1), down = logistic(f * (t - 0.5) - 1);
    double value = fmax(up - down - logistic(1 - f / 2) + logistic(-1 - f / 2), 0);
    return (width){value, value * f * (up * (1 - up) - down * (1 - down))};
}

/* ---- alpha, beta ----------------------------------------------------------------------------- */

static ng_interpolant straight(double t, width w)
{
    return (ng_interpolant){1 - t, t, w.value, -1, 1, w.rate};
}

/* sqrt(1 - gamma^2) (cos, sin): unit variance where both ends have it */
static ng_interpolant circle(double t, width w)
{
    const double half_pi = acos(0), r = sqrt(1 - w.value * w.value), rate = -w.rate / r,
                 c = cos(half_pi * t), s = sin(half_pi * t);
    return (ng_interpolant){
        r * c, r * s, w.value, rate * c - half_pi * r * s, rate * s + half_pi * r * c, w.rate};
}

static ng_interpolant linear_root(double t)
{
    return straight(t, root(t));
}

static ng_interpolant linear_parabola(double t)
{
    return straight(t, parabola(t));
}

static ng_interpolant linear_sine(double t)
{
    return straight(t, sine(t));
}

static ng_interpolant linear_plateau(double t)
{
    return straight(t, plateau(t));
}

static ng_interpolant trig_root(double t)
{
    return circle(t, root(t));
}

/* through pure noise at t = 1/2 */
static ng_interpolant encode_decode(double t)
{
    const double pi = acos(-1), c = cos(pi * t) * cos(pi * t), rate = -pi * sin(2 * pi * t);
    width w = sine(t);
    return t < 0.5 ? (ng_interpolant){c, 0, w.value, rate, 0, w.rate}
                   : (ng_interpolant){0, c, w.value, 0, rate, w.rate};
}

static ng_interpolant one_sided(double t)
{
    return straight(t, (width){0, 0});
}

/* x1 itself under a bridge of noise: both ends are rho1 */
static ng_interpolant mirror(double t)
{
    width w = root(t);
    return (ng_interpolant){0, 1, w.value, 0, 0, w.rate};
}

const schedule schedules[SCHEDULES] = {{"linear, sqrt(t(1-t))", linear_root, 0},
                                       {"linear, t(1-t)", linear_parabola, 0},
                                       {"linear, sin^2", linear_sine, 0},
                                       {"linear, sigmoid", linear_plateau, 0},
                                       {"trig, sqrt(t(1-t))", trig_root, 0},
                                       {"enc-dec, sin^2", encode_decode, 0},
                                       {"one-sided", one_sided, 1},
                                       {"mirror, sqrt(t(1-t))", mirror, 0}};

const schedule *schedule_find(const char *name)
{
    for (size_t i = 0; i < SCHEDULES; i++)
        if (strcmp(schedules[i].name, name) == 0)
            return &schedules[i];
    return NULL;
}

/* ---- The world ----------------------------------------------------------------------------------
 */

void make_world(paper *p)
{
    static double two[2] = {-3, 3}, quarter[2] = {0.25, 0.25}, three[3] = {-6, 0, 6},
                  third[3] = {0.5, 0.33, 0.5}, zero[1] = {0};
    (void)p;
    world.noise = paper_mixture(ng_f64(zero, 1, 1), 1, NULL, NULL);
    world.from = paper_laws(ng_f64(two, 2, 1), ng_f64(quarter, 2, 1), NULL, NULL);
    world.to = paper_laws(ng_f64(three, 3, 1), ng_f64(third, 3, 1), NULL, NULL);
}

const ng_mixture *begin_of(const schedule *s)
{
    ng_interpolant t = s->at(0);
    return s->from_noise ? world.noise : t.alpha == 0 ? world.to : world.from;
}

void fields_at(const schedule *s, ng_mat log_density, ng_mat velocity, ng_mat score, ng_mat x,
               double t)
{
    ng_error error = {NG_OK, ""};
    ng_interpolant moment = s->at(t);
    paper_must(ng_mixture_interpolate(s->from_noise ? world.noise : world.from, world.to,
                                      log_density, velocity, score, x, &moment, &error),
               &error);
}
