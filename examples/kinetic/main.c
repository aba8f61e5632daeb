/* kinetic: kinetic optimal probability paths (arXiv:2306.06626). The optimal path is a straight
 * chord in a flat plane, which closes the problem: KE = 2 - 2 cos Phi. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/kinetic/kinetic.h"

static optimum two;

static void closed_form(paper *p)
{
    static const double at[3] = {0.5, 1, 2}, expected[3] = {0.204054, 0.550400, 0.931403};
    double unused, bound = 2 - 2 * sqrt(1 / acos(0));
    for (int i = 0; i < 3; i++) {
        char name[24];
        snprintf(name, sizeof name, "lambda(%g)", at[i]);
        target_print("kinetic", name, expected[i], 1 - two_points(NULL, at[i], &unused), 1e-6);
    }
    optimum_find(&two, two_points, NULL);
    double closed = 2 - 2 * cos(two.total), direct = energy(path_optimal, &two),
           trig = energy(path_trigonometric, &two), conditional = energy(path_conditional, &two);
    moment half = path_optimal(&two, 0.5);
    target_print("kinetic", "Phi", 0.691264, two.total, 2e-6);
    target_print("kinetic", "W2_bound", 0.404231, bound, 1e-6);
    target_print("kinetic", "KE_optimal=2-2cosPhi", 0.459119, closed, 2e-6);
    target_print("kinetic", "KE_optimal_integrated", 0.459119, direct, 5e-5);
    target_print("kinetic", "KE_trigonometric", 0.868956, trig, 2e-6);
    target_print("kinetic", "KE_Cond-OT", 0.982398, conditional, 2e-6);
    target_print("kinetic", "a(1/2)", 0.88480, half.a, 1e-5);
    target_print("kinetic", "m(1/2)", 0.31993, half.m, 1e-5);
    verdict_print("kinetic", "W2^2 <= optimal < trigonometric < Cond-OT",
                  bound <= closed && closed < trig && trig < conditional ? VERDICT_YES
                                                                         : VERDICT_NO);
    for (int i = 1; i < 100; i++) {
        moment w = path_optimal(&two, 0.01 * i);
        fprintf(p->rows.to, "path,optimal,%.6g,%.6g\n", w.a, w.m);
    }
}

/* the metric dr^2 + r^2 gamma(theta) dtheta^2 by its Christoffel symbols */
static ng_status metric(void *data, ng_mat f, double *third, const double *x, ng_error *error)
{
    double slope, gamma = gamma_at(two_points, NULL, x[1], &slope), r = x[0];
    (void)data;
    if (!(x[1] > 0 && x[1] < acos(0) && gamma > 0 && r > 0))
        return ng_error_set(error, NG_ERANGE, "no path at r = %g, theta = %g", r, x[1]);
    ng_fill(f, 0);
    ng_mat_set(f, 0, 0, 1);
    ng_mat_set(f, 1, 1, r * r * gamma);
    memset(third, 0, 8 * sizeof *third);
    third[3] = -2 * r * gamma;
    third[5] = third[6] = 2 * r * gamma;
    third[7] = r * r * slope;
    return NG_OK;
}

/* Between two angles at which the metric is not degenerate. */
static void geodesic(paper *p)
{
    double from[2] = {1, 0.5}, to[2] = {0.9, 1.2}, v[2] = {0, 0}, slope;
    ng_error error = {NG_OK, ""};
    (void)p;
    paper_must(ng_geodesic_connect(ng_f64(v, 1, 2), ng_f64(from, 1, 2), ng_f64(to, 1, 2), 0, 1e-9,
                                   metric, NULL, &error),
               &error);
    double phi[2] = {0, 0};
    for (size_t i = 0; i + 1 < ANGLES; i++)
        for (int k = 0; k < 2; k++) {
            double at = k == 0 ? from[1] : to[1];
            if (two.theta[i] <= at && at < two.theta[i + 1])
                phi[k] = two.phi[i] + (at - two.theta[i]) / (two.theta[i + 1] - two.theta[i]) *
                                          (two.phi[i + 1] - two.phi[i]);
        }
    double shot = v[0] * v[0] + gamma_at(two_points, NULL, from[1], &slope) * v[1] * v[1];
    target_print("kinetic", "energy_by_geodesic_solver", 1 + 0.81 - 1.8 * cos(phi[1] - phi[0]),
                 shot, 1e-6);
}

static void draw(FILE *out, paper *p)
{
    (void)p;
    fputs(
        "set multiplot layout 1,3\nset grid lc rgb '#cccccc'\nset size square\n"
        "set title 'paths for data +1 and -1'\nset xlabel 'a'\nset ylabel 'm'\n"
        "set xrange [0:1.05]\nset yrange [0:1.05]\nset key bottom left\nset parametric\n"
        "set trange [0:1]\n"
        "plot $rows using (strcol(1) eq 'path' ? $3 : NaN):4 with lines lw 2 lc rgb '#D55E00' "
        "title "
        "'optimal, 0.459', sin(pi*t/2),cos(pi*t/2) lw 2 lc rgb '#0072B2' title "
        "'trigonometric, 0.869', t,1-t lw 2 lc rgb '#009E73' title 'Cond-OT, 0.982'\n"
        "unset parametric\nset title 'checkerboard, 6 steps'\nset xlabel ''\nset ylabel ''\n"
        "set xrange [-2:2]\nset yrange [-2:2]\nset key off\n"
        "plot $rows using (strcol(1) eq 'board' && strcol(2) eq 'Cond-OT' ? $3 : NaN):4 with "
        "points "
        "pt 7 ps 0.3 lc rgb '#009E73', $rows using (strcol(1) eq 'board' && strcol(2) eq 'optimal' "
        "? $3 : NaN):4 with points pt 7 ps 0.3 lc rgb '#D55E00'\n"
        "set title 'distance W2 from the board'\nset xlabel 'Euler steps'\nset xrange [1:17]\n"
        "set yrange [0:*]\nset key top right\nplot ",
        out);
    static const char *const names[3] = {"optimal", "trigonometric", "Cond-OT"};
    static const char *const colours[3] = {"#D55E00", "#0072B2", "#009E73"};
    for (int i = 0; i < 3; i++)
        fprintf(out,
                "%s$rows using (strcol(1) eq 'steps' && strcol(2) eq '%s' ? $3 : NaN):4 with "
                "linespoints lw 2 pt 7 lc rgb '%s' title '%s'",
                i > 0 ? ", " : "", names[i], colours[i], names[i]);
    fputs("\nunset multiplot\n", out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {closed_form, geodesic, board_prepare, board_sample,
                                              NULL};
    paper p = {
        .name = "kinetic",
        .about =
            "Kinetic optimal probability paths: a closed form, and few steps on a checkerboard.",
        .header = "what,name,x,y",
        .counted = "points of the checkerboard that are followed (at most 512 are compared)",
        .samples = 2048,
        .least = 8,
        .most = 1000000,
        .seed = 1,
        .stages = stages,
        .draw = draw,
        .width = 1200,
        .height = 430};
    return paper_main(&p, argc, argv);
}
