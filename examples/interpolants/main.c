/* interpolants: stochastic interpolants (arXiv:2303.08797) between two mixtures on the line, whose
 * density, velocity and score are exact, and what a small net learns of them. */
#include <math.h>
#include <stdio.h>

#include "examples/interpolants/interpolants.h"
#include "examples/support/fieldnet.h"

/* ---- Learning b and the denoiser --------------------------------------------------------------
 */

enum { BATCH = 512, JUDGED = 4000, MARK = 25 };

/* Inputs (x, t) and targets (d x_t/dt, z) of one batch; gamma = t (1 - t), whose rate is finite */
static void draw_batch(ng_mat inputs, ng_mat targets, const ng_random *random)
{
    static const schedule *s;
    static double x0[JUDGED], x1[JUDGED], z[JUDGED], u[JUDGED];
    ng_error error = {NG_OK, ""};
    const size_t n = inputs.rows;
    s = schedule_find("linear, t(1-t)");
    paper_must(
        ng_mixture_sample(world.from, ng_f64(x0, n, 1), NULL, NG_MIXTURE_ALL, random, &error),
        &error);
    paper_must(ng_mixture_sample(world.to, ng_f64(x1, n, 1), NULL, NG_MIXTURE_ALL, random, &error),
               &error);
    random->fill_normal(random->data, z, n);
    random->fill_uniform(random->data, u, n);
    for (size_t i = 0; i < n; i++) {
        ng_interpolant t = s->at(u[i]);
        ng_mat_set(inputs, i, 0, (t.alpha * x0[i] + t.beta * x1[i] + t.gamma * z[i]) / 3);
        ng_mat_set(inputs, i, 1, 4 * u[i] - 2);
        ng_mat_set(targets, i, 0,
                   t.alpha_rate * x0[i] + t.beta_rate * x1[i] + (1 - 2 * u[i]) * z[i]);
        ng_mat_set(targets, i, 1, z[i]);
    }
}

/* exact <- (b, E[z | x]) = (b, -gamma s) at the inputs */
static void exact_fields(ng_mat exact, ng_mat inputs)
{
    const schedule *s = schedule_find("linear, t(1-t)");
    for (size_t i = 0; i < inputs.rows; i++) {
        double x = 3 * ng_mat_get(inputs, i, 0), t = (ng_mat_get(inputs, i, 1) + 2) / 4, b = 0,
               score = 0;
        fields_at(s, ng_mat_none(), ng_f64(&b, 1, 1), ng_f64(&score, 1, 1), ng_f64(&x, 1, 1), t);
        ng_mat_set(exact, i, 0, b);
        ng_mat_set(exact, i, 1, -s->at(t).gamma * score);
    }
}

/* 1/2 E |b^ - b|^2 and the same of the denoiser: losses above their least, exactly */
static void excess(double found[2], ng_mat answer, ng_mat exact)
{
    for (size_t k = 0; k < 2; k++) {
        found[k] = 0;
        for (size_t i = 0; i < exact.rows; i++)
            found[k] += 0.5 * pow(ng_mat_get(answer, i, k) - ng_mat_get(exact, i, k), 2) /
                        (double)exact.rows;
    }
}

static double learn(paper *p, const fieldnet_options *o, const char *name)
{
    fieldnet *net = fieldnet_create(p, o);
    const ng_random *random = paper_random(p, 40);
    ng_mat inputs = paper_mat(BATCH, 2), targets = paper_mat(BATCH, 2);
    ng_mat judged = paper_mat(JUDGED, 2), unused = paper_mat(JUDGED, 2),
           exact = paper_mat(JUDGED, 2), answer = paper_mat(JUDGED, 2);
    double found[2] = {0, 0};
    draw_batch(judged, unused, paper_random(p, 41));
    exact_fields(exact, judged);
    for (size_t step = 1; step <= o->steps; step++) {
        draw_batch(inputs, targets, random);
        fieldnet_step(net, inputs, targets);
        if (step % (o->steps / MARK) != 0 && step != o->steps)
            continue;
        fieldnet_answer(net, answer, judged);
        excess(found, answer, exact);
        fprintf(p->rows.to, "learn,%s,%.6g,%.6g,%.6g\n", name, fieldnet_seconds(net), found[0],
                found[1]);
    }
    printf("%-16s lr %-6g %5zu steps %6.2f s  excess loss of b %.4f, of the denoiser %.4f\n", name,
           o->lr, o->steps, fieldnet_seconds(net), found[0], found[1]);
    return found[0] + found[1];
}

