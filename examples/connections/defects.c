/* Defects of a crystal by the connection that its planes make parallel: a screw dislocation, which
 * is torsion, and a swollen point, which is the trace of non-metricity. */
#include <math.h>

#include "examples/connections/connections.h"

static const double pi = 3.14159265358979323846;
static ng_error error;

static const double burgers = 0.7;

/* A screw dislocation with a soft core: e^3 = dz + b(r) / (2 pi) d phi, b(r) = b (1 - exp(-r^2)).
 */
static ng_status screw(void *data, ng_mat e, ng_mat x, ng_error *er)
{
    const double u = ng_mat_get(x, 0, 0), v = ng_mat_get(x, 0, 1), r2 = u * u + v * v;
    const double turn = burgers / (2 * pi) * (r2 > 0 ? -expm1(-r2) / r2 : 1);
    (void)data, (void)er;
    ng_set_identity(e);
    ng_mat_set(e, 2, 0, -turn * v);
    ng_mat_set(e, 2, 1, turn * u);
    return NG_OK;
}

static ng_status screw_metric(void *data, ng_mat g, ng_mat x, ng_error *er)
{
    double numbers[9];
    ng_mat e = ng_f64(numbers, 3, 3);
    ng_status status = screw(data, e, x, er);
    return status != NG_OK ? status : ng_gemm(g, e, NG_TRANS, e, NG_NOTRANS, 1, 0, er);
}

/* The torsion through a disc is the Burgers vector: 2 pi int T^3_xy r dr = oint e^3. */
void dislocation(paper *unused)
{
    enum { POINTS = 200 };
    const double radius = 1.5;
    double at[3] = {0}, steps[3] = {0.02, 0.02, 0.02}, sum = 0, worst[2] = {0}, part[PARTS];
    ng_mat x = ng_f64(at, 1, 3), step = ng_f64(steps, 1, 3), gamma = paper_mat(3, 9);
    ng_mat g = paper_mat(3, 3), t = paper_mat(3, 9), riemann = paper_mat(9, 9);
    ng_frame_connection f = {screw, NULL, step};
    (void)unused;
    for (int i = 0; i <= POINTS; i++) { /* Simpson's rule along a ray */
        double r = radius * i / POINTS;
        at[0] = 0.6 * r, at[1] = 0.8 * r;
        paper_must(screw_metric(NULL, g, x, &error), &error);
        paper_must(ng_connection_frame(&f, gamma, x, &error), &error);
        paper_must(ng_connection_torsion(t, gamma, g, &error), &error);
        sum += (i == 0 || i == POINTS ? 1 : i % 2 == 1 ? 4 : 2) * ng_mat_get(t, 2, 1) * r;
        if (i % 20 != 0)
            continue;
        squares(part, t, g, 0);
        paper_must(ng_connection_curvature(riemann, x, step, ng_connection_frame, &f, &error),
                   &error);
        worst[0] = fmax(worst[0], ng_max_abs(riemann));
        paper_must(ng_connection_nonmetricity(t, gamma, x, step, screw_metric, NULL, &error),
                   &error);
        worst[1] = fmax(worst[1], ng_max_abs(t));
    }
    check("screw", "curvature", 0, worst[0], 1e-9);
    check("screw", "non-metricity", 0, worst[1], 1e-11);
    double whole = part[0] + part[1] + part[2];
    check("screw", "trace_share_of_torsion", 0, part[0] / whole, 1e-13);
    check("screw", "axial_share_of_torsion", 1.0 / 3, part[1] / whole, 1e-12);
    check("screw", "flux_of_torsion", -burgers * expm1(-radius * radius),
          2 * pi * sum * radius / (3 * POINTS), 1e-8);
}

/* Points swollen by w(x): g = exp(2 w) delta with the parallels of the plain space. */
static ng_status swollen(void *data, ng_mat g, ng_mat x, ng_error *er)
{
    const double r2 = ng_dot(x, x);
    (void)data, (void)er;
    ng_set_identity(g);
    ng_scale(g, exp(2 * exp(-r2)));
    return NG_OK;
}

void point_defect(paper *unused)
{
    double at[3] = {0.3, -0.2, 0.5}, steps[3] = {0.02, 0.02, 0.02}, part[PARTS];
    ng_mat x = ng_f64(at, 1, 3), g = paper_mat(3, 3), q = paper_mat(3, 9), first = paper_mat(1, 3);
    (void)unused;
    paper_must(swollen(NULL, g, x, &error), &error);
    paper_must(ng_connection_nonmetricity(q, paper_mat(3, 9), x, ng_f64(steps, 1, 3), swollen, NULL,
                                          &error),
               &error);
    squares(part, q, g, 1);
    check("point_defect", "weyl_share", 1, part[0] / square_of(q, g), 1e-12);
    paper_must(ng_connection_traces(first, ng_mat_none(), q, g, &error), &error);
    /* 2 n dw */
    check("point_defect", "first_trace_x", -12 * at[0] * exp(-ng_dot(x, x)),
          ng_mat_get(first, 0, 0), 1e-10);
}
