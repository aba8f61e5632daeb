/* M2: phi by a net 2-24-24-1 whose last layer has no bearing on constants: Gauss-Newton of all its
 * weights, AdamW, and AdamW followed by the last layer alone, as the paper trains (there by BFGS,
 * here by Gauss-Newton, which is no worse). */
#include <math.h>
#include <stdio.h>

#include "examples/mesh/mesh.h"

enum { INSIDE = 30, EDGE = 30 };

/* Jets of order hessian: u, u_x, u_y, u_xx, u_xy, u_yy. */
static void inside(double *r, double *seeds, const double *jet, const double *x, size_t point,
                   void *data)
{
    (void)point, (void)data;
    r[0] = monge_ampere(seeds + 1, x, jet + 1);
}

/* Points of the boundary do not leave it. */
static void edge(double *r, double *seeds, const double *jet, const double *x, size_t point,
                 void *data)
{
    size_t axis = x[0] == 0 || x[0] == 1 ? 0 : 1;
    (void)point, (void)data;
    r[0] = jet[1 + axis];
    seeds[1 + axis] = 1;
}

typedef struct {
    ng_smooth_options net;
    collocation c;
    ng_mat inner, outer;
} mover;

static void mover_open(mover *m, const paper *p)
{
    static const size_t widths[3] = {24, 24, 1};
    ng_error error = {NG_OK, ""};
    ng_smooth_init(&m->net);
    m->net.inputs = 2;
    m->net.widths = widths;
    m->net.layers = 3;
    m->inner = paper_mat(INSIDE * INSIDE, 2);
    m->outer = paper_mat(4 * EDGE, 2);
    for (size_t b = 0; b < m->inner.rows; b++) {
        ng_mat_set(m->inner, b, 0, ((double)(b / INSIDE) + 0.5) / INSIDE);
        ng_mat_set(m->inner, b, 1, ((double)(b % INSIDE) + 0.5) / INSIDE);
    }
    for (size_t b = 0; b < m->outer.rows; b++) {
        ng_mat_set(m->outer, b, b % 4 / 2, (double)(b % 2));
        ng_mat_set(m->outer, b, 1 - b % 4 / 2, ((double)(b / 4) + 0.5) / EDGE);
    }
    collocation_open(&m->c, &m->net);
    collocation_add(&m->c, &m->net, NG_SMOOTH_HESSIAN, m->inner, 1, 1.0 / (INSIDE * INSIDE), inside,
                    NULL);
    collocation_add(&m->c, &m->net, NG_SMOOTH_GRADIENT, m->outer, 1, 1000.0 / (4 * EDGE), edge,
                    NULL);
    paper_must(ng_smooth_initialise(m->c.classes[0].net, m->c.w, paper_random(p, 3), &error),
               &error);
    ng_mat first = ng_smooth_layer(m->c.classes[0].net, m->c.w, 0);
    for (size_t i = 0; i < first.rows; i++) {
        ng_scale(ng_mat_block(first, i, 0, 1, 2), 4);
        paper_normal(ng_mat_block(first, i, 2, 1, 1), paper_random(p, 40 + i));
    }
}

static double error_of(mover *m)
{
    ng_error error = {NG_OK, ""};
    collocation_class *k = &m->c.classes[0];
    double worst = 0;
    if (ng_smooth_forward(k->net, k->jets, m->c.w, k->x, &error) != NG_OK)
        return INFINITY;
    for (size_t b = 0; b < k->x.rows; b++)
        for (int axis = 0; axis < 2; axis++) {
            double xi = ng_mat_get(k->x, b, (size_t)axis);
            worst = fmax(worst,
                         fabs(xi + ng_mat_get(k->jets, b, 1 + (size_t)axis) - exact_map(axis, xi)));
        }
    return worst;
}

/* Steps for so long. */
static double train(mover *m, paper *p, const char *name, double seconds)
{
    double start = progress_cpu(), now = 0, next = 0;
    for (size_t k = 0; now < seconds && !program_interrupted(); k++) {
        now = progress_cpu() - start;
        if (now >= next) {
            fprintf(p->rows.to, "%s,%zu,,%.4f,%.5g,\n", name, k, now, error_of(m));
            next = now + seconds / 100;
        }
        if (!collocation_step(&m->c, now / seconds))
            break;
    }
    double error = error_of(m);
    printf("%-25s %4zu %20.2g\n", name, m->c.n - m->c.frozen, error);
    return error;
}

static void marquardt(mover *m)
{
    ng_residual_options o;
    ng_residual_init(&o);
    o.damping_mode = NG_DAMPING_MODE_LM;
    o.damping = 1e-2;
    collocation_natural(&m->c, &o, 0);
}

void nets(paper *p)
{
    static const double rates[4] = {1e-3, 3e-3, 1e-2, 3e-2};
    double seconds = (double)p->samples, best = INFINITY, best_last = INFINITY;
    mover m;
    mover_open(&m, p);
    marquardt(&m);
    double natural = train(&m, p, "natural", seconds);
    collocation_close(&m.c);
    for (int i = 0; i < 4 && !program_interrupted(); i++) {
        mover a;
        char name[32];
        mover_open(&a, p);
        collocation_preset(&a.c, "adamw", rates[i]);
        snprintf(name, sizeof name, "adamw %g", rates[i]);
        double error = train(&a, p, name, seconds);
        best = fmin(best, error);
        a.c.frozen = a.c.n - 25;
        marquardt(&a);
        snprintf(name, sizeof name, "adamw %g, last layer", rates[i]);
        error = train(&a, p, name, seconds / 2);
        best_last = fmin(best_last, error);
        collocation_close(&a.c);
    }
    target_print("mesh", "M2_natural_over_adamw", 0, natural / best, 0.1);
    target_print("mesh", "M2_natural_over_last_layer", 0, natural / best_last, 0.5);
    verdict_print("mesh", "a net is moved best by all its weights at once",
                  natural < best && natural < best_last ? VERDICT_YES : VERDICT_NO);
}