/* AdamW with the best of its rates, in the time that the natural gradient takes or a little more.
 */
void check_learning(paper *p)
{
    static const double rates[3] = {3e-3, 1e-2, 3e-2};
    const size_t steps = p->samples < 500 ? MARK : 200;
    fieldnet_options o = {2, 20, 2, BATCH, FIELDNET_NATURAL, 0.1, 3e-4, steps, 42};
    double natural = learn(p, &o, "natural gradient"), adamw = HUGE_VAL;
    o.method = FIELDNET_ADAMW;
    o.steps = steps == MARK ? MARK : steps * 32;
    for (int i = 0; i < 3; i++) {
        o.lr = rates[i];
        char name[32];
        snprintf(name, sizeof name, "adamw %g", rates[i]);
        adamw = fmin(adamw, learn(p, &o, name));
    }
    verdict_print("interpolants",
                  "the natural gradient learns b and s further than AdamW in its time",
                  natural < 0.8 * adamw ? VERDICT_YES
                  : natural < adamw     ? VERDICT_PARTLY
                                        : VERDICT_NO);
}

/* ---- The picture
 * ----------------------------------------------------------------------------------- */

static void draw(FILE *out, paper *p)
{
    static const char *const curves[] = {"natural gradient", "adamw 0.003", "adamw 0.01",
                                         "adamw 0.03"};
    (void)p;
    /* the density of the path, drawn from its pairs */
    fputs("set multiplot layout 1,2\nset xlabel 't'\nset ylabel 'x'\nset yrange [-8:8]\n"
          "set xrange [0:1]\nset title 'density from rho_0 to rho_1, linear, γ² = t(1-t)'\n"
          "n(x,m,v) = exp(-(x-m)**2/(2*v))/sqrt(2*pi*v)\n"
          "c(t,v) = (1-t)**2*0.25 + t*t*v + t*(1-t)\n"
          "q(x,t,a,b,v) = n(x, (1-t)*a + t*b, c(t,v))/6\n"
          "d(x,t) = q(x,t,-3,-6,0.5)+q(x,t,-3,0,0.33)+q(x,t,-3,6,0.5)+q(x,t,3,-6,0.5)+"
          "q(x,t,3,0,0.33)+q(x,t,3,6,0.5)\n"
          "set view map\nset isosamples 36,40\nset samples 36\nunset colorbox\n"
          "set palette defined (0 '#ffffff', 0.5 '#56b4e9', 1 '#0072b2')\nset pm3d\n"
          "splot d(y,x) with pm3d notitle\nunset pm3d\nunset view\n"
          "set title 'excess loss of b, exactly'\nset xlabel 'seconds'\nset ylabel ''\n"
          "set logscale y\nset xrange [0:*]\nset yrange [*:*]\nset grid lc rgb '#cccccc'\nplot ",
          out);
    for (int i = 0; i < 4; i++)
        fprintf(
            out,
            "%s$rows using (strcol(1) eq 'learn' && strcol(2) eq '%s' ? $3 : NaN):4 with lines lw "
            "2 dt %d lc rgb '%s' title '%s'",
            i > 0 ? ", " : "", curves[i], i + 1,
            plot_method(i == 0 ? "natural gradient" : "adamw").colour, curves[i]);
    fputs("\nunset multiplot\n", out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {
        make_world,     check_cdf, check_continuity, check_marginals, check_bounds,
        check_learning, NULL};
    paper p = {.name = "interpolants",
               .about =
                   "Stochastic interpolants between two mixtures with exact velocity and score.",
               .header = "what,name,x,value,other",
               .counted = "trajectories of each diffusion",
               .samples = 2500,
               .least = 8,
               .most = 1000000,
               .seed = 1,
               .stages = stages,
               .draw = draw,
               .width = 1100,
               .height = 440};
    return paper_main(&p, argc, argv);
}
